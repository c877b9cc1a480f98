//! The real command, as people and programs meet it.

/// Gainsight PX from plain scripts.
mod px;
/// The emulators alone.
mod sandbox;
/// The README's story.
mod tour;
/// Transcripts: a folder of workspace files and what a session in it looks like.
mod transcripts;
