//! The steps that scripts can write (B4-B6, B13, B14).

use rhai::{
    FnPtr, Map,
    plugin::{Dynamic, ImmutableString, NativeCallContext, RhaiResult, export_module},
};

use crate::model::{Channel, Does, Question, QuestionKind, When};
use crate::script::{
    api::{
        fields::values,
        options::{Entry, Item, Options},
    },
    declaration::{FieldMap, Place},
    diagnostics::{Diagnostic, Id},
    journey::StepParts,
    site::Site,
};

use super::{
    conditions::{Asking, asking},
    step::{JourneyStep, Shape, length, steps},
};

/// What the reader of a step comes to.
struct Made {
    shape: Shape,
    parts: StepParts,
    asked: Vec<(When, Place)>,
}

impl From<Does> for Made {
    fn from(does: Does) -> Self {
        Self { shape: Shape::Plain(does), parts: StepParts::default(), asked: Vec::new() }
    }
}

/// A step with a name of its own.
fn named(ctx: &NativeCallContext, (word, name): (&'static str, &str), read: impl FnOnce(&Site) -> Option<Made>) -> RhaiResult {
    let site = Site::of(ctx);
    let place = site.argument(0).map_or_else(|| site.place().clone(), |spot| site.at(spot.at));
    let sound = !name.trim().is_empty() && name.chars().count() <= 80 && !name.chars().any(char::is_control);
    if !sound {
        let hint = "a step's name has 1 to 80 characters on one line";
        site.report(Diagnostic::new(Id::OptionValue, &place, format!("`{name}` cannot be a step's name")).hint(hint));
    }
    let made = read(&site);
    finished(site, (word, Some(name.to_owned()), name.to_owned()), place, made)
}

/// A step that is named after what it does.
fn unnamed(ctx: &NativeCallContext, word: &'static str, called: String, does: Shape) -> RhaiResult {
    let site = Site::of(ctx);
    let place = site.argument(0).map_or_else(|| site.place().clone(), |spot| site.at(spot.at));
    finished(site, (word, None, called), place, Some(Made { shape: does, parts: StepParts::default(), asked: Vec::new() }))
}

fn finished(site: Site, (word, name, called): (&'static str, Option<String>, String), place: Place, made: Option<Made>) -> RhaiResult {
    let (shape, parts, asked) = match made.filter(|_| site.sound()) {
        Some(made) => (Some(made.shape), made.parts, made.asked),
        None => (None, StepParts::default(), Vec::new()),
    };
    let parts = StepParts { place: place.clone(), ..parts };
    site.built(JourneyStep { word, name, called, place, shape, parts, asked })
}

/// A named step with options.
fn optioned(
    ctx: &NativeCallContext,
    (word, name): (&'static str, &str),
    given: Dynamic,
    read: impl FnOnce(&Site, &mut Options) -> Option<Made>,
) -> RhaiResult {
    named(ctx, (word, name), |site| {
        let item = Item::argument(site, 1, word, given);
        let mut options = item.options(site, word)?;
        let made = read(site, &mut options);
        options.finish(site);
        made
    })
}

const CHANNELS: [(&str, Channel); 2] = [("px", Channel::Px), ("email", Channel::Email)];

fn maps(site: &Site, options: &mut Options, name: &'static str) -> Vec<FieldMap> {
    options.take(site, name).map(|item| values(site, &item)).unwrap_or_default()
}

fn mail(site: &Site, options: &mut Options) -> Option<Made> {
    let template = options.need_text(site, "template");
    let data = maps(site, options, "data");
    Some(Made { parts: StepParts { data, ..StepParts::default() }, ..Does::SendEmail { template: template? }.into() })
}

fn handed_out(site: &Site, options: &mut Options) -> Option<Made> {
    let given = options.take(site, "survey");
    let survey = given.as_ref().and_then(|item| item.text(site));
    if given.is_none() {
        let hint = "add `survey: \"NAME\"`, one of the PX surveys";
        site.report(Diagnostic::new(Id::NoSurvey, &options.place, "a survey step without a survey").hint(hint));
    }
    let questions = questions(site, options);
    let (channel, template, data) = carried(site, options, Channel::Px);
    let does = Does::Survey { survey: survey?, channel: channel?, template, questions: questions?, by_model: None };
    Some(Made { parts: StepParts { data, ..StepParts::default() }, ..does.into() })
}

/// `kind: "nps"`, or `questions: [#{ ask, type, choices, required }]`; nothing where another tells what is asked.
fn questions(site: &Site, options: &mut Options) -> Option<Vec<Question>> {
    let kind = options.take(site, "kind");
    let several = options.take(site, "questions");
    match (kind, several) {
        (None, None) => Some(Vec::new()),
        (Some(item), None) => Some(vec![Question::usual(item.choice(site, scored())?)]),
        (None, Some(item)) => {
            let read: Vec<Option<Question>> = item.list(site)?.iter().map(|item| question(site, item)).collect();
            if read.is_empty() {
                let hint = "write `questions: [#{ ask: \"..\", type: \"nps\" }]`";
                return item.invalid(site, Id::OptionValue, "a survey that asks nothing", Some(hint.to_owned()));
            }
            read.into_iter().collect()
        }
        (Some(_), Some(item)) => {
            item.invalid(site, Id::Exclusive, "`kind` is for a survey of one question", Some("keep one of kind, questions".to_owned()))
        }
    }
}

/// Kinds that a survey of one question can be of.
fn scored() -> &'static [(&'static str, QuestionKind)] {
    QuestionKind::ALL.split_at(4).0
}

fn question(site: &Site, item: &Item) -> Option<Question> {
    let mut options = item.options(site, "a question")?;
    let ask = options.need_text(site, "ask");
    let kind = options.need(site, "type").and_then(|item| item.choice(site, &QuestionKind::ALL));
    let choices = options.texts(site, "choices");
    let required = options.bool(site, "required", false);
    options.finish(site);
    let (ask, kind) = (ask?, kind?);
    if (kind == QuestionKind::Choice) == choices.is_empty() {
        let hint = "`choices: [\"..\", \"..\"]` belong to a question of type `choice`";
        return item.invalid(site, Id::OptionValue, "choices and type do not fit", Some(hint.to_owned()));
    }
    Some(Question { ask, kind, choices, required })
}

fn reminder(site: &Site, options: &mut Options) -> Option<Made> {
    let of = options.text(site, "of").unwrap_or_default();
    let (channel, template, data) = carried(site, options, Channel::Email);
    Some(Made { parts: StepParts { data, ..StepParts::default() }, ..Does::Remind { of, channel: channel?, template }.into() })
}

/// By which channel, and the mail where it is one.
fn carried(site: &Site, options: &mut Options, usual: Channel) -> (Option<Channel>, Option<String>, Vec<FieldMap>) {
    let channel = options.take(site, "by").map_or(Some(usual), |item| item.choice(site, &CHANNELS));
    let template = options.take(site, "template");
    if let (Some(Channel::Px), Some(item)) = (channel, &template) {
        let hint = "drop it, or write `by: \"email\"`";
        item.invalid::<()>(site, Id::Exclusive, "a template is for what goes by email", Some(hint.to_owned()));
    }
    (channel, template.and_then(|item| item.text(site)), maps(site, options, "data"))
}

fn hooked(site: &Site, options: &mut Options) -> Option<Made> {
    let item = options.need(site, "url");
    let url = item.as_ref().and_then(|item| item.text(site));
    if let (Some(url), Some(item)) = (&url, &item)
        && !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme))
    {
        item.invalid::<()>(site, Id::OptionValue, format!("`{url}` is no address"), Some("write it with `https://`".to_owned()));
    }
    let body = maps(site, options, "body");
    Some(Made { parts: StepParts { body, ..StepParts::default() }, ..Does::Webhook { url: url? }.into() })
}

/// `any`, `all` or `when`: exactly one of them.
fn asked(site: &Site, options: &mut Options, what: &str) -> Option<Asking> {
    let any = options.take(site, "any").map(|item| (item.place.clone(), super::conditions::list(site, &item, When::Any)));
    let all = options.take(site, "all").map(|item| (item.place.clone(), super::conditions::list(site, &item, When::All)));
    let when = options.take(site, "when").map(|item| (item.place.clone(), asking(site, &item)));
    let mut given = [any, all, when].into_iter().flatten();
    let Some((_, first)) = given.next() else {
        site.report(
            Diagnostic::new(Id::MissingOption, &options.place, format!("{what} lacks a condition"))
                .hint("add `any: [..]`, `all: [..]` or `when: ..`"),
        );
        return None;
    };
    if let Some((place, _)) = given.next() {
        site.report(
            Diagnostic::new(Id::Exclusive, &place, "a second condition").hint("keep one of any, all, when; nest others: `any: [.., #{ all: [..] }]`"),
        );
    }
    first
}

fn waited_for(site: &Site, options: &mut Options) -> Option<Made> {
    let asking = asked(site, options, "wait_for");
    let within = options.need(site, "within").and_then(|item| length(site, &item));
    let mut list = |name| options.take(site, name).map(|item| steps(site, &item)).unwrap_or_default();
    let (then, otherwise) = (list("then"), list("otherwise"));
    let asking = asking?;
    Some(Made { shape: Shape::WaitFor { when: asking.when?, within: within?, then, otherwise }, parts: StepParts::default(), asked: asking.asked })
}

fn branched(site: &Site, options: &mut Options) -> Option<Made> {
    let several = options.take(site, "arms");
    let mut arms = Vec::new();
    let mut whole = true;
    match &several {
        Some(item) => {
            for item in item.list(site)? {
                let mut options = item.options(site, "an arm")?;
                let arm = arm(site, &mut options);
                options.finish(site);
                whole &= arm.is_some();
                arms.extend(arm);
            }
            if arms.is_empty() && whole {
                item.invalid::<()>(site, Id::OptionValue, "a branch without arms", Some("write `arms: [#{ when: .., then: [..] }]`".to_owned()));
            }
        }
        None => {
            let arm = arm(site, options);
            whole = arm.is_some();
            arms.extend(arm);
        }
    }
    let otherwise = options.take(site, "otherwise").map(|item| steps(site, &item)).unwrap_or_default();
    let (mut shaped, mut asked) = (Vec::new(), Vec::new());
    for (asking, steps) in arms {
        asked.extend(asking.asked);
        shaped.push((asking.when?, steps));
    }
    whole.then_some(Made { shape: Shape::Branch { arms: shaped, otherwise }, parts: StepParts::default(), asked })
}

fn arm(site: &Site, options: &mut Options) -> Option<(Asking, Vec<JourneyStep>)> {
    let asking = asked(site, options, "a branch");
    let then = options.take(site, "then").map(|item| steps(site, &item)).unwrap_or_default();
    Some((asking?, then))
}

fn shared(site: &Site, item: &Item) -> Option<Made> {
    let entries = item.entries(site)?;
    let arms: Option<Vec<(String, u32, Vec<JourneyStep>)>> = entries.iter().map(|entry| share(site, entry)).collect();
    let arms = arms?;
    if arms.iter().all(|(_, weight, _)| *weight == 0) {
        let hint = "give each share a weight: `a: #{ weight: 1, steps: [..] }`";
        return item.invalid(site, Id::NoWeight, "the weights of a split sum up to 0: nobody could go anywhere", Some(hint.to_owned()));
    }
    Some(Made { shape: Shape::Split { arms }, parts: StepParts::default(), asked: Vec::new() })
}

fn share(site: &Site, entry: &Entry) -> Option<(String, u32, Vec<JourneyStep>)> {
    let mut options = entry.item.options(site, &format!("the share `{}`", entry.key))?;
    let weight = options.need(site, "weight").and_then(|item| item.number(site, 0, 1_000_000)).and_then(|weight| u32::try_from(weight).ok());
    let steps = options.take(site, "steps").map(|item| steps(site, &item)).unwrap_or_default();
    options.finish(site);
    Some((entry.key.clone(), weight?, steps))
}

/// One step of any journey. Steps are values: they can be kept in variables and returned by functions.
#[export_module]
#[allow(clippy::needless_pass_by_value, clippy::unwrap_used, unreachable_pub, reason = "the shapes that the engine calls, and their expansion")]
pub(in crate::script::api) mod functions {
    /// Sends a mail from a template. Options: `template`, and `data`, a map of further values for the template: text stands for itself,
    /// `field("NAME")` and closures read the participant.
    ///
    /// # Example
    /// ```rhai
    /// let step = send_email("welcome", #{ template: "welcome", data: #{ days_left: 14, plan: field("plan") } });
    /// step.kind == "send_email"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn send_email(ctx: NativeCallContext, name: &str, options: Dynamic) -> RhaiResult {
        optioned(&ctx, ("send_email", name), options, mail)
    }

    /// Hands out a PX survey (B13). In the product it goes to the members of a segment that somebody picks in PX as its audience: see `engagement`.
    /// Options: `survey` (its name or id), `by` (`px`, the default, in the product; or `email`), `template` (the mail
    /// that carries it) and `data` for the template.
    ///
    /// By email, people answer on a page of the host's own server. It asks what `kind` says (`nps`, `csat`, `ces`, `rating`), or `questions`, a
    /// list of `#{ ask: "..", type: "nps", required: true }` whose types are `nps`, `csat`, `ces`, `rating`, `text` and `choice` (with
    /// `choices`); else what the PX survey is, else what the journey's `model` is. Templates have `survey_url`, the page, and `survey.scores`,
    /// `#{ score, url }` for each score of the first question: one click answers.
    ///
    /// # Example
    /// ```rhai
    /// let step = survey("ask", #{ survey: "NPS Q1", by: "px" });
    /// step.kind == "survey"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn survey(ctx: NativeCallContext, name: &str, options: Dynamic) -> RhaiResult {
        optioned(&ctx, ("survey", name), options, handed_out)
    }

    /// Reminds those who have not answered a survey (B14). Options: `of` (the survey step; left out, the nearest one before), `by` (`email`, the
    /// default; `px` only when the survey itself went by email), `template` and `data`.
    ///
    /// # Example
    /// ```rhai
    /// let step = remind("once more", #{ of: "ask", template: "nps-reminder" });
    /// step.kind == "remind"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn remind(ctx: NativeCallContext, name: &str, options: Dynamic) -> RhaiResult {
        optioned(&ctx, ("remind", name), options, reminder)
    }

    /// Triggers a PX engagement, by its name or id (B1, B4). The next step begins at once; `wait_for` waits for what becomes of it.
    ///
    /// People are put into an external segment of the journey's own, `tabi:JOURNEY:ENGAGEMENT_ID`. In PX somebody picks that segment once as the
    /// engagement's audience: PX's API (Swagger 0.1.6) has no call for it. External segments are switched on for a subscription by Gainsight's
    /// support, as the PX team's page on its Adobe destination says. Publishing tells what to pick; until the first view comes in, `show` and
    /// `report` call the engagement unconfirmed, and who has qualified for more than a day unseen is told of as a warning. The sandbox picks the
    /// segment by itself, unless it is strict (`tabi sandbox --strict`).
    ///
    /// # Example
    /// ```rhai
    /// engagement("tour", "Product tour").name == "tour"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn engagement(ctx: NativeCallContext, name: &str, engagement: &str) -> RhaiResult {
        named(&ctx, ("engagement", name), |site| {
            let item = Item::argument(site, 1, "the engagement", engagement.into());
            Some(Does::Engagement { engagement: item.text(site)? }.into())
        })
    }

    /// Waits: `days(1)`, `hours(2)`, `minutes(30)` (B5). Days end at the same time of day, in the journey's time zone.
    ///
    /// # Example
    /// ```rhai
    /// wait("settle in", days(1)).kind == "wait"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn wait(ctx: NativeCallContext, name: &str, length: Dynamic) -> RhaiResult {
        named(&ctx, ("wait", name), |site| {
            let item = Item::argument(site, 1, "a wait", length);
            Some(Does::Wait { length: super::length(site, &item)? }.into())
        })
    }

    /// Waits for a condition, at most so long (B6). Options: `any: [..]`, `all: [..]` or `when: ..`, `within` (a length), `then` (steps when it came
    /// true in time), `otherwise` (steps when it did not). A nested list that does not end with `finish()`, `drop(..)` or `go_to(..)` goes on with
    /// the step after this one.
    ///
    /// # Example
    /// ```rhai
    /// let step = wait_for("tour done?", #{ any: [completed("tour")], within: days(7), then: [finish()], otherwise: [] });
    /// step.kind == "wait_for"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn wait_for(ctx: NativeCallContext, name: &str, options: Dynamic) -> RhaiResult {
        optioned(&ctx, ("wait_for", name), options, waited_for)
    }

    /// Goes the way of the first condition that holds now. Options: `when` (or `any`, `all`), `then` and `otherwise`, lists of steps; with more
    /// than one way, `arms: [#{ when: .., then: [..] }, ..]` and `otherwise`. A nested list that does not end with `finish()`, `drop(..)` or
    /// `go_to(..)` goes on with the step after this one.
    ///
    /// # Example
    /// ```rhai
    /// let step = branch("heavy user?", #{ when: field("active_users", ">", 50), then: [engagement("advanced", "Advanced tour")] });
    /// step.kind == "branch"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn branch(ctx: NativeCallContext, name: &str, options: Dynamic) -> RhaiResult {
        optioned(&ctx, ("branch", name), options, branched)
    }

    /// Shares people out by weight, each person always to the same share. A share has a `weight` and `steps`; one without steps is held out and
    /// goes on with the step after this one, as does a list that does not end with `finish()`, `drop(..)` or `go_to(..)`.
    ///
    /// # Example
    /// ```rhai
    /// let step = split("which video?", #{
    ///     short: #{ weight: 45, steps: [engagement("short", "Release in 30 seconds")] },
    ///     long: #{ weight: 45, steps: [engagement("long", "Release in 3 minutes")] },
    ///     hold_out: #{ weight: 10 },
    /// });
    /// step.kind == "split"
    /// ```
    #[rhai_fn(name = "split", return_raw)]
    pub fn split_people(ctx: NativeCallContext, name: &str, shares: Map) -> RhaiResult {
        named(&ctx, ("split", name), |site| shared(site, &Item::argument(site, 1, "a split", shares.into())))
    }

    /// Closes the open call to action of a reason, at the participant's company, whoever made it. Options: `reason`, `step` (the step's name).
    ///
    /// # Example
    /// ```rhai
    /// close_cta(#{ reason: "Tour not finished" }).name == "close_cta Tour not finished"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn close_cta(ctx: NativeCallContext, options: Dynamic) -> RhaiResult {
        let site = Site::of(&ctx);
        let place = site.place().clone();
        let item = Item::argument(&site, 0, "close_cta", options);
        let (mut name, mut reason) = (None, None);
        if let Some(mut options) = item.options(&site, "close_cta") {
            reason = options.need_text(&site, "reason");
            name = options.text(&site, "step");
            options.finish(&site);
        }
        let called = format!("close_cta {}", reason.as_deref().unwrap_or_default());
        finished(site, ("close_cta", name, called), place, reason.map(|reason| Does::CloseCta { reason }.into()))
    }

    /// Sets fields of the participant, for later steps and conditions. Text stands for itself; `field("NAME")` and closures read the participant.
    ///
    /// # Example
    /// ```rhai
    /// set_field("mark", #{ stage: "welcomed", seats_then: field("seats") }).kind == "set_field"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn set_field(ctx: NativeCallContext, name: &str, fields: Dynamic) -> RhaiResult {
        named(&ctx, ("set_field", name), |site| {
            let fields = values(site, &Item::argument(site, 1, "set_field", fields));
            let targets = fields.iter().map(|map| map.target.to_string()).collect();
            Some(Made { parts: StepParts { fields, ..StepParts::default() }, ..Does::SetField { fields: targets }.into() })
        })
    }

    /// Posts JSON to an address whose host `tabi.toml` allows. Options: `url`, and `body`, a map of its fields (text stands for itself,
    /// `field("NAME")` and closures read the participant); without it the participant's whole record.
    ///
    /// # Example
    /// ```rhai
    /// webhook("tell sales", #{ url: "https://hooks.example.com/onboarded", body: #{ email: field("email") } }).kind == "webhook"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn webhook(ctx: NativeCallContext, name: &str, options: Dynamic) -> RhaiResult {
        optioned(&ctx, ("webhook", name), options, hooked)
    }

    /// Calls a closure with the participant; it may use every primitive, such as `gainsight::create_cta(..)`.
    ///
    /// # Example
    /// ```rhai
    /// run("note it", |p| state::set("welcomed/" + p.email, true));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn run(ctx: NativeCallContext, name: &str, closure: FnPtr) -> RhaiResult {
        named(&ctx, ("run", name), |site| {
            let item = Item::argument(site, 1, "run", Dynamic::UNIT);
            let run = site.row_closure(&closure, &item.place)?;
            Some(Made { parts: StepParts { run: Some(run), ..StepParts::default() }, ..Does::Run.into() })
        })
    }

    /// Ends the journey for the person: completed.
    ///
    /// # Example
    /// ```rhai
    /// finish().kind == "finish"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn finish(ctx: NativeCallContext) -> RhaiResult {
        unnamed(&ctx, "finish", "finish".to_owned(), Shape::Plain(Does::Finish))
    }

    /// Takes the person out of the journey, with a reason.
    ///
    /// # Example
    /// ```rhai
    /// drop("left the company").name == "drop left the company"
    /// ```
    #[rhai_fn(name = "drop", return_raw)]
    pub fn drop_person(ctx: NativeCallContext, reason: &str) -> RhaiResult {
        unnamed(&ctx, "drop", format!("drop {reason}"), Shape::Plain(Does::Drop { reason: reason.to_owned() }))
    }

    /// Ends a list of steps by going on with a named step, earlier or later. A loop needs a wait in it.
    ///
    /// # Example
    /// ```rhai
    /// go_to("ask").kind == "go_to"
    /// ```
    #[rhai_fn(return_raw)]
    pub fn go_to(ctx: NativeCallContext, step: &str) -> RhaiResult {
        unnamed(&ctx, "go_to", format!("go_to {step}"), Shape::GoTo(step.to_owned()))
    }

    #[rhai_fn(get = "kind", pure)]
    pub fn step_kind(step: &mut JourneyStep) -> ImmutableString {
        step.word.into()
    }

    #[rhai_fn(get = "name", pure)]
    pub fn step_name(step: &mut JourneyStep) -> ImmutableString {
        step.name.as_ref().unwrap_or(&step.called).into()
    }

    #[rhai_fn(name = "to_string", name = "print", name = "to_debug", name = "debug")]
    pub fn step_shown(step: JourneyStep) -> ImmutableString {
        format!("{} {}", step.word, step.name.as_ref().unwrap_or(&step.called)).into()
    }
}
