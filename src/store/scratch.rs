//! A state file for what is thrown away: a simulation, a test. It holds what the other does, and nothing of it survives its program.

use std::{
    env,
    fs::{self, DirBuilder},
    io,
    path::{Path, PathBuf},
    process,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use rusqlite::{Connection, OpenFlags};

use super::{
    Error, Store,
    error::{Fail, from_io},
    open::{locks_of, make_folder, migrate, steady_plans},
};

/// Distinguishes the folders of one process.
static MADE: AtomicU64 = AtomicU64::new(0);

/// The folder of a scratch file; removed when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
    play: Play,
    /// Statements that make the indexes which are left out while it is played.
    left_out: Vec<String>,
    /// Intents of a simulation that went out at this moment.
    sent: Mutex<Vec<i64>>,
}

/// Indexes that no question of a simulation needs before its report.
const LEFT_OUT: [&str; 8] = [
    "participants_of",
    "participants_by_step",
    "participants_by_email",
    "participants_by_px",
    "events_of",
    "intents_of",
    "intents_by_state",
    "intents_pending",
];

impl Scratch {
    /// Whether everything is within one transaction that never ends.
    pub(super) fn is_one_transaction(&self) -> bool {
        self.play == Play::Simulation
    }

    pub(super) fn sent(&self, intents: impl Iterator<Item = i64>) {
        if self.play == Play::Simulation {
            self.sent.lock().unwrap_or_else(PoisonError::into_inner).extend(intents);
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The system empties its folder of temporary files at last.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a scratch file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Play {
    /// As quick as it goes: there are no timelines, nothing can be leased, and a write that fails leaves the file useless.
    Simulation,
    /// Whatever a state file does, but that nothing of it outlives its program.
    Test,
}

impl Store {
    /// A new, empty one in the system's folder for temporary files, for this program alone.
    ///
    /// # Errors
    /// When there is no room or no right to make it.
    pub fn scratch(play: Play) -> Result<Self, Error> {
        let mut scratch = own_folder(play)?;
        let path = scratch.folder.join("state.db");
        if play == Play::Test {
            make_folder(&locks_of(&path))?;
        }
        let connection = connect(&path, play).map_err(|fail| fail.at(&path))?;
        if play == Play::Simulation {
            scratch.left_out = leave_out(&connection).map_err(|fail| fail.at(&path))?;
        }
        Ok(Self { path, writer: Mutex::new(connection), reader: None, owner: Mutex::new(None), scratch: Some(scratch) })
    }

    /// The clock of a simulation is turned: what went out is forgotten, since keys of intents name their moment and none comes again.
    ///
    /// # Errors
    /// When the file fails.
    pub fn turned(&self) -> Result<(), Error> {
        let Some(scratch) = &self.scratch else { return Ok(()) };
        let sent = std::mem::take(&mut *scratch.sent.lock().unwrap_or_else(PoisonError::into_inner));
        self.write(|sql| {
            let mut forget = sql.prepare_cached("DELETE FROM intents WHERE id = ?1")?;
            sent.iter().try_for_each(|id| Ok(forget.execute([id]).map(drop)?))
        })
    }

    /// A simulation is over and is to be told of: the indexes that it was played without are made.
    ///
    /// # Errors
    /// When there is no room for them.
    pub fn played(&self) -> Result<(), Error> {
        let left_out = self.scratch.as_ref().map(|scratch| scratch.left_out.as_slice()).unwrap_or_default();
        self.outside_transaction(|sql| {
            // Again, where it was told of before.
            let make = |statement: &String| sql.execute_batch(&statement.replacen("CREATE INDEX", "CREATE INDEX IF NOT EXISTS", 1));
            Ok(left_out.iter().try_for_each(make)?)
        })
    }
}

/// Drops them, and gives back how they are made.
fn leave_out(connection: &Connection) -> Result<Vec<String>, Fail> {
    let made = |name: &&str| connection.query_row("SELECT sql FROM sqlite_schema WHERE type = 'index' AND name = ?1", [name], |row| row.get(0));
    let statements: Vec<String> = LEFT_OUT.iter().map(made).collect::<Result<_, _>>()?;
    for name in LEFT_OUT {
        connection.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    Ok(statements)
}

fn own_folder(play: Play) -> Result<Scratch, Error> {
    loop {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("tabi-{}-{number}", process::id()));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&folder) {
            Ok(()) => return Ok(Scratch { folder, play, left_out: Vec::new(), sent: Mutex::default() }),
            // Left behind by a killed process of this number.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
            Err(error) => return Err(from_io(&folder, error)),
        }
    }
}

fn connect(path: &Path, play: Play) -> Result<Connection, Fail> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // Without a name: a file of SQLite's own that has none, and that gets only what the cache has no room for, not every commit.
    let mut connection = Connection::open_with_flags("", flags)?;
    connection.set_prepared_statement_cache_capacity(128);
    steady_plans(&connection)?;
    // Large pages: of a participant's row, two have room in one of the usual size, and a third of it would stay empty.
    connection.execute_batch(
        "PRAGMA page_size = 16384;
         PRAGMA synchronous = OFF;
         PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -196608;",
    )?;
    connection.execute_batch(match play {
        Play::Simulation => "PRAGMA journal_mode = OFF; PRAGMA foreign_keys = OFF;",
        Play::Test => "PRAGMA journal_mode = MEMORY; PRAGMA foreign_keys = ON;",
    })?;
    migrate(&mut connection, path)?;
    if play == Play::Simulation {
        // Never committed: nobody else sees it, and a commit looks at every page of the cache when pages were split since the one before.
        connection.execute_batch("BEGIN IMMEDIATE")?;
    }
    Ok(connection)
}
