//! Asking a system: one try, judged; and again, with growing pauses, where that may help.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::{Bytes, BytesMut};
use reqwest::{StatusCode, header::HeaderMap};
use serde::de::DeserializeOwned;
use tracing::Instrument;

use crate::model::{Fault, FaultKind, System, TimeZone, Timestamp};

use super::certificate::distrusted;
use super::refusal::{UNKNOWN_OUTCOME, empty, looks_like_html, retry_after, unknown_outcome};
use super::{Call, Pace, Refusal, Repeat, garbled};
use crate::connectors::{HttpOptions, Stop, calls::Counters};

/// What every system's client shares.
#[derive(Debug, Clone)]
pub(in crate::connectors) struct Scene {
    pub options: HttpOptions,
    pub stop: Stop,
    pub calls: Arc<Counters>,
    pub clock: fn() -> Timestamp,
    pub zone: TimeZone,
}

/// Asks one system.
#[derive(Debug)]
pub(in crate::connectors) struct Http {
    client: reqwest::Client,
    system: System,
    /// The key of `tabi.toml` that holds the address, for messages.
    address_key: &'static str,
    scene: Scene,
    pace: Pace,
    /// The system's table of errors.
    judge: fn(&Refusal) -> Fault,
    /// How often a refused key is shown again: keys do not end like sessions do, but gateways have weak moments.
    again_when_denied: usize,
    /// Something was answered at that address before, so silence is an outage and not a wrong address.
    reached: AtomicBool,
}

/// Tries at an address that never answered: nobody wants to wait long to hear of a typing error.
pub(in crate::connectors) const KNOCKS: usize = 4;

/// A whole answer.
#[derive(Debug)]
pub(in crate::connectors) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// Decodes the body. What is wrong with it is told by place, never by content.
    pub(in crate::connectors) fn json<T: DeserializeOwned>(&self, system: System) -> Result<T, Fault> {
        serde_json::from_slice(&self.body).map_err(|error| broken_json(system, &error))
    }
}

pub(in crate::connectors) fn broken_json(system: System, error: &serde_json::Error) -> Fault {
    let what = match error.classify() {
        serde_json::error::Category::Eof => "breaks off",
        serde_json::error::Category::Data => "is not what was expected",
        _ => "is not JSON",
    };
    garbled(system, format!("the answer {what} at line {} column {}", error.line(), error.column()))
}

/// An answer whose body is still coming.
#[derive(Debug)]
pub(in crate::connectors) struct Streamed {
    system: System,
    response: reqwest::Response,
    stop: Stop,
    /// Something came.
    begun: bool,
}

impl Streamed {
    /// The next piece of the body; none at its end.
    pub(in crate::connectors) async fn chunk(&mut self) -> Result<Option<Bytes>, Fault> {
        let piece = self.stop.race(self.response.chunk()).await?.map_err(|_| broke_off(self.system))?;
        self.begun |= piece.as_ref().is_some_and(|piece| !piece.is_empty());
        Ok(piece)
    }

    /// The fault of an answer that ended before anything came.
    pub(in crate::connectors) fn emptiness(&self) -> Option<Fault> {
        (!self.begun).then(|| empty(self.system, self.response.status()))
    }
}

fn broke_off(system: System) -> Fault {
    Fault::from_system(system, FaultKind::Unavailable, "the answer broke off: the connection was cut or fell silent")
}

/// One failed try.
struct Failure {
    fault: Fault,
    /// Another try may help.
    again: bool,
    /// The system surely did nothing.
    undone: bool,
}

impl Failure {
    const fn last(fault: Fault) -> Self {
        Self { fault, again: false, undone: true }
    }

    /// A fault met after the answer began: nothing is known about what was done.
    fn after_sending(fault: Fault) -> Failure {
        let again = matches!(fault.kind, FaultKind::RateLimited | FaultKind::Unavailable | FaultKind::Garbled);
        let undone = !matches!(fault.kind, FaultKind::Garbled | FaultKind::Unavailable | FaultKind::Interrupted);
        Failure { fault, again, undone }
    }
}

impl Http {
    pub(in crate::connectors) fn new(
        system: System,
        (address_key, base): (&'static str, &str),
        scene: &Scene,
        pace: Pace,
        judge: fn(&Refusal) -> Fault,
    ) -> Result<Self, reqwest::Error> {
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("tabi/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(scene.options.connect_timeout)
            .read_timeout(scene.options.read_timeout)
            .redirect(reqwest::redirect::Policy::none());
        if super::is_loopback(base) {
            builder = builder.no_proxy();
        }
        Ok(Self {
            client: builder.build()?,
            system,
            address_key,
            scene: scene.clone(),
            pace,
            judge,
            again_when_denied: 0,
            reached: AtomicBool::new(false),
        })
    }

    /// For systems let in by a key that does not end.
    pub(in crate::connectors) fn keyed(self) -> Self {
        Self { again_when_denied: 3, ..self }
    }

    pub(in crate::connectors) const fn stop(&self) -> &Stop {
        &self.scene.stop
    }

    pub(in crate::connectors) fn clock(&self) -> Timestamp {
        (self.scene.clock)()
    }

    /// Asks for a JSON answer.
    pub(in crate::connectors) async fn json<T: DeserializeOwned>(&self, call: &Call) -> Result<T, Fault> {
        self.read(call, |answer| answer.json(self.system)).await
    }

    /// Asks, and takes the answer apart; what cannot be taken apart is asked again where that is harmless.
    pub(in crate::connectors) async fn read<T>(&self, call: &Call, parse: impl Fn(&Answer) -> Result<T, Fault>) -> Result<T, Fault> {
        self.persist(call, async || {
            let response = self.attempt(call).await?;
            let answer = self.scene.stop.race_with_grace(grace(call), self.whole(response)).await.flatten().map_err(Failure::after_sending)?;
            parse(&answer).map_err(|fault| self.not_as_expected(fault, &answer, call))
        })
        .await
    }

    /// What came could not be taken apart. Nothing at all will come another time too, and may mean that the work was done.
    fn not_as_expected(&self, fault: Fault, answer: &Answer, call: &Call) -> Failure {
        if fault.kind != FaultKind::Garbled || !answer.body.trim_ascii().is_empty() {
            return Failure::after_sending(fault);
        }
        let fault = empty(self.system, answer.status);
        let fault = if call.writes() { unknown_outcome(&fault) } else { fault };
        Failure { fault, again: false, undone: false }
    }

    /// Asks for an answer that is read piece by piece.
    pub(in crate::connectors) async fn stream(&self, call: &Call) -> Result<Streamed, Fault> {
        let response = self.persist(call, async || self.attempt(call).await).await?;
        Ok(Streamed { system: self.system, response, stop: self.scene.stop.clone(), begun: false })
    }

    async fn persist<T>(&self, call: &Call, mut attempt: impl AsyncFnMut() -> Result<T, Failure>) -> Result<T, Fault> {
        let mut waits = self.waits();
        let mut waited = Duration::ZERO;
        let (mut denied, mut tries) = (0, 0);
        loop {
            tries += 1;
            let failure = match attempt().await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            let Failure { fault, again, undone } = failure;
            if fault.code.as_deref() == Some(UNKNOWN_OUTCOME) {
                return Err(fault);
            }
            // Nobody waits any longer for what was sent, so nobody knows what becomes of it.
            let cut_off = fault.kind == FaultKind::Interrupted && call.writes();
            if (call.repeat == Repeat::UnlessSent || cut_off) && !undone {
                return Err(unknown_outcome(&fault));
            }
            denied += usize::from(fault.kind == FaultKind::Denied);
            let hopeful = fault.kind == FaultKind::Denied && denied <= self.again_when_denied;
            let again = again || hopeful || (call.patient && fault.kind == FaultKind::Conflict);
            let again = again && (tries < KNOCKS || self.reached.load(Ordering::Relaxed));
            let Some(wait) = waits.next().filter(|_| again) else { return Err(fault) };
            let wait = fault.retry_after.map_or(wait, |asked| asked.max(wait));
            waited += wait;
            if waited > self.scene.options.patience {
                return Err(fault);
            }
            tracing::debug!(system = %self.system, kind = fault.kind.word(), wait_ms = wait.as_millis(), "will ask again");
            self.scene.stop.sleep(wait).await?;
        }
    }

    /// Pauses between tries, as `waits` below.
    pub(in crate::connectors) fn waits(&self) -> impl Iterator<Item = Duration> + use<> {
        waits(&self.scene.options)
    }

    /// One try: an answer with a 2xx status and its body still to come, or why not.
    async fn attempt(&self, call: &Call) -> Result<reqwest::Response, Failure> {
        self.scene.stop.check().map_err(Failure::last)?;
        self.pace.wait(self.system, &self.scene.stop).await.map_err(Failure::last)?;
        let request = self.request(call).map_err(Failure::last)?;
        let path = request.url().path().to_owned();
        let span = tracing::debug_span!("call", system = %self.system, method = %call.method, path, status = tracing::field::Empty);
        async {
            self.scene.calls.count(self.system);
            let begin = self.clock();
            let options = &self.scene.options;
            let longest = if call.slow { options.read_timeout } else { options.answer_timeout };
            let answered = tokio::time::timeout(longest, self.client.execute(request));
            let answered = self.scene.stop.race_with_grace(grace(call), answered).await.map_err(Failure::after_sending)?;
            let result = answered.map_err(|_| self.silent(call))?;
            let ms = self.clock().as_millisecond() - begin.as_millisecond();
            let response = result.map_err(|error| self.unreached(&error, call))?;
            self.reached.store(true, Ordering::Relaxed);
            tracing::Span::current().record("status", response.status().as_u16());
            tracing::debug!(ms, "answered");
            if response.status().is_success() { Ok(response) } else { Err(self.refused(response, call).await) }
        }
        .instrument(span)
        .await
    }

    fn request(&self, call: &Call) -> Result<reqwest::Request, Fault> {
        let bad = |_| super::invalid(self.system, format!("`{}` is not an address that can be called", call.url));
        let mut url = reqwest::Url::parse(&call.url).map_err(bad)?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = reqwest::Request::new(call.method.clone(), url);
        *request.headers_mut() = call.headers.clone();
        *request.body_mut() = call.body.clone().map(reqwest::Body::from);
        Ok(request)
    }

    /// An answer that does not begin.
    fn silent(&self, call: &Call) -> Failure {
        self.reached.store(true, Ordering::Relaxed);
        let message = format!("{} did not answer in time", base_of(&call.url));
        Failure { fault: Fault::from_system(self.system, FaultKind::Unavailable, message), again: true, undone: false }
    }

    /// No answer at all.
    fn unreached(&self, error: &reqwest::Error, call: &Call) -> Failure {
        if !error.is_connect() {
            self.reached.store(true, Ordering::Relaxed);
        }
        let base = base_of(&call.url);
        let (system, key) = (self.system, self.address_key);
        if let Some(why) = distrusted(&root_cause(error), &base, key) {
            return Failure::last(Fault::from_system(system, FaultKind::Unavailable, why));
        }
        let message = if error.is_connect() {
            format!("cannot reach {base} ({}); is it running, and is {key} right?", root_cause(error))
        } else if error.is_timeout() {
            format!("{base} did not answer in time")
        } else {
            format!("the connection to {base} was cut before the answer came")
        };
        Failure { fault: Fault::from_system(system, FaultKind::Unavailable, message), again: true, undone: error.is_connect() }
    }

    /// An answer that is not a success, named by the system's table.
    async fn refused(&self, response: reqwest::Response, call: &Call) -> Failure {
        let status = response.status();
        let headers = response.headers().clone();
        let retry_after = retry_after(&headers, self.scene.clock);
        let body = self.scene.stop.race_with_grace(grace(call), self.collect(response, 64 * 1024)).await.flatten().unwrap_or_default();
        let html = looks_like_html(&headers, &body);
        let refusal = Refusal { status, body };
        let mut fault = if html { self.html(status) } else { (self.judge)(&refusal) };
        fault.retry_after = fault.retry_after.or(retry_after);
        let again = matches!(fault.kind, FaultKind::RateLimited | FaultKind::Unavailable);
        // A gateway's page, a crash or a timeout may come after the work was done; the system's own refusals do not.
        let undone = status.is_client_error() || (status == StatusCode::SERVICE_UNAVAILABLE && !html);
        Failure { fault, again, undone }
    }

    fn html(&self, status: StatusCode) -> Fault {
        let what = "answered with an HTML page instead of data: maintenance, a proxy, or a wrong address";
        let kind = if status.is_server_error() || status.is_success() { FaultKind::Unavailable } else { FaultKind::Garbled };
        Fault::from_system(self.system, kind, format!("{what} (status {}, {})", status.as_u16(), self.address_key))
    }

    async fn whole(&self, response: reqwest::Response) -> Result<Answer, Fault> {
        let (status, headers) = (response.status(), response.headers().clone());
        let body = self.collect(response, self.scene.options.answer_limit).await?;
        if looks_like_html(&headers, &body) {
            return Err(self.html(status));
        }
        Ok(Answer { status, headers, body })
    }

    async fn collect(&self, mut response: reqwest::Response, limit: usize) -> Result<Bytes, Fault> {
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| broke_off(self.system))? {
            if body.len() + chunk.len() > limit {
                let message = format!("the answer is larger than {} MB; ask for fewer records or fields at once", limit / 1_048_576);
                return Err(Fault::from_system(self.system, FaultKind::Invalid, message));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

/// How much longer a write is waited for once the work is to end: what became of it is worth a moment.
pub(in crate::connectors) const GRACE: Duration = Duration::from_secs(2);

fn grace(call: &Call) -> Duration {
    if call.writes() { GRACE } else { Duration::ZERO }
}

/// Pauses between tries: exponential with full jitter, a random part of each.
pub(in crate::connectors) fn waits(options: &HttpOptions) -> impl Iterator<Item = Duration> + use<> {
    let plain = ExponentialBuilder::new()
        .with_min_delay(options.first_wait)
        .with_max_delay(options.longest_wait)
        .with_max_times(options.attempts.saturating_sub(1));
    // What `backon` adds to the plain pause is uniform between nothing and the pause: just that is waited.
    plain.with_jitter().build().zip(plain.build()).map(|(jittered, plain)| jittered.saturating_sub(plain))
}

/// Scheme, host and port.
fn base_of(url: &str) -> String {
    reqwest::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

/// The innermost reason, such as `Connection refused (os error 111)`.
pub(in crate::connectors) fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
