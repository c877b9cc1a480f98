//! The dashboard: what is declared, what ran, and how journeys go, as one page without scripts; and what lies under `/api/` for programs.
//! It only looks. People of this machine see it; others with its key, and only where tabi.toml says so.

use axum::{
    http::StatusCode,
    response::{IntoResponse as _, Response},
};

use super::{
    board::{self, Row},
    call::{Call, plain, refused},
    desk::Desk,
    generations,
    page::{escaped, page, unknown},
};
use crate::{
    flow::{Error as Work, Group, Groups, journey::report},
    host::Loaded,
    model::{Record, Timestamp, Value},
    script::{Body, Declaration, Kind},
    store::{Error, Run, RunFilter},
};

/// What the key is a secret about.
pub(super) const SECRET: &str = "dashboard";
/// Runs that are shown.
const RUNS: u32 = 20;
/// Rejected rows of a run that are looked at.
const REJECTED: u32 = 2_000;

/// Headers of calls that somebody passes on.
const PASSED_ON: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/// Who may see the dashboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// `[server] dashboard`; by itself people of this machine.
    pub said: Option<bool>,
    /// The server is reached by another address than the one it listens at, so that calls from outside may look like calls from here.
    pub is_public: bool,
}

impl Access {
    fn lets_in(self, call: &Call, has_key: bool) -> bool {
        let here = is_here(call);
        match self.said {
            Some(false) => false,
            Some(true) => has_key || (here && !self.is_public),
            None => here && (has_key || !self.is_public),
        }
    }
}

/// Whether a browser of this machine asks, and asks for this machine: a page of another site whose name was made to lead here does not.
fn is_here(call: &Call) -> bool {
    let header = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
    let name = header("host").unwrap_or_default();
    let name = name.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit())).map_or(name, |(name, _)| name);
    let ours = matches!(name, "localhost" | "[::1]") || name.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    ours && call.peer.is_some_and(|peer| peer.is_loopback()) && PASSED_ON.iter().all(|name| header(name).is_none())
}

/// `GET /`, and what lies under `/api/`.
pub(super) fn look(desk: &Desk, call: &Call, segments: &[&str]) -> Result<Response, Error> {
    let key = call.asked("key");
    let has_key = key.as_ref().is_some_and(|key| desk.links.is_secret(SECRET, key));
    if !desk.access.lets_in(call, has_key) {
        let hint = "<p>`tabi hooks` prints the address of the dashboard with its key.</p>";
        let asks_for_key = is_here(call) && desk.access.said != Some(false);
        return Ok(if asks_for_key { page(StatusCode::FORBIDDEN, "The dashboard asks for its key", hint) } else { unknown() });
    }
    let loaded = desk.current.loaded();
    match (segments, loaded) {
        (["api", "generations"], _) => Ok(generations::all(desk, call)),
        (["api", "generation"], _) => Ok(generations::latest(desk)),
        ([""], None) => Ok(page(StatusCode::SERVICE_UNAVAILABLE, "The host is starting", "<p>Load this page again in a moment.</p>")),
        ([""], Some(loaded)) => {
            let suffix = key.filter(|_| has_key).map(|key| format!("?key={key}")).unwrap_or_default();
            Ok(whole(desk, &loaded, &suffix)?)
        }
        (["api", "journeys", name, "report"], Some(loaded)) => numbers(desk, &loaded, name),
        _ => Ok(plain(StatusCode::NOT_FOUND, "there is no such thing here\n")),
    }
}

/// The report of `tabi journey report NAME --json`.
fn numbers(desk: &Desk, loaded: &Loaded, name: &str) -> Result<Response, Error> {
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    let found = loaded.declarations().iter().find(|declaration| declaration.name == name && declaration.kind() == Kind::Journey);
    let Some(declaration) = found else {
        let message = format!("no journey is declared by the name `{name}`");
        return Ok(refused(StatusCode::NOT_FOUND, "unknown_name", &message));
    };
    Ok(axum::Json(told(desk, declaration)?.unwrap_or_default()).into_response())
}

fn told(desk: &Desk, declaration: &Declaration) -> Result<Option<Record>, Error> {
    let Body::Journey(journey) = &declaration.body else { return Ok(None) };
    match report(&desk.store, declaration, journey) {
        Ok(report) => Ok(Some(report)),
        Err(Work::Store(error)) => Err(error),
        Err(other) => Ok(Some([("error".into(), Value::text(other.fault().message))].into_iter().collect())),
    }
}

fn whole(desk: &Desk, loaded: &Loaded, suffix: &str) -> Result<Response, Error> {
    let time = |at: Timestamp| at.to_zoned(desk.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
    let runs = desk.store.runs(&RunFilter { limit: RUNS, ..RunFilter::default() })?;
    let mut body = format!("<p class=\"dim\">{}, {}</p>\n", escaped(&desk.title), escaped(&time((desk.now)())));
    let broken: Vec<Row> = loaded
        .generation
        .diagnostics()
        .iter()
        .filter(|finding| finding.is_error())
        .map(|finding| vec![finding.code.to_owned(), format!("{}:{}", finding.file, finding.line), finding.message.clone()])
        .collect();
    if !broken.is_empty() {
        body.push_str(&board::section("Errors", &board::table(&["code", "where", "what"], &broken)));
    }
    let mut journeys = String::new();
    for declaration in loaded.declarations() {
        if let Some(report) = told(desk, declaration)? {
            journeys.push_str(&board::journey(&declaration.name, &report, suffix));
        }
    }
    if !journeys.is_empty() {
        body.push_str(&board::section("Journeys", &journeys));
    }
    let (mut rows, mut last_runs): (Vec<Row>, Vec<Run>) = Default::default();
    for declaration in loaded.declarations() {
        let last = desk.store.runs(&RunFilter { name: Some(&declaration.name), limit: 1, ..RunFilter::default() })?.pop();
        let schedule = match (&declaration.schedule, declaration.after.as_slice()) {
            (Some(schedule), _) => schedule.to_string(),
            (None, []) => "by hand".to_owned(),
            (None, after) => format!("after {}", after.join(", ")),
        };
        let told = last.as_ref().map_or_else(|| "never".to_owned(), |run| format!("{}, {}", run.status.word(), time(run.started)));
        let place = format!("{}:{}", declaration.place.file, declaration.place.line);
        rows.push(vec![declaration.name.clone(), declaration.kind().word().to_owned(), schedule, told, place]);
        last_runs.extend(last);
    }
    body.push_str(&board::section("Declarations", &board::table(&["name", "kind", "runs", "last run", "where"], &rows)));
    let rows: Vec<Row> = runs
        .iter()
        .map(|run| {
            let numbers = [run.read, run.written, run.rejected].map(|n| n.to_string());
            [time(run.started), run.name.clone(), run.status.word().to_owned()].into_iter().chain(numbers).collect()
        })
        .collect();
    body.push_str(&board::section("Last runs", &board::table(&["began", "name", "status", "read", "written", "rejected"], &rows)));
    let rejected = rejected(desk, &last_runs)?;
    if !rejected.is_empty() {
        body.push_str(&board::section(
            "Rejected rows",
            &board::table(&["declaration", "rows", "field", "reason", "such as (key = value)", "where"], &rejected),
        ));
    }
    Ok(board::page(&body))
}

/// Why rows were rejected in the last run of each declaration: equal reasons once.
fn rejected(desk: &Desk, runs: &[Run]) -> Result<Vec<Row>, Error> {
    let mut rows = Vec::new();
    for run in runs.iter().filter(|run| run.row_errors > 0) {
        let mut groups = Groups::default();
        desk.store.row_errors(&run.id, 0, REJECTED)?.iter().for_each(|row| groups.add(row));
        let (groups, others) = groups.told();
        rows.extend(groups.iter().map(|group| reason(&run.name, group)));
        let rest = others + run.row_errors.saturating_sub(REJECTED.into());
        if rest > 0 {
            let cells = [run.name.as_str(), &rest.to_string(), "", &format!("others: tabi show {}", run.id), "", ""];
            rows.push(cells.map(str::to_owned).to_vec());
        }
    }
    Ok(rows)
}

fn reason(name: &str, group: &Group) -> Row {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let more = if group.more() > 0 { format!(" and {} more", group.more()) } else { String::new() };
    vec![name.to_owned(), group.count.to_string(), text(&group.field), group.reason.clone(), group.rows() + more.as_str(), text(&group.place)]
}
