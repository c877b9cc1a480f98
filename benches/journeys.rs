//! What journeys cost on this machine: steps that are on disk, a million people who wait, a quarter of a year. `cargo bench --bench journeys`
//! prints figures beside their bars. `cargo bench --bench journeys -- 10000 100000 1000` takes other numbers of people: who move, who wait,
//! who are simulated. Linux only: processor time and memory come from /proc.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]

/// Processes that are watched.
mod support;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::{Connection, params};
use serde_json::Value;
use tabi::{
    flow::Notify,
    host::{Session, Workspace, clock::Clock, up::once},
    model::{self, Record, Timestamp},
    store::{Entry, EntryKind, NewParticipant, ParticipantId, ParticipantState, Store},
};

use support::{Stopped, peak_of};

/// Everybody who moves makes one step in one transaction.
const JOURNEY: &str = r#"
journey("waits", #{
    model: "dynamic", participants: px::object("users").limit(1), unique_on: "identifyId", every: "30d",
    steps: [WAITS, finish()],
});
"#;
const WAVES: u64 = 4;
const DAY: i64 = 86_400;
const BATCH: u64 = 500;
const TIMERS: i64 = 5;
const IDLE: Duration = Duration::from_secs(30);

fn main() {
    let sizes: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let size = |at: usize, usual: u64| sizes.get(at).copied().unwrap_or(usual);
    live(size(0, 100_000));
    waiting(size(1, 1_000_000));
    simulated(size(2, 100_000));
}

fn tabi(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tabi"));
    command.args(args).current_dir(folder).stdin(Stdio::null()).env("NO_COLOR", "1");
    command
}

/// A workspace on the sandbox whose journey is published.
fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tabi.toml"), "[server]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    fs::create_dir(folder.path().join("scripts")).unwrap();
    let waits: Vec<String> = (0..=WAVES).map(|n| format!("wait(\"wait {n}\", days(1))")).collect();
    fs::write(folder.path().join("scripts/waits.rhai"), JOURNEY.replace("WAITS", &waits.join(", "))).unwrap();
    let output = tabi(folder.path(), &["journey", "publish", "waits", "--yes"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

fn state(folder: &Path) -> Store {
    Store::open(folder.join(".tabi/state.db")).unwrap()
}

/// Puts people at the first step, due at the instants that are given; ids in order.
fn enter(store: &Store, people: u64, since: Timestamp, due: impl Fn(u64) -> Timestamp) -> Vec<ParticipantId> {
    let mut ids = Vec::new();
    for first in (0..people).step_by(5_000) {
        let some: Vec<NewParticipant> = (first..people.min(first + 5_000)).map(|n| somebody(n, since, due(n))).collect();
        let entered = Entry { at: since, kind: EntryKind::Entered.word().to_owned(), step: None, detail: Record::new() };
        ids.extend(store.enter(&some, &vec![vec![entered]; some.len()]).unwrap());
    }
    ids
}

fn somebody(n: u64, since: Timestamp, due: Timestamp) -> NewParticipant {
    let text = |text: String| model::Value::text(text);
    let email = format!("person{n}@company{}.example", n / 10);
    let fields = [
        ("identifyId", text(email.clone())),
        ("firstName", text(format!("Given {n}"))),
        ("lastName", text(format!("Family {n}"))),
        ("accountId", text(format!("account-{:08}", n / 10))),
        ("title", text("Customer success manager".to_owned())),
        ("numberOfVisits", model::Value::Int(17)),
    ];
    NewParticipant {
        journey: "waits".to_owned(),
        key: email.clone(),
        px_id: Some(email.clone()),
        email: Some(email),
        fields: fields.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        facts: Vec::new(),
        state: ParticipantState::Waiting,
        step: Some("wait 0".to_owned()),
        since,
        due: Some(due),
        reason: None,
        entered: since,
        ended: None,
        revision: 1,
    }
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond() + seconds * 1_000_000).unwrap()
}

/// Each wave moves everybody one step, by a host that runs once: what it does besides counts, too.
fn live(people: u64) {
    let folder = workspace();
    let begin = Timestamp::now();
    drop(enter(&state(folder.path()), people, begin, |_| later(begin, DAY)));
    let clock = Clock::by_hand(begin);
    let opened = Workspace::open(Some(folder.path()), false, clock.clone()).unwrap();
    let session = Session::open(&opened).unwrap();
    let loaded = opened.load();
    let silent: Notify = Arc::new(|_| ());
    let run = || once(&opened, &session, &loaded, &silent, |_| ()).unwrap();
    run();
    let mut rates = Vec::new();
    for wave in 1..=WAVES {
        clock.set(later(begin, DAY * i64::try_from(wave).unwrap()));
        let start = Instant::now();
        run();
        rates.push(people as f64 / start.elapsed().as_secs_f64());
    }
    let moved = session.store.step_counts("waits").unwrap();
    let there = moved.iter().find(|(step, ..)| *step == format!("wait {WAVES}")).map_or(0, |(_, reached, _)| *reached);
    assert!(there >= people, "{moved:?}");
    session.stop.request();
    session.close();
    let (rate, bare) = (median(rates), bare(people));
    println!("live steps, {people} people in the journey: {rate:.0}/s (median of {WAVES} waves, bar 3000)");
    println!("the same row updates in a bare loop: {bare:.0}/s; ratio {:.2} (bar 0.40)", rate / bare);
}

/// The same rows written by the same transactions, without the journey: steps a second.
fn bare(people: u64) -> f64 {
    let folder = workspace();
    let begin = Timestamp::now();
    let ids = enter(&state(folder.path()), people, begin, |_| later(begin, DAY));
    let mut sql = Connection::open(folder.path().join(".tabi/state.db")).unwrap();
    sql.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA wal_autocheckpoint = 4000;").unwrap();
    sql.set_prepared_statement_cache_capacity(16);
    let mut rates = Vec::new();
    for wave in 1..=WAVES {
        let start = Instant::now();
        let (since, step) = (later(begin, DAY * i64::try_from(wave).unwrap()).as_microsecond(), format!("wait {wave}"));
        for some in ids.chunks(usize::try_from(BATCH).unwrap()) {
            let all = sql.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).unwrap();
            all.prepare_cached("INSERT INTO journey_steps (journey, name) VALUES ('waits', ?1) ON CONFLICT DO NOTHING")
                .unwrap()
                .execute([&step])
                .unwrap();
            let number: i64 = all
                .prepare_cached("SELECT id FROM journey_steps WHERE journey = 'waits' AND name = ?1")
                .unwrap()
                .query_row([&step], |row| row.get(0))
                .unwrap();
            let mut update = all.prepare_cached("UPDATE participants SET state = 'waiting', step = ?2, since = ?3, due = ?4 WHERE id = ?1").unwrap();
            let mut tell =
                all.prepare_cached("INSERT INTO timeline (participant, at, kind, step, detail) VALUES (?1, ?2, 'moved', ?3, '{}')").unwrap();
            let mut reach =
                all.prepare_cached("INSERT INTO milestones (step, kind, participant) VALUES (?1, 'reached', ?2) ON CONFLICT DO NOTHING").unwrap();
            for id in some {
                update.execute(params![id.as_i64(), step, since, since + DAY * 1_000_000]).unwrap();
                tell.execute(params![id.as_i64(), since, step]).unwrap();
                reach.execute(params![number, id.as_i64()]).unwrap();
            }
            drop((update, tell, reach));
            all.prepare_cached(
                "INSERT INTO milestone_days (step, kind, day, n) VALUES (?1, 'reached', ?2, ?3) ON CONFLICT (step, kind, day) DO UPDATE SET n = n + ?3",
            )
            .unwrap()
            .execute(params![number, since / (DAY * 1_000_000), i64::try_from(some.len()).unwrap()])
            .unwrap();
            all.commit().unwrap();
        }
        rates.push(people as f64 / start.elapsed().as_secs_f64());
    }
    median(rates)
}

/// A host with so many people who wait: how soon it is there, how late its timers are, what it costs while nothing happens.
fn waiting(people: u64) {
    let folder = workspace();
    let store = state(folder.path());
    let begin = Timestamp::now();
    enter(&store, people, begin, |n| later(begin, 30 * DAY + i64::try_from(n % 86_400).unwrap()));
    let soon = later(Timestamp::now(), 10);
    let timers: Vec<(NewParticipant, Timestamp)> =
        (0..TIMERS).map(|n| later(soon, 3 * n)).zip(people..).map(|(due, n)| (somebody(n, later(due, -DAY), due), due)).collect();
    let ids = store.enter(&timers.iter().map(|(person, _)| person.clone()).collect::<Vec<_>>(), &[]).unwrap();
    let start = Instant::now();
    let mut host = Stopped(tabi(folder.path(), &["up", "--json"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut lines = BufReader::new(host.0.stdout.take().unwrap()).lines();
    while lines.next().unwrap().unwrap().parse::<Value>().unwrap()["type"] != "ready" {}
    println!("a host with {people} people who wait: ready in {:.2} s (bar 3)", start.elapsed().as_secs_f64());
    // What it tells is read, or it would wait for a reader.
    std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    let mut worst = 0.0_f64;
    for (id, (_, due)) in ids.iter().zip(&timers) {
        while store.participant(*id).unwrap().unwrap().step.as_deref() == Some("wait 0") {
            assert!(Timestamp::now() < later(*due, 60), "a timer never fired");
            std::thread::sleep(Duration::from_millis(5));
        }
        worst = worst.max(Timestamp::now().duration_since(*due).as_secs_f64());
    }
    println!("its timers fire {worst:.2} s late at most (of {TIMERS}, bar 1)");
    std::thread::sleep(Duration::from_secs(2));
    let before = ticks(host.0.id());
    std::thread::sleep(IDLE);
    let used = (ticks(host.0.id()) - before) as f64 / IDLE.as_secs_f64();
    println!("and takes {used:.2} % of a processor while they wait (over {} s, bar 1), peak {} MB", IDLE.as_secs(), peak_of(host.0.id()) / 1024);
}

/// Hundredths of a second on a processor: Linux counts them so for every program.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let after_name = stat.rsplit_once(") ").unwrap().1;
    after_name.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum()
}

/// The onboarding journey of the examples over 90 virtual days.
fn simulated(people: u64) {
    let start = Instant::now();
    let count = people.to_string();
    let args = ["simulate", "new-customer-onboarding", "--participants", &count, "--json"];
    let said = tempfile::NamedTempFile::new().unwrap();
    let out = said.reopen().unwrap();
    let mut child = tabi(Path::new(env!("CARGO_MANIFEST_DIR")), &args).stdout(out).stderr(Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(peak_of(child.id()));
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = start.elapsed().as_secs_f64();
    let document: Value = serde_json::from_slice(&fs::read(said.path()).unwrap()).unwrap();
    let events = document["events"].as_u64().unwrap();
    println!(
        "90 virtual days of {people} people: {seconds:.1} s (bar 60 for 100000), {events} events, {:.0}/s, peak {} MB (bar 500)",
        events as f64 / seconds,
        peak / 1024
    );
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
