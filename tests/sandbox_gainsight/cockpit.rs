//! Calls to action, tasks, timeline, users.

use serde_json::{Value, json};

use super::Tenant;

const CTA: &str = "/v2/cockpit/cta/";
const ACTIVITY: &str = "/v1/ant/es/activity";

fn cta(reference: &str, more: &Value) -> Value {
    let mut record = json!({"referenceId": reference, "Name": "Usage fell", "type": "Risk", "reason": "Usage Drop", "DueDate": "2026-07-01"});
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"record": record})
}

#[tokio::test]
async fn calls_to_action_succeed_or_fail_each_by_itself() {
    let tenant = Tenant::start().await;
    let company = tenant.company().await;
    let owner = tenant.query("gsuser", json!({"select": ["Gsid", "Email"], "limit": 1})).await.remove(0);
    let requests = json!({"requests": [
        cta("1", &json!({"CompanyId": company["Gsid"], "OwnerEmail": owner["Email"], "priority": "high", "status": "New", "playbook": "Save"})),
        cta("2", &json!({"CompanyId": "1P02NOBODY"})),
        cta("3", &json!({"SFDCID": company["SfdcAccountId"], "reason": "A reason of our own"})),
        cta("4", &json!({"CompanyId": company["Gsid"], "type": "Nonsense"})),
        cta("5", &json!({"CompanyId": company["Gsid"], "playbook": "Nonsense"})),
    ]});
    let data = tenant.ok("POST", CTA, requests).await;
    let references =
        |list: &Value| list.as_array().unwrap().iter().map(|one| one.as_object().unwrap().keys().next().unwrap().clone()).collect::<Vec<_>>();
    assert_eq!(
        (references(&data["success"]), references(&data["failure"])),
        (vec!["1".into(), "3".into()], vec!["2".into(), "4".into(), "5".into()])
    );
    let id = data["success"][0]["1"].clone();

    let list = json!({
        "select": ["Gsid", "CompanyId__gr.Name", "TypeId__gr.Name", "StatusId__gr.Name", "PriorityId__gr.Name", "OwnerId", "DueDate", "IsClosed", "associatedRecords"],
        "where": {"conditions": [{"fieldName": "CompanyId", "value": [company["Gsid"]], "alias": "A", "operator": "EQ"},
                                 {"fieldName": "ReasonId__gr.Name", "value": ["own"], "alias": "B", "operator": "DOES_NOT_CONTAINS"}], "expression": "A AND B"},
        "linkedObject": false, "pageSize": 1000, "pageNumber": 1});
    let rows = tenant.ok("POST", "/v2/cockpit/cta/list", list.clone()).await;
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!((&rows[0]["Gsid"], &rows[0]["CompanyId__gr.Name"], &rows[0]["OwnerId"]), (&id, &company["Name"], &owner["Gsid"]));
    assert_eq!(
        (&rows[0]["PriorityId__gr.Name"], &rows[0]["StatusId__gr.Name"], &rows[0]["IsClosed"]),
        (&json!("High"), &json!("New"), &json!(false))
    );
    let mut second = list;
    second["pageNumber"] = json!(2);
    assert_eq!(tenant.ok("POST", "/v2/cockpit/cta/list", second).await, json!([]));
    let tasks = tenant.find("cs_task", &["Name", "DueDate"], "CtaId", "EQ", json!([id])).await;
    assert_eq!((tasks.len(), &tasks[0]["DueDate"]), (3, &json!("2026-07-01")));

    let update = json!({"requests": [{"record": {"referenceId": "9", "Gsid": id, "DueDate": "2026-08-01"}, "options": {"cascadeDueDate": "ALL_OPEN_TASKS"}},
                                     {"record": {"referenceId": "10", "Gsid": data["success"][1]["3"], "status": "Closed Success"}}]});
    let data = tenant.ok("PUT", CTA, update).await;
    assert_eq!(data["failure"], json!([]));
    let both = tenant.query("cs_cta", json!({"select": ["DueDate", "IsClosed", "ClosedDate"]})).await;
    assert_eq!((&both[0]["DueDate"], &both[0]["IsClosed"], &both[1]["IsClosed"]), (&json!("2026-08-01"), &json!(false), &json!(true)));
    assert!(both[1]["ClosedDate"].is_string());
    let tasks = tenant.ok("POST", "/v2/cockpit/task/list", json!({"select": ["DueDate"], "where": {}})).await;
    assert!(tasks.as_array().unwrap().iter().all(|task| task["DueDate"] == "2026-08-01"));
}

#[tokio::test]
async fn a_wrong_field_in_a_list_of_calls_to_action_is_refused_with_200() {
    let tenant = Tenant::start().await;
    let (status, answer) = tenant.call("POST", "/v2/cockpit/cta/list", json!({"select": ["Nope"]})).await;
    assert_eq!((status, &answer["result"], &answer["errorCode"], &answer["data"]), (200, &json!(false), &json!("COCKPIT_5101"), &json!({})));
    assert_eq!(answer["errorDesc"], "Invalid fields in select clause - Nope");
}

#[tokio::test]
async fn choices_of_calls_to_action_are_listed() {
    let tenant = Tenant::start().await;
    let data = tenant.ok("GET", "/v2/cockpit/admin/picklist/lite?category=CTA_STATUS,CTA_PRIORITY&et=COMPANY", Value::Null).await;
    let names = |category: &str| data[category].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(names("CTA_PRIORITY"), ["High", "Medium", "Low"]);
    assert!(names("CTA_STATUS").contains(&"Closed Lost".to_owned()));
}

#[tokio::test]
async fn activities_are_kept_under_their_external_ids() {
    let tenant = Tenant::start().await;
    let company = tenant.company().await;
    let author = tenant.query("gsuser", json!({"select": ["Email"], "limit": 1})).await.remove(0)["Email"].clone();
    let record = |id: &str, more: Value| {
        let mut record = json!({"ExternalId": id, "ContextName": "Company", "Author": author, "TypeName": "Update", "Subject": "Hello",
            "Notes": "<p>Hi</p>", "ActivityDate": "2026-01-01T10:00:00.000Z"});
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        record
    };
    let mut bare = record("e4", json!({"GsCompanyId": company["Gsid"]}));
    bare.as_object_mut().unwrap().remove("Subject");
    let records = json!({"records": [
        record("e1", json!({"GsCompanyId": company["Gsid"]})),
        record("e2", json!({"companyName": company["Name"]})),
        record("e1", json!({"GsCompanyId": company["Gsid"]})),
        record("e3", json!({"GsCompanyId": "1P02NOBODY"})),
        bare,
    ]});
    let answer = tenant.call("POST", ACTIVITY, records).await.1;
    let code = |id: &str| answer["data"]["failures"][id][0]["errorCode"].clone();
    assert!(answer["data"]["success"]["e2"][0]["activityId"].is_string(), "{answer}");
    assert_eq!((code("e1"), code("e3"), code("e4")), (json!("GS_TL_10_0207"), json!("GS_TL_10_0213"), json!("GS_TL_10_0206")));
    let rows = tenant.find("activity_timeline", &["ExternalId", "Subject", "LastModifiedDate"], "GsCompanyId", "EQ", json!([company["Gsid"]])).await;
    assert_eq!((rows.len(), &rows[0]["Subject"]), (2, &json!("Hello")));
    let job = tenant.ok("POST", "/v1/ant/es/activity/bulk", json!({"records": [record("e9", json!({"GsCompanyId": company["Gsid"]}))]})).await;
    let status = tenant.ok("GET", &format!("/v1/ant/es/job/status/{}", job["jobId"].as_str().unwrap()), Value::Null).await;
    assert_eq!(status["status"], "COMPLETED");
}

#[tokio::test]
async fn an_activity_is_updated_by_what_identifies_it() {
    let tenant = Tenant::start().await;
    let company = tenant.company().await;
    let author = tenant.query("gsuser", json!({"select": ["Email"], "limit": 1})).await.remove(0)["Email"].clone();
    let record = json!({"ExternalId": "e1", "ContextName": "Company", "GsCompanyId": company["Gsid"], "Author": author, "TypeName": "Update",
        "Subject": "Hello", "Notes": "n", "ActivityDate": "2026-01-01T10:00:00.000Z"});
    tenant.call("POST", ACTIVITY, json!({"records": [record]})).await;
    let id = tenant.find("activity_timeline", &["Gsid"], "ExternalId", "EQ", json!(["e1"])).await[0]["Gsid"].clone();
    let put = |identifier: &str, record: Value| {
        let path = format!("{ACTIVITY}?identifier={identifier}");
        let tenant = &tenant;
        async move { tenant.call("PUT", &path, json!({"records": [record]})).await.1 }
    };
    let changed = put("externalid", json!({"ExternalId": "e1", "Subject": "Second"})).await;
    assert!(changed["data"]["success"]["e1"].is_array(), "{changed}");
    let changed = put("gsid", json!({"Gsid": id, "Notes": "m"})).await;
    assert!(changed["data"]["success"][id.as_str().unwrap()].is_array(), "{changed}");
    for (identifier, record) in [
        ("gsid", json!({"Gsid": "1I01NONE", "Notes": "x"})),
        ("gsid", json!({"Gsid": id, "Notes": ""})),
        ("gsid", json!({"Gsid": id, "ContextName": "CTA"})),
        ("gsid", json!({"Gsid": id, "Nothing": "x"})),
        ("gsid", json!({"Gsid": id, "Author": "nobody@nowhere.example"})),
        ("gsid", json!({"Gsid": id, "Subject": "x".repeat(256)})),
    ] {
        let refused = put(identifier, record.clone()).await;
        assert_eq!(refused["data"]["failures"].as_object().unwrap().len(), 1, "{record}: {refused}");
    }
    let rows = tenant.find("activity_timeline", &["Subject", "Notes"], "ExternalId", "EQ", json!(["e1"])).await;
    assert_eq!((rows.len(), &rows[0]["Subject"], &rows[0]["Notes"]), (1, &json!("Second"), &json!("m")));
}

#[tokio::test]
async fn success_plans_succeed_or_fail_each_by_itself() {
    let tenant = Tenant::start().await;
    let company = tenant.company().await;
    let owner = tenant.query("gsuser", json!({"select": ["Gsid", "Email"], "limit": 1})).await.remove(0);
    let plan = |reference: &str, more: Value| {
        let mut record = json!({"referenceId": reference, "Name": "Start", "CompanyId": company["Gsid"], "OwnerEmail": owner["Email"],
            "DueDate": "2026-07-01", "SuccessPlanType": "Onboarding", "status": "Draft"});
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"record": record})
    };
    let requests = json!({"requests": [
        plan("1", json!({"Templates": ["Onboarding Template"]})),
        plan("2", json!({"Templates": ["Adoption Template"]})),
        plan("3", json!({"SuccessPlanType": "Nothing"})),
        plan("4", json!({"CompanyId": "1P02NOBODY"})),
        plan("5", json!({"OwnerEmail": null})),
    ]});
    let data = tenant.ok("POST", "/v2/successPlan/", requests).await;
    assert_eq!((data["success"].as_array().unwrap().len(), data["failure"].as_array().unwrap().len()), (1, 4), "{data}");
    let id = data["success"][0]["1"].clone();
    let update = json!({"requests": [{"record": {"referenceId": "1", "Gsid": id, "status": "Active"}},
        {"record": {"referenceId": "2", "Gsid": id, "SuccessPlanType": "Renewal"}}, {"record": {"referenceId": "3", "status": "Active"}}]});
    let data = tenant.ok("PUT", "/v2/successPlan/", update).await;
    assert_eq!((data["success"].as_array().unwrap().len(), data["failure"].as_array().unwrap().len()), (1, 2), "{data}");
    let list = json!({"select": ["Gsid", "Name", "TypeName", "StatusName", "OwnerId__gr.Email", "DueDate"],
        "where": {"conditions": [{"fieldName": "TypeName", "value": ["Onboarding"], "alias": "A", "operator": "EQ"}], "expression": "A"},
        "pageSize": 100, "pageNumber": 1});
    let rows = tenant.ok("POST", "/v2/successPlan/list/", list).await;
    let expected = json!([{"Gsid": id, "Name": "Start", "TypeName": "Onboarding", "StatusName": "Active", "OwnerId__gr.Email": owner["Email"],
        "DueDate": rows[0]["DueDate"]}]);
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn users_are_listed_from_page_0() {
    let tenant = Tenant::start().await;
    let body = |page: u64| json!({"includeTotal": true, "limit": 3, "page": page, "select": ["Gsid", "Email"], "orderBy": {"Email": "asc"}});
    let (first, second) = (tenant.ok("POST", "/v1/users/services/list", body(0)).await, tenant.ok("POST", "/v1/users/services/list", body(1)).await);
    let emails: Vec<String> = [&first, &second]
        .iter()
        .flat_map(|page| page["records"].as_array().unwrap().clone())
        .map(|user| user["Email"].as_str().unwrap().to_owned())
        .collect();
    assert!(emails.len() == 6 && emails.is_sorted() && first["totalCount"].as_u64().unwrap() >= 6, "{first}");
}
