//! How far long work is: a bar on a terminal, a line now and then elsewhere. Always on standard error.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{DIM, Out, count, paint};

/// Rows between two lines where there is no terminal.
const STEP: u64 = 50_000;

/// Shown while work goes on.
pub(crate) struct Progress {
    out: Out,
    /// Where there is a terminal: the bar, while there is something to show.
    bar: Option<Mutex<Option<ProgressBar>>>,
    /// Rows at the last line, by name.
    told: Mutex<HashMap<String, u64>>,
}

impl Progress {
    pub(crate) fn new(out: &Out) -> Self {
        Self { out: out.clone(), bar: Out::is_watched().then(Mutex::default), told: Mutex::default() }
    }

    /// So many rows of a declaration's source are read.
    pub(crate) fn tell(&self, name: &str, read: u64, total: Option<u64>) {
        match &self.bar {
            Some(bar) => Self::draw(bar.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(started), name, read, total),
            None => self.line(name, read, total),
        }
    }

    /// Prints something without tearing the bar.
    pub(crate) fn around(&self, print: impl FnOnce()) {
        let bar = self.bar.as_ref().and_then(|bar| bar.lock().unwrap_or_else(PoisonError::into_inner).clone());
        match bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Takes the bar away, until something is told again.
    pub(crate) fn end(&self) {
        let bar = self.bar.as_ref().and_then(|bar| bar.lock().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
    }

    fn draw(bar: &ProgressBar, name: &str, read: u64, total: Option<u64>) {
        // A total that is passed was an estimate, or another source's.
        let total = total.filter(|total| read <= *total);
        if bar.length() != total {
            match total {
                Some(total) => {
                    bar.set_style(ruler());
                    bar.set_length(total);
                }
                None => {
                    bar.set_style(spinner());
                    bar.unset_length();
                }
            }
        }
        bar.set_message(name.to_owned());
        bar.set_position(read);
    }

    fn line(&self, name: &str, read: u64, total: Option<u64>) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let last = told.entry(name.to_owned()).or_default();
        if read < *last {
            *last = 0;
        }
        if read - *last >= STEP {
            *last = read;
            let of = total.map(|total| format!(" of {}", count(total))).unwrap_or_default();
            self.out.note(paint(DIM, format!("{name}: {}{of} rows read", count(read))));
        }
    }
}

fn started() -> ProgressBar {
    let bar = ProgressBar::no_length().with_style(spinner());
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}

fn spinner() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg} {human_pos} rows").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn ruler() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg} [{bar:30}] {human_pos}/{human_len} rows, {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
