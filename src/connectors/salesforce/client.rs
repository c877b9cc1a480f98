//! The connection to one org: one session shared by all calls, renewed once for all of them when it ends.

use std::{collections::HashMap, sync::Arc};

use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::model::{Fault, FaultKind, Request, System, TimeZone, Value};

use super::{
    auth::{Session, login},
    describe::Described,
    errors, soap,
};
use crate::connectors::{
    SalesforceAuth, SalesforceOptions, Secret,
    http::{Answer, Call, Http, Pace, Refusal, Scene},
    request::{answer_of, call_of},
};

/// Renewals within one call; more than one only happens when sessions die as fast as they are made.
const RENEWALS: usize = 6;

#[derive(Debug)]
pub(in crate::connectors) struct Salesforce {
    pub(super) http: Http,
    /// Where days begin and end.
    pub(super) zone: TimeZone,
    pub(super) options: SalesforceOptions,
    state: Mutex<State>,
    pub(super) described: Mutex<HashMap<String, Arc<Described>>>,
}

#[derive(Debug, Default)]
struct State {
    session: Option<Arc<Session>>,
    /// The refresh token in force, when it is not the one of the start.
    refresh: Option<Secret>,
    /// What was last found where the token is kept.
    kept: Option<Secret>,
}

impl Salesforce {
    pub(in crate::connectors) fn new(options: SalesforceOptions, scene: &Scene) -> Result<Self, reqwest::Error> {
        let judge: fn(&Refusal) -> Fault = |refusal| soap::judge(refusal).unwrap_or_else(|| errors::judge(refusal));
        let http = Http::new(System::Salesforce, ("[salesforce] login_url", &options.login_url), scene, Pace::default(), judge)?;
        Ok(Self { http, zone: scene.zone.clone(), options, state: Mutex::default(), described: Mutex::default() })
    }

    /// A path below the version's root, such as `sobjects/Account`.
    pub(super) fn path(&self, below: &str) -> String {
        format!("/services/data/v{}/{below}", self.options.api_version)
    }

    pub(super) async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Fault> {
        self.read(call, |answer| answer.json(System::Salesforce)).await
    }

    /// Calls a path (the call's `url`) of the org, logging in when needed.
    pub(super) async fn read<T>(&self, call: &Call, parse: impl Fn(&Answer) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut session = self.session(None).await?;
        for _ in 0..RENEWALS {
            match self.http.read(&located(call, &session), &parse).await {
                Err(fault) if self.renewable(&fault) => session = self.session(Some(&session)).await?,
                other => return other.map_err(|fault| self.explained(fault)),
            }
        }
        self.http.read(&located(call, &session), &parse).await.map_err(|fault| self.explained(fault))
    }

    /// A script's own call. Paths that do not begin at the org's root are below the version's.
    pub(in crate::connectors) async fn request(&self, request: &Request) -> Result<Value, Fault> {
        let path = match request.path.strip_prefix('/') {
            Some(rooted) if rooted.starts_with("services/") || rooted.starts_with("id/") => request.path.clone(),
            Some(below) => self.path(below),
            None if request.path.starts_with("services/") => format!("/{}", request.path),
            None => self.path(&request.path),
        };
        self.read(&call_of(request, path)?, answer_of(request)).await
    }

    fn renewable(&self, fault: &Fault) -> bool {
        session_over(fault) && !matches!(self.options.auth, SalesforceAuth::AccessToken { .. })
    }

    fn explained(&self, mut fault: Fault) -> Fault {
        if session_over(&fault) && matches!(self.options.auth, SalesforceAuth::AccessToken { .. }) {
            fault.message = format!("{}; [salesforce] access_token has to be a fresh one of this org", fault.message);
        }
        fault
    }

    /// The id of the connected user.
    pub(super) async fn user(&self) -> Result<Option<String>, Fault> {
        Ok(self.session(None).await?.user.clone())
    }

    /// The session; a new one if there is none or it is still `dead`. Whoever comes meanwhile waits and shares it.
    async fn session(&self, dead: Option<&Arc<Session>>) -> Result<Arc<Session>, Fault> {
        let mut state = self.state.lock().await;
        if let Some(session) = state.session.as_ref().filter(|session| !dead.is_some_and(|dead| Arc::ptr_eq(dead, session))) {
            return Ok(session.clone());
        }
        self.read_again(&mut state);
        let mut session = login(&self.http, &self.options.login_url, &self.options.auth, state.refresh.as_ref()).await;
        // Another process may have been faster by a moment.
        if matches!(&session, Err(fault) if fault.kind == FaultKind::Denied) && self.read_again(&mut state) {
            session = login(&self.http, &self.options.login_url, &self.options.auth, state.refresh.as_ref()).await;
        }
        let session = session?;
        if let (Some(rotated), SalesforceAuth::RefreshToken { on_rotate, .. }) = (&session.rotated, &self.options.auth) {
            state.refresh = Some(rotated.clone());
            if let Some(tell) = on_rotate {
                (tell.0)(rotated.reveal());
            }
        }
        let session = Arc::new(session);
        state.session = Some(session.clone());
        Ok(session)
    }

    /// Takes the refresh token that another process has kept since the last look; false when there is none.
    fn read_again(&self, state: &mut State) -> bool {
        let SalesforceAuth::RefreshToken { refresh_token, read_again: Some(read), .. } = &self.options.auth else { return false };
        let Some(kept) = (read.0)() else { return false };
        let known = state.kept.as_ref().unwrap_or(refresh_token);
        if known.reveal() == kept.reveal() {
            return false;
        }
        state.kept = Some(kept.clone());
        state.refresh = Some(kept);
        true
    }
}

fn session_over(fault: &Fault) -> bool {
    matches!(fault.code.as_deref(), Some("INVALID_SESSION_ID" | "INVALID_AUTH_HEADER"))
}

fn located(call: &Call, session: &Session) -> Call {
    let mut call = call.clone().secret("authorization", "Bearer ", &session.token).header("sforce-call-options", "client=tabi");
    call.url = format!("{}{}", session.instance, call.url);
    call
}
