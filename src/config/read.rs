//! Text to `Config`: unknown keys, missing keys and keys that do not go together, each with its place.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use super::{Auth, Config, Email, Error, Gainsight, Pendo, Px, Salesforce, Server, Setting, secret::LITERAL};

/// The file's name in a workspace.
pub const FILE: &str = "tabi.toml";

/// Reads `tabi.toml` of the folder; a folder without one is a workspace on the sandbox.
pub fn load(root: &Path) -> Result<Config, Error> {
    let file = root.join(FILE);
    match fs::read_to_string(&file) {
        Ok(text) => parse(&text, Path::new(FILE)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Config::default()),
        Err(source) => Err(Error::Unreadable { file, source }),
    }
}

/// Reads the text of a `tabi.toml`; `file` is named in errors.
pub fn parse(text: &str, file: &Path) -> Result<Config, Error> {
    let at = Source { text, file };
    let config: Config = toml::from_str(text).map_err(|error| at.explain(&error))?;
    if let Some(section) = &config.salesforce {
        at.salesforce(section.get_ref(), section.span())?;
    }
    if let Some(section) = &config.pendo {
        at.pendo(section.get_ref(), section.span())?;
    }
    if let Some(section) = &config.gainsight {
        at.gainsight(section.get_ref(), section.span())?;
    }
    if let Some(section) = &config.px {
        at.px(section.get_ref(), section.span())?;
    }
    if let Some(section) = &config.email {
        at.email(section.get_ref(), section.span())?;
    }
    if let Some(section) = &config.server {
        at.server(section.get_ref(), &section.span())?;
    }
    Ok(config)
}

impl Config {
    /// Whether every system is the sandbox because none is connected.
    pub fn is_unconnected(&self) -> bool {
        let connected = [
            self.salesforce.as_ref().is_some_and(|s| s.get_ref().auth.is_some() && !s.get_ref().sandbox),
            self.pendo.as_ref().is_some_and(|s| !s.get_ref().sandbox),
            self.gainsight.as_ref().is_some_and(|s| !s.get_ref().sandbox),
            self.px.as_ref().is_some_and(|s| !s.get_ref().sandbox),
            self.email.as_ref().is_some_and(|s| s.get_ref().smtp.is_some() && !s.get_ref().sandbox),
        ];
        !connected.contains(&true)
    }
}

/// The text an error points into.
struct Source<'a> {
    text: &'a str,
    file: &'a Path,
}

impl Source<'_> {
    fn error(&self, code: &'static str, span: &Range<usize>, message: impl Into<String>, hint: Option<String>) -> Error {
        let (line, column) = position(self.text, span.start);
        Error::Invalid { code, message: message.into(), file: PathBuf::from(self.file), line, column, hint }
    }

    /// The parser's error in our words. Its own text shows the line, which may hold a secret: it is not used.
    fn explain(&self, error: &toml::de::Error) -> Error {
        let span = error.span().unwrap_or(0..0);
        let message = error.message();
        if message == LITERAL {
            let hint =
                "name where it stands: `env:NAME` for an environment variable, `file:PATH` for a file; and change the secret if this file was shared";
            return self.error("config_literal_secret", &span, message, Some(hint.into()));
        }
        match unknown_key(message) {
            Some((key, known)) => self.error("config_unknown_key", &span, format!("there is no key `{key}` here"), Some(closest(key, &known))),
            None => self.error("config_invalid", &span, message, None),
        }
    }

    fn missing(&self, span: &Range<usize>, section: &str, key: &str, hint: &str) -> Error {
        self.error("config_missing_key", span, format!("[{section}] needs `{key}`"), Some(hint.into()))
    }

    /// The first of the keys that is absent.
    fn need(&self, span: &Range<usize>, section: &str, keys: &[(&str, bool)], hint: &str) -> Result<(), Error> {
        match keys.iter().find(|(_, given)| !given) {
            Some((key, _)) => Err(self.missing(span, section, key, hint)),
            None => Ok(()),
        }
    }

    fn salesforce(&self, s: &Salesforce, span: Range<usize>) -> Result<(), Error> {
        if s.sandbox {
            return Ok(());
        }
        let Some(auth) = s.auth else {
            // A section that only lists rule updates belongs to a workspace on the sandbox.
            let connects = s.login_url.is_some() || s.base_url.is_some() || s.client_id.is_some();
            let hint = "one of client_credentials, jwt_bearer, refresh_token, password, access_token";
            return if connects || s.rule_updates.is_none() { Err(self.missing(&span, "salesforce", "auth", hint)) } else { Ok(()) };
        };
        let (login, id, secret) =
            (("login_url", s.login_url.is_some()), ("client_id", s.client_id.is_some()), ("client_secret", s.client_secret.is_some()));
        let keys: &[(&str, bool)] = match auth {
            Auth::ClientCredentials => &[login, id, secret],
            Auth::JwtBearer => &[login, id, ("username", s.username.is_some()), ("private_key", s.private_key.is_some())],
            Auth::RefreshToken => &[login, id, ("refresh_token", s.refresh_token.is_some())],
            Auth::Password => &[login, ("username", s.username.is_some()), ("password", s.password.is_some())],
            Auth::AccessToken => &[("login_url", s.login_url.is_some() || s.base_url.is_some()), ("access_token", s.access_token.is_some())],
        };
        self.need(&span, "salesforce", keys, "its way to sign in asks for it")
    }

    fn pendo(&self, s: &Pendo, span: Range<usize>) -> Result<(), Error> {
        if s.sandbox {
            return Ok(());
        }
        self.region(&span, "pendo", s.region.as_deref(), s.base_url.is_some(), &["us", "us1", "eu", "jp", "au"])?;
        self.need(&span, "pendo", &[("integration_key", s.integration_key.is_some())], "an integration key of Pendo's settings, as `env:PENDO_KEY`")
    }

    fn gainsight(&self, s: &Gainsight, span: Range<usize>) -> Result<(), Error> {
        if s.sandbox {
            return Ok(());
        }
        let place = ("domain", s.domain.is_some() || s.base_url.is_some());
        let key = ("access_key", s.access_key.is_some() || (s.client_id.is_some() && s.client_secret.is_some()));
        self.need(&span, "gainsight", &[place, key], "the company's own address, and an access key or an OAuth client")
    }

    fn px(&self, s: &Px, span: Range<usize>) -> Result<(), Error> {
        if s.sandbox {
            return Ok(());
        }
        self.region(&span, "px", s.region.as_deref(), s.base_url.is_some(), &["us", "us2", "eu"])?;
        self.need(&span, "px", &[("api_key", s.api_key.is_some())], "an API key of PX's settings, as `env:PX_KEY`")
    }

    /// Without `smtp` the section says who mail of the sandbox is from.
    fn email(&self, s: &Email, span: Range<usize>) -> Result<(), Error> {
        let connects = s.smtp.is_some() && !s.sandbox;
        if let Some(address) = s.smtp.as_ref().and_then(Setting::literal) {
            let host = address.strip_prefix("smtp://").or_else(|| address.strip_prefix("smtps://"));
            match host {
                None => return Err(self.error("config_invalid", &span, "`smtp` of [email] begins with smtp:// or smtps://", None)),
                Some(host) if host.contains('@') => {
                    let hint = "write the address without it, and `username` and `password` as `env:NAME` or `file:PATH`";
                    return Err(self.error("config_literal_secret", &span, LITERAL, Some(hint.into())));
                }
                Some(_) => (),
            }
        } else if s.smtp.is_none() && (s.username.is_some() || s.password.is_some()) {
            return Err(self.missing(&span, "email", "smtp", "the mail server, as `smtp://mail.example.com:587`"));
        }
        self.need(&span, "email", &[("from", s.from.is_some() || !connects)], "whom mail is from, as `CS team <cs@example.com>`")
    }

    fn server(&self, s: &Server, span: &Range<usize>) -> Result<(), Error> {
        let sound = |url: &str| {
            let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            host.is_some_and(|host| !host.is_empty() && !host.contains(['?', '#', '"', '<', '>', ' ']))
        };
        match &s.public_url {
            Some(url) if !sound(url) => {
                let hint = "the address that people reach the server by, as `https://tabi.example.com`".to_owned();
                Err(self.error("config_invalid", span, "`public_url` of [server] is no address", Some(hint)))
            }
            _ => Ok(()),
        }
    }

    fn region(&self, span: &Range<usize>, section: &str, region: Option<&str>, base_url: bool, known: &[&str]) -> Result<(), Error> {
        match region {
            None if base_url => Ok(()),
            None => Err(self.missing(span, section, "region", &format!("one of {}, or a `base_url`", known.join(", ")))),
            Some(region) if known.contains(&region) => Ok(()),
            Some(region) => {
                let names: Vec<String> = known.iter().map(|&name| name.to_owned()).collect();
                Err(self.error("config_invalid", span, format!("[{section}] has no region `{region}`"), Some(closest(region, &names))))
            }
        }
    }
}

/// Line and column of a byte, both from 1; columns count characters.
fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(byte)];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The key and the known ones, out of serde's ``unknown field `x`, expected one of `a`, `b` ``.
fn unknown_key(message: &str) -> Option<(&str, Vec<String>)> {
    let rest = message.strip_prefix("unknown field `").or_else(|| message.strip_prefix("unknown variant `"))?;
    let (key, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((key, known))
}

fn closest(key: &str, known: &[String]) -> String {
    let near = known.iter().map(|name| (strsim::damerau_levenshtein(key, name), name)).min();
    match near {
        Some((distance, name)) if distance <= 2.max(key.len() / 3) => format!("did you mean `{name}`?"),
        _ => format!("known here: {}", known.join(", ")),
    }
}
