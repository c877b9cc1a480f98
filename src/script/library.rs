//! The files of a workspace as scripts see them: read with care, compiled once per generation, imported within the workspace only.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, btree_map::Entry},
    fs, io,
    path::{Component, MAIN_SEPARATOR_STR, Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rhai::{AST, Dynamic, Engine, EvalAltResult, Module, ModuleResolver, ParseError, Position, Scope};

use super::{
    declaration::Place,
    desk::{Desk, Maps, zone_of},
    diagnostics::{Diagnostic, Id},
    sources::Texts,
    spots::{FileMap, place},
};

/// Bytes of one script.
const LARGEST: u64 = 1 << 20;
/// The byte order mark that some editors put before a file's text. It is no part of the script.
const MARK: char = '\u{feff}';
/// Files importing files.
const DEEPEST: usize = 16;

/// The workspace's scripts for one generation.
pub(super) struct Library {
    /// As it was given, and as an absolute path.
    given: PathBuf,
    root: PathBuf,
    /// Real folders that imports may come from.
    allowed: Vec<PathBuf>,
    pub(super) maps: Arc<Maps>,
    modules: Mutex<HashMap<PathBuf, Arc<Module>>>,
    /// Imports being resolved, innermost last.
    resolving: Mutex<Vec<PathBuf>>,
    texts: Mutex<BTreeMap<String, Arc<str>>>,
    /// By importing file, the names that its imports were looked for under, whether there was a file or not.
    sought: Mutex<BTreeMap<String, BTreeSet<String>>>,
    /// Importing file and path as written -> the file it was.
    located: Mutex<HashMap<(String, String), String>>,
    /// The texts are all there is: the disk is not asked.
    closed: bool,
}

/// A file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    Text(Arc<str>),
    Absent,
    /// It is there and cannot be a script.
    Unusable,
}

impl Input {
    pub(super) fn text(&self) -> Option<Arc<str>> {
        match self {
            Self::Text(text) => Some(Arc::clone(text)),
            Self::Absent | Self::Unusable => None,
        }
    }
}

/// Files by name.
pub(super) type Inputs = BTreeMap<String, Input>;

/// The engine's way to the library.
pub(super) struct Resolver(pub(super) Arc<Library>);

/// Why an import cannot be.
pub(super) struct Refused {
    pub(super) id: Id,
    pub(super) message: String,
}

fn refused<T>(id: Id, message: impl Into<String>) -> Result<T, Refused> {
    Err(Refused { id, message: message.into() })
}

impl Library {
    pub(super) fn new(root: &Path) -> Self {
        let given = root.to_owned();
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        let allowed = [root.clone(), root.join("scripts")].iter().filter_map(|folder| fs::canonicalize(folder).ok()).collect();
        Self {
            given,
            root,
            allowed,
            maps: Arc::default(),
            modules: Mutex::default(),
            resolving: Mutex::default(),
            texts: Mutex::default(),
            sought: Mutex::default(),
            located: Mutex::default(),
            closed: false,
        }
    }

    /// The workspace's, some of whose files are known already, whatever lies on disk.
    pub(super) fn with(root: &Path, texts: &Texts) -> Self {
        let library = Self::new(root);
        hold(&library.texts).extend(texts.clone());
        library
    }

    /// One of these texts alone, wherever they came from.
    pub(super) fn of(texts: &Texts) -> Self {
        let root = PathBuf::from(MAIN_SEPARATOR_STR);
        Self {
            given: root.clone(),
            root,
            allowed: Vec::new(),
            maps: Arc::default(),
            modules: Mutex::default(),
            resolving: Mutex::default(),
            texts: Mutex::new(texts.clone()),
            sought: Mutex::default(),
            located: Mutex::default(),
            closed: true,
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// A file's name relative to the workspace, with `/` between folders.
    pub(super) fn name(&self, path: &Path) -> String {
        let relative = path.strip_prefix(&self.given).or_else(|_| path.strip_prefix(&self.root)).unwrap_or(path);
        let parts: Vec<_> = relative.components().filter(|part| *part != Component::CurDir).map(|part| part.as_os_str().to_string_lossy()).collect();
        parts.join("/")
    }

    /// A file's text, read once per generation.
    pub(super) fn text(&self, name: &str) -> Result<Arc<str>, Box<Diagnostic>> {
        if let Some(text) = hold(&self.texts).get(name) {
            return Ok(Arc::clone(text));
        }
        if self.closed {
            let whole = Place { file: name.to_owned(), line: 0, column: 0 };
            return Err(Box::new(Diagnostic::new(Id::Unreadable, &whole, "was not kept")));
        }
        let text: Arc<str> = read(&self.root.join(name), name)?.into();
        hold(&self.texts).insert(name.to_owned(), Arc::clone(&text));
        Ok(text)
    }

    /// All texts that were read, by name: what diagnostics quote.
    pub(super) fn texts(&self) -> BTreeMap<String, Arc<str>> {
        hold(&self.texts).clone()
    }

    /// Every name that imports were looked for under.
    pub(super) fn sought(&self) -> BTreeSet<String> {
        hold(&self.sought).values().flatten().cloned().collect()
    }

    /// What a file and everything it imports was made of.
    pub(super) fn inputs(&self, name: &str) -> Inputs {
        let (mut found, mut left) = (Inputs::new(), vec![name.to_owned()]);
        while let Some(name) = left.pop() {
            if let Entry::Vacant(place) = found.entry(name) {
                left.extend(hold(&self.sought).get(place.key()).into_iter().flatten().cloned());
                let input = self.input(place.key());
                place.insert(input);
            }
        }
        found
    }

    /// A file as it lies on disk, read once per generation.
    pub(super) fn input(&self, name: &str) -> Input {
        match self.text(name) {
            Ok(text) => Input::Text(text),
            Err(_) if !self.closed && self.root.join(name).exists() => Input::Unusable,
            Err(_) => Input::Absent,
        }
    }

    fn seek(&self, importer: &str, name: String) {
        hold(&self.sought).entry(importer.to_owned()).or_default().insert(name);
    }

    /// The name of an imported file. A path is relative to the importing file, else to scripts/; `.rhai` may be left out.
    ///
    /// Found once, it stays: a closure may import when it is called, and is of its own generation then, too.
    pub(super) fn locate(&self, importer: &str, path: &str) -> Result<String, Refused> {
        let asked = (importer.to_owned(), path.to_owned());
        if let Some(name) = hold(&self.located).get(&asked) {
            return Ok(name.clone());
        }
        let name = self.look_for(importer, path)?;
        hold(&self.located).insert(asked, name.clone());
        Ok(name)
    }

    fn look_for(&self, importer: &str, path: &str) -> Result<String, Refused> {
        let written = Path::new(path);
        if written.is_absolute() || path.contains('\\') {
            return refused(Id::ImportOutside, format!("`{path}` leads outside the workspace"));
        }
        let file = if written.extension().is_some_and(|extension| extension == "rhai") { path.to_owned() } else { format!("{path}.rhai") };
        let beside = self.root.join(importer).parent().map_or_else(|| self.root.clone(), Path::to_owned);
        let candidates = [beside.join(&file), self.root.join("scripts").join(&file)];
        let mut outside = false;
        for plain in candidates.iter().map(|candidate| lexical(candidate)) {
            if !plain.starts_with(lexical(&self.root)) {
                outside = true;
                continue;
            }
            if self.closed {
                let name = self.name(&plain);
                self.seek(importer, name.clone());
                if hold(&self.texts).contains_key(&name) {
                    return Ok(name);
                }
                continue;
            }
            let Ok(real) = fs::canonicalize(&plain) else {
                self.seek(importer, self.name(&plain));
                continue;
            };
            if !self.allowed.iter().any(|folder| real.starts_with(folder)) {
                return refused(Id::ImportOutside, format!("`{path}` leads outside the workspace by a link"));
            }
            let name = self.name(&plain);
            self.seek(importer, name.clone());
            return Ok(name);
        }
        if outside {
            return refused(Id::ImportOutside, format!("`{path}` leads outside the workspace"));
        }
        refused(Id::ImportFailed, format!("there is no file `{file}` beside this one nor under scripts/"))
    }

    /// A module of an imported file, compiled and run once per generation.
    fn module(&self, engine: &Engine, name: &str) -> Result<Arc<Module>, Refused> {
        let key = PathBuf::from(name);
        if let Some(module) = hold(&self.modules).get(&key) {
            return Ok(Arc::clone(module));
        }
        {
            let mut resolving = hold(&self.resolving);
            if resolving.contains(&key) {
                return refused(Id::ImportCycle, format!("`{name}` imports itself"));
            }
            if resolving.len() >= DEEPEST {
                return refused(Id::ImportFailed, format!("imports are nested more than {DEEPEST} deep"));
            }
            resolving.push(key.clone());
        }
        let module = self.evaluate(engine, name);
        hold(&self.resolving).pop();
        let module = Arc::new(module?);
        hold(&self.modules).insert(key, Arc::clone(&module));
        Ok(module)
    }

    fn evaluate(&self, engine: &Engine, name: &str) -> Result<Module, Refused> {
        let ast = self.compiled(engine, name)?;
        let mut global = engine.new_global_runtime_state();
        global.tag = Dynamic::from(Desk::Importing { zone: zone_of(engine) });
        Module::eval_ast_as_new_raw(engine, &mut Scope::new(), &mut global, &ast).or_else(|error| {
            let failure = super::failure::failure(error, name);
            if failure.fault.code.as_deref() == Some(Id::ImportCycle.code()) {
                return refused(Id::ImportCycle, failure.fault.message);
            }
            refused(Id::ImportFailed, format!("`{name}` fails: {failure}"))
        })
    }

    fn compiled(&self, engine: &Engine, name: &str) -> Result<AST, Refused> {
        let text = self.text(name).or_else(|finding| refused(Id::ImportFailed, format!("`{name}`: {}", finding.message)))?;
        let ast = compile(engine, name, &text)
            .or_else(|error| refused(Id::ImportFailed, format!("`{name}` has a syntax error at {}: {}", place(name, error.1), error.0)))?;
        self.maps.add(FileMap::new(name.to_owned(), ast.clone()));
        Ok(ast)
    }

    /// The functions of an imported file by name and number of parameters; none when it does not compile.
    pub(super) fn exported(&self, engine: &Engine, name: &str) -> Option<Vec<(String, usize)>> {
        let map = match self.maps.get(name) {
            Some(map) => map,
            None => {
                self.compiled(engine, name).ok()?;
                self.maps.get(name)?
            }
        };
        let public = map.ast.iter_functions().filter(|f| f.access == rhai::FnAccess::Public);
        Some(public.map(|f| (f.name.to_owned(), f.params.len())).collect())
    }

    /// BLAKE3 of a file and everything it imports, hex.
    pub(super) fn hash(&self, name: &str) -> String {
        let mut seen = self.gathered(name);
        let mut hasher = blake3::Hasher::new();
        let own = seen.remove(name);
        for text in own.iter().chain(seen.values()) {
            hasher.update(&(text.len() as u64).to_le_bytes()).update(text.as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// The texts of a file and everything it imports.
    pub(super) fn gathered(&self, name: &str) -> Texts {
        let mut seen = Texts::new();
        self.gather(name, &mut seen);
        seen
    }

    fn gather(&self, name: &str, seen: &mut Texts) {
        let Ok(text) = self.text(name) else { return };
        if seen.insert(name.to_owned(), text).is_some() {
            return;
        }
        let Some(map) = self.maps.get(name) else { return };
        for (path, _) in super::check::imports(&map.ast) {
            if let Ok(imported) = self.locate(name, &path) {
                self.gather(&imported, seen);
            }
        }
    }
}

impl ModuleResolver for Resolver {
    fn resolve(&self, engine: &Engine, source: Option<&str>, path: &str, at: Position) -> Result<Arc<Module>, Box<EvalAltResult>> {
        let found = self.0.locate(source.unwrap_or_default(), path).and_then(|name| self.0.module(engine, &name));
        found.map_err(|refused| {
            let fault = crate::model::Fault::new(crate::model::FaultKind::Script, refused.message).code(refused.id.code());
            let mut error = super::failure::thrown(fault);
            error.set_position(at);
            error
        })
    }
}

/// Compiles a file under its name.
pub(super) fn compile(engine: &Engine, name: &str, text: &str) -> Result<AST, ParseError> {
    let mut ast = engine.compile(text)?;
    ast.set_source(name);
    Ok(ast)
}

/// The text of a file of the workspace as a script would be read now; none when it cannot be one.
pub fn glance(root: &Path, name: &str) -> Option<Arc<str>> {
    read(&root.join(name), name).ok().map(Arc::from)
}

/// Reads a script, or says why it cannot be one.
fn read(path: &Path, name: &str) -> Result<String, Box<Diagnostic>> {
    let whole = Place { file: name.to_owned(), line: 0, column: 0 };
    let finding = |id, message: String| Box::new(Diagnostic::new(id, &whole, message));
    let unreadable = |error: io::Error| finding(Id::Unreadable, format!("cannot be read: {error}"));
    let about = fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        return Err(finding(Id::Unreadable, "is not a regular file".to_owned()));
    }
    if about.len() > LARGEST {
        let message = format!("has {:.1} MiB; a script may have {} MiB", mebibytes(about.len()), LARGEST >> 20);
        return Err(finding(Id::TooLarge, message));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    match String::from_utf8(bytes) {
        Ok(text) if text.contains('\0') => Err(finding(Id::NotText, "is binary: it holds zero bytes".to_owned())),
        Ok(text) if text.trim_start_matches(MARK).trim().is_empty() => Err(finding(Id::EmptyFile, "is empty".to_owned())),
        Ok(text) => Ok(text.strip_prefix(MARK).map_or_else(|| text.clone(), str::to_owned)),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let line = error.as_bytes().iter().take(valid).filter(|b| **b == b'\n').count() + 1;
            Err(finding(Id::NotText, format!("is not UTF-8: byte {valid}, in line {line}")))
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// A path with `.` and `..` taken literally.
fn lexical(path: &Path) -> PathBuf {
    let mut found = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                found.pop();
            }
            Component::CurDir => (),
            part => found.push(part),
        }
    }
    found
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
