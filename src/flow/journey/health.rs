//! Whether PX still shows what a journey triggers (B2): looked at once a minute. What has stopped is told once, and is the step's error until
//! it is active again; whoever comes to the step meanwhile waits for it in the outbox, and fails there with the reason when that is too long.
//!
//! Whether the segment is the engagement's audience in PX, nothing tells but that a member has seen it: people who have qualified for more
//! than a day while nobody has are told of, once a day.

use jiff::SignedDuration;

use crate::{
    flow::{Error, Notice},
    model::EventKind,
    store::Association,
};

use super::{
    pass::Pass,
    publish::{ACTIVE, Listed, listed, steps_showing, to_do},
};

/// How long people may have qualified with nobody having seen anything.
const UNSEEN: SignedDuration = SignedDuration::from_hours(24);

/// How often it is looked at.
const AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// Looks at the engagements of a journey, and notes what is wrong with them.
///
/// # Errors
/// When PX cannot be asked; the state file's.
pub(super) fn look(pass: &mut Pass<'_>) -> Result<(), Error> {
    let live = pass.associations.iter().any(|one| one.cut.is_none());
    let lately = pass.store.checked_at(pass.name())?.is_some_and(|at| at <= pass.now && pass.now.duration_since(at) < AGAIN);
    if !live || lately {
        return Ok(());
    }
    let all = listed(pass)?;
    for at in 0..pass.associations.len() {
        let one = &pass.associations[at];
        let trouble = trouble(&all, &one.id);
        if one.cut.is_some() || one.trouble == trouble {
            continue;
        }
        let message = match &trouble {
            Some(trouble) => {
                format!("the engagement \"{}\" {trouble}: its steps show an error, and whoever comes there waits for it", one.engagement)
            }
            None => format!("the engagement \"{}\" is active in PX again", one.engagement),
        };
        (pass.notify)(Notice::Warning { name: pass.name().to_owned(), message });
        pass.store.trouble(pass.name(), &one.engagement, trouble.as_deref(), pass.now)?;
        pass.associations[at].trouble = trouble;
    }
    unseen(pass)?;
    pass.store.checked(pass.name(), pass.now)?;
    Ok(())
}

/// Tells of engagements that people qualified for and nobody has seen.
fn unseen(pass: &mut Pass<'_>) -> Result<(), Error> {
    for at in 0..pass.associations.len() {
        let one = &pass.associations[at];
        let lately = one.warned.is_some_and(|told| pass.now.duration_since(told) < UNSEEN);
        let Some(to_do) = to_do(pass.journey, one).filter(|_| one.trouble.is_none() && !lately) else { continue };
        let qualified = qualified(pass, one)?;
        if qualified == 0 {
            continue;
        }
        let people = if qualified == 1 { "1 person has".to_owned() } else { format!("{qualified} people have") };
        let message = format!("{people} qualified for the engagement \"{}\" for more than a day and nobody has seen it: {to_do}", one.engagement);
        (pass.notify)(Notice::Warning { name: pass.name().to_owned(), message });
        pass.store.warned(pass.name(), &one.id, pass.now)?;
        pass.associations[at].warned = Some(pass.now);
    }
    Ok(())
}

/// How many people joined the audience on a day that ended more than a day ago, or before.
fn qualified(pass: &Pass<'_>, one: &Association) -> Result<u64, Error> {
    let day = |at: crate::model::Timestamp| at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (first, last) = (day(one.since), day(pass.now.saturating_sub(UNSEEN).unwrap_or(pass.now)));
    let steps: Vec<&str> = steps_showing(pass.journey, &one.engagement).collect();
    let counts = pass.store.counts_by_day(pass.name())?;
    let joined =
        counts.iter().filter(|(day, step, kind, _)| *kind == EventKind::Sent && (first..last).contains(day) && steps.contains(&step.as_str()));
    Ok(joined.map(|(.., n)| n).sum())
}

fn trouble(all: &[Listed], id: &str) -> Option<String> {
    match all.iter().find(|one| one.id == id) {
        None => Some("is not in PX any more".to_owned()),
        Some(one) if one.state != ACTIVE => Some(format!("is {} in PX", one.state)),
        Some(_) => None,
    }
}
