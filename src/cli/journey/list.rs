//! `tabi journey list`: the journeys that are declared.

use serde_json::{Value, json};

use crate::{
    cli::{
        Context, Exit, Failure,
        render::{DIM, Tint, many, paint, plain, table, tinted},
    },
    script::Declaration,
};

/// Lists them.
pub(super) fn list(cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let journeys = super::declared(&workspace, cx)?;
    cx.out.json(&journeys.iter().map(|journey| document(journey)).collect::<Vec<_>>());
    if journeys.is_empty() {
        cx.out.line(paint(DIM, "No journey is declared."));
        return Ok(Exit::Done);
    }
    let rows = journeys.iter().map(|declaration| row(declaration)).collect();
    cx.out.line(table(&["name", "model", "steps", "looks for people", "where"], rows));
    Ok(Exit::Done)
}

fn document(declaration: &Declaration) -> Value {
    let journey = super::body(declaration);
    json!({
        "name": declaration.name, "file": declaration.place.file, "line": declaration.place.line, "hash": declaration.hash,
        "schedule": declaration.schedule.as_ref().map(ToString::to_string), "after": declaration.after,
        "model": journey.map(|journey| journey.model), "type": journey.and_then(|journey| journey.program_type.as_deref()),
        "folder": journey.and_then(|journey| journey.folder.as_deref()),
        "steps": journey.map(|journey| journey.graph.steps.len()),
    })
}

fn row(declaration: &Declaration) -> Vec<comfy_table::Cell> {
    let journey = super::body(declaration);
    let when = super::show::looks(declaration);
    let place = tinted(Tint::Dim, format!("{}:{}", declaration.place.file, declaration.place.line));
    let steps = journey.map_or(0, |journey| journey.graph.steps.len() as u64);
    vec![plain(&declaration.name), plain(journey.map_or("", |journey| journey.model.word())), plain(many(steps, "step")), plain(when), place]
}
