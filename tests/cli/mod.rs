//! The real command, as people and programs meet it.

/// Scripts as nobody should write them.
mod bad_input;
/// The guide and the HTML page.
mod docs_page;
/// Mail: planned, sent, refused, configured.
mod email;
/// What `check --fix` mends and leaves alone.
mod fix;
/// Looking without a usable state file.
mod looking;
/// The bar on a terminal.
mod progress;
/// Gainsight PX from plain scripts.
mod px;
/// Recordings as tests.
mod recording;
/// Trying things.
mod repl;
/// The emulators alone.
mod sandbox;
/// A journey in virtual time.
mod simulate;
/// The workspace's own tests.
mod testing;
/// The README's story.
mod tour;
/// Transcripts: a folder of workspace files and what a session in it looks like.
mod transcripts;
