//! Which Gainsight company an account is: "apply to Gainsight customers only", and the id that scores and calls to action need.

use std::collections::HashMap;

use crate::{
    flow::{Error, work::Work},
    model::{Lookup, Query, Record, Source, System, Value, account_key, other_spelling},
    script::{ActionKind, KeptKind, Rule},
};

/// The field that the company's Gsid is put into.
pub(crate) const COMPANY: &str = "$company";

/// Characters of a Salesforce id at most; a Gsid has 36.
const ACCOUNT_ID: usize = 18;

/// Gsids by the id of the Salesforce account, in the form in which ids of accounts are compared.
type Companies = HashMap<String, Vec<Value>>;

/// Whether a source's rows are companies themselves.
pub(crate) fn is_company(query: &Query) -> bool {
    query.system == System::Gainsight && ["company", "customer_info"].contains(&query.object.to_lowercase().as_str())
}

/// Whether a row has to tell which account it is about.
pub(crate) fn needs_account(rule: &Rule) -> bool {
    needed(rule) || (rule.group_by.is_empty() && !rule.calculated.is_empty())
}

fn needed(rule: &Rule) -> bool {
    rule.customers_only || rule.actions.iter().any(|action| needs_company(&action.kind))
}

/// Sets `$company` on every row that has one; with `customers_only`, rows without one are left out and counted.
pub(crate) fn attach(work: &mut Work<'_>, rule: &Rule, source: &Source, rows: Vec<Record>) -> Result<Vec<Record>, Error> {
    if !needed(rule) || rows.is_empty() {
        return Ok(rows);
    }
    let own = matches!(source, Source::Object(query) if is_company(query));
    let companies = if own { Companies::new() } else { companies(work, rule, &rows)? };
    let given = rows.len();
    let with_company = rows.into_iter().filter_map(|mut row| {
        let company = if own { row.get("Gsid").cloned() } else { companies.get(&account_of(rule, &row)).map(|all| one_or_all(all)) };
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
        ActionKind::Kept(kept) => kept.kind != KeptKind::Milestone,
        ActionKind::Object(_) => false,
    }
}

fn companies(work: &Work<'_>, rule: &Rule, rows: &[Record]) -> Result<Companies, Error> {
    let mut keys: Vec<Value> = rows.iter().filter_map(|row| row.path(&rule.account)).filter(|id| !id.is_blank()).cloned().collect();
    keys.dedup();
    customers(work, &keys)
}

/// Gainsight compares the ids letter by letter, and may hold one in the other of its two forms: those that it does not know so are asked for
/// otherwise.
fn customers(work: &Work<'_>, keys: &[Value]) -> Result<Companies, Error> {
    let mut companies = Companies::new();
    gather(work, keys.to_vec(), &mut companies)?;
    let unknown = keys.iter().filter_map(Value::as_str).filter(|id| !companies.contains_key(&account_key(id)));
    let mut others: Vec<Value> = unknown.filter_map(other_spelling).map(Value::text).collect();
    others.dedup();
    if !others.is_empty() {
        gather(work, others, &mut companies)?;
    }
    Ok(companies)
}

fn gather(work: &Work<'_>, keys: Vec<Value>, companies: &mut Companies) -> Result<(), Error> {
    let by = "SfdcAccountId".to_owned();
    let lookup = Lookup { system: System::Gainsight, object: "Company".to_owned(), by, keys, fields: vec!["Gsid".to_owned()], filter: None };
    for company in work.lookup(lookup)? {
        let (Some(account), Some(gsid)) = (company.get("SfdcAccountId"), company.get("Gsid")) else { continue };
        let known = companies.entry(account_key(&account.to_string())).or_default();
        if !known.contains(gsid) {
            known.push(gsid.clone());
        }
    }
    Ok(())
}

/// The company; a list where several have the account's id, which no action takes.
fn one_or_all(companies: &[Value]) -> Value {
    match companies {
        [one] => one.clone(),
        all => Value::List(all.to_vec()),
    }
}

/// The company that each of these ids stands for: a Gsid for itself, the id of a Salesforce account for the customer it is.
///
/// # Errors
/// When Gainsight cannot be asked.
pub(crate) fn companies_of(work: &Work<'_>, ids: &[Value]) -> Result<HashMap<String, Value>, Error> {
    let (accounts, own): (Vec<&Value>, Vec<&Value>) = ids.iter().filter(|id| !id.is_blank()).partition(|id| id.to_string().len() <= ACCOUNT_ID);
    let mut found: HashMap<String, Value> = own.into_iter().map(|id| (id.to_string(), id.clone())).collect();
    if !accounts.is_empty() {
        let accounts: Vec<Value> = accounts.into_iter().cloned().collect();
        let customers = customers(work, &accounts)?;
        found.extend(accounts.iter().filter_map(|id| Some((id.to_string(), one_or_all(customers.get(&account_key(&id.to_string()))?)))));
    }
    Ok(found)
}

fn account_of(rule: &Rule, row: &Record) -> String {
    row.path(&rule.account).map(|id| account_key(&id.to_string())).unwrap_or_default()
}
