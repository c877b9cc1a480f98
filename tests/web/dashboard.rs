//! The dashboard, asked as a browser of this machine and as somebody else asks it.

use std::net::TcpListener;

use serde_json::Value;

use super::bench::{Bench, form, get};
use crate::support::{Sandbox, Workspace};

const SCRIPT: &str = r#"
journey("trial", #{
    model: "dynamic",
    participants: [#{ email: "ana@example.com" }, #{ email: "ben@example.com" }],
    unique_on: "email",
    steps: [wait("<script>alert(1)</script>", days(3)), finish()],
});
rule("nightly", #{ from: salesforce::object("Account"), show: ["Id"], actions: [set_score("Fit", 80)], daily: "03:00" });
"#;

fn printed(bench: &Bench) -> Value {
    serde_json::from_str(&bench.workspace.tabi("hooks --json").ended(0).stdout).unwrap()
}

#[test]
fn the_page_shows_declarations_runs_and_journeys_and_needs_nothing_from_elsewhere() {
    let bench = Bench::start(SCRIPT, &[], "");
    bench.until(|report| report["participants"]["waiting"] == 2);
    let url = bench.server["url"].as_str().unwrap();
    let page = get(&format!("{url}/"), &[]);
    assert_eq!(page.status, 200, "{}", page.text);
    for part in ["trial", "2 waiting", "nightly", "daily 03:00", "scripts/script.rhai:2", "Last runs", "prefers-color-scheme", "width=device-width"] {
        assert!(page.text.contains(part), "no {part} in {}", page.text);
    }
    assert!(page.text.contains("&lt;script&gt;alert(1)") && !page.text.contains("<script"), "{}", page.text);
    for outside in ["src=", "<link", "@import", "url(", "http://", "https://"] {
        assert!(!page.text.contains(outside), "{outside} in {}", page.text);
    }
    let report: Value = serde_json::from_str(&get(&format!("{url}/api/journeys/trial/report"), &[]).text).unwrap();
    assert_eq!(report, bench.report());
    assert_eq!(get(&format!("{url}/api/journeys/nobody/report"), &[]).status, 404);
    assert_eq!(get(&format!("{url}/api/state"), &[]).status, 404);
    assert_eq!(form(&format!("{url}/"), "a=b").status, 405, "it only looks");
}

#[test]
fn only_this_machine_sees_it_by_itself() {
    let bench = Bench::start(SCRIPT, &[], "");
    let url = format!("{}/", bench.server["url"].as_str().unwrap());
    for headers in
        [("host", "evil.example"), ("host", "127.0.0.1.evil.example:80"), ("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=203.0.113.9")]
    {
        assert_eq!(get(&url, &[headers]).status, 404, "{headers:?}");
        assert_eq!(get(&format!("{url}api/journeys/trial/report"), &[headers]).status, 404, "{headers:?}");
    }
    let with_key = printed(&bench)["dashboard"].as_str().unwrap().to_owned();
    assert_eq!(get(&with_key, &[("x-forwarded-for", "203.0.113.9")]).status, 404, "a key does not open it to others");
}

#[test]
fn others_see_it_by_its_key_where_tabi_toml_says_so() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = |more: &str| format!("[server]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"https://tabi.example.com\"\n{more}");
    let mut bench = Bench::start(SCRIPT, &[], &config(""));
    let here = |path: &str| format!("http://127.0.0.1:{port}/{path}");
    let key = printed(&bench)["dashboard"].as_str().unwrap().strip_prefix("https://tabi.example.com/").unwrap().to_owned();
    let outside = [("host", "tabi.example.com"), ("x-forwarded-for", "203.0.113.9")];
    let refused = get(&here(""), &[]);
    assert!(refused.status == 403 && refused.text.contains("tabi hooks"), "whoever passes calls on may look like this machine: {}", refused.text);
    assert_eq!((get(&here(&key), &[]).status, get(&here(&key), &outside).status), (200, 404));
    bench.end();
    bench.workspace.write("tabi.toml", config("dashboard = true\n"));
    bench.again();
    bench.line(|line| line["type"] == "ready");
    let page = get(&here(&key), &outside);
    assert!(page.status == 200 && page.text.contains(&format!("/api/journeys/trial/report{key}")), "{}", page.text);
    assert_eq!(get(&here("?key=AAAAAAAAAAAAAAAAAAAAAA"), &outside).status, 404);
    assert_eq!(get(&here(&format!("api/journeys/trial/report{key}")), &outside).status, 200);
    bench.end();
    bench.workspace.write("tabi.toml", config("dashboard = false\n"));
    bench.again();
    assert_eq!(get(&here(&key), &[]).status, 404);
}

#[test]
fn the_addresses_to_enter_are_those_that_the_server_listens_to() {
    let bench = Bench::start(SCRIPT, &[], "");
    let printed = printed(&bench);
    assert_eq!((&printed["hooks"], &printed["url"]), (&bench.server["hooks"], &bench.server["url"]));
    let text = bench.workspace.tabi("hooks").ended(0).stdout;
    assert!(text.contains(bench.server["hooks"]["px"].as_str().unwrap()) && text.contains("Gainsight PX: Administration"), "{text}");
    let unconnected = Workspace::with_script(SCRIPT);
    unconnected.write("tabi.toml", "[email]\nsmtp = \"smtp://localhost:1\"\nfrom = \"cs@example.com\"\n");
    let refused = unconnected.tabi("hooks").ended(2);
    assert!(refused.stderr.contains("add [server] to tabi.toml"), "{}", refused.stderr);
}

/// The cells of a table's rows, under the heading of its section.
fn cells(page: &str, heading: &str) -> Vec<Vec<String>> {
    let Some((_, section)) = page.split_once(&format!(">{heading}<")) else { return Vec::new() };
    let table = section.split("</table>").next().unwrap();
    let cell = |text: &str| text.split_once('>').unwrap().1.split("</td>").next().unwrap().to_owned();
    table.split("<tr").skip(2).map(|row| row.split("<td").skip(1).map(cell).collect()).collect()
}

#[test]
fn rejected_rows_are_told_by_reason_with_counts_keys_fields_and_values() {
    let workspace = Workspace::with_script(
        r#"mapping("odd", #{ from: salesforce::soql("SELECT Id, Name FROM Account ORDER BY Id"), to: salesforce::object("Account"), match_on: "Id",
               fields: #{ NumberOfEmployees: |row| if row.Id > "0015G0000000009" { "lots of <b>" } else { 1.5 }, Site: |row| row.Name } });
           mapping("fine", #{ from: salesforce::object("Account").limit(1), to: salesforce::object("Account"), match_on: "Id", fields: #{ Rating: |row| "Hot" } });"#,
    );
    let sandbox = Sandbox::start(&workspace, "--accounts 20 --people 20");
    let ran = workspace.tabi("run odd --json").ended(1);
    assert_eq!((&ran.summary("odd")["rejected"], &ran.summary("odd")["written"]), (&20.into(), &0.into()));
    // However often others ran since, its last run is told.
    for _ in 0..25 {
        workspace.tabi("run fine --json").ended(0);
    }
    let bench = Bench::up(workspace, sandbox);
    bench.line(|line| line["type"] == "ready");
    let page = get(&format!("{}/", bench.server["url"].as_str().unwrap()), &[]).text;
    let told = cells(&page, "Rejected rows");
    let accounts = bench.sandbox.documents("salesforce", "Account");
    let large = accounts.iter().filter(|account| account["Id"].as_str().unwrap() > "0015G0000000009").count();
    assert_eq!(told.len(), 2, "{told:?}\n{page}");
    for (count, value, reason) in [(large, "lots of &lt;b&gt;", "is not a whole number"), (20 - large, "1.5", "is not a whole number")] {
        let row = told.iter().find(|row| row[1] == count.to_string()).unwrap_or_else(|| panic!("{count} in {told:?}"));
        assert_eq!((row[0].as_str(), row[2].as_str()), ("odd", "NumberOfEmployees"));
        assert!(row[3].contains("number") && (count != 20 - large || row[3].contains(reason)), "{row:?}");
        assert!(
            row[4].contains(&format!(" = {value}")) && row[4].starts_with("0015G") && row[4].ends_with(&format!(" and {} more", count - 3)),
            "{row:?}"
        );
        assert!(row[5].starts_with("scripts/script.rhai:2:"), "{row:?}");
    }
}
