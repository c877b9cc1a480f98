//! What the workspace's own server is known by: its address, and the key that its links are signed with.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

use crate::{config, flow::journey::Links};

use super::{Error, Workspace};

impl Workspace {
    /// Where links in mails lead to: to the server that runs, else to the one that is configured. On the sandbox there may always be one.
    pub fn server_url(&self) -> Option<String> {
        if let Some(serving) = &self.serving {
            return Some(serving.to_string());
        }
        let configured = self.config.server.as_ref().map(config::Section::get_ref);
        match configured {
            Some(server) => Some(server.public_url.clone().unwrap_or_else(|| format!("http://{}", server.listen))),
            None => self.is_sandboxed().then(|| format!("http://{}", config::loopback())),
        }
    }

    /// Makes and reads the links of mails; none without a server.
    ///
    /// # Errors
    /// When the key cannot be read or made.
    pub fn links(&self) -> Result<Option<Links>, Error> {
        let Some(url) = self.server_url() else { return Ok(None) };
        Ok(Some(Links::new(&url, key(&self.private())?)))
    }
}

/// The workspace's key, made when there is none.
fn key(folder: &Path) -> Result<[u8; 32], Error> {
    let file = folder.join("server.key");
    let broken = |source| Error::Folder { path: file.clone(), source };
    if !file.exists() {
        make(folder, &file).map_err(broken)?;
    }
    let bytes = fs::read(&file).map_err(broken)?;
    let wrong =
        |_| broken(io::Error::new(io::ErrorKind::InvalidData, "it has not 32 bytes; without it a new one is made, and links sent so far end"));
    bytes.try_into().map_err(wrong)
}

/// Written beside and linked into place, whole or not at all; whoever comes first wins.
fn make(folder: &Path, file: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(io::Error::other)?;
    let beside = folder.join(format!("server.key.{}.new", std::process::id()));
    let _ = fs::remove_file(&beside);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut new = options.open(&beside)?;
    new.write_all(&key)?;
    new.sync_all()?;
    let linked = fs::hard_link(&beside, file);
    fs::remove_file(&beside)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
