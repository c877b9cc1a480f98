//! The sandbox as its clients see it: over HTTP, and its company by index.

mod company;
mod core;
mod mail;
mod pendo;
