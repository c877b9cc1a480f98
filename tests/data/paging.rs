//! Records that are deleted, added or changed while pages are read.

use std::collections::HashSet;

use serde_json::{Value as Json, json};
use tabi::{
    model::{Change, FaultKind, Filter, Operator, Query, Record, Source, System, TimeZone, Timestamp, Value},
    sandbox,
};

use crate::support::{Sandbox, Workspace};

use crate::connectors::bench::{Bench, bench, insert, options, query, update, with};

const GS: System = System::Gainsight;

fn ids(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.get("Gsid").unwrap().to_string()).collect()
}

/// Reads all pages; `between` is called after the first.
async fn read(bench: &Bench, source: &Source, size: u32, between: impl AsyncFnOnce(&Bench, &[Record])) -> Vec<Record> {
    let first = bench.page(source, None, size).await.unwrap();
    between(bench, &first.records).await;
    let (mut all, mut next) = (first.records, first.next);
    while let Some(after) = next {
        let page = bench.page(source, Some(after), size).await.unwrap();
        all.extend(page.records);
        next = page.next;
    }
    all
}

async fn settings(bench: &Bench, settings: Json) {
    let url = format!("{}/_sandbox/settings", bench.sandbox.base_url("gainsight").unwrap());
    assert!(reqwest::Client::new().post(url).json(&settings).send().await.unwrap().status().is_success());
}

/// What conditions were sent to Gainsight since the last look, as text.
async fn sent(bench: &Bench) -> String {
    bench.requests("gainsight").await.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn rows_deleted_or_added_while_pages_are_read_move_no_other() {
    for object in ["Company", "customer_info"] {
        for at in 0..3 {
            let bench = bench(24, "").await;
            let source = Source::Object(query(GS, object, &["Name"]));
            let ids_of = |records: &[Record]| -> Vec<String> { records.iter().map(|record| record.get("Name").unwrap().to_string()).collect() };
            let before = bench.all(query(GS, object, &["Gsid", "Name"])).await;
            let gone = before[at].clone();
            let read = read(&bench, &source, 5, async |bench, _| {
                let delete = Change::Delete { key: String::new(), id: gone.get("Gsid").unwrap().to_string(), before: Record::new() };
                bench.write(GS, "Company", vec![delete]).await.unwrap();
                bench
                    .write(GS, "Company", vec![insert("n", &[("Name", Value::text("New")), ("SfdcAccountId", Value::text("001NEW"))])])
                    .await
                    .unwrap();
            })
            .await;
            let (names, living): (Vec<String>, Vec<String>) = (ids_of(&read), ids_of(&before));
            for name in &living {
                assert_eq!(names.iter().filter(|known| *known == name).count(), 1, "{name} of {object}, {at} gone");
            }
        }
    }
}

/// Calls to action come in pages of a thousand, in an order that nobody promises: those that close meanwhile hide none that stay open.
#[tokio::test]
async fn calls_to_action_that_close_while_the_list_is_read_hide_none() {
    let bench = bench(4, "").await;
    let company = bench.all(query(GS, "Company", &["Gsid"])).await[0].get("Gsid").unwrap().clone();
    let cta =
        |n: u32| insert(&n.to_string(), &[("Name", Value::text(format!("CTA {n}"))), ("CompanyId", company.clone()), ("type", Value::text("Risk"))]);
    for outcome in bench.write(GS, "call_to_action", (0..1_150).map(cta).collect()).await.unwrap() {
        assert_eq!(outcome.fault, None);
    }
    let open = Filter::all(vec![("IsClosed".to_owned(), Operator::Equal, Value::Bool(false))]);
    let source = Source::Object(Query { filter: Some(open.clone()), ..query(GS, "call_to_action", &["Gsid", "Name"]) });
    let mut closed = HashSet::new();
    let found = read(&bench, &source, 2_000, async |bench, first| {
        let some: Vec<String> = ids(first).into_iter().take(40).collect();
        let rows = some.iter().map(|id| update(id, &[("status", Value::text("Closed Success"))])).collect();
        bench.write(GS, "call_to_action", rows).await.unwrap();
        closed.extend(some);
    })
    .await;
    let found = ids(&found);
    assert_eq!(found.len(), found.iter().collect::<HashSet<_>>().len(), "each of them once");
    let left = ids(&bench.all(Query { filter: Some(open), ..query(GS, "call_to_action", &["Gsid"]) }).await);
    assert_eq!(closed.len(), 40);
    let missing: Vec<&String> = left.iter().filter(|id| !found.contains(id)).collect();
    assert!(missing.is_empty(), "{} open ones were not read: {:?}", missing.len(), &missing[..missing.len().min(3)]);
}

#[tokio::test]
async fn all_fields_of_calls_to_action_can_be_read_and_a_playbook_only_written() {
    let bench = bench(4, "").await;
    let company = bench.all(query(GS, "Company", &["Gsid"])).await[0].get("Gsid").unwrap().clone();
    let fields = [("Name", Value::text("Call")), ("CompanyId", company), ("type", Value::text("Risk")), ("playbook", Value::text("Save"))];
    assert_eq!(bench.write(GS, "call_to_action", vec![insert("a", &fields)]).await.unwrap()[0].fault, None);
    let made = bench.all(query(GS, "call_to_action", &[])).await;
    let made = made.iter().find(|row| row.get("Name") == Some(&Value::text("Call"))).unwrap();
    assert_eq!((made.get("Type"), made.get("Playbook")), (Some(&Value::text("Risk")), None));
    let asked = Source::Object(query(GS, "call_to_action", &["Name", "Playbook"]));
    let refused = bench.page(&asked, None, 100).await.unwrap_err();
    assert_eq!((refused.kind, refused.field.as_deref()), (FaultKind::Invalid, Some("Playbook")), "{refused}");
    assert!(refused.message.contains("can only be written"), "{refused}");
}

/// The vendor's samples join conditions by AND alone. Whatever the logic, the rows are those that the filter lets through, and no bracket is sent.
#[tokio::test]
async fn conditions_are_sent_as_documented_and_the_rest_is_asked_of_the_rows() {
    use tabi::model::Logic::{All, Any, Is, Not};

    let bench = bench(40, "").await;
    let all = bench.all(query(GS, "Company", &["Gsid", "Name", "Arr", "Industry", "RenewalDate"])).await;
    let (name, arr) = (all[3].get("Name").unwrap().clone(), all[5].get("Arr").unwrap().clone());
    let conditions = vec![
        ("Name".to_owned(), Operator::NotEqual, name.clone()),
        ("Arr".to_owned(), Operator::GreaterOrEqual, arr),
        ("Name".to_owned(), Operator::In, Value::List(vec![name, all[7].get("Name").unwrap().clone()])),
        ("RenewalDate".to_owned(), Operator::IsNotNull, Value::Null),
    ];
    let is = |label: &str| Is(label.to_owned());
    let logics = [
        is("a"),
        All(vec![is("a"), is("b")]),
        All(vec![is("b"), Any(vec![is("c"), is("d")])]),
        Any(vec![is("b"), is("c")]),
        All(vec![is("b"), Not(Box::new(is("c"))), is("d")]),
        All(vec![is("d"), All(vec![is("b"), Any(vec![is("a")])])]),
    ];
    for logic in logics {
        let filter = Filter { logic: logic.clone(), ..Filter::all(conditions.clone()) };
        let expected: Vec<&Record> = all.iter().filter(|row| filter.matches(row, &TimeZone::UTC)).collect();
        let query = Query { filter: Some(filter), ..query(GS, "Company", &["Gsid", "Name", "Arr", "Industry", "RenewalDate"]) };
        let (found, _) = bench.read(&Source::Object(query), 7).await.unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{logic:?}");
    }
    let asked = sent(&bench).await;
    assert!(!asked.contains("(A") && !asked.contains("\" OR ") && !asked.contains(" OR "), "{asked}");
}

/// A tenant that takes date-times only without a zone, in whatever zone it reads them: nothing that changed is left out, and nothing else comes.
#[tokio::test]
async fn changes_are_read_whichever_form_of_date_times_the_tenant_takes() {
    let start: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    for times in [json!("any"), json!(0), json!(-8), json!(-12), json!(14)] {
        let sandbox = sandbox::start(sandbox::Options { accounts: Some(12), start: Some(start), ..sandbox::Options::default() }).await.unwrap();
        let options = options(&sandbox);
        let bench = with(sandbox, options);
        settings(&bench, json!({"times": times})).await;
        let companies = bench.all(query(GS, "Company", &["Gsid"])).await;
        let since = start - jiff::SignedDuration::from_secs(5);
        let changed: Vec<String> = ids(&companies).into_iter().step_by(3).collect();
        let rows = changed.iter().map(|id| update(id, &[("Employees", Value::Int(7))])).collect();
        assert!(bench.write(GS, "Company", rows).await.unwrap().iter().all(|outcome| outcome.fault.is_none()));
        let query = Query { since: Some(("ModifiedDate".to_owned(), since)), ..query(GS, "Company", &["Gsid"]) };
        for _ in 0..2 {
            let (found, _) = bench.read(&Source::Object(query.clone()), 2).await.unwrap();
            assert_eq!(ids(&found), changed, "{times}");
        }
    }
}

#[tokio::test]
async fn a_field_that_refers_to_a_record_is_no_number() {
    let bench = bench(4, "").await;
    for (operator, value) in [(Operator::Less, Value::Int(40)), (Operator::Equal, Value::Int(40)), (Operator::Greater, Value::text("5"))] {
        let filter = Filter::all(vec![("Csm".to_owned(), operator, value)]);
        let source = Source::Object(Query { filter: Some(filter), ..query(GS, "Company", &["Gsid"]) });
        let refused = bench.page(&source, None, 100).await.unwrap_err();
        assert_eq!((refused.kind, refused.field.as_deref()), (FaultKind::Invalid, Some("Csm")), "{refused}");
        assert!(refused.message.contains("Csm__gr.Name"), "{refused}");
    }
}

fn contacts(record: &Record) -> Vec<String> {
    match record.get("Contacts") {
        Some(Value::List(rows)) => {
            rows.iter().map(|row| if let Value::Map(row) = row { row.get("Id").unwrap().to_string() } else { panic!("{row:?}") }).collect()
        }
        Some(Value::Null) | None => Vec::new(),
        other => panic!("no list of children: {other:?}"),
    }
}

/// Children beyond the first page of their list, under parents beyond the first page of theirs.
#[tokio::test]
async fn children_of_a_record_come_all_of_them_whatever_the_pages() {
    let sandbox = sandbox::start(sandbox::Options { accounts: Some(3), people: Some(1_700), ..sandbox::Options::default() }).await.unwrap();
    let options = options(&sandbox);
    let bench = with(sandbox, options);
    let sf = System::Salesforce;
    let all = bench.all(query(sf, "Contact", &["Id", "AccountId"])).await;
    let of = |account: &Value| -> Vec<String> {
        let own = all.iter().filter(|contact| contact.get("AccountId") == Some(account));
        own.map(|contact| contact.get("Id").unwrap().to_string()).collect()
    };
    let soql = Source::Soql("SELECT Id, (SELECT Id, LastModifiedDate FROM Contacts ORDER BY Id) FROM Account ORDER BY Id".to_owned());
    let accounts = bench.read(&soql, 2_000).await.unwrap().0;
    assert_eq!(accounts.len(), 3);
    let counts: Vec<usize> = accounts.iter().map(|account| contacts(account).len()).collect();
    assert!(counts.iter().any(|count| *count > 400), "{counts:?}");
    for account in &accounts {
        assert_eq!(contacts(account), of(account.get("Id").unwrap()));
        let Some(Value::List(rows)) = account.get("Contacts") else { continue };
        let typed = |row: &Value| matches!(row, Value::Map(row) if matches!(row.get("LastModifiedDate"), Some(Value::Instant(_))));
        assert!(rows.iter().all(typed), "{:?}", rows.last());
    }
    // Parents in pages of their own, each with children: the next page of parents voids the places in the lists before.
    let soql = Source::Soql("SELECT Id, (SELECT Id FROM Contacts ORDER BY Id), Description, (SELECT Id FROM Opportunities) FROM Account".to_owned());
    let (accounts, _) = bench.read(&soql, 200).await.unwrap();
    assert_eq!(accounts.iter().map(|account| contacts(account).len()).sum::<usize>(), counts.iter().sum::<usize>());
}

/// An incremental read gives what has no change instant, too: nobody knows when that changed.
#[tokio::test]
async fn records_without_a_change_instant_are_read_each_time() {
    let bench = bench(12, "").await;
    let cases = [
        (GS, "Company", "Gsid", "RenewalDate", "ModifiedDate"),
        (System::Salesforce, "Account", "Id", "Name", "SystemModstamp"),
        (System::Pendo, "account", "accountId", "accountId", "metadata.auto.lastupdated"),
        (System::Pendo, "visitor", "visitorId", "visitorId", "metadata.auto.lastvisit"),
        (System::Px, "users", "identifyId", "identifyId", "lastSeenDate"),
        (System::Px, "accounts", "id", "id", "createDate"),
    ];
    for (system, object, id, other, field) in cases {
        let whole = bench.all(query(system, object, &[id, other, field])).await;
        let mut instants: Vec<Timestamp> =
            whole.iter().filter_map(|row| if let Some(Value::Instant(at)) = row.path(field) { Some(*at) } else { None }).collect();
        instants.sort();
        for at in [instants[0], instants[instants.len() / 2], *instants.last().unwrap()] {
            let wanted = |row: &&Record| !matches!(row.path(field), Some(Value::Instant(changed)) if *changed < at);
            let mut expected: Vec<String> = whole.iter().filter(wanted).map(|row| row.path(id).unwrap().to_string()).collect();
            let since = Query { since: Some((field.to_owned(), at)), ..query(system, object, &[id, other, field]) };
            let mut found: Vec<String> = bench.all(since).await.iter().map(|row| row.path(id).unwrap().to_string()).collect();
            expected.sort();
            found.sort();
            assert_eq!(found, expected, "{system} {object} {field} {at}");
        }
    }
}

/// PX forgets a scroll, Salesforce a query locator: the rest is read, and no row comes twice; what cannot go on ends with a clear fault.
#[test]
fn a_place_that_is_forgotten_between_pages_loses_and_doubles_no_row() {
    let workspace = Workspace::with_script(
        r#"mapping("users", #{ from: px::users(), to: pendo::visitor_metadata("custom"), match_on: #{ visitorId: "identifyId" }, fields: #{ t: "title" } });
           mapping("contacts", #{ from: salesforce::object("Contact"), to: pendo::visitor_metadata("agent"), match_on: #{ visitorId: "Id" }, fields: #{ t: "Title" } });
           mapping("statement", #{ from: salesforce::soql("SELECT Id, Title FROM Contact"), to: pendo::visitor_metadata("agent2"), match_on: #{ visitorId: "Id" }, fields: #{ t: "Title" } });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 40 --people 5200");
    let plan = |faults: &str| {
        for system in ["px", "salesforce"] {
            sandbox.post(system, "/_sandbox/faults", &json!({ "faults": faults }));
        }
        let ran = workspace.tabi("plan --json");
        let of = |name: &str| {
            let summary = ran.summary(name);
            ["read", "update", "rejected"].map(|key| summary[key].as_u64().unwrap())
        };
        (["users", "contacts", "statement"].map(of), ran)
    };
    let (whole, _) = plan("");
    assert!(whole[0][0] > 2_000 && whole[1][0] > 4_000, "{whole:?}");
    let (some, ran) = plan("px:stale_page@0.2,salesforce:stale_page@1");
    assert_eq!(some[..2], whole[..2], "{}", ran.stderr);
    assert!(
        sandbox
            .get("px", "/_sandbox/requests")
            .as_array()
            .unwrap()
            .iter()
            .any(|request| request["fault"] == "stale_page" && request["status"] == 400)
    );
    let of = |name: &str| ran.summary(name)["fault"]["message"].as_str().map_or_else(|| ran.summary(name).to_string(), str::to_owned);
    assert_eq!(ran.summary("statement")["status"], "failed");
    assert!(of("statement").contains("Salesforce has forgotten where the next page of the query begins"), "{}", of("statement"));
    let (_, never) = plan("px:stale_page@1");
    let summary = never.summary("users");
    assert_eq!(summary["status"], "failed");
    assert!(summary.to_string().contains("PX has forgotten where the next page"), "{summary}");
}
