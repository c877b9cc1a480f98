//! Journeys as scripts write them: steps, conditions, and the declaration that holds them.

/// What a step asks: events, scores, fields.
mod conditions;
/// `journey(name, #{..})`.
mod declare;
/// Nested lists of steps, made one flow.
mod flow;
/// Quiet hours, working days, caps.
mod pace;
/// Who takes part, and which fields say who somebody is.
mod people;
/// A step as a value of scripts.
mod step;
/// The steps that scripts can write.
mod steps;
/// What cannot be in a flow.
mod validate;

pub(in crate::script) use conditions::Asking;
pub(super) use conditions::functions as condition_functions;
pub(super) use declare::functions;
pub(in crate::script) use step::JourneyStep;
pub(super) use steps::functions as step_functions;
