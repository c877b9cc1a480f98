//! One value, compactly: a JSON value takes three times the room.

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value};

/// One written value.
#[derive(Debug)]
pub(super) enum Cell {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Box<str>),
    Json(Box<Value>),
}

/// The written fields of one row, in the order they were first written.
pub(super) type Cells = Arc<[(Arc<str>, Cell)]>;

impl Cell {
    pub(super) fn value(&self) -> Cow<'_, Value> {
        match self {
            Self::Null => Cow::Owned(Value::Null),
            Self::Bool(value) => Cow::Owned((*value).into()),
            Self::Int(value) => Cow::Owned((*value).into()),
            Self::Float(value) => Cow::Owned((*value).into()),
            Self::Text(value) => Cow::Owned(Value::String(value.as_ref().to_owned())),
            Self::Json(value) => Cow::Borrowed(value),
        }
    }

    fn copy(&self) -> Self {
        match self {
            Self::Null => Self::Null,
            Self::Bool(value) => Self::Bool(*value),
            Self::Int(value) => Self::Int(*value),
            Self::Float(value) => Self::Float(*value),
            Self::Text(value) => Self::Text(value.clone()),
            Self::Json(value) => Self::Json(value.clone()),
        }
    }
}

impl From<Value> for Cell {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(value), _) => Self::Int(value),
                (None, Some(value)) if number.is_f64() => Self::Float(value),
                _ => Self::Json(Box::new(Value::Number(number))),
            },
            Value::String(value) => Self::Text(value.into_boxed_str()),
            other => Self::Json(Box::new(other)),
        }
    }
}

/// The fields of `before` with those of `written` put over them; `name` gives the shared spelling of a field's name.
pub(super) fn merged(before: &[(Arc<str>, Cell)], written: Map<String, Value>, mut name: impl FnMut(&str) -> Arc<str>) -> Cells {
    let mut cells: Vec<(Arc<str>, Cell)> = before.iter().map(|(name, cell)| (Arc::clone(name), cell.copy())).collect();
    for (field, value) in written {
        let cell = Cell::from(value);
        match cells.iter_mut().find(|(known, _)| **known == *field) {
            Some((_, known)) => *known = cell,
            None => cells.push((name(&field), cell)),
        }
    }
    cells.into()
}
