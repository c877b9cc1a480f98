//! What people do with a message: a pure function of the rates, the seed, the address and the message's id. So the same run tells the
//! same story, and one person's doings do not hang on what others were sent.

use serde::{Deserialize, Serialize};

use super::message::View;

/// How people respond; rates are 0 to 1, minutes are the least and the most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::sandbox) struct Behaviour {
    /// Of all messages.
    pub(super) open_rate: f64,
    /// Of those opened.
    pub(super) click_rate: f64,
    /// Of those opened.
    pub(super) unsubscribe_rate: f64,
    /// Of all messages that were taken; they bounce later.
    pub(super) bounce_rate: f64,
    /// From delivery to opening. Short times are as likely as long ones of as many times the length.
    pub(super) open_minutes: (f64, f64),
    /// From opening to a click or to unsubscribing.
    pub(super) click_minutes: (f64, f64),
}

impl Default for Behaviour {
    fn default() -> Self {
        let (open_rate, click_rate, unsubscribe_rate, bounce_rate) = (0.45, 0.25, 0.0, 0.0);
        Self { open_rate, click_rate, unsubscribe_rate, bounce_rate, open_minutes: (2.0, 2880.0), click_minutes: (1.0, 20.0) }
    }
}

impl Behaviour {
    /// Why it cannot be.
    pub(in crate::sandbox) fn wrong(&self) -> Option<&'static str> {
        let rates = [self.open_rate, self.click_rate, self.unsubscribe_rate, self.bounce_rate];
        if !rates.iter().all(|rate| (0.0..=1.0).contains(rate)) {
            return Some("rates are numbers from 0 to 1");
        }
        let sound = |(least, most): (f64, f64)| least > 0.0 && least <= most && most.is_finite();
        if sound(self.open_minutes) && sound(self.click_minutes) { None } else { Some("minutes are [least, most], both above 0") }
    }
}

/// Something that is done with one message at a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Act {
    /// Milliseconds since the Unix epoch.
    pub(super) at_ms: i64,
    pub(super) kind: Kind,
    pub(super) recipient: String,
    /// What is fetched; nothing for an act without a link.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) urls: Vec<String>,
    /// By POST, as one-click unsubscription asks for (RFC 8058).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) post: bool,
}

/// The words of the event feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Opened,
    Clicked,
    Unsubscribed,
    Bounced,
}

impl Kind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Clicked => "clicked",
            Self::Unsubscribed => "unsubscribed",
            Self::Bounced => "bounced",
        }
    }
}

/// Everything that a recipient does with a message delivered at `at_ms`, in order of time.
pub(super) fn acts(behaviour: &Behaviour, seed: u64, recipient: &str, id: &str, view: &View, at_ms: i64) -> Vec<Act> {
    let address = recipient.to_lowercase();
    let draw = |what: &str| unit(seed, what, &address, id);
    let act = |at_ms, kind, urls| Act { at_ms, kind, recipient: recipient.to_owned(), urls, post: false };
    if bounces(&address) || draw("bounce") < behaviour.bounce_rate {
        return vec![act(at_ms + minutes((1.0, 5.0), draw("bounce after")), Kind::Bounced, Vec::new())];
    }
    if draw("open") >= behaviour.open_rate {
        return Vec::new();
    }
    let opened = at_ms + minutes(behaviour.open_minutes, draw("open after"));
    let mut acts = vec![act(opened, Kind::Opened, view.images.clone())];
    let unsubscribe = unsubscription(view);
    let links: Vec<&String> = view.links.iter().filter(|link| link.starts_with("http") && Some(*link) != unsubscribe.as_ref()).collect();
    if draw("click") < behaviour.click_rate
        && let Some(link) = chosen(&links, draw("which"))
    {
        acts.push(act(opened + minutes(behaviour.click_minutes, draw("click after")), Kind::Clicked, vec![link]));
    }
    if draw("unsubscribe") < behaviour.unsubscribe_rate
        && let Some(url) = unsubscribe
    {
        let post = view.headers.contains_key("List-Unsubscribe-Post");
        let at_ms = opened + minutes(behaviour.click_minutes, draw("unsubscribe after"));
        acts.push(Act { post, ..act(at_ms, Kind::Unsubscribed, vec![url]) });
    }
    acts.sort_by_key(|act| act.at_ms);
    acts
}

/// Whether an address takes mail and bounces it later.
fn bounces(address: &str) -> bool {
    address.rsplit_once('@').is_some_and(|(_, domain)| domain == "bounce.example" || domain.ends_with(".bounce.example"))
}

/// The HTTP address of `List-Unsubscribe: <mailto:..>, <https://..>`.
fn unsubscription(view: &View) -> Option<String> {
    let header = view.headers.get("List-Unsubscribe")?.as_str()?;
    let mut entries = header.split(',').map(|entry| entry.trim().trim_start_matches('<').trim_end_matches('>'));
    entries.find(|entry| entry.starts_with("http")).map(str::to_owned)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index below a small length")]
fn chosen(links: &[&String], drawn: f64) -> Option<String> {
    links.get((drawn * links.len() as f64) as usize).map(|link| (*link).clone())
}

/// Milliseconds between the least and the most, evenly over their ratio.
#[allow(clippy::cast_possible_truncation, reason = "minutes of a few days")]
fn minutes((least, most): (f64, f64), drawn: f64) -> i64 {
    (least * (most / least).powf(drawn) * 60_000.0) as i64
}

/// 0 up to 1.
fn unit(seed: u64, what: &str, address: &str, id: &str) -> f64 {
    let drawn = xxhash_rust::xxh3::xxh3_64_with_seed(format!("{what}\0{address}\0{id}").as_bytes(), seed);
    #[allow(clippy::cast_precision_loss)]
    let drawn = (drawn >> 11) as f64 / (1_u64 << 53) as f64;
    drawn
}
