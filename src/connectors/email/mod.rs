//! Mail by SMTP: one message at a time, over a few connections that are kept.
//!
//! Deliberately absent: attachments, reading mail, signing (DKIM is the mail server's business).

/// Sending: the connection, the pace, and again where that may help.
mod client;
/// What the mail server's refusals mean.
mod errors;
/// From an effect to the bytes that are sent.
mod message;
/// Where the mail server is and how it is spoken to.
mod server;

pub(super) use client::Mail;
