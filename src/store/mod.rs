//! What is remembered between runs, in one database file: the only room with SQL. Times come in as arguments; there is no clock here.
//!
//! Deliberately absent: a query language, an async interface, anything about what a run means.

/// What was last written to a record.
mod applied;
/// What the steps of one participant asked for.
mod asked;
/// The engagements that programs show.
mod association;
/// What declarations lay claim to.
mod claim;
/// How far each declaration has read.
mod cursor;
/// What users of PX did with engagements.
mod doing;
/// Edits of journeys with people in them.
mod edits;
/// What can go wrong with the state file.
mod error;
/// What happened outside, waiting to move participants.
mod event;
/// A participant's fields, read when they are asked for.
mod fields;
/// Who reached which step of a journey and what happened there, counted.
mod funnel;
/// What was written, noted before it was sent.
mod journal;
/// Programs and the revisions of their flows.
mod journey;
/// The scripts' own key-value store.
mod kv;
/// Who is alive: locks that vanish with their process.
mod lease;
/// When each declaration last ran, for its next time.
mod mark;
/// Whom messages went to, and who gets none.
mod message;
/// Moves of participants, a batch at once.
mod moves;
/// Opening, migrating and reaching the file.
mod open;
/// What journeys have to send, with its attempts.
mod outbox;
/// Which source record writes to which target record.
mod owner;
/// Participants whose step is gone, set aside and taken back.
mod parked;
/// The people in journeys.
mod participant;
/// How the queries of journeys are answered.
#[cfg(test)]
mod plans;
/// Answers to surveys.
mod responses;
/// Forgetting what is old.
mod retention;
/// Rows that a run could not write, and why.
mod row_error;
/// Runs, from begin to finish.
mod run;
/// Recent inputs of declarations, and the texts that declared them.
mod sample;
/// What the systems last said about their objects.
mod schema;
/// A state file that is thrown away.
mod scratch;
/// What participants' sources last said of them.
mod source;
/// What each participant went through.
mod timeline;

pub use applied::Applied;
pub use asked::AskedFor;
pub use association::Association;
pub use doing::Doing;
pub use edits::{Rekeyed, Standing, Timer};
pub use error::Error;
pub use event::{InboxEvent, NewEvent};
pub use fields::Fields;
pub use journal::{Batch, BatchId, JournalRow, Outcome};
pub use journey::{Program, ProgramStatus, Revision};
pub use lease::{Holder, Lease, Take};
pub use mark::Mark;
pub use moves::Move;
pub use open::Store;
pub use outbox::{Fate, Intent, NewIntent, OutboxCounts, Pending, Settled};
pub use owner::Owner;
pub use participant::{Counts, Fact, NewParticipant, Participant, ParticipantFilter, ParticipantId, ParticipantState};
pub use responses::{Response, Score};
pub use retention::{Retention, Swept};
pub use row_error::RowError;
pub use run::{Begin, Beside, Finish, Run, RunFilter, RunId, Status};
pub use sample::{Sampled, Version};
pub use schema::CachedSchema;
pub use scratch::Play;
pub use source::Known;
pub use timeline::{Entry, EntryKind};
