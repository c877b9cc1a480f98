//! The results of a report that somebody saved in Pendo, which come in one answer.

use reqwest::Method;

use crate::model::{Fault, FaultKind, Listed, Listing, Record, SavedReport, System, Value};

use super::{Pendo, rows::Rows};

/// Columns that are told where the key is not among them.
const TOLD: usize = 20;

impl Pendo {
    /// Its rows in the order of their keys, those behind the first `after` of them.
    ///
    /// `GET /report`, `GET /report/{id}/results.json` (engageapi.pendo.io, "Reports").
    pub(super) async fn saved(&self, report: &SavedReport, after: Option<Value>) -> Result<Rows, Fault> {
        let mut listed = Listed::default();
        listed.add(Listing::Report, self.list(Listing::Report.word()).await?);
        let id = listed.saved(report).map_err(|wrong| Fault::from_system(System::Pendo, FaultKind::NotFound, wrong.to_string()))?;
        let call = self.call(Method::GET, &format!("report/{id}/results.json")).slow();
        let mut rows: Vec<Record> = self.http.json(&call).await?;
        if let Some(first) = rows.first().filter(|_| rows.iter().all(|row| row.get(&report.key).is_none())) {
            return Err(without_key(report, first));
        }
        let key = |row: &Record| row.get(&report.key).map(ToString::to_string).unwrap_or_default();
        // Rows of one key stand in an order of their own, too, so that it is the same whenever they are asked for.
        rows.sort_by_cached_key(|row| (key(row), serde_json::to_string(row).unwrap_or_default()));
        Ok(Rows::held(rows, &report.key, after.as_ref()))
    }
}

fn without_key(report: &SavedReport, row: &Record) -> Fault {
    let columns: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).take(TOLD).collect();
    let (name, key, columns) = (&report.name, &report.key, columns.join(", "));
    let message = format!("the report `{name}` has no column `{key}` that would identify its rows; it has {columns}: name one by `key`");
    Fault::from_system(System::Pendo, FaultKind::Invalid, message).field(key)
}
