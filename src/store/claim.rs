//! What declarations lay claim to, and which of them was there first: known also after a restart.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::params;

use crate::model::Claim;

use super::{
    Error, Store,
    open::{select, uncount},
};

/// Declaration, file and what is claimed.
type Key = (String, String, String);

fn key(claim: &Claim) -> Key {
    (claim.what.clone(), claim.name.clone(), claim.file.clone())
}

impl Store {
    /// All claims, the oldest first.
    pub fn claims(&self) -> Result<Vec<Claim>, Error> {
        let read = |row: &rusqlite::Row<'_>| {
            let (what, name, file) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(Claim { what, name, file, since: uncount(row.get(3)?), live: row.get(4)? })
        };
        self.read(|sql| select(sql, "SELECT what, name, file, since, live FROM claims ORDER BY since", [], read))
    }

    /// Keeps these claims and forgets all others. Those that are known stay as old as they are; new ones are the youngest, in their order.
    pub fn keep_claims(&self, claims: &[Claim]) -> Result<(), Error> {
        let known: BTreeMap<Key, bool> = self.claims()?.iter().map(|claim| (key(claim), claim.live)).collect();
        let mut sorted: Vec<&Claim> = claims.iter().collect();
        sorted.sort_by_key(|claim| claim.since);
        let wanted: BTreeSet<Key> = claims.iter().map(key).collect();
        let gone: Vec<&Key> = known.keys().filter(|key| !wanted.contains(*key)).collect();
        let other: Vec<&&Claim> = sorted.iter().filter(|claim| known.get(&key(claim)) != Some(&claim.live)).collect();
        if gone.is_empty() && other.is_empty() {
            return Ok(());
        }
        self.write(|sql| {
            let mut put = sql.prepare_cached(
                "INSERT INTO claims (what, name, file, live, since) VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(since), 0) + 1 FROM claims)) \
                 ON CONFLICT (what, name, file) DO UPDATE SET live = excluded.live",
            )?;
            for claim in other {
                put.execute(params![claim.what, claim.name, claim.file, claim.live])?;
            }
            let mut forget = sql.prepare_cached("DELETE FROM claims WHERE what = ?1 AND name = ?2 AND file = ?3")?;
            for (what, name, file) in gone {
                forget.execute(params![what, name, file])?;
            }
            Ok(())
        })
    }
}
