//! What is the same key: by each system's own rule, wherever keys are compared.

use crate::support::{Sandbox, Workspace};

/// Helpers of the tests below, in their own language.
pub(super) const HELP: &str = r#"
fn account_field(name, meta) {
    meta.label = name;
    salesforce::request("POST", "/services/data/v68.0/tooling/sobjects/CustomField", #{ FullName: "Account." + name, Metadata: meta });
    let sets = salesforce::query("SELECT Id FROM PermissionSet ORDER BY Id LIMIT 1");
    salesforce::request("POST", "/services/data/v68.0/sobjects/FieldPermissions", #{ ParentId: sets[0].Id, SobjectType: "Account", Field: "Account." + name, PermissionsRead: true, PermissionsEdit: true });
}
fn in_pendo(kind, rows) {
    pendo::request("POST", `/api/v1/metadata/${kind}/custom/value?create=true`, rows.map(|id| { let row = #{ values: #{} }; row[kind + "Id"] = id; row }));
}
fn account() { salesforce::query("SELECT Id FROM Account ORDER BY Id LIMIT 1")[0].Id }
fn site() { salesforce::query("SELECT Site FROM Account ORDER BY Id LIMIT 1")[0].Site }
fn of(done, key) { done.rows.filter(|row| row.key == key).map(|row| row.reason) }
"#;

/// Fails unless every one of the tests passes over these scripts; each has a small sandbox of its own.
#[track_caller]
pub(super) fn holds(scripts: &str, tests: &str) {
    let workspace = Workspace::with_script(scripts);
    workspace.write("tabi.toml", "timezone = \"UTC\"\n[sandbox]\naccounts = 12\npeople = 24\n");
    workspace.write("tests/identity_test.rhai", format!("{HELP}{tests}"));
    let ran = workspace.tabi("test");
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
}

#[test]
fn salesforce_text_keys_fold_capitals_unless_the_field_is_defined_otherwise() {
    let mapping = |name: &str| {
        format!(
            r#"mapping("{name}", #{{ from: salesforce::soql("SELECT Department, Title FROM Contact WHERE Department != null ORDER BY Title"),
                to: salesforce::object("Account"), match_on: #{{ Key__c: "Department" }}, fields: #{{ Site: "Title" }} }});"#
        )
    };
    holds(
        &mapping("m"),
        r#"
fn two_contacts() {
    let people = salesforce::query("SELECT Id FROM Contact ORDER BY Id LIMIT 2");
    salesforce::update("Contact", people[0].Id, #{ Department: "kEy1", Title: "lower" });
    salesforce::update("Contact", people[1].Id, #{ Department: "KeY1", Title: "upper" });
}
test("two records where capitals count", || {
    account_field("Key__c", #{ type: "Text", length: 20, externalId: true, unique: true, caseSensitive: true });
    let accounts = salesforce::query("SELECT Id FROM Account ORDER BY Id LIMIT 2");
    salesforce::update("Account", accounts[0].Id, #{ Key__c: "kEy1" });
    salesforce::update("Account", accounts[1].Id, #{ Key__c: "KeY1" });
    two_contacts();
    let done = run("m");
    assert_eq([done.status, done.written, done.rejected], ["ok", 2, 0]);
    let sites = salesforce::query("SELECT Key__c, Site FROM Account WHERE Key__c != null ORDER BY Id").map(|a| `${a.Key__c} ${a.Site}`);
    assert_eq(sites, ["kEy1 lower", "KeY1 upper"]);
    assert_eq([run("m").status, run("m").written], ["ok", 0]);
});
test("one record where they do not", || {
    account_field("Key__c", #{ type: "Text", length: 20, externalId: true, unique: true, caseSensitive: false });
    salesforce::update("Account", account(), #{ Key__c: "KEY1" });
    two_contacts();
    let done = run("m");
    assert_eq([done.status, done.written, done.rejected], ["partial", 1, 1]);
    let reason = of(done, "KeY1")[0];
    assert(reason.contains("`kEy1` and `KeY1` are one record of Account (`Key__c`: capitals do not count in it)"), reason);
    assert_eq(site(), "lower");
    assert_eq([run("m").status, run("m").written, run("m").rejected], ["partial", 0, 1]);
});
"#,
    );
}

#[test]
fn two_pendo_ids_that_are_one_salesforce_record_are_told_once_by_both_names_and_do_not_take_turns() {
    holds(
        r#"
mapping("case", #{ from: pendo::accounts(), to: salesforce::object("Account"), match_on: #{ Pendo_Account_Key__c: "accountId" }, fields: #{ Site: "accountId" } });
mapping("closure", #{ from: pendo::accounts(), to: salesforce::object("Account"), match_on: #{ Pendo_Account_Key__c: |a| a.accountId }, fields: #{ Site: "accountId" }, overrides: "case" });
mapping("forms", #{ from: pendo::accounts(), to: salesforce::object("Account"), match_on: #{ Id: "accountId" }, fields: #{ Site: "accountId" }, overrides: ["case", "closure"] });
mapping("visitors", #{ from: pendo::visitors(), to: salesforce::object("Contact"), match_on: #{ Email: "visitorId" }, fields: #{ AssistantName: "visitorId" } });
"#,
        r#"
test("ids that differ only in capitals", || {
    salesforce::update("Account", account(), #{ Pendo_Account_Key__c: "Acme-7" });
    in_pendo("account", ["ACME-7", "acme-7", "aCME-7"]);
    for name in ["case", "closure"] {
        let done = run(name);
        assert_eq(of(done, "ACME-7"), []);
        for key in ["acme-7", "aCME-7"] {
            assert_eq(of(done, key).len(), 1);
            assert(of(done, key)[0].contains("`ACME-7` and `" + key + "` are one record of Account"), of(done, key)[0]);
        }
        assert_eq(site(), "ACME-7");
        assert_eq(run(name).written, 0);
    }
});
test("one id in two forms", || {
    let short = account().sub_string(0, 15);
    in_pendo("account", [short]);
    let done = run("forms");
    assert_eq([done.status, of(done, short)], ["partial", []]);
    assert_eq(site(), short);
    let reason = of(done, account())[0];
    assert(reason.contains("`" + short + "` and `" + account() + "` are one record of Account (`Id`: an id of 15 characters and one of 18 are the same Salesforce id)"), reason);
    let again = run("forms");
    assert_eq([again.written, again.rejected], [0, done.rejected]);
});
test("an id whose capitals were lost is refused, with the id it was", || {
    let lost = account().to_lower();
    in_pendo("account", [lost]);
    let done = run("forms");
    let rows = done.rows.filter(|row| row.value == lost);
    assert_eq(rows.len(), 1);
    assert(rows[0].reason.contains("`" + lost + "` is no Salesforce id") && rows[0].reason.contains("it was `" + account() + "`"), rows[0].reason);
    assert_eq(site(), account());
});
test("visitors by address", || {
    let contact = salesforce::query("SELECT Id FROM Contact ORDER BY Id LIMIT 1")[0].Id;
    salesforce::update("Contact", contact, #{ Email: "twin@acme.example" });
    in_pendo("visitor", ["Twin@Acme.example", "twin@acme.example"]);
    let done = run("visitors");
    assert_eq(of(done, "Twin@Acme.example"), []);
    assert(of(done, "twin@acme.example")[0].contains("`Twin@Acme.example` and `twin@acme.example` are one record of Contact (`Email`"), `${done.rows}`);
    assert_eq(salesforce::query(`SELECT AssistantName FROM Contact WHERE Id = '${contact}'`)[0].AssistantName, "Twin@Acme.example");
    assert_eq(run("visitors").written, 0);
});
"#,
    );
}

#[test]
fn visitors_are_pulled_and_pushed_by_ids_of_any_length_and_kind() {
    holds(
        r#"
mapping("long-ids", #{ from: pendo::visitors(), to: pendo::visitor_metadata("custom"), match_on: #{ visitorId: "visitorId" }, fields: #{ copy: "visitorId" } });
pendo::salesforce_integration("pull", #{ object: "Contact", key: #{ pendo: "visitorId", salesforce: "Email" }, pull: ["Title"] });
pendo::salesforce_integration("usual", #{ object: "Contact", push: [#{ report: pendo::visitor_report(#{ days: 30, columns: ["days_active"] }), fields: #{ Pendo_days__c: "days_active" } }] });
pendo::salesforce_integration("by-id", #{ object: "Contact", key: #{ pendo: "visitorId", salesforce: "Id" }, pull: ["Department"] });
mapping("contact-to-visitor", #{ from: salesforce::object("Contact"), to: pendo::visitor_metadata("custom"), match_on: #{ visitorId: "Email" }, fields: #{ dept: "Department" } });
mapping("visitor-to-contact", #{ from: pendo::visitors(), to: salesforce::object("Contact"), match_on: #{ Email: "visitorId" }, fields: #{ AssistantName: "visitorId" } });
pendo::salesforce_integration("number-pull", #{ key: #{ pendo: "accountId", salesforce: "Number__c" }, pull: ["Industry"] });
mapping("number-push", #{ from: pendo::accounts(), to: salesforce::object("Account"), match_on: #{ Number__c: "accountId" }, fields: #{ Site: "accountId" } });
"#,
        r#"
let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
test("every visitor can be written", || {
    in_pendo("visitor", [hash, "4711", "Ümläut / 'quoted' \\ id"]);
    let done = run("long-ids");
    assert_eq([done.status, done.rejected], ["ok", 0]);
    assert_eq([pendo::visitor(hash).metadata.custom.copy, pendo::visitor("4711").metadata.custom.copy], [hash, "4711"]);
    assert_eq(run("long-ids").written, 0);
});
test("by address, capitals as each system takes them", || {
    let people = salesforce::query("SELECT Id FROM Contact ORDER BY Id LIMIT 3");
    salesforce::update("Contact", people[0].Id, #{ Email: "ann.exact@acme.example", Title: "Exact", Department: "D1", AssistantName: () });
    salesforce::update("Contact", people[1].Id, #{ Email: "bob.mixed@acme.example", Title: "Mixed", Department: "D2", AssistantName: () });
    in_pendo("visitor", ["ann.exact@acme.example", "Bob.Mixed@Acme.example"]);
    let pulled = run("pull");
    assert_eq([pulled.status, pulled.rejected], ["ok", 0]);
    assert_eq(pendo::visitor("ann.exact@acme.example").metadata.salesforce.title, "Exact");
    // Ids of Pendo are case-sensitive: this address is another visitor's.
    assert(!pendo::visitor("Bob.Mixed@Acme.example").metadata.contains("salesforce"));
    assert(pulled.unmatched > 0);
    let pushed = run("visitor-to-contact");
    let named = |id| salesforce::query(`SELECT AssistantName FROM Contact WHERE Id = '${id}'`)[0].AssistantName;
    assert_eq([named.call(people[0].Id), named.call(people[1].Id)], ["ann.exact@acme.example", "Bob.Mixed@Acme.example"]);
    assert_eq(run("visitor-to-contact").written, 0);
    assert(run("contact-to-visitor").status != "failed");
    assert_eq(pendo::visitor("ann.exact@acme.example").metadata.custom.dept, "D1");
});
test("by the Contact's id, in either form", || {
    let people = salesforce::query("SELECT Id FROM Contact ORDER BY Id LIMIT 2").map(|one| one.Id);
    for id in people { salesforce::update("Contact", id, #{ Department: "Of " + id }); }
    in_pendo("visitor", [people[0], people[1].sub_string(0, 15)]);
    let done = run("by-id");
    assert_eq([done.status, done.rejected], ["ok", 0]);
    assert_eq(pendo::visitor(people[0]).metadata.salesforce.department, "Of " + people[0]);
    assert_eq(pendo::visitor(people[1].sub_string(0, 15)).metadata.salesforce.department, "Of " + people[1]);
    assert_eq(run("by-id").written, 0);
});
test("a report by the usual keys", || {
    let done = run("usual");
    assert(done.status != "failed", `${done}`);
    assert(done.written > 0, `${done}`);
    assert_eq(run("usual").written, 0);
});
test("by a number, as it is written", || {
    account_field("Number__c", #{ type: "Number", precision: 18, scale: 0, externalId: true, unique: true });
    let accounts = salesforce::query("SELECT Id FROM Account ORDER BY Id LIMIT 2").map(|one| one.Id);
    salesforce::update("Account", accounts[0], #{ Number__c: 123, Industry: "Energy" });
    salesforce::update("Account", accounts[1], #{ Number__c: 77, Industry: "Media" });
    in_pendo("account", ["123", "0123", "077"]);
    let pulled = run("number-pull");
    assert_eq([pulled.status, pulled.written, pulled.rejected], ["ok", 1, 0]);
    assert_eq(pendo::account("123").metadata.salesforce.industry, "Energy");
    let pushed = run("number-push");
    assert_eq(pushed.written, 1);
    for odd in ["0123", "077"] {
        let rows = pushed.rows.filter(|row| row.value == odd);
        assert(rows.len() == 1 && rows[0].reason.contains("is not how the number") , `${pushed.rows}`);
    }
    let sites = salesforce::query(`SELECT Site FROM Account WHERE Number__c IN (123, 77) ORDER BY Number__c DESC`).map(|one| one.Site);
    assert_eq(sites[0], "123");
    assert(sites[1] != "077");
});
"#,
    );
}

#[test]
fn a_pulled_record_without_a_key_is_without_a_match_and_no_fault() {
    holds(
        r#"pendo::salesforce_integration("pull", #{ key: #{ pendo: "accountId", salesforce: "Pendo_Account_Key__c" }, pull: ["Industry"] });"#,
        r#"
test("an account that is not in Pendo", || {
    let all = salesforce::query("SELECT Id FROM Account").len();
    in_pendo("account", ["known"]);
    let accounts = salesforce::query("SELECT Id FROM Account ORDER BY Id LIMIT 2");
    salesforce::request("PATCH", `/services/data/v68.0/sobjects/Account/${accounts[0].Id}`, #{ Pendo_Account_Key__c: () });
    salesforce::update("Account", accounts[1].Id, #{ Pendo_Account_Key__c: "known", Industry: "Energy" });
    let done = run("pull");
    assert_eq([done.status, done.read, done.written, done.rejected, done.unmatched], ["ok", all, 1, 0, all - 1]);
    assert_eq(pendo::account("known").metadata.salesforce.industry, "Energy");
});
"#,
    );
}

#[test]
fn references_and_companies_know_a_salesforce_id_in_both_forms() {
    holds(
        r#"
mapping("same", #{ from: salesforce::object("Contact"), to: salesforce::object("Contact"), match_on: #{ Id: |c| c.Id.sub_string(0, 15) }, fields: #{ AccountId: |c| c.AccountId.sub_string(0, 15) } });
mapping("broken", #{ from: salesforce::object("Contact"), to: salesforce::object("Contact"), match_on: #{ Id: "Id" }, fields: #{ AccountId: |c| c.AccountId.sub_string(0, 15) + "zzz" }, overrides: "same" });
mapping("companies", #{ from: salesforce::object("Account"), to: gainsight::object("Company"), match_on: #{ SfdcAccountId: |a| a.Id.sub_string(0, 15) }, mode: "upsert", fields: #{ Industry: "Industry", Name: "Name" } });
rule("scores", #{ from: pendo::accounts(), show: ["accountId"], customers_only: true, account: "accountId", actions: [set_score("Habits", |row| 50)] });
"#,
        r#"
test("the other form of an id is no difference", || {
    let done = run("same");
    assert_eq([done.status, done.written, done.rejected, done.unchanged], ["ok", 0, 0, done.read]);
});
test("check characters that are wrong are refused before anything is written", || {
    let done = run("broken");
    assert_eq([done.status, done.written, done.rejected], ["partial", 0, done.read]);
    assert(done.rows.all(|row| row.field == "AccountId" && row.reason.contains("is no Salesforce id: its last three characters would be")), `${done.rows[0]}`);
});
test("a company is not made twice", || {
    let before = gainsight::query("Company", #{ fields: ["Gsid", "SfdcAccountId"] });
    let known = before.map(|one| one.SfdcAccountId);
    let fresh = salesforce::query("SELECT Id FROM Account").filter(|one| !known.contains(one.Id)).len();
    let done = run("companies");
    assert_eq([done.status, done.created, done.rejected], ["ok", fresh, 0]);
    assert_eq(gainsight::query("Company", #{ fields: ["Gsid"] }).len(), before.len() + fresh);
    assert_eq([run("companies").status, run("companies").written], ["ok", 0]);
});
test("a rule finds the customer by either form, and refuses one that is two companies", || {
    let customers = gainsight::query("Company", #{ fields: ["Gsid", "SfdcAccountId"] }).filter(|one| (one.SfdcAccountId ?? "") != "");
    let usual = run("scores");
    assert_eq([usual.status, usual.rejected], ["ok", 0]);
    assert(usual.written > 0);
    assert_eq(run("scores").written, 0);
    let one = customers[0];
    in_pendo("account", [one.SfdcAccountId.sub_string(0, 15)]);
    let twin = run("scores");
    assert_eq([twin.status, twin.written, twin.rejected], ["partial", 0, 1]);
    gainsight::insert("Company", #{ Name: "Double", SfdcAccountId: one.SfdcAccountId.sub_string(0, 15) });
    let double = run("scores");
    assert_eq([double.status, double.written], ["partial", 0]);
    assert(double.rows.all(|row| row.reason.contains("2 companies of Gainsight have this account's id") && row.reason.contains(one.Gsid)), `${double.rows}`);
});
"#,
    );
}

#[test]
fn gainsight_and_px_tell_keys_apart_by_their_own_rules() {
    holds(
        r#"
mapping("companies", #{ from: salesforce::soql("SELECT Department, Title FROM Contact WHERE Department != null"), to: gainsight::object("Company"), match_on: #{ Name: "Department" }, mode: "upsert", fields: #{ Industry: "Title" } });
mapping("people", #{ from: salesforce::soql("SELECT Email, Title FROM Contact WHERE Title = 'Chief'"), to: gainsight::object("Person"), match_on: #{ Email: |c| c.Email.to_upper() }, fields: #{ Prefix: "Title" } });
mapping("users", #{ from: salesforce::soql("SELECT Department, Title FROM Contact WHERE Department != null"), to: px::object("users"), match_on: #{ identifyId: "Department" }, mode: "upsert", fields: #{ title: "Title" } });
"#,
        r#"
fn contacts() {
    let people = salesforce::query("SELECT Id FROM Contact ORDER BY Id LIMIT 2");
    salesforce::update("Contact", people[0].Id, #{ Department: "Twin Works", Title: "one" });
    salesforce::update("Contact", people[1].Id, #{ Department: "TWIN Works", Title: "two" });
}
test("names of companies", || {
    contacts();
    let done = run("companies");
    assert_eq([done.status, done.created, done.rejected], ["ok", 2, 0]);
    let again = run("companies");
    assert_eq([again.status, again.written, again.unchanged], ["ok", 0, 2]);
});
test("ids of PX users", || {
    contacts();
    let done = run("users");
    assert_eq([done.status, done.created, done.rejected], ["ok", 2, 0]);
    assert_eq([px::user("Twin Works").title, px::user("TWIN Works").title], ["one", "two"]);
    let again = run("users");
    assert_eq([again.status, again.written, again.unchanged], ["ok", 0, 2]);
});
test("addresses of people", || {
    let person = gainsight::query("Person", #{ fields: ["Gsid", "Email"] }).filter(|one| (one.Email ?? "") != "")[0];
    let contact = salesforce::query(`SELECT Id FROM Contact ORDER BY Id LIMIT 1`)[0].Id;
    salesforce::update("Contact", contact, #{ Email: person.Email, Title: "Chief" });
    let done = run("people");
    assert_eq([done.status, done.updated, done.rejected], ["ok", 1, 0]);
    assert_eq(run("people").written, 0);
});
"#,
    );
}

#[test]
fn check_online_says_what_a_run_would_say_of_keys_and_where() {
    let workspace = Workspace::with_script(
        r#"mapping("clash", #{ from: salesforce::object("Contact"), to: gainsight::object("Person"), match_on: #{ Gsid: "Email" }, fields: #{ Prefix: "Title" } });
pendo::salesforce_integration("no-key", #{
    key: #{ pendo: "acountId", salesforce: "Id" },
    pull: ["Industry"],
});
pendo::salesforce_integration("visitors", #{ object: "Contact", key: #{ pendo: "visitorId", salesforce: "Email" }, pull: ["Title"] });
"#,
    );
    let _sandbox = Sandbox::start(&workspace, "--accounts 6 --people 12");
    let checked = workspace.tabi("check --online --json").ended(3);
    let found = checked.lines()[0]["diagnostics"].as_array().unwrap().clone();
    let errors: Vec<_> = found.iter().filter(|finding| finding["severity"] == "error").collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    let ran = workspace.tabi("run --json");
    for (name, line, words) in [("clash", 1, "Person.Gsid holds id, but is given email"), ("no-key", 3, "has no field `acountId`")] {
        let told = errors.iter().find(|finding| finding["line"] == line).unwrap_or_else(|| panic!("nothing of line {line} in {errors:?}"));
        assert!(told["message"].as_str().unwrap().contains(words), "{told}");
        let summary = ran.summary(name);
        assert_eq!((&summary["status"], &summary["written"]), (&"failed".into(), &0.into()), "{summary}");
    }
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("Gsid (scripts/script.rhai:1:") && said.contains("holds id, but is given email"), "{said}");
    assert!(said.contains("acountId (scripts/script.rhai:3:"), "{said}");
    assert!(!said.contains(":0:0"), "{said}");
    assert_eq!(ran.summary("visitors")["status"], "ok", "{said}");
}

#[test]
fn people_are_told_apart_by_the_ids_of_their_system() {
    holds(
        r#"
journey("visitors", #{ participants: pendo::visitors().filter(|v| ["Ann-1", "ann-1"].contains(v.visitorId)), unique_on: ["visitorId"], steps: [wait("a while", days(3))] });
journey("contacts", #{ participants: salesforce::object("Contact").filter(|c| c.LastName == "Chosen"), unique_on: ["Id"], steps: [wait("a while", days(3))] });
journey("addresses", #{ participants: [#{ email: "Bea@Acme.example" }, #{ email: "bea@acme.example" }], steps: [wait("a while", days(3))] });
"#,
        r#"
test("ids of Pendo that differ in capitals are two people", || {
    in_pendo("visitor", ["Ann-1", "ann-1", "other"]);
    journey::publish("visitors");
    assert_eq(run("visitors").created, 2);
    let again = run("visitors");
    assert_eq([again.created, again.unchanged], [0, 2]);
});
test("one Salesforce id in both forms is one person", || {
    let id = salesforce::query("SELECT Id FROM Contact ORDER BY Id LIMIT 1")[0].Id;
    salesforce::update("Contact", id, #{ LastName: "Chosen" });
    journey::publish("contacts");
    assert_eq(run("contacts").created, 1);
    let said = "";
    try { journey::place("contacts", #{ Id: id.sub_string(0, 15), LastName: "Chosen", Email: "a@b.example" }); } catch (error) { said = error.message; }
    assert(said.contains("is in the journey already"), said);
});
test("an address is one in any capitals", || {
    journey::publish("addresses");
    assert_eq(run("addresses").created, 1);
});
"#,
    );
}
