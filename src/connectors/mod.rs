//! The real systems: clients over HTTP and SMTP, one per system, behind one function that carries out effects. What each call stands on is the
//! page `tabi docs wire` (`src/cli/docs_page/wire.md`): a change of a call changes its line there.

/// How many HTTP calls were made.
mod calls;
/// Mail by SMTP.
mod email;
/// Whole numbers that would become others.
mod exact;
/// Gainsight CS.
mod gainsight;
/// The one HTTP layer.
mod http;
/// What a connection needs to know.
mod options;
/// What became of each row of a write.
mod outcomes;
/// Pendo.
mod pendo;
/// Gainsight PX.
mod px;
/// Calls that no system's client makes by itself.
mod request;
/// JSON rows into records.
mod rows;
/// Salesforce.
mod salesforce;
/// Text that must not be seen.
mod secret;
/// The flag that ends waiting.
mod stop;
/// A list without a stable order, gone through until nothing new comes.
mod sweep;
/// All systems together: effects in, replies out.
mod systems;

pub use calls::{Calls, Counting};
pub use options::{
    EmailOptions, GainsightAuth, GainsightLimits, GainsightOptions, HttpOptions, OnRotate, Options, PendoOptions, PxOptions, ReadAgain,
    SalesforceAuth, SalesforceOptions,
};
pub use secret::Secret;
pub use stop::Stop;
pub use systems::{Error, Systems};
