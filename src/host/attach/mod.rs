//! Talking with a running host: over a socket in `.tabi/` that only its owner may open, the REPL evaluates within the host's own process,
//! on its state, its connections and the scripts that it runs. There is no other guard than the file's mode, and no address on a network.
//!
//! The socket is that of whoever holds the claim to be the host (`host::claim`). So a workspace has one on its systems and one on its sandbox,
//! each beside its own state file, and one that a new host finds was left by a host that died.

/// The side that asks.
mod client;
/// What a host runs at this moment.
mod current;
/// What is said over the socket.
mod message;
/// The side that answers: the host.
mod serve;

use std::path::{Path, PathBuf};

pub use client::{Attached, Cancel};
pub use current::Current;
pub use message::{Hello, Look};
pub use serve::{Serving, serve};

use super::Workspace;

#[cfg(not(unix))]
use std::net::TcpStream as Stream;
#[cfg(unix)]
use std::os::unix::net::UnixStream as Stream;

/// Both sides have to say the same.
const PROTOCOL: u32 = 2;

/// The folder of a host's socket: that of its state file.
fn folder(workspace: &Workspace) -> PathBuf {
    workspace.state_file().parent().map_or_else(|| workspace.private(), Path::to_owned)
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("host.sock")
}
