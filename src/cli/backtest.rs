//! `tabi backtest NAME`: what the present version of a declaration would make different from an earlier one.

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use crate::{
    connectors::Stop,
    host::{
        Loaded, Session, Workspace,
        backtest::{self, Backtest},
        versions::{Against, NoVersion, earlier},
    },
    script::Declaration,
};

use super::{
    Context, Exit, Failure, check,
    render::{backtest as told, closest},
    work::declared_names,
};

#[derive(Debug, Args)]
pub(crate) struct BacktestArgs {
    /// The declaration.
    #[arg(add = ArgValueCandidates::new(declared_names))]
    name: String,
    /// The earlier version: the first letters of a hash that was live, a file, or `git:REF` [default: the one that was live before].
    #[arg(long, value_name = "VERSION")]
    against: Option<String>,
    /// Read so many records of each source now instead of taking those that were kept.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    fresh: Option<u32>,
    /// Examples of each kind of difference.
    #[arg(long, value_name = "N", default_value_t = 5)]
    examples: usize,
    /// End with exit code 1 when anything would be different.
    #[arg(long)]
    fail: bool,
}

/// Compares and tells.
pub(crate) fn backtest(args: &BacktestArgs, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let loaded = check::loaded(&workspace, cx)?;
    let present = named(&loaded, &args.name)?;
    let store = workspace.existing_store()?;
    let against = args.against.as_deref().map_or(Against::Last, Against::of);
    let before = earlier(&workspace, store.as_deref(), present, &against)?;
    let done = match (args.fresh, store) {
        (Some(records), _) => freshly(&workspace, (&before, present), records)?,
        (None, Some(store)) => backtest::one(&workspace, &store, (&before, present), None, &Stop::new()).map_err(|error| error.fault())?,
        (None, None) => return Err(nothing_kept(&args.name)),
    };
    let Some(comparison) = &done.comparison else { return Err(nothing_kept(&args.name)) };
    told(&done, args.examples, &cx.out);
    let exit = match &comparison.fault {
        Some(_) => Exit::Failed,
        None if args.fail && !comparison.differences.is_empty() => Exit::Failed,
        None => Exit::Done,
    };
    Ok(exit)
}

fn named<'l>(loaded: &'l Loaded, name: &str) -> Result<&'l Declaration, Failure> {
    let known: Vec<&str> = loaded.declarations().iter().map(|d| d.name.as_str()).collect();
    let found = loaded.declarations().iter().find(|declaration| declaration.name == name);
    found
        .map(AsRef::as_ref)
        .ok_or_else(|| Failure::new(Exit::Usage, "unknown_name", format!("nothing is declared by the name `{name}`")).hint(closest(name, &known)))
}

fn freshly(workspace: &Workspace, versions: (&Declaration, &Declaration), records: u32) -> Result<Backtest, Failure> {
    let session = Session::open(workspace)?;
    session.stop_when_asked(|| std::process::exit(Exit::Interrupted as i32));
    let done = backtest::one(workspace, &session.store, versions, Some((&session.wire, records)), &session.stop);
    session.close();
    Ok(done.map_err(|error| error.fault())?)
}

fn nothing_kept(name: &str) -> Failure {
    let message = format!("nothing that `{name}` has read is kept");
    Failure::new(Exit::Usage, "no_sample", message)
        .hint("a run keeps a sample (unless tabi.toml says `sample = 0` under [state]), and `--fresh N` reads N records now")
}

impl From<NoVersion> for Failure {
    fn from(error: NoVersion) -> Self {
        let failure = Self::new(Exit::Usage, "no_version", error.to_string());
        match error {
            NoVersion::None { .. } => {
                failure.hint("a version is known once `tabi up` or `tabi run` had it; `--against FILE` and `--against git:REF` name others")
            }
            NoVersion::Unknown { known, .. } | NoVersion::Ambiguous { known, .. } if !known.is_empty() => {
                failure.hint(format!("known: {}", known.join(", ")))
            }
            NoVersion::Store(error) => error.into(),
            _ => failure,
        }
    }
}
