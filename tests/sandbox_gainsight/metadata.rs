//! Metadata and bulk export.

use serde_json::{Value, json};

use super::{KEY, Tenant};

#[tokio::test]
async fn objects_and_fields_describe_themselves_both_ways() {
    let tenant = Tenant::start().await;
    let list = tenant.ok("GET", "/v1/meta/services/objects/list?po=company&em=false", Value::Null).await;
    let company = list.as_array().unwrap().iter().find(|object| object["objectName"] == "Company").unwrap();
    assert_eq!((&company["objectType"], company["keyPrefix"].as_str().unwrap().len()), (&json!("STANDARD"), 18));
    let described = tenant.ok("GET", "/v1/meta/services/objects/Company/describe?ic=false&cl=0&idd=false&ihc=false&piec=true", Value::Null).await;
    let body = json!({"objectNames": ["Company"], "includeChilds": false, "childLevels": 0, "populatePickListOptions": true});
    assert_eq!(tenant.ok("POST", "/v1/meta/services/objects/describe", body).await, described);
    let field = |name: &str| described[0]["fields"].as_array().unwrap().iter().find(|field| field["fieldName"] == name).unwrap().clone();
    assert_eq!((&field("Arr")["dataType"], &field("Arr")["meta"]["updateable"]), (&json!("CURRENCY"), &json!(true)));
    assert_eq!(field("CurrentScore")["meta"]["readOnly"], true);
    assert_eq!(field("Csm")["meta"]["lookupDetail"]["lookupName"], "Csm__gr");
    assert_eq!(field("Churn_Risk__gc")["meta"]["fieldGroupType"], "CUSTOM");
    let options = tenant.ok("GET", &format!("/v1/meta/services/dropdowns/{}", field("Stage")["categoryId"].as_str().unwrap()), Value::Null).await;
    assert_eq!(options["options"][0]["label"], "Onboarding");
    assert_eq!(field("Stage")["options"][0]["value"], options["options"][0]["id"]);
    let (status, answer) = tenant.call("GET", "/v1/meta/services/objects/Nope/describe", Value::Null).await;
    assert_eq!((status, &answer["title"], &answer["result"]), (400, &json!("OBJECT_NOT_FOUND"), &json!(false)));
}

#[tokio::test]
async fn every_field_of_every_object_can_be_selected_and_is_of_its_type() {
    let tenant = Tenant::start().await;
    let list = tenant.ok("GET", "/v1/meta/services/objects/list", Value::Null).await;
    for object in list.as_array().unwrap() {
        let name = object["objectName"].as_str().unwrap();
        let described = tenant.ok("GET", &format!("/v1/meta/services/objects/{name}/describe"), Value::Null).await;
        let fields = described[0]["fields"].as_array().unwrap();
        let select: Vec<&Value> = fields.iter().map(|field| &field["fieldName"]).collect();
        for row in tenant.query(name, json!({"select": select, "limit": 20})).await {
            for field in fields {
                let value = &row[field["fieldName"].as_str().unwrap()];
                let fits = match field["dataType"].as_str().unwrap() {
                    "NUMBER" | "CURRENCY" | "PERCENTAGE" => value.is_number(),
                    "BOOLEAN" => value.is_boolean(),
                    _ => value.is_string(),
                };
                assert!(fits || value.is_null(), "{name}.{}: {value}", field["fieldName"]);
            }
        }
    }
}

#[tokio::test]
async fn an_export_comes_in_chunks_of_csv() {
    let tenant = Tenant::with(tabi::sandbox::Options { accounts: Some(26_000), people: Some(10), ..Default::default() }).await;
    let submit = "/v3/exports/data/bulk/Company";
    assert_eq!(tenant.refused("POST", submit, json!({"select": []})).await, (400, "GSOBJ_ESS_9104".into()));
    assert_eq!(tenant.refused("POST", submit, json!({"select": ["Nope"]})).await, (400, "GSOBJ_ESS_9150".into()));
    let job = tenant.ok("POST", submit, json!({"select": ["Gsid", "Name", "Arr"]})).await;
    let get = |url: String| async { tenant.client.get(url).header("authentication", KEY).send().await.unwrap() };
    let status: Value = get(job["statusURL"].as_str().unwrap().to_owned()).await.json().await.unwrap();
    let (data, mut rows, mut last) = (&status["data"], 0, String::new());
    assert_eq!((&data["jobStatus"], data["chunkDetails"].as_array().unwrap().len()), (&json!("COMPLETED"), 2), "{status}");
    for chunk in data["chunkDetails"].as_array().unwrap() {
        let text = get(chunk["chunkURL"].as_str().unwrap().to_owned()).await.text().await.unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("Gsid,Name,Arr"));
        for line in lines {
            assert!(line > last.as_str(), "in order, none twice");
            line.clone_into(&mut last);
            rows += 1;
        }
    }
    assert_eq!(data["totalRecords"], rows);
}
