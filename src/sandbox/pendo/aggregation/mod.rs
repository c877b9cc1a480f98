//! Aggregation: a pipeline of stages, parsed, then evaluated row by row.
//!
//! Rows are computed as they are asked for and those of one account are neighbours, so that grouping by account or visitor needs no
//! more memory for a million accounts than for one. What is not understood is refused when the pipeline is parsed.

/// The endpoint: parsing the request, streaming the answer.
mod answer;
/// One value of a row.
mod datum;
/// Expressions of filter, eval and select.
mod expression;
/// The text of an expression into an expression.
mod grammar;
/// Grouping rows.
mod group;
/// Rows of visitors, accounts and catalogues.
mod listed;
/// Who is in a segment.
mod membership;
/// What the filters behind a source can leave at most.
mod narrow;
/// One row on its way through a pipeline, and reading its fields.
mod row;
/// Evaluating stages.
mod run;
/// Rows of guides and polls.
mod shown;
/// Where rows come from: their parameters.
mod source;
/// Stages of a pipeline: their parameters.
mod stage;
/// Rows of usage: events by app, page, feature, track event.
mod usage;
/// Periods and windows of time.
mod window;

pub(super) use answer::{answer, evaluate};
pub(super) use membership::Membership;
pub(super) use row::Context;
