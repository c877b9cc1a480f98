//! Test files, loaded: every `test(name, || ..)` of each, and everything that is wrong with them. Loading asks no system.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use rhai::{Engine, EvalAltResult, Position};

use crate::model::{Fault, FaultKind};
use crate::script::{
    check::Table,
    closure::Closure,
    declaration::Place,
    diagnostics::{Diagnostic, Id},
    engine::engine,
    failure::as_map,
    generation::{self, Purpose},
    library::{Library, Resolver},
    limits::{self, Limits},
    templates::Shelf,
};

use super::{Broken, TestHands, Trial};

/// One test file.
#[derive(Debug)]
pub struct TestFile {
    /// Relative to the workspace.
    pub name: String,
    /// As they are written; none when the file has errors.
    pub tests: Vec<Test>,
    pub diagnostics: Vec<Diagnostic>,
    /// The text of every file that this load has read, for rendering diagnostics.
    texts: Arc<BTreeMap<String, Arc<str>>>,
}

/// One test.
#[derive(Debug, Clone)]
pub struct Test {
    pub name: String,
    pub place: Place,
    pub(in crate::script) closure: Closure,
}

/// Loads test files (paths relative to the root, or below it), all with one engine. Files that they import are read once.
pub fn load_tests<P: AsRef<Path>>(root: &Path, files: &[P], limits: &Limits) -> Vec<TestFile> {
    let library = Arc::new(Library::new(root));
    let mut engine = engine(limits);
    engine.set_module_resolver(Resolver(Arc::clone(&library)));
    tell_where(&mut engine);
    let engine = Arc::new(engine);
    let (table, shelf) = (Table::of(&engine), Arc::new(Shelf::of(Arc::clone(&library))));
    let names: BTreeSet<String> = files.iter().map(|file| library.name(file.as_ref())).collect();
    let loaded: Vec<_> = names.into_iter().map(|name| (tests_of(&library, (&engine, &table, &shelf), &name, limits), name)).collect();
    let texts = Arc::new(library.texts());
    loaded.into_iter().map(|((tests, diagnostics), name)| TestFile { name, tests, diagnostics, texts: Arc::clone(&texts) }).collect()
}

/// Ends a test that is asked to stop where it next reads a variable: the engine's own way to end it does not tell the place.
#[allow(deprecated, reason = "not deprecated but volatile, as its own note says; the exact version of rhai is pinned for it")]
fn tell_where(engine: &mut Engine) {
    engine.on_var(|_, _, _| {
        if !limits::stopped() {
            return Ok(None);
        }
        let fault = Fault::new(FaultKind::Interrupted, "the test was asked to stop");
        Err(EvalAltResult::ErrorRuntime(as_map(&fault).into(), Position::NONE).into())
    });
}

fn tests_of(library: &Library, tools: generation::Tools, name: &str, limits: &Limits) -> (Vec<Test>, Vec<Diagnostic>) {
    let text = match library.text(name) {
        Ok(text) => text,
        Err(finding) => return (Vec::new(), vec![*finding]),
    };
    let found = generation::declare(library, tools, (name, &text), limits, Purpose::Tests);
    let mut diagnostics = found.diagnostics;
    diagnostics.extend(doubles(&found.tests));
    if found.tests.is_empty() && !diagnostics.iter().any(Diagnostic::is_error) {
        let whole = Place { file: name.to_owned(), line: 0, column: 0 };
        diagnostics.push(Diagnostic::new(Id::NoTests, &whole, "declares no test").hint("a test is `test(\"what holds\", || { .. });`"));
    }
    generation::tidy(&mut diagnostics);
    let sound = !diagnostics.iter().any(Diagnostic::is_error);
    (if sound { found.tests } else { Vec::new() }, diagnostics)
}

/// Tests of one name cannot be told apart in reports.
fn doubles(tests: &[Test]) -> Vec<Diagnostic> {
    let double = |(at, test): (usize, &Test)| {
        let first = tests.iter().take(at).find(|earlier| earlier.name == test.name)?;
        let finding = Diagnostic::new(Id::DuplicateTest, &test.place, format!("two tests of this file are called \"{}\"", test.name));
        Some(finding.label(&first.place, "the first one").hint("reports and `tabi test NAME` tell tests by their names"))
    };
    tests.iter().enumerate().filter_map(double).collect()
}

impl TestFile {
    /// The text of this file or of one that it imports.
    pub fn text(&self, file: &str) -> Option<&str> {
        self.texts.get(file).map(AsRef::as_ref)
    }

    pub fn is_sound(&self) -> bool {
        !self.diagnostics.iter().any(Diagnostic::is_error)
    }
}

impl Test {
    /// Runs it on the calling thread, whose stack has to bear the deepest script that the limits allow.
    ///
    /// # Errors
    /// What failed first, and where.
    pub fn run(&self, hands: TestHands) -> Result<(), Box<Broken>> {
        let trial = Arc::new(Trial::new(hands.bench, hands.last));
        trial.is_at(self.place.clone());
        let ended = self.closure.call_in_test(hands.perform, Arc::clone(&trial), hands.stop, hands.print);
        ended.map_err(|failure| Box::new(Broken::by(&failure, self, trial.unequal(), trial.last())))
    }
}
