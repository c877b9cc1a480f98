//! `mapping(name, #{..})`.

use crate::script::{
    api::{
        actions::{BLANKS, MODES},
        fields::fields,
        options::{Item, Options},
        sources::{Destination, Origin, destination, origin},
    },
    declaration::{Blank, Body, Cell, FieldMap, Mapping, Mode},
    diagnostics::{Diagnostic, Id},
    site::Site,
};

pub(super) fn mapping(site: &Site, options: &mut Options) -> Option<Body> {
    let from = options.need(site, "from").and_then(|item| origin(site, &item));
    let to = options.need(site, "to").and_then(|item| destination(site, &item));
    let match_on = options.need(site, "match_on").map(|item| matches(site, &item));
    let fields = options.need(site, "fields").map(|item| fields(site, &item));
    let mode = options.take(site, "mode").map_or(Some(Mode::default()), |item| item.choice(site, &MODES));
    let blank = options.take(site, "blank").map_or(Some(Blank::default()), |item| item.choice(site, &BLANKS));
    let cursor = options.take(site, "cursor");
    if let (Some(item), Some(Some(_))) = (&cursor, from.as_ref().map(|from| from.rows.limit)) {
        let finding = Diagnostic::new(Id::Exclusive, &item.place, "a cursor beside a limit: what lies beyond the limit would never be read");
        site.report(finding.hint("drop one of them; a cursor alone reads no more than what has changed"));
    }
    let cursor = cursor.and_then(|item| item.text(site));
    let Origin { source, rows } = from?;
    let Destination { target, prefix } = to?;
    let prefixed = |fields: Vec<FieldMap>| with_prefix(fields, prefix.as_deref());
    let (match_on, fields) = (match_on?, prefixed(fields?));
    Some(Body::Mapping(Mapping { from: source, rows, to: target, match_on, fields, mode: mode?, blank: blank?, cursor }))
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
