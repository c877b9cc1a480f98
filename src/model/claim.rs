//! That a declaration writes something, or has its name: of two that claim the same thing only the older one runs.

use std::collections::BTreeMap;

use super::{ObjectSchema, System};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// `name usage-push`, or `salesforce account.health_score__c`.
    pub what: String,
    /// The declaration, and its file.
    pub name: String,
    pub file: String,
    /// Lower numbers were there first.
    pub since: u64,
    /// Whether it runs, or would if its file had no errors; otherwise it waits for another one to go.
    pub live: bool,
}

/// What is known before scripts are loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Who was there first.
    pub claims: Vec<Claim>,
    pub columns: Columns,
}

/// The columns of objects that measures are loaded to, by their names and labels, as the systems described them last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns(BTreeMap<(System, String), Vec<Column>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    label: String,
}

impl Columns {
    pub fn of(schemas: &[ObjectSchema]) -> Self {
        let columns =
            |schema: &ObjectSchema| schema.fields.iter().map(|field| Column { name: field.name.clone(), label: field.label.clone() }).collect();
        Self(schemas.iter().map(|schema| ((schema.system, schema.name.to_lowercase()), columns(schema))).collect())
    }

    /// The name of the column that a script calls by its name or its label; none where there is none, or the object is not known.
    pub fn find(&self, system: System, object: &str, called: &str) -> Option<&str> {
        let columns = self.0.get(&(system, object.to_lowercase()))?;
        columns.iter().find(|column| is_called(&column.name, &column.label, called)).map(|column| column.name.as_str())
    }
}

/// Whether a script that says `called` means the column: a name in any case, or a label as it is.
pub fn is_called(name: &str, label: &str, called: &str) -> bool {
    name.eq_ignore_ascii_case(called) || label == called
}
