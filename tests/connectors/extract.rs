//! Big reads of Salesforce by a bulk query job bring the same records as pages do.

use tabi::model::{Query, Source, System, Value};

use super::bench::{Bench, bench, options, query, sandbox, text, update, with};

const SF: System = System::Salesforce;

async fn bulky(accounts: u64, faults: &str) -> Bench {
    let sandbox = sandbox(accounts, faults).await;
    let mut options = options(&sandbox);
    options.salesforce.as_mut().unwrap().bulk_query_threshold = 250;
    with(sandbox, options)
}

/// Texts with everything that CSV has to quote, blanks at both ends, an emptied one.
async fn season(bench: &Bench) {
    let accounts = bench.all(Query { limit: Some(4), ..query(SF, "Account", &["Id"]) }).await;
    let texts = ["a \"quoted\", text\nof two lines", "  blanks  ", "", "#N/A"];
    let rows = accounts.iter().zip(texts).map(|(row, said)| {
        let value = if said.is_empty() { Value::Null } else { Value::text(said) };
        let sets = [("Description", value), ("NumberOfEmployees", Value::Int(7)), ("AnnualRevenue", Value::Float(1.5e7))];
        update(&row.get("Id").unwrap().to_string(), &sets)
    });
    let outcomes = bench.write(SF, "Account", rows.collect()).await.unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.fault.is_none()), "{outcomes:?}");
}

#[tokio::test]
async fn a_bulk_query_brings_the_records_that_pages_bring_a3() {
    let bulk = bulky(900, "").await;
    let by_pages = bench(900, "").await;
    for bench in [&bulk, &by_pages] {
        season(bench).await;
    }
    let fields = [
        "Id",
        "name",
        "Description",
        "NumberOfEmployees",
        "AnnualRevenue",
        "Renewal_Date__c",
        "Health_Score__c",
        "CreatedDate",
        "IsDeleted",
        "Churn_Risk__c",
        "ParentId",
    ];
    let source = Source::Object(query(SF, "Account", &fields));
    let (rows, pages) = bulk.read(&source, 400).await.unwrap();
    let (wanted, _) = by_pages.read(&source, 400).await.unwrap();
    assert_eq!((rows.len(), pages), (900, 3));
    assert_eq!(rows, wanted);
    assert_eq!(text(&rows[0], "Description"), "a \"quoted\", text\nof two lines");
    assert_eq!((rows[2].get("Description"), rows[0].get("IsDeleted")), (Some(&Value::Null), Some(&Value::Bool(false))));
    assert_eq!(bulk.count("salesforce", "POST", "/jobs/query").await, 1);
    assert_eq!(bulk.count("salesforce", "GET", "/results").await, 3);
    assert_eq!(by_pages.count("salesforce", "POST", "/jobs/query").await, 0);
    let statement = Source::Soql("SELECT Id, Name, Renewal_Date__c, NumberOfEmployees FROM Account WHERE Name != null ORDER BY Id".to_owned());
    assert_eq!(bulk.read(&statement, 2_000).await.unwrap().0, by_pages.read(&statement, 2_000).await.unwrap().0);
}

#[tokio::test]
async fn what_a_job_cannot_answer_goes_on_by_pages() {
    let bench = bulky(600, "").await;
    for soql in [
        "SELECT Id, Owner.Name FROM Account ORDER BY Id",
        "SELECT Id, Account.Name FROM Contact",
        "SELECT Id, BillingAddress FROM Account",
        "SELECT Name, (SELECT Email FROM Contacts) FROM Account",
        "SELECT Id, Name FROM Account ORDER BY Id LIMIT 590 OFFSET 5",
    ] {
        let (rows, _) = bench.read(&Source::Soql(soql.to_owned()), 200).await.unwrap();
        assert!(rows.len() >= 590, "{soql}: {}", rows.len());
    }
    assert_eq!(bench.count("salesforce", "GET", "/results").await, 0);
}

#[tokio::test]
async fn a_bulk_query_lives_through_faults() {
    let bench = bulky(500, "").await;
    let source = Source::Object(query(SF, "Account", &["Id", "Name"]));
    for kind in ["500", "503", "429", "html", "reset", "reset_after", "truncate", "expired"] {
        bench.faults(&format!("salesforce:{kind}@0.2"));
        let (rows, _) = bench.read(&source, 200).await.unwrap_or_else(|fault| panic!("{kind}: {fault}"));
        assert_eq!(rows.len(), 500, "{kind}");
    }
}
