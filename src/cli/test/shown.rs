//! Results for people and as JSON lines.

use serde_json::{Value as Json, json};

use crate::{
    cli::{
        Context,
        render::{ADD, BAD, BOLD, DIM, GOOD, REMOVE, WARN, diagnostics, many, paint, seconds},
    },
    host::test::{Ended, Outcome, Report, Suite},
    script::{Broken, TestFile, render},
};

/// Tells what is wrong with the scripts: no test was run.
pub(super) fn broken_scripts(suite: &Suite, cx: &Context) {
    let generation = &suite.loaded.generation;
    let found = generation.diagnostics();
    for finding in found {
        cx.out.json(&diagnostic(finding));
    }
    for text in diagnostics(found, generation, &cx.out) {
        cx.out.line(format!("{text}\n"));
    }
    cx.out.json(&summary(suite, &Report::default()));
    let errors = found.iter().filter(|finding| finding.is_error()).count() as u64;
    cx.out.line(format!("{} in the scripts: no test was run", paint(BAD, many(errors, "error"))));
}

/// Tells what is wrong with test files; the others are run.
pub(super) fn broken_files(suite: &Suite, cx: &Context) {
    for file in &suite.files {
        for finding in &file.diagnostics {
            cx.out.json(&diagnostic(finding));
            cx.out.line(format!("{}\n", render(finding, |name| file.text(name).or_else(|| suite.loaded.generation.text(name)), cx.out.is_colored())));
        }
    }
}

fn diagnostic(finding: &crate::script::Diagnostic) -> Json {
    let mut line = json!(finding);
    line["type"] = "diagnostic".into();
    line
}

/// Tells of one test after the other.
pub(super) struct Told<'a> {
    suite: &'a Suite,
    cx: &'a Context,
    /// The file of the last one.
    file: Option<String>,
}

impl<'a> Told<'a> {
    pub(super) const fn new(suite: &'a Suite, cx: &'a Context) -> Self {
        Self { suite, cx, file: None }
    }

    pub(super) fn outcome(&mut self, outcome: &Outcome) {
        let out = &self.cx.out;
        out.json(&document(outcome));
        if self.file.as_ref() != Some(&outcome.file) {
            out.line(paint(BOLD, &outcome.file));
            self.file = Some(outcome.file.clone());
        }
        let (style, word) = match outcome.ended() {
            Ended::Passed => (GOOD, "ok"),
            Ended::Failed => (BAD, "FAILED"),
            Ended::TimedOut => (BAD, "HANGS"),
        };
        let took = paint(DIM, format!("({})", seconds(outcome.took.as_secs_f64()))).to_string();
        out.line(format!("  {} {}  {took}", paint(style, format!("{word:<6}")), outcome.name));
        if let Some(broken) = &outcome.broken {
            let file = self.suite.files.iter().find(|file| file.name == outcome.file);
            out.line(self.failure(file, outcome, broken));
        }
        out.flush();
    }

    /// The place with its line, both values, what differs, and what the test printed.
    fn failure(&self, file: Option<&TestFile>, outcome: &Outcome, broken: &Broken) -> String {
        let source = |name: &str| file.and_then(|file| file.text(name)).or_else(|| self.suite.loaded.generation.text(name));
        let mut lines: Vec<String> = render(&broken.diagnostic, source, self.cx.out.is_colored()).lines().map(str::to_owned).collect();
        for (side, value) in [(" left", &broken.left), ("right", &broken.right)] {
            if let Some(value) = value {
                let text = serde_json::to_string(value).unwrap_or_default();
                lines.push(format!("{}: {}", paint(DIM, side), shortened(&text)));
            }
        }
        lines.extend(broken.difference.iter().map(|line| coloured(line)));
        if !outcome.printed.is_empty() {
            lines.push(paint(DIM, "printed:").to_string());
            lines.extend(outcome.printed.iter().map(|line| format!("| {line}")));
        }
        lines.iter().map(|line| format!("      {line}").trim_end().to_owned()).collect::<Vec<_>>().join("\n") + "\n"
    }
}

/// Values too long for a line are told by their difference.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(400) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn coloured(line: &str) -> String {
    match line.chars().next() {
        Some('-') => paint(REMOVE, line).to_string(),
        Some('+') => paint(ADD, line).to_string(),
        _ => line.to_owned(),
    }
}

fn document(outcome: &Outcome) -> Json {
    json!({
        "type": "test", "file": outcome.file, "name": outcome.name, "line": outcome.line, "status": outcome.ended().word(),
        "seconds": outcome.took.as_secs_f64(), "printed": outcome.printed, "failure": outcome.broken.as_deref().map(failure),
    })
}

fn failure(broken: &Broken) -> Json {
    let mut told = json!(broken.diagnostic);
    let values = [("left", json!(broken.left)), ("right", json!(broken.right)), ("difference", json!(broken.difference))];
    for (name, value) in values {
        told[name] = value;
    }
    told
}

fn summary(suite: &Suite, report: &Report) -> Json {
    let count = |ended| report.outcomes.iter().filter(|one| one.ended() == ended).count();
    let errors = suite.files.iter().filter(|file| !file.is_sound()).count();
    json!({
        "type": "summary", "files": suite.files.len(), "tests": report.outcomes.len(), "passed": count(Ended::Passed),
        "failed": count(Ended::Failed), "timed_out": count(Ended::TimedOut), "filtered": report.filtered, "broken_files": errors,
        "unused_snapshots": report.unused, "seconds": report.took.as_secs_f64(),
    })
}

/// What all of it came to.
pub(super) fn report(suite: &Suite, report: &Report, cx: &Context) {
    cx.out.json(&summary(suite, report));
    if suite.files.is_empty() {
        let what = "No tests: files under tests/ called NAME_test.rhai or test_NAME.rhai, or with a line that begins with `test(`, hold them.";
        return cx.out.line(what);
    }
    for path in &report.unused {
        let what = if report.removed { "removed, no test compares it:" } else { "no test compares it (`--update` removes it):" };
        cx.out.line(format!("{} {what} {path}", paint(WARN, "snapshot")));
    }
    let broken = suite.files.iter().filter(|file| !file.is_sound()).count() as u64;
    if report.outcomes.is_empty() && report.filtered > 0 {
        return cx.out.line(format!("No test matches: {} in {}.", many(report.filtered as u64, "test"), many(suite.files.len() as u64, "file")));
    }
    let passed = report.outcomes.iter().filter(|one| one.ended() == Ended::Passed).count() as u64;
    let failed = report.outcomes.len() as u64 - passed;
    let mut parts = vec![paint(GOOD, format!("{passed} passed")).to_string()];
    if failed > 0 {
        parts.push(paint(BAD, format!("{failed} failed")).to_string());
    }
    if broken > 0 {
        parts.push(paint(BAD, format!("{} with errors", many(broken, "file"))).to_string());
    }
    if report.filtered > 0 {
        parts.push(paint(DIM, format!("{} left out", report.filtered)).to_string());
    }
    cx.out.line(format!("\n{} {}", parts.join(", "), paint(DIM, format!("({})", seconds(report.took.as_secs_f64())))));
}
