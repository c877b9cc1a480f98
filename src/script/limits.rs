//! How much a script may use: every limit of the engine, and the stopwatch that bounds its running time.

use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rhai::{Dynamic, Engine};

use crate::model::TimeZone;

/// Limits of one evaluation: loading one file, one call of a closure, or one plain script.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Steps of the interpreter.
    pub operations: u64,
    /// Functions calling functions.
    pub call_depth: usize,
    /// Expressions within expressions, inside a function.
    pub expression_depth: usize,
    /// The same at the top of a file, where journeys nest lists of steps in lists of steps.
    pub top_depth: usize,
    /// Bytes of one text.
    pub text: usize,
    /// Items of one list, those of its inner lists counted.
    pub list: usize,
    /// Entries of one map, those of its inner maps counted. The engine does not look at `m[key] = value`; steps bound that.
    pub map: usize,
    /// Variables alive at one time.
    pub variables: usize,
    /// Functions and closures in one file.
    pub functions: usize,
    /// Files imported.
    pub imports: usize,
    /// The script's own running time; waiting for systems does not count.
    pub time: Duration,
    /// A stopwatch's reading. It bounds time and never reaches a script.
    pub stopwatch: fn() -> Instant,
    /// Not a limit, but given with them: where the script's days begin and end, the workspace's.
    pub zone: TimeZone,
}

impl Default for Limits {
    /// For loading and for closures called once a row.
    fn default() -> Self {
        Self {
            operations: 2_000_000,
            // Together they have to fit a worker's stack of 2 MiB, also in a debug build.
            call_depth: 16,
            expression_depth: 32,
            top_depth: 64,
            text: 1 << 20,
            list: 100_000,
            map: 10_000,
            variables: 512,
            functions: 2_000,
            imports: 64,
            time: Duration::from_secs(5),
            stopwatch: Instant::now,
            zone: TimeZone::UTC,
        }
    }
}

impl Limits {
    /// For scripts that run once from top to bottom (`tabi exec`), on a thread with a stack of their own.
    pub fn for_scripts() -> Self {
        Self {
            call_depth: 64,
            expression_depth: 64,
            operations: 100_000_000,
            list: 1_000_000,
            map: 1_000_000,
            text: 16 << 20,
            time: Duration::from_mins(10),
            ..Self::default()
        }
    }

    pub(super) fn apply(&self, engine: &mut Engine) {
        engine
            .set_max_operations(self.operations)
            .set_max_call_levels(self.call_depth)
            .set_max_expr_depths(self.top_depth, self.expression_depth)
            .set_max_string_size(self.text)
            .set_max_array_size(self.list)
            .set_max_map_size(self.map)
            .set_max_variables(self.variables)
            .set_max_functions(self.functions)
            .set_max_modules(self.imports);
        let (time, stopwatch) = (self.time, self.stopwatch);
        engine.on_progress(move |operations| if operations % 512 == 0 { progress(time, stopwatch) } else { None });
    }
}

/// What one evaluation on this thread has used, and who wants to hear from it.
#[derive(Default)]
struct Evaluation {
    /// Set at the first look, so that short calls never read the stopwatch.
    began: Option<Instant>,
    /// Whether the wish to stop was seen: it is granted at the second look, so that a test can tell where it is before.
    noticed: bool,
    stop: Option<Arc<AtomicBool>>,
    print: Option<PrintSink>,
}

/// Receives each line a script prints.
pub type PrintSink = Arc<dyn Fn(&str) + Send + Sync>;

thread_local! {
    /// The engine's callbacks are told neither the run nor its tag, so the evaluation in progress is kept beside them.
    static CURRENT: RefCell<Vec<Evaluation>> = const { RefCell::new(Vec::new()) };
}

/// Why an evaluation was ended from outside; carried by the engine's uncatchable error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    OutOfTime(Duration),
    Stopped,
}

/// Runs `work` as an evaluation of its own: its time starts at zero.
pub(super) fn evaluation<T>(stop: Option<Arc<AtomicBool>>, print: Option<PrintSink>, work: impl FnOnce() -> T) -> T {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            CURRENT.with_borrow_mut(Vec::pop);
        }
    }
    CURRENT.with_borrow_mut(|all| all.push(Evaluation { began: None, noticed: false, stop, print }));
    let _leave = Leave;
    work()
}

/// Runs `work` without counting its time: waiting for a system is not the script's doing.
pub(super) fn off_the_clock<T>(stopwatch: fn() -> Instant, work: impl FnOnce() -> T) -> T {
    let left = stopwatch();
    let result = work();
    let waited = stopwatch().saturating_duration_since(left);
    CURRENT.with_borrow_mut(|all| {
        if let Some(Evaluation { began: Some(began), .. }) = all.last_mut() {
            *began += waited;
        }
    });
    result
}

/// Whether the evaluation in progress was asked to stop.
pub(super) fn stopped() -> bool {
    CURRENT.with_borrow(|all| all.last().is_some_and(|current| current.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))))
}

/// Hands a printed line to the evaluation's sink; without one it is dropped.
pub(super) fn print(line: &str) {
    let sink = CURRENT.with_borrow(|all| all.last().and_then(|current| current.print.clone()));
    if let Some(sink) = sink {
        sink(line);
    }
}

fn progress(time: Duration, stopwatch: fn() -> Instant) -> Option<Dynamic> {
    CURRENT.with_borrow_mut(|all| {
        let current = all.last_mut()?;
        if current.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed)) {
            return std::mem::replace(&mut current.noticed, true).then(|| Dynamic::from(Ended::Stopped));
        }
        let at = stopwatch();
        let began = *current.began.get_or_insert(at);
        (at.saturating_duration_since(began) > time).then(|| Dynamic::from(Ended::OutOfTime(time)))
    })
}
