//! What a test claims. A claim that does not hold ends the test: no `try` catches it.

use rhai::{
    FnPtr, NativeCallContext, Position,
    plugin::{Dynamic, EvalAltResult, export_module},
};

use crate::model::{Fault, FaultKind, Value};
use crate::script::{
    api::effects::{Outcome, data, refuse},
    desk::{at, call_place, trial},
    diagnostics::Id,
    failure::{as_map, failure},
    trial::{Trial, Unequal, difference, same},
};

/// Ends the test.
#[allow(clippy::unnecessary_box_returns, reason = "the engine's own error shape")]
pub(super) fn broken(ctx: &NativeCallContext, trial: &Trial, id: Id, message: impl Into<String>, unequal: Unequal) -> Box<EvalAltResult> {
    trial.compared(Unequal { place: Some(call_place(ctx)), ..unequal });
    let fault = Fault::new(FaultKind::Script, message).code(id.code());
    at(ctx, EvalAltResult::ErrorTerminated(Dynamic::from(fault), Position::NONE).into())
}

fn holds(ctx: &NativeCallContext, holds: bool, message: &str) -> Outcome<()> {
    let trial = trial(ctx, "assert")?;
    if holds { Ok(()) } else { Err(broken(ctx, &trial, Id::AssertionFailed, message, Unequal::default())) }
}

/// Both values, and whether they are equal.
fn compared(left: &Dynamic, right: &Dynamic) -> Outcome<(Value, Value, bool)> {
    let (left, right) = (data(left)?, data(right)?);
    let equal = same(&left, &right);
    Ok((left, right, equal))
}

fn number(value: &Value) -> Outcome<f64> {
    value.as_f64().map_or_else(|| refuse(format!("numbers are compared here, not {}", value.type_name())), Ok)
}

/// Calls the closure and gives back what it threw, as the map that scripts catch.
fn thrown_by(ctx: &NativeCallContext, name: &str, closure: &FnPtr, kind: Option<&str>) -> Outcome<Dynamic> {
    let trial = trial(ctx, name)?;
    let fails = |message: String| Err(broken(ctx, &trial, Id::AssertionFailed, message, Unequal::default()));
    let error = match closure.call_within_context::<Dynamic>(ctx, ()) {
        Ok(value) => return fails(format!("nothing was thrown; the closure gave {}", shown(&value))),
        Err(error) => error,
    };
    // An assertion within, a refusal, or the end of the test's time: none of them is caught.
    if matches!(error.unwrap_inner(), EvalAltResult::ErrorTerminated(..) | EvalAltResult::ErrorTooManyOperations(_)) {
        return Err(error);
    }
    let custom = match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(value, _) if value.is_map() => Some(value.clone()),
        _ => None,
    };
    let found = failure(error, ctx.call_source().unwrap_or_default());
    let (word, message) = (found.fault.kind.word(), found.fault.message.clone());
    match kind {
        Some(kind) if kind != word => fails(format!("an error of kind `{kind}` is wanted; this one is `{word}`: {message}")),
        _ => Ok(custom.unwrap_or_else(|| as_map(&found.fault).into())),
    }
}

fn shown(value: &Dynamic) -> String {
    if value.is_unit() { "nothing back".to_owned() } else { format!("`{value}` back") }
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
pub(in crate::script::api) mod functions {
    /// Claims that something is true. Only in tests.
    ///
    /// # Example
    /// ```rhai
    /// assert([1, 2, 3].len() > 2);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn assert(ctx: NativeCallContext, condition: bool) -> Result<(), Box<EvalAltResult>> {
        holds(&ctx, condition, "this is not true")
    }

    /// Claims that something is true, and says what is wrong when it is not.
    ///
    /// # Example
    /// ```rhai
    /// let seats = 12;
    /// assert(seats > 10, `only ${seats} seats`);
    /// ```
    #[rhai_fn(name = "assert", return_raw)]
    pub fn assert_saying(ctx: NativeCallContext, condition: bool, message: &str) -> Result<(), Box<EvalAltResult>> {
        holds(&ctx, condition, message)
    }

    /// Claims that two values are equal: numbers by their value, maps field by field. Shows what differs. Only in tests.
    ///
    /// # Example
    /// ```rhai
    /// assert_eq(score::bands(60, [[50, 100], [10, 60], [0, 20]]), 100);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn assert_eq(ctx: NativeCallContext, left: Dynamic, right: Dynamic) -> Result<(), Box<EvalAltResult>> {
        let trial = trial(&ctx, "assert_eq")?;
        let (left, right, equal) = compared(&left, &right)?;
        if equal {
            return Ok(());
        }
        let difference = difference(&left, &right);
        let unequal = Unequal { left: Some(left), right: Some(right), difference, ..Unequal::default() };
        Err(broken(&ctx, &trial, Id::AssertionFailed, "the two values differ", unequal))
    }

    /// Claims that two values are not equal. Only in tests.
    ///
    /// # Example
    /// ```rhai
    /// assert_ne("active", "churned");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn assert_ne(ctx: NativeCallContext, left: Dynamic, right: Dynamic) -> Result<(), Box<EvalAltResult>> {
        let trial = trial(&ctx, "assert_ne")?;
        let (left, _, equal) = compared(&left, &right)?;
        if !equal {
            return Ok(());
        }
        let unequal = Unequal { left: Some(left), ..Unequal::default() };
        Err(broken(&ctx, &trial, Id::AssertionFailed, "the two values are equal", unequal))
    }

    /// Claims that two numbers are no further apart than a third. Only in tests.
    ///
    /// # Example
    /// ```rhai
    /// assert_close(10.0 / 3.0, 3.33, 0.01);
    /// ```
    #[rhai_fn(return_raw)]
    pub fn assert_close(ctx: NativeCallContext, left: Dynamic, right: Dynamic, apart: Dynamic) -> Result<(), Box<EvalAltResult>> {
        let trial = trial(&ctx, "assert_close")?;
        let (left, right) = (data(&left)?, data(&right)?);
        let (distance, most) = ((number(&left)? - number(&right)?).abs(), number(&data(&apart)?)?);
        if distance <= most {
            return Ok(());
        }
        let unequal = Unequal { left: Some(left), right: Some(right), ..Unequal::default() };
        Err(broken(&ctx, &trial, Id::AssertionFailed, format!("the two numbers are {distance} apart, more than {most}"), unequal))
    }

    /// Claims that a closure throws, and gives back what it threw: a map with `kind` and `message`. Only in tests.
    ///
    /// # Example
    /// ```rhai
    /// let error = assert_throws(|| salesforce::query("SELECT Nothing FROM Account"));
    /// assert_eq(error.kind, "not_found");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn assert_throws(ctx: NativeCallContext, closure: FnPtr) -> Result<Dynamic, Box<EvalAltResult>> {
        thrown_by(&ctx, "assert_throws", &closure, None)
    }

    /// Claims that a closure throws an error of one kind, such as `invalid`, `not_found` or `unavailable`.
    ///
    /// # Example
    /// ```rhai
    /// assert_throws(|| salesforce::query("SELECT Nothing FROM Account"), "not_found");
    /// ```
    #[rhai_fn(name = "assert_throws", return_raw)]
    pub fn assert_throws_kind(ctx: NativeCallContext, closure: FnPtr, kind: &str) -> Result<Dynamic, Box<EvalAltResult>> {
        thrown_by(&ctx, "assert_throws", &closure, Some(kind))
    }
}
