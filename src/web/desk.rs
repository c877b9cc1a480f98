//! What answers are made from: the state file, the links, and how to wake the host.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::tz::TimeZone;
use tokio::sync::Notify;

use super::dashboard::Access;
use crate::{
    flow::journey::{Links, Purpose, Ticket},
    host::{Receipts, attach::Current},
    model::{EventKind, Graph, Record, Timestamp},
    store::{Association, Error, NewEvent, Participant, Store},
};

/// What time it is.
pub(super) type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

pub(super) struct Desk {
    pub(super) store: Arc<Store>,
    pub(super) now: Now,
    pub(super) links: Links,
    pub(super) stirred: Arc<Notify>,
    /// What Pendo signs with.
    pub(super) pendo: Option<String>,
    /// Events of web hooks that concerned nobody.
    pub(super) ignored: AtomicU64,
    /// What the host runs.
    pub(super) current: Current,
    /// What it loaded lately.
    pub(super) receipts: Receipts,
    pub(super) zone: TimeZone,
    /// What the dashboard says of the workspace.
    pub(super) title: String,
    pub(super) access: Access,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("links", &self.links).finish_non_exhaustive()
    }
}

/// Whom a link is about.
pub(super) enum Holder {
    /// It was not made here.
    Forged,
    /// They are not known any more.
    Gone,
    Known(Ticket, Box<Participant>),
}

impl Desk {
    pub(super) fn holder(&self, purpose: Purpose, token: &str) -> Result<Holder, Error> {
        let Some(ticket) = self.links.read(purpose, token) else { return Ok(Holder::Forged) };
        let known = self.store.participant(ticket.participant)?;
        Ok(known.map_or(Holder::Gone, |participant| Holder::Known(ticket, Box::new(participant))))
    }

    /// Something that a participant did, counted once by its key.
    pub(super) fn happened(&self, who: &Participant, kind: EventKind, step: &str, key: &str, payload: Record) -> Result<bool, Error> {
        let at = (self.now)();
        let key = format!("web/{}/{step}/{}{key}", who.id, kind.word());
        let event = NewEvent { key, participant: who.id, kind, step: step.to_owned(), at, received: at, payload };
        self.take(&[event]).map(|new| new > 0)
    }

    /// Takes events in and wakes the host when one of them is new.
    pub(super) fn take(&self, events: &[NewEvent]) -> Result<usize, Error> {
        let new = self.store.receive(events)?;
        if new > 0 {
            self.stirred.notify_one();
        }
        Ok(new)
    }

    /// Events that concern nobody here.
    pub(super) fn ignore(&self, what: &str) {
        let so_far = self.ignored.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::debug!(what, so_far, "a web hook told of something that concerns nobody here");
    }

    /// The flow as it is, and the one that the participant entered: a step that was renamed is found in one of them.
    pub(super) fn flows(&self, who: &Participant) -> Result<(Vec<Graph>, Vec<Association>), Error> {
        let program = self.store.program(&who.journey)?;
        let present = program.map_or(who.revision, |program| program.revision);
        let mut flows = Vec::new();
        for number in [present, who.revision] {
            flows.extend(self.store.revision(&who.journey, number)?.map(|revision| revision.graph));
        }
        Ok((flows, self.store.associations(&who.journey)?))
    }
}
