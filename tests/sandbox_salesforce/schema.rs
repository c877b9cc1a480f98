//! Describes, and custom fields made through the Tooling API.

use serde_json::{Value, json};

use super::{Org, code, records::grant};

async fn fields(org: &Org, object: &str) -> Vec<Value> {
    let (status, told) = org.get(&format!("sobjects/{object}/describe")).await;
    assert_eq!(status, 200);
    told["fields"].as_array().unwrap().clone()
}

fn named<'a>(fields: &'a [Value], name: &str) -> &'a Value {
    fields.iter().find(|field| field["name"] == name).unwrap()
}

#[tokio::test]
async fn describes_have_every_recorded_key() {
    let org = Org::start().await;
    let (_, global) = org.get("sobjects/").await;
    let names: Vec<_> = global["sobjects"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    for name in
        ["Account", "Contact", "Opportunity", "Case", "Lead", "User", "Organization", "PermissionSet", "FieldPermissions", "JBCXM__UsageData__c"]
    {
        assert!(names.contains(&name), "{name}");
        let (_, told) = org.get(&format!("sobjects/{name}/describe")).await;
        assert_eq!(told.as_object().unwrap().len(), 44, "{name}");
        for field in told["fields"].as_array().unwrap() {
            assert_eq!(field.as_object().unwrap().len(), 57, "{name}.{}", field["name"]);
        }
    }
    assert_eq!(global["sobjects"][0].as_object().unwrap().len(), 28);
    let account = fields(&org, "Account").await;
    assert_eq!((&account[0]["name"], &account[0]["type"], &account[0]["soapType"]), (&json!("Id"), &json!("id"), &json!("tns:ID")));
    let name = named(&account, "Name");
    assert_eq!(
        (&name["length"], &name["byteLength"], &name["nillable"], &name["nameField"]),
        (&json!(255), &json!(765), &json!(false), &json!(true))
    );
    let visitors = named(&account, "Pendo_numberofvisitors_last30d__c");
    assert_eq!(
        (&visitors["type"], &visitors["precision"], &visitors["scale"], &visitors["custom"]),
        (&json!("double"), &json!(18), &json!(0), &json!(true))
    );
    assert_eq!(visitors["label"], "Pendo Number of Visitors (Last 30d)");
    assert_eq!(named(&account, "BillingGeocodeAccuracy")["picklistValues"].as_array().unwrap().len(), 11);
    assert_eq!(named(&account, "NumberOfEmployees")["digits"], 8);
    let usage = fields(&org, "JBCXM__UsageData__c").await;
    assert_eq!(
        (&named(&usage, "Name")["length"], &named(&usage, "JBCXM__Account__c")["relationshipName"]),
        (&json!(80), &json!("JBCXM__Account__r"))
    );
    let (_, basic) = org.get("sobjects/Account").await;
    assert_eq!((&basic["objectDescribe"]["keyPrefix"], basic["recentItems"].as_array().unwrap().len()), (&json!("001"), 3));
}

#[tokio::test]
async fn a_new_field_is_invisible_until_it_is_granted() {
    let org = Org::start().await;
    let id = org.create("JBCXM__UsageData__c", json!({"Name": "ACCOUNTLEVEL", "JBCXM__Date__c": "2026-06-14"})).await;
    let field = json!({"FullName": "JBCXM__UsageData__c.Active_Visitors__c", "Metadata": {"label": "Active Visitors", "type": "Number", "precision": 10, "scale": 1}});
    let (status, made) = org.send("POST", "tooling/sobjects/CustomField", field.clone()).await;
    assert_eq!((status, &made["success"]), (201, &json!(true)));
    let path = format!("sobjects/JBCXM__UsageData__c/{id}");
    let value = json!({"Active_Visitors__c": 12.34});
    assert!(!fields(&org, "JBCXM__UsageData__c").await.iter().any(|field| field["name"] == "Active_Visitors__c"));
    assert_eq!(code(&org.query("SELECT Active_Visitors__c FROM JBCXM__UsageData__c").await), (400, "INVALID_FIELD"));
    assert_eq!(code(&org.send("PATCH", &path, value.clone()).await), (400, "INVALID_FIELD"));
    grant(&org, "JBCXM__UsageData__c.Active_Visitors__c").await;
    let described = fields(&org, "JBCXM__UsageData__c").await;
    let described = named(&described, "Active_Visitors__c");
    assert_eq!((&described["type"], &described["precision"], &described["scale"]), (&json!("double"), &json!(10), &json!(1)));
    assert_eq!(org.send("PATCH", &path, value).await.0, 204);
    assert_eq!(org.column("Active_Visitors__c", "SELECT Active_Visitors__c FROM JBCXM__UsageData__c").await, ["12.3"]);
    assert_eq!(code(&org.send("POST", "tooling/sobjects/CustomField", field).await), (400, "DUPLICATE_DEVELOPER_NAME"));
    let change = json!({"Metadata": {"label": "Visitors", "type": "Number", "precision": 10, "scale": 2}});
    let at = format!("tooling/sobjects/CustomField/{}", made["id"].as_str().unwrap());
    assert_eq!(org.send("PATCH", &at, change).await.0, 204);
    assert_eq!(named(&fields(&org, "JBCXM__UsageData__c").await, "Active_Visitors__c")["label"], "Visitors");
    assert_eq!(org.send("DELETE", &at, Value::Null).await.0, 204);
    assert_eq!(code(&org.query("SELECT Active_Visitors__c FROM JBCXM__UsageData__c").await), (400, "INVALID_FIELD"));
}

#[tokio::test]
async fn definitions_are_checked_and_queried() {
    let org = Org::start().await;
    let metadata = |kind: &str, more: Value| {
        let mut metadata = json!({"label": "L", "type": kind});
        metadata.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        metadata
    };
    let picklist = json!({"valueSet": {"restricted": true, "valueSetDefinition": {"sorted": false, "value": [{"fullName": "A", "label": "A", "default": false}]}}});
    for (name, metadata, expected) in [
        ("Account.Good_Text__c", metadata("Text", json!({"length": 20, "externalId": true, "unique": true})), "none"),
        ("Account.Good_Check__c", metadata("Checkbox", json!({"defaultValue": "false"})), "none"),
        ("Account.Good_Pick__c", metadata("Picklist", picklist), "none"),
        (
            "Account.Good_Lookup__c",
            metadata("Lookup", json!({"referenceTo": "Contact", "relationshipName": "Goods", "relationshipLabel": "Goods"})),
            "none",
        ),
        ("Account.Bad__Name__c", metadata("Date", json!({})), "FIELD_INTEGRITY_EXCEPTION"),
        ("Account.1Bad__c", metadata("Date", json!({})), "FIELD_INTEGRITY_EXCEPTION"),
        ("Account.Bad_Length__c", metadata("Text", json!({"length": 256})), "FIELD_INTEGRITY_EXCEPTION"),
        ("Account.Bad_Scale__c", metadata("Number", json!({"precision": 4, "scale": 5})), "FIELD_INTEGRITY_EXCEPTION"),
        ("Account.Bad_Check__c", metadata("Checkbox", json!({"defaultValue": false, "required": false})), "FIELD_INTEGRITY_EXCEPTION"),
        ("Account.Bad_Type__c", metadata("Poem", json!({})), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Nothing.X__c", metadata("Date", json!({})), "INVALID_CROSS_REFERENCE_KEY"),
    ] {
        let told = org.send("POST", "tooling/sobjects/CustomField", json!({"FullName": name, "Metadata": metadata})).await;
        assert_eq!(code(&told).1, expected, "{name}: {}", told.1);
    }
    let ask = |soql: &'static str| {
        let request = org.request("GET", "tooling/query/").query(&[("q", soql)]);
        async move { super::told(request.send().await.unwrap()).await.1["records"].as_array().unwrap().clone() }
    };
    let found = ask("SELECT Id, DeveloperName, TableEnumOrId FROM CustomField WHERE TableEnumOrId = 'Account' AND DeveloperName = 'Good_Text'").await;
    assert_eq!((found.len(), &found[0]["TableEnumOrId"]), (1, &json!("Account")));
    let found = ask("SELECT QualifiedApiName, DataType FROM FieldDefinition WHERE EntityDefinition.QualifiedApiName = 'Account' AND QualifiedApiName = 'Good_Pick__c'").await;
    assert_eq!(found[0]["DataType"], "Picklist");
    assert_eq!(ask("SELECT KeyPrefix FROM EntityDefinition WHERE QualifiedApiName = 'Opportunity'").await[0]["KeyPrefix"], "006");
    for field in ["Good_Text__c", "Good_Check__c", "Good_Pick__c", "Good_Lookup__c"] {
        grant(&org, &format!("Account.{field}")).await;
    }
    let id = org.create("Account", json!({"Name": "Fields", "Good_Text__c": "key"})).await;
    assert_eq!(org.get("sobjects/Account/Good_Text__c/KEY?fields=Id,Good_Check__c").await.1["Good_Check__c"], false);
    let bad = org.send("PATCH", &format!("sobjects/Account/{id}"), json!({"Good_Pick__c": "B"})).await;
    assert_eq!(code(&bad), (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"));
    assert_eq!(
        code(
            &org.send(
                "POST",
                "sobjects/FieldPermissions",
                json!({"ParentId": "0PS5G0000000002QAA", "SobjectType": "Account", "Field": "Account.None__c"})
            )
            .await
        )
        .0,
        400
    );
}
