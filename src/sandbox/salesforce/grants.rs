//! Field-level security: a field made through the Tooling API is invisible until a permission set grants reading it.

use crate::sandbox::company::ids::INSERTED;
use crate::sandbox::documents::Row;
use crate::sandbox::salesforce::answer::Fault;
use crate::sandbox::salesforce::cell::Cell;
use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::schema::Schema;
use crate::sandbox::salesforce::values::fault;
use std::collections::HashSet;

/// The object of the grants.
const OBJECT: &str = "FieldPermissions";

/// The places of the object and the field in `Account.Field__c`.
pub(crate) fn place(schema: &Schema, full_name: &str) -> Option<(usize, usize)> {
    let (object, field) = full_name.split_once('.')?;
    let object = schema.object(object)?;
    Some((object, schema.objects[object].place(field)?))
}

/// Refuses a grant for a field that does not exist, or one that is there already.
pub(crate) fn check(data: &Data, object: usize, cells: &[(usize, Cell)]) -> Result<(), Fault> {
    let fields = &data.schema.objects[object].fields;
    if data.schema.objects[object].name != OBJECT {
        return Ok(());
    }
    let given = |name: &str| cells.iter().find(|(place, _)| fields[*place].name == name).and_then(|(_, cell)| cell.as_text()).unwrap_or_default();
    let (kind, field, parent) = (given("SobjectType"), given("Field"), given("ParentId"));
    let known = place(&data.schema, field).filter(|_| field.split('.').next().is_some_and(|object| object.eq_ignore_ascii_case(kind)));
    let Some((of, at)) = known else {
        let message = format!("Field Name: bad value for restricted picklist field: {field}");
        return Err(fault("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, "Field"));
    };
    let target = &data.schema.objects[of].fields[at];
    if !target.permissionable {
        return Err(fault("FIELD_INTEGRITY_EXCEPTION", format!("Field Name: you cannot set permissions on {field}"), "Field"));
    }
    let twice = rows(data, object).any(|row| row.get("Field").as_str() == Some(field) && row.get("ParentId").as_str() == Some(parent));
    if twice {
        Err(Fault {
            fields: Some(Vec::new()),
            ..Fault::new(400, "DUPLICATE_VALUE", "duplicate value found: <unknown> duplicates value on record with id: <unknown>")
        })
    } else {
        Ok(())
    }
}

fn rows(data: &Data, object: usize) -> impl Iterator<Item = Row> {
    data.scan_from(object, 0).filter(|row| !Data::is_deleted(row))
}

/// After a grant was written: shows or hides its field.
pub(crate) fn noticed(data: &mut Data, object: usize, before: Option<&Row>, after: Option<&Row>) {
    if data.schema.objects[object].name != OBJECT {
        return;
    }
    let named = |row: &Row| row.get("Field").as_str().map(str::to_owned);
    let concerned: HashSet<String> = before.into_iter().chain(after).filter_map(named).collect();
    for name in concerned {
        refresh(data, &name);
    }
}

/// Shows or hides one field by the grants there are.
pub(crate) fn refresh(data: &mut Data, full_name: &str) {
    let (Some((of, at)), Some(object)) = (place(&data.schema, full_name), data.schema.object(OBJECT)) else { return };
    if data.schema.objects[of].fields[at].definition < INSERTED {
        return;
    }
    let reads = |row: &Row| row.get("PermissionsRead").as_bool().unwrap_or(true) || row.get("PermissionsEdit").as_bool() == Some(true);
    let granted = rows(data, object).any(|row| row.get("Field").as_str().is_some_and(|field| field.eq_ignore_ascii_case(full_name)) && reads(&row));
    data.schema.objects[of].fields[at].granted = granted;
}
