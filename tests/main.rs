//! The one test binary: every test at the boundary of the program.

mod host;
mod support;
mod tidy;
