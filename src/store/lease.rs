//! Who is alive: locks that the operating system drops with their process, so none is ever stale.

use std::{
    fs::{self, File, TryLockError},
    io::{Read, Seek, SeekFrom, Write},
    path::Path,
    sync::PoisonError,
};

use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

use super::{
    Error, Store,
    error::{Fail, from_io},
    open::open_private,
};

/// The right to work on one declaration, given back when dropped or when the process ends in whatever way.
#[derive(Debug)]
pub struct Lease {
    name: String,
    /// Closing it frees the lock.
    _file: File,
}

impl Lease {
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// As the holder called itself, such as `tabi up`.
    pub owner: String,
    pub pid: u32,
    pub since: Option<Timestamp>,
}

/// The answer to `Store::take`.
#[derive(Debug)]
pub enum Take {
    Got(Lease),
    Held(Holder),
}

impl Store {
    /// Takes the lease of a declaration, or says at once who holds it, in this process or another.
    pub fn take(&self, name: &str, owner: &str, at: Timestamp) -> Result<Take, Error> {
        let path = self.locks().join(lease_file(name));
        let mut file = open_private(&path)?;
        if !try_lock(&file, &path)? {
            return Ok(Take::Held(read_holder(&mut file)));
        }
        let holder = Holder { owner: owner.to_owned(), pid: std::process::id(), since: Some(at) };
        write_holder(&mut file, &holder).map_err(|source| from_io(&path, source))?;
        Ok(Take::Got(Lease { name: name.to_owned(), _file: file }))
    }
}

/// A lock file for any name: readable where the name is, and never twice the same.
fn lease_file(name: &str) -> String {
    let readable: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).take(40).collect();
    format!("{readable}-{}.lock", &blake3::hash(name.as_bytes()).to_hex()[..12])
}

fn try_lock(file: &File, path: &Path) -> Result<bool, Error> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(from_io(path, source)),
    }
}

fn write_holder(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    let text = serde_json::to_vec(holder)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)
}

/// The holder may be writing its name at this moment: then nobody is known yet.
fn read_holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let known = file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str(&text).ok());
    known.unwrap_or(Holder { owner: "another process".to_owned(), pid: 0, since: None })
}

/// This process, for runs to be told dead from alive by.
#[derive(Debug)]
pub(super) struct Owner {
    pub(super) id: i64,
    _file: File,
}

impl Store {
    /// This process's number, with its lock held from now on.
    pub(super) fn owner_id(&self) -> Result<i64, Error> {
        let mut owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(owner) = &*owner {
            return Ok(owner.id);
        }
        let made = self.make_owner()?;
        Ok(owner.insert(made).id)
    }

    fn make_owner(&self) -> Result<Owner, Error> {
        loop {
            let id = self.write(|sql| {
                sql.execute("DELETE FROM owners WHERE id NOT IN (SELECT owner FROM runs WHERE status = 'running')", [])?;
                sql.execute("INSERT INTO owners (pid) VALUES (?1)", [std::process::id()])?;
                Ok(sql.last_insert_rowid())
            })?;
            let path = self.locks().join(owner_file(id));
            let file = open_private(&path)?;
            if try_lock(&file, &path)? {
                return Ok(Owner { id, _file: file });
            }
        }
    }

    /// Whether the process behind a run is gone. Clears its lock file away when it is.
    pub(super) fn owner_is_dead(&self, id: i64) -> Result<bool, Error> {
        if self.owner.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|own| own.id == id) {
            return Ok(false);
        }
        let path = self.locks().join(owner_file(id));
        match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
            Err(source) => Err(from_io(&path, source)),
            Ok(file) => try_lock(&file, &path),
        }
    }

    pub(super) fn forget_owner(&self, id: i64) -> Result<(), Fail> {
        let path = self.locks().join(owner_file(id));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(from_io(&path, error).into()),
            _ => Ok(()),
        }
    }
}

fn owner_file(id: i64) -> String {
    format!("process-{id}.lock")
}

/// A process that ends in order leaves no file behind.
impl Drop for Store {
    fn drop(&mut self) {
        let id = self.owner.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|own| own.id);
        if let Some(id) = id {
            // Best effort: a file left over is only a file.
            let _ = self.forget_owner(id);
        }
    }
}
