//! The host's own server, asked over HTTP as mail programs, people and systems ask it.

/// The real process, the sandbox and the clock.
mod bench;
/// What systems tell of.
mod hooks;
/// Links of mails.
mod mails;
/// Surveys by e-mail.
mod surveys;
