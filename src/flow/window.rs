//! Where the window of a usage report ends: it is decided here, for every run, plan and back-test.

use crate::{
    model::{Date, Fault, FaultKind, Measure, Report, Source},
    script::{Body, Declaration},
};

use super::{Error, work::Work};

/// The source as it is read for the rule date: a report's window ends with the day before it, as in a run on that very day. For today Pendo
/// itself says which of its days are over.
///
/// # Errors
/// When days of the window are still to come.
pub(crate) fn ending(work: &Work<'_>, source: &Source) -> Result<Source, Error> {
    let mut source = source.clone();
    if let Source::Report(report) = &mut source {
        if work.date > work.today {
            let message = format!("the report for {} looks at days that are not over: today is {}", work.date, work.today);
            return Err(Fault::new(FaultKind::Invalid, message).into());
        }
        report.until = (work.date != work.today).then_some(work.date);
    }
    Ok(source)
}

/// What a run for past dates is told of numbers that Pendo has only as they are now.
pub(crate) fn as_of_now(declaration: &Declaration, dates: &[Date], today: Date) -> Option<String> {
    if dates.iter().all(|date| *date >= today) {
        return None;
    }
    let pushed = match &declaration.body {
        Body::Integration(one) => one.push.iter().flat_map(|push| of_source(&push.report)).collect(),
        Body::Mapping(one) => of_source(&one.from),
        Body::Rule(one) => of_source(&one.from),
        Body::Segment(_) | Body::Journey(_) => Vec::new(),
    };
    let mut names: Vec<String> = Vec::new();
    for name in pushed {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let past = "for a past date: Pendo keeps no earlier state of it";
    (!names.is_empty()).then(|| format!("{} is read as it is now, also {past}", names.join(", ")))
}

fn of_source(source: &Source) -> Vec<String> {
    match source {
        Source::Report(report) => standing(report),
        Source::Saved(report) => vec![format!("the report `{}`", report.name)],
        Source::Aggregation { pipeline, .. } if pipeline.to_string().contains("now()") => vec!["a pipeline that says now()".to_owned()],
        _ => Vec::new(),
    }
}

/// The parts of a report that do not look at its window.
fn standing(report: &Report) -> Vec<String> {
    let segment = report.segment.iter().map(|name| format!("who is in the segment `{name}`"));
    let of_now = |measure: &Measure| matches!(measure, Measure::LastVisit | Measure::Users | Measure::Metadata(_));
    let columns = report.columns.iter().filter(|(_, measure)| of_now(measure)).map(|(name, _)| format!("`{name}`"));
    segment.chain(columns).collect()
}
