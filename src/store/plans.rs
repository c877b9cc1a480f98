//! How the queries of journeys are answered: by seeking in an index, never by reading all participants, events or messages.

use super::{Store, doing, edits, event, funnel, outbox, parked, participant, responses, source};

/// The steps of a query's plan.
fn plan(store: &Store, query: &str) -> Vec<String> {
    let steps = store.read(|sql| {
        let mut statement = sql.prepare(&format!("EXPLAIN QUERY PLAN {query}"))?;
        for n in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(n, rusqlite::types::Null)?;
        }
        let mut rows = statement.raw_query();
        let mut steps = Vec::new();
        while let Some(row) = rows.next()? {
            steps.push(row.get(3)?);
        }
        Ok(steps)
    });
    steps.unwrap()
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("state.db")).unwrap();
    (folder, store)
}

/// No table is read from end to end, and this step is part of the plan.
fn seeks(store: &Store, query: &str, step: &str) -> Vec<String> {
    let steps = plan(store, query);
    assert!(steps.iter().any(|seen| seen.contains(step)), "{query}\n{steps:#?}");
    assert!(steps.iter().all(|seen| !seen.starts_with("SCAN") || seen == "SCAN CONSTANT ROW"), "{query}\n{steps:#?}");
    steps
}

#[test]
fn what_is_due_is_sought_in_an_index_and_comes_in_its_order() {
    let (_folder, store) = store();
    for (query, step) in [
        (participant::due().as_str(), "participants USING INDEX participants_due (journey=? AND due>? AND due<?)"),
        (participant::NEXT_DUE, "participants USING INDEX participants_due (journey=? AND due>?)"),
        (outbox::NEXT_SEND, "intents USING COVERING INDEX intents_pending"),
        (outbox::NEXT_SEND_OF, "intents USING COVERING INDEX intents_next (journey=?)"),
        (outbox::OUTBOX_OF, "intents USING INDEX intents_next (journey=? AND not_before<?)"),
        (event::UNHANDLED, "events USING INDEX events_unhandled (journey=?)"),
    ] {
        let steps = plan(&store, query);
        assert!(steps.iter().any(|seen| seen.contains(step)), "{query}\n{steps:#?}");
        assert!(!steps.iter().any(|seen| seen.contains("TEMP B-TREE")), "no sorting: {query}\n{steps:#?}");
    }
    seeks(&store, &participant::due(), "SEARCH participants");
    seeks(&store, participant::NEXT_DUE, "SEARCH programs USING PRIMARY KEY (name=?)");
    seeks(&store, event::UNHANDLED, "SEARCH events");
    let steps = seeks(&store, outbox::OUTBOX, "SEARCH intents USING COVERING INDEX intents_pending (not_before<?)");
    assert!(steps.iter().any(|seen| seen == "SEARCH intents USING INTEGER PRIMARY KEY (rowid=?)"), "{steps:#?}");
}

#[test]
fn people_are_sought_by_key_and_address() {
    let (_folder, store) = store();
    seeks(&store, &participant::by_key(), "participants_by_key (journey=? AND key=?)");
    seeks(&store, &participant::by_person("email"), "participants_by_email (email=?)");
    seeks(&store, &participant::by_person("px_id"), "participants_by_px (px_id=?)");
    for query in [source::KNOWN, source::REACHED, doing::DONE] {
        let steps = plan(&store, query);
        assert!(steps.iter().all(|step| !step.starts_with("SCAN") || step.contains("VIRTUAL TABLE")), "{query}\n{steps:#?}");
    }
    seeks(&store, &participant::listing(&participant::ParticipantFilter::default()), "participants_of (journey=? AND rowid>?)");
}

#[test]
fn counts_are_read_from_indexes_and_sums_alone() {
    let (_folder, store) = store();
    seeks(&store, responses::RESPONSES, "events_responded (journey=?)");
    for (query, step) in [
        (edits::STANDING, "participants USING COVERING INDEX participants_by_step (journey=? AND state=? AND step>?)"),
        (participant::COUNTS, "participants USING COVERING INDEX participants_by_step (journey=?)"),
        (participant::FAILED, "participants USING COVERING INDEX participants_failed (journey=?)"),
        (outbox::COUNTS, "intents USING COVERING INDEX intents_by_state (journey=?)"),
        (funnel::STEPS, "participants USING COVERING INDEX participants_by_step (journey=? AND state=? AND step=?)"),
        (funnel::EVENTS, "day USING PRIMARY KEY (step=?)"),
        (funnel::DAYS, "day USING PRIMARY KEY (step=?)"),
    ] {
        seeks(&store, query, step);
    }
}

#[test]
fn edits_find_those_they_concern_by_step() {
    let (_folder, store) = store();
    for (query, step) in [
        (edits::TIMERS, "participants_by_step (journey=? AND state=? AND step=? AND rowid>?)"),
        (edits::SINCE, "participants_by_step (journey=? AND state=? AND step=?)"),
        (parked::STANDING, "participants_by_step (journey=? AND state=? AND step=?)"),
        (parked::SET_ASIDE, "participants_by_step (journey=? AND state=? AND step=?)"),
    ] {
        seeks(&store, query, step);
    }
    assert!(plan(&store, edits::CHUNK).iter().any(|step| step.contains("participants_of (journey=? AND rowid>?)")));
}
