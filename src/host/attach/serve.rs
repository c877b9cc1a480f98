//! The side that answers: a conversation of its own for everybody who comes, within the host's process.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, channel},
    },
    thread,
};

use crate::{
    flow::Wire,
    host::{
        Error, Session, Workspace,
        catalogue::Catalogue,
        console::{Cancel, Console, Reach},
        listing::listed,
        written,
    },
    script::{self, PrintSink, Texts},
    store::Lease,
};

use super::{
    Current, Look, PROTOCOL, Stream, folder,
    message::{Answer, Ask, Exact, Hello, Say, Told},
    socket,
};

/// Bytes of one ask: an input may have one MiB, and JSON writes some of its characters with six.
const LONGEST: u64 = 8 << 20;

/// Conversations at once.
const MOST: usize = 16;

/// A host's open socket; dropping it ends all conversations and takes it away.
pub struct Serving {
    shared: Arc<Shared>,
    path: PathBuf,
    /// Whether a host that died had left a socket.
    pub replaced: bool,
}

struct Shared {
    workspace: Workspace,
    current: Current,
    wire: Wire,
    ending: AtomicBool,
    open: Mutex<BTreeMap<u64, (Cancel, Stream)>>,
}

/// Opens the socket of this workspace's host, which is whoever holds its claim: a socket that is there already was left by one that died.
/// Whoever connects talks with a console of their own.
///
/// # Errors
/// `Folder` when the socket cannot be made: a host can live without one.
pub fn serve(workspace: &Workspace, session: &Session, _claim: &Lease) -> Result<Serving, Error> {
    let folder = folder(workspace);
    let broken = |source| Error::Folder { path: socket(&folder), source };
    fs::create_dir_all(&folder).map_err(broken)?;
    let path = socket(&folder);
    let replaced = path.symlink_metadata().is_ok();
    let shared = Arc::new(Shared {
        workspace: workspace.clone(),
        current: session.current.clone(),
        wire: session.wire.clone(),
        ending: AtomicBool::new(false),
        open: Mutex::default(),
    });
    listen(&folder, &path, &shared).map_err(broken)?;
    Ok(Serving { shared, path, replaced })
}

/// Bound within a folder that nobody else may enter and moved into place: nobody finds it with another mode than 0600.
#[cfg(unix)]
fn listen(folder: &Path, path: &Path, shared: &Arc<Shared>) -> io::Result<()> {
    use std::os::unix::{
        fs::{DirBuilderExt as _, PermissionsExt as _},
        net::UnixListener,
    };
    let beside = folder.join("host.new");
    let _ = fs::remove_dir_all(&beside);
    fs::DirBuilder::new().mode(0o700).create(&beside)?;
    let fresh = beside.join("s");
    let listener = UnixListener::bind(&fresh)?;
    fs::set_permissions(&fresh, fs::Permissions::from_mode(0o600))?;
    fs::rename(&fresh, path)?;
    fs::remove_dir(&beside)?;
    let shared = Arc::clone(shared);
    let accept = move || {
        let mut number = 0;
        for stream in listener.incoming() {
            if shared.ending.load(Ordering::Relaxed) {
                return;
            }
            let Ok(stream) = stream else { continue };
            number += 1;
            let shared = Arc::clone(&shared);
            // Without a thread for it the line is dropped, which whoever waits there sees.
            let _ = thread::Builder::new().name("attached".to_owned()).spawn(move || drop(shared.welcome(number, stream)));
        }
    };
    thread::Builder::new().name("attach".to_owned()).spawn(accept).map(drop)
}

#[cfg(not(unix))]
fn listen(_folder: &Path, _path: &Path, _shared: &Arc<Shared>) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this system has no sockets that are files"))
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Relaxed);
        for (cancel, stream) in self.shared.open().values() {
            cancel.request();
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        // Wakes the thread that waits for callers.
        #[cfg(unix)]
        drop(Stream::connect(&self.path));
        let _ = fs::remove_file(&self.path);
    }
}

impl Shared {
    fn open(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, (Cancel, Stream)>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears one caller out: asks go to the conversation's own thread, except the one that ends what it is at.
    fn welcome(&self, number: u64, stream: Stream) -> io::Result<()> {
        let line = Line(Arc::new(Mutex::new(stream.try_clone()?)));
        let notify = {
            let line = line.clone();
            Arc::new(move |notice| {
                if let Some(notice) = Told::of(notice) {
                    // Nobody is left to be told; the reading side sees it.
                    let _ = line.say(&Say::Told { notice });
                }
            })
        };
        let console = Console::new(&self.workspace, Reach::of(&self.workspace, self.wire.clone()), notify);
        let cancel = console.cancel.clone();
        {
            let mut open = self.open();
            if open.len() >= MOST {
                return line.answer(Answer::No(format!("{MOST} conversations with this host are open already")));
            }
            open.insert(number, (cancel.clone(), stream.try_clone()?));
        }
        let (asks, queue) = channel();
        let catalogue = Catalogue::new(&self.workspace, Arc::clone(&console.reach)).of_host(self.current.clone());
        let speaker = Speaker { console, catalogue, current: self.current.clone(), line: line.clone(), look: Look::default(), seen: 0 };
        let speaking = thread::Builder::new().name("conversation".to_owned()).spawn(move || speaker.speak(&queue));
        let mut from = BufReader::new(stream).take(0);
        while let Ok(Some(text)) = next(&mut from) {
            if !text.ends_with(b"\n") {
                let _ = line.answer(Answer::No(format!("a question has {} MiB at most", LONGEST >> 20)));
                break;
            }
            match serde_json::from_slice(&text) {
                Ok(Ask::Cancel) => cancel.request(),
                Ok(ask) => {
                    if asks.send(ask).is_err() {
                        break;
                    }
                }
                Err(error) => {
                    let _ = line.answer(Answer::No(format!("that is no question: {error}")));
                    break;
                }
            }
        }
        drop(asks);
        cancel.request();
        if let Ok(speaking) = speaking {
            let _ = speaking.join();
        }
        self.open().remove(&number);
        Ok(())
    }
}

/// The next line, without its end when it is longer than an ask can be; none where nobody asks any more.
fn next(from: &mut io::Take<BufReader<Stream>>) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    from.set_limit(LONGEST);
    from.read_until(b'\n', &mut bytes)?;
    Ok((bytes.last() == Some(&b'\n') || bytes.len() as u64 == LONGEST).then_some(bytes))
}

/// The way back to who asks.
#[derive(Clone)]
struct Line(Arc<Mutex<Stream>>);

impl Line {
    fn say(&self, say: &Say) -> io::Result<()> {
        let mut text = serde_json::to_vec(say)?;
        text.push(b'\n');
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text)
    }

    fn answer(&self, answer: Answer) -> io::Result<()> {
        self.say(&Say::Answer { answer: Box::new(answer) })
    }
}

/// One conversation within the host.
struct Speaker {
    console: Console,
    catalogue: Catalogue,
    current: Current,
    line: Line,
    look: Look,
    /// The generation whose scripts it knows.
    seen: u64,
}

impl Speaker {
    /// Answers until nobody asks any more.
    fn speak(mut self, asks: &Receiver<Ask>) {
        while let Ok(ask) = asks.recv() {
            let answer = self.answer(ask);
            if self.line.answer(answer).is_err() {
                return;
            }
        }
    }

    fn answer(&mut self, ask: Ask) -> Answer {
        match ask {
            Ask::Hello(look) => {
                self.look = look;
                Answer::Hello(self.hello())
            }
            Ask::Evaluate { input, live } => {
                self.follow();
                self.console.live = live;
                let print = self.print();
                match self.console.evaluate(&input, print) {
                    Ok(evaluated) => Exact::answer(&evaluated),
                    Err(wrong) => Answer::Refused(wrong.told(self.look)),
                }
            }
            Ask::Enter { file } => {
                self.follow();
                let print = self.print();
                match self.console.enter(&self.console.workspace().root.join(file), print) {
                    Ok(()) => Answer::Entered,
                    Err(wrong) => Answer::Refused(wrong.told(self.look)),
                }
            }
            Ask::Reload => self.reload(),
            Ask::Complete { before, after } => {
                self.follow();
                Answer::Completions(self.catalogue.complete(&self.console.script, &before, &after))
            }
            Ask::People { journey } => match self.console.people(&journey) {
                Ok(people) => Answer::People(people.iter().map(Exact::from).collect()),
                Err(error) => Answer::No(error.to_string()),
            },
            Ask::Time => Answer::Time(self.console.workspace().clock.now()),
            Ask::List => self.list(),
            Ask::Read { written } => {
                let texts = self.current.get().map_or_else(Arc::<Texts>::default, |running| running.texts);
                match written::script(&self.console.workspace().root, &texts, &written) {
                    Ok(script) => Answer::Script { file: script.file, text: script.text.to_string() },
                    Err(reason) => Answer::No(reason),
                }
            }
            Ask::Cancel => Answer::No("nothing is being evaluated".to_owned()),
        }
    }

    fn list(&self) -> Answer {
        let (workspace, loaded) = (self.console.workspace(), self.current.loaded());
        let declarations = loaded.as_ref().map_or(&[][..], |loaded| loaded.declarations());
        let now = workspace.clock.now();
        let found = self
            .console
            .reach
            .wire()
            .map_err(|fault| fault.message)
            .and_then(|wire| listed(declarations, Some(wire.store()), now, &workspace.config.timezone).map_err(|error| error.to_string()));
        match found {
            Ok(declared) => Answer::Listed { declared, now },
            Err(reason) => Answer::No(reason),
        }
    }

    fn hello(&self) -> Hello {
        let workspace = self.console.workspace();
        Hello {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: std::process::id(),
            root: workspace.root.display().to_string(),
            sandbox: workspace.is_sandboxed(),
            generation: self.current.get().map_or(0, |running| running.loaded.number),
        }
    }

    /// Knows the scripts as the host runs them now; variables and functions of the conversation stay.
    fn follow(&mut self) {
        let Some(running) = self.current.get().filter(|running| running.loaded.number != self.seen) else { return };
        let root = self.console.workspace().root.clone();
        self.console.script.reload(&root, &running.texts);
        self.catalogue.reload();
        if self.seen > 0 {
            let message = format!("the host runs generation {} now", running.loaded.number);
            let _ = self.line.say(&Say::Told { notice: Told::Warning(message) });
        }
        self.seen = running.loaded.number;
    }

    fn reload(&mut self) -> Answer {
        self.follow();
        let Some(running) = self.current.get() else { return Answer::Reloaded { declarations: 0, shown: Vec::new() } };
        let generation = &running.loaded.generation;
        let width = self.look.width.map(usize::from);
        let shown = generation.diagnostics().iter().map(|one| script::render_within(one, |file| generation.text(file), self.look.colours, width));
        Answer::Reloaded { declarations: running.loaded.declarations().len() as u64, shown: shown.collect() }
    }

    fn print(&self) -> PrintSink {
        let (line, cancel) = (self.line.clone(), self.console.cancel.clone());
        Arc::new(move |text| {
            if line.say(&Say::Printed { line: text.to_owned() }).is_err() {
                cancel.request();
            }
        })
    }
}
