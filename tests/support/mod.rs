//! The bench: a temporary workspace, a sandbox in a process of its own on free ports, and the real command.

#![allow(dead_code, unused_imports, reason = "each area of tests uses its own part of the bench")]

/// A server of the test's own.
mod answering;
/// A sandbox as another process, and what it was asked.
mod sandbox;
/// A workspace folder and the command run in it.
mod workspace;

pub(crate) use answering::{Answering, Asked, Said};
pub(crate) use sandbox::Sandbox;
pub(crate) use workspace::{Ran, Workspace};
