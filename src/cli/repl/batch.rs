//! From the command line, or line by line from a pipe: no prompt, no paging; the first failure ends it.

use std::io::{BufRead as _, BufReader, Read, Take};

use crate::{
    cli::render::Fold,
    host::on_interrupt,
    script::{Evaluated, lex},
};

use super::{
    Context, Exit, Failure,
    partner::Partner,
    shown::{Planned, shown},
};

/// Bytes of one line from a pipe: a little more than one input may have, so that it is refused as an input.
const LONGEST: u64 = (1 << 20) + 2;

/// Evaluates expressions of the command line. For people every value is printed, for programs the last one.
pub(super) fn given(inputs: &[String], partner: &mut Partner, live: bool, planned: &Planned, cx: &Context) -> Result<Exit, Failure> {
    interrupts(partner)?;
    let mut last = None;
    for input in inputs {
        last = Some(one(input, partner, live, planned, cx)?);
    }
    if let Some(evaluated) = last {
        cx.out.json(&evaluated.value);
    }
    Ok(Exit::Done)
}

/// Evaluates standard input: a line, or as many as it takes to close what is open. For programs each value is one line of JSON.
pub(super) fn piped(partner: &mut Partner, live: bool, planned: &Planned, cx: &Context) -> Result<Exit, Failure> {
    interrupts(partner)?;
    let mut lines = Lines { from: BufReader::new(std::io::stdin()).take(0), number: 0 };
    let mut input = String::new();
    while let Some(line) = lines.next()? {
        input.push_str(&line);
        if lex(&input).is_incomplete() && (input.len() as u64) < LONGEST {
            input.push('\n');
            continue;
        }
        let input = std::mem::take(&mut input);
        if !input.trim().is_empty() {
            cx.out.json(&one(&input, partner, live, planned, cx)?.value);
            cx.out.flush();
        }
    }
    if !input.trim().is_empty() {
        cx.out.json(&one(&input, partner, live, planned, cx)?.value);
    }
    Ok(Exit::Done)
}

/// The first interrupt ends the evaluation, and so the command; the second does not wait for it.
fn interrupts(partner: &Partner) -> Result<(), Failure> {
    let cancel = partner.cancel();
    on_interrupt(move || {
        if cancel.requested() {
            std::process::exit(Exit::Interrupted as i32);
        }
        cancel.request();
    })?;
    Ok(())
}

fn one(input: &str, partner: &mut Partner, live: bool, planned: &Planned, cx: &Context) -> Result<Evaluated, Failure> {
    let outcome = partner.evaluate(input, live, cx).map_err(|stopped| *stopped.failure);
    if let Ok(evaluated) = &outcome {
        shown(evaluated, Fold::Nothing, cx);
    }
    planned.show(cx);
    outcome
}

/// Lines of a stream that may be anything: none is longer than what can be evaluated.
struct Lines<R> {
    from: Take<R>,
    number: u64,
}

impl<R: std::io::BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<String>, Failure> {
        let mut bytes = Vec::new();
        self.from.set_limit(LONGEST);
        self.number += 1;
        let read = self.from.read_until(b'\n', &mut bytes);
        let length = read.map_err(|error| Failure::new(Exit::Failed, "io", format!("standard input cannot be read: {error}")))?;
        if length == 0 {
            return Ok(None);
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to() + 1;
            Failure::new(Exit::Scripts, "E0102", format!("line {} of standard input is not UTF-8: byte {at}", self.number))
        })?;
        Ok(Some(text))
    }
}
