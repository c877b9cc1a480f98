//! A plan of one declaration whose answers are kept, and a test that is given them again.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    flow::{
        self, Hands, Notify, Summary,
        recording::{Recorder, Recording},
    },
    host::{Error, Session, Workspace},
    model::Date,
    script::{Declaration, Perform},
};

/// Where recordings lie.
const FOLDER: &str = "tests/recordings";

/// Files of one recording, relative to the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// What was answered.
    pub recording: PathBuf,
    /// A test that asks again.
    pub test: PathBuf,
    /// How its snapshot is called, too.
    pub slug: String,
}

impl Files {
    /// Of a declaration. Names are told apart by their letters and digits.
    pub fn of(name: &str) -> Self {
        let letters: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let slug: String = letters.trim_matches('-').chars().take(60).collect();
        let recording = Path::new(FOLDER).join(format!("{slug}.json"));
        Self { recording, test: Path::new("tests").join(format!("{slug}_recorded_test.rhai")), slug }
    }

    /// What the test compares with.
    pub fn snapshot(&self) -> PathBuf {
        Path::new("tests/snapshots").join(format!("{0}_recorded_test/{0}.json", self.slug))
    }
}

/// Plans a declaration, reading everything and at most so many records of each source, and keeps what was answered.
///
/// # Errors
/// When the state file cannot be used. What fails within the plan is in the summary.
pub fn record(
    workspace: &Workspace,
    session: &Session,
    declaration: &Arc<Declaration>,
    (dates, most): (Vec<Date>, usize),
    notify: &Notify,
) -> Result<(Option<Summary>, Recording), Error> {
    let systems: Arc<dyn Perform> = Arc::new(session.wire.clone());
    let recorder = Arc::new(Recorder::new(systems, workspace.sample().redaction, session.store.sample_key()?, most));
    let options = flow::Options {
        hands: Hands::Plan,
        reason: "record".into(),
        owner: "tabi record".into(),
        dates: dates.clone(),
        full: true,
        answers: Some(Arc::clone(&recorder) as Arc<dyn Perform>),
        ..workspace.run_options()
    };
    let summary = flow::run(std::slice::from_ref(declaration), &options, &session.wire, notify, &session.stop, |_| ()).pop();
    Ok((summary, recorder.recording(&declaration.name, options.now, dates)))
}

/// Writes the recording, and the test unless there is one already; whether there was none.
///
/// # Errors
/// When one of the files cannot be written; a file is never left half written.
pub fn keep(root: &Path, files: &Files, recording: &Recording, test: &str) -> io::Result<bool> {
    fs::create_dir_all(root.join(FOLDER))?;
    let (target, beside) = (root.join(&files.recording), root.join(&files.recording).with_extension("json.new"));
    fs::write(&beside, recording.text())?;
    fs::rename(&beside, &target)?;
    match fs::OpenOptions::new().write(true).create_new(true).open(root.join(&files.test)) {
        Ok(mut file) => io::Write::write_all(&mut file, test.as_bytes()).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
