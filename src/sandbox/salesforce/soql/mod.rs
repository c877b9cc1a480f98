//! SOQL: text to tokens, to a query, to a plan over the schema, to rows.

/// A parsed query.
pub(crate) mod ast;
/// A query to a plan.
pub(crate) mod bind;
/// Relative dates and date functions.
pub(crate) mod dates;
/// What is wrong with a query.
pub(crate) mod fault;
/// Conditions.
pub(crate) mod filter;
/// Aggregates.
pub(crate) mod group;
/// Text to tokens.
mod lex;
/// Tokens to a query.
pub(crate) mod parse;
/// A query with resolved names.
pub(crate) mod plan;
/// Which rows are hit.
pub(crate) mod run;
/// Rows as JSON and CSV.
pub(crate) mod shape;

use crate::sandbox::salesforce::data::Data;

/// Parses and resolves a query; `all_rows` also sees the recycle bin.
pub(crate) fn prepare(data: &Data, query: &str, now: i64, all_rows: bool) -> Result<plan::Plan, fault::QueryFault> {
    let parsed = parse::parse(query)?;
    bind::bind(&bind::Scope { data, query, now, all_rows, depth: 0 }, &parsed)
}
