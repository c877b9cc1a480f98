//! The one seam: scripts and flows ask for effects, a `Perform` carries them out.

use crate::model::{Effect, Fault, Reply};

/// Carries out what is asked for, or says why not. Chosen per run: live, plan, replay, refuse.
pub trait Perform: Send + Sync {
    /// # Errors
    /// A `Fault` that scripts can catch.
    fn perform(&self, effect: Effect) -> Result<Reply, Fault>;

    /// The same for what is remembered elsewhere until it is known to be done, such as what a journey sends: it need not be remembered twice.
    ///
    /// # Errors
    /// As `perform`.
    fn perform_noted(&self, effect: Effect) -> Result<Reply, Fault> {
        self.perform(effect)
    }
}
