//! Inserts, updates and deletes, one row a call: PX has no batches. Several calls are in flight at once.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Map, Value as Json, json};

use crate::{
    connectors::{
        http::{escape, invalid},
        outcomes::{Outcomes, failed, written},
    },
    model::{Change, Fault, FaultKind, FieldType, Lookup, Record, RowOutcome, System, TimeZone, Value, Write},
};

use super::{
    Px,
    describe::model_of,
    objects::{Object, object},
    read::put,
};

/// Calls in flight; PX takes 200 a second.
const PARALLEL: usize = 8;

type Types = HashMap<String, FieldType>;

impl Px {
    /// One outcome per row, in order. Users, accounts, and the `state` of engagements can be written.
    pub(in crate::connectors) async fn write(&self, write: &Write) -> Result<Vec<RowOutcome>, Fault> {
        let object = object(&write.object)?;
        let types = match model_of(object) {
            Some(model) => self.types(object, model).await?,
            None if object.name == "engagements" => std::sync::Arc::default(),
            None => return Err(invalid(System::Px, format!("PX has no call that writes {}", object.name))),
        };
        let existing = self.existing(object, &write.rows).await?;
        let mut outcomes = Outcomes::new(write.rows.len());
        let halt = outcomes.halt();
        let (types, existing) = (&*types, &existing);
        let rows = write.rows.iter().enumerate().map(|(at, change)| {
            let halt = halt.clone();
            async move {
                let result = match halt.get() {
                    Some(fault) => Err(fault),
                    None => self.row(object, types, existing, change).await,
                };
                if let Err(fault) = &result {
                    halt.set_if_systemic(fault);
                }
                (at, result)
            }
        });
        let mut answers = stream::iter(rows).buffer_unordered(PARALLEL);
        while let Some((at, result)) = answers.next().await {
            let result = match result {
                Err(fault) if matches!(fault.kind, FaultKind::Invalid | FaultKind::NotFound | FaultKind::Conflict) => Ok(failed(fault)),
                other => other,
            };
            outcomes.put(std::iter::once(at), result.map(|outcome| vec![outcome]));
        }
        drop(answers);
        outcomes.finish()
    }

    /// For upserts, which ids are there already.
    async fn existing(&self, object: &Object, rows: &[Change]) -> Result<HashSet<String>, Fault> {
        let of = |change: &Change| match change {
            Change::Upsert { by, fields, .. } if by == object.id => fields.get(by).cloned(),
            _ => None,
        };
        let keys: Vec<Value> = rows.iter().filter_map(of).collect();
        if keys.is_empty() {
            return Ok(HashSet::new());
        }
        let (system, name, by) = (System::Px, object.name.to_owned(), object.id.to_owned());
        let lookup = Lookup { system, object: name, by, keys, fields: Vec::new(), filter: None };
        Ok(self.lookup(&lookup).await?.iter().filter_map(|record| record.get(object.id)).map(Value::to_string).collect())
    }

    async fn row(&self, object: &Object, types: &Types, existing: &HashSet<String>, change: &Change) -> Result<RowOutcome, Fault> {
        if object.name == "engagements" {
            return self.state(change).await;
        }
        let id_of = |fields: &Record| fields.get(object.id).filter(|id| !id.is_blank()).map(Value::to_string);
        let lacking = || invalid(System::Px, format!("the row has no {}", object.id)).field(object.id);
        match change {
            Change::Insert { fields, .. } => self.insert(object, types, id_of(fields).ok_or_else(lacking)?, fields).await,
            Change::Update { id, fields, .. } => self.update(object, types, id, fields).await,
            Change::Upsert { by, fields, .. } if by == object.id => {
                let id = id_of(fields).ok_or_else(lacking)?;
                if existing.contains(&id) { self.update(object, types, &id, fields).await } else { self.insert(object, types, id, fields).await }
            }
            Change::Upsert { by, .. } => Err(invalid(System::Px, format!("{} are upserted by {}, not by {by}", object.name, object.id))),
            Change::Delete { id, .. } => self.delete(object, id).await,
        }
    }

    async fn insert(&self, object: &Object, types: &Types, id: String, fields: &Record) -> Result<RowOutcome, Fault> {
        let mut body = body(types, object, fields, &self.zone)?;
        body.insert(object.id.to_owned(), id.as_str().into());
        if !body.contains_key("propertyKeys") {
            let missing =
                || invalid(System::Px, "a new record belongs to a product: set `product_key` under [px] in tabi.toml").field("propertyKeys");
            body.insert("propertyKeys".to_owned(), json!([self.options.product_key.as_ref().ok_or_else(missing)?]));
        }
        self.done(&self.call(Method::POST, object.path).json(System::Px, &body)?).await?;
        Ok(written(Some(id), true))
    }

    /// Fields that are not named keep their values. The id goes in the body: it may hold any character.
    async fn update(&self, object: &Object, types: &Types, id: &str, fields: &Record) -> Result<RowOutcome, Fault> {
        let mut body = body(types, object, fields, &self.zone)?;
        body.insert(object.id.to_owned(), id.into());
        self.done(&self.call(Method::PUT, &format!("{}/update", object.path)).json(System::Px, &body)?).await?;
        Ok(written(Some(id.to_owned()), false))
    }

    async fn delete(&self, object: &Object, id: &str) -> Result<RowOutcome, Fault> {
        let call = if object.name == "users" {
            self.call(Method::DELETE, "users/delete").json(System::Px, &json!({"identifyId": id}))?
        } else {
            self.call(Method::DELETE, &format!("{}/{}", object.path, escape(id)))
        };
        self.done(&call).await?;
        Ok(written(Some(id.to_owned()), false))
    }

    /// `STARTED` and `PAUSED` (or `START` and `PAUSE`), in the environments of `envs`, else in production.
    async fn state(&self, change: &Change) -> Result<RowOutcome, Fault> {
        let Change::Update { id, fields, .. } = change else {
            return Err(invalid(System::Px, "engagements are made and deleted in PX; here only their `state` is changed"));
        };
        if let Some((name, _)) = fields.iter().find(|(name, _)| !["state", "envs"].contains(&name.as_str())) {
            return Err(invalid(System::Px, "only the `state` of an engagement can be changed").field(name.as_str()));
        }
        let state = match fields.get("state").and_then(Value::as_str) {
            Some("STARTED" | "START") => "START",
            Some("PAUSED" | "PAUSE") => "PAUSE",
            _ => return Err(invalid(System::Px, "the state of an engagement is set to STARTED or PAUSED").field("state")),
        };
        let envs = fields.get("envs").map_or_else(|| json!(["PRODUCTION"]), Json::from);
        let body = json!({"engagementId": id, "state": state, "envs": envs});
        self.done(&self.call(Method::PUT, "engagement/state").json(System::Px, &body)?).await?;
        Ok(written(Some(id.clone()), false))
    }
}

/// Fields as PX takes them: times in milliseconds, no value as the blank of its type.
fn body(types: &Types, object: &Object, fields: &Record, zone: &TimeZone) -> Result<Map<String, Json>, Fault> {
    let mut nested = Record::new();
    for (name, value) in fields.iter().filter(|(name, _)| *name != object.id) {
        put(&mut nested, name, on_the_wire(types, name, value, zone)?);
    }
    Ok(nested.iter().map(|(name, value)| (name.to_string(), Json::from(value))).collect())
}

fn on_the_wire(types: &Types, name: &str, value: &Value, zone: &TimeZone) -> Result<Value, Fault> {
    if let Value::Map(inner) = value {
        let wire = |(key, value): (&crate::model::Name, &Value)| Ok((key.clone(), on_the_wire(types, &format!("{name}.{key}"), value, zone)?));
        return Ok(Value::Map(inner.iter().map(wire).collect::<Result<_, Fault>>()?));
    }
    let custom = name.starts_with("customAttributes.");
    match (types.get(name), value) {
        (Some(FieldType::DateTime { .. }), Value::Null) => Err(invalid(System::Px, "PX cannot clear a date once it is set").field(name)),
        (Some(kind @ FieldType::DateTime { .. }), value) => match kind.fit(value, zone) {
            Ok(Value::Instant(at)) => Ok(Value::Int(at.as_millisecond())),
            Ok(other) => Ok(other),
            Err(misfit) => Err(invalid(System::Px, misfit.0).field(name)),
        },
        (Some(FieldType::Text { .. }), Value::Null) => Ok(Value::text("")),
        (Some(FieldType::Float), Value::Null) if !custom => Ok(Value::Int(0)),
        (_, Value::Instant(at)) => Ok(Value::Int(at.as_millisecond())),
        (_, value) => Ok(value.clone()),
    }
}
