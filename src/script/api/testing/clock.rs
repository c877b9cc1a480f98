//! `clock::`: the test's own time. It stands still until the test turns it; the sandbox goes along.

use rhai::plugin::{Dynamic, EvalAltResult, NativeCallContext, RhaiResult, export_module};

use crate::model::{Length, Timestamp};
use crate::script::{
    api::{
        dates::{Days, Lasting},
        effects::{Outcome, refuse},
    },
    desk::ask,
    trial::Asked,
};

/// A number of days as a length.
pub(super) fn length(days: Days) -> Outcome<Length> {
    u32::try_from(days.0).map(Length::Days).or_else(|_| refuse("the clock is turned forward; `clock::set` sets it to any time"))
}

fn turn(ctx: &NativeCallContext, length: Length) -> Outcome<()> {
    ask(ctx, "clock::advance", Asked::TurnClock(length)).map(drop)
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
pub(in crate::script::api) mod functions {
    /// What time it is in the test: 2026-01-05T09:00:00Z, a Monday, until the test sets or turns its clock.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(clock::now().to_string(), "2026-01-05T09:00:00Z");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn now(ctx: NativeCallContext) -> RhaiResult {
        ask(&ctx, "clock::now", Asked::Now)
    }

    /// Sets the test's clock, and that of its sandbox.
    ///
    /// # Example
    /// ```rhai
    /// clock::set("2026-03-01T09:00:00Z");
    /// assert_eq(clock::now(), timestamp("2026-03-01T09:00:00Z"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn set(ctx: NativeCallContext, at: Dynamic) -> Result<(), Box<EvalAltResult>> {
        let given = at.clone().try_cast::<Timestamp>();
        let read = || at.as_immutable_string_ref().ok().and_then(|text| text.parse().ok());
        match given.or_else(read) {
            Some(at) => ask(&ctx, "clock::set", Asked::SetClock(at)).map(drop),
            None => refuse(format!("`{at}` is no time; write it like 2026-03-01T09:00:00Z")),
        }
    }

    /// Turns the test's clock on by so many days. Nobody in a journey moves by this: `journey::advance` does that.
    ///
    /// # Example
    /// ```rhai
    /// clock::advance(days(3));
    /// assert_eq(clock::now(), timestamp("2026-01-08T09:00:00Z"));
    /// ```
    #[rhai_fn(return_raw)]
    pub fn advance(ctx: NativeCallContext, by: Days) -> Result<(), Box<EvalAltResult>> {
        turn(&ctx, length(by)?)
    }

    /// Turns the test's clock on by so many hours or minutes.
    ///
    /// # Example
    /// ```rhai
    /// clock::advance(hours(2));
    /// assert_eq(clock::now(), timestamp("2026-01-05T11:00:00Z"));
    /// ```
    #[rhai_fn(name = "advance", return_raw)]
    pub fn advance_shorter(ctx: NativeCallContext, by: Lasting) -> Result<(), Box<EvalAltResult>> {
        turn(&ctx, by.0)
    }
}
