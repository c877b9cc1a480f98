//! `tabi journey show NAME --revisions`: the flows that people went through, newest first; `--revision N` shows one of them.

use serde_json::{Value, json};

use crate::{
    cli::{
        Context, Exit, Failure,
        render::{BOLD, DIM, paint, plain, table, time},
    },
    flow::journey::{Changes, sources},
    host::Workspace,
    model::Graph,
    store::Revision,
};

/// Lists all revisions, each with what it changed.
pub(super) fn list(workspace: &Workspace, name: &str, cx: &Context) -> Result<Exit, Failure> {
    let store = workspace.store()?;
    let running = store.program(name)?.map(|program| program.revision);
    let all = store.revisions(name)?;
    let nothing = Graph::default();
    let before = |at: usize| all.get(at + 1).map_or(&nothing, |earlier| &earlier.graph);
    let documents: Vec<Value> = all.iter().enumerate().map(|(at, one)| document(one, &Changes::between(before(at), &one.graph), running)).collect();
    cx.out.json(&documents);
    if all.is_empty() {
        cx.out.line(paint(DIM, format!("{name} was never published.")));
        return Ok(Exit::Done);
    }
    let row = |(at, one): (usize, &Revision)| {
        let changes = Changes::between(before(at), &one.graph);
        let number = if running == Some(one.number) { format!("{} *", one.number) } else { format!("{}  ", one.number) };
        let hash = one.hash.get(..12).unwrap_or(&one.hash);
        let count = |sign: &str, steps: &[String]| (!steps.is_empty()).then(|| format!("{sign}{}", steps.len()));
        let steps: Vec<String> =
            [count("+", &changes.added), count("-", &changes.removed), count("~", &changes.changed)].into_iter().flatten().collect();
        vec![plain(number), plain(time(one.at, &workspace.config.timezone)), plain(hash), plain(steps.join(" ")), plain(&one.note)]
    };
    cx.out.line(table(&["#revision", "since", "texts", "steps", "reason"], all.iter().enumerate().map(row).collect()));
    cx.out.line(paint(DIM, "* runs now"));
    Ok(Exit::Done)
}

/// Shows the flow of one revision; with `mermaid` as a flowchart.
pub(super) fn one(workspace: &Workspace, name: &str, number: u32, mermaid: bool, cx: &Context) -> Result<Exit, Failure> {
    let store = workspace.store()?;
    let Some(revision) = store.revision(name, number)? else {
        let newest = store.revisions(name)?.first().map_or("none".to_owned(), |newest| newest.number.to_string());
        return Err(Failure::new(Exit::Usage, "no_revision", format!("`{name}` has no revision {number}")).hint(format!("the newest is {newest}")));
    };
    let earlier = store.revision(name, number.saturating_sub(1))?.map(|earlier| earlier.graph).unwrap_or_default();
    let mut told = document(&revision, &Changes::between(&earlier, &revision.graph), store.program(name)?.map(|program| program.revision));
    if let Some(told) = told.as_object_mut() {
        told.insert("graph".to_owned(), json!(revision.graph));
        told.insert("outline".to_owned(), json!(revision.graph.outline()));
        told.insert("mermaid".to_owned(), json!(revision.graph.mermaid()));
        told.insert("sources".to_owned(), json!(revision.sources));
    }
    cx.out.json(&told);
    if mermaid {
        cx.out.line(revision.graph.mermaid().trim_end());
        return Ok(Exit::Done);
    }
    let since = time(revision.at, &workspace.config.timezone);
    cx.out.line(format!("{} {}", paint(BOLD, format!("{name}, revision {number}")), paint(DIM, format!("since {since}, {}", revision.note))));
    cx.out.line(format!("\n{}", revision.graph.outline().trim_end()));
    Ok(Exit::Done)
}

fn document(one: &Revision, changes: &Changes, running: Option<u32>) -> Value {
    json!({
        "revision": one.number, "at": one.at, "hash": one.hash, "note": one.note, "runs": running == Some(one.number),
        "steps": one.graph.steps.len(), "added": changes.added, "removed": changes.removed, "changed": changes.changed,
        "files": sources(one).texts().keys().collect::<Vec<_>>(),
    })
}
