//! The host's own server: links of mails, pages of surveys, web hooks. What comes in becomes events of participants and wakes the host; the
//! rest is its work. Nothing here changes state without a link that was signed here, or the secret path of a hook.
//!
//! | path | what |
//! |---|---|
//! | `GET /o/TOKEN` | the picture that tells of an opened mail |
//! | `GET /c/TOKEN` | a link of a mail, led on to where it leads |
//! | `GET, POST /u/TOKEN` | no more mail, also by one click (RFC 8058) |
//! | `GET, POST /survey/TOKEN` | a survey; `?score=9` answers its first question |
//! | `POST /hooks/px/SECRET`, `/hooks/pendo/SECRET`, `/hooks/mail/SECRET` | what systems tell of |

/// What a call asks for, and what all answers have.
mod call;
/// What answers are made from.
mod desk;
/// What systems tell of.
mod hooks;
/// Opened, clicked, unsubscribed.
mod mails;
/// Pages for people.
mod page;
/// Listening, and ending.
mod serve;
/// The page of a survey.
mod survey;

pub use serve::{Error, Options, Serving, bind, start};
