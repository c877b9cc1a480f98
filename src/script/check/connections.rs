//! Connections that a journey needs and the workspace does not have (B18), and what without a server nothing would tell of.

use std::collections::BTreeSet;

use crate::model::{Channel, Does, EventKind, Source, Step, System, When};
use crate::script::{
    Journey, Participants, StepParts,
    declaration::{ActionKind, Body, Declaration, Place},
    diagnostics::{Diagnostic, Id},
    kept::KeptKind,
};

/// What a workspace is connected to, as far as journeys need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    pub systems: BTreeSet<System>,
    /// Answers to surveys in the product come as they are given (B18).
    pub survey_sync: bool,
    /// There is a server for links of mails and pages of surveys.
    pub server: bool,
}

/// Everything that a journey needs and the workspace does not have, in one finding; and each event that nothing would tell of.
pub fn check_connections(declaration: &Declaration, connected: &Connected) -> Vec<Diagnostic> {
    let Body::Journey(journey) = &declaration.body else { return Vec::new() };
    let mut found: Vec<Diagnostic> = missing(declaration, journey, connected).into_iter().collect();
    if !connected.server {
        found.extend(unheard(journey, &declaration.place));
    }
    found
}

/// What is needed, and what for.
struct Needs<'a> {
    connected: &'a Connected,
    /// Missing things by what they are needed for, in the order of the flow.
    found: Vec<(String, Vec<String>)>,
}

impl Needs<'_> {
    fn system(&mut self, system: System, what_for: impl Into<String>) {
        if !self.connected.systems.contains(&system) {
            self.lacks(section(system), what_for.into());
        }
    }

    fn lacks(&mut self, what: &str, what_for: String) {
        match self.found.iter_mut().find(|(known, _)| *known == what_for) {
            Some((_, all)) if all.iter().any(|one| one == what) => (),
            Some((_, all)) => all.push(what.to_owned()),
            None => self.found.push((what_for, vec![what.to_owned()])),
        }
    }

    /// What Journey Orchestrator shows in PX takes both (B18).
    fn px(&mut self, what_for: &str) {
        self.system(System::Gainsight, what_for);
        self.system(System::Px, what_for);
    }

    fn survey(&mut self, channel: Channel) {
        match channel {
            Channel::Px => {
                self.px("hand out surveys in the product");
                if self.connected.systems.contains(&System::Px) && !self.connected.survey_sync {
                    self.lacks("`survey_sync = true` under [px]", "hear of answers as they are given".to_owned());
                }
            }
            Channel::Email => self.system(System::Mail, "send mail"),
        }
    }

    fn step(&mut self, journey: &Journey, step: &Step) {
        match &step.does {
            Does::SendEmail { .. } => self.system(System::Mail, "send mail"),
            Does::Engagement { .. } => self.px("show engagements"),
            Does::Survey { channel, questions, by_model, .. } => {
                self.survey(*channel);
                if *channel == Channel::Email && questions.is_empty() && by_model.is_none() {
                    self.system(System::Px, "know what surveys ask");
                }
            }
            Does::Remind { channel, .. } => self.survey(*channel),
            Does::CloseCta { .. } => self.system(System::Gainsight, "close calls to action"),
            _ => (),
        }
        if let Some(action) = journey.parts(&step.name).and_then(|parts: &StepParts| parts.action.as_ref()) {
            match &action.kind {
                ActionKind::Object(load) => self.system(load.to.system, format!("write {}", load.to.object)),
                ActionKind::Usage(_) => self.system(System::Gainsight, "write usage"),
                ActionKind::Score(_) => self.system(System::Gainsight, "set scores"),
                ActionKind::Cta(_) => self.system(System::Gainsight, "create calls to action"),
                ActionKind::Kept(kept) => {
                    let system = if kept.kind == KeptKind::Milestone { System::Salesforce } else { System::Gainsight };
                    self.system(system, format!("write {}", kept.kind.what()));
                }
            }
        }
    }
}

fn missing(declaration: &Declaration, journey: &Journey, connected: &Connected) -> Option<Diagnostic> {
    let mut needs = Needs { connected, found: Vec::new() };
    if let Participants::Source { source, .. } = &journey.participants {
        needs.system(Source::system(source), "find its people");
    }
    for step in &journey.graph.steps {
        needs.step(journey, step);
    }
    if needs.found.is_empty() {
        return None;
    }
    let one = |(what_for, what): &(String, Vec<String>)| format!("{} to {what_for}", what.join(" and "));
    let all: Vec<String> = needs.found.iter().map(one).collect();
    let message = format!("the journey `{}` needs what tabi.toml does not have: {}", declaration.name, all.join(", "));
    let sync = needs.found.iter().any(|(_, what)| what.iter().any(|what| what.starts_with("`survey_sync")));
    let hint = if sync {
        "switch real-time survey sync on in Gainsight's PX connector, then say so; write each other section, or `sandbox = true` in it"
    } else {
        "write each section, or `sandbox = true` in it to play there"
    };
    Some(Diagnostic::new(Id::MissingConnection, &declaration.place, message).about(&declaration.name).hint(hint))
}

/// The section of `tabi.toml`.
const fn section(system: System) -> &'static str {
    match system {
        System::Salesforce => "[salesforce]",
        System::Pendo => "[pendo]",
        System::Gainsight => "[gainsight]",
        System::Px => "[px]",
        System::Mail => "[email]",
    }
}

/// What would be waited for in vain: without a server of its own nothing tells of what people do in a mail, and a mail cannot carry a survey.
fn unheard(journey: &Journey, declared: &Place) -> Vec<Diagnostic> {
    let hint = "add [server] to tabi.toml";
    let place = |step: &Step| journey.parts(&step.name).map_or(declared, |parts| &parts.place).clone();
    let mut found = Vec::new();
    for step in &journey.graph.steps {
        let mut conditions: Vec<&When> = Vec::new();
        match &step.does {
            Does::Survey { channel: Channel::Email, .. } => {
                let message = format!("the survey \"{}\" goes by e-mail and is answered on a page of the host", step.name);
                found.push(Diagnostic::new(Id::NothingTells, &place(step), message));
            }
            Does::WaitFor { when, .. } => conditions.push(when),
            Does::Branch { arms, .. } => conditions.extend(arms.iter().map(|arm| &arm.when)),
            _ => (),
        }
        found.extend(conditions.into_iter().flat_map(When::atoms).filter_map(|atom| untold(atom, &place(step))));
    }
    found.extend(journey.exit.iter().flat_map(When::atoms).filter_map(|atom| untold(atom, declared)));
    found.into_iter().map(|finding| finding.hint(hint)).collect()
}

fn untold(atom: &When, place: &Place) -> Option<Diagnostic> {
    let When::Event { event: event @ (EventKind::Opened | EventKind::Clicked | EventKind::Unsubscribed), step } = atom else { return None };
    let what = format!("the journey asks whether the mail \"{step}\" was {}", event.word());
    Some(Diagnostic::new(Id::NothingTells, place, format!("{what}, which only links of the host's own server tell")))
}
