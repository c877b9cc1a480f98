//! A server whose certificate is not trusted: the message names the system, the host and what is wrong, and the exit code is that of a system that
//! cannot be reached.
//!
//! The files in `certificates/` are of nobody and for nothing but this test: an authority whose key was thrown away, certificates that it signed for
//! `localhost` and for `other.example`, one that signed itself, and the key that belongs to all of them. None of them ends before 2120.

use std::{net::TcpListener, path::PathBuf, sync::Arc};

use rustls::{
    ServerConfig, ServerConnection,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::support::Workspace;

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/host/certificates").join(name)
}

/// Shows this certificate to whoever comes, as long as the test runs; gives back its port.
fn serve(certificate: &str) -> u16 {
    let chain = vec![CertificateDer::from_pem_file(file(certificate)).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file("server_key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = stream;
            // Whoever trusts the certificate would be left without an answer.
            let _ = connection.complete_io(&mut stream);
        }
    });
    port
}

#[test]
fn a_certificate_that_is_not_trusted_is_told_with_system_host_and_fault() {
    let cases = [
        ("self_signed.pem", false, "signed by nobody this machine trusts"),
        ("good.pem", false, "signed by nobody this machine trusts"),
        ("other.pem", true, "is for another host"),
        ("expired.pem", true, "has expired"),
        ("early.pem", true, "is not valid yet"),
    ];
    for (certificate, trusted, words) in cases {
        let port = serve(certificate);
        let workspace = Workspace::with_script(
            r#"mapping("m", #{ from: px::users(), to: px::object("users"), match_on: #{ identifyId: "identifyId" }, fields: #{ title: "role" } });"#,
        );
        let host = format!("https://localhost:{port}");
        workspace.write("tabi.toml", format!("[px]\nbase_url = \"{host}\"\napi_key = \"file:key\"\nproduct_key = \"AP-A-2\"\n"));
        workspace.write("key", "k");
        let run = |command: &str| {
            let mut command = workspace.command(command);
            if trusted {
                command.env("SSL_CERT_FILE", file("authority.pem"));
            }
            let output = command.output().unwrap();
            (output.status.code(), format!("{}{}", String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap()))
        };
        for command in ["run m", "repl -e px::user(\"a\")", "check --online"] {
            let (code, said) = run(command);
            assert_eq!(code, Some(4), "{certificate} {command}: {said}");
            for word in ["px", host.as_str(), words] {
                assert!(said.to_lowercase().contains(word), "{certificate} {command}: no `{word}` in {said}");
            }
        }
    }
}
