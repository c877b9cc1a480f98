//! The systems Tabi speaks to.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A system at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    Salesforce,
    Pendo,
    Gainsight,
    Px,
    /// Mail by SMTP. It takes messages and holds no records: whatever reads or writes rows of it is refused.
    Mail,
}

impl System {
    pub const ALL: [Self; 5] = [Self::Salesforce, Self::Pendo, Self::Gainsight, Self::Px, Self::Mail];

    /// The word used in `tabi.toml`, scripts, logs and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Salesforce => "salesforce",
            Self::Pendo => "pendo",
            Self::Gainsight => "gainsight",
            Self::Px => "px",
            Self::Mail => "mail",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for System {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|system| system.name() == text)
            .ok_or_else(|| format!("`{text}` is none of salesforce, pendo, gainsight, px, mail"))
    }
}
