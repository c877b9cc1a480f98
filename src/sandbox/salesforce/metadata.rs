//! Custom field definitions as the Tooling API takes them: checked, and turned into fields.

use crate::sandbox::salesforce::answer::Fault;
use crate::sandbox::salesforce::schema::{Field, Kind, Object, Schema};
use crate::sandbox::salesforce::values::fault;
use serde_json::Value;
use smol_str::{SmolStr, ToSmolStr, format_smolstr};

/// The object and the field of a `FullName` such as `Account.Region__c`.
pub(crate) fn names<'a>(schema: &Schema, full_name: &'a str) -> Result<(usize, &'a str), Fault> {
    let wrong = |text: String| fault("INVALID_FULL_NAME", text, "FullName");
    let (object, name) = full_name.split_once('.').ok_or_else(|| wrong(format!("The full name {full_name} must be Object.Field__c")))?;
    let object = schema.object(object).ok_or_else(|| {
        let text = format!("Entity Enumeration Or ID: bad value for restricted picklist field: {object}");
        fault("INVALID_CROSS_REFERENCE_KEY", text, "FullName")
    })?;
    let base = name.strip_suffix("__c").ok_or_else(|| wrong(format!("Field name {name} must end with __c")))?;
    let good = base.starts_with(|c: char| c.is_ascii_alphabetic())
        && base.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !base.ends_with('_')
        && !base.contains("__")
        && base.len() <= 40;
    if !good {
        let rule = "can only contain underscores and alphanumeric characters. It must be unique, begin with a letter, not include spaces, not end with an \
                    underscore, and not contain two consecutive underscores.";
        return Err(fault("FIELD_INTEGRITY_EXCEPTION", format!("Field Name: The Custom Field API Name you provided {base} {rule}"), "FullName"));
    }
    Ok((object, name))
}

/// Refuses a name that is taken.
pub(crate) fn is_free(object: &Object, name: &str) -> Result<(), Fault> {
    if object.place(name).is_none() {
        return Ok(());
    }
    let short = name.trim_end_matches("__c");
    Err(fault("DUPLICATE_DEVELOPER_NAME", format!("There is already a field named {short} on {}.", object.name), "FullName"))
}

/// The field that a definition asks for.
pub(crate) fn field(schema: &Schema, name: &str, metadata: &Value) -> Result<Field, Fault> {
    let text = |key: &str| metadata[key].as_str().unwrap_or_default().trim();
    let flag = |key: &str| metadata[key].as_bool().unwrap_or(metadata[key].as_str() == Some("true"));
    let kind_name = text("type");
    if text("label").is_empty() {
        return Err(fault("REQUIRED_FIELD_MISSING", "Required fields are missing: [label]", "label"));
    }
    let mut field = sized(name, text("label"), kind_name, metadata)?;
    if kind_name == "Checkbox" && !metadata["required"].is_null() {
        let message = "Can not specify 'required' for a CustomField of type Checkbox";
        return Err(Fault { fields: Some(Vec::new()), ..Fault::new(400, "FIELD_INTEGRITY_EXCEPTION", message) });
    }
    let keyed = matches!(kind_name, "Text" | "Number" | "Email");
    if (flag("externalId") || flag("unique")) && !keyed {
        let message = format!("Can not specify 'externalId' or 'unique' for a CustomField of type {kind_name}");
        return Err(Fault { fields: Some(Vec::new()), ..Fault::new(400, "FIELD_INTEGRITY_EXCEPTION", message) });
    }
    field.custom = true;
    field.external_id = flag("externalId");
    field.id_lookup = field.external_id;
    field.unique = flag("unique");
    field.case_sensitive = flag("caseSensitive");
    field.nillable = !flag("required") && field.kind != Kind::Boolean;
    field.help = metadata["inlineHelpText"].as_str().map(SmolStr::new);
    field.description = metadata["description"].as_str().map(SmolStr::new);
    match kind_name {
        "Lookup" | "MasterDetail" => lookup(schema, &mut field, name, metadata)?,
        "Picklist" | "MultiselectPicklist" => picklist(&mut field, metadata)?,
        _ => {}
    }
    Ok(field)
}

fn sized(name: &str, label: &str, kind_name: &str, metadata: &Value) -> Result<Field, Fault> {
    let number = |key: &str| metadata[key].as_u64().or_else(|| metadata[key].as_str()?.parse().ok()).and_then(|n| u32::try_from(n).ok());
    let out_of_range =
        |key: &str, range: &str| fault("FIELD_INTEGRITY_EXCEPTION", format!("{key} must be {range} for a CustomField of type {kind_name}"), key);
    let length = |least: u32, most: u32| {
        number("length").filter(|n| (least..=most).contains(n)).ok_or_else(|| out_of_range("length", &format!("{least} to {most}")))
    };
    let plain = |kind: Kind, length: u32, flags: &str| Field::plain(name, label, kind, length).allow("ncuP").allow(flags);
    Ok(match kind_name {
        "Text" => plain(Kind::Text, length(1, 255)?, "FSGA"),
        "TextArea" => plain(Kind::Textarea, 255, "FSGA"),
        "LongTextArea" => plain(Kind::Textarea, length(256, 131_072)?, ""),
        "Html" => Field { html: true, ..plain(Kind::Textarea, length(256, 131_072)?, "") },
        "Number" | "Currency" | "Percent" => {
            let kind = match kind_name {
                "Number" => Kind::Double,
                "Currency" => Kind::Currency,
                _ => Kind::Percent,
            };
            let precision = number("precision").filter(|n| (1..=18).contains(n)).ok_or_else(|| out_of_range("precision", "1 to 18"))?;
            let scale = number("scale").filter(|n| *n <= precision).ok_or_else(|| out_of_range("scale", "0 to the precision"))?;
            Field { precision, scale, ..plain(kind, 0, "FSA") }
        }
        "Checkbox" => {
            let default =
                metadata["defaultValue"].as_bool().or_else(|| metadata["defaultValue"].as_str().map(|text| text.eq_ignore_ascii_case("true")));
            let Some(default) = default else {
                return Err(fault("REQUIRED_FIELD_MISSING", "Required fields are missing: [defaultValue]", "defaultValue"));
            };
            Field { nillable: false, default: Some(default.to_smolstr()), ..plain(Kind::Boolean, 0, "DFSG") }
        }
        "Date" => plain(Kind::Date, 0, "FSGA"),
        "DateTime" => plain(Kind::Datetime, 0, "FSA"),
        "Time" => plain(Kind::Time, 0, "FSGA"),
        "Email" => plain(Kind::Email, 80, "FSGA"),
        "Phone" => plain(Kind::Phone, 40, "FSGA"),
        "Url" => plain(Kind::Url, 255, "FSGA"),
        "Picklist" => plain(Kind::Picklist, 255, "FSGA"),
        "MultiselectPicklist" => plain(Kind::Multipicklist, 4099, "F"),
        "Lookup" | "MasterDetail" => plain(Kind::Reference, 18, "FSGA"),
        other => {
            let message = format!("Type: bad value for restricted picklist field: {other}");
            return Err(fault("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, "type"));
        }
    })
}

fn lookup(schema: &Schema, field: &mut Field, name: &str, metadata: &Value) -> Result<(), Fault> {
    let target = metadata["referenceTo"].as_str().unwrap_or_default();
    let Some(object) = schema.object(target) else {
        return Err(fault(
            "FIELD_INTEGRITY_EXCEPTION",
            format!("referenceTo value of '{target}' does not resolve to a valid sObject type"),
            "referenceTo",
        ));
    };
    field.refers = vec![schema.objects[object].name.clone()];
    field.relationship = Some(format_smolstr!("{}__r", name.trim_end_matches("__c")));
    Ok(())
}

fn picklist(field: &mut Field, metadata: &Value) -> Result<(), Fault> {
    let set = &metadata["valueSet"];
    let Some(values) = set["valueSetDefinition"]["value"].as_array() else {
        return Err(fault("FIELD_INTEGRITY_EXCEPTION", "Must specify either valueSet or picklist for a picklist field", "valueSet"));
    };
    let name = |value: &Value| value["fullName"].as_str().or_else(|| value["valueName"].as_str()).map(SmolStr::new);
    field.values = values.iter().filter_map(name).collect();
    field.labels = values.iter().filter_map(|value| value["label"].as_str().map(SmolStr::new).or_else(|| name(value))).collect();
    field.default = values.iter().find(|value| value["default"] == true).and_then(name);
    field.restricted = set["restricted"] == true;
    Ok(())
}

/// The metadata name of a field's type.
pub(crate) fn type_name(field: &Field) -> &'static str {
    match field.kind {
        Kind::Id => "Id",
        Kind::Reference => "Lookup",
        Kind::Text => "Text",
        Kind::Textarea if field.html => "Html",
        Kind::Textarea if field.length > 255 => "LongTextArea",
        Kind::Textarea => "TextArea",
        Kind::Picklist => "Picklist",
        Kind::Multipicklist => "MultiselectPicklist",
        Kind::Boolean => "Checkbox",
        Kind::Int | Kind::Double => "Number",
        Kind::Currency => "Currency",
        Kind::Percent => "Percent",
        Kind::Date => "Date",
        Kind::Datetime => "DateTime",
        Kind::Time => "Time",
        Kind::Phone => "Phone",
        Kind::Email => "Email",
        Kind::Url => "Url",
        Kind::Address => "Address",
    }
}
