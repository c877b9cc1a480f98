//! Segments, apps, features, guides and saved reports of Pendo by the names that people gave them: which one is meant, or why that cannot be said.

use std::collections::BTreeMap;

use super::{Measure, Record, Report, SavedReport, Value};

/// What Pendo lists, and scripts call by a name or an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listing {
    Segment,
    App,
    Feature,
    Guide,
    Report,
}

/// Kinds of reports whose results Pendo's API does not give (engageapi.pendo.io, "Reports"), by words of their `type`.
const UNREADABLE: [&str; 5] = ["path", "funnel", "workflow", "retention", "explorer"];

/// What was listed: items with `id` and `name`, and where they belong to apps, `appId` and `appIds`.
#[derive(Debug, Default)]
pub struct Listed(BTreeMap<Listing, Vec<Record>>);

/// The ids of what a report names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub segment: Option<String>,
    pub app: Option<String>,
    /// By the name that the report has for it.
    pub features: BTreeMap<String, String>,
}

/// A name that means nothing, or more than one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misnamed {
    pub name: String,
    pub reason: String,
    /// The name that was most likely meant.
    pub near: Option<String>,
    /// There is more than one of the name, not none.
    pub several: bool,
}

impl Listing {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Segment => "segment",
            Self::App => "app",
            Self::Feature => "feature",
            Self::Guide => "guide",
            Self::Report => "report",
        }
    }
}

impl std::fmt::Display for Misnamed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.near {
            Some(near) => write!(f, "{}; did you mean `{near}`?", self.reason),
            None => f.write_str(&self.reason),
        }
    }
}

impl Report {
    /// The segment; none where it is Pendo's own of everyone.
    fn narrowed(&self) -> Option<&str> {
        self.segment.as_deref().filter(|name| !name.eq_ignore_ascii_case("everyone"))
    }

    /// The lists that its names are looked up in.
    pub fn listings(&self) -> Vec<Listing> {
        let clicks = self.columns.iter().any(|(_, measure)| matches!(measure, Measure::FeatureClicks(_)));
        let wanted = [(Listing::Segment, self.narrowed().is_some()), (Listing::App, self.app.is_some()), (Listing::Feature, clicks)];
        wanted.into_iter().filter(|(_, wanted)| *wanted).map(|(listing, _)| listing).collect()
    }
}

impl Listed {
    pub fn add(&mut self, listing: Listing, items: Vec<Record>) {
        self.0.insert(listing, items);
    }

    /// The ids of everything that a report names.
    ///
    /// # Errors
    /// All names that mean nothing, or more than one thing.
    pub fn of_report(&self, report: &Report) -> Result<Named, Vec<Misnamed>> {
        let (mut named, mut wrong) = (Named::default(), Vec::new());
        let mut keep = |found: Result<String, Misnamed>| found.map_err(|misnamed| wrong.push(misnamed)).ok();
        named.segment = report.narrowed().and_then(|name| keep(self.id(Listing::Segment, name, None)));
        named.app = report.app.as_deref().and_then(|name| keep(self.id(Listing::App, name, None)));
        let app = named.app.clone();
        for (_, measure) in &report.columns {
            if let Measure::FeatureClicks(name) = measure
                && !named.features.contains_key(name)
                && let Some(id) = keep(self.id(Listing::Feature, name, app.as_deref()))
            {
                named.features.insert(name.clone(), id);
            }
        }
        wrong.dedup();
        if wrong.is_empty() { Ok(named) } else { Err(wrong) }
    }

    /// The id of a saved report whose results can be read.
    ///
    /// # Errors
    /// There is no such report, there are several of the name, it is its owner's alone, or of a kind whose results Pendo does not give.
    pub fn saved(&self, report: &SavedReport) -> Result<String, Misnamed> {
        let id = self.id(Listing::Report, &report.name, None)?;
        let all = self.0.get(&Listing::Report).map(Vec::as_slice).unwrap_or_default();
        let item = all.iter().find(|item| text(item, "id").as_deref() == Some(&id));
        let name = &report.name;
        if item.and_then(|item| item.get("shared")) == Some(&Value::Bool(false)) {
            let reason = format!("the report `{name}` is its owner's alone: set its visibility to Everyone in Pendo");
            return Err(misnamed(name, reason));
        }
        let kind = item.and_then(|item| text(item, "type")).unwrap_or_default();
        if UNREADABLE.iter().any(|word| kind.to_lowercase().contains(word)) {
            let reason = format!("the report `{name}` is of the type {kind}, whose results Pendo's API does not give");
            return Err(misnamed(name, reason));
        }
        Ok(id)
    }

    /// The same as `id` of something that need not be there.
    ///
    /// # Errors
    /// There are several of the name.
    pub fn known(&self, listing: Listing, name: &str) -> Result<Option<String>, Misnamed> {
        match self.id(listing, name, None) {
            Ok(id) => Ok(Some(id)),
            Err(misnamed) if misnamed.several => Err(misnamed),
            Err(_) => Ok(None),
        }
    }

    /// The id of what has this id or this name; with an app, of what belongs to it.
    ///
    /// # Errors
    /// There is no such thing, or there are several of the name.
    pub fn id(&self, listing: Listing, name: &str, app: Option<&str>) -> Result<String, Misnamed> {
        let all = self.0.get(&listing).map(Vec::as_slice).unwrap_or_default();
        let fits = |field: &str| all.iter().filter(|item| text(item, field).as_deref() == Some(name)).collect::<Vec<_>>();
        let by_id = fits("id");
        let found = if by_id.is_empty() { fits("name") } else { by_id };
        let of_app: Vec<&Record> = found.iter().copied().filter(|item| app.is_none_or(|app| belongs(item, app))).collect();
        match (of_app.as_slice(), found.as_slice()) {
            ([one], _) => text(one, "id").ok_or_else(|| misnamed(name, format!("the {} `{name}` has no id in Pendo", listing.word()))),
            ([], []) => Err(unknown(listing, name, all)),
            ([], [other, ..]) => Err(elsewhere(listing, name, other, app.unwrap_or_default())),
            (several, _) => Err(ambiguous(listing, name, several)),
        }
    }
}

/// Apps have numbers for ids.
fn text(item: &Record, field: &str) -> Option<String> {
    item.get(field).filter(|value| !value.is_blank()).map(ToString::to_string)
}

fn belongs(item: &Record, app: &str) -> bool {
    let listed = match item.get("appIds") {
        Some(Value::List(apps)) => apps.iter().any(|one| one.to_string() == app),
        _ => false,
    };
    listed || text(item, "appId").is_none_or(|own| own == app)
}

fn misnamed(name: &str, reason: String) -> Misnamed {
    Misnamed { name: name.to_owned(), reason, near: None, several: false }
}

fn unknown(listing: Listing, name: &str, all: &[Record]) -> Misnamed {
    let shared = match listing {
        Listing::Segment => ", or it is not shared",
        Listing::Report => ", or its visibility is not Everyone",
        Listing::App | Listing::Feature | Listing::Guide => "",
    };
    let reason = format!("there is no {} `{name}` in Pendo{shared}", listing.word());
    let known: Vec<String> = all.iter().flat_map(|item| [text(item, "name"), text(item, "id")]).flatten().collect();
    Misnamed { near: nearest(name, &known), ..misnamed(name, reason) }
}

fn elsewhere(listing: Listing, name: &str, other: &Record, app: &str) -> Misnamed {
    let own = text(other, "appId").unwrap_or_default();
    misnamed(name, format!("the {} `{name}` is of the app {own}, not of {app}: the report would say 0 of it for everybody", listing.word()))
}

fn ambiguous(listing: Listing, name: &str, several: &[&Record]) -> Misnamed {
    let told = |item: &&Record| match text(item, "appId").filter(|_| listing != Listing::App) {
        Some(app) => format!("`{}` (app {app})", text(item, "id").unwrap_or_default()),
        None => format!("`{}`", text(item, "id").unwrap_or_default()),
    };
    let ids: Vec<String> = several.iter().map(told).collect();
    let reason =
        format!("{} {}s in Pendo are called `{name}`: write the id of the one that is meant, {}", several.len(), listing.word(), ids.join(" or "));
    Misnamed { several: true, ..misnamed(name, reason) }
}

/// The nearest of the names: the same but for case, or at most a third of its letters wrong.
fn nearest(written: &str, known: &[String]) -> Option<String> {
    let lower = written.to_lowercase();
    let scored = known.iter().map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name));
    let (distance, name) = scored.min()?;
    let longest = written.chars().count().max(name.chars().count());
    (distance <= (longest / 3).max(1) && distance < longest).then(|| name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: Value, name: &str, app: Option<i64>) -> Record {
        let named = [("id".into(), id), ("name".into(), Value::text(name))];
        named.into_iter().chain(app.map(|app| ("appId".into(), Value::Int(app)))).collect()
    }

    fn listed() -> Listed {
        let mut listed = Listed::default();
        listed.add(Listing::App, vec![item(Value::Int(-323_232), "Web", None), item(Value::Int(7), "Mobile", None)]);
        listed.add(Listing::Segment, vec![item(Value::text("s1"), "Admins", Some(-323_232)), item(Value::text("s2"), "Trial", None)]);
        let features = [("f1", "Export", -323_232), ("f2", "Export", 7), ("f3", "Scan", 7), ("Scan", "f9", -323_232)];
        listed.add(Listing::Feature, features.map(|(id, name, app)| item(Value::text(id), name, Some(app))).to_vec());
        listed
    }

    fn report(segment: Option<&str>, app: Option<&str>, clicks: &[&str]) -> Report {
        let columns = clicks.iter().map(|name| ((*name).to_owned(), Measure::FeatureClicks((*name).to_owned()))).collect();
        let own = |text: Option<&str>| text.map(str::to_owned);
        Report { per: "account".to_owned(), segment: own(segment), app: own(app), anonymous: false, days: 7, until: None, columns }
    }

    #[test]
    fn names_and_ids_are_found_and_an_app_tells_features_of_one_name_apart() {
        let named = listed().of_report(&report(Some("Admins"), Some("Mobile"), &["Export"])).unwrap();
        assert_eq!((named.segment.as_deref(), named.app.as_deref()), (Some("s1"), Some("7")));
        assert_eq!(named.features["Export"], "f2");
        let by_id = listed().of_report(&report(Some("s2"), Some("-323232"), &["f1"])).unwrap();
        assert_eq!((by_id.segment.as_deref(), by_id.app.as_deref(), by_id.features["f1"].as_str()), (Some("s2"), Some("-323232"), "f1"));
        assert_eq!(listed().of_report(&report(Some("everyone"), None, &[])).unwrap(), Named::default());
        assert_eq!(listed().id(Listing::Feature, "Scan", None).unwrap(), "Scan", "an id goes before a name");
    }

    #[test]
    fn of_a_saved_report_it_is_said_why_its_results_cannot_be_read() {
        let saved = |id: &str, name: &str, shared: bool, kind: &str| {
            let more = [("shared".into(), Value::Bool(shared)), ("type".into(), Value::text(kind))];
            item(Value::text(id), name, None).into_iter().chain(more).collect::<Record>()
        };
        let mut listed = Listed::default();
        let reports =
            [saved("r1", "Usage", true, "Account Report"), saved("r2", "Mine", false, "Account Report"), saved("r3", "Steps", true, "Funnel")];
        listed.add(Listing::Report, reports.to_vec());
        let of = |name: &str| {
            let report = SavedReport { name: name.to_owned(), per: "account".to_owned(), key: "accountId".to_owned() };
            listed.saved(&report).map_err(|wrong| wrong.to_string())
        };
        assert_eq!((of("Usage"), of("r1")), (Ok("r1".to_owned()), Ok("r1".to_owned())));
        let told = [
            ("Mine", "the report `Mine` is its owner's alone: set its visibility to Everyone in Pendo"),
            ("r3", "the report `r3` is of the type Funnel, whose results Pendo's API does not give"),
            ("Usag", "there is no report `Usag` in Pendo, or its visibility is not Everyone; did you mean `Usage`?"),
        ];
        for (name, reason) in told {
            assert_eq!(of(name), Err(reason.to_owned()));
        }
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_with_what_was_meant() {
        let wrong = listed().of_report(&report(Some("admins"), Some("Mobil"), &["Export", "Scam"])).unwrap_err();
        let said: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "there is no segment `admins` in Pendo, or it is not shared; did you mean `Admins`?",
                "there is no app `Mobil` in Pendo; did you mean `Mobile`?",
                "2 features in Pendo are called `Export`: write the id of the one that is meant, `f1` (app -323232) or `f2` (app 7)",
                "there is no feature `Scam` in Pendo; did you mean `Scan`?",
            ]
        );
        let elsewhere = listed().of_report(&report(None, Some("Web"), &["f3"])).unwrap_err();
        assert_eq!(elsewhere[0].to_string(), "the feature `f3` is of the app 7, not of -323232: the report would say 0 of it for everybody");
    }
}
