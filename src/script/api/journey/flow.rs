//! Nested lists of steps, made one flow: every step named, every way leading to a name.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Arm, Does, Graph, Share, Step, When};
use crate::script::{
    declaration::{ActionKind, Place},
    journey::StepParts,
};

use super::step::{JourneyStep, Shape};

/// A flow and where its pieces are written.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) graph: Graph,
    pub(super) parts: BTreeMap<String, StepParts>,
    /// By step: every single question it asks, with its place.
    pub(super) asked: BTreeMap<String, Vec<(When, Place)>>,
    /// Steps that had mistakes of their own; what they do is not known.
    pub(super) broken: BTreeSet<String>,
    /// Names written twice: the later place and the earlier one.
    pub(super) repeated: Vec<(String, Place, Place)>,
    /// Where `go_to` leads, with its place.
    pub(super) jumps: Vec<(String, Place)>,
    /// The journey begins with a `go_to`: here.
    pub(super) began_with_jump: Option<Place>,
}

/// Flattens a journey's list. A nested list that does not end goes on with the step after the enclosing one.
pub(super) fn flow(mut steps: Vec<JourneyStep>) -> Flow {
    let mut flow = Flow::default();
    let mut written = BTreeMap::new();
    note_names(&mut steps, &mut written, &mut flow.repeated);
    let mut taken: BTreeSet<String> = written.into_keys().collect();
    give_names(&mut steps, &mut taken);
    if let Some(JourneyStep { shape: Some(Shape::GoTo(_)), place, .. }) = steps.first() {
        flow.began_with_jump = Some(place.clone());
    }
    emit(&steps, None, &mut flow);
    remind_of_nearest(&mut flow.graph);
    flow
}

/// The first one of a name keeps it; another is noted, and goes on as if it had none.
fn note_names(steps: &mut [JourneyStep], written: &mut BTreeMap<String, Place>, repeated: &mut Vec<(String, Place, Place)>) {
    for step in steps {
        if let Some(name) = step.name.take() {
            match written.get(&name) {
                Some(earlier) => repeated.push((name, step.place.clone(), earlier.clone())),
                None => {
                    written.insert(name.clone(), step.place.clone());
                    step.name = Some(name);
                }
            }
        }
        for list in step.lists_mut() {
            note_names(list, written, repeated);
        }
    }
}

/// Names unnamed steps after what they do: `finish`, `finish 2`.
fn give_names(steps: &mut [JourneyStep], taken: &mut BTreeSet<String>) {
    for step in steps {
        if step.name.is_none() && !matches!(step.shape, Some(Shape::GoTo(_))) {
            let free = |name: &String| !taken.contains(name);
            let numbered = (2_usize..).map(|n| format!("{} {n}", step.called));
            let name = std::iter::once(step.called.clone()).chain(numbered).find(free);
            taken.extend(name.clone());
            step.name = name;
        }
        for list in step.lists_mut() {
            give_names(list, taken);
        }
    }
}

/// Where a list begins: its first step, else what comes after it.
fn entry(steps: &[JourneyStep], after: Option<&str>) -> Option<String> {
    match steps.first() {
        Some(JourneyStep { shape: Some(Shape::GoTo(step)), .. }) => Some(step.clone()),
        Some(step) => step.name.clone(),
        None => after.map(ToOwned::to_owned),
    }
}

fn emit(steps: &[JourneyStep], after: Option<&str>, flow: &mut Flow) {
    for (at, step) in steps.iter().enumerate() {
        let next = entry(steps.get(at + 1..).unwrap_or_default(), after);
        if let Some(Shape::GoTo(target)) = &step.shape {
            flow.jumps.push((target.clone(), step.place.clone()));
            continue;
        }
        let name = step.name.clone().unwrap_or_default();
        flow.graph.steps.push(placed(step, &name, next.as_deref()));
        flow.asked.insert(name.clone(), step.asked.clone());
        if step.shape.is_none() {
            flow.broken.insert(name.clone());
        }
        let mut parts = step.parts.clone();
        if let Some(ActionKind::Kept(kept)) = parts.action.as_mut().map(|action| &mut action.kind) {
            kept.tag = Some(name.clone());
        }
        flow.parts.insert(name, parts);
        step.lists().into_iter().for_each(|list| emit(list, next.as_deref(), flow));
    }
}

fn placed(step: &JourneyStep, name: &str, next: Option<&str>) -> Step {
    let to = |steps: &[JourneyStep]| entry(steps, next);
    let does = match &step.shape {
        Some(Shape::Plain(does)) => does.clone(),
        Some(Shape::WaitFor { when, within, then, otherwise }) => {
            Does::WaitFor { when: when.clone(), within: *within, then: to(then), otherwise: to(otherwise) }
        }
        Some(Shape::Branch { arms, otherwise }) => {
            Does::Branch { arms: arms.iter().map(|(when, steps)| Arm { when: when.clone(), next: to(steps) }).collect(), otherwise: to(otherwise) }
        }
        Some(Shape::Split { arms }) => {
            let share = |(name, weight, steps): &(String, u32, Vec<JourneyStep>)| Share { name: name.clone(), weight: *weight, next: to(steps) };
            Does::Split { arms: arms.iter().map(share).collect() }
        }
        Some(Shape::GoTo(_)) | None => Does::Run,
    };
    let leads_on = !matches!(does, Does::WaitFor { .. } | Does::Branch { .. } | Does::Split { .. } | Does::Finish | Does::Drop { .. });
    Step { name: name.to_owned(), does, next: next.filter(|_| leads_on).map(ToOwned::to_owned), line: step.place.line }
}

/// A reminder that names no survey reminds of the nearest one before it.
fn remind_of_nearest(graph: &mut Graph) {
    let mut found = Vec::new();
    for (at, step) in graph.steps.iter().enumerate() {
        if let Does::Remind { of, .. } = &step.does
            && of.is_empty()
        {
            found.push((at, nearest_survey(graph, &step.name)));
        }
    }
    for (at, survey) in found {
        if let (Some(Step { does: Does::Remind { of, .. }, .. }), Some(survey)) = (graph.steps.get_mut(at), survey) {
            *of = survey;
        }
    }
}

fn nearest_survey(graph: &Graph, step: &str) -> Option<String> {
    let (mut seen, mut front) = (BTreeSet::from([step]), vec![step]);
    while !front.is_empty() {
        let leads = |candidate: &&Step| candidate.exits().iter().any(|(_, to)| to.is_some_and(|to| front.contains(&to)));
        let before: Vec<&Step> = graph.steps.iter().filter(leads).filter(|candidate| !seen.contains(candidate.name.as_str())).collect();
        if let Some(survey) = before.iter().find(|candidate| matches!(candidate.does, Does::Survey { .. })) {
            return Some(survey.name.clone());
        }
        front = before.iter().map(|candidate| candidate.name.as_str()).collect();
        seen.extend(&front);
    }
    None
}
