//! `tabi up`: the host. Watches, reloads, keeps schedules, and says what happens.

use std::{collections::BTreeSet, sync::Arc};

use clap::Args;
use serde_json::json;

use crate::{
    flow::{Notice, Notify},
    host::{
        Loaded, Session, Workspace, attach,
        backtest::Backtest,
        claim::claim,
        reload::Receipt,
        up::{Tell, Told, Watching, once, up as live},
    },
    script::Diagnostic,
};

use super::{
    Context, Exit, Failure, check,
    render::{BAD, BOLD, DIM, GOOD, Out, Teller, WARN, backtest, backtest_documents, diagnostic, many, paint},
    server, work,
};

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Run everything that is due, in order, then stop; the first time that is everything.
    #[arg(long)]
    once: bool,
    /// Look for edits twice a second, where the operating system does not tell of them: network folders, containers.
    #[arg(long, conflicts_with = "once")]
    poll: bool,
}

/// Runs the host until SIGINT or SIGTERM.
pub(crate) fn up(args: &Up, cx: &Context) -> Result<Exit, Failure> {
    let mut workspace = cx.workspace()?;
    if args.once {
        return run_due(&workspace, cx);
    }
    let session = Session::open(&workspace)?;
    let only = match claim(&session, &workspace.clock) {
        Ok(lease) => lease,
        Err(error) => {
            session.stop.request();
            session.close();
            return Err(error.into());
        }
    };
    let attached = match attach::serve(&workspace, &session, &only) {
        Ok(attached) => Some(attached),
        Err(error) => {
            cx.out.note(format!("{} `tabi repl --attach` cannot reach this host: {error}", paint(WARN, "warning:")));
            None
        }
    };
    if attached.as_ref().is_some_and(|attached| attached.replaced) {
        cx.out.note(format!("{} the host before this one died; the socket that it left is replaced", paint(WARN, "warning:")));
    }
    let serving = match server::start(&mut workspace, &session) {
        Ok(serving) => serving,
        Err(failure) => {
            session.close();
            return Err(failure);
        }
    };
    let teller = Arc::new(Teller::new(&cx.out, false, false));
    let notify = notify(&teller);
    let (out, telling) = (cx.out.clone(), Arc::clone(&teller));
    let tell: Tell = Arc::new(move |told| say(&told, &out, &telling));
    let at = format!("{} {} {}", paint(BOLD, "tabi up"), workspace.root.display(), paint(DIM, place(&workspace, &session)));
    cx.out.line(at);
    if let Some(serving) = &serving {
        server::said(serving, &workspace, &session, cx);
    }
    let mut signals = session.signals();
    let watching = if args.poll { Watching::Polling } else { Watching::Told };
    live(&workspace, &session, watching, &notify, &tell, async move { signals.asked_to_stop().await });
    drop(attached);
    teller.end();
    if let Some(serving) = serving {
        session.runtime().block_on(serving.end());
    }
    session.close();
    Ok(Exit::Done)
}

fn run_due(workspace: &Workspace, cx: &Context) -> Result<Exit, Failure> {
    check::declarations(workspace, cx)?;
    let loaded: Loaded = workspace.load();
    let session = Session::open(workspace)?;
    session.stop_when_asked(|| std::process::exit(Exit::Interrupted as i32));
    let teller = Arc::new(Teller::new(&cx.out, false, false));
    let summaries = once(workspace, &session, &loaded, &notify(&teller), |summary| teller.summary(summary));
    teller.end();
    session.close();
    let summaries = summaries?;
    if summaries.is_empty() {
        cx.out.line(paint(DIM, "Nothing is due."));
    }
    Ok(work::exit(&summaries))
}

fn notify(teller: &Arc<Teller>) -> Notify {
    let teller = Arc::clone(teller);
    Arc::new(move |notice: Notice| teller.notice(&notice))
}

fn place(workspace: &Workspace, session: &Session) -> &'static str {
    match (workspace.is_sandboxed(), session.is_guest()) {
        (true, false) => "(on the sandbox)",
        (true, true) => "(on the sandbox of another process)",
        (false, _) => "",
    }
}

fn say(told: &Told<'_>, out: &Out, teller: &Teller) {
    match told {
        Told::Ready(receipt) | Told::Reloaded(receipt) => receipt_said(receipt, out),
        Told::Backtested(report) => {
            report.backtests.iter().for_each(|done| backtest_said(done, out));
        }
        Told::Began(names) => {
            out.json(&json!({"type": "began", "names": names}));
            out.line(format!("{} {}", paint(DIM, "running"), names.join(", ")));
        }
        Told::Ended(summary) => teller.summary(summary),
        Told::Configured(message) => {
            out.json(&json!({"type": "config", "message": message}));
            out.line(format!("{} {message}", paint(WARN, "config")));
        }
        Told::Trouble(message) => {
            out.json(&json!({"type": "warning", "message": message}));
            out.note(format!("{} {message}", paint(WARN, "warning:")));
        }
        Told::Stopping => {
            out.json(&json!({"type": "stopping"}));
            out.line(paint(DIM, "stopping"));
        }
    }
    out.flush();
}

/// Examples of each kind of difference.
const EXAMPLES: usize = 2;

/// What the save would make different: a `backtest` line for programs, with the differences in it.
fn backtest_said(done: &Backtest, out: &Out) {
    if out.is_json() {
        let (mut summary, differences) = backtest_documents(done);
        summary["type"] = json!("backtest");
        summary["differences"] = json!(differences);
        out.json(&summary);
    } else {
        backtest(done, EXAMPLES, out);
    }
}

/// The receipt of a reload: what is live now, and what is wrong.
fn receipt_said(receipt: &Receipt, out: &Out) {
    out.json(&receipt.document());
    let (style, verdict) = if receipt.errors().next().is_none() { (GOOD, "live") } else { (BAD, "errors") };
    let what = format!("{}, {}", many(receipt.files as u64, "file"), many(receipt.declarations as u64, "declaration"));
    let compiled = if receipt.is_first() { String::new() } else { format!("{} compiled, ", receipt.compiled.len()) };
    let took = format!("{compiled}{} ms, {}", receipt.took.as_millis(), receipt.hash.get(..12).unwrap_or(&receipt.hash));
    out.line(format!("{} generation {}: {what} {}", paint(style, verdict), receipt.generation, paint(DIM, format!("({took})"))));
    let difference = &receipt.difference;
    for (sign, names) in [("+", &difference.added), ("~", &difference.changed), ("-", &difference.removed)] {
        for name in names {
            out.line(format!("  {sign} {name}"));
        }
    }
    for finding in receipt.fresh() {
        out.line(diagnostic(finding, |file| receipt.texts.get(file).map(AsRef::as_ref), out).trim_end());
    }
    let still = receipt.still();
    for (file, findings) in &still {
        still_said(file, findings, receipt, out);
    }
    for file in receipt.kept.iter().filter(|file| !still.contains_key(file.as_str())) {
        out.line(format!("  {} {file} keeps its last good version", paint(WARN, "!")));
    }
}

/// What was said of a file before and holds as it did.
fn still_said(file: &str, findings: &[&Diagnostic], receipt: &Receipt, out: &Out) {
    let errors: Vec<&Diagnostic> = findings.iter().copied().filter(|finding| finding.is_error()).collect();
    let (style, verdict, told) = if errors.is_empty() { (WARN, "still warned of:", findings) } else { (BAD, "still broken:", errors.as_slice()) };
    let codes: BTreeSet<&str> = told.iter().map(|finding| finding.code).collect();
    let count = if told.len() > codes.len() { format!("{} findings: ", told.len()) } else { String::new() };
    let kept = if receipt.kept.iter().any(|kept| kept == file) { "; its last good version goes on" } else { "" };
    out.line(format!("  {} {file} ({count}{}){kept}", paint(style, verdict), codes.into_iter().collect::<Vec<_>>().join(", ")));
}
