//! A workspace in a temporary folder, and performers of effects that write down what they were asked.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tabi::{
    model::{Effect, Fault, Page, Reply, RowOutcome, Value},
    script::{Body, Cell, Closure, Generation, Limits, Perform, RunError, ScriptRun, run_source},
};

/// A workspace whose files are given by the test.
pub(crate) struct Workspace {
    folder: tempfile::TempDir,
    files: Vec<PathBuf>,
}

impl Workspace {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let mut workspace = Self { folder: tempfile::tempdir().unwrap(), files: Vec::new() };
        for (name, text) in files {
            workspace.write(name, text);
        }
        workspace
    }

    pub(crate) fn write(&mut self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        if name.starts_with("scripts/") && !self.files.contains(&path) {
            self.files.push(path);
        }
    }

    /// Adds a file that the test made itself.
    pub(crate) fn add(&mut self, name: &str) {
        self.files.push(self.root().join(name));
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub(crate) fn load(&self) -> Generation {
        self.load_with(&Limits::default(), None)
    }

    pub(crate) fn load_with(&self, limits: &Limits, previous: Option<&Generation>) -> Generation {
        Generation::load(&self.root(), &self.files, limits, previous)
    }
}

/// Code and message of every finding.
pub(crate) fn findings(generation: &Generation) -> Vec<String> {
    generation.diagnostics().iter().map(|d| format!("{} {}:{}:{} {}", d.code, d.file, d.line, d.column, d.message)).collect()
}

/// The closure of a mapping that computes one field, written by the test.
pub(crate) fn closure(script: &str) -> (Workspace, Closure) {
    let workspace = Workspace::new(&[("scripts/a.rhai", script)]);
    let generation = workspace.load();
    assert_eq!(findings(&generation), Vec::<String>::new());
    let closure = first_closure(&generation);
    (workspace, closure)
}

pub(crate) fn first_closure(generation: &Generation) -> Closure {
    let declaration = generation.declarations().next().unwrap();
    let Body::Mapping(mapping) = &declaration.body else { panic!("a mapping") };
    let found = mapping.fields.iter().find_map(|field| if let Cell::Compute(closure) = &field.from { Some(closure.clone()) } else { None });
    found.unwrap()
}

/// A mapping script around one closure.
pub(crate) fn mapping(before: &str, closure: &str) -> String {
    format!(
        "{before}\nmapping(\"m\", #{{ from: salesforce::object(\"Account\"), to: gainsight::object(\"Company\"), \
         match_on: #{{ SfdcAccountId: \"Id\" }}, fields: #{{ X: {closure} }} }});\n"
    )
}

/// Answers effects from a closure of the test and remembers them.
pub(crate) struct Scripted {
    pub(crate) asked: Mutex<Vec<Effect>>,
    answer: Answer,
}

type Answer = Box<dyn Fn(&Effect) -> Result<Reply, Fault> + Send + Sync>;

impl Scripted {
    pub(crate) fn new(answer: impl Fn(&Effect) -> Result<Reply, Fault> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { asked: Mutex::default(), answer: Box::new(answer) })
    }

    /// Empty pages, empty values, every row written.
    pub(crate) fn agreeable() -> Arc<Self> {
        Self::new(|effect| {
            Ok(match effect {
                Effect::Read(_) => Reply::Page(Page::default()),
                Effect::Write(write) => {
                    Reply::Written(write.rows.iter().map(|_| RowOutcome { id: Some("id-1".into()), created: true, fault: None }).collect())
                }
                Effect::Describe { system, object } => {
                    Reply::Schema(tabi::model::ObjectSchema { system: *system, name: object.clone(), label: object.clone(), fields: Vec::new() })
                }
                _ => Reply::Value(Value::List(Vec::new())),
            })
        })
    }
}

impl Perform for Scripted {
    fn perform(&self, effect: Effect) -> Result<Reply, Fault> {
        let answer = (self.answer)(&effect);
        self.asked.lock().unwrap().push(effect);
        answer
    }
}

/// Runs source as a plain script.
pub(crate) fn run(text: &str, perform: Arc<Scripted>) -> Result<Value, RunError> {
    let folder = tempfile::tempdir().unwrap();
    run_source(folder.path(), text, ScriptRun::with(perform))
}
