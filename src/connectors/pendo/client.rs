//! The connection to one Pendo subscription.

use std::{collections::HashMap, sync::Arc};

use reqwest::Method;
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Mutex;

use crate::model::{Fault, Request, System, TimeZone, Value};

use super::{errors, read::OpenReads, schema::Schema};
use crate::connectors::{
    PendoOptions,
    http::{Call, Http, Pace, Scene},
    request::{answer_of, call_of},
};

#[derive(Debug)]
pub(in crate::connectors) struct Pendo {
    pub(super) http: Http,
    /// Where days begin and end.
    pub(super) zone: TimeZone,
    options: PendoOptions,
    pub(super) schemas: Mutex<HashMap<&'static str, Arc<Schema>>>,
    pub(super) open: Mutex<OpenReads>,
}

impl Pendo {
    pub(in crate::connectors) fn new(options: PendoOptions, scene: &Scene) -> Result<Self, reqwest::Error> {
        let pace = Pace::new(options.calls_per_minute, None);
        let http = Http::new(System::Pendo, ("[pendo] region or base_url", &options.base_url), scene, pace, errors::judge)?.keyed();
        Ok(Self { http, zone: scene.zone.clone(), options, schemas: Mutex::default(), open: Mutex::default() })
    }

    fn url(&self, below: &str) -> String {
        format!("{}/api/v1/{below}", self.options.base_url.trim_end_matches('/'))
    }

    fn keyed(&self, call: Call) -> Call {
        call.secret("x-pendo-integration-key", "", &self.options.integration_key)
    }

    /// A call of a path below `/api/v1/`.
    pub(super) fn call(&self, method: Method, below: &str) -> Call {
        self.keyed(Call::new(method, self.url(below)))
    }

    /// A POST that only reads.
    pub(super) fn ask(&self, below: &str) -> Call {
        self.keyed(Call::ask(self.url(below)))
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, below: &str) -> Result<T, Fault> {
        self.http.json(&self.call(Method::GET, below)).await
    }

    pub(super) fn aggregation(&self, pipeline: &[serde_json::Value]) -> Result<Call, Fault> {
        #[derive(Serialize)]
        struct Body<'a> {
            response: Mime,
            request: Pipeline<'a>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Mime {
            mime_type: &'static str,
        }
        #[derive(Serialize)]
        struct Pipeline<'a> {
            pipeline: &'a [serde_json::Value],
        }
        let body = Body { response: Mime { mime_type: "application/json" }, request: Pipeline { pipeline } };
        self.ask("aggregation").slow().json(System::Pendo, &body)
    }

    /// A script's own call. Paths that do not begin with `/api/` or `/data/` are below `/api/v1/`.
    pub(in crate::connectors) async fn request(&self, request: &Request) -> Result<Value, Fault> {
        let path = request.path.trim_start_matches('/');
        let rooted = path.starts_with("api/") || path.starts_with("data/");
        let url = if rooted { format!("{}/{path}", self.options.base_url.trim_end_matches('/')) } else { self.url(path) };
        let call = self.keyed(call_of(request, url)?).patient();
        self.http.read(&call, answer_of(request)).await
    }
}
