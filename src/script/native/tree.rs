//! The tree that a closure becomes.

use std::sync::atomic::AtomicUsize;

use crate::model::{Name, TimeZone, Value};

use super::functions::{Function, Property};

/// A closure in its native form.
#[derive(Debug)]
pub(in crate::script) struct Native {
    pub(super) body: Node,
    /// Bytes of the longest text there may be.
    pub(super) longest: usize,
    /// Where days begin and end.
    pub(super) zone: TimeZone,
}

#[derive(Debug)]
pub(super) enum Node {
    /// A literal or a captured value; never a list or a map.
    Constant(Value),
    /// A field of the row, and where the last row had it.
    Field(Name, AtomicUsize),
    /// A local variable by its place in the frame.
    Local(usize),
    /// Defines the local variable at a place; gives nothing.
    Let(usize, Box<Self>),
    /// A value and what is read of it, one after the other.
    Chain(Box<Self>, Box<[Link]>),
    /// Text with values in it.
    Interpolated(Box<[Self]>),
    /// `a + b + c`, two or more.
    Sum(Box<[Self]>),
    Operator(Operator, Box<(Self, Self)>),
    Not(Box<Self>),
    Negative(Box<Self>),
    And(Box<[Self]>),
    Or(Box<[Self]>),
    /// `a ?? b`
    Coalesce(Box<[Self]>),
    /// Condition, then, else.
    If(Box<(Self, Self, Self)>),
    /// One after the other; the last one is its value. Nothing when it is empty.
    Block(Box<[Self]>),
    Call(Function, Box<[Self]>),
    Return(Box<Self>),
}

/// One step of `row.Owner?.Name.len()`.
#[derive(Debug)]
pub(super) struct Link {
    /// With `?`: on nothing, the whole rest is nothing.
    pub(super) optional: bool,
    pub(super) access: Access,
}

#[derive(Debug)]
pub(super) enum Access {
    /// `.name`: an entry of a map, or what a value of another type has under this name.
    Property(Name, Option<Property>),
    /// `["name"]`
    Entry(Name),
    Method(Function, Box<[Node]>),
}

/// `+` is `Node::Sum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Minus,
    Times,
    Divide,
    Modulo,
    Compare(Comparison),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}
