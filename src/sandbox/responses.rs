//! How people respond, for whoever plays a quarter of a year in seconds: the models of the sandbox's mail and PX, without their servers.

use serde_json::{Map, Value, json};

use super::{company::Company, mail, px};

/// The response models of one company.
#[derive(Debug, Clone, PartialEq)]
pub struct Responses {
    company: Company,
    mail: mail::Behaviour,
    px: px::Model,
}

/// Something that somebody does about a message or an engagement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response {
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    pub kind: Reaction,
    /// The answer to a survey.
    pub score: Option<u32>,
    pub comment: Option<&'static str>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reaction {
    Opened,
    Clicked,
    Unsubscribed,
    Bounced,
    Viewed,
    Completed,
    Responded,
}

/// What is shown to somebody in the product.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The user's id in PX.
    pub user: &'a str,
    /// The engagement's id and its type, such as `IN_APP_GUIDE`.
    pub engagement: &'a str,
    pub kind: &'a str,
    /// When the user came into its audience, and until when it is looked at; milliseconds since the Unix epoch.
    pub from_ms: i64,
    pub until_ms: i64,
}

impl Responses {
    /// The models as the sandbox has them when nobody changed them.
    pub fn new(company: Company) -> Self {
        Self { company, mail: mail::Behaviour::default(), px: px::Model::default() }
    }

    /// What can be set: rates from 0 to 1, delays in seconds, and spans of minutes as `LEAST..MOST`.
    pub fn names() -> Vec<String> {
        let (mail, px) = (json!(mail::Behaviour::default()), json!(px::Model::default()));
        [mail, px].iter().filter_map(Value::as_object).flat_map(|model| model.keys().cloned()).collect()
    }

    /// Sets one of `names`.
    ///
    /// # Errors
    /// What is wrong with the name or the value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let value = number(value).ok_or_else(|| format!("`{value}` is no number"))?;
        let (mail, px) = (fields(&json!(self.mail)), fields(&json!(self.px)));
        let put = |mut model: Map<String, Value>| {
            model.insert(name.to_owned(), value.clone());
            Value::Object(model)
        };
        if mail.contains_key(name) {
            let model: mail::Behaviour = serde_json::from_value(put(mail)).map_err(|error| format!("`{name}`: {error}"))?;
            model.wrong().map_or(Ok(()), |wrong| Err(format!("`{name}`: {wrong}")))?;
            self.mail = model;
        } else if px.contains_key(name) {
            let model: px::Model = serde_json::from_value(put(px)).map_err(|error| format!("`{name}`: {error}"))?;
            model.wrong().map_or(Ok(()), |wrong| Err(format!("`{name}`: {wrong}")))?;
            self.px = model;
        } else {
            return Err(format!("there is no `{name}`; there are {}", Self::names().join(", ")));
        }
        Ok(())
    }

    /// What a recipient does with a message that is delivered at an instant, in order of time.
    pub fn to_mail(&self, recipient: &str, message: &str, at_ms: i64) -> Vec<Response> {
        mail::responses(&self.mail, self.company.seed, recipient, message, at_ms)
    }

    /// What a user does with an engagement, in order of time.
    pub fn to_engagement(&self, shown: Shown<'_>) -> Vec<Response> {
        px::responses(&self.px, &self.company, shown)
    }

    /// The answer of somebody who has opened the mail of a survey at an instant; none from those who do not answer.
    pub fn to_survey_mail(&self, shown: Shown<'_>) -> Option<Response> {
        px::answer(&self.px, &self.company, shown)
    }
}

fn fields(model: &Value) -> Map<String, Value> {
    model.as_object().cloned().unwrap_or_default()
}

/// `0.4`, or `2..2880`.
fn number(text: &str) -> Option<Value> {
    if let Some((least, most)) = text.split_once("..") {
        return Some(json!([least.trim().parse::<f64>().ok()?, most.trim().parse::<f64>().ok()?]));
    }
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from)
}
