//! From configuration to connections: each system as `tabi.toml` says, or the sandbox. Secrets are read here and nowhere earlier.

use std::{
    collections::BTreeMap,
    num::{NonZeroU32, NonZeroU64, NonZeroUsize},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use serde_json::Value;

use crate::{
    config::{self, Auth, Config, Revealed, Section, Setting},
    connectors::{
        self, EmailOptions, GainsightAuth, GainsightLimits, GainsightOptions, OnRotate, PendoOptions, PxOptions, ReadAgain, SalesforceAuth,
        SalesforceOptions, Secret,
    },
    host::clock,
    model::System,
};

/// Where configuration comes from, for names in errors and relative secret files.
struct Source<'a> {
    config: &'a Config,
    root: &'a Path,
}

/// What the systems are connected to. `sandbox` holds the credentials of the sandbox for those that are not connected elsewhere;
/// with `all`, none is.
pub fn options(config: &Config, root: &Path, sandbox: Option<&Value>, all: bool) -> Result<connectors::Options, config::Error> {
    let from = Source { config, root };
    let mut options = connectors::Options::new(clock::now);
    options.hosts.clone_from(&config.http.allow);
    options.zone.clone_from(&config.timezone);
    if let Some(timeout) = config.http.timeout {
        options.http.answer_timeout = timeout;
        options.http.read_timeout = timeout.saturating_mul(4);
    }
    options.salesforce = if all { None } else { from.salesforce()? };
    options.pendo = if all { None } else { from.pendo()? };
    options.gainsight = if all { None } else { from.gainsight()? };
    options.email = if all { None } else { from.email()? };
    options.px = if all { None } else { from.px()? };
    if let Some(credentials) = sandbox {
        fill(&mut options, credentials, config, all);
    }
    Ok(options)
}

/// Where each system is: its address and, where many organisations share that, whose login it is. A sandbox of this workspace has another port in
/// every process and is the same one all the time.
pub fn places(options: &connectors::Options, sandbox: Option<&Value>) -> BTreeMap<System, String> {
    let salesforce = options.salesforce.as_ref().map(|it| {
        let who = match &it.auth {
            SalesforceAuth::Password { username, .. } | SalesforceAuth::JwtBearer { username, .. } => username.as_str(),
            SalesforceAuth::ClientCredentials { client_id, .. } | SalesforceAuth::RefreshToken { client_id, .. } => client_id.as_str(),
            SalesforceAuth::AccessToken { .. } => "",
        };
        (it.login_url.as_str(), who)
    });
    let px = options.px.as_ref().map(|it| (it.base_url.as_str(), it.product_key.as_deref().unwrap_or_default()));
    let all = [
        (System::Salesforce, salesforce),
        (System::Pendo, options.pendo.as_ref().map(|it| (it.base_url.as_str(), ""))),
        (System::Gainsight, options.gainsight.as_ref().map(|it| (it.domain.as_str(), ""))),
        (System::Px, px),
    ];
    let place = |(system, place): (System, Option<(&str, &str)>)| {
        let (address, who) = place?;
        let own = sandbox.is_some_and(|sandbox| sandbox[system.name()]["base_url"].as_str() == Some(address));
        Some((system, if own { "sandbox".to_owned() } else { format!("{address} {who}").trim_end().to_owned() }))
    };
    all.into_iter().filter_map(place).collect()
}

/// Whether a system of the configuration is the sandbox on its own.
pub fn wants_sandbox(config: &Config) -> bool {
    config.salesforce.as_ref().is_some_and(|s| s.get_ref().sandbox)
        || config.pendo.as_ref().is_some_and(|s| s.get_ref().sandbox)
        || config.gainsight.as_ref().is_some_and(|s| s.get_ref().sandbox)
        || config.px.as_ref().is_some_and(|s| s.get_ref().sandbox)
        || config.email.as_ref().is_some_and(|s| s.get_ref().sandbox)
}

/// Connects to the sandbox what asks for it: every system with `all`, otherwise those that say so.
fn fill(options: &mut connectors::Options, credentials: &Value, config: &Config, all: bool) {
    let asks = |section: Option<bool>| all || section == Some(true);
    let text = |system: &str, key: &str| credentials[system][key].as_str().map(str::to_owned);
    if asks(config.salesforce.as_ref().map(|s| s.get_ref().sandbox))
        && let (Some(url), Some(client_id), Some(secret)) =
            (text("salesforce", "base_url"), text("salesforce", "client_id"), text("salesforce", "client_secret"))
    {
        let auth = SalesforceAuth::ClientCredentials { client_id, client_secret: Secret::new(secret) };
        let mut salesforce = SalesforceOptions::new(url, auth);
        if let Some(section) = &config.salesforce {
            tune(&mut salesforce, section.get_ref());
        }
        options.salesforce = Some(salesforce);
    }
    if asks(config.pendo.as_ref().map(|s| s.get_ref().sandbox))
        && let (Some(url), Some(key)) = (text("pendo", "base_url"), text("pendo", "integration_key"))
    {
        options.pendo = Some(PendoOptions::new(url, Secret::new(key)));
    }
    if asks(config.gainsight.as_ref().map(|s| s.get_ref().sandbox))
        && let (Some(url), Some(key)) = (text("gainsight", "base_url"), text("gainsight", "access_key"))
    {
        options.gainsight = Some(GainsightOptions::new(url, GainsightAuth::AccessKey(Secret::new(key))));
    }
    if asks(config.px.as_ref().map(|s| s.get_ref().sandbox))
        && let (Some(url), Some(key)) = (text("px", "base_url"), text("px", "api_key"))
    {
        options.px = Some(PxOptions::new(url, Secret::new(key), text("px", "product_key")));
    }
    if asks(config.email.as_ref().map(|s| s.get_ref().sandbox))
        && let Some(url) = text("mail", "smtp")
    {
        let section = config.email.as_ref().map(Section::get_ref);
        let from = section.and_then(|section| section.from.as_deref()).unwrap_or(SANDBOX_FROM);
        let reply_to = section.and_then(|section| section.reply_to.clone());
        options.email = Some(EmailOptions { reply_to, ..EmailOptions::new(url, from) });
    }
}

/// Whom mail of the sandbox is from when nothing else is said.
const SANDBOX_FROM: &str = "CS team <cs@example.com>";

/// How rows go to Salesforce: the sandbox takes them in the same way.
fn tune(options: &mut SalesforceOptions, section: &config::Salesforce) {
    options.bulk_threshold = section.bulk_threshold.map_or(options.bulk_threshold, NonZeroUsize::get);
    options.bulk_query_threshold = section.bulk_query_threshold.map_or(options.bulk_query_threshold, NonZeroU64::get);
    options.parallel = section.parallel.map_or(options.parallel, NonZeroUsize::get);
}

/// Keeps each new refresh token where the used one stood: the next start needs it.
fn on_rotate(token: config::Secret, root: &Path) -> OnRotate {
    let (root, warned) = (root.to_owned(), AtomicBool::new(false));
    OnRotate(Arc::new(move |new| match token.replace(new, &root) {
        Ok(true) => (),
        Ok(false) if warned.swap(true, Ordering::Relaxed) => (),
        Ok(false) => tracing::warn!(
            "the org replaces refresh tokens as they are used, and a new one cannot be kept in an environment variable: \
             the next start will be refused; let `[salesforce] refresh_token` be a `file:PATH` with a fresh token in it"
        ),
        Err(error) => tracing::warn!(%error, "the new Salesforce refresh token could not be written to its file: the next start will be refused"),
    }))
}

/// Reads the token where it is kept; what cannot be read is no news.
fn read_again(token: config::Secret, root: &Path) -> ReadAgain {
    let root = root.to_owned();
    ReadAgain(Arc::new(move || token.reveal("salesforce.refresh_token", &root).ok().map(|text| Secret::new(text.expose()))))
}

impl Source<'_> {
    fn secret(&self, key: &str, secret: Option<&config::Secret>) -> Result<Option<Secret>, config::Error> {
        secret.map(|secret| secret.reveal(key, self.root)).transpose().map(|found: Option<Revealed>| found.map(|text| Secret::new(text.expose())))
    }

    fn text(&self, key: &str, setting: Option<&Setting>) -> Result<Option<String>, config::Error> {
        setting.map(|setting| setting.read(key, self.root)).transpose()
    }

    /// A text that `config::load` has made sure of.
    fn given(&self, key: &str, setting: Option<&Setting>) -> Result<String, config::Error> {
        Ok(self.text(key, setting)?.unwrap_or_default())
    }

    fn given_secret(&self, key: &str, secret: Option<&config::Secret>) -> Result<Secret, config::Error> {
        Ok(self.secret(key, secret)?.unwrap_or_else(|| Secret::new("")))
    }

    fn salesforce(&self) -> Result<Option<SalesforceOptions>, config::Error> {
        let Some(section) = self.config.salesforce.as_ref().map(Section::get_ref).filter(|section| !section.sandbox) else { return Ok(None) };
        let Some(auth) = section.auth else { return Ok(None) };
        let client_id = self.text("salesforce.client_id", section.client_id.as_ref())?;
        let client_secret = self.secret("salesforce.client_secret", section.client_secret.as_ref())?;
        let username = || self.given("salesforce.username", section.username.as_ref());
        let auth = match (auth, client_id, client_secret) {
            (Auth::ClientCredentials, id, secret) => {
                SalesforceAuth::ClientCredentials { client_id: id.unwrap_or_default(), client_secret: secret.unwrap_or_else(|| Secret::new("")) }
            }
            (Auth::RefreshToken, id, client_secret) => SalesforceAuth::RefreshToken {
                client_id: id.unwrap_or_default(),
                client_secret,
                refresh_token: self.given_secret("salesforce.refresh_token", section.refresh_token.as_ref())?,
                on_rotate: section.refresh_token.as_ref().map(|token| on_rotate(token.clone(), self.root)),
                read_again: section.refresh_token.as_ref().map(|token| read_again(token.clone(), self.root)),
            },
            (Auth::Password, id, secret) => SalesforceAuth::Password {
                username: username()?,
                password: self.given_secret("salesforce.password", section.password.as_ref())?,
                security_token: self.secret("salesforce.security_token", section.security_token.as_ref())?,
                client: id.zip(secret),
            },
            (Auth::JwtBearer, id, _) => SalesforceAuth::JwtBearer {
                client_id: id.unwrap_or_default(),
                username: username()?,
                private_key: self.given_secret("salesforce.private_key", section.private_key.as_ref())?,
                audience: section.audience.clone(),
            },
            (Auth::AccessToken, ..) => {
                SalesforceAuth::AccessToken { access_token: self.given_secret("salesforce.access_token", section.access_token.as_ref())? }
            }
        };
        // A token that is there already is for the org itself; the others are asked for where people log in.
        let (login, base) = (section.login_url.as_ref(), section.base_url.as_ref());
        let url = if matches!(auth, SalesforceAuth::AccessToken { .. }) { base.or(login) } else { login.or(base) };
        let mut options = SalesforceOptions::new(self.given("salesforce.login_url", url)?, auth);
        if let Some(version) = &section.api_version {
            options.api_version.clone_from(version);
        }
        options.permission_set.clone_from(&section.permission_set);
        tune(&mut options, section);
        Ok(Some(options))
    }

    fn pendo(&self) -> Result<Option<PendoOptions>, config::Error> {
        let Some(section) = self.config.pendo.as_ref().map(Section::get_ref).filter(|section| !section.sandbox) else { return Ok(None) };
        let base_url = match self.text("pendo.base_url", section.base_url.as_ref())? {
            Some(url) => url,
            None => section.region.as_deref().and_then(PendoOptions::region).unwrap_or_default().to_owned(),
        };
        let key = self.given_secret("pendo.integration_key", section.integration_key.as_ref())?;
        Ok(Some(PendoOptions { calls_per_minute: section.calls_per_minute.map(NonZeroU32::get), ..PendoOptions::new(base_url, key) }))
    }

    fn px(&self) -> Result<Option<PxOptions>, config::Error> {
        let Some(section) = self.config.px.as_ref().map(Section::get_ref).filter(|section| !section.sandbox) else { return Ok(None) };
        let base_url = match self.text("px.base_url", section.base_url.as_ref())? {
            Some(url) => url,
            None => section.region.as_deref().and_then(PxOptions::region).unwrap_or_default().to_owned(),
        };
        let key = self.given_secret("px.api_key", section.api_key.as_ref())?;
        Ok(Some(PxOptions::new(base_url, key, self.text("px.product_key", section.product_key.as_ref())?)))
    }

    fn gainsight(&self) -> Result<Option<GainsightOptions>, config::Error> {
        let Some(section) = self.config.gainsight.as_ref().map(Section::get_ref).filter(|section| !section.sandbox) else { return Ok(None) };
        let domain = self.given("gainsight.domain", section.base_url.as_ref().or(section.domain.as_ref()))?;
        let auth = match self.secret("gainsight.access_key", section.access_key.as_ref())? {
            Some(key) => GainsightAuth::AccessKey(key),
            None => GainsightAuth::Client {
                client_id: self.given("gainsight.client_id", section.client_id.as_ref())?,
                client_secret: self.given_secret("gainsight.client_secret", section.client_secret.as_ref())?,
            },
        };
        let mut options = GainsightOptions::new(domain, auth);
        if section.calls_per_minute.is_some() || section.calls_per_day.is_some() {
            let usual = GainsightLimits::default();
            options.limits = Some(GainsightLimits {
                per_minute: section.calls_per_minute.map_or(usual.per_minute, NonZeroU32::get),
                per_day: section.calls_per_day.map_or(usual.per_day, NonZeroU32::get),
            });
        }
        Ok(Some(options))
    }

    /// None without a mail server: then the section is about the sandbox's.
    fn email(&self) -> Result<Option<EmailOptions>, config::Error> {
        let Some(section) = self.config.email.as_ref().map(Section::get_ref).filter(|section| !section.sandbox) else { return Ok(None) };
        let Some(url) = self.text("email.smtp", section.smtp.as_ref())? else { return Ok(None) };
        Ok(Some(EmailOptions {
            reply_to: section.reply_to.clone(),
            username: self.text("email.username", section.username.as_ref())?,
            password: self.secret("email.password", section.password.as_ref())?,
            mails_per_minute: section.mails_per_minute.map(NonZeroU32::get),
            ..EmailOptions::new(url, section.from.clone().unwrap_or_default())
        }))
    }
}
