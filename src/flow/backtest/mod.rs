//! What would be different: two versions of a declaration over a sample of what it read lately. Nothing is asked of any system and nothing is
//! written; a version runs through the same code as a real run, with hands that answer from the sample.
//!
//! Deliberately absent: what the targets hold. Both versions are compared by what they want to be there.

/// Two outcomes held against each other.
mod compare;
/// Records read now.
mod fresh;
/// Two versions of a journey, and the people in it.
mod people;
/// What is not kept as it is.
mod redact;
/// Records picked while a run reads.
mod sample;
/// One version over a sample.
mod trial;

pub use compare::{Comparison, Difference, compare};
pub use fresh::fresh;
pub use people::{People, compare_journeys};
pub use redact::Redaction;
pub use sample::Given;
pub use trial::Ground;

pub(crate) use sample::Sampling;
