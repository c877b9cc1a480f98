//! The systems again, as real servers on loopback over stored documents, with a seeded company, a clock that turns, and faults.
//!
//! Nothing of the crate is named here: sharing types with the clients would let one misspelt word pass every test.

/// Questions to a running sandbox from within the process, over its own paths.
mod ask;
/// The sandbox's own time.
pub mod clock;
/// The seeded company: pure functions of a seed and an index.
pub mod company;
/// One connection, which a fault can cut.
mod connection;
/// Rows of objects: seeded ones computed on demand, changes on top, kept in a log.
pub mod documents;
/// What can go wrong while starting or storing.
mod error;
/// Faults by a seeded list.
pub mod faults;
/// Gainsight CS.
mod gainsight;
/// Mail: SMTP in, an inbox to read, and people who open and click.
mod mail;
/// Pendo.
mod pendo;
/// Posting to web hooks.
mod post;
/// Gainsight PX.
mod px;
/// How people respond, without servers.
pub mod responses;
/// Salesforce.
mod salesforce;
/// What an emulated system is made of, and serving it: request log, faults, `/_sandbox/`.
pub mod server;
/// Starting and stopping all of it.
mod start;

pub use error::Error;
pub use post::{Failed, enlist, turn};
pub use start::{Options, Sandbox, start};
