//! The connection to one Gainsight tenant: the key, or a token shared by all calls, and the envelope of every answer.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::AtomicBool},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use crate::{
    connectors::{
        GainsightAuth, GainsightOptions, Secret,
        http::{Answer, Call, Http, Pace, Scene, broken_json},
        request::{answer_of, call_of},
    },
    model::{Fault, FaultKind, Name, Request, System, TimeZone, Value},
};

use super::{
    describe::Described,
    errors::{self, WireError, fault_of},
    query::OpenLists,
};

/// Renewals of a token within one call.
const RENEWALS: usize = 6;

#[derive(Debug)]
pub(in crate::connectors) struct Gainsight {
    pub(super) http: Http,
    /// Where days begin and end.
    pub(super) zone: TimeZone,
    options: GainsightOptions,
    token: Mutex<Option<Secret>>,
    pub(super) described: Mutex<HashMap<String, Arc<Described>>>,
    /// Labels of dropdown choices by their GSID.
    pub(super) choices: Mutex<Option<Arc<HashMap<Name, Name>>>>,
    /// Whether instants in conditions have to be written without a zone.
    pub(super) plain_times: AtomicBool,
    pub(super) lists: Mutex<OpenLists>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    result: bool,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl Gainsight {
    pub(in crate::connectors) fn new(options: GainsightOptions, scene: &Scene) -> Result<Self, reqwest::Error> {
        let limits = options.limits;
        let pace = Pace::new(limits.map(|limits| limits.per_minute), limits.map(|limits| limits.per_day));
        let http = Http::new(System::Gainsight, ("[gainsight] domain", &options.domain), scene, pace, errors::judge)?;
        // A token is renewed instead.
        let http = if matches!(options.auth, GainsightAuth::AccessKey(_)) { http.keyed() } else { http };
        Ok(Self {
            http,
            zone: scene.zone.clone(),
            options,
            token: Mutex::default(),
            described: Mutex::default(),
            choices: Mutex::default(),
            plain_times: AtomicBool::default(),
            lists: Mutex::default(),
        })
    }

    pub(super) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(method, format!("{}{path}", self.options.domain.trim_end_matches('/')))
    }

    /// A POST that only reads.
    pub(super) fn ask(&self, path: &str) -> Call {
        self.call(Method::POST, path).reading()
    }

    /// Calls, and hands the envelope's `data` to `parse` as JSON text; `null` where there is none.
    pub(super) async fn data<T>(&self, call: &Call, parse: impl Fn(&str) -> Result<T, Fault>) -> Result<T, Fault> {
        self.read(call, |answer| {
            let envelope: Envelope<'_> = serde_json::from_slice(&answer.body).map_err(|error| broken_json(System::Gainsight, &error))?;
            if envelope.result {
                return parse(envelope.data.map_or("null", RawValue::get));
            }
            // Some refusals come with status 200.
            let error: WireError = answer.json(System::Gainsight)?;
            Err(fault_of(&error, FaultKind::Invalid))
        })
        .await
    }

    async fn read<T>(&self, call: &Call, parse: impl Fn(&Answer) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut dead = None;
        for _ in 0..RENEWALS {
            let (call, token) = self.let_in(call.clone(), dead.as_ref()).await?;
            match self.http.read(&call, &parse).await {
                Err(fault) if fault.code.as_deref() == Some("GS_APIG_2401") && token.is_some() => dead = token,
                other => return other,
            }
        }
        let (call, _) = self.let_in(call.clone(), dead.as_ref()).await?;
        self.http.read(&call, &parse).await
    }

    /// The call with the key, or with the token that it gives too.
    async fn let_in(&self, call: Call, dead: Option<&Secret>) -> Result<(Call, Option<Secret>), Fault> {
        match &self.options.auth {
            GainsightAuth::AccessKey(key) => Ok((call.secret("accesskey", "", key), None)),
            GainsightAuth::Client { client_id, client_secret } => {
                let token = self.token(client_id, client_secret, dead).await?;
                Ok((call.secret("authorization", "Bearer ", &token), Some(token)))
            }
        }
    }

    async fn token(&self, id: &str, secret: &Secret, dead: Option<&Secret>) -> Result<Secret, Fault> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| Some(*token) != dead) {
            return Ok(token.clone());
        }
        let basic = Secret::new(STANDARD.encode(format!("{id}:{}", secret.reveal())));
        let call = self.ask("/v1/users/m2m/oauth/token").secret("authorization", "Basic ", &basic);
        let token: Token = self.http.json(&call.form(&[("grant_type", "client_credentials")])).await.map_err(|fault| match fault.kind {
            FaultKind::Denied | FaultKind::Invalid => {
                let message = format!("{}; look at [gainsight] client_id and client_secret", fault.message);
                Fault { kind: FaultKind::Denied, message, ..fault }
            }
            _ => fault,
        })?;
        let token = Secret::new(token.access_token);
        *kept = Some(token.clone());
        Ok(token)
    }

    /// A script's own call; the answer is the whole envelope.
    pub(in crate::connectors) async fn request(&self, request: &Request) -> Result<Value, Fault> {
        let path = format!("/{}", request.path.trim_start_matches('/'));
        let url = self.call(Method::GET, &path).url;
        self.read(&call_of(request, url)?, answer_of(request)).await
    }
}
