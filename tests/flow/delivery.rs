//! What journeys send while systems fail: everybody is served, once, and in their order. (B4, H4)

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tabi::{
    flow::{Notify, journey::Published},
    host::{Session, Workspace as Opened, clock::Clock, journeys, up::once},
    store::{Entry, ParticipantFilter, ParticipantState},
};

use crate::support::{Sandbox, Workspace};

const START: &str = "2026-12-01T09:00:00Z";

/// A mail, an audience, and a second mail that comes after it.
const SCRIPT: &str = r#"
journey("trial", #{
    model: "dynamic",
    participants: px::object("users").limit(60),
    unique_on: "identifyId", email: "identifyId", px_id: "identifyId",
    steps: [
        send_email("first", #{ template: "first" }),
        engagement("tour", "Product tour"),
        send_email("second", #{ template: "second" }),
        wait("a while", days(30)),
    ],
});
"#;

/// A host whose clock is turned by hand.
struct Bench {
    workspace: Workspace,
    clock: Clock,
}

impl Bench {
    fn new(script: &str) -> Self {
        let workspace = Workspace::with_script(script);
        workspace.write("scripts/templates/first.txt", "Subject: First\nHello.\n");
        workspace.write("scripts/templates/second.txt", "Subject: Second\nHello again.\n");
        Self { workspace, clock: Clock::by_hand(START.parse().unwrap()) }
    }

    fn with<T>(&self, work: impl FnOnce(&Opened, &Session) -> T) -> T {
        let opened = Opened::open(Some(&self.workspace.path()), false, self.clock.clone()).unwrap();
        let session = Session::open(&opened).unwrap();
        let result = work(&opened, &session);
        session.close();
        result
    }

    fn publish(&self) {
        let silent: Notify = std::sync::Arc::new(|_| ());
        let published = self.with(|opened, session| {
            let loaded = opened.load();
            journeys::publish(opened, session, &loaded, &loaded.declarations()[0], None, &silent).unwrap()
        });
        assert!(matches!(published, Published::Active(_)), "{published:?}");
    }

    /// Everything that is due at each of so many moments, ten minutes apart.
    fn go_on(&self, times: usize) {
        let silent: Notify = std::sync::Arc::new(|_| ());
        for _ in 0..times {
            self.with(|opened, session| drop(once(opened, session, &opened.load(), &silent, |_| ()).unwrap()));
            let later = self.clock.now().checked_add(jiff::SignedDuration::from_mins(10)).unwrap();
            self.clock.set(later);
        }
    }

    /// Of everybody, the steps that went out, in order.
    fn sent(&self) -> Vec<Vec<String>> {
        let everybody = ParticipantFilter { state: Some(ParticipantState::Waiting), limit: 100, ..ParticipantFilter::default() };
        self.with(|_, session| {
            let people = session.store.participants("trial", &everybody).unwrap();
            let steps = |timeline: Vec<Entry>| timeline.into_iter().filter(|entry| entry.kind == "sent").filter_map(|entry| entry.step).collect();
            people.iter().map(|person| steps(session.store.timeline(person.id).unwrap())).collect()
        })
    }

    fn pending(&self) -> u64 {
        self.with(|_, session| session.store.outbox_counts("trial").unwrap().pending)
    }
}

/// How many mails of each subject somebody got, those told as duplicates left out; in the order they came.
fn inbox(sandbox: &Sandbox) -> BTreeMap<String, Vec<String>> {
    let mut by_person: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut mails: Vec<Value> = sandbox.get("mail", "/inbox").as_array().unwrap().clone();
    mails.sort_by_key(|mail| (mail["received_at"].to_string(), mail["id"].to_string()));
    for mail in mails.iter().filter(|mail| mail["duplicate_of"].is_null()) {
        let subject = mail["subject"].as_str().unwrap().to_owned();
        by_person.entry(mail["to"][0].as_str().unwrap().to_owned()).or_default().push(subject);
    }
    by_person
}

#[test]
fn everybody_is_served_once_by_systems_that_fail_now_and_then() {
    let bench = Bench::new(SCRIPT);
    let sandbox = Sandbox::start(&bench.workspace, "--accounts 20 --people 200");
    bench.publish();
    sandbox.post("mail", "/_sandbox/faults", &json!({"faults": "mail:503@0.3,mail:reset_after@0.1,px:500@0.3"}));
    bench.go_on(12);
    assert_eq!(bench.pending(), 0, "everything went out at last");
    let got = inbox(&sandbox);
    assert!(got.len() > 40, "{}", got.len());
    for (person, mails) in &got {
        let mut sorted = mails.clone();
        sorted.sort();
        assert_eq!(sorted, ["First", "Second"], "{person}");
    }
}

#[test]
fn what_is_tried_again_holds_back_what_its_participant_asks_for_after_it() {
    let bench = Bench::new(&SCRIPT.replace("limit(60)", "limit(4)"));
    let sandbox = Sandbox::start(&bench.workspace, "--accounts 20 --people 200");
    bench.publish();
    sandbox.post("mail", "/_sandbox/faults", &json!({"faults": "mail:503@1.0"}));
    bench.go_on(1);
    assert_eq!(bench.sent(), vec![Vec::<String>::new(); 4], "the audience is not asked for before the mail went out");
    sandbox.post("mail", "/_sandbox/faults", &json!({"faults": ""}));
    bench.go_on(2);
    assert_eq!(bench.sent(), vec![["first", "tour", "second"].map(str::to_owned).to_vec(); 4], "in the order they were asked for");
    assert!(inbox(&sandbox).values().all(|mails| mails.len() == 2));
}
