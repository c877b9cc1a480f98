//! Who is in a segment: everyone a rule holds for, or those it was uploaded with. An account is in when one of its visitors is.

use std::collections::HashSet;

use serde_json::Value;

use super::{
    datum::{Datum, Key},
    expression::Expression,
    grammar,
    row::{Body, Context, Row},
};
use crate::sandbox::pendo::state::Pendo;

/// Who is in a segment.
#[derive(Debug)]
pub(in crate::sandbox::pendo) struct Membership(Members);

#[derive(Debug)]
enum Members {
    /// The rule sees the visitor's `metadata`, and that of its account as `account`.
    Rule(Expression),
    Visitors {
        visitors: HashSet<Key>,
        accounts: HashSet<Key>,
    },
}

impl Membership {
    /// The members of a stored segment, by its id; none when there is no such segment.
    pub(in crate::sandbox::pendo) fn of(id: &str, context: &Context) -> Option<Self> {
        let segment = context.pendo.segments.get(id)?;
        if let Some(rule) = segment.get("definition").get("rule").and_then(Value::as_str) {
            return grammar::parse(rule).ok().map(Members::Rule).map(Self);
        }
        let company = &context.company;
        let listed = segment.get("visitors");
        let listed = listed.as_array().map(Vec::as_slice).unwrap_or_default();
        let visitors: HashSet<Key> = listed.iter().filter_map(Value::as_str).map(|id| Datum::id(id, company).key(company)).collect();
        let accounts = visitors.iter().flat_map(|visitor| accounts_of(visitor, &context.pendo, context)).collect();
        Some(Self(Members::Visitors { visitors, accounts }))
    }

    pub(super) fn has(&self, visitor: &Datum, account: &Datum, context: &Context) -> bool {
        let company = &context.company;
        match (&self.0, visitor, account) {
            (_, Datum::Null, Datum::Null) => false,
            (Members::Visitors { accounts, .. }, Datum::Null, account) => accounts.contains(&account.key(company)),
            (Members::Visitors { visitors, .. }, visitor, _) => visitors.contains(&visitor.key(company)),
            (Members::Rule(rule), Datum::Null, account) => account_meets(rule, account, context),
            (Members::Rule(rule), visitor, account) => visitor_meets(rule, visitor, account, context),
        }
    }
}

/// The accounts a visitor belongs to.
fn accounts_of(visitor: &Key, pendo: &Pendo, context: &Context) -> Vec<Key> {
    let company = &context.company;
    let listed = match visitor {
        Key::Visitor(person) => return vec![Key::Account(company.account_of(*person))],
        Key::Text(id) => pendo.visitors.get(id).map(|row| row.get("accountIds").into_owned()),
        _ => None,
    };
    let listed = listed.and_then(|ids| ids.as_array().cloned()).unwrap_or_default();
    listed.iter().filter_map(Value::as_str).map(|id| Datum::id(id, company).key(company)).collect()
}

/// Whether a visitor is in, as one of the account that the row is of; of a row without one, as one of its own.
fn visitor_meets(rule: &Expression, visitor: &Datum, account: &Datum, context: &Context) -> bool {
    let pendo = &context.pendo;
    let row = match visitor {
        Datum::Visitor(person) => pendo.visitors.at(*person),
        other => other.as_text(&context.company).and_then(|id| pendo.visitors.get(&id)),
    };
    let Some(row) = row else { return false };
    let account = match (account, row.index()) {
        (Datum::Account(index), _) => pendo.accounts.at(*index),
        (Datum::Text(id), _) => pendo.accounts.get(id),
        (_, Some(person)) => pendo.accounts.at(context.company.account_of(person)),
        (_, None) => row.get("accountIds").get(0).and_then(Value::as_str).and_then(|id| pendo.accounts.get(id)),
    };
    rule.evaluate(&Row::new(0, Body::Member(Some(row), account)), context).is_true()
}

fn account_meets(rule: &Expression, account: &Datum, context: &Context) -> bool {
    let pendo = &context.pendo;
    let alone = |row| rule.evaluate(&Row::new(0, Body::Member(None, row)), context).is_true();
    match account {
        Datum::Account(account) => {
            let mut people = context.company.people_of(*account).peekable();
            if people.peek().is_none() {
                return alone(pendo.accounts.at(*account));
            }
            people.any(|person| visitor_meets(rule, &Datum::Visitor(person), &Datum::Null, context))
        }
        other => alone(other.as_text(&context.company).and_then(|id| pendo.accounts.get(&id))),
    }
}
