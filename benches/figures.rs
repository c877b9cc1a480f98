//! The figures that users feel, of the real command in processes of its own: `cargo bench --bench figures` prints them.
//! `cargo bench --bench figures -- 100000` pushes that many accounts instead of 100,000 and 1,000,000. Linux only: memory comes from /proc.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, missing_docs)]

/// Processes that are watched.
mod support;

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use support::{Stopped, peak_of};

const PUSH: &str = r#"
pendo::salesforce_integration("push", #{
    object: "Account", key: #{ pendo: "accountId", salesforce: "Id" },
    push: [#{ report: pendo::account_report(#{ days: 30, columns: ["active_visitors", "time_on_site", "last_visit"] }),
              fields: #{ Pendo_numberofvisitors_last30d__c: "active_visitors",
                         Pendo_timeonsite_last30d__c: |row| math::round(row.time_on_site / 60.0, 1),
                         Pendo_lastvisit_last30d__c: |row| date(row.last_visit) } }],
});
"#;

/// Empties one field of one account in a hundred.
const TOUCH: &str = r#"
let rows = salesforce::query("SELECT Id FROM Account WHERE Pendo_lastvisit_last30d__c != null ORDER BY Id LIMIT LIMIT_HERE");
salesforce::update("Account", rows.map(|row| #{ Id: row.Id, Pendo_lastvisit_last30d__c: () }));
rows.len()
"#;

fn main() {
    let sizes: Vec<u64> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    checks();
    saves(100, 100);
    saves(1_000, 300);
    backtests();
    let peaks: Vec<(u64, u64)> = if sizes.is_empty() { vec![100_000, 1_000_000] } else { sizes }.into_iter().map(|size| (size, push(size))).collect();
    if let [(small, low), (large, high)] = peaks.as_slice() {
        println!("peak memory at {large} accounts / at {small}: {:.2}", *high as f64 / *low as f64);
    }
}

fn tabi(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tabi"));
    command.args(args).current_dir(folder).stdin(Stdio::null()).env("NO_COLOR", "1");
    command
}

fn workspace(scripts: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tabi.toml"), "").unwrap();
    fs::create_dir(folder.path().join("scripts")).unwrap();
    for n in 0..scripts {
        fs::write(folder.path().join(format!("scripts/s{n}.rhai")), script(n, 0)).unwrap();
    }
    folder
}

/// A script of usual size: a mapping with a helper function, constants and closures.
fn script(n: usize, revision: usize) -> String {
    format!(
        r#"
// Revision {revision}.
const FACTOR = {n};
fn shown(city, country) {{ if city == () {{ country }} else {{ `${{city}}, ${{country}}` }} }}
mapping("m{n}", #{{
    from: gainsight::object("Company"), to: salesforce::object("Account"), match_on: #{{ Id: "SfdcAccountId" }},
    fields: #{{
        F{n}_name__c: "Name", F{n}_industry__c: "Industry", F{n}_arr__c: "Arr",
        F{n}_place__c: |c| shown(c.Stage, c.Status),
        F{n}_score__c: |c| math::round(c.CurrentScore * global::FACTOR, 1),
        F{n}_tier__c: |c| if c.Employees > 1000 {{ "large" }} else if c.Employees > 100 {{ "middle" }} else {{ "small" }},
    }},
    every: "24h",
}});
"#
    )
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1_000.0
}

fn checks() {
    let folder = workspace(100);
    let times = (0..21).map(|_| {
        let start = Instant::now();
        let output = tabi(folder.path(), &["check", "--json"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        start.elapsed()
    });
    println!("tabi check of 100 scripts, the process included: {:.0} ms (median of 21)", median(times.collect()));
}

/// From the write of a file to the receipt on the host's standard output.
fn saves(scripts: usize, bar: u32) {
    let folder = workspace(scripts);
    let mut host = Stopped(tabi(folder.path(), &["up", "--json", "--sandbox"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut lines = BufReader::new(host.0.stdout.take().unwrap()).lines();
    let mut receipt = |after: u64| loop {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        match line["generation"].as_u64() {
            Some(generation) if generation > after => return generation,
            _ => (),
        }
    };
    let mut generation = receipt(0);
    let mut times = Vec::new();
    for revision in 1..=21 {
        std::thread::sleep(Duration::from_millis(300));
        let start = Instant::now();
        fs::write(folder.path().join("scripts/s50.rhai"), script(50, revision)).unwrap();
        generation = receipt(generation);
        times.push(start.elapsed());
    }
    println!("a save is live, {scripts} scripts in the folder: {:.0} ms (median of 21, bar {bar})", median(times));
}

/// A push of a report over 1,000 accounts, saved with another closure: what the host says its back-test took.
fn backtests() {
    let folder = workspace(0);
    fs::write(folder.path().join("tabi.toml"), "[sandbox]\naccounts = 1200\npeople = 1200\n").unwrap();
    let save = |revision: usize| {
        let text = PUSH.replace("row.time_on_site / 60.0", &format!("row.time_on_site / 60.0 + {revision}.0"));
        fs::write(folder.path().join("scripts/.push"), text).unwrap();
        fs::rename(folder.path().join("scripts/.push"), folder.path().join("scripts/push.rhai")).unwrap();
    };
    save(0);
    assert!(tabi(folder.path(), &["run", "--json"]).output().unwrap().status.code().is_some_and(|code| code < 2));
    let mut host = Stopped(tabi(folder.path(), &["up", "--json"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut lines = BufReader::new(host.0.stdout.take().unwrap()).lines();
    let mut wait = |kind: &str| loop {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if line["type"] == kind {
            return line;
        }
    };
    wait("ready");
    let (mut told, mut ran, mut records) = (Vec::new(), Vec::new(), 0);
    for revision in 1..=11 {
        std::thread::sleep(Duration::from_millis(300));
        save(revision);
        wait("reload");
        let start = Instant::now();
        let line = wait("backtest");
        told.push(start.elapsed());
        ran.push(Duration::from_millis(line["millis"].as_u64().unwrap()));
        records = line["records"].as_u64().unwrap();
        assert_eq!(line["error"], Value::Null);
    }
    let (ran, told) = (median(ran), median(told));
    println!("a back-test of both versions over {records} records: {ran:.0} ms, told {told:.0} ms after the receipt (medians of 11, bar 200)");
}

/// Pushes a report of so many accounts; prints rates and gives back the peak memory in kB of the run that compares.
fn push(accounts: u64) -> u64 {
    let folder = workspace(0);
    fs::write(folder.path().join("scripts/push.rhai"), PUSH).unwrap();
    fs::write(folder.path().join("touch.rhai"), TOUCH.replace("LIMIT_HERE", &(accounts / 100).to_string())).unwrap();
    let count = accounts.to_string();
    let start = Instant::now();
    let mut sandbox =
        Stopped(tabi(folder.path(), &["sandbox", "--json", "--accounts", &count, "--people", &count]).stdout(Stdio::piped()).spawn().unwrap());
    let mut ready = String::new();
    BufReader::new(sandbox.0.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    println!("sandbox of {accounts} accounts and people: ready in {:.1} s", start.elapsed().as_secs_f64());
    let (first, _) = run(folder.path(), "everything differs");
    let touched = tabi(folder.path(), &["exec", "touch.rhai", "--json"]).output().unwrap();
    assert!(touched.status.success(), "{}", String::from_utf8_lossy(&touched.stderr));
    let (second, peak) = run(folder.path(), "1 % differs");
    assert!(first["written"].as_u64().unwrap() > second["written"].as_u64().unwrap());
    println!("sandbox of {accounts} accounts: peak {} MB", peak_of(sandbox.0.id()) / 1024);
    peak
}

fn run(folder: &Path, what: &str) -> (Value, u64) {
    let start = Instant::now();
    let mut child = tabi(folder, &["run", "--json"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(peak_of(child.id()));
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = start.elapsed().as_secs_f64();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let summary: Value = serde_json::from_str(text.lines().last().unwrap_or_default()).unwrap_or_else(|e| panic!("{e}: {text}"));
    let rows = summary["read"].as_u64().unwrap();
    println!(
        "push, {what}: {rows} rows read, {} written, {} rejected in {seconds:.1} s: {:.0} rows/s, peak {} MB",
        summary["written"],
        summary["rejected"],
        rows as f64 / seconds,
        peak / 1024
    );
    (summary, peak)
}
