//! `tabi check [FILE...]`: compiles, runs the declarations, and says everything that is wrong at once.

use std::{cell::RefCell, collections::BTreeMap, path::PathBuf, sync::Arc};

use clap::Args;
use serde_json::json;

use crate::{
    host::{Loaded, Session, Workspace},
    model::{Effect, Fault, FaultKind, ObjectSchema, Reply, System},
    script::{Declaration, Diagnostic, Perform as _, check_against, check_enabled, check_templates},
    store::Store,
};

use super::{
    Context, Exit, Failure,
    exit::Spot,
    render::{BAD, DIM, GOOD, WARN, diagnostics, many, paint},
};

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Only what concerns these files.
    files: Vec<PathBuf>,
    /// Ask the systems which objects and fields there are.
    #[arg(long)]
    online: bool,
}

/// Checks the workspace's scripts.
pub(crate) fn check(args: &Check, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let loaded = workspace.load();
    let mut found = loaded.generation.diagnostics().to_vec();
    found.extend(against_list(&loaded, &workspace));
    found.extend(against_schemas(&loaded, &workspace, args.online, cx)?);
    let only = names(&args.files, &workspace)?;
    found.retain(|finding| only.is_empty() || only.contains(&finding.file));
    let errors = found.iter().filter(|d| d.is_error()).count();
    tell(&found, errors, &loaded, cx);
    Ok(if errors > 0 { Exit::Scripts } else { Exit::Done })
}

fn tell(found: &[Diagnostic], errors: usize, loaded: &Loaded, cx: &Context) {
    let (files, declared) = (loaded.generation.files(), loaded.generation.declared());
    cx.out.json(&json!({
        "ok": errors == 0, "files": files.len(), "hash": loaded.generation.hash(),
        "declarations": declared.iter().map(|d| document(d)).collect::<Vec<_>>(), "diagnostics": found,
    }));
    for text in diagnostics(found, &loaded.generation, &cx.out) {
        cx.out.line(format!("{text}\n"));
    }
    let what = format!("{}, {}", many(files.len() as u64, "file"), many(declared.len() as u64, "declaration"));
    let verdict = match (errors, found.len() - errors) {
        (0, 0) => paint(GOOD, "ok".to_owned()),
        (0, warnings) => paint(WARN, format!("ok, with {}", many(warnings as u64, "warning"))),
        (errors, 0) => paint(BAD, many(errors as u64, "error")),
        (errors, warnings) => paint(BAD, format!("{}, {}", many(errors as u64, "error"), many(warnings as u64, "warning"))),
    };
    cx.out.line(format!("{verdict} {}", paint(DIM, format!("({what})"))));
}

fn document(declaration: &Declaration) -> serde_json::Value {
    json!({"name": declaration.name, "kind": declaration.kind().word(), "file": declaration.place.file, "line": declaration.place.line})
}

/// Names of the given files within the workspace.
fn names(files: &[PathBuf], workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let name = |file: &PathBuf| {
        let real = file.canonicalize().map_err(|error| Failure::usage(format!("`{}` cannot be read: {error}", file.display())))?;
        let inner = real.strip_prefix(&workspace.root).map_err(|_| Failure::usage(format!("`{}` is not in this workspace", file.display())))?;
        Ok(inner.to_string_lossy().replace('\\', "/"))
    };
    files.iter().map(name).collect()
}

/// Fields that rules may not write, and templates that journeys name and nobody wrote.
fn against_list(loaded: &Loaded, workspace: &Workspace) -> Vec<Diagnostic> {
    let declarations: Vec<&Declaration> = loaded.generation.declared().iter().map(AsRef::as_ref).collect();
    let mut found = check_enabled(&declarations, workspace.rule_updates(), workspace.reaches_salesforce());
    let templates = loaded.templates().names().into_iter().map(str::to_owned).collect();
    found.extend(declarations.iter().flat_map(|declaration| check_templates(declaration, &templates)));
    found
}

/// Unknown fields and types that cannot fit: by the systems' own describes, or by what they last said.
fn against_schemas(loaded: &Loaded, workspace: &Workspace, online: bool, cx: &Context) -> Result<Vec<Diagnostic>, Failure> {
    let declarations: Vec<&Declaration> = loaded.generation.declared().iter().map(AsRef::as_ref).collect();
    if !online {
        let Some(store) = remembered(workspace, cx) else { return Ok(Vec::new()) };
        return Ok(check_against(&declarations, |system, object| store.schema(system, object).ok().flatten().map(|kept| kept.schema)));
    }
    let session = Session::open(workspace)?;
    let asked = Asked { session: &session, answers: RefCell::default() };
    let found = check_against(&declarations, |system, object| asked.schema(system, object));
    let trouble = asked.answers.into_inner().into_values().find_map(Result::err);
    session.close();
    trouble.map_or(Ok(found), |fault| Err(fault.into()))
}

/// The state file for a command that only looks: one that cannot be used is said, and done without.
pub(super) fn remembered(workspace: &Workspace, cx: &Context) -> Option<Arc<Store>> {
    workspace.existing_store().unwrap_or_else(|error| {
        cx.out.note(format!("{} goes on without what is remembered: {error}\n", paint(WARN, "warning:".to_owned())));
        None
    })
}

/// What a system said of an object; none when it has no such object.
type Answer = Result<Option<ObjectSchema>, Fault>;

/// Describes, each asked for once.
struct Asked<'a> {
    session: &'a Session,
    answers: RefCell<BTreeMap<(System, String), Answer>>,
}

impl Asked<'_> {
    fn schema(&self, system: System, object: &str) -> Option<ObjectSchema> {
        let mut answers = self.answers.borrow_mut();
        let answer = answers.entry((system, object.to_owned())).or_insert_with(|| {
            match self.session.wire.perform(Effect::Describe { system, object: object.to_owned() }) {
                Ok(Reply::Schema(schema)) => Ok(Some(schema)),
                Ok(_) => Ok(None),
                // The object itself is looked for when the declaration is planned.
                Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
                Err(fault) => Err(fault),
            }
        });
        answer.as_ref().ok().cloned().flatten()
    }
}

/// What is declared, when nothing is wrong with it. Errors are shown, and end the command.
pub(super) fn declarations(workspace: &Workspace, cx: &Context) -> Result<Vec<Arc<Declaration>>, Failure> {
    loaded(workspace, cx).map(|loaded| loaded.declarations().to_vec())
}

/// The same with the generation that declares it.
pub(super) fn loaded(workspace: &Workspace, cx: &Context) -> Result<Loaded, Failure> {
    let loaded = workspace.load();
    let found = loaded.generation.diagnostics();
    for text in diagnostics(found, &loaded.generation, &cx.out) {
        cx.out.note(format!("{text}\n"));
    }
    match found.iter().find(|d| d.is_error()) {
        None => Ok(loaded),
        Some(first) => Err(failure(first, found.iter().filter(|d| d.is_error()).count())),
    }
}

/// The first error stands for all of them.
fn failure(first: &Diagnostic, errors: usize) -> Failure {
    let place = Spot { file: first.file.clone(), line: first.line as usize, column: first.column as usize };
    let more = if errors > 1 { format!(" (and {} more)", errors - 1) } else { String::new() };
    Failure {
        place: Some(Box::new(place)),
        hint: first.hint.clone(),
        shown: true,
        ..Failure::new(Exit::Scripts, first.code, format!("{}{more}", first.message))
    }
}
