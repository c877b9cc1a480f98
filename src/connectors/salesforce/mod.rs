//! Salesforce over its REST family: login, query, describe, collections, Bulk API 2.0, Tooling.

/// Logging in, five ways.
mod auth;
/// The same through Bulk API 2.0, for many rows.
mod bulk;
/// A row's cells as Salesforce takes them.
mod cell;
/// Child subqueries beyond their first page.
mod children;
/// The connection: one session shared by all calls.
mod client;
/// New custom fields.
mod create;
/// What objects and fields there are.
mod describe;
/// How each of Salesforce's error codes is understood.
mod errors;
/// Many rows out, through a Bulk API 2.0 query job.
mod extract;
/// Records by key.
mod lookup;
/// Pages of a query.
mod query;
/// The old SOAP login, for a user name and password without a client.
mod soap;
/// SOQL text from fields and filters.
mod soql;
/// Inserts, updates, upserts and deletes, up to 200 a call.
mod write;

pub(super) use client::Salesforce;
