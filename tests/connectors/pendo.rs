//! Pendo: usage reports, aggregations, metadata, lists, segments.

use tabi::model::{Effect, FaultKind, Filter, Measure, Operator, Query, Record, Reply, Report, SegmentEdit, Source, System, Timestamp, Value};

use super::bench::{Bench, bench, query, text, update};

const MEASURES: &[(&str, Measure)] = &[
    ("active_visitors", Measure::ActiveVisitors),
    ("time_on_site", Measure::TimeOnSite),
    ("events", Measure::Events),
    ("days_active", Measure::DaysActive),
    ("sign_in_frequency", Measure::SignInFrequency),
    ("last_visit", Measure::LastVisit),
    ("users", Measure::Users),
    ("nps_responses", Measure::NpsResponses),
    ("nps_score", Measure::NpsScore),
];

fn report(per: &str, days: u32, measures: &[(&str, Measure)]) -> Report {
    let columns = measures.iter().map(|(name, measure)| ((*name).to_owned(), measure.clone())).collect();
    Report { per: per.into(), segment: Some("Everyone".into()), app: None, anonymous: false, days, until: None, columns }
}

/// The answer of a hand-written pipeline, by the Engage API itself.
async fn aggregate(bench: &Bench, pipeline: serde_json::Value) -> Vec<serde_json::Value> {
    let body = serde_json::json!({"response": {"mimeType": "application/json"}, "request": {"pipeline": pipeline}});
    let url = format!("{}/api/v1/aggregation", bench.sandbox.base_url("pendo").unwrap());
    let key = super::bench::credential(&bench.sandbox, "pendo", "integration_key");
    let answer = reqwest::Client::new().post(url).header("x-pendo-integration-key", key).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    answer.json::<serde_json::Value>().await.unwrap()["results"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a7_a_report_has_every_usual_measure_one_row_per_account() {
    let bench = bench(40, "").await;
    let source = Source::Report(report("account", 30, MEASURES));
    let (rows, pages) = bench.read(&source, 7).await.unwrap();
    assert!(rows.len() > 10 && pages > rows.len() / 7, "{} rows in {pages} pages", rows.len());
    let ids: Vec<String> = rows.iter().map(|row| text(row, "accountId")).collect();
    assert!(ids.is_sorted() && ids.windows(2).all(|pair| pair[0] != pair[1]), "sorted, each once");
    let expected = aggregate(
        &bench,
        serde_json::json!([
            {"source": {"events": {"appId": "expandAppIds(\"*\")"}, "timeSeries": {"period": "dayRange", "first": "now()", "count": -30}}},
            {"identified": "accountId"},
            {"group": {"group": ["accountId"], "fields": [{"v": {"count": "visitorId"}}, {"m": {"sum": "numMinutes"}}, {"d": {"count": "day"}}]}},
            {"sort": ["accountId"]}
        ]),
    )
    .await;
    assert_eq!(rows.len(), 40, "every account, active or not");
    let active: Vec<&Record> = rows.iter().filter(|row| row.get("active_visitors") != Some(&Value::Int(0))).collect();
    assert!(expected.len() == active.len() && active.len() < rows.len(), "{} of {}", active.len(), rows.len());
    for (row, expected) in active.into_iter().zip(&expected) {
        assert_eq!(text(row, "accountId"), expected["accountId"].as_str().unwrap());
        assert_eq!(row.get("active_visitors").unwrap().as_i64(), expected["v"].as_i64());
        assert_eq!(row.get("time_on_site").unwrap().as_f64(), expected["m"].as_f64());
        let days = expected["d"].as_f64().unwrap();
        assert_eq!(row.get("sign_in_frequency").unwrap().as_f64(), Some(days / 30.0));
        assert!(matches!(row.get("last_visit"), Some(Value::Instant(_))), "{row:?}");
        assert!(row.get("users").unwrap().as_i64() >= row.get("active_visitors").unwrap().as_i64());
        assert_eq!(row.get("nps_responses").unwrap().as_i64() == Some(0), row.get("nps_score") == Some(&Value::Null), "{row:?}");
    }
    assert!(rows.iter().any(|row| row.get("nps_responses") != Some(&Value::Int(0))), "somebody answered");
    assert_eq!(bench.count("pendo", "POST", "/aggregation").await, 5, "accounts, usage, users, polls, and the one by hand");
}

/// Reports over everything that narrows them, with whatever columns: each column says the same, and every row is there.
#[tokio::test]
async fn a_column_says_the_same_whatever_stands_beside_it() {
    let bench = bench(12, "").await;
    let (accounts, visitors) = (bench.sandbox.world().company.accounts, bench.sandbox.world().company.people);
    let mut seed = 7_usize;
    let mut drawn = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        seed >> 40
    };
    for number in 0..48 {
        let per = ["account", "visitor"][number % 2];
        let segment = [None, Some("Admins"), Some("Enterprise accounts")][number % 3];
        let (app, feature) = [(None, "Create project"), (Some("Mobile app"), "Scan code"), (Some("-323232"), "Add widget")][drawn() % 3];
        let columns: Vec<(&str, Measure)> = MEASURES
            .iter()
            .cloned()
            .chain([("clicks", Measure::FeatureClicks(feature.into())), ("plan", Measure::Metadata("metadata.agent.name".into()))])
            .collect();
        let days = [1, 7, 45][drawn() % 3];
        let of = |columns: &[(&str, Measure)]| {
            let whole = report(per, days, columns);
            Source::Report(Report { segment: segment.map(str::to_owned), app: app.map(str::to_owned), anonymous: number % 5 == 0, ..whole })
        };
        let (all, _) = bench.read(&of(&columns), 5).await.unwrap();
        let id = format!("{per}Id");
        let ids: Vec<String> = all.iter().map(|row| text(row, &id)).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
        if segment.is_none() {
            assert_eq!(all.len() as u64, if per == "account" { accounts } else { visitors });
        }
        for row in &all {
            let number = |name: &str| row.get(name).unwrap().as_f64().unwrap();
            assert!(number("users") >= number("active_visitors"), "{row:?}");
            if number("active_visitors") == 0.0 {
                for (name, measure) in
                    columns.iter().filter(|(name, _)| !["users", "last_visit", "nps_responses", "nps_score", "plan"].contains(name))
                {
                    assert_eq!(row.get(name), Some(&measure.of_silence()), "{name}: {row:?}");
                }
            }
        }
        let some: Vec<(&str, Measure)> = columns.iter().filter(|_| drawn() % 3 == 0).cloned().collect();
        let (again, _) = bench.read(&of(&some), 1_000).await.unwrap();
        assert_eq!(again.iter().map(|row| text(row, &id)).collect::<Vec<_>>(), ids, "{some:?}");
        for (row, other) in again.iter().zip(&all) {
            for (name, _) in &some {
                assert_eq!(row.get(name), other.get(name), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a8_a_report_per_visitor_and_a_feature_by_name() {
    let bench = bench(20, "").await;
    let features = bench.all(Query::of(System::Pendo, "feature")).await;
    let feature = features.first().unwrap();
    let clicks = [("clicks", Measure::FeatureClicks(text(feature, "name")))];
    let (by_name, _) = bench.read(&Source::Report(report("visitor", 7, &clicks)), 1_000).await.unwrap();
    let clicks = [("clicks", Measure::FeatureClicks(text(feature, "id")))];
    let (by_id, _) = bench.read(&Source::Report(report("visitor", 7, &clicks)), 1_000).await.unwrap();
    assert_eq!(by_name, by_id);
    assert!(by_name.iter().any(|row| row.get("clicks").unwrap().as_i64() > Some(0)), "somebody clicked");
    assert!(by_name.iter().all(|row| text(row, "visitorId").contains('@')));
    let unknown = [("clicks", Measure::FeatureClicks("No such feature".into()))];
    let fault = bench.page(&Source::Report(report("visitor", 7, &unknown)), None, 10).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
}

#[tokio::test]
async fn a_report_survives_cut_answers_and_a_lost_process() {
    let clean = bench(60, "").await;
    let source = Source::Report(report("account", 30, MEASURES));
    let (wanted, _) = clean.read(&source, 500).await.unwrap();
    let broken = bench(60, "pendo:truncate@0.3,pendo:reset_after@0.1").await;
    let (rows, _) = broken.read(&source, 7).await.unwrap();
    assert_eq!(rows, wanted);
    // Another process has no open stream for the token.
    let page = clean.page(&source, None, 5).await.unwrap();
    let other = super::bench::with(super::bench::sandbox(60, "").await, super::bench::options(&clean.sandbox));
    let rest = other.page(&source, page.next, 5_000).await.unwrap();
    let all: Vec<Record> = page.records.into_iter().chain(rest.records).collect();
    assert_eq!(all, wanted);
}

#[tokio::test]
async fn raw_pipelines_are_read_in_pages() {
    let bench = bench(30, "pendo:truncate@0.2").await;
    let pipeline = serde_json::json!([{"source": {"accounts": null}}, {"select": {"accountId": "accountId", "seen": "metadata.auto.lastvisit"}}]);
    let (rows, _) = bench.read(&Source::Aggregation { pipeline, key: "accountId".into() }, 4).await.unwrap();
    assert_eq!(rows.len(), 30);
    assert!(rows.iter().all(|row| row.get("seen").is_some()));
}

#[tokio::test]
async fn a3_metadata_is_written_with_its_field_and_read_back_typed() {
    let bench = bench(30, "").await;
    let accounts = bench.all(query(System::Pendo, "account", &["accountId"])).await;
    let ids: Vec<String> = accounts.iter().map(|row| text(row, "accountId")).collect();
    let renewal = Value::Date("2027-03-01".parse().unwrap());
    let values = |score: i64| {
        [
            ("metadata.salesforce.health_score__c", Value::Int(score)),
            ("metadata.salesforce.renewal_date__c", renewal.clone()),
            ("metadata.custom.plan", Value::text("pro")),
        ]
    };
    let mut rows: Vec<_> = ids.iter().zip(1..).map(|(id, score)| update(id, &values(score))).collect();
    rows.push(update("nobody", &values(0)));
    let outcomes = bench.write(System::Pendo, "account", rows).await.unwrap();
    assert!(outcomes[..30].iter().all(|outcome| outcome.fault.is_none()), "{outcomes:?}");
    assert_eq!(outcomes[30].fault.as_ref().unwrap().kind, FaultKind::NotFound);

    let fields = ["metadata.salesforce.health_score__c", "metadata.salesforce.renewal_date__c", "metadata.custom.plan"];
    let keys = ids[..5].iter().map(Value::text).collect();
    let mut found = bench.lookup(System::Pendo, "account", "accountId", keys, &fields).await.unwrap();
    found.sort_by_key(|row| text(row, "accountId"));
    assert_eq!(found.len(), 5);
    assert_eq!(found[0].get(fields[0]).unwrap().as_f64(), Some(1.0));
    let midnight: Timestamp = "2027-03-01T00:00:00Z".parse().unwrap();
    assert_eq!(found[0].get(fields[1]), Some(&Value::Instant(midnight)));
    assert_eq!(text(&found[0], fields[2]), "pro");

    let Ok(Reply::Schema(schema)) = bench.systems.perform(&Effect::Describe { system: System::Pendo, object: "account".into() }).await else {
        panic!("no schema")
    };
    assert_eq!(schema.field(fields[0]).unwrap().kind.word(), "number");
    assert_eq!(schema.field(fields[1]).unwrap().kind.word(), "datetime");
    assert!(schema.field("accountId").unwrap().key);
}

#[tokio::test]
async fn a17_accounts_are_filtered_by_metadata() {
    let bench = bench(30, "").await;
    let accounts = bench.all(query(System::Pendo, "account", &["accountId"])).await;
    let rows = accounts.iter().zip(0..).map(|(row, n)| update(&text(row, "accountId"), &[("metadata.salesforce.risk", Value::Int(n))])).collect();
    bench.write(System::Pendo, "account", rows).await.unwrap();
    let mut wanted = query(System::Pendo, "account", &["accountId"]);
    wanted.filter = Some(Filter::all(vec![("metadata.salesforce.risk".into(), Operator::GreaterOrEqual, Value::Int(25))]));
    assert_eq!(bench.all(wanted.clone()).await.len(), 5);
    wanted.limit = Some(3);
    let (limited, _) = bench.read(&Source::Object(wanted), 2).await.unwrap();
    assert_eq!(limited.len(), 3);
}

#[tokio::test]
async fn many_ids_are_looked_up_at_once() {
    let bench = bench(300, "").await;
    let accounts = bench.all(query(System::Pendo, "account", &["accountId"])).await;
    let keys: Vec<Value> = accounts.iter().step_by(2).map(|row| Value::text(text(row, "accountId"))).collect();
    let before = bench.systems.calls();
    let found = bench.lookup(System::Pendo, "account", "accountId", keys.clone(), &["metadata.auto.lastvisit"]).await.unwrap();
    assert_eq!(found.len(), keys.len());
    assert!(bench.systems.calls().since(before).pendo <= 2);
}

#[tokio::test]
async fn a17_a_segment_is_made_and_changed() {
    let bench = bench(200, "pendo:503@0.1,pendo:reset_after@0.2").await;
    let visitors = bench.all(query(System::Pendo, "visitor", &["visitorId"])).await;
    let names: Vec<String> = visitors.iter().map(|row| text(row, "visitorId")).collect();
    assert!(names.len() > 1_200);
    let edit = |add: &[String], remove: &[String]| {
        Effect::EditSegment(SegmentEdit { add: add.to_vec(), remove: remove.to_vec(), ..SegmentEdit::of(System::Pendo, "At risk") })
    };
    bench.systems.perform(&edit(&names[..1_200], &[])).await.unwrap();
    bench.systems.perform(&edit(&names[1_200..1_203], &names[..1_100])).await.unwrap();
    bench.faults("");
    let segments = bench.all(Query::of(System::Pendo, "segment")).await;
    let ours: Vec<&Record> = segments.iter().filter(|row| text(row, "name") == "At risk").collect();
    assert_eq!(ours.len(), 1, "made once although answers were lost");
    let mut members = query(System::Pendo, "visitor", &["visitorId"]);
    members.limit = None;
    let pipeline = serde_json::json!([
        {"source": {"visitors": {"identified": true}}}, {"segment": {"id": text(ours[0], "id")}}, {"select": {"visitorId": "visitorId"}}
    ]);
    let (rows, _) = bench.read(&Source::Aggregation { pipeline, key: "visitorId".into() }, 1_000).await.unwrap();
    let found: Vec<String> = rows.iter().map(|row| text(row, "visitorId")).collect();
    let mut wanted = names[1_100..1_203].to_vec();
    wanted.sort();
    assert_eq!(found, wanted);
    // A segment without members.
    let empty = Effect::EditSegment(SegmentEdit::of(System::Pendo, "Nobody"));
    bench.systems.perform(&empty).await.unwrap();
    assert!(bench.all(Query::of(System::Pendo, "segment")).await.iter().any(|row| text(row, "name") == "Nobody"));
}
