//! `tabi hooks`: the addresses to enter where systems send web hooks, and that of the dashboard.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::{config::Section, host::Workspace, web};

use super::{
    Context, Exit, Failure,
    render::{BOLD, DIM, WARN, paint},
};

#[derive(Debug, Args)]
pub(crate) struct Hooks {}

/// Where each system asks for the address.
const WHERE: [(&str, &str); 3] = [
    ("px", "Gainsight PX: Administration, Integrations, Webhook"),
    ("pendo", "Pendo: Settings, Integrations, Webhooks"),
    ("mail", "your mail provider: its web hook for events (bounced, opened, clicked, unsubscribed)"),
];

/// Prints them. They are made from the workspace's own key and stay the same as long as it does.
pub(crate) fn hooks(cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let Some(links) = workspace.links()? else {
        let missing = Failure::new(Exit::Usage, "no_server", "this workspace has no server that web hooks could be sent to");
        return Err(missing.hint("add [server] to tabi.toml"));
    };
    let hooks = web::hook_addresses(&links);
    let dashboard = web::dashboard_address(&links);
    let all: Map<String, Value> = hooks.iter().map(|(system, url)| ((*system).to_owned(), url.as_str().into())).collect();
    cx.out.json(&json!({"url": links.base(), "hooks": all, "dashboard": dashboard}));
    for (system, url) in &hooks {
        let place = WHERE.iter().find(|(known, _)| known == system).map_or(*system, |(_, place)| place);
        cx.out.line(format!("{} {}\n  {url}", paint(BOLD, system), paint(DIM, place)));
    }
    cx.out.line(format!("{} {}\n  {dashboard}", paint(BOLD, "dashboard"), paint(DIM, "on this machine; elsewhere with `[server] dashboard = true`")));
    cx.out.line(paint(DIM, "Whoever knows one of these addresses can use it: keep them like passwords."));
    for warning in warnings(&workspace, links.base()) {
        cx.out.note(format!("{} {warning}", paint(WARN, "warning:")));
    }
    Ok(Exit::Done)
}

fn warnings(workspace: &Workspace, url: &str) -> Vec<String> {
    let mut all = Vec::new();
    if !workspace.is_sandboxed() && ["://127.", "://localhost", "://[::1]"].iter().any(|here| url.contains(here)) {
        all.push(format!("{url} is reached from this machine alone: let `[server] public_url` in tabi.toml be what the systems reach it by"));
    }
    let pendo = workspace.config.pendo.as_ref().map(Section::get_ref).filter(|pendo| !pendo.sandbox);
    if pendo.is_some_and(|pendo| pendo.webhook_secret.is_none()) {
        all.push("Pendo signs its web hooks: with `[pendo] webhook_secret` in tabi.toml nobody else is listened to".to_owned());
    }
    all
}
