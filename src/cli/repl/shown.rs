//! What an evaluation came to, shown: values, planned changes below them, and what went wrong with its place.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    flow::{Notice, Notify},
    host::console::Refused,
    model::FaultKind,
    script::{Evaluated, PrintSink},
};

use crate::cli::{
    Context, Exit, Failure,
    exit::{Spot, exit_of},
    render::{DIM, Fold, WARN, many, paint, told, value},
};

use super::partner::Cancel;

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
pub(super) fn print(cancel: Cancel, cx: &Context) -> PrintSink {
    let out = cx.out.clone();
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
pub(super) fn failure(refused: &Refused, cx: &Context) -> Failure {
    if refused.fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::Interrupted) {
        cx.out.note(paint(WARN, "cancelled"));
    } else {
        for finding in &refused.shown {
            cx.out.note(finding);
        }
    }
    let failure = match &refused.fault {
        Some(fault) => {
            let exit = if fault.kind == FaultKind::Script { Exit::Failed } else { exit_of(fault) };
            Failure { exit, ..Failure::from(fault.clone()) }
        }
        None => Failure { hint: refused.hint.clone(), ..Failure::new(Exit::Scripts, refused.code.clone(), refused.message.clone()) },
    };
    let place = refused.place.as_ref().map(|(file, line, column)| Spot { file: file.clone(), line: *line as usize, column: *column as usize });
    Failure { place: place.map(Box::new), shown: true, ..failure }
}
