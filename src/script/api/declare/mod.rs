//! The declarations themselves.

/// `mapping` and `rule` for scripts.
mod global;
/// `pendo::salesforce_integration`.
mod integration;
/// `mapping`.
mod mapping;
/// `gainsight::measures`.
mod measures;
/// `rule`.
mod rule;
/// `pendo::segment`.
mod segment;

pub(super) use global::functions;
pub(super) use integration::integration;
pub(super) use measures::measures;
pub(super) use segment::segment;

use rhai::{Dynamic, EvalAltResult, NativeCallContext};

use crate::model::Schedule;
use crate::script::{
    declaration::{Body, Declaration},
    diagnostics::{Diagnostic, Id},
    site::Site,
    sources::Sources,
};

use super::{
    options::{Item, Options},
    schedules::common,
};

/// Reads `NAME, #{..}`: the common options here, the others by `read`; without a schedule, and following nothing, it has the usual one.
pub(super) fn declaration(
    ctx: &NativeCallContext,
    (word, name): (&str, &str),
    usually: Option<Schedule>,
    options: Dynamic,
    read: impl FnOnce(&Site, &mut Options) -> Option<Body>,
) -> Result<(), Box<EvalAltResult>> {
    let site = Site::of(ctx);
    check_name(&site, name);
    site.names(name);
    let item = Item::argument(&site, 1, word, options);
    let declared = item.options(&site, word).and_then(|mut options| {
        let common = common(&site, &mut options);
        let body = read(&site, &mut options);
        options.finish(&site);
        Some(Declaration {
            name: name.to_owned(),
            place: site.place().clone(),
            hash: String::new(),
            sources: Sources::default(),
            shape: String::new(),
            schedule: common.schedule.or(usually.filter(|_| common.after.is_empty())),
            after: common.after,
            overrides: common.overrides,
            body: body?,
        })
    });
    site.declare(declared)
}

/// Names are typed in shells and shown in tables.
fn check_name(site: &Site, name: &str) {
    let sound = !name.is_empty() && name.len() <= 80 && name.chars().all(|c| c.is_alphanumeric() || "-_.".contains(c));
    if !sound {
        let place = site.argument(0).map_or_else(|| site.place().clone(), |spot| site.at(spot.at));
        let hint = "a name has 1 to 80 letters, digits, `-`, `_` and `.`";
        site.report(Diagnostic::new(Id::OptionValue, &place, format!("`{name}` cannot be a name")).hint(hint));
    }
}
