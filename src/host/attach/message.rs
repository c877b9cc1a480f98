//! What is said over the socket: one JSON document per line.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    flow::Notice,
    host::{console::Refused, listing::Listed},
    model::{CreateField, Record, System, Value},
    script::{Completion, Evaluated},
};

/// Asked of a host.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(super) enum Ask {
    /// The first one: what the asking terminal is like.
    Hello(Look),
    Evaluate {
        input: String,
        live: bool,
    },
    Enter {
        file: String,
    },
    Reload,
    Complete {
        before: String,
        after: String,
    },
    People {
        journey: String,
    },
    Time,
    /// What is declared in the generation that runs.
    List,
    /// A script as it is named at the REPL.
    Read {
        written: String,
    },
    /// Ends what is being evaluated; has no answer of its own.
    Cancel,
}

/// How what went wrong is shown.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Look {
    pub colours: bool,
    /// Columns of the terminal; none where there is none.
    pub width: Option<u16>,
}

/// Said by a host.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "say", rename_all = "snake_case")]
pub(super) enum Say {
    /// Printed by the script that is being evaluated.
    Printed { line: String },
    /// What would change, or a warning.
    Told { notice: Told },
    /// The end of what came of an ask.
    Answer { answer: Box<Answer> },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Hello(Hello),
    Value {
        value: Exact,
        is_data: bool,
    },
    Refused(Refused),
    Completions(Vec<Completion>),
    People(Vec<Exact>),
    Reloaded {
        declarations: u64,
        shown: Vec<String>,
    },
    Time(Timestamp),
    Listed {
        declared: Vec<Listed>,
        now: Timestamp,
    },
    Script {
        file: String,
        text: String,
    },
    Entered,
    /// The ask could not be read, or nobody can be taken on.
    No(String),
}

/// Who answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Hello {
    pub(super) protocol: u32,
    pub version: String,
    pub process: u32,
    pub root: String,
    /// Whether its systems are the sandbox.
    pub sandbox: bool,
    /// The generation of scripts that it runs; 0 before the first one.
    pub generation: u64,
}

/// A notice on its way.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Told {
    Change { system: System, object: String, key: String, operation: String, fields: Fields, before: Fields },
    CreateField(CreateField),
    Segment { segment: String, add: usize, remove: usize },
    Warning(String),
}

type Fields = Vec<(String, Exact)>;

impl Told {
    /// Progress and rejected rows are none of a conversation's.
    pub(super) fn of(notice: Notice) -> Option<Self> {
        Some(match notice {
            Notice::Change { system, object, key, operation, fields, before, .. } => {
                Self::Change { system, object, key, operation: operation.to_owned(), fields: fields_of(&fields), before: fields_of(&before) }
            }
            Notice::CreateField { create, .. } => Self::CreateField(create),
            Notice::Segment { segment, add, remove, .. } => Self::Segment { segment, add, remove },
            Notice::Warning { message, .. } => Self::Warning(message),
            Notice::Progress { .. } | Notice::Rejected { .. } => return None,
        })
    }

    pub(super) fn notice(self) -> Notice {
        let name = crate::script::TYPED.to_owned();
        match self {
            Self::Change { system, object, key, operation, fields, before } => {
                let known = ["create", "update", "upsert", "delete", "send"].into_iter().find(|known| *known == operation);
                let operation = known.unwrap_or("update");
                Notice::Change { name, system, object, key, operation, fields: record_of(fields), before: record_of(before) }
            }
            Self::CreateField(create) => Notice::CreateField { name, create },
            Self::Segment { segment, add, remove } => Notice::Segment { name, segment, add, remove },
            Self::Warning(message) => Notice::Warning { name, message },
        }
    }
}

fn fields_of(record: &Record) -> Fields {
    record.iter().map(|(name, value)| (name.to_string(), Exact::from(value))).collect()
}

fn record_of(fields: Fields) -> Record {
    fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
}

/// A value whose dates, instants and numbers come back as what they were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Exact {
    Null,
    Bool(bool),
    Int(i64),
    /// Its bits: JSON has no infinity.
    Float(u64),
    Text(String),
    Date(Date),
    Instant(Timestamp),
    List(Vec<Exact>),
    Map(Vec<(String, Exact)>),
}

/// Values within values that a reader of JSON takes.
const DEEPEST: usize = 30;

impl Exact {
    /// What came of an input; text for what is nested deeper than can be said.
    pub(super) fn answer(evaluated: &Evaluated) -> Answer {
        if depth(&evaluated.value) > DEEPEST {
            return Answer::Value { value: Self::Text(evaluated.value.to_string()), is_data: false };
        }
        Answer::Value { value: Self::from(&evaluated.value), is_data: evaluated.is_data }
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(record) => 1 + record.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}

impl From<&Value> for Exact {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(n) => Self::Int(*n),
            Value::Float(x) => Self::Float(x.to_bits()),
            Value::Text(text) => Self::Text(text.to_string()),
            Value::Date(date) => Self::Date(*date),
            Value::Instant(at) => Self::Instant(*at),
            Value::List(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Map(record) => Self::Map(fields_of(record)),
        }
    }
}

impl From<Exact> for Value {
    fn from(exact: Exact) -> Self {
        match exact {
            Exact::Null => Self::Null,
            Exact::Bool(b) => Self::Bool(b),
            Exact::Int(n) => Self::Int(n),
            Exact::Float(bits) => Self::Float(f64::from_bits(bits)),
            Exact::Text(text) => Self::text(text),
            Exact::Date(date) => Self::Date(date),
            Exact::Instant(at) => Self::Instant(at),
            Exact::List(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Exact::Map(fields) => Self::Map(record_of(fields)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h5_values_come_over_as_they_are() {
        let record = [("day".into(), Value::Date("2026-09-07".parse().expect("a day"))), ("x".into(), Value::Float(f64::INFINITY))];
        let mut value = Value::Map(record.into_iter().collect());
        for _ in 0..DEEPEST - 1 {
            value = Value::List(vec![value, Value::Null, Value::text("2026-09-07")]);
        }
        let answer = Exact::answer(&Evaluated { value: value.clone(), is_data: true });
        let line = serde_json::to_string(&answer).expect("JSON");
        let Ok(Answer::Value { value: back, is_data: true }) = serde_json::from_str(&line) else { panic!("{line}") };
        assert_eq!(Value::from(back), value);
        let deeper = Exact::answer(&Evaluated { value: Value::List(vec![value]), is_data: true });
        assert!(matches!(deeper, Answer::Value { is_data: false, .. }));
    }
}
