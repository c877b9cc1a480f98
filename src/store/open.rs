//! Opening, migrating and reaching the state file.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Params, Row, TransactionBehavior, config::DbConfig};

use crate::model::Timestamp;

use super::{
    Error,
    error::{BUSY_SECONDS, Fail, from_io},
    lease::Owner,
    scratch::Scratch,
};

/// `tabi` in the file's header, so that no other program's file is taken for ours.
const APPLICATION_ID: i64 = 0x7461_6269;

/// One step of the file's format each, in order, never changed once released: `user_version` counts the steps taken.
const MIGRATIONS: [&str; 11] = [
    include_str!("migrations/0001_runs_and_journal.sql"),
    include_str!("migrations/0002_schemas_and_marks.sql"),
    include_str!("migrations/0003_journeys.sql"),
    include_str!("migrations/0004_edits.sql"),
    include_str!("migrations/0005_delivery.sql"),
    include_str!("migrations/0006_sources.sql"),
    include_str!("migrations/0007_samples.sql"),
    include_str!("migrations/0008_rejections.sql"),
    include_str!("migrations/0009_confirmed.sql"),
    include_str!("migrations/0010_claims.sql"),
    include_str!("migrations/0011_key_owners.sql"),
];

/// The state file. Shared by all threads; several processes may have it open.
#[derive(Debug)]
pub struct Store {
    pub(super) path: PathBuf,
    /// All changes go through this one.
    pub(super) writer: Mutex<Connection>,
    /// Reads do not wait for a long write; a scratch file has one connection for both.
    pub(super) reader: Option<Mutex<Connection>>,
    /// Made with the first run that this process begins.
    pub(super) owner: Mutex<Option<Owner>>,
    /// After the connections: they are closed first.
    pub(super) scratch: Option<Scratch>,
}

impl Store {
    /// Opens the state file, makes it (mode 0600) when there is none, and brings an older format up to date in one transaction.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        prepare_file(path)?;
        let writer = connect(path).map_err(|fail| fail.at(path))?;
        let reader = connect(path).map_err(|fail| fail.at(path))?;
        Ok(Self { path: path.to_owned(), writer: Mutex::new(writer), reader: Some(Mutex::new(reader)), owner: Mutex::new(None), scratch: None })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses to let the file grow past `bytes`: a write that would is answered as a full disk.
    pub fn limit_size(&self, bytes: u64) -> Result<(), Error> {
        let set = |connection: &Connection| -> Result<(), Fail> {
            let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
            let pages = i64::try_from(bytes).unwrap_or(i64::MAX) / page.max(1);
            Ok(connection.pragma_update_and_check(None, "max_page_count", pages.max(1), |_| Ok(()))?)
        };
        set(&lock(&self.writer)).map_err(|fail| fail.at(&self.path))
    }

    /// Reads every page and index of the file. Slow for large ones.
    pub fn verify(&self) -> Result<(), Error> {
        let said: String = self.read(|sql| Ok(sql.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?))?;
        if said == "ok" { Ok(()) } else { Err(Error::Corrupt { path: self.path.clone(), detail: said }) }
    }

    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fail>) -> Result<T, Error> {
        work(&lock(self.reader.as_ref().unwrap_or(&self.writer))).map_err(|fail| fail.at(&self.path))
    }

    /// All of `work` or nothing of it, on disk when this returns. A simulation is within one transaction from its begin.
    pub(super) fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fail>) -> Result<T, Error> {
        let mut writer = lock(&self.writer);
        let done = if self.scratch.as_ref().is_some_and(Scratch::is_one_transaction) { work(&writer) } else { in_transaction(&mut writer, work) };
        done.map_err(|fail| fail.at(&self.path))
    }

    /// For statements that may not run inside a transaction.
    pub(super) fn outside_transaction<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Fail>) -> Result<T, Error> {
        work(&lock(&self.writer)).map_err(|fail| fail.at(&self.path))
    }

    /// The folder of lock files beside the state file.
    pub(super) fn locks(&self) -> PathBuf {
        locks_of(&self.path)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn in_transaction<T>(writer: &mut Connection, work: impl FnOnce(&Connection) -> Result<T, Fail>) -> Result<T, Fail> {
    let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    tracing::trace!("committing");
    transaction.commit()?;
    tracing::trace!("committed");
    Ok(done)
}

pub(super) fn locks_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join("locks")
}

/// The folder, the file and the folder of locks, each with its mode; fails before the database could.
fn prepare_file(path: &Path) -> Result<(), Error> {
    if path.is_dir() {
        return Err(Error::IsFolder { path: path.to_owned() });
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        make_folder(folder)?;
    }
    let file = open_private(path)?;
    keep_private(&file).map_err(|source| from_io(path, source))?;
    make_folder(&locks_of(path))
}

pub(super) fn open_private(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|source| from_io(path, source))
}

pub(super) fn make_folder(folder: &Path) -> Result<(), Error> {
    if folder.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| from_io(folder, source))
}

/// The `-wal` and `-shm` files get the mode of the main one.
#[cfg(unix)]
fn keep_private(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let shared_with_others = file.metadata()?.permissions().mode() & 0o077 != 0;
    if !shared_with_others {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn keep_private(_file: &File) -> std::io::Result<()> {
    Ok(())
}

fn connect(path: &Path) -> Result<Connection, Fail> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(BUSY_SECONDS))?;
    connection.set_prepared_statement_cache_capacity(128);
    steady_plans(&connection)?;
    let looked_at_once = connection.transaction()?;
    let found = refuse_strangers(&looked_at_once, path)?;
    drop(looked_at_once);
    if found == 0 {
        // Would write to the file each time.
        connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
    }
    connection.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA wal_autocheckpoint = 4000;
         PRAGMA journal_size_limit = 67108864;",
    )?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// A statement is planned once: without this it would be planned again whenever another value is bound to it.
pub(super) fn steady_plans(connection: &Connection) -> Result<(), Fail> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// The file's format, 0 for a new one. Nothing is written to a file that is newer than this program or not its own.
fn refuse_strangers(connection: &Connection, path: &Path) -> Result<i64, Fail> {
    let found = version(connection)?;
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION_ID && (tables > 0 || application != 0 || found != 0) {
        return Err(Error::Foreign { path: path.to_owned() }.into());
    }
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(Error::Newer { path: path.to_owned(), found, known }.into());
    }
    Ok(found)
}

fn version(connection: &Connection) -> Result<i64, Fail> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// All missing steps at once, or none. Another process may be doing the same: the version is read again inside.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), Fail> {
    if usize::try_from(version(connection)?) == Ok(MIGRATIONS.len()) {
        return Ok(());
    }
    in_transaction(connection, |sql| {
        let taken = usize::try_from(refuse_strangers(sql, path)?).unwrap_or(0);
        for step in &MIGRATIONS[taken..] {
            sql.execute_batch(step)?;
        }
        sql.pragma_update(None, "application_id", APPLICATION_ID)?;
        Ok(sql.pragma_update(None, "user_version", count(MIGRATIONS.len() as u64))?)
    })
}

/// How an instant is kept: microseconds since 1970.
pub(super) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(super) fn instant(micros: i64) -> Result<Timestamp, Fail> {
    Timestamp::from_microsecond(micros).map_err(|error| Fail::Garbled("a time", error.to_string()))
}

/// A time that may be missing.
pub(super) fn maybe_instant(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, Fail> {
    row.get::<_, Option<i64>>(column)?.map(instant).transpose()
}

/// All rows of a query, each read by `read`.
pub(super) fn select<T>(sql: &Connection, query: &str, params: impl Params, read: impl Fn(&Row<'_>) -> Result<T, Fail>) -> Result<Vec<T>, Fail> {
    let mut statement = sql.prepare_cached(query)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

pub(super) fn to_json(value: &impl serde::Serialize) -> Result<String, Fail> {
    serde_json::to_string(value).map_err(|error| Fail::Garbled("a value", error.to_string()))
}

pub(super) fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, text: &str) -> Result<T, Fail> {
    serde_json::from_str(text).map_err(|error| Fail::Garbled(what, error.to_string()))
}

/// Counts are kept as signed integers.
pub(super) fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) fn uncount(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
