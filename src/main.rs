//! The `tabi` command.

use std::process::ExitCode;

/// Records are made of many small pieces.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tabi::cli::main()
}
