//! Pendo's API as its clients see it: keys, records, metadata, segments, aggregation.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tabi::sandbox::{Options, Sandbox, company::Company, start};

use super::core::{at_noon, call, sandbox, url};

/// What the default company is, and the days up to yesterday.
pub(super) fn company(sandbox: &Sandbox) -> (Company, i64) {
    let company = sandbox.world().company;
    (company, company.origin)
}

pub(super) async fn get(sandbox: &Sandbox, path: &str) -> Value {
    let answer = call(sandbox, "GET", path, None).await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.json().await.unwrap()
}

pub(super) async fn send(sandbox: &Sandbox, method: &str, path: &str, body: Value) -> (u16, String) {
    let answer = call(sandbox, method, path, Some(body)).await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

pub(super) async fn aggregate(sandbox: &Sandbox, pipeline: Value) -> Vec<Value> {
    let body = json!({"response": {"mimeType": "application/json"}, "request": {"requestId": "test", "pipeline": pipeline, "sort": ["accountId"]}});
    let (status, text) = send(sandbox, "POST", "/api/v1/aggregation", body).await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str::<Value>(&text).unwrap()["results"].as_array().unwrap().clone()
}

async fn refusal(sandbox: &Sandbox, pipeline: Value) -> (u16, String) {
    send(sandbox, "POST", "/api/v1/aggregation", json!({"request": {"pipeline": pipeline}})).await
}

fn last_days(days: i64) -> Value {
    json!({"period": "dayRange", "first": "now()", "count": -days})
}

fn all_events(days: i64) -> Value {
    json!({"source": {"events": {"appId": "expandAppIds(\"*\")"}, "timeSeries": last_days(days)}})
}

#[tokio::test]
async fn a_wrong_key_is_refused_with_an_empty_body_and_a_read_key_cannot_write() {
    let sandbox = sandbox("").await;
    let client = reqwest::Client::new();
    for key in [None, Some("wrong")] {
        let request = client.get(url(&sandbox, "/api/v1/token/verify"));
        let answer = key.iter().fold(request, |request, key| request.header("x-pendo-integration-key", *key)).send().await.unwrap();
        assert_eq!(answer.status(), 403);
        assert_eq!(answer.text().await.unwrap(), "");
    }
    let read_key = sandbox.credentials()["pendo"]["read_key"].as_str().unwrap().to_owned();
    let asked = client.get(url(&sandbox, "/api/v1/token/verify")).header("x-pendo-integration-key", &read_key).send().await.unwrap();
    assert_eq!(asked.json::<Value>().await.unwrap(), json!({"valid": true, "writeAccess": false}));
    let written =
        client.put(url(&sandbox, "/api/v1/guide/x/state")).header("x-pendo-integration-key", &read_key).json(&json!({})).send().await.unwrap();
    assert_eq!(written.status(), 403);
    assert_eq!(get(&sandbox, "/api/v1/token/verify").await, json!({"valid": true, "writeAccess": true}));
}

#[tokio::test]
async fn catalogues_show_the_default_app_unless_expanded() {
    let sandbox = sandbox("").await;
    let count = |pages: &Value| pages.as_array().unwrap().len();
    let (default, all) = (get(&sandbox, "/api/v1/page").await, get(&sandbox, "/api/v1/page?expand=*").await);
    assert_eq!((count(&default), count(&all)), (10, 12));
    assert_eq!(count(&get(&sandbox, "/api/v1/feature?appId=5629499534213120").await), 3);
    let id = all[11]["id"].as_str().unwrap();
    assert_eq!(get(&sandbox, &format!("/api/v1/page?id={id}")).await[0]["name"], "Mobile inbox");
    assert_eq!(default[0]["appId"], -323_232);
    for list in ["tracktype", "guide", "report", "segment"] {
        assert!(count(&get(&sandbox, &format!("/api/v1/{list}")).await) > 0, "{list}");
    }
    let segments = get(&sandbox, "/api/v1/segment").await;
    assert!(segments.as_array().unwrap().iter().any(|segment| segment["name"] == "Everyone"));
    assert_eq!(count(&get(&sandbox, "/api/v1/segment?createdByApi=true").await), 0);
}

#[tokio::test]
async fn visitors_and_accounts_are_found_by_plain_and_base64_id() {
    let sandbox = sandbox("").await;
    let (company, _) = company(&sandbox);
    let (email, account) = (company.email(5), company.account_id(company.account_of(5)));
    let visitor = get(&sandbox, &format!("/api/v1/visitor/{email}")).await;
    assert_eq!((&visitor["id"], &visitor["accountIds"]), (&json!(email), &json!([account])));
    assert_eq!(visitor["metadata"]["agent"]["email"], email.as_str());
    let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &email);
    assert_eq!(get(&sandbox, &format!("/api/v1/visitor/{encoded}")).await, visitor);
    let shown = get(&sandbox, &format!("/api/v1/account/{account}")).await;
    assert_eq!(shown["metadata"]["agent"]["name"], company.account_name(company.account_of(5)).as_str());
    for absent in ["/api/v1/visitor/nobody", "/api/v1/account", "/api/v1/visitor", "/api/v1/page/x"] {
        assert_eq!(call(&sandbox, "GET", absent, None).await.unwrap().status(), 404, "{absent}");
    }
}

#[tokio::test]
async fn a_day_of_a_visitor_is_told_as_its_history() {
    let sandbox = sandbox("").await;
    let (company, origin) = company(&sandbox);
    let (person, day) = (0..200).find_map(|person| Some((person, company.habits(person).last_day(origin - 1)?))).unwrap();
    let start = day * 86_400_000;
    let history = get(&sandbox, &format!("/api/v1/visitor/{}/history?starttime={start}", company.email(person))).await;
    let views = history.as_array().unwrap().iter().filter(|row| row["type"] == "pageView").count();
    assert_eq!(views, (0..12).filter(|page| company.usage(person, day).unwrap().page_views(*page) > 0).count());
    let bad = call(&sandbox, "GET", &format!("/api/v1/visitor/{}/history?starttime=soon", company.email(person)), None).await.unwrap();
    assert_eq!(bad.status(), 422);
}

#[tokio::test]
async fn metadata_fields_are_made_written_in_bulk_read_and_deleted() {
    let sandbox = sandbox("").await;
    let (company, _) = company(&sandbox);
    let (one, two) = (company.account_id(0), company.account_id(1));
    let bulk = |values: Value| json!([{"accountId": one, "values": values}, {"accountId": "zz", "values": {"health_score__c": 1}}, {"accountId": two, "values": {"health_score__c": "high"}}]);
    let path = "/api/v1/metadata/account/salesforce/value";
    let before: Value = serde_json::from_str(&send(&sandbox, "POST", path, bulk(json!({"health_score__c": 71.5}))).await.1).unwrap();
    assert_eq!((&before["updated"], &before["failed"]), (&json!(0), &json!(3)));
    let (status, schema) = send(
        &sandbox,
        "POST",
        "/api/v1/metadata/schema/account/salesforce",
        json!([{"name": "Health_Score__c", "displayname": "Health Score", "type": "number"}]),
    )
    .await;
    assert!(status == 200 && schema.contains("health_score__c"));
    let after: Value = serde_json::from_str(&send(&sandbox, "POST", path, bulk(json!({"health_score__c": 71.5}))).await.1).unwrap();
    assert_eq!(
        (&after["total"], &after["updated"], &after["failed"], &after["missing"], &after["kind"]),
        (&json!(3), &json!(1), &json!(2), &json!(["zz"]), &json!("account"))
    );
    assert_eq!(get(&sandbox, &format!("/api/v1/metadata/account/salesforce/value/{one}/health_score__c")).await, json!(71.5));
    let (status, _) = send(&sandbox, "PUT", &format!("/api/v1/metadata/account/salesforce/value/{two}/health_score__c"), json!(12)).await;
    assert_eq!(status, 200);
    let pipeline = json!([{"source": {"accounts": null}}, {"filter": "!isNull(metadata.salesforce.health_score__c)"}, {"select": {"accountId": "accountId", "score": "metadata.salesforce.health_score__c"}}]);
    assert_eq!(aggregate(&sandbox, pipeline).await, [json!({"accountId": one, "score": 71.5}), json!({"accountId": two, "score": 12})]);
    assert_eq!(send(&sandbox, "DELETE", "/api/v1/metadata/schema/account/salesforce/health_score__c", json!(null)).await.0, 200);
    assert!(send(&sandbox, "POST", path, bulk(json!({"health_score__c": 1}))).await.1.contains("\"updated\":0"));
}

#[tokio::test]
async fn unknown_records_are_made_only_when_asked() {
    let sandbox = sandbox("").await;
    let row = json!([{"accountId": "new-one", "values": {"arr": 5}}]);
    assert!(send(&sandbox, "POST", "/api/v1/metadata/account/custom/value", row.clone()).await.1.contains("\"missing\":[\"new-one\"]"));
    assert!(send(&sandbox, "POST", "/api/v1/metadata/account/custom/value?create=true", row).await.1.contains("\"updated\":1"));
    assert_eq!(get(&sandbox, "/api/v1/account/new-one").await["metadata"]["custom"]["arr"], 5);
    let ids =
        aggregate(&sandbox, json!([{"source": {"accounts": null}}, {"sort": ["-accountId"]}, {"limit": 1}, {"select": {"id": "accountId"}}])).await;
    assert_eq!(ids, [json!({"id": "new-one"})]);
}

#[tokio::test]
async fn a_look_up_by_ids_finds_seeded_and_inserted_records() {
    let sandbox = sandbox("").await;
    let (company, _) = company(&sandbox);
    let made = json!([{"accountId": "made", "values": {"arr": 5}}]);
    send(&sandbox, "POST", "/api/v1/metadata/account/custom/value?create=true", made).await;
    let id = |account: u64| company.account_id(account);
    let ids = async |source: &str, field: &str, condition: String| -> Vec<String> {
        let pipeline = json!([{"source": {source: null}}, {"identified": field}, {"filter": condition}, {"select": {"id": field}}, {"sort": ["id"]}]);
        aggregate(&sandbox, pipeline).await.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    };
    let named = format!("accountId == \"{}\" || accountId == \"made\" || \"{}\" == accountId", id(9), id(150));
    assert_eq!(ids("accounts", "accountId", named).await, [id(9), id(150), "made".to_owned()]);
    let between = format!("accountId >= \"{}\" && accountId < \"{}\" && metadata.custom.arr > 0", id(20), id(23));
    assert_eq!(ids("accounts", "accountId", between).await, [id(20), id(21), id(22)]);
    assert_eq!(ids("accounts", "accountId", format!("!(accountId < \"{}\")", id(199))).await, [id(199), "made".to_owned()]);
    assert!(ids("accounts", "accountId", "accountId == \"nobody\"".to_owned()).await.is_empty());
    let visitors = format!("visitorId == \"{}\" || visitorId == \"nobody\"", company.email(77));
    assert_eq!(ids("visitors", "visitorId", visitors).await, [company.email(77)]);
}

#[tokio::test]
async fn a_segment_is_uploaded_changed_exported_and_deleted() {
    let sandbox = sandbox("").await;
    let (company, _) = company(&sandbox);
    let ids = |people: &[u64]| -> Vec<String> { people.iter().map(|person| company.email(*person)).collect() };
    assert_eq!(send(&sandbox, "POST", "/api/v1/segment/upload", json!({"name": "S", "visitors": []})).await.0, 400);
    let (_, told) = send(&sandbox, "POST", "/api/v1/segment/upload", json!({"name": "S", "visitors": ids(&[1, 2, 2])})).await;
    let id = serde_json::from_str::<Value>(&told).unwrap()["segmentId"].as_str().unwrap().to_owned();
    let at = |rest: &str| format!("/api/v1/segment/{id}{rest}");
    assert_eq!(get(&sandbox, &at("/status")).await["total"], 2);
    let patch = json!({"patch": [{"op": "add", "path": "/visitors", "value": ids(&[3])}, {"op": "remove", "path": "/visitors", "value": ids(&[1])}, {"op": "move"}]});
    let (_, told) = send(&sandbox, "PATCH", &at("/visitor"), patch).await;
    let statuses: Vec<u64> =
        serde_json::from_str::<Value>(&told).unwrap()["multistatus"].as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [200, 200, 400]);
    assert_eq!(send(&sandbox, "PUT", &at(&format!("/visitor/{}", company.email(700))), json!(null)).await.0, 200);
    assert_eq!(send(&sandbox, "DELETE", &at(&format!("/visitor/{}", company.email(3))), json!(null)).await.0, 200);
    let members = aggregate(&sandbox, json!([{"source": {"visitors": null}}, {"segment": {"id": id}}, {"select": {"v": "visitorId"}}])).await;
    assert_eq!(members, [json!({"v": company.email(2)}), json!({"v": company.email(700)})]);
    let accounts = aggregate(&sandbox, json!([{"source": {"accounts": null}}, {"segment": {"id": id}}, {"select": {"a": "accountId"}}])).await;
    let of = |person: u64| json!({"a": company.account_id(company.account_of(person))});
    assert_eq!(accounts, [of(2), of(700)]);
    let job =
        serde_json::from_str::<Value>(&send(&sandbox, "POST", &at("/visitors"), json!({})).await.1).unwrap()["jobId"].as_str().unwrap().to_owned();
    assert_eq!(get(&sandbox, &at(&format!("/visitors/{job}/results/json"))).await, json!(ids(&[2, 700])));
    assert_eq!(send(&sandbox, "DELETE", &at(""), json!(null)).await.0, 200);
    assert_eq!(call(&sandbox, "GET", &at(""), None).await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_rule_segment_follows_pulled_metadata() {
    let sandbox = sandbox("").await;
    let (company, _) = company(&sandbox);
    let segments = get(&sandbox, "/api/v1/segment").await;
    let id_of = |name: &str| segments.as_array().unwrap().iter().find(|segment| segment["name"] == name).unwrap()["id"].clone();
    let fields = json!([{"name": "renewal_date__c", "type": "time"}, {"name": "churn_risk__c", "type": "string"}]);
    send(&sandbox, "POST", "/api/v1/metadata/schema/account/salesforce", fields).await;
    let values = json!([{"accountId": company.account_id(3), "values": {"renewal_date__c": "2026-07-01", "churn_risk__c": "High"}},
        {"accountId": company.account_id(4), "values": {"renewal_date__c": "2027-07-01", "churn_risk__c": "Low"}}]);
    send(&sandbox, "POST", "/api/v1/metadata/account/salesforce/value", values).await;
    for name in ["Renewal in the next 90 days", "High churn risk"] {
        let found =
            aggregate(&sandbox, json!([{"source": {"accounts": null}}, {"segment": {"id": id_of(name)}}, {"select": {"a": "accountId"}}])).await;
        assert_eq!(found, [json!({"a": company.account_id(3)})], "{name}");
        let visitors = aggregate(&sandbox, json!([{"source": {"visitors": null}}, {"segment": {"id": id_of(name)}}, {"count": null}])).await;
        assert_eq!(visitors, [json!({"count": company.people_of(3).count()})]);
    }
    let everyone = aggregate(&sandbox, json!([{"source": {"visitors": null}}, {"segment": {"id": id_of("Everyone")}}, {"count": null}])).await;
    assert_eq!(everyone, [json!({"count": 2_000})]);
}

#[tokio::test]
async fn usage_by_account_is_the_sum_over_its_people() {
    let sandbox = sandbox("").await;
    let (company, origin) = company(&sandbox);
    let pipeline = json!([all_events(30), {"identified": "accountId"}, {"group": {"group": ["accountId"], "fields": [
        {"activeVisitors": {"count": "visitorId"}}, {"daysActive": {"count": "day"}}, {"numMinutes": {"sum": "numMinutes"}}, {"numEvents": {"sum": "numEvents"}},
        {"lastDay": {"max": "day"}}]}}, {"sort": ["accountId"]}]);
    let expected: Vec<Value> = (0..company.accounts)
        .filter_map(|account| {
            let used: Vec<_> = company.people_of(account).flat_map(|person| (origin - 30..origin).filter_map(move |day| Some((person, company.usage(person, day)?)))).collect();
            let people: BTreeSet<u64> = used.iter().map(|(person, _)| *person).collect();
            let days: BTreeSet<i64> = used.iter().map(|(_, usage)| usage.day).collect();
            let minutes: u32 = used.iter().map(|(_, usage)| usage.minutes).sum();
            let events: u32 = used.iter().map(|(_, usage)| usage.events).sum();
            Some(json!({"accountId": company.account_id(account), "activeVisitors": people.len(), "daysActive": days.len(), "numMinutes": minutes, "numEvents": events, "lastDay": days.last()? * 86_400_000}))
        })
        .collect();
    let found = aggregate(&sandbox, pipeline.clone()).await;
    assert!(found.len() > 100);
    assert_eq!(found, expected);
    let mut filtered = pipeline.as_array().unwrap().clone();
    filtered.extend([json!({"filter": format!("accountId > \"{}\"", company.account_id(150))}), json!({"limit": 3})]);
    let after: Vec<Value> = expected.into_iter().filter(|row| row["accountId"].as_str() > Some(company.account_id(150).as_str())).take(3).collect();
    assert_eq!(aggregate(&sandbox, filtered.into()).await, after);
}

#[tokio::test]
async fn pages_features_and_apps_add_up() {
    let sandbox = sandbox("").await;
    let sum = json!({"reduce": {"events": {"sum": "numEvents"}, "people": {"count": "visitorId"}}});
    let all = json!("expandAppIds(\"*\")");
    let source = |name: &str, app: Value| json!([{"source": {name: {"appId": app}, "timeSeries": last_days(7)}}, sum]);
    let total = |rows: &[Value]| rows[0]["events"].as_i64().unwrap();
    let events = total(&aggregate(&sandbox, source("events", all.clone())).await);
    let pages = total(&aggregate(&sandbox, source("pageEvents", all.clone())).await);
    let features = total(&aggregate(&sandbox, source("featureEvents", all)).await);
    assert_eq!(pages + features, events);
    let web = total(&aggregate(&sandbox, source("events", json!(null))).await);
    let mobile = total(&aggregate(&sandbox, source("events", json!([5_629_499_534_213_120_i64]))).await);
    assert!(mobile > 0 && web + mobile == events);
    let weekly = aggregate(&sandbox, json!([{"source": {"events": null, "timeSeries": {"period": "weekRange", "first": "now()", "count": -3}}}, {"group": {"group": ["week"], "fields": {"n": {"sum": "numEvents"}}}}, {"sort": ["week"]}])).await;
    assert_eq!(weekly.len(), 3);
    assert!(weekly.iter().all(|row| (row["week"].as_i64().unwrap() - 3 * 86_400_000) % (7 * 86_400_000) == 0));
}

#[tokio::test]
async fn iterative_periods_give_one_result_for_each() {
    let sandbox = sandbox("").await;
    let (_, origin) = company(&sandbox);
    let periods = aggregate(&sandbox, json!([{"source": {"events": null, "timeSeries": {"period": "daily", "first": "now()", "count": -3}}}, {"reduce": {"n": {"sum": "numEvents"}}}])).await;
    let starts: Vec<i64> = periods.iter().map(|period| period["startTime"].as_i64().unwrap() / 86_400_000).collect();
    assert_eq!(starts, [origin - 3, origin - 2, origin - 1]);
    let whole = aggregate(&sandbox, json!([{"source": {"events": null, "timeSeries": last_days(3)}}, {"reduce": {"n": {"sum": "numEvents"}}}])).await;
    assert_eq!(periods.iter().map(|period| period["results"][0]["n"].as_i64().unwrap()).sum::<i64>(), whole[0]["n"].as_i64().unwrap());
}

#[tokio::test]
async fn nps_is_read_by_spawn_and_join() {
    let sandbox = sandbox("").await;
    let guides = get(&sandbox, "/api/v1/guide").await;
    let nps = guides.as_array().unwrap().iter().find(|guide| guide["attributes"]["type"] == "nps").unwrap();
    let branch = |poll: usize, name: &str| {
        let ids = json!({"guideId": nps["id"], "pollId": nps["polls"][poll]["id"]});
        json!([{"source": {"pollsSeenEver": ids}}, {"select": {"visitorId": "visitorId", name: "response"}}])
    };
    let rows =
        aggregate(&sandbox, json!([{"spawn": [branch(0, "score"), branch(1, "comment")]}, {"join": {"fields": ["visitorId"], "width": 2}}])).await;
    assert!(rows.len() > 100);
    assert!(rows.iter().all(|row| (0..=10).contains(&row["score"].as_i64().unwrap())));
    assert!(rows.iter().any(|row| row["comment"].is_string()) && rows.iter().any(|row| row.get("comment").is_none()));
    let recent = aggregate(
        &sandbox,
        json!([{"source": {"pollEvents": {"guideId": nps["id"], "pollId": nps["polls"][0]["id"]}, "timeSeries": last_days(30)}},
        {"group": {"group": ["accountId"], "fields": [{"n": {"count": null}}, {"promoters": {"sum": "if(pollResponse >= 9, 1, 0)"}}]}}]),
    )
    .await;
    assert!(!recent.is_empty() && recent.iter().all(|row| row["promoters"].as_i64() <= row["n"].as_i64()));
}

#[tokio::test]
async fn what_stock_clients_send_is_understood() {
    let sandbox = sandbox("").await;
    let (company, origin) = company(&sandbox);
    let accounts = json!([{"source": {"accounts": {"appId": "expandAppIds(\"*\")"}}}, {"sort": ["metadata.auto.lastupdated"]}, {"filter": "metadata.auto.lastupdated>=1"}, {"limit": 10}]);
    let rows = aggregate(&sandbox, accounts).await;
    assert!(rows.len() == 10 && rows.iter().is_sorted_by_key(|row| row["metadata"]["auto"]["lastupdated"].as_i64()));
    let visitors = |last: &str| json!([{"source": {"visitors": {"identified": true}}}, {"sort": ["visitorId"]}, {"filter": format!("visitorId>\"{last}\"")}, {"limit": 700}]);
    let (mut seen, mut last) = (Vec::new(), String::new());
    loop {
        let page = aggregate(&sandbox, visitors(&last)).await;
        let Some(row) = page.last() else { break };
        last = row["visitorId"].as_str().unwrap().to_owned();
        seen.extend(page.iter().map(|row| row["visitorId"].as_str().unwrap().to_owned()));
    }
    let mut all: Vec<String> = (0..company.people).map(|person| company.email(person)).collect();
    all.sort_unstable();
    assert_eq!(seen, all);
    let counted = json!([{"source": {"visitors": {"identified": true}}}, {"sort": ["visitorId"]}, {"filter": "visitorId>\"\""}, {"count": null}]);
    assert_eq!(aggregate(&sandbox, counted).await, [json!({"count": 2_000})]);
    let (from, to) = ((origin - 3) * 86_400_000, origin * 86_400_000 - 1);
    let numeric = json!([{"source": {"events": null, "timeSeries": {"period": "dayRange", "first": from, "last": "now()"}}}, {"sort": ["day"]}, {"filter": format!("day>={from}")}, {"limit": 50}]);
    assert_eq!(aggregate(&sandbox, numeric).await.len(), 50);
    let hours = json!([{"source": {"pageEvents": null, "timeSeries": {"period": "hourRange", "first": from.to_string(), "last": to.to_string()}}},
        {"filter": format!("hour >= {from} && hour <= {to} && pageId >= \"\"")}, {"sort": ["hour", "pageId"]}, {"limit": 1000}]);
    let rows = aggregate(&sandbox, hours).await;
    assert!(rows.len() == 1_000 && rows.iter().is_sorted_by_key(|row| (row["hour"].as_i64(), row["pageId"].as_str().map(str::to_owned))));
    let polls = json!([{"source": {"guideEvents": null, "timeSeries": {"period": "dayRange", "first": from, "last": "now()"}}}, {"sort": ["browserTime"]}, {"filter": format!("guideTimestamp >= {from} && guideTimestamp <= {to}")}]);
    assert!(!aggregate(&sandbox, polls).await.is_empty());
}

#[tokio::test]
async fn operators_do_what_they_say() {
    let sandbox = sandbox("").await;
    let (company, _) = company(&sandbox);
    let account = company.account_id(2);
    let one = json!({"filter": format!("accountId == `{account}`")});
    let eval = json!([{"source": {"accounts": null}}, one, {"eval": {"a": "1 + 2 * 3", "b": "-(4 - 6) / 4", "c": "accountId + \"!\"", "d": "if(accountId in [\"x\", `y`], 1, 2)", "e": "contains(metadata.agent.name, \" \")",
        "f": "date(2024, 1, 31)", "g": "dateAdd(date(2024, 1, 31), 1, \"days\")", "h": "startOfPeriod(\"monthly\", date(2024, 2, 29))", "i": "dayOfWeek(date(2026, 6, 15))", "j": "\"a\\\"b\"", "k": "isNumber(metadata.custom.arr)", "l": "nothing.at.all"}},
        {"select": {"a": "a", "b": "b", "c": "c", "d": "d", "e": "e", "f": "f", "g": "g", "h": "h", "i": "i", "j": "j", "k": "k", "l": "l"}}]);
    let expected = json!({"a": 7, "b": 0.5, "c": format!("{account}!"), "d": 2, "e": true, "f": 1_706_659_200_000_i64, "g": 1_706_745_600_000_i64, "h": 1_706_745_600_000_i64, "i": 1, "j": "a\"b", "k": true, "l": null});
    assert_eq!(aggregate(&sandbox, eval).await, [expected]);
    let unwound = json!([{"source": {"visitors": null}}, {"select": {"visitorId": "visitorId", "accounts": "metadata.auto.accountids"}}, {"unwind": {"field": "accounts"}}, {"filter": format!("accounts == \"{account}\"")}, {"count": null}]);
    assert_eq!(aggregate(&sandbox, unwound).await, [json!({"count": company.people_of(2).count()})]);
    let merged = json!([{"source": {"accounts": null}}, one, {"select": {"accountId": "accountId"}}, {"merge": {"fields": ["accountId"], "mappings": {"people": "people"}, "pipeline": [
        {"source": {"visitors": null}}, {"select": {"accountId": "metadata.auto.accountid", "visitorId": "visitorId"}}, {"group": {"group": ["accountId"], "fields": {"people": {"count": null}}}}]}}]);
    assert_eq!(aggregate(&sandbox, merged).await, [json!({"accountId": account, "people": company.people_of(2).count()})]);
    let expanded = json!([all_events(30), {"group": {"group": ["accountId"]}}, one, {"bulkExpand": {"account": {"account": "accountId"}}}, {"cat": null}, {"select": {"name": "account.metadata.agent.name"}}]);
    assert_eq!(aggregate(&sandbox, expanded).await, [json!({"name": company.account_name(2)})]);
    let spread = json!([{"source": {"accounts": null}}, {"select": {"arr": "metadata.custom.arr"}}, {"reduce": [{"n": {"count": null}}, {"avg": {"avg": "arr"}}, {"min": {"min": "arr"}}, {"max": {"max": "arr"}}, {"first": {"first": "arr"}}]}]);
    let arr: Vec<i64> = (0..200).map(|account| company.account(account).arr).collect();
    let told = aggregate(&sandbox, spread).await;
    assert_eq!(
        (&told[0]["n"], &told[0]["min"], &told[0]["max"], &told[0]["first"]),
        (&json!(200), &json!(arr.iter().min()), &json!(arr.iter().max()), &json!(arr[0]))
    );
    let mean: f64 = arr.iter().map(|arr| f64::from(i32::try_from(*arr).unwrap()) / 200.0).sum();
    assert!((told[0]["avg"].as_f64().unwrap() - mean).abs() < 1e-6);
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let sandbox = sandbox("").await;
    let accounts = json!({"source": {"accounts": null}});
    for (pipeline, said) in [
        (json!([{"source": {"events": null}}]), "no period specified for time series source"),
        (json!([{"source": {"events": null, "accounts": null}}]), "only a single source is allowed"),
        (json!([accounts, accounts]), "only a single source is allowed"),
        (json!([{"source": {"accounts": null, "timeSeries": last_days(3)}}]), "time series"),
        (json!([{"source": {"rawEvents": null}}]), "rawEvents"),
        (json!([{"filter": "true"}]), "source"),
        (json!([accounts, {"switch": {}}]), "unknown operator: switch"),
        (json!([accounts, {"filter": "accountId ="}]), "unable to parse"),
        (json!([accounts, {"filter": "shout(accountId)"}]), "unable to parse"),
        (json!([accounts, {"filter": "accountId == 'x'"}]), "unable to parse"),
        (json!([accounts, {"filter": "(".repeat(5_000)}]), "too complex"),
        (json!([accounts, {"group": {"group": ["a"], "fields": {"x": {"median": "y"}}}}]), "median"),
        (json!([accounts, {"segment": {"id": "nope"}}]), "segment not found"),
        (json!([accounts, {"limit": -1}]), "limit"),
        (json!([{"source": {"events": {"page": 1}, "timeSeries": last_days(3)}}]), "unknown parameter"),
    ] {
        let (status, text) = refusal(&sandbox, pipeline).await;
        assert!(status == 400 && text.contains(said), "{status} {text}, not {said}");
    }
    let (status, text) = send(&sandbox, "POST", "/api/v1/aggregation", json!({"request": {}})).await;
    assert_eq!((status, text.as_str()), (422, r#"{"overall":{},"fields":{"pipeline":"Required"}}"#));
}

#[tokio::test]
async fn track_events_count_as_usage_and_make_what_is_new() {
    let sandbox = sandbox("").await;
    let (company, _) = company(&sandbox);
    let now = sandbox.world().clock.now_ms();
    let key = sandbox.credentials()["pendo"]["track_key"].as_str().unwrap().to_owned();
    let track = async |visitor: &str, account: &str, time: i64| {
        let event = json!({"type": "track", "event": "Invoice Paid", "visitorId": visitor, "accountId": account, "timestamp": time, "properties": {"amount": 12}});
        reqwest::Client::new()
            .post(url(&sandbox, "/data/track"))
            .header("x-pendo-integration-key", &key)
            .json(&event)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    let stranger =
        reqwest::Client::new().post(url(&sandbox, "/data/track")).header("x-pendo-integration-key", "wrong").json(&json!({})).send().await.unwrap();
    assert_eq!(stranger.status(), 403);
    assert_eq!(track("new@visitor", "fresh", now - 1_000).await, 200);
    assert_eq!(track(&company.email(9), &company.account_id(company.account_of(9)), now - 2_000).await, 200);
    assert_eq!(track("late", "fresh", now - 8 * 86_400_000).await, 200);
    let types = get(&sandbox, "/api/v1/tracktype").await;
    let id = types.as_array().unwrap().iter().find(|one| one["name"] == "Invoice Paid").unwrap()["id"].clone();
    let sent = json!([{"source": {"trackEvents": {"trackTypeId": id}, "timeSeries": {"period": "dayRange", "first": "now()", "count": 1}}}, {"sort": ["lastTime"]}, {"select": {"v": "visitorId", "amount": "properties.amount"}}]);
    assert_eq!(aggregate(&sandbox, sent).await, [json!({"v": company.email(9), "amount": 12}), json!({"v": "new@visitor", "amount": 12})]);
    let today = json!([{"source": {"events": null, "timeSeries": {"period": "dayRange", "first": "now()", "count": 1}}}, {"filter": "accountId == \"fresh\""}, {"group": {"group": ["accountId"], "fields": {"n": {"sum": "numEvents"}}}}]);
    assert_eq!(aggregate(&sandbox, today).await, [json!({"accountId": "fresh", "n": 1})]);
    assert_eq!(get(&sandbox, "/api/v1/visitor/new@visitor").await["lastStartTime"], now - 1_000);
}

#[tokio::test]
async fn reports_guides_and_deletions() {
    let sandbox = sandbox("").await;
    let (company, _) = company(&sandbox);
    let report = get(&sandbox, "/api/v1/report").await[0]["id"].as_str().unwrap().to_owned();
    let rows = get(&sandbox, &format!("/api/v1/report/{report}/results.json")).await;
    let csv = call(&sandbox, "GET", &format!("/api/v1/report/{report}/results.csv"), None).await.unwrap().text().await.unwrap();
    assert_eq!(csv.lines().count(), rows.as_array().unwrap().len() + 1);
    let guide = get(&sandbox, "/api/v1/guide").await[1]["id"].as_str().unwrap().to_owned();
    assert_eq!(send(&sandbox, "PUT", &format!("/api/v1/guide/{guide}/state"), json!({"state": "disabled"})).await.0, 200);
    assert_eq!(send(&sandbox, "PUT", &format!("/api/v1/guide/{guide}/state"), json!({"state": "loud"})).await.0, 400);
    assert_eq!(get(&sandbox, &format!("/api/v1/guide/{guide}")).await["state"], "disabled");
    let gone = company.email(0);
    assert_eq!(send(&sandbox, "POST", "/api/v1/bulkdelete/visitor", json!({"visitors": [gone, "nobody"]})).await.0, 200);
    assert_eq!(call(&sandbox, "GET", &format!("/api/v1/visitor/{gone}"), None).await.unwrap().status(), 404);
    let counted = aggregate(&sandbox, json!([all_events(60), {"filter": format!("visitorId == \"{gone}\"")}, {"count": null}])).await;
    assert_eq!(counted, [json!({"count": 0})]);
}

#[tokio::test]
async fn time_goes_on_and_brings_usage() {
    let sandbox = sandbox("").await;
    let yesterday = json!([{"source": {"events": null, "timeSeries": last_days(1)}}, {"reduce": {"n": {"sum": "numEvents"}, "day": {"max": "day"}}}]);
    let before = aggregate(&sandbox, yesterday.clone()).await;
    call(&sandbox, "POST", "/_sandbox/clock", Some(json!({"advance_seconds": 30 * 86_400}))).await.unwrap();
    let after = aggregate(&sandbox, yesterday).await;
    assert_eq!(after[0]["day"].as_i64().unwrap() - before[0]["day"].as_i64().unwrap(), 30 * 86_400_000);
    assert!(after[0]["n"].as_i64().unwrap() > 0);
}

#[tokio::test]
async fn writes_outlive_the_process_and_reset_forgets_them() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { folder: Some(folder.path().to_owned()), ..at_noon() };
    let first = start(options()).await.unwrap();
    let account = first.world().company.account_id(7);
    send(&first, "POST", "/api/v1/metadata/account/custom/value", json!([{"accountId": account, "values": {"seats": 99}}])).await;
    first.stop().await;
    let second = start(options()).await.unwrap();
    let rows = get(&second, "/_sandbox/documents/account").await;
    assert_eq!(rows.as_array().unwrap().len(), 200);
    assert_eq!(rows[7]["metadata"]["custom"]["seats"], 99);
    send(&second, "POST", "/_sandbox/reset", json!({"documents": true})).await;
    second.stop().await;
    let third = start(options()).await.unwrap();
    assert_ne!(get(&third, &format!("/api/v1/account/{account}")).await["metadata"]["custom"]["seats"], 99);
}

#[tokio::test]
async fn a_cut_before_the_work_leaves_nothing_and_one_after_it_leaves_all() {
    for (kind, done) in [("reset", false), ("reset_after", true)] {
        let sandbox = sandbox("").await;
        let account = sandbox.world().company.account_id(7);
        call(&sandbox, "POST", "/_sandbox/faults", Some(json!(format!("pendo:{kind}@1")))).await.unwrap();
        let write = json!([{"accountId": account, "values": {"seats": 123_456}}]);
        assert!(call(&sandbox, "POST", "/api/v1/metadata/account/custom/value", Some(write)).await.is_err());
        call(&sandbox, "POST", "/_sandbox/faults", None).await.unwrap();
        assert_eq!(get(&sandbox, &format!("/api/v1/account/{account}")).await["metadata"]["custom"]["seats"] == 123_456, done);
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_company_and_another_one_another() {
    let mut told = Vec::new();
    for seed in [1, 1, 2] {
        let sandbox = start(Options { seed: Some(seed), ..at_noon() }).await.unwrap();
        told.push((get(&sandbox, "/_sandbox/documents/visitor").await, aggregate(&sandbox, json!([all_events(7)])).await));
    }
    assert!(told[0] == told[1] && told[0].0 != told[2].0 && told[0].1 != told[2].1);
}
