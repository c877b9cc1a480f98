//! Gainsight PX: both styles of pages, filters, windows, writes, segments, and what goes wrong.

use tabi::{
    connectors::{PxOptions, Secret},
    model::{
        Change, Effect, FaultKind, FieldType, Filter, Operator, Query, Record, Reply, Request, SegmentEdit, Source, System, TimeZone, Timestamp,
        Value,
    },
};

use super::bench::{Bench, bench, credential, insert, options, query, record, sandbox, text, update, with};

const PX: System = System::Px;
const DAY: i64 = 86_400_000;

fn one(field: &str, operator: Operator, value: Value) -> Filter {
    Filter::all(vec![(field.to_owned(), operator, value)])
}

/// The queries of the calls of a path so far, decoded.
async fn asked(bench: &Bench, path: &str) -> Vec<String> {
    let requests = bench.requests("px").await;
    let of_path = requests.iter().filter(|request| request["path"].as_str().unwrap().ends_with(path));
    of_path.map(|request| percent_encoding::percent_decode_str(request["query"].as_str().unwrap_or("")).decode_utf8_lossy().into_owned()).collect()
}

async fn user(bench: &Bench, id: &str) -> Record {
    bench.all(Query { filter: Some(one("identifyId", Operator::Equal, Value::text(id))), ..Query::of(PX, "users") }).await.remove(0)
}

#[tokio::test]
async fn users_come_in_scrolls_that_end_though_the_id_goes_on() {
    let bench = bench(30, "").await;
    let (rows, pages) =
        bench.read(&Source::Object(query(PX, "users", &["identifyId", "accountId", "lastSeenDate", "location.city"])), 50).await.unwrap();
    assert!(rows.len() > 200 && pages == rows.len() / 50 + 1, "{} in {pages}", rows.len());
    assert!(rows.iter().all(|row| matches!(row.get("lastSeenDate"), Some(Value::Instant(_) | Value::Null))), "{:?}", rows[0]);
    assert!(rows.iter().all(|row| row.path("location.city").is_some_and(|city| !city.is_blank())), "{:?}", rows[0]);
    let (some, pages) = bench.read(&Source::Object(Query { limit: Some(7), ..query(PX, "users", &["identifyId"]) }), 5).await.unwrap();
    assert_eq!((some.len(), pages), (7, 2));
    // A page that is full and the last: one more call finds nothing.
    let (accounts, pages) = bench.read(&Source::Object(query(PX, "accounts", &["id"])), 30).await.unwrap();
    assert_eq!((accounts.len(), pages), (30, 2));
}

#[tokio::test]
async fn engagements_come_in_numbered_pages_and_say_what_triggers_them_b2() {
    let bench = bench(20, "").await;
    let (rows, pages) = bench.read(&Source::Object(Query::of(PX, "engagements")), 5).await.unwrap();
    // Three pages, asked for twice: no order of the list is documented, so it is read until nothing new comes.
    assert_eq!((rows.len(), pages, bench.count("px", "GET", "/engagement").await), (13, 1, 6));
    let flag = |name: &str| rows.iter().find(|row| text(row, "name") == name).unwrap().get("triggeredByJourney").cloned();
    assert_eq!((flag("Product tour"), flag("Report builder tips")), (Some(Value::Bool(true)), Some(Value::Bool(false))));
    let started = Query { filter: Some(one("state", Operator::Equal, Value::text("started"))), ..Query::of(PX, "engagements") };
    assert_eq!(bench.all(started).await.len(), 11);
    assert!(bench.all(Query::of(PX, "features")).await.len() > 10);
    assert_eq!(bench.all(Query::of(PX, "segment")).await.len(), 3);
    let fault = bench.page(&Source::Object(Query::of(PX, "dragons")), None, 10).await.unwrap_err();
    assert!(fault.kind == FaultKind::NotFound && fault.message.contains("survey_responses"), "{fault}");
}

#[tokio::test]
async fn filters_select_the_same_rows_as_the_filter_itself_and_go_to_px_where_it_can_check_them() {
    let bench = bench(30, "").await;
    let all = bench.all(Query::of(PX, "users")).await;
    let mid = &all[all.len() / 2];
    let value = |field: &str| mid.path(field).unwrap().clone();
    let two = |a: &str, b: &str| Value::List(vec![Value::text(a), Value::text(b)]);
    let cases = [
        (one("lastName", Operator::Equal, value("lastName")), true),
        (one("numberOfVisits", Operator::Greater, value("numberOfVisits")), true),
        (one("lastSeenDate", Operator::LessOrEqual, value("lastSeenDate")), true),
        (one("role", Operator::In, two("admin", "viewer")), true),
        (one("email", Operator::Contains, Value::text("an")), true),
        (one("location.city", Operator::Equal, value("location.city")), true),
        (one("role", Operator::NotEqual, Value::text("user")), false),
        (one("title", Operator::StartsWith, Value::text("V")), false),
        (one("lastName", Operator::Equal, Value::text("a;role==admin")), false),
        (one("phone", Operator::IsNull, Value::Null), false),
    ];
    for (filter, pushed) in cases {
        let before = asked(&bench, "/v1/users").await.len();
        let found = bench.all(Query { filter: Some(filter.clone()), ..Query::of(PX, "users") }).await;
        let wanted: Vec<Record> = all.iter().filter(|row| filter.matches(row, &TimeZone::UTC)).cloned().collect();
        assert_eq!(found, wanted, "{filter:?}");
        let queries = asked(&bench, "/v1/users").await.split_off(before);
        assert_eq!(queries[0].contains("filter="), pushed, "{queries:?}");
    }
}

#[tokio::test]
async fn records_are_found_by_key_fifty_at_a_time() {
    let bench = bench(30, "").await;
    let all = bench.all(query(PX, "users", &["identifyId"])).await;
    let mut keys: Vec<Value> = all.iter().take(120).map(|row| row.get("identifyId").unwrap().clone()).collect();
    keys.extend([Value::text("no;such@user"), Value::text("nobody@x.io")]);
    let before = bench.count("px", "GET", "/users").await;
    let found = bench.lookup(PX, "users", "identifyId", keys, &["email"]).await.unwrap();
    assert_eq!((found.len(), bench.count("px", "GET", "/users").await - before), (120, 4));
    assert!(found.iter().all(|row| row.get("identifyId") == row.get("email")));
    let tours = bench.lookup(PX, "engagements", "name", vec![Value::text("Product tour")], &["state"]).await.unwrap();
    assert_eq!((tours.len(), text(&tours[0], "state").as_str()), (1, "STARTED"));
}

#[tokio::test]
async fn a_feed_gives_the_last_day_or_any_time_in_windows_that_px_allows() {
    let bench = bench(10, "").await;
    let now = bench.sandbox.world().clock.now_ms();
    let at = |days: i64| Value::Instant(Timestamp::from_millisecond(now - days * DAY).unwrap());
    let day = bench.all(Query::of(PX, "sessions")).await;
    let recent = |row: &Record| matches!(row.get("date"), Some(Value::Instant(date)) if date.as_millisecond() >= now - DAY - 60_000);
    assert!(day.iter().all(recent), "{:?}", day.first());
    let before = asked(&bench, "/events/session").await.len();
    let year = bench.all(Query { filter: Some(one("date", Operator::GreaterOrEqual, at(395))), ..Query::of(PX, "sessions") }).await;
    let windows: Vec<String> = asked(&bench, "/events/session").await.split_off(before);
    assert!(windows.len() >= 4, "refused once, then three windows: {windows:?}");
    let mut parts = Vec::new();
    for (from, to) in [(395, 260), (260, 130), (130, -1)] {
        let bounds = vec![("date".to_owned(), Operator::GreaterOrEqual, at(from)), ("date".to_owned(), Operator::Less, at(to))];
        parts.extend(bench.all(Query { filter: Some(Filter::all(bounds)), ..Query::of(PX, "sessions") }).await);
    }
    assert!(year.len() > 100, "{}", year.len());
    assert_eq!(year.len(), parts.len());
    assert_eq!(year, parts, "no event lost or doubled between windows");
    let since = Query { since: Some(("date".to_owned(), Timestamp::from_millisecond(now - 260 * DAY).unwrap())), ..Query::of(PX, "sessions") };
    let later: Vec<Record> =
        year.iter().filter(|row| matches!((row.get("date"), at(260)), (Some(Value::Instant(a)), Value::Instant(b)) if *a >= b)).cloned().collect();
    assert_eq!(bench.all(since).await, later);
}

#[tokio::test]
async fn attributes_are_described_custom_ones_too() {
    let bench = bench(10, "").await;
    let describe = async |object: &str| match bench.systems.perform(&Effect::Describe { system: PX, object: object.into() }).await {
        Ok(Reply::Schema(schema)) => schema,
        other => panic!("{other:?}"),
    };
    let users = describe("users").await;
    let kind = |name: &str| users.field(name).unwrap_or_else(|| panic!("no {name}")).kind.clone();
    assert_eq!(kind("customAttributes.champion"), FieldType::Bool);
    assert_eq!(kind("customAttributes.trainedOn"), FieldType::DateTime { millis: true });
    assert!(users.field("identifyId").unwrap().key && !users.field("numberOfVisits").unwrap().updateable);
    assert!(describe("accounts").await.field("name").unwrap().required);
    assert!(describe("survey_responses").await.field("score").is_some());
}

#[tokio::test]
async fn users_and_accounts_are_written_and_a_bad_row_is_only_itself() {
    let bench = bench(20, "").await;
    let ids: Vec<String> = bench.all(query(PX, "users", &["identifyId"])).await.iter().take(3).map(|row| text(row, "identifyId")).collect();
    let when: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let rows = vec![
        update(
            &ids[0],
            &[("title", Value::text("Boss")), ("customAttributes.trainedOn", Value::Instant(when)), ("customAttributes.trainings", Value::Int(2))],
        ),
        update(&ids[1], &[("customAttributes.shoeSize", Value::Int(9))]),
        update("nobody@x.io", &[("title", Value::text("Ghost"))]),
        insert("new", &[("identifyId", Value::text("new/user@x.io")), ("firstName", Value::text("New"))]),
        insert("again", &[("identifyId", Value::text(&ids[2]))]),
        Change::Upsert {
            key: "up".into(),
            by: "identifyId".into(),
            fields: record(&[("identifyId", Value::text(&ids[2])), ("role", Value::text("chief"))]),
        },
        update(&ids[1], &[("customAttributes.trainedOn", Value::Null)]),
    ];
    let outcomes = bench.write(PX, "users", rows).await.unwrap();
    let kinds: Vec<Option<FaultKind>> = outcomes.iter().map(|outcome| outcome.fault.as_ref().map(|fault| fault.kind)).collect();
    let (invalid, missing) = (Some(FaultKind::Invalid), Some(FaultKind::NotFound));
    assert_eq!(kinds, [None, invalid, missing, None, invalid, None, invalid]);
    assert_eq!(outcomes[1].fault.as_ref().unwrap().field.as_deref(), Some("customAttributes.shoeSize"));
    assert!(outcomes[3].created && !outcomes[5].created);
    let now = user(&bench, &ids[0]).await;
    assert_eq!((text(&now, "title"), text(&now, "customAttributes.trainings")), ("Boss".into(), "2".into()));
    assert_eq!(now.path("customAttributes.trainedOn"), Some(&Value::Instant(when)));
    assert_eq!(text(&user(&bench, &ids[2]).await, "role"), "chief");
    let gone = bench.write(PX, "users", vec![Change::Delete { key: "x".into(), id: "new/user@x.io".into(), before: Record::new() }]).await.unwrap();
    assert!(gone[0].fault.is_none());
    let account = bench.all(query(PX, "accounts", &["id"])).await.remove(0);
    let written = bench.write(PX, "accounts", vec![update(&text(&account, "id"), &[("healthScore", Value::Float(71.5))])]).await.unwrap();
    assert!(written[0].fault.is_none(), "{written:?}");
    let fault = bench.write(PX, "sessions", vec![update("x", &[])]).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Invalid);
}

#[tokio::test]
async fn engagements_are_started_and_paused_and_nothing_else_b2() {
    let bench = bench(10, "").await;
    let id = text(&bench.lookup(PX, "engagements", "name", vec![Value::text("Admin tour")], &[]).await.unwrap()[0], "id");
    for state in ["STARTED", "PAUSED"] {
        let outcome = bench.write(PX, "engagements", vec![update(&id, &[("state", Value::text(state))])]).await.unwrap();
        assert!(outcome[0].fault.is_none(), "{outcome:?}");
        let now = bench.lookup(PX, "engagements", "id", vec![Value::text(&id)], &["state"]).await.unwrap();
        assert_eq!(text(&now[0], "state"), state);
    }
    let outcome = bench.write(PX, "engagements", vec![update(&id, &[("name", Value::text("Other"))])]).await.unwrap();
    assert_eq!(outcome[0].fault.as_ref().unwrap().field.as_deref(), Some("name"));
}

#[tokio::test]
async fn a_segment_is_made_once_and_its_members_see_the_engagement_b10() {
    let bench = bench(20, "").await;
    let tour = text(&bench.lookup(PX, "engagements", "name", vec![Value::text("Product tour")], &[]).await.unwrap()[0], "id");
    let ids: Vec<String> = bench.all(query(PX, "users", &["identifyId"])).await.iter().take(6).map(|row| text(row, "identifyId")).collect();
    let name = format!("tabi:onboarding:tour:{tour}");
    let edit = |add: &[String], remove: &[String]| {
        Effect::EditSegment(SegmentEdit { add: add.to_vec(), remove: remove.to_vec(), ..SegmentEdit::of(PX, &name) })
    };
    assert_eq!(bench.systems.perform(&edit(&[], &[])).await, Ok(Reply::Done));
    assert_eq!(bench.systems.perform(&edit(&ids, &[])).await, Ok(Reply::Done));
    assert_eq!(bench.systems.perform(&edit(&ids[..1], &ids[4..])).await, Ok(Reply::Done));
    let segments = bench.all(Query::of(PX, "segments")).await;
    assert_eq!(segments.iter().filter(|segment| text(segment, "name") == name).count(), 1);
    let model = Record::from_iter([("visit_probability".into(), Value::Float(1.0)), ("view_rate".into(), Value::Float(1.0))]);
    let url = format!("{}/_sandbox/behaviour", bench.sandbox.base_url("px").unwrap());
    assert!(reqwest::Client::new().post(url).json(&model).send().await.unwrap().status().is_success());
    bench.sandbox.world().clock.advance_ms(2 * DAY);
    let aimed = |row: &Record| text(row, "engagementId") == tour && text(row, "guideState") == "VIEWED";
    let since = Value::Instant(Timestamp::from_millisecond(bench.sandbox.world().clock.now_ms() - 3 * DAY).unwrap());
    let views = bench.all(Query { filter: Some(one("date", Operator::GreaterOrEqual, since)), ..Query::of(PX, "engagement_views") }).await;
    let mut seen: Vec<String> = views.iter().filter(|row| aimed(row)).map(|row| text(row, "identifyId")).collect();
    seen.sort();
    let mut wanted = ids[..4].to_vec();
    wanted.sort();
    assert_eq!(seen, wanted);
}

#[tokio::test]
async fn a_custom_event_gets_the_product_key() {
    let bench = bench(10, "").await;
    let id = text(&bench.all(query(PX, "users", &["identifyId"])).await[0], "identifyId");
    let event = record(&[("eventName", Value::text("Paid")), ("identifyId", Value::text(&id)), ("userType", Value::text("USER"))]);
    let request =
        Request { system: PX, method: "POST".into(), path: "/v1/events/custom".into(), query: Record::new(), body: Some(Value::Map(event)) };
    bench.systems.perform(&Effect::Request(request)).await.unwrap();
    let found = bench.all(Query { filter: Some(one("eventName", Operator::Equal, Value::text("Paid"))), ..Query::of(PX, "custom_events") }).await;
    assert_eq!((found.len(), text(&found[0], "propertyKey")), (1, credential(&bench.sandbox, "px", "product_key")));
}

#[tokio::test]
async fn every_fault_is_outlasted_and_writes_end_as_they_should() {
    let bench = bench(20, "").await;
    let all = bench.all(Query::of(PX, "users")).await;
    for fault in ["429", "500", "503", "html", "reset", "truncate", "expired"] {
        bench.faults(&format!("px:{fault}@0.2"));
        assert_eq!(bench.all(Query::of(PX, "users")).await.len(), all.len(), "{fault}");
        let ids: Vec<String> = all.iter().take(20).map(|row| text(row, "identifyId")).collect();
        let rows = ids.iter().map(|id| update(id, &[("title", Value::text(fault))])).collect();
        let outcomes = bench.write(PX, "users", rows).await.unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.fault.is_none()), "{fault}: {outcomes:?}");
        bench.faults("");
        let found = bench.lookup(PX, "users", "identifyId", ids.iter().map(Value::text).collect(), &["title"]).await.unwrap();
        assert!(found.iter().all(|row| text(row, "title") == fault), "{fault}");
    }
    bench.faults("px:reset_after@1");
    let made = bench.write(PX, "users", vec![insert("n", &[("identifyId", Value::text("n@x.io"))])]).await.unwrap();
    assert_eq!(made[0].fault.as_ref().unwrap().code.as_deref(), Some("UNKNOWN_OUTCOME"));
    bench.faults("px:limit@1");
    let fault = bench.page(&Source::Object(Query::of(PX, "users")), None, 10).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::LimitExceeded);
}

#[tokio::test]
async fn a_wrong_key_is_denied_and_names_the_setting() {
    let sandbox = sandbox(10, "").await;
    let mut options = options(&sandbox);
    let base = credential(&sandbox, "px", "base_url");
    options.px = Some(PxOptions::new(format!("{base}/v1"), Secret::new("wrong"), None));
    let bench = with(sandbox, options);
    let fault = bench.page(&Source::Object(Query::of(PX, "users")), None, 10).await.unwrap_err();
    assert!(fault.kind == FaultKind::Denied && fault.message.contains("[px] api_key") && !fault.message.contains("wrong"), "{fault}");
}
