//! `state::`: a small key-value store of the workspace.

use rhai::plugin::{Dynamic, EvalAltResult, NativeCallContext, RhaiResult, export_module};

use crate::model::{Effect, StateCall};
use crate::script::desk::perform;

use super::effects::{data, value};

fn call(ctx: &NativeCallContext, call: StateCall) -> RhaiResult {
    value(perform(ctx, Effect::State(call))?)
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
pub(super) mod functions {
    /// Reads a value; null when there is none.
    ///
    /// # Example
    /// ```rhai
    /// let last = state::get("last-export");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn get(ctx: NativeCallContext, key: &str) -> RhaiResult {
        call(&ctx, StateCall::Get { key: key.to_owned() })
    }

    /// Reads a value, or a default when there is none.
    ///
    /// # Example
    /// ```rhai
    /// let count = state::get("count", 0);
    /// ```
    #[rhai_fn(name = "get", return_raw)]
    pub fn get_or(ctx: NativeCallContext, key: &str, default: Dynamic) -> RhaiResult {
        let found = call(&ctx, StateCall::Get { key: key.to_owned() })?;
        Ok(if found.is_unit() { default } else { found })
    }

    /// Keeps a value: anything that JSON can hold.
    ///
    /// # Example
    /// ```rhai
    /// state::set("last-export", "2026-01-31");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn set(ctx: NativeCallContext, key: &str, value: Dynamic) -> Result<(), Box<EvalAltResult>> {
        call(&ctx, StateCall::Set { key: key.to_owned(), value: data(&value)? }).map(|_| ())
    }

    /// Forgets a value.
    ///
    /// # Example
    /// ```rhai
    /// state::delete("last-export");
    /// ```
    #[rhai_fn(return_raw)]
    pub fn delete(ctx: NativeCallContext, key: &str) -> Result<(), Box<EvalAltResult>> {
        call(&ctx, StateCall::Delete { key: key.to_owned() }).map(|_| ())
    }

    /// Lists all keys.
    ///
    /// # Example
    /// ```rhai
    /// print(state::keys());
    /// ```
    #[rhai_fn(return_raw)]
    pub fn keys(ctx: NativeCallContext) -> RhaiResult {
        call(&ctx, StateCall::Keys { prefix: String::new() })
    }

    /// Lists the keys with a prefix.
    ///
    /// # Example
    /// ```rhai
    /// print(state::keys("export-"));
    /// ```
    #[rhai_fn(name = "keys", return_raw)]
    pub fn keys_with(ctx: NativeCallContext, prefix: &str) -> RhaiResult {
        call(&ctx, StateCall::Keys { prefix: prefix.to_owned() })
    }
}
