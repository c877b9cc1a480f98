//! What rules write: measures in the columns of their groups, scores that are not there, one rhythm for one measure.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Ran, Sandbox, Workspace};

const SMALL: &str = "--accounts 20 --people 20";

/// Code, file and message of everything that `check` finds.
fn found(workspace: &Workspace) -> Vec<(String, String, String)> {
    let check: Value = serde_json::from_str(&workspace.tabi("check --json").stdout).unwrap();
    let text = |found: &Value, key: &str| found[key].as_str().unwrap_or_default().to_owned();
    let all = check["diagnostics"].as_array().unwrap().iter();
    all.map(|found| (text(found, "code"), text(found, "file"), text(found, "message"))).collect()
}

#[track_caller]
fn counts(ran: &Ran, name: &str, expected: (&str, usize, usize, usize)) {
    let summary = ran.summary(name);
    let counts = ["written", "unchanged", "rejected"].map(|key| usize::try_from(summary[key].as_u64().unwrap()).unwrap());
    assert_eq!((summary["status"].as_str().unwrap(), counts[0], counts[1], counts[2]), expected, "{summary}");
}

#[test]
fn measures_of_a_group_are_created_used_and_shown_in_a_plan_a9() {
    let workspace = Workspace::new();
    workspace.write(
        "scripts/a.rhai",
        r#"rule("usage", #{ from: salesforce::object("Account"), show: ["Id", "NumberOfEmployees", "AnnualRevenue", "Rating"], customers_only: true,
               actions: [load_to_usage(#{ measures: #{ "Staff (all)": "NumberOfEmployees", "Revenue": "AnnualRevenue", "Mood": "Rating" } })] });"#,
    );
    workspace.write(
        "scripts/measures.rhai",
        r#"gainsight::measures("Firmographics", #{ "Staff (all)": "Headcount__c", "Revenue": #{ type: "number(12,0)" }, "Mood": #{ column: "Mood__c", type: "text(20)" } });"#,
    );
    let sandbox = Sandbox::start(&workspace, SMALL);
    assert_eq!(found(&workspace), []);
    let customers = sandbox.documents("gainsight", "Company").len();
    let plan = workspace.tabi("plan --json --all").ended(0);
    let fields: BTreeMap<String, Vec<Value>> = plan
        .of_type("create_field")
        .into_iter()
        .map(|line| (line["field"].as_str().unwrap().to_owned(), ["label", "field_type", "description"].map(|key| line[key].clone()).to_vec()))
        .collect();
    let of = |label: &str, kind: &str| vec![label.into(), kind.into(), "Gainsight measure of the group Firmographics".into()];
    let expected = [("Headcount__c", of("Staff (all)", "number")), ("Mood__c", of("Mood", "text")), ("Revenue__c", of("Revenue", "number"))];
    assert_eq!(fields, expected.map(|(name, of)| (name.to_owned(), of)).into(), "{}", plan.stdout);
    assert_eq!(plan.summary("usage")["create"], customers);

    counts(&workspace.tabi("run --json").ended(0), "usage", ("ok", customers, 0, 0));
    let accounts = sandbox.documents("salesforce", "Account");
    let rows = sandbox.documents("salesforce", "JBCXM__UsageData__c");
    assert_eq!(rows.len(), customers);
    for row in &rows {
        let account = accounts.iter().find(|account| account["Id"] == row["JBCXM__Account__c"]).unwrap();
        let pairs = [("Headcount__c", "NumberOfEmployees"), ("Revenue__c", "AnnualRevenue")];
        assert!(pairs.iter().all(|(column, field)| row[*column].as_f64() == account[*field].as_f64()), "{row} {account}");
        assert_eq!(row["Mood__c"], account["Rating"]);
    }
    counts(&workspace.tabi("run --json").ended(0), "usage", ("ok", 0, customers, 0));
    assert!(workspace.tabi("plan --json").ended(0).of_type("create_field").is_empty(), "what is there is not created again");

    // What a group says of a column that is there has to be true of it.
    workspace
        .write("scripts/measures.rhai", r#"gainsight::measures("Firmographics", #{ "Staff (all)": #{ column: "Headcount__c", type: "date" } });"#);
    let clash = workspace.tabi("run --json").ended(1);
    assert!(clash.stdout.contains("Headcount__c") && clash.summary("usage")["status"] == "failed", "{}", clash.stdout);
}

#[test]
fn a_measure_is_of_one_group_and_in_a_column_of_its_own_a9() {
    let workspace = Workspace::new();
    let rule = |measures: &str| {
        format!(
            r#"rule("usage", #{{ from: salesforce::object("Account"), show: ["Id", "X"], actions: [load_to_usage(#{{ measures: #{{ {measures} }} }})] }});"#
        )
    };
    let long = "Active visitors of the whole product family";
    let cases = [
        (r#"gainsight::measures("A", #{ "M": () });"#.to_owned(), r#"gainsight::measures("B", #{ "M": "N__c" });"#.to_owned(), "E0401"),
        (r#"gainsight::measures("A", #{ "M": "x__c" });"#.to_owned(), r#"gainsight::measures("A", #{ "N": "X__c" });"#.to_owned(), "E0402"),
        (r#"gainsight::measures("A", #{ "M (x)": () });"#.to_owned(), r#"gainsight::measures("A", #{ "M x": () });"#.to_owned(), "E0402"),
        (String::new(), rule(&format!(r#""{long} (7d)": "X", "{long} (30d)": "X""#)), "E0402"),
        (r#"gainsight::measures("A", #{ "M": "N__c" });"#.to_owned(), rule(r#""M": "X", "N": "X""#), "E0402"),
    ];
    for (first, second, code) in cases {
        workspace.write("scripts/a.rhai", format!("{first}\nlet other = 1;"));
        workspace.write("scripts/b.rhai", &second);
        let codes: Vec<(String, String)> = found(&workspace).into_iter().map(|(code, file, _)| (code, file)).collect();
        assert_eq!(codes, [(code.to_owned(), "scripts/b.rhai".to_owned())], "{first}\n{second}");
    }
}

#[test]
fn a_measure_is_loaded_in_one_rhythm_and_by_one_rule_a9() {
    let workspace = Workspace::new();
    let rule = |name: &str, when: &str, options: &str, more: &str| {
        format!(
            "rule({name:?}, #{{ from: salesforce::object(\"Account\"), show: [\"Id\", \"NumberOfEmployees\"], {when}, {more} actions: [load_to_usage(#{{ \
             {options} measures: #{{ \"Staff\": \"NumberOfEmployees\" }} }})] }});\n"
        )
    };
    let rhythms = ["", r#"keep: "week","#, r#"keep: "month","#];
    for (one, first) in rhythms.iter().enumerate() {
        for (other, second) in rhythms.iter().enumerate() {
            for agreed in [false, true] {
                let more = if agreed { r#"overrides: "one","# } else { "" };
                let script = rule("one", r#"daily: "02:00""#, first, "") + rule("other", r#"weekly: "mon 03:00""#, second, more).as_str();
                workspace.write("scripts/script.rhai", script);
                let codes: Vec<String> = found(&workspace).into_iter().map(|(code, ..)| code).collect();
                let fine = one == other && agreed;
                assert_eq!(codes, vec!["E0402".to_owned(); usize::from(!fine)], "{first} {second} {agreed}");
            }
        }
    }
    // Another level, or another object, is another row.
    for options in [r#"level: "INSTANCELEVEL", keep: "week","#, r#"into: "usage__gc", keep: "week","#] {
        workspace
            .write("scripts/script.rhai", rule("one", r#"daily: "02:00""#, "", "") + rule("other", r#"weekly: "mon 03:00""#, options, "").as_str());
        assert_eq!(found(&workspace), [], "{options}");
    }
}

/// Score by company of the measure.
fn scores(sandbox: &Sandbox) -> BTreeMap<String, Value> {
    let rows = sandbox.documents("gainsight", "measure_scores__gc");
    rows.iter().map(|row| (row["CompanyId__gc"].as_str().unwrap().to_owned(), row["Score__gc"].clone())).collect()
}

#[test]
fn a_score_that_is_not_there_is_kept_or_cleared_as_blank_says_a16() {
    let rule = |score: &str, options: &str| {
        format!(
            r#"rule("fit", #{{ from: salesforce::object("Account"), show: ["Id", "Rating"], customers_only: true, actions: [set_score("Fit", {score}{options})] }});"#
        )
    };
    let workspace = Workspace::with_script(&rule("80", r#", #{ criteria: #{ a: ["Rating", "=", "Hot"] } }"#));
    let sandbox = Sandbox::start(&workspace, SMALL);
    workspace.tabi("run --json").ended(0);
    let (first, customers) = (scores(&sandbox), sandbox.documents("gainsight", "Company").len());
    assert!(!first.is_empty() && first.len() < customers && first.values().all(|score| *score == 80), "{first:?}");

    let nothing = "|row| if row.Rating == \"Hot\" { () } else { () }";
    for options in ["", r#", #{ comments: "why" }"#, r#", #{ blank: "skip" }"#] {
        workspace.write("scripts/script.rhai", rule(nothing, options));
        counts(&workspace.tabi("run --json").ended(0), "fit", ("ok", 0, customers, 0));
        assert_eq!(scores(&sandbox), first, "no score keeps what is there, and makes no row: {options}");
    }
    workspace.write("scripts/script.rhai", rule(nothing, r#", #{ blank: "clear" }"#));
    counts(&workspace.tabi("run --json").ended(0), "fit", ("ok", first.len(), customers - first.len(), 0));
    let cleared = scores(&sandbox);
    assert!(cleared.len() == first.len() && cleared.values().all(Value::is_null), "{cleared:?}");
    counts(&workspace.tabi("run --json").ended(0), "fit", ("ok", 0, customers, 0));

    let (one, other) = (rule("80", ""), rule("20", "").replace(r#"rule("fit""#, r#"rule("misfit""#));
    workspace.write("scripts/script.rhai", format!("{one}\n{other}"));
    assert_eq!(found(&workspace).iter().map(|(code, ..)| code.as_str()).collect::<Vec<_>>(), ["E0402"], "two rules set one score");
}

#[test]
fn pushing_visitors_is_warned_about_in_words_that_are_true_of_visitors_a5_a8() {
    let push = |object: &str, per: &str| {
        format!(
            r#"pendo::salesforce_integration("push", #{{ {object} push: [#{{ report: pendo::{per}_report(#{{ columns: ["events"] }}), fields: #{{ Pendo_Events__c: "events" }} }}] }});"#
        )
    };
    let usual = |per: &str| if per == "visitor" { "Contact" } else { "Account" };
    for per in ["account", "visitor"] {
        for object in ["", "Account", "Contact", "Usage__c"] {
            let option = if object.is_empty() { String::new() } else { format!("object: \"{object}\",") };
            let workspace = Workspace::with_script(&push(&option, per));
            let found = found(&workspace);
            if object.is_empty() || object == usual(per) {
                assert_eq!(found, [], "{per} {object}");
                continue;
            }
            let [(code, _, message)] = found.as_slice() else { panic!("{per} {object}: {found:?}") };
            let expected = format!("pushing {per}s to `{object}` limits what can be pulled: pull reads the same object");
            assert_eq!((code.as_str(), message), ("W0407", &expected));
        }
    }
}

#[test]
fn a_rule_reads_what_its_actions_use_also_without_show() {
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, SMALL);
    let expected: BTreeMap<String, Value> = {
        let accounts = sandbox.documents("salesforce", "Account");
        accounts.iter().map(|account| (account["Id"].as_str().unwrap().to_owned(), account["Industry"].clone())).collect()
    };
    let values = [r#""Industry""#, "|row| row.Industry", "|row| { let all = row; all.Industry }"];
    for (number, value) in values.iter().enumerate() {
        for show in ["", r#"show: ["*"],"#] {
            let field = format!("Copy_{number}_{}__c", show.len());
            let script = format!(
                r#"rule("copy", #{{ from: salesforce::object("Account"), {show}
                    actions: [load_to_sfdc(#{{ object: "Account", fields: #{{ Id: "Id", {field}: #{{ from: {value}, type: "text(80)" }} }} }})] }});"#
            );
            workspace.write("scripts/script.rhai", script);
            counts(&workspace.tabi("run --json").ended(0), "copy", ("ok", expected.len(), 0, 0));
            let accounts = sandbox.documents("salesforce", "Account");
            let copied: BTreeMap<String, Value> =
                accounts.iter().map(|a| (a["Id"].as_str().unwrap().to_owned(), a[field.as_str()].clone())).collect();
            assert_eq!(copied, expected, "{value} {show}");
        }
    }
}

#[test]
fn a_mapping_with_a_cursor_and_a_closure_over_the_whole_row_reads_the_whole_row() {
    let workspace = Workspace::with_script(
        r#"mapping("whole", #{ from: salesforce::object("Account"), to: salesforce::object("Account"), match_on: "Id", cursor: "SystemModstamp",
               fields: #{ Site: |row| { let all = row; all.Industry } } });"#,
    );
    let sandbox = Sandbox::start(&workspace, SMALL);
    counts(&workspace.tabi("run --json").ended(0), "whole", ("ok", 20, 0, 0));
    let accounts = sandbox.documents("salesforce", "Account");
    assert!(accounts.iter().all(|account| account["Site"] == account["Industry"]), "{accounts:?}");
}
