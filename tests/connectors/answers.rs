//! The clients against answers of real systems, re-typed: each fact with the public source that shows it.

use serde_json::{Value as Json, json};
use tabi::model::{Effect, FaultKind, FieldType, ObjectSchema, Page, Query, Read, Reply, RowOutcome, Source, System, TimeZone, Value, Write};

use super::{
    bench::{insert, update},
    recorded::{serving, systems},
};
use crate::support::{Answering, Asked, Said};

async fn described(server: &Answering, system: System, object: &str) -> ObjectSchema {
    match systems(server.url()).perform(&Effect::Describe { system, object: object.into() }).await {
        Ok(Reply::Schema(schema)) => schema,
        other => panic!("{other:?}"),
    }
}

/// Every page of a source.
async fn pages(server: &Answering, source: Source, page_size: u32) -> Vec<Page> {
    let systems = systems(server.url());
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let read = Read { source: source.clone(), after: after.take(), page_size };
        let Ok(Reply::Page(page)) = systems.perform(&Effect::Read(read)).await else { panic!("no page after {pages:?}") };
        after.clone_from(&page.next);
        pages.push(page);
        assert!(pages.len() < 20, "{pages:?}");
        if after.is_none() {
            return pages;
        }
    }
}

fn rows(pages: &[Page]) -> Vec<Json> {
    pages.iter().flat_map(|page| &page.records).map(|record| Json::from(&Value::Map(record.clone()))).collect()
}

fn of(system: System, object: &str, fields: &[&str]) -> Source {
    Source::Object(Query { fields: fields.iter().map(|field| (*field).to_owned()).collect(), ..Query::of(system, object) })
}

async fn refusal(answer: impl Fn() -> Said + Send + Sync + 'static, effect: Effect) -> (FaultKind, Option<String>, Option<String>, String) {
    let server = Answering::start(move |_| answer());
    let fault = systems(server.url()).perform(&effect).await.unwrap_err();
    (fault.kind, fault.code, fault.field, fault.message)
}

// Salesforce.

#[tokio::test]
async fn a_salesforce_text_of_unknown_length_takes_any_length() {
    // REST API Developer Guide, "sObject Describe": `length` is there for text fields; servers that speak the same API leave it out or say 0
    // (`tests/connectors/recorded/salesforce_describe.json` names them).
    let server = serving(&["salesforce_describe.json"]);
    let schema = described(&server, System::Salesforce, "Account").await;
    let long = Value::text("x".repeat(300));
    for (name, value) in [("Name", long.clone()), ("Mail__c", Value::text(format!("{}@example.com", "x".repeat(90))))] {
        let field = schema.field(name).unwrap();
        assert_eq!(field.kind.fit(&value, &TimeZone::UTC), Ok(value), "{name}");
    }
    let ext = schema.field("Ext__c").unwrap();
    assert!(ext.key && ext.case_sensitive && ext.kind.fit(&long, &TimeZone::UTC).is_err(), "{ext:?}");
    let id = schema.field("Id").unwrap();
    assert!(!id.createable && !id.updateable && !id.required && id.key, "{id:?}");
    assert!(schema.field("Name").unwrap().required, "not nillable, and no default");
}

#[tokio::test]
async fn a_salesforce_describe_tells_sizes_choices_and_what_is_written() {
    // "DescribeSObjectResult" of the SOAP API Developer Guide: `digits` of integers, `precision` and `scale` of doubles, currencies and percents;
    // `picklistValues` has inactive ones with `active: false`; `restrictedPicklist`; formulas are neither createable nor updateable
    // (`calculated`). NumberOfEmployees has 8 digits in the describe of every organization.
    let field = |name: &str, kind: &str, more: Json| {
        let mut field = json!({"name": name, "label": name, "type": kind, "length": 0, "precision": 0, "scale": 0, "digits": 0, "nillable": true,
            "createable": true, "updateable": true, "picklistValues": [], "referenceTo": [], "relationshipName": null, "soapType": "xsd:string"});
        field.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        field
    };
    let choices = json!([
        {"active": true, "defaultValue": false, "label": "Hot lead", "validFor": null, "value": "Hot"},
        {"active": false, "defaultValue": false, "label": "Warm", "validFor": null, "value": "Warm"},
    ]);
    let body = json!({"name": "Account", "label": "Account", "keyPrefix": "001", "fields": [
        field("NumberOfEmployees", "int", json!({"digits": 8})),
        field("Discount__c", "percent", json!({"precision": 5, "scale": 2})),
        field("AnnualRevenue", "currency", json!({"precision": 18, "scale": 0})),
        field("Score__c", "double", json!({"precision": 18, "scale": 2, "createable": false, "updateable": false, "calculated": true})),
        field("Rating", "picklist", json!({"length": 255, "picklistValues": choices, "restrictedPicklist": true})),
        field("Tags__c", "multipicklist", json!({"length": 4099, "picklistValues": choices, "restrictedPicklist": false})),
        field("OwnerId", "reference", json!({"length": 18, "referenceTo": ["User"], "relationshipName": "Owner", "nillable": false,
            "defaultedOnCreate": true})),
        field("BillingAddress", "address", json!({"createable": false, "updateable": false})),
    ]});
    let server = Answering::start(move |asked| match asked.line().as_str() {
        "GET /services/data/v62.0/sobjects/Account/describe" => Said::Json(200, body.clone()),
        _ => Said::Json(404, json!([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])),
    });
    let schema = described(&server, System::Salesforce, "Account").await;
    let kind = |name: &str| schema.field(name).unwrap().kind.clone();
    let fit = |name: &str, value: Value| kind(name).fit(&value, &TimeZone::UTC).map_err(|misfit| misfit.0);
    assert_eq!(kind("NumberOfEmployees"), FieldType::Int { bits: 32, digits: 8 });
    assert_eq!(fit("NumberOfEmployees", Value::Int(100_000_000)), Err("`100000000` has more than 8 digits".to_owned()));
    // 12.5 is 12.5 percent.
    assert_eq!(fit("Discount__c", Value::Float(12.345)), Ok(Value::Float(12.35)));
    assert!(fit("Discount__c", Value::Int(1_000)).is_err());
    assert_eq!(fit("AnnualRevenue", Value::Float(0.5)), Ok(Value::Int(1)));
    assert_eq!(fit("Rating", Value::text("hot LEAD")), Ok(Value::text("Hot")));
    assert!(fit("Rating", Value::text("Warm")).is_err(), "an inactive value is refused where values are restricted");
    assert_eq!(fit("Tags__c", Value::text("Warm;hot lead")), Ok(Value::text("Hot;Warm")));
    let score = schema.field("Score__c").unwrap();
    assert!(!score.createable && !score.updateable);
    let owner = schema.field("OwnerId").unwrap();
    assert!(!owner.required && matches!(&owner.kind, FieldType::Reference { to } if to == &["User"]), "{owner:?}");
    assert_eq!(kind("BillingAddress"), FieldType::Other { name: "address".to_owned() });
}

/// The answers of a query with a next page, and lists of children that go on elsewhere.
fn parents(asked: &str) -> Option<Json> {
    let contact =
        |name: &str| json!({"attributes": {"type": "Contact", "url": format!("/services/data/v62.0/sobjects/Contact/{name}")}, "LastName": name});
    let account = |id: &str, contacts: Json| json!({"attributes": {"type": "Account", "url": format!("/services/data/v62.0/sobjects/Account/{id}")}, "Id": id, "Contacts": contacts});
    Some(match asked {
        // REST API Developer Guide, "Query": `done`, `totalSize`, `nextRecordsUrl`; "Get Parent and Child Records with a Query": the list of children
        // is a query result of its own, null where there are none, and with its own `nextRecordsUrl` where it is longer than a page.
        "/services/data/v62.0/query" => json!({
            "totalSize": 3, "done": false, "nextRecordsUrl": "/services/data/v62.0/query/01gRM000003oLnn-2000",
            "records": [
                account("001000000000001AAA", json!({"totalSize": 3, "done": false, "records": [contact("a1"), contact("a2")],
                    "nextRecordsUrl": "/services/data/v62.0/query/01gRM000003oLkk-2"})),
                account("001000000000002AAA", Json::Null),
            ],
        }),
        "/services/data/v62.0/query/01gRM000003oLkk-2" => json!({"totalSize": 3, "done": true, "records": [contact("a3")]}),
        "/services/data/v62.0/query/01gRM000003oLnn-2000" => json!({
            "totalSize": 3, "done": true,
            "records": [account("001000000000003AAA", json!({"totalSize": 1, "done": true, "records": [contact("c1")]}))],
        }),
        _ => return None,
    })
}

#[tokio::test]
async fn a_salesforce_query_gives_every_record_and_every_child_also_those_behind_the_first_page() {
    let account = json!({"name": "Account", "label": "Account", "keyPrefix": "001", "fields": [
        {"name": "Id", "label": "Account ID", "type": "id", "length": 18}, {"name": "Name", "label": "Name", "type": "string", "length": 255}]});
    let server = Answering::start(move |asked| {
        let path = asked.path.split('?').next().unwrap();
        match parents(path) {
            Some(body) => Said::Json(200, body),
            None if path.ends_with("/sobjects/Account/describe") => Said::Json(200, account.clone()),
            None => Said::Json(404, json!([{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}])),
        }
    });
    let all = pages(&server, Source::Soql("SELECT Id, (SELECT LastName FROM Contacts) FROM Account".to_owned()), 2_000).await;
    let names = |names: &[&str]| names.iter().map(|name| json!({"LastName": name})).collect::<Vec<_>>();
    assert_eq!(
        rows(&all),
        [
            json!({"Id": "001000000000001AAA", "Contacts": names(&["a1", "a2", "a3"])}),
            json!({"Id": "001000000000002AAA", "Contacts": null}),
            json!({"Id": "001000000000003AAA", "Contacts": names(&["c1"])}),
        ]
    );
    assert_eq!((all.len(), all[0].total), (2, Some(3)));
    // The next page of the parents makes the places within the children's lists void: the children are asked for first.
    let asked: Vec<String> = server.asked().iter().map(Asked::line).collect();
    let place = |end: &str| asked.iter().position(|line| line.ends_with(end)).unwrap();
    assert!(place("oLkk-2") < place("oLnn-2000"), "{asked:?}");
}

#[tokio::test]
async fn a_list_of_salesforce_children_that_is_cut_off_is_not_taken_for_whole() {
    let server = Answering::start(|asked| {
        let list = json!({"totalSize": 3, "done": false, "records": [{"LastName": "a1"}]});
        match asked.path.split('?').next().unwrap() {
            "/services/data/v62.0/query" => {
                Said::Json(200, json!({"totalSize": 1, "done": true, "records": [{"Id": "001000000000001AAA", "Contacts": list}]}))
            }
            _ => Said::Json(200, json!({"name": "Account", "label": "Account", "fields": [{"name": "Id", "label": "Id", "type": "id"}]})),
        }
    });
    let read = Read { source: Source::Soql("SELECT Id, (SELECT LastName FROM Contacts) FROM Account".to_owned()), after: None, page_size: 200 };
    let fault = systems(server.url()).perform(&Effect::Read(read)).await.unwrap_err();
    assert!(fault.message.contains("`Contacts`") && fault.message.contains("not complete"), "{fault:?}");
}

#[tokio::test]
async fn salesforce_says_what_is_wrong_with_a_query_and_where() {
    // SOQL errors come with the place drawn in the message (REST API Developer Guide, "Status Codes and Error Responses").
    let soql = || Effect::Read(Read { source: Source::Soql("SELECT Id FROM Accounts GROUP BY Id".to_owned()), after: None, page_size: 200 });
    let drawn = "\nSELECT Nope FROM Account\n       ^\nERROR at Row:1:Column:8\nNo such column 'Nope' on entity 'Account'. If you are attempting to use a custom field";
    let cases = [
        (400, "INVALID_FIELD", drawn, FaultKind::NotFound, "No such column 'Nope' on entity 'Account'."),
        (400, "MALFORMED_QUERY", "unexpected token: 'FORM'", FaultKind::Invalid, "unexpected token: 'FORM'"),
        (400, "INVALID_TYPE", "sObject type 'Accounts' is not supported.", FaultKind::NotFound, "sObject type 'Accounts' is not supported."),
        (403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization.", FaultKind::Denied, "The REST API is not enabled"),
        (400, "QUERY_TIMEOUT", "Your query request was running for too long.", FaultKind::Unavailable, "running for too long"),
    ];
    for (status, code, message, kind, says) in cases {
        let (was, told, _, text) = refusal(move || Said::Json(status, json!([{"errorCode": code, "message": message}])), soql()).await;
        assert!((was, told.as_deref()) == (kind, Some(code)) && text.contains(says) && !text.contains('\n'), "{was:?} {told:?} {text}");
    }
}

#[tokio::test]
async fn a_salesforce_bulk_job_tells_of_each_row_what_became_of_it() {
    // Bulk API 2.0 Developer Guide, "Get Job Successful Record Results" (sf__Id, sf__Created), "Get Job Failed Record Results" (sf__Id, sf__Error),
    // "Get Job Info": the order of rows in them is not that of the upload.
    let job = |state: &str| {
        json!({"id": "7503gAA", "operation": "insert", "object": "Account", "state": state, "contentType": "CSV", "apiVersion": 62.0,
        "numberRecordsProcessed": 4, "numberRecordsFailed": 2})
    };
    let server = Answering::start(move |asked| {
        let csv = |text: &str| Said::Text(200, "text/csv", text.to_owned());
        match asked.line().as_str() {
            "POST /services/data/v62.0/jobs/ingest" => Said::Json(200, job("Open")),
            "PUT /services/data/v62.0/jobs/ingest/7503gAA/batches" => Said::Nothing(201),
            "PATCH /services/data/v62.0/jobs/ingest/7503gAA" => Said::Json(200, job("UploadComplete")),
            "GET /services/data/v62.0/jobs/ingest/7503gAA" => Said::Json(200, job("JobComplete")),
            "GET /services/data/v62.0/jobs/ingest/7503gAA/successfulResults" => csv(
                "\"sf__Id\",\"sf__Created\",\"Name\",\"Site\"\n\"001000000000009AAA\",\"true\",\"d\",\"4\"\n\"001000000000008AAA\",\"true\",\"a, b\",\"1\"\n",
            ),
            "GET /services/data/v62.0/jobs/ingest/7503gAA/failedResults" => csv(
                "\"sf__Id\",\"sf__Error\",\"Name\",\"Site\"\n\"\",\"REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --\",\"\",\"3\"\n\
                 \"\",\"DUPLICATES_DETECTED:Use one of these records?:--\",\"b\",\"2\"\n",
            ),
            _ => Said::Json(
                200,
                json!({"name": "Account", "label": "Account", "fields": [
                {"name": "Name", "label": "Name", "type": "string", "length": 255}, {"name": "Site", "label": "Site", "type": "string", "length": 80}]}),
            ),
        }
    });
    let row = |name: &str, site: &str| insert(site, &[("Name", Value::text(name)), ("Site", Value::text(site))]);
    let rows = vec![row("a, b", "1"), row("b", "2"), row("", "3"), row("d", "4")];
    let systems = super::recorded::bulky(server.url());
    let Ok(Reply::Written(outcomes)) =
        systems.perform(&Effect::Write(Write { system: System::Salesforce, object: "Account".into(), rows: rows.into() })).await
    else {
        panic!("not written")
    };
    let told = |outcome: &RowOutcome| (outcome.id.clone(), outcome.fault.as_ref().map(|fault| (fault.kind, fault.field.clone())));
    assert_eq!(
        outcomes.iter().map(told).collect::<Vec<_>>(),
        [
            (Some("001000000000008AAA".to_owned()), None),
            (None, Some((FaultKind::Conflict, None))),
            (None, Some((FaultKind::Invalid, Some("Name".to_owned())))),
            (Some("001000000000009AAA".to_owned()), None),
        ],
        "{outcomes:?}"
    );
    let sent = server.asked().into_iter().find(|asked| asked.method == "PUT").unwrap().body;
    assert_eq!(sent, json!("Name,Site\n\"a, b\",1\nb,2\n#N/A,3\nd,4\n"), "an empty cell would be no value at all");
}

// Pendo.

fn pendo_accounts() -> Effect {
    let source = Source::Aggregation { pipeline: json!([{"source": {"accounts": null}}]), key: "accountId".into() };
    Effect::Read(Read { source, after: None, page_size: 100 })
}

#[tokio::test]
async fn pendo_without_rows_answers_an_empty_list_or_null() {
    // Pendo's Aggregation API ("Aggregation", Engage API reference): `{"results": [..], "startTime": ..}`; a query that finds nothing has no list.
    for body in [
        json!({"results": []}),
        json!({"startTime": 1_700_000_000_000_i64, "results": []}),
        json!({"results": null, "startTime": 0, "messages": null}),
    ] {
        let told = body.clone();
        let server = Answering::start(move |_| Said::Json(200, body.clone()));
        let Ok(Reply::Page(page)) = systems(server.url()).perform(&pendo_accounts()).await else { panic!("{told}") };
        assert_eq!((page.records.len(), page.next), (0, None), "{told}");
        assert_eq!(server.asked().len(), 1, "{told}");
    }
}

#[tokio::test]
async fn pendos_refusals_are_told_apart_by_status() {
    // Singer's tap-pendo and other public clients: a wrong key is 403 with an empty body; a body that does not bind is 422 with the fields; a
    // segment that is being written is 409; too many calls are 429.
    let wrong = json!({"overall": {}, "fields": {"pipeline": "Required"}});
    let (kind, code, _, text) = refusal(|| Said::Nothing(403), pendo_accounts()).await;
    assert!(kind == FaultKind::Denied && code.as_deref() == Some("403") && text.contains("integration_key") && text.contains("region"), "{text}");
    let (kind, _, _, text) = refusal(move || Said::Json(422, wrong.clone()), pendo_accounts()).await;
    assert!(kind == FaultKind::Invalid && text.contains("422") && text.contains("pipeline") && text.contains("Required"), "{kind:?} {text}");
    let (kind, _, _, text) = refusal(|| Said::Text(400, "text/plain", "no period specified for time series source".into()), pendo_accounts()).await;
    assert!(kind == FaultKind::Invalid && text.contains("no period specified"), "{kind:?} {text}");
    let (kind, ..) = refusal(|| Said::Nothing(408), pendo_accounts()).await;
    assert_eq!(kind, FaultKind::Unavailable);
}

// Gainsight.

/// `result`, the error and `data`, in the envelope that every answer of Gainsight has.
fn envelope(error: Option<(&str, &str)>, data: &Json) -> Json {
    let (code, text) = error.unzip();
    json!({"result": error.is_none(), "errorCode": code, "errorDesc": text, "requestId": "6d8a2f2e-0c5a-4d3f-9f53-9b8c3f0b0f51", "data": data, "message": null})
}

#[tokio::test]
async fn gainsight_without_rows_has_data_of_several_forms() {
    // "Gainsight Bulk REST APIs" and "Company API Documentation": `data` is the list of rows, or an object with `records`; without rows it is an
    // empty list, `records: null` or null.
    let describe = json!([{"objectName": "Company", "label": "Company", "fields": [
        {"fieldName": "Gsid", "label": "GSID", "dataType": "GSID", "meta": {"createable": false, "updateable": false}},
        {"fieldName": "Name", "label": "Name", "dataType": "STRING", "meta": {"length": 255, "createable": true, "updateable": true}}]}]);
    for (data, found) in [
        (json!([]), 0),
        (json!({"records": []}), 0),
        (json!({"records": null}), 0),
        (Json::Null, 0),
        (json!([{"Gsid": "1P021", "Name": "Acme"}]), 1),
        (json!({"records": [{"Gsid": "1P021", "Name": "Acme"}]}), 1),
    ] {
        let (describe, told) = (describe.clone(), data.clone());
        let server = Answering::start(move |asked| match asked.line().as_str() {
            "GET /v1/meta/services/objects/Company/describe" => Said::Json(200, envelope(None, &describe)),
            "POST /v1/data/objects/query/Company" => Said::Json(200, envelope(None, &data)),
            _ => Said::Json(404, envelope(Some(("OBJECT_NOT_FOUND", "no such call")), &Json::Null)),
        });
        let all = pages(&server, of(System::Gainsight, "Company", &["Name"]), 1_000).await;
        assert_eq!(rows(&all).len(), found, "{told}: {all:?}");
    }
}

#[tokio::test]
async fn gainsights_refusals_are_told_by_their_codes_whatever_the_status() {
    // "Gainsight API Error Codes": the code is in `errorCode`, the reason in `errorDesc`; some come with status 200.
    let read = || Effect::Read(Read { source: of(System::Gainsight, "Company", &["Name"]), after: None, page_size: 100 });
    for (status, code, kind) in [
        (401, "GS_APIG_2402", FaultKind::Denied),
        (400, "OBJECT_NOT_FOUND", FaultKind::NotFound),
        (200, "OBJECT_NOT_FOUND", FaultKind::NotFound),
        (200, "GSOBJ_1024", FaultKind::Denied),
        (400, "GSOBJ_1001", FaultKind::Invalid),
        (200, "GU_1101", FaultKind::Unavailable),
    ] {
        let (was, told, _, text) = refusal(move || Said::Json(status, envelope(Some((code, "what it says")), &Json::Null)), read()).await;
        assert_eq!((was, told.as_deref()), (kind, Some(code)), "{status} {text}");
        assert!(text.contains("what it says") || text.contains("there is no object `Company`"), "{text}");
    }
}

#[tokio::test]
async fn a_gainsight_update_that_refuses_a_row_names_its_field() {
    // "Gainsight Custom Object API Documentation", answer of a failed update: the row's errors lie in `data.errors`, lists within a list.
    let refused = json!({"count": 0, "records": null, "errors": [[{"success": false, "parsedValue": null, "errors": [
        {"errorMessage": "Value of field Arr must be a number", "errorCode": "GSOBJ_1008", "fieldName": "Arr", "invalidValue": "many"}]}]]});
    let describe = json!([{"objectName": "Company", "label": "Company", "fields": [
        {"fieldName": "Arr", "label": "ARR", "dataType": "STRING", "meta": {"length": 255, "createable": true, "updateable": true}}]}]);
    let server = Answering::start(move |asked| match asked.line().as_str() {
        "GET /v1/meta/services/objects/Company/describe" => Said::Json(200, envelope(None, &describe)),
        _ => Said::Json(
            400,
            json!({"result": false, "errorCode": "GSOBJ_1008", "errorDesc": "one or more rows failed", "data": refused, "message": null}),
        ),
    });
    let rows = vec![update("1P021", &[("Arr", Value::text("many"))])];
    let write = Write { system: System::Gainsight, object: "Company".into(), rows: rows.into() };
    let Ok(Reply::Written(outcomes)) = systems(server.url()).perform(&Effect::Write(write)).await else { panic!("no outcomes") };
    let fault = outcomes[0].fault.as_ref().unwrap();
    assert_eq!((fault.kind, fault.code.as_deref(), fault.field.as_deref()), (FaultKind::Invalid, Some("GSOBJ_1008"), Some("Arr")), "{fault:?}");
    assert!(fault.message.contains("must be a number"), "{fault:?}");
}

// PX.

#[tokio::test]
async fn px_scrolls_until_a_page_is_short_though_the_last_one_has_a_scroll_id_too() {
    // PX REST API reference (Swagger), "users": `scrollId` "may be not null on the last page"; a page with fewer rows than `pageSize` is the last.
    let user =
        |n: usize| json!({"aptrinsicId": format!("A{n}"), "identifyId": format!("u{n}"), "numberOfVisits": n, "lastSeenDate": 1_700_000_000_000_i64});
    let server = Answering::start(move |asked| {
        let users = |from: usize, to: usize, id: &str| {
            Said::Json(200, json!({"users": (from..to).map(user).collect::<Vec<_>>(), "totalHits": 5, "scrollId": id}))
        };
        match (asked.line().as_str(), asked.path.split("scrollId=").nth(1)) {
            ("GET /v1/users", None) => users(0, 2, "s1"),
            ("GET /v1/users", Some("s1")) => users(2, 4, "s2"),
            ("GET /v1/users", Some("s2")) => users(4, 5, "s3"),
            ("GET /v1/users", Some(_)) => users(0, 0, "s4"),
            _ => Said::Json(404, Json::Null),
        }
    });
    let all = pages(&server, of(System::Px, "users", &["identifyId", "numberOfVisits"]), 2).await;
    let ids: Vec<String> = rows(&all).iter().map(|row| row["identifyId"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["u0", "u1", "u2", "u3", "u4"], "{:?}", server.asked());
    assert_eq!(server.count("GET /v1/users"), 3, "nothing is asked for behind the short page");
}

#[tokio::test]
async fn px_numbers_pages_from_0_and_says_which_is_the_last() {
    // Swagger, "engagement": `pageNumber` from 0, `isLastPage`.
    let server = Answering::start(|asked| {
        let number: usize = asked.path.split("pageNumber=").nth(1).and_then(|rest| rest.split('&').next()?.parse().ok()).unwrap_or_default();
        let list = json!([{"id": format!("e{number}"), "name": "Tour", "type": "GUIDE", "state": "PRODUCTION"}]);
        match asked.line().as_str() {
            "GET /v1/engagement" => {
                Said::Json(200, json!({"engagements": list, "engagement": list, "pageNumber": number, "isLastPage": number == 2}))
            }
            _ => Said::Json(404, Json::Null),
        }
    });
    let all = pages(&server, of(System::Px, "engagements", &["id"]), 1).await;
    assert_eq!(rows(&all), [json!({"id": "e0"}), json!({"id": "e1"}), json!({"id": "e2"})]);
}

#[tokio::test]
async fn pxs_refusals_name_the_field_and_tell_a_spent_day_from_a_busy_moment() {
    // Swagger, "Error": `externalapierror` with `status`, `message` and `subErrors`.
    let read = || Effect::Read(Read { source: of(System::Px, "users", &["identifyId"]), after: None, page_size: 100 });
    let error = |status: &str, message: &str, subs: Json| {
        json!({"externalapierror": {"status": status, "timestamp": "01-02-2026 03:04:05",
        "message": message, "debugMessage": null, "subErrors": subs}})
    };
    let bad =
        error("BAD_REQUEST", "Validation error", json!([{"object": "user", "field": "pageSize", "rejectedValue": 0, "message": "must be positive"}]));
    let (kind, code, field, text) = refusal(move || Said::Json(400, bad.clone()), read()).await;
    assert_eq!((kind, code.as_deref(), field.as_deref()), (FaultKind::Invalid, Some("BAD_REQUEST"), Some("pageSize")));
    assert!(text.contains("must be positive"), "{text}");
    let spent = error("TOO_MANY_REQUESTS", "Daily API limit exceeded", Json::Null);
    assert_eq!(refusal(move || Said::Json(429, spent.clone()), read()).await.0, FaultKind::LimitExceeded);
    let (kind, _, _, text) = refusal(|| Said::Json(401, Json::Null), read()).await;
    assert!(kind == FaultKind::Denied && text.contains("api_key"), "{text}");
}
