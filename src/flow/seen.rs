//! Keys that came in one run: a key that comes twice is found, and told by the name under which it came first.

use std::{
    collections::{HashMap, HashSet, hash_map::RandomState},
    hash::BuildHasher,
};

/// How many names are kept that cannot be told from the form in which keys are compared.
const NAMES: usize = 100_000;

/// Keeps 128 bits of each key, by a secret of this run: two keys out of a thousand million share them with a chance of one in 10^20.
#[derive(Debug, Default)]
pub(super) struct Seen {
    secrets: (RandomState, RandomState),
    keys: HashSet<u128>,
    /// Names of keys that were written in another way than they are compared.
    names: HashMap<u128, Box<str>>,
}

/// A key that came before.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Earlier {
    /// By this name.
    Named(String),
    /// Its name is not kept any more.
    Nameless,
}

impl Seen {
    /// Notes a key; gives back how it came before, if it did. `plain` is its name when it is written as it is compared.
    pub(super) fn note(&mut self, compared: &str, plain: &str, name: &str) -> Option<Earlier> {
        let half = |secret: &RandomState| u128::from(secret.hash_one(compared));
        let hash = half(&self.secrets.0) << 64 | half(&self.secrets.1);
        if self.keys.insert(hash) {
            if name != plain && self.names.len() < NAMES {
                self.names.insert(hash, name.into());
            }
            return None;
        }
        Some(match self.names.get(&hash) {
            Some(name) => Earlier::Named(name.to_string()),
            None if self.names.len() < NAMES => Earlier::Named(plain.to_owned()),
            None => Earlier::Nameless,
        })
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.names.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Earlier, NAMES, Seen};

    #[test]
    fn a_key_is_told_by_its_first_name() {
        let mut seen = Seen::default();
        for n in 0..2_000 {
            let (plain, name) = (format!("key-{n}"), if n % 3 == 0 { format!("Key-{n}") } else { format!("key-{n}") });
            assert_eq!(seen.note(&plain, &plain, &name), None);
            assert_eq!(seen.note(&plain, &plain, &format!("KEY-{n}")), Some(Earlier::Named(name)));
        }
        seen.clear();
        assert_eq!(seen.note("key-0", "key-0", "KEY-0"), None);
        assert_eq!(seen.note("key-0", "key-0", "key-0"), Some(Earlier::Named("KEY-0".to_owned())));
    }

    #[test]
    fn memory_of_names_is_bounded_and_no_name_is_invented() {
        let mut seen = Seen::default();
        for n in 0..=NAMES {
            assert_eq!(seen.note(&format!("key-{n}"), &format!("key-{n}"), &format!("Key-{n}")), None);
        }
        assert_eq!(seen.names.len(), NAMES);
        assert_eq!(seen.note(&format!("key-{NAMES}"), &format!("key-{NAMES}"), "x"), Some(Earlier::Nameless));
        assert_eq!(seen.note("key-0", "key-0", "x"), Some(Earlier::Named("Key-0".to_owned())));
    }
}
