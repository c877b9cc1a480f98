//! What the workspace's own server is known by: its address, and the key that its links are signed with.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    net::{Ipv4Addr, SocketAddr},
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
            None => self.is_sandboxed().then(|| format!("http://{}", self.usual_address())),
        }
    }

    /// Where the server of a sandboxed workspace listens when nothing else is said: where it did the last time. So links of mails that were
    /// made while no server ran lead to it once it does.
    pub fn usual_address(&self) -> SocketAddr {
        let last = fs::read_to_string(self.private().join(ADDRESS)).ok().and_then(|text| text.trim().parse().ok());
        last.filter(|address: &SocketAddr| address.ip().is_loopback()).unwrap_or_else(config::loopback)
    }

    /// Where it listens when the default is taken: a port that is this folder's for good. One that the system hands out may be somebody's
    /// outgoing connection the next time, so this is below those: 20000 to 29999.
    pub fn own_address(&self) -> SocketAddr {
        let place = xxhash_rust::xxh3::xxh3_64(self.root.as_os_str().as_encoded_bytes()) % 10_000;
        SocketAddr::from((Ipv4Addr::LOCALHOST, 20_000 + u16::try_from(place).unwrap_or_default()))
    }

    /// Remembers where the server of a sandboxed workspace listens.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn listens_at(&self, address: SocketAddr) -> Result<(), Error> {
        let file = self.private().join(ADDRESS);
        let broken = |source| Error::Folder { path: file.clone(), source };
        if address == self.usual_address() {
            return Ok(());
        }
        fs::create_dir_all(self.private()).map_err(broken)?;
        fs::write(&file, format!("{address}\n")).map_err(broken)
    }

    /// Links for mails that nobody follows the links of, in simulations and tests; none where mails would carry none. They are the same each
    /// time, and the workspace's key is left alone.
    pub fn links_on_paper(&self) -> Option<Links> {
        let public = self.config.server.as_ref().and_then(|server| server.get_ref().public_url.clone());
        self.server_url().map(|_| Links::new(public.as_deref().unwrap_or("http://tabi.invalid"), [0; 32]))
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

/// Where the server listened last, in the private folder.
const ADDRESS: &str = "server.address";

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
