//! The engine: what scripts can say and how much they may use.
//!
//! Deliberately absent: `eval`, `sleep`, the time package (a clock), files, and rhai's own module resolver.

use rhai::{
    Dynamic, Engine, EvalAltResult, OptimizationLevel,
    packages::{
        ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMapPackage, BasicMathPackage, BasicStringPackage,
        LanguageCorePackage, LogicPackage, MoreStringPackage, Package,
    },
};

use crate::model::{Fault, FaultKind};

use super::{
    api, arithmetic,
    failure::thrown,
    limits::{self, Limits},
    stdlib,
};

/// An engine with the whole script API, without a module resolver.
pub(super) fn engine(limits: &Limits) -> Engine {
    let mut engine = Engine::new_raw();
    // Where days begin and end: an evaluation's own tag is its desk.
    engine.set_default_tag(Dynamic::from(limits.zone.clone()));
    packages(&mut engine);
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_fail_on_invalid_map_property(true).set_max_strings_interned(1024);
    engine.disable_symbol("eval");
    no_sleep(&mut engine);
    arithmetic::register(&mut engine);
    engine.on_print(limits::print);
    engine.on_debug(|line, _, _| limits::print(line));
    api::register(&mut engine);
    // The standard library is compiled within the same limits, and may call what is registered only after it, itself included.
    limits.apply(&mut engine);
    stdlib::register(&mut engine);
    engine.set_strict_variables(true);
    engine
}

/// The language package brings a `sleep` along. It is covered, and `check::Table` does not know the name.
fn no_sleep(engine: &mut Engine) {
    let refuse = || -> Result<(), Box<EvalAltResult>> { Err(thrown(Fault::new(FaultKind::NotAllowed, "scripts do not sleep"))) };
    engine.register_fn("sleep", move |_: i64| refuse());
    engine.register_fn("sleep", move |_: f64| refuse());
}

fn packages(engine: &mut Engine) {
    for package in [
        LanguageCorePackage::new().as_shared_module(),
        ArithmeticPackage::new().as_shared_module(),
        BasicStringPackage::new().as_shared_module(),
        BasicIteratorPackage::new().as_shared_module(),
        BasicFnPackage::new().as_shared_module(),
        LogicPackage::new().as_shared_module(),
        BasicMathPackage::new().as_shared_module(),
        BasicArrayPackage::new().as_shared_module(),
        BasicMapPackage::new().as_shared_module(),
        MoreStringPackage::new().as_shared_module(),
    ] {
        engine.register_global_module(package);
    }
}
