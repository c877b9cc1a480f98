//! The REPL's evaluations: one conversation with the systems behind it, connected when the first effect asks for them.
//! Reads are real; writes are told and not done, unless the conversation is live: then they are a run, journaled as every other.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    connectors::Stop,
    flow::{Live, Notice, Notify, Plan, Planned, Wire},
    model::{Effect, Fault, FaultKind, Record, Reply, TimeZone, Value},
    sandbox,
    script::{self, Diagnostic, Evaluated, Limits, Perform, PrintSink, RunError, Turn},
    store::{Begin, Finish, Participant, ParticipantFilter, RunId, Status},
};

use super::{Error, Session, Workspace, attach::Look, reload::limits};

/// Where the systems come from: a session that is opened when it is first needed.
pub struct Reach {
    workspace: Workspace,
    session: Mutex<Option<Session>>,
    /// Why it could not be opened; told by the command that asked.
    trouble: Mutex<Option<Error>>,
    /// Of a running host: its own.
    given: Option<Wire>,
}

impl Reach {
    /// Nothing is opened yet.
    pub fn later(workspace: &Workspace) -> Arc<Self> {
        Arc::new(Self { workspace: workspace.clone(), session: Mutex::default(), trouble: Mutex::default(), given: None })
    }

    /// The systems of a session that somebody else keeps open.
    pub fn of(workspace: &Workspace, wire: Wire) -> Arc<Self> {
        Arc::new(Self { workspace: workspace.clone(), session: Mutex::default(), trouble: Mutex::default(), given: Some(wire) })
    }

    /// The systems, opened by the first call.
    ///
    /// # Errors
    /// `State` when they cannot be opened; `trouble` tells why.
    pub fn wire(&self) -> Result<Wire, Fault> {
        if let Some(wire) = &self.given {
            return Ok(wire.clone());
        }
        let mut session = hold(&self.session);
        if let Some(session) = session.as_ref() {
            return Ok(session.wire.clone());
        }
        match Session::open(&self.workspace) {
            Ok(opened) => Ok(session.insert(opened).wire.clone()),
            Err(error) => {
                let fault = Fault::new(FaultKind::State, error.to_string());
                *hold(&self.trouble) = Some(error);
                Err(fault)
            }
        }
    }

    /// Sets the time of the sandbox and of this workspace.
    ///
    /// # Errors
    /// `NotAllowed` where the systems are real or a host's, `Unavailable` when the sandbox cannot be reached.
    pub fn turn(&self, at: Timestamp) -> Result<(), Fault> {
        if !self.workspace.is_sandboxed() {
            return Err(Fault::new(FaultKind::NotAllowed, "the systems are real: their time cannot be set; --sandbox plays on the sandbox"));
        }
        self.wire()?;
        let session = hold(&self.session);
        let Some(session) = session.as_ref() else {
            return Err(Fault::new(FaultKind::NotAllowed, "the time of a running host cannot be set from here"));
        };
        let credentials = session.sandbox_credentials().unwrap_or_default();
        let base_url = credentials["salesforce"]["base_url"].as_str().unwrap_or_default();
        let turned = session.runtime().block_on(sandbox::turn(base_url, &at.to_string()));
        turned.map_err(|error| Fault::new(FaultKind::Unavailable, format!("the sandbox's clock could not be set: {error}")))?;
        self.workspace.clock.set(at);
        Ok(())
    }

    /// Why the systems could not be opened, once.
    pub fn trouble(&self) -> Option<Error> {
        hold(&self.trouble).take()
    }

    /// Closes what was opened.
    pub fn close(&self) {
        if let Some(session) = hold(&self.session).take() {
            session.close();
        }
    }
}

/// Ends the evaluation in progress, from any thread.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Mutex<(Arc<AtomicBool>, Stop)>>);

impl Cancel {
    /// Ends what is being evaluated: the script at its next step, a read at once; a write in flight finishes.
    pub fn request(&self) {
        let (script, calls) = &*hold(&self.0);
        script.store(true, Ordering::Relaxed);
        calls.request();
    }

    /// Whether the evaluation in progress was asked to end.
    pub fn requested(&self) -> bool {
        hold(&self.0).1.requested()
    }

    fn renew(&self) -> (Arc<AtomicBool>, Stop) {
        let fresh = (Arc::new(AtomicBool::new(false)), Stop::new());
        hold(&self.0).clone_from(&fresh);
        fresh
    }
}

/// One conversation.
pub struct Console {
    workspace: Workspace,
    pub script: script::Console,
    pub reach: Arc<Reach>,
    pub cancel: Cancel,
    pub live: bool,
    notify: Notify,
    planned: Planned,
}

/// Why an input has no value, and what people are shown.
pub struct Wrong {
    pub error: RunError,
    pub diagnostics: Vec<Diagnostic>,
    /// The text of the diagnostics' places by file.
    pub sources: Vec<(String, String)>,
    /// What was done before it failed.
    pub done: String,
}

/// Why an input has no value, as it is told.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refused {
    /// For people.
    pub shown: Vec<String>,
    /// Why it failed while it ran; none when it was wrong before it began.
    pub fault: Option<Fault>,
    /// The first finding, for programs.
    pub code: String,
    pub message: String,
    pub hint: Option<String>,
    /// File, line and column, the latter two from 1.
    pub place: Option<(String, u32, u32)>,
    /// The statements of the input that were done before it failed.
    pub done: String,
}

impl Console {
    /// A conversation in a workspace; planned writes go to `notify`.
    pub fn new(workspace: &Workspace, reach: Arc<Reach>, notify: Notify) -> Self {
        let script = script::Console::new(&workspace.root, script_limits(workspace));
        Self { workspace: workspace.clone(), script, reach, cancel: Cancel::default(), live: false, notify, planned: Planned::default() }
    }

    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Evaluates one input.
    ///
    /// # Errors
    /// Why it has no value. What it did before is done.
    pub fn evaluate(&mut self, input: &str, print: PrintSink) -> Result<Evaluated, Box<Wrong>> {
        let hand = self.hand(input);
        let turn = Turn { perform: Arc::clone(&hand) as Arc<dyn Perform>, print, stop: Arc::clone(&hand.stop.0) };
        let outcome = self.script.evaluate(input, turn);
        hand.finish(&outcome);
        outcome.map_err(|error| Box::new(self.wrong(error, input)))
    }

    /// Takes the constants and functions of a file into the conversation.
    ///
    /// # Errors
    /// As `evaluate`.
    pub fn enter(&mut self, file: &std::path::Path, print: PrintSink) -> Result<(), Box<Wrong>> {
        let hand = self.hand("");
        let turn = Turn { perform: Arc::clone(&hand) as Arc<dyn Perform>, print, stop: Arc::clone(&hand.stop.0) };
        self.script.enter(file, turn).map_err(|error| Box::new(self.wrong(error, "")))
    }

    /// Who is in a journey, as far as they can be shown: the last value from now on.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn people(&mut self, journey: &str) -> Result<Vec<Value>, Error> {
        let store = match &self.reach.given {
            Some(wire) => Some(Arc::clone(wire.store())),
            None => self.workspace.existing_store()?,
        };
        let Some(store) = store else { return Ok(Vec::new()) };
        let people = store.participants(journey, &ParticipantFilter { limit: PEOPLE, ..ParticipantFilter::default() })?;
        let people: Vec<Value> = people.iter().map(person).collect();
        self.script.set_last(&Value::List(people.clone()));
        Ok(people)
    }

    fn hand(&self, input: &str) -> Arc<Hand> {
        Arc::new(Hand {
            reach: Arc::clone(&self.reach),
            stop: self.cancel.renew(),
            notify: Arc::clone(&self.notify),
            planned: self.planned.clone(),
            zone: self.workspace.config.timezone.clone(),
            live: self.live,
            input: input.to_owned(),
            run: Mutex::default(),
        })
    }

    fn wrong(&self, error: RunError, input: &str) -> Wrong {
        let diagnostics = match &error {
            RunError::Unsound { diagnostics, .. } => diagnostics.clone(),
            RunError::Failed(failed) => vec![self.script.explain(failed)],
        };
        let text = |file: &str| match &error {
            RunError::Unsound { text, .. } if file == script::TYPED && !text.is_empty() => Some(text.clone()),
            _ => self.script.source(file, input),
        };
        let sources = diagnostics.iter().filter_map(|finding| Some((finding.file.clone(), text(&finding.file)?))).collect();
        let done = if let RunError::Failed(failed) = &error { self.script.done(input, failed).to_owned() } else { String::new() };
        Wrong { error, diagnostics, sources, done }
    }
}

/// Participants shown at most.
const PEOPLE: u32 = 1_000;

/// Where somebody is in a journey, and what is known of them.
fn person(person: &Participant) -> Value {
    let text = |text: Option<&String>| text.map_or(Value::Null, Value::text);
    let fields = [
        ("id", Value::Int(person.id.as_i64())),
        ("email", text(person.email.as_ref())),
        ("state", Value::text(person.state.word())),
        ("step", text(person.step.as_ref())),
        ("since", Value::Instant(person.since)),
        ("due", person.due.map_or(Value::Null, Value::Instant)),
        ("reason", text(person.reason.as_ref())),
        ("fields", Value::Map((*person.fields).clone())),
    ];
    Value::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

impl Wrong {
    /// As it is told: findings with their source lines and carets for people, the first one for programs.
    pub fn told(&self, look: Look) -> Refused {
        let text = |file: &str| self.sources.iter().find(|(name, _)| name == file).map(|(_, text)| text.as_str());
        let render = |finding| script::render_within(finding, text, look.colours, look.width.map(usize::from));
        let first = self.diagnostics.iter().find(|finding| finding.is_error());
        let fault = if let RunError::Failed(failed) = &self.error { Some(Fault::clone(&failed.fault)) } else { None };
        Refused {
            shown: self.diagnostics.iter().map(render).collect(),
            fault,
            code: first.map_or("script", |finding| finding.code).to_owned(),
            message: first.map_or_else(|| self.error.to_string(), |finding| finding.message.clone()),
            hint: first.and_then(|finding| finding.hint.clone()),
            place: first.filter(|finding| finding.line > 0).map(|finding| (finding.file.clone(), finding.line, finding.column)),
            done: self.done.clone(),
        }
    }
}

/// Limits of tabi.toml are about declarations; what is typed may use more, unless its time is set.
pub(super) fn script_limits(workspace: &Workspace) -> Limits {
    let (usual, ours) = (Limits::for_scripts(), limits(&workspace.config));
    Limits { time: workspace.config.limits.time.unwrap_or(usual.time), call_depth: ours.call_depth, zone: ours.zone, ..usual }
}

/// Carries out the effects of one evaluation.
struct Hand {
    reach: Arc<Reach>,
    stop: (Arc<AtomicBool>, Stop),
    notify: Notify,
    planned: Planned,
    zone: TimeZone,
    live: bool,
    input: String,
    /// Begun by the first write.
    run: Mutex<Option<(RunId, Arc<Live>)>>,
}

impl Hand {
    fn wire(&self) -> Result<Wire, Fault> {
        Ok(self.reach.wire()?.until(self.stop.1.clone()))
    }

    fn live(&self) -> Result<Arc<Live>, Fault> {
        let mut run = hold(&self.run);
        if let Some((_, live)) = run.as_ref() {
            return Ok(Arc::clone(live));
        }
        let wire = self.wire()?;
        let parameters: Record = [("input".into(), Value::text(&self.input))].into_iter().collect();
        let hash = blake3::hash(self.input.as_bytes()).to_hex().to_string();
        let begin = Begin { name: script::TYPED, kind: "exec", hash: &hash, reason: "by hand", parameters: &parameters, at: wire.now() };
        let id = wire.store().begin(&begin).map_err(state)?;
        let live = Arc::new(Live::new(wire, id.clone()));
        *run = Some((id, Arc::clone(&live)));
        Ok(live)
    }

    /// Ends the run that a write began.
    fn finish(&self, outcome: &Result<Evaluated, RunError>) {
        let Some((id, live)) = hold(&self.run).take() else { return };
        let Ok(wire) = self.wire() else { return };
        let status = match outcome {
            Ok(_) => Status::Ok,
            Err(RunError::Failed(failure)) if failure.fault.kind == FaultKind::Interrupted => Status::Interrupted,
            Err(_) => Status::Failed,
        };
        let mut finish = Finish::new(status, wire.now());
        (finish.written, finish.rejected) = live.counts();
        finish.message = outcome.as_ref().err().map(ToString::to_string);
        if let Err(error) = wire.store().finish(&id, &finish) {
            (self.notify)(Notice::Warning { name: script::TYPED.to_owned(), message: error.to_string() });
        }
    }
}

impl Perform for Hand {
    fn perform(&self, effect: Effect) -> Result<Reply, Fault> {
        if self.live && effect.writes() {
            return self.live()?.perform(effect);
        }
        let wire = self.wire()?;
        let reply = if self.live {
            wire.perform(effect)?
        } else {
            let (wire, notify, zone) = (Arc::new(wire.clone()), Arc::clone(&self.notify), self.zone.clone());
            Plan::new(wire, script::TYPED, notify, self.planned.clone(), zone).perform(effect)?
        };
        if let Reply::Schema(schema) = &reply {
            // Kept for completion and `check`, which work without a connection.
            wire.store().keep_schema(schema, wire.now()).map_err(state)?;
        }
        Ok(reply)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "the shape of `map_err`")]
fn state(error: crate::store::Error) -> Fault {
    Fault::new(FaultKind::State, error.to_string())
}

fn hold<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
