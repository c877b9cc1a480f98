//! Gainsight: objects in pages, lookups, writes with bad rows among them, people, calls to action.

use tabi::{
    connectors::{GainsightAuth, GainsightLimits, GainsightOptions, Secret},
    model::{Change, Condition, Effect, FaultKind, FieldType, Filter, Operator, Query, Record, Reply, Request, Source, System, TimeZone, Value},
};

use super::bench::{Bench, bench, credential, insert, options, query, record, sandbox, text, update, with};

const GS: System = System::Gainsight;

async fn companies(bench: &Bench) -> Vec<Record> {
    bench.all(query(GS, "Company", &["Gsid", "Name", "SfdcAccountId", "RenewalDate", "CurrentScore"])).await
}

#[tokio::test]
async fn companies_come_in_pages_with_dates_typed() {
    let bench = bench(60, "").await;
    let (rows, pages) = bench.read(&Source::Object(query(GS, "Company", &["Gsid", "Name", "RenewalDate", "CreatedDate"])), 10).await.unwrap();
    assert!(rows.len() > 30 && pages >= rows.len() / 10, "{} in {pages}", rows.len());
    assert!(rows.iter().all(|row| matches!(row.get("RenewalDate"), Some(Value::Date(_) | Value::Null))), "{:?}", rows[0]);
    assert!(rows.iter().all(|row| matches!(row.get("CreatedDate"), Some(Value::Instant(_) | Value::Null))), "{:?}", rows[0]);
    let (some, _) = bench.read(&Source::Object(Query { limit: Some(7), ..query(GS, "Company", &["Gsid"]) }), 4).await.unwrap();
    assert_eq!(some.len(), 7);
}

#[tokio::test]
async fn a14_customer_info_is_companies_by_other_names() {
    let bench = bench(40, "").await;
    let companies = companies(&bench).await;
    let info = bench.all(query(GS, "customer_info", &["AccountId", "HealthScore", "RenewalDate"])).await;
    assert_eq!(info.len(), companies.len());
    for (info, company) in info.iter().zip(&companies) {
        assert_eq!(info.get("AccountId"), company.get("SfdcAccountId"));
        assert_eq!(info.get("HealthScore"), company.get("CurrentScore"));
        assert_eq!(info.get("RenewalDate"), company.get("RenewalDate"));
        assert_eq!(info.len(), 3);
    }
    let Ok(Reply::Schema(schema)) = bench.systems.perform(&Effect::Describe { system: GS, object: "customer_info".into() }).await else {
        panic!("no schema")
    };
    assert!(schema.field("AccountId").is_some() && schema.field("HealthScore").is_some() && schema.field("SfdcAccountId").is_none());
    assert_eq!(schema.field("RenewalDate").unwrap().kind, FieldType::Date);
    let ids: Vec<Value> = info.iter().take(5).map(|row| row.get("AccountId").unwrap().clone()).collect();
    let found = bench.lookup(GS, "customer_info", "AccountId", ids, &["HealthScore"]).await.unwrap();
    assert_eq!(found.len(), 5);
    assert!(found.iter().all(|row| row.get("AccountId").is_some() && row.get("HealthScore").is_some() && row.get("Gsid").is_some()));
}

fn demand(field: &str, operator: Operator, value: Value) -> Condition {
    Condition { label: "a".to_owned(), field: field.to_owned(), operator, value }
}

#[tokio::test]
async fn what_the_reader_demands_anyway_is_left_to_gainsight_where_it_can_tell() {
    let bench = bench(200, "").await;
    let people = query(GS, "Person", &[]);
    let all = bench.all(people.clone()).await;
    let demanded = |demands: Vec<Condition>| bench.all(Query { demands, ..people.clone() });
    let onboarding = |row: &Record| row.get("Lifecycle__gc") == Some(&Value::text("onboarding"));
    let seats = |row: &Record| row.get("Seats__gc").and_then(Value::as_i64).unwrap();
    let new = || demand("lifecycle", Operator::Equal, Value::text("onboarding"));
    let met: Vec<Record> = all.iter().filter(|row| onboarding(row)).cloned().collect();
    assert!(!met.is_empty() && met.len() < all.len() / 4, "{} of {}", met.len(), all.len());
    assert_eq!(demanded(vec![new()]).await, met, "by its one spelling");
    assert_eq!(demanded(vec![demand("Lifecycle__gc", Operator::In, Value::List(vec![Value::text("onboarding")]))]).await, met);
    let large: Vec<Record> = met.iter().filter(|row| seats(row) > 20).cloned().collect();
    assert!(!large.is_empty() && large.len() < met.len());
    assert_eq!(
        demanded(vec![new(), demand("seats", Operator::Greater, Value::Int(20)), demand("is_active", Operator::Equal, Value::Bool(true))]).await,
        large
    );
    // What cannot be said is no reason to leave anybody out: a field that is not there, a value that does not fit, choices, days.
    for odd in [
        demand("naem", Operator::Equal, Value::text("x")),
        demand("SEATS", Operator::Equal, Value::Int(20)),
        demand("is_active", Operator::Equal, Value::text("perhaps")),
        demand("created_date", Operator::Equal, Value::text("2026-01-01")),
    ] {
        assert_eq!(demanded(vec![odd.clone()]).await.len(), all.len(), "{odd:?}");
    }
    // A field that is not there comes first: the reader is to find it missing.
    assert_eq!(demanded(vec![demand("naem", Operator::Equal, Value::text("x")), new()]).await.len(), all.len());
    let companies = query(GS, "Company", &["Gsid", "Stage"]);
    let every = bench.all(companies.clone()).await.len();
    let stage = vec![demand("stage", Operator::Equal, Value::text("Onboarding"))];
    assert_eq!(bench.all(Query { demands: stage, ..companies }).await.len(), every, "choices are kept by id");
    // The filter of the source holds besides.
    let filter = Some(Filter::all(vec![("Stage".to_owned(), Operator::NotEqual, Value::text("Onboarding"))]));
    let both =
        Query { filter, demands: vec![demand("seats", Operator::Less, Value::Int(20))], ..query(GS, "Company", &["Gsid", "Stage", "Seats__gc"]) };
    let rows = bench.all(both).await;
    assert!(!rows.is_empty() && rows.iter().all(|row| seats(row) < 20 && row.get("Stage") != Some(&Value::text("Onboarding"))));
}

#[tokio::test]
async fn filters_select_the_same_rows_as_the_filter_itself() {
    let bench = bench(80, "").await;
    let fields = ["Gsid", "Name", "Arr", "RenewalDate", "Stage", "CurrentScore"];
    let all = bench.all(query(GS, "Company", &fields)).await;
    let mid = &all[all.len() / 2];
    let value = |field: &str| mid.get(field).unwrap().clone();
    let one = |field: &str, operator, value| Filter::all(vec![(field.to_owned(), operator, value)]);
    let start: String = text(mid, "Name").chars().take(3).collect();
    let filters = [
        one("Name", Operator::Equal, value("Name")),
        one("Name", Operator::StartsWith, Value::text(&start)),
        one("Name", Operator::NotEqual, value("Name")),
        one("Arr", Operator::Greater, value("Arr")),
        one("RenewalDate", Operator::GreaterOrEqual, Value::text("2027-01-01")),
        one("Stage", Operator::Equal, value("Stage")),
        one("CurrentScore", Operator::IsNull, Value::Null),
        one("Name", Operator::NotIn, Value::List(vec![value("Name")])),
        one("Gsid", Operator::In, Value::List(vec![value("Gsid"), Value::text("1P02NOTTHERE")])),
        Filter::all(vec![("Arr".into(), Operator::Greater, Value::Int(1000)), ("Name".into(), Operator::Contains, Value::text("a"))]),
    ];
    for filter in filters {
        let wanted: Vec<&Record> = all.iter().filter(|row| filter.matches(row, &TimeZone::UTC)).collect();
        let found = bench.all(Query { filter: Some(filter.clone()), ..query(GS, "Company", &fields) }).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{filter:?}");
    }
}

#[tokio::test]
async fn bad_rows_fail_alone_although_the_call_is_refused_whole() {
    let bench = bench(200, "").await;
    let companies = companies(&bench).await;
    let mut rows: Vec<Change> = companies.iter().take(120).map(|row| update(&text(row, "Gsid"), &[("Arr", Value::Int(4711))])).collect();
    rows[11] = update(&text(&companies[11], "Gsid"), &[("RenewalDate", Value::text("31-31-2027"))]);
    rows[77] = update(&text(&companies[77], "Gsid"), &[("Arr", Value::text("many"))]);
    rows[40] = update("1P02GONEGONEGONEGONEGONEGONEGONEGONEX", &[("Arr", Value::Int(1))]);
    let outcomes = bench.write(GS, "Company", rows).await.unwrap();
    let failed: Vec<usize> = outcomes.iter().enumerate().filter(|(_, outcome)| outcome.fault.is_some()).map(|(at, _)| at).collect();
    assert_eq!(failed, [11, 40, 77]);
    let fault = outcomes[11].fault.as_ref().unwrap();
    assert_eq!((fault.code.as_deref(), fault.field.as_deref()), (Some("GSOBJ_1006"), Some("RenewalDate")), "{fault}");
    let keys = vec![companies[0].get("Gsid").unwrap().clone()];
    let found = bench.lookup(GS, "Company", "Gsid", keys, &["Arr"]).await.unwrap();
    assert_eq!(found[0].get("Arr").unwrap().as_f64(), Some(4711.0));
}

#[tokio::test]
async fn a15_rows_are_inserted_upserted_and_deleted() {
    let bench = bench(20, "").await;
    let fresh = (0..60).map(|n| insert(&n.to_string(), &[("Name", Value::text(format!("New {n}")))])).collect();
    let outcomes = bench.write(GS, "Company", fresh).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.created && outcome.id.is_some()), "{:?}", outcomes[0]);
    let upsert = |name: &str| Change::Upsert {
        key: name.into(),
        by: "Name".into(),
        fields: record(&[("Name", Value::text(name)), ("Employees", Value::Int(7))]),
    };
    let outcomes = bench.write(GS, "Company", vec![upsert("New 3"), upsert("Newer")]).await.unwrap();
    assert_eq!(outcomes.iter().map(|outcome| outcome.created).collect::<Vec<_>>(), [false, true], "{outcomes:?}");
    let id = outcomes[1].id.clone().unwrap();
    let gone = Change::Delete { key: "Newer".into(), id: id.clone(), before: Record::new() };
    assert!(bench.write(GS, "Company", vec![gone]).await.unwrap()[0].fault.is_none());
    assert!(bench.lookup(GS, "Company", "Gsid", vec![Value::text(id)], &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a15_people_go_by_their_address() {
    let bench = bench(20, "").await;
    let company = text(&companies(&bench).await[0], "Gsid");
    let person = |email: &str, name: &str| {
        let fields =
            [("Email", Value::text(email)), ("FirstName", Value::text(name)), ("LastName", Value::text("Li")), ("Company_ID", Value::text(&company))];
        insert(email, &fields)
    };
    let outcomes = bench.write(GS, "Person", vec![person("ann@new.example", "Ann"), person("not an address", "Bob")]).await.unwrap();
    assert!(outcomes[0].fault.is_none(), "{outcomes:?}");
    assert!(outcomes[1].fault.is_some());
    let found = bench.lookup(GS, "Person", "Email", vec![Value::text("ann@new.example")], &["FirstName"]).await.unwrap();
    assert_eq!(text(&found[0], "FirstName"), "Ann");
    let change = update(&text(&found[0], "Gsid"), &[("FirstName", Value::text("Anna"))]);
    assert!(bench.write(GS, "Person", vec![change]).await.unwrap()[0].fault.is_none());
    let found = bench.lookup(GS, "Person", "Email", vec![Value::text("ann@new.example")], &["FirstName"]).await.unwrap();
    assert_eq!((found.len(), text(&found[0], "FirstName")), (1, "Anna".to_owned()));
}

#[tokio::test]
async fn a16_a_call_to_action_is_made_found_and_changed_by_labels() {
    let bench = bench(20, "").await;
    let company = text(&companies(&bench).await[0], "Gsid");
    let cta = |name: &str, company: &str| {
        insert(
            name,
            &[
                ("Name", Value::text(name)),
                ("CompanyId", Value::text(company)),
                ("Type", Value::text("Risk")),
                ("Reason", Value::text("Adoption")),
                ("Priority", Value::text("High")),
                ("Status", Value::text("New")),
                ("DueDate", Value::Date("2027-01-31".parse().unwrap())),
            ],
        )
    };
    let outcomes = bench.write(GS, "call_to_action", vec![cta("Falling usage", &company), cta("Nobody's", "1P02NOSUCHCOMPANY")]).await.unwrap();
    assert!(outcomes[0].created && outcomes[0].id.is_some(), "{outcomes:?}");
    assert!(outcomes[1].fault.is_some());
    let fields = ["Name", "Type", "Reason", "Priority", "Status", "DueDate", "IsClosed"];
    let found = bench.lookup(GS, "call_to_action", "CompanyId", vec![Value::text(&company)], &fields).await.unwrap();
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!([text(&found[0], "Type"), text(&found[0], "Reason"), text(&found[0], "Priority")], ["Risk", "Adoption", "High"]);
    assert_eq!(found[0].get("DueDate"), Some(&Value::Date("2027-01-31".parse().unwrap())));
    assert_eq!(found[0].get("IsClosed"), Some(&Value::Bool(false)));
    let change = update(outcomes[0].id.as_ref().unwrap(), &[("Priority", Value::text("Low"))]);
    let changed = bench.write(GS, "call_to_action", vec![change]).await.unwrap();
    assert!(changed[0].fault.is_none(), "{changed:?}");
    let found = bench.lookup(GS, "call_to_action", "CompanyId", vec![Value::text(&company)], &fields).await.unwrap();
    assert_eq!(text(&found[0], "Priority"), "Low");
}

#[tokio::test]
async fn a16_scores_are_rows_that_a_native_rule_reads() {
    let bench = bench(20, "").await;
    let company = companies(&bench).await[0].get("Gsid").unwrap().clone();
    let score = insert("s", &[("CompanyId__gc", company.clone()), ("Measure__gc", Value::text("Product usage")), ("Score__gc", Value::Int(60))]);
    let outcomes = bench.write(GS, "measure_scores__gc", vec![score]).await.unwrap();
    assert!(outcomes[0].fault.is_none(), "{outcomes:?}");
    let found = bench.lookup(GS, "Company", "Gsid", vec![company], &["CurrentScore"]).await.unwrap();
    assert_eq!(found[0].get("CurrentScore").unwrap().as_f64(), Some(60.0));
}

#[tokio::test]
async fn every_passing_fault_leaves_reads_and_updates_right() {
    for kind in ["429", "500", "503", "html", "reset", "reset_after", "truncate", "slow=1", "expired", "limit"] {
        let bench = bench(120, &format!("gainsight:{kind}@0.2")).await;
        let companies = companies(&bench).await;
        assert!(companies.len() > 60, "{kind}");
        let rows = companies.iter().zip(0..).map(|(row, n)| update(&text(row, "Gsid"), &[("Employees", Value::Int(n))])).collect();
        let outcomes = bench.write(GS, "Company", rows).await.unwrap_or_else(|fault| panic!("{kind}: {fault}"));
        let faults: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.fault.as_ref()).collect();
        assert!(faults.is_empty(), "{kind}: {faults:?}");
        let keys = companies.iter().map(|row| row.get("Gsid").unwrap().clone()).collect();
        let mut found = bench.lookup(GS, "Company", "Gsid", keys, &["Employees"]).await.unwrap();
        found.sort_by_key(|row| row.get("Employees").unwrap().as_i64());
        assert_eq!(found.len(), companies.len());
        for (n, row) in found.iter().enumerate() {
            assert_eq!(text(row, "Gsid"), text(&companies[n], "Gsid"), "{kind}");
        }
    }
}

#[tokio::test]
async fn an_insert_whose_answer_is_lost_is_not_repeated() {
    let bench = bench(20, "").await;
    companies(&bench).await;
    bench.faults("gainsight:reset_after@1");
    let outcomes = bench.write(GS, "Company", vec![insert("a", &[("Name", Value::text("Once"))])]).await.unwrap();
    assert_eq!(outcomes[0].fault.as_ref().unwrap().code.as_deref(), Some("UNKNOWN_OUTCOME"));
    bench.faults("");
    assert_eq!(bench.lookup(GS, "Company", "Name", vec![Value::text("Once")], &[]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_wrong_key_is_denied_and_a_used_up_day_is_told() {
    let sandbox = sandbox(5, "").await;
    let domain = sandbox.base_url("gainsight").unwrap().to_owned();
    let mut wrong = options(&sandbox);
    wrong.gainsight = Some(GainsightOptions::new(&domain, GainsightAuth::AccessKey(Secret::from("wrong"))));
    let mut used_up = options(&sandbox);
    used_up.gainsight.as_mut().unwrap().limits = Some(GainsightLimits { per_minute: 1_000, per_day: 2 });
    let bench = with(sandbox, wrong);
    let source = Source::Object(query(GS, "Company", &["Gsid"]));
    let fault = bench.page(&source, None, 10).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Denied);
    assert!(fault.message.contains("access_key") && !fault.message.contains("wrong"), "{fault}");
    let bench = with(bench.sandbox, used_up);
    bench.page(&source, None, 10).await.unwrap();
    let fault = bench.page(&source, None, 10).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::LimitExceeded);
}

#[tokio::test]
async fn a_token_is_fetched_renewed_and_shared() {
    let sandbox = sandbox(40, "").await;
    let get = |key| credential(&sandbox, "gainsight", key);
    let client = |secret: &str| GainsightAuth::Client { client_id: get("client_id"), client_secret: Secret::from(secret) };
    let domain = get("base_url");
    let mut right = options(&sandbox);
    right.gainsight = Some(GainsightOptions::new(&domain, client(&get("client_secret"))));
    let mut wrong = options(&sandbox);
    wrong.gainsight = Some(GainsightOptions::new(&domain, client("wrong")));
    let bench = with(sandbox, right);
    companies(&bench).await;
    assert_eq!(bench.count("gainsight", "POST", "/oauth/token").await, 1);
    bench.faults("gainsight:expired@0.2");
    for _ in 0..10 {
        assert!(!companies(&bench).await.is_empty());
    }
    bench.faults("");
    let bench = with(bench.sandbox, wrong);
    let fault = bench.page(&Source::Object(query(GS, "Company", &["Gsid"])), None, 10).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Denied);
    assert!(fault.message.contains("client_secret"), "{fault}");
}

#[tokio::test]
async fn unknown_objects_and_fields_are_not_found() {
    let bench = bench(5, "").await;
    let fault = bench.page(&Source::Object(query(GS, "Nowhere__gc", &["Gsid"])), None, 10).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound, "{fault}");
    let fault = bench.page(&Source::Object(query(GS, "Company", &["Nope__gc"])), None, 10).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound, "{fault}");
}

#[tokio::test]
async fn any_call_of_the_api_can_be_made_and_objects_are_listed() {
    let bench = bench(5, "").await;
    let body: Value = serde_json::json!({"select": ["Name"], "limit": 1}).into();
    let path = "/v1/data/objects/query/Company".to_owned();
    let request = Request { system: GS, method: "POST".into(), path, query: Record::new(), body: Some(body) };
    let Ok(Reply::Value(Value::Map(answer))) = bench.systems.perform(&Effect::Request(request)).await else { panic!("no answer") };
    assert_eq!(answer.get("result"), Some(&Value::Bool(true)));
    let Ok(Reply::Value(Value::List(names))) = bench.systems.perform(&Effect::Objects { system: GS }).await else { panic!("no list") };
    assert!(names.contains(&Value::text("customer_info")) && names.contains(&Value::text("Company")), "{names:?}");
}
