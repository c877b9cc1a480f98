//! A pseudo-terminal with a command in it: what is typed goes in, the screen is read as a person would.

use std::{
    io::{Read as _, Write},
    sync::{Arc, Condvar, Mutex},
    time::Duration,
};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::support::Workspace;

/// Far more than anything takes: nothing sleeps, each wait ends with what it waits for.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Arc<Mutex<Box<dyn Write + Send>>>,
    screen: Arc<(Mutex<Screen>, Condvar)>,
    _master: Box<dyn MasterPty + Send>,
}

struct Screen {
    parser: vt100::Parser,
    /// Everything that was ever written.
    raw: Vec<u8>,
    ended: bool,
}

impl Terminal {
    /// Starts `tabi repl` in a terminal of so many columns.
    pub(super) fn repl(workspace: &Workspace, columns: u16, colours: bool) -> Self {
        let terminal = Self::start("repl", workspace, columns, colours);
        terminal.see("tabi> ");
        terminal
    }

    /// Starts a command in a terminal of so many columns.
    pub(crate) fn start(subcommand: &str, workspace: &Workspace, columns: u16, colours: bool) -> Self {
        let size = PtySize { rows: 40, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tabi"));
        command.args(subcommand.split_whitespace());
        command.cwd(workspace.path());
        command.env("TERM", "xterm-256color");
        if colours {
            command.env_remove("NO_COLOR");
        } else {
            command.env("NO_COLOR", "1");
        }
        let child = pair.slave.spawn_command(command).unwrap();
        let keys = Arc::new(Mutex::new(pair.master.take_writer().unwrap()));
        let screen = Arc::new((
            Mutex::new(Screen {
                parser: vt100::Parser::new(40.try_into().unwrap(), columns.try_into().unwrap(), 2_000),
                raw: Vec::new(),
                ended: false,
            }),
            Condvar::new(),
        ));
        let mut from = pair.master.try_clone_reader().unwrap();
        let (shown, answers) = (Arc::clone(&screen), Arc::clone(&keys));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = from.read(&mut bytes) {
                let mut screen = shown.0.lock().unwrap();
                screen.parser.process(&bytes[..read]);
                screen.raw.extend_from_slice(&bytes[..read]);
                // Where is the cursor? A terminal answers.
                for _ in bytes[..read].windows(4).filter(|four| four == b"\x1b[6n") {
                    let (row, column) = screen.parser.screen().cursor_position();
                    let _ = write!(answers.lock().unwrap(), "\x1b[{};{}R", row + 1, column + 1);
                }
                drop(screen);
                shown.1.notify_all();
            }
            shown.0.lock().unwrap().ended = true;
            shown.1.notify_all();
        });
        Self { child, keys, screen, _master: pair.master }
    }

    pub(super) fn press(&self, keys: impl AsRef<[u8]>) {
        let mut to = self.keys.lock().unwrap();
        to.write_all(keys.as_ref()).unwrap();
        to.flush().unwrap();
    }

    /// Types a line and Enter.
    pub(super) fn say(&self, line: &str) {
        self.press(line);
        self.press("\r");
    }

    /// Waits until the screen shows a text.
    #[track_caller]
    pub(crate) fn see(&self, text: &str) {
        self.wait(text, |screen| screen.parser.screen().contents().contains(text));
    }

    /// Waits until a text was written, coloured or not.
    #[track_caller]
    pub(super) fn written(&self, text: &str) {
        self.wait(text, |screen| screen.raw.windows(text.len()).any(|found| found == text.as_bytes()));
    }

    /// Waits until the screen shows this and nothing else.
    #[track_caller]
    pub(super) fn shows(&self, all: &str) {
        self.wait(all, |screen| screen.parser.screen().contents().lines().map(str::trim_end).eq(all.lines().map(str::trim_end)));
    }

    /// Waits until so many bytes were written.
    #[track_caller]
    pub(super) fn wrote_bytes(&self, count: usize) {
        self.wait(&format!("{count} bytes"), |screen| screen.raw.len() >= count);
    }

    /// Everything that was ever written.
    pub(super) fn raw(&self) -> Vec<u8> {
        self.screen.0.lock().unwrap().raw.clone()
    }

    pub(super) fn process(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Waits until the last line is an empty prompt.
    #[track_caller]
    pub(super) fn ready(&self) {
        self.wait("an empty prompt", |screen| screen.parser.screen().contents().trim_end().ends_with("\ntabi>"));
    }

    #[track_caller]
    fn wait(&self, wanted: &str, done: impl Fn(&Screen) -> bool) {
        let screen = self.screen.0.lock().unwrap();
        let (screen, late) = self.screen.1.wait_timeout_while(screen, PATIENCE, |screen| !done(screen) && !screen.ended).unwrap();
        assert!(!late.timed_out() && done(&screen), "no {wanted:?} on\n{}", screen.parser.screen().contents());
    }

    /// Waits until the screen shows a text no more.
    #[track_caller]
    pub(crate) fn gone(&self, text: &str) {
        self.wait(text, |screen| !screen.parser.screen().contents().contains(text));
    }

    /// Whether a text was ever written.
    pub(crate) fn wrote(&self, text: &str) -> bool {
        self.screen.0.lock().unwrap().raw.windows(text.len()).any(|found| found == text.as_bytes())
    }

    pub(super) fn contents(&self) -> String {
        self.screen.0.lock().unwrap().parser.screen().contents()
    }

    /// Waits until so many lines of the screen are this text.
    #[track_caller]
    pub(super) fn lines(&self, text: &str, count: usize) {
        self.wait(text, |screen| screen.parser.screen().contents().lines().filter(|line| line.trim_end() == text).count() == count);
    }

    /// How many lines of the screen hold a text.
    pub(super) fn lines_with(&self, text: &str) -> usize {
        self.contents().lines().filter(|line| line.contains(text)).count()
    }

    /// Waits until the command has ended.
    pub(super) fn end(mut self) -> u32 {
        self.child.wait().unwrap().exit_code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
