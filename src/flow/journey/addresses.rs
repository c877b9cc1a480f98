//! An address that was corrected in the source: where people are told apart by it, the source's own id tells that they are the same people, so
//! that nobody is welcomed twice, and mail goes to the address that holds.

use crate::{
    flow::Error,
    model::{Record, System},
    store::Rekeyed,
};

use super::{enter::Candidate, pass::Pass};

/// The field that holds a record's own id, by the system that the record is of.
const fn id_field(system: System) -> Option<&'static str> {
    match system {
        System::Salesforce => Some("Id"),
        System::Gainsight => Some("Gsid"),
        System::Px => Some("identifyId"),
        System::Pendo => Some("visitorId"),
        System::Mail => None,
    }
}

/// Gives people whose address is another one now the key and the addresses of their record. Only where the address alone tells people apart.
///
/// # Errors
/// The state file's.
pub(super) fn follow(pass: &Pass<'_>, candidates: &[Candidate]) -> Result<(), Error> {
    let identity = &pass.journey.identity;
    let Some(field) =
        id_field(pass.source().system()).filter(|field| pass.journey.unique_on == [identity.email.as_str()] && identity.email != *field)
    else {
        return Ok(());
    };
    let keys: Vec<String> = candidates.iter().filter(|one| id(&one.fields, field).is_some()).map(|one| one.key.clone()).collect();
    let known = pass.store.known_keys(pass.name(), &keys)?;
    let unknown: Vec<&Candidate> = candidates.iter().filter(|one| !known.contains_key(&one.key) && id(&one.fields, field).is_some()).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let by_id = match pass.by_id.get() {
        Some(by_id) => by_id,
        None => {
            let read = pass.store.people_by_field(pass.name(), field)?;
            pass.by_id.get_or_init(|| read)
        }
    };
    let moved = unknown.into_iter().filter_map(|one| {
        let participant = *by_id.get(id(&one.fields, field)?)?;
        Some(Rekeyed { participant, key: one.key.clone(), email: one.email.clone(), px_id: one.px_id.clone() })
    });
    Ok(pass.store.rekey(&moved.collect::<Vec<_>>())?)
}

fn id<'r>(record: &'r Record, field: &str) -> Option<&'r str> {
    record.get(field).and_then(crate::model::Value::as_str).filter(|id| !id.is_empty())
}
