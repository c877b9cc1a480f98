//! The work itself, by the real command against the sandbox over HTTP: the loop, mappings, rules, bad rows and faults.

/// People added by hand or from a list.
mod adding;
/// Rows that cannot be written, and what becomes of them.
mod bad_rows;
/// What journeys send while systems fail.
mod delivery;
/// Journeys edited while people are in them.
mod edits;
/// Every fault kind during the whole loop.
mod faults;
/// A journey under every kind of fault.
mod journey_faults;
/// A journey killed at every commit point.
mod journey_kills;
/// Journeys: published, entered, moved, paused, edited.
mod journeys;
/// Killed in the middle, run again.
mod kills;
/// A workspace and its sandbox on one clock turned by hand.
pub(crate) mod live;
/// `mapping(..)`: modes, blanks, cursors, keys.
mod mappings;
/// What speaks against publishing.
mod publishing;
/// People who are read again, or come again.
mod reread;
/// Who gets what, and who does not.
mod right_people;
/// `rule(..)`: filters, groups, dates and every action.
mod rules;
/// Segments and guides.
mod segments;
/// Clocks that jump, people who vanish, names that bite, two journeys at one engagement.
mod trouble;
/// The four use cases, from the first look to the end.
mod use_cases;
/// The whole loop: Pendo -> Salesforce -> Gainsight -> Salesforce -> Pendo.
mod whole_loop;
