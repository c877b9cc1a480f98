//! `pendo::segment(name, #{..})` (A17).

use rhai::{Dynamic, EvalAltResult, NativeCallContext};

use crate::script::{
    api::{filters::filter, options::Options},
    declaration::{Body, SegmentDecl},
    site::Site,
};

pub(in crate::script::api) fn segment(ctx: &NativeCallContext, name: &str, options: Dynamic) -> Result<(), Box<EvalAltResult>> {
    super::declaration(ctx, ("segment", name), None, options, read)
}

fn read(site: &Site, options: &mut Options) -> Option<Body> {
    let kinds = [("account", "account"), ("visitor", "visitor")];
    let per = options.take(site, "per").map_or(Some("account"), |item| item.choice(site, &kinds));
    let filter = options.need(site, "filters").and_then(|item| filter(site, &item));
    let guides = options.texts(site, "guides");
    Some(Body::Segment(SegmentDecl { per: per?.to_owned(), filter: filter?, guides }))
}
