//! The state file: what is remembered, what survives a kill, and what each kind of damage is answered with.

/// State files that cannot be used.
mod bad_state;
/// Processes of their own, for locks and kills.
mod child;
/// The journal of writes.
mod journal;
/// Programs, participants, moves, events, the outbox, funnels.
mod journeys;
/// Locks and dead processes.
mod processes;
/// Runs, row errors, cursors, marks, schemas, keys.
mod remembered;

use tabi::{
    model::{Change, Record, System, Timestamp, Value, Write},
    store::{Begin, RunId, Store},
};

/// A Monday in November, plus so many seconds.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + seconds).expect("a time")
}

fn begin(store: &Store, name: &str, when: Timestamp) -> RunId {
    let parameters = Record::new();
    store.begin(&Begin { name, kind: "mapping", hash: "h1", reason: "by hand", parameters: &parameters, at: when }).expect("a run")
}

fn record(fields: &[(&str, Value)]) -> Record {
    fields.iter().map(|(name, value)| ((*name).into(), value.clone())).collect()
}

/// So many updates of accounts.
fn updates(rows: u32) -> Write {
    let change = |n: u32| Change::Update {
        key: format!("acme-{n}"),
        id: format!("001{n:015}"),
        fields: record(&[("Pendo_x__c", Value::Int(n.into())), ("Name", Value::text("new"))]),
        before: record(&[("Pendo_x__c", Value::Null), ("Name", Value::text("old"))]),
    };
    Write { system: System::Salesforce, object: "Account".into(), rows: (0..rows).map(change).collect::<Vec<_>>().into() }
}
