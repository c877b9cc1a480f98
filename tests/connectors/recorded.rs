//! The clients against answers as the vendors' documents and recordings of real systems show them: re-typed documents, each naming its source.

use serde_json::Value as Json;
use tabi::{
    connectors::{GainsightAuth, GainsightOptions, Options, PendoOptions, PxOptions, SalesforceAuth, SalesforceOptions, Secret, Stop, Systems},
    model::{
        Change, Effect, Fault, FaultKind, Query, Read, Record, Reply, Request, RowOutcome, SegmentEdit, Source, System, Timestamp, Value, Write,
    },
};

use super::bench::{insert, quick, update};
use crate::support::{Answering, Said};

/// A document of this folder.
fn document(name: &str) -> Json {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/connectors/recorded").join(name);
    let document: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(document["source"].as_str().is_some_and(|source| !source.is_empty()), "{name} names no source");
    document
}

/// A server that answers as documents say, everything else with 404.
pub(super) fn serving(documents: &[&str]) -> Answering {
    let answers: Vec<Json> = documents.iter().flat_map(|name| document(name)["answers"].as_array().unwrap().clone()).collect();
    Answering::start(move |asked| match answers.iter().find(|answer| answer["line"] == asked.line().as_str()) {
        Some(answer) if answer["body"].is_null() => Said::Nothing(u16::try_from(answer["status"].as_u64().unwrap()).unwrap()),
        Some(answer) => Said::Json(u16::try_from(answer["status"].as_u64().unwrap()).unwrap(), answer["body"].clone()),
        None => Said::Json(404, Json::Null),
    })
}

pub(super) fn systems(url: &str) -> Systems {
    Systems::new(options(url), Stop::new()).unwrap()
}

/// With Salesforce's rows going by jobs.
pub(super) fn bulky(url: &str) -> Systems {
    let mut options = options(url);
    if let Some(salesforce) = &mut options.salesforce {
        salesforce.bulk_threshold = 1;
    }
    Systems::new(options, Stop::new()).unwrap()
}

fn options(url: &str) -> Options {
    let key = || Secret::from("key");
    let mut options = Options::new(Timestamp::now);
    options.http = quick();
    let mut salesforce = SalesforceOptions::new(url, SalesforceAuth::AccessToken { access_token: key() });
    salesforce.api_version = "62.0".into();
    options.salesforce = Some(salesforce);
    options.pendo = Some(PendoOptions::new(url, key()));
    options.gainsight = Some(GainsightOptions::new(url, GainsightAuth::AccessKey(key())));
    options.px = Some(PxOptions::new(url, key(), None));
    options
}

async fn ask(server: &Answering, effect: Effect) -> Result<Reply, Fault> {
    systems(server.url()).perform(&effect).await
}

async fn write(server: &Answering, system: System, object: &str, rows: Vec<Change>) -> Vec<RowOutcome> {
    match ask(server, Effect::Write(Write { system, object: object.into(), rows: rows.into() })).await {
        Ok(Reply::Written(outcomes)) => outcomes,
        other => panic!("{other:?}"),
    }
}

fn limits() -> Effect {
    Effect::Request(Request { system: System::Salesforce, method: "GET".into(), path: "limits".into(), query: Record::new(), body: None })
}

fn kinds(outcomes: &[RowOutcome]) -> Vec<Option<FaultKind>> {
    outcomes.iter().map(|outcome| outcome.fault.as_ref().map(|fault| fault.kind)).collect()
}

#[tokio::test]
async fn a_salesforce_session_that_is_over_and_a_day_that_is_used_up_are_told_apart() {
    for (name, kind, words) in
        [("salesforce_session_over.json", FaultKind::Denied, "access_token"), ("salesforce_request_limit.json", FaultKind::LimitExceeded, "limit")]
    {
        let server = serving(&[name]);
        let fault = ask(&server, limits()).await.unwrap_err();
        assert!(fault.kind == kind && fault.message.to_lowercase().contains(words), "{name}: {fault:?}");
        assert_eq!(server.asked().len(), 1, "{name}: neither is asked again");
    }
}

#[tokio::test]
async fn each_record_of_a_salesforce_collection_has_its_own_outcome() {
    let server = serving(&["salesforce_collections.json"]);
    let row = |key: &str| insert(key, &[("Site", Value::text(key))]);
    let outcomes = write(&server, System::Salesforce, "Account", vec![row("a"), row("b"), row("c")]).await;
    assert_eq!(kinds(&outcomes), [None, Some(FaultKind::Invalid), Some(FaultKind::Conflict)], "{outcomes:?}");
    assert_eq!((outcomes[0].id.as_deref(), outcomes[0].created), (Some("001RM000003oLnnYAE"), true));
    let fault = outcomes[1].fault.as_ref().unwrap();
    assert_eq!((fault.field.as_deref(), fault.code.as_deref()), (Some("Name"), Some("REQUIRED_FIELD_MISSING")), "{fault:?}");
    assert_eq!(server.asked().len(), 1, "{:?}", server.asked());
}

#[tokio::test]
async fn a_gainsight_list_that_refuses_a_field_with_status_200_is_a_refusal() {
    let server = serving(&["gainsight_cta_select.json"]);
    let query = Query { fields: vec!["Name".into(), "Stage".into()], ..Query::of(System::Gainsight, "call_to_action") };
    let read = Effect::Read(Read { source: Source::Object(query), after: None, page_size: 10 });
    let fault = ask(&server, read).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Invalid, Some("COCKPIT_5101")), "{fault:?}");
    assert!(fault.message.contains("Stage"), "{fault:?}");
}

#[tokio::test]
async fn one_bad_gainsight_row_fails_alone_though_the_call_fails_whole() {
    let document = document("gainsight_bad_row.json");
    let whole = document["answers"][0]["body"].clone();
    let (single, described) = (document["single"]["body"].clone(), document["describe"]["body"].clone());
    let server = Answering::start(move |asked| {
        let records = asked.body["records"].as_array().cloned().unwrap_or_default();
        match asked.line().as_str() {
            "POST /v1/data/objects/Visits__gc" if records.iter().any(|row| row["Day__gc"] == "31-31-2024") => Said::Json(400, whole.clone()),
            "POST /v1/data/objects/Visits__gc" => {
                let mut good = single.clone();
                let one = good["data"]["records"][0].clone();
                good["data"]["count"] = records.len().into();
                good["data"]["records"] = records.iter().map(|_| one.clone()).collect();
                Said::Json(200, good)
            }
            "GET /v1/meta/services/objects/Visits__gc/describe" => Said::Json(200, described.clone()),
            _ => Said::Json(404, Json::Null),
        }
    });
    let row = |key: &str, day: &str| insert(key, &[("Day__gc", Value::text(day))]);
    let rows = vec![row("a", "2024-01-31"), row("b", "31-31-2024"), row("c", "2024-02-01"), row("d", "2024-02-02")];
    let outcomes = write(&server, System::Gainsight, "Visits__gc", rows).await;
    assert_eq!(kinds(&outcomes), [None, Some(FaultKind::Invalid), None, None], "{outcomes:?}");
    let fault = outcomes[1].fault.as_ref().unwrap();
    assert_eq!((fault.code.as_deref(), fault.field.as_deref()), (Some("GSOBJ_1006"), Some("Day__gc")), "{fault:?}");
}

#[tokio::test]
async fn a_px_membership_has_every_key_that_the_swagger_requires() {
    let server = serving(&["px_external_segment.json"]);
    let systems = systems(server.url());
    let people = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (add, remove) in [(&["a", "b"][..], &[][..]), (&[], &["a"]), (&["c"], &["b"])] {
        let edit = SegmentEdit { add: people(add), remove: people(remove), ..SegmentEdit::of(System::Px, "vip") };
        assert_eq!(systems.perform(&Effect::EditSegment(edit)).await, Ok(Reply::Done));
    }
    let document = document("px_external_segment.json");
    let required = |name: &str| -> Vec<String> { serde_json::from_value(document["required"][name].clone()).unwrap() };
    let asked = server.asked();
    let bodies: Vec<&Json> =
        asked.iter().filter(|asked| asked.line() == "POST /v1/external_segment/update_membership").map(|asked| &asked.body).collect();
    assert_eq!((bodies.len(), server.count("POST /v1/external_segment/metadata"), server.count("GET /v1/segment")), (3, 1, 1));
    let id = &document["answers"][1]["body"]["id"];
    for body in bodies {
        assert!(required("SegmentPayload").iter().all(|key| body[key.as_str()].is_array()), "{body}");
        for action in ["add", "remove"].iter().flat_map(|list| body[*list].as_array().unwrap()) {
            assert!(required("SegmentAction").iter().all(|key| !action[key.as_str()].is_null()), "{body}");
            assert_eq!(&action["segmentId"], id, "the segment goes by the id that PX told");
            assert!(action["lastQualificationTime"].as_str().unwrap().parse::<Timestamp>().is_ok(), "{body}");
        }
    }
}

#[tokio::test]
async fn ids_that_pendo_does_not_know_fail_alone() {
    let server = serving(&["pendo_metadata_value.json"]);
    let row = |id: &str| update(id, &[("metadata.custom.plan", Value::text("pro"))]);
    let outcomes = write(&server, System::Pendo, "account", vec![row("a1"), row("zz"), row("b2")]).await;
    assert_eq!(kinds(&outcomes), [None, Some(FaultKind::NotFound), None], "{outcomes:?}");
    assert_eq!(server.count("POST /api/v1/metadata/account/custom/value"), 1);
    let sent = server.asked().into_iter().find(|asked| asked.method == "POST").unwrap().body;
    assert_eq!(sent[1], serde_json::json!({"accountId": "zz", "values": {"plan": "pro"}}));
}
