//! All templates of a workspace at one moment: what they are made of, what they use, and filling them in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
    sync::{Arc, OnceLock},
};

use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, escape_formatter, value::Serde};

use super::{
    scan,
    source::{FOLDER, Part, Source, part_of},
};
use crate::model::{Record, Value};
use crate::script::{
    declaration::Place,
    diagnostics::{Diagnostic, Id},
    library::Library,
    suggest::did_you_mean,
};

/// Steps that filling in one body may take.
const FUEL: u64 = 1_000_000;
/// Columns of text made of HTML.
const WIDTH: usize = 78;
/// Folders within folders.
const DEEPEST: usize = 8;

/// The templates of a workspace. Immutable: a reload makes another set.
pub struct Templates {
    engine: Environment<'static>,
    /// By file.
    sources: BTreeMap<String, Source>,
}

/// Texts by file.
pub(in crate::script) type Files = BTreeMap<String, Result<Arc<str>, Box<Diagnostic>>>;

/// A template filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line; none when the template has no `Subject:`.
    pub subject: Option<String>,
    /// Made of the HTML where the template has no text of its own.
    pub text: String,
    pub html: Option<String>,
}

/// The same without anything that was made of something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filled {
    pub subject: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Templates").field(&self.sources.keys().collect::<Vec<_>>()).finish()
    }
}

/// Where a set comes from: made already, or read from disk when it is first asked for.
pub(in crate::script) struct Shelf {
    library: Option<Arc<Library>>,
    set: OnceLock<Arc<Templates>>,
}

impl Shelf {
    pub(in crate::script) fn with(set: Arc<Templates>) -> Self {
        Self { library: None, set: OnceLock::from(set) }
    }

    pub(in crate::script) fn of(library: Arc<Library>) -> Self {
        Self { library: Some(library), set: OnceLock::new() }
    }

    pub(in crate::script) fn get(&self) -> &Arc<Templates> {
        self.set.get_or_init(|| {
            let Some(library) = &self.library else { return Arc::default() };
            let files = on_disk(library.root()).into_iter().map(|file| (file.clone(), library.text(&file)));
            Arc::new(Templates::load(files.collect(), None).0)
        })
    }
}

/// Whether a file, relative to the workspace, is a template.
pub fn is_template(file: &str) -> bool {
    part_of(file).is_some()
}

/// The template files of a workspace as they lie on disk now.
fn on_disk(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    walk(&root.join(FOLDER), FOLDER, 0, &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, name: &str, depth: usize, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let (path, entry_name) = (entry.path(), entry.file_name());
        let Some(entry_name) = entry_name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let inner = format!("{name}{entry_name}");
        match fs::metadata(&path) {
            Ok(about) if about.is_dir() && depth < DEEPEST => walk(&path, &format!("{inner}/"), depth + 1, found),
            Ok(about) if about.is_file() && is_template(&inner) => found.push(inner),
            _ => (),
        }
    }
}

impl Default for Templates {
    fn default() -> Self {
        Self { engine: engine(), sources: BTreeMap::new() }
    }
}

fn engine() -> Environment<'static> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_debug(true);
    engine.set_fuel(Some(FUEL));
    // Null is a blank field, which a letter shows as nothing.
    engine.set_formatter(|out, state, value| if value.is_none() { Ok(()) } else { escape_formatter(out, state, value) });
    engine
}

impl Templates {
    /// Takes files (path relative to the workspace -> text, or why there is none). A file with an error keeps what `previous` has of it.
    pub(in crate::script) fn load(files: Files, previous: Option<&Self>) -> (Self, Vec<Diagnostic>) {
        let mut set = Self::default();
        let mut found = Vec::new();
        for (file, text) in files {
            match text {
                Ok(text) => found.extend(Source::new(&file, &text).map(|source| set.add(source)).unwrap_or_default()),
                Err(finding) => found.push(*finding),
            }
        }
        found.extend(set.sources.values().flat_map(|source| set.standing(source)));
        let broken: BTreeSet<&str> = found.iter().map(|finding| finding.file.as_str()).collect();
        for earlier in broken.into_iter().filter_map(|file| previous?.sources.get(file)) {
            // It was sound when it was added there.
            set.add(earlier.clone());
        }
        (set, found)
    }

    /// Adds one file, whole or not at all.
    fn add(&mut self, source: Source) -> Vec<Diagnostic> {
        let parts = [(source.body_name(), Some(source.body.clone())), (subject_name(&source), source.subject.as_ref().map(|(text, _)| text.clone()))];
        let parts: Vec<(String, String)> = parts.into_iter().filter_map(|(name, text)| Some((name, text?))).collect();
        let wrong = |(name, text): &(String, String)| self.engine.template_from_named_str(name, text).err().map(|error| (name.clone(), error));
        let faults: Vec<Diagnostic> = parts.iter().filter_map(wrong).map(|(name, error)| diagnostic(&source, &name, &error)).collect();
        if faults.is_empty() {
            for (name, text) in parts {
                // It was just seen to be sound.
                let _ = self.engine.add_template_owned(name, text);
            }
            self.sources.insert(source.file.clone(), source);
        }
        faults
    }

    /// What is wrong between files: names that lead nowhere, filters that do not exist, two subjects.
    fn standing(&self, source: &Source) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        for (at, name) in scan::references(&source.body) {
            if self.engine.get_template(&name).is_err() {
                let known: Vec<String> = self.sources.values().map(Source::body_name).collect();
                let hint = did_you_mean(&name, known.iter().map(String::as_str));
                let message = format!("there is no template `{name}` in scripts/templates/");
                found.push(Diagnostic::new(Id::UnknownTemplate, &place(source, &source.body, at), message).hint_if(hint));
            }
        }
        for (at, name) in scan::filters(&source.body) {
            if !self.has_filter(&name) {
                found.push(Diagnostic::new(Id::TemplateFunction, &place(source, &source.body, at), format!("there is no filter `{name}`")));
            }
        }
        let other = self.part(&source.name, Part::Text).filter(|_| source.part == Part::Html);
        if let (Some((own, column)), Some((others, _))) = (&source.subject, other.and_then(|other| other.subject.as_ref()))
            && own != others
        {
            let at = Place { file: source.file.clone(), line: 1, column: *column };
            let message = format!("`{}` has another subject in its text: `{others}`", source.name);
            found.push(Diagnostic::new(Id::TemplateSubject, &at, message).hint("keep one of them"));
        }
        found
    }

    fn has_filter(&self, name: &str) -> bool {
        let tried = self.engine.compile_expression_owned(format!("''|{name}")).and_then(|expression| expression.eval(()));
        !tried.is_err_and(|error| error.kind() == ErrorKind::UnknownFilter)
    }

    fn part(&self, name: &str, part: Part) -> Option<&Source> {
        self.sources.get(&format!("{FOLDER}{name}.{}", part.extension()))
    }

    /// The bodies of a template, or what to say when there is none.
    fn parts(&self, name: &str) -> Result<Vec<&Source>, Box<Diagnostic>> {
        let parts: Vec<&Source> = [Part::Text, Part::Html].into_iter().filter_map(|part| self.part(name, part)).collect();
        if !parts.is_empty() {
            return Ok(parts);
        }
        let nowhere = Place { file: format!("{FOLDER}{name}.html"), line: 0, column: 0 };
        let known = self.names();
        let hint = did_you_mean(name, known.iter().copied())
            .unwrap_or_else(|| format!("there are {}", known.iter().copied().collect::<Vec<_>>().join(", ")));
        let finding = Diagnostic::new(Id::UnknownTemplate, &nowhere, format!("there is no template `{name}` in scripts/templates/"));
        Err(Box::new(if known.is_empty() { finding.hint("write scripts/templates/NAME.html, NAME.txt or both") } else { finding.hint(hint) }))
    }

    /// The names of all templates, those that are only included among them.
    pub fn names(&self) -> BTreeSet<&str> {
        self.sources.values().map(|source| source.name.as_str()).collect()
    }

    /// The files of these templates and of everything they include or extend, with their texts.
    pub(in crate::script) fn texts<'n>(&self, names: impl Iterator<Item = &'n str>) -> BTreeMap<String, Arc<str>> {
        let mut found = BTreeMap::new();
        let mut waiting: Vec<&Source> =
            names.flat_map(|name| [Part::Text, Part::Html].into_iter().filter_map(|part| self.part(name, part))).collect();
        while let Some(source) = waiting.pop() {
            if found.insert(source.file.clone(), Arc::clone(&source.whole)).is_some() {
                continue;
            }
            let included: Vec<String> = scan::references(&source.body).into_iter().map(|(_, name)| name).collect();
            waiting.extend(self.sources.values().filter(|other| included.contains(&other.body_name())));
        }
        found
    }

    /// Whether a template has a subject of its own; none when there is no such template.
    pub fn has_subject(&self, name: &str) -> Option<bool> {
        self.parts(name).ok().map(|parts| parts.iter().any(|part| part.subject.is_some()))
    }

    /// The fields that a template and what it includes use, as dotted paths (`person.name`).
    ///
    /// # Errors
    /// When there is no such template.
    pub fn fields_used(&self, name: &str) -> Result<BTreeSet<String>, Box<Diagnostic>> {
        Ok(self.parts(name)?.into_iter().flat_map(|source| self.uses(source)).map(|(_, path)| path).collect())
    }

    /// Each field that a template uses and the known ones do not have. Known is a path (`person.name`), everything below it, and every
    /// map that it is in. What the template asks for with `is defined` or gives a `default` may be missing.
    ///
    /// # Errors
    /// When there is no such template.
    pub fn unknown_fields(&self, name: &str, known: &[&str]) -> Result<Vec<Diagnostic>, Box<Diagnostic>> {
        let below = |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let mut found: Vec<Diagnostic> = Vec::new();
        for (source, path) in self.parts(name)?.into_iter().flat_map(|source| self.uses(source)) {
            if known.iter().any(|known| below(&path, known) || below(known, &path)) || scan::is_guarded(&source.body, &path) {
                continue;
            }
            let in_body = scan::usage(&source.body, &path).map(|at| place(source, &source.body, at));
            let at = in_body.or_else(|| in_subject(source, &path)).unwrap_or_else(|| Place { file: source.file.clone(), line: 0, column: 0 });
            let meant = did_you_mean(&path, known.iter().copied()).or_else(|| did_you_mean(root(&path), known.iter().map(|known| root(known))));
            let hint = meant.or_else(|| Some(format!("known are {}", known.join(", "))));
            let finding = Diagnostic::new(Id::TemplateField, &at, format!("there is no field `{path}` to fill in")).hint_if(hint);
            if !found.contains(&finding) {
                found.push(finding);
            }
        }
        found.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        Ok(found)
    }

    /// Fields used by a file and those it includes, with the file that uses them.
    fn uses<'s>(&'s self, source: &'s Source) -> Vec<(&'s Source, String)> {
        let globals: BTreeSet<String> = self.engine.globals().map(|(name, _)| name.to_owned()).collect();
        let (mut found, mut seen, mut waiting) = (Vec::new(), BTreeSet::new(), vec![(source, BTreeSet::<String>::new())]);
        while let Some((source, given)) = waiting.pop() {
            if !seen.insert(source.file.as_str()) {
                continue;
            }
            let names = [Some(source.body_name()), source.subject.is_some().then(|| subject_name(source))];
            for template in names.into_iter().flatten().filter_map(|name| self.engine.get_template(&name).ok()) {
                let paths = template.undeclared_variables(true).into_iter();
                found.extend(paths.filter(|path| !globals.contains(root(path)) && !given.contains(root(path))).map(|path| (source, path)));
            }
            let given: BTreeSet<String> = given.into_iter().chain(scan::locals(&source.body)).collect();
            for (_, name) in scan::references(&source.body) {
                if let Some(included) = self.sources.values().find(|other| other.body_name() == name) {
                    waiting.push((included, given.clone()));
                }
            }
        }
        found.sort_by(|a, b| (&a.0.file, &a.1).cmp(&(&b.0.file, &b.1)));
        found
    }

    /// Fills a template in. The data is what it sees: `#{ person: #{ name: .. } }` as `person.name`.
    ///
    /// # Errors
    /// When there is no such template, when it uses something that the data does not have, or when it cannot be carried out.
    pub fn render(&self, name: &str, data: &Record) -> Result<Rendered, Box<Diagnostic>> {
        let Filled { subject, text, html } = self.fill(name, data)?;
        let text = text.unwrap_or_else(|| html.as_deref().map(plain_text).unwrap_or_default());
        Ok(Rendered { subject, text, html })
    }

    /// The same with the text that the template has of its own, for whoever reads none: to make it of HTML takes longer than all the rest.
    ///
    /// # Errors
    /// As `render`.
    pub fn fill(&self, name: &str, data: &Record) -> Result<Filled, Box<Diagnostic>> {
        let parts = self.parts(name)?;
        let context = minijinja::Value::from(Serde(data));
        let fill = |source: &Source, template: &str| {
            let rendered = self.engine.get_template(template).and_then(|template| template.render(&context));
            rendered.map_err(|error| Box::new(self.explain(source, template, &error, data)))
        };
        let body = |part: Part| parts.iter().find(|source| source.part == part).map(|source| fill(source, &source.body_name())).transpose();
        let (text, html) = (body(Part::Text)?, body(Part::Html)?);
        let subject = parts.iter().find(|source| source.subject.is_some()).map(|source| fill(source, &subject_name(source))).transpose()?;
        // Whatever was filled in, a subject is one line.
        let subject = subject.map(|subject| subject.split_whitespace().collect::<Vec<_>>().join(" "));
        Ok(Filled { subject, text, html })
    }

    /// Where filling in failed, perhaps in an included file, and why.
    fn explain(&self, source: &Source, template: &str, error: &Error, data: &Record) -> Diagnostic {
        let mut innermost = error;
        while let Some(inner) = std::error::Error::source(innermost).and_then(|inner| inner.downcast_ref::<Error>()) {
            innermost = inner;
        }
        let template = innermost.name().unwrap_or(template);
        let source = self.sources.values().find(|other| other.body_name() == template).unwrap_or(source);
        let finding = diagnostic(source, template, innermost);
        if innermost.kind() != ErrorKind::UndefinedError {
            return finding;
        }
        let Some(path) = used(source, template, innermost) else { return finding };
        let known = paths(data);
        let hint = did_you_mean(&path, known.iter().map(String::as_str)).or_else(|| Some(format!("it has {}", known.join(", "))));
        Diagnostic { message: format!("the data has no `{path}`"), ..finding }.hint_if(hint.filter(|_| !known.is_empty()))
    }
}

/// `person` of `person.name`.
fn root(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}

/// What stands at the place of an error.
fn used(source: &Source, template: &str, error: &Error) -> Option<String> {
    let text = if template == source.body_name() { source.body.as_str() } else { source.subject.as_ref()?.0.as_str() };
    let found = text.get(error.range()?)?.trim();
    found.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.').then(|| found.to_owned())
}

/// The dotted paths of a record, those of maps within it included.
fn paths(data: &Record) -> Vec<String> {
    let of = |(name, value): (&crate::model::Name, &Value)| match value {
        Value::Map(inner) if !inner.is_empty() => paths(inner).into_iter().map(|path| format!("{name}.{path}")).collect(),
        _ => vec![name.to_string()],
    };
    data.iter().flat_map(of).collect()
}

/// One subject for both bodies would be ambiguous: each file's has a name of its own.
fn subject_name(source: &Source) -> String {
    format!("{}.{}.subject", source.name, source.part.extension())
}

fn place(source: &Source, body: &str, at: usize) -> Place {
    let (line, column) = scan::position(body, at);
    Place { file: source.file.clone(), line: line + source.first_line - 1, column }
}

fn in_subject(source: &Source, path: &str) -> Option<Place> {
    let (subject, column) = source.subject.as_ref()?;
    let at = scan::usage(subject, path)?;
    Some(Place { file: source.file.clone(), line: 1, column: column + scan::position(subject, at).1 - 1 })
}

/// An error of the engine in our words, at its place in the file.
fn diagnostic(source: &Source, template: &str, error: &Error) -> Diagnostic {
    let in_body = template == source.body_name();
    let at = match (error.range(), error.line()) {
        (Some(range), _) if in_body => place(source, &source.body, range.start),
        (Some(range), _) => {
            let (subject, column) = source.subject.as_ref().map_or(("", 1), |(subject, column)| (subject.as_str(), *column));
            Place { file: source.file.clone(), line: 1, column: column + scan::position(subject, range.start).1 - 1 }
        }
        (None, Some(line)) if in_body => {
            Place { file: source.file.clone(), line: u32::try_from(line).unwrap_or(1) + source.first_line - 1, column: 1 }
        }
        (None, Some(_)) => Place { file: source.file.clone(), line: 1, column: 1 },
        (None, None) => Place { file: source.file.clone(), line: 0, column: 0 },
    };
    let id = match error.kind() {
        ErrorKind::SyntaxError | ErrorKind::InvalidDelimiter => Id::TemplateSyntax,
        ErrorKind::TemplateNotFound => Id::UnknownTemplate,
        ErrorKind::UndefinedError => Id::TemplateField,
        ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction => Id::TemplateFunction,
        _ => Id::TemplateFailed,
    };
    let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    Diagnostic::new(id, &at, detail)
}

/// HTML as a person would read it without one: paragraphs, lists, and links as footnotes.
pub fn plain_text(html: &str) -> String {
    let made = html2text::config::plain().no_link_wrapping().string_from_read(html.as_bytes(), WIDTH);
    made.unwrap_or_default().trim_end().to_owned()
}
