//! Actions that keep an account's history and plans: timeline entries, success plans, milestones. Rules have them, and steps of journeys.

use rhai::{
    Dynamic,
    plugin::{NativeCallContext, RhaiResult, export_module},
};

use crate::model::Value;
use crate::script::{
    declaration::{ActionKind, Cell},
    diagnostics::{Diagnostic, Id},
    kept::{Kept, KeptKind},
    site::Site,
};

use super::{
    actions::action,
    fields::{Text, cell},
    options::Options,
};

/// What an entry may hang on, as the Timeline API calls it.
const CONTEXTS: [(&str, &str); 5] =
    [("Company", "Company"), ("Relationship", "Relationship"), ("CTA", "CTA"), ("SuccessPlan", "SuccessPlan"), ("GS_Opportunity", "GS_Opportunity")];

/// Options gathered into an action.
struct Gathered<'a, 'x, 'y, 's> {
    site: &'a Site<'x, 'y>,
    options: &'a mut Options<'s>,
    values: Vec<(&'static str, Cell)>,
    complete: bool,
}

impl<'a, 'x, 'y, 's> Gathered<'a, 'x, 'y, 's> {
    const fn new(site: &'a Site<'x, 'y>, options: &'a mut Options<'s>) -> Self {
        Self { site, options, values: Vec::new(), complete: true }
    }

    /// An option that may be left out.
    fn may(&mut self, name: &'static str, text: Text) -> bool {
        let given = self.options.take(self.site, name);
        let cell = given.and_then(|item| cell(self.site, &item, text));
        cell.map(|cell| self.values.push((name, cell))).is_some()
    }

    fn usually(&mut self, name: &'static str, text: Text, usual: Cell) {
        if !self.may(name, text) {
            self.values.push((name, usual));
        }
    }

    fn must(&mut self, name: &'static str, text: Text) {
        let given = self.options.need(self.site, name);
        match given.and_then(|item| cell(self.site, &item, text)) {
            Some(cell) => self.values.push((name, cell)),
            None => self.complete = false,
        }
    }

    fn into_kind(self, kind: KeptKind, due_in_days: u32) -> Option<ActionKind> {
        self.complete.then_some(ActionKind::Kept(Kept { kind, values: self.values, due_in_days, tag: None }))
    }
}

fn text(text: &str) -> Cell {
    Cell::Constant(Value::text(text))
}

fn timeline(site: &Site, options: &mut Options) -> Option<ActionKind> {
    let context = options.take(site, "context");
    let hangs_on = context.as_ref().map_or(Some("Company"), |item| item.choice(site, &CONTEXTS));
    let mut all = Gathered::new(site, options);
    all.usually("type", Text::IsItself, text("Update"));
    all.must("subject", Text::IsItself);
    all.must("notes", Text::IsItself);
    all.must("author", Text::IsItself);
    all.usually("date", Text::IsField, Cell::RuleDate(super::RuleDate::default()));
    all.may("external_id", Text::IsItself);
    let has_id = all.may("context_id", Text::IsItself);
    let hangs_on = hangs_on?;
    all.values.push(("context", text(hangs_on)));
    if has_id == (hangs_on == "Company") {
        let message = if has_id {
            "an entry of the company itself has no `context_id`".to_owned()
        } else {
            format!("which {hangs_on} the entry is of is not said")
        };
        let hint = if has_id { "say the `context`, or leave `context_id` out" } else { "add `context_id: field(\"FIELD WITH ITS GSID\")`" };
        if let Some(item) = &context {
            return item.invalid(site, Id::OptionValue, message, Some(hint.to_owned()));
        }
        site.report(Diagnostic::new(Id::OptionValue, site.place(), message).hint(hint));
        return None;
    }
    all.into_kind(KeptKind::Timeline, 0)
}

fn success_plan(site: &Site, options: &mut Options) -> Option<ActionKind> {
    let due = options.take(site, "due_in_days").map_or(Some(90), |item| item.number(site, 0, 3650));
    let mut all = Gathered::new(site, options);
    all.must("name", Text::IsItself);
    all.must("type", Text::IsItself);
    all.must("owner_email", Text::IsItself);
    all.usually("status", Text::IsItself, text("Draft"));
    all.may("template", Text::IsItself);
    all.into_kind(KeptKind::SuccessPlan, u32::try_from(due?).unwrap_or(90))
}

fn milestone(site: &Site, options: &mut Options) -> Option<ActionKind> {
    let milestone = options.need_text(site, "milestone");
    let mut all = Gathered::new(site, options);
    all.usually("account", Text::IsField, Cell::Field("Id".to_owned()));
    all.usually("date", Text::IsField, Cell::RuleDate(super::RuleDate::default()));
    all.may("comments", Text::IsItself);
    all.values.push(("milestone", text(&milestone?)));
    all.into_kind(KeptKind::Milestone, 0)
}

#[export_module]
#[allow(clippy::needless_pass_by_value, clippy::unwrap_used, unreachable_pub, reason = "the shapes that the engine calls, and their expansion")]
pub(super) mod functions {
    /// Logs an entry in the Timeline of the company. Text stands for itself; `field("NAME")` and closures read the row. Options: `subject` (at most
    /// 255 characters), `notes` (HTML), `author` (the e-mail address of a user of Gainsight), `type` (default `Update`), `date` (a field, a closure or
    /// `rule_date()`, the default), `context` (`Company`, the default, `Relationship`, `CTA`, `SuccessPlan`, `GS_Opportunity`) with `context_id` (its
    /// GSID), `external_id`, `criteria`, and in a journey `step`.
    ///
    /// Running again for the same date changes nothing: entries are known by their external id, which is made of the names of the declaration and
    /// the step, of what identifies the row, and of the date. An entry whose type, subject, notes or date differ is updated; its author and what it
    /// hangs on stay. Of several `log_timeline` in one rule, the second and later are known by their place: give them an `external_id` of their own
    /// if their order may change. One call is made for each entry (Gainsight allows 200 a minute).
    ///
    /// # Example
    /// ```rhai
    /// let action = log_timeline(#{ subject: "Usage fell", notes: |row| `${row.visits} visits`, author: "ana@example.com" });
    /// action.kind == "log_timeline"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn log_timeline(ctx: NativeCallContext, options: Dynamic) -> RhaiResult {
        action(&ctx, "log_timeline", options, timeline)
    }

    /// Creates a success plan for the company, or updates the open one of the same company, type and name: its owner. A plan is open unless its
    /// status is `Closed`. Text stands for itself; `field("NAME")` and closures read the row. Options: `name`, `type`, `owner_email`, `template`
    /// (applied to a new plan), `status` (of a new plan, default `Draft`), `due_in_days` (of a new plan, default 90), `criteria`, and in a
    /// journey `step`.
    ///
    /// The objectives of a plan come from its template: no public document says how the API takes them one by one.
    ///
    /// # Example
    /// ```rhai
    /// let action = create_success_plan(#{ name: "Onboarding", type: "Onboarding", owner_email: "ana@example.com", due_in_days: 60 });
    /// action.kind == "create_success_plan"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn create_success_plan(ctx: NativeCallContext, options: Dynamic) -> RhaiResult {
        action(&ctx, "create_success_plan", options, success_plan)
    }

    /// Loads a milestone of the account (Load to Milestones of Gainsight's Salesforce edition): one row of `JBCXM__Milestone__c` for each account,
    /// milestone and date, so that running again changes nothing. Options: `milestone` (its name; it has to be among the milestones of the
    /// package), `account` (default `Id`), `date` (default `rule_date()`), `comments`, `criteria`, and in a journey `step`.
    ///
    /// # Example
    /// ```rhai
    /// let load = load_to_milestones(#{ account: "Id", milestone: "Training", date: rule_date(), comments: "First session done" });
    /// load.kind == "load_to_milestones"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn load_to_milestones(ctx: NativeCallContext, options: Dynamic) -> RhaiResult {
        action(&ctx, "load_to_milestones", options, milestone)
    }
}
