//! Queries: what is found, in which order and shape, and what is refused in which words.

use serde_json::{Value, json};

use super::{Org, told};

/// Five accounts of a family, with children.
async fn quill() -> Org {
    let org = Org::start().await;
    let mut parent = Value::Null;
    for (name, city, employees, renewal) in [
        ("Quill A", Some("Oslo"), Some(10), Some("2026-06-14")),
        ("quill b", Some("Bergen"), Some(20), Some("2026-06-15")),
        ("Quill C", None, Some(30), Some("2026-07-01")),
        ("Quill 50%", Some("oslo"), None, None),
        ("Quill O'Neil", Some("Rome"), Some(50), Some("2027-01-01")),
    ] {
        let fields = json!({"Name": name, "ShippingCity": city, "NumberOfEmployees": employees, "Renewal_Date__c": renewal, "ParentId": parent, "Tradestyle": "quill"});
        let id = org.create("Account", fields).await;
        if parent.is_null() {
            parent = id.clone().into();
        }
        org.create("Contact", json!({"LastName": format!("of {name}"), "AccountId": id})).await;
    }
    org
}

#[tokio::test]
async fn conditions_find_what_they_say() {
    let org = quill().await;
    let table: &[(&str, &[&str])] = &[
        ("Name = 'QUILL B'", &["quill b"]),
        ("Name != 'quill b'", &["Quill A", "Quill C", "Quill 50%", "Quill O'Neil"]),
        ("Name LIKE 'quill _'", &["Quill A", "quill b", "Quill C"]),
        (r"Name LIKE '%50\%'", &["Quill 50%"]),
        (r"Name = 'Quill O\'Neil'", &["Quill O'Neil"]),
        ("(NOT Name LIKE '%a')", &["quill b", "Quill C", "Quill 50%", "Quill O'Neil"]),
        ("ShippingCity = null", &["Quill C"]),
        ("ShippingCity IN ('OSLO', 'Rome')", &["Quill A", "Quill 50%", "Quill O'Neil"]),
        ("ShippingCity NOT IN ('Oslo')", &["quill b", "Quill C", "Quill O'Neil"]),
        ("NumberOfEmployees >= 20 AND NumberOfEmployees < 50", &["quill b", "Quill C"]),
        ("NumberOfEmployees = null OR NumberOfEmployees > 4.5e1", &["Quill 50%", "Quill O'Neil"]),
        ("Renewal_Date__c = TODAY", &["quill b"]),
        ("Renewal_Date__c < TODAY", &["Quill A"]),
        ("Renewal_Date__c = NEXT_MONTH", &["Quill C"]),
        ("Renewal_Date__c = LAST_N_DAYS:1", &["Quill A", "quill b"]),
        ("Renewal_Date__c > 2026-06-15", &["Quill C", "Quill O'Neil"]),
        ("CALENDAR_YEAR(Renewal_Date__c) = 2027", &["Quill O'Neil"]),
        ("CreatedDate = TODAY AND Parent.Name = 'Quill A' AND NumberOfEmployees = 20", &["quill b"]),
        ("Parent.Name = null", &["Quill A"]),
        ("IsDeleted = false AND Name = 'Quill C'", &["Quill C"]),
        ("Id IN (SELECT AccountId FROM Contact WHERE LastName = 'of Quill C')", &["Quill C"]),
        ("Id NOT IN (SELECT AccountId FROM Contact WHERE LastName LIKE 'of Quill%' AND LastName != 'of quill b')", &["quill b"]),
        ("Name = 'Quill A' OR (Name = 'quill b' AND ShippingCity = 'nowhere')", &["Quill A"]),
    ];
    for (condition, expected) in table {
        let found = org.column("Name", &format!("SELECT Name FROM Account WHERE Tradestyle = 'quill' AND ({condition}) ORDER BY Id")).await;
        assert_eq!(found, *expected, "{condition}");
    }
}

#[tokio::test]
async fn ids_are_compared_in_both_forms_and_looked_up() {
    let org = quill().await;
    let id = &org.column("Id", "SELECT Id FROM Account WHERE Name = 'Quill C'").await[0];
    for condition in [
        format!("Id = '{id}'"),
        format!("Id = '{}'", &id[..15]),
        format!("Id IN ('{id}', '001000000000000')"),
        format!("Id >= '{id}' AND Id <= '{id}'"),
    ] {
        assert_eq!(org.column("Name", &format!("SELECT Name FROM Account WHERE {condition}")).await, ["Quill C"], "{condition}");
    }
    let after = org.column("Name", &format!("SELECT Name FROM Account WHERE Id > '{id}' ORDER BY Id LIMIT 5")).await;
    assert_eq!(after, ["Quill 50%", "Quill O'Neil"]);
    let seeded = org.column("Id", "SELECT Id FROM Account ORDER BY Id LIMIT 3").await;
    let next = org.column("Id", &format!("SELECT Id FROM Account WHERE Id > '{}' ORDER BY Id LIMIT 2", seeded[0])).await;
    assert_eq!(next, seeded[1..]);
}

#[tokio::test]
async fn order_limit_and_offset() {
    let org = quill().await;
    let base = "SELECT Name FROM Account WHERE Tradestyle = 'quill' ORDER BY";
    for (rest, expected) in [
        ("Name", vec!["Quill 50%", "Quill A", "quill b", "Quill C", "Quill O'Neil"]),
        ("NumberOfEmployees DESC NULLS LAST", vec!["Quill O'Neil", "Quill C", "quill b", "Quill A", "Quill 50%"]),
        ("NumberOfEmployees NULLS LAST LIMIT 2", vec!["Quill A", "quill b"]),
        ("NumberOfEmployees LIMIT 2", vec!["Quill 50%", "Quill A"]),
        ("ShippingCity NULLS LAST, Name DESC", vec!["quill b", "Quill A", "Quill 50%", "Quill O'Neil", "Quill C"]),
        ("Id DESC LIMIT 2 OFFSET 1", vec!["Quill 50%", "Quill C"]),
        ("Parent.Name, Id LIMIT 0", vec![]),
    ] {
        assert_eq!(org.column("Name", &format!("{base} {rest}")).await, expected, "{rest}");
    }
}

#[tokio::test]
async fn parents_and_children_are_nested() {
    let org = quill().await;
    let rows = org
        .rows("SELECT a.Name, a.Parent.Name, Owner.Name, (SELECT LastName FROM Contacts), (SELECT Id FROM Cases) FROM Account a WHERE Tradestyle = 'quill' ORDER BY Id LIMIT 2")
        .await;
    assert_eq!((&rows[0]["Parent"], &rows[0]["Cases"]), (&Value::Null, &Value::Null));
    assert_eq!((&rows[1]["Parent"]["Name"], &rows[1]["Parent"]["attributes"]["type"]), (&json!("Quill A"), &json!("Account")));
    assert_eq!(rows[1]["Owner"]["attributes"]["type"], "User");
    let contacts = &rows[1]["Contacts"];
    assert_eq!((&contacts["totalSize"], &contacts["done"], &contacts["records"][0]["LastName"]), (&json!(1), &json!(true), &json!("of quill b")));
    assert!(contacts["records"][0]["attributes"]["url"].as_str().unwrap().starts_with("/services/data/v68.0/sobjects/Contact/003"));
}

#[tokio::test]
async fn aggregates_and_groups() {
    let org = quill().await;
    let rows =
        org.rows("SELECT COUNT(Id), SUM(NumberOfEmployees) s, AVG(NumberOfEmployees), MIN(Name) FROM Account WHERE Tradestyle = 'quill'").await;
    assert_eq!(rows, [json!({"attributes": {"type": "AggregateResult"}, "expr0": 5, "s": 110, "expr1": 27.5, "expr2": "Quill 50%"})]);
    let rows = org
        .rows("SELECT ShippingCity, COUNT(Id) n FROM Account WHERE Tradestyle = 'quill' GROUP BY ShippingCity HAVING COUNT(Id) > 1 ORDER BY COUNT(Id) DESC")
        .await;
    assert_eq!(rows, [json!({"attributes": {"type": "AggregateResult"}, "ShippingCity": "Oslo", "n": 2})]);
    let counted = org.query("SELECT COUNT() FROM Account WHERE Tradestyle = 'quill'").await;
    assert_eq!(counted, (200, json!({"totalSize": 5, "done": true, "records": []})));
    let rows = org
        .rows("SELECT CALENDAR_YEAR(Renewal_Date__c) y, COUNT(Id) n FROM Account WHERE Tradestyle = 'quill' GROUP BY CALENDAR_YEAR(Renewal_Date__c)")
        .await;
    let years: Vec<_> = rows.iter().map(|row| (row["y"].clone(), row["n"].clone())).collect();
    assert_eq!(years, [(Value::Null, json!(1)), (json!(2026), json!(3)), (json!(2027), json!(1))]);
    let rolled = org
        .rows("SELECT ShippingCity, COUNT(Id) n FROM Account WHERE Tradestyle = 'quill' AND ShippingCity != null GROUP BY ROLLUP(ShippingCity)")
        .await;
    assert_eq!(rolled.iter().map(|row| row["n"].as_u64().unwrap()).sum::<u64>(), 8);
}

#[tokio::test]
async fn pages_follow_the_locator_and_a_page_can_be_asked_for_again() {
    let org = Org::start().await;
    let all = |query: &'static str| {
        let org = &org;
        async move {
            let first = org.request("GET", "query/").header("Sforce-Query-Options", "batchSize=300").query(&[("q", query)]).send().await.unwrap();
            let mut page = told(first).await.1;
            let mut ids = Vec::new();
            let mut sizes = Vec::new();
            loop {
                let records = page["records"].as_array().unwrap();
                sizes.push(records.len());
                ids.extend(records.iter().map(|row| row["Id"].as_str().unwrap().to_owned()));
                assert_eq!(page["totalSize"], 2000, "{query}");
                let Some(next) = page["nextRecordsUrl"].as_str().map(str::to_owned) else { break };
                assert_eq!(page["done"], false);
                let again = org.get(&next).await.1;
                page = org.get(&next).await.1;
                assert_eq!(page, again);
            }
            assert_eq!(page["done"], true);
            (ids, sizes)
        }
    };
    let (ids, sizes) = all("SELECT Id FROM Contact").await;
    assert_eq!(sizes, [300, 300, 300, 300, 300, 300, 200]);
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    let (mut by_name, _) = all("SELECT Id FROM Contact WHERE LastName != null ORDER BY LastName DESC").await;
    by_name.sort();
    assert_eq!(by_name, ids);
    let lost = org.get("query/0r85G0000000099-2000").await;
    assert_eq!(super::code(&lost), (400, "INVALID_QUERY_LOCATOR"));
}

#[tokio::test]
async fn refusals_use_the_services_words() {
    let org = Org::start().await;
    let column = "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the \
                  describe call for the appropriate names.";
    let exact = [
        (
            "SELECT Id Frm Account",
            "MALFORMED_QUERY",
            "\nSELECT Id Frm Account\n          ^\nERROR at Row:1:Column:11\nunexpected token: 'Frm'".to_owned(),
        ),
        ("invalid", "MALFORMED_QUERY", "unexpected token: 'invalid'".to_owned()),
        (
            "select Foo from Account",
            "INVALID_FIELD",
            format!("\nselect Foo from Account\n       ^\nERROR at Row:1:Column:8\nNo such column 'Foo' on entity 'Account'. {column}"),
        ),
    ];
    for (query, code, message) in exact {
        assert_eq!(org.query(query).await, (400, json!([{"message": message, "errorCode": code}])), "{query}");
    }
    let table = [
        ("", "MALFORMED_QUERY"),
        ("SELECT Id FROM XYZZY", "INVALID_TYPE"),
        ("SELECT * FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id, Id FROM Account", "INVALID_FIELD"),
        ("SELECT Owner.Foo FROM Account", "INVALID_FIELD"),
        ("SELECT Foo.Name FROM Account", "INVALID_FIELD"),
        ("SELECT Id, (SELECT Id FROM Widgets) FROM Account", "INVALID_TYPE"),
        ("SELECT Id FROM Account WHERE Name = \"x\"", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY"),
        (r"SELECT Id FROM Account WHERE Name = 'a\qb'", "MALFORMED_QUERY"),
        (r"SELECT Id FROM Account WHERE Name = 'a\%b'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE NumberOfEmployees = '5'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE CreatedDate > '2026-01-01T00:00:00Z'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE CreatedDate > 2026-01-01", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Renewal_Date__c > 2026-01-01T00:00:00Z", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Account WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account WHERE Id LIKE '001%'", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name NOT LIKE 'a'", "MALFORMED_QUERY"),
        ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY"),
        ("SELECT COUNT(Id) FROM Account LIMIT 1", "MALFORMED_QUERY"),
        ("SELECT COUNT() FROM Account ORDER BY Name", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account ORDER BY Description", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name = 'x' OR Id IN (SELECT AccountId FROM Contact)", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name IN (SELECT AccountId FROM Contact)", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account WHERE Name INCLUDES ('a')", "INVALID_QUERY_FILTER_OPERATOR"),
        ("SELECT Id FROM Account LIMIT -1", "MALFORMED_QUERY"),
        ("SELECT Id FROM Account GROUP BY CUBE(Name)", "MALFORMED_QUERY"),
        ("SELECT Nonsense(Name) FROM Account", "MALFORMED_QUERY"),
    ];
    for (query, code) in table {
        let told = org.query(query).await;
        assert_eq!(super::code(&told), (400, code), "{query}: {}", told.1);
    }
}

#[tokio::test]
async fn a_query_nested_too_deep_is_refused() {
    let org = Org::start().await;
    for condition in [format!("{}Name = 'x'{}", "(".repeat(1000), ")".repeat(1000)), format!("{}Name = 'x'", "NOT ".repeat(1000))] {
        let told = org.query(&format!("SELECT Id FROM Account WHERE {condition}")).await;
        assert_eq!(super::code(&told), (400, "QUERY_TOO_COMPLICATED"));
    }
}

#[tokio::test]
async fn deleted_rows_are_seen_by_query_all_only() {
    let org = quill().await;
    let id = org.column("Id", "SELECT Id FROM Account WHERE Name = 'Quill 50%'").await.remove(0);
    assert_eq!(org.send("DELETE", &format!("sobjects/Account/{id}"), Value::Null).await.0, 204);
    assert_eq!(org.query("SELECT COUNT() FROM Account WHERE Tradestyle = 'quill'").await.1["totalSize"], 4);
    let all = |soql: &'static str| {
        let request = org.request("GET", "queryAll").query(&[("q", soql)]);
        async move { told(request.send().await.unwrap()).await.1 }
    };
    assert_eq!(all("SELECT Id FROM Account WHERE Tradestyle = 'quill'").await["totalSize"], 5);
    assert_eq!(all("SELECT Name FROM Account WHERE IsDeleted = true").await["records"][0]["Name"], "Quill 50%");
}

#[tokio::test]
async fn functions_columns_explain_and_typeof() {
    let org = quill().await;
    let rows = org
        .rows("SELECT toLabel(Name), FORMAT(NumberOfEmployees) n, DAY_ONLY(CreatedDate), TYPEOF Owner WHEN User THEN Username END FROM Account WHERE Name = 'Quill A'")
        .await;
    assert_eq!((&rows[0]["Name"], &rows[0]["n"], &rows[0]["expr0"]), (&json!("Quill A"), &json!("10"), &json!("2026-06-15")));
    assert!(rows[0]["Owner"]["Username"].is_string());
    let columns =
        told(org.request("GET", "query").query(&[("q", "SELECT Id, Owner.Name FROM Account"), ("columns", "true")]).send().await.unwrap()).await.1;
    assert_eq!((&columns["entityName"], &columns["idSelected"], &columns["keyPrefix"]), (&json!("Account"), &json!(true), &json!("001")));
    assert_eq!(columns["columnMetadata"][1]["joinColumns"][0]["columnName"], "Name");
    let explained = told(org.request("GET", "query").query(&[("explain", "SELECT Id FROM Account")]).send().await.unwrap()).await.1;
    assert_eq!(explained["plans"][0]["sobjectType"], "Account");
    let rows = org.rows("SELECT FIELDS(STANDARD) FROM Account WHERE Name = 'Quill A' LIMIT 1").await;
    assert!(rows[0].get("Renewal_Date__c").is_none() && rows[0]["ShippingAddress"]["city"] == "Oslo");
}

#[tokio::test]
async fn many_rows_are_paged_without_being_held() {
    let org = Org::with(tabi::sandbox::Options { accounts: Some(100_000), people: Some(100_000), ..tabi::sandbox::Options::default() }).await;
    assert_eq!(org.query("SELECT COUNT() FROM Account").await.1["totalSize"], 100_000);
    let (_, mut page) = org.query("SELECT Id, Name FROM Account ORDER BY Id").await;
    let mut count = page["records"].as_array().unwrap().len();
    for _ in 0..3 {
        let next = page["nextRecordsUrl"].as_str().unwrap().to_owned();
        page = org.get(&next).await.1;
        count += page["records"].as_array().unwrap().len();
    }
    assert_eq!(count, 8000);
    let last = page["records"][1999]["Id"].as_str().unwrap().to_owned();
    let after = org.rows(&format!("SELECT Id FROM Account WHERE Id > '{last}' ORDER BY Id LIMIT 200")).await;
    assert_eq!(after.len(), 200);
}
