//! Logins, sessions, versions, limits, and faults in the service's words.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Org, Told, V, code, told};

async fn token(org: &Org, fields: &[(&str, &str)]) -> Told {
    let url = format!("{}/services/oauth2/token", org.sandbox.base_url("salesforce").unwrap());
    told(org.client.post(url).form(fields).send().await.unwrap()).await
}

async fn with_token(org: &Org, header: &str, path: &str) -> Told {
    let url = format!("{}{path}", org.sandbox.base_url("salesforce").unwrap());
    told(org.client.get(url).header("authorization", header).send().await.unwrap()).await
}

#[tokio::test]
async fn every_grant_opens_a_session() {
    let org = Org::start().await;
    let (id, secret) = (org.credential("client_id"), org.credential("client_secret"));
    let client = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
    let user = org.credential("username");
    let password = format!("{}{}", org.credential("password"), org.credential("security_token"));
    let refresh = org.credential("refresh_token");
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"iss": id, "sub": user, "aud": "https://login.salesforce.com/", "exp": "1795293790"});
    let assertion = format!("{}.{}.c2ln", part(json!({"alg": "RS256"})), part(claims));
    let grants: [&[(&str, &str)]; 4] = [
        &[("grant_type", "client_credentials")],
        &[("grant_type", "password"), ("username", &user), ("password", &password)],
        &[("grant_type", "refresh_token"), ("refresh_token", &refresh)],
        &[("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", &assertion)],
    ];
    for grant in grants {
        let (status, told) = token(&org, &[grant, &client].concat()).await;
        assert_eq!((status, &told["token_type"]), (200, &json!("Bearer")), "{grant:?} {told}");
        let token = told["access_token"].as_str().unwrap();
        assert!(token.starts_with("00D") && token.as_bytes()[15] == b'!');
        assert_eq!(told["instance_url"], org.sandbox.base_url("salesforce").unwrap());
        for scheme in ["Bearer", "OAuth"] {
            assert_eq!(with_token(&org, &format!("{scheme} {token}"), &format!("{V}/limits/")).await.0, 200);
        }
        let who = with_token(&org, &format!("Bearer {token}"), "/services/oauth2/userinfo").await.1;
        let path = told["id"].as_str().unwrap().split_once("/id/").unwrap().1.to_owned();
        let identity = with_token(&org, &format!("Bearer {token}"), &format!("/id/{path}")).await.1;
        assert_eq!((&who["preferred_username"], &identity["username"]), (&json!(user), &json!(user)));
        let revoked = org.client.post(format!("{}/services/oauth2/revoke", org.sandbox.base_url("salesforce").unwrap())).form(&[("token", token)]);
        assert_eq!(revoked.send().await.unwrap().status(), 200);
        let ended = with_token(&org, &format!("Bearer {token}"), &format!("{V}/limits")).await;
        assert_eq!(ended, (401, json!([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])));
    }
    for (grant, expected) in [
        ([("grant_type", "client_credentials"), ("client_id", "other"), ("client_secret", "x")], "invalid_client_id"),
        ([("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", "x")], "invalid_client"),
        ([("grant_type", "refresh_token"), ("client_id", &id), ("refresh_token", "x")], "invalid_grant"),
        ([("grant_type", "magic"), ("client_id", &id), ("client_secret", &secret)], "unsupported_grant_type"),
    ] {
        let (status, told) = token(&org, &grant).await;
        assert_eq!((status, told["error"].as_str()), (400, Some(expected)));
    }
    assert_eq!(code(&with_token(&org, "Basic x", &format!("{V}/limits")).await), (401, "INVALID_AUTH_HEADER"));
}

#[tokio::test]
async fn soap_login_works_up_to_version_64() {
    let org = Org::start().await;
    let login = |version: &'static str, password: String| {
        let body = format!(
            "<?xml version=\"1.0\"?>\n<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body><n1:login xmlns:n1=\"urn:partner.soap.sforce.com\">\
             <n1:username>{}</n1:username><n1:password>{password}</n1:password></n1:login></e:Body></e:Envelope>\n",
            org.credential("username")
        );
        let url = format!("{}/services/Soap/u/{version}", org.sandbox.base_url("salesforce").unwrap());
        let request = org.client.post(url).header("content-type", "text/xml; charset=UTF-8").header("SOAPAction", "login").body(body);
        async move {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        }
    };
    let right = || format!("{}{}", org.credential("password"), org.credential("security_token"));
    let (status, text) = login("59.0", right()).await;
    assert_eq!(status, 200, "{text}");
    let session = text.split("<sessionId>").nth(1).unwrap().split('<').next().unwrap();
    assert_eq!(with_token(&org, &format!("Bearer {session}"), &format!("{V}/limits")).await.0, 200);
    assert!(text.contains("<serverUrl>http://127.0.0.1:") && text.contains("<organizationId>00D"));
    let (status, text) = login("59.0", "wrong".to_owned()).await;
    assert!(status == 500 && text.contains("<sf:exceptionCode>INVALID_LOGIN</sf:exceptionCode>"), "{text}");
    assert_eq!(login("65.0", right()).await.0, 500);
}

#[tokio::test]
async fn versions_resources_limits_and_counts() {
    let org = Org::start().await;
    let url = org.sandbox.base_url("salesforce").unwrap();
    let answer = org.client.get(format!("{url}/services/data/")).send().await.unwrap();
    assert!(answer.headers().get("Sforce-Limit-Info").is_none());
    let (_, versions) = told(answer).await;
    let versions = versions.as_array().unwrap();
    assert_eq!((&versions[0]["version"], versions.last().unwrap()), (&json!("31.0"), &json!({"label": "Winter '27", "url": V, "version": "68.0"})));
    assert_eq!(versions[36]["label"], "Summer '26");
    let answer = org.request("GET", "").send().await.unwrap();
    assert!(answer.headers()["Sforce-Limit-Info"].to_str().unwrap().starts_with("api-usage=1/"));
    assert_eq!(told(answer).await.1["sobjects"], format!("{V}/sobjects"));
    assert_eq!(code(&org.get("/services/data/v30.0/limits").await), (410, "UNSUPPORTED_API_VERSION"));
    assert_eq!(code(&org.get("/services/data/v99.0/limits").await), (404, "NOT_FOUND"));
    assert_eq!(org.get("/services/data/latest/limits").await.0, 200);
    let (_, limits) = org.get("limits").await;
    assert!(limits["DailyApiRequests"]["Max"].as_u64() > limits["DailyApiRequests"]["Remaining"].as_u64());
    let (_, counts) = org.get("limits/recordCount?sObjects=Account,Lead,Contact").await;
    assert_eq!(counts["sObjects"], json!([{"count": 200, "name": "Account"}, {"count": 2000, "name": "Contact"}]));
    assert_eq!(code(&org.get("search?q=nothing").await), (400, "MALFORMED_SEARCH"));
}

#[tokio::test]
async fn faults_speak_the_services_language() {
    let org = Org::start().await;
    let set = |spec: &'static str| {
        let request = org.request("POST", "/_sandbox/faults").json(&json!({"faults": spec}));
        async move { request.send().await.unwrap() }
    };
    for (spec, status, expected) in [
        ("salesforce:expired@1", 401, "INVALID_SESSION_ID"),
        ("salesforce:limit@1", 403, "REQUEST_LIMIT_EXCEEDED"),
        ("salesforce:503@1", 503, "SERVER_UNAVAILABLE"),
        ("salesforce:500@1", 500, "UNKNOWN_EXCEPTION"),
        ("salesforce:429@1", 429, "REQUEST_LIMIT_EXCEEDED"),
    ] {
        set(spec).await;
        assert_eq!(code(&org.get("limits").await), (status, expected), "{spec}");
    }
    set("salesforce:expired@1").await;
    let (id, secret) = (org.credential("client_id"), org.credential("client_secret"));
    assert_eq!(token(&org, &[("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)]).await.0, 200);
}

#[tokio::test]
async fn a_session_ends_after_two_idle_hours() {
    let org = Org::start().await;
    let (id, secret) = (org.credential("client_id"), org.credential("client_secret"));
    let (_, told) = token(&org, &[("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)]).await;
    let header = format!("Bearer {}", told["access_token"].as_str().unwrap());
    let turn = || org.request("POST", "/_sandbox/clock").json(&json!({"advance_seconds": 4000})).send();
    turn().await.unwrap();
    assert_eq!(with_token(&org, &header, &format!("{V}/limits")).await.0, 200);
    turn().await.unwrap();
    turn().await.unwrap();
    assert_eq!(code(&with_token(&org, &header, &format!("{V}/limits")).await), (401, "INVALID_SESSION_ID"));
}
