//! Lists of people in files: CSV with a line of headers, a JSON list, JSON lines.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read as _},
    path::Path,
};

use serde_json::Value as Json;

use crate::{
    cli::Failure,
    model::{Record, Value},
};

/// Fields that hold text, whatever it looks like.
pub(super) type Texts = BTreeSet<String>;

/// What may stand between cells; the most frequent one of the first line does.
const BETWEEN: [char; 3] = [',', ';', '\t'];

/// Reads the people of a file, or of standard input for `-`. A row that cannot be used is why.
///
/// # Errors
/// When the file cannot be read, or is no list of people as a whole.
pub(super) fn read(file: &Path, texts: &Texts) -> Result<Vec<Result<Record, String>>, Failure> {
    let unreadable = |error: io::Error| Failure::usage(format!("`{}` cannot be read: {error}", file.display()));
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        io::stdin().lock().read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        bytes = fs::read(file).map_err(unreadable)?;
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::usage(format!("`{}` is not UTF-8", file.display())).hint("save it again as UTF-8, in Excel as \"CSV UTF-8\""))?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with(['[', '{']) { json(text) } else { csv(text, texts) }
}

fn json(text: &str) -> Result<Vec<Result<Record, String>>, Failure> {
    let mut people = Vec::new();
    for document in serde_json::Deserializer::from_str(text).into_iter::<Json>() {
        let document = document.map_err(|error| Failure::usage(format!("the list is no JSON: {error}")))?;
        match document {
            Json::Array(list) => people.extend(list.into_iter().map(person)),
            one => people.push(person(one)),
        }
    }
    Ok(people)
}

fn person(document: Json) -> Result<Record, String> {
    match Value::from(document) {
        Value::Map(person) => Ok(person),
        other => Err(format!("is no map of fields, but `{other}`")),
    }
}

fn csv(text: &str, texts: &Texts) -> Result<Vec<Result<Record, String>>, Failure> {
    let first = text.lines().next().unwrap_or_default();
    let between = BETWEEN.into_iter().rev().max_by_key(|between| first.matches(*between).count()).unwrap_or(',');
    let delimiter = u8::try_from(between).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let wrong = |error: csv::Error| Failure::usage(format!("the list is no CSV: {error}"));
    let headers: Vec<String> = reader.headers().map_err(wrong)?.iter().map(str::to_owned).collect();
    let mut seen = BTreeSet::new();
    if let Some(header) = headers.iter().find(|header| header.is_empty() || !seen.insert(header.as_str())) {
        let what = if header.is_empty() { "a column without a name".to_owned() } else { format!("two columns `{header}`") };
        return Err(Failure::usage(format!("the first line has {what}")).hint("it names every column once, such as `email,name`"));
    }
    let mut people = Vec::new();
    for row in reader.records() {
        let row = row.map_err(wrong)?;
        if row.len() != headers.len() {
            people.push(Err(format!("has {} cells where the first line has {}", row.len(), headers.len())));
            continue;
        }
        let cell = |(name, cell): (&String, &str)| (name.as_str().into(), typed(name, cell, texts));
        people.push(Ok(headers.iter().zip(row.iter()).map(cell).collect()));
    }
    Ok(people)
}

/// A cell's value: numbers and `true` and `false` where they are written as nothing else would be, so that `007` and `1e5` stay text.
pub(super) fn typed(name: &str, cell: &str, texts: &Texts) -> Value {
    let whole = || cell.parse::<i64>().ok().filter(|number| number.to_string() == cell).map(Value::Int);
    let number = || cell.parse::<f64>().ok().filter(|_| is_decimal(cell)).map(Value::Float);
    let truth = || cell.parse::<bool>().ok().map(Value::Bool);
    match cell {
        "" => Value::Null,
        _ if texts.contains(name) => Value::text(cell),
        _ => whole().or_else(number).or_else(truth).unwrap_or_else(|| Value::text(cell)),
    }
}

/// Digits, one point, digits; no zero before others.
fn is_decimal(cell: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((whole, rest)) = cell.strip_prefix('-').unwrap_or(cell).split_once('.') else { return false };
    digits(whole) && digits(rest) && (whole == "0" || !whole.starts_with('0'))
}
