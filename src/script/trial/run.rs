//! One test, run: what it is given, and what it says when it fails.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool};

use crate::{
    model::{FaultKind, Value},
    script::{
        declaration::Place,
        diagnostics::{Diagnostic, Id},
        failure::Failure,
        limits::PrintSink,
        perform::Perform,
    },
};

use super::{Bench, Test};

/// What a test is run with.
pub struct TestHands {
    /// Carries out its effects.
    pub perform: Arc<dyn Perform>,
    pub bench: Arc<dyn Bench>,
    /// Each line that it prints.
    pub print: PrintSink,
    /// Ends it soon after being set.
    pub stop: Arc<AtomicBool>,
    /// Where it was when it last asked for something: what can be told of one that never comes back.
    pub last: Arc<Mutex<Option<Place>>>,
}

/// Why a test failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Broken {
    pub diagnostic: Diagnostic,
    /// The two values of an assertion, with what differs.
    pub left: Option<Value>,
    pub right: Option<Value>,
    pub difference: Vec<String>,
}

impl Broken {
    /// A test that did not end in its time; `place` is where it was.
    pub fn hung(place: &Place, after: std::time::Duration) -> Self {
        let message = format!("the test ran longer than {} s", after.as_secs_f64());
        let diagnostic = Diagnostic::new(Id::TestTimeout, place, message).hint("this is where it was; `--timeout SECONDS` gives it more");
        Self::of(diagnostic)
    }

    /// A test whose own thread came to an end.
    pub fn lost(place: &Place) -> Self {
        Self::of(Diagnostic::new(Id::TestFailed, place, "the test ended without an answer"))
    }

    const fn of(diagnostic: Diagnostic) -> Self {
        Self { diagnostic, left: None, right: None, difference: Vec::new() }
    }

    /// Whether it was ended from outside.
    pub fn is_interrupted(&self) -> bool {
        self.diagnostic.code == Id::TestTimeout.code()
    }

    pub(super) fn by(failure: &Failure, test: &Test, unequal: Option<Unequal>, last: Option<Place>) -> Self {
        let fault = &failure.fault;
        let known = [Id::AssertionFailed, Id::SnapshotDiffers, Id::OnlyInTests].into_iter().find(|id| fault.code.as_deref() == Some(id.code()));
        let id = match fault.kind {
            FaultKind::Interrupted => Id::TestTimeout,
            _ => known.unwrap_or(Id::TestFailed),
        };
        let unequal = unequal.filter(|_| known.is_some()).unwrap_or_default();
        // What no `try` catches loses its place on the way out of a function: what was noted last is the nearest.
        let own = failure.place.clone().filter(|place| *place != test.place);
        let place = unequal.place.or(own).or(last).unwrap_or_else(|| test.place.clone());
        let message = if known.is_some() { fault.message.clone() } else { fault.to_string() };
        let hint = (id == Id::SnapshotDiffers).then(|| "`tabi test --update` keeps what the test has now".to_owned());
        let diagnostic = Diagnostic::new(id, &place, message).hint_if(hint);
        Self { diagnostic, left: unequal.left, right: unequal.right, difference: unequal.difference }
    }
}

/// What an assertion says besides its message.
#[derive(Debug, Clone, Default)]
pub(in crate::script) struct Unequal {
    /// Where the assertion stands.
    pub(in crate::script) place: Option<Place>,
    pub(in crate::script) left: Option<Value>,
    pub(in crate::script) right: Option<Value>,
    pub(in crate::script) difference: Vec<String>,
}

/// A test in progress, as its functions see it.
pub(in crate::script) struct Trial {
    pub(in crate::script) bench: Arc<dyn Bench>,
    unequal: Mutex<Option<Unequal>>,
    last: Arc<Mutex<Option<Place>>>,
}

impl Trial {
    pub(in crate::script) fn new(bench: Arc<dyn Bench>, last: Arc<Mutex<Option<Place>>>) -> Self {
        Self { bench, unequal: Mutex::default(), last }
    }

    /// Notes where the test is.
    pub(in crate::script) fn is_at(&self, place: Place) {
        *hold(&self.last) = Some(place);
    }

    /// Notes what the assertion that is about to fail compared.
    pub(in crate::script) fn compared(&self, unequal: Unequal) {
        *hold(&self.unequal) = Some(unequal);
    }

    pub(super) fn unequal(&self) -> Option<Unequal> {
        hold(&self.unequal).take()
    }

    pub(super) fn last(&self) -> Option<Place> {
        hold(&self.last).clone()
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
