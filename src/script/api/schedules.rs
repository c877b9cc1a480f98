//! The options that every declaration has: its schedule, what it follows, what it overrides.

use jiff::{
    SignedDuration,
    civil::{Time, Weekday},
};

use crate::model::Schedule;
use crate::script::{
    declaration::Place,
    diagnostics::{Diagnostic, Id},
    site::Site,
};

use super::options::{Item, Options};

/// When it runs, after what, over whom.
pub(super) struct Common {
    pub(super) schedule: Option<Schedule>,
    pub(super) after: Vec<String>,
    pub(super) overrides: Vec<String>,
}

pub(super) fn common(site: &Site, options: &mut Options) -> Common {
    Common { schedule: schedule(site, options), after: options.texts(site, "after"), overrides: options.texts(site, "overrides") }
}

fn schedule(site: &Site, options: &mut Options) -> Option<Schedule> {
    let readers: [(&'static str, Reader, &str); 5] = [
        ("every", every, "write a number and a unit: \"24h\", \"15m\""),
        ("daily", |text| clock(text).map(Schedule::Daily), "write a time of day: \"03:00\""),
        ("weekly", weekly, "write a day and a time: \"mon 03:00\""),
        ("monthly", monthly, "write a day of the month and a time: \"1 03:00\""),
        ("cron", cron, "write five fields: minute, hour, day, month, weekday"),
    ];
    let mut found: Option<(Schedule, Place)> = None;
    for (name, read, hint) in readers {
        let Some(item) = options.take(site, name) else { continue };
        // `daily: false` is how an integration's daily schedule is switched off (A4).
        if item.value.as_bool() == Ok(false) {
            continue;
        }
        let schedule = one(site, &item, name, read, hint);
        if let (Some((_, first)), Some(_)) = (&found, &schedule) {
            let finding = Diagnostic::new(Id::Exclusive, &item.place, "a second schedule").label(first, "the first one");
            site.report(finding.hint("keep one of every, daily, weekly, monthly, cron"));
        }
        found = found.or(schedule.map(|schedule| (schedule, item.place.clone())));
    }
    found.map(|(schedule, _)| schedule)
}

type Reader = fn(&str) -> Option<Schedule>;

fn one(site: &Site, item: &Item, name: &str, read: Reader, hint: &str) -> Option<Schedule> {
    let text = item.text(site)?;
    read(text.trim()).or_else(|| item.invalid(site, Id::OptionValue, format!("`{text}` is no schedule for `{name}`"), Some(hint.to_owned())))
}

/// `24h`, `1h30m`, `15m`, `45s`, `2d`; at least ten seconds.
fn every(text: &str) -> Option<Schedule> {
    let length = length(text)?;
    (10..=366 * 86_400).contains(&length.as_secs()).then_some(Schedule::Every(length))
}

/// `24h`, `1h30m`, `15m`, `45s`, `2d`.
pub(super) fn length(text: &str) -> Option<SignedDuration> {
    let (mut seconds, mut digits) = (0_i64, String::new());
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                digits.push(c);
                continue;
            }
            ' ' if digits.is_empty() => continue,
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        seconds = seconds.checked_add(digits.parse::<i64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    (digits.is_empty() && !text.trim().is_empty()).then(|| SignedDuration::from_secs(seconds))
}

/// A time of day: `08:00`.
pub(super) fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn weekly(text: &str) -> Option<Schedule> {
    let (day, time) = text.split_once(' ')?;
    Some(Schedule::Weekly(weekday(day)?, clock(time.trim())?))
}

/// A day of the week, by three letters or more.
pub(super) fn weekday(day: &str) -> Option<Weekday> {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let at = days.iter().position(|d| day.len() >= 3 && day.to_lowercase().starts_with(d))?;
    Weekday::from_monday_zero_offset(i8::try_from(at).ok()?).ok()
}

fn monthly(text: &str) -> Option<Schedule> {
    let (day, time) = text.split_once(' ')?;
    let day = day.parse().ok().filter(|day| (1..=31).contains(day))?;
    Some(Schedule::Monthly(day, clock(time.trim())?))
}

/// Five fields whose numbers are within bounds.
fn cron(text: &str) -> Option<Schedule> {
    const BOUNDS: [(u32, u32); 5] = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)];
    let fields: Vec<&str> = text.split_whitespace().collect();
    let sound = fields.len() == 5 && fields.iter().zip(BOUNDS).all(|(field, bounds)| cron_field(field, bounds));
    sound.then(|| Schedule::Cron(fields.join(" ")))
}

fn cron_field(field: &str, (from, to): (u32, u32)) -> bool {
    let number = |text: &str| text.parse::<u32>().map_or_else(|_| cron_name(text), |n| (from..=to).contains(&n));
    field.split(',').all(|part| {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let stepped = step.is_none_or(|step| step.parse::<u32>().is_ok_and(|n| n > 0));
        stepped && (range == "*" || range.split('-').count() <= 2 && range.split('-').all(number))
    })
}

fn cron_name(text: &str) -> bool {
    let names = "sun mon tue wed thu fri sat jan feb mar apr may jun jul aug sep oct nov dec";
    text.len() == 3 && names.split(' ').any(|name| name.eq_ignore_ascii_case(text))
}
