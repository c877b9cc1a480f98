//! Values that stand elsewhere: `env:NAME` and `file:PATH`, read only when a connection is made.

use std::{
    env, fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Deserializer, de::Error as _};

use super::Error;

/// Where a value stands outside the file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Elsewhere {
    Variable(String),
    File(PathBuf),
}

/// A value that must stand elsewhere. Its `Debug` shows where, never what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret(Elsewhere);

/// A value that may stand in the file itself or elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting(Result<String, Elsewhere>);

/// A secret that was read. Printing it shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Revealed(String);

/// How the error of a literal secret begins: `read` tells it from other errors by this.
pub(super) const LITERAL: &str = "a secret must not be written into this file";

impl Secret {
    /// Reads it. `key` names it in errors (`pendo.integration_key`); a relative `file:` is looked for under `root`.
    pub fn reveal(&self, key: &str, root: &Path) -> Result<Revealed, Error> {
        self.0.read(key, root).map(Revealed)
    }

    /// Puts another text in its place, whole or not at all, for nobody else to read. False when it stands in an environment
    /// variable, which this process cannot change for others.
    pub fn replace(&self, text: &str, root: &Path) -> io::Result<bool> {
        match &self.0 {
            Elsewhere::Variable(_) => Ok(false),
            Elsewhere::File(path) => write_private(&root.join(path), text).map(|()| true),
        }
    }
}

/// Written beside and moved into place. A link stays one: what it leads to is replaced.
fn write_private(file: &Path, text: &str) -> io::Result<()> {
    let real = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let mut name = real.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = real.with_file_name(name);
    // Of a process of the same number that died half-way.
    let _ = fs::remove_file(&beside);
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(&beside).and_then(|mut new| {
        writeln!(new, "{text}")?;
        new.sync_all()
    });
    let moved = written.and_then(|()| fs::rename(&beside, &real));
    if moved.is_err() {
        let _ = fs::remove_file(&beside);
    }
    moved
}

impl Setting {
    /// Reads it, as `Secret::reveal` does.
    pub fn read(&self, key: &str, root: &Path) -> Result<String, Error> {
        match &self.0 {
            Ok(text) => Ok(text.clone()),
            Err(elsewhere) => elsewhere.read(key, root),
        }
    }

    /// The value when it stands in the file.
    pub fn literal(&self) -> Option<&str> {
        self.0.as_deref().ok()
    }
}

impl Revealed {
    /// The secret itself, for the connector that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Elsewhere {
    fn of(text: &str) -> Option<Self> {
        let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        match text.split_once(':')? {
            ("env", name) => named(name.trim()).map(Self::Variable),
            ("file", path) => named(path.trim()).map(|path| Self::File(path.into())),
            _ => None,
        }
    }

    /// The text without the newline that editors leave at its end.
    fn read(&self, key: &str, root: &Path) -> Result<String, Error> {
        let (text, place) = match self {
            Self::Variable(name) => match env::var(name) {
                Ok(text) => (text, format!("the environment variable {name}")),
                Err(_) => return Err(Error::NoVariable { key: key.into(), name: name.clone() }),
            },
            Self::File(path) => {
                let file = root.join(path);
                let text = fs::read_to_string(&file).map_err(|source| Error::NoSecretFile { key: key.into(), file: file.clone(), source })?;
                (text, format!("the file `{}`", file.display()))
            }
        };
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(Error::Empty { key: key.into(), place }),
            value => Ok(value.to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Elsewhere::of(&text).map(Self).ok_or_else(|| D::Error::custom(LITERAL))
    }
}

impl<'de> Deserialize<'de> for Setting {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Ok(Self(Elsewhere::of(&text).map_or(Ok(text), Err)))
    }
}
