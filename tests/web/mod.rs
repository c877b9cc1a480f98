//! The host's own server, asked over HTTP as mail programs, people and systems ask it.

/// The real process, the sandbox and the clock.
mod bench;
/// What is declared, what ran, how journeys go.
mod dashboard;
/// Virtual days of a journey by mail.
mod days;
/// What saves came to.
mod generations;
/// What systems tell of.
mod hooks;
/// Mails made while no server runs.
mod later;
/// Links of mails.
mod mails;
/// The sandbox's people, who open, click, answer and unsubscribe.
mod people;
/// Surveys by e-mail.
mod surveys;
