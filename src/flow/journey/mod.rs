//! `journey(..)`: people on named steps of an explicit graph. What happens to one of them is a pure function of where they stand, what came
//! in and what time it is; the move and the effects it asks for are one transaction, and effects go out from there.

/// People added by hand or from a list.
mod add;
/// Addresses that change.
mod addresses;
/// Where one participant goes from here.
mod advance;
/// What moves asked for, carried out.
mod deliver;
/// What people did before they came.
mod earlier;
/// Edits while people are in.
mod edit;
/// Who comes in.
mod enter;
/// What people did in PX.
mod events;
/// Whether PX still shows what is triggered.
mod health;
/// Links that mails carry.
mod links;
/// A journey's mails.
mod mail;
/// Published, paused, resumed, stopped.
mod operate;
/// Web hooks, and calls to action that are done with.
mod outside;
/// One look at one journey.
mod pass;
/// One person let in by hand.
mod place;
/// What an edit would do to whoever is in.
mod plan;
/// Everything checked, and engagements associated.
mod publish;
/// How it went.
mod report;
/// People who are in, read again.
mod reread;
/// What people will do, until it is heard of.
mod respond;
/// A journey's run.
mod run;
/// What an edit changes besides the flow.
mod settings;
/// What became of intents, written at once.
mod settle;
/// A journey in virtual time.
mod simulate;
/// What the page asks that a mail leads to.
mod survey;
/// Due dates in a journey's own time zone, quiet hours, working days.
mod time;
/// Several calls at a time.
mod together;
/// The HTML of a mail with its links led over the own server.
mod track;
/// What a simulation sees.
mod watch;
/// Whether a condition holds for one participant.
mod when;

pub use add::{Added, Became, add};
pub use advance::{Arrived, Intent, advance};
pub use edit::{Edit, plan_edit, sources, take_edit};
pub use enter::{Candidate, Earlier, Entrance, Gate, INVALID_PX_USER, entrance, stays};
pub use events::of_px;
pub use links::{Links, Purpose, Ticket};
pub use mail::{Mailer, Rendered};
pub use operate::{Desk, Published, Wake, is_active, move_people, operate, publish_moving, publish_program, wake};
pub use pass::{Pass, Watch};
pub use place::{Placed, place};
pub use plan::{Changes, EditPlan, Engagements, Goes, Group, Timers, Twice};
pub use publish::{Publication, asks_px, publish, to_do, unfit};
pub use report::{Per, over_time, report, responses};
pub use respond::{Responders, Response, Shown};
pub(crate) use run::run;
pub use run::{Hands, Occasion};
pub use simulate::{Simulated, Simulation, probe, simulate};
pub use survey::{Asked, asked};
pub use time::{Calendar, day_after};
