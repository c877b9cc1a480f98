//! The conversation at a terminal.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{
    cli::{
        Context, Exit, Failure, docs, list,
        render::{self, BAD, BOLD, DIM, Fold, WARN, many, paint, time},
        show,
    },
    host::{Workspace, clock::moment, on_interrupt},
    model::Value,
    repl::{COMMANDS, Command, Editor, Line, Quiet, Suggest, parse},
    script::{Evaluated, Said, glance, saved},
};

use super::{
    partner::{Cancel, Partner},
    shown::{Planned, shown},
};

/// Records shown at once.
const PAGE: usize = 20;

/// The code of a host that is there no more.
const GONE: &str = "host_gone";

/// Interrupts of one evaluation until the program ends without it.
const ENOUGH: u32 = 3;

/// Who evaluates, shared with completion.
type Shared = Arc<Mutex<Partner>>;

struct Talk<'c> {
    partner: Shared,
    workspace: Workspace,
    live: bool,
    planned: &'c Planned,
    cx: &'c Context,
    busy: Arc<AtomicBool>,
    said: Vec<Said>,
    /// The last value, and how many of its records were shown.
    last: Option<(Evaluated, usize)>,
}

/// What comes after an input.
enum Next {
    Input,
    /// `:live` is to be confirmed.
    Confirm,
    End,
}

/// Talks until Ctrl-D or `:quit`.
pub(super) fn talk(partner: Partner, live: bool, workspace: &Workspace, planned: &Planned, cx: &Context) -> Result<Exit, Failure> {
    // Where the terminal cannot be set, only what is typed ahead is lost.
    let quiet = Quiet::begin().ok().map(Arc::new);
    let ended = converse(partner, live, quiet.as_ref(), workspace, planned, cx);
    quiet.inspect(|quiet| quiet.end());
    ended
}

fn converse(
    partner: Partner,
    live: bool,
    quiet: Option<&Arc<Quiet>>,
    workspace: &Workspace,
    planned: &Planned,
    cx: &Context,
) -> Result<Exit, Failure> {
    let (busy, leave) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    interrupts(partner.cancel(), &busy, &leave, quiet.cloned())?;
    partner.prepare();
    greet(&partner, cx);
    let (name, live_name) = if partner.is_here() { ("tabi", "live") } else { ("host", "host live") };
    let partner = Arc::new(Mutex::new(partner));
    let history = workspace.private().join("history");
    let editor = Editor::open(&history, cx.out.is_colored(), suggest(&partner), leave);
    let mut editor = editor.map_err(|error| Failure::new(Exit::Failed, "io", format!("cannot use {}: {error}", history.display())))?;
    let mut talk = Talk { partner, workspace: workspace.clone(), live, planned, cx, busy, said: Vec::new(), last: None };
    let unreadable = |error| Failure::new(Exit::Failed, "io", format!("the terminal cannot be read: {error}"));
    let ended = loop {
        cx.out.flush();
        let prompt = if talk.live { live_name } else { name };
        let text = match editor.read(prompt).map_err(unreadable)? {
            Line::Typed(text) if text.trim().is_empty() => continue,
            Line::Typed(text) => text,
            Line::Dropped => continue,
            Line::End => break Ok(Exit::Done),
        };
        // What cannot be remembered is still evaluated.
        let _ = editor.remember();
        match talk.take(&text) {
            Ok(Next::Input) => (),
            Ok(Next::End) => break Ok(Exit::Done),
            Ok(Next::Confirm) => {
                talk.ask_for_live();
                let yes = matches!(editor.read("yes/no").map_err(unreadable)?, Line::Typed(answer) if answer.trim() == "yes");
                talk.live(yes);
            }
            Err(failure) => break Err(failure),
        }
    };
    let _ = editor.remember();
    hold(&talk.partner).close();
    ended
}

fn greet(partner: &Partner, cx: &Context) {
    let mut what = "writes are shown, not done; :help lists commands, Ctrl-D leaves".to_owned();
    if let Partner::There(attached) = partner {
        let host = &attached.hello;
        let systems = if host.sandbox { "on the sandbox" } else { "on the real systems" };
        let about = format!("in the host of {} (process {}, {systems}, generation {})", host.root, host.process, host.generation);
        cx.out.line(about);
        what.insert_str(0, "its functions and state are here; ");
    }
    cx.out.line(format!("{} {}", paint(BOLD, "tabi repl"), paint(DIM, what)));
}

/// Ctrl-C ends what is being evaluated; a signal while nothing is ends the conversation.
fn interrupts(cancel: Cancel, busy: &Arc<AtomicBool>, leave: &Arc<AtomicBool>, quiet: Option<Arc<Quiet>>) -> Result<(), Failure> {
    let (busy, leave) = (Arc::clone(busy), Arc::clone(leave));
    let mut asked = 0;
    on_interrupt(move || {
        if !busy.load(Ordering::Relaxed) {
            asked = 0;
            leave.store(true, Ordering::Relaxed);
            return;
        }
        asked = if cancel.requested() { asked + 1 } else { 1 };
        if asked >= ENOUGH {
            quiet.as_ref().inspect(|quiet| quiet.end());
            std::process::exit(Exit::Interrupted as i32);
        }
        cancel.request();
    })?;
    Ok(())
}

fn suggest(partner: &Shared) -> Suggest {
    let partner = Arc::clone(partner);
    Arc::new(move |before, after| hold(&partner).complete(before, after))
}

impl Talk<'_> {
    /// Takes one input. It fails when nobody is left to evaluate.
    fn take(&mut self, text: &str) -> Result<Next, Failure> {
        match parse(text) {
            Some(Command::Quit) => return Ok(Next::End),
            Some(Command::Live) if !self.live => return Ok(Next::Confirm),
            Some(command) => self.command(command)?,
            None => self.evaluate(text)?,
        }
        Ok(Next::Input)
    }

    fn evaluate(&mut self, text: &str) -> Result<(), Failure> {
        self.busy.store(true, Ordering::Relaxed);
        let outcome = hold(&self.partner).evaluate(text, self.live, self.cx);
        self.busy.store(false, Ordering::Relaxed);
        match outcome {
            Ok(evaluated) => {
                shown(&evaluated, Fold::Page(0), self.cx);
                self.planned.show(self.cx);
                self.said.push(Said::Evaluated(text.to_owned(), evaluated.clone()));
                if evaluated.value != Value::Null {
                    self.last = Some((evaluated, PAGE));
                }
                Ok(())
            }
            Err(failure) => {
                self.planned.show(self.cx);
                self.failed(failure)
            }
        }
    }

    /// Shows what went wrong; a host that is gone ends the conversation.
    fn failed(&self, failure: Failure) -> Result<(), Failure> {
        self.cx.out.flush();
        if failure.code == GONE {
            return Err(failure);
        }
        if !failure.shown {
            render::failure(&self.cx.out, &failure);
        }
        Ok(())
    }

    fn command(&mut self, command: Command) -> Result<(), Failure> {
        match command {
            Command::Help(None) => self.help(),
            Command::Help(Some(name)) => return self.other(|cx| docs::docs(&docs::Docs::of(name), cx)),
            Command::Plan => self.live(false),
            Command::Live => self.live(true),
            Command::Reload => return self.reload(),
            Command::Load(file) => return self.load(&file),
            Command::Enter(file) => return self.enter(&file),
            Command::Time(None) => return self.time(),
            Command::Time(Some(set)) => return self.turn(&set),
            Command::Inspect(run) => return self.other(|cx| show::show(&show::Show::of(run), cx)),
            Command::List => return self.other(list::list),
            Command::Full => self.full(),
            Command::More => self.more(),
            Command::SaveTest(name) => self.save(&name),
            Command::People(name) => return self.people(&name),
            Command::Unknown(message) => self.complain(&message),
            Command::Quit => (),
        }
        Ok(())
    }

    /// What another command of the program shows.
    fn other(&self, command: impl FnOnce(&Context) -> Result<Exit, Failure>) -> Result<(), Failure> {
        match command(self.cx) {
            Ok(_) => Ok(()),
            Err(failure) => self.failed(failure),
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

    fn ask_for_live(&self) {
        let systems = if self.workspace.is_sandboxed() { "the sandbox" } else { "the real systems" };
        self.cx.out.line(paint(WARN, format!("From now on everything that writes is done for good, on {systems}. Is that what you want?")));
        self.cx.out.flush();
    }

    fn live(&mut self, live: bool) {
        self.live = live;
        let text =
            if live { paint(WARN, "writes are done from now on; :plan goes back").to_string() } else { "writes are shown, not done".to_owned() };
        self.cx.out.line(text);
    }

    fn time(&self) -> Result<(), Failure> {
        let zone = &self.workspace.config.timezone;
        let now = hold(&self.partner).time();
        match now {
            Ok(now) => self.cx.out.line(format!("{} {}", time(now, zone), zone.iana_name().unwrap_or("UTC"))),
            Err(failure) => return self.failed(failure),
        }
        Ok(())
    }

    fn turn(&self, set: &str) -> Result<(), Failure> {
        let zone = &self.workspace.config.timezone;
        let Some(at) = moment(set, self.workspace.clock.now(), zone) else {
            self.complain(&format!("`{set}` is no time: write 2026-09-07, 2026-09-07T10:00, 2026-09-07T10:00:00Z or +3d"));
            return Ok(());
        };
        let turned = hold(&self.partner).turn(at);
        match turned {
            Ok(()) => self.time(),
            Err(message) => {
                self.complain(&message);
                Ok(())
            }
        }
    }

    fn reload(&self) -> Result<(), Failure> {
        let reloaded = hold(&self.partner).reload(self.cx);
        match reloaded {
            Ok((declarations, findings)) => {
                for finding in findings {
                    self.cx.out.note(finding);
                }
                self.cx.out.line(many(declarations, "declaration"));
                Ok(())
            }
            Err(failure) => self.failed(failure),
        }
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

    fn load(&mut self, written: &str) -> Result<(), Failure> {
        match self.file(written) {
            Ok(file) => match glance(&self.workspace.root, &file.to_string_lossy()) {
                Some(text) => return self.evaluate(&text),
                None => self.complain(&format!("`{written}` is no script: `tabi check` says why")),
            },
            Err(message) => self.complain(&message),
        }
        Ok(())
    }

    fn enter(&mut self, written: &str) -> Result<(), Failure> {
        let file = match self.file(written) {
            Ok(file) => file,
            Err(message) => {
                self.complain(&message);
                return Ok(());
            }
        };
        self.busy.store(true, Ordering::Relaxed);
        let outcome = hold(&self.partner).enter(&file, self.cx);
        self.busy.store(false, Ordering::Relaxed);
        match outcome {
            Ok(()) => {
                self.said.extend(glance(&self.workspace.root, &file.to_string_lossy()).map(|text| Said::Entered(text.to_string())));
                Ok(())
            }
            Err(failure) => self.failed(failure),
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

    fn people(&mut self, name: &str) -> Result<(), Failure> {
        let found = hold(&self.partner).people(name);
        match found {
            Ok(people) => {
                let count = people.len() as u64;
                let evaluated = Evaluated { value: Value::List(people), is_data: true };
                shown(&evaluated, Fold::Page(0), self.cx);
                self.last = Some((evaluated, PAGE));
                self.cx.out.line(paint(DIM, format!("{} of `{name}`", many(count, "participant"))));
                Ok(())
            }
            Err(failure) => self.failed(failure),
        }
    }
}

fn hold(partner: &Shared) -> MutexGuard<'_, Partner> {
    partner.lock().unwrap_or_else(PoisonError::into_inner)
}
