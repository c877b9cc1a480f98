//! The sandbox of a workspace, one for all its commands: whoever comes first runs it, the others find it.
//!
//! Its owner holds a lock on `endpoint.json`, which the operating system drops with the process: an endpoint without a lock is stale.
//! Guests hold a shared lock on `users`: the owner lets them finish before it stops.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sandbox::{self, Options};

use super::Error;

/// How long somebody may take to start a sandbox: a million accounts take their time.
const PATIENCE: Duration = Duration::from_mins(2);

const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// A running sandbox, this process's own or another one's.
#[derive(Debug)]
pub enum Shared {
    Own(Own),
    Guest(Guest),
}

/// The sandbox that this process runs.
#[derive(Debug)]
pub struct Own {
    sandbox: sandbox::Sandbox,
    folder: PathBuf,
    /// Its lock says that the owner is alive.
    _endpoint: File,
}

/// The sandbox of another process.
#[derive(Debug)]
pub struct Guest {
    pub pid: u32,
    credentials: Value,
    /// Its shared lock keeps the owner from stopping.
    _users: File,
}

/// What the owner leaves for others.
#[derive(Debug, Serialize, Deserialize)]
struct Endpoint {
    pid: u32,
    credentials: Value,
}

impl Shared {
    /// For each system its `base_url` and what a client needs to be let in.
    pub fn credentials(&self) -> Value {
        match self {
            Self::Own(own) => own.credentials(),
            Self::Guest(guest) => guest.credentials.clone(),
        }
    }

    /// Leaves it; stops it when it is this process's own and nobody uses it any more. `patience` is how long others may take.
    pub async fn leave(self, patience: Duration) {
        if let Self::Own(own) = self {
            own.stop(patience).await;
        }
    }
}

impl Own {
    pub fn credentials(&self) -> Value {
        self.sandbox.credentials()
    }

    /// Takes no new guests, waits for those that are there, and stops.
    pub async fn stop(self, patience: Duration) {
        // Gone already is as good.
        let _ = fs::remove_file(endpoint_file(&self.folder));
        if let Ok(users) = private(&self.folder.join("users")) {
            let mut waited = Duration::ZERO;
            while waited < patience && matches!(users.try_lock(), Err(TryLockError::WouldBlock)) {
                tokio::time::sleep(LOOK_AGAIN).await;
                waited += LOOK_AGAIN;
            }
        }
        self.sandbox.stop().await;
    }
}

/// The sandbox of the folder that somebody runs, or one of our own.
pub async fn join_or_start(folder: &Path, options: Options) -> Result<Shared, Error> {
    let mut waited = Duration::ZERO;
    loop {
        if let Some(guest) = join(folder)? {
            return Ok(Shared::Guest(guest));
        }
        match start(folder, options.clone()).await {
            Ok(own) => return Ok(Shared::Own(own)),
            // Somebody is just starting or stopping it.
            Err(Error::Sandbox(sandbox::Error::InUse { .. })) if waited < PATIENCE => {
                tokio::time::sleep(LOOK_AGAIN).await;
                waited += LOOK_AGAIN;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Starts a sandbox of our own and lets others find it.
pub async fn start(folder: &Path, options: Options) -> Result<Own, Error> {
    let sandbox = sandbox::start(Options { folder: Some(folder.to_owned()), ..options }).await?;
    let endpoint = publish(folder, &Endpoint { pid: std::process::id(), credentials: sandbox.credentials() });
    let endpoint = endpoint.map_err(|source| Error::Folder { path: folder.to_owned(), source })?;
    Ok(Own { sandbox, folder: folder.to_owned(), _endpoint: endpoint })
}

/// The sandbox that another process runs, if one does.
pub fn join(folder: &Path) -> Result<Option<Guest>, Error> {
    if !endpoint_file(folder).exists() {
        return Ok(None);
    }
    let broken = |source| Error::Folder { path: folder.to_owned(), source };
    let users = private(&folder.join("users")).map_err(broken)?;
    match users.try_lock_shared() {
        Ok(()) => (),
        // The owner is about to stop.
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(source)) => return Err(broken(source)),
    }
    let endpoint = read_endpoint(folder).map_err(broken)?;
    Ok(endpoint.map(|endpoint| Guest { pid: endpoint.pid, credentials: endpoint.credentials, _users: users }))
}

fn endpoint_file(folder: &Path) -> PathBuf {
    folder.join("endpoint.json")
}

/// Written beside and moved into place, so that nobody reads half of it or finds it without its lock.
fn publish(folder: &Path, endpoint: &Endpoint) -> io::Result<File> {
    let beside = folder.join("endpoint.new");
    let mut file = private(&beside)?;
    file.set_len(0)?;
    file.write_all(&serde_json::to_vec(endpoint)?)?;
    file.lock()?;
    fs::rename(beside, endpoint_file(folder))?;
    Ok(file)
}

/// What the living owner left; none when its lock is gone.
fn read_endpoint(folder: &Path) -> io::Result<Option<Endpoint>> {
    let mut file = match File::open(endpoint_file(folder)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => return Ok(None),
        Err(TryLockError::WouldBlock) => (),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(serde_json::from_str(&text).ok())
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
