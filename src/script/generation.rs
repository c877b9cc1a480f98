//! A loaded folder: every script compiled and declared, as one immutable value that is swapped whole.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use rhai::{AST, Dynamic, Engine, Module, ParseErrorType, Scope};

use super::{
    check::{self, Named, Own, Table},
    declaration::{Body, Declaration, MeasureDecl, Place},
    desk::{Desk, Found, Loading, Maps},
    diagnostics::{Diagnostic, Id, settle},
    engine::engine,
    failure::{Cause, Failure, failure},
    library::{Inputs, Library, Resolver, compile},
    limits::{self, Limits},
    live::running,
    reuse::Reuse,
    shape,
    sources::{Sources, Texts},
    spots::{FileMap, place},
    standing::Standing,
    syntax,
    templates::{Shelf, Templates, is_template, sent},
    trial::only_in_tests,
};
use crate::model::{Claim, Columns, FaultKind, Known};

/// One file of a generation.
#[derive(Debug, Clone)]
pub struct LoadedFile {
    /// Relative to the workspace.
    pub name: String,
    /// BLAKE3 of the file and everything it imports, hex.
    pub hash: String,
    /// Whether this is an earlier, good version because the present one has errors.
    pub kept: bool,
    /// Whether the version on disk has no errors.
    pub sound: bool,
    pub declarations: Vec<Arc<Declaration>>,
    pub measures: Vec<MeasureDecl>,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Names that are declared here, also where the declaration has errors.
    pub(super) names: Vec<String>,
    /// What it was made of.
    pub(super) inputs: Inputs,
}

/// All scripts of a workspace at one moment.
#[derive(Debug)]
pub struct Generation {
    /// As they run.
    files: Vec<Arc<LoadedFile>>,
    /// As they lie on disk.
    pub(super) present: Vec<Arc<LoadedFile>>,
    /// Names of those that were compiled for this generation; the others are as the one before had them.
    compiled: Vec<String>,
    /// What else a file is made of: two generations with the same ground make the same of the same files.
    ground: String,
    declared: Vec<Arc<Declaration>>,
    diagnostics: Vec<Diagnostic>,
    texts: BTreeMap<String, Arc<str>>,
    sought: BTreeSet<String>,
    templates: Arc<Templates>,
    pub(super) maps: Arc<Maps>,
    hash: String,
    /// What is claimed by what runs, and by what waits; what columns are labelled.
    known: Known,
}

impl Generation {
    /// Loads the given files (paths relative to the root, or below it). Nothing is written and no system is asked; every mistake in every
    /// file is found. A file with errors keeps its version of `previous` when that has a good one. What `previous` made of a sound file is
    /// taken over as long as neither the file nor anything it imports has changed: only the rest is compiled.
    pub fn load<P: AsRef<Path>>(root: &Path, files: &[P], limits: &Limits, previous: Option<&Self>) -> Self {
        let known = Known { columns: previous.map(|previous| previous.known.columns.clone()).unwrap_or_default(), claims: Vec::new() };
        Self::load_after(root, files, limits, previous, &known)
    }

    /// The same, with what is known of who was there first where there is no generation before, and of what columns are labelled.
    pub fn load_after<P: AsRef<Path>>(root: &Path, files: &[P], limits: &Limits, previous: Option<&Self>, known: &Known) -> Self {
        let names = |library: &Library| files.iter().map(|file| library.name(file.as_ref())).collect();
        Self::load_from(Library::new(root), names, limits, (previous, known))
    }

    /// Loads texts that were kept, and nothing else: what lies on disk now does not count. The same engine, the same limits.
    pub fn of_sources(sources: &Sources, limits: &Limits) -> Self {
        Self::load_from(Library::of(sources.texts()), |_| sources.texts().keys().cloned().collect(), limits, (None, &Known::default()))
    }

    fn load_from(
        library: Library,
        names: impl FnOnce(&Library) -> BTreeSet<String>,
        limits: &Limits,
        (previous, known): (Option<&Self>, &Known),
    ) -> Self {
        let library = Arc::new(library);
        let names = names(&library);
        let (templates, scripts): (Vec<&String>, Vec<&String>) = names.iter().partition(|name| is_template(name));
        let (templates, mut loaded) = load_templates(&library, &templates, previous);
        let ground = format!("{} {limits:?}", library.root().display());
        let reuse = Reuse::of(&library, &templates, previous.filter(|previous| previous.ground == ground));
        let shelf = Arc::new(Shelf::with(Arc::clone(&templates)));
        let (mut tools, mut compiled) = (None, Vec::new());
        for name in scripts {
            if let Some(known) = reuse.take(name, &library) {
                loaded.push(Arc::clone(known));
                continue;
            }
            let (engine, table) = tools.get_or_insert_with(|| tools_for(&library, limits));
            loaded.push(Arc::new(load_file(&library, (engine, table, &shelf), name, limits)));
            compiled.push(name.clone());
        }
        let inputs = loaded.iter().flat_map(|file| &file.inputs);
        let texts = inputs.filter_map(|(name, input)| Some((name.clone(), input.text()?))).chain(library.texts()).collect();
        let sought = loaded.iter().flat_map(|file| file.inputs.keys().filter(|name| **name != file.name)).cloned().chain(library.sought()).collect();
        let maps = Arc::clone(&library.maps);
        let mut generation = Self { compiled, ground, sought, templates, maps, ..Self::assemble(loaded, texts, previous, known) };
        let mut diagnostics = std::mem::take(&mut generation.diagnostics);
        generation.settle(&mut diagnostics);
        Self { diagnostics, ..generation }
    }

    /// Sorts out what is declared across files. A file at fault there falls back to its last good version, too.
    fn assemble(present: Vec<Arc<LoadedFile>>, texts: BTreeMap<String, Arc<str>>, previous: Option<&Self>, known: &Known) -> Self {
        let columns = &known.columns;
        let known = previous.map_or(&known.claims, |previous| &previous.known.claims);
        let declared: Vec<Arc<Declaration>> = present.iter().flat_map(|file| file.declarations.clone()).collect();
        let mut diagnostics: Vec<Diagnostic> = present.iter().flat_map(|file| file.diagnostics.clone()).collect();
        let files: Vec<Arc<LoadedFile>> = present.iter().map(|file| file.settled(previous)).collect();
        let standing = Standing::of(known, changed(&present, previous), |claim| is_lost(claim, &present, &files));
        let all: Vec<&Declaration> = declared.iter().map(AsRef::as_ref).collect();
        let named = |file: &LoadedFile, name: &str| file.names.iter().any(|n| n == name);
        // A name within a file with errors is not unknown: the error that hides it is told already.
        let hidden = |name: &str, from: &str| {
            let quoted = format!("\"{name}\"");
            let written = |file: &LoadedFile| texts.get(&file.name).is_some_and(|text| text.contains(&quoted));
            files.iter().filter(|file| !file.sound).any(|file| named(file, name) || file.names.is_empty() && file.name != from && written(file))
        };
        let groups: Vec<&MeasureDecl> = present.iter().flat_map(|file| &file.measures).collect();
        diagnostics.extend(check::across(&all, Named { measures: &groups, columns }, &hidden, &standing));
        let mut files = running(&files, previous, (&standing, columns), &mut diagnostics);
        let known = Known { claims: claims_of(&standing, &files, &present, columns), columns: columns.clone() };
        tidy(&mut diagnostics);
        let hash = hash_of(&files);
        measured(&mut files);
        let (compiled, ground, sought) = <(Vec<_>, String, BTreeSet<_>)>::default();
        let (templates, maps) = <(Arc<Templates>, Arc<Maps>)>::default();
        Self { files, present, compiled, ground, declared, diagnostics, texts, sought, templates, maps, hash, known }
    }

    /// What runs: the declarations of good files, and of the good versions of broken ones.
    pub fn declarations(&self) -> impl Iterator<Item = &Arc<Declaration>> {
        self.files.iter().flat_map(|file| &file.declarations)
    }

    /// What the files on disk declare, those with errors included: what `check` lists.
    pub fn declared(&self) -> &[Arc<Declaration>] {
        &self.declared
    }

    /// A declaration that runs, by name.
    pub fn declaration(&self, name: &str) -> Option<&Arc<Declaration>> {
        self.declarations().find(|declaration| declaration.name == name)
    }

    pub fn measures(&self) -> impl Iterator<Item = &MeasureDecl> {
        self.files.iter().flat_map(|file| &file.measures)
    }

    pub fn files(&self) -> &[Arc<LoadedFile>] {
        &self.files
    }

    /// Who claims what: known to those that come after.
    pub fn claims(&self) -> &[Claim] {
        &self.known.claims
    }

    /// The labels of columns that it was loaded with.
    pub fn columns(&self) -> &Columns {
        &self.known.columns
    }

    /// The scripts that were compiled for this generation, by name: those that changed, and those that import what changed. The others
    /// are as the generation before had them.
    pub fn compiled(&self) -> &[String] {
        &self.compiled
    }

    /// What the version of a file that runs was made of, by file: its own text and those of its imports. None when no version with this
    /// hash runs.
    pub fn made_of(&self, file: &str, hash: &str) -> Option<BTreeMap<String, String>> {
        let loaded = self.files.iter().find(|loaded| loaded.name == file && loaded.hash == hash)?;
        Some(loaded.inputs.iter().filter_map(|(name, input)| Some((name.clone(), input.text()?.as_ref().to_owned()))).collect())
    }

    /// The templates of mail: those of good files, and the good versions of broken ones.
    pub fn templates(&self) -> &Arc<Templates> {
        &self.templates
    }

    /// The names that imports were looked for under, in order: those of imported files, and where a file would be taken from if there was one.
    pub fn sought(&self) -> impl Iterator<Item = &str> {
        self.sought.iter().map(String::as_str)
    }

    /// Everything that is wrong with the files on disk, by file and line.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Points findings at the very words they are about, and makes edits of what was meant: for what further checks of this generation found.
    pub fn settle(&self, found: &mut Vec<Diagnostic>) {
        settle(found, &self.maps, |file| self.texts.get(file).cloned());
        tidy(found);
    }

    /// No errors; warnings may be there.
    pub fn is_sound(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }

    /// The text of a file as it was loaded, for rendering diagnostics.
    pub fn text(&self, file: &str) -> Option<&str> {
        self.texts.get(file).map(AsRef::as_ref)
    }

    /// The same for those who keep it longer than the generation.
    pub fn shared_text(&self, file: &str) -> Option<Arc<str>> {
        self.texts.get(file).cloned()
    }

    /// BLAKE3 over all files that run, hex.
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

/// What all files of a generation are loaded with.
pub(super) type Tools<'t> = (&'t Arc<Engine>, &'t Table, &'t Arc<Shelf>);

/// What changed between two generations, by name of declaration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    pub added: Vec<String>,
    pub changed: Vec<String>,
    pub removed: Vec<String>,
}

/// Compares what runs before and after. A declaration counts as changed when its file changed, an import of it, or a template that it uses.
pub fn diff(before: &Generation, after: &Generation) -> Difference {
    let hash = |declaration: &Declaration| (declaration.hash.clone(), declaration.sources.hash().to_owned());
    let hashes = |generation: &Generation| generation.declarations().map(|d| (d.name.clone(), hash(d))).collect::<BTreeMap<_, _>>();
    let (old, new) = (hashes(before), hashes(after));
    let fresh = |name: &&String| !old.contains_key(*name);
    let other = |(name, hash): &(&String, &(String, String))| old.get(*name).is_some_and(|before| before != *hash);
    Difference {
        added: new.keys().filter(fresh).cloned().collect(),
        changed: new.iter().filter(other).map(|(name, _)| name.clone()).collect(),
        removed: old.keys().filter(|name| !new.contains_key(*name)).cloned().collect(),
    }
}

fn tools_for(library: &Arc<Library>, limits: &Limits) -> (Arc<Engine>, Table) {
    let mut engine = engine(limits);
    engine.set_module_resolver(Resolver(Arc::clone(library)));
    let table = Table::of(&engine);
    (Arc::new(engine), table)
}

impl LoadedFile {
    /// A good file as it is; a broken one as the version that ran, or without declarations.
    pub(super) fn settled(self: &Arc<Self>, previous: Option<&Generation>) -> Arc<Self> {
        if self.sound {
            return Arc::clone(self);
        }
        let ran = previous.and_then(|previous| previous.files.iter().find(|earlier| earlier.name == self.name && (earlier.sound || earlier.kept)));
        match ran {
            Some(good) => {
                let (diagnostics, names) = (self.diagnostics.clone(), self.names.clone());
                Arc::new(Self { kept: true, sound: false, diagnostics, names, ..good.as_ref().clone() })
            }
            None => self.without(),
        }
    }

    /// Nothing of it runs.
    pub(super) fn without(&self) -> Arc<Self> {
        Arc::new(Self { kept: false, declarations: Vec::new(), measures: Vec::new(), ..self.clone() })
    }
}

/// Files whose text is not the one that ran. With nothing to compare with, none.
fn changed<'f>(present: &'f [Arc<LoadedFile>], previous: Option<&Generation>) -> BTreeSet<&'f str> {
    let Some(previous) = previous else { return BTreeSet::new() };
    let ran = |file: &LoadedFile| previous.files.iter().any(|earlier| earlier.name == file.name && earlier.hash == file.hash);
    present.iter().filter(|file| !ran(file)).map(|file| file.name.as_str()).collect()
}

/// Whether what ran last under a claim is in a file that has errors now, and of which no good version is at hand.
fn is_lost(claim: &Claim, present: &[Arc<LoadedFile>], files: &[Arc<LoadedFile>]) -> bool {
    let runs = |file: &Arc<LoadedFile>| file.name == claim.file && file.declarations.iter().any(|one| one.name == claim.name);
    present.iter().any(|file| file.name == claim.file && !file.sound) && !files.iter().any(runs)
}

/// What runs first, and what would if its file had no errors; then what lies on disk and waits.
fn claims_of(standing: &Standing<'_>, files: &[Arc<LoadedFile>], present: &[Arc<LoadedFile>], columns: &Columns) -> Vec<Claim> {
    let of = |files: &[Arc<LoadedFile>], live: bool| {
        let measures: Vec<&MeasureDecl> = files.iter().flat_map(|file| &file.measures).collect();
        let named = Named { measures: &measures, columns };
        let claim = |what: String, name: &str, file: &str| Claim { what, name: name.to_owned(), file: file.to_owned(), since: 0, live };
        let mut claims: Vec<Claim> = measures.iter().map(|one| claim(check::measure_claim(one), &one.group, &one.place.file)).collect();
        for declaration in files.iter().flat_map(|file| &file.declarations) {
            claims.extend(check::claimed(declaration, named).map(|what| claim(what, &declaration.name, &declaration.place.file)));
        }
        claims
    };
    standing.numbered(of(files, true).into_iter().chain(standing.all_held()).chain(of(present, false)))
}

/// Loads know what is said of their measures, in whichever file.
fn measured(files: &mut [Arc<LoadedFile>]) {
    let all: Vec<MeasureDecl> = files.iter().flat_map(|file| file.measures.clone()).collect();
    for file in files {
        if file.declarations.iter().all(|declaration| declaration.clone_with(&all).is_none()) {
            continue;
        }
        let declarations = file.declarations.iter().map(|one| one.clone_with(&all).map_or_else(|| Arc::clone(one), Arc::new)).collect();
        *file = Arc::new(LoadedFile { declarations, ..file.as_ref().clone() });
    }
}

fn hash_of(files: &[Arc<LoadedFile>]) -> String {
    let mut hasher = blake3::Hasher::new();
    for file in files.iter().filter(|file| file.sound || file.kept) {
        hasher.update(file.name.as_bytes()).update(b"\0").update(file.hash.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// By place, each finding once.
pub(super) fn tidy(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by(|a, b| (&a.file, a.line, a.column, a.code, &a.message).cmp(&(&b.file, b.line, b.column, b.code, &b.message)));
    diagnostics.dedup();
}

/// All templates, and each of their files. Those that are as they were are the set that was.
fn load_templates(library: &Library, names: &[&String], previous: Option<&Generation>) -> (Arc<Templates>, Vec<Arc<LoadedFile>>) {
    let before = || previous.into_iter().flat_map(|previous| &previous.present).filter(|file| is_template(&file.name));
    let stands =
        |(file, name): (&Arc<LoadedFile>, &&String)| file.sound && file.name == **name && file.inputs.get(*name) == Some(&library.input(name));
    if let Some(previous) = previous.filter(|_| before().count() == names.len() && before().zip(names).all(stands)) {
        return (Arc::clone(&previous.templates), before().cloned().collect());
    }
    let files = names.iter().map(|name| ((*name).clone(), library.text(name))).collect();
    let (templates, found) = Templates::load(files, previous.map(|previous| previous.templates.as_ref()));
    let file = |name: &&String| {
        let mut diagnostics: Vec<Diagnostic> = found.iter().filter(|finding| finding.file == **name).cloned().collect();
        tidy(&mut diagnostics);
        let sound = !diagnostics.iter().any(Diagnostic::is_error);
        let (declarations, measures, declared) = <(Vec<_>, Vec<_>, Vec<_>)>::default();
        let (hash, inputs) = (library.hash(name), library.inputs(name));
        Arc::new(LoadedFile { name: (*name).clone(), hash, kept: false, sound, declarations, measures, diagnostics, names: declared, inputs })
    };
    let files = names.iter().map(file).collect();
    (Arc::new(templates), files)
}

fn load_file(library: &Library, tools: Tools, name: &str, limits: &Limits) -> LoadedFile {
    let found = match library.text(name) {
        Ok(text) => declare(library, tools, (name, &text), limits, Purpose::Declarations),
        Err(finding) => Found { diagnostics: vec![*finding], ..Found::default() },
    };
    let hash = library.hash(name);
    let mut diagnostics = found.diagnostics;
    diagnostics.extend(found.declarations.iter().flat_map(check::columns));
    diagnostics.extend(found.declarations.iter().flat_map(check::quiet));
    diagnostics.extend(found.declarations.iter().flat_map(|declaration| check::row_types(declaration, &library.maps)));
    tidy(&mut diagnostics);
    let texts = library.gathered(name);
    let declared = |declaration: Declaration| {
        let sources = sources(&declaration, &texts, (library, tools.2));
        let shape = shape::of(&declaration, name, &texts);
        Arc::new(Declaration { hash: hash.clone(), sources, shape, ..declaration })
    };
    let declarations = found.declarations.into_iter().map(declared).collect();
    let sound = !diagnostics.iter().any(Diagnostic::is_error);
    let inputs = library.inputs(name);
    LoadedFile { name: name.to_owned(), hash, kept: false, sound, declarations, measures: found.measures, diagnostics, names: found.names, inputs }
}

/// What a file is loaded for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Declarations,
    Tests,
}

/// What a journey is made of.
fn sources(declaration: &Declaration, texts: &Texts, (library, shelf): (&Library, &Shelf)) -> Sources {
    let Body::Journey(journey) = &declaration.body else { return Sources::default() };
    let scripts: Vec<Arc<FileMap>> = texts.keys().filter_map(|name| library.maps.get(name)).collect();
    let templates = shelf.get();
    Sources::of(texts.clone().into_iter().chain(templates.texts(sent(journey, &scripts, templates).into_iter())).collect())
}

/// Compiles, checks and runs one file.
pub(super) fn declare(library: &Library, (engine, table, shelf): Tools, (name, text): (&str, &str), limits: &Limits, purpose: Purpose) -> Found {
    let ast = match compile(engine, name, text) {
        Ok(ast) => ast,
        Err(error) => {
            let diagnostics = unparsed(library, engine, table, (name, text), (&error, &Scope::new()), || lenient(limits));
            return Found { diagnostics, ..Found::default() };
        }
    };
    library.maps.add(FileMap::new(name.to_owned(), ast.clone()));
    let mut diagnostics = standing(library, engine, table, (name, &[]), &ast);
    let loading = Loading::new(Arc::clone(engine), Arc::clone(&library.maps), Arc::clone(shelf));
    let loading = match purpose {
        Purpose::Declarations => {
            diagnostics.extend(only_in_tests(name, &ast));
            Arc::new(loading)
        }
        Purpose::Tests => Arc::new(loading.of_tests()),
    };
    let outcome = limits::evaluation(None, None, || run(engine, &ast, Desk::Loading(Arc::clone(&loading))));
    let mut found = std::mem::take(&mut *loading.found());
    if let Err(failed) = outcome {
        let finding = failed_to_load(&failed, name);
        let told = |earlier: &Diagnostic| {
            let types = [Id::ArgumentType.code(), Id::OperatorTypes.code()].contains(&earlier.code);
            earlier.is_error()
                && ((earlier.line, earlier.column) == (finding.line, finding.column) || types && [0, earlier.line].contains(&finding.line))
        };
        let already = failed.fault.kind == FaultKind::NotAllowed && found.diagnostics.iter().any(|d| d.code == Id::EffectAtLoad.code());
        if !already && !diagnostics.iter().chain(&found.diagnostics).any(told) {
            found.diagnostics.push(finding);
        }
    }
    found.diagnostics.append(&mut diagnostics);
    found
}

/// What can be told from the tree: imports, unknown functions, argument counts. `given` are the variables that are there already.
pub(super) fn standing(library: &Library, engine: &Engine, table: &Table, (name, given): (&str, &[&str]), ast: &AST) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (path, at) in check::imports(ast) {
        if let Err(refused) = library.locate(name, &path) {
            found.push(
                Diagnostic::new(refused.id, &place(name, at), refused.message).hint("imports are files of this workspace, relative to this one"),
            );
        }
    }
    let exported = |path: Option<String>| path.and_then(|path| library.exported(engine, &library.locate(name, &path).ok()?));
    let imports = check::aliases(ast).into_iter().map(|(alias, path)| (alias, exported(path))).collect();
    found.extend(check::calls(table, &Own { file: name, ast, given, imports }));
    found.extend(check::types(name, ast));
    found.extend(check::fallbacks(name, ast));
    found
}

fn run(engine: &Engine, ast: &AST, desk: Desk) -> Result<(), Failure> {
    let mut global = engine.new_global_runtime_state();
    global.tag = Dynamic::from(desk);
    let file = ast.source().unwrap_or_default().to_owned();
    Module::eval_ast_as_new_raw(engine, &mut Scope::new(), &mut global, ast).map(|_| ()).map_err(|error| failure(error, &file))
}

/// A file that does not parse. An unknown variable stops the strict parser at the first one; a lenient look finds all of them.
pub(super) fn unparsed(
    library: &Library,
    engine: &Engine,
    table: &Table,
    (name, text): (&str, &str),
    (error, scope): (&rhai::ParseError, &Scope),
    lenient: impl Fn() -> Engine,
) -> Vec<Diagnostic> {
    let mut error = error.clone();
    if let ParseErrorType::VariableUndefined(first) | ParseErrorType::ModuleUndefined(first) = error.0.as_ref() {
        match lenient().compile_with_scope(scope, text) {
            Ok(ast) => {
                let given: Vec<&str> = scope.iter_raw().map(|(name, ..)| name).collect();
                let first = matches!(error.0.as_ref(), ParseErrorType::VariableUndefined(_)).then_some((first.as_str(), error.1));
                let mut found = check::variables(name, &ast, &given, first);
                found.extend(standing(library, engine, table, (name, &given), &ast));
                return found;
            }
            // What looked like a variable may be one no more once the brackets are right.
            Err(syntax) => error = syntax,
        }
    }
    let at = within(text, place(name, error.1));
    let finding = Diagnostic::new(Id::Syntax, &at, capitalised_down(&error.0.to_string()));
    match syntax::missing(&lenient(), (name, text), &error) {
        Some(missing) => {
            let hint = format!("put `{}` at {}:{}", missing.sign, missing.at.line, missing.at.column);
            vec![finding.insertion(&missing.at, missing.sign, true).hint(hint)]
        }
        None => vec![finding.hint_if(syntax_hint(&error.0))],
    }
}

/// A place behind the last line is told as the end of that line.
fn within(text: &str, at: Place) -> Place {
    let (lines, last) = (text.lines().count(), text.lines().last().unwrap_or_default());
    match u32::try_from(lines) {
        Ok(line) if at.line > line => Place { line, column: u32::try_from(last.chars().count() + 1).unwrap_or(1), ..at },
        _ => at,
    }
}

/// Only parses; variables may be anything.
pub(super) fn lenient(limits: &Limits) -> Engine {
    let mut engine = Engine::new_raw();
    engine.set_optimization_level(rhai::OptimizationLevel::None);
    engine.disable_symbol("eval");
    limits.apply(&mut engine);
    engine
}

fn syntax_hint(error: &ParseErrorType) -> Option<String> {
    match error {
        ParseErrorType::Reserved(word) => Some(format!("`{word}` is a reserved word; as a map key write it with quotes: \"{word}\"")),
        ParseErrorType::UnexpectedEOF | ParseErrorType::MissingToken(..) => Some("look for a bracket or a quote that is not closed".to_owned()),
        ParseErrorType::ExprTooDeep => Some("split the expression, or move parts into functions".to_owned()),
        _ if error.to_string().contains("nexpected") => {
            Some("look at what stands before it: a bracket, a comma or a quote may be missing".to_owned())
        }
        _ => None,
    }
}

fn capitalised_down(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

pub(super) fn failed_to_load(failed: &Failure, name: &str) -> Diagnostic {
    let whole = Place { file: name.to_owned(), line: 0, column: 0 };
    let id = match failed.cause {
        Cause::Limit => Id::Limit,
        Cause::UnknownFunction if failed.fault.message.starts_with("no function") => Id::ArgumentType,
        Cause::UnknownVariable => Id::UnknownVariable,
        Cause::UnknownNamespace => Id::UnknownNamespace,
        _ => match failed.fault.code.as_deref() {
            Some("E0105") => Id::ImportOutside,
            Some("E0106") => Id::ImportFailed,
            Some("E0107") => Id::ImportCycle,
            _ => Id::Failed,
        },
    };
    Diagnostic::new(id, failed.place.as_ref().unwrap_or(&whole), failed.fault.message.clone())
}
