//! The two streams. A closed pipe ends the output, not the program; colours only where they can be seen.

use std::{
    fmt::Display,
    io::{self, BufWriter, IsTerminal as _, Write},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;

/// `--color`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    Always,
    Never,
}

/// Where a command's words go. Clones write to the same streams.
#[derive(Clone)]
pub(crate) struct Out {
    json: bool,
    color: ColorChoice,
    stdout: Arc<Mutex<BufWriter<AutoStream<io::Stdout>>>>,
    closed: Arc<AtomicBool>,
}

impl Out {
    pub(crate) fn new(json: bool, color: Color) -> Self {
        let color = match color {
            Color::Auto => AutoStream::choice(&io::stdout()),
            Color::Always => ColorChoice::AlwaysAnsi,
            Color::Never => ColorChoice::Never,
        };
        let stdout = BufWriter::new(AutoStream::new(io::stdout(), color));
        Self { json, color, stdout: Arc::new(Mutex::new(stdout)), closed: Arc::default() }
    }

    /// Whether standard output is for programs.
    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }

    pub(crate) fn is_colored(&self) -> bool {
        self.color != ColorChoice::Never
    }

    /// Whether nobody reads standard output any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Whether a person watches standard error.
    pub(crate) fn is_watched() -> bool {
        io::stderr().is_terminal()
    }

    /// The width of the terminal; none where there is none.
    pub(crate) fn width() -> Option<u16> {
        io::stdout().is_terminal().then(|| comfy_table::Table::new().width()).flatten()
    }

    /// A line for people; nothing with `--json`.
    pub(crate) fn line(&self, text: impl Display) {
        if !self.json {
            self.write(|to| writeln!(to, "{text}"));
        }
    }

    /// One JSON document or line; nothing without `--json`.
    pub(crate) fn json(&self, document: &impl Serialize) {
        if self.json {
            self.write(|to| {
                serde_json::to_writer(&mut *to, document)?;
                writeln!(to)
            });
        }
    }

    /// A line beside the result, on standard error.
    pub(crate) fn note(&self, text: impl Display) {
        let mut stderr = match self.color {
            ColorChoice::Never => AutoStream::never(io::stderr()),
            ColorChoice::AlwaysAnsi => AutoStream::always_ansi(io::stderr()),
            _ => AutoStream::auto(io::stderr()),
        };
        // Nobody is left to be told.
        let _ = writeln!(stderr, "{text}");
    }

    /// Hands over what was written so far.
    pub(crate) fn flush(&self) {
        self.write(Write::flush);
    }

    fn write(&self, how: impl FnOnce(&mut BufWriter<AutoStream<io::Stdout>>) -> io::Result<()>) {
        if self.is_closed() {
            return;
        }
        if how(&mut self.lock()).is_err() {
            self.closed.store(true, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BufWriter<AutoStream<io::Stdout>>> {
        self.stdout.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
