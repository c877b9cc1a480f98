//! What a row has to meet for a closure to be true, as far as its tree says so plainly: `p.lifecycle == "onboarding" && p.seats > 10 && ...`.
//! A system that is told of it can leave out rows which the closure would turn away.
//!
//! Only what is asked first counts, up to anything that might be an error for some row: a row may be left out only where the closure is sure to
//! be false for it. Equality of numbers and `<=` are left to the closure, for which numbers are equal that differ in their last bit.

use crate::model::{Condition, Operator as Word, Value};

use super::tree::{Comparison, Native, Node, Operator};

impl Native {
    /// Conditions that every row meets for which the closure is true.
    pub(in crate::script) fn demands(&self) -> Vec<Condition> {
        let mut body = &self.body;
        while let Node::Block(steps) = body
            && let [only] = &**steps
        {
            body = only;
        }
        match body {
            Node::And(parts) => parts.iter().map_while(demand).collect(),
            one => demand(one).into_iter().collect(),
        }
    }
}

fn demand(node: &Node) -> Option<Condition> {
    match node {
        Node::Operator(Operator::Compare(comparison), sides) => match &**sides {
            (Node::Field(field, _), Node::Constant(value)) => compared(field, *comparison, value),
            (Node::Constant(value), Node::Field(field, _)) => compared(field, turned(*comparison), value),
            _ => None,
        },
        Node::Or(parts) => one_of(parts),
        _ => None,
    }
}

fn compared(field: &str, comparison: Comparison, value: &Value) -> Option<Condition> {
    let operator = match (comparison, value) {
        (Comparison::Equal, Value::Text(text)) if !text.trim().is_empty() => Word::Equal,
        (Comparison::Equal, Value::Bool(_)) => Word::Equal,
        (Comparison::Less, Value::Int(_) | Value::Float(_)) => Word::Less,
        (Comparison::Greater, Value::Int(_) | Value::Float(_)) => Word::Greater,
        _ => return None,
    };
    Some(Condition { label: "a".to_owned(), field: field.to_owned(), operator, value: value.clone() })
}

/// The same with its sides exchanged.
const fn turned(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}

/// `p.plan == "Pro" || p.plan == "Team"`
fn one_of(parts: &[Node]) -> Option<Condition> {
    let equals: Vec<Condition> = parts.iter().map(demand).collect::<Option<_>>()?;
    let field = equals.first()?.field.clone();
    let fits = |one: &Condition| one.operator == Word::Equal && one.field == field;
    equals.iter().all(fits).then(|| {
        let values = equals.into_iter().map(|one| one.value).collect();
        Condition { label: "a".to_owned(), field, operator: Word::In, value: Value::List(values) }
    })
}
