//! What came of a simulation: who is where, what went out in which week, and what is likely to be a mistake.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use indicatif::{ProgressBar, ProgressStyle};
use jiff::ToSpan;

use crate::{
    flow::journey::Simulated,
    model::{Date, Record, Value},
};

use super::{BOLD, DIM, Out, WARN, count, many, paint, plain, seconds as span, table};

/// How long the longest bar of the calendar is.
const BAR: u64 = 24;

/// How far the virtual time is: a bar on a terminal, a line for each fifth elsewhere. On standard error.
pub(crate) struct VirtualTime {
    out: Out,
    bar: Option<ProgressBar>,
    name: String,
    days: u32,
    told: Mutex<u32>,
}

impl VirtualTime {
    pub(crate) fn new(out: &Out, name: &str, days: u32) -> Self {
        let bar = Out::is_watched().then(|| {
            let style = ProgressStyle::with_template("{spinner} {msg} day {pos} of {len} {bar:30}").unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(days.into()).with_style(style).with_message(name.to_owned());
            bar.enable_steady_tick(std::time::Duration::from_millis(120));
            bar
        });
        Self { out: out.clone(), bar, name: name.to_owned(), days, told: Mutex::default() }
    }

    /// So much of it is over, from 0 to 1.
    pub(crate) fn tell(&self, share: f64) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a number of days")]
        let day = (share * f64::from(self.days)) as u32;
        if let Some(bar) = &self.bar {
            bar.set_position(day.into());
            return;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let step = (self.days / 5).max(1);
        if day >= *told + step {
            *told = day;
            self.out.note(paint(DIM, format!("{}: day {day} of {}", self.name, self.days)));
        }
    }

    pub(crate) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Prints it all.
pub(crate) fn simulated(out: &Out, name: &str, simulated: &Simulated, days: u32, seconds: f64) {
    let told = format!("{} virtual, {} events, in {}", many(days.into(), "day"), count(simulated.events), span(seconds));
    out.line(format!("{} {}", paint(BOLD, name), paint(DIM, told)));
    if let Some(Value::Map(people)) = simulated.report.get("participants") {
        let counts: Vec<String> = people.iter().filter(|(_, n)| **n != Value::Int(0)).map(|(state, n)| format!("{} {state}", number(n))).collect();
        let nobody = "nobody came in".to_owned();
        out.line(format!("  {}", if counts.is_empty() { nobody } else { counts.join(", ") }));
    }
    if let Some(Value::Map(reasons)) = simulated.report.get("failed_reasons") {
        for (reason, n) in reasons.iter() {
            out.line(format!("  {} {} {reason}", paint(DIM, "failed:"), number(n)));
        }
    }
    funnel(out, &simulated.report);
    weeks(out, &simulated.calendar);
    for ((system, object, operation), rows) in &simulated.written {
        out.line(format!("{} {} {object} in {system}: {operation}", paint(DIM, "would write"), many(*rows, "row")));
    }
    if !simulated.warnings.is_empty() {
        out.line("");
        simulated.warnings.iter().for_each(|warning| out.line(format!("{} {warning}", paint(WARN, "warning:"))));
    }
}

/// Each step with who came, who stands there, and what happened with it.
fn funnel(out: &Out, report: &Record) {
    let mut happened: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in ["emails", "engagements", "surveys"] {
        for row in rows(report, part) {
            let step = row.get("step").map(ToString::to_string).unwrap_or_default();
            let kinds = ["sent", "opened", "clicked", "bounced", "viewed", "completed", "responded", "failed"];
            let some = kinds.iter().filter_map(|kind| Some((kind, row.get(kind).filter(|n| **n != Value::Int(0))?)));
            happened.entry(step).or_default().extend(some.map(|(kind, n)| format!("{} {kind}", number(n))));
        }
    }
    let cells: Vec<Vec<String>> = rows(report, "steps")
        .iter()
        .map(|row| {
            let text = |field: &str| row.get(field).map(number).unwrap_or_default();
            let step = row.get("step").map(ToString::to_string).unwrap_or_default();
            let what = happened.get(&step).map(|what| what.join(", ")).unwrap_or_default();
            vec![step, text("reached"), text("standing"), what]
        })
        .collect();
    if !cells.is_empty() {
        out.line("");
        out.line(table(
            &["step", "#reached", "#standing", "what happened"],
            cells.into_iter().map(|row| row.into_iter().map(plain).collect()).collect(),
        ));
    }
}

/// A line for each week with a send.
fn weeks(out: &Out, calendar: &[Record]) {
    let mut weeks: BTreeMap<Date, (u64, Vec<(String, u64)>)> = BTreeMap::new();
    for day in calendar {
        let (Some(Value::Date(date)), Some(Value::Map(steps))) = (day.get("day"), day.get("steps")) else { continue };
        let monday = date.saturating_sub(i64::from(date.weekday().to_monday_zero_offset()).days());
        let (total, by_step) = weeks.entry(monday).or_default();
        for (step, n) in steps.iter() {
            let n = n.as_i64().and_then(|n| u64::try_from(n).ok()).unwrap_or_default();
            *total += n;
            match by_step.iter_mut().find(|(known, _)| *known == step.as_str()) {
                Some((_, sum)) => *sum += n,
                None => by_step.push((step.to_string(), n)),
            }
        }
    }
    let most = weeks.values().map(|(total, _)| *total).max().unwrap_or(1).max(1);
    if !weeks.is_empty() {
        out.line("");
        out.line(paint(DIM, "sends by week"));
    }
    for (monday, (total, steps)) in weeks {
        let length = usize::try_from((total * BAR).div_ceil(most)).unwrap_or(0);
        let bar = format!("{:<width$}", "#".repeat(length), width = usize::try_from(BAR).unwrap_or(0));
        let steps: Vec<String> = steps.iter().map(|(step, n)| format!("{step} {}", count(*n))).collect();
        out.line(format!("{monday} {bar} {:>9}  {}", count(total), paint(DIM, steps.join(", "))));
    }
}

fn number(value: &Value) -> String {
    value.as_i64().and_then(|n| u64::try_from(n).ok()).map_or_else(|| value.to_string(), count)
}

fn rows(report: &Record, part: &str) -> Vec<Record> {
    match report.get(part) {
        Some(Value::List(rows)) => rows.iter().filter_map(|row| if let Value::Map(row) = row { Some(row.clone()) } else { None }).collect(),
        _ => Vec::new(),
    }
}
