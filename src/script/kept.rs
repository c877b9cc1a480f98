//! What `log_timeline`, `create_success_plan` and `load_to_milestones` keep of an account.

use super::declaration::Cell;

/// A record of an account's history or plans, named by the options of its action.
#[derive(Debug, Clone)]
pub struct Kept {
    pub kind: KeptKind,
    /// The options that were given or have a usual value, by name.
    pub values: Vec<(&'static str, Cell)>,
    /// Days from the rule date to the due date, where there is one.
    pub due_in_days: u32,
    /// Tells several actions of one declaration apart: the name of the step, or the number among the rule's actions of this kind from the
    /// second on.
    pub tag: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptKind {
    /// `log_timeline(#{..})`: an activity of Gainsight's Timeline.
    Timeline,
    /// `create_success_plan(#{..})`: an open one of the same company, type and name is updated.
    SuccessPlan,
    /// `load_to_milestones(#{..})`: a milestone of Gainsight's managed package in Salesforce.
    Milestone,
}

impl KeptKind {
    /// The action's name in scripts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Timeline => "log_timeline",
            Self::SuccessPlan => "create_success_plan",
            Self::Milestone => "load_to_milestones",
        }
    }

    /// What it writes, in words.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Timeline => "timeline entries",
            Self::SuccessPlan => "success plans",
            Self::Milestone => "milestones",
        }
    }
}

impl Kept {
    pub fn cell(&self, name: &str) -> Option<&Cell> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, cell)| cell)
    }

    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.values.iter().map(|(_, cell)| cell)
    }
}
