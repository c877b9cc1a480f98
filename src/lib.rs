//! Tabi (旅, a journey): an embedded scripting host for customer-success automation.

pub mod cli;
pub mod config;
pub mod connectors;
pub mod host;
pub mod model;
pub mod sandbox;
pub mod script;
pub mod store;
