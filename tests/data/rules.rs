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

/// The scores that the company of each account has, with what each way of writing them gives for accounts numbered by their employees.
const SCORED: [(&str, Option<f64>); 7] =
    [("0", Some(0.0)), ("100", Some(100.0)), ("\"55.5\"", Some(55.5)), ("-1", None), ("101", None), ("100.5", None), ("\"1e3\"", None)];

#[test]
fn a_score_outside_0_to_100_is_rejected_wherever_it_is_written_a16() {
    let arms: Vec<String> = SCORED.iter().enumerate().map(|(at, (score, _))| format!("\"{at}\" => {score}")).collect();
    let score = format!("|row| switch row.Site {{ {}, _ => () }}", arms.join(", "));
    let rule = |action: &str| {
        format!(
            r#"rule("fit", #{{ from: salesforce::object("Account").filter(#{{ a: ["Site", "is not null"] }}), show: ["Id", "Site", "SicDesc"], actions: [{action}] }});"#
        )
    };
    let fields = format!(r#"#{{ CompanyId__gc: "SicDesc", Measure__gc: constant("Fit"), Score__gc: {score} }}"#);
    let ways = [
        rule(&format!(r#"set_score("Fit", {score})"#)),
        rule(&format!(r#"set_score("Fit", {score}, #{{ into: "measure_scores__gc" }})"#)),
        rule(&format!(
            r#"load_to_object(#{{ object: "Measure_Scores__gc", operation: "upsert", identifiers: ["CompanyId__gc", "Measure__gc"], fields: {fields} }})"#
        )),
        format!(
            r#"mapping("fit", #{{ from: salesforce::object("Account").filter(#{{ a: ["Site", "is not null"] }}), to: gainsight::object("measure_scores__gc"),
                   match_on: #{{ CompanyId__gc: "SicDesc", Measure__gc: constant("Fit") }}, fields: #{{ Score__gc: {score} }}, mode: "upsert" }});"#
        ),
    ];
    for way in ways {
        let workspace = Workspace::new();
        let sandbox = Sandbox::start(&workspace, SMALL);
        workspace.write(
            "number.rhai",
            format!(
                r#"let n = 0;
                   for company in gainsight::query("Company", #{{ fields: ["Gsid", "SfdcAccountId"], limit: {} }}) {{
                       salesforce::update("Account", company.SfdcAccountId, #{{ Site: `${{n}}`, SicDesc: company.Gsid }});
                       n += 1;
                   }}"#,
                SCORED.len()
            ),
        );
        workspace.tabi("exec number.rhai").ended(0);
        workspace.write("scripts/script.rhai", &way);
        let good = SCORED.iter().filter(|(_, score)| score.is_some()).count();
        let plan = workspace.tabi("plan --json").ended(1);
        assert_eq!(plan.of_type("rejected").len(), SCORED.len() - good, "known in the plan: {way}\n{}", plan.stdout);
        let ran = workspace.tabi("run --json").ended(1);
        counts(&ran, "fit", ("partial", good, 0, SCORED.len() - good));
        let accounts = sandbox.documents("salesforce", "Account");
        let scores = scores(&sandbox);
        assert_eq!(scores.len(), good, "{way}");
        for (at, (_, wanted)) in SCORED.iter().enumerate() {
            let site = at.to_string();
            let account = accounts.iter().find(|account| account["Site"] == site).unwrap();
            assert_eq!(scores.get(account["SicDesc"].as_str().unwrap()).and_then(Value::as_f64), *wanted, "{way}");
        }
        let run = ran.summary("fit")["run"].as_str().unwrap().to_owned();
        let shown: Value = serde_json::from_str(&workspace.tabi(&format!("show {run} --json")).stdout).unwrap();
        for row in shown["rows"].as_array().unwrap() {
            let reason = row["reason"].as_str().unwrap();
            assert!(row["field"] == "Score__gc" && reason.ends_with("is not a score from 0 to 100"), "{row}");
        }
        counts(&workspace.tabi("run --json").ended(1), "fit", ("partial", 0, good, SCORED.len() - good));
        // The primitives, too.
        workspace.write(
            "set.rhai",
            r#"let company = gainsight::query("Company", #{ fields: ["Gsid"], limit: 1 })[0].Gsid;
               try { gainsight::insert("measure_scores__gc", #{ CompanyId__gc: company, Measure__gc: "Other", Score__gc: 120 }); print("set"); }
               catch (e) { print(`${e.kind} ${e.message}`); }"#,
        );
        let set = workspace.tabi("exec set.rhai").ended(0);
        assert!(format!("{}{}", set.stdout, set.stderr).contains("`120` is not a score from 0 to 100"), "{}{}", set.stdout, set.stderr);
        assert_eq!(self::scores(&sandbox).len(), good);
    }
    let constant = Workspace::with_script(r#"rule("fit", #{ from: salesforce::object("Account"), actions: [set_score("Fit", 120)] });"#);
    let told = found(&constant);
    assert!(matches!(told.as_slice(), [(code, _, message)] if code == "E0304" && message == "`120` is not a score from 0 to 100"), "{told:?}");
}

#[test]
fn scores_go_into_another_object_where_the_rule_says_so() {
    let workspace = Workspace::with_script(
        r#"rule("fit", #{ from: salesforce::object("Account"), show: ["Id"], customers_only: true, actions: [set_score("Fit", 80, #{ into: "fit_scores__gc" })] });"#,
    );
    let sandbox = Sandbox::start(&workspace, SMALL);
    workspace.tabi("check").ended(0);
    for said in [workspace.tabi("check --online").ended(3), workspace.tabi("run --json").ended(1)] {
        let said = format!("{}{}", said.stdout, said.stderr);
        assert!(said.contains("fit_scores__gc") && said.contains("CompanyId__gc") && !said.contains("measure_scores__gc"), "{said}");
    }
    assert_eq!((scores(&sandbox).len(), sandbox.writes("gainsight")), (0, vec![]), "nothing went to the usual object");
}

#[test]
fn a_label_alone_is_the_label_of_a_measure_that_is_made() {
    let workspace = Workspace::with_script(
        r#"rule("usage", #{ from: salesforce::object("Account"), show: ["Id", "NumberOfEmployees"], actions: [
               load_to_usage(#{ measures: #{ Staff: #{ from: "NumberOfEmployees", label: "Head count" } } })] });"#,
    );
    let sandbox = Sandbox::start(&workspace, SMALL);
    let made = workspace.tabi("plan --json").ended(0).of_type("create_field");
    let said: Vec<_> = made.iter().map(|line| ["field", "label", "field_type"].map(|key| line[key].as_str().unwrap().to_owned())).collect();
    assert_eq!(said, [["Staff__c", "Head count", "number"].map(str::to_owned)]);
    counts(&workspace.tabi("run --json").ended(0), "usage", ("ok", 20, 0, 0));
    counts(&workspace.tabi("run --json").ended(0), "usage", ("ok", 0, 20, 0));
    assert!(sandbox.documents("salesforce", "JBCXM__UsageData__c").iter().all(|row| row["Staff__c"].is_number()));
    // Where nothing is made, a label does not stand for a type: a field that is not there is told.
    workspace.write(
        "scripts/script.rhai",
        r#"mapping("m", #{ from: gainsight::object("Company"), to: salesforce::object("Account"), match_on: #{ Id: "SfdcAccountId" },
               fields: #{ Nowhere__c: #{ from: "Name", label: "Nowhere" } } });"#,
    );
    let ran = workspace.tabi("run --json").ended(1);
    assert_eq!((&ran.summary("m")["status"], &ran.summary("m")["written"]), (&"failed".into(), &0.into()));
    assert!(ran.stdout.contains("Nowhere__c") && ran.stdout.contains("give its `type`"), "{}", ran.stdout);
}

#[test]
fn a_measure_without_a_value_is_kept_or_cleared_as_blank_says_a11() {
    let rule = |value: &str, more: &str| {
        format!(
            r#"rule("usage", #{{ from: salesforce::object("Account"), show: ["Id", "NumberOfEmployees"], actions: [
                   load_to_usage(#{{ date: date("2026-06-01"), measures: #{{ Staff: {value}, Heads: "NumberOfEmployees" }} {more} }})] }});"#
        )
    };
    let workspace = Workspace::with_script(&rule(r#""NumberOfEmployees""#, ""));
    let sandbox = Sandbox::start(&workspace, SMALL);
    let staff = || -> Vec<Value> { sandbox.documents("salesforce", "JBCXM__UsageData__c").iter().map(|row| row["Staff__c"].clone()).collect() };
    counts(&workspace.tabi("run --json").ended(0), "usage", ("ok", 20, 0, 0));
    let loaded = staff();
    assert!(loaded.iter().all(Value::is_number), "{loaded:?}");
    for more in ["", r#", blank: "skip""#] {
        workspace.write("scripts/script.rhai", rule("|row| if row.Id == \"\" { 1 } else { () }", more));
        counts(&workspace.tabi("run --json").ended(0), "usage", ("ok", 0, 20, 0));
        assert_eq!(staff(), loaded, "{more}");
    }
    workspace.write("scripts/script.rhai", rule("|row| if row.Id == \"\" { 1 } else { () }", r#", blank: "clear""#));
    counts(&workspace.tabi("run --json").ended(0), "usage", ("ok", 20, 0, 0));
    assert!(staff().iter().all(Value::is_null));
    assert!(sandbox.documents("salesforce", "JBCXM__UsageData__c").iter().all(|row| row["Heads__c"].is_number()), "the other measure stays");
    counts(&workspace.tabi("run --json").ended(0), "usage", ("ok", 0, 20, 0));
}
