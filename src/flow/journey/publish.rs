//! Publishing (B10): everything is looked at, all reasons are told at once, and only then are the engagements associated with the program,
//! each through an external segment of its own. When one cannot be, the program stays a draft.

use crate::{
    flow::{Error, Notice, pages::for_each_page},
    model::{Channel, Does, Effect, EventKind, Fault, FaultKind, Query, QuestionKind, Record, SegmentEdit, Source, Step, System, When},
    script::{Journey, Unfit, UnfitKind},
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

/// Checks everything that only the systems know, and associates the engagements. `objections` are what is known to be wrong before.
///
/// # Errors
/// When the work is interrupted or the state file fails. What PX refuses is a reason.
pub fn publish(pass: &Pass<'_>, objections: &[String]) -> Result<Publication, Error> {
    let mut reasons = missing_templates(pass);
    reasons.extend_from_slice(objections);
    let shows = Shows::of(pass.journey);
    let mut chosen: Vec<(String, Listed)> = Vec::new();
    if !shows.is_empty() {
        match listed(pass) {
            Ok(all) => {
                let (found, unfit) = shows.among(all);
                chosen = found;
                reasons.extend(unfit.into_iter().map(|unfit| unfit.reason));
            }
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            // The page asks what the program's model does.
            Err(_) if shows.needed.is_empty() => (),
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
    if !reasons.is_empty() {
        return Ok(Publication::Refused(reasons));
    }
    for one in associations.iter().filter(|one| !pass.associations.iter().any(|known| known.cut.is_none() && known.id == one.id)) {
        if let Some(message) = to_do(pass.journey, one) {
            (pass.notify)(Notice::Warning { name: pass.name().to_owned(), message });
        }
    }
    Ok(Publication::Done(associations))
}

/// What somebody has to do in PX before it shows the engagement to the members of its segment. None for one that is confirmed, and for one that
/// the journey does not show in the product. The Swagger (0.1.6) has no call that sets an engagement's audience; that Gainsight's support
/// switches external segments on is what the PX team writes of its Adobe destination.
pub fn to_do(journey: &Journey, one: &Association) -> Option<String> {
    if one.confirmed.is_some() || one.cut.is_some() || !in_product(journey).any(|shown| shown == one.engagement) {
        return None;
    }
    Some(format!(
        "the engagement \"{}\" is unconfirmed until somebody has seen it: in PX, open it (id {}) and pick the segment `{}` as its audience, since no \
         call of PX's API does that. External segments are a feature that Gainsight's support switches on for a subscription. (The sandbox picks the \
         segment by itself, unless it is strict.)",
        one.engagement, one.id, one.segment
    ))
}

/// What the journey shows in the product, as the script names it.
fn in_product(journey: &Journey) -> impl Iterator<Item = &str> {
    let reminded = |name: &str| journey.graph.step(name).and_then(|step| step.does.shown());
    journey.graph.steps.iter().filter_map(move |step| match &step.does {
        Does::Engagement { engagement } => Some(engagement.as_str()),
        Does::Survey { survey, channel: Channel::Px, .. } => Some(survey.as_str()),
        Does::Remind { of, channel: Channel::Px, .. } => reminded(of),
        _ => None,
    })
}

/// The steps that show an engagement in the product.
pub(super) fn steps_showing<'j>(journey: &'j Journey, engagement: &'j str) -> impl Iterator<Item = &'j str> {
    let shows = move |step: &&Step| match &step.does {
        Does::Engagement { engagement: shown } => shown == engagement,
        Does::Survey { survey, channel: Channel::Px, .. } => survey == engagement,
        _ => false,
    };
    journey.graph.steps.iter().filter(shows).map(|step| step.name.as_str())
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
fn stands_alone(journey: &Journey, step: &Step) -> bool {
    let Does::Survey { channel: Channel::Email, questions, by_model, .. } = &step.does else { return false };
    let reminds = |does: &Does| matches!(does, Does::Remind { of, channel: Channel::Px, .. } if *of == step.name);
    (!questions.is_empty() || by_model.is_some()) && !journey.graph.steps.iter().any(|other| reminds(&other.does))
}

fn says_what_it_asks(step: &Step) -> bool {
    matches!(&step.does, Does::Survey { questions, .. } if !questions.is_empty())
}

/// Whether PX has to be asked what the steps of a journey show.
pub fn asks_px(journey: &Journey) -> bool {
    !Shows::of(journey).needed.is_empty()
}

/// What speaks against the steps of a journey that show something; `engagements` are all that PX lists.
pub fn unfit(journey: &Journey, engagements: &[Record]) -> Vec<Unfit> {
    Shows::of(journey).among(engagements.iter().map(of_record).collect()).1
}

/// The steps of a journey that show something, each with what.
struct Shows<'j> {
    journey: &'j Journey,
    needed: Vec<(&'j Step, &'j str)>,
    /// Those whose page asks what PX knows of the survey, or else what the program's model does.
    by_page: Vec<(&'j Step, &'j str)>,
}

impl<'j> Shows<'j> {
    fn of(journey: &'j Journey) -> Self {
        let shows = journey.graph.steps.iter().filter_map(|step| Some((step, step.does.shown()?)));
        let (by_page, needed): (Vec<_>, Vec<_>) = shows.partition(|(step, _)| stands_alone(journey, step));
        Self { journey, needed, by_page: by_page.into_iter().filter(|(step, _)| !says_what_it_asks(step)).collect() }
    }

    fn is_empty(&self) -> bool {
        self.needed.is_empty() && self.by_page.is_empty()
    }

    /// The engagement of every step, by the name the script gives it; and what is wrong with it.
    fn among(&self, mut all: Vec<Listed>) -> (Vec<(String, Listed)>, Vec<Unfit>) {
        let fits = |(step, survey): &&(&Step, &str)| {
            let mut known = all.iter().filter(|one| one.id == *survey || one.name == *survey);
            matches!((known.next(), known.next()), (Some(one), None) if misfit(self.journey, step, one).is_empty())
        };
        let shows: Vec<(&Step, &str)> = self.needed.iter().chain(self.by_page.iter().filter(fits)).copied().collect();
        let (mut chosen, mut unfit): (Vec<(String, Listed)>, Vec<Unfit>) = (Vec::new(), Vec::new());
        for (step, wanted) in shows {
            if let Some((_, known)) = chosen.iter().find(|(name, _)| name == wanted) {
                unfit.extend(misfit(self.journey, step, known));
                continue;
            }
            let mut found: Vec<usize> = all.iter().enumerate().filter(|(_, one)| one.id == wanted || one.name == wanted).map(|(at, _)| at).collect();
            let name = &step.name;
            match (found.pop(), found.is_empty()) {
                (None, _) => unfit.push(wrong(
                    step,
                    format!("the step \"{name}\" shows \"{wanted}\", which PX does not have: make it there, or write the name or id as PX has it"),
                )),
                (Some(_), false) => {
                    unfit.push(wrong(step, format!("the step \"{name}\" shows \"{wanted}\", and PX has several of that name: write the id instead")));
                }
                (Some(at), true) => {
                    let one = all.swap_remove(at);
                    unfit.extend(misfit(self.journey, step, &one));
                    chosen.push((wanted.to_owned(), one));
                }
            }
        }
        (chosen, unfit)
    }
}

fn wrong(step: &Step, reason: String) -> Unfit {
    Unfit { step: step.name.clone(), reason, kind: UnfitKind::Wrong }
}

fn not_ready(step: &Step, reason: String) -> Unfit {
    Unfit { step: step.name.clone(), reason, kind: UnfitKind::NotReady }
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

/// Why an engagement cannot be triggered by the step (B1, B2, B7).
fn misfit(journey: &Journey, step: &Step, one: &Listed) -> Vec<Unfit> {
    let mut found = Vec::new();
    let survey = one.kind.ends_with("_SURVEY");
    let what = format!("\"{}\", which the step \"{}\" shows,", one.name, step.name);
    match &step.does {
        Does::Survey { .. } if !survey => {
            found.push(wrong(step, format!("{what} is no survey but {}: show it by an engagement step", one.kind)));
        }
        Does::Engagement { .. } if survey => found.push(wrong(step, format!("{what} is a survey: hand it out by a survey step"))),
        Does::Engagement { .. } if !["IN_APP_DIALOG", "IN_APP_CAROUSEL", "IN_APP_GUIDE"].contains(&one.kind.as_str()) => {
            found.push(wrong(step, format!("{what} is {}: journeys trigger dialogs, sliders, guides and surveys", one.kind)));
        }
        _ => (),
    }
    if !one.by_journey {
        let mark = format!(
            "is not marked as triggered by Journey Orchestrator (its description lacks \"{BY_JOURNEY}\", the words Tabi goes by, since PX's API shows no such mark): write them there"
        );
        found.push(not_ready(step, format!("{what} {mark}")));
    }
    if one.state != ACTIVE {
        let launched = "only launched and active engagements can be triggered; launch it in PX";
        found.push(not_ready(step, format!("{what} is {}: {launched}", one.state)));
    }
    if let Does::Survey { channel: Channel::Email, questions, by_model: None, .. } = &step.does
        && questions.is_empty()
        && QuestionKind::of_px(&one.kind).is_none()
    {
        let asks = format!("what \"{}\" asks is not known here ({}): write `kind` or `questions` at the step \"{}\"", one.name, one.kind, step.name);
        found.push(wrong(step, asks));
    }
    let completed =
        |when: &When| when.atoms().iter().any(|atom| matches!(atom, When::Event { event: EventKind::Completed, step: of } if *of == step.name));
    if one.kind != "IN_APP_GUIDE" && conditions(journey).any(completed) {
        let instead = "only guides are completed; wait for `viewed` instead";
        let waits = format!("the journey waits for \"{}\" to be completed, but \"{}\" is no guide: {instead}", step.name, one.name);
        found.push(wrong(step, waits));
    }
    found
}

fn conditions<'a>(journey: &'a Journey) -> impl Iterator<Item = &'a When> {
    let of = |step: &'a Step| match &step.does {
        Does::WaitFor { when, .. } => vec![when],
        Does::Branch { arms, .. } => arms.iter().map(|arm| &arm.when).collect(),
        _ => Vec::new(),
    };
    journey.graph.steps.iter().flat_map(of).chain(journey.exit.as_ref())
}

/// What the segment of an audience says of itself to whoever looks at it in PX (B10).
const READ_ONLY: &str = "Read-only: Tabi keeps the members of this audience. Change who is in by the journey, not here.";

/// The segment of an audience, which is made when it is not there.
pub(super) fn audience(segment: &str) -> SegmentEdit {
    SegmentEdit { description: Some(READ_ONLY.to_owned()), ..SegmentEdit::of(System::Px, segment) }
}

/// Makes the engagement's own segment, whose members are its audience once somebody has picked it there in PX. Nobody is in it yet.
fn associate(pass: &Pass<'_>, engagement: &str, listed: &Listed) -> Result<Association, Fault> {
    if let Some(known) = pass.associations.iter().find(|one| one.id == listed.id && one.cut.is_none()) {
        return Ok(Association { engagement: engagement.to_owned(), ..known.clone() });
    }
    let segment = format!("tabi:{}:{}", pass.name(), listed.id);
    pass.perform.perform(Effect::EditSegment(audience(&segment)))?;
    Ok(Association {
        journey: pass.name().to_owned(),
        engagement: engagement.to_owned(),
        id: listed.id.clone(),
        kind: listed.kind.clone(),
        segment,
        since: pass.now,
        cut: None,
        trouble: None,
        confirmed: None,
        warned: None,
    })
}
