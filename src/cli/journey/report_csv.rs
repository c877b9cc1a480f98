//! `tabi journey report NAME --csv`: every table for spreadsheets and notebooks.

use std::{fs, path::Path};

use crate::{
    cli::{
        Context, Exit, Failure,
        render::{GOOD, many, paint},
    },
    model::{Record, Value},
};

/// One table: what it is called, and its rows, all with the same columns.
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) rows: Vec<Record>,
}

/// The tables of a report.
pub(super) fn tables(report: &Record) -> Vec<Table> {
    let list = |name: &'static str| {
        let rows = match report.get(name) {
            Some(Value::List(rows)) => rows.iter().filter_map(|row| if let Value::Map(row) = row { Some(row.clone()) } else { None }).collect(),
            _ => Vec::new(),
        };
        Table { name, rows }
    };
    let counts = |name: &'static str, what: &'static str| {
        let pairs = if let Some(Value::Map(map)) = report.get(name) { map.clone() } else { Record::new() };
        let row =
            |(word, n): (&crate::model::Name, &Value)| [(what.into(), Value::text(word.as_str())), ("count".into(), n.clone())].into_iter().collect();
        Table { name, rows: pairs.iter().map(row).collect() }
    };
    vec![counts("participants", "state"), counts("failed_reasons", "reason"), list("steps"), list("emails"), list("engagements"), list("surveys")]
}

/// One table as CSV with a line of headers; nothing for a table without rows.
pub(super) fn text(rows: &[Record]) -> Result<String, Failure> {
    let wrong = |error: csv::Error| Failure::new(Exit::Failed, "csv", error.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    if let Some(first) = rows.first() {
        writer.write_record(first.iter().map(|(name, _)| name.as_str())).map_err(wrong)?;
    }
    for row in rows {
        writer.write_record(row.iter().map(|(_, value)| cell(value))).map_err(wrong)?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::new(Exit::Failed, "csv", error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Map(_) | Value::List(_) => serde_json::to_string(value).unwrap_or_default(),
        other => other.to_string(),
    }
}

/// All numbers of a report in one table: which table, which row, what is measured, how much.
pub(super) fn long(tables: &[Table]) -> Vec<Record> {
    let mut all = Vec::new();
    for table in tables {
        for row in &table.rows {
            let mut cells = row.iter();
            let Some((_, of)) = cells.next() else { continue };
            for (measure, value) in cells.filter(|(_, value)| matches!(value, Value::Int(_) | Value::Float(_))) {
                let line =
                    [("table", Value::text(table.name)), ("of", of.clone()), ("measure", Value::text(measure.as_str())), ("value", value.clone())];
                all.push(line.into_iter().map(|(name, value)| (name.into(), value)).collect());
            }
        }
    }
    all
}

/// A file for each table, in a folder that is made when it is not there.
pub(super) fn write(folder: &Path, tables: &[Table], cx: &Context) -> Result<Exit, Failure> {
    let failed = |error: std::io::Error| Failure::new(Exit::Failed, "io", format!("cannot write to {}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    let mut written = Vec::new();
    for table in tables {
        let file = folder.join(format!("{}.csv", table.name));
        fs::write(&file, text(&table.rows)?).map_err(failed)?;
        written.push(file.display().to_string());
    }
    cx.out.json(&serde_json::json!({"files": written}));
    cx.out.line(format!("{} {} to {}", paint(GOOD, "Wrote"), many(tables.len() as u64, "table"), folder.display()));
    Ok(Exit::Done)
}
