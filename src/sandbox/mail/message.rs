//! A message as people read it: decoded, with its links.

use mail_parser::MessageParser;
use serde::Serialize;
use serde_json::{Map, Value};

/// What a mail client shows, and what it can follow.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct View {
    /// The address of the `From` header.
    pub(super) from: Option<String>,
    pub(super) from_name: Option<String>,
    pub(super) subject: String,
    pub(super) date: Option<String>,
    /// With its angle brackets.
    pub(super) message_id: Option<String>,
    /// As they came, unfolded; a list where there are several of one name.
    pub(super) headers: Map<String, Value>,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    /// `href`s of the HTML in order, each once; without HTML, the URLs of the text.
    pub(super) links: Vec<String>,
    /// `src` of each image: what a mail client loads when the message is opened.
    pub(super) images: Vec<String>,
}

/// Takes a message apart; whatever it lacks is not there.
pub(super) fn view(raw: &[u8]) -> View {
    let Some(message) = MessageParser::default().parse(raw) else { return View::default() };
    let from = message.from().and_then(|from| from.first());
    let html = message.html_bodies().any(mail_parser::MessagePart::is_text_html).then(|| message.body_html(0)).flatten();
    let text = message.text_bodies().any(|part| !part.is_text_html()).then(|| message.body_text(0)).flatten();
    let links = match (&html, &text) {
        (Some(html), _) => attributes(html, "a", "href"),
        (None, Some(text)) => urls(text),
        (None, None) => Vec::new(),
    };
    View {
        from: from.and_then(|from| from.address()).map(str::to_owned),
        from_name: from.and_then(|from| from.name()).map(str::to_owned),
        subject: message.subject().unwrap_or_default().to_owned(),
        date: message.date().map(mail_parser::DateTime::to_rfc3339),
        message_id: message.message_id().map(|id| format!("<{id}>")),
        headers: headers(&message),
        images: html.as_deref().map(|html| attributes(html, "img", "src")).unwrap_or_default(),
        text: text.map(std::borrow::Cow::into_owned),
        html: html.map(std::borrow::Cow::into_owned),
        links,
    }
}

fn headers(message: &mail_parser::Message) -> Map<String, Value> {
    let mut headers = Map::new();
    for (name, value) in message.headers_raw() {
        let value = Value::from(unfolded(value));
        match headers.get_mut(name) {
            None => drop(headers.insert(name.to_owned(), value)),
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    headers
}

fn unfolded(value: &str) -> String {
    value.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// One attribute of every element of a name, in order, each value once.
fn attributes(html: &str, element: &str, attribute: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for tag in html.split('<').skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        let Some((name, mut rest)) = tag.split_once(|c: char| c.is_ascii_whitespace()) else { continue };
        if !name.eq_ignore_ascii_case(element) {
            continue;
        }
        while let Some((key, value, after)) = next_attribute(rest) {
            rest = after;
            if key.eq_ignore_ascii_case(attribute) {
                let value = quick_xml::escape::unescape(value).map_or_else(|_| value.to_owned(), std::borrow::Cow::into_owned);
                if !found.contains(&value) {
                    found.push(value);
                }
            }
        }
    }
    found
}

/// `key="value"`, and what follows.
fn next_attribute(text: &str) -> Option<(&str, &str, &str)> {
    let (key, rest) = text.split_once('=')?;
    let key = key.split_ascii_whitespace().next_back()?;
    let rest = rest.trim_ascii_start();
    match rest.chars().next()? {
        quote @ ('"' | '\'') => {
            let (value, after) = rest.get(1..)?.split_once(quote)?;
            Some((key, value, after))
        }
        _ => Some(rest.split_once(|c: char| c.is_ascii_whitespace()).map_or((key, rest, ""), |(value, after)| (key, value, after))),
    }
}

/// The URLs that a mail client makes links of.
fn urls(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"')) {
        let begins = word.find("https://").or_else(|| word.find("http://"));
        let Some(url) = begins.and_then(|at| word.get(at..)) else { continue };
        let url = url.trim_end_matches(['.', ',', ';', ')', ']', '!', '?']).to_owned();
        if !found.contains(&url) {
            found.push(url);
        }
    }
    found
}
