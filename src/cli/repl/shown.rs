//! What an evaluation came to, shown: values, planned changes below them, and what went wrong with its place.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    flow::{Notice, Notify},
    host::console::{Console, Wrong},
    model::{Fault, FaultKind},
    script::{self, Evaluated, PrintSink, RunError},
};

use crate::cli::{
    Context, Exit, Failure,
    exit::{Spot, exit_of},
    render::{DIM, Fold, WARN, many, paint, told, value},
};

/// Changes of one evaluation shown one by one; the rest is counted.
const SHOWN: usize = 20;

/// What evaluations would change, until it is shown.
#[derive(Clone, Default)]
pub(super) struct Planned(Arc<Mutex<Vec<Notice>>>);

impl Planned {
    pub(super) fn notify(&self) -> Notify {
        let held = Arc::clone(&self.0);
        Arc::new(move |notice| {
            if !matches!(notice, Notice::Progress { .. }) {
                held.lock().unwrap_or_else(PoisonError::into_inner).push(notice);
            }
        })
    }

    /// Shows what would change: below the value for people, on standard error where standard output is for programs.
    pub(super) fn show(&self, cx: &Context) {
        let notices = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut changes = 0;
        for notice in &notices {
            if let Notice::Warning { message, .. } = notice {
                cx.out.note(format!("{} {message}", paint(WARN, "warning:")));
                continue;
            }
            let Some((_, text)) = told(notice) else { continue };
            changes += 1;
            if changes <= SHOWN {
                say(&text, cx);
            }
        }
        if changes > SHOWN {
            say(&paint(DIM, format!("  and {} more", changes - SHOWN)).to_string(), cx);
        }
        if changes > 0 {
            say(&paint(DIM, format!("  planned: {}; nothing was written", many(changes as u64, "change"))).to_string(), cx);
        }
    }
}

fn say(text: &str, cx: &Context) {
    if cx.out.is_json() { cx.out.note(text) } else { cx.out.line(text) }
}

/// Shows a value to people.
pub(super) fn shown(evaluated: &Evaluated, fold: Fold, cx: &Context) {
    let text = value(&evaluated.value, fold);
    if !text.is_empty() {
        cx.out.line(text);
    }
}

/// What a script prints belongs to its result, unless that is for programs. Nobody left to read ends it.
pub(super) fn print(console: &Console, cx: &Context) -> PrintSink {
    let (out, cancel) = (cx.out.clone(), console.cancel.clone());
    Arc::new(move |line| {
        if out.is_json() {
            out.note(line);
        } else {
            out.line(line);
            // Somebody may be watching a long evaluation.
            out.flush();
        }
        if out.is_closed() {
            cancel.request();
        }
    })
}

/// Tells people what is wrong, with source lines and carets, and makes it a failure for programs.
pub(super) fn failure(wrong: &Wrong, console: &Console, cx: &Context) -> Failure {
    if let Some(trouble) = console.reach.trouble() {
        return trouble.into();
    }
    let interrupted = matches!(&wrong.error, RunError::Failed(failed) if failed.fault.kind == FaultKind::Interrupted);
    if interrupted {
        cx.out.note(paint(WARN, "cancelled"));
    } else {
        for finding in &wrong.diagnostics {
            let text = |file: &str| wrong.sources.iter().find(|(name, _)| name == file).map(|(_, text)| text.as_str());
            cx.out.note(script::render(finding, text, cx.out.is_colored()));
        }
    }
    let first = wrong.diagnostics.iter().find(|finding| finding.is_error());
    let place = first.map(|at| Box::new(Spot { file: at.file.clone(), line: at.line as usize, column: at.column as usize }));
    let failure = match (&wrong.error, first) {
        (RunError::Failed(failed), _) => {
            let exit = if failed.fault.kind == FaultKind::Script { Exit::Failed } else { exit_of(&failed.fault) };
            Failure { exit, ..Failure::from(Fault::clone(&failed.fault)) }
        }
        (RunError::Unsound { .. }, Some(finding)) => {
            Failure { hint: finding.hint.clone(), ..Failure::new(Exit::Scripts, finding.code, finding.message.clone()) }
        }
        (RunError::Unsound { .. }, None) => Failure::new(Exit::Scripts, "script", wrong.error.to_string()),
    };
    Failure { place: place.filter(|at| at.line > 0), shown: true, ..failure }
}
