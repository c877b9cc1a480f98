//! Two source records that are one record of the target, met in different incremental runs: they are told by both names and take no turns.

use super::identity::holds;

/// Of each system a mapping whose source gives two records that are one to the target.
const MAPPINGS: &str = r#"
mapping("of-pendo", #{ from: pendo::visitors().filter(|v| v.visitorId.to_lower() == "twin@acme.example"), to: salesforce::object("Contact"),
    match_on: #{ Email: "visitorId" }, fields: #{ AssistantName: "visitorId" }, cursor: "metadata.auto.lastupdated", lookback: "0s" });
mapping("of-px", #{ from: px::users().filter(|u| u.identifyId.to_lower() == "twin@acme.example"), to: salesforce::object("Contact"),
    match_on: #{ Email: "identifyId" }, fields: #{ Department: "identifyId" }, cursor: "lastModifiedDate", lookback: "0s" });
mapping("of-gainsight", #{ from: gainsight::object("Company").filter(|c| c.Name.to_lower() == "twin@acme.example"), to: salesforce::object("Contact"),
    match_on: #{ Email: "Name" }, fields: #{ Title: "Name" }, cursor: "ModifiedDate", lookback: "0s" });
mapping("of-salesforce", #{ from: salesforce::object("Contact").filter(|c| c.Email == "twin@acme.example"), to: pendo::visitor_metadata("custom"),
    match_on: #{ visitorId: "Email" }, fields: #{ who: "LastName" }, cursor: "SystemModstamp", lookback: "0s" });
mapping("forms", #{ from: pendo::accounts().filter(|a| a.accountId.starts_with("0015e00000TWINS")), to: px::object("accounts"),
    match_on: #{ id: "accountId" }, fields: #{ plan: "accountId" }, cursor: "metadata.auto.lastupdated", lookback: "0s" });
"#;

const HELP: &str = r#"
fn contact() {
    let id = salesforce::query("SELECT Id FROM Contact ORDER BY Id LIMIT 1")[0].Id;
    salesforce::update("Contact", id, #{ Email: "twin@acme.example" });
    id
}
fn company(name) { gainsight::insert("Company", #{ Name: name }) }
fn user(id) { px::insert("users", #{ identifyId: id, email: id }) }
fn told(done, one, other) {
    assert_eq([done.status, done.written, done.rejected], ["partial", 0, 1]);
    let reason = done.rows[0].reason;
    assert(reason.contains("`" + one + "`") && reason.contains("`" + other + "`") && reason.contains("an earlier run used the first"), reason);
}
"#;

#[test]
fn twins_of_every_system_are_told_by_both_names_in_incremental_runs_and_do_not_take_turns() {
    holds(
        MAPPINGS,
        &format!(
            r#"{HELP}
let a = "twin@acme.example";
let b = "TWIN@acme.example";
test("visitors of Pendo", || {{
    let id = contact();
    let held = || salesforce::query(`SELECT AssistantName FROM Contact WHERE Id = '${{id}}'`)[0].AssistantName;
    in_pendo("visitor", [a]);
    assert_eq([run("of-pendo").written, held.call()], [1, a]);
    clock::advance(hours(1));
    in_pendo("visitor", [b]);
    told(run("of-pendo"), a, b);
    told(run("of-pendo"), a, b);
    // The first one changes: it is still the one that counts, and the other is told again.
    clock::advance(hours(1));
    in_pendo("visitor", [a]);
    told(run("of-pendo"), a, b);
    assert_eq(held.call(), a);
}});
test("users of PX, until the first is gone", || {{
    let id = contact();
    let held = || salesforce::query(`SELECT Department FROM Contact WHERE Id = '${{id}}'`)[0].Department;
    user(b);
    assert_eq([run("of-px").written, held.call()], [1, b]);
    clock::advance(hours(1));
    user(a);
    told(run("of-px"), b, a);
    clock::advance(hours(1));
    px::remove("users", b);
    let done = run("of-px");
    assert_eq([done.status, done.written, held.call()], ["ok", 1, a]);
    clock::advance(hours(1));
    user(b);
    told(run("of-px"), a, b);
    assert_eq(held.call(), a);
}});
test("companies of Gainsight, until the first has another key", || {{
    let id = contact();
    let held = || salesforce::query(`SELECT Title FROM Contact WHERE Id = '${{id}}'`)[0].Title;
    let first = company(a);
    assert_eq([run("of-gainsight").written, held.call()], [1, a]);
    clock::advance(hours(1));
    company(b);
    told(run("of-gainsight"), a, b);
    clock::advance(hours(1));
    gainsight::update("Company", first, #{{ Name: "Other" }});
    let done = run("of-gainsight");
    assert_eq([done.status, done.written, held.call()], ["ok", 1, b]);
}});
test("contacts of Salesforce with one address, and a run in full", || {{
    in_pendo("visitor", [a]);
    let people = salesforce::query("SELECT Id, LastName FROM Contact ORDER BY Id LIMIT 2");
    salesforce::update("Contact", people[1].Id, #{{ Email: a }});
    assert_eq(run("of-salesforce").written, 1);
    clock::advance(hours(1));
    salesforce::update("Contact", people[0].Id, #{{ Email: a }});
    for full in [false, true] {{
        let done = run("of-salesforce", #{{ full: full }});
        assert_eq([done.written, done.rejected], [0, 1]);
        let reason = done.rows[0].reason;
        assert(reason.contains(`Contact ${{people[1].Id}}`) && reason.contains(`Contact ${{people[0].Id}}`) && reason.contains("they have the same key"), reason);
    }}
    assert_eq(pendo::visitor(a).metadata.custom.who, people[1].LastName);
}});
test("two forms of one Salesforce id, which PX holds in one of them", || {{
    let short = "0015e00000TWINS";
    let long = short + "AA5";
    px::insert("accounts", #{{ id: long, name: "Twins" }});
    in_pendo("account", [short]);
    let first = run("forms");
    assert_eq([first.status, first.written, px::account(long).plan], ["ok", 1, short]);
    clock::advance(hours(1));
    in_pendo("account", [long]);
    told(run("forms"), short, long);
    assert_eq(px::account(long).plan, short);
}});
test("ids of PX that differ in capitals are both found", || {{
    for id in ["Ann-1", "ann-1", "ANN-1"] {{ user(id); }}
    let found = px::request("GET", "/v1/users?filter=identifyId==ANN-1&pageSize=10").users.map(|user| user.identifyId);
    found.sort();
    assert_eq(found, ["ANN-1", "Ann-1", "ann-1"]);
    assert_eq(px::user("Ann-1").identifyId, "Ann-1");
}});
"#
        ),
    );
}

/// A plan tells twins as a run does, and remembers nobody.
#[test]
fn a_plan_does_not_settle_whose_a_record_is() {
    holds(
        MAPPINGS,
        &format!(
            r#"{HELP}
test("plans", || {{
    contact();
    user("TWIN@acme.example");
    assert_eq(plan("of-px").map(|line| line.type), ["change"]);
    px::remove("users", "TWIN@acme.example");
    user("twin@acme.example");
    assert_eq(run("of-px").written, 1);
    clock::advance(hours(1));
    user("TWIN@acme.example");
    let lines = plan("of-px");
    assert_eq(lines.map(|line| line.type), ["rejected"]);
    assert(lines[0].reason.contains("an earlier run used the first"), `${{lines}}`);
}});
"#
        ),
    );
}
