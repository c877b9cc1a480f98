//! One record at a time: writing, reading, refusing, and the change feeds.

use serde_json::{Value, json};

use super::{Org, code};

#[tokio::test]
async fn a_record_is_created_read_changed_and_deleted() {
    let org = Org::start().await;
    let sent = json!({"name": "  Padded  ", "INDUSTRY": "", "NumberOfEmployees": "12", "IsDeleted_": null});
    assert_eq!(code(&org.send("POST", "sobjects/account/", sent).await), (400, "INVALID_FIELD"));
    let id = org.create("account", json!({"name": "  Padded  ", "INDUSTRY": "", "NumberOfEmployees": "12", "attributes": {"type": "Account"}})).await;
    assert_eq!(id.len(), 18);
    let (_, row) = org.get(&format!("sobjects/ACCOUNT/{}?fields=name,industry,NumberOfEmployees", &id[..15])).await;
    assert_eq!(row["attributes"]["type"], "Account");
    assert_eq!((&row["Name"], &row["Industry"], &row["NumberOfEmployees"]), (&json!("Padded"), &Value::Null, &json!(12)));
    let path = format!("sobjects/Account/{id}");
    assert_eq!(org.send("PATCH", &path, json!({"AnnualRevenue": 1500.5, "Phone": "1"})).await, (204, Value::Null));
    assert_eq!(org.send("POST", &format!("{path}?_HttpMethod=PATCH"), json!({"Phone": null})).await.0, 204);
    let (_, row) = org.get(&path).await;
    assert_eq!((&row["AnnualRevenue"], &row["Phone"], &row["LastModifiedById"]), (&json!(1501.0), &Value::Null, &row["CreatedById"]));
    assert_eq!(org.send("DELETE", &path, Value::Null).await, (204, Value::Null));
    assert_eq!(code(&org.get(&path).await), (404, "NOT_FOUND"));
    assert_eq!(code(&org.send("DELETE", &path, Value::Null).await), (404, "ENTITY_IS_DELETED"));
    assert_eq!(code(&org.send("PATCH", &path, json!({"Phone": "1"})).await), (404, "ENTITY_IS_DELETED"));
    assert_eq!(code(&org.send("DELETE", "sobjects/Account/0015G00100ZZZZZ", Value::Null).await), (404, "INVALID_CROSS_REFERENCE_KEY"));
}

#[tokio::test]
async fn bad_values_are_refused_with_their_code_and_field() {
    let org = Org::start().await;
    let id = org.create("Account", json!({"Name": "Target"})).await;
    let contact = org.create("Contact", json!({"LastName": "Target"})).await;
    org.create("Account", json!({"Name": "Taken", "Pendo_Account_Key__c": "taken"})).await;
    let table = [
        (json!({"Name": null}), "REQUIRED_FIELD_MISSING", json!(["Name"])),
        (json!({"Foo__c": 1}), "INVALID_FIELD", Value::Null),
        (json!({"Id": id}), "INVALID_FIELD", Value::Null),
        (json!({"CreatedDate": "2026-01-01T00:00:00Z"}), "INVALID_FIELD_FOR_INSERT_UPDATE", json!(["CreatedDate"])),
        (json!({"BillingCity": "x".repeat(41)}), "STRING_TOO_LONG", json!(["BillingCity"])),
        (json!({"Name": 5}), "JSON_PARSER_ERROR", Value::Null),
        (json!({"NumberOfEmployees": "many"}), "JSON_PARSER_ERROR", Value::Null),
        (json!({"NumberOfEmployees": 1.5}), "JSON_PARSER_ERROR", Value::Null),
        (json!({"NumberOfEmployees": 2_147_483_648_u64}), "NUMBER_OUTSIDE_VALID_RANGE", json!(["NumberOfEmployees"])),
        (json!({"AnnualRevenue": 1e30}), "NUMBER_OUTSIDE_VALID_RANGE", json!(["AnnualRevenue"])),
        (json!({"Health_Score__c": 10_000}), "NUMBER_OUTSIDE_VALID_RANGE", json!(["Health_Score__c"])),
        (json!({"Renewal_Date__c": "31.01.2026"}), "JSON_PARSER_ERROR", Value::Null),
        (json!({"Renewal_Date__c": "2026-02-30"}), "JSON_PARSER_ERROR", Value::Null),
        (json!({"CleanStatus": "Sparkling"}), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", json!(["CleanStatus"])),
        (json!({"ParentId": contact}), "MALFORMED_ID", json!(["ParentId"])),
        (json!({"ParentId": "nonsense"}), "MALFORMED_ID", json!(["ParentId"])),
        (json!({"ParentId": "0015G00100ZZZZZ"}), "INVALID_CROSS_REFERENCE_KEY", json!([])),
        (json!({"Pendo_Account_Key__c": "TAKEN"}), "DUPLICATE_VALUE", json!([])),
        (json!({"Owner": {"Username": "nobody@x.example"}}), "INVALID_FIELD", json!([])),
    ];
    for (fields, expected, named) in table {
        let told = org.send("PATCH", &format!("sobjects/Account/{id}"), fields.clone()).await;
        assert_eq!((code(&told), &told.1[0]["fields"]), ((400, expected), &named), "{fields}: {}", told.1);
    }
    let told = org.send("POST", "sobjects/Contact", json!({"FirstName": "Ann"})).await;
    assert_eq!(
        told.1,
        json!([{"message": "Required fields are missing: [LastName]", "errorCode": "REQUIRED_FIELD_MISSING", "fields": ["LastName"]}])
    );
    assert_eq!(code(&org.send("PATCH", &format!("sobjects/Contact/{contact}"), json!({"Email": "no@"})).await), (400, "INVALID_EMAIL_ADDRESS"));
    let broken = org.request("POST", "sobjects/Account").header("content-type", "application/json").body("{\"Name\": }").send().await.unwrap();
    assert_eq!(code(&super::told(broken).await), (400, "JSON_PARSER_ERROR"));
    assert_eq!(code(&org.get("sobjects/Nothing").await), (404, "NOT_FOUND"));
    assert_eq!(code(&org.send("PATCH", "sobjects/Account", json!({})).await), (405, "METHOD_NOT_ALLOWED"));
}

#[tokio::test]
async fn upserts_by_external_id_tell_what_they_did() {
    let org = Org::start().await;
    let path = "sobjects/Account/Pendo_Account_Key__c/a%20b";
    let (status, first) = org.send("PATCH", path, json!({"Name": "One"})).await;
    assert_eq!((status, &first["created"]), (201, &json!(true)));
    let (status, second) = org.send("PATCH", path, json!({"Name": "Two"})).await;
    assert_eq!((status, &second["created"], &second["id"]), (200, &json!(false), &first["id"]));
    let old = format!("/services/data/v45.0/{path}");
    assert_eq!(org.send("PATCH", &old, json!({"Name": "Three"})).await, (204, Value::Null));
    assert_eq!(org.get(path).await.1["Name"], "Three");
    assert_eq!(code(&org.send("PATCH", path, json!({"Pendo_Account_Key__c": "x"})).await), (400, "INVALID_FIELD"));
    let absent = "sobjects/Account/Pendo_Account_Key__c/none?updateOnly=true";
    assert_eq!(code(&org.send("PATCH", absent, json!({"Name": "x"})).await), (404, "NOT_FOUND"));
    assert_eq!(code(&org.get("sobjects/Account/Phone/1").await), (404, "NOT_FOUND"));
    for _ in 0..2 {
        org.create("Contact", json!({"LastName": "Twin", "Email": "twin@x.example"})).await;
    }
    let (status, several) = org.send("PATCH", "sobjects/Contact/Email/twin@x.example", json!({"LastName": "x"})).await;
    assert_eq!((status, several.as_array().unwrap().len()), (300, 2));
    assert_eq!(org.send("DELETE", path, Value::Null).await.0, 204);
    assert_eq!(org.get(path).await.0, 404);
}

#[tokio::test]
async fn relationships_are_followed_and_written_by_key() {
    let org = Org::start().await;
    let id = org.create("Account", json!({"Name": "Mother", "Pendo_Account_Key__c": "mother"})).await;
    let child = org.create("Contact", json!({"LastName": "Kid", "Account": {"Pendo_Account_Key__c": "mother"}})).await;
    assert_eq!(org.get(&format!("sobjects/Contact/{child}/Account?fields=Name")).await.1["Name"], "Mother");
    let (_, children) = org.get(&format!("sobjects/Account/{id}/Contacts")).await;
    assert_eq!((&children["totalSize"], &children["records"][0]["Id"]), (&json!(1), &json!(child)));
    assert_eq!(org.send("DELETE", &format!("sobjects/Account/{id}"), Value::Null).await.0, 204);
    assert_eq!(org.get(&format!("sobjects/Contact/{child}")).await.0, 404);
}

#[tokio::test]
async fn what_follows_from_other_fields_is_kept_right() {
    let org = Org::start().await;
    let deal = json!({"Name": "Deal", "StageName": "Closed Won", "CloseDate": "2026-05-01", "Amount": 100});
    let id = org.create("Opportunity", deal).await;
    let (_, row) = org.get(&format!("sobjects/Opportunity/{id}")).await;
    assert_eq!((&row["IsWon"], &row["IsClosed"], &row["Probability"], &row["FiscalQuarter"]), (&json!(true), &json!(true), &json!(100.0), &json!(2)));
    org.send("PATCH", &format!("sobjects/Opportunity/{id}"), json!({"StageName": "Prospecting"})).await;
    assert_eq!(
        org.column("ExpectedRevenue", &format!("SELECT ExpectedRevenue FROM Opportunity WHERE Id = '{id}' AND IsClosed = false")).await,
        ["10.0"]
    );
    let person = org.create("Contact", json!({"FirstName": "Ann", "LastName": "Li"})).await;
    assert_eq!(org.get(&format!("sobjects/Contact/{person}")).await.1["Name"], "Ann Li");
}

#[tokio::test]
async fn feeds_tell_what_changed() {
    let org = Org::start().await;
    let kept = org.create("Account", json!({"Name": "Kept"})).await;
    let gone = org.create("Account", json!({"Name": "Gone"})).await;
    org.send("DELETE", &format!("sobjects/Account/{gone}"), Value::Null).await;
    let window = "start=2026-06-15T11%3A00%3A00%2B00%3A00&end=2026-06-15T13%3A00%3A00%2B00%3A00";
    let (_, updated) = org.get(&format!("sobjects/Account/updated?{window}")).await;
    assert_eq!(updated["ids"], json!([kept]));
    let (_, deleted) = org.get(&format!("sobjects/Account/deleted/?{window}")).await;
    assert_eq!(deleted["deletedRecords"][0]["id"], gone.as_str());
    assert!(deleted["latestDateCovered"].is_string() && deleted["earliestDateAvailable"].is_string());
    let backwards = "sobjects/Account/updated?start=2026-06-15T11:00:10Z&end=2026-06-15T11:00:50Z";
    assert_eq!(code(&org.get(backwards).await), (400, "INVALID_REPLICATION_DATE"));
}

#[tokio::test]
async fn what_was_written_outlives_the_process_and_a_reset_forgets_it() {
    let folder = tempfile::tempdir().unwrap();
    let options = || tabi::sandbox::Options { folder: Some(folder.path().to_owned()), ..tabi::sandbox::Options::default() };
    let org = Org::with(options()).await;
    let id = org.create("Account", json!({"Name": "Kept", "Pendo_Account_Key__c": "kept"})).await;
    let gone = org.create("Account", json!({"Name": "Gone"})).await;
    org.send("DELETE", &format!("sobjects/Account/{gone}"), Value::Null).await;
    let field = json!({"FullName": "Account.Kept__c", "Metadata": {"label": "Kept", "type": "Text", "length": 20}});
    assert_eq!(org.send("POST", "tooling/sobjects/CustomField", field).await.0, 201);
    grant(&org, "Account.Kept__c").await;
    org.send("PATCH", &format!("sobjects/Account/{id}"), json!({"Kept__c": "yes"})).await;
    drop(org);
    let org = Org::with(options()).await;
    assert_eq!(org.column("Kept__c", "SELECT Kept__c FROM Account WHERE Pendo_Account_Key__c = 'kept'").await, ["yes"]);
    let next = org.create("Account", json!({"Name": "Next"})).await;
    assert!(next > id && next != gone, "{next} {gone}");
    assert_eq!(org.query("SELECT COUNT() FROM Account").await.1["totalSize"], 202);
    assert_eq!(org.send("POST", "/_sandbox/reset", json!({"documents": true})).await.0, 200);
    assert_eq!(org.query("SELECT COUNT() FROM Account").await.1["totalSize"], 200);
    assert_eq!(code(&org.query("SELECT Kept__c FROM Account").await), (400, "INVALID_FIELD"));
}

/// Lets everybody read and write a custom field.
pub(super) async fn grant(org: &Org, field: &str) {
    let access = org.column("Id", "SELECT Id FROM PermissionSet WHERE IsOwnedByProfile = false").await.remove(0);
    let object = field.split('.').next().unwrap();
    let body = json!({"ParentId": access, "SobjectType": object, "Field": field, "PermissionsRead": true, "PermissionsEdit": true});
    org.create("FieldPermissions", body).await;
}

#[tokio::test]
async fn documents_show_instants_as_the_vendor_writes_them() {
    let org = Org::start().await;
    let id = org.create("Account", json!({"Name": "Shown"})).await;
    let (_, row) = org.get(&format!("sobjects/Account/{id}")).await;
    let url = format!("{}/_sandbox/documents/Account", org.sandbox.base_url("salesforce").unwrap());
    let documents: Value = org.client.get(url).send().await.unwrap().json().await.unwrap();
    let shown = documents.as_array().unwrap().iter().find(|document| document["Id"] == id.as_str()).unwrap();
    assert_eq!(shown["CreatedDate"], row["CreatedDate"]);
    assert!(shown["CreatedDate"].as_str().is_some_and(|text| text.ends_with(".000+0000")), "{shown}");
}
