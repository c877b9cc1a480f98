//! Rows of objects: seeded rows computed on demand, with inserted, changed and deleted ones kept compactly on top and in a log.
//!
//! One system has one `Documents`. Each write is in its log (written, not synced) before it is answered, so that a killed process
//! loses nothing it acknowledged; a torn last line is dropped at the next start.

/// One value, compactly.
mod cell;
/// The file behind the rows of one system.
mod log;
/// One row: its seeded fields with the written ones on top.
mod row;
/// Where rows come from that nobody wrote.
mod seed;
/// One object's rows.
mod table;

pub use log::Documents;
pub use row::Row;
pub use seed::{Nothing, Seed};
pub use table::{Change, Scan, Table};
