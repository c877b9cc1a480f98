//! `http::`: hosts that `tabi.toml` allows, and no others.

use rhai::{
    Map,
    plugin::{Dynamic, NativeCallContext, RhaiResult, export_module},
};

use crate::model::{Effect, HttpCall, Record, Value};
use crate::script::desk::perform;

use super::effects::{data, record, refuse, value};

fn call(ctx: &NativeCallContext, method: &str, url: &str, headers: Record, body: Option<Value>) -> RhaiResult {
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return refuse(format!("`{url}` is no URL: it begins with https://"));
    }
    value(perform(ctx, Effect::Http(HttpCall { method: method.to_owned(), url: url.to_owned(), headers, body }))?)
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
pub(super) mod functions {
    /// Fetches a URL; returns `#{ status, headers, body }`.
    ///
    /// # Example
    /// ```rhai
    /// let answer = http::get("https://status.example.com/api.json");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(ctx: NativeCallContext, url: &str) -> RhaiResult {
        call(&ctx, "GET", url, Record::new(), None)
    }

    /// Fetches a URL with headers.
    ///
    /// # Example
    /// ```rhai
    /// let answer = http::get("https://status.example.com/api.json", #{ Accept: "application/json" });
    /// ```
    #[rhai_fn(name = "get", return_raw)]
    pub fn get_with(ctx: NativeCallContext, url: &str, headers: Map) -> RhaiResult {
        call(&ctx, "GET", url, record(&headers)?, None)
    }

    /// Posts a body, JSON unless it is text; returns `#{ status, headers, body }`.
    ///
    /// # Example
    /// ```rhai
    /// http::post("https://hooks.example.com/cs", #{ text: "Renewal at risk" });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn post(ctx: NativeCallContext, url: &str, body: Dynamic) -> RhaiResult {
        call(&ctx, "POST", url, Record::new(), Some(data(&body)?))
    }

    /// Posts a body with headers.
    ///
    /// # Example
    /// ```rhai
    /// http::post("https://hooks.example.com/cs", "hello", #{ "Content-Type": "text/plain" });
    /// ```
    #[rhai_fn(name = "post", return_raw)]
    pub fn post_with(ctx: NativeCallContext, url: &str, body: Dynamic, headers: Map) -> RhaiResult {
        call(&ctx, "POST", url, record(&headers)?, Some(data(&body)?))
    }
}
