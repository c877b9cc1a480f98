//! The `tabi` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    tabi::cli::main()
}
