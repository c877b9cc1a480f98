//! How far long work is, on a terminal: there while something is read, and gone when it has ended.

use super::repl::terminal::Terminal;
use crate::support::Workspace;

#[test]
fn a_host_that_waits_shows_no_bar() {
    let workspace = Workspace::with_examples(&["pendo_salesforce.rhai"]);
    let terminal = Terminal::start("up", &workspace, 120, false);
    terminal.see("ok       pendo-account");
    terminal.gone("393/");
    terminal.gone("rows, 0s left");
    assert!(!terminal.wrote("  0 rows"), "nothing is shown of nothing");
    assert!(!terminal.wrote("393/200"), "never more than all");
}
