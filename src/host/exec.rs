//! One plain script, once: recorded as a run and journaled like every other work, or only on paper.

use std::{path::Path, sync::Arc};

use crate::{
    flow::{Live, Notify, Plan, Planned},
    model::{FaultKind, Record, Value},
    script::{Perform, PrintSink, RunError, ScriptRun, run_script},
    store::{Begin, Finish, Status},
};

use super::{Error, Session, Workspace, console::script_limits};

/// What a script is run with.
pub struct Exec<'a> {
    /// Relative to the workspace, or anywhere.
    pub file: &'a Path,
    pub arguments: Vec<String>,
    /// Each line the script prints.
    pub print: PrintSink,
    /// What it would change is told here, and nothing is written; without it everything is real.
    pub plan: Option<Notify>,
}

/// Runs a script and returns the value of its last expression.
pub fn exec(workspace: &Workspace, session: &Session, exec: Exec<'_>) -> Result<Result<Value, RunError>, Error> {
    let name = exec.file.to_string_lossy().into_owned();
    if let Some(notify) = &exec.plan {
        let plan = Plan::new(Arc::new(session.wire.clone()), &name, Arc::clone(notify), Planned::default(), workspace.config.timezone.clone());
        return Ok(run(workspace, session, exec, Arc::new(plan)));
    }
    let (store, started) = (&session.store, workspace.clock.now());
    let text = std::fs::read(workspace.root.join(exec.file)).unwrap_or_default();
    let parameters: Record = [("args".into(), Value::List(exec.arguments.iter().map(Value::text).collect()))].into_iter().collect();
    let hash = blake3::hash(&text).to_hex().to_string();
    let begin = Begin { name: &name, kind: "exec", hash: &hash, reason: "by hand", parameters: &parameters, at: started };
    let id = store.begin(&begin)?;
    let live = Arc::new(Live::new(session.wire.clone(), id.clone()));
    let value = run(workspace, session, exec, Arc::clone(&live) as Arc<dyn Perform>);
    let ended = workspace.clock.now();
    let mut finish = Finish::new(status(&value), ended);
    (finish.written, finish.rejected) = live.counts();
    finish.seconds = ended.duration_since(started).as_secs_f64();
    finish.message = value.as_ref().err().map(ToString::to_string);
    store.finish(&id, &finish)?;
    Ok(value)
}

fn run(workspace: &Workspace, session: &Session, exec: Exec<'_>, perform: Arc<dyn Perform>) -> Result<Value, RunError> {
    let limits = script_limits(workspace);
    let script = ScriptRun {
        arguments: exec.arguments,
        limits,
        print: Some(exec.print),
        stop: Some(Arc::clone(&session.interrupted)),
        ..ScriptRun::with(perform)
    };
    run_script(&workspace.root, exec.file, script)
}

fn status(value: &Result<Value, RunError>) -> Status {
    match value {
        Ok(_) => Status::Ok,
        Err(RunError::Failed(failure)) if failure.fault.kind == FaultKind::Interrupted => Status::Interrupted,
        Err(_) => Status::Failed,
    }
}
