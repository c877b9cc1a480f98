//! What can go wrong with the state file: what, where, and what to do about it.

use std::{io, path::Path, path::PathBuf};

use rusqlite::ErrorCode;

/// Why state could not be read or written. The file is never overwritten or repaired behind anybody's back.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{path} was written by a newer tabi (format {found}, this one knows up to {known}): update tabi, or use another workspace")]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("{path} is damaged ({detail}): nothing was changed; restore it from a copy, or move it away to start with empty state")]
    Corrupt { path: PathBuf, detail: String },
    #[error("{path} is not a tabi state file: nothing was changed; move it away, or use another workspace")]
    Foreign { path: PathBuf },
    #[error("{path} cannot be written ({detail}): give this user write permission on the file and its folder")]
    ReadOnly { path: PathBuf, detail: String },
    #[error("no room left to write {path}: free some space and run again; what was saved before is intact")]
    DiskFull { path: PathBuf },
    #[error("{path} is a folder where the state file should be: move it away, or use another workspace")]
    IsFolder { path: PathBuf },
    #[error("{path} is in use by another process for longer than {seconds} s: see who holds it, then run again")]
    Busy { path: PathBuf, seconds: u64 },
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("no run `{id}`: `tabi history` lists the runs that are kept")]
    NoRun { id: String },
    #[error("run `{id}` is finished already")]
    RunFinished { id: String },
    #[error("no batch {id} in the journal")]
    NoBatch { id: i64 },
    #[error("batch {id} has {rows} rows in the journal but {outcomes} outcomes came back")]
    OutcomeCount { id: i64, rows: usize, outcomes: usize },
    #[error("no program `{name}` in the state file: `tabi journey list` lists what there is")]
    NoProgram { name: String },
    #[error("no participant {id} in the state file")]
    NoParticipant { id: i64 },
    #[error("no message {id} in the outbox")]
    NoIntent { id: i64 },
    #[error("{path}: {what} cannot be read back ({detail}): it was changed by something else than tabi")]
    Garbled { path: PathBuf, what: &'static str, detail: String },
    #[error("{path}: {detail}")]
    Sql { path: PathBuf, detail: String },
}

/// How long one process waits for another one's transaction.
pub(super) const BUSY_SECONDS: u64 = 30;

/// An error inside a transaction, before the path is known.
#[derive(Debug)]
pub(super) enum Fail {
    Sql(rusqlite::Error),
    Garbled(&'static str, String),
    Own(Error),
}

impl From<rusqlite::Error> for Fail {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Self::Own(error)
    }
}

impl Fail {
    pub(super) fn at(self, path: &Path) -> Error {
        match self {
            Self::Sql(error) => from_sql(path, &error),
            Self::Garbled(what, detail) => Error::Garbled { path: path.to_owned(), what, detail },
            Self::Own(error) => error,
        }
    }
}

/// A file system error as the variant that says what to do.
pub(super) fn from_io(path: &Path, source: io::Error) -> Error {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Error::ReadOnly { path, detail: source.to_string() },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => Error::DiskFull { path },
        io::ErrorKind::IsADirectory => Error::IsFolder { path },
        _ => Error::Io { path, source },
    }
}

fn from_sql(path: &Path, error: &rusqlite::Error) -> Error {
    let path = path.to_owned();
    let detail = error.to_string();
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return Error::Sql { path, detail };
    };
    match failure.code {
        ErrorCode::DatabaseCorrupt => Error::Corrupt { path, detail },
        ErrorCode::NotADatabase => Error::Corrupt { path, detail: "its header is not that of an SQLite file".into() },
        ErrorCode::DiskFull => Error::DiskFull { path },
        // The shared-memory file could not be made as long as it must be.
        ErrorCode::SystemIoFailure if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE => Error::DiskFull { path },
        ErrorCode::SystemIoFailure if failure.extended_code == rusqlite::ffi::SQLITE_IOERR_CORRUPTFS => Error::Corrupt { path, detail },
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => Error::ReadOnly { path, detail },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Busy { path, seconds: BUSY_SECONDS },
        _ => Error::Sql { path, detail },
    }
}
