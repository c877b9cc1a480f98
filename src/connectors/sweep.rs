//! A list without a stable order, read by page numbers: while it changes, pages may skip a row or bring it twice. It is gone through again until
//! a round brings nothing new, and each row is given out once.

use std::collections::HashSet;

use crate::model::{Fault, Record, System};

use super::http::garbled;

/// A list that is never at rest is taken as it is after so many rounds: a row that stood still through all of them has been seen.
const ROUNDS: u32 = 5;

/// How far a list has been read.
#[derive(Debug)]
pub(super) struct Sweep {
    seen: HashSet<Box<str>>,
    round: u32,
    /// Of this round, from 0.
    pub(super) page: u64,
    /// Whether this round has brought a row that none before has.
    fresh: bool,
}

impl Default for Sweep {
    fn default() -> Self {
        Self { seen: HashSet::new(), round: 1, page: 0, fresh: false }
    }
}

impl Sweep {
    /// Takes in a page, `last` when the list ends with it. Gives back the rows that are new, and whether all is read.
    ///
    /// # Errors
    /// When a row has no id: then it cannot be told from others.
    pub(super) fn take(&mut self, system: System, id: &str, rows: Vec<Record>, last: bool) -> Result<(Vec<Record>, bool), Fault> {
        let mut new = Vec::new();
        for row in rows {
            let Some(key) = row.get(id).filter(|key| !key.is_blank()) else {
                return Err(garbled(system, format!("a row has no `{id}`, so it cannot be told from others")));
            };
            if self.seen.insert(key.to_string().into()) {
                new.push(row);
            }
        }
        self.fresh |= !new.is_empty();
        self.page += 1;
        if !last {
            return Ok((new, false));
        }
        // A single page is read at one moment.
        let done = !self.fresh || self.round >= ROUNDS || (self.round == 1 && self.page == 1);
        (self.round, self.page, self.fresh) = (self.round + 1, 0, false);
        Ok((new, done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Value;

    fn row(id: u32) -> Record {
        [("id".into(), Value::text(id.to_string()))].into_iter().collect()
    }

    /// Reads pages of three of a list that `change` changes before each page.
    fn read(mut list: Vec<u32>, mut change: impl FnMut(usize, &mut Vec<u32>)) -> (Vec<String>, usize) {
        let (mut sweep, mut found, mut calls) = (Sweep::default(), Vec::new(), 0);
        loop {
            change(calls, &mut list);
            let from = usize::try_from(sweep.page).unwrap() * 3;
            let rows: Vec<Record> = list.iter().skip(from).take(3).map(|id| row(*id)).collect();
            let ended = rows.len() < 3;
            let (new, done) = sweep.take(System::Gainsight, "id", rows, ended).unwrap();
            found.extend(new.iter().map(|row| row.get("id").unwrap().to_string()));
            calls += 1;
            if done {
                return (found, calls);
            }
        }
    }

    #[test]
    fn a_list_at_rest_is_read_once_when_short_and_twice_when_long() {
        assert_eq!(read(vec![1, 2], |_, _| ()).1, 1);
        let (found, calls) = read((1..=7).collect(), |_, _| ());
        assert_eq!((found.len(), calls), (7, 6));
    }

    /// Whatever row goes, comes or moves before whatever page: the rows that were there all the time are all found, and each once.
    #[test]
    fn rows_that_stand_still_are_found_once_each_whatever_the_others_do() {
        for at in 0..6 {
            for place in 0..10 {
                for kind in 0..4 {
                    let (found, _) = read((0..10).collect(), |call, list| {
                        if call == at {
                            match kind {
                                0 => drop(list.remove(place)),
                                1 => list.insert(place, 99),
                                2 => list.reverse(),
                                _ => list.rotate_left(place),
                            }
                        }
                    });
                    let still = (0..10_u32).filter(|id| kind != 0 || *id != u32::try_from(place).unwrap());
                    for id in still {
                        assert_eq!(found.iter().filter(|known| **known == id.to_string()).count(), 1, "{id} {at} {place} {kind}: {found:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_list_never_at_rest_comes_to_an_end() {
        let mut next = 100;
        let (found, calls) = read((0..10).collect(), |_, list| {
            list.insert(0, next);
            next += 1;
        });
        assert!((0..10_u32).all(|id| found.contains(&id.to_string())) && calls < 120, "{calls}");
    }

    #[test]
    fn a_row_without_an_id_is_refused() {
        assert!(Sweep::default().take(System::Gainsight, "id", vec![Record::new()], true).is_err());
    }
}
