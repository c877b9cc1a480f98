//! What the emulator stands on: the company, the tables, the time.

use std::sync::Arc;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};

use super::{
    catalogue,
    people::{Accounts, Visitors},
};
use crate::sandbox::{
    Error,
    clock::DAY_MS,
    company::{Company, Usage},
    documents::{Documents, Nothing, Table},
    server::World,
};

/// Pendo's tables over the company.
pub(super) struct Pendo {
    pub(super) world: Arc<World>,
    pub(super) documents: Arc<Documents>,
    pub(super) accounts: Arc<Table>,
    pub(super) visitors: Arc<Table>,
    /// Metadata fields that were created or deleted, by `kind/group/field`.
    pub(super) schema: Arc<Table>,
    pub(super) segments: Arc<Table>,
    pub(super) guides: Arc<Table>,
    pub(super) reports: Arc<Table>,
    pub(super) pages: Arc<Table>,
    pub(super) features: Arc<Table>,
    pub(super) track_types: Arc<Table>,
    /// Track events that were sent.
    pub(super) tracked: Arc<Table>,
    /// Asynchronous work, which is done at once.
    pub(super) jobs: Arc<Table>,
}

impl Pendo {
    pub(super) fn new(world: &Arc<World>, documents: &Arc<Documents>) -> Self {
        let company = &world.company;
        Self {
            accounts: documents.table("account", Accounts(Arc::clone(world))),
            visitors: documents.table("visitor", Visitors(Arc::clone(world))),
            schema: documents.table("metadata_schema", Nothing),
            segments: documents.table("segment", catalogue::segments(company)),
            guides: documents.table("guide", catalogue::guides(company)),
            reports: documents.table("report", catalogue::reports(company)),
            pages: documents.table("page", catalogue::pages(company)),
            features: documents.table("feature", catalogue::features(company)),
            track_types: documents.table("tracktype", catalogue::track_types(company)),
            tracked: documents.table("track_event", Nothing),
            jobs: documents.table("job", Nothing),
            world: Arc::clone(world),
            documents: Arc::clone(documents),
        }
    }

    pub(super) fn company(&self) -> Company {
        self.world.company
    }

    pub(super) fn now(&self) -> i64 {
        self.world.clock.now_ms()
    }

    /// The table of `visitor` or `account`.
    pub(super) fn kind(&self, kind: &str) -> Option<&Arc<Table>> {
        match kind {
            "visitor" => Some(&self.visitors),
            "account" => Some(&self.accounts),
            _ => None,
        }
    }
}

/// An id that no row of a table has yet: letters and digits that tell the table and its number.
pub(super) fn new_id(table: &Table) -> String {
    let mut number = table.len();
    loop {
        let id = crate::sandbox::company::ids::pendo(table.name(), number + (1 << 32));
        if table.get(&id).is_none() {
            return id;
        }
        number += 1;
    }
}

/// When something on a day at a minute happens, in milliseconds since the Unix epoch.
pub(super) fn moment(day: i64, minute: u32) -> i64 {
    day * DAY_MS + i64::from(minute) * 60_000
}

/// Whether a day's usage has happened by now.
pub(super) fn happened(usage: &Usage, now: i64) -> bool {
    moment(usage.day, usage.last_minute) <= now
}

/// A JSON object as fields of a row; nothing when it is something else.
pub(super) fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// What the vendor says when it could not store.
pub(super) fn not_stored(error: &Error) -> Response {
    tracing::warn!(%error, "the sandbox could not store");
    (StatusCode::INTERNAL_SERVER_ERROR, "Unexpected error occurred").into_response()
}

/// A refusal with a short text, as the vendor words them.
pub(super) fn refused(status: StatusCode, why: impl Into<String>) -> Response {
    (status, why.into()).into_response()
}
