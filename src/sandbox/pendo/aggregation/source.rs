//! Where rows come from: the parameters of each source.

use serde_json::{Map, Value};

use super::{row::Context, usage::Class, window::Window};
use crate::sandbox::company::product;

/// One source with its parameters.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) kind: Kind,
    pub(super) window: Option<Window>,
    /// Attach the metadata of the visitor, of the account.
    pub(super) metadata: (bool, bool),
}

/// What rows are made of.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Usage {
        class: Class,
        apps: Apps,
        item: Option<String>,
        blacklist: Blacklist,
    },
    GuideEvents {
        apps: Apps,
        guide: Option<String>,
        step: Option<String>,
    },
    PollEvents {
        apps: Apps,
        guide: Option<String>,
        poll: Option<String>,
    },
    GuidesSeen {
        apps: Apps,
        guide: Option<String>,
    },
    PollsSeen {
        apps: Apps,
        guide: Option<String>,
        poll: Option<String>,
    },
    Visitors {
        from: Option<i64>,
        to: Option<i64>,
        /// None of those whom the vendor gave an id of its own.
        identified: bool,
        blacklist: Blacklist,
    },
    Accounts,
    /// `page`, `feature`, `tracktype`, `guide`.
    Catalogue(&'static str),
    Apps,
    DoNotProcess,
    /// There are none of these: e-mails, groups.
    Nothing,
}

/// Which apps, by index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Apps([bool; product::APPS.len()]);

impl Apps {
    pub(super) const fn has(self, app: usize) -> bool {
        app < self.0.len() && self.0[app]
    }
}

/// Whether people who are not to be processed are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blacklist {
    Apply,
    Ignore,
    Only,
}

/// Whether a source takes a time series.
#[derive(PartialEq, Eq)]
enum Series {
    Needed,
    Allowed,
    Refused,
}

impl Source {
    pub(super) fn parse(source: &Value, context: &Context) -> Result<Self, String> {
        let source = source.as_object().ok_or("source must be an object")?;
        let mut named = source.iter().filter(|(name, _)| !matches!(name.as_str(), "timeSeries" | "metadata"));
        let (name, parameters) = named.next().ok_or("no source specified")?;
        if named.next().is_some() {
            return Err("only a single source is allowed".to_owned());
        }
        let nothing = Map::new();
        let parameters = match parameters {
            Value::Null => &nothing,
            Value::Object(parameters) => parameters,
            _ => return Err(format!("source {name} takes an object or null")),
        };
        let (kind, series) = kind(name, parameters)?;
        let window = match (source.get("timeSeries"), series) {
            (None | Some(Value::Null), Series::Needed) => return Err("no period specified for time series source".to_owned()),
            (None | Some(Value::Null), _) => None,
            (Some(_), Series::Refused) => return Err(format!("source {name} does not support a time series")),
            (Some(series), _) => Some(Window::parse(series, context)?),
        };
        let metadata = &source.get("metadata").cloned().unwrap_or_default();
        Ok(Self { kind, window, metadata: (metadata["visitor"] == Value::Bool(true), metadata["account"] == Value::Bool(true)) })
    }
}

fn kind(name: &str, parameters: &Map<String, Value>) -> Result<(Kind, Series), String> {
    let allowed: &[&str] = match name {
        "events" => &["appId", "blacklist", "eventClass"],
        "pageEvents" => &["appId", "blacklist", "eventClass", "pageId"],
        "featureEvents" => &["appId", "blacklist", "eventClass", "featureId"],
        "trackEvents" => &["appId", "blacklist", "eventClass", "trackTypeId"],
        "guideEvents" | "guidesSeen" | "guidesSeenEver" => &["appId", "blacklist", "guideId", "guideStepId"],
        "pollEvents" | "pollsSeen" | "pollsSeenEver" => &["appId", "blacklist", "guideId", "pollId"],
        "visitors" => &["appId", "blacklist", "identified", "startTime", "endTime"],
        _ => &["appId", "blacklist"],
    };
    if let Some(unknown) = parameters.keys().find(|parameter| !allowed.contains(&parameter.as_str())) {
        return Err(format!("unknown parameter {unknown} of source {name}"));
    }
    let text = |parameter: &str| match parameters.get(parameter) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("{parameter} must be a string")),
    };
    let usage = |class: Class, item: Option<String>| -> Result<(Kind, Series), String> {
        let apps = apps(parameters.get("appId"), parameters.get("eventClass"))?;
        Ok((Kind::Usage { class, apps, item, blacklist: blacklist(parameters.get("blacklist"))? }, Series::Needed))
    };
    let of_apps = || apps(parameters.get("appId"), None);
    Ok(match name {
        "events" => usage(Class::App, None)?,
        "pageEvents" => usage(Class::Page, text("pageId")?)?,
        "featureEvents" => usage(Class::Feature, text("featureId")?)?,
        "trackEvents" => usage(Class::Track, text("trackTypeId")?)?,
        "guideEvents" => (Kind::GuideEvents { apps: of_apps()?, guide: text("guideId")?, step: text("guideStepId")? }, Series::Needed),
        "pollEvents" => (Kind::PollEvents { apps: of_apps()?, guide: text("guideId")?, poll: text("pollId")? }, Series::Needed),
        "guidesSeen" => (Kind::GuidesSeen { apps: of_apps()?, guide: text("guideId")? }, Series::Needed),
        "guidesSeenEver" => (Kind::GuidesSeen { apps: of_apps()?, guide: text("guideId")? }, Series::Refused),
        "pollsSeen" => (Kind::PollsSeen { apps: of_apps()?, guide: text("guideId")?, poll: text("pollId")? }, Series::Allowed),
        "pollsSeenEver" => (Kind::PollsSeen { apps: of_apps()?, guide: text("guideId")?, poll: text("pollId")? }, Series::Refused),
        "visitors" => {
            let identified = match parameters.get("identified") {
                None | Some(Value::Null | Value::Bool(false)) => false,
                Some(Value::Bool(true)) => true,
                Some(_) => return Err("identified must be true or false".to_owned()),
            };
            let (from, to) = (time(parameters.get("startTime"))?, time(parameters.get("endTime"))?);
            (Kind::Visitors { from, to, identified, blacklist: blacklist(parameters.get("blacklist"))? }, Series::Refused)
        }
        "accounts" => (Kind::Accounts, Series::Refused),
        "pages" => (Kind::Catalogue("page"), Series::Refused),
        "features" => (Kind::Catalogue("feature"), Series::Refused),
        "trackTypes" => (Kind::Catalogue("tracktype"), Series::Refused),
        "guides" => (Kind::Catalogue("guide"), Series::Refused),
        "apps" => (Kind::Apps, Series::Refused),
        "doNotProcessVisitors" => (Kind::DoNotProcess, Series::Refused),
        "emailEvents" => (Kind::Nothing, Series::Needed),
        "groups" => (Kind::Nothing, Series::Refused),
        "singleEvents" | "rawEvents" | "const" | "timespan" => return Err(format!("source {name} is not enabled for this subscription")),
        _ => return Err(format!("unknown source: {name}")),
    })
}

/// A number, a list of them, or all of them; the default app when nothing is said.
fn apps(wanted: Option<&Value>, classes: Option<&Value>) -> Result<Apps, String> {
    let wrong = || "appId must be a number, a list of numbers or expandAppIds(\"*\")".to_owned();
    let is = |value: &Value, app: &product::App| -> Result<bool, String> {
        match value {
            Value::Number(id) => Ok(id.as_i64() == Some(app.id)),
            Value::String(text) if matches!(text.as_str(), "expandAppIds(\"*\")" | "expandAppIds(`*`)") => Ok(true),
            Value::String(text) => text.parse::<i64>().map(|id| id == app.id).map_err(|_| wrong()),
            _ => Err(wrong()),
        }
    };
    let mut chosen = [false; product::APPS.len()];
    for (place, app) in product::APPS.iter().enumerate() {
        let of_app = match wanted {
            None | Some(Value::Null) => place == 0,
            Some(Value::Array(ids)) => ids.iter().map(|id| is(id, app)).collect::<Result<Vec<_>, _>>()?.contains(&true),
            Some(id) => is(id, app)?,
        };
        let of_class = match classes {
            None | Some(Value::Null) => true,
            Some(Value::Array(classes)) => classes.iter().any(|class| class == app.platform),
            Some(_) => return Err("eventClass must be a list".to_owned()),
        };
        chosen[place] = of_app && of_class;
    }
    Ok(Apps(chosen))
}

fn blacklist(wanted: Option<&Value>) -> Result<Blacklist, String> {
    Ok(match wanted.and_then(Value::as_str) {
        None if wanted.is_none_or(Value::is_null) => Blacklist::Apply,
        Some("apply") => Blacklist::Apply,
        Some("ignore") => Blacklist::Ignore,
        Some("only") => Blacklist::Only,
        _ => return Err("blacklist is one of apply, ignore, only".to_owned()),
    })
}

fn time(value: Option<&Value>) -> Result<Option<i64>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_i64().map(Some).ok_or_else(|| "startTime and endTime are milliseconds".to_owned()),
    }
}
