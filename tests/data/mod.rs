//! Right data: the rules that no value, key, day or row may break on its way, each over many inputs and in all four systems.

/// Conditions that could never hold.
mod conditions;
/// Incremental runs.
mod cursors;
/// The workspace's day.
mod days;
/// A source's own filter.
mod filters;
/// What is the same key.
mod identity;
/// Timeline entries, success plans, milestones.
mod kept;
/// Every odd value into every type of field.
mod odd;
/// Rows that change while they are read.
mod paging;
/// Accounts without rows in grouped rules.
mod quiet;
/// Rejected rows.
mod rejections;
/// What a Pendo report counts.
mod reports;
/// What rules write.
mod rules;
/// Reports that were saved in Pendo.
mod saved_reports;
/// Who did nothing in the window.
mod silence;
/// Aggregates.
mod totals;
/// Two source records that are one record of the target, in incremental runs.
mod twins;
/// Values on their way into fields.
mod types;
/// Where the window of a usage report ends.
mod windows;
/// What the vendors' schemas ask for.
mod wire;
/// One writer.
mod writers;
