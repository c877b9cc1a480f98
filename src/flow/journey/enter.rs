//! Who comes in: records of a source as candidates, and whether each may enter (B8).

use crate::{
    model::{Record, Reentry, System, Timestamp, Value, account_key, alias},
    script::{Journey, Participants},
    store::ParticipantState,
};

use super::time::Calendar;

/// The reason that the vendor gives for people without a valid PX user id (B8).
pub const INVALID_PX_USER: &str = "Invalid PX user ID";

/// What stands between and behind the values of a key.
pub(super) const BETWEEN: char = '\u{1f}';

/// Somebody who could take part.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The values of `unique_on`, in the form in which two spellings of one are equal.
    pub key: String,
    pub email: Option<String>,
    pub px_id: Option<String>,
    pub fields: Record,
}

impl Candidate {
    /// A record as a candidate.
    ///
    /// # Errors
    /// The field of `unique_on` that has no value.
    pub fn of(journey: &Journey, fields: Record) -> Result<Self, String> {
        let mut key = String::new();
        for name in &journey.unique_on {
            let value = fields
                .path(name)
                .filter(|value| !value.is_blank() && !matches!(value, Value::List(_) | Value::Map(_)))
                .ok_or_else(|| format!("has no `{name}`, which tells people apart"))?;
            key.push_str(&spelled(journey, name, value.to_string().trim()));
            key.push(BETWEEN);
        }
        let text = |name: &str| {
            let value = fields.path(name)?;
            (!value.is_blank()).then(|| value.to_string().trim().to_owned())
        };
        Ok(Self { email: text(&journey.identity.email), px_id: text(&journey.identity.px_id), key, fields })
    }

    /// The key under which the same person may be remembered from before ids had rules of their own; none where it is the same.
    pub(super) fn earlier_key(&self, journey: &Journey) -> Option<String> {
        let values = journey.unique_on.iter().filter_map(|name| self.fields.path(name));
        let mut key = String::new();
        for value in values {
            key.push_str(&value.to_string().trim().to_lowercase());
            key.push(BETWEEN);
        }
        Some(key).filter(|key| *key != self.key)
    }
}

/// A value of `unique_on` in the form in which two spellings of it are equal: capitals count in the ids of Pendo and PX, a Salesforce id is one
/// in both of its forms, and of all else, addresses first, capitals do not count.
fn spelled(journey: &Journey, name: &str, text: &str) -> String {
    let system = match &journey.participants {
        Participants::Source { source, .. } => Some(source.system()),
        Participants::List(_) => None,
    };
    let exact = match alias(name).as_str() {
        _ if name == journey.identity.email => false,
        "visitor_id" | "identify_id" => true,
        "account_id" | "id" => matches!(system, Some(System::Pendo | System::Px)),
        _ => name == journey.identity.px_id,
    };
    let of_salesforce = || matches!(system, Some(System::Salesforce | System::Gainsight)) && alias(name).ends_with("id");
    if exact {
        text.to_owned()
    } else if of_salesforce() {
        account_key(text).to_lowercase()
    } else {
        text.to_lowercase()
    }
}

/// What is known of a candidate's earlier participation, the newest one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    pub state: ParticipantState,
    pub ended: Option<Timestamp>,
    /// It was refused at the door: nothing has reached this person, who is looked at again.
    pub at_door: bool,
}

/// What a candidate is let in by.
#[derive(Debug, Clone, Copy)]
pub struct Gate<'a> {
    pub journey: &'a Journey,
    pub calendar: &'a Calendar,
    pub now: Timestamp,
    /// The flow shows something in PX, so everybody needs a user there.
    pub needs_px: bool,
    /// Whether PX knows the candidate's id.
    pub px_known: bool,
}

/// What becomes of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entrance {
    Enter,
    /// Is in already, or has been and may not come again: why, for whoever asks about this person.
    Stays(String),
    /// Becomes a failed participant, with the reason.
    Fails(String),
}

/// Whether a candidate may enter.
pub fn entrance(gate: Gate<'_>, candidate: &Candidate, earlier: Option<Earlier>) -> Entrance {
    if let Some(why) = earlier.and_then(|earlier| stays(gate, earlier)) {
        return Entrance::Stays(why);
    }
    if gate.needs_px && (candidate.px_id.is_none() || !gate.px_known) {
        return match earlier {
            // Told once; what was wrong may be put right at any time, so it is looked at again.
            Some(Earlier { at_door: true, .. }) => Entrance::Stays(INVALID_PX_USER.to_owned()),
            _ => Entrance::Fails(INVALID_PX_USER.to_owned()),
        };
    }
    Entrance::Enter
}

/// Why somebody who has taken part may not come in now; none when they may, were they valid. Whoever failed on a step has taken part like
/// everybody who completed or was dropped: only those who were refused at the door are looked at again.
pub fn stays(gate: Gate<'_>, earlier: Earlier) -> Option<String> {
    if earlier.at_door {
        return None;
    }
    let Some(ended) = earlier.ended else { return Some(format!("is in the journey already ({})", earlier.state.word())) };
    match gate.journey.reentry {
        Reentry::Never => Some(format!("has been in the journey until {ended}, and nobody enters it twice")),
        Reentry::AfterEnd => None,
        Reentry::After(length) => {
            let from = gate.calendar.after(ended, length);
            (gate.now < from).then(|| format!("has been in the journey until {ended} and may enter again from {from}"))
        }
    }
}
