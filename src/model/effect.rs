//! What a script or a flow asks for (`Effect`) and what it is answered (`Reply`): the one seam of the program is made of these.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Fault, Field, Filter, ObjectSchema, Record, Source, System, Timestamp, Value};

/// Something asked of the outside world. Plain data: who carries it out is chosen per run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// One page of records -> `Reply::Page`.
    Read(Read),
    /// What a target holds now for some keys -> `Reply::Records`, in any order, absent ones left out.
    Lookup(Lookup),
    /// An object's fields -> `Reply::Schema`.
    Describe { system: System, object: String },
    /// Names of a system's objects -> `Reply::Value` (list of text).
    Objects { system: System },
    /// Changes to one object -> `Reply::Written`, one outcome per row in order.
    Write(Write),
    /// A new custom field, visible to the connected user -> `Reply::Done`.
    CreateField(CreateField),
    /// Members of a Pendo segment or of an external segment of PX -> `Reply::Done`.
    EditSegment(SegmentEdit),
    /// Any other call of a system's API, authenticated -> `Reply::Value`.
    Request(Request),
    /// The script's own key-value store -> `Reply::Value`.
    State(StateCall),
    /// A host allowed in `tabi.toml` -> `Reply::Value` (`status`, `headers`, `body`).
    Http(HttpCall),
    /// One message by SMTP -> `Reply::Value` (`message_id`, `accepted`).
    SendEmail(Email),
}

impl Effect {
    /// Whether it could change something outside.
    pub fn writes(&self) -> bool {
        match self {
            Self::Read(_) | Self::Lookup(_) | Self::Describe { .. } | Self::Objects { .. } => false,
            Self::Write(_) | Self::CreateField(_) | Self::EditSegment(_) | Self::SendEmail(_) => true,
            Self::Request(request) => request.writes(),
            Self::State(call) => !matches!(call, StateCall::Get { .. } | StateCall::Keys { .. }),
            Self::Http(call) => !matches!(call.method.as_str(), "GET" | "HEAD"),
        }
    }
}

/// Asks for the page after `after`; none for the first one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Read {
    pub source: Source,
    pub after: Option<String>,
    /// A hint.
    pub page_size: u32,
}

/// Asks for the records whose `by` is one of `keys`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lookup {
    pub system: System,
    /// As in `Query`; for Pendo metadata `account` or `visitor`.
    pub object: String,
    pub by: String,
    pub keys: Vec<Value>,
    /// Besides `by` and the system's own id (`Id`, `Gsid`, `accountId`, `visitorId`), which always come.
    pub fields: Vec<String>,
    /// Further conditions.
    pub filter: Option<Filter>,
}

/// Changes to rows of one object. Connectors split it into the system's batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Write {
    pub system: System,
    /// Salesforce: API name. Gainsight: object name, `Person` by the People API, `call_to_action` by Cockpit.
    /// Pendo: `account` or `visitor`, fields as `metadata.GROUP.FIELD`. PX: `users`, `accounts`; `engagements` for their `state`.
    pub object: String,
    /// Shared, so that whoever asked need not keep a second copy to tell what became of them.
    pub rows: Arc<Vec<Change>>,
}

/// One row to insert, update or delete.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum Change {
    /// `key` names the row for people and journals.
    Insert {
        key: String,
        fields: Record,
    },
    /// `before` holds what the same fields held when last read.
    Update {
        key: String,
        id: String,
        fields: Record,
        before: Record,
    },
    /// Insert or update by an external id field of `fields`, in one call.
    Upsert {
        key: String,
        by: String,
        fields: Record,
    },
    Delete {
        key: String,
        id: String,
        before: Record,
    },
}

impl Change {
    /// What the row has in the system from now on; nothing for a row that is deleted.
    pub const fn fields(&self) -> Option<&Record> {
        match self {
            Self::Insert { fields, .. } | Self::Update { fields, .. } | Self::Upsert { fields, .. } => Some(fields),
            Self::Delete { .. } => None,
        }
    }

    /// About how many bytes of memory it takes.
    pub fn weight(&self) -> usize {
        let before = match self {
            Self::Update { before, .. } | Self::Delete { before, .. } => before.weight(),
            Self::Insert { .. } | Self::Upsert { .. } => 0,
        };
        size_of::<Self>() + self.key().len() + self.fields().map_or(0, Record::weight) + before
    }

    pub fn key(&self) -> &str {
        match self {
            Self::Insert { key, .. } | Self::Update { key, .. } | Self::Upsert { key, .. } | Self::Delete { key, .. } => key,
        }
    }

    /// The word in plans and journals. An upsert is told apart only by its outcome.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Insert { .. } => "create",
            Self::Update { .. } => "update",
            Self::Upsert { .. } => "upsert",
            Self::Delete { .. } => "delete",
        }
    }
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowOutcome {
    /// The system's id, where it told one.
    pub id: Option<String>,
    pub created: bool,
    /// None when the row was written.
    pub fault: Option<Fault>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CreateField {
    pub system: System,
    pub object: String,
    pub field: Field,
    /// What the field is for, as the system keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Sets a segment's members: creates it by name when there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentEdit {
    /// Pendo or PX.
    #[serde(default = "pendo")]
    pub system: System,
    pub name: String,
    /// The system's id when it exists already.
    pub id: Option<String>,
    pub add: Vec<String>,
    pub remove: Vec<String>,
    /// What a segment that is made now says of itself; one that is there keeps what it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Since when the members meet the conditions; now when nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl SegmentEdit {
    /// An edit that only makes the segment, if there is none of the name.
    pub fn of(system: System, name: impl Into<String>) -> Self {
        Self { system, name: name.into(), id: None, add: Vec::new(), remove: Vec::new(), description: None, at: None }
    }
}

/// Whose segments were meant before there were others.
const fn pendo() -> System {
    System::Pendo
}

/// A call of a system's own API, path relative to its base URL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub system: System,
    pub method: String,
    pub path: String,
    pub query: Record,
    pub body: Option<Value>,
}

impl Request {
    /// `GET` and `HEAD` do not write, nor do the POSTs that every system uses for queries.
    pub fn writes(&self) -> bool {
        let query_post =
            self.method == "POST" && (self.path.contains("/query") || self.path.ends_with("/aggregation") || self.path.ends_with("/list"));
        !matches!(self.method.as_str(), "GET" | "HEAD") && !query_post
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateCall {
    Get { key: String },
    Set { key: String, value: Value },
    Delete { key: String },
    Keys { prefix: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpCall {
    pub method: String,
    pub url: String,
    pub headers: Record,
    pub body: Option<Value>,
}

/// A message to send. Addresses are `ana@example.com` or `Ana Lima <ana@example.com>`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Email {
    /// At least one.
    pub to: Vec<String>,
    /// `[email] from` of `tabi.toml` when none.
    pub from: Option<String>,
    /// `[email] reply_to` when none.
    pub reply_to: Option<String>,
    /// One line.
    pub subject: String,
    /// At least one of `text` and `html`.
    pub text: Option<String>,
    pub html: Option<String>,
    /// Further headers such as `List-Unsubscribe`, in order; one line each.
    pub headers: Vec<(String, String)>,
    /// What makes this message the same one when it is sent again: the `Message-ID` is a function of it and the sender's domain, so
    /// that whoever gets two copies can tell. None: a `Message-ID` of its own at every sending.
    pub key: Option<String>,
}

/// The answer to an effect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Page(Page),
    Records(Vec<Record>),
    Schema(ObjectSchema),
    Written(Vec<RowOutcome>),
    Value(Value),
    Done,
}

/// A page of records and where the next one begins; none after the last.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Page {
    pub records: Vec<Record>,
    pub next: Option<String>,
    /// How many there are in all, where the system says so.
    pub total: Option<u64>,
}
