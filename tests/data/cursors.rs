//! Incremental runs read everything that changed.

use serde_json::{Value, json};

use crate::support::{Ran, Sandbox, Workspace};

/// Accounts to Pendo's custom metadata, with these options and fields.
fn script(fields: &str, options: &str) -> String {
    format!(
        r#"mapping("inc", #{{ from: salesforce::object("Account"), to: pendo::account_metadata("custom"), match_on: #{{ accountId: "Id" }},
               fields: #{{ {fields} }}, cursor: "SystemModstamp", {options} every: "1h" }});"#
    )
}

fn start(fields: &str, options: &str) -> (Workspace, Sandbox) {
    let workspace = Workspace::with_script(&script(fields, options));
    let sandbox = Sandbox::start(&workspace, "--accounts 12 --people 24");
    (workspace, sandbox)
}

/// What a command warned of.
fn warnings(ran: &Ran) -> Vec<String> {
    ran.stderr.lines().filter_map(|line| line.strip_prefix("warning: ")?.split_once(": ")).map(|(_, message)| message.to_owned()).collect()
}

fn read(ran: &Ran) -> u64 {
    ran.summary("inc")["read"].as_u64().unwrap()
}

#[test]
fn a_field_added_to_a_mapping_reaches_records_that_did_not_change() {
    let (workspace, _sandbox) = start(r#"ticker: "TickerSymbol""#, "");
    assert_eq!(read(&workspace.tabi("run inc --json").ended(0)), 12);
    assert_eq!(warnings(&workspace.tabi("run inc --json").ended(0)), Vec::<String>::new());
    workspace.write("scripts/script.rhai", script(r#"ticker: "TickerSymbol", nm: "Name""#, ""));
    for command in ["plan inc --json", "run inc --json"] {
        let ran = workspace.tabi(command).ended(0);
        assert_eq!(read(&ran), 12, "{}", ran.stdout);
        assert!(warnings(&ran).iter().any(|message| message.contains("reads or writes has changed")), "{command}: {}", ran.stdout);
    }
    let after = workspace.tabi("run inc --json").ended(0);
    assert_eq!((after.summary("inc")["written"].as_u64(), warnings(&after)), (Some(0), Vec::new()));
}

/// The file moves, its comments and its layout change, another declaration comes, the schedule is another one: nothing else is read for that.
#[test]
fn what_is_read_and_written_is_not_its_comments_file_or_neighbours() {
    let fields = r#"ticker: "TickerSymbol", nm: |a| shout(a.Name)"#;
    let help = "\nfn shout(text) { text.to_upper() }\n";
    let (workspace, _sandbox) = start(fields, "");
    workspace.write("scripts/script.rhai", script(fields, "") + help);
    // The accounts were all stamped at the sandbox's begin: a small look-back shows who is read again.
    workspace.tabi("run inc --json").ended(0);
    let same = [
        ("scripts/script.rhai", format!("// About.\n{}{help}", script(fields, ""))),
        ("scripts/script.rhai", script(fields, "").replace("shout(a.Name)", "shout( /* loud */ a.Name )") + help),
        ("scripts/script.rhai", script(fields, "").replace("1h", "2h") + help),
        (
            "scripts/script.rhai",
            [script(fields, ""), help.to_owned(), script(fields, "").replace("\"inc\"", "\"other\"").replace("custom", "agent2")].concat(),
        ),
        ("scripts/moved.rhai", script(fields, "") + help),
    ];
    for (file, text) in same {
        std::fs::remove_dir_all(workspace.path().join("scripts")).unwrap();
        workspace.write(file, &text);
        let ran = workspace.tabi("plan inc --json").ended(0);
        assert_eq!(warnings(&ran), Vec::<String>::new(), "{text}");
    }
    let other = [
        script(fields, "").replace("shout(a.Name)", "shout(a.Id)") + help,
        [script(fields, ""), help.replace("to_upper", "to_lower")].concat(),
        script(fields, r#"blank: "clear","#) + help,
        script(fields, r#"mode: "upsert","#) + help,
        script(fields, "").replace(r#"object("Account")"#, r#"object("Account").filter(#{ a: ["Name", "!=", "x"] })"#) + help,
        script(fields, "").replace("ticker:", "tick:") + help,
        script(fields, "").replace("SystemModstamp", "LastModifiedDate") + help,
        script(fields, "").replace("accountId: \"Id\"", "accountId: |a| a.Id") + help,
    ];
    for text in other {
        workspace.write("scripts/moved.rhai", &text);
        let ran = workspace.tabi("plan inc --json").ended(0);
        assert_eq!(read(&ran), 12, "{text}\n{}", ran.stdout);
        assert_eq!(warnings(&ran).len(), 1, "{text}\n{}", ran.stdout);
    }
}

/// An account stamped before the latest one that was read, and seen only after it.
#[test]
fn a_record_that_comes_to_sight_late_is_read() {
    let test = |lookback: &str, late: &str, found: bool| {
        let workspace = Workspace::with_script(&script(r#"ticker: "TickerSymbol""#, lookback));
        workspace.write(
            "tests/late_test.rhai",
            format!(
                r#"test("late", || {{
                    let all = salesforce::query("SELECT Id FROM Account ORDER BY Id LIMIT 2");
                    clock::set("2026-01-05T10:00:00Z");
                    salesforce::update("Account", all[0].Id, #{{ TickerSymbol: "EARLY" }});
                    run("inc");
                    clock::set("{late}");
                    salesforce::update("Account", all[1].Id, #{{ TickerSymbol: "LATE" }});
                    clock::set("2026-01-05T10:01:00Z");
                    run("inc");
                    let custom = pendo::account(all[1].Id).metadata.custom;
                    assert_eq("ticker" in custom && custom.ticker == "LATE", {found});
                    assert_eq(run("inc").written, 0);
                }});"#
            ),
        );
        let ran = workspace.tabi("test --json");
        assert_eq!(ran.code, Some(0), "{late} {lookback}: {}{}", ran.stdout, ran.stderr);
    };
    test("", "2026-01-05T09:50:00Z", true);
    test(r#"lookback: "1h","#, "2026-01-05T09:00:00Z", true);
    test(r#"lookback: "0s","#, "2026-01-05T09:59:00Z", false);
}

/// Bad rows in the page, in the lookup and in the sending hold the cursor at their own change, and the run says so.
#[test]
fn a_rejected_record_is_read_until_it_is_written_and_the_run_says_so() {
    let bad_value = r"NumberOfEmployees: |c| if c.Name == bad() { 123456789012 } else { 7 }";
    let script = |fields: &str, bad: &str| {
        format!(
            r#"fn bad() {{ "{bad}" }}
               mapping("hold", #{{ from: gainsight::object("Company"), to: salesforce::object("Account"), match_on: #{{ Id: "SfdcAccountId" }},
                   fields: #{{ {fields} }}, cursor: "ModifiedDate", lookback: "0s", every: "1h" }});"#
        )
    };
    let workspace = Workspace::with_script("");
    let sandbox = Sandbox::start(&workspace, "--accounts 12 --people 24");
    let companies = sandbox.documents("gainsight", "Company");
    let stamp = |company: &Value| company["ModifiedDate"].to_string();
    let first = companies.iter().min_by_key(|company| stamp(company)).unwrap();
    workspace.write("scripts/script.rhai", script(bad_value, first["Name"].as_str().unwrap()));
    for command in ["plan hold --json", "run hold --json", "run hold --json"] {
        let ran = workspace.tabi(command);
        assert_eq!(ran.summary("hold")["rejected"], 1, "{}", ran.stdout);
        assert_eq!(ran.summary("hold")["read"], companies.len(), "{}", ran.stdout);
        let said = warnings(&ran);
        assert!(said.iter().any(|message| message.starts_with("1 rejected row holds the cursor at ")), "{command}: {said:?}");
    }
    workspace.write("scripts/script.rhai", script(bad_value, "nobody"));
    let mended = workspace.tabi("run hold --json").ended(0);
    assert_eq!((mended.summary("hold")["written"].as_u64(), mended.summary("hold")["rejected"].as_u64()), (Some(1), Some(0)));
    let accounts = sandbox.documents("salesforce", "Account");
    assert!(accounts.iter().filter(|account| account["NumberOfEmployees"] == 7).count() == companies.len(), "{accounts:?}");
    assert_eq!(warnings(&workspace.tabi("run hold --json").ended(0)), Vec::<String>::new());
}

/// A row of an early page that the target refuses while a later page is at work, and one that it cannot take for the moment: both are read again.
#[test]
fn a_row_refused_after_its_page_holds_the_cursor_at_its_own_change() {
    let workspace = Workspace::with_script("");
    let sandbox = Sandbox::start(&workspace, "--accounts 2300 --people 2300");
    let mut accounts = sandbox.documents("pendo", "account");
    let id = |account: &Value| account["accountId"].as_str().unwrap().to_owned();
    accounts.sort_by_key(id);
    let changed = |account: &&Value| account["metadata"]["auto"]["lastupdated"].as_i64();
    let first = accounts[..2_000].iter().filter(|account| changed(account).is_some()).min_by_key(changed).unwrap();
    // Rows of the second page are large: those of the first, which wait to be sent, go out before it is done.
    workspace.write(
        "scripts/script.rhai",
        format!(
            r#"fn text_for(id) {{ let text = "d"; if id > "{mark}" {{ text.pad(30000, "x"); }} text }}
               mapping("hold", #{{ from: pendo::accounts(), to: salesforce::object("Account"), match_on: #{{ Id: "accountId" }},
                   cursor: "metadata.auto.lastupdated", lookback: "0s", every: "1h",
                   fields: #{{ Description: |row| text_for(row.accountId), NumberOfEmployees: |row| if row.accountId == "{bad}" {{ 123456789 }} else {{ 7 }} }} }});"#,
            mark = id(&accounts[1_999]),
            bad = id(first),
        ),
    );
    for _ in 0..2 {
        let ran = workspace.tabi("run hold --json").ended(1);
        assert_eq!(ran.summary("hold")["rejected"], 1, "{}", ran.stdout);
        assert!(warnings(&ran).iter().any(|message| message.starts_with("1 rejected row holds the cursor at ")), "{}", ran.stderr);
    }
}

#[test]
fn a_run_that_was_stopped_does_not_move_the_cursor() {
    let (workspace, sandbox) = start(r#"ticker: "TickerSymbol""#, r#"lookback: "0s","#);
    sandbox.post("pendo", "/_sandbox/faults", &json!({"faults": "pendo:limit@1"}));
    let failed = workspace.tabi("run inc --json");
    assert_eq!(failed.summary("inc")["status"], "failed", "{}", failed.stdout);
    sandbox.post("pendo", "/_sandbox/faults", &json!({"faults": ""}));
    assert_eq!(read(&workspace.tabi("run inc --json").ended(0)), 12);
}

#[test]
fn what_cannot_be_followed_is_refused_with_a_next_step() {
    let mapping = |from: &str, cursor: &str| {
        format!(
            r#"mapping("m", #{{ from: {from}, to: pendo::account_metadata("custom"), match_on: #{{ accountId: "Id" }}, fields: #{{ a: "Name" }}, {cursor} }});"#
        )
    };
    let cases = [
        (r#"salesforce::object("Account").limit(5)"#, r#"cursor: "SystemModstamp""#, "a cursor beside a limit"),
        (r#"salesforce::soql("SELECT Id, Name FROM Account")"#, r#"cursor: "SystemModstamp""#, "only objects are read from a cursor on"),
        (r#"salesforce::object("Account")"#, r#"lookback: "1h""#, "there is none"),
        (r#"salesforce::object("Account")"#, r#"cursor: "SystemModstamp", lookback: "soon""#, "`soon` is no length of time"),
    ];
    for (from, cursor, wanted) in cases {
        let workspace = Workspace::with_script(&mapping(from, cursor));
        let checked = workspace.tabi("check --json").ended(3);
        assert!(checked.stdout.contains(wanted), "{from} {cursor}: {}", checked.stdout);
    }
    let workspace = Workspace::with_script("");
    let _sandbox = Sandbox::start(&workspace, "--accounts 3 --people 6");
    for field in ["Name", "LastActivityDate", "NumberOfEmployees", "IsDeleted"] {
        workspace.write("scripts/script.rhai", mapping(r#"salesforce::object("Account")"#, &format!(r#"cursor: "{field}""#)));
        let checked = workspace.tabi("check --online --json").ended(3);
        assert!(checked.stdout.contains("a cursor needs a date-time"), "{field}: {}", checked.stdout);
        let ran = workspace.tabi("run m --json");
        assert_eq!(ran.summary("m")["status"], "failed", "{field}: {}", ran.stdout);
        assert!([ran.stdout.as_str(), &ran.stderr].concat().contains("a cursor needs a date-time"), "{field}: {}{}", ran.stdout, ran.stderr);
    }
}

/// What is told in JSON, too.
fn notices(ran: &Ran) -> Vec<String> {
    ran.of_type("notice").iter().map(|line| line["message"].as_str().unwrap().to_owned()).collect()
}

fn state(workspace: &Workspace) -> rusqlite::Connection {
    rusqlite::Connection::open(workspace.path().join(".tabi/state.db")).unwrap()
}

#[test]
fn a_clock_that_was_set_back_is_told_and_nothing_is_skipped() {
    let (workspace, sandbox) = start(r#"ticker: "TickerSymbol""#, r#"lookback: "0s","#);
    workspace.tabi("run inc --json").ended(0);
    // The last read went up to a time that is yet to come.
    state(&workspace).execute("UPDATE cursors SET value = '2099-01-01T00:00:00Z' WHERE source = 'source'", []).unwrap();
    for command in ["plan inc --json", "run inc --json"] {
        let ran = workspace.tabi(command).ended(0);
        assert_eq!(warnings(&ran), notices(&ran), "{command}");
        assert_eq!(notices(&ran).len(), 1, "{}", ran.stdout);
        assert!(notices(&ran)[0].starts_with("a clock was set back: the last read went up to 2099-01-01T00:00:00Z, and it is "), "{}", ran.stdout);
    }
    let after = workspace.tabi("run inc --json").ended(0);
    assert_eq!(notices(&after), Vec::<String>::new(), "the cursor is where the clock is again");
    // The org's clock goes ahead of this machine's.
    sandbox.post("salesforce", "/_sandbox/clock", &json!({"now": "2098-01-01T00:00:00Z"}));
    let id = sandbox.documents("salesforce", "Account")[0]["Id"].as_str().unwrap().to_owned();
    workspace.write("touch.rhai", format!(r#"salesforce::update("Account", "{id}", #{{ TickerSymbol: "AHEAD" }})"#));
    workspace.tabi("exec touch.rhai").ended(0);
    for written in [1, 0] {
        let ran = workspace.tabi("run inc --json").ended(0);
        let summary = ran.summary("inc");
        assert_eq!((summary["read"].as_u64(), summary["written"].as_u64()), (Some(1), Some(written)), "{}", ran.stdout);
        assert_eq!(warnings(&ran), notices(&ran));
        assert!(notices(&ran)[0].starts_with("rows are stamped later than now, up to 2098-01-01T00:00:00Z in `SystemModstamp`"), "{}", ran.stdout);
    }
}

#[test]
fn another_zone_another_organisation_or_another_type_is_read_from_the_begin_and_told() {
    let script = script(r#"ticker: "TickerSymbol""#, r#"lookback: "0s","#);
    let workspace = Workspace::with_script(&script);
    let (one, other) = (Workspace::new(), Workspace::new());
    let args = "--accounts 5 --people 5";
    let (first, second) = (Sandbox::start(&one, args), Sandbox::start(&other, args));
    let connect = |zone: &str, salesforce: &Sandbox, pendo: &Sandbox| {
        let text = |sandbox: &Sandbox, system: &str, key: &str| sandbox.ready()[system][key].as_str().unwrap().to_owned();
        workspace.write("token", text(salesforce, "salesforce", "access_token"));
        workspace.write("key", text(pendo, "pendo", "integration_key"));
        let (sf, pe) = (salesforce.base_url("salesforce"), pendo.base_url("pendo"));
        let salesforce = format!("[salesforce]\nauth = \"access_token\"\nbase_url = \"{sf}\"\naccess_token = \"file:token\"\n");
        let pendo = format!("[pendo]\nbase_url = \"{pe}\"\nintegration_key = \"file:key\"\n");
        workspace.write("tabi.toml", format!("timezone = \"{zone}\"\n{salesforce}{pendo}"));
    };
    connect("UTC", &first, &first);
    assert_eq!(read(&workspace.tabi("run inc --json").ended(0)), 5);
    let cases = [
        ("UTC", &first, &first, None),
        ("Asia/Tokyo", &first, &first, Some("the time zone was UTC and is Asia/Tokyo: everything is read again")),
        ("Asia/Tokyo", &second, &first, Some("salesforce is another one than in its last run: everything is read again")),
        ("Asia/Tokyo", &second, &second, Some("pendo is another one than in its last run: everything is read again")),
    ];
    for (zone, salesforce, pendo, said) in cases {
        connect(zone, salesforce, pendo);
        for command in ["plan inc --json", "run inc --json"] {
            let ran = workspace.tabi(command).ended(0);
            assert_eq!(warnings(&ran), notices(&ran));
            assert_eq!(notices(&ran).len(), usize::from(said.is_some()), "{command}: {}", ran.stdout);
            assert!(said.is_none_or(|said| notices(&ran)[0].starts_with(said) && read(&ran) == 5), "{command} {said:?}: {}", ran.stdout);
        }
    }
    // A field that holds another kind of value than in the last run.
    let kept: String = state(&workspace).query_row("SELECT value FROM cursors WHERE source = 'shape'", [], |row| row.get(0)).unwrap();
    assert!(kept.contains("accountid"), "{kept}");
    let wrong = kept.replace(r#""accountid":""#, r#""accountid":"old "#);
    state(&workspace).execute("UPDATE cursors SET value = ?1 WHERE source = 'shape'", [&wrong]).unwrap();
    let ran = workspace.tabi("run inc --json").ended(0);
    assert!(notices(&ran)[0].starts_with("the type of accountid was old "), "{}", ran.stdout);
    assert_eq!(read(&ran), 5);
}

/// Stopped in the middle of its writes, once kindly and once not: the next run does the rest, and nothing is made twice.
#[test]
fn an_incremental_run_that_is_stopped_or_killed_loses_nothing_and_makes_nothing_twice() {
    let workspace = Workspace::with_script(
        r#"mapping("inc", #{ from: salesforce::object("Contact"), to: gainsight::object("Company"), match_on: #{ Name: "Id" }, mode: "upsert",
               fields: #{ Industry: "Title" }, cursor: "SystemModstamp", lookback: "0s", every: "1h" });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 12 --people 1500");
    let people: Vec<String> = sandbox.documents("salesforce", "Contact").iter().map(|contact| contact["Id"].as_str().unwrap().to_owned()).collect();
    let made = || {
        let companies = sandbox.documents("gainsight", "Company");
        let names: Vec<String> = companies.iter().map(|company| company["Name"].as_str().unwrap_or_default().to_owned()).collect();
        people.iter().map(|id| names.iter().filter(|name| *name == id).count()).collect::<Vec<_>>()
    };
    for signal in ["-KILL", "-TERM"] {
        let before: usize = made().iter().sum();
        sandbox.post("gainsight", "/_sandbox/faults", &json!({"faults": "gainsight:slow=250@1"}));
        let mut child =
            workspace.command("run inc --json").stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        while made().iter().sum::<usize>() == before {
            assert!(child.try_wait().unwrap().is_none(), "it ended before anything was made");
            std::thread::yield_now();
        }
        assert!(std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), if signal == "-TERM" { Some(130) } else { None }, "{}", String::from_utf8_lossy(&ended.stdout));
        let some: usize = made().iter().sum();
        assert!(some > before && some < people.len(), "{signal}: {some} of {}", people.len());
    }
    sandbox.post("gainsight", "/_sandbox/faults", &json!({"faults": ""}));
    let rest = workspace.tabi("run inc --json").ended(0);
    assert_eq!(read(&rest), people.len() as u64, "the cursor did not move: {}", rest.stdout);
    assert_eq!(made(), vec![1; people.len()]);
    let after = workspace.tabi("run inc --json").ended(0);
    assert_eq!(after.summary("inc")["written"], 0, "{}", after.stdout);
    let statuses: Vec<Value> =
        workspace.tabi("history inc --json").ended(0).lines()[0].as_array().unwrap().iter().map(|run| run["status"].clone()).collect();
    assert_eq!(statuses, ["ok", "ok", "interrupted", "interrupted"]);
}
