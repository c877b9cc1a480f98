//! Sending: the connection, the pace, and again where that may help.
//!
//! A message with a key may be sent again after its answer was lost: both copies carry one `Message-ID`, by which mailboxes drop the
//! second. Without a key it is left to whoever asked, who is told that it may have been sent.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor, transport::smtp::PoolConfig};
use tokio::runtime::Handle;

use super::{
    errors::{Failure, failure, silence},
    message::{Sealed, Sender, named, seal},
    server::server,
};
use crate::connectors::{
    EmailOptions, Error,
    http::{GRACE, KNOCKS, Pace, Scene, waits},
};
use crate::model::{Email, Fault, FaultKind, System, Value};

/// Connections that are kept at most, and how long without use: servers end idle ones after five minutes (RFC 5321, 4.5.3.2.7).
const CONNECTIONS: u32 = 4;
const IDLE: Duration = Duration::from_mins(1);

/// The way to one mail server.
#[derive(Debug)]
pub(in crate::connectors) struct Mail {
    /// There until this is dropped.
    transport: Option<AsyncSmtpTransport<Tokio1Executor>>,
    /// The connections are closed by a task of their own, whichever thread drops this.
    threads: Option<Handle>,
    host: String,
    sender: Sender,
    pace: Pace,
    scene: Scene,
    /// Messages sealed so far.
    number: AtomicU64,
    /// The server answered once.
    reached: AtomicBool,
}

impl Mail {
    /// Nothing is connected yet.
    pub(in crate::connectors) fn new(options: &EmailOptions, scene: &Scene) -> Result<Self, Error> {
        let address = |text: &str, reason: &'static str| named("from", text).map_err(|_| Error::Smtp { reason });
        let sender = Sender {
            from: address(&options.from, "goes with a `from` that is no e-mail address")?,
            reply_to: options.reply_to.as_deref().map(|to| address(to, "goes with a `reply_to` that is no e-mail address")).transpose()?,
        };
        let server = server(options)?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .tls(server.tls)
            .timeout(Some(scene.options.connect_timeout))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS).idle_timeout(IDLE));
        if let Some(credentials) = server.credentials {
            builder = builder.credentials(credentials);
        }
        Ok(Self {
            transport: Some(builder.build()),
            threads: Handle::try_current().ok(),
            host: format!("{}:{}", server.host, server.port),
            sender,
            pace: Pace::new(options.mails_per_minute, None),
            scene: scene.clone(),
            number: AtomicU64::new(0),
            reached: AtomicBool::new(false),
        })
    }

    /// Sends one message: `message_id` and `accepted`, the server's word for having taken it.
    pub(in crate::connectors) async fn send(&self, email: &Email) -> Result<Value, Fault> {
        let sealed = seal(email, &self.sender, (self.scene.clock)(), self.number.fetch_add(1, Ordering::Relaxed))?;
        let said = self.persist(email, &sealed).await?;
        let fields = [("message_id".into(), Value::text(&sealed.message_id)), ("accepted".into(), Value::text(said))];
        Ok(Value::Map(fields.into_iter().collect()))
    }

    async fn persist(&self, email: &Email, sealed: &Sealed) -> Result<String, Fault> {
        let mut waits = waits(&self.scene.options);
        let (mut waited, mut tries) = (Duration::ZERO, 0);
        loop {
            tries += 1;
            let failure = match self.attempt(email, sealed).await? {
                Ok(said) => return Ok(said),
                Err(failure) => failure,
            };
            let twice = failure.undone || email.key.is_some();
            let again = failure.again && twice && (tries < KNOCKS || self.reached.load(Ordering::Relaxed));
            let Some(wait) = waits.next().filter(|_| again) else { return Err(failure.into_fault()) };
            waited += wait;
            if waited > self.scene.options.patience {
                return Err(failure.into_fault());
            }
            tracing::debug!(kind = failure.fault.kind.word(), wait_ms = wait.as_millis(), "will send again");
            self.scene.stop.sleep(wait).await?;
        }
    }

    /// One try; the outer error is one that no further try could meet in another way.
    async fn attempt(&self, email: &Email, sealed: &Sealed) -> Result<Result<String, Failure>, Fault> {
        self.scene.stop.check()?;
        self.pace.wait(System::Mail, &self.scene.stop).await?;
        self.scene.calls.count(System::Mail);
        let Some(transport) = &self.transport else { return Err(Fault::from_system(System::Mail, FaultKind::Unavailable, "mail is shut down")) };
        // The transport's own patience ends with the connection being there: a server that falls silent later would be waited for without end.
        let sending = tokio::time::timeout(self.scene.options.read_timeout, transport.send_raw(&sealed.envelope, &sealed.bytes));
        let sent = match self.scene.stop.race_with_grace(GRACE, sending).await {
            Ok(Ok(sent)) => sent,
            Ok(Err(_)) => return Ok(Err(silence(&self.host))),
            Err(stopped) => return Ok(Err(Failure { fault: stopped, again: false, undone: false, reached: true })),
        };
        Ok(match sent {
            Ok(response) => {
                self.reached.store(true, Ordering::Relaxed);
                Ok(response.message().collect::<Vec<_>>().join(" "))
            }
            Err(error) => {
                let failure = failure(&error, &self.host, email);
                self.reached.fetch_or(failure.reached, Ordering::Relaxed);
                Err(failure)
            }
        })
    }
}

impl Drop for Mail {
    fn drop(&mut self) {
        let _entered = self.threads.as_ref().map(Handle::enter);
        drop(self.transport.take());
    }
}
