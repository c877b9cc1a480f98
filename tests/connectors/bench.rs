//! A sandbox in this process, clients for it without long pauses, and shorthands for effects.

use std::time::Duration;

use serde_json::Value as Json;
use tabi::{
    connectors::{
        EmailOptions, GainsightAuth, GainsightOptions, HttpOptions, Options, PendoOptions, PxOptions, SalesforceAuth, SalesforceOptions, Secret,
        Stop, Systems,
    },
    model::{Change, Effect, Fault, Field, FieldType, Lookup, Page, Query, Read, Record, Reply, RowOutcome, Source, System, Timestamp, Value, Write},
    sandbox::{self, Sandbox},
};

pub(crate) struct Bench {
    pub sandbox: Sandbox,
    pub systems: Systems,
    pub stop: Stop,
}

/// Patience without pauses, so that faults cost no time.
pub(crate) fn quick() -> HttpOptions {
    HttpOptions {
        answer_timeout: Duration::from_secs(20),
        read_timeout: Duration::from_secs(20),
        attempts: 25,
        first_wait: Duration::from_micros(200),
        longest_wait: Duration::from_millis(2),
        ..HttpOptions::default()
    }
}

pub(crate) fn credential(sandbox: &Sandbox, system: &str, key: &str) -> String {
    sandbox.credentials()[system][key].as_str().unwrap_or_else(|| panic!("no {key} of {system}")).to_owned()
}

pub(crate) fn salesforce_options(sandbox: &Sandbox) -> SalesforceOptions {
    let get = |key| credential(sandbox, "salesforce", key);
    let auth = SalesforceAuth::ClientCredentials { client_id: get("client_id"), client_secret: Secret::new(get("client_secret")) };
    SalesforceOptions::new(get("base_url"), auth)
}

/// Options for every system of the sandbox.
pub(crate) fn options(sandbox: &Sandbox) -> Options {
    let get = |system, key| credential(sandbox, system, key);
    let has = |system: &str| sandbox.base_url(system).is_some();
    let mut options = Options::new(Timestamp::now);
    options.http = quick();
    options.salesforce = has("salesforce").then(|| salesforce_options(sandbox));
    options.pendo = has("pendo").then(|| PendoOptions::new(get("pendo", "base_url"), Secret::new(get("pendo", "integration_key"))));
    options.gainsight = has("gainsight")
        .then(|| GainsightOptions::new(get("gainsight", "base_url"), GainsightAuth::AccessKey(Secret::new(get("gainsight", "access_key")))));
    let product = || Some(get("px", "product_key"));
    options.px = has("px").then(|| PxOptions::new(get("px", "base_url"), Secret::new(get("px", "api_key")), product()));
    options.email = has("mail").then(|| EmailOptions::new(get("mail", "smtp"), "CS team <cs@acme.example>"));
    options
}

/// A sandbox with so many accounts and faults as in `--faults`.
pub(crate) async fn sandbox(accounts: u64, faults: &str) -> Sandbox {
    let options = sandbox::Options { accounts: Some(accounts), faults: faults.to_owned(), ..sandbox::Options::default() };
    sandbox::start(options).await.unwrap()
}

pub(crate) async fn bench(accounts: u64, faults: &str) -> Bench {
    let sandbox = sandbox(accounts, faults).await;
    let options = options(&sandbox);
    with(sandbox, options)
}

pub(crate) fn with(sandbox: Sandbox, options: Options) -> Bench {
    let stop = Stop::new();
    Bench { systems: Systems::new(options, stop.clone()).unwrap(), sandbox, stop }
}

pub(crate) fn query(system: System, object: &str, fields: &[&str]) -> Query {
    Query { fields: fields.iter().map(|field| (*field).to_owned()).collect(), ..Query::of(system, object) }
}

pub(crate) fn record(fields: &[(&str, Value)]) -> Record {
    fields.iter().map(|(name, value)| ((*name).into(), value.clone())).collect()
}

pub(crate) fn update(id: &str, fields: &[(&str, Value)]) -> Change {
    Change::Update { key: id.to_owned(), id: id.to_owned(), fields: record(fields), before: Record::new() }
}

pub(crate) fn insert(key: &str, fields: &[(&str, Value)]) -> Change {
    Change::Insert { key: key.to_owned(), fields: record(fields) }
}

pub(crate) fn field(name: &str, kind: FieldType) -> Field {
    Field {
        name: name.into(),
        label: name.into(),
        kind,
        nillable: true,
        createable: true,
        updateable: true,
        required: false,
        key: false,
        case_sensitive: false,
    }
}

pub(crate) fn text(record: &Record, name: &str) -> String {
    record.path(name).unwrap_or_else(|| panic!("no {name} in {record:?}")).to_string()
}

impl Bench {
    pub(crate) async fn page(&self, source: &Source, after: Option<String>, page_size: u32) -> Result<Page, Fault> {
        match self.systems.perform(&Effect::Read(Read { source: source.clone(), after, page_size })).await? {
            Reply::Page(page) => Ok(page),
            other => panic!("{other:?}"),
        }
    }

    /// All records, and how many pages they came in.
    pub(crate) async fn read(&self, source: &Source, page_size: u32) -> Result<(Vec<Record>, usize), Fault> {
        let (mut records, mut pages, mut after) = (Vec::new(), 0, None);
        loop {
            let page = self.page(source, after, page_size).await?;
            assert!(page.records.len() <= page_size.max(200) as usize, "a page of {} records", page.records.len());
            records.extend(page.records);
            pages += 1;
            after = page.next;
            if after.is_none() {
                return Ok((records, pages));
            }
        }
    }

    pub(crate) async fn all(&self, query: Query) -> Vec<Record> {
        self.read(&Source::Object(query), 2_000).await.unwrap().0
    }

    pub(crate) async fn lookup(&self, system: System, object: &str, by: &str, keys: Vec<Value>, fields: &[&str]) -> Result<Vec<Record>, Fault> {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let lookup = Lookup { system, object: object.into(), by: by.into(), keys, fields, filter: None };
        match self.systems.perform(&Effect::Lookup(lookup)).await? {
            Reply::Records(records) => Ok(records),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn write(&self, system: System, object: &str, rows: Vec<Change>) -> Result<Vec<RowOutcome>, Fault> {
        match self.systems.perform(&Effect::Write(Write { system, object: object.into(), rows: rows.into() })).await? {
            Reply::Written(outcomes) => Ok(outcomes),
            other => panic!("{other:?}"),
        }
    }

    /// What was asked of a system so far: method, path, status.
    pub(crate) async fn requests(&self, system: &str) -> Vec<Json> {
        let url = format!("{}/_sandbox/requests", self.sandbox.base_url(system).unwrap());
        reqwest::get(url).await.unwrap().json::<Json>().await.unwrap().as_array().unwrap().clone()
    }

    pub(crate) async fn count(&self, system: &str, method: &str, part: &str) -> usize {
        let requests = self.requests(system).await;
        let is = |request: &&Json| request["method"] == method && request["path"].as_str().unwrap().contains(part);
        requests.iter().filter(is).count()
    }

    /// Faults from now on.
    pub(crate) fn faults(&self, spec: &str) {
        self.sandbox.world().faults.replace(sandbox::faults::parse(spec).unwrap());
    }
}
