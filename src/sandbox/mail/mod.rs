//! Mail: an SMTP server that takes whatever it is given, an inbox to read over HTTP, and the people at the other end, who open messages
//! and follow links as their response model says.
//!
//! | address | what becomes of mail to it |
//! |---|---|
//! | a local part with `bounce` in it (`bounce-1@acme.example`) | refused at once: `550 5.1.1` |
//! | of `bounce.example` or below | taken, and bounced some minutes later: an event `bounced` |
//! | any other | delivered |
//!
//! A fault of the system `mail` is drawn once for each message, when its sender is named (`lock` for each recipient). None strikes the inbox.
//!
//! | fault | what the client meets |
//! |---|---|
//! | `429` | `450 4.7.0` to `MAIL` |
//! | `500` | `451 4.3.0` to the message |
//! | `503` | `421 4.3.2` to `MAIL`, and the connection ends |
//! | `expired` | `535 5.7.8` to `MAIL` |
//! | `limit` | `452 4.5.3`, the daily quota, to `MAIL` |
//! | `lock` | `450 4.2.1` to `RCPT` |
//! | `reset` | the message is sent, not stored, and the connection cut |
//! | `reset_after`, `truncate` | the message **is stored** and the connection cut before, or within, the answer |
//! | `slow=MS`, `timeout` | the answer to the message is late, or comes never |
//! | `html` | something that is not SMTP |
//!
//! Deliberately absent: TLS, relaying to anywhere, attachments as files of their own.

/// What people do with a message: a pure function of seed, address and message.
mod behaviour;
/// Following links, as far as they lead to this machine.
mod fetch;
/// Bounces, posted to whoever asked for them.
mod hooks;
/// The paths of the inbox.
mod inbox;
/// What is done when its time has come.
mod life;
/// A message as people read it.
mod message;
/// What is kept: messages and events.
mod office;
/// What the server says.
mod replies;
/// What people do with a message that no server has seen.
mod responses;
/// One conversation.
mod session;
/// Taking connections.
mod smtp;

pub(super) use behaviour::Behaviour;
pub(super) use inbox::routes;
pub(super) use office::Office;
pub(super) use responses::responses;
pub(super) use smtp::{Smtp, serve};
