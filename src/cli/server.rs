//! The server of `tabi up`: where it listens, and what is said of it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use serde_json::{Map, Value, json};

use crate::{
    config::{self, Section},
    host::{Session, Workspace},
    sandbox, web,
};

use super::{
    Context, Exit, Failure,
    render::{DIM, WARN, paint},
};

/// Starts it where `[server]` says, or on the sandbox; none otherwise.
pub(super) fn start(workspace: &mut Workspace, session: &Session) -> Result<Option<web::Serving>, Failure> {
    let runtime = session.runtime().handle();
    let configured = workspace.config.server.as_ref().map(|section| section.get_ref().clone());
    let (listener, url) = match &configured {
        Some(server) => {
            let (listener, bound) = web::bind(runtime, server.listen).map_err(|error| taken(&error))?;
            (listener, server.public_url.clone().unwrap_or_else(|| format!("http://{bound}")))
        }
        None if workspace.is_sandboxed() => {
            let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let known = [workspace.usual_address(), config::loopback(), workspace.own_address()];
            let found = known.into_iter().find_map(|address| web::bind(runtime, address).ok());
            let (listener, bound) = found.map_or_else(|| web::bind(runtime, anywhere), Ok).map_err(|error| taken(&error))?;
            workspace.listens_at(bound)?;
            (listener, format!("http://{bound}"))
        }
        None => return Ok(None),
    };
    workspace.serve_at(&url);
    let Some(links) = workspace.links()? else { return Ok(None) };
    let pendo = workspace.config.pendo.as_ref().map(Section::get_ref).and_then(|pendo| pendo.webhook_secret.as_ref());
    let pendo_secret = pendo.map(|secret| secret.reveal("pendo.webhook_secret", &workspace.root)).transpose()?;
    let clock = workspace.clock.clone();
    let options = web::Options {
        store: Arc::clone(&session.store),
        now: Arc::new(move || clock.now()),
        links,
        stirred: Arc::clone(&session.stirred),
        pendo_secret: pendo_secret.map(|secret| secret.expose().to_owned()),
        current: session.current.clone(),
        receipts: session.receipts.clone(),
        zone: workspace.config.timezone.clone(),
        title: title(workspace),
        access: web::Access {
            said: configured.as_ref().and_then(|server| server.dashboard),
            is_public: configured.as_ref().is_some_and(|server| server.public_url.is_some()),
        },
    };
    Ok(Some(web::start(runtime, listener, options)))
}

/// The workspace's folder, and whether it plays.
fn title(workspace: &Workspace) -> String {
    let folder = workspace.root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if workspace.is_sandboxed() { format!("{folder} (on the sandbox)") } else { folder }
}

fn taken(error: &web::Error) -> Failure {
    let hint = "end what listens there, or let `[server] listen` in tabi.toml name another port";
    Failure::new(Exit::Usage, "server_address", error.to_string()).hint(hint)
}

/// Says where it listens and what web hooks are to be sent to. The sandbox is told of its own hooks, so that things move at once.
pub(super) fn said(serving: &web::Serving, workspace: &Workspace, session: &Session, cx: &Context) {
    let url = workspace.server_url().unwrap_or_default();
    let hooks: Map<String, Value> = serving.hooks().iter().map(|(system, url)| ((*system).to_owned(), url.as_str().into())).collect();
    cx.out.json(&json!({"type": "server", "url": url, "hooks": hooks}));
    cx.out.line(format!("{} {url}", paint(DIM, "serving the dashboard, links, surveys and web hooks at")));
    for (system, url) in serving.hooks() {
        cx.out.line(format!("  {} {url}", paint(DIM, format!("{system} hook"))));
    }
    cx.out.flush();
    let Some(credentials) = session.sandbox_credentials().filter(|_| workspace.is_sandboxed()) else { return };
    for (system, hook) in serving.hooks() {
        let key = if *system == "mail" { "inbox_url" } else { "base_url" };
        let Some(base) = credentials[*system][key].as_str().filter(|_| *system != "pendo") else { continue };
        if let Err(error) = session.runtime().block_on(sandbox::enlist(base, hook)) {
            cx.out.note(format!("{} the sandbox's {system} does not tell of events: {error}", paint(WARN, "warning:")));
        }
    }
}
