//! `gainsight::measures(group, #{..})` (A9).

use rhai::{Dynamic, EvalAltResult, NativeCallContext};

use crate::script::{
    api::options::{Entry, Item},
    declaration::MeasureDecl,
    site::Site,
};

/// Each measure with the column that holds it: `"Active Visitors (30d)": "Active_Visitors_30d__c"`, or `()` for a column made from the name.
pub(in crate::script::api) fn measures(ctx: &NativeCallContext, group: &str, options: Dynamic) -> Result<(), Box<EvalAltResult>> {
    let site = Site::of(ctx);
    let item = Item::argument(&site, 1, "measures", options);
    let entries = item.entries(&site).unwrap_or_default();
    let declared = entries.iter().filter_map(|entry| measure(&site, group, entry)).collect();
    site.declare_measures(declared)
}

fn measure(site: &Site, group: &str, entry: &Entry) -> Option<MeasureDecl> {
    let column = if entry.item.value.is_unit() { column(&entry.key) } else { entry.item.text(site)? };
    Some(MeasureDecl { group: group.to_owned(), name: entry.key.clone(), column, place: entry.key_place.clone() })
}

/// `Active Visitors (30d)` as `Active_Visitors_30d__c`.
fn column(name: &str) -> String {
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!("{}__c", words.join("_"))
}
