//! A value while it is computed: text and nested values stay where they are.

use std::fmt::Write;

use rhai::FloatWrapper;
use smol_str::{SmolStr, SmolStrBuilder};

use crate::model::{Date, Record, Timestamp, Value};

#[derive(Debug, Clone)]
pub(super) enum Item<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// Text of the row or of the closure.
    Held(&'a SmolStr),
    Made(SmolStr),
    Date(Date),
    Instant(Timestamp),
    /// `days(7)`
    Days(i32),
    List,
    Map(&'a Record),
}

impl<'a> Item<'a> {
    #[inline]
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(n) => Self::Int(*n),
            Value::Float(x) => Self::Float(*x),
            Value::Text(text) => Self::Held(text),
            Value::Date(date) => Self::Date(*date),
            Value::Instant(at) => Self::Instant(*at),
            Value::List(_) => Self::List,
            Value::Map(record) => Self::Map(record),
        }
    }

    /// As plain data; none for what the interpreter would hand back in another shape, or not at all.
    #[inline]
    pub(super) fn value(self) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(b),
            Self::Int(n) => Value::Int(n),
            Self::Float(x) if x.is_finite() => Value::Float(x),
            Self::Held(text) => Value::Text(text.clone()),
            Self::Made(text) => Value::Text(text),
            Self::Date(date) => Value::Date(date),
            Self::Instant(at) => Value::Instant(at),
            // Infinity and NaN are no values.
            Self::Float(_) | Self::Days(_) | Self::List | Self::Map(_) => return None,
        })
    }

    #[inline]
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Held(text) => Some(text),
            Self::Made(text) => Some(text),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    #[inline]
    pub(super) fn bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "as the engine does it")]
    #[inline]
    pub(super) fn float(&self) -> Option<f64> {
        match self {
            Self::Int(n) => Some(*n as f64),
            Self::Float(x) => Some(*x),
            _ => None,
        }
    }

    /// Writes it as text with a value in it has it.
    pub(super) fn show(&self, to: &mut SmolStrBuilder) -> Option<()> {
        match self {
            Self::Null => Some(()),
            Self::Held(text) => to.write_str(text).ok(),
            Self::Made(text) => to.write_str(text).ok(),
            Self::Bool(b) => write!(to, "{b}").ok(),
            Self::Int(n) => write!(to, "{n}").ok(),
            Self::Float(x) => write!(to, "{}", FloatWrapper::new(*x)).ok(),
            Self::Date(date) => write!(to, "{date}").ok(),
            Self::Instant(at) => write!(to, "{at}").ok(),
            Self::Days(_) | Self::List | Self::Map(_) => None,
        }
    }

    /// Its type, as far as comparing needs it.
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) | Self::Float(_) => Kind::Number,
            Self::Held(_) | Self::Made(_) => Kind::Text,
            Self::Date(_) => Kind::Date,
            Self::Instant(_) => Kind::Instant,
            Self::Days(_) => Kind::Days,
            Self::List => Kind::List,
            Self::Map(_) => Kind::Map,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Bool,
    Number,
    Text,
    Date,
    Instant,
    Days,
    List,
    Map,
}
