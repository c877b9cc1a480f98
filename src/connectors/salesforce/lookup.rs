//! Records by key: by id through the collections resource, by any other field through `IN` lists.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Serialize, de::DeserializeSeed};

use crate::model::{Fault, FieldType, Lookup, Record, SalesforceId, System, TimeZone, Value, salesforce_id};

use super::{
    Salesforce,
    describe::Described,
    query::without_repeats,
    soql::{self, Kinds},
};
use crate::connectors::{
    http::{Call, broken_json, escape},
    rows::{Columns, RowsSeed},
};

/// Ids of one collections call.
const IDS_A_CALL: usize = 2_000;
/// Keys and characters of one `IN` list; a statement may have 100,000 characters.
const KEYS_A_QUERY: usize = 2_000;
const CHARACTERS_A_QUERY: usize = 80_000;

#[derive(Serialize)]
struct Retrieve<'a> {
    ids: &'a [String],
    fields: &'a [String],
}

impl Salesforce {
    pub(in crate::connectors) async fn lookup(&self, lookup: &Lookup) -> Result<Vec<Record>, Fault> {
        let object = self.described(&lookup.object).await?;
        let wanted = ["Id".to_owned(), lookup.by.clone()].into_iter().chain(lookup.fields.iter().cloned());
        let fields = without_repeats(spelt(wanted, &lookup.by));
        let columns = self.columns(&object, &fields).await?;
        let plain = lookup.filter.is_none() && !fields.iter().any(|field| field.contains('.'));
        if lookup.by.eq_ignore_ascii_case("Id") && plain {
            return self.by_id(&object, &lookup.keys, &fields, &columns).await;
        }
        self.by_field(&object, lookup, &fields, &columns).await
    }

    async fn by_id(&self, object: &Described, keys: &[Value], fields: &[String], columns: &Columns) -> Result<Vec<Record>, Fault> {
        let ids = ids_of(keys, object.key_prefix.as_deref());
        let path = self.path(&format!("composite/sobjects/{}", escape(&object.schema.name)));
        let calls = ids.chunks(IDS_A_CALL).map(|ids| {
            let path = path.clone();
            async move {
                let call = Call::ask(path).json(System::Salesforce, &Retrieve { ids, fields })?;
                self.read(&call, |answer| {
                    let mut json = serde_json::Deserializer::from_slice(&answer.body);
                    RowsSeed(columns).deserialize(&mut json).map_err(|error| broken_json(System::Salesforce, &error))
                })
                .await
            }
        });
        joined(calls).await
    }

    async fn by_field(&self, object: &Arc<Described>, lookup: &Lookup, fields: &[String], columns: &Columns) -> Result<Vec<Record>, Fault> {
        let paths = lookup.filter.iter().flat_map(crate::model::Filter::fields).chain([lookup.by.as_str()]);
        let kinds = self.kinds(object, paths).await?;
        let mut tail = String::new();
        if let Some(filter) = &lookup.filter {
            tail = format!(" AND {}", soql::condition(filter, &kinds, &self.zone)?);
        }
        let head = format!("SELECT {} FROM {} WHERE {} IN (", fields.join(","), lookup.object, lookup.by);
        let lists = lists(lookup, object, &kinds, &self.zone);
        let calls = lists.into_iter().map(|list| {
            let soql = format!("{head}{list}){tail}");
            async move { self.all_rows(&soql, columns).await }
        });
        joined(calls).await
    }
}

async fn joined(calls: impl Iterator<Item = impl Future<Output = Result<Vec<Record>, Fault>>>) -> Result<Vec<Record>, Fault> {
    let mut all = Vec::new();
    let mut answers = stream::iter(calls).buffer_unordered(3);
    while let Some(mut rows) = answers.try_next().await? {
        all.append(&mut rows);
    }
    Ok(all)
}

/// When the id is looked up by, it goes by the name it was given.
fn spelt(fields: impl Iterator<Item = String>, by: &str) -> impl Iterator<Item = String> {
    fields.map(move |field| if field.eq_ignore_ascii_case(by) { by.to_owned() } else { field })
}

/// The keys that can be ids of the object at all, each once and in one form: others are found nowhere, and would sink the whole call.
fn ids_of(keys: &[Value], prefix: Option<&str>) -> Vec<String> {
    let sound = |id: &str| if let SalesforceId::Sound(id) = salesforce_id(id.trim()) { Some(id) } else { None };
    let mut ids: Vec<String> =
        keys.iter().filter_map(Value::as_str).filter_map(sound).filter(|id| prefix.is_none_or(|p| id.starts_with(p))).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The keys as literals, in lists that fit a statement each. Keys that do not fit the field's type are found nowhere.
fn lists(lookup: &Lookup, object: &Described, kinds: &Kinds, zone: &TimeZone) -> Vec<String> {
    let kind = kinds.get(&lookup.by.to_ascii_lowercase()).cloned().unwrap_or(FieldType::Text { max: 255 });
    let by_id = matches!(kind, FieldType::Id | FieldType::Reference { .. });
    let prefix = object.key_prefix.as_deref().filter(|_| kind == FieldType::Id);
    let mut lists: Vec<String> = Vec::new();
    let mut room = 0;
    let ids: Vec<Value>;
    let keys = if by_id {
        ids = ids_of(&lookup.keys, prefix).into_iter().map(Value::text).collect();
        &ids
    } else {
        &lookup.keys
    };
    for key in keys.iter().filter(|key| !key.is_blank()) {
        let Ok(literal) = soql::literal(key, &kind, &lookup.by, zone) else { continue };
        match lists.last_mut() {
            Some(list) if room > 0 && list.len() + literal.len() < CHARACTERS_A_QUERY => {
                list.push(',');
                list.push_str(&literal);
                room -= 1;
            }
            _ => {
                lists.push(literal);
                room = KEYS_A_QUERY - 1;
            }
        }
    }
    lists
}
