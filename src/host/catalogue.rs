//! What the systems and the workspace have, for completion: from the state file where it was described before, else asked for once in
//! the background. Nobody who types waits longer than a moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use crate::{
    model::{Effect, Field, Reply, System, Value},
    script::{self, Completion, Entry, Perform as _},
};

use super::{Workspace, attach::Current, console::Reach};

/// How long a key may seem to do nothing.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Objects and fields as far as they are known.
#[derive(Clone)]
pub struct Catalogue {
    workspace: Workspace,
    reach: Arc<Reach>,
    /// Of a running host: what it runs.
    current: Option<Current>,
    reference: Arc<OnceLock<Vec<Entry>>>,
    shared: Arc<(Mutex<Known>, Condvar)>,
}

#[derive(Default)]
struct Known {
    objects: BTreeMap<&'static str, Vec<String>>,
    fields: BTreeMap<(&'static str, String), Vec<Field>>,
    /// What was asked for already.
    asked: BTreeSet<(&'static str, String)>,
    /// Questions on their way.
    open: usize,
    declared: Option<Vec<(String, String)>>,
}

impl Catalogue {
    /// Nothing is known or asked yet.
    pub fn new(workspace: &Workspace, reach: Arc<Reach>) -> Self {
        Self { workspace: workspace.clone(), reach, current: None, reference: Arc::default(), shared: Arc::default() }
    }

    /// The same for a running host, whose declarations are those that run.
    #[must_use]
    pub fn of_host(self, current: Current) -> Self {
        Self { current: Some(current), ..self }
    }

    /// Reads the reference in the background, so that the first completion need not wait for it.
    pub fn prepare(&self) {
        let reference = Arc::clone(&self.reference);
        // Where there is no thread for it, the first completion reads it.
        let _ = std::thread::Builder::new().name("reference".to_owned()).spawn(move || {
            reference.get_or_init(script::reference);
        });
    }

    /// What could be written next.
    pub fn complete(&self, console: &script::Console, before: &str, after: &str) -> Vec<Completion> {
        script::complete(console, self.reference.get_or_init(script::reference), self, before, after)
    }

    /// Declarations are read anew, and what was not found may be asked for again.
    pub fn reload(&self) {
        let mut known = self.known();
        known.declared = None;
        known.asked.clear();
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks once, and waits a moment for the answer.
    fn ask(&self, system: System, object: &str) {
        let key = (system.name(), object.to_lowercase());
        {
            let mut known = self.known();
            if known.asked.insert(key.clone()) {
                known.open += 1;
                let this = self.clone();
                let object = object.to_owned();
                let spawned = std::thread::Builder::new().name("describe".to_owned()).spawn(move || this.fetch(system, &object, key));
                if spawned.is_err() {
                    known.open -= 1;
                }
            }
        }
        let known = self.known();
        drop(self.shared.1.wait_timeout_while(known, PATIENCE, |known| known.open > 0));
    }

    fn fetch(&self, system: System, object: &str, key: (&'static str, String)) {
        let effect = if object.is_empty() { Effect::Objects { system } } else { Effect::Describe { system, object: object.to_owned() } };
        let reply = self.reach.wire().and_then(|wire| {
            let reply = wire.perform(effect)?;
            if let Reply::Schema(schema) = &reply {
                // Only a cache: what cannot be kept is asked for again next time.
                let _ = wire.store().keep_schema(schema, wire.now());
            }
            Ok(reply)
        });
        let mut known = self.known();
        match reply {
            Ok(Reply::Schema(schema)) => drop(known.fields.insert(key, schema.fields)),
            Ok(Reply::Value(Value::List(names))) => {
                let names = names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
                known.objects.insert(system.name(), names);
            }
            // A system that is away has no names to offer.
            Ok(_) | Err(_) => (),
        }
        known.open -= 1;
        self.shared.1.notify_all();
    }

    /// As the state file remembers it.
    fn remembered(&self, system: System, object: &str) -> Option<Vec<Field>> {
        let store = self.workspace.existing_store().ok()??;
        Some(store.schema(system, object).ok()??.schema.fields)
    }
}

impl script::Catalogue for Catalogue {
    fn objects(&self, system: System) -> Vec<String> {
        if !self.known().objects.contains_key(system.name()) {
            self.ask(system, "");
        }
        self.known().objects.get(system.name()).cloned().unwrap_or_default()
    }

    fn fields(&self, system: System, object: &str) -> Vec<Field> {
        let key = (system.name(), object.to_lowercase());
        if let Some(fields) = self.known().fields.get(&key) {
            return fields.clone();
        }
        if let Some(fields) = self.remembered(system, object) {
            self.known().fields.insert(key, fields.clone());
            return fields;
        }
        self.ask(system, object);
        self.known().fields.get(&key).cloned().unwrap_or_default()
    }

    fn declared(&self) -> Vec<(String, String)> {
        if let Some(running) = self.current.as_ref().and_then(Current::declared) {
            return running;
        }
        if let Some(declared) = &self.known().declared {
            return declared.clone();
        }
        let loaded = self.workspace.load();
        let names: Vec<(String, String)> = loaded.declarations().iter().map(|d| (d.name.clone(), d.kind().word().to_owned())).collect();
        self.known().declared = Some(names.clone());
        names
    }
}
