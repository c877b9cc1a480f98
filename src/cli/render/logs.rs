//! What the program says about itself, on standard error.

use tracing_subscriber::EnvFilter;

/// Warnings, or more with `-v`; `TABI_LOG` says it in detail (`tabi=debug`).
pub(crate) fn logs(verbose: u8, color: bool) {
    let level = match verbose {
        0 => "warn",
        1 => "tabi=info,warn",
        2 => "tabi=debug,info",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("TABI_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(color).with_target(false);
    // A second one is refused: the first stays.
    let _ = logs.try_init();
}
