//! How a command ends: its exit code, and what it says when it did not do its work.

use std::process::ExitCode;

use crate::{
    config, connectors, host,
    model::{Fault, FaultKind, System},
    sandbox, store,
};

/// The exit codes of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Done = 0,
    /// The work ran and something failed: rows, a run, a test.
    Failed = 1,
    /// Usage or configuration.
    Usage = 2,
    /// A script has errors.
    Scripts = 3,
    /// A system could not be reached or refused the credentials.
    Systems = 4,
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do its work.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// A word for programs.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) place: Option<Box<Spot>>,
    /// The calls of the script that led there, the innermost one first.
    pub(crate) stack: Vec<(String, Spot)>,
    pub(crate) hint: Option<String>,
    pub(crate) system: Option<System>,
    /// People were told already; programs were not.
    pub(crate) shown: bool,
}

/// Where it is; lines and columns count from 1.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Failure {
    pub(crate) fn new(exit: Exit, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { exit, code: code.into(), message: message.into(), place: None, stack: Vec::new(), hint: None, system: None, shown: false }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        let place = error.place().map(|(file, line, column)| Box::new(Spot { file: file.display().to_string(), line, column }));
        Self { place, hint: error.hint(), ..Self::new(Exit::Usage, error.code(), error.to_string()) }
    }
}

/// The exit code of a fault that ended the work.
pub(crate) fn exit_of(fault: &Fault) -> Exit {
    match fault.kind {
        FaultKind::Interrupted => Exit::Interrupted,
        FaultKind::Unavailable | FaultKind::Denied | FaultKind::RateLimited | FaultKind::LimitExceeded if fault.system.is_some() => Exit::Systems,
        _ => Exit::Failed,
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let code = fault.code.clone().unwrap_or_else(|| fault.kind.word().to_owned());
        Self { system: fault.system, ..Self::new(exit_of(&fault), code, fault.to_string()) }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        let (exit, code) = match &error {
            store::Error::NoRun { .. } => (Exit::Usage, "no_run"),
            _ => (Exit::Failed, "state"),
        };
        Self::new(exit, code, error.to_string())
    }
}

impl From<host::Error> for Failure {
    fn from(error: host::Error) -> Self {
        match error {
            host::Error::Config(error) => error.into(),
            host::Error::Store(error) => error.into(),
            host::Error::Sandbox(error) => error.into(),
            host::Error::Running(_) => Self::new(Exit::Usage, "host_running", error.to_string())
                .hint("it takes every save up, and `tabi repl --attach` talks with it; end it to start another one here"),
            host::Error::NoHost { other } => {
                let failure = Self::new(Exit::Usage, "no_host", error.to_string());
                if other.is_some() { failure } else { failure.hint("`tabi up` starts one") }
            }
            host::Error::DeadHost { .. } => Self::new(Exit::Usage, "no_host", error.to_string()).hint("`tabi up` starts a new one and replaces it"),
            host::Error::OtherVersion { .. } | host::Error::Strange { .. } => {
                Self::new(Exit::Usage, "host_version", error.to_string()).hint("start the host again, or attach with its own version")
            }
            host::Error::Silent { .. } => Self::new(Exit::Failed, "host_silent", error.to_string()).hint("end it and start it again"),
            host::Error::Unheard { .. } => Self::new(Exit::Failed, "host_refused", error.to_string()),
            host::Error::HostGone => Self::new(Exit::Failed, "host_gone", error.to_string()).hint("`tabi up` starts one"),
            busy @ host::Error::Busy { .. } => Self::new(Exit::Failed, "busy", busy.to_string()).hint("try again in a moment"),
            host::Error::Connectors(error @ connectors::Error::Smtp { .. }) => Self::new(Exit::Usage, "config_invalid", error.to_string()),
            other => Self::new(Exit::Failed, "io", other.to_string()),
        }
    }
}

impl From<sandbox::Error> for Failure {
    fn from(error: sandbox::Error) -> Self {
        let failure = Self::new(Exit::Usage, "sandbox", error.to_string());
        match error {
            sandbox::Error::OtherCompany { .. } => failure.hint("`tabi sandbox --fresh` with these numbers starts over"),
            sandbox::Error::Corrupt { .. } => failure.hint("`tabi sandbox --fresh` starts over"),
            _ => failure,
        }
    }
}
