//! Gainsight CS over its REST API: objects, people, calls to action, metadata.

/// The connection and its envelope.
mod client;
/// Where-clauses from filters.
mod conditions;
/// Calls to action and success plans by their APIs.
mod cta;
/// Objects, their fields, and the choices of dropdowns.
mod describe;
/// Options of dropdowns: labels and ids.
mod dropdown;
/// How each of Gainsight's error codes is understood.
mod errors;
/// Names that Tabi adds to Gainsight's.
mod names;
/// The People API.
mod people;
/// Pages of an object's rows, and rows by key.
mod query;
/// The Timeline API.
mod timeline;
/// Inserts, updates, upserts and deletes of objects.
mod write;

pub(super) use client::Gainsight;
