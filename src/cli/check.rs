//! `tabi check [FILE...]`: compiles, runs the declarations, and says everything that is wrong at once; `--fix` mends what is certain.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use serde_json::json;

use crate::{
    flow::journey::{asks_px, unfit},
    host::{Loaded, Session, Workspace, describes::Describes},
    model::{ObjectSchema, System},
    script::{
        Body, Declaration, Diagnostic, check_against, check_connections, check_enabled, check_mails, check_metadata, check_named, check_shown,
        check_targets, check_templates, named_listings,
    },
    store::Store,
};

use super::{
    Context, Exit, Failure,
    exit::Spot,
    fix::{self, Mend, Mending, mending},
    render::{BAD, DIM, GOOD, WARN, diagnostics, many, paint},
};

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Only what concerns these files.
    files: Vec<PathBuf>,
    /// Ask the systems which objects and fields there are.
    #[arg(long)]
    online: bool,
    /// Apply the suggestions that are certain, and check again.
    #[arg(long)]
    fix: bool,
    /// With `--fix`: show what would change; no file is touched.
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// Show every finding, however many there are.
    #[arg(long)]
    all: bool,
}

/// Findings that people are shown without `--all`.
const SHOWN: usize = 50;
/// Rounds of mending: what one edit uncovers is mended in the next.
const ROUNDS: usize = 10;

/// Checks the workspace's scripts.
pub(crate) fn check(args: &Check, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let (mut loaded, mut found) = look(args, &workspace, cx)?;
    let mended = if args.fix { Some(mend(args, &workspace, (&mut loaded, &mut found), cx)?) } else { None };
    let errors = found.iter().filter(|d| d.is_error()).count();
    tell(&found, errors, (&loaded, args.all), mended.as_ref(), cx);
    Ok(if errors > 0 { Exit::Scripts } else { Exit::Done })
}

/// Loads the scripts and finds everything that is wrong with them.
fn look(args: &Check, workspace: &Workspace, cx: &Context) -> Result<(Loaded, Vec<Diagnostic>), Failure> {
    let loaded = workspace.load();
    let mut found = loaded.generation.diagnostics().to_vec();
    found.extend(against_list(&loaded, workspace));
    found.extend(against_schemas(&loaded, workspace, args.online, cx)?);
    let only = names(&args.files, workspace)?;
    found.retain(|finding| only.is_empty() || only.contains(&finding.file));
    loaded.generation.settle(&mut found);
    Ok((loaded, found))
}

/// Mends what is certain and looks again, until nothing certain is left. A file that is worse off afterwards is put back.
fn mend(args: &Check, workspace: &Workspace, (loaded, found): (&mut Loaded, &mut Vec<Diagnostic>), cx: &Context) -> Result<Mending, Failure> {
    let mut all = Mending { dry: args.dry_run, ..Mending::default() };
    for _ in 0..ROUNDS {
        let Mending { mends, left, .. } = mending(found, &loaded.generation, &workspace.root);
        all.left.extend(left);
        let mends: Vec<Mend> = mends.into_iter().filter(|mend| !all.left.contains_key(&mend.file)).collect();
        if mends.is_empty() {
            break;
        }
        if args.dry_run {
            all.mends.extend(mends);
            break;
        }
        mends.iter().try_for_each(Mend::write)?;
        let (after, now) = look(args, workspace, cx)?;
        let worse = |mend: &&Mend| errors_in(&now, &mend.file) > errors_in(found, &mend.file);
        let (worse, better): (Vec<&Mend>, Vec<&Mend>) = mends.iter().partition(worse);
        worse.iter().try_for_each(|mend| mend.restore())?;
        all.left.extend(worse.iter().map(|mend| (mend.file.clone(), "the suggestions would bring other errors".to_owned())));
        all.mends.extend(better.into_iter().cloned());
        (*loaded, *found) = if worse.is_empty() { (after, now) } else { look(args, workspace, cx)? };
    }
    Ok(all)
}

fn errors_in(found: &[Diagnostic], file: &str) -> usize {
    found.iter().filter(|finding| finding.is_error() && finding.file == file).count()
}

fn tell(found: &[Diagnostic], errors: usize, (loaded, all): (&Loaded, bool), mended: Option<&Mending>, cx: &Context) {
    let (files, declared) = (loaded.generation.files(), loaded.generation.declared());
    let mut document = json!({
        "ok": errors == 0, "files": files.len(), "hash": loaded.generation.hash(),
        "declarations": declared.iter().map(|d| declaration_document(d)).collect::<Vec<_>>(), "diagnostics": found,
    });
    if let Some(mended) = mended {
        document["fixed"] = mended.mends.iter().map(Mend::document).collect();
        document["left"] = mended.left.iter().map(|(file, reason)| json!({"file": file, "reason": reason})).collect();
    }
    cx.out.json(&document);
    if let Some(mended) = mended {
        mended.mends.iter().for_each(|mend| mend.diff(cx));
        fix::tell_count(&mended.mends, mended.dry, cx);
        fix::tell_left(&mended.left, cx);
    }
    let shown = if all { found } else { found.get(..SHOWN).unwrap_or(found) };
    for text in diagnostics(shown, &loaded.generation, &cx.out) {
        cx.out.line(format!("{text}\n"));
    }
    if shown.len() < found.len() {
        let more = many((found.len() - shown.len()) as u64, "finding");
        cx.out.line(paint(DIM, format!("and {more} more; `tabi check --all` shows them\n")));
    }
    verdict(found, errors, (files.len(), declared.len()), mended.is_some(), cx);
}

fn verdict(found: &[Diagnostic], errors: usize, (files, declared): (usize, usize), mended: bool, cx: &Context) {
    let what = format!("{}, {}", many(files as u64, "file"), many(declared as u64, "declaration"));
    let verdict = match (errors, found.len() - errors) {
        (0, 0) => paint(GOOD, "ok".to_owned()),
        (0, warnings) => paint(WARN, format!("ok, with {}", many(warnings as u64, "warning"))),
        (errors, 0) => paint(BAD, many(errors as u64, "error")),
        (errors, warnings) => paint(BAD, format!("{}, {}", many(errors as u64, "error"), many(warnings as u64, "warning"))),
    };
    cx.out.line(format!("{verdict} {}", paint(DIM, format!("({what})"))));
    let certain = found.iter().flat_map(|finding| &finding.suggestions).filter(|suggestion| suggestion.certain).count();
    if certain > 0 && !mended {
        cx.out.line(paint(DIM, format!("`tabi check --fix` mends {}", many(certain as u64, "place"))));
    }
}

fn declaration_document(declaration: &Declaration) -> serde_json::Value {
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

/// Fields that rules may not write, templates that journeys name and nobody wrote, connections that journeys lack.
fn against_list(loaded: &Loaded, workspace: &Workspace) -> Vec<Diagnostic> {
    let declarations: Vec<&Declaration> = loaded.generation.declared().iter().map(AsRef::as_ref).collect();
    let mut found = check_enabled(&declarations, workspace.rule_updates(), workspace.reaches_salesforce());
    let templates = loaded.templates().names().into_iter().map(str::to_owned).collect();
    found.extend(declarations.iter().flat_map(|declaration| check_templates(declaration, &templates)));
    let connected = workspace.connected(workspace.server_url().is_some());
    found.extend(declarations.iter().flat_map(|declaration| check_connections(declaration, &connected)));
    found
}

/// Unknown fields and types that cannot fit: by the systems' own describes, or by what they last said.
fn against_schemas(loaded: &Loaded, workspace: &Workspace, online: bool, cx: &Context) -> Result<Vec<Diagnostic>, Failure> {
    let declarations: Vec<&Declaration> = loaded.generation.declared().iter().map(AsRef::as_ref).collect();
    let all = |lookup: &dyn Fn(System, &str) -> Option<ObjectSchema>| {
        let mut found = check_against(&declarations, lookup);
        found.extend(check_metadata(&declarations, lookup));
        found.extend(declarations.iter().flat_map(|declaration| check_mails(declaration, loaded.templates(), lookup)));
        found
    };
    if !online {
        let store = remembered(workspace, cx);
        return Ok(all(&|system, object| store.as_ref()?.schema(system, object).ok().flatten().map(|kept| kept.schema)));
    }
    let session = Session::open(workspace)?;
    let asked = Describes::new(&session.wire);
    let mut found = all(&|system, object| asked.schema(system, object));
    found.extend(shown(&declarations, workspace, &asked));
    found.extend(named(&declarations, workspace, &asked));
    let connected = workspace.connected(false).systems;
    found.extend(check_targets(&declarations, |system, object| connected.contains(&system) && asked.lacks(system, object)));
    let trouble = asked.trouble();
    session.close();
    trouble.map_or(Ok(found), |fault| Err(fault.into()))
}

/// What PX says against what journeys show, in the words that publishing would refuse it with.
fn shown(declarations: &[&Declaration], workspace: &Workspace, asked: &Describes<'_>) -> Vec<Diagnostic> {
    // A connection that is missing is told already.
    if !workspace.connected(false).systems.contains(&System::Px) {
        return Vec::new();
    }
    let against = |declaration: &&Declaration| {
        let Body::Journey(journey) = &declaration.body else { return Vec::new() };
        let engagements = if asks_px(journey) { asked.engagements() } else { None };
        engagements.map(|all| check_shown(declaration, &unfit(journey, all))).unwrap_or_default()
    };
    declarations.iter().flat_map(against).collect()
}

/// What Pendo lists against the segments, apps, features and guides that declarations name, in the words that a run would refuse them with.
fn named(declarations: &[&Declaration], workspace: &Workspace, asked: &Describes<'_>) -> Vec<Diagnostic> {
    let listings = named_listings(declarations);
    if listings.is_empty() || !workspace.connected(false).systems.contains(&System::Pendo) {
        return Vec::new();
    }
    asked.listed(listings).map(|listed| check_named(declarations, listed)).unwrap_or_default()
}

/// The state file for a command that only looks: one that cannot be used is said, and done without.
pub(super) fn remembered(workspace: &Workspace, cx: &Context) -> Option<Arc<Store>> {
    workspace.existing_store().unwrap_or_else(|error| {
        cx.out.note(format!("{} goes on without what is remembered: {error}\n", paint(WARN, "warning:".to_owned())));
        None
    })
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
