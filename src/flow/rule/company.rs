//! Which Gainsight company an account is: "apply to Gainsight customers only", and the id that scores and calls to action need.

use std::collections::HashMap;

use crate::{
    flow::{Error, work::Work},
    model::{Lookup, Query, Record, Source, System, Value},
    script::{ActionKind, Rule},
};

/// The field that the company's Gsid is put into.
pub(crate) const COMPANY: &str = "$company";

/// Characters of a Salesforce id at most; a Gsid has 36.
const ACCOUNT_ID: usize = 18;

/// Whether a source's rows are companies themselves.
pub(crate) fn is_company(query: &Query) -> bool {
    query.system == System::Gainsight && ["company", "customer_info"].contains(&query.object.to_lowercase().as_str())
}

/// Sets `$company` on every row that has one; with `customers_only`, rows without one are left out and counted.
pub(crate) fn attach(work: &mut Work<'_>, rule: &Rule, source: &Source, rows: Vec<Record>) -> Result<Vec<Record>, Error> {
    let needed = rule.customers_only || rule.actions.iter().any(|action| needs_company(&action.kind));
    if !needed || rows.is_empty() {
        return Ok(rows);
    }
    let own = matches!(source, Source::Object(query) if is_company(query));
    let companies = if own { HashMap::new() } else { companies(work, rule, &rows)? };
    let given = rows.len();
    let with_company = rows.into_iter().filter_map(|mut row| {
        let company = if own { row.get("Gsid").cloned() } else { companies.get(&account_of(rule, &row)).cloned() };
        match company {
            Some(company) => row.set(COMPANY, company),
            None if rule.customers_only => return None,
            None => (),
        }
        Some(row)
    });
    let with_company: Vec<Record> = with_company.collect();
    work.tally.left_out += (given - with_company.len()) as u64;
    Ok(with_company)
}

/// Whether an action is about a company.
pub(crate) fn needs_company(kind: &ActionKind) -> bool {
    match kind {
        ActionKind::Score(_) | ActionKind::Cta(_) => true,
        ActionKind::Usage(load) => load.into.is_some(),
        ActionKind::Object(_) => false,
    }
}

fn companies(work: &Work<'_>, rule: &Rule, rows: &[Record]) -> Result<HashMap<String, Value>, Error> {
    let mut keys: Vec<Value> = rows.iter().filter_map(|row| row.path(&rule.account)).filter(|id| !id.is_blank()).cloned().collect();
    keys.dedup();
    customers(work, keys)
}

/// Gsids by the short id of the Salesforce account.
fn customers(work: &Work<'_>, keys: Vec<Value>) -> Result<HashMap<String, Value>, Error> {
    let by = "SfdcAccountId".to_owned();
    let lookup = Lookup { system: System::Gainsight, object: "Company".to_owned(), by, keys, fields: vec!["Gsid".to_owned()], filter: None };
    let found = work.lookup(lookup)?;
    let pairs = found.into_iter().filter_map(|company| Some((short_id(&company.get("SfdcAccountId")?.to_string()), company.get("Gsid")?.clone())));
    Ok(pairs.collect())
}

/// The company that each of these ids stands for: a Gsid for itself, the id of a Salesforce account for the customer it is.
///
/// # Errors
/// When Gainsight cannot be asked.
pub(crate) fn companies_of(work: &Work<'_>, ids: &[Value]) -> Result<HashMap<String, Value>, Error> {
    let (accounts, own): (Vec<&Value>, Vec<&Value>) = ids.iter().filter(|id| !id.is_blank()).partition(|id| id.to_string().len() <= ACCOUNT_ID);
    let mut found: HashMap<String, Value> = own.into_iter().map(|id| (id.to_string(), id.clone())).collect();
    if !accounts.is_empty() {
        let customers = customers(work, accounts.iter().map(|id| (*id).clone()).collect())?;
        found.extend(accounts.iter().filter_map(|id| Some((id.to_string(), customers.get(&short_id(&id.to_string()))?.clone()))));
    }
    Ok(found)
}

fn account_of(rule: &Rule, row: &Record) -> String {
    short_id(&row.path(&rule.account).map(ToString::to_string).unwrap_or_default())
}

/// Fifteen characters are a Salesforce id; the other three only check it.
fn short_id(id: &str) -> String {
    id.get(..15).unwrap_or(id).to_owned()
}
