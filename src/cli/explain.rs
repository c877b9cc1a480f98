//! `tabi explain CODE`: what a diagnostic code means, what triggers it, and the same mended.

use clap::Args;
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use serde_json::json;

use crate::script::{CODES, Code, Example, explain as known, page};

use super::{
    Context, Exit, Failure,
    render::{BOLD, DIM, paint},
};

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The code, such as E0402 [default: list all of them].
    #[arg(add = ArgValueCandidates::new(codes))]
    code: Option<String>,
}

/// Explains one code, or lists all of them.
pub(crate) fn explain(args: &Explain, cx: &Context) -> Result<Exit, Failure> {
    let Some(code) = &args.code else {
        cx.out.json(&CODES.iter().map(|code| json!({"code": code.code, "severity": code.severity, "title": code.title})).collect::<Vec<_>>());
        for code in CODES {
            cx.out.line(format!("{} {}", paint(BOLD, code.code), code.title));
        }
        return Ok(Exit::Done);
    };
    match known(code.trim()) {
        Some(code) => {
            explained(code, cx);
            Ok(Exit::Done)
        }
        None => Err(unknown(code)),
    }
}

/// The page of a code.
pub(super) fn explained(code: &Code, cx: &Context) {
    let page = page(code.code).unwrap_or_default();
    cx.out.json(&json!({
        "code": code.code, "severity": code.severity, "title": code.title, "explanation": code.explanation, "wrong": page.wrong, "right": page.right,
    }));
    let head = format!("{}: {}", code.severity.word(), code.title);
    cx.out.line(format!("{} {}\n\n  {}", paint(BOLD, code.code), paint(BOLD, head), code.explanation));
    for (what, examples) in [("this gives it", &page.wrong), ("mended", &page.right)] {
        for (at, example) in examples.iter().enumerate() {
            shown(if at == 0 { what } else { "and" }, example, cx);
        }
    }
}

fn shown(what: &str, example: &Example, cx: &Context) {
    let place = if example.file == "sh" { "in a shell" } else { example.file };
    cx.out.line(paint(DIM, format!("\n  {what} ({place})")));
    for line in example.text.lines() {
        cx.out.line(format!("    {line}").trim_end());
    }
}

/// Says so, with the codes that are nearest.
fn unknown(code: &str) -> Failure {
    let wanted = code.trim().to_uppercase();
    let mut near: Vec<(usize, &str)> = CODES.iter().map(|known| (strsim::levenshtein(&wanted, known.code), known.code)).collect();
    near.sort_unstable();
    let near: Vec<&str> = near.iter().filter(|(distance, _)| *distance <= 1).map(|(_, code)| *code).take(4).collect();
    let hint = if near.is_empty() { "`tabi explain` lists all of them".to_owned() } else { format!("did you mean {}?", near.join(" or ")) };
    Failure::new(Exit::Usage, "unknown_code", format!("there is no code `{code}`")).hint(hint)
}

/// For the shell: every code with its title.
fn codes() -> Vec<CompletionCandidate> {
    CODES.iter().map(|code| CompletionCandidate::new(code.code).help(Some(code.title.into()))).collect()
}
