//! The real command, as people and programs meet it.

/// Transcripts: a folder of workspace files and what a session in it looks like.
mod transcripts;
