//! What can be known about scripts without running them, and about declarations without reading a row.

/// Across declarations: names, writers, `after`.
mod across;
/// Functions that do not exist, within one file.
mod calls;
/// Fields that the source of a declaration does not deliver.
mod columns;
/// Connections that journeys need.
mod connections;
/// Fields that rules may write, by the workspace's list.
mod enabled;
/// Values that `catch` blocks drop.
mod fallbacks;
/// Participants' fields and templates of journeys.
mod journeys;
/// Segments, apps, features and guides, against what Pendo lists.
mod named;
/// Grouped rules that would leave old numbers standing.
mod quiet;
/// Fields and types, against what the systems describe.
mod schemas;
/// Engagements and surveys, against what PX lists.
mod shown;
/// Names and arities of everything that can be called.
mod table;
/// Objects that rules write, against what the tenants have.
mod targets;
/// Types that cannot work together.
mod types;
/// Measures of usage data.
mod usage;
/// Variables that do not exist.
mod variables;
/// What a declaration writes.
mod writes;

pub use connections::{Connected, check_connections};
pub use enabled::check_enabled;
pub use journeys::check_templates;
pub use named::{check_metadata, check_named, named_listings};
pub use schemas::{check_against, check_mails};
pub use shown::{Unfit, UnfitKind, check_shown};
pub use targets::check_targets;

pub(super) use across::{Clash, across, claimed, clashes};
pub(super) use calls::{Own, aliases, calls, imports};
pub(super) use columns::columns;
pub(super) use fallbacks::fallbacks;
pub(super) use quiet::quiet;
pub(super) use table::Table;
pub(super) use types::{row_types, types};
pub(super) use usage::{Named, measure_claim};
pub(super) use variables::variables;
