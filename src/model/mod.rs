//! The nouns of the program: plain data without I/O, clock or scripting engine. Every other room names this one.

/// Bounds of numbers.
mod bounds;
/// The choices of a picklist.
mod choices;
/// What a declaration lays claim to.
mod claim;
/// Which types pass into each other.
mod convert;
/// Days and the instants they are made of, in one time zone.
pub mod day;
/// Decimal numbers as they are written.
pub(crate) mod decimal;
/// A journey's flow, drawn.
mod drawing;
/// What a script asks for, and what it is answered.
mod effect;
/// Why something was refused.
mod fault;
/// Conditions on records, with logic over their labels.
mod filter;
/// Conditions against the types of fields.
mod fitting;
/// What is the same key.
mod identity;
/// A journey's flow as data.
mod journey;
/// Segments, apps, features and guides by the names that people gave them.
mod listed;
/// What text says of a day or an instant.
pub(crate) mod moment;
/// The names of a participant's fields.
mod participant;
/// When a declaration runs by itself.
mod schedule;
/// What an object's fields are, and whether a value fits one.
mod schema;
/// What can be read.
mod source;
/// What a survey asks.
mod survey;
/// Which of the systems.
mod system;
/// One cell and one row.
mod value;
/// Days in conditions as the instants they are made of.
mod whole_days;

pub use bounds::Bounds;
pub use choices::Choices;
pub use claim::{Claim, Columns, Known, is_called};
pub use effect::{Change, CreateField, Effect, Email, HttpCall, Lookup, Page, Read, Reply, Request, RowOutcome, SegmentEdit, StateCall, Write};
pub use fault::{Fault, FaultKind};
pub use filter::{Condition, Filter, Logic, Operator};
pub use identity::{KeyRule, SalesforceId, account_key, id_of, other_spelling, salesforce_id};
pub use journey::{Arm, Channel, Does, EventKind, Graph, Length, Pace, ProgramModel, Reentry, Share, Step, When};
pub use listed::{Listed, Listing, Misnamed, Named};
pub use participant::{Aliases, alias, field_called, with_aliases};
pub use schedule::Schedule;
pub use schema::{Field, FieldType, Misfit, ObjectSchema};
pub use source::{Measure, Query, Report, SavedReport, Source};
pub use survey::{MAIL_FIELDS, Question, QuestionKind, questions};
pub use system::System;
pub(crate) use value::Names;
pub use value::{Name, Record, Value};
pub use whole_days::is_date_word;

/// An instant, UTC.
pub use jiff::Timestamp;
/// A calendar day without a zone.
pub use jiff::civil::Date;
/// Where days begin and end: the workspace's, or a journey's own.
pub use jiff::tz::TimeZone;
