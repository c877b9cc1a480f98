//! What an emulated system is made of, and serving it: the request log, faults, and the paths under `/_sandbox/`.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::{Map, Value};

use super::{
    clock::Clock,
    company::Company,
    connection::Scissors,
    documents::Documents,
    faults::{Faults, Kind},
};

/// `GET documents`, `POST reset` and the like.
mod admin;

/// What all systems share: one company, one clock, one list of faults.
#[derive(Debug)]
pub struct World {
    pub company: Company,
    pub clock: Clock,
    pub faults: Faults,
    pub turns: Turns,
    /// Only what a new tenant has; what an administrator has to do, somebody does under `/_sandbox/`.
    pub strict: bool,
}

/// Something to do after the clock was turned.
type Turned = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What is done whenever the clock was turned through `/_sandbox/clock`, before that is answered.
#[derive(Default)]
pub struct Turns(Mutex<Vec<Turned>>);

impl Turns {
    pub(super) fn follow(&self, turned: Turned) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(turned);
    }

    async fn done(&self) {
        let all: Vec<_> = self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|turned| turned()).collect();
        for one in all {
            one.await;
        }
    }
}

impl std::fmt::Debug for Turns {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Turns")
    }
}

/// One system, ready to be served.
pub struct Emulator {
    /// As in credentials and fault lists.
    pub name: &'static str,
    pub router: Router,
    /// The vendor's own answer for a refusal; none when it does not concern the path (a login cannot be expired).
    pub refuse: fn(Refusal, &Uri) -> Option<Response>,
    /// What a client needs besides `base_url`.
    pub credentials: Map<String, Value>,
    /// A stored row of an object as the vendor shows it.
    pub shown: Shown,
}

/// From an object's name and a stored row to what the vendor shows of it.
pub type Shown = Arc<dyn Fn(&str, Map<String, Value>) -> Map<String, Value> + Send + Sync>;

/// A row is shown as it is stored.
pub fn as_stored() -> Shown {
    Arc::new(|_, row| row)
}

/// What a fault makes a system say in its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    TooManyRequests,
    ServerError,
    Unavailable,
    /// The session or key is refused.
    Expired,
    /// The daily limit is used up.
    Limit,
    /// The place where the next page begins is forgotten.
    StalePage,
}

/// How many requests the log keeps; the oldest go first.
const LOGGED: usize = 200_000;

/// How much of a body is held back to be cut in half.
const CUT_WITHIN: usize = 1 << 20;

/// A request as the log tells it.
#[derive(Debug, Clone, serde::Serialize)]
pub(super) struct Logged {
    pub(super) method: String,
    pub(super) path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) query: Option<String>,
    /// 0 when no answer was given.
    pub(super) status: u16,
    pub(super) time: jiff::Timestamp,
    pub(super) fault: Option<String>,
}

/// The requests of one system since the last reset, in the order they came.
#[derive(Debug, Default)]
struct Log {
    first: u64,
    requests: VecDeque<Logged>,
}

impl Log {
    fn push(&mut self, request: Logged) -> u64 {
        if self.requests.len() == LOGGED {
            self.requests.pop_front();
            self.first += 1;
        }
        self.requests.push_back(request);
        self.first + self.requests.len() as u64 - 1
    }

    fn answered(&mut self, number: u64, status: u16) {
        let position = number.checked_sub(self.first).and_then(|position| usize::try_from(position).ok());
        if let Some(request) = position.and_then(|position| self.requests.get_mut(position)) {
            request.status = status;
        }
    }

    fn clear(&mut self) {
        self.first += self.requests.len() as u64;
        self.requests.clear();
    }
}

/// The log of one system, for whoever adds to it besides the HTTP layer.
#[derive(Debug, Clone, Default)]
pub(super) struct Requests(Arc<Mutex<Log>>);

impl Requests {
    pub(super) fn push(&self, request: Logged) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }
}

/// What the layers around one system know.
#[derive(Clone)]
struct Served {
    name: &'static str,
    world: Arc<World>,
    documents: Arc<Documents>,
    refuse: fn(Refusal, &Uri) -> Option<Response>,
    shown: Shown,
    log: Requests,
    /// Called after the clock was turned.
    turned: Arc<dyn Fn() + Send + Sync>,
}

impl Served {
    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The system with its log, its faults and `/_sandbox/` around it; `turned` is called after its clock was turned.
pub(super) fn served(emulator: Emulator, world: Arc<World>, documents: Arc<Documents>, log: Requests, turned: Arc<dyn Fn() + Send + Sync>) -> Router {
    let served = Served { name: emulator.name, world, documents, refuse: emulator.refuse, shown: emulator.shown, log, turned };
    let vendor = emulator.router.layer(DefaultBodyLimit::disable()).layer(middleware::from_fn_with_state(served.clone(), observe));
    vendor.merge(Router::new().nest("/_sandbox", admin::router(served)))
}

/// Logs the request and lets a fault strike.
async fn observe(State(served): State<Served>, ConnectInfo(scissors): ConnectInfo<Scissors>, request: Request, next: Next) -> Response {
    let fault = served.world.faults.request(served.name);
    let uri = request.uri().clone();
    let number = served.log().push(Logged {
        method: request.method().to_string(),
        path: uri.path().to_owned(),
        query: uri.query().map(str::to_owned),
        status: 0,
        time: served.world.clock.now(),
        fault: fault.map(|kind| kind.to_string()),
    });
    let (answer, cut) = answer(&served, fault, &uri, request, next).await;
    if cut {
        scissors.cut();
    } else {
        served.log().answered(number, answer.status().as_u16());
    }
    answer
}

/// The answer, and whether the connection is cut instead of giving it.
async fn answer(served: &Served, fault: Option<Kind>, uri: &Uri, request: Request, next: Next) -> (Response, bool) {
    let refusal = match fault {
        Some(Kind::TooManyRequests) => Some(Refusal::TooManyRequests),
        Some(Kind::ServerError) => Some(Refusal::ServerError),
        Some(Kind::Unavailable) => Some(Refusal::Unavailable),
        Some(Kind::Expired) => Some(Refusal::Expired),
        Some(Kind::Limit) => Some(Refusal::Limit),
        Some(Kind::StalePage) => Some(Refusal::StalePage),
        _ => None,
    };
    if let Some(answer) = refusal.and_then(|refusal| (served.refuse)(refusal, uri)) {
        return (answer, false);
    }
    match fault {
        Some(Kind::Html) => (html(), false),
        Some(Kind::Timeout) => {
            tokio::time::sleep(Duration::from_mins(1)).await;
            (StatusCode::GATEWAY_TIMEOUT.into_response(), true)
        }
        Some(Kind::Slow(ms)) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            (next.run(request).await, false)
        }
        Some(Kind::Reset) => (StatusCode::OK.into_response(), true),
        Some(Kind::ResetAfter) => (next.run(request).await, true),
        Some(Kind::Truncate) => (truncated(next.run(request).await).await, false),
        _ => (next.run(request).await, false),
    }
}

fn html() -> Response {
    let page = "<!DOCTYPE html>\n<html><head><title>503 Service Temporarily Unavailable</title></head>\n\
                <body><center><h1>503 Service Temporarily Unavailable</h1></center></body></html>\n";
    (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}

/// The same answer with its full length promised and half of it sent; of a long one, the beginning.
async fn truncated(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let mut held = Vec::new();
    let mut whole = true;
    let mut chunks = body.into_data_stream();
    while let Some(Ok(chunk)) = chunks.next().await {
        held.extend_from_slice(&chunk);
        if held.len() > CUT_WITHIN {
            whole = false;
            break;
        }
    }
    if whole {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(held.len().max(1)));
    }
    held.truncate(held.len() / 2);
    let broken = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let half = futures_util::stream::iter([Ok(Bytes::from(held))]).chain(futures_util::stream::once(async {
        // Once pending, what came before is on its way to the peer.
        tokio::task::yield_now().await;
        Err(broken)
    }));
    Response::from_parts(parts, Body::from_stream(half))
}
