//! The side that asks: the REPL in another process.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;

use crate::{
    flow::Notify,
    host::{Error, Workspace, console::Refused, listing::Listed, written::Script},
    model::Value,
    script::{Completion, Evaluated, PrintSink},
};

use super::{
    Hello, Look, PROTOCOL, Stream, folder,
    message::{Answer, Ask, Say},
    socket,
};

/// How long a host may take to greet back: it has nothing to do for that.
const GREETING: Duration = Duration::from_secs(5);

/// Bytes of a greeting at most.
const SHORT: u64 = 64 << 10;

/// Bytes of an input that are worth sending: one more than an input may have, so that it is refused as an input.
const LONGEST: usize = (1 << 20) + 1;

/// A conversation with a running host.
pub struct Attached {
    /// Who it is.
    pub hello: Hello,
    from: BufReader<Stream>,
    cancel: Cancel,
    /// Told what an input would change.
    notify: Notify,
}

/// Ends the evaluation in progress, from any thread.
#[derive(Clone)]
pub struct Cancel(Arc<(Mutex<Stream>, AtomicBool)>);

impl Cancel {
    pub fn request(&self) {
        self.0.1.store(true, Ordering::Relaxed);
        // A host that is gone evaluates nothing.
        let _ = self.send(&Ask::Cancel);
    }

    /// Whether the evaluation in progress was asked to end.
    pub fn requested(&self) -> bool {
        self.0.1.load(Ordering::Relaxed)
    }

    fn send(&self, ask: &Ask) -> io::Result<()> {
        let mut text = serde_json::to_vec(ask)?;
        text.push(b'\n');
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(&text)
    }
}

impl Attached {
    /// Calls the host of a workspace: on its systems, or with `--sandbox` on its sandbox.
    ///
    /// # Errors
    /// `NoHost` when none runs, `DeadHost` when one died, `OtherVersion` when it says other things than this program, `Strange` when it says
    /// nothing that a host says, `Silent` when it says nothing at all.
    pub fn open(workspace: &Workspace, look: Look, notify: Notify) -> Result<Self, Error> {
        let path = socket(&folder(workspace));
        let stream = call(&path).map_err(|source| why(workspace, &path, source))?;
        let to = stream.try_clone().map_err(|_| Error::HostGone)?;
        stream.set_read_timeout(Some(GREETING)).map_err(|_| Error::HostGone)?;
        let cancel = Cancel(Arc::new((Mutex::new(to), AtomicBool::new(false))));
        let hello = Hello { protocol: 0, version: String::new(), process: 0, root: String::new(), sandbox: false, generation: 0 };
        let mut attached = Self { hello, from: BufReader::new(stream), cancel, notify };
        match attached.greeted(look, &path)? {
            Answer::Hello(hello) if hello.protocol == PROTOCOL => attached.hello = hello,
            Answer::Hello(hello) => return Err(Error::OtherVersion { host: hello.version }),
            Answer::No(reason) => return Err(Error::Unheard { reason }),
            _ => return Err(Error::Strange { path }),
        }
        attached.from.get_ref().set_read_timeout(None).map_err(|_| Error::HostGone)?;
        Ok(attached)
    }

    /// The answer to the first ask, from whoever is there.
    fn greeted(&mut self, look: Look, path: &Path) -> Result<Answer, Error> {
        self.cancel.send(&Ask::Hello(look)).map_err(|_| Error::HostGone)?;
        let mut line = Vec::new();
        match self.from.by_ref().take(SHORT).read_until(b'\n', &mut line) {
            Ok(0) => return Err(Error::HostGone),
            Ok(_) => (),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return Err(Error::Silent { path: path.to_owned() });
            }
            Err(_) => return Err(Error::HostGone),
        }
        match serde_json::from_slice(&line) {
            Ok(Say::Answer { answer }) => Ok(*answer),
            _ => Err(Error::Strange { path: path.to_owned() }),
        }
    }

    pub fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Evaluates one input within the host; planned writes are told before this returns.
    ///
    /// # Errors
    /// When the host is gone. What is wrong with the input is in the value.
    pub fn evaluate(&mut self, input: &str, live: bool, print: &PrintSink) -> Result<Result<Evaluated, Refused>, Error> {
        let input = input.get(..input.floor_char_boundary(LONGEST)).unwrap_or(input).to_owned();
        match self.ask(&Ask::Evaluate { input, live }, print)? {
            Answer::Value { value, is_data } => Ok(Ok(Evaluated { value: value.into(), is_data })),
            Answer::Refused(refused) => Ok(Err(refused)),
            other => Err(unheard(other)),
        }
    }

    /// Takes the constants and functions of a script that the host runs; its path is relative to the workspace.
    ///
    /// # Errors
    /// As `evaluate`.
    pub fn enter(&mut self, file: &Path, print: &PrintSink) -> Result<Result<(), Refused>, Error> {
        match self.ask(&Ask::Enter { file: file.to_string_lossy().into_owned() }, print)? {
            Answer::Entered => Ok(Ok(())),
            Answer::Refused(refused) => Ok(Err(refused)),
            other => Err(unheard(other)),
        }
    }

    /// Knows the scripts as the host runs them now: how many declarations, and what is wrong with the files on disk, rendered.
    ///
    /// # Errors
    /// When the host is gone.
    pub fn reload(&mut self) -> Result<(u64, Vec<String>), Error> {
        match self.quietly(&Ask::Reload)? {
            Answer::Reloaded { declarations, shown } => Ok((declarations, shown)),
            other => Err(unheard(other)),
        }
    }

    /// What could be written next.
    ///
    /// # Errors
    /// When the host is gone.
    pub fn complete(&mut self, before: &str, after: &str) -> Result<Vec<Completion>, Error> {
        if before.len() + after.len() > LONGEST {
            return Ok(Vec::new());
        }
        match self.quietly(&Ask::Complete { before: before.to_owned(), after: after.to_owned() })? {
            Answer::Completions(found) => Ok(found),
            other => Err(unheard(other)),
        }
    }

    /// Who is in a journey; they are the last value then.
    ///
    /// # Errors
    /// When the host is gone, or cannot read its state.
    pub fn people(&mut self, journey: &str) -> Result<Vec<Value>, Error> {
        match self.quietly(&Ask::People { journey: journey.to_owned() })? {
            Answer::People(people) => Ok(people.into_iter().map(Value::from).collect()),
            other => Err(unheard(other)),
        }
    }

    /// What is declared in the generation that runs, and what time it is for the host.
    ///
    /// # Errors
    /// When the host is gone, or cannot read its state.
    pub fn list(&mut self) -> Result<(Vec<Listed>, Timestamp), Error> {
        match self.quietly(&Ask::List)? {
            Answer::Listed { declared, now } => Ok((declared, now)),
            other => Err(unheard(other)),
        }
    }

    /// A script as the host runs it, else as it is on disk.
    ///
    /// # Errors
    /// When the host is gone; `Unheard` when there is no such script.
    pub fn script(&mut self, written: &str) -> Result<Script, Error> {
        match self.quietly(&Ask::Read { written: written.to_owned() })? {
            Answer::Script { file, text } => Ok(Script { file, text: text.into() }),
            other => Err(unheard(other)),
        }
    }

    /// What time it is for the host.
    ///
    /// # Errors
    /// When the host is gone.
    pub fn time(&mut self) -> Result<Timestamp, Error> {
        match self.quietly(&Ask::Time)? {
            Answer::Time(at) => Ok(at),
            other => Err(unheard(other)),
        }
    }

    fn quietly(&mut self, ask: &Ask) -> Result<Answer, Error> {
        let silent: PrintSink = Arc::new(|_| ());
        self.ask(ask, &silent)
    }

    fn ask(&mut self, ask: &Ask, print: &PrintSink) -> Result<Answer, Error> {
        self.cancel.0.1.store(false, Ordering::Relaxed);
        self.cancel.send(ask).map_err(|_| Error::HostGone)?;
        loop {
            let mut line = Vec::new();
            if self.from.read_until(b'\n', &mut line).map_err(|_| Error::HostGone)? == 0 {
                return Err(Error::HostGone);
            }
            match serde_json::from_slice(&line) {
                Ok(Say::Printed { line }) => print(&line),
                Ok(Say::Told { notice }) => (self.notify)(notice.notice()),
                Ok(Say::Answer { answer }) => return Ok(*answer),
                // It broke off in the middle, or lost its way: nothing that follows can be relied on.
                Err(_) => return Err(Error::HostGone),
            }
        }
    }
}

fn unheard(answer: Answer) -> Error {
    match answer {
        Answer::No(reason) => Error::Unheard { reason },
        _ => Error::HostGone,
    }
}

#[cfg(unix)]
fn call(path: &Path) -> io::Result<Stream> {
    Stream::connect(path)
}

#[cfg(not(unix))]
fn call(_path: &Path) -> io::Result<Stream> {
    Err(io::ErrorKind::NotFound.into())
}

/// Why nobody answers: there is no host, it died, or the one there is works on other systems.
fn why(workspace: &Workspace, path: &Path, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::NotFound => {
            let (real, sandbox) = (socket(&workspace.private()), socket(&workspace.sandbox_folder()));
            let elsewhere =
                if path == real { (sandbox, "on the sandbox: add --sandbox") } else { (real, "on the real systems: leave --sandbox out") };
            let other = (elsewhere.0 != path && call(&elsewhere.0).is_ok()).then_some(elsewhere.1);
            Error::NoHost { other }
        }
        io::ErrorKind::ConnectionRefused => Error::DeadHost { path: path.to_owned() },
        _ => Error::Folder { path: path.to_owned(), source },
    }
}
