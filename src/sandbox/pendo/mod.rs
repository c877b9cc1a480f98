//! Pendo's Engage API: served from the seeded company and what was written to it.
//!
//! What the vendor does not document is refused, or done in one way that is said where it is done. There are no anonymous visitors but
//! those whom track events bring, no e-mails, and events can be queried as soon as they have happened.

/// The query language and its evaluation.
mod aggregation;
/// Keys, refusals, and the vendor's error bodies.
mod auth;
/// Pages, features, track events, guides, segments and reports that nobody wrote.
mod catalogue;
/// States of guides.
mod guides;
/// Metadata: schema and values.
mod metadata;
/// Accounts and visitors that nobody wrote.
mod people;
/// Reading visitors and accounts, and deleting them.
mod records;
/// Reports and their results.
mod reports;
/// Which paths there are.
mod routes;
/// Who is in a segment, and changing that.
mod segments;
/// What the emulator stands on: the company, the tables, the time.
mod state;
/// The collector of track events.
mod track;

pub(super) use routes::emulator;
