//! Decimal numbers as they are written, so that they are rounded as on paper: binary fractions make 1.005 a little less than itself.
//!
//! Written here because little is needed (reading, rounding, comparing), and of any length: the libraries for decimals stop at 28 or 34
//! digits and round what is longer, which is what must not happen.

use std::cmp::Ordering;

/// Whole numbers below this one are all different as doubles: 2^53.
pub(crate) const EXACT: u64 = 1 << 53;

/// A finite decimal number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    /// Digits 0 to 9, the most significant one first and not 0. None for zero.
    digits: Vec<u8>,
    /// How many of the digits stand after the point; more than there are (0.001), or fewer than none (1e5).
    places: i64,
}

impl Decimal {
    /// `-12.50`, `.5`, `1e5`; none for anything else.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, i64::from(exponent.parse::<i32>().ok()?)),
            None => (text, 0),
        };
        let (negative, number) = match number.strip_prefix('-') {
            Some(number) => (true, number),
            None => (false, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let sound = !(whole.is_empty() && part.is_empty()) && whole.bytes().chain(part.bytes()).all(|digit| digit.is_ascii_digit());
        let places = i64::try_from(part.len()).ok()?.checked_sub(exponent)?;
        sound.then(|| Self::of(negative, whole.bytes().chain(part.bytes()).map(|digit| digit - b'0').collect(), places))
    }

    /// The shortest decimal number that is read as this double; none for what is not finite.
    pub(crate) fn of_float(x: f64) -> Option<Self> {
        if x.is_finite() { Self::read(&format!("{x:e}")) } else { None }
    }

    pub(crate) fn of_int(n: i64) -> Self {
        Self::of(n < 0, n.unsigned_abs().to_string().bytes().map(|digit| digit - b'0').collect(), 0)
    }

    fn of(negative: bool, mut digits: Vec<u8>, mut places: i64) -> Self {
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..zeros);
        while digits.last() == Some(&0) {
            digits.pop();
            places -= 1;
        }
        if digits.is_empty() { Self { negative: false, digits, places: 0 } } else { Self { negative, digits, places } }
    }

    /// Half away from zero, to so many places after the point.
    pub(crate) fn rounded(mut self, places: u8) -> Self {
        let surplus = self.places - i64::from(places);
        let Ok(surplus) = usize::try_from(surplus) else { return self };
        if surplus == 0 {
            return self;
        }
        let Some(kept) = self.digits.len().checked_sub(surplus) else { return Self::of(false, Vec::new(), 0) };
        let up = self.digits.get(kept).is_some_and(|digit| *digit >= 5);
        self.digits.truncate(kept);
        if up {
            increment(&mut self.digits);
        }
        Self::of(self.negative, self.digits, i64::from(places))
    }

    /// How many digits stand before the point, leading zeros left out.
    pub(crate) fn digits_before_point(&self) -> i64 {
        i64::try_from(self.digits.len()).unwrap_or(i64::MAX).saturating_sub(self.places).max(0)
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.places <= 0
    }

    /// As a whole number; none when it is none, or too large.
    pub(crate) fn to_int(&self) -> Option<i64> {
        if !self.is_whole() || self.digits_before_point() > 19 {
            return None;
        }
        let zeros = std::iter::repeat_n(&0, usize::try_from(-self.places).unwrap_or(0));
        let magnitude = self.digits.iter().chain(zeros).fold(0_i128, |sum, digit| sum * 10 + i128::from(*digit));
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }

    /// As a double that is this very number when it is written again; none when doubles have not that many digits.
    pub(crate) fn to_float(&self) -> Option<f64> {
        let x = self.nearest_float();
        let below = |x: f64| if self.is_whole() { x.abs() < EXACT_FLOAT } else { true };
        (Self::of_float(x).as_ref() == Some(self) && below(x)).then_some(x)
    }

    /// The double that is nearest.
    pub(crate) fn nearest_float(&self) -> f64 {
        let mut text = String::with_capacity(self.digits.len() + 8);
        text.extend(self.negative.then_some('-'));
        text.push('0');
        text.extend(self.digits.iter().map(|digit| char::from(b'0' + digit)));
        text = format!("{text}e{}", -self.places);
        text.parse().unwrap_or(f64::NAN)
    }

    pub(crate) fn order(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| {
            if number.digits.is_empty() {
                0
            } else if number.negative {
                -1
            } else {
                1
            }
        };
        let signs = sign(self).cmp(&sign(other));
        if signs.is_ne() || self.digits.is_empty() {
            return signs;
        }
        // The place of the first digit, then digit by digit: missing ones are zeros.
        let first = |number: &Self| i64::try_from(number.digits.len()).unwrap_or(i64::MAX).saturating_sub(number.places);
        let magnitudes = first(self).cmp(&first(other)).then_with(|| self.digits.cmp(&other.digits));
        if self.negative { magnitudes.reverse() } else { magnitudes }
    }
}

#[allow(clippy::cast_precision_loss, reason = "a power of two")]
const EXACT_FLOAT: f64 = EXACT as f64;

/// Whether all its neighbours are told apart from this whole number by a double.
pub(crate) const fn is_exact(n: i64) -> bool {
    n.unsigned_abs() < EXACT
}

fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < 9 {
            *digit += 1;
            return;
        }
        *digit = 0;
    }
    digits.insert(0, 1);
}

#[cfg(test)]
mod tests {
    use super::{Decimal, Ordering};

    fn rounded(text: &str, places: u8) -> String {
        let number = Decimal::read(text).map(|number| number.rounded(places).nearest_float());
        number.map_or_else(|| "none".to_owned(), |x| x.to_string())
    }

    #[test]
    fn it_rounds_half_away_from_zero_as_written() {
        let cases = [
            ("1.005", 2, "1.01"),
            ("-1.005", 2, "-1.01"),
            ("2.675", 2, "2.68"),
            ("1.0049999", 2, "1"),
            ("0.5", 0, "1"),
            ("-0.5", 0, "-1"),
            ("0.4999", 0, "0"),
            ("0.05", 0, "0"),
            ("9.995", 2, "10"),
            ("999.5", 0, "1000"),
            ("1e-7", 2, "0"),
            ("6e-3", 2, "0.01"),
            ("125e1", 2, "1250"),
            (".5", 1, "0.5"),
            ("5.", 1, "5"),
        ];
        for (text, places, wanted) in cases {
            assert_eq!(rounded(text, places), wanted, "{text} to {places}");
        }
        for text in ["", "-", ".", "1,5", "0x10", "inf", "NaN", "1_0", "1 0", "e5", "1e", "1e5.0", "--1", "١"] {
            assert_eq!(Decimal::read(text), None, "{text}");
        }
    }

    #[test]
    fn what_a_double_cannot_hold_is_none() {
        let float = |text: &str| Decimal::read(text).and_then(|number| number.to_float());
        assert_eq!(float("9007199254740991"), Some(9_007_199_254_740_991.0));
        assert_eq!(float("9007199254740992"), None);
        assert_eq!(float("9007199254740993"), None);
        assert_eq!(float("1234567890123456.78"), None);
        assert_eq!(float("0.1234567890123456789"), None);
        assert_eq!(float("0.30000000000000004"), Some(0.1 + 0.2));
        assert_eq!(float("1e400"), None);
        assert_eq!(float("0.000"), Some(0.0));
        assert_eq!(Decimal::read("9223372036854775807").and_then(|number| number.to_int()), Some(i64::MAX));
        assert_eq!(Decimal::read("-9223372036854775808").and_then(|number| number.to_int()), Some(i64::MIN));
        assert_eq!(Decimal::read("9223372036854775808").and_then(|number| number.to_int()), None);
        assert_eq!(Decimal::read("12e2").and_then(|number| number.to_int()), Some(1200));
        assert_eq!(Decimal::read("1e2000000000").and_then(|number| number.to_int()), None);
    }

    #[test]
    fn every_double_comes_back_and_is_ordered_as_doubles_are() {
        let mut seed = 7_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed ^ (seed >> 29)
        };
        for _ in 0..20_000 {
            let (a, b) = (f64::from_bits(next()), f64::from_bits(next()));
            let (Some(of_a), Some(of_b)) = (Decimal::of_float(a), Decimal::of_float(b)) else { continue };
            assert_eq!(of_a.nearest_float().to_bits() << 1, a.to_bits() << 1, "{a}");
            assert_eq!(Some(of_a.order(&of_b)), a.partial_cmp(&b), "{a} {b}");
        }
        assert_eq!(Decimal::read("1.50").map(|n| n.order(&Decimal::of_int(1))), Some(Ordering::Greater));
    }

    #[test]
    fn rounding_twice_is_rounding_once_and_never_far() {
        let mut seed = 11_u64;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let cents = i64::try_from(seed >> 30).unwrap_or(0) - (1 << 33);
            let places = u8::try_from(seed % 5).unwrap_or(0);
            let text = format!("{}{}.{:03}", if cents < 0 { "-" } else { "" }, cents.abs() / 1000, cents.abs() % 1000);
            let Some(number) = Decimal::read(&text) else { panic!("{text}") };
            let once = number.rounded(places);
            assert_eq!(once.clone().rounded(places), once, "{text}");
            // The same by whole numbers: half away from zero.
            let unit = 10_i64.pow(3_u32.saturating_sub(u32::from(places)));
            let whole = (cents.abs() + unit / 2) / unit * unit;
            let wanted = format!("{}{}.{:03}", if cents < 0 { "-" } else { "" }, whole / 1000, whole % 1000);
            assert_eq!(Some(once), Decimal::read(&wanted), "{text} to {places}");
        }
    }
}
