//! The connectors against the sandbox: real clients, real HTTP, and everything that can go wrong on the way.

/// A sandbox, clients for it, and shorthands for effects.
mod bench;
/// Gainsight.
mod gainsight;
/// Salesforce.
mod salesforce;
