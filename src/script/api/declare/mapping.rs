//! `mapping(name, #{..})`.

use crate::script::{
    api::{
        actions::{BLANKS, MODES},
        fields::fields,
        options::{Item, Options},
        sources::{Destination, destination, origin},
    },
    declaration::{Blank, Body, Cell, FieldMap, Mapping, Mode},
    site::Site,
};

pub(super) fn mapping(site: &Site, options: &mut Options) -> Option<Body> {
    let from = options.need(site, "from").and_then(|item| origin(site, &item));
    let to = options.need(site, "to").and_then(|item| destination(site, &item));
    let match_on = options.need(site, "match_on").map(|item| matches(site, &item));
    let fields = options.need(site, "fields").map(|item| fields(site, &item));
    let mode = options.take(site, "mode").map_or(Some(Mode::default()), |item| item.choice(site, &MODES));
    let blank = options.take(site, "blank").map_or(Some(Blank::default()), |item| item.choice(site, &BLANKS));
    let cursor = options.text(site, "cursor");
    let Destination { target, prefix } = to?;
    let prefixed = |fields: Vec<FieldMap>| with_prefix(fields, prefix.as_deref());
    Some(Body::Mapping(Mapping { from: from?, to: target, match_on: match_on?, fields: prefixed(fields?), mode: mode?, blank: blank?, cursor }))
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
