//! Starting all systems on loopback ports, and stopping them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::Router;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::{
    Error,
    clock::Clock,
    company::Company,
    connection::{Listener, Scissors},
    documents::Documents,
    faults::{self, Faults},
    gainsight,
    mail::{self, Smtp},
    pendo, px, salesforce,
    server::{self, Emulator, Requests, Turns, World},
};

/// How the sandbox is started. Numbers that are not given are those of the stored company, or the defaults.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where documents are kept; in memory only when there is none.
    pub folder: Option<PathBuf>,
    /// 200 by default.
    pub accounts: Option<u64>,
    /// Ten for each account by default.
    pub people: Option<u64>,
    /// 1 by default.
    pub seed: Option<u64>,
    /// What the sandbox's clock shows at the first start; the real time by default.
    pub start: Option<jiff::Timestamp>,
    /// `SYSTEM:KIND@PROBABILITY[,...]`.
    pub faults: String,
    /// Nothing is there, and nothing is done, that a new tenant of the vendors has or does not by itself.
    pub strict: bool,
    /// Throws away what was stored.
    pub fresh: bool,
    /// Fixed ports by system (`salesforce`, `pendo`, ...; `mail` is SMTP, `inbox` what reads it); a free one for every other.
    pub ports: BTreeMap<String, u16>,
}

/// The running sandbox. It ends when this is dropped.
#[derive(Debug)]
pub struct Sandbox {
    world: Arc<World>,
    servers: Vec<Server>,
    /// Takes mail and lets its readers live as long as the sandbox does.
    smtp: Option<Smtp>,
    /// Held as long as the folder is in use.
    _lock: Option<File>,
}

#[derive(Debug)]
struct Server {
    system: &'static str,
    base_url: String,
    credentials: Map<String, Value>,
    documents: Arc<Documents>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// What is kept about the company between starts.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Kept {
    seed: u64,
    accounts: u64,
    people: u64,
    origin: i64,
    clock_offset_ms: i64,
}

/// How long requests in flight may take when the sandbox is stopped.
const GRACE: Duration = Duration::from_secs(2);

/// Starts every system on 127.0.0.1.
pub async fn start(options: Options) -> Result<Sandbox, Error> {
    let faults = faults::parse(&options.faults)?;
    let lock = options.folder.as_deref().map(|folder| prepare(folder, options.fresh)).transpose()?;
    let kept = kept(&options)?;
    let company = Company { seed: kept.seed, accounts: kept.accounts, people: kept.people, origin: kept.origin };
    let world = Arc::new(World {
        company,
        clock: Clock::with_offset(kept.clock_offset_ms),
        faults: Faults::new(kept.seed, faults),
        turns: Turns::default(),
        strict: options.strict,
    });
    let turned = keeper(options.folder.clone(), kept, Arc::clone(&world));
    turned();
    let mut sandbox = Sandbox { world: Arc::clone(&world), servers: Vec::new(), smtp: None, _lock: lock };
    for (system, build) in SYSTEMS {
        let documents = Arc::new(Documents::new(options.folder.as_ref().map(|folder| folder.join(format!("{system}.jsonl")))));
        let emulator = build(&world, &documents);
        documents.replay()?;
        let port = options.ports.get(*system).copied().unwrap_or(0);
        sandbox.servers.push(serve(emulator, port, &world, documents, &turned).await?);
    }
    let (inbox, smtp) = serve_mail(&options, &world, &turned).await?;
    sandbox.servers.push(inbox);
    sandbox.smtp = Some(smtp);
    Ok(sandbox)
}

/// Makes one system over its documents. Tables are named here; what was written to them earlier comes after it.
type Build = fn(&Arc<World>, &Arc<Documents>) -> Emulator;

/// The systems there are.
const SYSTEMS: &[(&str, Build)] =
    &[("salesforce", salesforce::emulator), ("gainsight", gainsight::emulator), ("pendo", pendo::emulator), ("px", px::emulator)];

impl Sandbox {
    /// The base URL of a system, without a slash at its end; none when there is no such system.
    pub fn base_url(&self, system: &str) -> Option<&str> {
        self.server(system).map(|server| server.base_url.as_str())
    }

    /// For each system its `base_url` and what a client needs to be let in.
    pub fn credentials(&self) -> Value {
        let of = |server: &Server| {
            let mut credentials = Map::from_iter([("base_url".to_owned(), Value::from(server.base_url.as_str()))]);
            credentials.extend(server.credentials.clone());
            (server.system.to_owned(), Value::Object(credentials))
        };
        self.servers.iter().map(of).collect::<Map<_, _>>().into()
    }

    /// What a system stores; none when there is no such system.
    pub fn documents(&self, system: &str) -> Option<&Documents> {
        self.server(system).map(|server| server.documents.as_ref())
    }

    /// The company, the clock and the faults.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Stops listening and lets requests in flight end, for at most two seconds.
    pub async fn stop(mut self) {
        self.smtp.take();
        for server in &mut self.servers {
            server.stop.take();
        }
        for server in &mut self.servers {
            if tokio::time::timeout(GRACE, &mut server.task).await.is_err() {
                server.task.abort();
            }
        }
    }

    fn server(&self, system: &str) -> Option<&Server> {
        self.servers.iter().find(|server| server.system == system)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    emulator: Emulator,
    port: u16,
    world: &Arc<World>,
    documents: Arc<Documents>,
    turned: &Arc<dyn Fn() + Send + Sync>,
) -> Result<Server, Error> {
    let (system, credentials) = (emulator.name, emulator.credentials.clone());
    let (listener, base_url) = listen(system, port).await?;
    let router = server::served(emulator, Arc::clone(world), Arc::clone(&documents), Requests::default(), Arc::clone(turned));
    Ok(running(system, (listener, base_url), router, credentials, documents))
}

/// Mail is two servers: one that takes it, and one to read it.
async fn serve_mail(options: &Options, world: &Arc<World>, turned: &Arc<dyn Fn() + Send + Sync>) -> Result<(Server, Smtp), Error> {
    let documents = Arc::new(Documents::new(options.folder.as_ref().map(|folder| folder.join("mail.jsonl"))));
    let (requests, port) = (Requests::default(), |name: &str| options.ports.get(name).copied().unwrap_or(0));
    let office = Arc::new(mail::Office::new(world, &documents, &requests));
    documents.replay()?;
    let smtp = mail::serve(&office, port("mail")).await?;
    let (listener, base_url) = listen("inbox", port("inbox")).await?;
    let known = [("smtp", format!("smtp://{}", smtp.address)), ("inbox_url", base_url.clone())];
    let credentials: Map<_, _> = known.map(|(name, value)| (name.to_owned(), Value::from(value))).into_iter().collect();
    // The inbox stands beside the layer of faults: those concern the mail itself.
    let emulator = Emulator { name: "mail", router: Router::new(), refuse: |_, _| None, shown: server::as_stored(), credentials: Map::new() };
    let router = server::served(emulator, Arc::clone(world), Arc::clone(&documents), requests, Arc::clone(turned)).merge(mail::routes(office));
    Ok((running("mail", (listener, base_url), router, credentials, documents), smtp))
}

async fn listen(system: &'static str, port: u16) -> Result<(TcpListener, String), Error> {
    let broken = |source| Error::Listen { system, port, source };
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(broken)?;
    let base_url = format!("http://{}", listener.local_addr().map_err(broken)?);
    Ok((listener, base_url))
}

fn running(
    system: &'static str,
    (listener, base_url): (TcpListener, String),
    router: Router,
    credentials: Map<String, Value>,
    documents: Arc<Documents>,
) -> Server {
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(run(Listener(listener), router, stopped));
    Server { system, base_url, credentials, documents, stop: Some(stop), task }
}

async fn run(listener: Listener, router: Router, stopped: oneshot::Receiver<()>) {
    let service = router.into_make_service_with_connect_info::<Scissors>();
    // Either word of the other end, sent or gone, means stop.
    let stopped = async move { drop(stopped.await) };
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopped).await {
        tracing::warn!(%error, "a sandbox server ended");
    }
}

/// Makes the folder, takes it for this process, and empties it when a fresh start is wanted.
fn prepare(folder: &Path, fresh: bool) -> Result<File, Error> {
    let broken = |source: io::Error| Error::Folder { path: folder.to_owned(), source };
    fs::create_dir_all(folder).map_err(broken)?;
    let lock = File::create(folder.join("lock")).map_err(broken)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Err(Error::InUse { path: folder.to_owned() }),
        Err(fs::TryLockError::Error(source)) => return Err(broken(source)),
    }
    let ours =
        |path: &Path| path.extension().is_some_and(|extension| extension == "jsonl" || extension == "compact") || path.ends_with("sandbox.json");
    if fresh {
        for entry in fs::read_dir(folder).map_err(broken)? {
            let path = entry.map_err(broken)?.path();
            if ours(&path) {
                fs::remove_file(&path).map_err(broken)?;
            }
        }
    }
    Ok(lock)
}

/// The stored company, or a new one; an error when other numbers are asked for than are stored.
fn kept(options: &Options) -> Result<Kept, Error> {
    let Some(stored) = options.folder.as_deref().map(stored).transpose()?.flatten() else {
        return Ok(founded(options));
    };
    let asked = [("accounts", stored.accounts, options.accounts), ("people", stored.people, options.people), ("seed", stored.seed, options.seed)];
    for (what, stored, asked) in asked {
        if let Some(asked) = asked.filter(|asked| *asked != stored) {
            return Err(Error::OtherCompany { what, stored, asked });
        }
    }
    Ok(stored)
}

fn founded(options: &Options) -> Kept {
    let clock = Clock::default();
    if let Some(start) = options.start {
        clock.set_ms(start.as_millisecond());
    }
    let accounts = options.accounts.unwrap_or(200);
    let people = options.people.unwrap_or_else(|| accounts.saturating_mul(10));
    Kept { seed: options.seed.unwrap_or(1), accounts, people, origin: clock.today(), clock_offset_ms: clock.offset_ms() }
}

fn stored(folder: &Path) -> Result<Option<Kept>, Error> {
    let path = folder.join("sandbox.json");
    match fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|source| Error::Corrupt { path, line: 1, source }),
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Folder { path, source }),
    }
}

/// Writes down the company and how far its clock is turned, whenever it is called.
fn keeper(folder: Option<PathBuf>, kept: Kept, world: Arc<World>) -> Arc<dyn Fn() + Send + Sync> {
    let writing = Mutex::new(());
    Arc::new(move || {
        let Some(folder) = &folder else { return };
        let _writing = writing.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = Kept { clock_offset_ms: world.clock.offset_ms(), ..kept.clone() };
        let written = serde_json::to_vec(&kept).map_err(io::Error::from).and_then(|text| {
            fs::write(folder.join("sandbox.new"), text)?;
            fs::rename(folder.join("sandbox.new"), folder.join("sandbox.json"))
        });
        if let Err(error) = written {
            tracing::warn!(%error, "the sandbox's clock could not be kept");
        }
    })
}
