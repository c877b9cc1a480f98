//! All systems together: effects in, replies out.

use std::sync::Arc;

use crate::model::{Effect, Fault, FaultKind, Page, Read, Reply, Request, RowOutcome, Source, System, Value, Write};

use super::{
    Calls, Options, Stop,
    calls::Counters,
    email::Mail,
    exact,
    gainsight::Gainsight,
    http::Scene,
    pendo::Pendo,
    px::Px,
    request::{self, not_connected},
    salesforce::Salesforce,
};

/// Why the clients could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no secure connections are possible on this machine")]
    Tls(#[from] reqwest::Error),
    /// `reason` goes on where `[email] smtp` begins.
    #[error("`[email] smtp` {reason}")]
    Smtp { reason: &'static str },
}

/// The connected systems. Clones share sessions, limits, caches and counts.
#[derive(Debug, Clone)]
pub struct Systems(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    calls: Arc<Counters>,
    stop: Stop,
    salesforce: Option<Salesforce>,
    pendo: Option<Pendo>,
    gainsight: Option<Gainsight>,
    px: Option<Px>,
    mail: Option<Mail>,
    web: reqwest::Client,
    hosts: Vec<String>,
    answer_limit: usize,
}

impl Systems {
    /// Clients for what the options name; nothing is called yet. `stop` ends their waiting.
    pub fn new(options: Options, stop: Stop) -> Result<Self, Error> {
        let calls = Arc::new(Counters::default());
        let scene = Scene { options: options.http, stop: stop.clone(), calls: calls.clone(), clock: options.clock, zone: options.zone };
        let web = reqwest::Client::builder()
            .user_agent(concat!("tabi/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.http.connect_timeout)
            .read_timeout(options.http.read_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self(Arc::new(Inner {
            salesforce: options.salesforce.map(|it| Salesforce::new(it, &scene)).transpose()?,
            pendo: options.pendo.map(|it| Pendo::new(it, &scene)).transpose()?,
            gainsight: options.gainsight.map(|it| Gainsight::new(it, &scene)).transpose()?,
            px: options.px.map(|it| Px::new(it, &scene)).transpose()?,
            mail: options.email.map(|it| Mail::new(&it, &scene)).transpose()?,
            web,
            hosts: options.hosts,
            answer_limit: options.http.answer_limit,
            calls,
            stop,
        })))
    }

    /// Calls of everybody so far, per system.
    pub fn calls(&self) -> Calls {
        self.0.calls.read()
    }

    /// The flag given at the start.
    pub fn stop(&self) -> &Stop {
        &self.0.stop
    }

    /// Carries out every effect but `State`.
    ///
    /// # Errors
    /// A fault with the system it comes from. Rows of a write that failed are told in its outcomes; the write as a whole
    /// fails only when none of its rows could be asked for.
    pub async fn perform(&self, effect: &Effect) -> Result<Reply, Fault> {
        match effect {
            Effect::Read(read) => self.read(read).await.map(Reply::Page),
            Effect::Lookup(lookup) => match lookup.system {
                System::Salesforce => self.salesforce()?.lookup(lookup).await.map(Reply::Records),
                System::Pendo => self.pendo()?.lookup(lookup).await.map(Reply::Records),
                System::Gainsight => self.gainsight()?.lookup(lookup).await.map(Reply::Records),
                System::Px => self.px()?.lookup(lookup).await.map(Reply::Records),
                System::Mail => Err(no_records()),
            },
            Effect::Describe { system, object } => match system {
                System::Salesforce => self.salesforce()?.describe(object).await.map(Reply::Schema),
                System::Pendo => self.pendo()?.describe(object).await.map(Reply::Schema),
                System::Gainsight => self.gainsight()?.describe(object).await.map(Reply::Schema),
                System::Px => self.px()?.describe(object).await.map(Reply::Schema),
                System::Mail => Err(no_records()),
            },
            Effect::Objects { system } => match system {
                System::Salesforce => self.salesforce()?.objects().await.map(Reply::Value),
                System::Pendo => Ok(Reply::Value(Pendo::objects())),
                System::Gainsight => self.gainsight()?.objects().await.map(Reply::Value),
                System::Px => Ok(Reply::Value(Px::objects())),
                System::Mail => Err(no_records()),
            },
            Effect::Write(write) => self.write(write).await.map(Reply::Written),
            Effect::CreateField(field) => match field.system {
                System::Salesforce => self.salesforce()?.create_field(field).await.map(|()| Reply::Done),
                System::Pendo => self.pendo()?.create_field(field).await.map(|()| Reply::Done),
                System::Gainsight => Err(no_fields_by_api(&field.field.name)),
                System::Px => Err(no_attributes_by_api(&field.field.name)),
                System::Mail => Err(no_records()),
            },
            Effect::EditSegment(edit) => match edit.system {
                System::Pendo => self.pendo()?.edit_segment(edit).await.map(|()| Reply::Done),
                System::Px => self.px()?.edit_segment(edit).await.map(|()| Reply::Done),
                other => Err(Fault::from_system(other, FaultKind::Invalid, format!("{other} has no segments"))),
            },
            Effect::Request(request) => self.request(request).await.map(Reply::Value),
            Effect::Http(call) => request::http(&self.0.web, &self.0.hosts, (self.0.answer_limit, &self.0.stop), call).await.map(Reply::Value),
            Effect::SendEmail(email) => self.mail()?.send(email).await.map(Reply::Value),
            Effect::State(_) => Err(Fault::new(FaultKind::NotAllowed, "the script's own store is not one of the connected systems")),
        }
    }

    async fn write(&self, write: &Write) -> Result<Vec<RowOutcome>, Fault> {
        let Some((rest, faults)) = exact::sorted_out(write) else { return self.write_all(write).await };
        let written = if rest.rows.is_empty() { Vec::new() } else { self.write_all(&rest).await? };
        Ok(exact::together(faults, written))
    }

    async fn write_all(&self, write: &Write) -> Result<Vec<RowOutcome>, Fault> {
        match write.system {
            System::Salesforce => self.salesforce()?.write(write).await,
            System::Pendo => self.pendo()?.write(write).await,
            System::Gainsight => self.gainsight()?.write(write).await,
            System::Px => self.px()?.write(write).await,
            System::Mail => Err(no_records()),
        }
    }

    async fn read(&self, read: &Read) -> Result<Page, Fault> {
        let after = read.after.as_deref();
        match &read.source {
            Source::Object(query) => match query.system {
                System::Salesforce => self.salesforce()?.read_object(query, after, read.page_size).await,
                System::Pendo => self.pendo()?.read(&read.source, after, read.page_size).await,
                System::Gainsight => self.gainsight()?.read_object(query, after, read.page_size).await,
                System::Px => self.px()?.read_object(query, after, read.page_size).await,
                System::Mail => Err(no_records()),
            },
            Source::Soql(soql) => self.salesforce()?.read_soql(soql, after, read.page_size).await,
            Source::Report(_) | Source::Aggregation { .. } | Source::Saved(_) => self.pendo()?.read(&read.source, after, read.page_size).await,
        }
    }

    async fn request(&self, request: &Request) -> Result<Value, Fault> {
        match request.system {
            System::Salesforce => self.salesforce()?.request(request).await,
            System::Pendo => self.pendo()?.request(request).await,
            System::Gainsight => self.gainsight()?.request(request).await,
            System::Px => self.px()?.request(request).await,
            System::Mail => Err(no_records()),
        }
    }

    fn gainsight(&self) -> Result<&Gainsight, Fault> {
        self.0.gainsight.as_ref().ok_or_else(|| not_connected(System::Gainsight))
    }

    fn mail(&self) -> Result<&Mail, Fault> {
        self.0.mail.as_ref().ok_or_else(|| {
            let message = "mail is not connected; configure [email] in tabi.toml, or run with --sandbox";
            Fault::from_system(System::Mail, FaultKind::Denied, message)
        })
    }

    fn pendo(&self) -> Result<&Pendo, Fault> {
        self.0.pendo.as_ref().ok_or_else(|| not_connected(System::Pendo))
    }

    fn px(&self) -> Result<&Px, Fault> {
        self.0.px.as_ref().ok_or_else(|| not_connected(System::Px))
    }

    fn salesforce(&self) -> Result<&Salesforce, Fault> {
        self.0.salesforce.as_ref().ok_or_else(|| not_connected(System::Salesforce))
    }
}

fn no_fields_by_api(field: &str) -> Fault {
    let message = "Gainsight has no public call that creates fields; add it under Administration, Data Management";
    Fault::from_system(System::Gainsight, FaultKind::Invalid, message).field(field)
}

/// Mail takes messages and nothing else.
fn no_records() -> Fault {
    Fault::from_system(System::Mail, FaultKind::Invalid, "mail holds no records; `email::send` sends a message")
}

fn no_attributes_by_api(attribute: &str) -> Fault {
    let message = "PX has no call that creates attributes; add it in PX under Administration, Attributes";
    Fault::from_system(System::Px, FaultKind::Invalid, message).field(attribute)
}
