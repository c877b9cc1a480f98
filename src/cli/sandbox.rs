//! `tabi sandbox`: the emulators alone, until they are asked to stop.

use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    host::{self, Signals, Workspace, shared},
    sandbox::{self, Options},
};

use super::{
    Context, Exit, Failure,
    render::{BOLD, DIM, paint, plain, table},
};

/// Where the systems listen when nothing else is said and the port is free.
const PORTS: [(&str, u16); 6] = [("salesforce", 4801), ("pendo", 4802), ("gainsight", 4803), ("px", 4804), ("mail", 4805), ("inbox", 4806)];

/// How long a command that uses the sandbox may take when the sandbox is asked to stop.
const GUESTS: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// How many accounts the company has [default: 200].
    #[arg(long, value_name = "N")]
    accounts: Option<u64>,
    /// How many people its accounts have [default: ten for each account].
    #[arg(long, value_name = "N")]
    people: Option<u64>,
    /// Another seed is another company [default: 1].
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// What goes wrong: SYSTEM:KIND@PROBABILITY[,...], such as `salesforce:503@0.1,*:slow=200@0.05`.
    #[arg(long, value_name = "SPEC", default_value = "")]
    faults: String,
    /// Only what new tenants have: no object that an administrator makes, and no engagement whose audience an administrator has not picked.
    #[arg(long)]
    strict: bool,
    /// Throw away what earlier commands left in it.
    #[arg(long)]
    fresh: bool,
    /// What its clock shows at first, such as 2026-01-31T09:00:00Z.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// Where Salesforce listens [default: 4801, or a free port when that is taken].
    #[arg(long, value_name = "PORT")]
    salesforce_port: Option<u16>,
    /// Where Pendo listens [default: 4802].
    #[arg(long, value_name = "PORT")]
    pendo_port: Option<u16>,
    /// Where Gainsight CS listens [default: 4803].
    #[arg(long, value_name = "PORT")]
    gainsight_port: Option<u16>,
    /// Where Gainsight PX listens [default: 4804].
    #[arg(long, value_name = "PORT")]
    px_port: Option<u16>,
    /// Where mail is taken by SMTP [default: 4805].
    #[arg(long, value_name = "PORT")]
    mail_port: Option<u16>,
    /// Where mail is read over HTTP [default: 4806].
    #[arg(long, value_name = "PORT")]
    inbox_port: Option<u16>,
}

/// Runs the emulators until SIGINT or SIGTERM.
pub(crate) fn sandbox(args: &Sandbox, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    host::runtime()?.block_on(async {
        let own = start(args, &workspace).await?;
        let mut signals = Signals::listen();
        ready(&own.credentials(), cx);
        signals.asked_to_stop().await;
        own.stop(GUESTS).await;
        Ok(Exit::Done)
    })
}

async fn start(args: &Sandbox, workspace: &Workspace) -> Result<shared::Own, Failure> {
    let folder = workspace.sandbox_folder();
    if let Some(guest) = shared::join(&folder)? {
        let message = format!("the sandbox of this workspace is running already (process {})", guest.pid);
        return Err(Failure::new(Exit::Usage, "sandbox_running", message).hint("every command here uses it; stop it to start it in another way"));
    }
    let asked = [args.salesforce_port, args.pendo_port, args.gainsight_port, args.px_port, args.mail_port, args.inbox_port];
    let mut ports: BTreeMap<String, u16> = BTreeMap::new();
    for ((system, usual), asked) in PORTS.into_iter().zip(asked) {
        ports.insert(system.to_owned(), asked.unwrap_or(usual));
    }
    let usual = |system: &str| PORTS.iter().zip(asked).any(|((name, _), asked)| *name == system && asked.is_none());
    loop {
        match shared::start(&folder, options(args, workspace, ports.clone())).await {
            Err(host::Error::Sandbox(sandbox::Error::Listen { system, .. })) if usual(system) && ports.contains_key(system) => {
                ports.remove(system);
            }
            started => return Ok(started?),
        }
    }
}

fn options(args: &Sandbox, workspace: &Workspace, ports: BTreeMap<String, u16>) -> Options {
    let defaults = workspace.sandbox_options();
    Options {
        accounts: args.accounts.or(defaults.accounts),
        people: args.people.or(defaults.people),
        seed: args.seed.or(defaults.seed),
        start: args.now,
        faults: args.faults.clone(),
        strict: args.strict || defaults.strict,
        fresh: args.fresh,
        ports,
        ..defaults
    }
}

fn ready(credentials: &Value, cx: &Context) {
    cx.out.json(credentials);
    cx.out.line(paint(BOLD, "The sandbox is ready."));
    let mut rows = Vec::new();
    for (system, values) in credentials.as_object().into_iter().flatten() {
        for (at, (key, value)) in values.as_object().into_iter().flatten().enumerate() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            rows.push(vec![plain(if at == 0 { system.as_str() } else { "" }), plain(key), plain(value)]);
        }
    }
    cx.out.line(table(&["system", "", ""], rows));
    cx.out.line(paint(DIM, "\nCommands of this workspace use it. Ctrl-C stops it; what they wrote stays for the next time."));
    cx.out.flush();
}
