//! Bulk API 2.0: ingest and query jobs.

use serde_json::{Value, json};

use super::{Org, code};

async fn open(org: &Org, job: Value) -> String {
    let (status, told) = org.send("POST", "jobs/ingest", job).await;
    assert_eq!((status, told["state"].as_str()), (200, Some("Open")), "{told}");
    assert!(told["apiVersion"].is_f64() && told["contentUrl"].as_str().unwrap().starts_with("services/data/v68.0/jobs/ingest/750"));
    told["id"].as_str().unwrap().to_owned()
}

async fn upload(org: &Org, id: &str, content: impl Into<reqwest::Body>) -> u16 {
    let request = org.request("PUT", &format!("jobs/ingest/{id}/batches")).header("content-type", "text/csv; charset=UTF-8");
    request.body(content).send().await.unwrap().status().as_u16()
}

/// Uploads, completes, and waits for the end of a job.
async fn run(org: &Org, job: Value, content: &str) -> (String, Value) {
    let id = open(org, job).await;
    assert_eq!(upload(org, &id, content.to_owned()).await, 201);
    let (status, told) = org.send("PATCH", &format!("jobs/ingest/{id}"), json!({"state": "UploadComplete"})).await;
    assert_eq!((status, told["state"].as_str()), (200, Some("UploadComplete")));
    loop {
        let (_, told) = org.get(&format!("jobs/ingest/{id}")).await;
        if !matches!(told["state"].as_str(), Some("UploadComplete" | "InProgress")) {
            return (id, told);
        }
        tokio::task::yield_now().await;
    }
}

async fn text(org: &Org, path: &str) -> String {
    let answer = org.request("GET", path).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, "text/csv"), "{path}");
    answer.text().await.unwrap()
}

#[tokio::test]
async fn inserts_tell_which_rows_came_through() {
    let org = Org::start().await;
    let csv = "Name,Renewal_Date__c,NumberOfEmployees\n\"Comma, \"\"Inc\"\"\",2026-07-01,5\nBad date,soon,1\n,2026-07-01,1\nEmoji 🚀,#N/A,\n";
    let (id, job) = run(&org, json!({"object": "account", "operation": "insert", "contentType": "CSV", "lineEnding": "LF"}), csv).await;
    assert_eq!((&job["state"], &job["object"], &job["jobType"]), (&json!("JobComplete"), &json!("Account"), &json!("V2Ingest")));
    assert_eq!((&job["numberRecordsProcessed"], &job["numberRecordsFailed"]), (&json!(4), &json!(2)));
    let good = text(&org, &format!("jobs/ingest/{id}/successfulResults/")).await;
    let mut lines = good.lines();
    assert_eq!(lines.next(), Some("\"sf__Id\",\"sf__Created\",Name,Renewal_Date__c,NumberOfEmployees"));
    assert!(good.contains("\"true\",\"Comma, \"\"Inc\"\"\",\"2026-07-01\",\"5\""), "{good}");
    let bad = text(&org, &format!("jobs/ingest/{id}/failedResults")).await;
    assert!(bad.contains("\"\",\"INVALID_FIELD:Failed to deserialize field at col 1. Due to, 'soon' is not a valid value for the type xsd:date:Renewal_Date__c --\",\"Bad date\""), "{bad}");
    assert!(bad.contains("\"REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --\""), "{bad}");
    for kind in ["unprocessedrecords", "unprocessedRecords"] {
        assert_eq!(text(&org, &format!("jobs/ingest/{id}/{kind}")).await, "Name,Renewal_Date__c,NumberOfEmployees\n");
    }
    assert_eq!(org.column("Renewal_Date__c", "SELECT Renewal_Date__c FROM Account WHERE Name = 'Emoji 🚀'").await, ["null"]);
}

#[tokio::test]
async fn blank_leaves_and_the_null_mark_clears() {
    let org = Org::start().await;
    let id = org.create("Account", json!({"Name": "Marked", "Phone": "1", "Site": "Quay"})).await;
    let csv = format!("Id;Phone;Site;Owner.Username\r\n{id};;#N/A;{}\r\n0015G00100ZZZZZ;1;;\r\n", org.credential("username"));
    let job = json!({"object": "Account", "operation": "update", "lineEnding": "CRLF", "columnDelimiter": "SEMICOLON"});
    let (job_id, job) = run(&org, job, &csv).await;
    assert_eq!((&job["numberRecordsProcessed"], &job["numberRecordsFailed"]), (&json!(2), &json!(1)));
    let row = &org.rows(&format!("SELECT Phone, Site, Owner.Username FROM Account WHERE Id = '{id}'")).await[0];
    assert_eq!(
        (&row["Phone"], &row["Site"], row["Owner"]["Username"].as_str()),
        (&json!("1"), &Value::Null, Some(org.credential("username").as_str()))
    );
    assert!(text(&org, &format!("jobs/ingest/{job_id}/failedResults")).await.contains("INVALID_CROSS_REFERENCE_KEY"));
}

#[tokio::test]
async fn upserts_and_deletes() {
    let org = Org::start().await;
    let job = json!({"object": "Account", "operation": "upsert", "externalIdFieldName": "Pendo_Account_Key__c"});
    let (id, told) = run(&org, job, "Pendo_Account_Key__c,Name\nACC-0000001,Seeded\nnew-1,New\n,None\n").await;
    assert_eq!((&told["externalIdFieldName"], &told["numberRecordsFailed"]), (&json!("Pendo_Account_Key__c"), &json!(1)));
    let good = text(&org, &format!("jobs/ingest/{id}/successfulResults")).await;
    assert!(good.contains("\"false\",\"ACC-0000001\"") && good.contains("\"true\",\"new-1\""), "{good}");
    let row = org.column("Id", "SELECT Id FROM Account WHERE Pendo_Account_Key__c = 'new-1'").await.remove(0);
    let (_, told) = run(&org, json!({"object": "Account", "operation": "delete"}), &format!("Id\n{row}\n")).await;
    assert_eq!(told["numberRecordsFailed"], 0);
    let (_, told) = run(&org, json!({"object": "Account", "operation": "hardDelete"}), &format!("Id,Name\n{row},x\n")).await;
    assert_eq!(told["state"], "Failed");
    assert_eq!(code(&org.send("POST", "jobs/ingest", json!({"object": "Nothing", "operation": "insert"})).await), (400, "INVALIDENTITY"));
    assert_eq!(code(&org.send("POST", "jobs/ingest", json!({"object": "Account", "operation": "upsert"})).await), (400, "INVALIDJOB"));
}

#[tokio::test]
async fn bad_jobs_fail_as_a_whole() {
    let org = Org::start().await;
    let insert = || json!({"object": "Account", "operation": "insert"});
    let (id, told) = run(&org, insert(), "Name,Foo__c\nA,1\n").await;
    assert_eq!((&told["state"], &told["errorMessage"]), (&json!("Failed"), &json!("InvalidBatch : Field name not found : Foo__c")));
    assert_eq!(text(&org, &format!("jobs/ingest/{id}/unprocessedRecords")).await, "Name,Foo__c\n\"A\",\"1\"\n");
    let (_, told) = run(&org, insert(), "Name\r\nA\r\n").await;
    assert_eq!(told["errorMessage"], "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF");
}

#[tokio::test]
async fn a_job_takes_one_upload_and_knows_its_states() {
    let org = Org::start().await;
    let id = open(&org, json!({"object": "Account", "operation": "insert"})).await;
    assert_eq!(code(&org.send("PATCH", &format!("jobs/ingest/{id}"), json!({"state": "UploadComplete"})).await), (400, "INVALIDJOBSTATE"));
    let chunks = ["Name\n", "Chunk", "ed\n"].map(|chunk| Ok::<_, std::io::Error>(chunk.to_owned()));
    assert_eq!(upload(&org, &id, reqwest::Body::wrap_stream(futures_util::stream::iter(chunks))).await, 201);
    let again = org.request("PUT", &format!("jobs/ingest/{id}/batches")).header("content-type", "text/csv").body("Name\n").send().await.unwrap();
    let told = super::told(again).await;
    assert_eq!(code(&told), (400, "BULK_API_ERROR"));
    assert!(told.1[0]["message"].as_str().unwrap().starts_with(&format!("Found multiple contents for job: <{id}>")));
    assert_eq!(org.get(&format!("jobs/ingest/{id}/failedResults")).await.0, 400);
    assert_eq!(org.send("DELETE", &format!("jobs/ingest/{id}"), Value::Null).await.0, 400);
    org.send("PATCH", &format!("jobs/ingest/{id}"), json!({"state": "UploadComplete"})).await;
    assert_eq!(org.query("SELECT COUNT() FROM Account WHERE Name = 'Chunked'").await.1["totalSize"], 1);
    assert_eq!(org.get("jobs/ingest").await.1["records"][0]["id"], id.as_str());
    assert_eq!(org.send("DELETE", &format!("jobs/ingest/{id}"), Value::Null).await.0, 204);
    assert_eq!(org.get(&format!("jobs/ingest/{id}")).await.0, 404);
    let id = open(&org, json!({"object": "Account", "operation": "insert"})).await;
    assert_eq!(org.send("PATCH", &format!("jobs/ingest/{id}"), json!({"state": "Aborted"})).await.1["state"], "Aborted");
}

#[tokio::test]
async fn query_jobs_are_read_by_pages() {
    let org = Org::start().await;
    let (_, job) =
        org.send("POST", "jobs/query", json!({"operation": "query", "query": "SELECT Id, LastName, Account.Name, Title FROM Contact"})).await;
    assert_eq!((job["state"].as_str(), job["object"].as_str()), (Some("UploadComplete"), Some("Contact")));
    let id = job["id"].as_str().unwrap();
    assert_eq!(org.get(&format!("jobs/query/{id}/results")).await.0, 400);
    let (_, done) = org.get(&format!("jobs/query/{id}")).await;
    assert_eq!((&done["state"], &done["numberRecordsProcessed"], &done["jobType"]), (&json!("JobComplete"), &json!(2000), &json!("V2Query")));
    let mut locator = String::new();
    let mut ids = Vec::new();
    while locator != "null" {
        let answer = org.request("GET", &format!("jobs/query/{id}/results?maxRecords=600&locator={locator}")).send().await.unwrap();
        let count: usize = answer.headers()["Sforce-NumberOfRecords"].to_str().unwrap().parse().unwrap();
        locator = answer.headers()["Sforce-Locator"].to_str().unwrap().to_owned();
        let body = answer.text().await.unwrap();
        assert_eq!(body.lines().next(), Some("\"Id\",\"LastName\",\"Account.Name\",\"Title\""));
        assert_eq!(body.lines().count(), count + 1);
        ids.extend(body.lines().skip(1).map(|line| line[1..19].to_owned()));
    }
    assert_eq!(ids.len(), 2000);
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(org.get(&format!("/services/data/v60.0/jobs/query/{id}/results")).await.0, 409);
    for (query, expected) in [
        ("SELECT COUNT() FROM Account", "API_ERROR"),
        ("SELECT Name, COUNT(Id) FROM Account GROUP BY Name", "API_ERROR"),
        ("SELECT Id FROM Account OFFSET 5", "API_ERROR"),
        ("SELECT Id, BillingAddress FROM Account", "API_ERROR"),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "API_ERROR"),
        ("SELECT Foo FROM Account", "INVALID_FIELD"),
        ("SELECT Id Frm Account", "MALFORMED_QUERY"),
    ] {
        assert_eq!(code(&org.send("POST", "jobs/query", json!({"operation": "query", "query": query})).await), (400, expected), "{query}");
    }
}

#[tokio::test]
async fn large_jobs_go_on_behind_the_answer() {
    let org = Org::with(tabi::sandbox::Options { accounts: Some(12_000), people: Some(100), ..tabi::sandbox::Options::default() }).await;
    let ids = org.column("Id", "SELECT Id FROM Account LIMIT 2000").await;
    let rows: Vec<String> = (0..11_000).map(|i| format!("{},{i}\n", ids[i % 2000])).collect();
    let (id, job) = run(&org, json!({"object": "Account", "operation": "update"}), &format!("Id,NumberOfEmployees\n{}", rows.concat())).await;
    assert_eq!((&job["state"], &job["numberRecordsProcessed"], &job["numberRecordsFailed"]), (&json!("JobComplete"), &json!(11_000), &json!(0)));
    assert_eq!(text(&org, &format!("jobs/ingest/{id}/successfulResults")).await.lines().count(), 11_001);
    assert_eq!(org.column("NumberOfEmployees", &format!("SELECT NumberOfEmployees FROM Account WHERE Id = '{}'", ids[999])).await, ["10999"]);
}
