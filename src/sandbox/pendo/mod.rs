//! Pendo's Engage API: served from the seeded company and what was written to it.

/// Keys, refusals, and the vendor's error bodies.
mod auth;
/// Which paths there are.
mod routes;

pub(super) use routes::emulator;
