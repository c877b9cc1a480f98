//! Tabi (旅, a journey): an embedded scripting host for customer-success automation.
//!
//! Scripts don't do things; they ask for effects. An effect is plain data (`model::Effect`), and who carries it out is chosen per run
//! (`script::Perform`): for real and journaled, or on paper. Planning and running are one path.
//!
//! A room names only rooms on lower floors; rooms on one floor never name each other (`tests/tidy.rs` holds it).
//!
//! | floor | room | what lives there |
//! |---|---|---|
//! | 0 | `model` | the nouns: values, records, effects, faults |
//! | 0 | `config` | `tabi.toml` |
//! | 1 | `store` | what is remembered, in SQLite |
//! | 1 | `connectors` | the real systems over HTTP, mail over SMTP |
//! | 1 | `script` | the rhai host: engine, generations, declarations, closures (small pure ones as native trees), templates, the script API, diagnostics |
//! | 1 | `sandbox` | the systems again, as servers over a seeded company; imports nothing of the crate |
//! | 2 | `flow` | doing the work: mappings, rules, segments, journeys |
//! | 3 | `host` | the living process: watch, reload, schedule |
//! | 4 | `repl` | the line editor of `tabi repl` and its commands |
//! | 4 | `web` | the server of links, surveys and web hooks |
//! | 5 | `cli` | one file per subcommand; `render` alone prints |

pub mod model;

pub mod config;

pub mod connectors;
pub mod sandbox;
pub mod script;
pub mod store;

pub mod flow;

pub mod host;

pub mod repl;
pub mod web;

pub mod cli;
