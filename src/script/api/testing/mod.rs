//! What only tests can say: `test`, assertions, a clock to turn, the sandbox, declarations, people in journeys. Elsewhere each of them
//! says so (E0801).

/// `assert_eq` and the like.
mod assertions;
/// `clock::`.
mod clock;
/// `test`, `run`, `plan`, `transform`, `snapshot`, `inject`.
mod global;
/// `journey::`.
mod people;
/// `sandbox::`.
mod sandbox;

pub(super) use assertions::functions as assertion_functions;
pub(super) use clock::functions as clock_functions;
pub(super) use global::functions;
pub(super) use people::functions as journey_functions;
pub(super) use sandbox::functions as sandbox_functions;
