//! `tabi.toml`: every error has a place and a next step, and no secret gets in or out.

use std::{fs, path::Path};

use tabi::config::{self, Error, parse};

fn error(text: &str) -> (String, String, (usize, usize), String) {
    let error = parse(text, Path::new("tabi.toml")).expect_err("an error");
    let (_, line, column) = error.place().expect("a place");
    (error.code().to_owned(), error.to_string(), (line, column), error.hint().unwrap_or_default())
}

#[test]
fn the_contracts_example_is_read() {
    let text = r#"
[salesforce]
auth = "client_credentials"
login_url = "https://acme.my.salesforce.com"
client_id = "env:SF_CLIENT_ID"
client_secret = "env:SF_CLIENT_SECRET"

[pendo]
region = "us"
integration_key = "env:PENDO_KEY"

[gainsight]
domain = "https://acme.gainsightcloud.com"
access_key = "env:GS_KEY"

[px]
region = "us"
api_key = "env:PX_KEY"
product_key = "AP-ABCDEFGHIJ-2"

[email]
smtp = "smtp://localhost:1025"
from = "cs@example.com"

[server]
listen = "127.0.0.1:7878"
"#;
    let config = parse(text, Path::new("tabi.toml")).unwrap();
    assert!(!config.is_unconnected());
    assert_eq!(config.pendo.unwrap().get_ref().region.as_deref(), Some("us"));
}

#[test]
fn an_empty_file_and_no_file_are_the_sandbox() {
    assert!(parse("", Path::new("tabi.toml")).unwrap().is_unconnected());
    assert!(config::load(tempfile::tempdir().unwrap().path()).unwrap().is_unconnected());
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    let (code, message, place, hint) = error("timezone = \"UTC\"\n\n[pendo]\nregion = \"us\"\nintegration_kye = \"env:K\"\n");
    assert_eq!((code.as_str(), message.as_str(), place), ("config_unknown_key", "there is no key `integration_kye` here", (5, 1)));
    assert_eq!(hint, "did you mean `integration_key`?");
}

#[test]
fn an_unknown_section_names_the_known_ones() {
    let (code, message, place, hint) = error("[hubspot]\nkey = 1\n");
    assert_eq!((code.as_str(), message.as_str(), place), ("config_unknown_key", "there is no key `hubspot` here", (1, 2)));
    assert!(hint.contains("salesforce, pendo, gainsight, px"), "{hint}");
}

#[test]
fn a_literal_secret_is_refused_and_not_repeated() {
    for (section, key) in [
        ("salesforce", "client_secret"),
        ("salesforce", "password"),
        ("salesforce", "security_token"),
        ("salesforce", "refresh_token"),
        ("salesforce", "private_key"),
        ("salesforce", "access_token"),
        ("pendo", "integration_key"),
        ("gainsight", "access_key"),
        ("gainsight", "client_secret"),
        ("px", "api_key"),
        ("email", "password"),
    ] {
        let text = format!("[{section}]\n{key} = \"hunter2hunter2\"\n");
        let (code, message, place, hint) = error(&text);
        assert_eq!((code.as_str(), place), ("config_literal_secret", (2, key.len() + 4)), "{section}.{key}");
        assert!(hint.contains("env:NAME"), "{hint}");
        assert!(!format!("{message}{hint}").contains("hunter2"));
    }
}

#[test]
fn a_missing_key_points_at_its_section() {
    let (code, message, place, _) = error("\n[salesforce]\nauth = \"client_credentials\"\nlogin_url = \"https://a\"\nclient_id = \"c\"\n");
    assert_eq!((code.as_str(), message.as_str(), place), ("config_missing_key", "[salesforce] needs `client_secret`", (2, 1)));
    for (text, key) in [
        ("[salesforce]\nlogin_url = \"https://a\"", "auth"),
        ("[salesforce]\nauth = \"jwt_bearer\"\nlogin_url = \"https://a\"\nclient_id = \"c\"\nusername = \"u\"", "private_key"),
        ("[salesforce]\nauth = \"refresh_token\"\nlogin_url = \"https://a\"\nclient_id = \"c\"", "refresh_token"),
        ("[salesforce]\nauth = \"password\"\nlogin_url = \"https://a\"\nusername = \"u\"", "password"),
        ("[salesforce]\nauth = \"access_token\"\naccess_token = \"env:T\"", "login_url"),
        ("[pendo]\nintegration_key = \"env:K\"", "region"),
        ("[pendo]\nregion = \"us\"", "integration_key"),
        ("[gainsight]\naccess_key = \"env:K\"", "domain"),
        ("[gainsight]\ndomain = \"https://a\"", "access_key"),
        ("[px]\nregion = \"us\"", "api_key"),
    ] {
        let (code, message, ..) = error(text);
        assert_eq!(code, "config_missing_key", "{text}");
        assert!(message.ends_with(&format!("needs `{key}`")), "{text}: {message}");
    }
}

#[test]
fn wrong_values_say_what_would_be_right() {
    let (_, message, place, _) = error("timezone = \"Europe/Atlantis\"\n");
    assert_eq!((message.as_str(), place), ("`Europe/Atlantis` is not a time zone; write it as `Europe/Berlin`", (1, 12)));
    let (_, message, ..) = error("[state]\njournal = \"soon\"\n");
    assert_eq!(message, "`soon` is not a duration; write it as `90d` or `30s`");
    let (_, message, _, hint) = error("[pendo]\nregion = \"ue\"\nintegration_key = \"env:K\"\n");
    assert_eq!((message.as_str(), hint.as_str()), ("[pendo] has no region `ue`", "did you mean `eu`?"));
    let (code, message, place, _) = error("[pendo\nregion = 1");
    assert_eq!((code.as_str(), place), ("config_invalid", (1, 7)), "{message}");
    let (_, _, place, hint) = error("[salesforce]\nauth = \"client_credential\"\n");
    assert_eq!((place, hint.as_str()), ((2, 8), "did you mean `client_credentials`?"));
}

#[test]
fn a_system_can_be_the_sandbox_on_its_own() {
    let config =
        parse("[px]\nsandbox = true\n[pendo]\nbase_url = \"http://127.0.0.1:9\"\nintegration_key = \"env:K\"\n", Path::new("tabi.toml")).unwrap();
    assert!(config.px.unwrap().get_ref().sandbox);
    assert!(!config.pendo.unwrap().get_ref().sandbox);
}

#[test]
fn secrets_are_read_late_and_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("key.txt"), "s3cret\n").unwrap();
    let text = "[pendo]\nregion = \"us\"\nintegration_key = \"file:key.txt\"\n[gainsight]\ndomain = \"https://a\"\naccess_key = \"env:TABI_TEST_NO_SUCH_VARIABLE\"\n";
    let config = parse(text, Path::new("tabi.toml")).unwrap();
    let secret = config.pendo.unwrap().into_inner().integration_key.unwrap();
    let revealed = secret.reveal("pendo.integration_key", dir.path()).unwrap();
    assert_eq!(revealed.expose(), "s3cret");
    assert_eq!(format!("{revealed:?}"), "[secret]");

    let absent = config.gainsight.unwrap().into_inner().access_key.unwrap().reveal("gainsight.access_key", dir.path()).unwrap_err();
    assert!(matches!(absent, Error::NoVariable { .. }));
    assert!(absent.hint().unwrap().contains("--sandbox"));
    fs::write(dir.path().join("key.txt"), "\n").unwrap();
    assert!(matches!(secret.reveal("pendo.integration_key", dir.path()), Err(Error::Empty { .. })));
    fs::remove_file(dir.path().join("key.txt")).unwrap();
    assert!(matches!(secret.reveal("pendo.integration_key", dir.path()), Err(Error::NoSecretFile { .. })));
}
