//! `math::`: numbers as customer-success reports need them. Null in, null out. A whole number that has more digits than a number with a
//! point can hold (2^53 and up) is refused where it would become one.

use rhai::plugin::{Dynamic, EvalAltResult, RhaiResult, export_module};

use crate::model::{
    Fault, FaultKind,
    decimal::{Decimal, is_exact},
};
use crate::script::{failure::thrown, value::type_word};

/// A number, or none for null.
fn number(value: &Dynamic) -> Result<Option<f64>, Box<EvalAltResult>> {
    if value.is_unit() {
        return Ok(None);
    }
    let refuse = |message: String| Err(thrown(Fault::new(FaultKind::Invalid, message)));
    match (value.as_float(), value.as_int()) {
        (Ok(x), _) => Ok(Some(x)),
        #[allow(clippy::cast_precision_loss, reason = "below 2^53 none is lost")]
        (_, Ok(n)) if is_exact(n) => Ok(Some(n as f64)),
        (_, Ok(n)) => refuse(format!("`{n}` has more digits than a number with a point can hold exactly")),
        _ => refuse(format!("a number is wanted, not {}", type_word(value))),
    }
}

/// A whole number as it is, or the whole number that `work` makes of any other.
fn to_whole_number(value: &Dynamic, work: impl FnOnce(f64) -> f64) -> RhaiResult {
    if value.is_int() {
        return Ok(value.clone());
    }
    Ok(number(value)?.map_or(Dynamic::UNIT, |x| whole(work(x))))
}

fn on_number(value: &Dynamic, work: impl FnOnce(f64) -> f64) -> RhaiResult {
    Ok(number(value)?.map_or(Dynamic::UNIT, |x| Dynamic::from(work(x))))
}

/// Half away from zero, as the number is written.
pub(in crate::script) fn rounded(x: f64, places: i64) -> f64 {
    let places = u8::try_from(places.clamp(0, 15)).unwrap_or(0);
    Decimal::of_float(x).map_or(x, |number| number.rounded(places).nearest_float())
}

/// A whole number as an integer, unless it is too large for one to be exact.
pub(in crate::script) fn to_whole(x: f64) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation, reason = "bounded just before")]
    (x.abs() < 9.0e15).then_some(x as i64)
}

fn whole(x: f64) -> Dynamic {
    to_whole(x).map_or_else(|| Dynamic::from(x), Dynamic::from)
}

/// Without a bound where it is none.
pub(in crate::script) fn clamped(x: f64, low: Option<f64>, high: Option<f64>) -> f64 {
    x.max(low.unwrap_or(f64::MIN)).min(high.unwrap_or(f64::MAX))
}

pub(in crate::script) fn percent_of(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    part.zip(whole).filter(|(_, whole)| *whole != 0.0).map(|(part, whole)| part * 100.0 / whole)
}

pub(in crate::script) fn ratio_of(part: Option<f64>, whole: Option<f64>) -> Option<f64> {
    part.zip(whole).filter(|(_, whole)| *whole != 0.0).map(|(part, whole)| part / whole)
}

fn given(x: Option<f64>) -> Dynamic {
    x.map_or(Dynamic::UNIT, Dynamic::from)
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
pub(super) mod functions {
    /// Rounds half away from zero to a number of decimal places, as the number is written: 1.005 is not a little less.
    ///
    /// # Example
    /// ```rhai
    /// math::round(2.345, 1) == 2.3 && math::round(1.005, 2) == 1.01
    /// ```
    #[rhai_fn(return_raw)]
    pub fn round(value: Dynamic, places: i64) -> RhaiResult {
        on_number(&value, |x| rounded(x, places))
    }

    /// Rounds half away from zero to a whole number.
    ///
    /// # Example
    /// ```rhai
    /// math::round(2.5) == 3
    /// ```
    #[rhai_fn(name = "round", return_raw)]
    pub fn round_whole(value: Dynamic) -> RhaiResult {
        to_whole_number(&value, f64::round)
    }

    /// The largest whole number that is not above the value.
    ///
    /// # Example
    /// ```rhai
    /// math::floor(2.9) == 2
    /// ```
    #[rhai_fn(return_raw)]
    pub fn floor(value: Dynamic) -> RhaiResult {
        to_whole_number(&value, f64::floor)
    }

    /// The smallest whole number that is not below the value.
    ///
    /// # Example
    /// ```rhai
    /// math::ceil(2.1) == 3
    /// ```
    #[rhai_fn(return_raw)]
    pub fn ceil(value: Dynamic) -> RhaiResult {
        to_whole_number(&value, f64::ceil)
    }

    /// Keeps a value within bounds.
    ///
    /// # Example
    /// ```rhai
    /// math::clamp(140, 0, 100) == 100.0
    /// ```
    #[rhai_fn(return_raw)]
    pub fn clamp(value: Dynamic, low: Dynamic, high: Dynamic) -> RhaiResult {
        let (low, high) = (number(&low)?, number(&high)?);
        on_number(&value, |x| clamped(x, low, high))
    }

    /// One number in percent of another; null when there is nothing to divide by.
    ///
    /// # Example
    /// ```rhai
    /// math::percent(30, 120) == 25.0
    /// ```
    #[rhai_fn(return_raw)]
    pub fn percent(part: Dynamic, whole: Dynamic) -> RhaiResult {
        Ok(given(percent_of(number(&part)?, number(&whole)?)))
    }

    /// Divides; null when there is nothing to divide by.
    ///
    /// # Example
    /// ```rhai
    /// math::ratio(3, 4) == 0.75
    /// ```
    #[rhai_fn(return_raw)]
    pub fn ratio(part: Dynamic, whole: Dynamic) -> RhaiResult {
        Ok(given(ratio_of(number(&part)?, number(&whole)?)))
    }
}
