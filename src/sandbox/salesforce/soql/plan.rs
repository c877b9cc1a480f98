//! A query whose names are resolved against the schema: what the evaluation works on.

use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::schema::Kind;
use crate::sandbox::salesforce::soql::ast::Op;
use crate::sandbox::salesforce::soql::dates::DateFn;
use smol_str::SmolStr;
use std::collections::HashSet;

/// A resolved query over one object.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) object: usize,
    pub(crate) columns: Vec<Column>,
    pub(crate) filter: Option<Test>,
    pub(crate) group: Vec<Bound>,
    pub(crate) rollup: bool,
    pub(crate) having: Option<Test>,
    pub(crate) order: Vec<Sorting>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
    /// `SELECT COUNT()`.
    pub(crate) count_only: bool,
    /// Rows are groups: aggregates or `GROUP BY`.
    pub(crate) grouped: bool,
    /// Deleted rows count too (`queryAll`).
    pub(crate) all_rows: bool,
}

/// One thing to answer for each row.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    /// A value under its keys: parents' relationship names, then the field's name or the alias.
    Value { keys: Vec<SmolStr>, expr: Bound },
    /// A child subquery: the relationship's name and the child's reference field.
    Children { key: SmolStr, field: usize, plan: Box<Plan> },
    /// `TYPEOF`: the reference field, and for each object its fields; fields of any other object at the end.
    Typeof { key: SmolStr, field: usize, arms: Vec<(usize, Vec<Column>)> },
}

/// One step to a parent: the reference field here, and the object there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hop {
    pub(crate) field: usize,
    pub(crate) object: usize,
}

/// A resolved expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Bound {
    Field {
        hops: Vec<Hop>,
        field: usize,
        kind: Kind,
    },
    /// A compound address: its part fields are found by name.
    Address {
        hops: Vec<Hop>,
        object: usize,
        field: usize,
    },
    /// `Owner.Type`.
    ParentType {
        hops: Vec<Hop>,
    },
    Date(DateFn, Box<Bound>),
    /// `FORMAT(x)`: the value as text.
    Text(Box<Bound>),
    Aggregate(Aggregate, Option<Box<Bound>>),
    /// `GROUPING(x)`.
    Grouping(Box<Bound>),
}

impl Bound {
    /// The type of the values.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Field { kind, .. } => *kind,
            Self::Address { .. } => Kind::Address,
            Self::ParentType { .. } | Self::Text(_) => Kind::Text,
            Self::Date(DateFn::DayOnly, _) => Kind::Date,
            Self::Date(..) | Self::Grouping(_) | Self::Aggregate(Aggregate::Count | Aggregate::Distinct, _) => Kind::Int,
            Self::Aggregate(Aggregate::Average, _) => Kind::Double,
            Self::Aggregate(_, inner) => inner.as_ref().map_or(Kind::Int, |inner| inner.kind()),
        }
    }

    pub(crate) const fn is_aggregate(&self) -> bool {
        matches!(self, Self::Aggregate(..))
    }
}

/// The aggregate functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregate {
    Count,
    Distinct,
    Sum,
    Average,
    Min,
    Max,
}

/// A resolved sorting.
#[derive(Clone, Debug)]
pub(crate) struct Sorting {
    pub(crate) expr: Bound,
    pub(crate) descending: bool,
    pub(crate) nulls_last: bool,
}

/// What a value is compared with.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Value(Cell),
    /// Half-open, in milliseconds.
    Between(i64, i64),
}

/// A resolved condition.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    All(Vec<Test>),
    Any(Vec<Test>),
    Not(Box<Test>),
    Compare {
        left: Bound,
        op: Op,
        right: Operand,
        exact: bool,
    },
    Like {
        left: Bound,
        pattern: Vec<char>,
    },
    /// `IN` over texts (folded unless exact) with or without null, or over other operands.
    InTexts {
        left: Bound,
        negated: bool,
        texts: HashSet<SmolStr>,
        null: bool,
        exact: bool,
    },
    In {
        left: Bound,
        negated: bool,
        list: Vec<Operand>,
    },
    /// Each entry is a set of values that must all be chosen.
    Includes {
        left: Bound,
        negated: bool,
        list: Vec<Vec<SmolStr>>,
    },
}
