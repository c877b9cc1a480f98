//! `mapping(name, #{..})`.

use crate::model::Source;
use crate::script::{
    api::{
        actions::{BLANKS, MODES},
        fields::fields,
        options::{Item, Options},
        schedules::length,
        sources::{Destination, Origin, destination, origin},
    },
    declaration::{Blank, Body, Cell, Cursor, FieldMap, Mapping, Mode},
    diagnostics::Id,
    site::Site,
};

pub(super) fn mapping(site: &Site, options: &mut Options) -> Option<Body> {
    let from = options.need(site, "from").and_then(|item| origin(site, &item));
    let to = options.need(site, "to").and_then(|item| destination(site, &item));
    let match_on = options.need(site, "match_on").map(|item| matches(site, &item));
    let fields = options.need(site, "fields").map(|item| fields(site, &item));
    let mode = options.take(site, "mode").map_or(Some(Mode::default()), |item| item.choice(site, &MODES));
    let blank = options.take(site, "blank").map_or(Some(Blank::default()), |item| item.choice(site, &BLANKS));
    let cursor = cursor(site, options, from.as_ref());
    let Origin { source, rows } = from?;
    let Destination { target, prefix } = to?;
    let prefixed = |fields: Vec<FieldMap>| with_prefix(fields, prefix.as_deref());
    let (match_on, fields) = (match_on?, prefixed(fields?));
    Some(Body::Mapping(Mapping { from: source, rows, to: target, match_on, fields, mode: mode?, blank: blank?, cursor }))
}

/// `cursor: "SystemModstamp"`, with `lookback: "1h"`.
fn cursor(site: &Site, options: &mut Options, from: Option<&Origin>) -> Option<Cursor> {
    let (field, lookback) = (options.take(site, "cursor"), options.take(site, "lookback"));
    let Some(item) = field else {
        if let Some(lookback) = lookback {
            lookback.invalid::<()>(site, Id::OptionValue, "`lookback` widens what a `cursor` reads, and there is none", None);
        }
        return None;
    };
    let refuse = |id: Id, message: &str, hint: &str| item.invalid::<()>(site, id, message, Some(hint.to_owned()));
    match from {
        Some(origin) if origin.rows.limit.is_some() => {
            let hint = "drop one of them; a cursor alone reads no more than what has changed";
            refuse(Id::Exclusive, "a cursor beside a limit: what lies beyond the limit would never be read", hint);
        }
        Some(Origin { source: Source::Object(_), .. }) | None => (),
        Some(_) => {
            let hint = "leave `cursor` out, or read an object such as `salesforce::object(\"Account\")`";
            refuse(Id::OptionValue, "only objects are read from a cursor on; reports, SOQL and aggregations are read as a whole", hint);
        }
    }
    let length = lookback.map_or(Some(Cursor::LOOKBACK), |item| {
        let text = item.text(site)?;
        let hint = "write a number and a unit, 366 days at most: \"10m\", \"24h\"".to_owned();
        let read = length(text.trim()).filter(|length| length.as_hours() <= 366 * 24);
        read.or_else(|| item.invalid(site, Id::OptionValue, format!("`{text}` is no length of time"), Some(hint)))
    });
    Some(Cursor { field: item.text(site)?, lookback: length?, place: item.place.clone() })
}

/// `"Email"`, `["Email"]`, or a map from target fields to the source's.
fn matches(site: &Site, item: &Item) -> Vec<FieldMap> {
    if item.value.is_map() {
        return fields(site, item);
    }
    let names = item.texts(site).unwrap_or_default();
    let same = |name: String| FieldMap { target: name.as_str().into(), from: Cell::Field(name), declared: None, place: item.place.clone() };
    names.into_iter().map(same).collect()
}

/// Fields of a metadata group are written by their bare names.
fn with_prefix(fields: Vec<FieldMap>, prefix: Option<&str>) -> Vec<FieldMap> {
    let Some(prefix) = prefix else { return fields };
    fields.into_iter().map(|field| FieldMap { target: format!("{prefix}{}", field.target).into(), ..field }).collect()
}
