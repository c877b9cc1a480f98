//! Columns of Pendo usage reports (A7).

use crate::model::Measure;
use crate::script::{
    diagnostics::{Diagnostic, Id},
    site::Site,
};

use super::options::Item;

/// The ready measures by name, with what each one is.
pub(in crate::script) const READY: [(&str, Measure, &str); 9] = [
    ("active_visitors", Measure::ActiveVisitors, "distinct visitors with at least one event"),
    ("time_on_site", Measure::TimeOnSite, "minutes with activity, summed over visitors"),
    ("events", Measure::Events, "events, summed"),
    ("days_active", Measure::DaysActive, "distinct days with activity"),
    ("sign_in_frequency", Measure::SignInFrequency, "days with activity divided by the days of the window, 0 to 1"),
    ("last_visit", Measure::LastVisit, "the last visit ever, an instant"),
    ("users", Measure::Users, "all visitors ever seen for the account"),
    ("nps_responses", Measure::NpsResponses, "answers to NPS polls in the window"),
    ("nps_score", Measure::NpsScore, "promoters minus detractors in percent, -100 to 100"),
];

/// Reads the columns: a list of measures, or a map from a name of one's own to a measure.
pub(super) fn columns(site: &Site, item: &Item) -> Vec<(String, Measure)> {
    if item.value.is_map() {
        let entries = item.entries(site).unwrap_or_default();
        return entries.iter().filter_map(|entry| column(site, &entry.item).map(|(_, measure)| (entry.key.clone(), measure))).collect();
    }
    item.list(site).unwrap_or_default().iter().filter_map(|item| column(site, item)).collect()
}

fn column(site: &Site, item: &Item) -> Option<(String, Measure)> {
    if item.value.is_map() {
        let mut options = item.options(site, "a report column")?;
        let feature = options.need_text(site, "clicks");
        let name = options.text(site, "name");
        options.finish(site);
        let feature = feature?;
        return Some((name.unwrap_or_else(|| format!("clicks:{feature}")), Measure::FeatureClicks(feature)));
    }
    let text = item.text(site)?;
    let measure = measure(&text);
    if measure.is_none() {
        let known = || {
            let names: Vec<&str> = READY.iter().map(|(name, ..)| *name).collect();
            Some(format!("columns are {}, `clicks:FEATURE NAME`, or a path such as `metadata.agent.name`", names.join(", ")))
        };
        let finding = Diagnostic::new(Id::UnknownMeasure, &item.place, format!("a report has no column `{text}`"));
        site.report(finding.meant(&text, READY.iter().map(|(name, ..)| *name), known));
        return None;
    }
    measure.map(|measure| (text, measure))
}

fn measure(text: &str) -> Option<Measure> {
    if let Some((_, measure, _)) = READY.iter().find(|(name, ..)| *name == text) {
        return Some(measure.clone());
    }
    if let Some(feature) = text.strip_prefix("clicks:").map(str::trim).filter(|feature| !feature.is_empty()) {
        return Some(Measure::FeatureClicks(feature.to_owned()));
    }
    (text.starts_with("metadata.") && text.split('.').count() >= 3).then(|| Measure::Metadata(text.to_owned()))
}
