//! `journey::`: people in journeys, put there by hand, on the test's clock.

use rhai::{
    Map,
    plugin::{EvalAltResult, NativeCallContext, RhaiResult, export_module},
};

use crate::model::{Length, Record};
use crate::script::{
    api::{
        dates::{Days, Lasting},
        effects::{Outcome, record, refuse},
    },
    desk::ask,
    trial::{Asked, Look},
};

use super::clock::length;

/// The participant that `journey::place` gave back.
fn id(person: &Map) -> Outcome<i64> {
    let found = person.get("id").and_then(|id| id.as_int().ok());
    found.map_or_else(|| refuse("a person in a journey is wanted: what `journey::place` gave back"), Ok)
}

fn look(ctx: &NativeCallContext, name: &str, person: &Map, at: Look) -> RhaiResult {
    ask(ctx, name, Asked::Look { participant: id(person)?, at })
}

fn pass(ctx: &NativeCallContext, length: Length) -> Outcome<()> {
    ask(ctx, "journey::advance", Asked::Pass(length)).map(drop)
}

fn happened(ctx: &NativeCallContext, person: &Map, kind: &str, step: &str, payload: Record) -> Outcome<()> {
    ask(ctx, "journey::event", Asked::Event { participant: id(person)?, kind: kind.to_owned(), step: step.to_owned(), payload }).map(drop)
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
pub(in crate::script::api) mod functions {
    /// Publishes a journey of the workspace: a map with its `status` (`active` or `draft`) and the `reasons` why it is a draft.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(journey::publish("trial").status, "active");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn publish(ctx: NativeCallContext, name: &str) -> RhaiResult {
        ask(&ctx, "journey::publish", Asked::Publish { journey: name.to_owned() })
    }

    /// Lets a person into a journey by its entrance rules, and does what is due for them at once. Gives back whom the other functions ask
    /// about. The journey is published first where it is not yet active; people of its own source come in by `run(NAME)` only.
    ///
    /// # Example
    /// ```rhai
    /// let ana = journey::place("trial", #{ email: "ana@example.com", seats: 10 });
    /// assert_eq(journey::step(ana), "a day");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn place(ctx: NativeCallContext, name: &str, person: Map) -> RhaiResult {
        ask(&ctx, "journey::place", Asked::Place { journey: name.to_owned(), person: record(&person)?, step: None })
    }

    /// Lets a person into a journey and puts them at one of its steps, as if they had just come there.
    ///
    /// # Example
    /// ```rhai
    /// let ana = journey::place("trial", #{ email: "ana@example.com", seats: 10 }, "another day");
    /// assert_eq(journey::step(ana), "another day");
    /// ```
    #[rhai_fn(name = "place", return_raw)]
    pub fn place_at(ctx: NativeCallContext, name: &str, person: Map, step: &str) -> RhaiResult {
        ask(&ctx, "journey::place", Asked::Place { journey: name.to_owned(), person: record(&person)?, step: Some(step.to_owned()) })
    }

    /// Something happened to a person with a step: `viewed`, `completed`, `failed`, `sent`, `opened`, `clicked`, `bounced`, `unsubscribed` or
    /// `responded`. Who waits for it goes on at once.
    ///
    /// # Example
    /// ```rhai
    /// let ana = journey::place("welcome", #{ email: "ana@example.com", seats: 10 });
    /// journey::event(ana, "bounced", "hello");
    /// assert_eq([journey::state(ana), journey::reason(ana)], ["dropped", "bounced"]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn event(ctx: NativeCallContext, person: Map, kind: &str, step: &str) -> Result<(), Box<EvalAltResult>> {
        happened(&ctx, &person, kind, step, Record::new())
    }

    /// Something happened, with what is told of it: the `score` and `comment` of an answer, say.
    ///
    /// # Example
    /// ```rhai
    /// let ana = journey::place("welcome", #{ email: "ana@example.com", seats: 10 });
    /// journey::event(ana, "bounced", "hello", #{ why: "the mailbox is full" });
    /// assert(journey::timeline(ana).some(|entry| entry.kind == "bounced" && entry.detail.why.contains("full")));
    /// ```
    #[rhai_fn(name = "event", return_raw)]
    pub fn event_with(ctx: NativeCallContext, person: Map, kind: &str, step: &str, payload: Map) -> Result<(), Box<EvalAltResult>> {
        happened(&ctx, &person, kind, step, record(&payload)?)
    }

    /// Turns the clock on by so many days and lets everything happen that becomes due in all active journeys, each thing at its own time.
    ///
    /// # Example
    /// ```rhai
    /// let ana = journey::place("trial", #{ email: "ana@example.com", seats: 10 });
    /// journey::advance(days(2));
    /// assert_eq(journey::state(ana), "completed");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn advance(ctx: NativeCallContext, by: Days) -> Result<(), Box<EvalAltResult>> {
        pass(&ctx, length(by)?)
    }

    /// Turns the clock on by so many hours or minutes, and lets happen what becomes due.
    ///
    /// # Example
    /// ```rhai
    /// let ana = journey::place("trial", #{ email: "ana@example.com", seats: 10 });
    /// journey::advance(hours(23));
    /// assert_eq(journey::step(ana), "a day");
    /// ```
    #[rhai_fn(name = "advance", return_raw)]
    pub fn advance_shorter(ctx: NativeCallContext, by: Lasting) -> Result<(), Box<EvalAltResult>> {
        pass(&ctx, by.0)
    }

    /// The step at which a person stands or ended.
    ///
    /// # Example
    /// ```rhai
    /// let ana = journey::place("trial", #{ email: "ana@example.com", seats: 10 });
    /// assert_eq(journey::step(ana), "a day");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn step(ctx: NativeCallContext, person: Map) -> RhaiResult {
        look(&ctx, "journey::step", &person, Look::Step)
    }

    /// How a person stands: `active`, `waiting`, `completed`, `dropped`, `failed` or `parked`.
    ///
    /// # Example
    /// ```rhai
    /// let ana = journey::place("trial", #{ email: "ana@example.com", seats: 10 });
    /// assert_eq(journey::state(ana), "waiting");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn state(ctx: NativeCallContext, person: Map) -> RhaiResult {
        look(&ctx, "journey::state", &person, Look::State)
    }

    /// Why a person failed, was dropped or parked; null where nothing is to be said.
    ///
    /// # Example
    /// ```rhai
    /// let ana = journey::place("trial", #{ email: "ana@example.com", seats: 10 });
    /// assert_eq(journey::reason(ana), ());
    /// ```
    #[rhai_fn(return_raw)]
    pub fn reason(ctx: NativeCallContext, person: Map) -> RhaiResult {
        look(&ctx, "journey::reason", &person, Look::Reason)
    }

    /// What a person went through, in order: a list of maps with `at`, `kind`, `step` and `detail`.
    ///
    /// # Example
    /// ```rhai
    /// let ana = journey::place("trial", #{ email: "ana@example.com", seats: 10 });
    /// assert_eq(journey::timeline(ana)[0].kind, "entered");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn timeline(ctx: NativeCallContext, person: Map) -> RhaiResult {
        look(&ctx, "journey::timeline", &person, Look::Timeline)
    }

    /// What a person's steps asked for, in order, and what became of it: a list of maps with `kind` (`mail`, `join`, `leave`, `act`), `step`,
    /// `state` (`pending`, `sent`, `failed`), `attempts`, `error` and what else belongs to the kind.
    ///
    /// # Example
    /// ```rhai
    /// let ana = journey::place("welcome", #{ email: "ana@example.com", seats: 10 });
    /// let first = journey::effects(ana)[0];
    /// assert_eq([first.kind, first.template, first.state], ["mail", "hello", "sent"]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn effects(ctx: NativeCallContext, person: Map) -> RhaiResult {
        look(&ctx, "journey::effects", &person, Look::Effects)
    }

    /// The mails that came to a person, as `sandbox::inbox` tells them.
    ///
    /// # Example
    /// ```rhai
    /// let ana = journey::place("welcome", #{ email: "ana@example.com", seats: 10 });
    /// assert_eq(journey::mails(ana).map(|mail| mail.subject), ["Hello, ana@example.com"]);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn mails(ctx: NativeCallContext, person: Map) -> RhaiResult {
        look(&ctx, "journey::mails", &person, Look::Mails)
    }
}
