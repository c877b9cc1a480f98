//! The living process: configuration, schedules, watching and reloading.

mod config;
mod connect;
mod reload;
mod schedule;
mod stop;
mod up;
mod watch;
