//! `journey(..)`: people on named steps of an explicit graph. What happens to one of them is a pure function of where they stand, what came
//! in and what time it is; the move and the effects it asks for are one transaction, and effects go out from there.

/// Where one participant goes from here.
mod advance;
/// What moves asked for, carried out.
mod deliver;
/// Edits while people are in.
mod edit;
/// Who comes in.
mod enter;
/// What people did in PX.
mod events;
/// Links that mails carry.
mod links;
/// A journey's mails.
mod mail;
/// Published, paused, resumed, stopped, reported.
mod operate;
/// Web hooks, and calls to action that are done with.
mod outside;
/// One look at one journey.
mod pass;
/// Everything checked, and engagements associated.
mod publish;
/// A journey's run.
mod run;
/// What the page asks that a mail leads to.
mod survey;
/// Due dates in a journey's own time zone, quiet hours, working days.
mod time;
/// The HTML of a mail with its links led over the own server.
mod track;
/// Whether a condition holds for one participant.
mod when;

pub use advance::{Arrived, Intent, advance};
pub use edit::{Edit, take_edit};
pub use enter::{Candidate, Earlier, Entrance, Gate, INVALID_PX_USER, entrance};
pub use events::of_px;
pub use links::{Links, Purpose, Ticket};
pub use mail::{Mailer, Rendered};
pub use operate::{Desk, Published, Wake, is_active, operate, publish_program, report, wake};
pub use pass::Pass;
pub use publish::{Publication, publish};
pub(crate) use run::run;
pub use run::{Hands, Occasion};
pub use survey::{Asked, asked};
pub use time::Calendar;
