//! What a cursor stands on: when any of it is another one, what was read before says nothing of what has to be read now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    model::{FieldType, ObjectSchema, System, TimeZone},
    script::Mapping,
};

use super::Wire;

/// Kept beside the instant of a cursor, as JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The hash of what the declaration reads and writes.
    shape: String,
    /// The workspace's zone: the days of the target may be others in another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    /// Where the source and the target are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    places: BTreeMap<System, String>,
    /// The types of those fields of the target that were there when the run began.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    types: BTreeMap<String, String>,
}

impl Standing {
    pub(crate) fn of(shape: &str, mapping: &Mapping, target: &ObjectSchema, (zone, wire): (&TimeZone, &Places)) -> Self {
        let kinds = mapping.match_on.iter().chain(&mapping.fields).filter_map(|map| target.field(&map.target));
        Self {
            shape: shape.to_owned(),
            zone: zone.iana_name().map(str::to_owned),
            places: wire.0.iter().map(|(system, place)| (*system, place.clone())).collect(),
            types: kinds.map(|field| (field.name.to_lowercase(), kind(&field.kind))).collect(),
        }
    }

    /// A text that was kept; of an earlier version, only the hash.
    pub(crate) fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|_| Self { shape: text.to_owned(), ..Self::default() })
    }

    pub(crate) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What is another one now, in words; nothing when the cursor still counts. What was not kept counts as the same.
    pub(crate) fn changes(&self, now: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        if self.shape != now.shape {
            changes.push("what it reads or writes has changed".to_owned());
        }
        if let (Some(then), Some(now)) = (&self.zone, &now.zone)
            && then != now
        {
            changes.push(format!("the time zone was {then} and is {now}"));
        }
        for (system, place) in &self.places {
            if now.places.get(system).is_some_and(|now| now != place) {
                changes.push(format!("{system} is another one than in its last run"));
            }
        }
        for (field, then) in &self.types {
            if let Some(now) = now.types.get(field).filter(|now| *now != then) {
                changes.push(format!("the type of {field} was {then} and is {now}"));
            }
        }
        changes
    }
}

/// Where the systems of a mapping are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places(BTreeMap<System, String>);

impl Places {
    pub(crate) fn of(mapping: &Mapping, wire: &Wire) -> Self {
        let systems = [mapping.from.system(), mapping.to.system];
        Self(systems.into_iter().filter_map(|system| Some((system, wire.place(system)?.to_owned()))).collect())
    }

    /// Both, as one text.
    pub(crate) fn text(&self) -> String {
        self.0.iter().flat_map(|(system, place)| [system.name(), " ", place.as_str(), " "]).collect()
    }
}

/// A type as far as it decides what a value becomes. A new choice of a list makes no value another one.
fn kind(kind: &FieldType) -> String {
    match kind {
        FieldType::Text { max } => format!("{} of {max}", kind.word()),
        FieldType::Number { digits, scale } => format!("{} of {digits} digits, {scale} of them behind the point", kind.word()),
        other => other.word().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing() -> Standing {
        Standing {
            shape: "abc".into(),
            zone: Some("UTC".into()),
            places: [(System::Salesforce, "https://a.example".to_owned())].into(),
            types: [("site".to_owned(), "text of 80".to_owned())].into(),
        }
    }

    #[test]
    fn each_part_is_told_by_itself_and_what_was_not_kept_is_the_same() {
        let then = standing();
        assert_eq!(Standing::parse(&then.text()), then);
        assert_eq!(then.changes(&standing()), Vec::<String>::new());
        assert_eq!(Standing::parse("abc").changes(&standing()), Vec::<String>::new());
        assert_eq!(Standing::parse("").changes(&standing()), ["what it reads or writes has changed"]);
        let others = [
            (Standing { shape: "x".into(), ..standing() }, "what it reads or writes has changed"),
            (Standing { zone: Some("Asia/Tokyo".into()), ..standing() }, "the time zone was UTC and is Asia/Tokyo"),
            (Standing { places: [(System::Salesforce, "b".to_owned())].into(), ..standing() }, "salesforce is another one than in its last run"),
            (Standing { types: [("site".to_owned(), "date".to_owned())].into(), ..standing() }, "the type of site was text of 80 and is date"),
        ];
        for (now, said) in others {
            assert_eq!(then.changes(&now), [said]);
        }
        let more = Standing { types: [("site".to_owned(), "text of 80".to_owned()), ("new".to_owned(), "date".to_owned())].into(), ..standing() };
        assert_eq!(then.changes(&more), Vec::<String>::new(), "a field that was made since");
    }
}
