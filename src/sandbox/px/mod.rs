//! Gainsight PX: its REST API over the seeded company and what was written to it, and people who see and answer engagements as the
//! sandbox's clock goes on. Written from the vendor's Swagger 0.1.6.
//!
//! What the vendor leaves open, decided here:
//! - An engagement is *triggered by Journey Orchestrator* when its description says `Triggered by: Journey Orchestrator` (REST shows no
//!   such field). Only those are kept for the members of external segments; the others are for everybody.
//! - No call ties a segment to an engagement: at the vendor somebody picks it once as the engagement's audience, in the console. Here
//!   `POST /_sandbox/audience` does, and, unless the sandbox is strict, a segment is the audience of the engagement whose id its name or
//!   external id ends with, after a colon (`tabi:onboarding:ENGAGEMENT_ID`), without anybody picking it.
//! - A qualification is believed as far as an hour back; an earlier one is taken as of now, since the sandbox's clock may have been turned.
//! - Members that are no users are kept and see nothing until they are users.
//! - Text is compared without case in filters. An unknown custom attribute is refused, since no call makes one
//!   (`POST /_sandbox/attributes` does, as somebody would in the console).
//! - Nothing happens until it is asked for: what people did is derived from their memberships, their usage and the response model
//!   (`/_sandbox/behaviour`), so another model is another past too.
//!
//! Deliberately absent, and answered with 404: localization, knowledge center bots, articles, monitoring, feature backfill.

/// Attributes of users and accounts, the subscription.
mod admin;
/// Bodies of answers and refusals.
mod answer;
/// Who is in the audience of an engagement, and since when.
mod audience;
/// Keys, and what the vendor says when it refuses.
mod auth;
/// How people respond: the model and what it makes of one showing.
mod behaviour;
/// Engagements, features and segments that nobody wrote.
mod catalogue;
/// States and environments of engagements; features and segments.
mod engagements;
/// Feeds of what happened.
mod events;
/// External segments and their members.
mod external;
/// The filter and sort parameters.
mod filter;
/// Deriving what happened.
mod happened;
/// Posting what happens to those who asked for it.
mod hooks;
/// Both styles of pages.
mod pages;
/// Who a user is to the product: visits and habits.
mod people;
/// Parameters of a call.
mod query;
/// Users and accounts.
mod records;
/// What users do with an engagement that no server has shown.
mod responses;
/// Which paths there are.
mod routes;
/// Users and accounts that nobody wrote.
mod seed;
/// One event as the feeds show it.
mod shown;
/// What the emulator stands on: the company, the tables, the time.
mod state;

pub(super) use behaviour::Model;
pub(super) use responses::{answer, responses};
pub(super) use routes::emulator;
