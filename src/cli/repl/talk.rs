//! The conversation at a terminal.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    cli::{
        Context, Exit, Failure, docs, list,
        render::{self, BAD, BOLD, DIM, Fold, WARN, many, paint, time},
        show,
    },
    host::{Workspace, catalogue::Catalogue, console::Console, on_interrupt},
    model::Value,
    repl::{COMMANDS, Command, Editor, Line, Suggest, parse},
    script::{self, Entry, Evaluated, complete, glance, reference, saved},
    store::{Participant, ParticipantFilter},
};

use super::shown::{Planned, failure, print, shown};

/// Records shown at once.
const PAGE: usize = 20;

/// Interrupts of one evaluation until the program ends without it.
const ENOUGH: u32 = 3;

/// The conversation, shared with completion.
type Shared = Arc<Mutex<Console>>;

struct Talk<'c> {
    console: Shared,
    catalogue: Catalogue,
    workspace: Workspace,
    planned: &'c Planned,
    cx: &'c Context,
    busy: Arc<AtomicBool>,
    said: Vec<(String, Evaluated)>,
    /// The last value, and how many of its records were shown.
    last: Option<(Evaluated, usize)>,
}

/// Talks until Ctrl-D or `:quit`.
pub(super) fn talk(console: Console, planned: &Planned, cx: &Context) -> Result<Exit, Failure> {
    let workspace = console.workspace().clone();
    let catalogue = Catalogue::new(&workspace, Arc::clone(&console.reach));
    let (busy, leave) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    interrupts(&console, &busy, &leave)?;
    let reach = Arc::clone(&console.reach);
    let console = Arc::new(Mutex::new(console));
    let history = workspace.private().join("history");
    let editor = Editor::open(&history, cx.out.is_colored(), suggest(&console, &catalogue), leave);
    let mut editor = editor.map_err(|error| Failure::new(Exit::Failed, "io", format!("cannot use {}: {error}", history.display())))?;
    let mut talk = Talk { console, catalogue, workspace, planned, cx, busy, said: Vec::new(), last: None };
    cx.out.line(format!("{} {}", paint(BOLD, "tabi repl"), paint(DIM, "writes are shown, not done; :help lists commands, Ctrl-D leaves")));
    loop {
        cx.out.flush();
        let prompt = if hold(&talk.console).live { "live" } else { "tabi" };
        let line = editor.read(prompt).map_err(|error| Failure::new(Exit::Failed, "io", format!("the terminal cannot be read: {error}")))?;
        match line {
            Line::Typed(text) if text.trim().is_empty() => (),
            Line::Typed(text) => {
                // What cannot be remembered is still evaluated.
                let _ = editor.remember();
                if talk.take(&text) {
                    break;
                }
            }
            Line::Dropped => (),
            Line::End => break,
        }
    }
    let _ = editor.remember();
    reach.close();
    Ok(Exit::Done)
}

/// Ctrl-C ends what is being evaluated; a signal while nothing is ends the conversation.
fn interrupts(console: &Console, busy: &Arc<AtomicBool>, leave: &Arc<AtomicBool>) -> Result<(), Failure> {
    let (cancel, busy, leave) = (console.cancel.clone(), Arc::clone(busy), Arc::clone(leave));
    let mut asked = 0;
    on_interrupt(move || {
        if !busy.load(Ordering::Relaxed) {
            asked = 0;
            leave.store(true, Ordering::Relaxed);
            return;
        }
        asked = if cancel.requested() { asked + 1 } else { 1 };
        if asked >= ENOUGH {
            std::process::exit(Exit::Interrupted as i32);
        }
        cancel.request();
    })?;
    Ok(())
}

fn suggest(console: &Shared, catalogue: &Catalogue) -> Suggest {
    let (console, catalogue) = (Arc::clone(console), catalogue.clone());
    let entries: Arc<OnceLock<Vec<Entry>>> = Arc::default();
    let early = Arc::clone(&entries);
    // Read beside the first line that is typed; where there is no thread for it, by the first Tab.
    let _ = std::thread::Builder::new().name("reference".to_owned()).spawn(move || {
        early.get_or_init(reference);
    });
    Arc::new(move |before, after| complete(&hold(&console).script, entries.get_or_init(reference), &catalogue, before, after))
}

impl Talk<'_> {
    /// Takes one input; whether it was the last.
    fn take(&mut self, text: &str) -> bool {
        match parse(text) {
            Some(Command::Quit) => return true,
            Some(command) => self.command(command),
            None => self.evaluate(text),
        }
        false
    }

    fn evaluate(&mut self, text: &str) {
        self.busy.store(true, Ordering::Relaxed);
        let outcome = {
            let mut console = hold(&self.console);
            let print = print(&console, self.cx);
            console.evaluate(text, print)
        };
        self.busy.store(false, Ordering::Relaxed);
        match outcome {
            Ok(evaluated) => {
                shown(&evaluated, Fold::Page(0), self.cx);
                self.planned.show(self.cx);
                self.said.push((text.to_owned(), evaluated.clone()));
                if evaluated.value != Value::Null {
                    self.last = Some((evaluated, PAGE));
                }
            }
            Err(wrong) => {
                self.planned.show(self.cx);
                self.cx.out.flush();
                let failure = failure(&wrong, &hold(&self.console), self.cx);
                self.failed(&failure);
            }
        }
    }

    fn failed(&self, failure: &Failure) {
        if !failure.shown {
            render::failure(&self.cx.out, failure);
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Help(None) => self.help(),
            Command::Help(Some(name)) => self.other(|cx| docs::docs(&docs::Docs::of(name), cx)),
            Command::Plan => self.live(false),
            Command::Live => self.live(true),
            Command::Reload => self.reload(),
            Command::Load(file) => self.load(&file),
            Command::Enter(file) => self.enter(&file),
            Command::Time => {
                let zone = &self.workspace.config.timezone;
                self.cx.out.line(format!("{} {}", time(self.workspace.clock.now(), zone), zone.iana_name().unwrap_or("UTC")));
            }
            Command::Inspect(run) => self.other(|cx| show::show(&show::Show::of(run), cx)),
            Command::List => self.other(list::list),
            Command::Full => self.full(),
            Command::More => self.more(),
            Command::SaveTest(name) => self.save(&name),
            Command::People(name) => self.people(&name),
            Command::Unknown(message) => self.complain(&message),
            Command::Quit => (),
        }
    }

    /// What another command of the program shows.
    fn other(&self, command: impl FnOnce(&Context) -> Result<Exit, Failure>) {
        if let Err(failure) = command(self.cx) {
            self.failed(&failure);
        }
    }

    fn complain(&self, message: &str) {
        self.cx.out.flush();
        self.cx.out.note(format!("{} {message}", paint(BAD, "error:")));
    }

    fn help(&self) {
        for (form, about) in COMMANDS {
            self.cx.out.line(format!("{form:<18} {}", paint(DIM, about)));
        }
        self.cx.out.line(paint(DIM, "`_` is the last value. Tab completes, also fields within SOQL. Ctrl-C ends an evaluation."));
    }

    fn live(&self, live: bool) {
        hold(&self.console).live = live;
        let text = if live { paint(WARN, "writes are done from now on").to_string() } else { "writes are shown, not done".to_owned() };
        self.cx.out.line(text);
    }

    fn reload(&mut self) {
        let loaded = self.workspace.load();
        hold(&self.console).script.reload(&self.workspace.root);
        self.catalogue.reload();
        for finding in loaded.generation.diagnostics() {
            self.cx.out.note(script::render(finding, |file| loaded.generation.text(file), self.cx.out.is_colored()));
        }
        self.cx.out.line(many(loaded.declarations().len() as u64, "declaration"));
    }

    /// A file of the workspace as it is typed here: relative to it or to `scripts/`, `.rhai` may be left out.
    fn file(&self, written: &str) -> Result<PathBuf, String> {
        let root = &self.workspace.root;
        let candidates = [written.to_owned(), format!("{written}.rhai"), format!("scripts/{written}"), format!("scripts/{written}.rhai")];
        let found = candidates.iter().map(|name| root.join(name)).find(|path| path.is_file());
        let path = found.ok_or_else(|| format!("there is no file `{written}` here nor under scripts/"))?;
        let real = path.canonicalize().map_err(|error| format!("`{written}` cannot be read: {error}"))?;
        real.strip_prefix(root).map(Path::to_owned).map_err(|_| format!("`{written}` leads outside the workspace"))
    }

    fn load(&mut self, written: &str) {
        match self.file(written) {
            Ok(file) => match glance(&self.workspace.root, &file.to_string_lossy()) {
                Some(text) => self.evaluate(&text),
                None => self.complain(&format!("`{written}` is no script: `tabi check` says why")),
            },
            Err(message) => self.complain(&message),
        }
    }

    fn enter(&mut self, written: &str) {
        let file = match self.file(written) {
            Ok(file) => file,
            Err(message) => return self.complain(&message),
        };
        let outcome = {
            let mut console = hold(&self.console);
            let print = print(&console, self.cx);
            console.enter(&file, print)
        };
        if let Err(wrong) = outcome {
            let failure = failure(&wrong, &hold(&self.console), self.cx);
            self.failed(&failure);
        }
    }

    fn full(&self) {
        match &self.last {
            Some((evaluated, _)) => shown(evaluated, Fold::Nothing, self.cx),
            None => self.complain("there is no value yet"),
        }
    }

    fn more(&mut self) {
        match &mut self.last {
            Some((evaluated, from)) if matches!(&evaluated.value, Value::List(items) if items.len() > *from) => {
                shown(evaluated, Fold::Page(*from), self.cx);
                *from += PAGE;
            }
            _ => self.complain("there are no more records"),
        }
    }

    fn save(&self, name: &str) {
        let sound = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
        if !sound {
            return self.complain("a test's name has letters, digits, `-` and `_`");
        }
        let file = self.workspace.root.join("tests").join(format!("{name}_test.rhai"));
        if file.exists() {
            return self.complain(&format!("tests/{name}_test.rhai is there already"));
        }
        let written = std::fs::create_dir_all(self.workspace.root.join("tests")).and_then(|()| std::fs::write(&file, saved(name, &self.said)));
        match written {
            Ok(()) => self.cx.out.line(format!("wrote tests/{name}_test.rhai")),
            Err(error) => self.complain(&format!("tests/{name}_test.rhai cannot be written: {error}")),
        }
    }

    fn people(&self, name: &str) {
        let store = match self.workspace.existing_store() {
            Ok(Some(store)) => store,
            Ok(None) => return self.complain("nothing has run here yet"),
            Err(error) => return self.complain(&error.to_string()),
        };
        match store.participants(name, &ParticipantFilter { limit: 1_000, ..ParticipantFilter::default() }) {
            Ok(people) => {
                let rows = people.iter().map(person).collect();
                shown(&Evaluated { value: Value::List(rows), is_data: true }, Fold::Page(0), self.cx);
                self.cx.out.line(paint(DIM, many(people.len() as u64, "participant")));
            }
            Err(error) => self.complain(&error.to_string()),
        }
    }
}

/// Where somebody is in a journey.
fn person(person: &Participant) -> Value {
    let text = |text: Option<&String>| text.map_or(Value::Null, Value::text);
    let fields = [
        ("id", Value::text(person.id.as_i64().to_string())),
        ("email", text(person.email.as_ref())),
        ("state", Value::text(person.state.word())),
        ("step", text(person.step.as_ref())),
        ("since", Value::Instant(person.since)),
        ("due", person.due.map_or(Value::Null, Value::Instant)),
        ("reason", text(person.reason.as_ref())),
    ];
    Value::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

fn hold(console: &Shared) -> MutexGuard<'_, Console> {
    console.lock().unwrap_or_else(PoisonError::into_inner)
}
