//! A recording as a file: JSON, in the order in which things were asked.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{
    flow::plain,
    model::{Date, Effect, Fault, ObjectSchema, Page, Record, Reply, Timestamp},
};

/// Everything that one plan was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// The declaration's.
    pub name: String,
    pub recorded: Timestamp,
    /// The rule dates.
    pub dates: Vec<Date>,
    pub(super) exchanges: Vec<Exchange>,
}

/// One question and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    /// The effect, as JSON.
    pub(super) asked: Json,
    pub(super) answer: Answer,
}

/// A reply whose dates stay apart from text, or the fault that came instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Answer {
    Page { records: Vec<Json>, next: Option<String>, total: Option<u64> },
    Records(Vec<Json>),
    Schema(ObjectSchema),
    Value(Json),
    Done,
    Fault(Fault),
}

impl Recording {
    /// The number of questions.
    pub fn questions(&self) -> usize {
        self.exchanges.len()
    }

    /// Records of all pages and lookups.
    pub fn records(&self) -> usize {
        let of = |exchange: &Exchange| match &exchange.answer {
            Answer::Page { records, .. } | Answer::Records(records) => records.len(),
            _ => 0,
        };
        self.exchanges.iter().map(of).sum()
    }

    /// # Errors
    /// What is wrong with the text, with its line and column.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    /// The text of its file.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// An effect as questions are compared.
pub(super) fn question(effect: &Effect) -> Json {
    serde_json::to_value(effect).unwrap_or_default()
}

impl Answer {
    /// Nothing for the outcome of a write.
    pub(super) fn of(answer: &Result<Reply, Fault>) -> Option<Self> {
        let records = |records: &[Record]| records.iter().map(plain::to_json).collect();
        Some(match answer {
            Ok(Reply::Page(page)) => Self::Page { records: records(&page.records), next: page.next.clone(), total: page.total },
            Ok(Reply::Records(found)) => Self::Records(records(found)),
            Ok(Reply::Schema(schema)) => Self::Schema(schema.clone()),
            Ok(Reply::Value(value)) => Self::Value(plain::value_to_json(value)),
            Ok(Reply::Done) => Self::Done,
            Ok(Reply::Written(_)) => return None,
            Err(fault) => Self::Fault(fault.clone()),
        })
    }

    pub(super) fn reply(&self) -> Result<Reply, Fault> {
        let records = |records: &[Json]| records.iter().filter_map(plain::from_json).collect();
        Ok(match self {
            Self::Page { records: page, next, total } => Reply::Page(Page { records: records(page), next: next.clone(), total: *total }),
            Self::Records(found) => Reply::Records(records(found)),
            Self::Schema(schema) => Reply::Schema(schema.clone()),
            Self::Value(value) => Reply::Value(plain::value_from_json(value)),
            Self::Done => Reply::Done,
            Self::Fault(fault) => return Err(fault.clone()),
        })
    }
}
