//! What the mail server's refusals mean, by reply code (RFC 5321) and enhanced status code (RFC 3463), with the words of vendors for
//! what those do not tell: Amazon SES `454 Throttling failure: Daily message quota exceeded`, Gmail `550 5.4.5 Daily user sending limit
//! exceeded`, Postfix and Exchange `452 4.5.3 Too many recipients` and quotas.

use std::error::Error as _;

use lettre::transport::smtp;

use crate::connectors::http::{distrusted, unknown_outcome};
use crate::model::{Email, Fault, FaultKind, System};

/// Why one sending failed.
pub(super) struct Failure {
    pub(super) fault: Fault,
    /// Another try may help.
    pub(super) again: bool,
    /// The server surely did not take the message.
    pub(super) undone: bool,
    /// The server was there.
    pub(super) reached: bool,
}

impl Failure {
    /// As the last word: a message that may have been taken is told so.
    pub(super) fn into_fault(self) -> Fault {
        if self.undone { self.fault } else { unknown_outcome(&self.fault) }
    }
}

/// Names the failure of a sending to `host`.
pub(super) fn failure(error: &smtp::Error, host: &str, email: &Email) -> Failure {
    let said = error.source().map(ToString::to_string).unwrap_or_default();
    if let Some(code) = error.status() {
        let fault = refusal(&code.to_string(), &said, email);
        let again = fault.is_transient();
        return Failure { fault, again, undone: true, reached: true };
    }
    let fault = |kind, message: String| Fault::from_system(System::Mail, kind, message);
    let trusted = |said: &str| distrusted(said, host, "`[email] smtp`");
    if let Some(message) = trusted(&said).or_else(|| trusted(&innermost(error))) {
        return Failure { fault: fault(FaultKind::Unavailable, message), again: false, undone: true, reached: true };
    }
    if error.is_tls() {
        let message = format!("no secure connection to {host}: {said}; `?tls=none` behind the address does without one");
        return Failure { fault: fault(FaultKind::Unavailable, message), again: false, undone: true, reached: true };
    }
    if error.is_client() {
        // Such as no STARTTLS where it is required, or no way to log in that both know.
        let message = format!("cannot speak to {host}: {said}; `?tls=none` behind the address allows a connection without TLS");
        return Failure { fault: fault(FaultKind::Denied, message), again: false, undone: true, reached: true };
    }
    if error.is_response() {
        let message = format!("{host} answered with something that is not SMTP");
        return Failure { fault: fault(FaultKind::Garbled, message), again: true, undone: false, reached: true };
    }
    // The only name there is for a connection that could not be made.
    if error.to_string().starts_with("Connection error") {
        let message = format!("cannot reach {host} ({said}); is it running, and is `[email] smtp` right?");
        return Failure { fault: fault(FaultKind::Unavailable, message), again: true, undone: true, reached: false };
    }
    if error.is_timeout() {
        return silence(host);
    }
    let message = format!("{host} cut the connection before the answer came");
    Failure { fault: fault(FaultKind::Unavailable, message), again: true, undone: false, reached: true }
}

/// The innermost reason.
fn innermost(error: &smtp::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// No answer came in time; the message may have been taken.
pub(super) fn silence(host: &str) -> Failure {
    let fault = Fault::from_system(System::Mail, FaultKind::Unavailable, format!("{host} did not answer in time"));
    Failure { fault, again: true, undone: false, reached: false }
}

/// A reply that says no.
fn refusal(code: &str, said: &str, email: &Email) -> Fault {
    let enhanced = said.split_whitespace().next().filter(|word| is_enhanced(word)).unwrap_or_default();
    let kind = kind(code, enhanced, &said.to_lowercase());
    let said: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
    let message = match kind {
        FaultKind::Denied => format!("the mail server refused the credentials: {said}"),
        _ => format!("the mail server refused the message to {}: {said}", email.to.join(", ")),
    };
    let fault = Fault::from_system(System::Mail, kind, message).code(format!("{code} {enhanced}").trim_end());
    if enhanced.starts_with("5.1.") { fault.field("to") } else { fault }
}

fn kind(code: &str, enhanced: &str, said: &str) -> FaultKind {
    let daily = said.contains("daily") || said.contains("quota") || said.contains("per day");
    match (code, enhanced) {
        (_, "5.4.5") => FaultKind::LimitExceeded,
        ("452" | "454" | "451" | "421", "4.5.3" | "") if daily => FaultKind::LimitExceeded,
        ("454", _) if said.contains("throttling") => FaultKind::RateLimited,
        ("530" | "534" | "535" | "538", _) => FaultKind::Denied,
        (code, enhanced) if code.starts_with('4') && (enhanced.starts_with("4.7.") || said.contains("too many") || said.contains("rate")) => {
            FaultKind::RateLimited
        }
        (code, _) if code.starts_with('4') => FaultKind::Unavailable,
        _ => FaultKind::Invalid,
    }
}

/// `5.1.1`.
fn is_enhanced(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit()))
}
