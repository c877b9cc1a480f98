//! Why something was refused: the one error that scripts meet.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::System;

/// The closed list of reasons. Scripts match on the word (`err.kind == "rate_limited"`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The system asks to come back later.
    RateLimited,
    /// The daily allowance is used up: trying again today is pointless.
    LimitExceeded,
    /// No such object, field or record.
    NotFound,
    /// The system or Tabi found the request or a value wrong.
    Invalid,
    /// Credentials refused, or a right is missing.
    Denied,
    /// Somebody else holds or changed the row.
    Conflict,
    /// No answer, or an answer that says "not now".
    Unavailable,
    /// The answer was not what the system's documents promise.
    Garbled,
    /// An effect where none may happen (while loading, inside a mapping closure).
    NotAllowed,
    /// The script itself failed: an exception, a limit, a wrong type.
    Script,
    /// The run was asked to stop.
    Interrupted,
    /// Tabi's own state could not be read or written.
    State,
}

impl FaultKind {
    pub const fn word(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::LimitExceeded => "limit_exceeded",
            Self::NotFound => "not_found",
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::Conflict => "conflict",
            Self::Unavailable => "unavailable",
            Self::Garbled => "garbled",
            Self::NotAllowed => "not_allowed",
            Self::Script => "script",
            Self::Interrupted => "interrupted",
            Self::State => "state",
        }
    }
}

/// Why an effect was not carried out. Never holds a secret or a whole body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// Who said so; none for Tabi itself.
    pub system: Option<System>,
    /// What happened and, where known, what to do.
    pub message: String,
    /// The system's own code (`UNABLE_TO_LOCK_ROW`, `GSOBJ_1002`).
    pub code: Option<String>,
    /// The field it is about.
    pub field: Option<String>,
    pub retry_after: Option<Duration>,
}

impl Fault {
    pub fn new(kind: FaultKind, message: impl Into<String>) -> Self {
        Self { kind, system: None, message: message.into(), code: None, field: None, retry_after: None }
    }

    pub fn from_system(system: System, kind: FaultKind, message: impl Into<String>) -> Self {
        Self { system: Some(system), ..Self::new(kind, message) }
    }

    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    #[must_use]
    pub const fn retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    /// The code of a page that could not be read because its system has forgotten where it begins.
    pub const PLACE_LOST: &'static str = "PLACE_LOST";

    /// The system has forgotten where the next page begins; from the begin, it can be read again.
    pub fn is_lost_place(&self) -> bool {
        self.code.as_deref() == Some(Self::PLACE_LOST)
    }

    /// Trying the same again later may work.
    pub const fn is_transient(&self) -> bool {
        matches!(self.kind, FaultKind::RateLimited | FaultKind::Conflict | FaultKind::Unavailable | FaultKind::Garbled)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(system) = self.system {
            write!(f, "{system}: ")?;
        }
        f.write_str(&self.message)?;
        match &self.code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Fault {}
