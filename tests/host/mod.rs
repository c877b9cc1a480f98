//! The living process: configuration, schedules, watching and reloading.

mod backtest;
mod calls;
mod certificates;
mod config;
mod connect;
mod edits;
mod reload;
mod schedule;
mod stop;
pub(crate) mod up;
mod watch;
