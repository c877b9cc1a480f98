//! The one test binary: every test at the boundary of the program.

mod support;
