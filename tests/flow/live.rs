//! A workspace and its sandbox whose clocks are turned by one hand, from a Monday on.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, ToSpan as _, Zoned};
use serde_json::{Value, json};
use tabi::{
    flow::{
        Notice, Notify, Summary,
        journey::{Published, report},
    },
    host::{Session, Workspace as Opened, clock::Clock, journeys, up::once},
    script::{Body, Declaration},
    store::{Participant, ParticipantFilter},
};

use crate::support::{Sandbox, Workspace};

const MONDAY: &str = "2026-09-07T10:00:00Z";

pub(crate) struct Live {
    pub(crate) workspace: Workspace,
    pub(crate) sandbox: Sandbox,
    clock: Clock,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Live {
    /// It is Monday, 10:00 UTC.
    pub(crate) fn new(workspace: Workspace, sandbox: &str) -> Self {
        let sandbox = Sandbox::start(&workspace, &format!("{sandbox} --now {MONDAY}"));
        let live = Self { workspace, sandbox, clock: Clock::by_hand(MONDAY.parse().unwrap()), heard: Arc::default() };
        live.turn(SignedDuration::ZERO);
        live
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&Opened, &Session) -> T) -> T {
        let opened = Opened::open(Some(&self.workspace.path()), false, self.clock.clone()).unwrap();
        let session = Session::open(&opened).unwrap();
        let result = work(&opened, &session);
        session.close();
        result
    }

    pub(crate) fn turn(&self, by: SignedDuration) {
        self.clock.set(self.clock.now().checked_add(by).unwrap());
        self.sandbox.post("px", "/_sandbox/clock", &json!({"now": self.clock.now()}));
    }

    fn notify(&self) -> Notify {
        let heard = Arc::clone(&self.heard);
        Arc::new(move |notice| {
            if let Notice::Warning { message, .. } = notice {
                heard.lock().unwrap().push(message);
            }
        })
    }

    /// What was warned of since the last time.
    pub(crate) fn warnings(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }

    /// Everything due now.
    pub(crate) fn look(&self) -> Vec<Summary> {
        self.with(|opened, session| once(opened, session, &opened.load(), &self.notify(), |_| ()).unwrap())
    }

    /// Day after day, everything due at its time.
    pub(crate) fn days(&self, count: usize) {
        for _ in 0..count {
            let day: Zoned = self.clock.now().in_tz("UTC").unwrap().checked_add(1.day()).unwrap();
            self.turn(day.timestamp().duration_since(self.clock.now()));
            self.look();
        }
    }

    pub(crate) fn publish(&self, name: &str) {
        let published = self.with(|opened, session| {
            let loaded = opened.load();
            journeys::publish(opened, session, &loaded, &declared(opened, name), None, &self.notify()).unwrap()
        });
        assert!(matches!(published, Published::Active(_)), "{published:?}");
    }

    pub(crate) fn report(&self, name: &str) -> Value {
        self.with(|opened, session| {
            let declaration = declared(opened, name);
            let Body::Journey(journey) = &declaration.body else { panic!("no journey") };
            serde_json::to_value(report(&session.store, &declaration, journey).unwrap()).unwrap()
        })
    }

    pub(crate) fn people(&self, name: &str) -> Vec<Participant> {
        self.with(|_, session| session.store.participants(name, &ParticipantFilter::default()).unwrap())
    }

    /// Addresses and subjects of all mail.
    pub(crate) fn inbox(&self) -> Vec<(String, String)> {
        let mails = self.sandbox.get("mail", "/inbox");
        let to = |mail: &Value| mail["to"].as_array().map_or(&mail["to"], |all| &all[0]).as_str().unwrap_or_default().to_lowercase();
        mails.as_array().unwrap().iter().map(|mail| (to(mail), mail["subject"].as_str().unwrap().to_owned())).collect()
    }
}

fn declared(opened: &Opened, name: &str) -> Arc<Declaration> {
    opened.load().declarations().iter().find(|one| one.name == name).cloned().expect("a sound journey")
}

/// A number of a report.
#[track_caller]
pub(crate) fn number(report: &Value, path: &str) -> u64 {
    report.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("no number at {path} in {report}"))
}
