//! What one piece of work is given, what it counts and what it tells while it goes on.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    connectors::Stop,
    model::{
        CreateField, Date, Effect, Fault, FaultKind, FieldType, Lookup, ObjectSchema, Page, Read, Record, Reply, RowOutcome, Source, System,
        TimeZone, Value, Write,
    },
    script::{Perform, Place},
};

use super::{Error, cursor::Held, owners::Owners};

/// What a run tells while it goes on. `name` is the declaration's.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// A row that would be written (only while planning). `before` has no field for a new row.
    Change {
        name: String,
        system: System,
        object: String,
        key: String,
        operation: &'static str,
        fields: Record,
        before: Record,
    },
    CreateField {
        name: String,
        create: CreateField,
    },
    /// A segment whose members change.
    Segment {
        name: String,
        segment: String,
        add: usize,
        remove: usize,
    },
    Rejected {
        name: String,
        rejection: Rejection,
    },
    /// So many source rows read so far.
    Progress {
        name: String,
        read: u64,
        total: Option<u64>,
    },
    Warning {
        name: String,
        message: String,
    },
}

/// A row that was not written, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rejection {
    /// What identifies the row in its target; where that is missing, what the source calls it.
    pub key: String,
    /// What the source calls the row: `Contact 003000000000001AAA`.
    pub source: Option<String>,
    pub field: Option<String>,
    pub value: Option<String>,
    pub reason: String,
    /// What in the script asked for it: file, line and column.
    pub place: Option<String>,
}

pub type Notify = Arc<dyn Fn(Notice) + Send + Sync>;

/// Rows by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub read: u64,
    pub created: u64,
    pub updated: u64,
    pub deleted: u64,
    pub unchanged: u64,
    pub rejected: u64,
    /// Rows without a counterpart where that is no fault (a pull of accounts that Pendo has never seen).
    pub unmatched: u64,
    /// Rows that are no Gainsight customers, left out by `customers_only`.
    pub left_out: u64,
    /// Rows that did not meet a filter or the criteria of an action.
    pub filtered: u64,
    /// Rows folded into another one of the same group.
    pub grouped: u64,
    /// Rows given to a further action: each of them is counted once more.
    pub again: u64,
    /// Custom fields created.
    pub fields: u64,
}

impl Tally {
    pub const fn written(&self) -> u64 {
        self.created + self.updated + self.deleted
    }

    /// Rows by what became of them, all together: `read` and `again`, when the work came to its end.
    pub const fn accounted(&self) -> u64 {
        self.written() + self.unchanged + self.rejected + self.unmatched + self.left_out + self.filtered + self.grouped
    }
}

/// One declaration at work.
pub(crate) struct Work<'a> {
    pub(crate) name: &'a str,
    /// Where it is declared.
    pub(crate) place: &'a Place,
    pub(crate) perform: &'a dyn Perform,
    pub(crate) notify: &'a Notify,
    pub(crate) stop: &'a Stop,
    /// The rule date, and "today" for windows.
    pub(crate) date: Date,
    /// The day that it is: what is read of Pendo for another one ends there.
    pub(crate) today: Date,
    /// Where days begin and end.
    pub(crate) zone: &'a TimeZone,
    /// Rows asked for in one page.
    pub(crate) page_size: u32,
    /// Salesforce object -> fields that rules may write (A13).
    pub(crate) rule_updates: Option<&'a BTreeMap<String, Vec<String>>>,
    pub(crate) tally: Tally,
    /// A back-test: no target is looked at, and every row is told as the declaration wants it to be.
    pub(crate) on_sample: bool,
    /// Rows that an incremental run has to read again.
    pub(crate) held: Held,
    /// Which source records its target records belong to, where that is remembered.
    pub(crate) owners: Option<Owners<'a>>,
}

impl Work<'_> {
    pub(crate) fn tell(&self, notice: Notice) {
        (self.notify)(notice);
    }

    pub(crate) fn reject(&mut self, rejection: Rejection) {
        self.tally.rejected += 1;
        self.held.note();
        self.tell(Notice::Rejected { name: self.name.to_owned(), rejection });
    }

    pub(crate) fn check_stop(&self) -> Result<(), Error> {
        if self.stop.requested() { Err(Error::Interrupted) } else { Ok(()) }
    }

    pub(crate) fn describe(&self, system: System, object: &str) -> Result<ObjectSchema, Error> {
        match self.perform.perform(Effect::Describe { system, object: object.to_owned() })? {
            Reply::Schema(schema) => Ok(schema),
            other => Err(odd("a schema", &other)),
        }
    }

    /// The source with conditions as its fields are compared.
    ///
    /// # Errors
    /// `Invalid`, where and with the field, when a condition could never hold.
    pub(crate) fn fitted(&self, mut source: Source, schema: Option<&ObjectSchema>) -> Result<Source, Error> {
        if let (Source::Object(query), Some(schema)) = (&mut source, schema)
            && let Some(filter) = &query.filter
        {
            let fitted = filter.fitted(|name| schema.field(name).map(|field| &field.kind).filter(|kind| !soql_decides(query.system, kind)));
            let refused = |(field, reason): (String, String)| {
                let message = format!("a filter of `{}` ({}) compares `{field}`, and {reason}", self.name, self.place);
                Fault::new(FaultKind::Invalid, message).field(field)
            };
            query.filter = Some(fitted.map_err(refused)?);
        }
        Ok(source)
    }

    pub(crate) fn lookup(&self, lookup: Lookup) -> Result<Vec<Record>, Error> {
        match self.perform.perform(Effect::Lookup(lookup))? {
            Reply::Records(records) => Ok(records),
            other => Err(odd("records", &other)),
        }
    }

    pub(crate) fn write(&self, write: Write) -> Result<Vec<RowOutcome>, Error> {
        let rows = write.rows.len();
        match self.perform.perform(Effect::Write(write))? {
            Reply::Written(outcomes) if outcomes.len() == rows => Ok(outcomes),
            other => Err(odd("one outcome per row", &other)),
        }
    }

    pub(crate) fn create_field(&mut self, create: CreateField) -> Result<(), Error> {
        self.perform.perform(Effect::CreateField(create))?;
        self.tally.fields += 1;
        Ok(())
    }
}

/// Whether Salesforce itself says what a value means for a field of this type: `TODAY`.
fn soql_decides(system: System, kind: &FieldType) -> bool {
    system == System::Salesforce && matches!(kind, FieldType::Date | FieldType::DateTime { .. })
}

/// Asks for one page; used from the reading thread, hence without `Work`.
pub(crate) fn read_page(perform: &dyn Perform, read: Read) -> Result<Page, Fault> {
    match perform.perform(Effect::Read(read))? {
        Reply::Page(page) => Ok(page),
        other => Err(odd_fault("a page", &other)),
    }
}

fn odd(wanted: &str, got: &Reply) -> Error {
    Error::Fault(odd_fault(wanted, got))
}

fn odd_fault(wanted: &str, got: &Reply) -> Fault {
    let got = match got {
        Reply::Page(_) => "a page",
        Reply::Records(_) => "records",
        Reply::Schema(_) => "a schema",
        Reply::Written(_) => "outcomes of other rows",
        Reply::Value(_) => "a value",
        Reply::Done => "nothing",
    };
    Fault::new(FaultKind::Garbled, format!("expected {wanted}, was answered {got}"))
}

/// A value as it is kept with a rejected row: never longer than a screen line or two.
pub(crate) fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(200) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}
