//! Which Gainsight company an account is: "apply to Gainsight customers only", and the id that scores and calls to action need.

use std::collections::HashMap;

use crate::{
    flow::{Error, work::Work},
    model::{Lookup, Query, Record, Source, System, Value},
    script::{ActionKind, Rule},
};

/// The field that the company's Gsid is put into.
pub(crate) const COMPANY: &str = "$company";

/// Whether a source's rows are companies themselves.
pub(crate) fn is_company(query: &Query) -> bool {
    query.system == System::Gainsight && ["company", "customer_info"].contains(&query.object.to_lowercase().as_str())
}

/// Sets `$company` on every row that has one; with `customers_only`, rows without one are left out.
pub(crate) fn attach(work: &Work<'_>, rule: &Rule, source: &Source, rows: Vec<Record>) -> Result<Vec<Record>, Error> {
    let needed = rule.customers_only || rule.actions.iter().any(|action| needs_company(&action.kind));
    if !needed || rows.is_empty() {
        return Ok(rows);
    }
    let own = matches!(source, Source::Object(query) if is_company(query));
    let companies = if own { HashMap::new() } else { companies(work, rule, &rows)? };
    let with_company = rows.into_iter().filter_map(|mut row| {
        let company = if own { row.get("Gsid").cloned() } else { companies.get(&account_of(rule, &row)).cloned() };
        match company {
            Some(company) => row.set(COMPANY, company),
            None if rule.customers_only => return None,
            None => (),
        }
        Some(row)
    });
    Ok(with_company.collect())
}

fn needs_company(kind: &ActionKind) -> bool {
    match kind {
        ActionKind::Score(_) | ActionKind::Cta(_) => true,
        ActionKind::Usage(load) => load.into.is_some(),
        ActionKind::Object(_) => false,
    }
}

fn companies(work: &Work<'_>, rule: &Rule, rows: &[Record]) -> Result<HashMap<String, Value>, Error> {
    let mut keys: Vec<Value> = rows.iter().filter_map(|row| row.path(&rule.account)).filter(|id| !id.is_blank()).cloned().collect();
    keys.dedup();
    let by = "SfdcAccountId".to_owned();
    let lookup = Lookup { system: System::Gainsight, object: "Company".to_owned(), by, keys, fields: vec!["Gsid".to_owned()], filter: None };
    let found = work.lookup(lookup)?;
    let pairs = found.into_iter().filter_map(|company| Some((short_id(&company.get("SfdcAccountId")?.to_string()), company.get("Gsid")?.clone())));
    Ok(pairs.collect())
}

fn account_of(rule: &Rule, row: &Record) -> String {
    short_id(&row.path(&rule.account).map(ToString::to_string).unwrap_or_default())
}

/// Fifteen characters are a Salesforce id; the other three only check it.
fn short_id(id: &str) -> String {
    id.get(..15).unwrap_or(id).to_owned()
}
