//! What PX says against the engagements and surveys that the steps of a journey show.

use crate::script::{
    declaration::{Body, Declaration},
    diagnostics::{Diagnostic, Id},
};

/// What speaks against a step that shows something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    pub step: String,
    pub reason: String,
    pub kind: UnfitKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnfitKind {
    /// The step cannot show it, whatever is done in PX.
    Wrong,
    /// It could, once it is marked or launched in PX.
    NotReady,
}

/// Each of them as a finding at its step.
pub fn check_shown(declaration: &Declaration, unfit: &[Unfit]) -> Vec<Diagnostic> {
    let Body::Journey(journey) = &declaration.body else { return Vec::new() };
    let finding = |one: &Unfit| {
        let id = match one.kind {
            UnfitKind::Wrong => Id::WrongEngagement,
            UnfitKind::NotReady => Id::EngagementNotReady,
        };
        let place = journey.parts(&one.step).map_or(&declaration.place, |parts| &parts.place);
        Diagnostic::new(id, place, one.reason.clone())
    };
    unfit.iter().map(finding).collect()
}
