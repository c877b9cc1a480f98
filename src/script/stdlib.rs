//! The standard library written in rhai, embedded in the binary. File name = namespace = help page; native halves join in.

use rhai::{Engine, Module, Scope};

use super::{api, library::compile};

/// Namespace and source.
pub(super) const FILES: [(&str, &str); 6] = [
    ("score", include_str!("../../stdlib/score.rhai")),
    ("text", include_str!("../../stdlib/text.rhai")),
    ("dates", include_str!("../../stdlib/dates.rhai")),
    ("fields", include_str!("../../stdlib/fields.rhai")),
    ("records", include_str!("../../stdlib/records.rhai")),
    ("journey", include_str!("../../stdlib/journey.rhai")),
];

/// Registers every namespace: the native ones first, so that the standard library can use them.
/// A file of it that does not compile is left out; a test holds that none is.
pub(super) fn register(engine: &mut Engine) {
    let mut natives = api::namespaces();
    for (name, module) in &natives {
        engine.register_static_module(*name, built(module.clone()));
    }
    for (name, text) in FILES {
        let Ok(ast) = compile(engine, &format!("stdlib/{name}.rhai"), text) else { continue };
        let Ok(mut module) = Module::eval_ast_as_new(Scope::new(), &ast, engine) else { continue };
        if let Some(native) = natives.remove(name) {
            module.fill_with(&native);
        }
        engine.register_static_module(name, built(module));
    }
}

/// Whether the part of a namespace that is written in rhai has a function of this name.
pub(super) fn holds(namespace: &str, name: &str) -> bool {
    let opening = format!("fn {name}(");
    FILES.iter().any(|(file, text)| *file == namespace && text.contains(&opening))
}

fn built(mut module: Module) -> rhai::Shared<Module> {
    module.build_index();
    module.into()
}
