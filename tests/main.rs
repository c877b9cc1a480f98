//! The one test binary: every test at the boundary of the program.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cli;
mod connectors;
mod data;
mod flow;
mod host;
mod licences;
mod sandbox;
mod sandbox_gainsight;
mod sandbox_px;
mod sandbox_salesforce;
mod script;
mod store;
mod support;
mod tidy;
mod web;
