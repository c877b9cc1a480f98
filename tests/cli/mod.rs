//! The real command, as people and programs meet it.

/// Mail: planned, sent, refused, configured.
mod email;
/// Looking without a usable state file.
mod looking;
/// Gainsight PX from plain scripts.
mod px;
/// Trying things.
mod repl;
/// The emulators alone.
mod sandbox;
/// The README's story.
mod tour;
/// Transcripts: a folder of workspace files and what a session in it looks like.
mod transcripts;
