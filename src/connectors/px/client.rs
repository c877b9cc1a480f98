//! The connection to one PX subscription.

use std::{collections::HashMap, sync::Arc};

use reqwest::Method;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::{
    connectors::{
        PxOptions,
        http::{Answer, Call, Http, Pace, Scene},
        request::{answer_of, call_of},
    },
    model::{Fault, FieldType, Request, System, TimeZone, Value},
};

use super::errors;

#[derive(Debug)]
pub(in crate::connectors) struct Px {
    pub(super) http: Http,
    /// Where days begin and end.
    pub(super) zone: TimeZone,
    pub(super) options: PxOptions,
    /// Custom attributes and their types, by model.
    pub(super) attributes: Mutex<HashMap<&'static str, Arc<HashMap<String, FieldType>>>>,
    /// Ids of external segments by name.
    pub(super) segments: Mutex<HashMap<String, String>>,
}

impl Px {
    pub(in crate::connectors) fn new(options: PxOptions, scene: &Scene) -> Result<Self, reqwest::Error> {
        let http = Http::new(System::Px, ("[px] region or base_url", &options.base_url), scene, Pace::default(), errors::judge)?.keyed();
        Ok(Self { http, zone: scene.zone.clone(), options, attributes: Mutex::default(), segments: Mutex::default() })
    }

    /// A path that does not name its version is below `/v1/`.
    fn url(&self, path: &str) -> String {
        let (base, path) = (self.options.base_url.trim_end_matches('/'), path.trim_start_matches('/'));
        let base = base.strip_suffix("/v1").unwrap_or(base);
        let versioned = path.starts_with("v1/") || path.starts_with("v2/");
        if versioned { format!("{base}/{path}") } else { format!("{base}/v1/{path}") }
    }

    fn keyed(&self, call: Call) -> Call {
        call.secret("x-aptrinsic-api-key", "", &self.options.api_key)
    }

    pub(super) fn call(&self, method: Method, path: &str) -> Call {
        self.keyed(Call::new(method, self.url(path)))
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Fault> {
        self.http.json(&self.call(Method::GET, path)).await
    }

    /// A call whose answer says nothing but that it was carried out.
    pub(super) async fn done(&self, call: &Call) -> Result<(), Fault> {
        self.http.read(call, |_: &Answer| Ok(())).await
    }

    /// A script's own call. A custom event gets the product key of `tabi.toml` when it names none.
    pub(in crate::connectors) async fn request(&self, request: &Request) -> Result<Value, Fault> {
        let url = self.url(&request.path);
        let mut request = request.clone();
        if let (Some(Value::Map(event)), Some(key)) = (&mut request.body, &self.options.product_key)
            && request.method == "POST"
            && request.path.ends_with("/events/custom")
            && event.get("propertyKey").is_none()
        {
            event.set("propertyKey", Value::text(key));
        }
        self.http.read(&self.keyed(call_of(&request, url)?), answer_of(&request)).await
    }
}
