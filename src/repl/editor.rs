//! Lines of a terminal: several of them while a bracket is open, completed by Tab, remembered in a file that only its owner reads.

use std::{
    borrow::Cow,
    fs::OpenOptions,
    io,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use reedline::{
    ColumnarMenu, Completer, CompletionResult, EditCommand, EditMode, Emacs, FileBackedHistory, KeyCode, KeyModifiers, MenuBuilder as _, Prompt,
    PromptEditMode, PromptHistorySearch, Reedline, ReedlineEvent, ReedlineMenu, ReedlineRawEvent, Signal, Span, ValidationResult, Validator,
    default_emacs_keybindings,
};

use crate::script::{Completion, lex};

use super::{COMMANDS, highlight::Colours};

/// Lines remembered.
const REMEMBERED: usize = 2_000;

const MENU: &str = "completion";

/// What fits behind the first text, with the second behind the cursor.
pub type Suggest = Arc<dyn Fn(&str, &str) -> Vec<Completion> + Send + Sync>;

/// What came of reading a line.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    Typed(String),
    /// Ctrl-C: the line is thrown away.
    Dropped,
    /// Ctrl-D, or a signal: nothing more is typed.
    End,
}

/// A terminal's line editor.
pub struct Editor {
    reedline: Reedline,
}

impl Editor {
    /// An editor that remembers in `history`; without colours where they are not wanted. `leave` ends the reading of a line from outside.
    ///
    /// # Errors
    /// When the history cannot be opened.
    pub fn open(history: &Path, colours: bool, suggest: Suggest, leave: Arc<AtomicBool>) -> io::Result<Self> {
        private(history)?;
        let history = FileBackedHistory::with_file(REMEMBERED, history.to_owned()).map_err(io::Error::other)?;
        let mut keys = default_emacs_keybindings();
        let next = ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext]);
        keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, next);
        keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
        keys.add_binding(KeyModifiers::ALT, KeyCode::Enter, ReedlineEvent::Edit(vec![EditCommand::InsertNewline]));
        let menu = ColumnarMenu::default().with_name(MENU).with_columns(1);
        let mut reedline = Reedline::create()
            .with_history(Box::new(history))
            .with_validator(Box::new(Brackets))
            .with_completer(Box::new(Words(suggest)))
            .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
            .with_edit_mode(Box::new(Keys { keys: Emacs::new(keys), listing: false }))
            .with_quick_completions(true)
            .with_partial_completions(true)
            .with_ansi_colors(colours)
            .with_break_signal(leave)
            .use_bracketed_paste(true);
        if colours {
            reedline = reedline.with_highlighter(Box::new(Colours));
        }
        Ok(Self { reedline })
    }

    /// Reads one input, over as many lines as it takes.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub fn read(&mut self, prompt: &str) -> io::Result<Line> {
        Ok(match self.reedline.read_line(&Sign(prompt))? {
            Signal::Success(text) => Line::Typed(text),
            Signal::CtrlC => Line::Dropped,
            _ => Line::End,
        })
    }

    /// Writes the history down.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub fn remember(&mut self) -> io::Result<()> {
        self.reedline.sync_history()
    }
}

/// The history may hold data: only its owner reads it.
fn private(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    drop(file);
    Ok(())
}

/// The keys of Emacs; besides, a list of completions goes away with the word that it was for. Else Enter at the end of the line would take
/// something from it.
struct Keys {
    keys: Emacs,
    /// Whether a list may be open.
    listing: bool,
}

impl EditMode for Keys {
    fn parse_event(&mut self, event: ReedlineRawEvent) -> ReedlineEvent {
        let event = self.keys.parse_event(event);
        match &event {
            ReedlineEvent::UntilFound(events) if matches!(events.first(), Some(ReedlineEvent::Menu(_))) => self.listing = true,
            ReedlineEvent::Edit(edits) if self.listing && edits.iter().any(ends_a_word) => {
                self.listing = false;
                return ReedlineEvent::Multiple(vec![ReedlineEvent::Esc, event]);
            }
            _ => (),
        }
        event
    }

    fn edit_mode(&self) -> PromptEditMode {
        self.keys.edit_mode()
    }
}

/// Everything but going on with it. Dots and colons lead on to what is within a name.
fn ends_a_word(edit: &EditCommand) -> bool {
    match edit {
        EditCommand::InsertChar(c) => !c.is_alphanumeric() && !"_.:".contains(*c),
        EditCommand::Backspace => false,
        _ => true,
    }
}

struct Brackets;

impl Validator for Brackets {
    fn validate(&self, line: &str) -> ValidationResult {
        let more = !line.trim_start().starts_with([':', '?']) && lex(line).is_incomplete();
        if more { ValidationResult::Incomplete } else { ValidationResult::Complete }
    }
}

struct Words(Suggest);

impl Completer for Words {
    fn complete(&mut self, line: &str, pos: usize) -> CompletionResult {
        let (before, after) = line.split_at_checked(pos).unwrap_or((line, ""));
        let found = if before.starts_with(':') { commands(before) } else { (self.0)(before, after) };
        let shown = found.into_iter().map(|suggestion| reedline::Suggestion {
            span: Span::new(suggestion.start.min(pos), pos),
            description: Some(suggestion.about).filter(|about| !about.is_empty()),
            value: suggestion.text,
            ..reedline::Suggestion::default()
        });
        CompletionResult::fresh(shown.collect::<Vec<_>>())
    }
}

fn commands(before: &str) -> Vec<Completion> {
    let fitting = COMMANDS.iter().map(|(form, about)| (form.split(' ').next().unwrap_or(form), about)).filter(|(word, _)| word.starts_with(before));
    fitting.map(|(word, about)| Completion { text: word.to_owned(), about: (*about).to_owned(), start: 0 }).collect()
}

struct Sign<'p>(&'p str);

impl Prompt for Sign<'_> {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        self.0.into()
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        "".into()
    }

    fn render_prompt_indicator(&self, _mode: PromptEditMode) -> Cow<'_, str> {
        "> ".into()
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        "    | ".into()
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        format!("(search: {}) ", search.term).into()
    }
}
