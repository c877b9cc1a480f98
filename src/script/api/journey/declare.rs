//! `journey(name, #{..})` (B1-B12).

use rhai::{
    FnPtr,
    plugin::{Dynamic, EvalAltResult, NativeCallContext, export_module},
};

use jiff::SignedDuration;

use crate::model::{Does, ProgramModel, QuestionKind, Reentry, Schedule};
use crate::script::{
    api::{
        declare::declaration,
        options::{Entry, Item, Options},
    },
    closure::Closure,
    declaration::Body,
    diagnostics::Id,
    journey::Journey,
    site::Site,
};

use super::{conditions::asking, flow::flow, pace::pace, people::people, step, validate::Asked};

/// How often participants are looked for when the script does not say.
const LOOK_EVERY: SignedDuration = SignedDuration::from_hours(1);

fn read(site: &Site, options: &mut Options) -> Option<Body> {
    let model = options.take(site, "model").map_or(Some(ProgramModel::Dynamic), |item| item.choice(site, &ProgramModel::ALL));
    let (program_type, folder) = (options.text(site, "type"), options.text(site, "folder"));
    let who = people(site, options);
    let unique_on = options.texts(site, "unique_on");
    let reentry = options.take(site, "reentry").map_or(Some(Reentry::Never), |item| reentry(site, &item));
    let calculated = options.take(site, "calculated").map(|item| calculated(site, &item)).unwrap_or_default();
    let given = options.need(site, "steps");
    let steps = given.as_ref().map(|item| step::steps(site, item)).unwrap_or_default();
    let exit = options.take(site, "exit").map(|item| asking(site, &item));
    let pace = pace(site, options);
    let whole = exit.as_ref().is_none_or(|exit| exit.as_ref().is_some_and(|exit| exit.when.is_some()));
    let exit = exit.flatten().unwrap_or_default();
    if let Some(item) = given.as_ref().filter(|item| item.value.as_array_ref().is_ok_and(|items| items.is_empty())) {
        item.invalid::<()>(site, Id::NoSteps, "a journey without steps", Some("begin with one such as `send_email(..)`".to_owned()));
    }
    let flow = flow(steps);
    let names: Vec<&str> = calculated.iter().map(|(name, _)| name.as_str()).collect();
    Asked { model, calculated: &names, flow: &flow, exit: &exit.asked }.check().into_iter().for_each(|finding| site.report(finding));
    let (participants, identity) = who?;
    if !whole || !flow.broken.is_empty() || !site.sound() {
        return None;
    }
    let unique_on = if unique_on.is_empty() { vec![identity.email.clone()] } else { unique_on };
    let model = model?;
    let mut graph = flow.graph;
    for step in &mut graph.steps {
        if let Does::Survey { by_model, .. } = &mut step.does {
            *by_model = QuestionKind::of_model(model);
        }
    }
    Some(Body::Journey(Box::new(Journey {
        model,
        program_type,
        folder,
        participants,
        unique_on,
        reentry: reentry?,
        calculated: calculated.into_iter().filter_map(|(name, closure)| Some((name, closure?))).collect(),
        graph,
        steps: flow.parts,
        exit: exit.when,
        dated: std::collections::BTreeSet::new(),
        dated_exit: false,
        pace,
        identity,
    })))
}

/// `"never"`, `"after_end"`, or a length after the end.
fn reentry(site: &Site, item: &Item) -> Option<Reentry> {
    if item.is_text() {
        return item.choice(site, &[("never", Reentry::Never), ("after_end", Reentry::AfterEnd)]);
    }
    step::length(site, item).map(Reentry::After)
}

/// Names with their closures; none for one that is no closure, which has been reported.
fn calculated(site: &Site, item: &Item) -> Vec<(String, Option<Closure>)> {
    let one = |entry: &Entry| {
        let pointer = entry.item.cast::<FnPtr>(site, "a closure `|p| ...`");
        (entry.key.clone(), pointer.and_then(|pointer| site.row_closure(&pointer, &entry.item.place)))
    };
    item.entries(site).unwrap_or_default().iter().map(one).collect()
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
pub(in crate::script::api) mod functions {
    /// Declares a journey: people enter it and move from step to step (B1-B12).
    ///
    /// Who: `participants`, a source or a list of maps (an empty one where all are added by `tabi journey add`); `filter`, conditions or a
    /// closure; `fields`, further fields of the participant's record;
    /// `unique_on`, the fields that tell people apart (default: the address; capitals count only in ids of Pendo and PX); `reentry`, `"never"` (the
    /// default), `"after_end"`, or a length such as `days(30)` after the end. `email`, `px_id` and `company` name the fields that say who somebody
    /// is; Gainsight people have them in `email`,
    /// `external_id` and `company_id`, PX users in `email`, `identifyId` and `accountId`, Salesforce contacts in `Email`, `Email` and `AccountId`,
    /// Pendo visitors in `metadata.agent.email`, `visitorId` and `accountId`, lists in `email`, `px_id` and `company_id`. `every`, `daily`,
    /// `weekly`, `monthly` or `cron` tells how often people are looked for; without it, every hour.
    ///
    /// A participant's record has the fields of its source by their own names, and beside them in one spelling: lower case, words joined by `_`,
    /// without the suffix of custom fields. So `Lifecycle__gc` is also `lifecycle`, `CompanyId` is also `company_id`, and `Email` is also `email`,
    /// in closures, conditions, field maps, `unique_on` and templates.
    ///
    /// What: `model` (`email_chain`, `onboarding`, `nps`, `csat`, `ces`, `survey`, `dynamic`; the last is the default), `type` and `folder`;
    /// `calculated`, fields computed by closures over the participant's record, for `calculated(..)`; `steps`, in order; `exit`, a condition on
    /// which a person leaves, wherever they stand; `overrides`, declarations whose fields, scores or measures its steps may write, too.
    ///
    /// When messages go out: `quiet_hours: ["20:00", "08:00"]`, `working_days: "mon-fri"` (or a list), `cap: #{ messages: 3, within: days(7) }`,
    /// `time_zone: "Europe/Berlin"` (default: the workspace's): where waits of days end, and the days of conditions begin and end.
    ///
    /// A nested list of steps that does not end with `finish()`, `drop(..)` or `go_to(..)` goes on with the step after the enclosing one; who
    /// passes the last step has completed the journey. People keep their place by the step's name, also while the journey is edited.
    ///
    /// # Example
    /// ```rhai
    /// journey("welcome", #{
    ///     model: "onboarding",
    ///     participants: gainsight::people().filter(|p| p.lifecycle == "onboarding"),
    ///     unique_on: ["company_id", "email"],
    ///     calculated: #{ seats_used: |p| p.active_users * 100 / p.seats },
    ///     steps: [
    ///         send_email("welcome", #{ template: "welcome" }),
    ///         wait("settle in", days(1)),
    ///         engagement("tour", "Product tour"),
    ///         wait_for("tour done?", #{
    ///             any: [completed("tour"), calculated("seats_used", ">=", 80)],
    ///             within: days(7),
    ///             then: [finish()],
    ///             otherwise: [create_cta(#{ reason: "Tour not finished", priority: "medium" })],
    ///         }),
    ///     ],
    ///     quiet_hours: ["20:00", "08:00"],
    ///     time_zone: "Europe/Berlin",
    /// });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn journey(ctx: NativeCallContext, name: &str, options: Dynamic) -> Result<(), Box<EvalAltResult>> {
        declaration(&ctx, ("journey", name), Some(Schedule::Every(LOOK_EVERY)), options, read)
    }
}
