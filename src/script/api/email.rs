//! `email::`: one message at a time, written out or by a template of `scripts/templates/`.

use std::sync::Arc;

use rhai::{
    Array, Map,
    plugin::{Dynamic, NativeCallContext, RhaiResult, export_module},
};

use crate::model::{Effect, Email, Fault, FaultKind, Record, Value};
use crate::script::{
    desk::{Desk, desk, perform},
    diagnostics::Diagnostic,
    failure::thrown,
    site::Site,
    templates::{Rendered, Templates, plain_text},
    value::to_map,
};

use super::{
    effects::{Outcome, record, refuse, value},
    options::{Item, Options},
};

/// What `email::send` was given.
#[derive(Default)]
struct Given {
    email: Email,
    subject: Option<String>,
    template: Option<String>,
    data: Record,
}

fn given(ctx: &NativeCallContext, options: Dynamic) -> Outcome<Given> {
    let site = Site::of(ctx);
    let item = Item::argument(&site, 0, "an e-mail", options);
    let given = item.options(&site, "an e-mail").map(|options| read(&site, options)).unwrap_or_default();
    drop(site.built(())?);
    Ok(given)
}

fn read(site: &Site, mut options: Options) -> Given {
    let to = options.need(site, "to").and_then(|item| item.texts(site)).unwrap_or_default();
    let data = options.take(site, "data").and_then(|item| item.data(site));
    let headers = options.take(site, "headers").and_then(|item| item.entries(site)).unwrap_or_default();
    let headers = headers.into_iter().filter_map(|entry| Some((entry.key.clone(), entry.item.text(site)?))).collect();
    let email = Email {
        to,
        from: options.text(site, "from"),
        reply_to: options.text(site, "reply_to"),
        subject: String::new(),
        text: options.text(site, "text"),
        html: options.text(site, "html"),
        headers,
        key: options.text(site, "key"),
    };
    let (subject, template) = (options.text(site, "subject"), options.text(site, "template"));
    options.finish(site);
    let data = if let Some(Value::Map(data)) = data { data } else { Record::new() };
    Given { email, subject, template, data }
}

/// The message as it is sent: filled in, with a text beside its HTML.
fn written(ctx: &NativeCallContext, given: Given) -> Outcome<Email> {
    let Given { mut email, subject, template, data } = given;
    let mut own = None;
    if let Some(template) = template {
        if email.text.is_some() || email.html.is_some() {
            return refuse("a message has a `template`, or `text` and `html` of its own, not both");
        }
        let rendered = filled(ctx, &template, &data)?;
        (own, email.text, email.html) = (rendered.subject, Some(rendered.text), rendered.html);
    }
    let Some(subject) = subject.or(own) else {
        return refuse("a message needs a subject: give `subject`, or begin the template with the line `Subject: ...`");
    };
    email.subject = subject;
    if email.text.is_none() {
        email.text = email.html.as_deref().map(plain_text);
    }
    if email.text.is_none() {
        return refuse("a message needs `text`, `html` or a `template`");
    }
    Ok(email)
}

fn templates(ctx: &NativeCallContext) -> Outcome<Arc<Templates>> {
    match desk(ctx) {
        Desk::Running { templates, .. } => Ok(Arc::clone(templates.get())),
        Desk::Pure { .. } | Desk::Importing { .. } | Desk::Loading(_) => {
            Err(thrown(Fault::new(FaultKind::NotAllowed, "templates are filled in by a script that runs, not while it loads")))
        }
    }
}

fn filled(ctx: &NativeCallContext, template: &str, data: &Record) -> Outcome<Rendered> {
    templates(ctx)?.render(template, data).map_err(|finding| thrown(fault(&finding)))
}

/// What is wrong with a template, as scripts catch it.
fn fault(finding: &Diagnostic) -> Fault {
    let at = if finding.line > 0 { format!("{}: ", finding.place()) } else { String::new() };
    let hint = finding.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    Fault::new(FaultKind::Invalid, format!("{at}{}{hint}", finding.message)).code(finding.code)
}

#[export_module]
#[allow(clippy::needless_pass_by_value, unreachable_pub, reason = "the shapes that the engine calls")]
pub(super) mod functions {
    /// Sends one message; returns `#{ message_id, accepted }`. Options: `to` (one address or a list), `subject`, `text`, `html`, or
    /// `template` with its `data`; `from`, `reply_to`, `headers`. Messages with one `key` have one `Message-ID`: sent twice, they are seen once.
    ///
    /// # Example
    /// ```rhai
    /// email::send(#{ to: "Ana Lima <ana@example.com>", subject: "Welcome", text: "Good to have you, Ana." });
    /// ```
    ///
    /// # Example
    /// ```rhai
    /// let renewal = #{ account: "Acme", days: 30 };
    /// email::send(#{
    ///     to: ["ana@example.com", "ben@example.com"],
    ///     subject: `${renewal.account} renews in ${renewal.days} days`,
    ///     html: `<p>${renewal.account} renews in <b>${renewal.days}</b> days.</p>`,
    ///     key: `renewal/${renewal.account}/${renewal.days}`,
    /// });
    /// ```
    #[rhai_fn(return_raw)]
    pub fn send(ctx: NativeCallContext, options: Dynamic) -> RhaiResult {
        let given = given(&ctx, options)?;
        let email = written(&ctx, given)?;
        value(perform(&ctx, Effect::SendEmail(email))?)
    }

    /// Fills a template of `scripts/templates/` in, without sending it; returns `#{ subject, text, html }`.
    ///
    /// # Example
    /// ```rhai
    /// if email::templates().contains("welcome") {
    ///     print(email::render("welcome", #{ person: #{ name: "Ana" } }).subject);
    /// }
    /// ```
    #[rhai_fn(return_raw)]
    pub fn render(ctx: NativeCallContext, template: &str, data: Map) -> RhaiResult {
        let Rendered { subject, text, html } = filled(&ctx, template, &record(&data)?)?;
        let text_or_null = |text: Option<String>| text.map(Value::text).unwrap_or_default();
        let fields = [("subject", text_or_null(subject)), ("text", Value::text(text)), ("html", text_or_null(html))];
        Ok(Dynamic::from(to_map(&fields.into_iter().map(|(name, value)| (name.into(), value)).collect())))
    }

    /// Lists the names of all templates.
    ///
    /// # Example
    /// ```rhai
    /// print(email::templates());
    /// ```
    #[rhai_fn(name = "templates", return_raw)]
    pub fn template_names(ctx: NativeCallContext) -> Result<Array, Box<rhai::EvalAltResult>> {
        Ok(templates(&ctx)?.names().into_iter().map(|name| Dynamic::from(name.to_owned())).collect())
    }
}
