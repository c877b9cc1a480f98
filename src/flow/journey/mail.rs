//! A journey's mails: a template with what is known of the participant, and one key through all tries.

use std::{fmt, sync::Arc};

use crate::{
    flow::cell::compute,
    model::{Effect, Email, Fault, FaultKind, Record, Reply, Value},
    store::Participant,
};

use super::{
    links::{Links, Purpose, Ticket},
    pass::Pass,
    survey::asked,
    track::tracked,
};

/// A template filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    pub subject: String,
    pub text: Option<String>,
    pub html: Option<String>,
}

type Has = dyn Fn(&str) -> bool + Send + Sync;
type Render = dyn Fn(&str, &Record) -> Result<Rendered, Fault> + Send + Sync;

/// Fills in templates by name. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    render: Arc<Render>,
    has: Arc<Has>,
    links: Option<Links>,
    /// Whether its mails go to people, who read them.
    read: bool,
}

impl Mailer {
    pub fn new(
        render: impl Fn(&str, &Record) -> Result<Rendered, Fault> + Send + Sync + 'static,
        has: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { render: Arc::new(render), has: Arc::new(has), links: None, read: true }
    }

    /// Whether there is a template of that name.
    pub fn has(&self, template: &str) -> bool {
        (self.has)(template)
    }

    /// The same, with mails that carry links of the workspace's own server.
    pub fn linked(self, links: Option<Links>) -> Self {
        Self { links, ..self }
    }

    /// The same, with mails that go to nobody: nothing in their pages has to tell of what is done with them.
    pub fn unread(self) -> Self {
        Self { read: false, ..self }
    }

    /// Links of the server; none when there is none, and nothing tells then what people do with a mail.
    pub const fn links(&self) -> Option<&Links> {
        self.links.as_ref()
    }

    /// One that has no templates.
    pub fn none() -> Self {
        Self::new(|name, _| Err(Fault::new(FaultKind::NotFound, format!("there is no template `{name}`"))), |_| false)
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mailer")
    }
}

/// Sends one mail of a step.
///
/// # Errors
/// `Invalid` when the participant has no address, has unsubscribed, or the template fails; else what the mail server says.
pub(super) fn send(pass: &Pass<'_>, participant: &Participant, key: &str, step: &str, template: &str) -> Result<Record, Fault> {
    let Some(address) = &participant.email else {
        return Err(Fault::new(FaultKind::Invalid, format!("has no e-mail address in `{}`", pass.journey.identity.email)));
    };
    let state = |error: crate::store::Error| Fault::new(FaultKind::State, error.to_string());
    if pass.store.is_unsubscribed(address).map_err(state)? {
        return Err(Fault::new(FaultKind::Invalid, "has unsubscribed").code("UNSUBSCRIBED"));
    }
    if pass.store.is_bounced(address).map_err(state)? {
        return Err(Fault::new(FaultKind::Invalid, "an earlier mail to this address bounced").code("BOUNCED"));
    }
    let mut context = (*participant.fields).clone();
    // One that fails for this person is missed only by a template that uses it.
    let mut uncalculated: Option<Fault> = None;
    for (name, closure) in &pass.journey.calculated {
        match closure.call_row(&participant.fields) {
            Ok(value) => context.set(name.as_str(), value),
            Err(fault) => {
                uncalculated = uncalculated.or(Some(Fault { message: format!("`{name}` cannot be calculated: {}", fault.message), ..fault }));
            }
        }
    }
    if let Some(parts) = pass.journey.parts(step) {
        for map in &parts.data {
            context.set(map.target.as_str(), compute(&map.from, &participant.fields, pass.date)?);
        }
    }
    let links = pass.mailer.links();
    for (name, value) in linked(pass, links, participant, step)? {
        context.set(name, value);
    }
    let filled = (pass.mailer.render)(template, &context).map_err(|fault| match uncalculated {
        Some(why) => Fault { message: format!("{}; {}", fault.message, why.message), ..fault },
        None => fault,
    })?;
    let ticket = |url: &str| Ticket { participant: participant.id, step: step.to_owned(), url: url.to_owned() };
    let html = match (filled.html, links) {
        (Some(html), Some(links)) if pass.mailer.read => {
            let ours = format!("{}/", links.base());
            Some(tracked(&html, &ours, &links.url(Purpose::Open, &ticket("")), |url| links.url(Purpose::Click, &ticket(url))))
        }
        (html, _) => html,
    };
    let email = Email {
        to: vec![address.clone()],
        subject: filled.subject,
        text: filled.text,
        html,
        headers: links.map(|links| unsubscription(&links.url(Purpose::Unsubscribe, &ticket("")))).unwrap_or_default(),
        key: Some(key.to_owned()),
        ..Email::default()
    };
    let mut detail: Record = [("to".into(), Value::text(address)), ("template".into(), Value::text(template))].into_iter().collect();
    if let Reply::Value(Value::Map(said)) = pass.perform.perform_noted(Effect::SendEmail(email))?
        && let Some(id) = said.get("message_id")
    {
        detail.set("message_id", id.clone());
    }
    Ok(detail)
}

/// One click unsubscribes, also in the mail program's own menu (RFC 8058).
fn unsubscription(url: &str) -> Vec<(String, String)> {
    let header = |name: &str, value: String| (name.to_owned(), value);
    vec![header("List-Unsubscribe", format!("<{url}>")), header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned())]
}

/// What a template is given of links: `unsubscribe_url`, blank without a server; where the mail carries a survey also `survey_url`, and
/// `survey` with `url`, `question`, `lowest`, `highest` and `scores`, a list of `{score, url}`.
fn linked(pass: &Pass<'_>, links: Option<&Links>, participant: &Participant, step: &str) -> Result<Vec<(&'static str, Value)>, Fault> {
    let ticket = Ticket { participant: participant.id, step: step.to_owned(), url: String::new() };
    let unsubscribe = links.map(|links| links.url(Purpose::Unsubscribe, &ticket)).unwrap_or_default();
    let mut given = vec![("unsubscribe_url", Value::text(unsubscribe))];
    let Some(asked) = asked(&pass.journey.graph, &pass.associations, step) else { return Ok(given) };
    let Some(links) = links else {
        let message = "a survey by e-mail is answered on a page of the host's own server: add [server] to tabi.toml";
        return Err(Fault::new(FaultKind::Invalid, message));
    };
    let url = links.url(Purpose::Survey, &ticket);
    let mut survey: Vec<(&str, Value)> = vec![("url", Value::text(&url))];
    if let Some(first) = asked.questions.first() {
        survey.push(("question", Value::text(&first.ask)));
        let (lowest, highest) = first.kind.scale().unwrap_or((1, 0));
        let score = |score: u8| -> Value {
            let fields = [("score".into(), Value::Int(i64::from(score))), ("url".into(), Value::text(format!("{url}?score={score}")))];
            Value::Map(fields.into_iter().collect())
        };
        let ends = first.kind.ends();
        survey.push(("lowest", Value::text(ends.0)));
        survey.push(("highest", Value::text(ends.1)));
        survey.push(("scores", Value::List((lowest..=highest).map(score).collect())));
    }
    given.push(("survey_url", Value::text(&url)));
    given.push(("survey", Value::Map(survey.into_iter().map(|(name, value)| (name.into(), value)).collect())));
    Ok(given)
}
