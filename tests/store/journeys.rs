//! Journeys in the state file: programs and their revisions, participants, moves, events, the outbox and funnels.

use rusqlite::Connection;
use tabi::{
    model::{Does, EventKind, Fault, FaultKind, Graph, Record, Step, Timestamp, Value},
    store::{
        Counts, Entry, EntryKind, Error, Fact, Fate, Known, Move, NewEvent, NewIntent, NewParticipant, OutboxCounts, Participant, ParticipantFilter,
        ParticipantId, ParticipantState, Program, ProgramStatus, Revision, RunFilter, Settled, Store,
    },
};

use super::{at, child, record};

const DAY: i64 = 86_400;

fn open() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path().join("state.db")).expect("open");
    (folder, store)
}

fn program(name: &str, status: ProgramStatus) -> Program {
    Program {
        name: name.into(),
        status,
        revision: 3,
        hash: "h3".into(),
        folder: Some("Onboarding".into()),
        scheduled_for: None,
        published_at: Some(at(0)),
        paused_at: None,
        stopped_at: None,
        reasons: vec!["no template \"hello\"".into()],
        polled_at: Some(at(7)),
    }
}

fn person(journey: &str, key: &str, state: ParticipantState, due: Option<Timestamp>) -> NewParticipant {
    NewParticipant {
        journey: journey.into(),
        key: key.into(),
        email: Some(format!("{key}@Example.com")),
        px_id: Some(format!("px-{key}")),
        fields: record(&[("plan", Value::text("gold")), ("seats", Value::Int(12))]),
        facts: Vec::new(),
        state,
        step: Some("wait".into()),
        since: at(0),
        due,
        reason: None,
        entered: at(0),
        ended: None,
        revision: 1,
    }
}

fn entry(kind: EntryKind, step: &str, when: Timestamp) -> Entry {
    Entry { at: when, kind: kind.word().into(), step: Some(step.into()), detail: record(&[("n", Value::Int(1))]) }
}

fn intent(key: &str, of: &Participant, not_before: Timestamp) -> NewIntent {
    NewIntent {
        key: key.into(),
        participant: of.id,
        journey: of.journey.clone(),
        step: "mail".into(),
        intent: serde_json::json!({"send": "hello", "to": of.email}).to_string(),
        at: at(1),
        not_before,
    }
}

fn event(key: &str, participant: ParticipantId, kind: EventKind, when: Timestamp) -> NewEvent {
    NewEvent { key: key.into(), participant, kind, step: "mail".into(), at: when, received: at(100), payload: record(&[("ip", Value::text("::1"))]) }
}

fn stay(participant: Participant) -> Move {
    Move { participant, entries: Vec::new(), intents: Vec::new(), events: Vec::new(), moved: true, fields_changed: false, facts_from: None }
}

/// So many waiting participants, due a second after the other.
fn waiting(store: &Store, journey: &str, n: i64) -> Vec<Participant> {
    let people: Vec<NewParticipant> =
        (0..n).map(|n| person(journey, &format!("{journey}-{n}"), ParticipantState::Waiting, Some(at(1_000 + n)))).collect();
    let history = vec![vec![entry(EntryKind::Entered, "wait", at(0))]; people.len()];
    let ids = store.enter(&people, &history).expect("enter");
    ids.into_iter().map(|id| store.participant(id).expect("read").expect("there")).collect()
}

fn keys(people: &[Participant]) -> Vec<&str> {
    people.iter().map(|person| person.key.as_str()).collect()
}

#[test]
fn programs_and_their_revisions_are_remembered() {
    let (folder, store) = open();
    let mut one = program("welcome", ProgramStatus::Scheduled);
    one.scheduled_for = Some(at(500));
    store.put_program(&one, at(0)).expect("put");
    store.put_program(&program("nps", ProgramStatus::Draft), at(0)).expect("put");
    one.status = ProgramStatus::Stopped;
    one.stopped_at = Some(at(900));
    store.put_program(&one, at(900)).expect("put again");
    let step = |name: &str| Step { name: name.into(), does: Does::SendEmail { template: "hello".into() }, next: None, line: 3 };
    let revision = |number: u32| Revision {
        journey: "welcome".into(),
        number,
        hash: format!("h{number}"),
        graph: Graph { steps: (0..=number).map(|n| step(&format!("mail {n}"))).collect() },
        sources: record(&[("welcome.rhai", Value::text("journey(\"welcome\")"))]),
        at: at(i64::from(number)),
        note: "more mail".into(),
    };
    store.add_revision(&revision(1)).expect("add");
    store.add_revision(&revision(2)).expect("add");
    drop(store);
    let store = Store::open(folder.path().join("state.db")).expect("open again");
    assert_eq!(store.program("welcome").expect("read"), Some(one.clone()));
    assert_eq!(store.programs().expect("read"), [program("nps", ProgramStatus::Draft), one]);
    assert_eq!(store.program("none").expect("read"), None);
    assert_eq!(store.revisions("welcome").expect("read"), [revision(2), revision(1)]);
    assert_eq!(store.revision("welcome", 1).expect("read"), Some(revision(1)));
    assert_eq!(store.revision("welcome", 9).expect("read"), None);
    assert!(matches!(store.pause("none", at(1)), Err(Error::NoProgram { .. })));
    for status in ProgramStatus::ALL {
        assert_eq!(ProgramStatus::of(status.word()), Some(status));
    }
}

#[test]
fn people_enter_and_are_found_by_key_address_and_page() {
    let (_folder, store) = open();
    let mut ann = person("welcome", "ann", ParticipantState::Completed, None);
    (ann.ended, ann.reason) = (Some(at(50)), Some("done".into()));
    ann.facts = vec![Fact { event: EventKind::Responded, step: "nps".into(), at: at(40), score: Some(9.5), channel: None }];
    let bob = person("welcome", "bob", ParticipantState::Active, Some(at(0)));
    let again = person("welcome", "ann", ParticipantState::Waiting, Some(at(9)));
    let elsewhere = NewParticipant { email: ann.email.clone(), px_id: ann.px_id.clone(), ..person("nps", "x", ParticipantState::Dropped, None) };
    let history = [vec![entry(EntryKind::Entered, "wait", at(0)), entry(EntryKind::Event(EventKind::Opened), "mail", at(1))]];
    let ids = store.enter(&[ann.clone(), bob, again.clone(), elsewhere], &history).expect("enter");

    let seen = store.participant(ids[0]).expect("read").expect("there");
    assert_eq!((&seen.facts, &*seen.fields, seen.ended, &seen.reason), (&ann.facts, &ann.fields, ann.ended, &ann.reason));
    assert_eq!(store.timeline(ids[0]).expect("read"), history[0]);
    assert_eq!(store.participant(ParticipantId::from_i64(99)).expect("read"), None);

    let ids_of = |people: Vec<Participant>| people.iter().map(|person| person.id).collect::<Vec<_>>();
    assert_eq!(ids_of(store.by_key("welcome", "ann").expect("read")), [ids[2], ids[0]], "newest first");
    assert_eq!(ids_of(store.by_px("px-ann").expect("read")), [ids[2], ids[3], ids[0]], "not over first");
    assert_eq!(ids_of(store.by_email("ANN@example.com").expect("read")), [ids[2], ids[3], ids[0]], "in any case");
    let known = store.known_keys("welcome", &["ann".into(), "bob".into(), "cy".into()]).expect("read");
    let newest = Known { id: ids[2], state: ParticipantState::Waiting, ended: None, at_door: false, source: Some(Store::source_hash(&again.fields)) };
    assert_eq!((known.len(), known.get("ann")), (2, Some(&newest)));

    let list = |filter: &ParticipantFilter<'_>| ids_of(store.participants("welcome", filter).expect("list"));
    assert_eq!(list(&ParticipantFilter::default()), ids[..3]);
    assert_eq!(list(&ParticipantFilter { state: Some(ParticipantState::Active), ..Default::default() }), [ids[1]]);
    assert_eq!(list(&ParticipantFilter { step: Some("wait"), after: Some(ids[0]), limit: 1, ..Default::default() }), [ids[1]]);
    assert_eq!(list(&ParticipantFilter { search: Some("BOB@ex"), ..Default::default() }), [ids[1]]);
    assert_eq!(list(&ParticipantFilter { search: Some("px-a"), state: Some(ParticipantState::Waiting), ..Default::default() }), [ids[2]]);
    assert_eq!(list(&ParticipantFilter { step: Some("gone"), ..Default::default() }), []);
}

#[test]
fn a_batch_of_moves_is_all_or_nothing() {
    let (_folder, store) = open();
    let people = waiting(&store, "welcome", 3);
    let moved = |person: &Participant| Move {
        entries: vec![entry(EntryKind::Moved, "mail", at(5))],
        intents: vec![intent(&format!("mail:{}", person.id), person, at(5))],
        ..stay(Participant { step: Some("mail".into()), state: ParticipantState::Active, due: Some(at(5)), ..person.clone() })
    };
    let mut batch: Vec<Move> = people.iter().map(moved).collect();
    batch[2].participant.id = ParticipantId::from_i64(77);
    assert!(matches!(store.commit(&batch), Err(Error::NoParticipant { id: 77 })));
    for person in &people {
        assert_eq!(store.participant(person.id).expect("read").as_ref(), Some(person), "nothing of the batch is kept");
        assert_eq!(store.timeline(person.id).expect("read").len(), 1);
    }
    assert_eq!(store.outbox(at(9_999), 10).expect("read"), []);
    assert_eq!(store.step_counts("welcome").expect("read"), [("wait".into(), 3, 3)]);

    batch.pop();
    store.commit(&batch).expect("commit");
    let seen = store.participant(people[0].id).expect("read").expect("there");
    assert_eq!(seen, batch[0].participant);
    assert_eq!(store.timeline(people[0].id).expect("read").len(), 2);
    assert_eq!(store.step_counts("welcome").expect("read"), [("wait".into(), 3, 1), ("mail".into(), 2, 2)]);
}

#[test]
fn fields_and_facts_are_written_when_the_move_says_so() {
    let (_folder, store) = open();
    let person = waiting(&store, "welcome", 1).remove(0);
    let fact = Fact { event: EventKind::Opened, step: "mail".into(), at: at(3), score: None, channel: None };
    let changed = Participant {
        fields: record(&[("plan", Value::text("lead"))]).into(),
        email: Some("new@example.com".into()),
        px_id: None,
        facts: vec![fact.clone()],
        revision: 2,
        ..person.clone()
    };
    store.commit(&[stay(changed.clone())]).expect("commit");
    let seen = store.participant(person.id).expect("read").expect("there");
    assert_eq!((&seen.fields, &seen.email, seen.facts.len(), seen.revision), (&person.fields, &person.email, 0, 2));
    store.commit(&[Move { facts_from: Some(0), ..stay(changed.clone()) }]).expect("commit");
    let seen = store.participant(person.id).expect("read").expect("there");
    assert_eq!((&seen.fields, &seen.facts), (&person.fields, &vec![fact]));
    // Where it stands is left alone by a move that says so.
    let elsewhere = Participant { step: Some("gone".into()), state: ParticipantState::Completed, due: None, revision: 9, ..changed.clone() };
    store.commit(&[Move { moved: false, facts_from: Some(0), ..stay(elsewhere.clone()) }]).expect("commit");
    assert_eq!(store.participant(person.id).expect("read"), Some(seen));
    let nobody = Participant { id: ParticipantId::from_i64(77), ..elsewhere };
    for facts_from in [None, Some(0)] {
        let still = Move { moved: false, facts_from, ..stay(nobody.clone()) };
        assert!(matches!(store.commit(&[still]), Err(Error::NoParticipant { id: 77 })));
    }
    assert_eq!(store.step_counts("welcome").expect("read"), [("wait".into(), 1, 1), ("mail".into(), 0, 0)]);
    store.commit(&[Move { fields_changed: true, ..stay(changed.clone()) }]).expect("commit");
    assert_eq!(store.participant(person.id).expect("read"), Some(changed));
    assert_eq!(store.by_email("new@example.com").expect("read").len(), 1);
    assert_eq!(store.by_px("px-welcome-0").expect("read").len(), 0);
}

#[test]
fn an_intent_goes_out_once_for_its_key_with_its_attempts_kept() {
    let (_folder, store) = open();
    let person = waiting(&store, "welcome", 1).remove(0);
    let sends =
        |keys: &[(&str, i64)]| Move { intents: keys.iter().map(|(key, when)| intent(key, &person, at(*when))).collect(), ..stay(person.clone()) };
    store.commit(&[sends(&[("a", 30), ("b", 10), ("c", 10), ("d", 50)])]).expect("commit");
    store.commit(&[sends(&[("a", 0), ("c", 0)])]).expect("a known key is no error");
    let out = |now: i64, limit: u32| {
        let intents = store.outbox(at(now), limit).expect("read");
        intents.into_iter().map(|intent| (intent.key, intent.attempts, intent.id)).collect::<Vec<_>>()
    };
    let ids: Vec<i64> = out(99, 10).into_iter().map(|(_, _, id)| id).collect();
    let one = |n: usize, key: &str, attempts: u32| (key.to_owned(), attempts, ids[n]);
    assert_eq!(out(9, 10), []);
    assert_eq!(out(40, 10), [one(0, "a", 0), one(1, "b", 0), one(2, "c", 0)], "by id");
    assert_eq!(out(40, 2), [one(1, "b", 0), one(2, "c", 0)], "what may go out the longest");
    assert_eq!(store.next_send().expect("read"), Some(at(10)));

    let fault = Fault::new(FaultKind::Unavailable, "not now");
    let settle = |id: i64, now: i64, fate: Fate| store.settle(&[Settled { intent: id, fate, event: None, messaged: None }], at(now));
    settle(ids[2], 11, Fate::Sent(record(&[("message_id", Value::text("m1"))]))).expect("sent");
    settle(ids[0], 31, Fate::GaveUp(fault.clone())).expect("gave up");
    settle(ids[1], 11, Fate::Later(at(60), fault.clone())).expect("later");
    assert_eq!(store.next_send_of("welcome").expect("read"), Some(at(60)), "what comes after it waits as long");
    store.commit(&[sends(&[("e", 20)])]).expect("commit");
    assert_eq!(store.next_send_of("welcome").expect("read"), Some(at(60)), "also what is asked for only now");
    settle(ids[1], 61, Fate::Later(at(62), fault)).expect("later");
    let order = |now: i64| store.outbox_of("welcome", at(now), 9).expect("read").into_iter().map(|intent| intent.key).collect::<Vec<_>>();
    assert_eq!((order(61), order(62)), (vec![], vec!["b".to_owned(), "d".to_owned(), "e".to_owned()]));
    let e = out(70, 10)[2].2;
    settle(e, 70, Fate::Sent(Record::new())).expect("sent");
    assert_eq!(out(70, 10), [one(1, "b", 2), one(3, "d", 0)]);
    assert_eq!(store.next_send().expect("read"), Some(at(62)));
    store.commit(&[sends(&[("a", 0), ("c", 0)])]).expect("commit");
    assert_eq!(out(70, 10).len(), 2, "what went out or was given up stays so");
    assert_eq!(store.outbox_counts("welcome").expect("read"), OutboxCounts { pending: 2, sent: 2, failed: 1 });
    assert!(matches!(settle(99, 0, Fate::Sent(Record::new())), Err(Error::NoIntent { id: 99 })));
    let kept = store.outbox(at(70), 10).expect("read").remove(0);
    assert_eq!((kept.intent, kept.not_before), (serde_json::json!({"send": "hello", "to": person.email}).to_string(), at(62)));
}

#[test]
fn an_event_counts_once_and_stays_until_it_moved_somebody() {
    let (_folder, store) = open();
    let people = waiting(&store, "welcome", 2);
    let (ann, bob) = (people[0].id, people[1].id);
    let heard = [
        event("e1", bob, EventKind::Opened, at(9)),
        event("e2", ann, EventKind::Clicked, at(8)),
        event("e3", ann, EventKind::Opened, at(2)),
        event("e1", bob, EventKind::Opened, at(9)),
        event("e4", ParticipantId::from_i64(99), EventKind::Opened, at(9)),
    ];
    assert_eq!(store.receive(&heard).expect("receive"), 3);
    assert_eq!(store.receive(&heard).expect("receive"), 0, "polled again");
    let inbox = store.unhandled("welcome", 10).expect("read");
    assert_eq!(inbox.iter().map(|event| event.key.as_str()).collect::<Vec<_>>(), ["e3", "e2", "e1"], "by participant, then by time");
    assert_eq!((inbox[2].kind, inbox[2].received, &inbox[2].payload), (EventKind::Opened, at(100), &heard[0].payload));
    assert_eq!(store.unhandled("welcome", 1).expect("read").len(), 1);
    assert_eq!(store.unhandled("nps", 9).expect("read"), []);

    store.commit(&[Move { events: vec![inbox[0].id, inbox[1].id], ..stay(people[0].clone()) }]).expect("commit");
    assert_eq!(store.unhandled("welcome", 10).expect("read"), inbox[2..]);
    assert_eq!(store.receive(&heard).expect("receive"), 0, "also after it moved somebody");
}

#[test]
fn timers_grow_by_the_pause_and_messages_are_held_back() {
    let (_folder, store) = open();
    store.put_program(&program("welcome", ProgramStatus::Active), at(0)).expect("put");
    let people = waiting(&store, "welcome", 2);
    let active = store.enter(&[person("welcome", "act", ParticipantState::Active, Some(at(90)))], &[]).expect("enter")[0];
    let other = waiting(&store, "nps", 1).remove(0);
    store.commit(&[Move { intents: vec![intent("a", &people[0], at(5))], ..stay(people[0].clone()) }]).expect("commit");
    store.pause("welcome", at(100)).expect("pause");
    store.pause("welcome", at(130)).expect("paused already");
    let paused = store.program("welcome").expect("read").expect("there");
    assert_eq!((paused.status, paused.paused_at), (ProgramStatus::Paused, Some(at(100))));
    assert_eq!(store.next_due(&["welcome"]).expect("read"), None, "a paused program has nothing due");

    // One more message, and one who begins to wait half way through the pause.
    let late = Participant { since: at(250), due: Some(at(2_000)), ..people[1].clone() };
    store.commit(&[Move { intents: vec![intent("b", &people[1], at(5))], ..stay(late) }]).expect("commit");
    assert_eq!((store.outbox(at(999), 9).expect("read").len(), store.next_send().expect("read")), (0, None));
    assert_eq!(store.outbox_counts("welcome").expect("read").pending, 2);

    store.resume("welcome", at(400)).expect("resume");
    store.resume("welcome", at(9_000)).expect("active already");
    let due = |id: ParticipantId| store.participant(id).expect("read").expect("there").due;
    assert_eq!(due(people[0].id), Some(at(1_300)), "300 s of pause");
    assert_eq!(due(people[1].id), Some(at(2_150)), "150 s of it");
    assert_eq!((due(active), due(other.id)), (Some(at(90)), other.due), "no timers, or another program");
    let seen = store.program("welcome").expect("read").expect("there");
    assert_eq!((seen.status, seen.paused_at), (ProgramStatus::Active, None));
    assert_eq!(store.outbox(at(999), 9).expect("read").len(), 2);
}

#[test]
fn what_is_due_comes_in_order_and_only_while_it_can_move() {
    let (_folder, store) = open();
    for (name, status) in [("welcome", ProgramStatus::Active), ("nps", ProgramStatus::Active), ("old", ProgramStatus::Stopped)] {
        store.put_program(&program(name, status), at(0)).expect("put");
    }
    let new = |key: &str, state, due| person("welcome", key, state, due);
    let people = [
        new("late", ParticipantState::Waiting, Some(at(30))),
        new("first", ParticipantState::Active, Some(at(10))),
        new("second", ParticipantState::Waiting, Some(at(20))),
        new("over", ParticipantState::Dropped, Some(at(5))),
        new("parked", ParticipantState::Parked, Some(at(5))),
        new("for an event", ParticipantState::Waiting, None),
    ];
    store.enter(&people, &[]).expect("enter");
    let elsewhere = [
        NewParticipant { due: Some(at(15)), ..person("nps", "n", ParticipantState::Waiting, None) },
        NewParticipant { due: Some(at(1)), ..person("old", "o", ParticipantState::Waiting, None) },
    ];
    store.enter(&elsewhere, &[]).expect("enter");
    let due = |now: i64, limit: u32| store.due("welcome", at(now), limit).expect("due");
    assert_eq!(keys(&due(9, 10)), [""; 0]);
    assert_eq!(keys(&due(30, 10)), ["first", "second", "late"]);
    assert_eq!(keys(&due(99, 2)), ["first", "second"]);
    assert_eq!(store.next_due(&["welcome"]).expect("read"), Some(at(10)));
    assert_eq!(store.next_due(&["nps".to_owned(), "old".to_owned()]).expect("read"), Some(at(15)), "a stopped program does not count");
    assert_eq!(store.next_due(&["unknown"]).expect("read"), None);
}

#[test]
fn those_whose_step_is_gone_are_parked_and_taken_back_as_they_were() {
    let (_folder, store) = open();
    let people = waiting(&store, "welcome", 2);
    let active = store.enter(&[person("welcome", "act", ParticipantState::Active, Some(at(90)))], &[]).expect("enter")[0];
    let over = store.enter(&[person("welcome", "over", ParticipantState::Completed, None)], &[]).expect("enter")[0];
    assert_eq!(store.park("welcome", &["wait", "gone"], "its step is gone", at(100)).expect("park"), 3);
    assert_eq!(store.park("welcome", &["wait"], "again", at(101)).expect("park"), 0);
    let seen = store.participant(people[0].id).expect("read").expect("there");
    assert_eq!((seen.state, seen.reason.as_deref(), seen.step.as_deref()), (ParticipantState::Parked, Some("its step is gone"), Some("wait")));
    assert_eq!(store.timeline(people[0].id).expect("read")[1].kind, EntryKind::Parked.word());
    assert_eq!(store.due("welcome", at(9_999), 10).expect("due"), []);
    assert_eq!(store.participant_counts("welcome").expect("read"), Counts { completed: 1, parked: 3, ..Counts::default() });
    // An event that is noted while they are parked changes nothing about where they go back to.
    store.commit(&[stay(seen)]).expect("commit");
    assert_eq!(store.unpark("welcome", "wait", at(200)).expect("unpark"), 3);
    for person in &people {
        assert_eq!(store.participant(person.id).expect("read").as_ref(), Some(person));
    }
    let seen = store.participant(active).expect("read").expect("there");
    assert_eq!((seen.state, seen.due), (ParticipantState::Active, Some(at(90))));
    assert_eq!(store.participant(over).expect("read").expect("there").state, ParticipantState::Completed);
}

#[test]
fn messages_to_a_person_are_counted_over_all_journeys_and_suppressed_addresses_are_known() {
    let (_folder, store) = open();
    for (person, when, journey) in [("a@x.com", 10, "welcome"), ("A@X.com", 20, "nps"), ("a@x.com", 20, "nps"), ("b@x.com", 20, "nps")] {
        store.sent_message(person, at(when), journey, "mail").expect("note");
    }
    let count = |since: i64| store.sent_to("a@X.com", at(since)).expect("count");
    assert_eq!((count(0), count(10), count(11), count(21)), (2, 2, 1, 0));
    store.unsubscribe("a@x.com", at(1), "link").expect("note");
    store.unsubscribe("A@x.com", at(2), "link again").expect("note");
    store.bounced("b@x.com", at(1), "550 no such user").expect("note");
    assert!(store.is_unsubscribed("A@X.COM").expect("read") && !store.is_bounced("a@x.com").expect("read"));
    assert!(store.is_bounced("B@x.com").expect("read") && !store.is_unsubscribed("b@x.com").expect("read"));
}

#[test]
fn funnels_count_each_participant_once_per_step_and_kind_b12() {
    let (_folder, store) = open();
    let people = waiting(&store, "nps", 3);
    let fact = |event, when: i64| Fact { event, step: "survey".into(), at: at(when), score: None, channel: None };
    let with = |person: &Participant, facts: Vec<Fact>| Move {
        entries: vec![entry(EntryKind::Moved, "survey", at(1))],
        facts_from: Some(0),
        ..stay(Participant { facts, step: Some("survey".into()), ..person.clone() })
    };
    store.commit(&[with(&people[0], vec![fact(EventKind::Sent, 1)]), with(&people[1], vec![fact(EventKind::Sent, 1)])]).expect("commit");
    let viewed = || vec![fact(EventKind::Sent, 1), fact(EventKind::Viewed, DAY), fact(EventKind::Viewed, 2 * DAY)];
    store.commit(&[with(&people[0], viewed())]).expect("commit");
    store.commit(&[with(&people[0], viewed()), with(&people[1], viewed())]).expect("commit");
    let failed = Participant { state: ParticipantState::Failed, reason: Some("Invalid PX user ID".into()), ..people[2].clone() };
    store.commit(&[stay(failed)]).expect("commit");

    let survey = "survey".to_owned();
    assert_eq!(store.event_counts("nps").expect("read"), [(survey.clone(), EventKind::Sent, 2), (survey.clone(), EventKind::Viewed, 2)]);
    assert_eq!(store.step_counts("nps").expect("read"), [("wait".into(), 3, 0), (survey.clone(), 2, 2)]);
    let day = |n: i64| at(n * DAY).to_zoned(jiff::tz::TimeZone::UTC).date();
    let by_day = store.counts_by_day("nps").expect("read");
    assert_eq!(by_day, [(day(0), survey.clone(), EventKind::Sent, 2), (day(1), survey.clone(), EventKind::Viewed, 2)]);
    assert_eq!(store.reached_by_day("nps").expect("read"), [(day(0), "wait".into(), 3), (day(0), survey, 2)]);
    assert_eq!(store.participant_counts("nps").expect("read"), Counts { waiting: 2, failed: 1, ..Counts::default() });
    assert_eq!(store.failed_reasons("nps").expect("read"), [("Invalid PX user ID".into(), 1)]);
    assert_eq!((store.event_counts("welcome").expect("read").len(), store.step_counts("welcome").expect("read").len()), (0, 0));
}

/// The job of a child: moves the same participants on and on.
pub(super) fn move_forever(path: &std::path::Path, say: impl Fn(&str)) {
    let store = Store::open(path).expect("open");
    let people = waiting(&store, "welcome", 50);
    for n in 0.. {
        let moved = |person: &Participant| Move {
            entries: vec![entry(EntryKind::Moved, &format!("step {}", n % 5), at(n))],
            intents: vec![intent(&format!("{n}:{}", person.id), person, at(n))],
            ..stay(Participant { step: Some(format!("step {}", n % 5)), since: at(n), due: Some(at(n)), ..person.clone() })
        };
        store.commit(&people.iter().map(moved).collect::<Vec<_>>()).expect("commit");
        say("batch");
    }
}

#[test]
fn a_kill_leaves_whole_batches_of_moves() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    let mut helper = child::start("move forever", &path, None);
    for _ in 0..7 {
        assert_eq!(helper.line().as_deref(), Some("batch"));
    }
    helper.kill();
    let store = Store::open(&path).expect("open");
    store.verify().expect("whole");
    let people = store.participants("welcome", &ParticipantFilter::default()).expect("list");
    let sent = store.outbox(at(DAY), 1_000_000).expect("read").len();
    let batches = sent / 50;
    assert!(batches >= 7 && sent.is_multiple_of(50), "{sent}");
    for person in &people {
        assert_eq!(store.timeline(person.id).expect("read").len(), batches + 1);
        assert_eq!(person.since, at(i64::try_from(batches).expect("small") - 1));
    }
    assert_eq!(store.step_counts("welcome").expect("read").iter().map(|(_, _, standing)| standing).sum::<u64>(), 50);
}

#[test]
fn a_file_of_format_2_is_brought_up_to_date_with_all_it_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    let old = Connection::open(&path).expect("open");
    old.execute_batch(include_str!("../../src/store/migrations/0001_runs_and_journal.sql")).expect("format 1");
    old.execute_batch(include_str!("../../src/store/migrations/0002_schemas_and_marks.sql")).expect("format 2");
    old.execute_batch(
        "PRAGMA application_id = 1952539241; PRAGMA user_version = 2;
         INSERT INTO marks VALUES ('usage', 1000000, 2000000);
         INSERT INTO kv VALUES ('a', '1', 0);",
    )
    .expect("rows");
    drop(old);
    let store = Store::open(&path).expect("brought up to date");
    assert_eq!(store.mark("usage").expect("read").and_then(|mark| mark.finished), Some(Timestamp::from_second(2).expect("a time")));
    assert_eq!(store.kv_get("a").expect("read"), Some(Value::Int(1)));
    assert_eq!(store.runs(&RunFilter::default()).expect("runs"), []);
    assert_eq!(waiting(&store, "welcome", 2).len(), 2, "the new tables are there");
    let version: i64 = Connection::open(&path).expect("open").pragma_query_value(None, "user_version", |row| row.get(0)).expect("read");
    assert_eq!(version, 11);
}

#[test]
fn timers_of_more_people_than_fit_one_transaction_grow_by_the_pause_once_each() {
    let (_folder, store) = open();
    store.put_program(&program("welcome", ProgramStatus::Active), at(0)).expect("put");
    let people = waiting(&store, "welcome", 5_001);
    store.pause("welcome", at(100)).expect("pause");
    store.resume("welcome", at(160)).expect("resume");
    for n in [0, 4_999, 5_000] {
        let kept = store.participant(people[n].id).expect("read").expect("there");
        assert_eq!(kept.due, people[n].due.map(|due| due + jiff::SignedDuration::from_secs(60)), "{n}");
    }
    assert_eq!(store.program("welcome").expect("read").expect("there").status, ProgramStatus::Active);
}

#[test]
fn what_people_went_through_is_forgotten_and_that_they_took_part_is_not() {
    let (_folder, store) = open();
    store.put_program(&program("welcome", ProgramStatus::Active), at(0)).expect("put");
    let people = waiting(&store, "welcome", 3);
    let end = |person: &Participant, when: Timestamp| Move {
        intents: Vec::new(),
        ..stay(Participant { state: ParticipantState::Completed, due: None, ended: Some(when), ..person.clone() })
    };
    store.receive(&[event("seen", people[0].id, EventKind::Opened, at(5))]).expect("receive");
    let heard = store.unhandled("welcome", 10).expect("read");
    let old = Move { events: heard.iter().map(|one| one.id).collect(), ..end(&people[0], at(10)) };
    store.commit(&[old, end(&people[1], at(90 * DAY))]).expect("commit");
    let keep = tabi::store::Retention { participant_days: Some(30), ..tabi::store::Retention::default() };
    assert_eq!(store.sweep(keep, at(100 * DAY)).expect("sweep").participants, 1);
    assert_eq!(store.sweep(keep, at(100 * DAY)).expect("sweep").participants, 0, "once");
    let forgotten = store.participant(people[0].id).expect("read").expect("its row stays");
    assert_eq!((forgotten.email, forgotten.fields.len(), forgotten.state), (None, 0, ParticipantState::Completed));
    assert_eq!(store.timeline(people[0].id).expect("read"), []);
    let known = store.known_keys("welcome", std::slice::from_ref(&people[0].key)).expect("read");
    let again = known.get(&people[0].key).map(|known| (known.id, known.state, known.ended));
    assert_eq!(again, Some((people[0].id, ParticipantState::Completed, Some(at(10)))), "nobody enters twice");
    for untouched in [&people[1], &people[2]] {
        assert!(!store.timeline(untouched.id).expect("read").is_empty(), "{}", untouched.key);
    }
}

#[test]
fn fields_that_somebody_broke_are_told_when_their_participant_is_read() {
    let (folder, store) = open();
    let person = waiting(&store, "welcome", 1).remove(0);
    let sql = rusqlite::Connection::open(folder.path().join("state.db")).expect("open");
    for broken in ["", "{\"plan\": ", "[1]", "{} {}"] {
        sql.execute("UPDATE participants SET fields = ?1", [broken]).expect("write");
        let error = store.participant(person.id).expect_err(broken).to_string();
        assert!(error.contains("a participant's fields"), "{broken}: {error}");
    }
    sql.execute("UPDATE participants SET fields = ?1", [" {\"plan\": \"gold\"}"]).expect("write");
    let read = store.participant(person.id).expect("read").expect("there");
    assert_eq!(read.fields.get("plan"), Some(&Value::text("gold")));
}
