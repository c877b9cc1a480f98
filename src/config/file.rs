//! The sections of `tabi.toml` as they are written.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    time::Duration,
};

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{Secret, Setting};

/// A section and where it stands in the file.
pub type Section<T> = toml::Spanned<T>;

/// The whole file. A system without a section is not connected; with none at all, every system is the sandbox.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Days and times of day of schedules; UTC when not given.
    #[serde(default = "utc", deserialize_with = "zone")]
    pub timezone: TimeZone,
    pub salesforce: Option<Section<Salesforce>>,
    pub pendo: Option<Section<Pendo>>,
    pub gainsight: Option<Section<Gainsight>>,
    pub px: Option<Section<Px>>,
    pub email: Option<Section<Email>>,
    pub server: Option<Section<Server>>,
    #[serde(default)]
    pub http: Http,
    #[serde(default)]
    pub state: State,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub sandbox: Sandbox,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timezone: utc(),
            salesforce: None,
            pendo: None,
            gainsight: None,
            px: None,
            email: None,
            server: None,
            http: Http::default(),
            state: State::default(),
            limits: Limits::default(),
            sandbox: Sandbox::default(),
        }
    }
}

/// How Tabi signs in to Salesforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    ClientCredentials,
    JwtBearer,
    RefreshToken,
    /// The SOAP `login()` call, or OAuth's password flow when a client is given.
    Password,
    AccessToken,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Salesforce {
    /// The sandbox instead of a real organisation.
    #[serde(default)]
    pub sandbox: bool,
    pub auth: Option<Auth>,
    /// Where to sign in.
    pub login_url: Option<Setting>,
    /// Where the API is, when it is not where the sign-in says.
    pub base_url: Option<Setting>,
    /// Such as `62.0`.
    pub api_version: Option<String>,
    pub client_id: Option<Setting>,
    pub client_secret: Option<Secret>,
    pub username: Option<Setting>,
    pub password: Option<Secret>,
    pub security_token: Option<Secret>,
    pub refresh_token: Option<Secret>,
    pub private_key: Option<Secret>,
    pub access_token: Option<Secret>,
    /// Whom a signed login is for, when neither `https://login.salesforce.com` nor `https://test.salesforce.com`.
    pub audience: Option<String>,
    /// The permission set that is given access to fields made by Tabi.
    pub permission_set: Option<String>,
    /// From so many rows of one operation on, Bulk API 2.0 is used.
    pub bulk_threshold: Option<NonZeroUsize>,
    /// A query that finds more rows than this is read by a Bulk API 2.0 job.
    pub bulk_query_threshold: Option<NonZeroU64>,
    /// Collection calls in flight at once.
    pub parallel: Option<NonZeroUsize>,
    /// Object -> the fields that rules may write, the identifier included; none: rules may write every field. (A13)
    pub rule_updates: Option<BTreeMap<String, Vec<String>>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pendo {
    #[serde(default)]
    pub sandbox: bool,
    /// `us`, `us1`, `eu`, `jp` or `au`.
    pub region: Option<String>,
    pub base_url: Option<Setting>,
    pub integration_key: Option<Secret>,
    /// What Pendo signs its web hooks with.
    pub webhook_secret: Option<Secret>,
    /// The most calls a minute; as many as Pendo takes when not given.
    pub calls_per_minute: Option<NonZeroU32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gainsight {
    #[serde(default)]
    pub sandbox: bool,
    /// Such as `https://acme.gainsightcloud.com`.
    pub domain: Option<Setting>,
    pub base_url: Option<Setting>,
    pub access_key: Option<Secret>,
    pub client_id: Option<Setting>,
    pub client_secret: Option<Secret>,
    /// The tenant's limits; the documented ones when not given.
    pub calls_per_minute: Option<NonZeroU32>,
    pub calls_per_day: Option<NonZeroU32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Px {
    #[serde(default)]
    pub sandbox: bool,
    /// `us`, `us2` or `eu`.
    pub region: Option<String>,
    pub base_url: Option<Setting>,
    pub api_key: Option<Secret>,
    pub product_key: Option<Setting>,
    /// Real-time survey sync is switched on in Gainsight's PX connector: surveys in the product need it. On the sandbox it is. (B18)
    pub survey_sync: Option<bool>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// The sandbox's mail server instead of a real one.
    #[serde(default)]
    pub sandbox: bool,
    /// Such as `smtps://mail.example.com`, or `smtp://mail.example.com:587` for STARTTLS.
    pub smtp: Option<Setting>,
    /// Whom mail is from unless it says so itself.
    pub from: Option<String>,
    pub reply_to: Option<String>,
    pub username: Option<Setting>,
    pub password: Option<Secret>,
    /// The most messages a minute; as many as the server takes when not given.
    pub mails_per_minute: Option<NonZeroU32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Loopback unless told otherwise.
    #[serde(default = "loopback")]
    pub listen: SocketAddr,
    /// The address that links in mails and web hooks carry, such as `https://tabi.example.com`; `http://LISTEN` when not given.
    pub public_url: Option<String>,
    /// Whether the dashboard is shown: `true` also to others who have its key (`tabi hooks`), `false` to nobody; to people of this machine when
    /// not given.
    pub dashboard: Option<bool>,
}

/// How all systems are called, and hosts that scripts may call by `http::`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    #[serde(default)]
    pub allow: Vec<String>,
    /// The longest wait for an answer to begin, such as `30s`; calls that are known to take their time get four times as much.
    #[serde(default, deserialize_with = "some_time")]
    pub timeout: Option<Duration>,
}

/// How much is remembered of what was done.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Age of runs and their row errors, such as `90d`.
    #[serde(default, deserialize_with = "duration")]
    pub runs: Option<Duration>,
    /// Age of the journal of changes, such as `30d`.
    #[serde(default, deserialize_with = "duration")]
    pub journal: Option<Duration>,
    /// Changed records in the journal, in all.
    pub journal_rows: Option<u64>,
    /// Recent records kept of each source of a declaration, for back-tests; 0 keeps none.
    pub sample: Option<u32>,
    /// Names of fields of which only a pseudonym is kept in them, such as `*phone*`, instead of the usual ones.
    pub redact: Option<Vec<String>>,
    /// How long after somebody's participation in a journey has ended it is remembered what they went through, such as `730d`.
    #[serde(default, deserialize_with = "duration")]
    pub participants: Option<Duration>,
}

/// What one evaluation of a script may use at most; what is not given keeps the engine's own limit.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub operations: Option<u64>,
    pub call_depth: Option<usize>,
    /// Bytes of one text.
    pub text: Option<usize>,
    /// Items of one list.
    pub list: Option<usize>,
    /// Entries of one map.
    pub map: Option<usize>,
    pub variables: Option<usize>,
    /// The script's own running time, such as `5s`.
    #[serde(default, deserialize_with = "duration")]
    pub time: Option<Duration>,
}

/// The seeded company of this workspace's sandbox.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sandbox {
    pub accounts: Option<u64>,
    pub people: Option<u64>,
    pub seed: Option<u64>,
    /// Only what new tenants of the vendors have.
    #[serde(default)]
    pub strict: bool,
}

/// Where the server listens when nothing else is said.
pub const fn loopback() -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7878)
}

const fn utc() -> TimeZone {
    TimeZone::UTC
}

fn zone<'de, D: Deserializer<'de>>(from: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(from)?;
    TimeZone::get(&name).map_err(|_| D::Error::custom(format!("`{name}` is not a time zone; write it as `Europe/Berlin`")))
}

/// A duration that is not nothing.
fn some_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    match duration(from)? {
        Some(none) if none.is_zero() => Err(D::Error::custom("this has to be longer than nothing; write it as `30s`")),
        some => Ok(some),
    }
}

/// `90d`, `12h`, `30s`; days are 24 hours here.
fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(from)?;
    let span: jiff::Span = text.parse().map_err(|_| D::Error::custom(format!("`{text}` is not a duration; write it as `90d` or `30s`")))?;
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(D::Error::custom)?;
    Duration::try_from(duration).map(Some).map_err(|_| D::Error::custom("a duration cannot be negative"))
}
