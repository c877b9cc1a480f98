//! What can be wrong with `tabi.toml`, with its place and a next step.

use std::{io, path::PathBuf};

/// An error of the configuration. Its text never holds a value that could be a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{}` cannot be read: {source}", file.display())]
    Unreadable { file: PathBuf, source: io::Error },
    /// Lines and columns count from 1.
    #[error("{message}")]
    Invalid { code: &'static str, message: String, file: PathBuf, line: usize, column: usize, hint: Option<String> },
    #[error("`{key}` stands in the environment variable {name}, which is not set")]
    NoVariable { key: String, name: String },
    #[error("`{key}` stands in the file `{}`, which cannot be read: {source}", file.display())]
    NoSecretFile { key: String, file: PathBuf, source: io::Error },
    #[error("`{key}` stands in {place}, which is empty")]
    Empty { key: String, place: String },
}

impl Error {
    /// A word for programs; never changed once released.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "config_unreadable",
            Self::Invalid { code, .. } => code,
            Self::NoVariable { .. } | Self::NoSecretFile { .. } | Self::Empty { .. } => "config_secret_missing",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Invalid { hint, .. } => hint.clone(),
            Self::NoVariable { name, .. } => Some(format!("set it (`export {name}=...`), or run with `--sandbox`")),
            Self::NoSecretFile { .. } | Self::Empty { .. } => Some("write the value there, or run with `--sandbox`".into()),
        }
    }

    /// File, line and column, where it has any.
    pub fn place(&self) -> Option<(&PathBuf, usize, usize)> {
        match self {
            Self::Invalid { file, line, column, .. } => Some((file, *line, *column)),
            _ => None,
        }
    }
}
