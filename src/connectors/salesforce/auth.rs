//! Logging in to Salesforce (OAuth 2.0 flows of the help page "OAuth Authorization Flows").

use std::time::Duration;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};

use crate::model::{Fault, FaultKind, System};

use super::soap;
use crate::connectors::{
    SalesforceAuth, Secret,
    http::{Call, Http},
};

/// A session: where to call, and with what.
#[derive(Debug)]
pub(super) struct Session {
    /// Without a slash at the end.
    pub instance: String,
    pub token: Secret,
    /// `005...`, where the login told it.
    pub user: Option<String>,
    /// The refresh token that replaces the one used.
    pub rotated: Option<Secret>,
}

#[derive(Deserialize)]
struct Login {
    access_token: String,
    instance_url: String,
    #[serde(default)]
    id: String,
    refresh_token: Option<String>,
}

/// Logs in. `refresh` is the refresh token in force, which rotation may have changed since the start.
pub(super) async fn login(http: &Http, login_url: &str, auth: &SalesforceAuth, refresh: Option<&Secret>) -> Result<Session, Fault> {
    let result = match auth {
        SalesforceAuth::AccessToken { access_token } => {
            Ok(Session { instance: login_url.trim_end_matches('/').to_owned(), token: access_token.clone(), user: None, rotated: None })
        }
        SalesforceAuth::Password { username, password, security_token, client: None } => {
            soap::login(http, login_url, username, password, security_token.as_ref()).await
        }
        _ => oauth(http, login_url, auth, refresh).await,
    };
    result.map_err(|fault| explained(fault, auth))
}

async fn oauth(http: &Http, login_url: &str, auth: &SalesforceAuth, refresh: Option<&Secret>) -> Result<Session, Fault> {
    let url = format!("{}/services/oauth2/token", login_url.trim_end_matches('/'));
    let call = Call::ask(url).header("accept", "application/json");
    let call = with_grant(call, (http, login_url), auth, refresh)?;
    let token: Login = http.json(&call).await?;
    let user = token.id.rsplit('/').next().filter(|id| id.starts_with("005")).map(str::to_owned);
    Ok(Session {
        instance: token.instance_url.trim_end_matches('/').to_owned(),
        token: Secret::new(token.access_token),
        user,
        rotated: token.refresh_token.map(Secret::new),
    })
}

fn with_grant(call: Call, (http, login_url): (&Http, &str), auth: &SalesforceAuth, refresh: Option<&Secret>) -> Result<Call, Fault> {
    Ok(match auth {
        SalesforceAuth::ClientCredentials { client_id, client_secret } => {
            call.form(&[("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", client_secret.reveal())])
        }
        SalesforceAuth::RefreshToken { client_id, client_secret, refresh_token, .. } => {
            let token = refresh.unwrap_or(refresh_token).reveal();
            let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", client_id)];
            form.extend(client_secret.as_ref().map(|secret| ("client_secret", secret.reveal())));
            call.form(&form)
        }
        SalesforceAuth::Password { username, password, security_token, client } => {
            let password = with_security_token(password, security_token.as_ref());
            let mut form = vec![("grant_type", "password"), ("username", username.as_str()), ("password", password.reveal())];
            if let Some((id, secret)) = client {
                form.extend([("client_id", id.as_str()), ("client_secret", secret.reveal())]);
            }
            call.form(&form)
        }
        SalesforceAuth::JwtBearer { client_id, username, private_key, audience } => {
            let audience =
                audience.as_deref().unwrap_or(if is_sandbox_org(login_url) { "https://test.salesforce.com" } else { "https://login.salesforce.com" });
            let assertion = assertion(http, client_id, username, private_key, audience)?;
            call.form(&[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", &assertion)])
        }
        SalesforceAuth::AccessToken { .. } => call,
    })
}

/// Whether it is one of Salesforce's own sandbox orgs, which have a login host of their own.
fn is_sandbox_org(login_url: &str) -> bool {
    login_url.contains("://test.salesforce.com") || login_url.contains(".sandbox.my.salesforce.com")
}

pub(super) fn with_security_token(password: &Secret, token: Option<&Secret>) -> Secret {
    Secret::new(format!("{}{}", password.reveal(), token.map_or("", Secret::reveal)))
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
}

/// The signed claim to be `username`, good for three minutes.
fn assertion(http: &Http, client_id: &str, username: &str, key: &Secret, audience: &str) -> Result<String, Fault> {
    let refused = |_| {
        let message = "the private key cannot be used; `[salesforce] private_key` has to hold an RSA key in PEM form";
        Fault::from_system(System::Salesforce, FaultKind::Denied, message)
    };
    let key = EncodingKey::from_rsa_pem(key.reveal().as_bytes()).map_err(refused)?;
    let exp = (http.clock() + Duration::from_secs(170)).as_second();
    let claims = Claims { iss: client_id, sub: username, aud: audience, exp };
    jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims, &key).map_err(refused)
}

/// Says which keys of `tabi.toml` to look at.
fn explained(mut fault: Fault, auth: &SalesforceAuth) -> Fault {
    if fault.kind == FaultKind::Denied {
        let keys = match auth {
            SalesforceAuth::ClientCredentials { .. } => "client_id and client_secret, and login_url: it has to be the org's own host",
            SalesforceAuth::RefreshToken { .. } => "refresh_token, client_id and client_secret",
            SalesforceAuth::Password { .. } => "username, password and security_token",
            SalesforceAuth::JwtBearer { .. } => "client_id, username and private_key, and that the user is pre-authorised",
            SalesforceAuth::AccessToken { .. } => "access_token",
        };
        fault.message = format!("{}; look at [salesforce] {keys}", fault.message);
    }
    fault
}
