//! Whether PX still shows what a journey triggers (B2): looked at once a minute. What has stopped is told once, and is the step's error until
//! it is active again; whoever comes to the step meanwhile waits for it in the outbox, and fails there with the reason when that is too long.

use jiff::SignedDuration;

use crate::flow::{Error, Notice};

use super::{
    pass::Pass,
    publish::{ACTIVE, Listed, listed},
};

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
    pass.store.checked(pass.name(), pass.now)?;
    Ok(())
}

fn trouble(all: &[Listed], id: &str) -> Option<String> {
    match all.iter().find(|one| one.id == id) {
        None => Some("is not in PX any more".to_owned()),
        Some(one) if one.state != ACTIVE => Some(format!("is {} in PX", one.state)),
        Some(_) => None,
    }
}
