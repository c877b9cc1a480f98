//! From an effect to the bytes that are sent. Nothing that a field holds can become a header of its own.

use std::time::SystemTime;

use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox, MessageBuilder, MultiPart, MultiPartKind, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};

use crate::connectors::http::invalid;
use crate::model::{Email, Fault, System, Timestamp};

/// Headers that are made here and nowhere else.
const OURS: [&str; 14] = [
    "from",
    "to",
    "cc",
    "bcc",
    "sender",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "return-path",
    "received",
    "dkim-signature",
    "apparently-to",
];

/// What the configuration says of every message.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) from: Mailbox,
    pub(super) reply_to: Option<Mailbox>,
}

/// A message ready to be sent.
pub(super) struct Sealed {
    pub(super) envelope: Envelope,
    pub(super) bytes: Vec<u8>,
    /// With its angle brackets.
    pub(super) message_id: String,
}

/// The message of an effect, the same bytes for the same effect and time. `number` tells messages without a key apart.
pub(super) fn seal(email: &Email, sender: &Sender, now: Timestamp, number: u64) -> Result<Sealed, Fault> {
    let from = email.from.as_deref().map_or_else(|| Ok(sender.from.clone()), |from| named("from", from))?;
    let reply_to = email.reply_to.as_deref().map(|to| named("reply_to", to)).transpose()?.or_else(|| sender.reply_to.clone());
    one_line("subject", &email.subject)?;
    let identity = identity(email, from.email.domain(), now, number);
    let message_id = format!("<{identity}@{}>", from.email.domain());
    let mut builder = Message::builder().date(SystemTime::from(now)).message_id(Some(message_id.clone())).subject(email.subject.as_str());
    let mut recipients = Vec::new();
    for to in &email.to {
        let to = named("to", to)?;
        recipients.push(to.email.clone());
        builder = builder.to(to);
    }
    let envelope =
        Envelope::new(Some(from.email.clone()), recipients).map_err(|_| invalid(System::Mail, "a message needs a recipient").field("to"))?;
    builder = builder.from(from);
    if let Some(reply_to) = reply_to {
        builder = builder.reply_to(reply_to);
    }
    for (name, value) in &email.headers {
        builder = builder.raw_header(header(name, value)?);
    }
    let message = body(builder, email, &identity)?;
    Ok(Sealed { envelope, bytes: message.formatted(), message_id })
}

/// What stands before the domain of the message's id.
fn identity(email: &Email, domain: &str, now: Timestamp, number: u64) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(domain.as_bytes()).update(b"\0");
    match &email.key {
        Some(key) => hasher.update(b"key\0").update(key.as_bytes()),
        None => {
            hasher.update(b"now\0").update(&now.as_nanosecond().to_le_bytes()).update(&number.to_le_bytes()).update(email.to.join(",").as_bytes())
        }
    };
    hasher.finalize().to_hex().chars().take(32).collect()
}

fn body(builder: MessageBuilder, email: &Email, identity: &str) -> Result<Message, Fault> {
    let built = match (&email.text, &email.html) {
        (Some(text), Some(html)) => {
            let parts = MultiPart::builder().kind(MultiPartKind::Alternative).boundary(format!("=_{identity}"));
            builder.multipart(parts.singlepart(SinglePart::plain(text.clone())).singlepart(SinglePart::html(html.clone())))
        }
        (Some(text), None) => builder.singlepart(SinglePart::plain(text.clone())),
        (None, Some(html)) => builder.singlepart(SinglePart::html(html.clone())),
        (None, None) => return Err(invalid(System::Mail, "a message needs `text`, `html` or both").field("text")),
    };
    built.map_err(|error| invalid(System::Mail, format!("the message cannot be put together: {error}")))
}

/// An address with or without a name.
pub(super) fn named(field: &str, text: &str) -> Result<Mailbox, Fault> {
    one_line(field, text)?;
    let text = text.trim();
    let (name, address) = match text.strip_suffix('>').and_then(|text| text.rsplit_once('<')) {
        Some((name, address)) => (Some(name.trim()), address.trim()),
        None => (None, text),
    };
    let name = name.map(|name| name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name)).filter(|name| !name.is_empty());
    let wrong = |_| {
        invalid(System::Mail, format!("`{text}` is no e-mail address; write it as `ana@example.com` or `Ana Lima <ana@example.com>`")).field(field)
    };
    let address: Address = address.parse().map_err(wrong)?;
    Ok(Mailbox::new(name.map(str::to_owned), address))
}

fn header(name: &str, value: &str) -> Result<HeaderValue, Fault> {
    let lower = name.to_ascii_lowercase();
    let word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !word {
        return Err(invalid(System::Mail, format!("`{}` is no name of a header", name.escape_debug())).field("headers"));
    }
    if OURS.contains(&lower.as_str()) || lower.starts_with("content-") {
        return Err(invalid(System::Mail, format!("the header `{name}` cannot be given: it is made from the message")).field("headers"));
    }
    one_line(name, value)?;
    let header = HeaderName::new_from_ascii(name.to_owned()).map_err(|_| invalid(System::Mail, format!("`{name}` is no name of a header")))?;
    Ok(HeaderValue::new(header, value.to_owned()))
}

/// A line break in a header would begin another one.
fn one_line(field: &str, text: &str) -> Result<(), Fault> {
    match text.chars().find(|c| c.is_control()) {
        None => Ok(()),
        Some(c) => {
            let what = if matches!(c, '\n' | '\r') { "a line break".to_owned() } else { format!("the control character {}", c.escape_debug()) };
            Err(invalid(System::Mail, format!("`{field}` holds {what}, which a header cannot")).field(field))
        }
    }
}
