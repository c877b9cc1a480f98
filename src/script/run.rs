//! Plain automation scripts: once, from top to bottom, with the primitives (H7).

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use rhai::{AST, Array, Dynamic, Engine, Scope};

use crate::model::{Fault, FaultKind, Value};

use super::{
    check::Table,
    desk::Desk,
    diagnostics::{Diagnostic, settle},
    engine::engine,
    failure::{Cause, Failure, failure},
    generation,
    library::{Library, Resolver},
    limits::{self, Limits, PrintSink},
    perform::Perform,
    spots::FileMap,
    templates::Shelf,
    trial::only_in_tests,
    value::from_dynamic,
};

/// How a plain script runs.
pub struct ScriptRun {
    /// Carries out its effects.
    pub perform: Arc<dyn Perform>,
    /// What the script sees as `args`.
    pub arguments: Vec<String>,
    pub limits: Limits,
    /// Receives what it prints.
    pub print: Option<PrintSink>,
    /// Ends it soon after being set.
    pub stop: Option<Arc<AtomicBool>>,
}

impl ScriptRun {
    /// With the usual limits and nobody listening to what it prints.
    pub fn with(perform: Arc<dyn Perform>) -> Self {
        Self { perform, arguments: Vec::new(), limits: Limits::for_scripts(), print: None, stop: None }
    }
}

/// Why a plain script has no value.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It was not started: these are wrong with it. `text` is its source, for rendering them.
    #[error("the script has errors")]
    Unsound { diagnostics: Vec<Diagnostic>, text: String },
    /// It was started and failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Checks and runs the script `file` (below the workspace's root, or a path relative to it) and returns the value of its last expression.
///
/// # Errors
/// `Unsound` when something is wrong with it before it starts, `Failed` when it fails while it runs.
pub fn run_script(root: &Path, file: &Path, run: ScriptRun) -> Result<Value, RunError> {
    let library = Arc::new(Library::new(root));
    let name = library.name(file);
    let text = library.text(&name).map_err(|finding| RunError::Unsound { diagnostics: vec![*finding], text: String::new() })?;
    run_in(&library, &name, &text, run)
}

/// Checks and runs source that is in no file (`repl -e`); imports are relative to `scripts/`.
///
/// # Errors
/// As `run_script`.
pub fn run_source(root: &Path, text: &str, run: ScriptRun) -> Result<Value, RunError> {
    run_in(&Arc::new(Library::new(root)), "script", text, run)
}

/// Bytes of stack for the deepest script that the limits allow, in a debug build too.
const STACK: usize = 64 << 20;

fn run_in(library: &Arc<Library>, name: &str, text: &str, run: ScriptRun) -> Result<Value, RunError> {
    with_stack(|| evaluate(library, name, text, run))
}

/// Runs on a thread of its own, so that the depth a script may have does not hang on who calls.
pub(super) fn with_stack<T: Send>(work: impl FnOnce() -> Result<T, RunError> + Send) -> Result<T, RunError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("script".to_owned()).stack_size(STACK).spawn_scoped(scope, work);
        let refused = |error: std::io::Error| {
            let fault = Fault::new(FaultKind::Script, format!("no thread to run the script on: {error}"));
            RunError::Failed(Failure { fault: Box::new(fault), place: None, stack: Vec::new(), cause: Cause::Other })
        };
        thread.map_err(refused)?.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn evaluate(library: &Arc<Library>, name: &str, text: &str, run: ScriptRun) -> Result<Value, RunError> {
    let mut engine = engine(&run.limits);
    engine.set_module_resolver(Resolver(Arc::clone(library)));
    let templates = Arc::new(Shelf::of(Arc::clone(library)));
    engine.set_default_tag(Dynamic::from(Desk::Running {
        perform: run.perform,
        stopwatch: run.limits.stopwatch,
        templates,
        trial: None,
        zone: run.limits.zone.clone(),
    }));
    let mut scope = Scope::new();
    scope.push_constant("args", run.arguments.into_iter().map(Dynamic::from).collect::<Array>());
    let ast = checked(library, &engine, &scope, (name, text), &run.limits)?;
    let outcome = limits::evaluation(run.stop, run.print, || engine.eval_ast_with_scope::<Dynamic>(&mut scope, &ast));
    let value = outcome.map_err(|error| failure(error, name))?;
    Ok(from_dynamic(&value).unwrap_or_else(|_| Value::text(shown(&engine, value))))
}

/// A value that is no data, such as a source, as it prints.
pub(super) fn shown(engine: &Engine, value: Dynamic) -> String {
    let plain = value.to_string();
    let mut scope = Scope::new();
    scope.push_dynamic("value", value);
    engine.eval_expression_with_scope(&mut scope, "value.to_string()").unwrap_or(plain)
}

/// Compiles the script, or tells everything that is wrong with it.
fn checked(library: &Library, engine: &Engine, scope: &Scope, (name, text): (&str, &str), limits: &Limits) -> Result<AST, RunError> {
    let table = Table::of(engine);
    let unsound = |mut diagnostics: Vec<Diagnostic>| {
        settle(&mut diagnostics, &library.maps, |file| library.text(file).ok().or_else(|| (file == name).then(|| text.into())));
        RunError::Unsound { diagnostics, text: text.to_owned() }
    };
    let mut ast = engine
        .compile_with_scope(scope, text)
        .map_err(|error| unsound(generation::unparsed(library, engine, &table, (name, text), (&error, scope), || generation::lenient(limits))))?;
    ast.set_source(name);
    library.maps.add(FileMap::new(name.to_owned(), ast.clone()));
    let mut diagnostics = generation::standing(library, engine, &table, (name, &["args"]), &ast);
    diagnostics.extend(only_in_tests(name, &ast));
    if diagnostics.iter().any(Diagnostic::is_error) { Err(unsound(diagnostics)) } else { Ok(ast) }
}
