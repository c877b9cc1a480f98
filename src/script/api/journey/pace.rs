//! Quiet hours, working days, caps and the time zone of a journey.

use jiff::civil::Time;

use crate::model::{Length, Pace};
use crate::script::{
    api::{
        options::{Item, Options},
        schedules::{clock, weekday},
    },
    diagnostics::Id,
    site::Site,
};

use super::step::length;

pub(super) fn pace(site: &Site, options: &mut Options) -> Pace {
    let quiet = options.take(site, "quiet_hours").and_then(|item| quiet_hours(site, &item));
    let working_days = options.take(site, "working_days").and_then(|item| working_days(site, &item)).unwrap_or_default();
    let cap = options.take(site, "cap").and_then(|item| cap(site, &item));
    let time_zone = options.take(site, "time_zone").and_then(|item| time_zone(site, &item));
    Pace { quiet, working_days, cap, time_zone }
}

/// `["20:00", "08:00"]`.
fn quiet_hours(site: &Site, item: &Item) -> Option<(Time, Time)> {
    let hint = || Some("write two times of day: `[\"20:00\", \"08:00\"]`".to_owned());
    let items = item.list(site)?;
    let [from, to] = items.as_slice() else {
        return item.invalid(site, Id::QuietHours, "quiet hours are two times of day, from and to", hint());
    };
    let time = |item: &Item| {
        let text = item.text(site)?;
        clock(text.trim()).or_else(|| item.invalid(site, Id::QuietHours, format!("`{text}` is no time of day"), hint()))
    };
    let (from, to) = (time(from), time(to));
    let (from, to) = (from?, to?);
    if from == to {
        let message = "quiet hours that begin when they end: no message could ever go out";
        return item.invalid(site, Id::QuietHours, message, hint());
    }
    Some((from, to))
}

/// `["mon", "tue"]` or `"mon-fri"`; Monday is 1.
fn working_days(site: &Site, item: &Item) -> Option<Vec<i8>> {
    let hint = || Some("write days such as `[\"mon\", \"wed\"]`, or a range: `\"mon-fri\"`".to_owned());
    let mut days = Vec::new();
    for text in item.texts(site)? {
        let range: Option<Vec<i8>> = text.split('-').map(|day| weekday(day.trim()).map(jiff::civil::Weekday::to_monday_one_offset)).collect();
        match range.as_deref() {
            Some([day]) => days.push(*day),
            // May span the weekend: "sat-mon".
            Some([from, to]) => days.extend((0..7).map(|n| (from - 1 + n) % 7 + 1).take(usize::try_from((to - from + 7) % 7 + 1).unwrap_or(7))),
            _ => return item.invalid(site, Id::OptionValue, format!("`{text}` is no day of the week"), hint()),
        }
    }
    days.sort_unstable();
    days.dedup();
    if days.is_empty() {
        return item.invalid(site, Id::OptionValue, "no working day: no message could ever go out", hint());
    }
    Some(days)
}

/// `#{ messages: 3, within: days(7) }`.
fn cap(site: &Site, item: &Item) -> Option<(u32, Length)> {
    let mut options = item.options(site, "`cap`")?;
    let messages = options.need(site, "messages").and_then(|item| item.number(site, 1, 10_000));
    let within = options.need(site, "within").and_then(|item| length(site, &item));
    options.finish(site);
    Some((u32::try_from(messages?).ok()?, within?))
}

fn time_zone(site: &Site, item: &Item) -> Option<String> {
    let name = item.text(site)?;
    match jiff::tz::TimeZone::get(&name) {
        Ok(zone) => Some(zone.iana_name().map_or(name, ToOwned::to_owned)),
        Err(_) => {
            let hint = "zones are named as `Europe/Berlin`, `America/New_York` or `UTC`";
            item.invalid(site, Id::UnknownZone, format!("there is no time zone `{name}`"), Some(hint.to_owned()))
        }
    }
}
