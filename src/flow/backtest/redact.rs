//! What of a record is kept only as a pseudonym, by the names of its fields. The same value has the same pseudonym in one state file, so that
//! equal stays equal; without the state file's key it tells nothing.

use crate::model::{Date, Record, Value};

/// Names of people and ways to reach them. Names of companies are none of these.
const USUAL: [&str; 12] = [
    "*email*",
    "*phone*",
    "*mobile*",
    "*fax*",
    "firstname*",
    "first_name*",
    "lastname*",
    "last_name*",
    "*birthdate*",
    "*birthday*",
    "*street*",
    "*iban*",
];

/// Never kept, whatever `tabi.toml` says.
const SECRET: [&str; 7] = ["*password*", "*secret*", "*token", "*token__*", "*api_key*", "*apikey*", "*private_key*"];

/// Which fields are redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redaction(Vec<String>);

impl Default for Redaction {
    fn default() -> Self {
        Self::of(&USUAL)
    }
}

impl Redaction {
    /// By patterns of field names in any case; `*` stands for any letters. A pattern with a dot is held against a field's whole path.
    pub fn of(patterns: &[impl AsRef<str>]) -> Self {
        Self(patterns.iter().map(|pattern| pattern.as_ref().to_lowercase()).collect())
    }

    /// A record as it may be kept.
    pub fn redact(&self, record: &Record, key: &[u8; 32]) -> Record {
        self.within(record, "", key)
    }

    fn within(&self, record: &Record, path: &str, key: &[u8; 32]) -> Record {
        let kept = record.iter().map(|(name, value)| {
            let inner = if path.is_empty() { name.to_lowercase() } else { format!("{path}.{}", name.to_lowercase()) };
            (name.clone(), self.value(value, &inner, key))
        });
        kept.collect()
    }

    fn value(&self, value: &Value, path: &str, key: &[u8; 32]) -> Value {
        let name = path.rsplit('.').next().unwrap_or(path);
        if matches!(value, Value::Text(_)) && SECRET.iter().any(|pattern| meets(pattern, name)) {
            return Value::text("[secret]");
        }
        if self.0.iter().any(|pattern| meets(pattern, if pattern.contains('.') { path } else { name })) {
            return pseudonym(value, key);
        }
        match value {
            Value::Map(inner) => Value::Map(self.within(inner, path, key)),
            Value::List(items) => Value::List(items.iter().map(|item| self.value(item, path, key)).collect()),
            other => other.clone(),
        }
    }
}

/// Of the same type, and for an address still an address, so that what fitted a field fits it still.
fn pseudonym(value: &Value, key: &[u8; 32]) -> Value {
    let hash = blake3::keyed_hash(key, value.to_string().as_bytes());
    let number = hash.as_bytes().iter().take(4).fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
    match value {
        Value::Null | Value::Bool(_) => value.clone(),
        Value::Text(text) if text.trim().is_empty() => value.clone(),
        Value::Text(text) if text.contains('@') => Value::text(format!("{}@redacted.invalid", &hash.to_hex()[..12])),
        Value::Text(_) => Value::text(format!("~{}", &hash.to_hex()[..12])),
        Value::Int(_) => Value::Int(number),
        Value::Float(_) => Value::Float(f64::from(u32::try_from(number).unwrap_or(0))),
        Value::Date(_) | Value::Instant(_) => {
            let day = jiff::Span::new().days(number % 36_500);
            Value::Date(Date::constant(1950, 1, 1).saturating_add(day))
        }
        Value::List(items) => Value::List(items.iter().map(|item| pseudonym(item, key)).collect()),
        Value::Map(inner) => Value::Map(inner.iter().map(|(name, value)| (name.clone(), pseudonym(value, key))).collect()),
    }
}

fn meets(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, rest)) => {
            name.strip_prefix(head).is_some_and(|tail| (0..=tail.len()).filter(|at| tail.is_char_boundary(*at)).any(|at| meets(rest, &tail[at..])))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Redaction, Value, meets};
    use crate::model::Record;

    #[test]
    fn patterns_meet_names() {
        for (pattern, name, met) in
            [("email", "email", true), ("*phone*", "homephone__c", true), ("*phone", "phones", false), ("a*b*c", "axxbc", true), ("*", "", true)]
        {
            assert_eq!(meets(pattern, name), met, "{pattern} {name}");
        }
    }

    #[test]
    fn what_is_redacted_stays_equal_and_tells_nothing_and_secrets_are_gone() {
        let inner: Record = [("email".into(), Value::text("ann@acme.example"))].into_iter().collect();
        let record: Record = [
            ("Id".into(), Value::text("001")),
            ("Work_Email__c".into(), Value::text("ann@acme.example")),
            ("Phone".into(), Value::text("+49 30 1234")),
            ("api_key__c".into(), Value::text("k-1")),
            ("agent".into(), Value::Map(inner)),
        ]
        .into_iter()
        .collect();
        let kept = Redaction::default().redact(&record, &[7; 32]);
        assert_eq!(kept.get("Id"), record.get("Id"));
        assert_eq!(kept.get("Work_Email__c"), kept.path("agent.email"), "equal stays equal");
        assert!(kept.get("Work_Email__c").unwrap().to_string().ends_with("@redacted.invalid"));
        assert_eq!(kept.get("api_key__c"), Some(&Value::text("[secret]")));
        assert!(!serde_json::to_string(&kept).unwrap().contains("ann") && !serde_json::to_string(&kept).unwrap().contains("1234"));
        assert_ne!(kept, Redaction::default().redact(&record, &[8; 32]), "another state file has other pseudonyms");
        let open = Redaction::of(&[] as &[&str]).redact(&record, &[7; 32]);
        assert_eq!((open.get("Phone"), open.get("api_key__c")), (record.get("Phone"), Some(&Value::text("[secret]"))));
        let by_path = Redaction::of(&["agent.*"]).redact(&record, &[7; 32]);
        assert_ne!(by_path.path("agent.email"), record.path("agent.email"));
        assert_eq!(by_path.get("Work_Email__c"), record.get("Work_Email__c"));
    }
}
