//! Numbers, times and cells as people read them.

use jiff::{Timestamp, tz::TimeZone};

use crate::model::Value;

/// `12345` as `12,345`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `2 rows`.
pub(crate) fn many(number: u64, one: &str) -> String {
    format!("{} {one}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `0.4 s`, `3 min 20 s`.
pub(crate) fn seconds(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a run of positive length")]
    let whole = seconds.round() as u64;
    format!("{} min {} s", whole / 60, whole % 60)
}

/// An instant in a zone, to the minute.
pub(crate) fn time(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// `5 min ago`, `in 3 h`.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(at).as_secs();
    let text = match seconds.unsigned_abs() {
        0..60 => return if seconds < 0 { "in a moment".into() } else { "just now".into() },
        n @ 60..3_600 => format!("{} min", n / 60),
        n @ 3_600..172_800 => format!("{} h", n / 3_600),
        n => format!("{} days", n / 86_400),
    };
    if seconds < 0 { format!("in {text}") } else { format!("{text} ago") }
}

/// A cell on a screen: quoted text, cut where it is long.
pub(crate) fn cell(value: &Value) -> String {
    let text = match value {
        Value::Text(text) => format!("{text:?}"),
        other => other.to_string(),
    };
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text,
    }
}

/// A next step for a word that is not known.
pub(crate) fn closest(word: &str, known: &[&str]) -> String {
    let near = known.iter().map(|name| (strsim::damerau_levenshtein(word, name), *name)).min();
    match near {
        Some((distance, name)) if distance <= (word.len() / 3).max(2) => format!("did you mean `{name}`?"),
        _ => "`tabi list` shows what is declared".into(),
    }
}
