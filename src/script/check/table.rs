//! Names and arities of everything that can be called: built in, of the standard library, of namespaces.

use std::collections::{BTreeMap, BTreeSet};

use rhai::Engine;

/// Functions by namespace (the empty one is global) and name, with their numbers of parameters.
pub(in crate::script) struct Table {
    functions: BTreeMap<String, BTreeMap<String, BTreeSet<usize>>>,
}

/// What the engine handles itself; any number of arguments.
const KEYWORDS: [&str; 12] = ["call", "curry", "Fn", "type_of", "print", "debug", "is_shared", "is_def_var", "is_def_fn", "this", "eval", "exit"];

impl Table {
    pub(in crate::script) fn of(engine: &Engine) -> Self {
        let rows = engine.collect_fn_metadata(
            None,
            |info| Some((info.namespace.to_string(), info.metadata.name.to_string(), info.metadata.num_params)),
            true,
        );
        let mut functions: BTreeMap<String, BTreeMap<String, BTreeSet<usize>>> = BTreeMap::new();
        for (namespace, name, parameters) in rows.into_iter().filter(|(_, name, _)| name != "sleep") {
            functions.entry(namespace).or_default().entry(name).or_default().insert(parameters);
        }
        Self { functions }
    }

    pub(super) fn is_keyword(name: &str) -> bool {
        KEYWORDS.contains(&name)
    }

    pub(super) fn arities(&self, namespace: &str, name: &str) -> Option<&BTreeSet<usize>> {
        self.functions.get(namespace)?.get(name)
    }

    pub(super) fn has_namespace(&self, name: &str) -> bool {
        !name.is_empty() && self.functions.contains_key(name)
    }

    pub(super) fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str).filter(|name| !name.is_empty())
    }

    /// Names of a namespace that people write: no operators, getters or closures.
    pub(super) fn names(&self, namespace: &str) -> impl Iterator<Item = &str> {
        let all = self.functions.get(namespace).into_iter().flat_map(BTreeMap::keys);
        all.map(String::as_str).filter(|name| name.starts_with(|c: char| c.is_alphabetic()) && !name.contains('$'))
    }

    /// A namespace that has a function of the name.
    pub(super) fn home(&self, name: &str) -> Option<&str> {
        self.namespaces().find(|namespace| self.arities(namespace, name).is_some())
    }
}
