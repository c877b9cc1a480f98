//! Inserting, updating, deleting; scores; people.

use serde_json::{Value, json};
use tabi::sandbox::Options;

use super::Tenant;

const COMPANY: &str = "/v1/data/objects/Company";
const SCORES: &str = "/v1/data/objects/measure_scores__gc";
const USAGE: &str = "/v1/data/objects/usage_data__gc";
const PEOPLE: &str = "/v1/peoplemgmt/v1.0/people";

#[tokio::test]
async fn rows_are_inserted_updated_by_keys_and_deleted() {
    let tenant = Tenant::start().await;
    let gsid = tenant.company().await["Gsid"].clone();
    let records = json!({"records": [
        {"CompanyId__gc": gsid, "Date__gc": "2026-06-01", "Level__gc": "ACCOUNTLEVEL", "Active_Users__gc": 12, "Sign_In_Frequency__gc": 0.5},
        {"CompanyId__gc": gsid, "Date__gc": "2026-06-08", "Level__gc": "ACCOUNTLEVEL", "Active_Users__gc": 14},
    ]});
    let data = tenant.ok("POST", USAGE, records).await;
    assert_eq!((&data["count"], &data["errors"]), (&json!(2), &json!(null)));
    let ids: Vec<&str> = data["records"].as_array().unwrap().iter().map(|row| row["Gsid"].as_str().unwrap()).collect();
    assert!(ids.iter().all(|id| id.len() == 36 && id.starts_with("1Z03")) && ids[0] < ids[1]);

    let update = json!({"records": [{"CompanyId__gc": gsid, "Level__gc": "ACCOUNTLEVEL", "Page_Views__gc": 7}]});
    let data = tenant.ok("PUT", &format!("{USAGE}?keys=CompanyId__gc,Level__gc"), update).await;
    assert_eq!(data["count"], 2, "count counts rows");
    assert_eq!((&data["records"][0]["Gsid"], &data["records"][0]["Page_Views__gc"]), (&json!(ids[0]), &json!(7)));

    let select = ["Active_Users__gc", "Page_Views__gc", "Sign_In_Frequency__gc", "Date__gc"];
    let rows = tenant.find("usage_data__gc", &select, "CompanyId__gc", "EQ", json!([gsid])).await;
    assert_eq!(rows[0], json!({"Active_Users__gc": 12, "Page_Views__gc": 7, "Sign_In_Frequency__gc": 0.5, "Date__gc": "2026-06-01"}));

    let text = tenant.ok("DELETE", &format!("{USAGE}/{}", ids[0]), Value::Null).await;
    assert_eq!(text, format!("Record with GSID: {} successfully deleted.", ids[0]));
    assert_eq!(tenant.find("usage_data__gc", &["Gsid"], "CompanyId__gc", "EQ", json!([gsid])).await, [json!({"Gsid": ids[1]})]);
    for log in ["record_delete_log", "record_delete_log_high_volume"] {
        let rows = tenant.query(log, json!({"select": ["RecordId", "ObjectName"]})).await;
        assert_eq!(rows, [json!({"RecordId": ids[0], "ObjectName": "usage_data__gc"})]);
    }
    assert_eq!(tenant.refused("DELETE", &format!("{USAGE}/{}", ids[0]), Value::Null).await, (400, "GSOBJ_1004".into()));
}

#[tokio::test]
async fn one_bad_value_rejects_the_whole_call_and_says_where() {
    let tenant = Tenant::start().await;
    let (status, answer) =
        tenant.call("POST", COMPANY, json!({"records": [{"Name": "Good"}, {"Name": "Bad", "RenewalDate": "31-31-2024", "Employees": "many"}]})).await;
    assert_eq!((status, &answer["result"], &answer["errorCode"]), (400, &json!(false), &json!("GSOBJ_1006")));
    assert_eq!((&answer["data"]["count"], &answer["data"]["records"]), (&json!(0), &json!(null)));
    let errors = &answer["data"]["errors"][0][0];
    assert_eq!((&errors["success"], errors["errors"].as_array().unwrap().len()), (&json!(false), 2));
    assert_eq!((&errors["errors"][0]["fieldName"], &errors["errors"][0]["invalidValue"]), (&json!("RenewalDate"), &json!("31-31-2024")));
    assert_eq!(tenant.find("Company", &["Gsid"], "Name", "EQ", json!(["Good"])).await, [json!(null); 0], "nothing was inserted");

    let long = "x".repeat(300);
    for (record, code) in [
        (json!({"Employees": 3}), "GSOBJ_1007"),
        (json!({"Name": null}), "GSOBJ_1007"),
        (json!({"Name": long}), "GSOBJ_1001"),
        (json!({"Name": "a", "Nope": 1}), "GSOBJ_1002"),
        (json!({"Name": "a", "Csm": "1P01NOBODY"}), "GSOBJ_1004"),
        (json!({"Name": "a", "CurrentScore": 5}), "GSOBJ_1008"),
        (json!({"Name": "a", "Stage": "Nowhere"}), "GSOBJ_1008"),
        (json!({"Name": "a", "Tags": "Nothing"}), "GSOBJ_1008"),
        // A choice goes by its id, not by its label.
        (json!({"Name": "a", "Stage": "Onboarding"}), "GSOBJ_1008"),
        (json!({"Name": "a", "Tags": "Beta"}), "GSOBJ_1008"),
        (json!({"Name": "a", "Arr": true}), "GSOBJ_1008"),
        (json!({"Name": "a", "Arr": 1e300}), "GSOBJ_1008"),
    ] {
        assert_eq!(tenant.refused("POST", COMPANY, json!({"records": [record]})).await, (400, code.into()), "{record}");
    }
    let many: Vec<Value> = (0..51).map(|n| json!({"Name": format!("{n}")})).collect();
    assert_eq!(tenant.refused("POST", COMPANY, json!({"records": many})).await.0, 400);
    assert_eq!(tenant.refused("POST", "/v1/data/objects/Person", json!({"records": [{"Email": "a@b.co"}]})).await, (400, "GSOBJ_1008".into()));
}

#[tokio::test]
async fn updates_need_keys_of_the_right_type_that_match_something() {
    let tenant = Tenant::start().await;
    let record = json!({"records": [{"Name": "Nobody Inc", "Employees": 5}]});
    assert_eq!(tenant.refused("PUT", COMPANY, record.clone()).await, (400, "GSOBJ_1008".into()));
    assert_eq!(tenant.refused("PUT", &format!("{COMPANY}?keys=RenewalDate"), record.clone()).await, (400, "GSOBJ_1008".into()));
    assert_eq!(tenant.refused("PUT", &format!("{COMPANY}?keys=Nope"), record.clone()).await, (400, "GSOBJ_1002".into()));
    assert_eq!(tenant.refused("PUT", &format!("{COMPANY}?keys=Gsid"), record.clone()).await, (400, "GSOBJ_1004".into()));
    assert_eq!(tenant.refused("PUT", &format!("{COMPANY}?keys=Name"), record).await, (400, "GSOBJ_1011".into()));
    let company = tenant.company().await;
    let half = json!({"records": [{"Gsid": company["Gsid"], "Employees": 5}, {"Gsid": "1P02GONE", "Employees": 5}]});
    assert_eq!(tenant.refused("PUT", &format!("{COMPANY}?keys=Gsid"), half).await, (400, "GSOBJ_1004".into()));
    assert_ne!(tenant.find("Company", &["Employees"], "Gsid", "EQ", json!([company["Gsid"]])).await[0]["Employees"], 5, "nothing was written");
}

#[tokio::test]
async fn lookups_name_rows_of_other_objects_by_their_fields() {
    let tenant = Tenant::start().await;
    let user = tenant.query("gsuser", json!({"select": ["Gsid", "Email"], "limit": 1})).await.remove(0);
    let body = |email: Value, no_match: &str| {
        let lookup = json!({"fields": {"CSMEmail": "Email"}, "lookupField": "Gsid", "objectName": "gsuser",
            "multiMatchOption": "FIRSTMATCH", "onNoMatch": no_match, "defaultValue": user["Gsid"]});
        json!({"records": [{"Name": format!("Looked up {no_match}"), "CSMEmail": email}], "lookups": {"Csm": lookup}})
    };
    let created = |data: Value| data["records"][0]["Gsid"].clone();
    let found = created(tenant.ok("POST", COMPANY, body(user["Email"].clone(), "ERROR")).await);
    let none = created(tenant.ok("POST", COMPANY, body(json!("no@body.example"), "NULLABLE")).await);
    let default = created(tenant.ok("POST", COMPANY, body(json!("no@body.example"), "DEFAULTVALUE")).await);
    assert_eq!(tenant.refused("POST", COMPANY, body(json!("no@body.example"), "ERROR")).await, (400, "GSOBJ_1008".into()));
    let rows = tenant.find("Company", &["Csm"], "Gsid", "IN", json!([found, none, default])).await;
    let managers: Vec<&Value> = rows.iter().map(|row| &row["Csm"]).collect();
    assert_eq!(managers, [&user["Gsid"], &Value::Null, &user["Gsid"]]);

    let twins = json!({"records": [{"Name": "Twin"}, {"Name": "Twin"}]});
    tenant.ok("POST", COMPANY, twins).await;
    let parent = json!({"ParentCompany": {"fields": {"Parent": "Name"}, "objectName": "Company", "multiMatchOption": "MARKASERROR"}});
    let child = json!({"records": [{"Name": "Child", "Parent": "Twin"}], "lookups": parent});
    assert_eq!(tenant.refused("POST", COMPANY, child).await, (400, "GSOBJ_1008".into()));
}

#[tokio::test]
async fn current_score_is_the_mean_of_the_companys_measure_scores() {
    let tenant = Tenant::start().await;
    let company = tenant.company().await;
    let (gsid, seeded) = (company["Gsid"].clone(), company["CurrentScore"].clone());
    let current = || async { tenant.find("Company", &["CurrentScore"], "Gsid", "EQ", json!([gsid])).await[0]["CurrentScore"].clone() };
    let row = |measure: &str, score: Value| json!({"CompanyId__gc": gsid, "Measure__gc": measure, "Score__gc": score, "Date__gc": "2026-06-15"});
    let both = json!({"records": [row("Product usage", json!(100)), row("Support", json!(45))]});
    let ids = tenant.ok("POST", SCORES, both).await["records"].clone();
    assert_eq!(current().await, 73);
    tenant.ok("PUT", &format!("{SCORES}?keys=Gsid"), json!({"records": [{"Gsid": ids[1]["Gsid"], "Score__gc": 20.5}]})).await;
    assert_eq!(current().await, 60);
    for id in [&ids[0], &ids[1]] {
        tenant.ok("DELETE", &format!("{SCORES}/{}", id["Gsid"].as_str().unwrap()), Value::Null).await;
    }
    assert_eq!(current().await, seeded, "without rows the seeded score holds again");
}

#[tokio::test]
async fn people_are_made_or_changed_by_their_email() {
    let tenant = Tenant::start().await;
    let company = tenant.company().await["Gsid"].clone();
    let person =
        json!({"Email": "Ada@New.example", "FirstName": "Ada", "companies": [{"Company_ID": company, "Title": "VP", "IsPrimaryCompany": true}]});
    let made = tenant.ok("PUT", PEOPLE, person).await;
    assert!(made["Gsid"].as_str().unwrap().starts_with("1P03") && made["companies"][0]["Company_ID"] == company);
    let changed = tenant.ok(
        "PUT",
        "/v1.0/api/people",
        json!({"Email": "ada@new.example", "LastName": "L", "companies": [{"Company_ID": company, "Title": "CEO"}]}),
    );
    let changed = changed.await;
    assert_eq!((&changed["Gsid"], &changed["FirstName"], &changed["LastName"]), (&made["Gsid"], &json!("Ada"), &json!("L")));
    let joins = tenant.find("Company_Person", &["Title", "Company_ID"], "Person_ID", "EQ", json!([made["Gsid"]])).await;
    assert_eq!(joins, [json!({"Title": "CEO", "Company_ID": company})]);

    let seeded = tenant.query("Person", json!({"select": ["Gsid", "Email"], "limit": 1})).await.remove(0);
    let changed = tenant.ok("PUT", PEOPLE, json!({"Email": seeded["Email"], "Location": "Oslo"})).await;
    assert_eq!((&changed["Gsid"], &changed["Location"]), (&seeded["Gsid"], &json!("Oslo")));

    for (person, code) in [
        (json!({"FirstName": "No"}), "GSOBJ_PEOPLE1001"),
        (json!({"Email": "nobody"}), "GSOBJ_VDTEMAIL1001"),
        (json!({"Email": "a@b.co", "IsActive": "yes"}), "GSOBJ_VDTBOOL1001"),
        (json!({"Email": "a@b.co", "companies": [{"Company_ID": "1P02NONE"}]}), "GSOBJ_VDTGSID1001"),
        (json!({"Email": "a@b.co", "FirstName": "x".repeat(300)}), "GSOBJ_VDTBSTR1001"),
    ] {
        assert_eq!(tenant.refused("PUT", PEOPLE, person.clone()).await, (400, code.into()), "{person}");
    }
    let batch = json!({"records": [{"Email": "one@new.example"}, {"Email": "bad"}]});
    let status = tenant.ok("PUT", &format!("{PEOPLE}/async"), batch).await["statusId"].as_str().unwrap().to_owned();
    let status = tenant.ok("GET", &format!("{PEOPLE}/async/{status}"), Value::Null).await;
    assert_eq!(
        (&status["status"], status["success"].as_array().unwrap().len(), &status["failure"][0]["Email"]),
        (&json!("COMPLETED"), 1, &json!("bad"))
    );
}

#[tokio::test]
async fn what_was_written_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { folder: Some(folder.path().to_owned()), ..Options::default() };
    let tenant = Tenant::with(options()).await;
    let first = tenant.ok("POST", COMPANY, json!({"records": [{"Name": "Kept", "SfdcAccountId": "001KEPT"}]})).await["records"][0]["Gsid"].clone();
    tenant.sandbox.stop().await;
    let tenant = Tenant::with(options()).await;
    assert_eq!(tenant.find("Company", &["Gsid"], "SfdcAccountId", "EQ", json!(["001KEPT"])).await, [json!({"Gsid": first})]);
    let second = tenant.ok("POST", COMPANY, json!({"records": [{"Name": "Next"}]})).await["records"][0]["Gsid"].clone();
    assert!(second.as_str() > first.as_str(), "ids go on where they were");
}
