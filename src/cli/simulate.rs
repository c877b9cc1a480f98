//! `tabi simulate JOURNEY`: a quarter of a year of it in seconds, against a sandbox of its own.

use clap::Args;
use serde_json::{Value as Json, json};

use crate::{
    connectors::Stop,
    flow::{self, journey::Simulated},
    host::{self, Signals, clock::stopwatch, simulate::Unfit},
    model::{Date, Fault, FaultKind},
};

use super::{Context, Exit, Failure, journey, render};

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The journey's name.
    #[arg(add = journey::names())]
    journey: String,
    /// Virtual days.
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    /// How many people come in; the company grows until its people are enough [default: all whom the source gives].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=5_000_000))]
    participants: Option<u64>,
    /// How many of them come in on one day [default: all at the start].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    arrive: Option<u64>,
    /// Another seed is another company, whose people do something else.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// How people respond, such as `open_rate=0.4`; may come several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// The first day [default: 2026-01-05, a Monday].
    #[arg(long, value_name = "DATE")]
    start: Option<Date>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, such as open_rate=0.4")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Simulates a journey and shows what came of it.
pub(crate) fn simulate(args: &Simulate, cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let declaration = journey::named(&workspace, &args.journey, cx)?;
    let wanted = host::simulate::Wanted {
        days: args.days,
        participants: args.participants,
        arrive: args.arrive,
        seed: args.seed,
        start: args.start,
        set: args.set.clone(),
    };
    let (began, stop) = (stopwatch(), Stop::new());
    let listening = listen(&stop)?;
    let progress = render::VirtualTime::new(&cx.out, &args.journey, args.days);
    let simulated = host::simulate::simulate(&workspace, &workspace.load(), &declaration, &wanted, &stop, &|share| progress.tell(share));
    progress.end();
    listening.shutdown_background();
    let simulated = simulated.map_err(refused)?;
    let seconds = began.elapsed().as_secs_f64();
    if cx.out.is_json() {
        cx.out.json(&document(&simulated, args, seconds));
    } else {
        render::simulated(&cx.out, &args.journey, &simulated, args.days, seconds);
    }
    Ok(Exit::Done)
}

/// Ends the simulation at SIGINT and SIGTERM.
fn listen(stop: &Stop) -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = host::runtime()?;
    let entered = runtime.enter();
    let (mut signals, stop) = (Signals::listen(), stop.clone());
    drop(entered);
    runtime.spawn(async move {
        signals.asked_to_stop().await;
        stop.request();
        signals.asked_to_stop().await;
        std::process::exit(Exit::Interrupted as i32);
    });
    Ok(runtime)
}

fn refused(why: Unfit) -> Failure {
    match why {
        Unfit::Set(_) => Failure::usage(why.to_string()),
        Unfit::Host(host::Error::Flow(flow::Error::Fault(Fault { kind: FaultKind::Invalid, message, .. }))) => {
            Failure::new(Exit::Failed, "not_published", message).hint("`tabi journey publish` would say the same")
        }
        Unfit::Host(error) => error.into(),
    }
}

/// The report's keys, and what only a simulation has. Two simulations of one seed differ in `wall_seconds` alone.
fn document(simulated: &Simulated, args: &Simulate, seconds: f64) -> Json {
    let mut document = json!(simulated.report);
    let written: Vec<Json> = simulated
        .written
        .iter()
        .map(|((system, object, operation), rows)| json!({"system": system, "object": object, "operation": operation, "rows": rows}))
        .collect();
    let more = json!({
        "virtual_days": args.days,
        "seed": args.seed,
        "events": simulated.events,
        "calendar": simulated.calendar,
        "written": written,
        "warnings": simulated.warnings,
        "wall_seconds": (seconds * 1_000.0).round() / 1_000.0,
    });
    if let (Json::Object(document), Json::Object(more)) = (&mut document, more) {
        document.extend(more);
    }
    document
}
