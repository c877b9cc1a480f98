//! Gainsight PX over its REST API: users, accounts, engagements, event feeds, external segments.
//!
//! One convention, since REST does not show it: an engagement is triggered by Journey Orchestrator when its description says
//! `Triggered by: Journey Orchestrator`. Records of engagements carry it as `triggeredByJourney`.

/// The connection.
mod client;
/// Attributes of users and accounts as fields.
mod describe;
/// How PX's refusals are understood.
mod errors;
/// Conditions that PX can check itself.
mod filters;
/// What can be read, and how each of it is paged.
mod objects;
/// Pages of records, and records by key.
mod read;
/// External segments and their members.
mod segment;
/// Inserts, updates and deletes, one row a call.
mod write;

pub(super) use client::Px;
