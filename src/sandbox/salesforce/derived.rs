//! Fields that follow from other fields, date parts, and compound addresses.

use crate::sandbox::documents::Row;
use crate::sandbox::salesforce::cell::{Cell, whole};
use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::schema::Kind;
use crate::sandbox::salesforce::soql::dates::DateFn;
use crate::sandbox::salesforce::time::{DAY, civil_from_days, format_date, format_datetime};
use serde_json::{Map, Value};

/// Which fields are computed, by object.
pub(crate) const DERIVED: [(&str, &[&str]); 5] = [
    ("Contact", &["Name", "IsEmailBounced"]),
    ("Lead", &["Name"]),
    ("User", &["Name"]),
    ("Opportunity", &["IsClosed", "IsWon", "ExpectedRevenue", "ForecastCategory", "FiscalYear", "FiscalQuarter", "Fiscal"]),
    ("Case", &["IsClosed", "ContactEmail", "ContactPhone"]),
];

/// Opportunity stages with their probability and forecast category.
pub(crate) const STAGES: [(&str, f64, &str); 10] = [
    ("Prospecting", 10.0, "Pipeline"),
    ("Qualification", 10.0, "Pipeline"),
    ("Needs Analysis", 20.0, "Pipeline"),
    ("Value Proposition", 50.0, "Pipeline"),
    ("Id. Decision Makers", 60.0, "Pipeline"),
    ("Perception Analysis", 70.0, "Pipeline"),
    ("Proposal/Price Quote", 75.0, "Pipeline"),
    ("Negotiation/Review", 90.0, "Pipeline"),
    ("Closed Won", 100.0, "Closed"),
    ("Closed Lost", 0.0, "Omitted"),
];

/// The value of a computed field.
pub(crate) fn cell(data: &Data, object: usize, row: &Row, field: &str) -> Cell {
    let text = |name: &str| row.get(name).as_str().unwrap_or_default().to_owned();
    let case_contact = || {
        let contact = data.schema.object("Contact")?;
        Some((contact, data.row(contact, &text("ContactId"))?))
    };
    match field {
        "Name" => Cell::text(format!("{} {}", text("FirstName"), text("LastName")).trim()),
        "IsWon" => Cell::Bool(text("StageName") == "Closed Won"),
        "IsClosed" => Cell::Bool(text("StageName").starts_with("Closed ") || text("Status") == "Closed"),
        "ForecastCategory" => STAGES.iter().find(|(stage, ..)| *stage == text("StageName")).map_or(Cell::Null, |(.., category)| Cell::text(category)),
        "ExpectedRevenue" => {
            let (amount, probability) = (data.named(object, row, "Amount"), data.named(object, row, "Probability"));
            amount.as_num().map_or(Cell::Null, |amount| Cell::Num((amount * probability.as_num().unwrap_or(0.0)).round() / 100.0))
        }
        "FiscalYear" | "FiscalQuarter" | "Fiscal" => fiscal(&data.named(object, row, "CloseDate"), field),
        "IsEmailBounced" => Cell::Bool(!row.get("EmailBouncedDate").is_null()),
        "ContactEmail" => case_contact().map_or(Cell::Null, |(contact, row)| data.named(contact, &row, "Email")),
        "ContactPhone" => case_contact().map_or(Cell::Null, |(contact, row)| data.named(contact, &row, "Phone")),
        _ => Cell::Null,
    }
}

fn fiscal(date: &Cell, field: &str) -> Cell {
    let Cell::Date(day) = date else { return Cell::Null };
    let (year, month, _) = civil_from_days(*day);
    let quarter = (month - 1) / 3 + 1;
    match field {
        "FiscalYear" => Cell::Num(f64::from(year)),
        "FiscalQuarter" => Cell::Num(f64::from(quarter)),
        _ => Cell::text(&format!("{year} {quarter}")),
    }
}

/// A date function of a date or an instant.
pub(crate) fn date_part(function: DateFn, cell: &Cell) -> Cell {
    let ms = match cell {
        Cell::Date(day) => i64::from(*day) * DAY,
        Cell::Datetime(ms) => *ms,
        _ => return Cell::Null,
    };
    let part = function.of(ms);
    let small = i32::try_from(part).unwrap_or(0);
    if function == DateFn::DayOnly { Cell::Date(small) } else { Cell::Num(f64::from(small)) }
}

/// `FORMAT(x)` in the locale of the org, `en_US`.
pub(crate) fn formatted(cell: &Cell, kind: Kind) -> Cell {
    match cell {
        Cell::Num(number) if kind == Kind::Currency => Cell::text(&format!("${}", grouped(*number, 2))),
        Cell::Num(number) => Cell::text(&grouped(*number, if number.fract() == 0.0 { 0 } else { 2 })),
        Cell::Date(day) => Cell::text(&american(*day)),
        Cell::Datetime(ms) => {
            let text = format_datetime(*ms, "");
            let (hour, minute) = (text[11..13].parse::<u32>().unwrap_or(0), &text[14..16]);
            let half = if hour < 12 { "AM" } else { "PM" };
            Cell::text(&format!("{}, {}:{minute} {half}", american(crate::sandbox::salesforce::time::day_of(*ms)), (hour + 11) % 12 + 1))
        }
        other => other.clone(),
    }
}

fn american(day: i32) -> String {
    let text = format_date(day);
    let number = |part: &str| part.trim_start_matches('0').to_owned();
    format!("{}/{}/{}", number(&text[5..7]), number(&text[8..10]), &text[..4])
}

fn grouped(number: f64, decimals: usize) -> String {
    let fixed = format!("{:.decimals$}", number.abs());
    let (int, fraction) = fixed.split_once('.').unwrap_or((&fixed, ""));
    let mut out = String::new();
    for (i, c) in int.chars().enumerate() {
        if i > 0 && (int.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    let sign = if number < 0.0 && whole(number * 100.0) != 0 { "-" } else { "" };
    if fraction.is_empty() { format!("{sign}{out}") } else { format!("{sign}{out}.{fraction}") }
}

/// A compound address, or null when none of its parts is set.
pub(crate) fn address(data: &Data, object: usize, row: &Row, compound: &str) -> Value {
    let prefix = compound.strip_suffix("Address").unwrap_or_default();
    let mut out = Map::new();
    for (key, part) in [
        ("city", "City"),
        ("country", "Country"),
        ("geocodeAccuracy", "GeocodeAccuracy"),
        ("latitude", "Latitude"),
        ("longitude", "Longitude"),
        ("postalCode", "PostalCode"),
        ("state", "State"),
        ("street", "Street"),
    ] {
        let cell = data.named(object, row, &format!("{prefix}{part}"));
        out.insert(key.to_owned(), cell.json(Kind::Text));
    }
    if out.values().all(Value::is_null) { Value::Null } else { Value::Object(out) }
}
