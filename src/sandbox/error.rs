//! What can go wrong while starting the sandbox or storing its documents.

use std::{io, path::PathBuf};

/// Why the sandbox could not start or store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on 127.0.0.1:{port} for {system}: {source}")]
    Listen { system: &'static str, port: u16, source: io::Error },
    #[error("cannot use {}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("{} is in use by another sandbox", path.display())]
    InUse { path: PathBuf },
    #[error("{} line {line} cannot be read: {source}", path.display())]
    Corrupt { path: PathBuf, line: usize, source: serde_json::Error },
    #[error("the stored company has {what} {stored}, not {asked}; start fresh to change it")]
    OtherCompany { what: &'static str, stored: u64, asked: u64 },
    #[error("the sandbox's {system} did not answer {path}: {reason}")]
    Silent { system: String, path: String, reason: String },
    #[error("the sandbox's {system} refused {path}: {reason}")]
    Refused { system: String, path: String, reason: String },
    #[error("`{part}` is not a fault: {reason}")]
    Fault { part: String, reason: String },
}
