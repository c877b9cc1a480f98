//! A step as a value of scripts, before the journey gives it its place in the flow.

use crate::model::{Does, Length, When};
use crate::script::{
    api::{
        actions::RuleAction,
        dates::{Days, Lasting},
        options::Item,
    },
    declaration::{ActionKind, Cell, Place},
    diagnostics::Id,
    journey::StepParts,
    site::Site,
};

/// A step and everything nested in it.
#[derive(Debug, Clone)]
pub(in crate::script) struct JourneyStep {
    pub(super) word: &'static str,
    /// As written; none for steps that are named after what they do.
    pub(super) name: Option<String>,
    /// What an unnamed one is called, made unique within its journey.
    pub(super) called: String,
    /// Where its name is written.
    pub(super) place: Place,
    /// None when something about it was wrong and has been reported.
    pub(super) shape: Option<Shape>,
    pub(super) parts: StepParts,
    /// Every single question it asks, with its place.
    pub(super) asked: Vec<(When, Place)>,
}

/// What a step does and what follows within it.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Plain(Does),
    WaitFor {
        when: When,
        within: Length,
        then: Vec<JourneyStep>,
        otherwise: Vec<JourneyStep>,
    },
    Branch {
        arms: Vec<(When, Vec<JourneyStep>)>,
        otherwise: Vec<JourneyStep>,
    },
    Split {
        arms: Vec<(String, u32, Vec<JourneyStep>)>,
    },
    /// No step of its own: the list goes on there.
    GoTo(String),
}

impl JourneyStep {
    /// Every list nested in it.
    pub(super) fn lists(&self) -> Vec<&[Self]> {
        match &self.shape {
            Some(Shape::WaitFor { then, otherwise, .. }) => vec![then, otherwise],
            Some(Shape::Branch { arms, otherwise }) => arms.iter().map(|(_, steps)| steps.as_slice()).chain([otherwise.as_slice()]).collect(),
            Some(Shape::Split { arms }) => arms.iter().map(|(_, _, steps)| steps.as_slice()).collect(),
            _ => Vec::new(),
        }
    }

    /// The same, to be changed.
    pub(super) fn lists_mut(&mut self) -> Vec<&mut Vec<Self>> {
        match &mut self.shape {
            Some(Shape::WaitFor { then, otherwise, .. }) => vec![then, otherwise],
            Some(Shape::Branch { arms, otherwise }) => arms.iter_mut().map(|(_, steps)| steps).chain([otherwise]).collect(),
            Some(Shape::Split { arms }) => arms.iter_mut().map(|(_, _, steps)| steps).collect(),
            _ => Vec::new(),
        }
    }

    fn of_action(action: RuleAction, place: &Place) -> Self {
        let word = action.word;
        let about = action.action.as_ref().and_then(|action| about(&action.kind)).map(|about| format!(" {about}")).unwrap_or_default();
        let shape = action.action.as_ref().map(|_| Shape::Plain(Does::Action { word: word.to_owned() }));
        let parts = StepParts { action: action.action, place: place.clone(), ..StepParts::default() };
        Self { word, name: action.step, called: format!("{word}{about}"), place: place.clone(), shape, parts, asked: Vec::new() }
    }
}

/// What an action is about, where the script says so plainly.
fn about(kind: &ActionKind) -> Option<String> {
    match kind {
        ActionKind::Cta(cta) => match &cta.reason {
            Cell::Constant(reason) => Some(reason.to_string()),
            _ => None,
        },
        ActionKind::Score(score) => Some(score.measure.clone()),
        ActionKind::Object(load) => Some(load.to.object.clone()),
        ActionKind::Kept(kept) => match kept.cell("subject").or_else(|| kept.cell("name")).or_else(|| kept.cell("milestone")) {
            Some(Cell::Constant(about)) => Some(about.to_string()),
            _ => None,
        },
        ActionKind::Usage(_) => None,
    }
}

/// A list of steps; actions of rules count as steps.
pub(super) fn steps(site: &Site, item: &Item) -> Vec<JourneyStep> {
    item.list(site).unwrap_or_default().iter().filter_map(|item| step(site, item)).collect()
}

fn step(site: &Site, item: &Item) -> Option<JourneyStep> {
    if let Some(action) = item.value.read_lock::<RuleAction>() {
        return Some(JourneyStep::of_action(action.clone(), &item.place));
    }
    item.cast(site, "a step such as `send_email(..)`, or an action such as `create_cta(..)`")
}

/// `days(7)`, `hours(2)`, `minutes(30)`: longer than nothing.
pub(super) fn length(site: &Site, item: &Item) -> Option<Length> {
    let days = item.value.read_lock::<Days>().map(|days| days.0);
    let length = match days {
        Some(days) => u32::try_from(days).ok().map(Length::Days),
        None => Some(item.cast::<Lasting>(site, "a length such as `days(7)`, `hours(2)` or `minutes(30)`")?.0),
    };
    let shown = || days.map_or_else(|| "this".to_owned(), |days| format!("{days} days"));
    match length {
        Some(Length::Days(0) | Length::Hours(0) | Length::Minutes(0)) => {
            let hint = "write at least `minutes(1)`, or leave it out";
            item.invalid(site, Id::EmptyWait, "this is no time at all", Some(hint.to_owned()))
        }
        Some(length) => Some(length),
        None => item.invalid(site, Id::EmptyWait, format!("{} lie in the past", shown()), None),
    }
}
