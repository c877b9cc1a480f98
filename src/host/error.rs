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
    #[error("`{name}` is no journey")]
    NoJourney { name: String },
    #[error("{owner} (process {process}) is moving the people of `{name}` right now")]
    Busy { name: String, owner: String, process: u32 },
    #[error("the program could not start its threads: {0}")]
    Threads(io::Error),
}
