//! Bulk API 2.0: ingest jobs and query jobs.

/// Query jobs.
pub(crate) mod extract;
/// Ingest jobs.
pub(crate) mod ingest;
/// The jobs and their states.
pub(crate) mod jobs;
/// CSV in and out.
mod table;
