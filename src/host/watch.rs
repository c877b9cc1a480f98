//! Hints that something in the scripts folder changed, and when it is quiet again.
//!
//! A hint says nothing about what changed: the folder is walked again and compared. So it does not matter how an editor saves,
//! and a hint that never came is made good by the next look (`Watch::look_every`).

use std::{
    collections::BTreeSet,
    path::PathBuf,
    time::{Duration, Instant},
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// How long it has to be quiet: editors and checkouts write many files in one go.
const QUIET: Duration = Duration::from_millis(25);

/// A folder that is never quiet is looked at all the same.
const LONGEST: Duration = Duration::from_secs(1);

/// Watches folders by the operating system's means, or asks to be polled where those fail.
pub struct Watch {
    watcher: Option<RecommendedWatcher>,
    watched: BTreeSet<PathBuf>,
    /// Why it has to be polled.
    pub trouble: Option<String>,
}

impl Watch {
    /// Calls `hint` from another thread at every change of a folder that it follows.
    pub fn start(hint: impl Fn() + Send + 'static) -> Self {
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading a file is no change of it. An error may hide one.
            if event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                return;
            }
            hint();
        });
        match watcher {
            Ok(watcher) => Self { watcher: Some(watcher), watched: BTreeSet::new(), trouble: None },
            Err(error) => Self { watcher: None, watched: BTreeSet::new(), trouble: Some(error.to_string()) },
        }
    }

    /// A watch that only asks to be polled: for file systems that tell nothing.
    pub const fn polling() -> Self {
        Self { watcher: None, watched: BTreeSet::new(), trouble: None }
    }

    /// Follows exactly these folders from now on. Whether one is new: what happened in it before is not known.
    pub fn follow(&mut self, folders: &BTreeSet<PathBuf>) -> bool {
        let Some(watcher) = &mut self.watcher else { return false };
        self.trouble = None;
        for gone in self.watched.difference(folders) {
            // It may have gone with its folder.
            let _ = watcher.unwatch(gone);
        }
        // All of them again: a folder replaced by one of the same name is another folder.
        for folder in folders {
            if let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive) {
                self.trouble = Some(error.to_string());
            }
        }
        let new = folders.difference(&self.watched).next().is_some();
        self.watched.clone_from(folders);
        new
    }

    /// How often to look without a hint.
    pub const fn look_every(&self) -> Duration {
        if self.watcher.is_some() && self.trouble.is_none() { Duration::from_secs(5) } else { Duration::from_millis(500) }
    }
}

/// Gathers hints until it is quiet: five hundred files of one checkout are one change.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settle(Option<(Instant, Instant)>);

impl Settle {
    pub fn hint(&mut self, at: Instant) {
        let first = self.0.map_or(at, |(first, _)| first);
        self.0 = Some((first, at));
    }

    /// When to look; none without a hint.
    pub fn ripe(&self) -> Option<Instant> {
        self.0.map(|(first, last)| (last + QUIET).min(first + LONGEST))
    }

    /// Forgets the hints that were heard.
    pub const fn looked(&mut self) {
        self.0 = None;
    }
}
