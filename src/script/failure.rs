//! Faults going into a script as exceptions, and the engine's errors coming out as faults with their place.

use rhai::{Dynamic, EvalAltResult, ImmutableString, Map, Position};

use crate::model::{Fault, FaultKind, System};

use super::{declaration::Place, limits::Ended, spots::place};

/// Why a script ended early, and where. The fault's message does not repeat the place.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub struct Failure {
    pub fault: Box<Fault>,
    pub place: Option<Place>,
    /// The calls that led there, the innermost one first.
    pub stack: Vec<Frame>,
    pub(super) cause: Cause,
}

/// A call: which function, and where the call is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// As scripts call it; `a closure` for one without a name.
    pub function: String,
    pub place: Place,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: {}", self.fault),
            None => self.fault.fmt(f),
        }
    }
}

/// What a function without a name is called.
pub(super) const CLOSURE: &str = "a closure";
/// Frames that a message names, at most.
const TOLD: usize = 8;

/// What kind of failure it was, for the choice of a diagnostic code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Fault,
    Limit,
    UnknownFunction,
    UnknownVariable,
    UnknownNamespace,
    MissingProperty,
    Other,
}

impl Failure {
    /// The fault alone, its place and the calls that led there told in the message. What a system said stays as it said it.
    pub fn into_fault(self) -> Fault {
        let own = self.cause != Cause::Fault || self.fault.system.is_none() && self.fault.kind == FaultKind::Invalid;
        match &self.place {
            Some(place) if own => {
                let mut way: Vec<String> = vec![place.to_string()];
                way.extend(self.stack.iter().take(TOLD).map(|frame| format!("called at {}", frame.place)));
                way.extend((self.stack.len() > TOLD).then(|| format!("and {} calls more", self.stack.len() - TOLD)));
                Fault { message: format!("{} ({})", self.fault.message, way.join(", ")), ..*self.fault }
            }
            _ => *self.fault,
        }
    }
}

/// A fault as a script meets it: a map that can be caught, unless it is an interrupt or a refusal.
#[allow(clippy::unnecessary_box_returns, reason = "the engine's own error shape")]
pub(super) fn thrown(fault: Fault) -> Box<EvalAltResult> {
    if matches!(fault.kind, FaultKind::Interrupted | FaultKind::NotAllowed) {
        return EvalAltResult::ErrorTerminated(Dynamic::from(fault), Position::NONE).into();
    }
    EvalAltResult::ErrorRuntime(as_map(&fault).into(), Position::NONE).into()
}

/// A fault as the map that scripts catch.
pub(super) fn as_map(fault: &Fault) -> Map {
    let text = |text: &str| Dynamic::from(ImmutableString::from(text));
    let optional = |value: Option<&str>| value.map_or(Dynamic::UNIT, text);
    let mut map = Map::new();
    map.insert("kind".into(), text(fault.kind.word()));
    map.insert("message".into(), text(&fault.message));
    map.insert("system".into(), optional(fault.system.map(System::name)));
    map.insert("code".into(), optional(fault.code.as_deref()));
    map.insert("field".into(), optional(fault.field.as_deref()));
    let seconds = fault.retry_after.and_then(|wait| i64::try_from(wait.as_secs()).ok());
    map.insert("retry_after".into(), seconds.map_or(Dynamic::UNIT, Dynamic::from));
    map
}

/// The innermost cause of an engine's error, with the file and position it happened at.
pub(super) fn failure(error: Box<EvalAltResult>, file: &str) -> Failure {
    let (mut file, mut outer, mut error) = (file.to_owned(), Position::NONE, error);
    let mut stack: Vec<Frame> = Vec::new();
    loop {
        match *error {
            EvalAltResult::ErrorInFunctionCall(function, source, inner, at) => {
                outer = if at.is_none() { outer } else { at };
                stack.extend(frame(&function, &file, at).filter(|frame| stack.last() != Some(frame)));
                if !source.is_empty() && !inner.position().is_none() {
                    file = source;
                }
                error = inner;
            }
            EvalAltResult::ErrorInModule(path, inner, at) => {
                outer = if at.is_none() { outer } else { at };
                if !path.is_empty() && !inner.position().is_none() {
                    file = path;
                }
                error = inner;
            }
            mut root => {
                let at = root.take_position();
                let at = if at.is_none() { outer } else { at };
                let (fault, cause) = root_fault(&root);
                let place = (!at.is_none()).then(|| place(&file, at));
                stack.reverse();
                return Failure { fault: Box::new(fault), place, stack, cause };
            }
        }
    }
}

/// A call that failed within; calls without a place are the engine's own.
fn frame(function: &str, file: &str, at: Position) -> Option<Frame> {
    let function = if function.starts_with("anon$") { CLOSURE } else { function };
    (!at.is_none()).then(|| Frame { function: function.to_owned(), place: place(file, at) })
}

fn root_fault(error: &EvalAltResult) -> (Fault, Cause) {
    let script = |message: String| Fault::new(FaultKind::Script, message);
    match error {
        EvalAltResult::ErrorRuntime(value, _) => match fault_of(value) {
            Some(fault) => (fault, Cause::Fault),
            None => (script(value.to_string()), Cause::Other),
        },
        EvalAltResult::ErrorTerminated(token, _) => terminated(token),
        EvalAltResult::ErrorFunctionNotFound(signature, _) => (script(not_found(signature)), Cause::UnknownFunction),
        EvalAltResult::ErrorVariableNotFound(name, _) => (script(format!("unknown variable `{name}`")), Cause::UnknownVariable),
        EvalAltResult::ErrorModuleNotFound(name, _) => (script(format!("unknown namespace `{name}`")), Cause::UnknownNamespace),
        EvalAltResult::ErrorPropertyNotFound(name, _) => (script(format!("no field `{name}` here")).field(name.clone()), Cause::MissingProperty),
        EvalAltResult::ErrorDotExpr(text, _) => (script(no_property(text)), Cause::Other),
        EvalAltResult::ErrorTooManyOperations(_) => limit("the script took more steps than it may: look for a loop without an end"),
        EvalAltResult::ErrorStackOverflow(_) => limit("functions call each other deeper than they may: look for a recursion without an end"),
        EvalAltResult::ErrorTooManyVariables(_) => limit("more variables are alive than may be"),
        EvalAltResult::ErrorTooManyModules(_) => limit("more files are imported than may be"),
        EvalAltResult::ErrorDataTooLarge(what, _) => limit(&format!("a value grew larger than it may: {}", what.to_lowercase())),
        other => (script(other.to_string()), Cause::Other),
    }
}

fn limit(message: &str) -> (Fault, Cause) {
    (Fault::new(FaultKind::Script, message).code("LIMIT"), Cause::Limit)
}

fn terminated(token: &Dynamic) -> (Fault, Cause) {
    if let Some(fault) = token.read_lock::<Fault>() {
        return (fault.clone(), Cause::Fault);
    }
    match token.read_lock::<Ended>().as_deref() {
        Some(Ended::OutOfTime(time)) => limit(&format!("the script ran longer than {} s", time.as_secs_f64())),
        _ => (Fault::new(FaultKind::Interrupted, "the script was asked to stop"), Cause::Fault),
    }
}

/// A thrown map that has the shape of a fault.
fn fault_of(value: &Dynamic) -> Option<Fault> {
    let map = value.as_map_ref().ok()?;
    let text = |name: &str| map.get(name).and_then(|v| v.as_immutable_string_ref().ok().map(|s| s.to_string()));
    let kind = kind_of(&text("kind")?)?;
    Some(Fault {
        kind,
        system: text("system").and_then(|name| name.parse().ok()),
        message: text("message").unwrap_or_default(),
        code: text("code"),
        field: text("field"),
        retry_after: map.get("retry_after").and_then(|v| v.as_int().ok()).and_then(|n| u64::try_from(n).ok()).map(std::time::Duration::from_secs),
    })
}

fn kind_of(word: &str) -> Option<FaultKind> {
    use FaultKind::{Conflict, Denied, Garbled, Interrupted, Invalid, LimitExceeded, NotAllowed, NotFound, RateLimited, Script, State, Unavailable};
    [RateLimited, LimitExceeded, NotFound, Invalid, Denied, Conflict, Unavailable, Garbled, NotAllowed, Script, Interrupted, State]
        .into_iter()
        .find(|kind| kind.word() == word)
}

/// `/ ((), f64)` in words.
fn not_found(signature: &str) -> String {
    let (name, types) = signature.split_once(" (").unwrap_or((signature, ""));
    let types: Vec<&str> = types.trim_end_matches(')').split(", ").filter(|t| !t.is_empty()).map(script_type).collect();
    let operator = !name.is_empty() && !name.contains(|c: char| c.is_alphanumeric() || c == '_');
    match (operator, types.as_slice()) {
        (true, [a, b]) if types.contains(&"null") => format!("`{name}` between {a} and {b}: the value is null, give it a default (`x ?? 0`)"),
        (true, [a, b]) => format!("`{name}` does not work between {a} and {b}"),
        _ => format!("no function `{name}` for ({})", types.join(", ")),
    }
}

/// `Unknown property 'Name' - a getter is not registered for type '()'` in words.
fn no_property(text: &str) -> String {
    let quoted: Vec<&str> = text.split('\'').skip(1).step_by(2).collect();
    match quoted.as_slice() {
        [field, "()"] => format!("null has no field `{field}`: write `?.{field}` where it may be null"),
        [field, of] => format!("{} has no field `{field}`", script_type(of)),
        _ => text.to_owned(),
    }
}

/// The word for one of the engine's type names.
fn script_type(name: &str) -> &str {
    match name.trim_start_matches("&mut ").trim_end_matches(')') {
        "(" | "()" | "" => "null",
        "i64" => "integer",
        "f64" => "number",
        "&str | ImmutableString | String" | "string" => "text",
        "array" => "list",
        "bool" => "boolean",
        "Fn" => "closure",
        other => other,
    }
}
