//! The commands of the REPL: everything that begins with a colon, and `?name`.

/// What a line asks for that is no expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// All commands, or a page of the reference.
    Help(Option<String>),
    Plan,
    Live,
    Reload,
    Load(String),
    Enter(String),
    /// What time it is, or what it is to be.
    Time(Option<String>),
    Inspect(String),
    List,
    Full,
    More,
    SaveTest(String),
    Attach,
    People(String),
    Quit,
    /// Not a command, and what to say about it.
    Unknown(String),
}

/// Each command as it is written, with its meaning.
pub const COMMANDS: [(&str, &str); 15] = [
    (":help [NAME]", "this list, or what a function or a code means; also ?NAME"),
    (":plan", "writes are shown, not done (as at the start)"),
    (":live", "writes are done, once you have said yes to it"),
    (":reload", "read scripts and declarations anew; variables and functions stay"),
    (":load FILE", "evaluate a file here"),
    (":enter FILE", "go into a script: its constants and functions are here; it declares nothing"),
    (":time [SET]", "what time it is; the sandbox's is set by `2026-09-07`, `2026-09-07T10:00`, `+3d`"),
    (":inspect RUN", "one run with its rejected rows; `last` for the newest"),
    (":list", "what is declared; attached, what runs in the host"),
    (":people NAME", "who is in a journey; `_` holds them"),
    (":full", "the last value, all of it"),
    (":more", "more records of the last table"),
    (":save test NAME", "what was typed and what it gave, as tests/NAME_test.rhai"),
    (":attach", "go on in the host that runs, also when the one before has ended; variables begin anew"),
    (":quit", "leave; also Ctrl-D"),
];

/// The command that a line is; none when it is to be evaluated.
pub fn parse(line: &str) -> Option<Command> {
    let line = line.trim();
    if let Some(name) = line.strip_prefix('?') {
        return Some(Command::Help(Some(name.trim().to_owned()).filter(|name| !name.is_empty())));
    }
    let words: Vec<&str> = line.strip_prefix(':')?.split_whitespace().collect();
    let usage = |of: &str| {
        let form = COMMANDS.iter().find(|(form, _)| form.trim_start_matches(':').starts_with(of)).map_or(of, |(form, _)| form);
        Some(Command::Unknown(format!("write it as `{form}`")))
    };
    let one = |make: fn(String) -> Command, of: &str| if let [_, argument] = words[..] { Some(make(argument.to_owned())) } else { usage(of) };
    match words.first().copied().unwrap_or_default() {
        "help" | "h" => Some(Command::Help(words.get(1).map(|name| (*name).to_owned()))),
        "plan" => Some(Command::Plan),
        "live" => Some(Command::Live),
        "reload" => Some(Command::Reload),
        "load" => one(Command::Load, "load"),
        "enter" => one(Command::Enter, "enter"),
        "time" => Some(Command::Time(Some(words.get(1..).unwrap_or_default().join(" ")).filter(|set| !set.is_empty()))),
        "inspect" => one(Command::Inspect, "inspect"),
        "attach" => Some(Command::Attach),
        "list" => Some(Command::List),
        "people" => one(Command::People, "people"),
        "full" => Some(Command::Full),
        "more" => Some(Command::More),
        "save" if words.get(1) == Some(&"test") && words.len() == 3 => words.get(2).map(|name| Command::SaveTest((*name).to_owned())),
        "save" => usage("save"),
        "quit" | "q" | "exit" => Some(Command::Quit),
        other => Some(Command::Unknown(format!("there is no command `:{other}`; `:help` lists them"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h5_commands_are_read_as_listed() {
        for (form, _) in COMMANDS {
            let written = form.replace(['[', ']'], "");
            assert!(!matches!(parse(&written), None | Some(Command::Unknown(_))), "{form}");
        }
        assert_eq!(parse("?rule"), Some(Command::Help(Some("rule".into()))));
        assert_eq!(parse("1 + 1"), None);
        assert_eq!(parse(":load"), Some(Command::Unknown("write it as `:load FILE`".into())));
    }
}
