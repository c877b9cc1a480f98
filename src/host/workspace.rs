//! A workspace: its folder, its configuration, its state file.

use std::{
    collections::BTreeMap,
    env, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    config::{self, Config},
    flow::{self, backtest::Redaction},
    host::clock::Clock,
    model::{Date, Known, day::day_of},
    sandbox,
    store::{self, Retention, Store},
};

use super::{Error, Loaded, known::known, reload::reload_after};

/// Rows asked for in one page.
const PAGE: u32 = 2_000;

/// Rejected rows kept of one run; the rest is only counted.
const REJECTIONS: u64 = 10_000;

/// Records kept of each source of a declaration for back-tests.
const SAMPLE: u32 = 1_000;

/// A folder with `tabi.toml`, `scripts/` and `.tabi/`, and what time it is there.
#[derive(Debug, Clone)]
pub struct Workspace {
    pub root: PathBuf,
    pub config: Config,
    pub clock: Clock,
    sandbox: bool,
    /// The address of the server that this process runs.
    pub(super) serving: Option<Arc<str>>,
}

impl Workspace {
    /// Opens the folder, or the nearest one upward from here with a `tabi.toml`, or this one.
    /// With `sandbox`, every system is the sandbox whatever is connected.
    pub fn open(dir: Option<&Path>, sandbox: bool, clock: Clock) -> Result<Self, config::Error> {
        let unreadable = |source: io::Error| config::Error::Unreadable { file: dir.unwrap_or(Path::new(".")).to_owned(), source };
        let root = match dir {
            Some(dir) => dir.canonicalize().map_err(unreadable)?,
            None => nearest(&env::current_dir().map_err(unreadable)?),
        };
        let config = config::load(&root)?;
        Ok(Self { root, config, clock, sandbox, serving: None })
    }

    /// Links of mails lead to this address from now on.
    pub fn serve_at(&mut self, url: &str) {
        self.serving = Some(url.into());
    }

    /// The same workspace at another time, on a sandbox whatever is connected.
    pub(super) fn on_clock(&self, clock: Clock) -> Self {
        Self { clock, sandbox: true, ..self.clone() }
    }

    /// Whether every system is the sandbox.
    pub fn is_sandboxed(&self) -> bool {
        self.sandbox || self.config.is_unconnected()
    }

    /// The folder of everything that is not written by people.
    pub fn private(&self) -> PathBuf {
        self.root.join(".tabi")
    }

    /// The documents of the sandbox.
    pub fn sandbox_folder(&self) -> PathBuf {
        self.private().join("sandbox")
    }

    /// The company of this workspace's sandbox, as `tabi.toml` says it.
    pub fn sandbox_options(&self) -> sandbox::Options {
        let company = &self.config.sandbox;
        sandbox::Options {
            folder: Some(self.sandbox_folder()),
            accounts: company.accounts,
            people: company.people,
            seed: company.seed,
            strict: company.strict,
            ..sandbox::Options::default()
        }
    }

    /// Loads the scripts as they lie on disk now, beside what ran before as the state file knows it. One that cannot be used is told by
    /// whatever needs it.
    pub fn load(&self) -> Loaded {
        let known = self.existing_store().and_then(|store| store.map_or_else(|| Ok(Known::default()), |store| known(&store)));
        reload_after(self, None, &known.unwrap_or_default()).0
    }

    /// The calendar day in the workspace's zone.
    pub fn today(&self) -> Date {
        day_of(self.clock.now(), &self.config.timezone)
    }

    /// How declarations are run when nothing else is said: for today, incrementally.
    pub fn run_options(&self) -> flow::Options {
        flow::Options {
            hands: flow::Hands::Live,
            reason: "by hand".into(),
            owner: "tabi".into(),
            dates: vec![self.today()],
            full: false,
            page_size: PAGE,
            rule_updates: self.rule_updates().cloned(),
            keep_rejections: REJECTIONS,
            now: self.clock.now(),
            occasion: flow::journey::Occasion::People,
            zone: self.config.timezone.clone(),
            mailer: flow::journey::Mailer::none(),
            mailers: BTreeMap::new(),
            sample: self.sample(),
            answers: None,
        }
    }

    /// How much is remembered, where `tabi.toml` says nothing else: runs for a year, the journal of changes for 90 days and 5,000,000 records,
    /// what people went through in journeys for two years after they ended, the texts of 50 revisions of each journey.
    pub fn retention(&self) -> Retention {
        let state = &self.config.state;
        let days = |length: Option<std::time::Duration>, usual: u32| {
            Some(length.map_or(usual, |length| u32::try_from(length.as_secs().div_ceil(86_400)).unwrap_or(u32::MAX)))
        };
        Retention {
            run_days: days(state.runs, 365),
            journal_days: days(state.journal, 90),
            journal_rows: Some(state.journal_rows.unwrap_or(5_000_000)),
            participant_days: days(state.participants, 730),
            revision_texts: Some(50),
        }
    }

    /// What is kept of runs for back-tests, as `tabi.toml` says it.
    pub fn sample(&self) -> flow::Sample {
        let state = &self.config.state;
        let redaction = state.redact.as_deref().map_or_else(Redaction::default, Redaction::of);
        flow::Sample { records: state.sample.unwrap_or(SAMPLE), redaction: Arc::new(redaction) }
    }

    /// Salesforce object -> fields that rules may write; none when nothing is said and all are open.
    pub fn rule_updates(&self) -> Option<&BTreeMap<String, Vec<String>>> {
        self.config.salesforce.as_ref()?.get_ref().rule_updates.as_ref()
    }

    /// Whether Salesforce is a real organisation here.
    pub fn reaches_salesforce(&self) -> bool {
        let connected = self.config.salesforce.as_ref().map(config::Section::get_ref);
        !self.is_sandboxed() && connected.is_some_and(|section| section.auth.is_some() && !section.sandbox)
    }

    /// Cursors and runs of a connected workspace that plays on the sandbox are kept apart: they say nothing about the real systems.
    pub fn state_file(&self) -> PathBuf {
        let apart = self.sandbox && !self.config.is_unconnected();
        if apart { self.sandbox_folder().join("state.db") } else { self.private().join("state.db") }
    }

    /// Opens the state file and makes it when there is none.
    pub fn store(&self) -> Result<Arc<Store>, store::Error> {
        let store = Store::open(self.state_file())?;
        store.interrupt_dead(self.clock.now())?;
        Ok(Arc::new(store))
    }

    /// The state file where there is one already: looking makes none.
    pub fn existing_store(&self) -> Result<Option<Arc<Store>>, store::Error> {
        if self.state_file().exists() { self.store().map(Some) } else { Ok(None) }
    }
}

fn nearest(here: &Path) -> PathBuf {
    here.ancestors().find(|folder| folder.join(config::FILE).is_file()).unwrap_or(here).to_owned()
}

/// Threads for everything that waits; the work itself blocks threads of its own.
pub fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Error::Threads)
}
