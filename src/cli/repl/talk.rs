//! The conversation at a terminal.

use std::{
    path::Path,
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
    host::{Workspace, attach::Attached, clock::moment, on_interrupt},
    model::Value,
    repl::{COMMANDS, Command, Editor, Line, Quiet, Suggest, parse},
    script::{Evaluated, Said, saved},
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
    /// Of the partner at the moment, which is held while it evaluates.
    cancel: Arc<Mutex<Cancel>>,
    /// The host has ended.
    gone: bool,
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
    let cancel = Arc::new(Mutex::new(partner.cancel()));
    interrupts(&cancel, &busy, &leave, quiet.cloned())?;
    partner.prepare();
    greet(&partner, cx);
    let partner = Arc::new(Mutex::new(partner));
    let history = workspace.private().join("history");
    let editor = Editor::open(&history, cx.out.is_colored(), suggest(&partner), leave);
    let mut editor = editor.map_err(|error| Failure::new(Exit::Failed, "io", format!("cannot use {}: {error}", history.display())))?;
    let workspace = workspace.clone();
    let mut talk = Talk { partner, cancel, gone: false, workspace, live, planned, cx, busy, said: Vec::new(), last: None };
    let unreadable = |error| Failure::new(Exit::Failed, "io", format!("the terminal cannot be read: {error}"));
    let ended = loop {
        cx.out.flush();
        let text = match editor.read(talk.prompt()).map_err(unreadable)? {
            Line::Typed(text) if text.trim().is_empty() => continue,
            Line::Typed(text) => text,
            Line::Dropped => continue,
            Line::End => break Ok(Exit::Done),
        };
        // What cannot be remembered is still evaluated.
        let _ = editor.remember();
        match talk.take(&text) {
            Next::Input => (),
            Next::End => break Ok(Exit::Done),
            Next::Confirm => {
                talk.ask_for_live();
                let yes = matches!(editor.read("yes/no").map_err(unreadable)?, Line::Typed(answer) if answer.trim() == "yes");
                talk.live(yes);
            }
        }
    };
    let _ = editor.remember();
    hold(&talk.partner).close();
    ended
}

fn greet(partner: &Partner, cx: &Context) {
    let mut what = "writes are shown, not done; :help lists commands, Ctrl-D leaves".to_owned();
    if let Partner::There(attached) = partner {
        cx.out.line(about(attached));
        what.insert_str(0, "its functions and state are here; ");
    }
    cx.out.line(format!("{} {}", paint(BOLD, "tabi repl"), paint(DIM, what)));
}

fn about(attached: &Attached) -> String {
    let host = &attached.hello;
    let systems = if host.sandbox { "on the sandbox" } else { "on the real systems" };
    format!("in the host of {} (process {}, {systems}, generation {})", host.root, host.process, host.generation)
}

/// Ctrl-C ends what is being evaluated; a signal while nothing is ends the conversation.
fn interrupts(cancel: &Arc<Mutex<Cancel>>, busy: &Arc<AtomicBool>, leave: &Arc<AtomicBool>, quiet: Option<Arc<Quiet>>) -> Result<(), Failure> {
    let (cancel, busy, leave) = (Arc::clone(cancel), Arc::clone(busy), Arc::clone(leave));
    let mut asked = 0;
    on_interrupt(move || {
        if !busy.load(Ordering::Relaxed) {
            asked = 0;
            leave.store(true, Ordering::Relaxed);
            return;
        }
        let cancel = hold(&cancel).clone();
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
    fn prompt(&self) -> &'static str {
        match (hold(&self.partner).is_here(), self.live) {
            (true, false) => "tabi",
            (true, true) => "live",
            (false, _) if self.gone => "no host",
            (false, false) => "host",
            (false, true) => "host live",
        }
    }

    /// Takes one input.
    fn take(&mut self, text: &str) -> Next {
        let command = parse(text);
        match command {
            Some(Command::Quit) => return Next::End,
            Some(Command::Live) if self.gone => self.complain("there is no host: `:attach` calls the one that runs now"),
            Some(Command::Live) if !self.live => return Next::Confirm,
            command => {
                self.busy.store(true, Ordering::Relaxed);
                match command {
                    Some(command) => self.command(command),
                    None => self.evaluate(text),
                }
                self.busy.store(false, Ordering::Relaxed);
            }
        }
        Next::Input
    }

    fn evaluate(&mut self, text: &str) {
        let outcome = hold(&self.partner).evaluate(text, self.live, self.cx);
        match outcome {
            Ok(evaluated) => {
                shown(&evaluated, Fold::Page(0), self.cx);
                self.planned.show(self.cx);
                self.said.push(Said::Evaluated(text.to_owned(), evaluated.clone()));
                if evaluated.value != Value::Null {
                    self.last = Some((evaluated, PAGE));
                }
            }
            Err(stopped) => {
                self.planned.show(self.cx);
                if !stopped.done.is_empty() {
                    self.said.push(Said::Evaluated(stopped.done, Evaluated { value: Value::Null, is_data: true }));
                }
                self.failed(*stopped.failure);
            }
        }
    }

    /// Shows what went wrong. A host that is gone is one of the things that can.
    fn failed(&mut self, failure: Failure) {
        self.cx.out.flush();
        let failure = if failure.code == GONE { self.ended(failure) } else { failure };
        if !failure.shown {
            render::failure(&self.cx.out, &failure);
        }
    }

    fn ended(&mut self, failure: Failure) -> Failure {
        let message = if self.gone { "there is no host" } else { "the host has ended, and with it the variables and functions of this conversation" };
        (self.gone, self.live) = (true, false);
        Failure { message: message.to_owned(), ..failure }.hint("`:attach` goes on in the host that runs by then; `tabi up` starts one")
    }

    /// Goes on in the host that runs now, with nothing said yet.
    fn attach(&mut self) {
        let there = !hold(&self.partner).is_here();
        if there && hold(&self.partner).time().is_ok() {
            return self.complain("this is a conversation in the running host already");
        }
        match Partner::there(&self.workspace, self.planned, self.cx) {
            Ok(partner) => {
                if let Partner::There(attached) = &partner {
                    self.cx.out.line(format!("{}; variables and functions begin anew, writes are shown", about(attached)));
                }
                *hold(&self.cancel) = partner.cancel();
                std::mem::replace(&mut *hold(&self.partner), partner).close();
                (self.gone, self.live, self.last) = (false, false, None);
                self.said.clear();
            }
            Err(failure) => self.failed(failure),
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
            Command::Time(None) => self.time(),
            Command::Time(Some(set)) => self.turn(&set),
            Command::Inspect(run) => self.other(|cx| show::show(&show::Show::of(run), cx)),
            Command::List => self.list(),
            Command::Full => self.full(),
            Command::More => self.more(),
            Command::SaveTest(name) => self.save(&name),
            Command::Attach => self.attach(),
            Command::People(name) => self.people(&name),
            Command::Unknown(message) => self.complain(&message),
            Command::Quit => (),
        }
    }

    /// What another command of the program shows.
    fn other(&mut self, command: impl FnOnce(&Context) -> Result<Exit, Failure>) {
        if let Err(failure) = command(self.cx) {
            self.failed(failure);
        }
    }

    fn list(&mut self) {
        let listed = hold(&self.partner).list();
        match listed {
            Ok(Some((declared, now))) => list::show(&declared, now, &self.workspace.config.timezone, self.cx),
            Ok(None) => self.other(list::list),
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

    fn time(&mut self) {
        let now = hold(&self.partner).time();
        let zone = &self.workspace.config.timezone;
        match now {
            Ok(now) => self.cx.out.line(format!("{} {}", time(now, zone), zone.iana_name().unwrap_or("UTC"))),
            Err(failure) => self.failed(failure),
        }
    }

    fn turn(&mut self, set: &str) {
        let Some(at) = moment(set, self.workspace.clock.now(), &self.workspace.config.timezone) else {
            return self.complain(&format!("`{set}` is no time: write 2026-09-07, 2026-09-07T10:00, 2026-09-07T10:00:00Z or +3d"));
        };
        let turned = hold(&self.partner).turn(at);
        match turned {
            Ok(()) => self.time(),
            Err(message) => self.complain(&message),
        }
    }

    fn reload(&mut self) {
        let reloaded = hold(&self.partner).reload(self.cx);
        match reloaded {
            Ok((declarations, findings)) => {
                for finding in findings {
                    self.cx.out.note(finding);
                }
                self.cx.out.line(many(declarations, "declaration"));
            }
            Err(failure) => self.failed(failure),
        }
    }

    fn load(&mut self, written: &str) {
        let found = hold(&self.partner).script(written);
        match found {
            Ok(script) => self.evaluate(&script.text),
            Err(failure) => self.failed(failure),
        }
    }

    fn enter(&mut self, written: &str) {
        let entered = {
            let mut partner = hold(&self.partner);
            partner.script(written).and_then(|script| partner.enter(Path::new(&script.file), self.cx).map(|()| script.text))
        };
        match entered {
            Ok(text) => self.said.push(Said::Entered(text.to_string())),
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

    fn people(&mut self, name: &str) {
        let found = hold(&self.partner).people(name);
        match found {
            Ok(people) => {
                let count = people.len() as u64;
                let evaluated = Evaluated { value: Value::List(people), is_data: true };
                shown(&evaluated, Fold::Page(0), self.cx);
                self.last = Some((evaluated, PAGE));
                self.cx.out.line(paint(DIM, format!("{} of `{name}`", many(count, "participant"))));
            }
            Err(failure) => self.failed(failure),
        }
    }
}

fn hold<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
