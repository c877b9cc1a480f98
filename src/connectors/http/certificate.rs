//! Certificates that are not trusted: which fault it is, in words, and what to do about it. The names are those of rustls.

/// What is wrong with the certificate of `base` when that is why there is no connection; `key` holds the address in `tabi.toml`.
pub(in crate::connectors) fn distrusted(cause: &str, base: &str, key: &str) -> Option<String> {
    const WHOSE: &str = "the file that SSL_CERT_FILE names replaces the certificates this machine trusts";
    if cause.contains("InvalidContentType") {
        return Some(format!("{base} answers without TLS; look at {key}: another port, or http:// for a server on this machine"));
    }
    let wrong = cause.split_once("invalid peer certificate: ")?.1;
    let named = |name: &str| wrong.starts_with(name);
    // A trusted certificate of the same name, but with a key of another kind, signed it as little as one that is not there.
    Some(if named("UnknownIssuer") || named("BadSignature") || named("UnsupportedSignatureAlgorithm") {
        format!(
            "the certificate of {base} is signed by nobody this machine trusts ({wrong}). Where a company's own authority signs it, or a proxy \
             that reads along, set SSL_CERT_FILE to a file with that authority's certificate in PEM form; {WHOSE}"
        )
    } else if named("CaUsedAsEndEntity") {
        format!(
            "the certificate of {base} is one of an authority and not of a server ({wrong}): give the server one that the authority signed, and set \
             SSL_CERT_FILE to the authority's in PEM form; {WHOSE}"
        )
    } else if named("Expired") || named("certificate expired") || wrong.contains("expired") {
        format!("the certificate of {base} has expired ({wrong}): whoever runs it has to renew it, unless the clock of this machine is wrong")
    } else if named("NotValidYet") || wrong.contains("not valid yet") {
        format!("the certificate of {base} is not valid yet ({wrong}): look at the clock of this machine")
    } else if named("NotValidForName") || wrong.contains("not valid for name") {
        format!("the certificate of {base} is for another host ({wrong}): look at {key}, and at proxies on the way")
    } else if named("Revoked") {
        format!("the certificate of {base} was revoked ({wrong}): whoever runs it has to replace it")
    } else {
        format!("the certificate of {base} cannot be used ({wrong}); SSL_CERT_FILE names a file of certificates to trust instead of this machine's")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_a_certificate_says_what_it_is_and_what_to_do() {
        let told = |cause: &str| distrusted(cause, "https://acme.example", "[px] base_url").unwrap_or_default();
        for (cause, words) in [
            ("invalid peer certificate: UnknownIssuer", ["signed by nobody", "SSL_CERT_FILE"]),
            ("invalid peer certificate: BadSignature", ["signed by nobody", "SSL_CERT_FILE"]),
            ("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))", ["cannot be used", "SSL_CERT_FILE"]),
            ("invalid peer certificate: certificate expired: verification time 5 (UNIX), but certificate is not valid after 4", ["expired", "renew"]),
            ("invalid peer certificate: certificate not valid yet: verification time 5", ["not valid yet", "clock"]),
            (
                "invalid peer certificate: certificate not valid for name \"a\"; certificate is only valid for DnsName(\"b\")",
                ["another host", "[px] base_url"],
            ),
            ("invalid peer certificate: Revoked", ["revoked", "replace"]),
            ("received corrupt message of type InvalidContentType", ["without TLS", "[px] base_url"]),
        ] {
            let said = told(cause);
            assert!(words.iter().all(|word| said.contains(word)) && said.contains("https://acme.example"), "{cause}: {said}");
        }
        assert_eq!(distrusted("Connection refused (os error 111)", "https://acme.example", "key"), None);
    }
}
