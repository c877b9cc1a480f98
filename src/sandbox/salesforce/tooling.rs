//! The Tooling API: custom fields are created, changed and deleted here, and definitions are queried.

use crate::sandbox::company::ids::INSERTED;
use crate::sandbox::documents::Documents;
use crate::sandbox::salesforce::answer::{Answer, Answered, Call, Fault};
use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::grants;
use crate::sandbox::salesforce::ids;
use crate::sandbox::salesforce::metadata;
use crate::sandbox::salesforce::org::Org;
use crate::sandbox::salesforce::query;
use crate::sandbox::salesforce::schema::{Child, Field, Schema};
use crate::sandbox::salesforce::values::gone;
use serde_json::{Map, Value, json};
use smol_str::SmolStr;
use std::sync::Arc;

/// The table that keeps the definitions, as they were sent.
const TABLE: &str = "CustomField";
const PREFIX: &str = "00N";

/// The objects that tooling queries see.
const OBJECTS: &str = "\
object | EntityDefinition | 4ie | Entity Definition | Entity Definitions | fixed
DurableId | Durable ID | string | 50 | FSG
QualifiedApiName | Qualified API Name | string | 70 | FSGAN
DeveloperName | Developer Name | string | 40 | nFSG
Label | Label | string | 40 | nFSG
PluralLabel | Plural Label | string | 40 | nFSG
KeyPrefix | Key Prefix | string | 3 | nFSG
IsCustomizable | Customizable | boolean | - | FSG
IsQueryable | Queryable | boolean | - | FSG
object | FieldDefinition | 4fe | Field Definition | Field Definitions | fixed
DurableId | Durable ID | string | 100 | FSG
QualifiedApiName | Qualified API Name | string | 70 | FSGAN
DeveloperName | Developer Name | string | 40 | nFSG
Label | Label | string | 40 | nFSG
DataType | Data Type | string | 65 | nFSG
Length | Length | int | d8 | nFSG
Precision | Precision | int | d8 | nFSG
Scale | Scale | int | d8 | nFSG
IsNillable | Nillable | boolean | - | FSG
IsIndexed | Indexed | boolean | - | FSG
Description | Description | string | 1000 | nFSG
EntityDefinitionId | Entity Definition ID | string | 50 | FSG
EntityDefinitionKey | Entity Definition | reference | 18 | nFSG | ->EntityDefinition (EntityDefinition)
object | CustomField | 00N | Custom Field | Custom Fields | fixed
DeveloperName | Developer Name | string | 40 | FSGAN
TableEnumOrId | Entity Enumeration Or ID | string | 40 | FSG
EntityDefinitionId | Entity Definition ID | string | 50 | FSG
FullName | Full Name | string | 100 | nFSG
NamespacePrefix | Namespace Prefix | string | 15 | nFSG
Length | Length | int | d8 | nFSG
Precision | Precision | int | d8 | nFSG
Scale | Scale | int | d8 | nFSG
Description | Description | string | 1000 | nFSG
InlineHelpText | Help Text | string | 510 | nFSG
";

/// The schema with the custom fields that were created earlier.
pub(crate) fn stored_schema(documents: &Arc<Documents>) -> (Schema, Vec<String>) {
    let mut schema = Schema::standard();
    let mut created = Vec::new();
    for row in documents.open(TABLE).scan() {
        let (full_name, definition) = (row.get("FullName").into_owned(), row.get("Metadata").into_owned());
        let Some(full_name) = full_name.as_str() else { continue };
        let Some((object, name)) = full_name.split_once('.') else { continue };
        if let (Some(object), Ok(field)) = (schema.object(object), metadata::field(&schema, name, &definition)) {
            put(&mut schema, object, Field { definition: ids::number_of(PREFIX, &row.id()).unwrap_or(INSERTED), ..field });
            created.push(full_name.to_owned());
        }
    }
    (schema, created)
}

/// Adds a created field, invisible as yet, and the child relationship of a lookup.
fn put(schema: &mut Schema, object: usize, field: Field) {
    let object_name = schema.objects[object].name.clone();
    if let Some(target) = field.refers.first().and_then(|name| schema.object(name)) {
        let relationship = schema.objects[object].plural.replace(' ', "_");
        let child =
            Child { object: object_name, field: field.name.clone(), relationship: Some(SmolStr::from(format!("{relationship}__r"))), cascade: false };
        schema.objects[target].children.push(child);
    }
    schema.objects[object].add(Field { granted: false, ..field });
}

/// `tooling/...`.
pub(crate) fn answer(org: &Org, call: &Call, parts: &[&str]) -> Answered {
    match parts {
        ["query" | "queryAll", rest @ ..] => {
            let data = definitions(&org.data());
            query::answer_over(org, &data, call, rest, false)
        }
        ["sobjects", object] if object.eq_ignore_ascii_case(TABLE) && call.method == "POST" => create(org, call),
        ["sobjects", object, id] if object.eq_ignore_ascii_case(TABLE) => match call.method.as_str() {
            "PATCH" => change(org, call, id),
            "DELETE" => delete(org, id),
            "GET" | "HEAD" => get(org, call, id),
            other => Err(Fault::new(405, "METHOD_NOT_ALLOWED", format!("HTTP Method '{other}' not allowed. Allowed are DELETE,GET,HEAD,PATCH"))),
        },
        [] => Answer::ok(json!({"query": format!("{}/tooling/query", call.base), "sobjects": format!("{}/tooling/sobjects", call.base)})),
        _ => Err(Fault::not_found()),
    }
}

fn create(org: &Org, call: &Call) -> Answered {
    let body = call.object()?;
    let full_name = body.get("FullName").and_then(Value::as_str).unwrap_or_default();
    let definition = body.get("Metadata").cloned().unwrap_or_default();
    let mut data = org.data_mut();
    let (object, name) = metadata::names(&data.schema, full_name)?;
    metadata::is_free(&data.schema.objects[object], name)?;
    if data.schema.objects[object].fields.iter().filter(|f| f.custom && !f.gone).count() >= 800 {
        return Err(Fault::new(400, "CUSTOM_ENTITY_OR_FIELD_LIMIT", "reached maximum number of custom fields"));
    }
    let field = metadata::field(&data.schema, name, &definition)?;
    let table = data.documents.open(TABLE);
    let number = table.scan().filter_map(|row| ids::number_of(PREFIX, &row.id())).max().map_or(INSERTED, |last| last + 1);
    let id = ids::id_of(PREFIX, number);
    let full_name = format!("{}.{name}", data.schema.objects[object].name);
    let row = Map::from_iter([("FullName".to_owned(), full_name.clone().into()), ("Metadata".to_owned(), definition)]);
    data.documents.insert(&table, &id, row).map_err(|error| Fault::unexpected(&error))?;
    put(&mut data.schema, object, Field { definition: number, ..field });
    grants::refresh(&mut data, &full_name);
    let location = format!("{}/tooling/sobjects/CustomField/{id}", call.base);
    Ok(Answer::json(201, json!({"id": id, "success": true, "errors": [], "warnings": [], "infos": []})).with("Location", location))
}

/// The object and the field behind a definition's id.
fn place(data: &Data, id: &str) -> Result<(usize, usize), Fault> {
    let number = ids::long_form(id).and_then(|id| ids::number_of(PREFIX, &id)).ok_or_else(Fault::not_found)?;
    let objects = data.schema.objects.iter().enumerate();
    let mut places = objects.flat_map(|(o, object)| object.fields.iter().enumerate().map(move |(f, field)| (o, f, field)));
    match places.find(|(_, _, field)| definition_number(field) == Some(number)) {
        Some((_, _, field)) if field.gone => Err(gone()),
        Some((object, field, _)) => Ok((object, field)),
        None => Err(Fault::not_found()),
    }
}

/// The number of a custom field's definition: seeded ones by their name.
fn definition_number(field: &Field) -> Option<u64> {
    if !field.custom {
        return None;
    }
    Some(if field.definition > 0 { field.definition } else { 1 + xxhash_rust::xxh3::xxh3_64(field.name.as_bytes()) % 1_000_000_000 })
}

fn change(org: &Org, call: &Call, id: &str) -> Answered {
    let body = call.object()?;
    let definition = body.get("Metadata").cloned().unwrap_or_default();
    let mut data = org.data_mut();
    let (object, at) = place(&data, id)?;
    let before = data.schema.objects[object].fields[at].clone();
    if before.definition < INSERTED {
        return Err(Fault::new(400, "INSUFFICIENT_ACCESS_OR_READONLY", "cannot modify managed object"));
    }
    let field = metadata::field(&data.schema, &before.name, &definition)?;
    let table = data.documents.open(TABLE);
    let row = Map::from_iter([("Metadata".to_owned(), definition)]);
    data.documents.update(&table, &ids::id_of(PREFIX, before.definition), row).map_err(|error| Fault::unexpected(&error))?;
    data.schema.objects[object].fields[at] = Field { definition: before.definition, granted: before.granted, ..field };
    Answer::empty(204)
}

fn delete(org: &Org, id: &str) -> Answered {
    let mut data = org.data_mut();
    let (object, at) = place(&data, id)?;
    let number = data.schema.objects[object].fields[at].definition;
    if number < INSERTED {
        return Err(Fault::new(400, "INSUFFICIENT_ACCESS_OR_READONLY", "cannot delete managed object"));
    }
    let table = data.documents.open(TABLE);
    data.documents.delete(&table, &ids::id_of(PREFIX, number)).map_err(|error| Fault::unexpected(&error))?;
    data.schema.objects[object].fields[at].gone = true;
    Answer::empty(204)
}

fn get(org: &Org, call: &Call, id: &str) -> Answered {
    let data = org.data();
    let (object, at) = place(&data, id)?;
    let (object, field) = (&data.schema.objects[object], &data.schema.objects[object].fields[at]);
    let id = ids::id_of(PREFIX, definition_number(field).unwrap_or(0));
    Answer::ok(json!({
        "attributes": {"type": TABLE, "url": format!("{}/tooling/sobjects/CustomField/{id}", call.base)},
        "Id": id,
        "DeveloperName": field.name.trim_end_matches("__c"),
        "TableEnumOrId": object.name.as_str(),
        "FullName": format!("{}.{}", object.name, field.name),
        "Metadata": {
            "label": field.label.as_str(), "type": metadata::type_name(field), "length": field.length, "precision": field.precision, "scale": field.scale,
            "required": field.required_on_create(), "unique": field.unique, "externalId": field.external_id,
            "description": field.description.as_deref(), "inlineHelpText": field.help.as_deref(),
        },
    }))
}

/// The definitions as rows of their own, made anew for each query.
fn definitions(data: &Data) -> Data {
    let documents = Arc::new(Documents::new(None));
    let mut entities = Vec::new();
    let mut fields = Vec::new();
    let mut customs = Vec::new();
    let mut change = 0;
    for (number, object) in data.schema.objects.iter().enumerate() {
        let entity = ids::id_of("4ie", INSERTED + number as u64);
        entities.push(crate::sandbox::documents::Change::Insert(entity.clone(), object_row(object)));
        for field in object.fields.iter().filter(|field| !field.gone) {
            change += 1;
            fields.push(crate::sandbox::documents::Change::Insert(ids::id_of("4fe", INSERTED + change), field_row(object, field, &entity)));
            if let Some(number) = definition_number(field) {
                customs.push(crate::sandbox::documents::Change::Insert(ids::id_of(PREFIX, number), custom_row(object, field)));
            }
        }
    }
    for (name, rows) in [("EntityDefinition", entities), ("FieldDefinition", fields), (TABLE, customs)] {
        let table = documents.open(name);
        // Kept in memory only: nothing can go wrong.
        let _ = documents.write(&table, rows);
    }
    Data::new(Schema::parse(OBJECTS), documents, |_| 0, data.user.clone())
}

fn row<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn object_row(object: &crate::sandbox::salesforce::schema::Object) -> Map<String, Value> {
    row([
        ("DurableId", object.name.as_str().into()),
        ("QualifiedApiName", object.name.as_str().into()),
        ("DeveloperName", object.name.trim_end_matches("__c").into()),
        ("Label", object.label.as_str().into()),
        ("PluralLabel", object.plural.as_str().into()),
        ("KeyPrefix", object.prefix.as_str().into()),
        ("IsCustomizable", (!object.fixed).into()),
        ("IsQueryable", true.into()),
    ])
}

fn field_row(object: &crate::sandbox::salesforce::schema::Object, field: &Field, entity: &str) -> Map<String, Value> {
    row([
        ("DurableId", format!("{}.{}", object.name, field.name).into()),
        ("QualifiedApiName", field.name.as_str().into()),
        ("DeveloperName", field.name.trim_end_matches("__c").into()),
        ("Label", field.label.as_str().into()),
        ("DataType", data_type(field).into()),
        ("Length", field.length.into()),
        ("Precision", field.precision.into()),
        ("Scale", field.scale.into()),
        ("IsNillable", field.nillable.into()),
        ("IsIndexed", (field.external_id || field.kind.is_id()).into()),
        ("Description", field.description.as_deref().into()),
        ("EntityDefinitionId", object.name.as_str().into()),
        ("EntityDefinitionKey", entity.into()),
    ])
}

fn custom_row(object: &crate::sandbox::salesforce::schema::Object, field: &Field) -> Map<String, Value> {
    let base = field.name.trim_end_matches("__c");
    let (namespace, name) = base.split_once("__").map_or((None, base), |(namespace, name)| (Some(namespace), name));
    row([
        ("DeveloperName", name.into()),
        ("TableEnumOrId", object.name.as_str().into()),
        ("EntityDefinitionId", object.name.as_str().into()),
        ("FullName", format!("{}.{}", object.name, field.name).into()),
        ("NamespacePrefix", namespace.into()),
        ("Length", field.length.into()),
        ("Precision", field.precision.into()),
        ("Scale", field.scale.into()),
        ("Description", field.description.as_deref().into()),
        ("InlineHelpText", field.help.as_deref().into()),
    ])
}

/// As Setup shows it: `Text(80)`, `Number(16, 2)`, `Lookup(Account)`.
fn data_type(field: &Field) -> String {
    let name = metadata::type_name(field);
    match name {
        "Text" | "LongTextArea" => format!("{name}({})", field.length),
        "Number" | "Currency" | "Percent" => format!("{name}({}, {})", field.precision.saturating_sub(field.scale), field.scale),
        "Lookup" => format!("{name}({})", field.refers.join(",")),
        other => other.to_owned(),
    }
}
