//! Recent inputs of declarations, and the texts that declared them. Both are bounded: the oldest go first.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use crate::model::Timestamp;

use super::{
    Error, Store,
    error::Fail,
    open::{count, from_json, instant, micros, select, to_json},
};

/// Bytes of one declaration's sample.
const SAMPLE_BYTES: u64 = 4 << 20;

/// Versions of one declaration.
const VERSIONS: u32 = 20;

/// Bytes of all texts together.
const SOURCE_BYTES: i64 = 16 << 20;

/// Records read from one source, each as the JSON that its keeper made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sampled {
    /// Where they were read, as JSON.
    pub source: String,
    /// Oldest first.
    pub records: Vec<String>,
}

/// A declaration as it was declared at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub name: String,
    /// As `script::Declaration::hash`.
    pub hash: String,
    /// The file that declared it.
    pub file: String,
    /// When it was last live.
    pub at: Timestamp,
}

impl Store {
    /// Adds to a declaration's sample; of each source the newest `keep` records stay.
    pub fn keep_sample(&self, name: &str, sampled: &[Sampled], keep: u32) -> Result<(), Error> {
        self.write(|sql| {
            let mut insert = sql.prepare_cached("INSERT INTO samples (name, source, record) VALUES (?1, ?2, ?3)")?;
            for one in sampled {
                for record in &one.records {
                    insert.execute(params![name, one.source, record])?;
                }
            }
            sql.prepare_cached(
                "DELETE FROM samples WHERE seq IN (SELECT seq FROM (
                     SELECT seq, sum(length(CAST(record AS BLOB))) OVER (ORDER BY seq DESC) AS bytes,
                            row_number() OVER (PARTITION BY source ORDER BY seq DESC) AS n
                     FROM samples WHERE name = ?1) WHERE n > ?2 OR bytes > ?3)",
            )?
            .execute(params![name, keep, count(SAMPLE_BYTES)])?;
            Ok(())
        })
    }

    /// A declaration's sample by source.
    pub fn sample(&self, name: &str) -> Result<Vec<Sampled>, Error> {
        self.read(|sql| {
            let rows: Vec<(String, String)> =
                select(sql, "SELECT source, record FROM samples WHERE name = ?1 ORDER BY source, seq", [name], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let mut found: Vec<Sampled> = Vec::new();
            for (source, record) in rows {
                match found.last_mut().filter(|last| last.source == source) {
                    Some(last) => last.records.push(record),
                    None => found.push(Sampled { source, records: vec![record] }),
                }
            }
            Ok(found)
        })
    }

    /// A declaration goes by another name from now on.
    pub fn rename_sample(&self, from: &str, to: &str) -> Result<(), Error> {
        self.write(|sql| {
            sql.execute("UPDATE samples SET name = ?2 WHERE name = ?1", [from, to])?;
            Ok(())
        })
    }

    pub fn forget_sample(&self, name: &str) -> Result<(), Error> {
        self.write(|sql| {
            sql.execute("DELETE FROM samples WHERE name = ?1", [name])?;
            Ok(())
        })
    }

    /// What pseudonyms of this state file are made with.
    pub fn sample_key(&self) -> Result<[u8; 32], Error> {
        self.read(|sql| Ok(sql.query_row("SELECT key FROM sample_key", [], |row| row.get(0))?))
    }

    /// Keeps the texts behind declarations (file -> text by content hash) and notes that they are live now.
    pub fn keep_versions(&self, versions: &[Version], sources: &BTreeMap<String, BTreeMap<String, String>>) -> Result<(), Error> {
        self.write(|sql| {
            for (hash, files) in sources {
                sql.prepare_cached("INSERT OR IGNORE INTO sources (hash, files) VALUES (?1, ?2)")?.execute(params![hash, to_json(files)?])?;
            }
            for version in versions {
                sql.prepare_cached(
                    "INSERT INTO versions (name, hash, file, at) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (name, hash) DO UPDATE SET at = excluded.at, file = excluded.file",
                )?
                .execute(params![version.name, version.hash, version.file, micros(version.at)])?;
                sql.prepare_cached(
                    "DELETE FROM versions WHERE name = ?1 AND hash NOT IN (SELECT hash FROM versions WHERE name = ?1 ORDER BY at DESC LIMIT ?2)",
                )?
                .execute(params![version.name, VERSIONS])?;
            }
            forget_oldest(sql)
        })
    }

    /// The kept versions of a declaration whose hash begins so, newest first.
    pub fn versions(&self, name: &str, prefix: &str) -> Result<Vec<Version>, Error> {
        self.read(|sql| {
            let query = "SELECT hash, file, at FROM versions WHERE name = ?1 AND substr(hash, 1, length(?2)) = ?2 ORDER BY at DESC, hash";
            select(sql, query, [name, prefix], |row| {
                Ok(Version { name: name.to_owned(), hash: row.get(0)?, file: row.get(1)?, at: instant(row.get(2)?)? })
            })
        })
    }

    /// The texts behind a version, by file.
    pub fn version_files(&self, hash: &str) -> Result<BTreeMap<String, String>, Error> {
        self.read(|sql| {
            let text: String = sql.query_row("SELECT files FROM sources WHERE hash = ?1", [hash], |row| row.get(0))?;
            from_json("the text of a version", &text)
        })
    }
}

/// Texts that nothing refers to, and the oldest ones where there are too many bytes.
fn forget_oldest(sql: &Connection) -> Result<(), Fail> {
    sql.execute("DELETE FROM sources WHERE hash NOT IN (SELECT hash FROM versions)", [])?;
    sql.execute(
        "DELETE FROM sources WHERE hash IN (SELECT hash FROM (
             SELECT s.hash, sum(length(CAST(s.files AS BLOB))) OVER (ORDER BY v.at DESC, s.hash) AS bytes
             FROM sources s JOIN (SELECT hash, max(at) AS at FROM versions GROUP BY hash) v ON v.hash = s.hash) WHERE bytes > ?1)",
        [SOURCE_BYTES],
    )?;
    Ok(())
}
