//! Who wrote what first, so that of two declarations that write the same thing the older one goes on.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Claim;

/// The lower comes first: what runs, before what waits, before what is new; within that what has not been edited, and what was there first.
pub(super) type Rank = (u8, bool, u64);

/// The first number of a rank of what is known, and does not run.
const WAITS: u8 = 3;

/// What runs already or is known to wait.
#[derive(Debug, Default)]
pub(super) struct Standing<'a> {
    known: BTreeMap<&'a str, Vec<&'a Claim>>,
    /// Files whose text is not the one that runs.
    changed: BTreeSet<&'a str>,
    /// What ran in files that have errors now, of which no good version is at hand.
    held: Vec<&'a Claim>,
}

impl<'a> Standing<'a> {
    pub(super) fn of(known: &'a [Claim], changed: BTreeSet<&'a str>, lost: impl Fn(&Claim) -> bool) -> Self {
        let held = known.iter().filter(|claim| claim.live && lost(claim)).collect();
        let mut standing = Self { changed, held, ..Self::default() };
        for claim in known {
            standing.known.entry(&claim.what).or_default().push(claim);
        }
        standing
    }

    /// How old a claim is. One that was renamed within its file, or moved to another file, is as old as it was.
    pub(super) fn rank(&self, what: &str, name: &str, file: &str) -> Rank {
        let known = || self.known.get(what).into_iter().flatten().copied();
        let same = |claim: &Claim| match (claim.name == name, claim.file == file) {
            (true, true) => Some(0),
            (false, true) => Some(1),
            (true, false) => Some(2),
            (false, false) => None,
        };
        let live = known().filter(|claim| claim.live).filter_map(|claim| Some((same(claim)?, claim.since))).min();
        let waits = || known().find(|claim| !claim.live && same(claim) == Some(0)).map(|claim| (WAITS, claim.since));
        let (step, since) = live.or_else(waits).unwrap_or((WAITS + 1, u64::MAX));
        (step, self.changed.contains(file), since)
    }

    /// Claims of this that are held for files with errors.
    pub(super) fn held(&self, what: &str) -> impl Iterator<Item = &'a Claim> {
        self.held.iter().copied().filter(move |claim| claim.what == what)
    }

    /// All claims that are held for files with errors.
    pub(super) fn all_held(&self) -> impl Iterator<Item = Claim> {
        self.held.iter().map(|claim| (*claim).clone())
    }

    /// Whether what has this rank ran already.
    pub(super) const fn is_old(rank: Rank) -> bool {
        rank.0 < WAITS
    }

    /// The numbers of these claims: those that are known keep theirs.
    pub(super) fn numbered(&self, claims: impl Iterator<Item = Claim>) -> Vec<Claim> {
        let mut next = self.known.values().flatten().map(|claim| claim.since).max().map_or(0, |last| last + 1);
        let mut numbered: Vec<Claim> = Vec::new();
        let mut seen: BTreeSet<(String, String, String)> = BTreeSet::new();
        for claim in claims {
            if !seen.insert((claim.what.clone(), claim.name.clone(), claim.file.clone())) {
                continue;
            }
            let known = self.rank(&claim.what, &claim.name, &claim.file).2;
            let since = if known == u64::MAX { next } else { known };
            next += u64::from(known == u64::MAX);
            numbered.push(Claim { since, ..claim });
        }
        numbered
    }
}
