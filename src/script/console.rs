//! A conversation in rhai: one input after the other, each knowing the variables, functions and imports of those before it.
//!
//! Every input that leaves functions behind stays in one growing text, and the next input is compiled below it. So a place is a line of
//! that text, and a failure within a function of an earlier input points at where it was written.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Arc, RwLock, atomic::AtomicBool},
};

use rhai::{AST, Dynamic, Engine, Scope, Token};

use crate::model::Value;

use super::{
    check::{self, Table},
    declaration::Place,
    desk::Desk,
    diagnostics::{Diagnostic, Id},
    engine::engine,
    failure::failure,
    generation::{self, lenient},
    lex::{PieceKind, lex},
    library::{Library, Resolver},
    limits::{self, Limits, PrintSink},
    perform::Perform,
    run::{RunError, shown, with_stack},
    saved,
    sources::Texts,
    spots::FileMap,
    templates::Shelf,
    trial::only_in_tests,
    value::{from_dynamic, to_dynamic},
};

/// The name of what is typed, in places.
pub const TYPED: &str = "repl";

/// Bytes of one input, as of one file.
const LARGEST: usize = 1 << 20;

/// The last value's name. The engine keeps `_` for `switch`; everywhere else it is let through as a variable.
const LAST: &str = "_";

/// Variables, functions and imports of a conversation.
pub struct Console {
    library: Arc<Library>,
    engine: Engine,
    table: Table,
    limits: Limits,
    templates: Arc<Shelf>,
    scope: Scope<'static>,
    /// Functions and closures of all inputs so far.
    functions: AST,
    /// The inputs that left something behind.
    text: String,
    /// Alias -> path.
    imports: BTreeMap<String, String>,
    arms: Arms,
}

/// How one input is evaluated.
pub struct Turn {
    /// Carries out its effects.
    pub perform: Arc<dyn Perform>,
    /// Receives what it prints.
    pub print: PrintSink,
    /// Ends it soon after being set.
    pub stop: Arc<AtomicBool>,
}

/// What an input came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluated {
    /// Text for what is no data, such as a source or a closure.
    pub value: Value,
    pub is_data: bool,
}

/// Where `_` begins an arm of a `switch` in the text being compiled: line and column.
type Arms = Arc<RwLock<BTreeSet<(usize, usize)>>>;

impl Console {
    /// Nothing said yet. Imports are files of the workspace, relative to `scripts/`.
    pub fn new(root: &Path, limits: Limits) -> Self {
        let library = Arc::new(Library::new(root));
        let arms = Arms::default();
        let mut engine = engine(&limits);
        engine.set_module_resolver(Resolver(Arc::clone(&library)));
        let_last_value_through(&mut engine, &arms);
        let mut scope = Scope::new();
        scope.push_dynamic(LAST, Dynamic::UNIT);
        let templates = Arc::new(Shelf::of(Arc::clone(&library)));
        let (table, functions) = (Table::of(&engine), AST::empty());
        Self { library, engine, table, limits, templates, scope, functions, text: String::new(), imports: BTreeMap::new(), arms }
    }

    /// Reads files anew from now on, but for those whose texts are given. What was said stays.
    pub fn reload(&mut self, root: &Path, texts: &Texts) {
        self.library = Arc::new(Library::with(root, texts));
        self.engine.set_module_resolver(Resolver(Arc::clone(&self.library)));
        self.templates = Arc::new(Shelf::of(Arc::clone(&self.library)));
    }

    /// `_` is this from now on.
    pub fn set_last(&mut self, value: &Value) {
        self.scope.set_value(LAST, to_dynamic(value));
    }

    /// Evaluates one input.
    ///
    /// # Errors
    /// `Unsound` when something is wrong with it before it starts, `Failed` when it fails while it runs. Its variables up to then stay.
    pub fn evaluate(&mut self, input: &str, turn: Turn) -> Result<Evaluated, RunError> {
        if input.len() > LARGEST {
            let message = format!("the input has {} MiB; one input may have {} MiB", input.len() >> 20, LARGEST >> 20);
            return Err(self.refused(Id::TooLarge, message, "put it into a file, or load data with the systems' own functions"));
        }
        if input.contains('\0') {
            return Err(self.refused(Id::NotText, "the input is binary: it holds zero bytes".to_owned(), "type text"));
        }
        with_stack(|| self.evaluate_here(input, turn, false))
    }

    /// Takes the constants and functions of a file of the workspace into the conversation. Nothing is declared by that.
    ///
    /// # Errors
    /// As `evaluate`.
    pub fn enter(&mut self, file: &Path, turn: Turn) -> Result<(), RunError> {
        let name = self.library.name(file);
        let text = self.library.text(&name).map_err(|finding| RunError::Unsound { diagnostics: vec![*finding], text: String::new() })?;
        with_stack(|| self.evaluate_here(&text, turn, true)).map(|_| ())
    }

    fn evaluate_here(&mut self, input: &str, turn: Turn, entering: bool) -> Result<Evaluated, RunError> {
        let Turn { perform, print, stop } = turn;
        let desk = if entering {
            Desk::Importing { zone: self.limits.zone.clone() }
        } else {
            let (stopwatch, zone) = (self.limits.stopwatch, self.limits.zone.clone());
            Desk::Running { perform, stopwatch, templates: Arc::clone(&self.templates), trial: None, zone }
        };
        self.engine.set_default_tag(Dynamic::from(desk));
        let text = format!("{}{input}", self.text);
        let (own, all) = self.compiled(input, &text)?;
        let before = self.scope.len();
        let outcome = limits::evaluation(Some(stop), Some(print), || self.engine.eval_ast_with_scope::<Dynamic>(&mut self.scope, &all));
        self.keep(&own, &all, text, before);
        let value = outcome.map_err(|error| failure(error, TYPED))?;
        if !value.is_unit() {
            self.scope.set_value(LAST, value.clone());
        }
        Ok(match from_dynamic(&value) {
            Ok(value) => Evaluated { value, is_data: true },
            Err(_) => Evaluated { value: Value::text(shown(&self.engine, value)), is_data: false },
        })
    }

    /// The input's own tree, and one with everything that was defined before.
    fn compiled(&self, input: &str, text: &str) -> Result<(AST, AST), RunError> {
        let unsound = |diagnostics| RunError::Unsound { diagnostics, text: text.to_owned() };
        let placed = self.placed(input);
        if let Ok(mut arms) = self.arms.write() {
            *arms = switch_arms(&placed);
        }
        let wrong = |error: rhai::ParseError| {
            let lenient = || {
                let mut engine = lenient(&self.limits);
                let_last_value_through(&mut engine, &self.arms);
                engine
            };
            let quoted = (TYPED, placed.as_str());
            unsound(generation::unparsed(&self.library, &self.engine, &self.table, quoted, (&error, &self.scope), lenient))
        };
        let mut own = self.engine.compile_with_scope(&self.scope, &placed).map_err(wrong)?;
        own.set_source(TYPED);
        let mut all = self.functions.merge(&own);
        all.set_source(TYPED);
        self.library.maps.add(FileMap::new(TYPED.to_owned(), all.clone()));
        let given: Vec<&str> = self.scope.iter_raw().map(|(name, ..)| name).collect();
        let found = generation::standing(&self.library, &self.engine, &self.table, (TYPED, &given), &all);
        let errors: Vec<Diagnostic> = found.into_iter().chain(only_in_tests(TYPED, &own)).filter(Diagnostic::is_error).collect();
        if errors.is_empty() { Ok((own, all)) } else { Err(unsound(errors)) }
    }

    /// The input at its lines of the growing text. Above it stand only the imports so far, and constants that functions ask for.
    fn placed(&self, input: &str) -> String {
        let mut above: Vec<String> = self.imports.iter().map(|(alias, path)| format!("import {path:?} as {alias};")).collect();
        if input.contains("global::") || self.text.contains("global::") {
            let constants: BTreeSet<&str> = self.scope.iter_raw().filter(|(_, constant, _)| *constant).map(|(name, ..)| name).collect();
            above.extend(constants.iter().map(|name| format!("const {name}={name};")));
        }
        let lines = self.text.matches('\n').count();
        // Without a line above there is nothing to stand on; the first input that needs one comes after one that left it.
        if lines == 0 { input.to_owned() } else { format!("{}{}{input}", above.concat(), "\n".repeat(lines)) }
    }

    /// What the input leaves behind.
    fn keep(&mut self, own: &AST, all: &AST, text: String, before: usize) {
        let imports = check::aliases(own).into_iter().filter_map(|(alias, path)| Some((alias, path?)));
        let found = self.imports.len();
        self.imports.extend(imports);
        let has_functions = own.iter_functions().next().is_some();
        if has_functions {
            self.functions = all.clone_functions_only();
        }
        if has_functions || self.imports.len() > found || self.scope.len() > before && self.text.is_empty() {
            self.text = text;
            self.text.push('\n');
        }
        self.forget_shadowed();
    }

    /// Of variables with one name only the last is reachable.
    fn forget_shadowed(&mut self) {
        let names: Vec<String> = self.scope.iter_raw().map(|(name, ..)| name.to_owned()).collect();
        let unique: BTreeSet<&String> = names.iter().collect();
        if unique.len() == names.len() {
            return;
        }
        let constant = |scope: &Scope, name: &str| scope.is_constant(name).unwrap_or(false);
        let mut fresh = Scope::new();
        for name in unique {
            let is_constant = constant(&self.scope, name);
            if let Some(value) = self.scope.remove::<Dynamic>(name) {
                if is_constant {
                    fresh.push_constant_dynamic(name.as_str(), value)
                } else {
                    fresh.push_dynamic(name.as_str(), value)
                };
            }
        }
        self.scope = fresh;
    }

    fn refused(&self, id: Id, message: String, hint: &str) -> RunError {
        let whole = Place { file: TYPED.to_owned(), line: 0, column: 0 };
        RunError::Unsound { diagnostics: vec![Diagnostic::new(id, &whole, message).hint(hint)], text: self.text.clone() }
    }

    /// A failure as `check` would tell it.
    pub fn explain(&self, failed: &super::Failure) -> Diagnostic {
        generation::failed_to_load(failed, TYPED)
    }

    /// Of an input that failed while it ran, the statements that were done before.
    pub fn done<'i>(&self, input: &'i str, failed: &super::Failure) -> &'i str {
        let Some(place) = failed.stack.last().map(|frame| &frame.place).or(failed.place.as_ref()) else { return "" };
        let lines = |text: &str| text.matches('\n').count();
        let kept = self.text.ends_with(&format!("{input}\n"));
        let above = lines(&self.text) - if kept { lines(input) + 1 } else { 0 };
        let within = (place.file == TYPED).then(|| (place.line as usize).checked_sub(above)).flatten().filter(|line| *line > 0);
        within.map_or("", |line| saved::done_before(input, line, place.column as usize))
    }

    /// The text that a place of a diagnostic is in; `input` is what was evaluated last.
    pub fn source(&self, file: &str, input: &str) -> Option<String> {
        match file {
            TYPED if self.text.ends_with(&format!("{input}\n")) => Some(self.text.clone()),
            TYPED => Some(format!("{}{input}", self.text)),
            other => self.library.text(other).ok().map(|text| text.to_string()),
        }
    }

    /// Names and values of the variables there are, `_` among them.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &Dynamic)> {
        self.scope.iter_raw().map(|(name, _, value)| (name, value))
    }

    /// Functions that were defined: name and parameters.
    pub fn functions(&self) -> Vec<(String, Vec<String>)> {
        let own = self.functions.iter_functions().filter(|function| !function.name.contains('$'));
        own.map(|function| (function.name.to_owned(), function.params.iter().map(ToString::to_string).collect())).collect()
    }

    /// Aliases of what was imported.
    pub fn imports(&self) -> impl Iterator<Item = &str> {
        self.imports.keys().map(String::as_str)
    }
}

/// `_` is the last value, except where it begins an arm of a `switch`.
#[allow(deprecated, reason = "not deprecated but volatile, as its own note says; the exact version of rhai is pinned for it")]
fn let_last_value_through(engine: &mut Engine, arms: &Arms) {
    let arms = Arc::clone(arms);
    engine.on_parse_token(move |token, at, _| match token {
        Token::Underscore if !arms.read().is_ok_and(|arms| arms.contains(&(at.line().unwrap_or(0), at.position().unwrap_or(0)))) => {
            Token::Identifier(Box::new(LAST.into()))
        }
        other => other,
    });
}

/// Every `_ =>`.
fn switch_arms(text: &str) -> BTreeSet<(usize, usize)> {
    let pieces: Vec<_> = lex(text).pieces.into_iter().filter(|piece| piece.kind != PieceKind::Comment).collect();
    let word = |at: usize| pieces.get(at).and_then(|piece| text.get(piece.start..piece.end));
    let arms = (0..pieces.len()).filter(|at| word(*at) == Some("_") && matches!(word(at + 1), Some("=>" | "if")));
    arms.filter_map(|at| text.get(..pieces.get(at)?.start)).map(position).collect()
}

/// Line and column behind a text, from 1.
fn position(before: &str) -> (usize, usize) {
    let line = before.matches('\n').count() + 1;
    (line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}
