//! Success plans: written as calls to action are, each record by itself. A template brings its objectives, which are calls to action.

use serde_json::{Map, Value};

use super::{
    answer::Answered,
    cta::{self, Way, known},
    objects::Object,
    seed::picklist,
    tenant::Tenant,
};
use crate::sandbox::documents::Change;

/// The templates of this tenant: name, type of the plans they are for, objectives.
const TEMPLATES: &[(&str, &str, &[&str])] = &[
    ("Onboarding Template", "Onboarding", &["Agree on goals", "Train the team", "Go live"]),
    ("Adoption Template", "Adoption", &["Review usage", "Roll out one more feature"]),
];

/// `POST` and `PUT /v2/successPlan/`.
pub(super) fn write(tenant: &Tenant, way: Way, bytes: &[u8]) -> Answered {
    cta::each(tenant, way, bytes, |record, _| match way {
        Way::Create => create(tenant, record),
        Way::Update => update(tenant, record),
    })
}

fn create(tenant: &Tenant, mut record: Map<String, Value>) -> Result<String, String> {
    let plan = known("cta_group")?;
    let templates = record.remove("Templates");
    let mut changes = Vec::new();
    let mut fields = cta::fields(tenant, plan, record, &mut changes)?;
    for (name, called) in [
        ("Name", "Name"),
        ("CompanyId", "CompanyId"),
        ("TypeId", "SuccessPlanType"),
        ("OwnerId", "OwnerEmail"),
        ("DueDate", "DueDate"),
        ("StatusId", "status"),
    ] {
        if fields.get(name).is_none_or(Value::is_null) {
            return Err(format!("{called} is mandatory"));
        }
    }
    tenant.stamp(&mut fields, plan, true);
    let id = tenant.new_id(plan);
    changes.extend(objectives(tenant, &id, &fields, templates)?);
    changes.push((plan, Change::Insert(id.clone(), fields)));
    tenant.write(changes).map_err(|refused| refused.text)?;
    Ok(id)
}

fn update(tenant: &Tenant, mut record: Map<String, Value>) -> Result<String, String> {
    let plan = known("cta_group")?;
    let Some(Value::String(id)) = record.remove("Gsid") else { return Err("Gsid is mandatory".to_owned()) };
    tenant.get(plan, &id).ok_or_else(|| format!("No Success Plan with Gsid {id}"))?;
    if let Some(fixed) = ["CompanyId", "SFDCID", "SuccessPlanType", "Templates"].iter().find(|name| record.contains_key(**name)) {
        return Err(format!("{fixed} cannot be edited"));
    }
    let mut changes = Vec::new();
    let mut fields = cta::fields(tenant, plan, record, &mut changes)?;
    tenant.stamp(&mut fields, plan, false);
    changes.push((plan, Change::Update(id.clone(), fields)));
    tenant.write(changes).map_err(|refused| refused.text)?;
    Ok(id)
}

/// What the templates bring: they have to be for plans of this type.
fn objectives(tenant: &Tenant, id: &str, fields: &Map<String, Value>, templates: Option<Value>) -> Result<Vec<(&'static Object, Change)>, String> {
    let templates = match templates {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(templates)) => templates,
        Some(_) => return Err("Templates must be a list".to_owned()),
    };
    let objective = known("call_to_action")?;
    let mut made = Vec::new();
    for name in templates {
        let name = name.as_str().unwrap_or_default();
        let of_type =
            |(known, kind, _): &&(&str, &str, &[&str])| *known == name && fields.get("TypeId") == Some(&picklist::id("SUCCESS_PLAN_TYPE", kind));
        let (.., names) = TEMPLATES.iter().find(of_type).ok_or_else(|| format!("Invalid template {name} in Templates"))?;
        for name in *names {
            let mut row = Map::new();
            row.insert("Name".to_owned(), (*name).into());
            row.insert("CtaGroupId".to_owned(), id.into());
            row.insert("TypeId".to_owned(), picklist::id("CTA_TYPE", "Objective"));
            row.insert("StatusId".to_owned(), picklist::id("CTA_STATUS", "New"));
            row.insert("PriorityId".to_owned(), picklist::id("CTA_PRIORITY", "Medium"));
            row.insert("EntityType".to_owned(), "COMPANY".into());
            row.insert("IsClosed".to_owned(), false.into());
            for field in ["CompanyId", "OwnerId", "DueDate"] {
                row.insert(field.to_owned(), fields.get(field).cloned().unwrap_or(Value::Null));
            }
            tenant.stamp(&mut row, objective, true);
            made.push((objective, Change::Insert(tenant.new_id(objective), row)));
        }
    }
    Ok(made)
}
