//! One host for each workspace.

use crate::store::{Lease, Take};

use super::{Error, Session, clock::Clock};

/// The lease of the one host of a workspace; no declaration is called so.
const HOST: &str = "(host)";

/// The right to be the host of this workspace, held as long as what this gives back: two hosts would keep every schedule twice.
///
/// # Errors
/// `Running` when there is one, in whatever process.
pub fn claim(session: &Session, clock: &Clock) -> Result<Lease, Error> {
    match session.store.take(HOST, "tabi up", clock.now())? {
        Take::Got(lease) => Ok(lease),
        Take::Held(holder) => Err(Error::Running(holder)),
    }
}
