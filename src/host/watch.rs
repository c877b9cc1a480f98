//! Hints that something in the scripts folder changed, and when it is quiet again.
//!
//! A hint says nothing about what changed: the folder is walked again and compared. So it does not matter how an editor saves,
//! and a hint that never came is made good by the next look (`Watch::look_every`).

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

/// How long it has to be quiet: editors and checkouts write many files in one go.
const QUIET: Duration = Duration::from_millis(25);

/// A folder that is never quiet is looked at all the same.
const LONGEST: Duration = Duration::from_secs(1);

/// How long a checkout may take before what lies there is loaded all the same.
const CHECKOUT: Duration = Duration::from_secs(10);

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
pub struct Settle {
    /// The first hint and the last one.
    heard: Option<(Instant, Instant)>,
    /// Since when a checkout has been waited for, and when to look whether it is done.
    held: Option<(Instant, Instant)>,
    /// A lock that was waited for in vain: whoever made it is gone.
    stale: Option<SystemTime>,
}

impl Settle {
    pub fn hint(&mut self, at: Instant) {
        let first = self.heard.map_or(at, |(first, _)| first);
        self.heard = Some((first, at));
    }

    /// When to look; none without a hint.
    pub fn ripe(&self) -> Option<Instant> {
        let held = self.held.map(|(_, again)| again);
        held.or_else(|| self.heard.map(|(first, last)| (last + QUIET).min(first + LONGEST)))
    }

    /// Whether to wait for a checkout that goes on: half of one is no version of anything. `lock` is what `checkout` says. A lock that
    /// somebody left behind is waited for once, and not for ever.
    pub fn hold(&mut self, at: Instant, lock: Option<SystemTime>) -> bool {
        let since = self.held.map_or(at, |(since, _)| since);
        self.held = None;
        let Some(lock) = lock.filter(|lock| self.stale != Some(*lock)) else { return false };
        if at.saturating_duration_since(since) >= CHECKOUT {
            self.stale = Some(lock);
            return false;
        }
        self.held = Some((since, at + QUIET));
        true
    }

    /// Forgets the hints that were heard.
    pub const fn looked(&mut self) {
        self.heard = None;
    }
}

/// Since when git has been at work on the files of the repository that a folder belongs to: it locks its index before it touches the first
/// file and frees it after the last one. None when it is not at work, or there is no repository.
pub fn checkout(root: &Path) -> Option<SystemTime> {
    let git = root.ancestors().map(|folder| folder.join(".git")).find(|git| git.exists())?;
    let folder = if git.is_dir() { git } else { linked(&git)? };
    fs::symlink_metadata(folder.join("index.lock")).ok()?.modified().ok()
}

/// The folder that a `.git` file of a further work tree names.
fn linked(file: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    Some(file.parent()?.join(text.strip_prefix("gitdir:")?.trim()))
}
