//! What ships in the binary may be shipped: every dependency's licence is on the list. Works offline, from what cargo already knows.

use std::process::Command;

/// Licences that allow shipping in a binary under MIT or Apache-2.0. MPL-2.0 asks only that changes to its own files stay open.
const ALLOWED: [&str; 13] = [
    "MIT",
    "MIT-0",
    "Apache-2.0",
    "ISC",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "0BSD",
    "Zlib",
    "BSL-1.0",
    "Unlicense",
    "CC0-1.0",
    "Unicode-3.0",
    "MPL-2.0",
];

#[test]
fn every_dependency_has_a_licence_on_the_list() {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal,build", "--prefix", "none", "--format", "{p}\t{l}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let crates: Vec<(&str, &str)> = text.lines().filter_map(|line| line.trim_end_matches(" (*)").split_once('\t')).collect();
    assert!(crates.len() > 50, "cargo tree listed only {} crates", crates.len());
    let odd: Vec<_> = crates.iter().filter(|(_, licence)| !allowed(licence)).collect();
    assert!(odd.is_empty(), "licences not on the list: {odd:#?}");
}

/// Of alternatives one has to be allowed, of a sum every one. Parentheses bind what `AND` and `OR` join, one level deep as crates write them.
fn allowed(expression: &str) -> bool {
    let flat = expression.replace('/', " OR ");
    split(&flat, " AND ").iter().all(|part| split(part.trim_start_matches('(').trim_end_matches(')'), " OR ").iter().any(|one| single(one)))
}

fn single(licence: &str) -> bool {
    let name = licence.trim_matches(['(', ')', ' ']);
    let name = name.split(" WITH ").next().unwrap_or(name).trim_end_matches('+');
    ALLOWED.contains(&name)
}

/// Splits outside parentheses.
fn split<'t>(text: &'t str, by: &str) -> Vec<&'t str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, c) in text.char_indices() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth == 0 && text[at..].starts_with(by) {
            parts.push(&text[start..at]);
            start = at + by.len();
        }
    }
    parts.push(&text[start..]);
    parts
}

#[test]
fn licence_expressions_are_read_as_written() {
    assert!(allowed("MIT OR GPL-3.0") && allowed("MIT/Apache-2.0") && allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(!allowed("GPL-3.0") && !allowed("MIT AND GPL-3.0") && !allowed("(MIT OR Apache-2.0) AND AGPL-3.0"));
    assert!(allowed("Apache-2.0 WITH LLVM-exception OR GPL-2.0") && allowed("MPL-2.0+"));
}
