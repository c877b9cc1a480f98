//! One's turn at a declaration that somebody else works on: waited for, because whoever moves people is done within a pass.

use std::time::Duration;

use crate::{
    connectors::Stop,
    flow,
    store::{Holder, Lease, Store, Take},
};

use super::{
    Error,
    clock::{Clock, stopwatch},
};

/// How often it is tried.
const AGAIN: Duration = Duration::from_millis(50);

/// How long a turn is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// After this it is said who is waited for.
    pub quiet: Duration,
    pub most: Duration,
}

impl Patience {
    /// What a person at a terminal has.
    pub const USUAL: Self = Self { quiet: Duration::from_secs(1), most: Duration::from_secs(10) };
}

/// What is said of whoever is waited for.
pub fn waits_for(holder: &Holder, name: &str) -> String {
    format!("{} (process {}) is moving the people of `{name}` right now; it is waited for", holder.owner, holder.pid)
}

/// Takes the lease of a declaration once whoever holds it is done. `say` is called once when that is not soon.
///
/// # Errors
/// `Busy` when patience ends; `Interrupted` when `stop` is requested; the state file's.
pub fn turn(
    (store, clock, stop): (&Store, &Clock, &Stop),
    (name, owner): (&str, &str),
    patience: Patience,
    say: impl Fn(&Holder),
) -> Result<Lease, Error> {
    let (began, mut said) = (stopwatch(), false);
    loop {
        let holder = match store.take(name, owner, clock.now())? {
            Take::Got(lease) => return Ok(lease),
            Take::Held(holder) => holder,
        };
        let waited = stopwatch().saturating_duration_since(began);
        if waited >= patience.most {
            return Err(Error::Busy { name: name.to_owned(), owner: holder.owner, process: holder.pid });
        }
        if waited >= patience.quiet && !said {
            said = true;
            say(&holder);
        }
        if stop.requested() {
            return Err(flow::Error::Interrupted.into());
        }
        std::thread::sleep(AGAIN.min(patience.most));
    }
}
