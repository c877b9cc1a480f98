//! Pendo over its Engage API: aggregations, metadata, segments, guides.

/// The connection.
mod client;
/// How Pendo's statuses are understood.
mod errors;
/// Segments, guides, pages, features, reports.
mod lists;
/// Accounts and visitors by id.
mod lookup;
/// Reading: which pipelines, and how their rows become pages.
mod read;
/// The pipelines of a usage report.
mod report;
/// Aggregation rows as a sorted stream that survives a cut connection.
mod rows;
/// Reports that were saved in Pendo.
mod saved;
/// What metadata fields there are.
mod schema;
/// Who is in a segment.
mod segment;
/// Elements of a JSON list, while it is still coming.
mod splitter;
/// Metadata values in bulk.
mod write;

pub(super) use client::Pendo;
