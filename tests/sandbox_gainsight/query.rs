//! Reading objects: operators, expressions, order, pages, lookups.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tabi::sandbox::Options;

use super::Tenant;

/// What a plain filter over a row says.
type Expected<'a> = Box<dyn Fn(&Value) -> bool + 'a>;

#[tokio::test]
async fn companies_are_the_accounts_that_are_customers() {
    let tenant = Tenant::start().await;
    let select = ["Gsid", "Name", "SfdcAccountId", "Arr", "ARR", "Csm__gr.Email", "Stage__gr.Name", "RenewalDate", "CurrentScore", "Users"];
    let rows = tenant.query("Company", json!({"select": select})).await;
    assert!((130..=185).contains(&rows.len()), "{} of 200", rows.len());
    let company = tenant.sandbox.world().company;
    for row in &rows {
        let index = company.account_of_id(row["SfdcAccountId"].as_str().unwrap()).unwrap();
        let account = company.account(index);
        assert!(company.is_customer(index));
        assert_eq!(row["Gsid"], company.account_gsid(index));
        assert_eq!((&row["Arr"], &row["ARR"]), (&json!(account.arr), &json!(account.arr)), "echoed as they were spelled");
        assert_eq!(row["Csm__gr.Email"], company.user(account.owner).email());
        assert!(row["Stage__gr.Name"].is_string() && row["RenewalDate"].is_string() && row["CurrentScore"].is_number(), "{row}");
    }
}

#[tokio::test]
async fn every_operator_gives_what_a_plain_filter_over_all_rows_gives() {
    let tenant = Tenant::start().await;
    let select = json!(["Gsid", "Name", "Arr", "RenewalDate", "CreatedDate", "Onboarding_Status__gc", "Industry"]);
    let all = tenant.query("Company", json!({"select": select})).await;
    let some = all[7].clone();
    let number = |row: &Value| row["Arr"].as_i64().unwrap();
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let arr = number(&some);
    let (name, renewal, industry) = (text(&some, "Name"), text(&some, "RenewalDate"), text(&some, "Industry"));
    let part = name[1..4].to_uppercase();
    let cases: Vec<(&str, &str, Value, Expected)> = vec![
        ("Name", "EQ", json!([name]), Box::new(|row| row["Name"] == some["Name"])),
        ("Name", "NE", json!([name]), Box::new(|row| row["Name"] != some["Name"])),
        ("Arr", "GT", json!([arr]), Box::new(|row| number(row) > arr)),
        ("Arr", "GTE", json!([arr]), Box::new(|row| number(row) >= arr)),
        ("Arr", "LT", json!([arr.to_string()]), Box::new(|row| number(row) < arr)),
        ("Arr", "LTE", json!([arr]), Box::new(|row| number(row) <= arr)),
        ("Arr", "BTW", json!([arr, arr * 2]), Box::new(|row| (arr..=arr * 2).contains(&number(row)))),
        ("RenewalDate", "GT", json!([renewal]), Box::new(|row| text(row, "RenewalDate") > renewal)),
        ("RenewalDate", "LTE", json!([format!("{renewal} 10:00:00")]), Box::new(|row| text(row, "RenewalDate") <= renewal)),
        ("CreatedDate", "GTE", json!([some["CreatedDate"]]), Box::new(|row| text(row, "CreatedDate") >= text(&some, "CreatedDate"))),
        ("Industry", "IN", json!([industry, "Nowhere"]), Box::new(|row| text(row, "Industry") == industry)),
        ("Name", "CONTAINS", json!([part]), Box::new(|row| text(row, "Name").to_uppercase().contains(&part))),
        ("Name", "STARTS_WITH", json!([name[..3].to_owned()]), Box::new(|row| text(row, "Name").starts_with(&name[..3]))),
        ("Name", "ENDS_WITH", json!([name[name.len() - 3..].to_owned()]), Box::new(|row| text(row, "Name").ends_with(&name[name.len() - 3..]))),
        ("Onboarding_Status__gc", "IS_NULL", json!([]), Box::new(|row| row["Onboarding_Status__gc"].is_null())),
        ("Onboarding_Status__gc", "IS_NOT_NULL", Value::Null, Box::new(|row| !row["Onboarding_Status__gc"].is_null())),
    ];
    for (field, operator, value, expected) in cases {
        let condition = json!({"name": field, "alias": "A", "value": value, "operator": operator});
        let found = tenant.query("Company", json!({"select": select, "where": {"conditions": [condition], "expression": "A"}})).await;
        let expected: Vec<_> = all.iter().filter(|row| expected(row)).cloned().collect();
        assert_eq!(found, expected, "{field} {operator} {value}");
        assert!(!found.is_empty(), "{field} {operator} must find something to mean anything");
    }
}

#[tokio::test]
async fn choices_of_a_list_are_included_and_excluded() {
    let tenant = Tenant::start().await;
    let gsid = tenant.company().await["Gsid"].clone();
    let all = tenant.query("Company", json!({"select": ["Gsid"]})).await.len();
    let told = tenant.ok("GET", "/v1/meta/services/dropdowns/COMPANY_TAGS", json!(null)).await;
    let id = |label: &str| {
        let option = told["options"].as_array().unwrap().iter().find(|option| option["label"] == label).unwrap();
        option["value"].as_str().unwrap().to_owned()
    };
    let tags = format!("{};{}", id("Beta"), id("Partner"));
    tenant.ok("PUT", "/v1/data/objects/Company?keys=Gsid", json!({"records": [{"Gsid": gsid, "Tags": tags}]})).await;
    let found = tenant.find("Company", &["Gsid"], "Tags", "INCLUDES", json!([id("Partner"), id("Strategic")])).await;
    assert_eq!(found, [json!({"Gsid": gsid})]);
    assert_eq!(tenant.find("Company", &["Gsid"], "Tags", "EXCLUDES", json!([id("Beta")])).await.len(), all - 1);
}

#[tokio::test]
async fn expressions_bind_and_before_or_and_obey_parentheses() {
    let tenant = Tenant::start().await;
    let rows = tenant.query("Company", json!({"select": ["Name", "Arr", "CurrentScore"]})).await;
    let conditions = json!([
        {"name": "Arr", "alias": "A", "value": [100_000], "operator": "GT"},
        {"name": "CurrentScore", "alias": "B", "value": [60], "operator": "LT"},
        {"name": "CurrentScore", "alias": "C", "value": [85], "operator": "GT"},
    ]);
    let arr = |row: &Value| row["Arr"].as_i64().unwrap() > 100_000;
    let (low, high) = (|row: &Value| row["CurrentScore"].as_i64().unwrap() < 60, |row: &Value| row["CurrentScore"].as_i64().unwrap() > 85);
    let cases: [(&str, Expected); 4] = [
        ("A AND (B OR C)", Box::new(|row| arr(row) && (low(row) || high(row)))),
        ("A AND B OR C", Box::new(|row| (arr(row) && low(row)) || high(row))),
        ("(A) or ((B) and (C))", Box::new(|row| arr(row) || (low(row) && high(row)))),
        ("A AND B AND C", Box::new(|row| arr(row) && low(row) && high(row))),
    ];
    for (expression, expected) in cases {
        let body = json!({"select": ["Name", "Arr", "CurrentScore"], "where": {"conditions": conditions, "expression": expression}});
        let expected: Vec<_> = rows.iter().filter(|row| expected(row)).cloned().collect();
        assert_eq!(tenant.query("Company", body).await, expected, "{expression}");
    }
    for expression in ["A AND", "A AND D", "(A OR B", "A B", "A AND B", "", "A AND NOT B AND C"] {
        let body = json!({"select": ["Name"], "where": {"conditions": conditions, "expression": expression}});
        let refused = tenant.refused("POST", "/v1/data/objects/query/Company", body).await;
        assert_eq!(refused, (400, "GSOBJ_1008".into()), "{expression}");
    }
}

#[tokio::test]
async fn wrong_values_and_operators_are_refused_with_their_codes() {
    let tenant = Tenant::start().await;
    for (field, operator, value, code) in [
        ("RenewalDate", "GT", json!(["31-31-2024"]), "GSOBJ_1006"),
        ("CreatedDate", "GT", json!(["soon"]), "GSOBJ_1005"),
        ("Arr", "GT", json!(["many"]), "GSOBJ_1008"),
        ("Arr", "CONTAINS", json!([1]), "GSOBJ_1008"),
        ("Arr", "BTW", json!([1]), "GSOBJ_1008"),
        ("Arr", "LIKE", json!([1]), "GSOBJ_1008"),
        ("Arr", "EQ", json!(1), "GSOBJ_1008"),
        ("Name", "DOES_NOT_CONTAINS", json!(["x"]), "GSOBJ_1008"),
        ("Missing", "EQ", json!([1]), "GSOBJ_1002"),
    ] {
        let condition = json!({"name": field, "alias": "A", "value": value, "operator": operator});
        let body = json!({"select": ["Name"], "where": {"conditions": [condition], "expression": "A"}});
        assert_eq!(tenant.refused("POST", "/v1/data/objects/query/Company", body).await, (400, code.into()), "{field} {operator} {value}");
    }
}

#[tokio::test]
async fn order_goes_by_several_fields_both_ways() {
    let tenant = Tenant::start().await;
    let rows = tenant.query("Company", json!({"select": ["Industry", "Arr"], "orderBy": {"Industry": "asc", "Arr": "desc"}})).await;
    let keys: Vec<(String, i64)> = rows.iter().map(|row| (row["Industry"].as_str().unwrap().into(), -row["Arr"].as_i64().unwrap())).collect();
    assert!(keys.is_sorted() && keys.len() > 100);
}

#[tokio::test]
async fn pages_by_offset_join_to_the_whole_in_every_order() {
    let tenant = Tenant::with(Options { accounts: Some(3_000), people: Some(10), ..Options::default() }).await;
    for order in [Value::Null, json!({"Gsid": "asc"}), json!({"Gsid": "desc"}), json!({"Arr": "desc"})] {
        let condition = json!([{"name": "CurrentScore", "alias": "A", "value": [50], "operator": "GT"}]);
        let page = |offset: usize, limit: usize| json!({"select": ["Gsid"], "where": {"conditions": condition, "expression": "A"}, "orderBy": order, "offset": offset, "limit": limit});
        let whole = tenant.query("Company", page(0, 5_000)).await;
        let mut joined = Vec::new();
        loop {
            let rows = tenant.query("Company", page(joined.len(), 400)).await;
            if rows.is_empty() {
                break;
            }
            joined.extend(rows);
        }
        assert_eq!(joined, whole, "{order}");
        assert_eq!(tenant.query("Company", page(1_234, 3)).await, whole[1_234..1_237], "a page out of turn");
    }
}

#[tokio::test]
async fn pages_by_id_join_to_the_whole_also_over_inserted_rows() {
    let tenant = Tenant::start().await;
    let inserted: Vec<Value> = (0..40).map(|n| json!({"Name": format!("Inserted {n}")})).collect();
    tenant.ok("POST", "/v1/data/objects/Company", json!({"records": inserted})).await;
    let whole = tenant.query("Company", json!({"select": ["Gsid"], "limit": 5_000})).await;
    let mut joined: Vec<Value> = tenant.query("Company", json!({"select": ["Gsid"], "orderBy": {"Gsid": "asc"}, "limit": 33})).await;
    while let Some(last) = joined.last().map(|row| row["Gsid"].clone()) {
        let condition = json!({"name": "Gsid", "alias": "A", "value": [last], "operator": "GT"});
        let body = json!({"select": ["Gsid"], "where": {"conditions": [condition], "expression": "A"}, "orderBy": {"Gsid": "asc"}, "limit": 33});
        let rows = tenant.query("Company", body).await;
        if rows.is_empty() {
            break;
        }
        joined.extend(rows);
    }
    assert_eq!(joined, whole);
}

#[tokio::test]
async fn keys_find_seeded_and_written_rows_alike() {
    let tenant = Tenant::start().await;
    let rows = tenant.query("Company", json!({"select": ["Gsid", "SfdcAccountId"], "limit": 3})).await;
    let gsid = rows[0]["Gsid"].clone();
    // The index must see what changes after it was made, also an old value that is gone.
    assert_eq!(tenant.find("Company", &["Gsid"], "SfdcAccountId", "EQ", json!([rows[0]["SfdcAccountId"]])).await.len(), 1);
    tenant.ok("PUT", "/v1/data/objects/Company?keys=Gsid", json!({"records": [{"Gsid": gsid, "SfdcAccountId": "001MOVED"}]})).await;
    tenant.ok("POST", "/v1/data/objects/Company", json!({"records": [{"Name": "New", "SfdcAccountId": "001NEW"}]})).await;
    assert_eq!(tenant.find("Company", &["Gsid"], "SfdcAccountId", "EQ", json!([rows[0]["SfdcAccountId"]])).await, [json!(null); 0]);
    assert_eq!(tenant.find("Company", &["Gsid"], "SfdcAccountId", "EQ", json!(["001MOVED"])).await, [json!({"Gsid": gsid})]);
    let many = json!([rows[1]["SfdcAccountId"], "001NEW", "001MOVED", "001NOWHERE", rows[2]["SfdcAccountId"]]);
    let found = tenant.find("Company", &["SfdcAccountId"], "SfdcAccountId", "IN", many).await;
    let found: BTreeSet<&str> = found.iter().map(|row| row["SfdcAccountId"].as_str().unwrap()).collect();
    assert_eq!(found.len(), 4);
    let by_id = tenant.find("Company", &["SfdcAccountId"], "Gsid", "IN", json!([gsid, rows[1]["Gsid"], "1P02NOTHING"])).await;
    assert_eq!(by_id.len(), 2);
}

#[tokio::test]
async fn people_belong_to_their_companies() {
    let tenant = Tenant::start().await;
    let company = tenant.company().await;
    let select = ["Person_ID__gr.Email", "Company_ID__gr.SfdcAccountId", "IsPrimaryCompany"];
    let joins = tenant.find("Company_Person", &select, "Company_ID", "EQ", json!([company["Gsid"]])).await;
    assert!(!joins.is_empty());
    let email = joins[0]["Person_ID__gr.Email"].as_str().unwrap();
    assert_eq!(joins[0]["Company_ID__gr.SfdcAccountId"], company["SfdcAccountId"]);
    let person = tenant.find("Person", &["Email", "SfdcContactId"], "Email", "EQ", json!([email.to_uppercase()])).await;
    assert_eq!((person.len(), &person[0]["Email"]), (1, &json!(email)));
}

#[tokio::test]
async fn a_million_accounts_are_paged_and_looked_up_without_looking_at_all_of_them() {
    let tenant = Tenant::with(Options { accounts: Some(1_000_000), people: Some(1_000), ..Options::default() }).await;
    let company = tenant.sandbox.world().company;
    let customers: Vec<u64> = (900_000..1_000_000).filter(|index| company.is_customer(*index)).take(1_000).collect();
    let ids: Vec<String> = customers.iter().map(|index| company.account_id(*index)).collect();
    assert_eq!(tenant.find("Company", &["Gsid"], "SfdcAccountId", "IN", json!(ids)).await.len(), 1_000);
    let mut offset = 0;
    for _ in 0..4 {
        let rows = tenant.query("Company", json!({"select": ["Gsid", "Name"], "limit": 5_000, "offset": offset})).await;
        assert_eq!(rows.len(), 5_000);
        offset += 5_000;
    }
}
