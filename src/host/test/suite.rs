//! All tests of a workspace, run: the scripts are loaded once, tests run side by side, and are told in the order in which they are written.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use tokio::runtime::Handle;

use crate::{
    host::{
        Error, Loaded, Workspace,
        clock::{Clock, stopwatch},
        runtime,
    },
    model::Timestamp,
    script::{Bench, Broken, Limits, Perform, PrintSink, Test, TestFile, TestHands, load_tests},
};

use super::{bench::Surroundings, find::find, snapshots::Snapshots, stage::Stage};

/// What every test's clock shows at first, in microseconds since 1970: 2026-01-05T09:00:00Z, a Monday.
const START: i64 = 1_767_603_600_000_000;

/// Bytes of stack for the deepest script that the limits allow, in a debug build too.
const STACK: usize = 64 << 20;

/// How long a test that was asked to stop may take to do so, before it is left behind.
const GRACE: Duration = Duration::from_secs(2);

/// Lines that are kept of what one test prints.
const PRINTED: usize = 1_000;

/// Which tests, and how.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Only tests whose name or file holds this text.
    pub filter: Option<String>,
    /// Tests at one time; at least one.
    pub jobs: usize,
    /// How long one test may take.
    pub timeout: Duration,
    /// Keeps present values as snapshots.
    pub update: bool,
}

/// The scripts and the test files of a workspace, loaded.
#[derive(Debug)]
pub struct Suite {
    pub loaded: Arc<Loaded>,
    pub files: Vec<TestFile>,
}

/// How a test ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Passed,
    Failed,
    /// It did not end in its time.
    TimedOut,
}

impl Ended {
    /// The word in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
        }
    }
}

/// One test that was run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Relative to the workspace.
    pub file: String,
    pub name: String,
    pub line: u32,
    pub took: Duration,
    /// What it printed.
    pub printed: Vec<String>,
    pub broken: Option<Box<Broken>>,
}

impl Outcome {
    pub fn ended(&self) -> Ended {
        match &self.broken {
            None => Ended::Passed,
            Some(broken) if broken.is_interrupted() => Ended::TimedOut,
            Some(_) => Ended::Failed,
        }
    }
}

/// What all of it came to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    pub outcomes: Vec<Outcome>,
    /// Tests that the filter left out.
    pub filtered: usize,
    /// Snapshots that no test compares any more; known only when every test was run and passed.
    pub unused: Vec<String>,
    /// Whether they were removed.
    pub removed: bool,
    pub took: Duration,
}

/// Loads scripts and tests as they lie on disk.
pub fn load(workspace: &Workspace) -> Suite {
    let loaded = Arc::new(workspace.load());
    let files =
        load_tests(&workspace.root, &find(&workspace.root).files, &Limits { zone: workspace.config.timezone.clone(), ..Limits::for_scripts() });
    Suite { loaded, files }
}

/// One test and the file it is of.
struct Job<'s> {
    file: &'s TestFile,
    test: &'s Test,
}

/// Runs the wanted tests; `each` is told of one after the other, in the order in which they are written.
///
/// # Errors
/// When the threads cannot be started. What fails within a test is its outcome.
pub fn run(workspace: &Workspace, suite: &Suite, wanted: &Wanted, mut each: impl FnMut(&Outcome)) -> Result<Report, Error> {
    let (began, runtime) = (stopwatch(), runtime()?);
    let all = || suite.files.iter().flat_map(|file| file.tests.iter().map(move |test| Job { file, test }));
    let fits = |job: &Job<'_>| wanted.filter.as_ref().is_none_or(|text| job.test.name.contains(text) || job.file.name.contains(text));
    let jobs: Vec<Job<'_>> = all().filter(fits).collect();
    let filtered = all().count() - jobs.len();
    let snapshots = Snapshots::new(&workspace.root, wanted.update);
    let around = Around { workspace, loaded: &suite.loaded, runtime: runtime.handle(), snapshots: &snapshots, timeout: wanted.timeout };
    let (next, (send, receive)) = (AtomicUsize::new(0), mpsc::channel());
    let mut outcomes = Vec::with_capacity(jobs.len());
    thread::scope(|scope| {
        for _ in 0..wanted.jobs.clamp(1, jobs.len().max(1)) {
            let (send, jobs, next, around) = (send.clone(), &jobs, &next, &around);
            scope.spawn(move || {
                while let Some((at, job)) = Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, jobs.get(at)?))) {
                    // Nobody listens any more when the caller has gone.
                    let _ = send.send((at, around.outcome(job)));
                }
            });
        }
        drop(send);
        let mut waiting = BTreeMap::new();
        for (at, outcome) in receive {
            waiting.insert(at, outcome);
            while let Some(outcome) = waiting.remove(&outcomes.len()) {
                each(&outcome);
                outcomes.push(outcome);
            }
        }
    });
    // Tests that never came back may still hold threads of it.
    runtime.shutdown_background();
    let whole = filtered == 0 && suite.files.iter().all(TestFile::is_sound) && outcomes.iter().all(|one| one.ended() == Ended::Passed);
    let unused = if whole { snapshots.unused() } else { Vec::new() };
    let removed = wanted.update && unused.iter().all(|path| snapshots.remove(path).is_ok());
    Ok(Report { outcomes, filtered, unused, removed, took: stopwatch().saturating_duration_since(began) })
}

/// What all tests of one run share.
struct Around<'a> {
    workspace: &'a Workspace,
    loaded: &'a Arc<Loaded>,
    runtime: &'a Handle,
    snapshots: &'a Arc<Snapshots>,
    timeout: Duration,
}

impl Around<'_> {
    fn outcome(&self, job: &Job<'_>) -> Outcome {
        let (began, printed) = (stopwatch(), Arc::new(Mutex::new(Vec::new())));
        let broken = self.run(job, &printed).err();
        let printed = std::mem::take(&mut *printed.lock().unwrap_or_else(PoisonError::into_inner));
        let (file, name, line) = (job.file.name.clone(), job.test.name.clone(), job.test.place.line);
        Outcome { file, name, line, took: stopwatch().saturating_duration_since(began), printed, broken }
    }

    fn run(&self, job: &Job<'_>, printed: &Arc<Mutex<Vec<String>>>) -> Result<(), Box<Broken>> {
        let clock = Clock::by_hand(Timestamp::from_microsecond(START).unwrap_or(Timestamp::UNIX_EPOCH));
        let stage = Arc::new(Stage::new(self.workspace.on_clock(clock), Arc::clone(self.loaded), self.runtime.clone()));
        let around = Arc::new(Surroundings::new(Arc::clone(&stage), self.snapshots.of(&job.file.name)));
        let (stop, last) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
        let hands = TestHands {
            perform: Arc::clone(&stage) as Arc<dyn Perform>,
            bench: around as Arc<dyn Bench>,
            print: keeping(printed),
            stop: Arc::clone(&stop),
            last: Arc::clone(&last),
        };
        let (test, (send, receive)) = (job.test.clone(), mpsc::channel());
        let thread = thread::Builder::new().name("test".to_owned()).stack_size(STACK);
        // Not joined: a test that hangs in a call that never ends would hold up all others.
        let spawned = thread.spawn(move || drop(send.send(test.run(hands))));
        if spawned.is_err() {
            return Err(Box::new(Broken::lost(&job.test.place)));
        }
        let place = || last.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_else(|| job.test.place.clone());
        match receive.recv_timeout(self.timeout) {
            Ok(ended) => return ended,
            Err(RecvTimeoutError::Disconnected) => return Err(Box::new(Broken::lost(&place()))),
            Err(RecvTimeoutError::Timeout) => (),
        }
        stop.store(true, Ordering::Relaxed);
        stage.stop.request();
        match receive.recv_timeout(GRACE) {
            Ok(Err(broken)) if broken.is_interrupted() => Err(Box::new(Broken::hung(&broken.diagnostic.place(), self.timeout))),
            _ => Err(Box::new(Broken::hung(&place(), self.timeout))),
        }
    }
}

/// Keeps what a test prints, up to a point.
fn keeping(printed: &Arc<Mutex<Vec<String>>>) -> PrintSink {
    let printed = Arc::clone(printed);
    Arc::new(move |line| {
        let mut lines = printed.lock().unwrap_or_else(PoisonError::into_inner);
        match lines.len() {
            n if n < PRINTED => lines.push(line.to_owned()),
            PRINTED => lines.push("...".to_owned()),
            _ => (),
        }
    })
}
