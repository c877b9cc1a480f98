//! The part of `fields::` that is not written in rhai.

use rhai::plugin::{Dynamic, EvalAltResult, RhaiResult, export_module};

use crate::model::{Fault, FaultKind, decimal::Decimal};
use crate::script::failure::thrown;

/// Currencies that are written by their letters; signs are known by their kind.
const CURRENCIES: [&str; 16] = ["USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK", "PLN", "INR", "SGD", "HKD", "BRL"];

/// A number as it is written in English, without what stands around it: a sign, a currency, `%`, brackets for less than nothing.
fn plain(text: &str) -> Option<String> {
    let text = text.trim();
    let (text, bracketed) = match text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inside) => (inside, true),
        None => (text, false),
    };
    let text = text.strip_suffix('%').unwrap_or(text);
    let (text, before) = signed(text.trim())?;
    let (text, behind) = signed(without_currency(text))?;
    if usize::from(before) + usize::from(behind) + usize::from(bracketed) > 1 {
        return None;
    }
    let number = without_separators(text)?;
    Some(if before || behind || bracketed { format!("-{number}") } else { number })
}

/// A minus before or behind, taken off; `+` means nothing.
fn signed(text: &str) -> Option<(&str, bool)> {
    const MINUS: [char; 2] = ['-', '\u{2212}'];
    let (head, tail) = (text.strip_prefix(MINUS), text.strip_suffix(MINUS));
    match (head, tail) {
        (Some(rest), None) | (None, Some(rest)) => Some((rest.trim(), true)),
        (Some(_), Some(_)) => None,
        (None, None) => Some((text.strip_prefix('+').unwrap_or(text).trim(), false)),
    }
}

fn without_currency(text: &str) -> &str {
    let sign = |c: char| matches!(c, '$' | '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20cf}');
    let letters = CURRENCIES.iter().find_map(|word| text.strip_prefix(word).or_else(|| text.strip_suffix(word)));
    letters.or_else(|| text.strip_prefix(sign)).or_else(|| text.strip_suffix(sign)).unwrap_or(text).trim()
}

/// Commas are left out where they separate thousands: groups of three, none behind the point.
fn without_separators(text: &str) -> Option<String> {
    if !text.contains(',') {
        return Some(text.to_owned());
    }
    let (whole, part) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
    let mut groups = whole.split(',');
    let first = groups.next()?;
    let digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let sound = (1..=3).contains(&first.len()) && digits(first) && groups.all(|group| group.len() == 3 && digits(group));
    let whole = sound.then(|| whole.replace(',', ""))?;
    match part {
        None => Some(whole),
        Some(part) => digits(part).then(|| format!("{whole}.{part}")),
    }
}

#[allow(clippy::unnecessary_box_returns, reason = "the engine's own form of an error")]
fn refuse(text: &str) -> Box<EvalAltResult> {
    let message = format!("`{text}` has more digits than a number with a point can hold exactly; keep it as text");
    thrown(Fault::new(FaultKind::Invalid, message))
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
pub(super) mod functions {
    /// Reads a number from text as it is written in English: commas between thousands, a point before decimals, a minus before or behind,
    /// or brackets for one, with or without a currency or `%`. Null for everything else, also for numbers as other languages write them
    /// (`1.234,56`): a guess could be a thousand times too much. A number with more digits than can be kept is an error.
    ///
    /// # Example
    /// ```rhai
    /// fields::number("$1,250.50") == 1250.5 && fields::number("(12)") == -12.0 && fields::number("1,5") == ()
    /// ```
    #[rhai_fn(return_raw)]
    pub fn number(value: Dynamic) -> RhaiResult {
        let Ok(text) = value.as_immutable_string_ref() else { return Ok(value) };
        let Some(number) = plain(&text).and_then(|plain| Decimal::read(&plain)) else { return Ok(Dynamic::UNIT) };
        match (number.to_float(), number.to_int()) {
            (Some(x), _) => Ok(x.into()),
            (None, Some(n)) => Ok(n.into()),
            (None, None) => Err(refuse(&text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Decimal, plain};

    fn number(text: &str) -> Option<f64> {
        plain(text).and_then(|plain| Decimal::read(&plain)).map(|number| number.nearest_float())
    }

    #[test]
    fn english_numbers_are_read_and_others_are_not_guessed() {
        let read = [
            ("$1,250.50", 1250.5),
            ("1,250", 1250.0),
            ("1,234,567.89", 1_234_567.89),
            ("12", 12.0),
            ("-12", -12.0),
            ("12-", -12.0),
            ("\u{2212}12", -12.0),
            ("+12", 12.0),
            ("(12)", -12.0),
            ("($1,234.50)", -1234.5),
            ("-$5", -5.0),
            ("$-5", -5.0),
            ("$ 5", 5.0),
            ("5 \u{20ac}", 5.0),
            ("USD 1,250", 1250.0),
            ("1,250.00 EUR", 1250.0),
            ("45%", 45.0),
            ("45.5 %", 45.5),
            ("1e5", 100_000.0),
            (".5", 0.5),
            (" 7 ", 7.0),
            ("0012", 12.0),
        ];
        for (text, wanted) in read {
            assert_eq!(number(text), Some(wanted), "{text}");
        }
        let none = [
            "",
            " ",
            "-",
            "$",
            "%",
            "()",
            "12 of 20",
            "Q4 2026",
            "1/2",
            "1.234,56",
            "1,5",
            "12,5",
            "1.234.567",
            "1,23,456",
            "1,2345",
            ",123",
            "123,",
            "1 234",
            "1'234",
            "--12",
            "-12-",
            "-(12)",
            "(-12)",
            "12 users",
            "v1.2",
            "1.2.3",
            "2026-01-31",
            "1_000",
            "0x10",
            "NaN",
            "infinity",
            "1,234e5",
            "١٢",
            "12..5",
            "1,234.5,6",
            "$$5",
            "5 $ $",
        ];
        for text in none {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
