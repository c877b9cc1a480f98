//! What a connection needs to know, as plain data: who reads `tabi.toml` fills these in.

use std::{fmt, sync::Arc, time::Duration};

use crate::model::{TimeZone, Timestamp};

use super::Secret;

/// All connections. A system without options answers every effect with a fault that says what to configure.
#[derive(Debug, Clone)]
pub struct Options {
    pub salesforce: Option<SalesforceOptions>,
    pub pendo: Option<PendoOptions>,
    pub gainsight: Option<GainsightOptions>,
    pub email: Option<EmailOptions>,
    pub px: Option<PxOptions>,
    pub http: HttpOptions,
    /// `host` or `host:port` that `Effect::Http` may call.
    pub hosts: Vec<String>,
    /// The wall clock, for signed logins and `Retry-After` dates.
    pub clock: fn() -> Timestamp,
    /// Where days begin and end: a condition with a day on a date-time field asks for the instants of that day.
    pub zone: TimeZone,
}

impl Options {
    /// Nothing connected yet, and days in UTC.
    pub fn new(clock: fn() -> Timestamp) -> Self {
        Self {
            salesforce: None,
            pendo: None,
            gainsight: None,
            px: None,
            email: None,
            http: HttpOptions::default(),
            hosts: Vec::new(),
            clock,
            zone: TimeZone::UTC,
        }
    }
}

/// Patience and sizes, for all systems alike.
#[derive(Debug, Clone, Copy)]
pub struct HttpOptions {
    pub connect_timeout: Duration,
    /// The longest wait for an answer to begin, but for calls that are known to take their time.
    pub answer_timeout: Duration,
    /// The longest silence within an answer, its first byte included.
    pub read_timeout: Duration,
    /// Tries in all, the first one included.
    pub attempts: usize,
    /// The pause before the second try; doubled for each further one, and then a random part of it is taken.
    pub first_wait: Duration,
    pub longest_wait: Duration,
    /// Pauses of one call together; a `Retry-After` beyond it is handed to the caller instead.
    pub patience: Duration,
    /// Bytes of an answer that is held in memory whole. Streams have no limit.
    pub answer_limit: usize,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_mins(2),
            attempts: 8,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            patience: Duration::from_mins(3),
            answer_limit: 64 * 1024 * 1024,
        }
    }
}

/// Called with each new refresh token where the org rotates them: the old one is dead then.
#[derive(Clone)]
pub struct OnRotate(pub Arc<dyn Fn(&str) + Send + Sync>);

impl fmt::Debug for OnRotate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnRotate")
    }
}

/// Gives the refresh token that is kept now: another process may have used the one read at the start, and kept its successor.
#[derive(Clone)]
pub struct ReadAgain(pub Arc<dyn Fn() -> Option<Secret> + Send + Sync>);

impl fmt::Debug for ReadAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReadAgain")
    }
}

/// `[salesforce]`.
#[derive(Debug, Clone)]
pub struct SalesforceOptions {
    /// `https://acme.my.salesforce.com`; for other logins than client credentials also `https://login.salesforce.com`.
    pub login_url: String,
    pub auth: SalesforceAuth,
    /// `68.0`.
    pub api_version: String,
    /// From so many rows of one operation on, Bulk API 2.0 is used.
    pub bulk_threshold: usize,
    /// A query that finds more rows than this is read by a Bulk API 2.0 job instead of page by page.
    pub bulk_query_threshold: u64,
    /// The permission set that is given access to new fields; none: one that the connected user has.
    pub permission_set: Option<String>,
    /// Collection calls in flight at once.
    pub parallel: usize,
}

impl SalesforceOptions {
    pub fn new(login_url: impl Into<String>, auth: SalesforceAuth) -> Self {
        let login_url = login_url.into();
        Self {
            login_url,
            auth,
            api_version: "68.0".to_owned(),
            bulk_threshold: 10_000,
            bulk_query_threshold: 50_000,
            permission_set: None,
            parallel: 4,
        }
    }
}

/// How to log in to Salesforce.
#[derive(Debug, Clone)]
pub enum SalesforceAuth {
    ClientCredentials {
        client_id: String,
        client_secret: Secret,
    },
    RefreshToken {
        client_id: String,
        client_secret: Option<Secret>,
        refresh_token: Secret,
        on_rotate: Option<OnRotate>,
        read_again: Option<ReadAgain>,
    },
    /// By OAuth when a client is given, else by SOAP.
    Password {
        username: String,
        password: Secret,
        security_token: Option<Secret>,
        client: Option<(String, Secret)>,
    },
    JwtBearer {
        client_id: String,
        username: String,
        /// PEM.
        private_key: Secret,
        /// `https://login.salesforce.com` when none, or `https://test.salesforce.com` for a sandbox org.
        audience: Option<String>,
    },
    /// A token made elsewhere; it cannot be renewed. `login_url` has to be the org's own host.
    AccessToken {
        access_token: Secret,
    },
}

/// `[pendo]`.
#[derive(Debug, Clone)]
pub struct PendoOptions {
    /// `https://app.pendo.io`; see `PendoOptions::region`.
    pub base_url: String,
    pub integration_key: Secret,
    /// Calls a minute; none: no limit of our own.
    pub calls_per_minute: Option<u32>,
}

impl PendoOptions {
    pub fn new(base_url: impl Into<String>, integration_key: Secret) -> Self {
        Self { base_url: base_url.into(), integration_key, calls_per_minute: None }
    }

    /// The base URL of a region's name (`us`, `us1`, `eu`, `jpn`, `au`).
    pub fn region(name: &str) -> Option<&'static str> {
        Some(match name {
            "us" => "https://app.pendo.io",
            "us1" => "https://us1.app.pendo.io",
            "eu" => "https://app.eu.pendo.io",
            "jpn" | "jp" => "https://app.jpn.pendo.io",
            "au" => "https://app.au.pendo.io",
            _ => return None,
        })
    }
}

/// `[gainsight]`.
#[derive(Debug, Clone)]
pub struct GainsightOptions {
    /// `https://acme.gainsightcloud.com`.
    pub domain: String,
    pub auth: GainsightAuth,
    /// Off for a loopback address unless set.
    pub limits: Option<GainsightLimits>,
}

impl GainsightOptions {
    /// With the documented limits, or none on this machine, where the sandbox is.
    pub fn new(domain: impl Into<String>, auth: GainsightAuth) -> Self {
        let domain = domain.into();
        let limits = (!super::http::is_loopback(&domain)).then(GainsightLimits::default);
        Self { domain, auth, limits }
    }
}

/// How to log in to Gainsight.
#[derive(Debug, Clone)]
pub enum GainsightAuth {
    AccessKey(Secret),
    /// OAuth machine to machine.
    Client {
        client_id: String,
        client_secret: Secret,
    },
}

/// Calls allowed by the tenant (the REST API's synchronous calls: 100 a minute, 50,000 a day).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GainsightLimits {
    pub per_minute: u32,
    pub per_day: u32,
}

impl Default for GainsightLimits {
    fn default() -> Self {
        Self { per_minute: 100, per_day: 50_000 }
    }
}

/// `[email]`.
#[derive(Debug, Clone)]
pub struct EmailOptions {
    /// `smtps://mail.example.com`, or `smtp://mail.example.com` for STARTTLS; `smtp://...?tls=none` allows plain text to another machine.
    pub url: String,
    /// Whom mail is from unless it says so itself: `CS team <cs@example.com>`.
    pub from: String,
    pub reply_to: Option<String>,
    pub username: Option<String>,
    pub password: Option<Secret>,
    /// Messages a minute; none: no limit of our own.
    pub mails_per_minute: Option<u32>,
}

impl EmailOptions {
    pub fn new(url: impl Into<String>, from: impl Into<String>) -> Self {
        Self { url: url.into(), from: from.into(), reply_to: None, username: None, password: None, mails_per_minute: None }
    }
}

/// `[px]`.
#[derive(Debug, Clone)]
pub struct PxOptions {
    /// `https://api.aptrinsic.com`, with or without `/v1`; see `PxOptions::region`.
    pub base_url: String,
    pub api_key: Secret,
    /// `AP-...-2`: the product that new records and custom events belong to.
    pub product_key: Option<String>,
}

impl PxOptions {
    pub fn new(base_url: impl Into<String>, api_key: Secret, product_key: Option<String>) -> Self {
        Self { base_url: base_url.into(), api_key, product_key }
    }

    /// The base URL of a data centre's name (`us`, `us2`, `eu`).
    pub fn region(name: &str) -> Option<&'static str> {
        Some(match name {
            "us" => "https://api.aptrinsic.com",
            "us2" => "https://api-us2.aptrinsic.com",
            "eu" => "https://api-eu.aptrinsic.com",
            _ => return None,
        })
    }
}
