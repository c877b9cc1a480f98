//! The living process: configuration, schedules, watching and reloading.

mod config;
mod schedule;
mod watch;
