//! Segments over pulled metadata, and the guides shown to them (A17).

use crate::support::{Sandbox, Workspace};

#[test]
fn a_segment_over_pulled_metadata_gets_its_members_and_its_guide_a17() {
    let script = r#"
        pendo::salesforce_integration("pull", #{ object: "Account", key: #{ pendo: "accountId", salesforce: "Id" }, pull: ["Churn_Risk__c", "Renewal_Date__c"] });
        pendo::segment("at-risk", #{ per: "account", filters: #{ a: ["metadata.salesforce.churn_risk__c", "=", "High"], logic: "a" },
            guides: ["Renewal notice"], after: "pull" });"#;
    let workspace = Workspace::with_script(script);
    let sandbox = Sandbox::start(&workspace, "--accounts 60 --people 400");
    let run = workspace.tabi("run --json").ended(0);
    let members = run.summary("at-risk")["written"].as_u64().unwrap();
    assert!(members > 0, "{}", run.stdout);
    let aimed = |call: &String| call.starts_with("PUT") && call.contains("/guide/") && call.ends_with("/segment");
    assert_eq!(sandbox.writes("pendo").iter().filter(|call| aimed(call)).count(), 1, "{:?}", sandbox.writes("pendo"));
    sandbox.forget_requests();
    let again = workspace.tabi("run --json").ended(0);
    assert_eq!(again.summary("at-risk")["written"], 0, "{}", again.stdout);
    assert_eq!(sandbox.writes("pendo"), Vec::<String>::new());
}
