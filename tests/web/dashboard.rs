//! The dashboard, asked as a browser of this machine and as somebody else asks it.

use std::net::TcpListener;

use serde_json::Value;

use super::bench::{Bench, form, get};
use crate::support::Workspace;

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
