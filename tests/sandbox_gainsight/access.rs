//! Keys, tokens, envelope, errors, limits, settings.

use serde_json::{Value, json};
use tabi::sandbox::Options;

use super::{KEY, Tenant};

const QUERY: &str = "/v1/data/objects/query/Company";

#[tokio::test]
async fn the_key_is_accepted_under_both_names_and_nothing_else_is() {
    let tenant = Tenant::start().await;
    let body = json!({"select": ["Name"], "limit": 1});
    for (header, value, status) in [("ACCESSKEY", KEY, 200), ("authentication", KEY, 200), ("accesskey", "wrong", 401), ("x-other", KEY, 401)] {
        let answer = tenant.client.post(tenant.url(QUERY)).header(header, value).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{header}");
        let limit = answer.headers().get("x-ratelimit-limit").unwrap().to_str().unwrap().to_owned();
        assert!(limit.contains("100") && limit.contains("50000"), "{limit}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["result"], status == 200);
        if status == 401 {
            assert_eq!((&answer["errorCode"], &answer["errorDesc"]), (&json!("GS_APIG_2401"), &json!("Unauthorized")));
        }
        assert_eq!(answer["requestId"].as_str().unwrap().len(), 36);
    }
}

#[tokio::test]
async fn machines_log_in_for_a_token_that_lives_a_day() {
    let tenant = Tenant::start().await;
    let token_url = tenant.url("/v1/users/m2m/oauth/token");
    let login = |secret: &'static str| {
        tenant.client.post(&token_url).basic_auth("sandbox-gainsight-client", Some(secret)).form(&[("grant_type", "client_credentials")]).send()
    };
    assert_eq!(login("wrong").await.unwrap().status(), 401);
    let token: Value = login("sandbox-gainsight-client-secret").await.unwrap().json().await.unwrap();
    assert_eq!((&token["token_type"], &token["expires_in"]), (&json!("Bearer"), &json!(86_400)));
    let bearer = token["access_token"].as_str().unwrap();
    let ask = || tenant.client.post(tenant.url(QUERY)).bearer_auth(bearer).json(&json!({"select": ["Name"]})).send();
    assert_eq!(ask().await.unwrap().status(), 200);
    tenant.ok_turn(86_401).await;
    assert_eq!(ask().await.unwrap().status(), 401);
}

impl Tenant {
    async fn ok_turn(&self, seconds: i64) {
        let body = json!({"advance_seconds": seconds});
        assert!(self.client.post(self.url("/_sandbox/clock")).json(&body).send().await.unwrap().status().is_success());
    }
}

#[tokio::test]
async fn what_the_articles_do_not_have_is_refused_in_the_vendors_words() {
    let tenant = Tenant::start().await;
    for (method, path) in [("GET", "/v1/bulk/jobs"), ("GET", "/v2/successPlan/list/"), ("GET", QUERY), ("POST", "/v1/timeline/activities")] {
        assert_eq!(tenant.refused(method, path, Value::Null).await, (400, "GSOBJ_1023".into()), "{path}");
    }
    for (object, body, code) in [
        ("relationship", json!({"select": ["Name"]}), "OBJECT_NOT_FOUND"),
        ("Company", json!({"select": ["Nope"]}), "GSOBJ_1002"),
        ("Company", json!({"select": ["Nope__gr.Name"]}), "GSOBJ_1002"),
        ("Company", json!({"select": []}), "GSOBJ_1008"),
        ("Company", json!({"select": ["Name"], "limit": 5001}), "GSOBJ_1008"),
        ("Company", json!({"select": ["Name"], "groupBy": ["Name"]}), "GSOBJ_1008"),
        ("Company", json!([1]), "GSOBJ_1008"),
    ] {
        let answer = tenant.refused("POST", &format!("/v1/data/objects/query/{object}"), body.clone()).await;
        assert_eq!(answer, (400, code.into()), "{object} {body}");
    }
}

#[tokio::test]
async fn limits_bite_when_they_are_switched_on_and_are_forgotten_with_the_minute() {
    let tenant = Tenant::start().await;
    let settings = tenant.client.post(tenant.url("/_sandbox/settings")).json(&json!({"limits": true})).send().await.unwrap();
    assert_eq!(settings.json::<Value>().await.unwrap(), json!({"shape": "B", "dates": "iso", "times": "any", "limits": true}));
    let body = json!({"select": ["Name"], "limit": 1});
    let mut served = 0;
    loop {
        let (status, answer) = tenant.call("POST", QUERY, body.clone()).await;
        if status == 429 {
            assert_eq!((&answer["errorCode"], &answer["errorDesc"]), (&json!("GU_2400"), &json!("Too many request")));
            break;
        }
        served += 1;
    }
    // The window is a minute of the clock: it may have turned once on the way.
    assert!((100..=200).contains(&served), "{served}");
    tenant.ok_turn(60).await;
    assert_eq!(tenant.call("POST", QUERY, body).await.0, 200);
}

#[tokio::test]
async fn both_answer_shapes_and_both_ways_of_dates_are_in_the_wild() {
    let tenant = Tenant::start().await;
    let body = json!({"select": ["Name", "RenewalDate", "ModifiedDate"], "limit": 2});
    let data = tenant.ok("POST", QUERY, body.clone()).await;
    let row = &data["records"][0];
    assert_eq!((row["RenewalDate"].as_str().unwrap().len(), row["ModifiedDate"].as_str()), (10, Some("2026-06-15T00:00:00.000Z")));
    tenant.client.post(tenant.url("/_sandbox/settings")).json(&json!({"shape": "A", "dates": "epoch"})).send().await.unwrap();
    let data = tenant.ok("POST", QUERY, body).await;
    assert_eq!(data.as_array().unwrap().len(), 2);
    assert!(data[0]["RenewalDate"].is_i64() && data[0]["ModifiedDate"] == 1_781_481_600_000_i64, "{data}");
}

#[tokio::test]
async fn faults_are_answered_in_the_vendors_own_words() {
    for (fault, status, code) in [("429", 429, "GU_2400"), ("500", 500, "GU_1101"), ("expired", 401, "GS_APIG_2401"), ("limit", 429, "GU_2400")] {
        let tenant = Tenant::with(Options { faults: format!("gainsight:{fault}@1"), ..Options::default() }).await;
        assert_eq!(tenant.refused("POST", QUERY, json!({"select": ["Name"]})).await, (status, code.into()), "{fault}");
    }
}
