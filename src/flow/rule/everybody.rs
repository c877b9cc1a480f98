//! `for_every`: a grouped rule over everybody it is about, also whom no row of its source speaks of.

use crate::{
    flow::{Error, Notice, aggregate::Groups, pages::for_each_page, work::Work},
    model::{Fault, FaultKind, Query, Source, System, account_key, other_spelling},
    script::{Rule, Scope},
};

/// Adds a group of no rows for everybody of whom the source says nothing: counts and sums of it are 0, everything else is null.
///
/// `doubtful` rows could not be read for what they are. Who is silent is not known then, and nobody is added.
///
/// # Errors
/// When accounts of the source are called otherwise than everybody else, or their system cannot be read.
pub(super) fn add(work: &mut Work<'_>, rule: &Rule, groups: &mut Groups, doubtful: u64) -> Result<(), Error> {
    let Some((source, field)) = rule.for_every.and_then(everybody) else { return Ok(()) };
    // A sample does not tell who is silent.
    if work.on_sample {
        return Ok(());
    }
    if doubtful > 0 {
        let rows = if doubtful == 1 { "1 row was".to_owned() } else { format!("{doubtful} rows were") };
        let message = format!("{rows} rejected, so nobody knows who has none: whoever has none keeps the numbers of an earlier run");
        work.tell(Notice::Warning { name: work.name.to_owned(), message });
        return Ok(());
    }
    let given = groups.keys(&rule.account);
    if !given.is_empty() && given.iter().all(|key| other_spelling(key).is_none()) {
        let example = given.iter().min().cloned().unwrap_or_default();
        let message = format!("`for_every` needs the ids of Salesforce accounts, and `{}` holds none, such as `{example}`", rule.account);
        return Err(Fault::new(FaultKind::Invalid, message).field(&rule.account).into());
    }
    for_each_page(work, &source, |work, rows| {
        for row in rows {
            let id = row.path(field).filter(|id| !id.is_blank()).cloned();
            match id {
                None => work.tally.left_out += 1,
                Some(id) if given.contains(&account_key(&id.to_string())) => work.tally.grouped += 1,
                Some(id) => work.tally.grouped += u64::from(!groups.add_silent(rule, id)),
            }
        }
        Ok(())
    })
}

/// What everybody is read from, and the field with the id of the Salesforce account.
fn everybody(scope: Scope) -> Option<(Source, &'static str)> {
    match scope {
        Scope::Customer => {
            let fields = vec!["AccountId".to_owned()];
            Some((Source::Object(Query { fields, ..Query::of(System::Gainsight, "customer_info") }), "AccountId"))
        }
        Scope::Account => Some((Source::Soql("SELECT Id FROM Account".to_owned()), "Id")),
        Scope::Group => None,
    }
}
