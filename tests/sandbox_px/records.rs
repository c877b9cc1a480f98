//! Keys, users, accounts, engagements, segments.

use serde_json::{Value, json};

use super::bench::{engagement, get, message, qualify, sandbox, scroll, send, send_as};

#[tokio::test]
async fn a_bad_key_is_401_and_a_read_key_cannot_write() {
    let sandbox = sandbox("").await;
    let (status, body) = send_as(&sandbox, "wrong", "GET", "/v1/users", None).await;
    assert_eq!((status, body["externalapierror"]["status"].as_str()), (401, Some("UNAUTHORIZED")));
    assert!(message(&body).contains("Authentication failed in loginAwareAuthentication"));
    let read = sandbox.credentials()["px"]["read_key"].as_str().unwrap().to_owned();
    assert_eq!(send_as(&sandbox, &read, "GET", "/v1/users", None).await.0, 200);
    assert_eq!(send_as(&sandbox, &read, "POST", "/v1/users", Some(json!({}))).await.0, 403);
    assert_eq!(
        get(&sandbox, "/v1/admin/subscription").await["products"][0]["productKeys"][0]["productKey"],
        sandbox.credentials()["px"]["product_key"]
    );
}

#[tokio::test]
async fn faults_speak_the_vendors_words() {
    let sandbox = sandbox("px:429@1").await;
    let (status, body) = send(&sandbox, "GET", "/v1/users", Value::Null).await;
    assert_eq!((status, body["externalapierror"]["status"].as_str()), (429, Some("TOO_MANY_REQUESTS")));
    sandbox.world().faults.replace(tabi::sandbox::faults::parse("px:500@1").unwrap());
    let (status, body) = send(&sandbox, "GET", "/v1/users", Value::Null).await;
    assert_eq!((status, body["externalapierror"]["status"].as_str()), (500, Some("INTERNAL_SERVER_ERROR")));
}

#[tokio::test]
async fn users_are_the_companys_people_but_for_one_in_twenty_b8() {
    let sandbox = sandbox("").await;
    let company = sandbox.world().company;
    let (rows, pages) = scroll(&sandbox, "/v1/users", "users", 37).await;
    assert!(pages > 8);
    let percent = rows.len() as u64 * 100 / company.people;
    assert!((90..100).contains(&percent), "{percent}");
    for row in &rows {
        let person = company.person_of_email(row["identifyId"].as_str().unwrap()).unwrap();
        assert_eq!(row["accountId"], company.account_id(company.account_of(person)));
        assert!(row["location"]["coordinates"]["latitude"].is_f64() && row["createDate"].is_i64(), "{row}");
    }
    let (accounts, _) = scroll(&sandbox, "/v1/accounts", "accounts", 1000).await;
    assert_eq!(accounts.len() as u64, company.accounts);
    assert!(accounts.iter().any(|one| one["healthScore"].as_f64() > Some(0.0) && one["gsId"] != ""));
}

#[tokio::test]
async fn filters_join_with_and_and_or_and_compare_as_documented() {
    let sandbox = sandbox("").await;
    let (all, _) = scroll(&sandbox, "/v1/users", "users", 1000).await;
    let count = |test: &dyn Fn(&Value) -> bool| all.iter().filter(|row| test(row)).count();
    let (one, other) = (all[0]["lastName"].as_str().unwrap(), all[7]["firstName"].as_str().unwrap());
    let city = all[3]["location"]["city"].as_str().unwrap();
    let cases: Vec<(String, usize)> = vec![
        (format!("filter=lastName=={one};role==user"), count(&|row| row["lastName"] == one && row["role"] == "user")),
        (format!("filter=lastName=={one}&filter=firstName=={other}"), count(&|row| row["lastName"] == one || row["firstName"] == other)),
        (format!("filter=location.cityName=={city}"), count(&|row| row["location"]["city"] == city)),
        ("filter=role!=admin".to_owned(), count(&|row| row["role"] != "admin")),
        ("filter=email~a*@*.example".to_owned(), count(&|row| row["email"].as_str().unwrap().starts_with('a'))),
        ("filter=email!~a*".to_owned(), count(&|row| !row["email"].as_str().unwrap().starts_with('a'))),
        ("filter=numberOfVisits>=20".to_owned(), count(&|row| row["numberOfVisits"].as_i64() >= Some(20))),
        ("filter=numberOfVisits<20".to_owned(), count(&|row| row["numberOfVisits"].as_i64() < Some(20))),
        (
            "filter=lastVisitedUserAgentData.userAgent.browserType==edge".to_owned(),
            count(&|row| row["lastVisitedUserAgentData"][0]["userAgent"]["browserType"] == "Edge"),
        ),
        (format!("filter=identifyId=={}", all[5]["identifyId"].as_str().unwrap().to_uppercase()), 1),
    ];
    for (filter, wanted) in cases {
        let (rows, _) = scroll(&sandbox, &format!("/v1/users?{filter}"), "users", 10).await;
        assert_eq!(rows.len(), wanted, "{filter}");
    }
    let (sorted, _) = scroll(&sandbox, "/v1/users?sort=-numberOfVisits;lastName&filter=role==user", "users", 10).await;
    let keys: Vec<_> =
        sorted.iter().map(|row| (-row["numberOfVisits"].as_i64().unwrap(), row["lastName"].as_str().unwrap().to_lowercase())).collect();
    assert!(keys.len() > 20 && keys.is_sorted(), "{keys:?}");
    assert_eq!(send(&sandbox, "GET", "/v1/users?filter=shoeSize==9", Value::Null).await.0, 400);
    assert_eq!(send(&sandbox, "GET", "/v1/users?pageSize=1001", Value::Null).await.0, 400);
}

#[tokio::test]
async fn ids_count_their_capitals_in_paths() {
    let sandbox = sandbox("").await;
    let (status, body) = send(&sandbox, "GET", "/v1/users/x", Value::Null).await;
    let wanted = json!({"status": "NOT_FOUND", "message": "User was not found for parameters {id=x}", "debugMessage": null, "subErrors": null});
    assert_eq!((status, &body["externalapierror"]), (404, &wanted));
}

#[tokio::test]
async fn users_are_made_changed_in_part_and_deleted() {
    let sandbox = sandbox("").await;
    let (status, body) = send(&sandbox, "POST", "/v1/users", json!({"identifyId": "a/b@x.io"})).await;
    assert_eq!((status, body["externalapierror"]["subErrors"][0]["field"].as_str()), (400, Some("propertyKeys")));
    let made = json!({"identifyId": "a/b@x.io", "propertyKeys": ["AP-1"], "firstName": "A", "location": {"city": "Rome"}});
    assert_eq!(send(&sandbox, "POST", "/v1/users", made.clone()).await.0, 201);
    let (status, body) = send(&sandbox, "POST", "/v1/users", made).await;
    assert!(status == 400 && message(&body).contains("possible duplicate"), "{body}");
    let change = json!({"identifyId": "a/b@x.io", "lastName": "B", "customAttributes": {"champion": true, "trainedOn": "2026-01-01T00:00:00Z"}});
    assert_eq!(send(&sandbox, "PUT", "/v1/users/update", change).await.0, 204);
    let more = json!({"identifyId": "a/b@x.io", "customAttributes": {"trainings": 2}});
    assert_eq!(send(&sandbox, "PUT", "/v1/users/update", more).await.0, 204);
    let user = get(&sandbox, "/v1/users/a%2Fb@x.io").await;
    assert_eq!((&user["firstName"], &user["lastName"], &user["location"]["city"]), (&json!("A"), &json!("B"), &json!("Rome")));
    assert_eq!(user["customAttributes"], json!({"champion": true, "trainedOn": 1_767_225_600_000_i64, "trainings": 2}));
    let (status, body) = send(&sandbox, "PUT", "/v1/users/a%2Fb@x.io", json!({"customAttributes": {"shoeSize": 9}})).await;
    assert_eq!((status, body["externalapierror"]["subErrors"][0]["field"].as_str()), (400, Some("customAttributes.shoeSize")));
    assert_eq!(send(&sandbox, "PUT", "/v1/users/a%2Fb@x.io", json!({"signUpDate": null})).await.0, 400);
    assert_eq!(send(&sandbox, "DELETE", "/v1/users/delete", json!({"identifyId": "a/b@x.io"})).await.0, 204);
    assert_eq!(send(&sandbox, "GET", "/v1/users/a%2Fb@x.io", Value::Null).await.0, 404);
}

#[tokio::test]
async fn deleting_an_account_deletes_its_users() {
    let sandbox = sandbox("").await;
    let (users, _) = scroll(&sandbox, "/v1/users", "users", 1000).await;
    let account = users[0]["accountId"].as_str().unwrap();
    let theirs = users.iter().filter(|row| row["accountId"] == account).count();
    assert_eq!(send(&sandbox, "DELETE", &format!("/v1/accounts/{account}"), Value::Null).await.0, 204);
    let (left, _) = scroll(&sandbox, "/v1/users", "users", 1000).await;
    assert_eq!(left.len(), users.len() - theirs);
}

#[tokio::test]
async fn a_deleted_user_comes_back_with_history_within_a_week_unless_deleted_for_good() {
    let sandbox = sandbox("").await;
    let sessions = async |user: &str| {
        scroll(&sandbox, &format!("/v1/events/session?filter=identifyId=={user};date>=2026-01-01T00:00:00Z"), "sessionInitializedEvents", 1000)
            .await
            .0
            .len()
    };
    let (all, _) = scroll(&sandbox, "/v1/users?filter=numberOfVisits>40", "users", 1000).await;
    for (row, hard) in all.iter().take(2).zip([false, true]) {
        let id = row["identifyId"].as_str().unwrap();
        let before = sessions(id).await;
        assert!(before > 5, "{before}");
        assert_eq!(send(&sandbox, "DELETE", &format!("/v1/users/{id}?hardDelete={hard}"), Value::Null).await.0, 204);
        assert_eq!(sessions(id).await, 0);
        assert_eq!(send(&sandbox, "POST", "/v1/users", json!({"identifyId": id, "propertyKeys": ["AP-1"]})).await.0, 201);
        assert_eq!(sessions(id).await, if hard { 0 } else { before });
    }
}

#[tokio::test]
async fn preferences_and_the_denylist_are_kept() {
    let sandbox = sandbox("").await;
    let id = scroll(&sandbox, "/v1/users?filter=numberOfVisits>40", "users", 1000).await.0[0]["identifyId"].as_str().unwrap().to_owned();
    assert_eq!(send(&sandbox, "PUT", &format!("/v1/user/preferences/{id}"), json!({"surveys": false, "guidedTours": null})).await.0, 204);
    let kept = send(&sandbox, "POST", "/v1/user/preferences", json!({"identifyId": id})).await.1;
    assert_eq!((&kept["surveys"], &kept["guidedTours"]), (&json!(false), &json!(true)));
    assert_eq!(send(&sandbox, "PUT", &format!("/v1/users/denylist/{id}"), json!({"denied": true})).await.0, 204);
    let feed = format!("/v1/events/session?filter=identifyId=={id};date>=2026-01-01T00:00:00Z");
    assert_eq!(scroll(&sandbox, &feed, "sessionInitializedEvents", 1000).await.0.len(), 0);
    assert!(get(&sandbox, &format!("/v1/users/{id}")).await.get("denied").is_none());
}

#[tokio::test]
async fn engagements_come_in_numbered_pages_and_change_state_b2() {
    let sandbox = sandbox("").await;
    let first = get(&sandbox, "/v1/engagement?pageSize=8").await;
    let second = get(&sandbox, "/v1/engagement?pageSize=8&pageNumber=1").await;
    assert_eq!((&first["isLastPage"], &second["isLastPage"]), (&json!(false), &json!(true)));
    let all: Vec<&Value> = first["engagements"].as_array().unwrap().iter().chain(second["engagements"].as_array().unwrap()).collect();
    assert!(all.len() >= 12);
    for (name, kind, state) in [
        ("Product tour", "IN_APP_GUIDE", "STARTED"),
        ("Release video", "IN_APP_DIALOG", "STARTED"),
        ("In-app NPS", "IN_APP_NPS_SURVEY", "STARTED"),
        ("Support CSAT", "IN_APP_RATING_SURVEY", "STARTED"),
        ("Admin tour", "IN_APP_GUIDE", "PAUSED"),
        ("Integrations tour", "IN_APP_GUIDE", "IN_PROGRESS"),
    ] {
        let one = all.iter().find(|one| one["name"] == name).unwrap();
        assert_eq!((&one["type"], &one["state"]), (&json!(kind), &json!(state)));
        assert_eq!(one["description"], "Triggered by: Journey Orchestrator");
    }
    assert!(all.iter().any(|one| one["description"] == "" && one["state"] == "STARTED"));
    let surveys = get(&sandbox, "/v1/engagement?contentTypes=IN_APP_NPS_SURVEY,IN_APP_CES_SURVEY").await;
    assert_eq!(surveys["engagements"].as_array().unwrap().len(), 3);
    let id = engagement(&sandbox, "Integrations tour").await;
    let start = json!({"engagementId": id, "state": "START", "envs": ["PRODUCTION"]});
    assert_eq!(send(&sandbox, "PUT", "/v1/engagement/state", start).await, (200, json!({"status": 200, "errors": []})));
    let now = get(&sandbox, &format!("/v1/engagement/{id}")).await;
    assert_eq!((&now["state"], &now["envs"], now.get("history")), (&json!("STARTED"), &json!(["Production"]), None));
    assert_eq!(send(&sandbox, "PUT", "/v1/engagement/state", json!({"engagementId": id, "state": "STOP"})).await.0, 400);
}

#[tokio::test]
async fn external_segments_are_listed_among_segments_and_a_duplicate_can_be_refused() {
    let sandbox = sandbox("").await;
    qualify(&sandbox, "a", "no-such-engagement", "add", &["x".to_owned()]).await;
    let name = "tabi:a:step:no-such-engagement";
    let (status, _) = send(&sandbox, "POST", "/v1/external_segment/metadata?failIfExists=true", json!({"externalId": name, "name": name})).await;
    assert_eq!(status, 400);
    let segments = get(&sandbox, "/v1/segment?pageSize=200").await;
    let listed = segments["segments"].as_array().unwrap().iter().filter(|one| one["name"] == name).count();
    assert_eq!((listed, segments["segments"][0].as_object().unwrap().len()), (1, 2));
    let unknown = json!({
        "identityType": "IDENTIFY_ID", "remove": [],
        "add": [{"segmentId": "nope", "identities": ["x"], "lastQualificationTime": "2026-01-12T00:25:15.269332Z"}],
    });
    assert_eq!(send(&sandbox, "POST", "/v1/external_segment/update_membership", unknown).await.0, 400);
}

#[tokio::test]
async fn a_membership_without_what_the_schema_requires_is_refused_and_changes_nothing() {
    let sandbox = sandbox("").await;
    let (_, made) = send(&sandbox, "POST", "/v1/external_segment/metadata", json!({"externalId": "vip", "name": "VIP"})).await;
    let entry = json!({"segmentId": made["id"], "identities": ["x"], "lastQualificationTime": "2026-01-12T00:25:15.269332Z"});
    let whole = json!({"identityType": "IDENTIFY_ID", "add": [entry], "remove": []});
    let without = |pointer: &str, field: &str| {
        let mut less = whole.clone();
        less.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(field).unwrap();
        less
    };
    let mut wrong: Vec<Value> = ["add", "remove", "identityType"].iter().map(|field| without("", field)).collect();
    wrong.extend(["segmentId", "identities", "lastQualificationTime"].iter().map(|field| without("/add/0", field)));
    let with = |pointer: &str, value: Value| {
        let mut other = whole.clone();
        *other.pointer_mut(pointer).unwrap() = value;
        other
    };
    wrong.extend([with("/add", json!({})), with("/remove", Value::Null), with("/add/0/lastQualificationTime", json!("yesterday"))]);
    // A segment goes by its own id: nothing says that its external one is understood.
    wrong.extend([with("/add/0/segmentId", json!("vip")), with("/add/0/lastQualificationTime", json!(1_768_177_515_269_i64))]);
    for body in wrong {
        let (status, answer) = send(&sandbox, "POST", "/v1/external_segment/update_membership", body.clone()).await;
        assert_eq!(status, 400, "{body}: {answer}");
    }
    assert_eq!(get(&sandbox, "/_sandbox/documents/membership").await, json!([]));
    assert_eq!(send(&sandbox, "POST", "/v1/external_segment/update_membership", whole).await.0, 200);
    assert_eq!(get(&sandbox, "/_sandbox/documents/membership").await.as_array().unwrap().len(), 1);
}
