//! An edit of a journey with people in it: they keep their place by the step's name. What would leave somebody without a step, or change
//! what PX shows, waits until somebody has said yes.

use std::collections::BTreeSet;

use crate::{
    flow::Error,
    model::{Does, Graph, Record, Timestamp},
    script::{Declaration, Journey},
    store::{Program, Revision, Store},
};

/// What an edit comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// The flow is the published one.
    None,
    /// The new flow runs, as this revision.
    Applied(u32),
    /// The journey stands still until it is published again, for these reasons.
    Held(Vec<String>),
}

/// Takes an edit up, if it moves nobody.
///
/// # Errors
/// The state file's.
pub fn take_edit(store: &Store, program: &Program, declaration: &Declaration, journey: &Journey, now: Timestamp) -> Result<Edit, Error> {
    if program.hash == declaration.hash {
        return Ok(Edit::None);
    }
    let Some(present) = store.revision(&program.name, program.revision)? else { return Ok(Edit::None) };
    if present.graph == journey.graph {
        store.put_program(&Program { hash: declaration.hash.clone(), ..program.clone() }, now)?;
        return Ok(Edit::None);
    }
    let reasons = reasons(store, program, &present.graph, &journey.graph)?;
    if !reasons.is_empty() {
        return Ok(Edit::Held(reasons));
    }
    let number = store.revisions(&program.name)?.first().map_or(0, |newest| newest.number) + 1;
    store.add_revision(&Revision {
        journey: program.name.clone(),
        number,
        hash: declaration.hash.clone(),
        graph: journey.graph.clone(),
        sources: Record::new(),
        at: now,
        note: "edited".to_owned(),
    })?;
    store.put_program(&Program { hash: declaration.hash.clone(), revision: number, ..program.clone() }, now)?;
    Ok(Edit::Applied(number))
}

fn reasons(store: &Store, program: &Program, old: &Graph, new: &Graph) -> Result<Vec<String>, Error> {
    let mut reasons = Vec::new();
    let standing: Vec<(String, u64)> = store.step_counts(&program.name)?.into_iter().map(|(step, _, standing)| (step, standing)).collect();
    for (step, standing) in standing.iter().filter(|(step, standing)| *standing > 0 && new.step(step).is_none()) {
        let people = if *standing == 1 { "1 person stands".to_owned() } else { format!("{standing} people stand") };
        reasons.push(format!("{people} at \"{step}\", which is gone: they would be parked"));
    }
    for (step, _) in standing.iter().filter(|(step, standing)| *standing > 0 && new.step(step).is_some()) {
        let passed = messages(old, &before(old, step));
        let ahead_then = messages(old, &after(old, step));
        let again: Vec<&str> = messages(new, &after(new, step)).into_iter().filter(|one| passed.contains(one) && !ahead_then.contains(one)).collect();
        if !again.is_empty() {
            reasons.push(format!("whoever stands at \"{step}\" would be written to twice: {}", again.join(", ")));
        }
    }
    let (shown_before, shown_now) = (engagements(old), engagements(new));
    for engagement in shown_now.difference(&shown_before) {
        reasons.push(format!("the engagement \"{engagement}\" is not associated with the journey yet"));
    }
    for engagement in shown_before.difference(&shown_now) {
        reasons.push(format!("the engagement \"{engagement}\" would be cut off: nobody who is in could trigger it any more"));
    }
    Ok(reasons)
}

/// Steps that can be reached from one, itself left out unless a loop comes back to it.
fn after<'g>(graph: &'g Graph, step: &str) -> BTreeSet<&'g str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = graph.step(step).map(next).unwrap_or_default();
    while let Some(one) = open.pop() {
        if found.insert(one) {
            open.extend(graph.step(one).map(next).unwrap_or_default());
        }
    }
    found
}

fn next(step: &crate::model::Step) -> Vec<&str> {
    step.exits().into_iter().filter_map(|(_, to)| to).collect()
}

/// Steps from which one can be reached: what whoever stands there may have passed.
fn before<'g>(graph: &'g Graph, step: &str) -> BTreeSet<&'g str> {
    graph.steps.iter().filter(|one| after(graph, &one.name).contains(step)).map(|one| one.name.as_str()).collect()
}

/// The templates that steps send.
fn messages<'g>(graph: &'g Graph, steps: &BTreeSet<&str>) -> BTreeSet<&'g str> {
    let template = |does: &'g Does| match does {
        Does::SendEmail { template } => Some(template.as_str()),
        Does::Survey { template, .. } | Does::Remind { template, .. } => template.as_deref(),
        _ => None,
    };
    graph.steps.iter().filter(|step| steps.contains(step.name.as_str())).filter_map(|step| template(&step.does)).collect()
}

fn engagements(graph: &Graph) -> BTreeSet<&str> {
    let shown = graph.steps.iter().filter_map(|step| match &step.does {
        Does::Engagement { engagement } => Some(engagement.as_str()),
        Does::Survey { survey, .. } => Some(survey.as_str()),
        _ => None,
    });
    shown.collect()
}
