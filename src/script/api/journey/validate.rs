//! What cannot be in a flow, all of it at once (B1, B7, B13, B14).

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Channel, Does, EventKind, Graph, ProgramModel, Step, When};
use crate::script::{
    declaration::Place,
    diagnostics::{Diagnostic, Id},
};

use super::flow::Flow;

/// A journey being checked.
pub(super) struct Asked<'a> {
    pub(super) model: Option<ProgramModel>,
    /// Names of its calculated fields.
    pub(super) calculated: &'a [&'a str],
    pub(super) flow: &'a Flow,
    /// Every single question of its exit, with its place.
    pub(super) exit: &'a [(When, Place)],
}

impl Asked<'_> {
    /// Everything that is wrong with it.
    pub(super) fn check(&self) -> Vec<Diagnostic> {
        let mut found = self.names();
        for step in &self.flow.graph.steps {
            found.extend(self.step(step));
            for (when, place) in self.flow.asked.get(&step.name).into_iter().flatten() {
                found.extend(self.question(when, place, Some(&step.name)));
            }
        }
        for (when, place) in self.exit {
            found.extend(self.question(when, place, None));
        }
        found.extend(self.unreachable());
        found.extend(self.loops());
        found
    }

    fn place(&self, step: &str) -> Place {
        self.flow.parts.get(step).map(|parts| parts.place.clone()).unwrap_or_default()
    }

    fn names(&self) -> Vec<Diagnostic> {
        let repeated = self.flow.repeated.iter().map(|(name, place, earlier)| {
            let finding = Diagnostic::new(Id::DuplicateStep, place, format!("the step `{name}` is there twice"));
            finding.label(earlier, "first written here").hint("give one of them another name")
        });
        let lost = self.flow.jumps.iter().filter(|(target, _)| self.flow.graph.step(target).is_none());
        let lost = lost.map(|(target, place)| self.unknown(target, place));
        let first = self
            .flow
            .began_with_jump
            .iter()
            .map(|place| Diagnostic::new(Id::OptionValue, place, "a journey cannot begin with `go_to`").hint("begin with the step it leads to"));
        repeated.chain(lost).chain(first).collect()
    }

    fn unknown(&self, step: &str, place: &Place) -> Diagnostic {
        let names = || self.flow.graph.steps.iter().map(|step| step.name.as_str());
        let all = || format!("steps are {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "));
        Diagnostic::new(Id::UnknownStep, place, format!("the journey has no step `{step}`")).meant(step, names(), || Some(all()))
    }

    fn step(&self, step: &Step) -> Option<Diagnostic> {
        let place = self.place(&step.name);
        match &step.does {
            Does::Survey { channel: Channel::Px, .. } if self.model.is_some_and(|model| !model.takes_surveys()) => {
                let message = "a program of model `email_chain` cannot trigger a survey in the product";
                Some(Diagnostic::new(Id::SurveyInChain, &place, message).hint("write `by: \"email\"`, or choose another model"))
            }
            Does::Remind { of, channel, .. } => self.reminder(step, of, *channel, &place),
            _ => None,
        }
    }

    fn reminder(&self, step: &Step, of: &str, channel: Channel, place: &Place) -> Option<Diagnostic> {
        if self.flow.broken.contains(of) {
            return None;
        }
        if of.is_empty() {
            // What hides the survey has been reported.
            let hidden = !self.flow.broken.is_empty();
            let finding = Diagnostic::new(Id::NothingToRemindOf, place, format!("no survey comes before `{}`", step.name));
            return (!hidden).then(|| finding.hint("put it behind a survey step"));
        }
        let Some(reminded) = self.flow.graph.step(of) else { return Some(self.unknown(of, place)) };
        let Does::Survey { channel: handed_out, .. } = &reminded.does else {
            let message = format!("`{of}` is no survey: it is `{}`", reminded.does.word());
            return Some(Diagnostic::new(Id::NothingToRemindOf, place, message).hint("name the survey step in `of`"));
        };
        if !reaches(&self.flow.graph, of, &step.name) {
            let message = format!("`{of}` never comes before `{}`", step.name);
            return Some(
                Diagnostic::new(Id::NotBefore, place, message).label(&self.place(of), "it is here").hint("put the reminder behind the survey"),
            );
        }
        if (channel, *handed_out) == (Channel::Px, Channel::Px) {
            let message = format!("`{of}` was delivered by PX, so its reminder goes by email only");
            let hint = "write `by: \"email\"` here, or hand the survey out by email";
            return Some(Diagnostic::new(Id::ReminderChannel, place, message).label(&self.place(of), "the survey").hint(hint));
        }
        None
    }

    /// One question, asked by a step or, without one, by the journey's exit.
    fn question(&self, when: &When, place: &Place, by: Option<&str>) -> Option<Diagnostic> {
        match when {
            When::Event { step, .. } | When::Score { step, .. } => {
                if self.flow.broken.contains(step) {
                    return None;
                }
                let Some(named) = self.flow.graph.step(step) else { return Some(self.unknown(step, place)) };
                self.impossible(when, named, place).or_else(|| self.not_before(step, by?, place))
            }
            When::Calculated { name, .. } if !self.calculated.contains(&name.as_str()) => {
                let known = || match self.calculated {
                    [] => format!("add `calculated: #{{ {name}: |p| ... }}` to the journey"),
                    names => format!("calculated are {}", names.join(", ")),
                };
                let finding = Diagnostic::new(Id::UnknownCalculated, place, format!("the journey calculates no field `{name}`"));
                Some(finding.meant(name, self.calculated.iter().copied(), || Some(known())))
            }
            _ => None,
        }
    }

    fn impossible(&self, when: &When, step: &Step, place: &Place) -> Option<Diagnostic> {
        let (asked, possible) = match when {
            When::Event { event: EventKind::Responded, .. } => ("responded to", step.does.events().contains(&EventKind::Responded)),
            When::Event { event, .. } => (event.word(), step.does.events().contains(event)),
            _ => ("answered with a score", matches!(step.does, Does::Survey { .. })),
        };
        if possible {
            return None;
        }
        let words: Vec<&str> = step.does.events().iter().map(|event| event.word()).collect();
        let hint = match (&step.does, words.as_slice()) {
            (Does::Remind { of, .. }, _) if asked == "responded to" => format!("ask the survey itself: `responded(\"{of}\")`"),
            _ if matches!(when, When::Score { .. }) => "only surveys are".to_owned(),
            (_, []) => "nothing happens with such a step that could be waited for".to_owned(),
            (_, words) => format!("it can be {}", words.join(", ")),
        };
        let message = format!("`{}` can never be {asked}: it is `{}`", step.name, kind(&step.does));
        Some(Diagnostic::new(Id::ImpossibleEvent, place, message).label(&self.place(&step.name), "the step").hint(hint))
    }

    fn not_before(&self, step: &str, by: &str, place: &Place) -> Option<Diagnostic> {
        let finding = || {
            let message = format!("`{step}` never comes before `{by}`, which asks about it");
            Diagnostic::new(Id::NotBefore, place, message).label(&self.place(step), "it is here").hint("ask about a step that comes before")
        };
        (!reaches(&self.flow.graph, step, by)).then(finding)
    }

    /// The first step of each stretch that nobody reaches.
    fn unreachable(&self) -> Vec<Diagnostic> {
        let graph = &self.flow.graph;
        let Some(start) = graph.start() else { return Vec::new() };
        let mut told = reached(graph, &start.name);
        told.insert(&start.name);
        let mut found = Vec::new();
        for step in &graph.steps {
            if told.contains(step.name.as_str()) {
                continue;
            }
            let message = format!("nobody reaches `{}`", step.name);
            let hint = "what stands before it ends or leads elsewhere: move the step, or delete it";
            found.push(Diagnostic::new(Id::Unreachable, &self.place(&step.name), message).hint(hint));
            told.insert(&step.name);
            told.extend(reached(graph, &step.name));
        }
        found
    }

    /// Each loop without a wait once, at its first step.
    fn loops(&self) -> Vec<Diagnostic> {
        let graph = &self.flow.graph;
        let at_once: BTreeMap<&str, Vec<&str>> = graph.steps.iter().map(|step| (step.name.as_str(), at_once(step))).collect();
        let mut told: BTreeSet<&str> = BTreeSet::new();
        let mut found = Vec::new();
        for step in &graph.steps {
            let Some(way) = way_back(&at_once, &step.name).filter(|way| !way.iter().any(|name| told.contains(name))) else { continue };
            let shown = way.iter().chain(way.first()).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" to ");
            let finding = Diagnostic::new(Id::EndlessLoop, &self.place(&step.name), format!("a loop without a wait: {shown}"));
            found.push(finding.hint("put a `wait(..)` into it"));
            told.extend(way);
        }
        found
    }
}

/// The word, and the channel where it matters.
fn kind(does: &Does) -> String {
    match does {
        Does::Survey { channel, .. } | Does::Remind { channel, .. } => {
            format!("{} by {}", does.word(), if *channel == Channel::Px { "px" } else { "email" })
        }
        _ => does.word().to_owned(),
    }
}

/// Where a step may lead within one moment.
fn at_once(step: &Step) -> Vec<&str> {
    match &step.does {
        Does::Wait { .. } => Vec::new(),
        Does::WaitFor { then, .. } => then.as_deref().into_iter().collect(),
        _ => step.exits().into_iter().filter_map(|(_, to)| to).collect(),
    }
}

/// Everything that can come after a step; the step itself only when it can come again.
fn reached<'g>(graph: &'g Graph, from: &str) -> BTreeSet<&'g str> {
    let by_name: BTreeMap<&str, &Step> = graph.steps.iter().map(|step| (step.name.as_str(), step)).collect();
    let (mut seen, mut open) = (BTreeSet::new(), vec![from.to_owned()]);
    while let Some(name) = open.pop() {
        let Some(step) = by_name.get(name.as_str()) else { continue };
        for next in step.exits().into_iter().filter_map(|(_, to)| to) {
            if let Some((known, _)) = by_name.get_key_value(next)
                && seen.insert(*known)
            {
                open.push(next.to_owned());
            }
        }
    }
    seen
}

fn reaches(graph: &Graph, from: &str, to: &str) -> bool {
    reached(graph, from).contains(to)
}

/// The way from a step back to itself.
fn way_back<'g>(edges: &BTreeMap<&'g str, Vec<&'g str>>, start: &'g str) -> Option<Vec<&'g str>> {
    let (mut ways, mut seen) = (vec![vec![start]], BTreeSet::new());
    while let Some(way) = ways.pop() {
        for next in way.last().and_then(|name| edges.get(name)).into_iter().flatten() {
            if *next == start {
                return Some(way);
            }
            if seen.insert(*next) {
                ways.push(way.iter().copied().chain([*next]).collect());
            }
        }
    }
    None
}
