//! What scripts can say, one file per namespace.

/// `load_to_usage` and the other actions of a rule.
mod actions;
/// Days, instants, the rule date.
pub(super) mod dates;
/// `mapping`, `rule` and what they share.
mod declare;
/// What the effects of all namespaces share.
mod effects;
/// `email::`.
mod email;
/// Field maps.
mod fields;
/// Condition maps and their logic.
mod filters;
/// `gainsight::`.
mod gainsight;
/// `http::`.
mod http;
/// `journey`, its steps and conditions.
mod journey;
/// `log_timeline` and other actions on an account's history and plans.
mod kept;
/// `math::`.
pub(super) mod math;
/// Report columns.
mod measures;
/// Option maps with places and unknown keys.
mod options;
/// `pendo::`.
mod pendo;
/// `px::`.
mod px;
/// `salesforce::`.
mod salesforce;
/// Schedules, `after`, `overrides`.
mod schedules;
/// Sources and targets.
mod sources;
/// `state::`.
mod state;
/// What only tests can say.
mod testing;
/// The native part of `fields::`.
mod values;

use std::collections::BTreeMap;

use rhai::{Engine, Module, exported_module};

use crate::model::{Date, Timestamp};

pub(super) use dates::{Days, RuleDate};

/// The native half of every namespace.
pub(super) fn namespaces() -> BTreeMap<&'static str, Module> {
    BTreeMap::from([
        ("math", exported_module!(math::functions)),
        ("fields", exported_module!(values::functions)),
        ("salesforce", salesforce::module()),
        ("pendo", pendo::module()),
        ("gainsight", gainsight::module()),
        ("px", px::module()),
        ("email", exported_module!(email::functions)),
        ("state", exported_module!(state::functions)),
        ("http", exported_module!(http::functions)),
        ("clock", exported_module!(testing::clock_functions)),
        ("sandbox", exported_module!(testing::sandbox_functions)),
        ("journey", exported_module!(testing::journey_functions)),
    ])
}

/// Types and the functions without a namespace.
pub(super) fn register(engine: &mut Engine) {
    engine
        .register_type_with_name::<Date>("Date")
        .register_type_with_name::<Timestamp>("Timestamp")
        .register_type_with_name::<Days>("Days")
        .register_type_with_name::<RuleDate>("RuleDate")
        .register_type_with_name::<dates::Lasting>("Length")
        .register_type_with_name::<journey::JourneyStep>("Step")
        .register_type_with_name::<journey::Asking>("Condition")
        .register_type_with_name::<sources::Origin>("Source")
        .register_type_with_name::<sources::Destination>("Target")
        .register_type_with_name::<fields::Constant>("Constant")
        .register_type_with_name::<fields::FieldName>("FieldName")
        .register_type_with_name::<actions::RuleAction>("Action");
    engine.register_global_module(exported_module!(dates::functions).into());
    engine.register_global_module(exported_module!(sources::methods).into());
    engine.register_global_module(exported_module!(actions::functions).into());
    engine.register_global_module(exported_module!(kept::functions).into());
    engine.register_global_module(exported_module!(declare::functions).into());
    engine.register_global_module(exported_module!(journey::condition_functions).into());
    engine.register_global_module(exported_module!(journey::step_functions).into());
    engine.register_global_module(exported_module!(journey::functions).into());
    engine.register_global_module(exported_module!(testing::functions).into());
    engine.register_global_module(exported_module!(testing::assertion_functions).into());
}

/// The word for one of the API's own types, from its Rust name.
pub(super) fn type_word_of(name: &str) -> &'static str {
    match name.rsplit("::").next().unwrap_or(name) {
        "Origin" => "a source",
        "Destination" => "a target",
        "Constant" => "a constant",
        "FieldName" => "a field's name",
        "RuleAction" => "an action",
        "JourneyStep" => "a step",
        "Asking" => "a condition",
        "Lasting" => "a length",
        "Fault" => "a fault",
        _ => "another kind of value",
    }
}
