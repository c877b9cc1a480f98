//! Salesforce: the REST family, SOQL, Bulk API 2.0, Tooling and logins, over the seeded company and what was written to it.

/// Calls, answers and refusals.
mod answer;
/// Sessions and OAuth.
mod auth;
/// Bulk API 2.0.
mod bulk;
/// One value.
mod cell;
/// Collections of records.
mod collections;
/// Several calls in one.
mod composite;
/// The rows.
mod data;
/// Fields that follow from others.
mod derived;
/// Describes.
mod describe;
/// Field-level security.
mod grants;
/// Record ids.
mod ids;
/// Custom field definitions.
mod metadata;
/// The org as a whole.
mod org;
/// Queries and their pages.
mod query;
/// Single records.
mod records;
/// Writing rows.
mod save;
/// Objects and fields.
mod schema;
/// The seeded company as rows.
mod seed;
/// Which path is whose.
mod service;
/// The SOAP login.
mod soap;
/// The query language.
mod soql;
/// Days and instants as numbers.
mod time;
/// The Tooling API.
mod tooling;
/// Incoming values.
mod values;

pub(super) use service::emulator;
