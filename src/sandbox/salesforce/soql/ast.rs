//! A parsed SOQL query. Every name carries its byte place in the text.

use smol_str::SmolStr;

/// `SELECT ... FROM ...`.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) place: usize,
    pub(crate) select: Vec<Item>,
    pub(crate) from: SmolStr,
    pub(crate) from_place: usize,
    pub(crate) alias: Option<SmolStr>,
    /// Old-style further aliases: `FROM Account a, a.Owner o`.
    pub(crate) further: Vec<(SmolStr, Path)>,
    pub(crate) filter: Option<Condition>,
    pub(crate) group: Vec<Expr>,
    /// `GROUP BY ROLLUP(..)`: how many leading columns may be rolled up (all or none).
    pub(crate) rollup: bool,
    pub(crate) having: Option<Condition>,
    pub(crate) order: Vec<Order>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
}

/// One entry of the select list.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Value {
        expr: Expr,
        alias: Option<SmolStr>,
    },
    Children(Box<Query>),
    /// `FIELDS(ALL|STANDARD|CUSTOM)`.
    Fields {
        which: SmolStr,
        place: usize,
    },
    Typeof {
        relationship: SmolStr,
        place: usize,
        arms: Vec<(SmolStr, Vec<Path>)>,
        otherwise: Vec<Path>,
    },
}

/// A dotted name.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    pub(crate) parts: Vec<SmolStr>,
    pub(crate) place: usize,
}

impl Path {
    pub(crate) fn text(&self) -> String {
        self.parts.join(".")
    }
}

/// A field or a function call.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Path(Path),
    Call { name: SmolStr, place: usize, argument: Option<Box<Expr>> },
}

impl Expr {
    pub(crate) const fn place(&self) -> usize {
        match self {
            Self::Path(path) => path.place,
            Self::Call { place, .. } => *place,
        }
    }
}

/// `ORDER BY` entry; without a `NULLS` clause nulls come first.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) expr: Expr,
    pub(crate) descending: bool,
    pub(crate) nulls_last: Option<bool>,
}

/// The comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    Like,
}

/// A `WHERE` or `HAVING` condition.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Compare {
        left: Expr,
        op: Op,
        right: Literal,
    },
    In {
        left: Expr,
        negated: bool,
        list: Vec<Literal>,
    },
    InQuery {
        left: Expr,
        negated: bool,
        query: Box<Query>,
    },
    /// `INCLUDES` and, negated, `EXCLUDES`.
    Includes {
        left: Expr,
        negated: bool,
        list: Vec<Literal>,
    },
}

/// A literal value.
#[derive(Clone, Debug)]
pub(crate) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Date(i32),
    Datetime(i64),
    /// `TODAY`, `LAST_N_DAYS:5`: the name in capitals and the count.
    Relative(SmolStr, i32),
}
