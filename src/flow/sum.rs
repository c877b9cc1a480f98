//! Sums without drift: whole numbers and decimals are added exactly, and what has more places than that with its error carried along.

use crate::model::Value;

/// Places after the point that are added exactly.
const PLACES: usize = 12;
/// One, in those units.
const ONE: i128 = 1_000_000_000_000;

/// A sum so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sum {
    /// In units of the last exact place.
    exact: i128,
    /// What does not go into these units, and the error of adding it.
    rest: f64,
    error: f64,
    /// Whether anything but whole numbers was added.
    decimal: bool,
}

impl Sum {
    /// Adds a number.
    ///
    /// # Errors
    /// Why it is none that can be added.
    pub(crate) fn add(&mut self, number: &Value) -> Result<(), String> {
        let (units, decimal) = match number {
            Value::Int(n) => (i128::from(*n).checked_mul(ONE), false),
            Value::Float(x) if x.is_finite() => (units(*x), true),
            other => return Err(format!("`{other}` is no finite number")),
        };
        self.decimal |= decimal;
        match units.and_then(|units| self.exact.checked_add(units)) {
            Some(sum) => self.exact = sum,
            None => self.add_rest(number.as_f64().unwrap_or(f64::NAN)),
        }
        Ok(())
    }

    /// The sum of Neumaier.
    fn add_rest(&mut self, x: f64) {
        self.decimal = true;
        let sum = self.rest + x;
        self.error += if self.rest.abs() >= x.abs() { (self.rest - sum) + x } else { (x - sum) + self.rest };
        self.rest = sum;
    }

    /// A whole number where it is one.
    ///
    /// # Errors
    /// When it is larger than a number may be.
    pub(crate) fn total(&self) -> Result<Value, String> {
        let whole = self.rest + self.error == 0.0 && self.exact % ONE == 0;
        if whole && let Ok(sum) = i64::try_from(self.exact / ONE) {
            return Ok(Value::Int(sum));
        }
        let sum = self.float();
        if !sum.is_finite() || whole && !self.decimal {
            return Err(format!("the sum, about {sum:e}, is larger than a whole number may be"));
        }
        Ok(Value::Float(sum))
    }

    /// The sum divided by so many numbers; null over none.
    ///
    /// # Errors
    /// When it is larger than a number may be.
    #[allow(clippy::cast_precision_loss, reason = "there are fewer than 2^53 rows")]
    pub(crate) fn mean(&self, count: u64) -> Result<Value, String> {
        if count == 0 {
            return Ok(Value::Null);
        }
        let mean = self.float() / count as f64;
        if mean.is_finite() { Ok(Value::Float(mean)) } else { Err("the sum to be averaged is larger than a number may be".to_owned()) }
    }

    fn float(&self) -> f64 {
        let (sign, units) = (if self.exact < 0 { "-" } else { "" }, self.exact.unsigned_abs());
        let one = ONE.unsigned_abs();
        let exact: f64 = format!("{sign}{}.{:012}", units / one, units % one).parse().unwrap_or(f64::NAN);
        exact + self.rest + self.error
    }
}

/// A decimal number as people write it, in units of the last exact place; none where it has more places, or is too large.
fn units(x: f64) -> Option<i128> {
    let text = x.to_string();
    let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
    if places.len() > PLACES {
        return None;
    }
    format!("{whole}{places:0<PLACES$}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Sum, Value};

    fn sum(numbers: &[Value]) -> Sum {
        let mut sum = Sum::default();
        for number in numbers {
            sum.add(number).expect("a number");
        }
        sum
    }

    #[test]
    fn whole_numbers_are_added_exactly_or_not_at_all() {
        let large = 9_007_199_254_740_993;
        assert_eq!(sum(&[Value::Int(large), Value::Int(1), Value::Int(-1)]).total(), Ok(Value::Int(large)));
        assert_eq!(sum(&[Value::Int(i64::MAX), Value::Int(1), Value::Int(-1)]).total(), Ok(Value::Int(i64::MAX)));
        let told = sum(&[Value::Int(i64::MAX), Value::Int(1)]).total().expect_err("too large");
        assert!(told.contains("larger than a whole number may be"), "{told}");
        assert_eq!(sum(&[]).total(), Ok(Value::Int(0)));
    }

    /// Cents, in any order, up to what an account may owe.
    #[test]
    fn decimals_are_added_as_people_add_them() {
        assert_eq!(sum(&[Value::Float(0.1), Value::Float(0.2)]).total(), Ok(Value::Float(0.3)));
        assert_eq!(sum(&[Value::Float(0.5), Value::Float(0.5)]).total(), Ok(Value::Int(1)));
        assert_eq!(sum(&[Value::Float(-0.1), Value::Int(1)]).total(), Ok(Value::Float(0.9)));
        let mut state = 7_u64;
        for _ in 0..200 {
            let mut cents = 0_i64;
            let numbers: Vec<Value> = (0..300)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let some = i64::try_from(state >> 33).expect("31 bits") - (1 << 29);
                    cents += some;
                    format!("{}{}.{:02}", if some < 0 { "-" } else { "" }, some.abs() / 100, some.abs() % 100)
                        .parse()
                        .map(Value::Float)
                        .expect("a number")
                })
                .collect();
            let wanted: f64 =
                format!("{}{}.{:02}", if cents < 0 { "-" } else { "" }, cents.abs() / 100, cents.abs() % 100).parse().expect("a number");
            assert_eq!(sum(&numbers).total().expect("a sum").as_f64(), Some(wanted));
        }
    }

    #[test]
    fn what_is_finer_or_larger_is_added_as_well_as_can_be() {
        let third = 1.0 / 3.0;
        let total = sum(&[Value::Float(third), Value::Float(third), Value::Float(third)]).total().expect("a sum");
        assert!((total.as_f64().expect("a number") - 1.0).abs() < 1e-15, "{total}");
        assert_eq!(sum(&[Value::Float(1e300), Value::Float(1.0), Value::Float(-1e300)]).total().expect("a sum").as_f64(), Some(1.0));
    }

    #[test]
    fn nothing_has_no_mean_and_no_number_is_added() {
        assert_eq!(sum(&[]).mean(0), Ok(Value::Null));
        assert_eq!(sum(&[Value::Int(1), Value::Int(2)]).mean(2), Ok(Value::Float(1.5)));
        for odd in [Value::Float(f64::NAN), Value::Float(f64::INFINITY), Value::text("1"), Value::Bool(true)] {
            assert!(Sum::default().add(&odd).is_err(), "{odd}");
        }
    }
}
