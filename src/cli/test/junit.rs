//! Results as JUnit writes them, for build servers: one suite for each file. A file with errors is a suite with one error.

use quick_xml::escape::escape;

use crate::{
    host::test::{Ended, Outcome, Report, Suite},
    script::{Broken, Diagnostic, TestFile},
};

/// The whole document.
pub(super) fn document(suite: &Suite, report: &Report) -> String {
    let failed = report.outcomes.iter().filter(|one| one.ended() != Ended::Passed).count();
    let errors = suite.files.iter().filter(|file| !file.is_sound()).count();
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tabi\" tests=\"{}\" failures=\"{failed}\" errors=\"{errors}\" time=\"{:.3}\">\n",
        report.outcomes.len() + errors,
        report.took.as_secs_f64()
    );
    for file in &suite.files {
        let outcomes: Vec<&Outcome> = report.outcomes.iter().filter(|one| one.file == file.name).collect();
        if !outcomes.is_empty() || !file.is_sound() {
            text.push_str(&of_file(file, &outcomes));
        }
    }
    text.push_str("</testsuites>\n");
    text
}

fn of_file(file: &TestFile, outcomes: &[&Outcome]) -> String {
    let failed = outcomes.iter().filter(|one| one.ended() != Ended::Passed).count();
    let (errors, time): (usize, f64) = (usize::from(!file.is_sound()), outcomes.iter().map(|one| one.took.as_secs_f64()).sum());
    let mut text = format!(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" errors=\"{errors}\" time=\"{time:.3}\">\n",
        clean(&file.name),
        outcomes.len() + errors
    );
    if !file.is_sound() {
        let said: Vec<String> = file.diagnostics.iter().map(said).collect();
        let first = file.diagnostics.iter().find(|finding| finding.is_error()).map(|finding| finding.message.as_str()).unwrap_or_default();
        text.extend([format!(
            "    <testcase classname=\"{0}\" name=\"{0}\" time=\"0\">\n      <error message=\"{1}\">{2}</error>\n    </testcase>\n",
            clean(&file.name),
            clean(first),
            clean(&said.join("\n"))
        )]);
    }
    for outcome in outcomes {
        text.push_str(&of_test(outcome));
    }
    text.push_str("  </testsuite>\n");
    text
}

fn of_test(outcome: &Outcome) -> String {
    let mut text = format!(
        "    <testcase classname=\"{}\" name=\"{}\" file=\"{0}\" line=\"{}\" time=\"{:.3}\">\n",
        clean(&outcome.file),
        clean(&outcome.name),
        outcome.line,
        outcome.took.as_secs_f64()
    );
    if let Some(broken) = &outcome.broken {
        let kind = broken.diagnostic.code;
        text.extend([format!(
            "      <failure type=\"{kind}\" message=\"{}\">{}</failure>\n",
            clean(&broken.diagnostic.message),
            clean(&detail(broken))
        )]);
    }
    if !outcome.printed.is_empty() {
        text.extend([format!("      <system-out>{}</system-out>\n", clean(&outcome.printed.join("\n")))]);
    }
    text.push_str("    </testcase>\n");
    text
}

fn said(finding: &Diagnostic) -> String {
    format!("{}:{}:{}: {} {}", finding.file, finding.line, finding.column, finding.code, finding.message)
}

fn detail(broken: &Broken) -> String {
    let value = |side: &str, value: &Option<crate::model::Value>| value.as_ref().map(|value| format!("{side}: {value}"));
    let values = [value("left", &broken.left), value("right", &broken.right)].into_iter().flatten();
    std::iter::once(said(&broken.diagnostic)).chain(values).chain(broken.difference.iter().cloned()).collect::<Vec<_>>().join("\n")
}

/// Text as XML can hold it: escaped, and without control characters, which XML 1.0 has no way to write.
fn clean(text: &str) -> String {
    let kept: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
    escape(kept.as_str()).into_owned()
}
