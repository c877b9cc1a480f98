//! What can go wrong in the living process, besides the work itself.

use std::{io, path::PathBuf};

use crate::{config, connectors, flow, sandbox, store};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Config(#[from] config::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Sandbox(#[from] sandbox::Error),
    #[error(transparent)]
    Connectors(#[from] connectors::Error),
    #[error("cannot use {}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Flow(#[from] flow::Error),
    #[error("{} of this workspace runs already (process {}{})", .0.owner, .0.pid, .0.since.map(|at| format!(", since {at}")).unwrap_or_default())]
    Running(store::Holder),
    #[error("`{name}` is no journey")]
    NoJourney { name: String },
    #[error("{owner} (process {process}) is moving the people of `{name}` right now")]
    Busy { name: String, owner: String, process: u32 },
    #[error("no host of this workspace runs{}", .other.map(|other| format!(" here; one runs {other}")).unwrap_or_default())]
    NoHost { other: Option<&'static str> },
    #[error("the host of this workspace has died and left its socket {} behind", path.display())]
    DeadHost { path: PathBuf },
    #[error("the host is another version of tabi ({host})")]
    OtherVersion { host: String },
    #[error("what answers at {} is no host that this tabi understands", path.display())]
    Strange { path: PathBuf },
    #[error("the host does not answer at {}", path.display())]
    Silent { path: PathBuf },
    #[error("the host says: {reason}")]
    Unheard { reason: String },
    #[error("the host has ended")]
    HostGone,
    #[error("the program could not start its threads: {0}")]
    Threads(io::Error),
}
