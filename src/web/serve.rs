//! Listening, and ending.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{Method, StatusCode},
    response::Response,
};
use jiff::tz::TimeZone;
use tokio::{net::TcpListener, runtime::Handle, sync::oneshot, task::JoinHandle};

use super::{
    call::{Call, guarded, plain},
    dashboard::{self, Access, SECRET},
    desk::{Desk, Now},
    hooks, mails,
    page::unknown,
    survey,
};
use crate::{
    flow::journey::Links,
    host::{Receipts, attach::Current},
    store::Store,
};

/// What a server is made with.
pub struct Options {
    pub store: Arc<Store>,
    pub now: Arc<dyn Fn() -> crate::model::Timestamp + Send + Sync>,
    pub links: Links,
    /// Rung when something came in.
    pub stirred: Arc<tokio::sync::Notify>,
    /// What Pendo signs its web hooks with; none: their path is all that lets them in.
    pub pendo_secret: Option<String>,
    /// What the host runs.
    pub current: Current,
    /// What it loaded lately.
    pub receipts: Receipts,
    /// The zone of times on the dashboard.
    pub zone: TimeZone,
    /// What the dashboard says of the workspace.
    pub title: String,
    pub access: Access,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("nothing can listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
}

/// A running server.
pub struct Serving {
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
    hooks: Vec<(&'static str, String)>,
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Serving")
    }
}

impl Serving {
    /// The address of each system's web hooks, which is all that lets most of them in.
    pub fn hooks(&self) -> &[(&'static str, String)] {
        &self.hooks
    }

    /// Takes no more calls and waits for those it has.
    pub async fn end(mut self) {
        drop(self.stop.take());
        // A call that hangs is not waited for.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(2), &mut self.task).await;
        self.task.abort();
    }
}

/// Takes a port. An address is bound before the links are made, for they carry it.
///
/// # Errors
/// When nothing can listen there.
pub fn bind(runtime: &Handle, address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let broken = |source| Error::Listen { address, source };
    let listener = runtime.block_on(TcpListener::bind(address)).map_err(broken)?;
    let bound = listener.local_addr().map_err(broken)?;
    Ok((listener, bound))
}

/// The address of each system's web hooks.
pub fn hook_addresses(links: &Links) -> Vec<(&'static str, String)> {
    hooks::SYSTEMS.map(|system| (system, format!("{}/hooks/{system}/{}", links.base(), links.secret(system)))).to_vec()
}

/// The address of the dashboard, with its key.
pub fn dashboard_address(links: &Links) -> String {
    format!("{}/?key={}", links.base(), links.secret(SECRET))
}

/// Answers from now on.
pub fn start(runtime: &Handle, listener: TcpListener, options: Options) -> Serving {
    let Options { store, now, links, stirred, pendo_secret, current, receipts, zone, title, access } = options;
    let now: Now = now;
    let hooks = hook_addresses(&links);
    let desk = Arc::new(Desk { store, now, links, stirred, pendo: pendo_secret, ignored: AtomicU64::new(0), current, receipts, zone, title, access });
    let (stop, stopped) = oneshot::channel::<()>();
    let router = Router::new().fallback(answer).with_state(desk).into_make_service_with_connect_info::<SocketAddr>();
    let task = runtime.spawn(async move {
        let ended = axum::serve(listener, router).with_graceful_shutdown(async move { drop(stopped.await) });
        if let Err(error) = ended.await {
            tracing::error!(%error, "the server ended");
        }
    });
    Serving { stop: Some(stop), task, hooks }
}

async fn answer(State(desk): State<Arc<Desk>>, request: Request) -> Response {
    let call = match Call::read(request).await {
        Ok(call) => call,
        Err(refused) => return guarded(refused),
    };
    // The state file may be waited for.
    let answered = tokio::task::spawn_blocking(move || route(&desk, &call)).await;
    guarded(match answered {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&error),
    })
}

fn failed(error: &dyn fmt::Display) -> Response {
    tracing::error!(%error, "a call could not be answered");
    plain(StatusCode::INTERNAL_SERVER_ERROR, "this did not work; try again later\n")
}

fn route(desk: &Desk, call: &Call) -> Result<Response, crate::store::Error> {
    let segments: Vec<&str> = call.path.trim_start_matches('/').split('/').collect();
    let reads = matches!(call.method, Method::GET | Method::HEAD);
    let posts = call.method == Method::POST;
    match segments.as_slice() {
        [""] | ["api", ..] if reads => dashboard::look(desk, call, &segments),
        ["o", token] if reads => mails::opened(desk, call, token),
        ["c", token] if reads => mails::clicked(desk, call, token),
        ["u", token] if reads || posts => mails::unsubscribed(desk, call, token),
        ["survey", token] if reads || posts => survey::survey(desk, call, token),
        ["hooks", system, secret] if posts => hooks::told(desk, call, system, secret),
        ["o" | "c" | "u" | "survey", _] | ["hooks", _, _] | [""] => Ok(plain(StatusCode::METHOD_NOT_ALLOWED, "not by this method\n")),
        _ => Ok(unknown()),
    }
}
