//! Tests of a workspace's scripts: files of `test(name, || ..)`, what such a closure may ask for besides effects, and how it ended.
//!
//! Deliberately absent: the sandbox, the clock and the state that a test works on. Whoever runs it hands them in as a `Bench`.

/// What a test asks of its surroundings, as plain data.
mod asked;
/// Two values side by side.
mod diff;
/// Test files, loaded.
mod load;
/// Functions that exist in tests only, used elsewhere.
mod only;
/// One test, run.
mod run;

pub use asked::{Asked, Bench, Look};
pub use load::{Test, TestFile, load_tests};
pub use run::{Broken, TestHands};

pub(super) use diff::{difference, lines, same};
pub(super) use only::{message as only_there, only_in_tests};
pub(super) use run::{Trial, Unequal};
