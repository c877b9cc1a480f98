//! What is old is forgotten, once a day, also where no host stays up and `tabi up --once` is run by another scheduler.

use jiff::{SignedDuration, Timestamp};

use crate::store::{Error, Store};

use super::Workspace;

/// How often what is old is forgotten.
pub(super) const SWEEP: SignedDuration = SignedDuration::from_hours(24);

/// The mark of the last time, beside those of declarations.
const MARK: &str = "tabi: what is old";

/// Forgets what is old, if that was not done lately.
///
/// # Errors
/// The state file's.
pub(super) fn sweep(workspace: &Workspace, store: &Store, now: Timestamp) -> Result<(), Error> {
    let last = store.mark(MARK)?.and_then(|mark| mark.finished);
    // A clock that was set back is no reason to keep things for ever.
    if last.is_some_and(|at| at <= now && now.duration_since(at) < SWEEP) {
        return Ok(());
    }
    let swept = store.sweep(workspace.retention(), now)?;
    tracing::debug!(?swept, "forgot what is old");
    store.mark_finished(MARK, now)
}
