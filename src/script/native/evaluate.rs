//! Evaluates a tree over a row.

use std::sync::atomic::{AtomicUsize, Ordering};

use smol_str::SmolStrBuilder;

use crate::model::{Record, TimeZone, Value};

use super::{
    item::Item,
    operators::{operate, plus},
    tree::{Access, Link, Native, Node},
};

/// Why an evaluation ends before its end.
enum Ended<'a> {
    /// The interpreter has to say what this is.
    GivenUp,
    Returned(Item<'a>),
}

type Outcome<'a> = Result<Item<'a>, Ended<'a>>;

fn sure<'a, T>(found: Option<T>) -> Result<T, Ended<'a>> {
    found.ok_or(Ended::GivenUp)
}

impl Native {
    /// The closure's value for a row; none when only the interpreter can tell.
    pub(in crate::script) fn call(&self, row: &Record) -> Option<Value> {
        let mut evaluation = Evaluation { row, longest: self.longest, zone: &self.zone, locals: Vec::new() };
        let item = match evaluation.node(&self.body) {
            Ok(item) | Err(Ended::Returned(item)) => item,
            Err(Ended::GivenUp) => return None,
        };
        evaluation.short(item).ok()?.value()
    }
}

struct Evaluation<'a> {
    row: &'a Record,
    longest: usize,
    zone: &'a TimeZone,
    locals: Vec<Item<'a>>,
}

impl<'a> Evaluation<'a> {
    fn node(&mut self, node: &'a Node) -> Outcome<'a> {
        match node {
            Node::Constant(value) => Ok(Item::of(value)),
            Node::Field(name, position) => self.field(name, position),
            Node::Local(at) => sure(self.locals.get(*at).cloned()),
            Node::Let(at, value) => self.define(*at, value),
            Node::Chain(base, links) => self.chain(base, links),
            Node::Interpolated(parts) => self.interpolated(parts),
            Node::Sum(parts) => self.sum(parts),
            Node::Operator(operator, sides) => {
                let (a, b) = (self.node(&sides.0)?, self.node(&sides.1)?);
                sure(operate(*operator, &a, &b, self.zone))
            }
            Node::Not(value) => self.condition(value).map(|b| Item::Bool(!b)),
            Node::Negative(value) => match self.node(value)? {
                Item::Int(n) => sure(n.checked_neg().map(Item::Int)),
                Item::Float(x) => Ok(Item::Float(-x)),
                _ => Err(Ended::GivenUp),
            },
            Node::And(all) => self.until(all, false),
            Node::Or(all) => self.until(all, true),
            Node::Coalesce(all) => self.coalesce(all),
            Node::If(parts) => {
                let (condition, then, otherwise) = &**parts;
                if self.condition(condition)? { self.node(then) } else { self.node(otherwise) }
            }
            Node::Block(steps) => self.block(steps),
            Node::Call(function, arguments) => {
                let zone = self.zone;
                let found = match &**arguments {
                    [a] => function.call(&[self.node(a)?], zone),
                    [a, b] => function.call(&[self.node(a)?, self.node(b)?], zone),
                    [a, b, c] => function.call(&[self.node(a)?, self.node(b)?, self.node(c)?], zone),
                    _ => None,
                };
                self.short(sure(found)?)
            }
            Node::Return(value) => {
                let value = self.node(value)?;
                Err(Ended::Returned(value))
            }
        }
    }

    /// Where a field was is only a guess for the next row, so that threads need not agree on it.
    fn field(&self, name: &str, position: &AtomicUsize) -> Outcome<'a> {
        let guess = position.load(Ordering::Relaxed);
        let Some((at, value)) = self.row.get_near(guess, name) else { return sure(self.row.path(name).map(Item::of)) };
        if at != guess {
            position.store(at, Ordering::Relaxed);
        }
        Ok(Item::of(value))
    }

    /// What was made is shorter than text may be; at the limit, the interpreter decides.
    fn short(&self, item: Item<'a>) -> Outcome<'a> {
        match item.text() {
            Some(text) if text.len() >= self.longest => Err(Ended::GivenUp),
            _ => Ok(item),
        }
    }

    fn define(&mut self, at: usize, value: &'a Node) -> Outcome<'a> {
        let value = self.node(value)?;
        self.locals.truncate(at);
        self.locals.push(value);
        Ok(Item::Null)
    }

    fn condition(&mut self, node: &'a Node) -> Result<bool, Ended<'a>> {
        let value = self.node(node)?;
        sure(value.bool())
    }

    /// Looks for the first condition that is `wanted`.
    fn until(&mut self, all: &'a [Node], wanted: bool) -> Outcome<'a> {
        for node in all {
            if self.condition(node)? == wanted {
                return Ok(Item::Bool(wanted));
            }
        }
        Ok(Item::Bool(!wanted))
    }

    fn coalesce(&mut self, all: &'a [Node]) -> Outcome<'a> {
        for node in all {
            let value = self.node(node)?;
            if !value.is_null() {
                return Ok(value);
            }
        }
        Ok(Item::Null)
    }

    fn block(&mut self, steps: &'a [Node]) -> Outcome<'a> {
        let mut last = Item::Null;
        for step in steps {
            last = self.node(step)?;
        }
        Ok(last)
    }

    fn interpolated(&mut self, parts: &'a [Node]) -> Outcome<'a> {
        let mut text = SmolStrBuilder::new();
        for part in parts {
            let value = self.node(part)?;
            sure(value.show(&mut text))?;
        }
        self.short(Item::Made(text.finish()))
    }

    /// From left to right. As long as it is text and text, one text is built.
    fn sum(&mut self, parts: &'a [Node]) -> Outcome<'a> {
        let mut so_far = Item::Null;
        let mut building: Option<SmolStrBuilder> = None;
        for (at, part) in parts.iter().enumerate() {
            let value = self.node(part)?;
            if at == 0 {
                so_far = value;
                continue;
            }
            let text = match (&mut building, so_far.text(), value.text()) {
                (Some(text), _, Some(more)) => {
                    text.push_str(more);
                    continue;
                }
                (None, Some(begun), Some(more)) => {
                    let mut text = SmolStrBuilder::new();
                    text.push_str(begun);
                    text.push_str(more);
                    Some(text)
                }
                _ => None,
            };
            if text.is_some() {
                building = text;
                continue;
            }
            let left = building.take().map_or(so_far, |text| Item::Made(text.finish()));
            so_far = self.short(sure(plus(&left, &value, self.zone))?)?;
        }
        self.short(building.map_or(so_far, |text| Item::Made(text.finish())))
    }

    fn chain(&mut self, base: &'a Node, links: &'a [Link]) -> Outcome<'a> {
        let mut value = self.node(base)?;
        for link in links {
            if link.optional && value.is_null() {
                return Ok(Item::Null);
            }
            value = self.access(&value, &link.access)?;
        }
        Ok(value)
    }

    fn access(&mut self, value: &Item<'a>, access: &'a Access) -> Outcome<'a> {
        match (access, value) {
            (Access::Property(name, _) | Access::Entry(name), Item::Map(record)) => sure(record.get(name).map(Item::of)),
            (Access::Property(_, Some(property)), _) => sure(property.of(value, self.zone)),
            (Access::Method(function, arguments), _) => {
                let (value, zone) = (value.clone(), self.zone);
                let found = match &**arguments {
                    [] => function.call(&[value], zone),
                    [a] => function.call(&[value, self.node(a)?], zone),
                    [a, b] => function.call(&[value, self.node(a)?, self.node(b)?], zone),
                    _ => None,
                };
                self.short(sure(found)?)
            }
            _ => Err(Ended::GivenUp),
        }
    }
}
