//! Metadata and dropdowns: what objects there are, their fields, and the choices of picklists.

use serde_json::{Value, json};

use super::{
    answer::{Answer, Answered, invalid, no_object},
    filter,
    objects::{Field, Kind, OBJECTS, Object},
    tenant::{self, Tenant},
};

/// `GET /v1/meta/services/objects/list`.
pub(super) fn list(tenant: &Tenant) -> Answer {
    let told = |object: &Object| {
        json!({
            "objectName": object.name, "label": object.label, "labelPlural": object.plural, "objectType": object.kind,
            "keyPrefix": key_prefix(object), "readable": true, "createable": object.kind != "SYSTEM", "schemaUpdateable": object.kind == "CUSTOM",
            "transactional": false,
        })
    };
    Answer::Data(OBJECTS.iter().filter(|object| tenant.has(object)).map(told).collect())
}

/// 18 characters, of which ids begin with the first four.
fn key_prefix(object: &Object) -> String {
    format!("{}T4B1S4NDB0X000", object.prefix)
}

/// `GET /v1/meta/services/objects/{Object}/describe`; an unknown object is answered in this service's own shape.
pub(super) fn describe(tenant: &Tenant, name: &str, choices: bool) -> Answer {
    match tenant.object(name) {
        Some(object) => Answer::Data(json!([described(tenant, object, choices)])),
        None => Answer::OwnRefusal(json!({
            "requestId": tenant.request_id(), "result": false, "instance": format!("/v1/meta/services/objects/{name}/describe"),
            "title": "OBJECT_NOT_FOUND", "detail": format!("Object {name} not found"), "errorDesc": format!("Object {name} not found"),
        })),
    }
}

/// `POST /v1/meta/services/objects/describe`.
pub(super) fn describe_many(tenant: &Tenant, bytes: &[u8]) -> Answered {
    let body = tenant::body(bytes)?;
    filter::known_keys(&body, &["objectNames", "includeChilds", "childLevels", "populatePickListOptions"], "the request")?;
    let Some(Value::Array(names)) = body.get("objectNames") else { return Err(invalid("objectNames must be a list")) };
    let choices = body.get("populatePickListOptions") == Some(&Value::Bool(true));
    let one = |name: &Value| {
        let name = name.as_str().unwrap_or_default();
        tenant.object(name).map(|object| described(tenant, object, choices)).ok_or_else(|| no_object(name))
    };
    Ok(Answer::Data(names.iter().map(one).collect::<Result<_, _>>()?))
}

fn described(tenant: &Tenant, object: &Object, choices: bool) -> Value {
    let fields: Vec<Value> = object.fields.iter().map(|field| field_told(tenant, object, field, choices)).collect();
    json!({
        "objectName": object.name, "label": object.label, "labelPlural": object.plural, "objectType": object.kind,
        "keyPrefix": key_prefix(object), "fields": fields,
    })
}

fn field_told(tenant: &Tenant, object: &Object, field: &Field, choices: bool) -> Value {
    let writable = !matches!((object.kind, object.name), ("SYSTEM", _) | (_, "gsuser")) && !field.read_only;
    let group = match field.name {
        name if name.ends_with("__gc") => "CUSTOM",
        "Gsid" | "CreatedDate" | "ModifiedDate" | "CreatedBy" | "ModifiedBy" | "LastModifiedDate" => "SYSTEM",
        _ => "STANDARD",
    };
    let length = match field.kind {
        Kind::Text(length) => json!(length),
        Kind::Url => json!(2048),
        Kind::Gsid | Kind::Lookup(_) => json!(36),
        Kind::Email | Kind::Picklist(_) => json!(255),
        Kind::Multi(_) => json!(500),
        _ => Value::Null,
    };
    let decimals = matches!(field.kind, Kind::Number | Kind::Currency | Kind::Percentage).then_some(9);
    let mut meta = json!({
        "filterable": true, "sortable": true, "groupable": true, "createable": writable, "updateable": writable, "required": field.required,
        "nillable": !field.required, "readOnly": field.read_only, "formulaField": false, "hasLookup": matches!(field.kind, Kind::Lookup(_)),
        "length": length, "decimalPlaces": decimals, "fieldGroupType": group,
    });
    if let Kind::Lookup(target) = field.kind {
        meta["lookupDetail"] = json!({"lookupName": field.relation(), "fieldName": "Gsid", "lookupObjects": [{"objectName": target}]});
    }
    let mut told = json!({
        "fieldName": field.name, "label": field.label, "dataType": field.kind.word(), "objectName": object.name, "meta": meta,
        "custom": field.is_custom(),
    });
    if let Kind::Picklist(category) | Kind::Multi(category) = field.kind {
        told["categoryId"] = category.into();
        if choices {
            told["options"] = options(tenant, category);
        }
    }
    told
}

/// As a recorded describe has them: the value of an option is its id.
fn options(tenant: &Tenant, category: &str) -> Value {
    let option = |(order, (id, label)): (usize, (String, String))| {
        json!({
            "active": true, "defaultValue": false, "label": label, "validFor": null, "value": id, "displayOrder": order + 1, "group": null,
            "groupId": category, "color": null, "controllerValues": null, "description": "", "systemName": label,
        })
    };
    tenant.choices(category).into_iter().enumerate().map(option).collect()
}

/// `GET /v1/meta/services/dropdowns/{categoryId}`.
pub(super) fn dropdown(tenant: &Tenant, category: &str) -> Answered {
    let choices = tenant.choices(category);
    if choices.is_empty() {
        return Err(invalid(format!("Invalid category {category}")));
    }
    let options: Vec<Value> = choices.into_iter().map(|(id, label)| json!({"id": id, "value": id, "label": label, "active": true})).collect();
    Ok(Answer::Data(json!({"categoryId": category, "options": options})))
}
