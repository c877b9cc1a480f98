//! Fields of a row, also of the rows it looks up: `Arr`, `Csm__gr.Email`, `CompanyId__gr.Csm__gr.Name`.

use std::borrow::Cow;

use serde_json::Value;

use super::{
    answer::{Refused, no_field},
    objects::{self, Field, Kind, Object},
    tenant::Tenant,
};
use crate::sandbox::documents::Row;

/// How many lookups one path may follow.
const DEPTH: usize = 3;

/// A field, and the lookups on the way to it.
#[derive(Debug, Clone)]
pub(super) struct Path {
    /// As the caller wrote it.
    pub(super) spelled: String,
    /// Each lookup field, with the object that its rows are of.
    lookups: Vec<(&'static Field, &'static Object)>,
    pub(super) field: &'static Field,
}

impl Path {
    pub(super) fn parse(object: &'static Object, text: &str) -> Result<Self, Refused> {
        let refused = || no_field(text, object.name);
        let mut steps: Vec<&str> = text.split('.').collect();
        // Lists of success plans tell labels of choices under names of their own.
        match (object.name, text) {
            ("cta_group", "TypeName") => steps = vec!["TypeId__gr", "Name"],
            ("cta_group", "StatusName") => steps = vec!["StatusId__gr", "Name"],
            _ => {}
        }
        let last = steps.pop().ok_or_else(refused)?;
        if steps.len() > DEPTH {
            return Err(refused());
        }
        let mut at = object;
        let mut lookups = Vec::with_capacity(steps.len());
        for step in steps {
            let same = |field: &&Field| field.relation().is_some_and(|relation| relation.eq_ignore_ascii_case(step));
            let field = at.fields.iter().find(same).ok_or_else(refused)?;
            at = field.target().and_then(objects::object).ok_or_else(refused)?;
            lookups.push((field, at));
        }
        let field = at.field(last).ok_or_else(refused)?;
        Ok(Self { spelled: text.to_owned(), lookups, field })
    }

    pub(super) const fn kind(&self) -> Kind {
        self.field.kind
    }

    /// The field itself, when it is one of the row's own.
    pub(super) fn own(&self) -> Option<&'static Field> {
        self.lookups.is_empty().then_some(self.field)
    }

    /// The kept value; null where a lookup leads nowhere.
    pub(super) fn value<'r>(&self, tenant: &Tenant, row: &'r Row) -> Cow<'r, Value> {
        let Some(((first, object), further)) = self.lookups.split_first() else {
            return get(row, self.field);
        };
        let mut found = follow(tenant, row, first, object);
        for (field, object) in further {
            found = found.and_then(|row| follow(tenant, &row, field, object));
        }
        Cow::Owned(found.map_or(Value::Null, |row| get(&row, self.field).into_owned()))
    }
}

fn follow(tenant: &Tenant, row: &Row, field: &Field, object: &'static Object) -> Option<Row> {
    tenant.get(object, get(row, field).as_str()?)
}

/// A row's own value.
pub(super) fn get<'r>(row: &'r Row, field: &Field) -> Cow<'r, Value> {
    if field.kind == Kind::Gsid && field.name == "Gsid" { Cow::Owned(Value::String(row.id().into_owned())) } else { row.get(field.name) }
}
