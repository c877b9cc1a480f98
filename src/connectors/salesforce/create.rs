//! New custom fields through the Tooling API, and the right to see them (Tooling API, "CustomField"; "FieldPermissions").

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::model::{Choices, CreateField, Fault, FaultKind, FieldType, System};

use super::{Salesforce, soql::quoted};
use crate::connectors::{
    http::{Call, Repeat, invalid},
    rows::Columns,
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CustomField {
    full_name: String,
    metadata: serde_json::Value,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Grant<'a> {
    parent_id: &'a str,
    sobject_type: &'a str,
    field: String,
    permissions_read: bool,
    permissions_edit: bool,
}

#[derive(Deserialize)]
struct Created {}

impl Salesforce {
    /// Creates the field and lets the connected user read and write it. One that exists already is left as it is.
    pub(in crate::connectors) async fn create_field(&self, wanted: &CreateField) -> Result<(), Fault> {
        let field = format!("{}.{}", wanted.object, wanted.field.name);
        let body = CustomField { full_name: field.clone(), metadata: metadata(wanted)? };
        // Creating it twice is refused with a code of its own, so a lost answer does no harm.
        let call = Call::new(Method::POST, self.path("tooling/sobjects/CustomField")).repeat(Repeat::Always).json(System::Salesforce, &body)?;
        match self.json::<Created>(&call).await {
            Err(fault) if fault.code.as_deref() != Some("DUPLICATE_DEVELOPER_NAME") => return Err(fault),
            _ => {}
        }
        self.grant(&wanted.object, field).await?;
        self.forget(&wanted.object).await;
        let seen = self.described(&wanted.object).await?;
        if seen.schema.field(&wanted.field.name).is_none() {
            let message = format!("{}.{} was created but the connected user does not see it", wanted.object, wanted.field.name);
            return Err(Fault::from_system(System::Salesforce, FaultKind::Denied, message).field(&wanted.field.name));
        }
        Ok(())
    }

    async fn grant(&self, object: &str, field: String) -> Result<(), Fault> {
        let set = self.permission_set().await?;
        let body = Grant { parent_id: &set, sobject_type: object, field, permissions_read: true, permissions_edit: true };
        let call = Call::new(Method::POST, self.path("sobjects/FieldPermissions")).repeat(Repeat::Always).json(System::Salesforce, &body)?;
        match self.json::<Created>(&call).await {
            Err(fault) if fault.kind != FaultKind::Conflict => Err(fault),
            _ => Ok(()),
        }
    }

    /// The permission set of the options, or one that the connected user has (a profile's own as the last choice).
    async fn permission_set(&self) -> Result<String, Fault> {
        let (soql, column) = match (&self.options.permission_set, self.user().await?) {
            (Some(name), _) => (format!("SELECT Id FROM PermissionSet WHERE Name = {}", quoted(name)), "Id"),
            (None, Some(user)) => {
                let of_user = format!("SELECT PermissionSetId FROM PermissionSetAssignment WHERE AssigneeId = {}", quoted(&user));
                (of_user, "PermissionSetId")
            }
            (None, None) => ("SELECT Id FROM PermissionSet WHERE IsOwnedByProfile = false".to_owned(), "Id"),
        };
        let rows = self.all_rows(&soql, &Columns { open: true, ..Columns::default() }).await?;
        let found = rows.iter().find_map(|row| row.get(column)?.as_str().map(str::to_owned));
        found.ok_or_else(|| {
            let message = match &self.options.permission_set {
                Some(name) => format!("there is no permission set `{name}` ([salesforce] permission_set) to give access to new fields by"),
                None => {
                    "the connected user has no permission set to give access to new fields by; name one as [salesforce] permission_set".to_owned()
                }
            };
            Fault::from_system(System::Salesforce, FaultKind::Denied, message)
        })
    }
}

/// The field's definition in the words of the Metadata API.
fn metadata(wanted: &CreateField) -> Result<serde_json::Value, Fault> {
    let values = |values: &[String]| values.iter().map(|v| json!({"fullName": v, "label": v, "default": false})).collect::<Vec<_>>();
    let choices = |all: &Choices| json!({"restricted": all.restricted, "valueSetDefinition": {"sorted": false, "value": values(&all.values)}});
    let mut definition = match &wanted.field.kind {
        FieldType::Text { max } if *max > 255 => json!({"type": "LongTextArea", "length": (*max).clamp(256, 131_072), "visibleLines": 3}),
        FieldType::Text { max } => json!({"type": "Text", "length": (*max).max(1)}),
        FieldType::Id => json!({"type": "Text", "length": 36}),
        FieldType::Bool => json!({"type": "Checkbox", "defaultValue": false}),
        FieldType::Int { .. } => json!({"type": "Number", "precision": 18, "scale": 0}),
        FieldType::Number { digits, scale } => json!({"type": "Number", "precision": (*digits).clamp(1, 18), "scale": scale.min(digits)}),
        FieldType::Float => json!({"type": "Number", "precision": 18, "scale": 6}),
        FieldType::Date => json!({"type": "Date"}),
        FieldType::DateTime { .. } => json!({"type": "DateTime"}),
        FieldType::Email { .. } => json!({"type": "Email"}),
        FieldType::Time => json!({"type": "Time"}),
        FieldType::Picklist(all) => json!({"type": "Picklist", "valueSet": choices(all)}),
        FieldType::MultiPicklist(all) => json!({"type": "MultiselectPicklist", "visibleLines": 4, "valueSet": choices(all)}),
        FieldType::Reference { to } => {
            let Some(target) = to.first() else { return Err(unfit(wanted)) };
            let relation = wanted.field.name.trim_end_matches("__c").replace("__", "_");
            json!({"type": "Lookup", "referenceTo": target, "relationshipName": relation, "relationshipLabel": wanted.field.label})
        }
        FieldType::Other { .. } => return Err(unfit(wanted)),
    };
    definition["label"] = wanted.field.label.clone().into();
    if let Some(description) = &wanted.description {
        definition["description"] = description.clone().into();
    }
    if !matches!(wanted.field.kind, FieldType::Bool) {
        definition["required"] = false.into();
    }
    if wanted.field.key && matches!(wanted.field.kind, FieldType::Text { .. } | FieldType::Number { .. } | FieldType::Email { .. }) {
        definition["externalId"] = true.into();
        definition["unique"] = true.into();
    }
    Ok(definition)
}

fn unfit(wanted: &CreateField) -> Fault {
    let message = format!("a field of type {} cannot be created", wanted.field.kind.word());
    invalid(System::Salesforce, message).field(&wanted.field.name)
}
