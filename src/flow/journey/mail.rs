//! A journey's mails: a template with what is known of the participant, and one key through all tries.

use std::{fmt, sync::Arc};

use crate::{
    flow::cell::compute,
    model::{Effect, Email, Fault, FaultKind, Record, Value},
    store::Participant,
};

use super::pass::Pass;

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
}

impl Mailer {
    pub fn new(
        render: impl Fn(&str, &Record) -> Result<Rendered, Fault> + Send + Sync + 'static,
        has: impl Fn(&str) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { render: Arc::new(render), has: Arc::new(has) }
    }

    /// Whether there is a template of that name.
    pub fn has(&self, template: &str) -> bool {
        (self.has)(template)
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
    let mut context = participant.fields.clone();
    if let Some(parts) = pass.journey.parts(step) {
        for map in &parts.data {
            context.set(map.target.as_str(), compute(&map.from, &participant.fields, pass.date)?);
        }
    }
    let filled = (pass.mailer.render)(template, &context)?;
    let email = Email {
        to: vec![address.clone()],
        subject: filled.subject,
        text: filled.text,
        html: filled.html,
        key: Some(key.to_owned()),
        ..Email::default()
    };
    pass.perform.perform_noted(Effect::SendEmail(email))?;
    Ok([("to".into(), Value::text(address)), ("template".into(), Value::text(template))].into_iter().collect())
}
