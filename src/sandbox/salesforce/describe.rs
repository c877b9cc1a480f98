//! Describes, with every key that was seen in recordings (section 4.1 of the API notes).

use crate::sandbox::salesforce::schema::{Child, Field, Kind, Object, Schema};
use serde_json::{Map, Value, json};

/// `GET sobjects`.
pub(crate) fn global(schema: &Schema, base: &str) -> Value {
    let entries: Vec<Value> = schema.objects.iter().map(|object| Value::Object(entry(object, base))).collect();
    json!({"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": entries})
}

fn urls(object: &Object, base: &str, full: bool) -> Value {
    let at = format!("{base}/sobjects/{}", object.name);
    let mut out = json!({
        "compactLayouts": format!("{at}/describe/compactLayouts"),
        "rowTemplate": format!("{at}/{{ID}}"),
        "approvalLayouts": format!("{at}/describe/approvalLayouts"),
        "listviews": format!("{at}/listviews"),
        "describe": format!("{at}/describe"),
        "quickActions": format!("{at}/quickActions"),
        "layouts": format!("{at}/describe/layouts"),
        "sobject": at,
    });
    if full {
        for (key, template) in [("uiDetailTemplate", "{ID}"), ("uiEditTemplate", "{ID}/e"), ("uiNewRecord", "e")] {
            out[key] = format!("/{}/{template}", object.prefix).into();
        }
        out["defaultValues"] = format!("{base}/sobjects/{}/defaultValues?recordTypeId&fields", object.name).into();
    }
    out
}

/// The entry of one object in the global describe.
pub(crate) fn entry(object: &Object, base: &str) -> Map<String, Value> {
    let writable = !object.fixed;
    let entry = json!({
        "activateable": false,
        "associateEntityType": null,
        "associateParentEntity": null,
        "createable": writable,
        "custom": object.custom,
        "customSetting": false,
        "deepCloneable": object.deep_cloneable,
        "deletable": writable,
        "deprecatedAndHidden": false,
        "feedEnabled": !object.fixed && !object.custom,
        "hasSubtypes": false,
        "isInterface": false,
        "isSubtype": false,
        "keyPrefix": object.prefix.as_str(),
        "label": object.label.as_str(),
        "labelPlural": object.plural.as_str(),
        "layoutable": true,
        "mergeable": object.mergeable,
        "mruEnabled": writable,
        "name": object.name.as_str(),
        "queryable": true,
        "replicateable": true,
        "retrieveable": true,
        "searchable": true,
        "triggerable": true,
        "undeletable": writable,
        "updateable": true,
        "urls": urls(object, base, false),
    });
    if let Value::Object(entry) = entry { entry } else { Map::new() }
}

/// `GET sobjects/X/describe`.
pub(crate) fn object(schema: &Schema, place: usize, base: &str) -> Value {
    let object = &schema.objects[place];
    let mut all = entry(object, base);
    let fields: Vec<Value> = object.describe_order().map(|place| field(&object.fields[place])).collect();
    let children: Vec<Value> = object.children.iter().filter(|child| schema.object(&child.object).is_some()).map(child).collect();
    let layout = format!("{base}/sobjects/{}/describe/layouts/012000000000000AAA", object.name);
    let more = json!({
        "actionOverrides": [],
        "childRelationships": children,
        "compactLayoutable": true,
        "defaultImplementation": null,
        "extendedBy": null,
        "extendsInterfaces": null,
        "fields": fields,
        "implementedBy": null,
        "implementsInterfaces": null,
        "listviewable": null,
        "lookupLayoutable": null,
        "namedLayoutInfos": [],
        "networkScopeFieldName": null,
        "recordTypeInfos": [{
            "active": true, "available": true, "defaultRecordTypeMapping": true, "developerName": "Master", "master": true, "name": "Master",
            "recordTypeId": "012000000000000AAA", "urls": {"layout": layout},
        }],
        "searchLayoutable": true,
        "supportedScopes": [{"label": format!("All {}", object.plural.to_lowercase()), "name": "everything"}, {"label": format!("My {}", object.plural.to_lowercase()), "name": "mine"}],
        "urls": urls(object, base, true),
    });
    if let Value::Object(more) = more {
        all.extend(more);
    }
    all.sort_keys();
    Value::Object(all)
}

fn child(child: &Child) -> Value {
    json!({
        "cascadeDelete": child.cascade,
        "childSObject": child.object.as_str(),
        "deprecatedAndHidden": false,
        "field": child.field.as_str(),
        "junctionIdListNames": [],
        "junctionReferenceTo": [],
        "relationshipName": child.relationship.as_deref(),
        "restrictedDelete": false,
    })
}

/// One field with all its keys.
pub(crate) fn field(field: &Field) -> Value {
    let (kind, soap) = field.kind.names();
    let length = if field.kind.is_number() { 0 } else { field.length };
    let bytes = if field.kind.is_id() { length } else { length * 3 };
    let values: Vec<Value> = field
        .values
        .iter()
        .enumerate()
        .map(|(at, value)| {
            let label = field.labels.get(at).unwrap_or(value).as_str();
            json!({"active": true, "defaultValue": field.default.as_ref() == Some(value), "label": label, "validFor": null, "value": value.as_str()})
        })
        .collect();
    let default = match (field.kind, &field.default) {
        (Kind::Boolean, default) => Value::Bool(default.as_deref() == Some("true")),
        (_, Some(default)) => default.as_str().into(),
        _ => Value::Null,
    };
    let refers: Vec<&str> = field.refers.iter().map(smol_str::SmolStr::as_str).collect();
    let first = json!({
        "aggregatable": field.aggregatable,
        "aiPredictionField": false,
        "autoNumber": field.name == "CaseNumber",
        "byteLength": bytes,
        "calculated": false,
        "calculatedFormula": null,
        "cascadeDelete": false,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": field.compound.as_deref(),
        "controllerName": null,
        "createable": field.createable,
        "custom": field.custom,
        "defaultValue": default,
        "defaultValueFormula": null,
        "defaultedOnCreate": field.defaulted || field.default.is_some() || (field.kind == Kind::Boolean && field.custom),
        "dependentPicklist": false,
        "deprecatedAndHidden": false,
    });
    let second = json!({
        "digits": field.digits,
        "displayLocationInDecimal": false,
        "encrypted": false,
        "externalId": field.external_id,
        "extraTypeInfo": field.extra_type.as_deref().or(if field.html { Some("richtextarea") } else if field.custom && field.kind == Kind::Textarea { Some("plaintextarea") } else { None }),
        "filterable": field.filterable,
        "filteredLookupInfo": null,
        "formulaTreatNullNumberAsZero": false,
        "groupable": field.groupable,
        "highScaleNumber": false,
        "htmlFormatted": field.html,
        "idLookup": field.id_lookup,
        "inlineHelpText": field.help.as_deref(),
        "label": field.label.as_str(),
        "length": length,
        "mask": null,
        "maskType": null,
    });
    let third = json!({
        "name": field.name.as_str(),
        "nameField": field.name_field,
        "namePointing": refers.len() > 1,
        "nillable": field.nillable,
        "permissionable": field.permissionable,
        "picklistValues": values,
        "polymorphicForeignKey": refers.len() > 1,
        "precision": field.precision,
        "queryByDistance": false,
        "referenceTargetField": null,
        "referenceTo": refers,
        "relationshipName": field.relationship.as_deref(),
        "relationshipOrder": null,
        "restrictedDelete": false,
        "restrictedPicklist": field.restricted,
        "scale": field.scale,
        "searchPrefilterable": false,
        "soapType": soap,
        "sortable": field.sortable,
        "type": kind,
        "unique": field.unique,
        "updateable": field.updateable,
        "writeRequiresMasterRead": false,
    });
    [first, second, third].into_iter().filter_map(|part| if let Value::Object(part) = part { Some(part) } else { None }).flatten().collect()
}
