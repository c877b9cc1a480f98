//! Locks and dead processes.

use tabi::store::{Outcome, RunFilter, Status, Store, Take};

use super::{at, begin, child};

#[test]
fn two_processes_never_hold_one_declaration_and_a_killed_one_lets_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    let store = Store::open(&path).expect("open");
    let mut helper = child::start("hold", &path, None);
    assert_eq!(helper.line().as_deref(), Some("held"));

    let Take::Held(holder) = store.take("pendo-account", "tabi run", at(9)).expect("take") else { panic!("taken twice") };
    assert_eq!((holder.owner.as_str(), holder.pid, holder.since), ("tabi up", helper.process.id(), Some(at(5))));
    assert!(matches!(store.take("another", "tabi run", at(9)).expect("take"), Take::Got(_)), "other declarations are free");

    helper.kill();
    let Take::Got(lease) = store.take("pendo-account", "tabi run", at(10)).expect("take") else { panic!("stale lock") };
    assert!(matches!(store.take("pendo-account", "tabi run", at(11)).expect("take"), Take::Held(_)), "not even within one process");
    drop(lease);
    assert!(matches!(store.take("pendo-account", "tabi run", at(12)).expect("take"), Take::Got(_)));
}

#[test]
fn names_that_look_alike_as_files_have_locks_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path().join("state.db")).expect("open");
    let names = ["a/b", "a_b", "../../etc/passwd", "旅", &"x".repeat(5_000)];
    let held: Vec<Take> = names.iter().map(|name| store.take(name, "test", at(0)).expect("take")).collect();
    assert!(held.iter().all(|take| matches!(take, Take::Got(_))));
}

#[test]
fn a_killed_run_is_found_interrupted_with_its_unfinished_batch() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    let mut helper = child::start("write", &path, None);
    let run = helper.line().expect("a run");
    let store = Store::open(&path).expect("open");
    let mine = begin(&store, "mine", at(1));
    assert_eq!(store.interrupt_dead(at(50)).expect("none yet"), [], "both processes are alive");

    helper.kill();
    let dead = store.interrupt_dead(at(60)).expect("interrupt");
    assert_eq!(dead.iter().map(ToString::to_string).collect::<Vec<_>>(), [run]);
    let seen = store.run(&dead[0]).expect("the run");
    assert_eq!((seen.status, seen.ended), (Status::Interrupted, Some(at(60))));
    assert_eq!(store.run(&mine).expect("mine").status, Status::Running);
    assert_eq!(store.interrupt_dead(at(70)).expect("again"), [], "found once");

    let open = store.unfinished("pendo-account").expect("unfinished");
    assert_eq!((open.len(), open[0].rows, &open[0].run), (1, 2_000, &dead[0]));
    let rows = store.batch_rows(open[0].id, None, 10_000).expect("rows");
    assert!(rows.len() == 2_000 && rows.iter().all(|row| row.outcome == Outcome::Unknown));
}

#[test]
fn every_batch_noted_before_a_kill_is_whole_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    let mut helper = child::start("write forever", &path, None);
    helper.line().expect("a run");
    let noted = (0..20).map_while(|_| helper.line()).count();
    helper.kill();

    let store = Store::open(&path).expect("open");
    store.verify().expect("whole");
    let run = store.runs(&RunFilter::default()).expect("runs").remove(0).id;
    let mut rows = 0;
    let mut after = None;
    loop {
        let page = store.journal(&run, after, 700).expect("a page");
        let Some(last) = page.last() else { break };
        after = Some(last.seq);
        rows += page.len();
    }
    assert!(rows >= noted * 500, "{rows} rows of at least {noted} batches");
    assert_eq!(rows % 500, 0, "no half batch");
}

#[test]
fn processes_that_open_a_new_state_file_at_once_all_find_it_ready() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("new").join("state.db");
    let helpers: Vec<_> = (0..4).map(|_| child::start("open", &path, None)).collect();
    for mut helper in helpers {
        assert_eq!(helper.line().as_deref(), Some("opened"));
        helper.process.wait().expect("gone");
    }
}
