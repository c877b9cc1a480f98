//! The file behind the rows of one system: one JSON line for each change, replayed and compacted at start.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File, OpenOptions},
    io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Change, Nothing, Seed, Table};
use crate::sandbox::Error;

/// Everything one system stores.
pub struct Documents {
    tables: RwLock<BTreeMap<String, Arc<Table>>>,
    path: Option<PathBuf>,
    /// Held while a change is written and applied, so that the file and the rows agree about the order.
    file: Mutex<Option<File>>,
}

#[derive(Serialize, Deserialize)]
struct Line<T, C> {
    #[serde(rename = "t")]
    table: T,
    #[serde(rename = "c")]
    change: C,
}

impl Documents {
    /// Documents kept in this file, or in memory only.
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { tables: RwLock::default(), path, file: Mutex::default() }
    }

    /// The table of this name with these seeded rows; made when it is new. What was written earlier is there once the sandbox serves.
    pub fn table(&self, name: &str, seed: impl Seed) -> Arc<Table> {
        let mut tables = self.tables.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(table) = tables.get(name) {
            table.reseed(Arc::new(seed));
            return Arc::clone(table);
        }
        let table = Arc::new(Table::new(name, Arc::new(seed)));
        tables.insert(name.to_owned(), Arc::clone(&table));
        table
    }

    /// The table of this name, made without seeded rows when it is new.
    pub fn open(&self, name: &str) -> Arc<Table> {
        self.find_exact(name).unwrap_or_else(|| self.table(name, Nothing))
    }

    /// The table of this name; of this name in other capitals if there is none.
    pub fn find(&self, name: &str) -> Option<Arc<Table>> {
        self.find_exact(name).or_else(|| {
            let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
            tables.values().find(|table| table.name().eq_ignore_ascii_case(name)).cloned()
        })
    }

    /// The names of all tables.
    pub fn names(&self) -> Vec<String> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Adds a row; false when the id is taken.
    pub fn insert(&self, table: &Table, id: &str, fields: Map<String, Value>) -> Result<bool, Error> {
        self.write_one(table, Change::Insert(id.to_owned(), fields))
    }

    /// Writes fields of a row, the others keep their values; false when there is no such row.
    pub fn update(&self, table: &Table, id: &str, fields: Map<String, Value>) -> Result<bool, Error> {
        self.write_one(table, Change::Update(id.to_owned(), fields))
    }

    /// Removes a row; false when there is none.
    pub fn delete(&self, table: &Table, id: &str) -> Result<bool, Error> {
        self.write_one(table, Change::Delete(id.to_owned()))
    }

    fn write_one(&self, table: &Table, change: Change) -> Result<bool, Error> {
        Ok(self.write(table, vec![change])?.first().copied().unwrap_or(false))
    }

    /// Many changes to one table in one go, each true when it was made: inserts of a new id, updates and deletes of a row that is there.
    pub fn write(&self, table: &Table, changes: Vec<Change>) -> Result<Vec<bool>, Error> {
        self.write_all(changes.into_iter().map(|change| (table, change)))
    }

    /// Many changes to several tables, all in the file or (when it cannot be written) none.
    pub fn write_all<'a>(&self, changes: impl IntoIterator<Item = (&'a Table, Change)>) -> Result<Vec<bool>, Error> {
        let mut file = self.lock();
        let mut lines = Vec::new();
        let mut made = Vec::new();
        let mut accepted: Vec<(&Table, Change)> = Vec::new();
        let mut will_exist: HashMap<(&str, String), bool> = HashMap::new();
        for (table, change) in changes {
            let row = (table.name(), change.id().to_owned());
            let exists = will_exist.get(&row).copied().unwrap_or_else(|| table.get(change.id()).is_some());
            let fits = exists != matches!(change, Change::Insert(..));
            will_exist.insert(row, if fits { !matches!(change, Change::Delete(_)) } else { exists });
            made.push(fits);
            if !fits {
                continue;
            }
            push_line(&mut lines, table.name(), &change).map_err(|source| self.broken(source))?;
            accepted.push((table, change));
        }
        if let Some(file) = file.as_mut() {
            append(file, &lines).map_err(|source| self.broken(source))?;
        }
        for (table, change) in accepted {
            table.apply(change);
        }
        Ok(made)
    }

    /// Forgets everything written.
    pub fn clear(&self) -> Result<(), Error> {
        let mut file = self.lock();
        if let Some(file) = file.as_mut() {
            file.set_len(0).and_then(|()| file.rewind()).map_err(|source| self.broken(source))?;
        }
        for table in self.tables.read().unwrap_or_else(PoisonError::into_inner).values() {
            table.clear();
        }
        Ok(())
    }

    /// Reads what was written earlier and opens the file for more.
    pub fn replay(&self) -> Result<(), Error> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut options = OpenOptions::new();
        let mut opened = options.read(true).append(true).create(true).open(path).map_err(|source| self.broken(source))?;
        let lines = self.replay_lines(path, &mut opened)?;
        let tables: Vec<_> = self.names().iter().filter_map(|name| self.find_exact(name)).collect();
        let needed: usize = tables.iter().map(|table| table.written_count()).sum();
        if lines > needed * 2 + 1000 {
            opened = compacted(path, &tables).map_err(|source| self.broken(source))?;
        }
        *self.lock() = Some(opened);
        Ok(())
    }

    fn replay_lines(&self, path: &Path, file: &mut File) -> Result<usize, Error> {
        let mut reader = BufReader::with_capacity(1 << 20, &*file);
        let mut text = Vec::new();
        let (mut lines, mut whole) = (0, 0);
        loop {
            text.clear();
            let read = reader.read_until(b'\n', &mut text).map_err(|source| self.broken(source))?;
            if text.last() != Some(&b'\n') {
                break;
            }
            lines += 1;
            let line: Line<String, Change> =
                serde_json::from_slice(&text).map_err(|source| Error::Corrupt { path: path.to_owned(), line: lines, source })?;
            self.open(&line.table).apply(line.change);
            whole += read as u64;
        }
        file.set_len(whole).map_err(|source| self.broken(source))?;
        Ok(lines)
    }

    fn find_exact(&self, name: &str) -> Option<Arc<Table>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Option<File>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self, source: io::Error) -> Error {
        Error::Folder { path: self.path.clone().unwrap_or_default(), source }
    }
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Documents").field("path", &self.path).field("tables", &self.names()).finish_non_exhaustive()
    }
}

fn push_line(lines: &mut Vec<u8>, table: &str, change: &Change) -> io::Result<()> {
    serde_json::to_writer(&mut *lines, &Line { table, change })?;
    lines.push(b'\n');
    Ok(())
}

/// Appends whole lines; when that fails half-way what was written is taken back.
fn append(file: &mut File, lines: &[u8]) -> io::Result<()> {
    let before = file.metadata()?.len();
    file.write_all(lines).inspect_err(|_| {
        // The first failure is what matters; a torn last line is dropped at the next start anyway.
        let _ = file.set_len(before);
    })
}

/// Writes the file anew with only what is needed and puts it in place of the old one.
fn compacted(path: &Path, tables: &[Arc<Table>]) -> io::Result<File> {
    let beside = path.with_extension("compact");
    let mut writer = BufWriter::new(File::create(&beside)?);
    for table in tables {
        table.each_change(|change| {
            serde_json::to_writer(&mut writer, &Line { table: table.name(), change })?;
            writer.write_all(b"\n")
        })?;
    }
    writer.into_inner()?.sync_all()?;
    fs::rename(&beside, path)?;
    OpenOptions::new().read(true).append(true).open(path)
}
