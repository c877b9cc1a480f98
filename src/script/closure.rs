//! A script's closure, callable from any thread with what its file knows: functions, constants, imports, and the values it
//! captured, frozen as they were when it was declared.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

#[allow(deprecated, reason = "not deprecated but volatile, as its own note says; the exact version of rhai is pinned for it")]
use rhai::NativeCallContextStore;
use rhai::{Dynamic, Engine, FnPtr, Map};

use crate::model::{Condition, Date, Fault, FaultKind, Record, Value};

use super::{
    declaration::Place,
    desk::{Desk, Loading, zone_of},
    failure::{CLOSURE, Cause, Failure, failure},
    limits::{self, PrintSink},
    native::{self, Native, Surroundings},
    perform::Perform,
    spots::FileMap,
    templates::Shelf,
    trial::Trial,
    value::{from_dynamic, to_dynamic},
};

/// What a closure reads of its row.
#[derive(Debug, Clone, Default)]
pub(super) struct Reads {
    /// Sorted; none when it may read any.
    pub(super) fields: Option<Vec<String>>,
    /// Each read with its place.
    pub(super) places: Vec<(String, Place)>,
}

/// A closure and what it needs to run. Cheap to clone.
#[derive(Clone)]
pub struct Closure(Arc<Inner>);

#[allow(deprecated, reason = "as above")]
#[derive(Clone)]
struct Inner {
    engine: Arc<Engine>,
    pointer: FnPtr,
    /// The context it was declared in, as a pure evaluation.
    context: NativeCallContextStore,
    place: Place,
    reads: Reads,
    /// Its native form, when it has one.
    native: Option<Arc<Native>>,
    stopwatch: fn() -> Instant,
    templates: Arc<Shelf>,
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closure").field("place", &self.0.place).field("reads", &self.0.reads.fields).finish_non_exhaustive()
    }
}

impl Closure {
    /// Keeps a function pointer with the context of the call that received it.
    #[allow(deprecated, reason = "as above")]
    pub(super) fn keep(ctx: &rhai::NativeCallContext, loading: &Loading, pointer: &FnPtr, map: Option<&FileMap>, place: Place, reads: Reads) -> Self {
        let mut context = ctx.store_data();
        context.global.tag = Dynamic::from(Desk::Pure { rule_date: None });
        context.global.num_operations = 0;
        context.global.level = 0;
        let (engine, templates) = (Arc::clone(&loading.engine), Arc::clone(&loading.templates));
        let pointer = frozen(pointer);
        let around = map.map(|map| Surroundings { engine: &engine, global: &context.global, map, pointer: &pointer });
        let native = around.filter(|_| reads.fields.is_some()).and_then(|around| native::compile(&around)).map(Arc::new);
        Self(Arc::new(Inner { engine, pointer, context, place, reads, native, stopwatch: Instant::now, templates }))
    }

    /// The same closure on a rule date, which it sees as `rule_date()`.
    #[allow(deprecated, reason = "as above")]
    pub(super) fn on(&self, date: Date) -> Self {
        let mut inner = self.0.as_ref().clone();
        inner.context.global.tag = Dynamic::from(Desk::Pure { rule_date: Some(date) });
        Self(Arc::new(inner))
    }

    /// Where it is written.
    pub fn place(&self) -> &Place {
        &self.0.place
    }

    /// The fields of its row that it reads, sorted; none when it may read any.
    pub fn reads(&self) -> Option<&[String]> {
        self.0.reads.fields.as_deref()
    }

    /// The name of its function in its file's tree.
    pub(super) fn function(&self) -> &str {
        self.0.pointer.fn_name()
    }

    /// Its reads with their places, for checks.
    pub(super) fn read_places(&self) -> &[(String, Place)] {
        &self.0.reads.places
    }

    /// The same closure as the interpreter alone runs it, to compare with.
    pub fn interpreted(&self) -> Self {
        Self(Arc::new(Inner { native: None, ..self.0.as_ref().clone() }))
    }

    /// Its value for a row by its native form alone; none when it has no such form, or when that leaves this row to the interpreter.
    pub fn call_native(&self, row: &Record) -> Option<Value> {
        self.0.native.as_ref()?.call(row)
    }

    /// Conditions that every row meets for which it is true, as far as it says so plainly; it is asked for each row all the same.
    pub fn demands(&self) -> Vec<Condition> {
        self.0.native.as_ref().map(|native| native.demands()).unwrap_or_default()
    }

    /// Calls it with one row. It is pure: an effect inside is a fault.
    ///
    /// # Errors
    /// `Script` when it fails, reaches a limit, or reads a field that the row does not have (then `field` names it);
    /// `NotAllowed` when it asks for an effect. The message tells the place.
    pub fn call_row(&self, row: &Record) -> Result<Value, Fault> {
        match self.call_native(row) {
            Some(value) => Ok(value),
            None => self.interpret(row),
        }
    }

    /// Whether it is true for a row. Null is not true, as in a filter.
    ///
    /// # Errors
    /// As `call_row`, and when it gives anything else, of which nobody can tell whether the row was meant.
    pub fn holds(&self, row: &Record) -> Result<bool, Fault> {
        match self.call_row(row)? {
            Value::Bool(holds) => Ok(holds),
            Value::Null => Ok(false),
            other => {
                let message = format!("the filter at {} gives `{other}`, which is neither true nor false: compare it with something", self.place());
                Err(Fault::new(FaultKind::Script, message))
            }
        }
    }

    fn interpret(&self, row: &Record) -> Result<Value, Fault> {
        let argument = match &self.0.reads.fields {
            Some(fields) => fields.iter().filter_map(|name| Some((name.as_str().into(), to_dynamic(row.path(name)?)))).collect::<Map>(),
            None => super::value::to_map(row),
        };
        let outcome = limits::evaluation(None, None, || self.call_in(&self.0.context, [Dynamic::from(argument)]));
        outcome.map_err(|failure| name_the_field(failure, row).into_fault())
    }

    /// Calls it with any arguments; its effects go to `perform`.
    ///
    /// # Errors
    /// As `call_row`, and whatever `perform` refuses that the closure does not catch.
    #[allow(deprecated, reason = "as above")]
    pub fn call(&self, perform: Arc<dyn Perform>, arguments: &[Value]) -> Result<Value, Fault> {
        let context = self.running(perform, None);
        let arguments: Vec<Dynamic> = arguments.iter().map(to_dynamic).collect();
        limits::evaluation(None, None, || self.call_in(&context, arguments)).map_err(Failure::into_fault)
    }

    /// Calls it without arguments as a test.
    #[allow(deprecated, reason = "as above")]
    pub(super) fn call_in_test(&self, perform: Arc<dyn Perform>, trial: Arc<Trial>, stop: Arc<AtomicBool>, print: PrintSink) -> Result<(), Failure> {
        let context = self.running(perform, Some(trial));
        let call = || {
            let call = context.create_context(&self.0.engine);
            self.0.pointer.call_raw(&call, None, []).map(|_| ()).map_err(|error| failure(error, &self.0.place.file))
        };
        limits::evaluation(Some(stop), Some(print), call)
    }

    #[allow(deprecated, reason = "as above")]
    fn running(&self, perform: Arc<dyn Perform>, trial: Option<Arc<Trial>>) -> NativeCallContextStore {
        let mut context = self.0.context.clone();
        let (stopwatch, templates) = (self.0.stopwatch, Arc::clone(&self.0.templates));
        context.global.tag = Dynamic::from(Desk::Running { perform, stopwatch, templates, trial, zone: zone_of(&self.0.engine) });
        context
    }

    #[allow(deprecated, reason = "as above")]
    fn call_in(&self, context: &NativeCallContextStore, arguments: impl AsMut<[Dynamic]>) -> Result<Value, Failure> {
        let call = context.create_context(&self.0.engine);
        let result = self.0.pointer.call_raw(&call, None, arguments).map_err(|error| {
            let mut failed = failure(error, &self.0.place.file);
            // The outermost call is the host's own.
            failed.stack.pop_if(|frame| frame.function == CLOSURE);
            failed
        })?;
        from_dynamic(&result).map_err(|what| Failure {
            fault: Box::new(Fault::new(FaultKind::Script, format!("the closure returns {what}, which is no value"))),
            place: Some(self.0.place.clone()),
            stack: Vec::new(),
            cause: Cause::Other,
        })
    }
}

/// A missing property of the row itself is told with the fields there are.
fn name_the_field(failure: Failure, row: &Record) -> Failure {
    match &failure.fault.field {
        Some(field) if failure.cause == Cause::MissingProperty && row.path(field).is_none() => {
            let known: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).take(20).collect();
            let message = format!("the row has no field `{field}`; it has {}", known.join(", "));
            Failure { fault: Box::new(Fault { message, ..*failure.fault }), ..failure }
        }
        _ => failure,
    }
}

/// Captured variables are shared and live; a copy of their values makes every call begin alike.
fn frozen(pointer: &FnPtr) -> FnPtr {
    let mut copy = pointer.clone();
    let values: Vec<Dynamic> = pointer.iter_curry().map(frozen_value).collect();
    copy.set_curry(values);
    copy
}

fn frozen_value(value: &Dynamic) -> Dynamic {
    let value = value.flatten_clone();
    if let Some(pointer) = value.read_lock::<FnPtr>() {
        return frozen(&pointer).into();
    }
    if let Ok(items) = value.as_array_ref() {
        return items.iter().map(frozen_value).collect::<rhai::Array>().into();
    }
    if let Ok(map) = value.as_map_ref() {
        return map.iter().map(|(key, value)| (key.clone(), frozen_value(value))).collect::<Map>().into();
    }
    value
}
