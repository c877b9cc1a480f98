//! Publishing (B10): everything is looked at, all reasons are told at once, and only then are the engagements associated with the program,
//! each through an external segment of its own. When one cannot be, the program stays a draft.

use crate::{
    flow::{Error, Notice, pages::for_each_page},
    model::{Channel, Does, Effect, EventKind, Fault, FaultKind, Query, QuestionKind, Record, SegmentEdit, Source, Step, System, When},
    store::Association,
};

use super::pass::Pass;

/// What the description of an engagement says that Journey Orchestrator triggers. PX's API shows no field for it (B2).
pub(super) const BY_JOURNEY: &str = "Triggered by: Journey Orchestrator";

/// The state of an engagement that is launched and active.
pub(super) const ACTIVE: &str = "STARTED";

/// An engagement as PX lists it.
pub(super) struct Listed {
    pub(super) id: String,
    name: String,
    kind: String,
    pub(super) state: String,
    by_journey: bool,
}

/// What publishing came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Publication {
    /// The engagements are associated.
    Done(Vec<Association>),
    /// Nothing was associated that was not before, and why.
    Refused(Vec<String>),
}

/// Checks everything that only the systems know, and associates the engagements.
///
/// # Errors
/// When the work is interrupted or the state file fails. What PX refuses is a reason.
pub fn publish(pass: &Pass<'_>) -> Result<Publication, Error> {
    let mut reasons = missing_templates(pass);
    reasons.extend(unheard(pass));
    let shows: Vec<(&Step, &str)> = pass.journey.graph.steps.iter().filter_map(|step| Some((step, step.does.shown()?))).collect();
    let (by_page, needed): (Vec<_>, Vec<_>) = shows.into_iter().partition(|(step, _)| stands_alone(pass, step));
    let by_page: Vec<_> = by_page.into_iter().filter(|(step, _)| !says_what_it_asks(step)).collect();
    let mut chosen: Vec<(String, Listed)> = Vec::new();
    if !needed.is_empty() || !by_page.is_empty() {
        match listed(pass) {
            Ok(all) => {
                let known = by_page.into_iter().filter(|(_, survey)| all.iter().filter(|one| one.id == *survey || one.name == *survey).count() == 1);
                let fits = |(step, survey): &(&Step, &str)| {
                    all.iter().find(|one| one.id == *survey || one.name == *survey).is_some_and(|one| misfit(pass, step, one).is_empty())
                };
                let shows: Vec<(&Step, &str)> = needed.into_iter().chain(known.filter(fits)).collect();
                chosen = choose(pass, &shows, all, &mut reasons);
            }
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            // The page asks what the program's model does.
            Err(_) if needed.is_empty() => (),
            // One clear reason, with what is missing (B18).
            Err(error) => reasons.push(format!("Gainsight PX cannot be asked for its engagements: {}. Look at [px] in tabi.toml", error.fault())),
        }
    }
    if !reasons.is_empty() {
        return Ok(Publication::Refused(reasons));
    }
    rivals(pass, &chosen)?;
    let mut associations = Vec::with_capacity(chosen.len());
    for (engagement, listed) in chosen {
        match associate(pass, &engagement, &listed) {
            Ok(association) => associations.push(association),
            Err(fault) if fault.kind == FaultKind::Interrupted => return Err(Error::Interrupted),
            Err(fault) => {
                reasons.push(format!("the engagement \"{engagement}\" could not be associated: {fault}. Publish again when that is mended"));
            }
        }
    }
    if reasons.is_empty() { Ok(Publication::Done(associations)) } else { Ok(Publication::Refused(reasons)) }
}

/// Tells of journeys that trigger the same engagements. That is no fault: each has an audience of its own.
fn rivals(pass: &Pass<'_>, chosen: &[(String, Listed)]) -> Result<(), Error> {
    for (engagement, listed) in chosen {
        let others = pass.store.also_associated(&listed.id, pass.name())?;
        if !others.is_empty() {
            let others = others.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let message = format!(
                "the engagement \"{engagement}\" is triggered by {others}, too: each journey has an audience of its own, so leaving one does not \
                 take anybody out of the other, and what somebody does with it counts in every journey they are in"
            );
            (pass.notify)(Notice::Warning { name: pass.name().to_owned(), message });
        }
    }
    Ok(())
}

/// A survey that PX need not know: it goes by e-mail, no reminder of it goes through PX, and what it asks is known without PX.
fn stands_alone(pass: &Pass<'_>, step: &Step) -> bool {
    let Does::Survey { channel: Channel::Email, questions, by_model, .. } = &step.does else { return false };
    let reminds = |does: &Does| matches!(does, Does::Remind { of, channel: Channel::Px, .. } if *of == step.name);
    (!questions.is_empty() || by_model.is_some()) && !pass.journey.graph.steps.iter().any(|other| reminds(&other.does))
}

fn says_what_it_asks(step: &Step) -> bool {
    matches!(&step.does, Does::Survey { questions, .. } if !questions.is_empty())
}

fn missing_templates(pass: &Pass<'_>) -> Vec<String> {
    let of = |step: &Step| match &step.does {
        Does::SendEmail { template } => Some(template.clone()),
        Does::Survey { channel: Channel::Email, template, .. } | Does::Remind { channel: Channel::Email, template, .. } => {
            Some(template.clone().unwrap_or_default())
        }
        _ => None,
    };
    let missing = pass.journey.graph.steps.iter().filter_map(|step| {
        let template = of(step)?;
        match template.as_str() {
            "" => Some(format!("the step \"{}\" goes by e-mail and names no template: add `template: \"NAME\"`", step.name)),
            name if !pass.mailer.has(name) => Some(format!(
                "the step \"{}\" uses the template \"{name}\", which is not there: write scripts/templates/{name}.txt or .html",
                step.name
            )),
            _ => None,
        }
    });
    missing.collect()
}

/// What would be waited for in vain: without a server of its own nothing tells of what people do in a mail, and a mail cannot carry a survey.
fn unheard(pass: &Pass<'_>) -> Vec<String> {
    if pass.mailer.links().is_some() {
        return Vec::new();
    }
    let by_mail = pass.journey.graph.steps.iter().filter(|step| matches!(step.does, Does::Survey { channel: Channel::Email, .. }));
    let survey =
        |step: &Step| format!("the survey \"{}\" goes by e-mail and is answered on a page of the host: add [server] to tabi.toml", step.name);
    let mut reasons: Vec<String> = by_mail.map(survey).collect();
    for atom in conditions(pass).flat_map(When::atoms) {
        if let When::Event { event: event @ (EventKind::Opened | EventKind::Clicked | EventKind::Unsubscribed), step } = atom {
            let what = format!("the journey asks whether the mail \"{step}\" was {}", event.word());
            reasons.push(format!("{what}, which only links of the host's own server tell: add [server] to tabi.toml"));
        }
    }
    reasons
}

/// All engagements of PX.
pub(super) fn listed(pass: &Pass<'_>) -> Result<Vec<Listed>, Error> {
    let mut all = Vec::new();
    for_each_page(&mut pass.work(), &Source::Object(Query::of(System::Px, "engagements")), |_, rows| {
        all.extend(rows.iter().map(of_record));
        Ok(())
    })?;
    Ok(all)
}

fn of_record(row: &Record) -> Listed {
    let text = |field: &str| row.get(field).filter(|value| !value.is_blank()).map(ToString::to_string).unwrap_or_default();
    let by_journey = text("description").to_lowercase().contains(&BY_JOURNEY.to_lowercase());
    Listed { id: text("id"), name: text("name"), kind: text("type"), state: text("state"), by_journey }
}

/// The engagement of every step, by the name the script gives it; what is wrong with one goes to the reasons.
fn choose(pass: &Pass<'_>, shows: &[(&Step, &str)], mut all: Vec<Listed>, reasons: &mut Vec<String>) -> Vec<(String, Listed)> {
    let mut chosen: Vec<(String, Listed)> = Vec::new();
    for (step, wanted) in shows {
        if let Some((_, known)) = chosen.iter().find(|(name, _)| name == wanted) {
            reasons.extend(misfit(pass, step, known));
            continue;
        }
        let mut found: Vec<usize> = all.iter().enumerate().filter(|(_, one)| one.id == *wanted || one.name == *wanted).map(|(at, _)| at).collect();
        match (found.pop(), found.is_empty()) {
            (None, _) => reasons.push(format!(
                "the step \"{}\" shows \"{wanted}\", which PX does not have: make it there, or write the name or id as PX has it",
                step.name
            )),
            (Some(_), false) => {
                reasons.push(format!("the step \"{}\" shows \"{wanted}\", and PX has several of that name: write the id instead", step.name));
            }
            (Some(at), true) => {
                let one = all.swap_remove(at);
                reasons.extend(misfit(pass, step, &one));
                chosen.push(((*wanted).to_owned(), one));
            }
        }
    }
    chosen
}

/// Why an engagement cannot be triggered by the step (B1, B2, B7).
fn misfit(pass: &Pass<'_>, step: &Step, one: &Listed) -> Vec<String> {
    let mut reasons = Vec::new();
    let survey = one.kind.ends_with("_SURVEY");
    let what = format!("\"{}\", which the step \"{}\" shows,", one.name, step.name);
    match &step.does {
        Does::Survey { .. } if !survey => reasons.push(format!("{what} is no survey but {}: show it by an engagement step", one.kind)),
        Does::Engagement { .. } if survey => reasons.push(format!("{what} is a survey: hand it out by a survey step")),
        Does::Engagement { .. } if !["IN_APP_DIALOG", "IN_APP_CAROUSEL", "IN_APP_GUIDE"].contains(&one.kind.as_str()) => {
            reasons.push(format!("{what} is {}: journeys trigger dialogs, sliders, guides and surveys", one.kind));
        }
        _ => (),
    }
    if !one.by_journey {
        reasons.push(format!("{what} is not marked as triggered by Journey Orchestrator (its description lacks \"{BY_JOURNEY}\"): mark it so in PX"));
    }
    if one.state != ACTIVE {
        reasons.push(format!("{what} is {}: only launched and active engagements can be triggered; launch it in PX", one.state));
    }
    if let Does::Survey { channel: Channel::Email, questions, by_model: None, .. } = &step.does
        && questions.is_empty()
        && QuestionKind::of_px(&one.kind).is_none()
    {
        reasons
            .push(format!("what \"{}\" asks is not known here ({}): write `kind` or `questions` at the step \"{}\"", one.name, one.kind, step.name));
    }
    let completed =
        |when: &When| when.atoms().iter().any(|atom| matches!(atom, When::Event { event: EventKind::Completed, step: of } if *of == step.name));
    if one.kind != "IN_APP_GUIDE" && conditions(pass).any(completed) {
        reasons.push(format!(
            "the journey waits for \"{}\" to be completed, but \"{}\" is no guide: only guides are completed; wait for `viewed` instead",
            step.name, one.name
        ));
    }
    reasons
}

fn conditions<'a>(pass: &'a Pass<'_>) -> impl Iterator<Item = &'a When> {
    let of = |step: &'a Step| match &step.does {
        Does::WaitFor { when, .. } => vec![when],
        Does::Branch { arms, .. } => arms.iter().map(|arm| &arm.when).collect(),
        _ => Vec::new(),
    };
    pass.journey.graph.steps.iter().flat_map(of).chain(pass.journey.exit.as_ref())
}

/// Makes the engagement's own segment, whose members are its audience; its name is how the engagement knows it. Nobody is in it yet.
fn associate(pass: &Pass<'_>, engagement: &str, listed: &Listed) -> Result<Association, Fault> {
    if let Some(known) = pass.associations.iter().find(|one| one.id == listed.id && one.cut.is_none()) {
        return Ok(Association { engagement: engagement.to_owned(), ..known.clone() });
    }
    let segment = format!("tabi:{}:{}", pass.name(), listed.id);
    let edit = SegmentEdit { system: System::Px, name: segment.clone(), id: None, add: Vec::new(), remove: Vec::new() };
    pass.perform.perform(Effect::EditSegment(edit))?;
    Ok(Association {
        journey: pass.name().to_owned(),
        engagement: engagement.to_owned(),
        id: listed.id.clone(),
        kind: listed.kind.clone(),
        segment,
        since: pass.now,
        cut: None,
        trouble: None,
    })
}
