//! The connectors against the sandbox: real clients, real HTTP, and everything that can go wrong on the way.

/// Answers of real systems, fact by fact.
mod answers;
/// A sandbox, clients for it, and shorthands for effects.
pub(crate) mod bench;
/// Mail.
mod email;
/// Big reads of Salesforce.
mod extract;
/// Gainsight.
mod gainsight;
/// What all systems have in common: reaching, being refused, trying again, stopping.
mod http;
/// Pendo.
mod pendo;
/// Gainsight PX.
mod px;
/// The clients against answers as vendors' documents and recordings show them.
mod recorded;
/// Salesforce.
mod salesforce;
