//! Faults: a seeded list of `SYSTEM:KIND@PROBABILITY`, drawn deterministically for one seed and order of requests.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use super::Error;

/// The systems a fault can name.
pub const SYSTEMS: [&str; 5] = ["salesforce", "pendo", "gainsight", "px", "mail"];

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    TooManyRequests,
    ServerError,
    Unavailable,
    Html,
    Timeout,
    /// Milliseconds.
    Slow(u64),
    Reset,
    ResetAfter,
    Truncate,
    Expired,
    Lock,
    Limit,
    /// The place where the next page begins is forgotten; requests for anything else are answered.
    StalePage,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyRequests => out.write_str("429"),
            Self::ServerError => out.write_str("500"),
            Self::Unavailable => out.write_str("503"),
            Self::Html => out.write_str("html"),
            Self::Timeout => out.write_str("timeout"),
            Self::Slow(ms) => write!(out, "slow={ms}"),
            Self::Reset => out.write_str("reset"),
            Self::ResetAfter => out.write_str("reset_after"),
            Self::Truncate => out.write_str("truncate"),
            Self::Expired => out.write_str("expired"),
            Self::Lock => out.write_str("lock"),
            Self::Limit => out.write_str("limit"),
            Self::StalePage => out.write_str("stale_page"),
        }
    }
}

/// One entry of the list; no system means all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub system: Option<String>,
    pub kind: Kind,
    /// 0 to 1.
    pub probability: f64,
}

impl Rule {
    fn concerns(&self, system: &str) -> bool {
        self.system.as_deref().is_none_or(|named| named == system)
    }
}

/// Reads `SYSTEM:KIND@PROBABILITY[,...]`; nothing means no faults.
pub fn parse(spec: &str) -> Result<Vec<Rule>, Error> {
    spec.split(',').map(str::trim).filter(|part| !part.is_empty()).map(parse_rule).collect()
}

fn parse_rule(part: &str) -> Result<Rule, Error> {
    let wrong = |reason: &str| Error::Fault { part: part.to_owned(), reason: reason.to_owned() };
    let (system, rest) = part.split_once(':').ok_or_else(|| wrong("write SYSTEM:KIND@PROBABILITY"))?;
    let (kind, probability) = rest.split_once('@').ok_or_else(|| wrong("write SYSTEM:KIND@PROBABILITY"))?;
    if system != "*" && !SYSTEMS.contains(&system) {
        return Err(wrong("the system is one of salesforce, pendo, gainsight, px, mail, *"));
    }
    let probability: f64 = probability.trim().parse().map_err(|_| wrong("the probability is a number from 0 to 1"))?;
    if !(0.0..=1.0).contains(&probability) {
        return Err(wrong("the probability is a number from 0 to 1"));
    }
    let kind = parse_kind(kind.trim())
        .ok_or_else(|| wrong("the kind is one of 429 500 503 html timeout slow=MS reset reset_after truncate expired lock limit stale_page"))?;
    Ok(Rule { system: (system != "*").then(|| system.to_owned()), kind, probability })
}

fn parse_kind(kind: &str) -> Option<Kind> {
    Some(match kind {
        "429" => Kind::TooManyRequests,
        "500" => Kind::ServerError,
        "503" => Kind::Unavailable,
        "html" => Kind::Html,
        "timeout" => Kind::Timeout,
        "reset" => Kind::Reset,
        "reset_after" => Kind::ResetAfter,
        "truncate" => Kind::Truncate,
        "expired" => Kind::Expired,
        "lock" => Kind::Lock,
        "limit" => Kind::Limit,
        "stale_page" => Kind::StalePage,
        other => Kind::Slow(other.strip_prefix("slow=")?.parse().ok()?),
    })
}

/// The list in force and how often each system drew from it.
#[derive(Debug)]
pub struct Faults {
    seed: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    requests: HashMap<String, u64>,
    rows: HashMap<String, u64>,
}

impl Faults {
    pub fn new(seed: u64, rules: Vec<Rule>) -> Self {
        Self { seed, state: Mutex::new(State { rules, ..State::default() }) }
    }

    /// Puts another list in force and starts counting anew.
    pub fn replace(&self, rules: Vec<Rule>) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State { rules, ..State::default() };
    }

    /// The list in force, as `SYSTEM:KIND@PROBABILITY[,...]`.
    pub fn spec(&self) -> String {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let rules = state.rules.iter().map(|rule| format!("{}:{}@{}", rule.system.as_deref().unwrap_or("*"), rule.kind, rule.probability));
        rules.collect::<Vec<_>>().join(",")
    }

    /// What happens to the next request of a system; the first rule of the list that strikes.
    pub fn request(&self, system: &str) -> Option<Kind> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.rules.is_empty() {
            return None;
        }
        let number = count(&mut state.requests, system);
        let strikes = |(position, rule): &(usize, &Rule)| rule.kind != Kind::Lock && self.strikes(rule, *position, system, number);
        state.rules.iter().enumerate().find(strikes).map(|(_, rule)| rule.kind)
    }

    /// Whether the next row written to a system fails with the vendor's transient row error.
    pub fn row_is_locked(&self, system: &str) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.rules.iter().any(|rule| rule.kind == Kind::Lock && rule.concerns(system)) {
            return false;
        }
        let number = count(&mut state.rows, system);
        state.rules.iter().enumerate().any(|(position, rule)| rule.kind == Kind::Lock && self.strikes(rule, position, system, number))
    }

    fn strikes(&self, rule: &Rule, position: usize, system: &str, number: u64) -> bool {
        let drawn = xxhash_rust::xxh3::xxh3_64_with_seed(format!("{system}/{position}/{number}").as_bytes(), self.seed);
        #[allow(clippy::cast_precision_loss)]
        let drawn = (drawn >> 11) as f64 / (1_u64 << 53) as f64;
        rule.concerns(system) && drawn < rule.probability
    }
}

fn count(counts: &mut HashMap<String, u64>, system: &str) -> u64 {
    let counted = counts.entry(system.to_owned()).or_default();
    *counted += 1;
    *counted
}
