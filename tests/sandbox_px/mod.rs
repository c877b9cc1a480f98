//! Gainsight PX's API as its clients see it, and the people behind it.

/// How people see, complete and answer engagements.
mod behaviour;
/// Calls with the right key.
mod bench;
/// Feeds of events.
mod feeds;
/// Keys, users, accounts, engagements, segments.
mod records;
/// Webhooks.
mod webhooks;
