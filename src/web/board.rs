//! The dashboard's HTML: one page without anything from elsewhere, in the light or the dark, on a screen or a phone.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::page::escaped;
use crate::model::{Record, Value};

/// Cells in words, not yet escaped.
pub(super) type Row = Vec<String>;

const STYLE: &str = ":root{color-scheme:light dark;--ink:#1a1a1a;--dim:#5c5c5c;--page:#fff;--card:#f6f7f9;--line:#d9dce1;--bar:#9db8ee;--good:#15803d;--bad:#b91c1c}\
@media(prefers-color-scheme:dark){:root{--ink:#e8e8e8;--dim:#a3a3a3;--page:#16181c;--card:#1f2227;--line:#363b43;--bar:#34508a;--good:#4ade80;--bad:#f87171}}\
*{box-sizing:border-box}body{font:1rem/1.5 system-ui,sans-serif;max-width:64rem;margin:0 auto;padding:1rem;color:var(--ink);background:var(--page)}\
h1{font-size:1.5rem;margin:.5rem 0 0}h2{font-size:1.15rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:0;overflow-wrap:anywhere}.dim{color:var(--dim);margin:0}\
.card{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.8rem 1rem;margin:0 0 1rem}\
.scroll{overflow-x:auto;margin:.6rem 0}table{border-collapse:collapse;width:100%;font-size:.92rem}th{text-align:left;font-weight:500;color:var(--dim)}\
th,td{padding:.25rem .8rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top;white-space:nowrap}td:first-child{white-space:normal;min-width:8rem}\
.n{text-align:right;font-variant-numeric:tabular-nums}meter{width:6rem;height:.7rem;vertical-align:middle}.ok,.active{color:var(--good)}.failed,.partial{color:var(--bad)}.draft,.stopped{color:var(--dim);font-weight:400}\
a{color:inherit}@media(max-width:32rem){table{font-size:.82rem}th,td{padding-right:.5rem}td:first-child{min-width:5rem}meter{width:3rem}}";

/// The tables of a report: its key, what is shown above the table, and its columns by key and word.
type Table = (&'static str, &'static [(&'static str, &'static str)]);

const TABLES: [Table; 4] = [
    ("steps", &[("step", "step"), ("reached", "reached"), ("conversion", "of all"), ("standing", "standing")]),
    ("emails", &[("step", "e-mail"), ("sent", "sent"), ("opened", "opened"), ("clicked", "clicked"), ("bounced", "bounced")]),
    ("engagements", &[("step", "engagement"), ("viewed", "viewed"), ("not_viewed", "not viewed"), ("completed", "completed"), ("failed", "failed")]),
    (
        "surveys",
        &[
            ("step", "survey"),
            ("viewed", "viewed"),
            ("not_viewed", "not viewed"),
            ("responded", "responded"),
            ("responded_email", "by e-mail"),
            ("responded_px", "in PX"),
            ("average_score", "average"),
        ],
    ),
];

pub(super) fn page(body: &str) -> Response {
    let text = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"robots\" content=\"noindex\"><title>tabi</title><style>{STYLE}</style></head>\n<body><main><h1>tabi</h1>\n{body}</main></body></html>\n"
    );
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

/// `inside` is HTML.
pub(super) fn section(title: &str, inside: &str) -> String {
    format!("<section><h2>{}</h2>\n{inside}</section>\n", escaped(title))
}

pub(super) fn table(heads: &[&str], rows: &[Row]) -> String {
    if rows.is_empty() {
        return "<p class=\"dim\">None.</p>\n".to_owned();
    }
    let cells: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| escaped(cell)).collect()).collect();
    drawn(heads, &cells)
}

/// Cells are HTML. Columns of numbers stand to the right.
fn drawn(heads: &[&str], rows: &[Vec<String>]) -> String {
    let numbers = |at: usize| rows.iter().all(|row| row.get(at).is_some_and(|cell| cell.is_empty() || cell.parse::<f64>().is_ok()));
    let class = |at: usize| if at > 0 && numbers(at) { " class=\"n\"" } else { "" };
    let head: Vec<String> = heads.iter().enumerate().map(|(at, head)| format!("<th scope=\"col\"{}>{}</th>", class(at), escaped(head))).collect();
    let cells = |row: &Vec<String>| row.iter().enumerate().map(|(at, cell)| format!("<td{}>{cell}</td>", class(at))).collect::<Vec<_>>().concat();
    let body: Vec<String> = rows.iter().map(|row| format!("<tr>{}</tr>\n", cells(row))).collect();
    let (head, body) = (head.concat(), body.concat());
    format!("<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>\n")
}

/// One journey by its report.
pub(super) fn journey(name: &str, report: &Record, suffix: &str) -> String {
    let word = |key: &str| escaped(&report.get(key).map(ToString::to_string).unwrap_or_default());
    let path = percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC);
    let status = word("status");
    let people = pairs(report.get("participants"), |state, n| format!("{n} {state}"));
    let people = if people.is_empty() { "nobody was in it yet".to_owned() } else { people };
    let mut card = format!(
        "<article class=\"card\"><h3>{} <span class=\"{status}\">{status}</span></h3>\n<p class=\"dim\">revision {}, {people} \
         <a href=\"/api/journeys/{path}/report{}\">JSON</a></p>\n",
        escaped(name),
        word("revision"),
        escaped(suffix),
    );
    let failed = pairs(report.get("failed_reasons"), |reason, n| format!("{n} {reason}"));
    if !failed.is_empty() {
        card.extend([format!("<p class=\"failed\">failed: {failed}</p>\n")]);
    }
    for (part, columns) in TABLES {
        if let Some(Value::List(rows)) = report.get(part).filter(|rows| !matches!(rows, Value::List(rows) if rows.is_empty())) {
            let rows: Vec<Vec<String>> =
                rows.iter().filter_map(|row| if let Value::Map(row) = row { Some(cells(row, columns)) } else { None }).collect();
            card.push_str(&drawn(&columns.iter().map(|(_, head)| *head).collect::<Vec<_>>(), &rows));
        }
    }
    card.push_str("</article>\n");
    card
}

fn cells(row: &Record, columns: &[(&str, &str)]) -> Vec<String> {
    let cell = |(key, _): &(&str, &str)| match (*key, row.get(key)) {
        (_, None | Some(Value::Null)) => String::new(),
        ("conversion", Some(Value::Float(share))) => {
            format!("<meter value=\"{share:.4}\" aria-label=\"share of all\"></meter> {:.0} %", share * 100.0)
        }
        (_, Some(value)) => escaped(&value.to_string()),
    };
    columns.iter().map(cell).collect()
}

/// The pairs of a map in words.
fn pairs(map: Option<&Value>, word: impl Fn(&str, &Value) -> String) -> String {
    let Some(Value::Map(map)) = map else { return String::new() };
    let all: Vec<String> = map.iter().filter(|(_, n)| n.as_i64() != Some(0)).map(|(name, n)| word(name, n)).collect();
    if all.is_empty() { String::new() } else { escaped(&all.join(", ")) }
}
