//! `tabi.toml`: what a workspace is connected to, its defaults and limits. Nothing here reads a secret before it is needed.

/// What can be wrong with the file, with its place and a next step.
mod error;
/// The sections as they are written.
mod file;
/// Text to `Config`: unknown keys, missing keys and keys that do not go together.
mod read;
/// Values that stand elsewhere: `env:NAME` and `file:PATH`.
mod secret;

pub use error::Error;
pub use file::{Auth, Config, Email, Gainsight, Http, Limits, Pendo, Px, Salesforce, Sandbox, Section, Server, State, loopback};
pub use read::{FILE, load, parse};
pub use secret::{Revealed, Secret, Setting};
