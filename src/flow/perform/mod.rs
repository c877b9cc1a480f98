//! Who carries effects out. All of them answer the same questions; they differ in what becomes of a write.

/// For real: every write journaled before it is sent and after it is answered.
mod live;
/// On paper: reads are real, writes are told and answered as done.
mod plan;
/// In virtual time: reads are those of a sandbox, writes are counted.
mod simulate;
/// The bridge to the real systems: effects as they are, nothing remembered.
mod wire;

pub use live::Live;
pub use plan::{Plan, Planned};
pub use simulate::{Counted, Simulate};
pub use wire::Wire;
