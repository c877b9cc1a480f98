//! The library functions and properties that it knows, each as the library does it. None where the library would fail, or do something
//! not known here.

use smol_str::{SmolStr, SmolStrBuilder};

use crate::{
    model::{Date, FieldType, TimeZone, Timestamp, Value, day::day_of, decimal::is_exact},
    script::api::math,
};

use super::item::Item;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Round,
    RoundWhole,
    Floor,
    Ceil,
    Clamp,
    Percent,
    Ratio,
    Date,
    DateOfParts,
    Instant,
    Days,
    Len,
    IsEmpty,
    Upper,
    Lower,
    Contains,
    StartsWith,
    EndsWith,
    Show,
}

/// Namespace (none is global), name, number of arguments.
const FUNCTIONS: [(&str, &str, usize, Function); 19] = [
    ("math", "round", 2, Function::Round),
    ("math", "round", 1, Function::RoundWhole),
    ("math", "floor", 1, Function::Floor),
    ("math", "ceil", 1, Function::Ceil),
    ("math", "clamp", 3, Function::Clamp),
    ("math", "percent", 2, Function::Percent),
    ("math", "ratio", 2, Function::Ratio),
    ("", "date", 1, Function::Date),
    ("", "date", 3, Function::DateOfParts),
    ("", "timestamp", 1, Function::Instant),
    ("", "days", 1, Function::Days),
    ("", "len", 1, Function::Len),
    ("", "is_empty", 1, Function::IsEmpty),
    ("", "to_upper", 1, Function::Upper),
    ("", "to_lower", 1, Function::Lower),
    ("", "contains", 2, Function::Contains),
    ("", "starts_with", 2, Function::StartsWith),
    ("", "ends_with", 2, Function::EndsWith),
    ("", "to_string", 1, Function::Show),
];

impl Function {
    /// The function of this name; a method counts its value as its first argument.
    pub(super) fn find(namespace: &str, name: &str, arguments: usize) -> Option<Self> {
        FUNCTIONS.iter().find(|(space, word, count, _)| (*space, *word, *count) == (namespace, name, arguments)).map(|(.., found)| *found)
    }

    pub(super) fn call<'a>(self, arguments: &[Item<'a>], zone: &TimeZone) -> Option<Item<'a>> {
        match (self, arguments) {
            (Self::Round, [value, Item::Int(places)]) => on_number(value, |x| Item::Float(math::rounded(x, *places))),
            (Self::RoundWhole | Self::Floor | Self::Ceil, [Item::Int(n)]) => Some(Item::Int(*n)),
            (Self::RoundWhole, [value]) => on_number(value, |x| whole(x.round())),
            (Self::Floor, [value]) => on_number(value, |x| whole(x.floor())),
            (Self::Ceil, [value]) => on_number(value, |x| whole(x.ceil())),
            (Self::Clamp, [value, low, high]) => clamp(value, low, high),
            (Self::Percent, [part, whole]) => Some(given(math::percent_of(number(part)?, number(whole)?))),
            (Self::Ratio, [part, whole]) => Some(given(math::ratio_of(number(part)?, number(whole)?))),
            (Self::Date, [value]) => date(value, zone),
            (Self::DateOfParts, [Item::Int(y), Item::Int(m), Item::Int(d)]) => day(*y, *m, *d).map(Item::Date),
            (Self::Instant, [value]) => instant(value, zone),
            (Self::Days, [Item::Int(count)]) => i32::try_from(*count).ok().map(Item::Days),
            (Self::Show, [value]) => show(value),
            (_, [value, rest @ ..]) => self.on_text(value.text()?, rest),
            _ => None,
        }
    }

    fn on_text<'a>(self, text: &str, rest: &[Item<'a>]) -> Option<Item<'a>> {
        Some(match (self, rest) {
            (Self::Len, []) => Item::Int(i64::try_from(text.chars().count()).ok()?),
            (Self::IsEmpty, []) => Item::Bool(text.is_empty()),
            (Self::Upper, []) => Item::Made(upper(text)),
            (Self::Lower, []) => Item::Made(lower(text)),
            (Self::Contains, [part]) => Item::Bool(text.contains(part.text()?)),
            (Self::StartsWith, [part]) => Item::Bool(text.starts_with(part.text()?)),
            (Self::EndsWith, [part]) => Item::Bool(text.ends_with(part.text()?)),
            _ => return None,
        })
    }
}

/// What a value has under a name, other than an entry of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Property {
    Year,
    Month,
    Day,
    Weekday,
    Date,
    Hour,
    Minute,
    Millis,
    Len,
    IsEmpty,
}

impl Property {
    pub(super) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "year" => Self::Year,
            "month" => Self::Month,
            "day" => Self::Day,
            "weekday" => Self::Weekday,
            "date" => Self::Date,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "millis" => Self::Millis,
            "len" => Self::Len,
            "is_empty" => Self::IsEmpty,
            _ => return None,
        })
    }

    pub(super) fn of<'a>(self, value: &Item, zone: &TimeZone) -> Option<Item<'a>> {
        Some(match (self, value) {
            (Self::Year, Item::Date(date)) => Item::Int(date.year().into()),
            (Self::Month, Item::Date(date)) => Item::Int(date.month().into()),
            (Self::Day, Item::Date(date)) => Item::Int(date.day().into()),
            (Self::Weekday, Item::Date(date)) => Item::Int(date.weekday().to_monday_one_offset().into()),
            (Self::Date, Item::Instant(at)) => Item::Date(day_of(*at, zone)),
            (Self::Hour, Item::Instant(at)) => Item::Int(zone.to_datetime(*at).hour().into()),
            (Self::Minute, Item::Instant(at)) => Item::Int(zone.to_datetime(*at).minute().into()),
            (Self::Millis, Item::Instant(at)) => Item::Int(at.as_millisecond()),
            (Self::Len, _) => Function::Len.on_text(value.text()?, &[])?,
            (Self::IsEmpty, _) => Function::IsEmpty.on_text(value.text()?, &[])?,
            _ => return None,
        })
    }
}

/// A number, or none for null; no answer for anything else.
#[allow(clippy::option_option, reason = "none at all and null are two things")]
fn number(item: &Item) -> Option<Option<f64>> {
    match item {
        Item::Null => Some(None),
        // The library refuses what is no longer exact.
        Item::Int(n) if !is_exact(*n) => None,
        other => other.float().map(Some),
    }
}

fn on_number<'a>(item: &Item, work: impl FnOnce(f64) -> Item<'a>) -> Option<Item<'a>> {
    Some(number(item)?.map_or(Item::Null, work))
}

fn given<'a>(x: Option<f64>) -> Item<'a> {
    x.map_or(Item::Null, Item::Float)
}

fn whole<'a>(x: f64) -> Item<'a> {
    math::to_whole(x).map_or(Item::Float(x), Item::Int)
}

fn clamp<'a>(value: &Item, low: &Item, high: &Item) -> Option<Item<'a>> {
    let (low, high) = (number(low)?, number(high)?);
    on_number(value, |x| Item::Float(math::clamped(x, low, high)))
}

fn date<'a>(value: &Item, zone: &TimeZone) -> Option<Item<'a>> {
    let value = match value {
        Item::Int(millis) => return Timestamp::from_millisecond(*millis).ok().map(|at| Item::Date(day_of(at, zone))),
        Item::Null | Item::Held(_) | Item::Made(_) | Item::Date(_) | Item::Instant(_) => value.clone().value()?,
        _ => return None,
    };
    match FieldType::Date.fit(&value, zone).ok()? {
        Value::Date(date) => Some(Item::Date(date)),
        _ => Some(Item::Null),
    }
}

fn instant<'a>(value: &Item, zone: &TimeZone) -> Option<Item<'a>> {
    let value = match value {
        Item::Int(millis) => return Timestamp::from_millisecond(*millis).ok().map(Item::Instant),
        Item::Instant(at) => return Some(Item::Instant(*at)),
        Item::Null | Item::Held(_) | Item::Made(_) | Item::Date(_) => value.clone().value()?,
        _ => return None,
    };
    match (FieldType::DateTime { millis: true }).fit(&value, zone).ok()? {
        Value::Instant(at) => Some(Item::Instant(at)),
        _ => Some(Item::Null),
    }
}

fn day(year: i64, month: i64, day: i64) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn show<'a>(value: &Item) -> Option<Item<'a>> {
    let mut text = SmolStrBuilder::new();
    value.show(&mut text)?;
    Some(Item::Made(text.finish()))
}

fn upper(text: &str) -> SmolStr {
    if text.chars().all(char::is_uppercase) { text.into() } else { text.to_uppercase().into() }
}

fn lower(text: &str) -> SmolStr {
    if text.chars().all(char::is_lowercase) { text.into() } else { text.to_lowercase().into() }
}
