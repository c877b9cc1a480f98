//! Several records and several calls in one.

use serde_json::{Value, json};

use super::{Org, V, code};

fn account(name: &str) -> Value {
    json!({"attributes": {"type": "Account"}, "Name": name})
}

#[tokio::test]
async fn collections_answer_for_each_record_in_order() {
    let org = Org::start().await;
    let records = json!([account("A"), {"attributes": {"type": "Contact"}, "FirstName": "x"}, {"attributes": {"type": "Nothing"}}, account("B")]);
    let (status, told) = org.send("POST", "composite/sobjects", json!({"allOrNone": false, "records": records})).await;
    assert_eq!(status, 200);
    let told = told.as_array().unwrap();
    assert_eq!(told.iter().map(|item| item["success"].as_bool().unwrap()).collect::<Vec<_>>(), [true, false, false, true]);
    assert_eq!(
        told[1],
        json!({"success": false, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING", "message": "Required fields are missing: [LastName]", "fields": ["LastName"]}]})
    );
    assert_eq!(told[2]["errors"][0]["statusCode"], "INVALID_TYPE");
    let (a, b) = (told[0]["id"].as_str().unwrap(), told[3]["id"].as_str().unwrap());

    let change = |id: &str, value: Value| json!({"attributes": {"type": "Account"}, "Id": id, "NumberOfEmployees": value});
    let records =
        json!([change(a, json!(5)), change(b, json!("many")), change("0015G00100ZZZZZ", json!(1)), change("003", json!(1)), account("no id")]);
    let (_, told) = org.send("PATCH", "composite/sobjects", json!({"records": records})).await;
    let codes: Vec<_> = told.as_array().unwrap().iter().map(|item| item["errors"][0]["statusCode"].as_str().unwrap_or("fine")).collect();
    assert_eq!(codes, ["fine", "JSON_PARSER_ERROR", "INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID", "MISSING_ARGUMENT"]);

    let all = json!({"allOrNone": true, "records": [change(a, json!(77)), change(b, json!("many"))]});
    let (status, told) = org.send("PATCH", "composite/sobjects", all).await;
    assert_eq!((status, &told[0]["errors"][0]["statusCode"]), (200, &json!("ALL_OR_NONE_OPERATION_ROLLED_BACK")));
    let (_, read) = org.get(&format!("composite/sobjects/Account?ids={a},{b},0015G00100ZZZZZ&fields=Id,NumberOfEmployees")).await;
    assert_eq!((&read[0]["NumberOfEmployees"], &read[1]["NumberOfEmployees"], &read[2]), (&json!(5), &Value::Null, &Value::Null));
    assert_eq!(code(&org.send("POST", "composite/sobjects/Account", json!({"ids": [a], "fields": ["Foo"]})).await), (400, "INVALID_FIELD"));

    let (_, told) = org.send("DELETE", &format!("composite/sobjects?ids={a},{a},{b}&allOrNone=false"), Value::Null).await;
    assert_eq!(
        (&told[0]["success"], &told[1]["errors"][0]["statusCode"], &told[2]["success"]),
        (&json!(true), &json!("ENTITY_IS_DELETED"), &json!(true))
    );
    let many: Vec<Value> = (0..201).map(|_| account("x")).collect();
    assert_eq!(code(&org.send("POST", "composite/sobjects", json!({"records": many})).await), (400, "EXCEEDED_ID_LIMIT"));
    assert_eq!(code(&org.send("POST", "composite/sobjects", json!({"records": []})).await), (400, "REQUIRED_FIELD_MISSING"));
}

#[tokio::test]
async fn collections_upsert_by_a_key_or_by_id() {
    let org = Org::start().await;
    let row = |key: &str, name: &str| json!({"attributes": {"type": "Account"}, "Pendo_Account_Key__c": key, "Name": name});
    let path = "composite/sobjects/Account/Pendo_Account_Key__c";
    let (_, told) =
        org.send("PATCH", path, json!({"records": [row("u1", "One"), row("ACC-0000001", "Seeded"), row("", "None"), row("u1", "Again")]})).await;
    let created: Vec<_> = told.as_array().unwrap().iter().map(|item| item["created"].as_bool()).collect();
    assert_eq!(created, [Some(true), Some(false), None, Some(false)]);
    assert_eq!(told[2]["errors"][0]["statusCode"], "MISSING_ARGUMENT");
    assert_eq!(
        org.column("Name", "SELECT Name FROM Account WHERE Pendo_Account_Key__c IN ('u1', 'ACC-0000001') ORDER BY Name").await,
        ["Again", "Seeded"]
    );
    let id = told[0]["id"].clone();
    let (_, told) = org
        .send(
            "PATCH",
            "composite/sobjects/Account/Id",
            json!({"records": [{"attributes": {"type": "Account"}, "Id": id, "Name": "Third"}, account("New")]}),
        )
        .await;
    assert_eq!((&told[0]["created"], &told[1]["created"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn composite_calls_refer_to_each_other_and_undo_together() {
    let org = Org::start().await;
    let call = |method: &str, url: &str, reference: &str, body: Value| json!({"method": method, "url": format!("{V}/{url}"), "referenceId": reference, "body": body});
    let body = json!({"allOrNone": false, "compositeRequest": [
        call("POST", "sobjects/Account", "acc", json!({"Name": "Joined"})),
        call("POST", "sobjects/Contact", "con", json!({"LastName": "L", "AccountId": "@{acc.id}"})),
        call("GET", "query?q=SELECT+Id,AccountId+FROM+Contact+WHERE+Id='@{con.id}'", "found", Value::Null),
        call("GET", "sobjects/Account/@{found.records[0].AccountId}?fields=Name", "chk", Value::Null),
        call("PATCH", "sobjects/Account/@{acc.id}", "bad", json!({"Foo": 1})),
        call("GET", "sobjects/Account/@{bad.id}", "after", Value::Null),
    ]});
    let (status, told) = org.send("POST", "composite", body).await;
    let parts = told["compositeResponse"].as_array().unwrap();
    let statuses: Vec<_> = parts.iter().map(|part| part["httpStatusCode"].as_u64().unwrap()).collect();
    assert_eq!((status, statuses), (200, vec![201, 201, 200, 200, 400, 400]));
    assert_eq!((&parts[3]["body"]["Name"], &parts[5]["body"][0]["errorCode"]), (&json!("Joined"), &json!("PROCESSING_HALTED")));
    assert!(parts[0]["httpHeaders"]["Location"].is_string());

    let body = json!({"allOrNone": true, "compositeRequest": [
        call("POST", "sobjects/Account", "acc", json!({"Name": "Undone"})),
        call("POST", "sobjects/Contact", "con", json!({"FirstName": "no last name"})),
        call("GET", "limits", "lim", Value::Null),
    ]});
    let (_, told) = org.send("POST", "composite", body).await;
    let codes: Vec<_> =
        told["compositeResponse"].as_array().unwrap().iter().map(|part| part["body"][0]["errorCode"].as_str().unwrap_or("fine")).collect();
    assert_eq!(codes, ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]);
    assert_eq!(org.query("SELECT COUNT() FROM Account WHERE Name = 'Undone'").await.1["totalSize"], 0);
    let graph = json!({"graphs": [{"graphId": "1", "compositeRequest": [call("POST", "sobjects/Account", "a", json!({"Name": "Graph"}))]}]});
    assert_eq!(org.send("POST", "composite/graph", graph).await.1["graphs"][0]["isSuccessful"], true);
    assert_eq!(org.send("POST", "composite", json!({})).await.0, 400);
}

#[tokio::test]
async fn long_queries_go_through_composite() {
    let org = Org::start().await;
    let ids: Vec<String> = org.column("Id", "SELECT Id FROM Contact").await;
    let asking = |ids: &[String]| format!("SELECT Id FROM Contact WHERE Id IN ('{}')", ids.join("','"));
    let soql = asking(&ids);
    let direct = org.request("GET", "query").query(&[("q", &asking(&ids[..1000]))]).send().await.unwrap();
    assert_eq!(direct.status(), 414);
    assert!(direct.text().await.unwrap().contains("URI Too Long"));
    let url = format!("{V}/query?q={}", soql.replace(' ', "+").replace('\'', "%27"));
    let body = json!({"compositeRequest": [{"method": "GET", "url": url, "referenceId": "q"}]});
    let (_, told) = org.send("POST", "composite", body).await;
    assert_eq!(told["compositeResponse"][0]["body"]["totalSize"], 2000, "{}", told["compositeResponse"][0]["httpStatusCode"]);
}

#[tokio::test]
async fn batches_and_trees() {
    let org = Org::start().await;
    let batch = json!({"haltOnError": true, "batchRequests": [
        {"method": "POST", "url": "v68.0/sobjects/Account", "richInput": {"Name": "Batched"}},
        {"method": "GET", "url": "v68.0/sobjects/Account/nonsense"},
        {"method": "GET", "url": "v68.0/limits"},
    ]});
    let (_, told) = org.send("POST", "composite/batch", batch).await;
    let statuses: Vec<_> = told["results"].as_array().unwrap().iter().map(|part| part["statusCode"].as_u64().unwrap()).collect();
    assert_eq!((&told["hasErrors"], statuses), (&json!(true), vec![201, 404, 412]));
    let tree = |last: Value| {
        json!({"records": [{"attributes": {"type": "Account", "referenceId": "r1"}, "Name": "Tree", "Contacts": {"records": [
        {"attributes": {"type": "Contact", "referenceId": "r2"}, "LastName": last}]}}]})
    };
    let (status, told) = org.send("POST", "composite/tree/Account", tree(json!("Leaf"))).await;
    assert_eq!((status, &told["results"][1]["referenceId"]), (201, &json!("r2")));
    assert_eq!(org.column("LastName", "SELECT LastName FROM Contact WHERE Account.Name = 'Tree'").await, ["Leaf"]);
    let (status, told) = org.send("POST", "composite/tree/Account", tree(Value::Null)).await;
    assert_eq!((status, &told["results"][0]["errors"][0]["statusCode"]), (400, &json!("REQUIRED_FIELD_MISSING")));
    assert_eq!(org.query("SELECT COUNT() FROM Account WHERE Name = 'Tree'").await.1["totalSize"], 1);
}

#[tokio::test]
async fn locked_rows_fail_alone() {
    let org = Org::with(tabi::sandbox::Options { faults: "salesforce:lock@0.3".to_owned(), ..tabi::sandbox::Options::default() }).await;
    let records: Vec<Value> = (0..100).map(|i| account(&format!("Lock {i}"))).collect();
    let (_, told) = org.send("POST", "composite/sobjects", json!({"records": records})).await;
    let locked = told.as_array().unwrap().iter().filter(|item| item["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW").count();
    assert!((10..60).contains(&locked), "{locked}");
    assert_eq!(org.query("SELECT COUNT() FROM Account WHERE Name LIKE 'Lock %'").await.1["totalSize"], 100 - locked);
}
