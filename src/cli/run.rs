//! `tabi run [NAME...]`: runs mappings, rules and segments now, in dependency order.

use clap::Args;

use crate::flow::Hands;

use super::{
    Context, Exit, Failure,
    work::{Dates, Names, work},
};

#[derive(Debug, Args)]
pub(crate) struct Run {
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    dates: Dates,
}

/// Runs the declarations.
pub(crate) fn run(args: &Run, cx: &Context) -> Result<Exit, Failure> {
    work(Hands::Live, &args.names, &args.dates, false, cx)
}
