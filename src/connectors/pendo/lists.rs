//! Segments, apps, guides, pages, features and reports: short lists that come whole, and what they are called.

use reqwest::Method;

use crate::model::{
    Fault, FaultKind, FieldType, Filter, Listed, Lookup, Name, Named, ObjectSchema, Page, Query, Record, Report, System, TimeZone, Value,
};

use super::{
    Pendo,
    read::{instant_fields, only},
    schema::field,
};

/// The lists there are; the plural is understood too.
const LISTS: &[&str] = &["segment", "app", "guide", "page", "feature", "report", "tracktype"];

fn list_of(object: &str) -> Result<&'static str, Fault> {
    let is = |list: &&&str| list.eq_ignore_ascii_case(object) || object.eq_ignore_ascii_case(&format!("{list}s"));
    LISTS.iter().find(is).copied().ok_or_else(|| {
        let message = format!("Pendo has no object `{object}`; it has account, visitor, {}", LISTS.join(", "));
        Fault::from_system(System::Pendo, FaultKind::NotFound, message)
    })
}

pub(super) fn describe(object: &str) -> Result<ObjectSchema, Fault> {
    let list = list_of(object)?;
    let text = || FieldType::Text { max: u32::MAX };
    let time = || FieldType::DateTime { millis: true };
    let mut fields = vec![field("id", "id", text(), false), field("name", "name", text(), false)];
    if list == "app" {
        fields.push(field("platform", "platform", text(), false));
        return Ok(ObjectSchema { system: System::Pendo, name: list.to_owned(), label: list.to_owned(), fields });
    }
    fields.push(field("kind", "kind", text(), false));
    if list == "guide" {
        fields.push(field("state", "state", text(), true));
        fields.push(field("launchMethod", "launchMethod", text(), false));
    }
    fields.extend([field("createdAt", "createdAt", time(), false), field("lastUpdatedAt", "lastUpdatedAt", time(), false)]);
    Ok(ObjectSchema { system: System::Pendo, name: list.to_owned(), label: list.to_owned(), fields })
}

pub(super) fn objects() -> Value {
    Value::List(["account", "visitor"].iter().chain(LISTS).map(Value::text).collect())
}

impl Pendo {
    /// All items, of all apps.
    pub(super) async fn list(&self, list: &str) -> Result<Vec<Record>, Fault> {
        if list == "app" {
            return self.apps().await;
        }
        let call = self.call(Method::GET, list).query("expand", "*");
        let mut items: Vec<Record> = self.http.json(&call).await?;
        items.iter_mut().for_each(instant_fields);
        Ok(items)
    }

    /// The apps of the subscription, which only aggregations tell.
    async fn apps(&self) -> Result<Vec<Record>, Fault> {
        #[derive(serde::Deserialize)]
        struct Answer {
            results: Option<Vec<Record>>,
        }
        let call = self.aggregation(&[serde_json::json!({"source": {"apps": null}})])?;
        let answer: Answer = self.http.json(&call).await?;
        let mut apps = answer.results.unwrap_or_default();
        for app in &mut apps {
            if app.get("id").is_none_or(Value::is_blank)
                && let Some(id) = app.get("appId").cloned()
            {
                app.set("id", id);
            }
        }
        Ok(apps)
    }

    /// The ids of everything that a report names; each list is asked for once, and only when it is needed.
    pub(super) async fn named(&self, report: &Report) -> Result<Named, Fault> {
        let mut listed = Listed::default();
        for listing in report.listings() {
            listed.add(listing, self.list(listing.word()).await?);
        }
        listed.of_report(report).map_err(|wrong| {
            let said: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            Fault::from_system(System::Pendo, FaultKind::NotFound, said.join("; "))
        })
    }

    pub(super) async fn read_list(&self, query: &Query) -> Result<Page, Fault> {
        let mut items = self.list(list_of(&query.object)?).await?;
        if let Some((field, at)) = &query.since {
            items.retain(|item| !matches!(item.path(field), Some(Value::Instant(changed)) if changed < at));
        }
        let records = picked(items, (query.filter.as_ref(), &self.zone), &query.fields, query.limit);
        Ok(Page { total: Some(records.len() as u64), records, next: None })
    }

    pub(super) async fn lookup_list(&self, lookup: &Lookup) -> Result<Vec<Record>, Fault> {
        let mut items = self.list(list_of(&lookup.object)?).await?;
        items.retain(|item| item.path(&lookup.by).is_some_and(|value| lookup.keys.contains(value)));
        let mut fields = vec!["id".to_owned(), lookup.by.clone()];
        fields.extend(lookup.fields.iter().cloned());
        Ok(picked(items, (lookup.filter.as_ref(), &self.zone), &fields, None))
    }
}

fn picked(items: Vec<Record>, (filter, zone): (Option<&Filter>, &TimeZone), fields: &[String], limit: Option<u64>) -> Vec<Record> {
    let fields: Vec<Name> = fields.iter().map(Name::from).collect();
    let most = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let passing = items.into_iter().filter(|item| filter.is_none_or(|filter| filter.matches(item, zone))).take(most);
    passing.map(|item| if fields.is_empty() { item } else { only(item, &fields) }).collect()
}
