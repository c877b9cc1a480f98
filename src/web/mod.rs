//! The host's own server: links of mails, pages of surveys, web hooks. What comes in becomes events of participants and wakes the host; the
//! rest is its work. Nothing here changes state without a link that was signed here, or the secret path of a hook.
//!
//! | path | what |
//! |---|---|
//! | `GET /o/TOKEN` | the picture that tells of an opened mail |
//! | `GET /c/TOKEN` | a link of a mail, led on to where it leads |
//! | `GET, POST /u/TOKEN` | no more mail, also by one click (RFC 8058) |
//! | `GET, POST /survey/TOKEN` | a survey; `?score=9` answers its first question |
//! | `GET /` | the dashboard: to people of this machine, else by its key; so is everything under `/api/` |
//! | `GET /api/journeys/NAME/report` | the numbers of a journey |
//! | `GET /api/generations` | what saves came to, newest first; `?after=7` only those after the seventh generation |
//! | `GET /api/generation` | the receipt of the generation that runs |
//! | `POST /hooks/px/SECRET`, `/hooks/pendo/SECRET`, `/hooks/mail/SECRET` | what systems tell of |

/// The dashboard's HTML.
mod board;
/// What a call asks for, and what all answers have.
mod call;
/// What is declared, what ran, how journeys go.
mod dashboard;
/// What answers are made from.
mod desk;
/// What saves came to.
mod generations;
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

pub use dashboard::Access;
pub use serve::{Error, Options, Serving, bind, dashboard_address, hook_addresses, start};
