//! What rides in the evaluation tag: who carries out the effects of this evaluation, or what a load has found so far.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use rhai::{Dynamic, Engine, EvalAltResult, NativeCallContext, Position};

use crate::model::{Date, Effect, Fault, FaultKind, Reply, TimeZone};

use super::{
    declaration::{Declaration, MeasureDecl, Place},
    diagnostics::{Diagnostic, Id},
    failure::thrown,
    perform::Perform,
    spots::{FileMap, place},
    templates::Shelf,
    trial::{self, Asked, Test, Trial},
    value::to_dynamic,
};

/// The desk effects are handed to.
#[derive(Clone)]
pub(super) enum Desk {
    /// A mapping closure: every effect is refused. `rule_date()` is the run's, when there is one.
    Pure { rule_date: Option<Date> },
    /// A file being imported: effects are refused, declarations are its own file's business.
    Importing { zone: TimeZone },
    /// A file being loaded: effects are refused and reported, declarations collected.
    Loading(Arc<Loading>),
    /// A run; in a test, with what only tests can ask for.
    Running { perform: Arc<dyn Perform>, stopwatch: fn() -> Instant, templates: Arc<Shelf>, trial: Option<Arc<Trial>>, zone: TimeZone },
}

/// One file being loaded.
pub(super) struct Loading {
    pub(super) engine: Arc<Engine>,
    pub(super) maps: Arc<Maps>,
    /// For closures that are called later.
    pub(super) templates: Arc<Shelf>,
    /// Whether the file is one of tests.
    pub(super) of_tests: bool,
    found: Mutex<Found>,
}

/// What a file has declared, and what is wrong with it.
#[derive(Default)]
pub(super) struct Found {
    /// Every name that was declared, also where the declaration has errors.
    pub(super) names: Vec<String>,
    pub(super) declarations: Vec<Declaration>,
    pub(super) measures: Vec<MeasureDecl>,
    pub(super) tests: Vec<Test>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// The files of a generation by name, as they are compiled.
#[derive(Debug, Default)]
pub(super) struct Maps(Mutex<HashMap<String, Arc<FileMap>>>);

impl Maps {
    pub(super) fn add(&self, map: FileMap) -> Arc<FileMap> {
        let map = Arc::new(map);
        hold(&self.0).insert(map.file.clone(), Arc::clone(&map));
        map
    }

    /// One that another generation made of the same text. What this one made itself stays.
    pub(super) fn share(&self, map: Arc<FileMap>) {
        hold(&self.0).entry(map.file.clone()).or_insert(map);
    }

    pub(super) fn get(&self, file: &str) -> Option<Arc<FileMap>> {
        hold(&self.0).get(file).cloned()
    }
}

impl Loading {
    pub(super) fn new(engine: Arc<Engine>, maps: Arc<Maps>, templates: Arc<Shelf>) -> Self {
        Self { engine, maps, templates, of_tests: false, found: Mutex::default() }
    }

    /// The same for a file of tests.
    pub(super) fn of_tests(self) -> Self {
        Self { of_tests: true, ..self }
    }

    pub(super) fn found(&self) -> MutexGuard<'_, Found> {
        hold(&self.found)
    }
}

/// A panic elsewhere cannot leave these half-written: each is changed by single calls.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The desk of the evaluation in progress. Without a tag it is pure.
pub(super) fn desk(ctx: &NativeCallContext) -> Desk {
    ctx.tag().and_then(|tag| tag.read_lock::<Desk>().map(|desk| desk.clone())).unwrap_or(Desk::Pure { rule_date: None })
}

/// Where days begin and end: the workspace's zone.
pub(super) fn zone(ctx: &NativeCallContext) -> TimeZone {
    zone_of(ctx.engine())
}

/// The zone that an engine was made with. The desk of one that runs a script stands in its place, and has it too.
pub(super) fn zone_of(engine: &Engine) -> TimeZone {
    let tag = engine.default_tag();
    if let Some(zone) = tag.read_lock::<TimeZone>() {
        return zone.clone();
    }
    match tag.read_lock::<Desk>().as_deref() {
        Some(Desk::Running { zone, .. } | Desk::Importing { zone }) => zone.clone(),
        _ => TimeZone::UTC,
    }
}

/// Where the call in progress is written.
pub(super) fn call_place(ctx: &NativeCallContext) -> Place {
    place(ctx.call_source().unwrap_or_default(), ctx.call_position())
}

/// Hands an effect to whoever carries out the effects of this evaluation.
pub(super) fn perform(ctx: &NativeCallContext, effect: Effect) -> Result<Reply, Box<EvalAltResult>> {
    match desk(ctx) {
        Desk::Running { perform, stopwatch, trial, .. } => {
            if let Some(trial) = trial {
                trial.is_at(call_place(ctx));
            }
            super::limits::off_the_clock(stopwatch, || perform.perform(effect)).map_err(|fault| at(ctx, thrown(fault)))
        }
        Desk::Pure { .. } => {
            Err(at(ctx, thrown(Fault::new(FaultKind::NotAllowed, format!("a closure that computes a value may not {}", wish(&effect))))))
        }
        Desk::Importing { .. } => {
            let message = format!("an imported file may not {} while it loads", wish(&effect));
            Err(at(ctx, thrown(Fault::new(FaultKind::NotAllowed, message))))
        }
        Desk::Loading(loading) => {
            let message = format!("a script may not {} while it loads", wish(&effect));
            let finding = Diagnostic::new(Id::EffectAtLoad, &call_place(ctx), &message)
                .hint("put the call into a plain script and run it with `tabi exec FILE`");
            loading.found().diagnostics.push(finding);
            Err(at(ctx, thrown(Fault::new(FaultKind::NotAllowed, message))))
        }
    }
}

/// The test in progress; `name` is what asks for it.
pub(super) fn trial(ctx: &NativeCallContext, name: &str) -> Result<Arc<Trial>, Box<EvalAltResult>> {
    match desk(ctx) {
        Desk::Running { trial: Some(trial), .. } => {
            trial.is_at(call_place(ctx));
            Ok(trial)
        }
        _ => Err(at(ctx, thrown(Fault::new(FaultKind::NotAllowed, trial::only_there(name)).code(Id::OnlyInTests.code())))),
    }
}

/// Asks the surroundings of the test in progress.
pub(super) fn ask(ctx: &NativeCallContext, name: &str, asked: Asked) -> Result<Dynamic, Box<EvalAltResult>> {
    let (trial, stopwatch) = (
        trial(ctx, name)?,
        match desk(ctx) {
            Desk::Running { stopwatch, .. } => stopwatch,
            _ => Instant::now,
        },
    );
    let answer = super::limits::off_the_clock(stopwatch, || trial.bench.ask(asked));
    answer.map(|value| to_dynamic(&value)).map_err(|fault| at(ctx, thrown(fault)))
}

#[allow(clippy::unnecessary_box_returns, reason = "the engine's own error shape")]
pub(super) fn at(ctx: &NativeCallContext, mut error: Box<EvalAltResult>) -> Box<EvalAltResult> {
    if ctx.call_position() != Position::NONE {
        error.set_position(ctx.call_position());
    }
    error
}

/// An effect as the end of a sentence.
fn wish(effect: &Effect) -> String {
    match effect {
        Effect::Read(read) => format!("read from {}", read.source.system()),
        Effect::Lookup(lookup) => format!("read {} from {}", lookup.object, lookup.system),
        Effect::Describe { system, .. } | Effect::Objects { system } => format!("describe objects of {system}"),
        Effect::Write(write) => format!("write {} of {}", write.object, write.system),
        Effect::CreateField(create) => format!("create a field of {}", create.system),
        Effect::EditSegment(edit) => format!("edit a segment of {}", edit.system),
        Effect::Request(request) => format!("call {}", request.system),
        Effect::State(_) => "use its state".to_owned(),
        Effect::Http(_) => "call the network".to_owned(),
        Effect::SendEmail(_) => "send mail".to_owned(),
    }
}
