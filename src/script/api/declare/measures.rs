//! `gainsight::measures(group, #{..})` (A9).

use rhai::{Dynamic, EvalAltResult, NativeCallContext};

use crate::script::{
    api::{
        fields::field_type,
        options::{Entry, Item},
    },
    declaration::MeasureDecl,
    site::Site,
};

/// Each measure with the column that holds it: `"Active Visitors (30d)": "Active_Visitors_30d__c"`, `()` for a column made from the name, or
/// `#{ column: .., type: "number(18,0)" }`, either of them.
pub(in crate::script::api) fn measures(ctx: &NativeCallContext, group: &str, options: Dynamic) -> Result<(), Box<EvalAltResult>> {
    let site = Site::of(ctx);
    let item = Item::argument(&site, 1, "measures", options);
    let entries = item.entries(&site).unwrap_or_default();
    let declared = entries.iter().filter_map(|entry| measure(&site, group, entry)).collect();
    site.declare_measures(declared)
}

fn measure(site: &Site, group: &str, entry: &Entry) -> Option<MeasureDecl> {
    let (mut column, mut kind) = (None, None);
    if entry.item.value.is_map() {
        let mut options = entry.item.options(site, "a measure")?;
        column = options.text(site, "column");
        kind = options.take(site, "type").and_then(|item| field_type(site, &item));
        options.finish(site);
    } else if !entry.item.value.is_unit() {
        column = Some(entry.item.text(site)?);
    }
    Some(MeasureDecl { group: group.to_owned(), name: entry.key.clone(), column, kind, place: entry.key_place.clone() })
}
