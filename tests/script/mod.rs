//! The script room at its boundary.

mod canon;
