//! The rhai host: engine and limits, a loaded generation, declarations, the script API, diagnostics.

/// A script's closure, callable from any thread.
mod closure;
/// What scripts declare, as data.
mod declaration;
/// The seam every effect goes through.
mod perform;

pub use closure::Closure;
pub use declaration::{
    Action, ActionKind, Aggregate, Blank, Body, Cell, CtaAction, Declaration, DeclaredField, FieldMap, Integration, Kind, Mapping, MeasureDecl, Mode,
    ObjectLoad, Place, Pull, Push, Rule, RuleDate, RuleScore, SegmentDecl, Target, UsageLoad,
};
pub use perform::Perform;
