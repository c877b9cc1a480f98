//! A source's own filter is obeyed by every declaration that reads it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Sandbox, Workspace};

/// Whether a document of the sandbox passes, found out without the program.
type Passes<'a> = &'a dyn Fn(&Value) -> bool;

/// Ids of the accounts that hold `value` in `Site`.
fn sites(sandbox: &Sandbox, value: &str) -> BTreeSet<String> {
    let accounts = sandbox.documents("salesforce", "Account");
    accounts.iter().filter(|account| account["Site"] == value).map(|account| account["Id"].as_str().unwrap().to_owned()).collect()
}

fn accounts(sandbox: &Sandbox, passes: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let accounts = sandbox.documents("salesforce", "Account");
    accounts.iter().filter(|account| passes(account)).map(|account| account["Id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_rule_reads_what_passes_the_filter_of_its_source_and_its_own() {
    let rule = |name: &str, from: &str, filters: &str| {
        format!(
            r#"rule("{name}", #{{ rule_for: "account", from: salesforce::object("Account"){from}, {filters}
                actions: [load_to_sfdc(#{{ object: "Account", fields: #{{ Id: "Id", Site: constant("{name}") }} }})] }});"#
        )
    };
    let (own, other) = (r#".filter(#{ a: ["Industry", "=", "Technology"] })"#, r#"filters: #{ a: ["NumberOfEmployees", ">", 200] },"#);
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 40 --people 40");
    let technology = |account: &Value| account["Industry"] == "Technology";
    let large = |account: &Value| account["NumberOfEmployees"].as_i64().is_some_and(|n| n > 200);
    let cases: [(&str, &str, &str, Passes<'_>); 4] = [
        ("source", own, "", &technology),
        ("where", r#".where(#{ Industry: "Technology" })"#, "", &technology),
        ("rule", "", other, &large),
        ("both", own, other, &|account| technology(account) && large(account)),
    ];
    for (name, from, filters, passes) in cases {
        workspace.write("scripts/script.rhai", rule(name, from, filters));
        let expected = accounts(&sandbox, passes);
        assert!(!expected.is_empty() && expected.len() < 40, "{name}: {expected:?}");
        let summary = workspace.tabi("run --json").ended(0).summary(name);
        assert_eq!((&summary["status"], &summary["read"], &summary["rejected"]), (&"ok".into(), &expected.len().into(), &0.into()), "{summary}");
        assert_eq!(sites(&sandbox, name), expected, "{name}");
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let at = self.roll(items.len());
        &items[at]
    }
}

/// A source as a script names it, what its rows are in truth, and by which field which Salesforce object is matched.
struct Kind {
    from: String,
    key: &'static str,
    target: (&'static str, &'static str),
    fields: Vec<(&'static str, Vec<Value>)>,
    rows: Vec<Value>,
}

/// One comparison, as conditions and as closures write it, and whether a value passes.
#[derive(Clone)]
struct Test {
    field: String,
    operator: &'static str,
    value: Value,
}

impl Test {
    fn random(dice: &mut Dice, kind: &Kind) -> Self {
        let (field, values) = dice.of(&kind.fields);
        let value = dice.of(values).clone();
        let operators: &[&str] =
            if value.is_number() { &["=", "!=", "<", "<=", ">", ">="] } else { &["=", "!=", "in", "contains", "is null", "is not null"] };
        Self { field: (*field).to_owned(), operator: dice.of::<&str>(operators), value }
    }

    fn condition(&self) -> String {
        let Self { field, operator, value } = self;
        match *operator {
            "is null" | "is not null" => format!(r#"["{field}", "{operator}"]"#),
            "in" => format!(r#"["{field}", "in", [{value}, "nothing"]]"#),
            _ => format!(r#"["{field}", "{operator}", {value}]"#),
        }
    }

    fn closure(&self) -> String {
        let (row, value) = (format!(r#"row["{}"]"#, self.field), &self.value);
        match self.operator {
            "is null" => format!("{row} == ()"),
            "is not null" => format!("{row} != ()"),
            "in" => format!(r#"{row} in [{value}, "nothing"]"#),
            "contains" => format!(r"({row} != () && {row}.to_lower().contains({}))", value.to_string().to_lowercase()),
            "=" => format!("{row} == {value}"),
            other => format!("{row} {other} {value}"),
        }
    }

    /// By what the words mean: nothing is unlike any value, and neither more nor less than it.
    fn passes(&self, row: &Value) -> bool {
        let found = at(row, &self.field);
        let (number, wanted) = (found.as_f64(), self.value.as_f64());
        let compared = |holds: fn(f64, f64) -> bool| number.zip(wanted).is_some_and(|(found, wanted)| holds(found, wanted));
        match self.operator {
            "is null" => found.is_null(),
            "is not null" => !found.is_null(),
            "=" | "in" => {
                if wanted.is_some() {
                    number == wanted
                } else {
                    *found == self.value
                }
            }
            "!=" => {
                if wanted.is_some() {
                    number != wanted
                } else {
                    *found != self.value
                }
            }
            "contains" => found.as_str().is_some_and(|text| text.to_lowercase().contains(&self.value.as_str().unwrap().to_lowercase())),
            "<" => compared(|a, b| a < b),
            "<=" => compared(|a, b| a <= b),
            ">" => compared(|a, b| a > b),
            _ => compared(|a, b| a >= b),
        }
    }
}

/// A field of a document, by its path.
fn at<'v>(row: &'v Value, path: &str) -> &'v Value {
    row.get(path).or_else(|| row.pointer(&format!("/{}", path.replace('.', "/")))).unwrap_or(&Value::Null)
}

/// Two or three tests with logic over them.
struct Conditions {
    tests: Vec<Test>,
    form: usize,
}

impl Conditions {
    fn random(dice: &mut Dice, kind: &Kind) -> Self {
        let tests = (0..3).map(|_| Test::random(dice, kind)).collect();
        Self { tests, form: dice.roll(4) }
    }

    fn map(&self) -> String {
        let named: Vec<String> = ["a", "b", "c"].iter().zip(&self.tests).map(|(label, test)| format!("{label}: {}", test.condition())).collect();
        match self.form {
            0 => format!("#{{ {} }}", named[0]),
            1 => format!("#{{ {}, {} }}", named[0], named[1]),
            2 => format!(r#"#{{ {}, logic: "A AND (B OR C)" }}"#, named.join(", ")),
            _ => format!(r#"#{{ {}, logic: "a or (b and c)" }}"#, named.join(", ")),
        }
    }

    fn passes(&self, row: &Value) -> bool {
        let holds: Vec<bool> = self.tests.iter().map(|test| test.passes(row)).collect();
        match self.form {
            0 => holds[0],
            1 => holds[0] && holds[1],
            2 => holds[0] && (holds[1] || holds[2]),
            _ => holds[0] || (holds[1] && holds[2]),
        }
    }
}

fn texts(values: &[&str]) -> Vec<Value> {
    values.iter().map(|text| Value::from(*text)).collect()
}

fn numbers(values: &[i64]) -> Vec<Value> {
    values.iter().map(|number| Value::from(*number)).collect()
}

/// Every kind of source. The rows of the report are as a mapping without any filter reads them.
fn kinds(sandbox: &Sandbox, workspace: &Workspace) -> Vec<Kind> {
    let report =
        r#"pendo::account_report(#{ days: 30, columns: #{ visits: "active_visitors", users: "users", industry: "metadata.agent.industry" } })"#;
    let fields = ["visits", "users", "industry"].map(|name| format!(r#"Whole_{name}__c: #{{ from: "{name}", type: "text(80)" }}"#)).join(", ");
    workspace.write(
        "scripts/script.rhai",
        format!(r#"mapping("whole", #{{ from: {report}, to: salesforce::object("Account"), match_on: #{{ Id: "accountId" }}, fields: #{{ {fields} }} }});"#),
    );
    let plan = workspace.tabi("plan --json --all").ended(0);
    let row = |change: &Value| {
        let of = |name: &str| change["fields"][format!("Whole_{name}__c")]["to"].clone();
        let number = |name: &str| of(name).as_str().and_then(|text| text.parse::<i64>().ok());
        serde_json::json!({"accountId": change["key"], "visits": number("visits"), "users": number("users"), "industry": of("industry")})
    };
    let report_rows = plan.of_type("change").iter().map(row).collect();
    let industries = || texts(&["Technology", "Media", "Finance", "e", "nothing"]);
    let documents = |system: &str, object: &str| sandbox.documents(system, object);
    let account = ("Account", "Id");
    vec![
        Kind {
            from: r#"salesforce::object("Account")"#.to_owned(),
            key: "Id",
            target: account,
            fields: vec![
                ("Industry", industries()),
                ("NumberOfEmployees", numbers(&[0, 76, 200, 5000])),
                ("Onboarding_Status__c", texts(&["Completed"])),
            ],
            rows: documents("salesforce", "Account"),
        },
        Kind {
            from: r#"salesforce::soql("SELECT Id, Industry, NumberOfEmployees, Onboarding_Status__c FROM Account")"#.to_owned(),
            key: "Id",
            target: account,
            fields: vec![("Industry", industries()), ("NumberOfEmployees", numbers(&[0, 76, 200])), ("Onboarding_Status__c", texts(&["Completed"]))],
            rows: documents("salesforce", "Account"),
        },
        Kind {
            from: r#"gainsight::object("Company")"#.to_owned(),
            key: "SfdcAccountId",
            target: account,
            fields: vec![("Industry", industries()), ("CurrentScore", numbers(&[20, 60, 80])), ("Churn_Risk__gc", texts(&["Low", "High"]))],
            rows: documents("gainsight", "Company"),
        },
        Kind {
            from: "pendo::accounts()".to_owned(),
            key: "accountId",
            target: account,
            fields: vec![("metadata.agent.industry", industries()), ("metadata.custom.seats", numbers(&[0, 20, 300]))],
            rows: documents("pendo", "account"),
        },
        Kind {
            from: "pendo::visitors()".to_owned(),
            key: "metadata.agent.email",
            target: ("Contact", "Email"),
            fields: vec![("metadata.agent.role", texts(&["admin", "user", "a"])), ("metadata.auto.lastbrowsername", texts(&["Safari", "Chrome"]))],
            rows: documents("pendo", "visitor"),
        },
        Kind {
            from: report.to_owned(),
            key: "accountId",
            target: account,
            fields: vec![("industry", industries()), ("visits", numbers(&[0, 1, 2, 5])), ("users", numbers(&[1, 2, 3]))],
            rows: report_rows,
        },
        Kind {
            from: "px::users()".to_owned(),
            key: "email",
            target: ("Contact", "Email"),
            fields: vec![("role", texts(&["admin", "user"])), ("numberOfVisits", numbers(&[0, 4, 20])), ("firstName", texts(&["Daria", "a"]))],
            rows: documents("px", "users"),
        },
    ]
}

#[test]
fn what_passes_is_read_whatever_the_source_the_declaration_and_the_way_it_is_said() {
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 40");
    let (kinds, mut dice) = (kinds(&sandbox, &workspace), Dice(11));
    let (mut script, mut expected) = (String::new(), Vec::new());
    for (number, kind) in kinds.iter().enumerate() {
        for way in 0..8 {
            let (name, first, second, own) =
                (format!("d{number}-{way}"), Conditions::random(&mut dice, kind), Conditions::random(&mut dice, kind), Test::random(&mut dice, kind));
            let (map, closure) = (format!(".filter({})", first.map()), format!(".filter(|row| {})", own.closure()));
            let (of_source, of_rule, passes): (String, String, Passes<'_>) = match way {
                0 => (map, String::new(), &|row| first.passes(row)),
                1 => (format!("{map}.where({})", second.map()), String::new(), &|row| first.passes(row) && second.passes(row)),
                2 => (closure, String::new(), &|row| own.passes(row)),
                3 => (format!("{closure}{map}"), String::new(), &|row| first.passes(row) && own.passes(row)),
                4 => (String::new(), second.map(), &|row| second.passes(row)),
                5 => (map, second.map(), &|row| first.passes(row) && second.passes(row)),
                6 => (closure, second.map(), &|row| second.passes(row) && own.passes(row)),
                _ => (format!("{map}{closure}.limit(3)"), second.map(), &|row| first.passes(row) && second.passes(row) && own.passes(row)),
            };
            let mut keys: Vec<String> =
                kind.rows.iter().filter(|row| passes(row)).map(|row| at(row, kind.key).as_str().unwrap().to_owned()).collect();
            keys.sort();
            script.push_str(&declared(&name, kind, &of_source, &of_rule));
            expected.push((name, keys, (way == 7).then_some(3)));
        }
    }
    workspace.write("scripts/script.rhai", &script);
    let plan = workspace.tabi("plan --json --all");
    let (changes, rejected) = (plan.of_type("change"), plan.of_type("rejected"));
    let mut told = 0;
    for (name, keys, limit) in expected {
        let of = |lines: &[Value]| {
            lines.iter().filter(|line| line["name"] == name.as_str()).map(|line| line["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let mut found = [of(&changes), of(&rejected)].concat();
        found.sort();
        let declaration = script.lines().find(|line| line.contains(&format!("\"{name}\""))).unwrap();
        let count = limit.map_or(keys.len(), |limit| keys.len().min(limit));
        let summary = plan.summary(&name);
        let number = |key: &str| summary[key].as_u64().unwrap();
        let (told_of, read) = (number("update") + number("rejected"), number("read") - summary["filtered"].as_u64().unwrap_or(0));
        assert_ne!(summary["status"], "failed", "{declaration}\n{summary}");
        assert_eq!((read, told_of), (count as u64, count as u64), "{declaration}\n{summary}\n{found:?}\n{keys:?}");
        match limit {
            None => assert_eq!(found, keys, "{declaration}"),
            Some(_) => assert!(found.len() == count && found.iter().all(|key| keys.contains(key)), "{declaration}\n{found:?}\n{keys:?}"),
        }
        told += found.len();
    }
    assert!(told > 200, "only {told} rows passed anything");
}

/// A mapping, or, with filters of its own, a rule; each with a field of its own.
fn declared(name: &str, kind: &Kind, of_source: &str, of_rule: &str) -> String {
    let (from, (object, id), key) = (&kind.from, kind.target, kind.key);
    let field = format!(r#"Mark_{}__c: #{{ from: constant("x"), type: "text(20)" }}"#, name.replace('-', "_"));
    let declaration = if of_rule.is_empty() {
        format!(
            r#"mapping("{name}", #{{ from: {from}{of_source}, to: salesforce::object("{object}"), match_on: #{{ {id}: "{key}" }}, fields: #{{ {field} }} }});"#
        )
    } else {
        format!(
            r#"rule("{name}", #{{ from: {from}{of_source}, filters: {of_rule}, actions: [load_to_sfdc(#{{ object: "{object}", identifiers: ["{id}"], fields: #{{ {id}: "{key}", {field} }} }})] }});"#
        )
    };
    declaration + "\n"
}

#[test]
fn a_row_for_which_a_closure_filter_fails_is_rejected_and_the_others_go_on() {
    let workspace = Workspace::with_script(
        r#"mapping("odd", #{ from: salesforce::object("Account").filter(|row| if row.Industry == "Technology" { row.Name } else { true }),
               to: salesforce::object("Account"), match_on: "Id", fields: #{ Site: constant("x") } });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 20");
    let run = workspace.tabi("run --json");
    let (odd, even) =
        (accounts(&sandbox, |account| account["Industry"] == "Technology"), accounts(&sandbox, |account| account["Industry"] != "Technology"));
    let summary = run.summary("odd");
    let counts = ["status", "read", "written", "rejected"].map(|key| summary[key].clone());
    let expected: [Value; 4] = ["partial".into(), 20.into(), even.len().into(), odd.len().into()];
    assert_eq!(counts, expected, "{summary}");
    assert_eq!(sites(&sandbox, "x"), even);
    let shown = workspace.tabi(&format!("show {} --json", summary["run"].as_str().unwrap())).ended(0).lines();
    let rows = shown[0]["rows"].as_array().unwrap();
    let keys: BTreeSet<String> = rows.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(keys, odd.iter().map(|id| format!("Account {id}")).collect());
    assert!(rows.iter().all(|row| row["reason"].as_str().unwrap().contains("neither true nor false")), "{rows:?}");
}

#[test]
fn a_condition_on_a_column_that_soql_does_not_select_is_refused() {
    let workspace = Workspace::with_script(
        r#"mapping("blind", #{ from: salesforce::soql("SELECT Id, Name FROM Account").filter(#{ a: ["Industry", "!=", "Technology"] }),
               to: salesforce::object("Account"), match_on: "Id", fields: #{ Site: constant("x") } });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 20");
    let run = workspace.tabi("run --json").ended(1);
    let summary = run.summary("blind");
    assert_eq!((&summary["status"], &summary["written"]), (&"failed".into(), &0.into()), "{summary}");
    assert!(
        format!("{}{}", run.stdout, run.stderr).contains("a filter asks for `Industry`, which the rows do not have; they have Id, Name"),
        "{run:?}"
    );
    assert!(sites(&sandbox, "x").is_empty());
}

#[test]
fn a_limit_counts_the_people_of_a_journey_that_pass() {
    let workspace = Workspace::new();
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 40");
    let contacts = sandbox.documents("salesforce", "Contact");
    let with_a = |contact: &&Value| contact["LastName"].as_str().unwrap().to_lowercase().contains('a');
    let passing = contacts.iter().filter(with_a).count();
    assert!(passing > 4 && passing < 40, "{passing}");
    let ways = [
        (r#"salesforce::object("Contact").filter(|p| p.LastName.to_lower().contains("a")).limit(4)"#, 4),
        (r#"salesforce::object("Contact").limit(4).filter(#{ a: ["LastName", "contains", "a"] })"#, 4),
        (r#"salesforce::soql("SELECT Id, Email, LastName FROM Contact").filter(#{ a: ["LastName", "contains", "a"] })"#, passing),
        (r#"salesforce::object("Contact").filter(|p| p.LastName.to_lower().contains("a"))"#, passing),
    ];
    for (number, (from, expected)) in ways.into_iter().enumerate() {
        let script = format!(
            r#"journey("j{number}", #{{ model: "dynamic", participants: {from}, unique_on: "Email", steps: [wait("a day", days(1)), finish()] }});"#
        );
        workspace.write(&format!("scripts/j{number}.rhai"), script);
        workspace.tabi(&format!("journey publish j{number} --yes")).ended(0);
        workspace.tabi("up --once").ended(0);
        let report: Value = serde_json::from_str(&workspace.tabi(&format!("journey report j{number} --json")).ended(0).stdout).unwrap();
        assert_eq!(report["participants"]["waiting"], expected, "{from}: {report}");
    }
}
