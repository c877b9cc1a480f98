//! Gainsight CS: its REST API over the seeded company and what was written to it. Written from the vendor's public articles.
//!
//! Choices where the articles leave one open, each changed by `POST /_sandbox/settings`:
//! `shape` (`B`: rows under `data.records`, as live clients see them; `A`: `data` is the list, as in the vendor's samples),
//! `dates` (`iso`, or `epoch` for milliseconds), `times` (`any`: conditions take every form of date-times that documents show; a number: only
//! `yyyy-MM-dd HH:mm:ss`, read in a zone so many hours ahead of UTC), `limits` (off, so that long loops can be tested; on, the vendor's windows with 429).
//!
//! Deliberately absent, and answered as a wrong path: success plans, the events framework, CSV import, user changes, and whatever
//! else is no part of `routes`. An object that is not in the catalogue is answered with `OBJECT_NOT_FOUND`.

/// The envelope of every answer, and every refusal.
mod answer;
/// Keys and tokens.
mod auth;
/// The Cockpit API: calls to action and their tasks.
mod cta;
/// Bulk export.
mod export;
/// Conditions and the expression over them.
mod filter;
/// Rows by a field's value, without looking at all of them.
mod index;
/// The vendor's windows of calls.
mod limits;
/// The `lookups` block of writes.
mod lookups;
/// Metadata and dropdowns.
mod meta;
/// What objects there are and what fields they have.
mod objects;
/// Pages of one query, each beginning where the one before ended.
mod pages;
/// Fields of a row, also of the rows it looks up.
mod path;
/// The People API.
mod people;
/// Success plans.
mod plan;
/// Reading an object.
mod query;
/// Which paths there are.
mod routes;
/// Scores: what the tenant's scorecard rule does with `measure_scores__gc`.
mod score;
/// Where the rows come from that nobody wrote.
mod seed;
/// All that the calls share: tables, settings, indexes.
mod tenant;
/// Activities.
mod timeline;
/// Users.
mod users;
/// Written values, checked and kept in one form each.
mod values;
/// Inserting, updating and deleting rows.
mod write;

pub(super) use routes::emulator;
