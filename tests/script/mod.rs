//! The script room at its boundary.

mod bench;

mod canon;
mod cases;
mod closures;
mod docs;
mod files;
mod journeys;
mod limits;
mod native;
mod pages;
mod plain;
mod schemas;
mod templates;
mod types;
