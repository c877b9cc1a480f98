//! `tabi plan [NAME...]`: what a run would change. Nothing is written.

use clap::Args;

use crate::flow::Hands;

use super::{
    Context, Exit, Failure,
    work::{Dates, Names, work},
};

#[derive(Debug, Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    dates: Dates,
    /// Show every change, not only the first of each declaration.
    #[arg(long)]
    all: bool,
}

/// Plans the declarations.
pub(crate) fn plan(args: &Plan, cx: &Context) -> Result<Exit, Failure> {
    work(Hands::Plan, &args.names, &args.dates, args.all, cx)
}
