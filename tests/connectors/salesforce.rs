//! Salesforce: every login, reading in pages, typed fields, lookups, writes of every kind, new fields.

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use tabi::{
    connectors::{Options, SalesforceAuth, Secret},
    model::{
        Change, Choices, Condition, CreateField, Effect, FaultKind, FieldType, Filter, Logic, Operator, Query, Record, Reply, Request, Source,
        System, TimeZone, Timestamp, Value,
    },
};

use super::bench::{Bench, bench, credential, field, insert, options, query, quick, record, salesforce_options, sandbox, text, update, with};

const SF: System = System::Salesforce;
/// The sandbox's standing one.
const REFRESH_TOKEN: &str = "5Aep861sandboxRefreshToken0001";

async fn ids(bench: &Bench, most: u64) -> Vec<String> {
    let mut wanted = query(SF, "Account", &["Id"]);
    wanted.limit = Some(most);
    bench.all(wanted).await.iter().map(|row| text(row, "Id")).collect()
}

async fn log_in(bench: &Bench) -> Result<usize, tabi::model::Fault> {
    match bench.systems.perform(&Effect::Objects { system: SF }).await? {
        Reply::Value(Value::List(names)) => Ok(names.len()),
        other => panic!("{other:?}"),
    }
}

/// An RSA key in PEM form, made now and used nowhere else.
fn private_key() -> String {
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64_STANDARD.encode(der.as_ref()))
}

#[tokio::test]
async fn every_login_lets_in() {
    let sandbox = sandbox(5, "").await;
    let get = |key| credential(&sandbox, "salesforce", key);
    let secret = |key| Secret::new(get(key));
    let password = |client| SalesforceAuth::Password {
        username: get("username"),
        password: secret("password"),
        security_token: Some(secret("security_token")),
        client,
    };
    let all = [
        SalesforceAuth::ClientCredentials { client_id: get("client_id"), client_secret: secret("client_secret") },
        password(Some((get("client_id"), secret("client_secret")))),
        password(None),
        SalesforceAuth::AccessToken { access_token: secret("access_token") },
        SalesforceAuth::JwtBearer {
            client_id: get("client_id"),
            username: get("username"),
            private_key: Secret::from(private_key()),
            audience: None,
        },
        SalesforceAuth::RefreshToken {
            client_id: get("client_id"),
            client_secret: Some(secret("client_secret")),
            refresh_token: Secret::from(REFRESH_TOKEN),
            on_rotate: None,
            read_again: None,
        },
    ];
    for auth in all {
        let shown = format!("{auth:?}");
        assert!(!shown.contains(&get("password")) && !shown.contains(&get("client_secret")), "{shown}");
        let mut options = Options::new(Timestamp::now);
        options.http = quick();
        options.salesforce = Some(tabi::connectors::SalesforceOptions { auth, ..salesforce_options(&sandbox) });
        let systems = tabi::connectors::Systems::new(options, tabi::connectors::Stop::new()).unwrap();
        let answer = systems.perform(&Effect::Objects { system: SF }).await;
        assert!(matches!(answer, Ok(Reply::Value(_))), "{shown}: {answer:?}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_denied_and_named() {
    let sandbox = sandbox(5, "").await;
    let get = |key| credential(&sandbox, "salesforce", key);
    let all = [
        (SalesforceAuth::ClientCredentials { client_id: get("client_id"), client_secret: Secret::from("wrong") }, "client_secret"),
        (
            SalesforceAuth::Password { username: get("username"), password: Secret::from("wrong"), security_token: None, client: None },
            "security_token",
        ),
        (SalesforceAuth::AccessToken { access_token: Secret::from("wrong") }, "access_token"),
        (
            SalesforceAuth::RefreshToken {
                client_id: get("client_id"),
                client_secret: None,
                refresh_token: Secret::from("wrong"),
                on_rotate: None,
                read_again: None,
            },
            "refresh_token",
        ),
        (
            SalesforceAuth::JwtBearer {
                client_id: get("client_id"),
                username: get("username"),
                private_key: Secret::from("no key at all"),
                audience: None,
            },
            "private_key",
        ),
    ];
    for (auth, key) in all {
        let mut options = options(&sandbox);
        options.salesforce = Some(tabi::connectors::SalesforceOptions { auth, ..salesforce_options(&sandbox) });
        let systems = tabi::connectors::Systems::new(options, tabi::connectors::Stop::new()).unwrap();
        let fault = systems.perform(&Effect::Objects { system: SF }).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Denied, "{key}: {fault}");
        assert!(fault.message.contains(key), "{fault}");
        assert!(!fault.message.contains("wrong\""), "{fault}");
    }
}

#[tokio::test]
async fn a_session_that_ends_is_renewed_once_for_all_calls() {
    let bench = bench(60, "").await;
    let ids = ids(&bench, 60).await;
    let logins = bench.count("salesforce", "POST", "/token").await;
    assert_eq!(logins, 1);
    bench.faults("salesforce:expired@0.2");
    for _ in 0..20 {
        let keys = ids.iter().map(Value::text).collect();
        assert_eq!(bench.lookup(SF, "Account", "Id", keys, &["Name"]).await.unwrap().len(), 60);
    }
}

#[tokio::test]
async fn records_come_in_pages_typed_and_in_the_spelling_asked_for() {
    let bench = bench(450, "").await;
    let fields = ["Id", "name", "Owner.Name", "CreatedDate", "Renewal_Date__c", "NumberOfEmployees"];
    let (rows, pages) = bench.read(&Source::Object(query(SF, "Account", &fields)), 200).await.unwrap();
    assert_eq!((rows.len(), pages), (450, 3));
    let ids: Vec<String> = rows.iter().map(|row| text(row, "Id")).collect();
    assert!(ids.is_sorted());
    for row in &rows {
        assert!(matches!(row.get("name"), Some(Value::Text(_))), "{row:?}");
        assert!(matches!(row.get("CreatedDate"), Some(Value::Instant(_))), "{row:?}");
        assert!(matches!(row.path("Owner.Name"), Some(Value::Text(_))), "{row:?}");
        assert!(matches!(row.get("Renewal_Date__c"), Some(Value::Date(_) | Value::Null)), "{row:?}");
        assert_eq!(row.len(), fields.len());
    }
    let every = bench.all(Query { limit: Some(3), ..Query::of(SF, "Account") }).await;
    assert!(every.len() == 3 && every[0].len() > 40, "without fields, all of them");
}

#[tokio::test]
async fn whole_statements_are_read() {
    let bench = bench(300, "").await;
    let read = |soql: &str| Source::Soql(soql.to_owned());
    let (rows, pages) = bench.read(&read("SELECT Id, Account.Name, CreatedDate FROM Contact ORDER BY Id"), 2_000).await.unwrap();
    assert_eq!((rows.len(), pages), (3_000, 2));
    assert!(matches!(rows[0].get("CreatedDate"), Some(Value::Instant(_))));
    assert!(matches!(rows[0].path("Account.Name"), Some(Value::Text(_))));
    let (rows, _) = bench.read(&read("SELECT Type, COUNT(Id) n FROM Account GROUP BY Type"), 2_000).await.unwrap();
    let counted: i64 = rows.iter().map(|row| row.get("n").unwrap().as_i64().unwrap()).sum();
    assert_eq!(counted, 300);
    let (rows, _) = bench.read(&read("SELECT Name, (SELECT Email FROM Contacts) FROM Account LIMIT 2"), 2_000).await.unwrap();
    let Some(Value::List(contacts)) = rows[0].get("Contacts") else { panic!("{rows:?}") };
    assert!(matches!(&contacts[0], Value::Map(contact) if contact.get("Email").is_some() && contact.get("attributes").is_none()));
    for (soql, kind) in [("SELECT Id FROM Nowhere", FaultKind::NotFound), ("SELECT Nothing FROM Account", FaultKind::NotFound)] {
        assert_eq!(bench.page(&read(soql), None, 10).await.unwrap_err().kind, kind, "{soql}");
    }
    let fault = bench.page(&read("SELEKT Id FROM Account"), None, 10).await.unwrap_err();
    assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Invalid, Some("MALFORMED_QUERY")));
}

#[tokio::test]
async fn filters_select_the_same_rows_as_the_filter_itself() {
    let bench = bench(150, "").await;
    let fields = ["Id", "Name", "NumberOfEmployees", "Renewal_Date__c", "CreatedDate", "Churn_Risk__c", "AnnualRevenue"];
    let all = bench.all(query(SF, "Account", &fields)).await;
    let mid = &all[70];
    let one = |field: &str, operator, value| Filter::all(vec![(field.to_owned(), operator, value)]);
    let value = |field: &str| mid.get(field).unwrap().clone();
    let name: String = text(mid, "Name").chars().take(4).collect();
    let part = |label: &str, field: &str, operator, value| Condition { label: label.into(), field: field.into(), operator, value };
    let filters = [
        one("Name", Operator::Equal, value("Name")),
        one("Name", Operator::StartsWith, Value::text(&name)),
        one("Name", Operator::Contains, Value::text("o'r_%")),
        one("NumberOfEmployees", Operator::Greater, value("NumberOfEmployees")),
        one("Renewal_Date__c", Operator::LessOrEqual, Value::text("2027-06-30")),
        one("Renewal_Date__c", Operator::IsNull, Value::Null),
        one("CreatedDate", Operator::Less, value("CreatedDate")),
        one("Churn_Risk__c", Operator::NotEqual, Value::text("Low")),
        one("Churn_Risk__c", Operator::In, Value::List(vec![Value::text("Low"), Value::Null])),
        one("Churn_Risk__c", Operator::NotIn, Value::List(vec![Value::text("High")])),
        Filter {
            conditions: vec![
                part("A", "Churn_Risk__c", Operator::Equal, Value::text("High")),
                part("B", "NumberOfEmployees", Operator::Greater, Value::Int(100)),
                part("C", "Renewal_Date__c", Operator::IsNotNull, Value::Null),
            ],
            logic: Logic::All(vec![Logic::Is("A".into()), Logic::Any(vec![Logic::Is("B".into()), Logic::Not(Box::new(Logic::Is("C".into())))])]),
        },
    ];
    for filter in filters {
        let wanted: Vec<&Record> = all.iter().filter(|row| filter.matches(row, &TimeZone::UTC)).collect();
        let found = bench.all(Query { filter: Some(filter.clone()), ..query(SF, "Account", &fields) }).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{filter:?}");
    }
    let unknown = Query { filter: Some(one("Nope__c", Operator::Equal, Value::Int(1))), ..query(SF, "Account", &["Id"]) };
    let fault = bench.page(&Source::Object(unknown), None, 10).await.unwrap_err();
    assert_eq!((fault.kind, fault.field.as_deref()), (FaultKind::NotFound, Some("Nope__c")));
}

#[tokio::test]
async fn only_what_changed_since_is_read() {
    let bench = bench(30, "").await;
    let ids = ids(&bench, 30).await;
    let since: Timestamp = bench.all(query(SF, "Account", &["SystemModstamp"])).await.iter().map(stamp).max().unwrap();
    bench.sandbox.world().clock.set_ms(bench.sandbox.world().clock.now_ms() + 3_600_000);
    bench.write(SF, "Account", vec![update(&ids[3], &[("Site", Value::text("here"))])]).await.unwrap();
    let later = since + std::time::Duration::from_secs(1);
    let changed = bench.all(Query { since: Some(("SystemModstamp".into(), later)), ..query(SF, "Account", &["Id"]) }).await;
    assert_eq!(changed.iter().map(|row| text(row, "Id")).collect::<Vec<_>>(), [ids[3].clone()]);
}

fn stamp(row: &Record) -> Timestamp {
    match row.get("SystemModstamp") {
        Some(Value::Instant(at)) => *at,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn lookups_find_by_id_and_by_any_field() {
    let bench = bench(2_500, "").await;
    let all = bench.all(query(SF, "Account", &["Id", "Name"])).await;
    let mut keys: Vec<Value> = all.iter().map(|row| row.get("Id").unwrap().clone()).collect();
    keys.extend([Value::text("001000000000000AAA"), Value::text("nonsense"), Value::Null]);
    let found = bench.lookup(SF, "Account", "Id", keys, &["Name", "Health_Score__c"]).await.unwrap();
    assert_eq!(found.len(), 2_500);
    assert!(found.iter().all(|row| row.len() == 3));
    let names: Vec<Value> = all.iter().map(|row| row.get("Name").unwrap().clone()).collect();
    let by_name = bench.lookup(SF, "Account", "Name", names, &["Owner.Name"]).await.unwrap();
    assert_eq!(by_name.len(), 2_500);
    assert!(matches!(by_name[0].path("Owner.Name"), Some(Value::Text(_))));
    let by_number = bench.lookup(SF, "Account", "NumberOfEmployees", vec![Value::Int(-1), Value::text("x")], &[]).await.unwrap();
    assert!(by_number.is_empty());
}

#[tokio::test]
async fn rows_are_written_each_with_its_own_outcome() {
    let bench = bench(500, "").await;
    let ids = ids(&bench, 450).await;
    let renewal = Value::Date("2027-01-31".parse().unwrap());
    let mut rows: Vec<Change> =
        ids.iter().map(|id| update(id, &[("Health_Score__c", Value::Float(71.5)), ("Renewal_Date__c", renewal.clone())])).collect();
    rows[7] = update(&ids[7], &[("Churn_Risk__c", Value::text("x".repeat(300)))]);
    rows[9] = update("001000000000000AAA", &[("Site", Value::text("nowhere"))]);
    rows.push(insert("new", &[("Name", Value::text("Newcomer O'Neil"))]));
    rows.push(insert("nameless", &[("Site", Value::text("x"))]));
    rows.push(Change::Delete { key: "gone".into(), id: ids[449].clone(), before: Record::new() });
    let outcomes = bench.write(SF, "Account", rows).await.unwrap();
    let failed: Vec<usize> = outcomes.iter().enumerate().filter(|(_, outcome)| outcome.fault.is_some()).map(|(at, _)| at).collect();
    assert_eq!(failed, [7, 9, 451], "{:?}", outcomes.iter().filter_map(|outcome| outcome.fault.as_ref()).collect::<Vec<_>>());
    assert!(outcomes[450].created && outcomes[450].id.is_some());
    let fault = outcomes[451].fault.as_ref().unwrap();
    assert_eq!((fault.code.as_deref(), fault.field.as_deref()), (Some("REQUIRED_FIELD_MISSING"), Some("Name")));
    let keys = ids[..3].iter().map(Value::text).collect();
    let found = bench.lookup(SF, "Account", "Id", keys, &["Health_Score__c", "Renewal_Date__c"]).await.unwrap();
    assert!(found.iter().all(|row| row.get("Health_Score__c").unwrap().as_f64() == Some(71.5) && row.get("Renewal_Date__c") == Some(&renewal)));
    let cleared = update(&ids[0], &[("Health_Score__c", Value::Null)]);
    bench.write(SF, "Account", vec![cleared]).await.unwrap();
    let found = bench.lookup(SF, "Account", "Id", vec![Value::text(&ids[0])], &["Health_Score__c"]).await.unwrap();
    assert_eq!(found[0].get("Health_Score__c"), Some(&Value::Null));
}

#[tokio::test]
async fn an_upsert_inserts_or_updates_by_its_external_id() {
    let bench = bench(20, "").await;
    let row = |key: &str, name: &str| Change::Upsert {
        key: key.into(),
        by: "Pendo_Account_Key__c".into(),
        fields: record(&[("Pendo_Account_Key__c", Value::text(key)), ("Name", Value::text(name))]),
    };
    let first = bench.write(SF, "Account", vec![row("k1", "One"), row("k2", "Two")]).await.unwrap();
    assert!(first.iter().all(|outcome| outcome.created && outcome.fault.is_none()), "{first:?}");
    let second = bench.write(SF, "Account", vec![row("k2", "Zwei"), row("k3", "Three")]).await.unwrap();
    assert_eq!(second.iter().map(|outcome| outcome.created).collect::<Vec<_>>(), [false, true]);
    assert_eq!(second[0].id, first[1].id);
}

#[tokio::test]
async fn many_rows_go_by_bulk_and_come_back_to_their_own_place() {
    let sandbox = sandbox(400, "").await;
    let mut options = options(&sandbox);
    options.salesforce.as_mut().unwrap().bulk_threshold = 100;
    let bench = with(sandbox, options);
    let ids = ids(&bench, 400).await;
    let mut rows: Vec<Change> = ids.iter().rev().zip(0..).map(|(id, n)| update(id, &[("Site", Value::text(format!("s\"{n},\n")))])).collect();
    rows[5] = update(&ids[394], &[("Health_Score__c", Value::text("not a number"))]);
    rows[6] = update(&ids[393], &[("Renewal_Date__c", Value::Null), ("Site", Value::text("bulk"))]);
    let outcomes = bench.write(SF, "Account", rows).await.unwrap();
    assert!(bench.count("salesforce", "POST", "/jobs/ingest").await >= 1);
    assert_eq!(outcomes.iter().filter(|outcome| outcome.fault.is_some()).count(), 1, "{:?}", outcomes[5]);
    assert!(outcomes[5].fault.is_some());
    assert_eq!(outcomes[0].id.as_deref(), Some(ids[399].as_str()));
    let found = bench.lookup(SF, "Account", "Id", vec![Value::text(&ids[389])], &["Site"]).await.unwrap();
    assert_eq!(text(&found[0], "Site").trim(), "s\"10,");

    let fresh: Vec<Change> = (0..150).map(|n| insert(&n.to_string(), &[("Name", Value::text(format!("Bulk {}", n / 2)))])).collect();
    let outcomes = bench.write(SF, "Account", fresh).await.unwrap();
    let mut made: Vec<String> = outcomes.iter().map(|outcome| outcome.id.clone().unwrap()).collect();
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 150, "each row its own record, also where rows look alike");
    let gone: Vec<Change> = made.iter().map(|id| Change::Delete { key: id.clone(), id: id.clone(), before: Record::new() }).collect();
    assert!(bench.write(SF, "Account", gone).await.unwrap().iter().all(|outcome| outcome.fault.is_none()));

    let unknown: Vec<Change> = ids[..120].iter().map(|id| update(id, &[("Nope__c", Value::Int(1))])).collect();
    let outcomes = bench.write(SF, "Account", unknown).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.fault.as_ref().is_some_and(|fault| fault.kind == FaultKind::NotFound)), "{:?}", outcomes[0]);
}

#[tokio::test]
async fn locked_rows_are_tried_again() {
    for threshold in [10_000, 100] {
        let sandbox = sandbox(300, "").await;
        let mut options = options(&sandbox);
        options.salesforce.as_mut().unwrap().bulk_threshold = threshold;
        let bench = with(sandbox, options);
        let ids = ids(&bench, 300).await;
        bench.faults("salesforce:lock@0.3");
        let rows = ids.iter().map(|id| update(id, &[("Site", Value::text("locked"))])).collect();
        let outcomes = bench.write(SF, "Account", rows).await.unwrap();
        assert!(outcomes.iter().all(|outcome| outcome.fault.is_none()), "{threshold}");
    }
}

#[tokio::test]
async fn every_passing_fault_leaves_reads_and_updates_right() {
    for kind in ["429", "500", "503", "html", "reset", "reset_after", "truncate", "slow=1", "expired", "lock"] {
        let sandbox = sandbox(220, "").await;
        let mut options = options(&sandbox);
        options.salesforce.as_mut().unwrap().bulk_threshold = 210;
        let bench = with(sandbox, options);
        bench.faults(&format!("salesforce:{kind}@0.2"));
        let ids = ids(&bench, 220).await;
        assert_eq!(ids.len(), 220, "{kind}");
        // By Bulk API, then by collections.
        for rows in [220, 205] {
            let site = |n: usize| Value::text(format!("{kind} {rows} {n}"));
            let changes = ids.iter().take(rows).zip(0..).map(|(id, n)| update(id, &[("Site", site(n))])).collect();
            let outcomes = bench.write(SF, "Account", changes).await.unwrap_or_else(|fault| panic!("{kind} {rows}: {fault}"));
            let faults: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.fault.as_ref()).collect();
            assert!(faults.is_empty(), "{kind} {rows}: {faults:?}");
            let keys = ids.iter().take(rows).map(Value::text).collect();
            let mut found = bench.lookup(SF, "Account", "Id", keys, &["Site"]).await.unwrap();
            found.sort_by_key(|row| text(row, "Id"));
            for (n, row) in found.iter().enumerate() {
                assert_eq!(row.get("Site"), Some(&site(n)));
            }
        }
    }
}

#[tokio::test]
async fn an_insert_whose_answer_is_lost_is_not_repeated() {
    let bench = bench(20, "").await;
    log_in(&bench).await.unwrap();
    bench.faults("salesforce:reset_after@1");
    let rows = vec![insert("a", &[("Name", Value::text("Once"))]), insert("b", &[("Name", Value::text("Once too"))])];
    let outcomes = bench.write(SF, "Account", rows).await.unwrap();
    for outcome in &outcomes {
        let fault = outcome.fault.as_ref().unwrap();
        assert_eq!((fault.kind, fault.code.as_deref()), (FaultKind::Unavailable, Some("UNKNOWN_OUTCOME")), "{fault}");
    }
    bench.faults("");
    let names = vec![Value::text("Once"), Value::text("Once too")];
    assert_eq!(bench.lookup(SF, "Account", "Name", names, &[]).await.unwrap().len(), 2, "made once each");
}

#[tokio::test]
async fn a_used_up_day_is_told_apart_from_a_busy_moment() {
    let bench = bench(20, "").await;
    let ids = ids(&bench, 20).await;
    bench.faults("salesforce:limit@1");
    let before = bench.systems.calls();
    let rows = ids.iter().map(|id| update(id, &[("Site", Value::text("x"))])).collect();
    let fault = bench.write(SF, "Account", rows).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::LimitExceeded, "{fault}");
    assert_eq!(bench.systems.calls().since(before).salesforce, 1, "not tried again");
}

#[tokio::test]
async fn a1_a_field_is_created_typed_and_visible() {
    let bench = bench(20, "").await;
    let kinds = [
        ("Pendo_count__c", FieldType::Number { digits: 18, scale: 0 }),
        ("Pendo_ratio__c", FieldType::Number { digits: 5, scale: 2 }),
        ("Pendo_text__c", FieldType::Text { max: 80 }),
        ("Pendo_seen__c", FieldType::DateTime { millis: false }),
        ("Pendo_day__c", FieldType::Date),
        ("Pendo_flag__c", FieldType::Bool),
        ("Pendo_mail__c", FieldType::Email { max: 80 }),
        ("Pendo_risk__c", FieldType::Picklist(Choices::only(["Low", "High"]))),
    ];
    for (name, kind) in &kinds {
        let create = Effect::CreateField(CreateField { system: SF, object: "Account".into(), field: field(name, kind.clone()), description: None });
        for _ in 0..2 {
            bench.systems.perform(&create).await.unwrap_or_else(|fault| panic!("{name}: {fault}"));
        }
    }
    let Ok(Reply::Schema(schema)) = bench.systems.perform(&Effect::Describe { system: SF, object: "Account".into() }).await else {
        panic!("no schema")
    };
    for (name, kind) in &kinds {
        assert_eq!(&schema.field(name).unwrap().kind, kind, "{name}");
    }
    let ids = ids(&bench, 1).await;
    let row = update(&ids[0], &[("Pendo_count__c", Value::Int(5)), ("Pendo_flag__c", Value::Bool(true))]);
    assert!(bench.write(SF, "Account", vec![row]).await.unwrap()[0].fault.is_none());
    let found = bench.lookup(SF, "Account", "Id", vec![Value::text(&ids[0])], &["Pendo_count__c"]).await.unwrap();
    assert_eq!(found[0].get("Pendo_count__c").unwrap().as_f64(), Some(5.0));
}

#[tokio::test]
async fn a1_the_schema_is_typed() {
    let bench = bench(5, "").await;
    let Ok(Reply::Schema(schema)) = bench.systems.perform(&Effect::Describe { system: SF, object: "account".into() }).await else {
        panic!("no schema")
    };
    assert_eq!(schema.name, "Account");
    assert_eq!(schema.field("Id").unwrap().kind, FieldType::Id);
    assert_eq!(schema.field("NumberOfEmployees").unwrap().kind, FieldType::Int { bits: 32, digits: 8 });
    assert_eq!(schema.field("Health_Score__c").unwrap().kind, FieldType::Number { digits: 5, scale: 1 });
    assert!(matches!(&schema.field("OwnerId").unwrap().kind, FieldType::Reference { to } if to == &["User".to_owned()]));
    assert!(schema.field("Name").unwrap().required);
    assert!(schema.field("Pendo_Account_Key__c").unwrap().key);
    let fault = bench.systems.perform(&Effect::Describe { system: SF, object: "Nowhere__c".into() }).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NotFound);
    assert!(fault.message.contains("Nowhere__c"), "{fault}");
}

#[tokio::test]
async fn any_call_of_the_api_can_be_made() {
    let bench = bench(5, "").await;
    for path in ["limits", "/limits", "/services/data/v68.0/limits"] {
        let request = Request { system: SF, method: "get".into(), path: path.into(), query: Record::new(), body: None };
        let Ok(Reply::Value(Value::Map(limits))) = bench.systems.perform(&Effect::Request(request)).await else { panic!("{path}") };
        assert!(limits.get("DailyApiRequests").is_some(), "{path}");
    }
}
