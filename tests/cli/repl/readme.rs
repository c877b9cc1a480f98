//! The conversation in the README, typed as it stands there. (H5)

use crate::support::Workspace;

use super::terminal::Terminal;

const README: &str = include_str!("../../../README.md");

const PROMPT: &str = "tabi> ";

#[test]
fn h5_the_conversation_of_the_readme_goes_as_it_stands_there() {
    let block =
        README.split("**Try things.**").nth(1).and_then(|rest| rest.split("```text\n").nth(1)).and_then(|rest| rest.split("```").next()).unwrap();
    let workspace = Workspace::new();
    let terminal = Terminal::repl(&workspace, 150, false);
    let mut shown = terminal.contents().lines().next().unwrap().to_owned();
    let mut begun = String::new();
    for step in block.split_inclusive('\n').collect::<Vec<_>>().chunk_by(|_, next| !next.starts_with(PROMPT)) {
        let input = step[0].trim_start_matches(PROMPT).trim_end();
        if let Some(typed) = input.strip_suffix('⇥') {
            terminal.press(format!("{typed}\t"));
            begun = typed.to_owned();
            continue;
        }
        // What Tab adds ends where the word does.
        let rest = input.strip_prefix(&std::mem::take(&mut begun)).unwrap_or_else(|| panic!("{input} goes on otherwise than it began"));
        let completed = if rest.len() == input.len() { 0 } else { rest.find(|c: char| !c.is_alphanumeric()).unwrap() };
        terminal.see(&format!("{PROMPT}{}", &input[..input.len() - rest.len() + completed]));
        terminal.say(&rest[completed..]);
        shown.push('\n');
        shown.push_str(step.concat().strip_suffix('\n').unwrap());
        terminal.shows(&format!("{shown}\n{}", PROMPT.trim_end()));
    }
    assert!(workspace.tabi("test bands").ended(0).stdout.contains("1 passed"));
}
