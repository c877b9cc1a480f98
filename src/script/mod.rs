//! The rhai host: engine and limits, a loaded generation, declarations, the script API, diagnostics.

/// What scripts can say.
mod api;
/// Arithmetic that has no result.
mod arithmetic;
/// What can be known about scripts without running them.
mod check;
/// A script's closure, callable from any thread.
mod closure;
/// What could be written next.
mod complete;
/// A conversation: one input after the other.
mod console;
/// What scripts declare, as data.
mod declaration;
/// What rides in the evaluation tag.
mod desk;
/// What a script author is told.
mod diagnostics;
/// The reference of everything scripts can say.
mod docs;
/// The engine.
mod engine;
/// Faults into scripts, errors out of them.
mod failure;
/// A loaded folder.
mod generation;
/// What `journey` declares.
mod journey;
/// What actions keep of an account's history and plans.
mod kept;
/// Where words, texts and brackets are.
mod lex;
/// The files of a workspace as scripts see them.
mod library;
/// How much a script may use.
mod limits;
/// Which versions of files run together.
mod live;
/// The grammar of filter logic.
mod logic;
/// Closures without the interpreter.
mod native;
/// The seam every effect goes through.
mod perform;
/// Which fields a closure reads.
mod reads;
/// What is said relative to the rule date.
mod relative;
/// What a generation takes over from the one before.
mod reuse;
/// Which rows of a source count.
mod rows;
/// Plain automation scripts.
mod run;
/// A conversation as a file of tests.
mod saved;
/// What a mapping reads and writes, as a hash.
mod shape;
/// The call of a declaring function.
mod site;
/// The texts that a journey was made of.
mod sources;
/// Where the parts of a call stand.
mod spots;
/// Who wrote what first.
mod standing;
/// The standard library written in rhai.
mod stdlib;
/// "Did you mean".
mod suggest;
/// Syntax errors that one sign would mend.
mod syntax;
/// Objects that not every tenant has.
mod targets;
/// Templates of mail.
mod templates;
/// Tests of a workspace's scripts.
mod trial;
/// Values into and out of scripts.
mod value;

pub use check::{
    Connected, Unfit, UnfitKind, check_against, check_connections, check_enabled, check_mails, check_metadata, check_named, check_shown,
    check_targets, check_templates, named_listings,
};
pub use closure::Closure;
pub use complete::{Catalogue, Completion, complete};
pub use console::{Console, Evaluated, TYPED, Turn};
pub use declaration::{
    Action, ActionKind, Aggregate, Blank, Body, Cell, CtaAction, Cursor, Declaration, DeclaredField, EVERY_ROW, FieldMap, Integration, Kind, Mapping,
    MeasureDecl, Mode, ObjectLoad, Place, Pull, Push, Rule, RuleDate, RuleScore, Scope, SegmentDecl, Target, UsageLoad,
};
pub use diagnostics::{CODES, Code, Diagnostic, Example, Label, Page, Severity, Suggestion, explain, page, render, render_within};
pub use docs::{Entry, Form, reference};
pub use failure::{Failure, Frame};
pub use generation::{Difference, Generation, LoadedFile, diff};
pub use journey::{Identity, Journey, Participants, StepParts};
pub use kept::{Kept, KeptKind};
pub use lex::{Lexed, Piece, PieceKind, Unclosed, lex};
pub use library::glance;
pub use limits::{Limits, PrintSink};
pub use perform::Perform;
pub use rows::Rows;
pub use run::{RunError, ScriptRun, run_script, run_source};
pub use saved::{Said, saved};
pub use shape::{participants_shape, shown_closure};
pub use sources::{Sources, Texts};
pub use targets::{MILESTONES, SCORES, USAGE, target, to_declare};
pub use templates::{Filled, Rendered, Templates, is_template, plain_text};
pub use trial::{Asked, Bench, Broken, Look, Test, TestFile, TestHands, load_tests};
