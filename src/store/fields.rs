//! A participant's fields as they are kept: text, read when one of them is first asked for. Most moves ask for none.

use std::{
    fmt,
    ops::Deref,
    sync::{Arc, OnceLock},
};

use serde::de::IgnoredAny;

use crate::model::Record;

use super::error::Fail;

const WHAT: &str = "a participant's fields";

/// The fields of a participant. Dates and instants come back as text.
#[derive(Clone)]
pub struct Fields {
    /// As it is kept, until a field is changed; an object of JSON.
    text: Option<Arc<str>>,
    record: OnceLock<Record>,
}

impl Fields {
    /// From the text of a file that others may have written to.
    pub(super) fn checked(text: &str) -> Result<Self, Fail> {
        let garbled = |why: String| Fail::Garbled(WHAT, why);
        serde_json::from_str::<IgnoredAny>(text).map_err(|error| garbled(error.to_string()))?;
        if text.trim_start().starts_with('{') { Ok(Self::trusted(text)) } else { Err(garbled("no object".to_owned())) }
    }

    /// From text that this program wrote itself.
    pub(super) fn trusted(text: &str) -> Self {
        Self { text: Some(text.into()), record: OnceLock::new() }
    }

    /// Changes them.
    pub fn change(&mut self, work: impl FnOnce(&mut Record)) {
        self.record();
        let mut record = self.record.take().unwrap_or_default();
        work(&mut record);
        *self = record.into();
    }

    fn record(&self) -> &Record {
        self.record.get_or_init(|| {
            let read = self.text.as_deref().map(serde_json::from_str).transpose();
            // An object of JSON is a record, unless it is nested deeper than anything that was written here.
            read.inspect_err(|error| tracing::error!(%error, "{WHAT} cannot be read")).ok().flatten().unwrap_or_default()
        })
    }
}

impl Deref for Fields {
    type Target = Record;

    fn deref(&self) -> &Record {
        self.record()
    }
}

impl From<Record> for Fields {
    fn from(record: Record) -> Self {
        Self { text: None, record: record.into() }
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.record() == other.record()
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.record().fmt(out)
    }
}
