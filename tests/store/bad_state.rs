//! State files that cannot be used: each a clear error, and not one byte changed.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use rusqlite::Connection;
use tabi::store::{Error, RunFilter, Store};

use super::{at, begin, child, updates};

/// `nobody`: tests may run as root, who may write anywhere.
const NOBODY: u32 = 65_534;

fn a_state_file(path: &Path) {
    let store = Store::open(path).expect("open");
    for n in 0..50 {
        let run = begin(&store, "usage", at(n));
        store.intend(&run, &updates(100), at(n)).expect("intend");
    }
    drop(store);
    // One file without its log, as after an orderly end.
    Connection::open(path).expect("open").query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).expect("checkpoint");
}

#[test]
fn a_file_of_a_newer_version_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    a_state_file(&path);
    Connection::open(&path).expect("open").pragma_update(None, "user_version", 99).expect("newer");
    let before = fs::read(&path).expect("read");
    let error = Store::open(&path).expect_err("newer");
    assert!(matches!(error, Error::Newer { found: 99, .. }));
    assert!(error.to_string().contains("newer tabi (format 99") && error.to_string().contains("update tabi"), "{error}");
    assert!(fs::read(&path).expect("read") == before, "not one byte changed");
}

#[test]
fn a_file_with_a_broken_header_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    for bytes in
        [&b"{\"not\": \"a database\"}, and long enough to be looked at as one, which takes a hundred bytes or some more of them"[..], &[0; 8192]]
    {
        fs::write(&path, bytes).expect("write");
        let error = Store::open(&path).expect_err("broken");
        assert!(matches!(error, Error::Corrupt { .. }), "{error:?}");
        assert!(error.to_string().contains("nothing was changed"), "{error}");
        assert_eq!(fs::read(&path).expect("read"), bytes);
    }
}

#[test]
fn broken_pages_are_told_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    a_state_file(&path);
    let mut bytes = fs::read(&path).expect("read");
    let half = bytes.len() / 8192 * 4096;
    assert!(half > 8 * 4096, "the file has pages to break");
    bytes[4096 * 2..half].fill(0xa5);
    fs::write(&path, &bytes).expect("write");
    let error = Store::open(&path).and_then(|store| {
        store.runs(&RunFilter::default())?;
        store.verify()
    });
    assert!(matches!(error, Err(Error::Corrupt { .. })), "{error:?}");
    assert!(fs::read(&path).expect("read") == bytes, "not one byte changed");
}

#[test]
fn another_programs_file_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    Connection::open(&path).expect("open").execute_batch("CREATE TABLE theirs (x)").expect("theirs");
    let before = fs::read(&path).expect("read");
    assert!(matches!(Store::open(&path), Err(Error::Foreign { .. })));
    assert!(fs::read(&path).expect("read") == before, "not one byte changed");
}

#[test]
fn a_folder_in_the_files_place_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(matches!(Store::open(folder.path()), Err(Error::IsFolder { .. })));
}

#[test]
fn a_folder_that_may_not_be_written_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("mode");
    let state = folder.path().join("state");
    let path = state.join("state.db");
    a_state_file(&path);
    fs::set_permissions(&state, fs::Permissions::from_mode(0o555)).expect("mode");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("mode");
    let before = fs::read(&path).expect("read");
    let said = opened_by_another_user(&path);
    assert!(said.starts_with("ReadOnly"), "{said}");
    let said = opened_by_another_user(&state.join("none yet").join("state.db"));
    assert!(said.starts_with("ReadOnly"), "{said}");
    assert!(fs::read(&path).expect("read") == before, "not one byte changed");
    fs::set_permissions(&state, fs::Permissions::from_mode(0o755)).expect("mode");
}

/// What `Store::open` answers to somebody who is not root.
fn opened_by_another_user(path: &Path) -> String {
    let root = fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let mut helper = child::start("open", path, root.then_some(NOBODY));
    let said = helper.line().expect("an answer");
    helper.process.wait().expect("gone");
    said
}

#[test]
fn a_full_disk_is_told_and_what_was_saved_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path().join("state.db")).expect("open");
    store.limit_size(400 * 1024).expect("limit");
    let run = begin(&store, "usage", at(0));
    let mut saved = 0;
    let error = loop {
        match store.intend(&run, &updates(500), at(saved)) {
            Ok(_) => saved += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
    assert!(error.to_string().contains("free some space"), "{error}");
    assert_eq!(i64::try_from(store.journal(&run, None, 100_000).expect("journal").len()), Ok(saved * 500));
    store.verify().expect("whole");
    store.limit_size(4 << 20).expect("room again");
    store.intend(&run, &updates(500), at(9)).expect("goes on");
}

#[test]
fn a_file_of_format_1_is_brought_up_to_date_with_all_it_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    let old = Connection::open(&path).expect("open");
    old.execute_batch(include_str!("../../src/store/migrations/0001_runs_and_journal.sql")).expect("format 1");
    old.execute_batch(
        "PRAGMA application_id = 1952539241; PRAGMA user_version = 1;
         INSERT INTO runs (id, name, kind, hash, reason, parameters, status, owner, started_at, ended_at)
         VALUES ('261101-0001', 'usage', 'rule', 'h', 'by hand', '{}', 'ok', 1, 1000000, 2000000);
         INSERT INTO cursors VALUES ('usage', 'Account', '2026-11-01', 2000000);",
    )
    .expect("rows");
    drop(old);
    let store = Store::open(&path).expect("brought up to date");
    assert_eq!(store.runs(&RunFilter::default()).expect("runs")[0].id.as_str(), "261101-0001");
    assert_eq!(store.cursor("usage", "Account").expect("cursor").as_deref(), Some("2026-11-01"));
    store.mark_started("usage", at(0)).expect("the new tables are there");
}
