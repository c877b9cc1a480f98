//! The guide and the HTML page: every script line of the guide compiles, every function and code is on the page, which stands alone.

use std::fs;

use tabi::script::{CODES, Generation, Limits, reference};

use crate::support::Workspace;

fn guide() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/docs_page/guide.md")).unwrap()
}

#[test]
fn the_script_lines_of_the_guide_are_sound() {
    let workspace = Workspace::new();
    let guide = guide();
    let blocks: Vec<&str> = guide.split("```rhai\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 10, "{}", blocks.len());
    let files: Vec<String> = (0..blocks.len()).map(|n| format!("scripts/part{n:02}.rhai")).collect();
    for (file, block) in files.iter().zip(&blocks) {
        workspace.write(file, block);
    }
    let paths: Vec<_> = files.iter().map(|file| workspace.path().join(file)).collect();
    let generation = Generation::load(&workspace.path(), &paths, &Limits::default(), None);
    assert_eq!(generation.diagnostics(), []);
    assert_eq!(generation.declared().len(), blocks.len() - 1, "all but the measures");
}

#[test]
fn the_page_has_everything_once_and_asks_for_nothing_else() {
    let workspace = Workspace::new();
    workspace.tabi("docs --html docs.html").ended(0);
    let page = fs::read_to_string(workspace.path().join("docs.html")).unwrap();
    let names = reference().into_iter().map(|entry| entry.name).chain(CODES.iter().map(|code| code.code.to_owned()));
    for name in names {
        assert_eq!(page.matches(&format!("<article id=\"{name}\">")).count(), 1, "{name}");
    }
    for elsewhere in ["src=", "<link", "@import", "url("] {
        assert!(!page.split("<main>").next().unwrap().contains(elsewhere), "{elsewhere}");
    }
    assert!(page.contains("From the three consoles") && page.contains("prefers-color-scheme: dark") && page.contains("name=\"viewport\""));
    balanced(&page);
}

/// Every element that is opened is closed, in order.
fn balanced(page: &str) {
    let body = page.split_once("<main>").unwrap().1.split_once("</main>").unwrap().0;
    let mut open: Vec<&str> = Vec::new();
    for tag in body.split('<').skip(1).map(|rest| rest.split(['>', ' ']).next().unwrap()) {
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed)),
            None if ["br", "hr"].contains(&tag.trim_end_matches('/')) => (),
            None => open.push(tag),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}

#[test]
fn the_guide_is_shown_in_the_terminal() {
    let told = Workspace::new().tabi("docs guide").ended(0).stdout;
    assert!(told.contains("From the three consoles to Tabi") && told.contains("    rule(\"guide-usage\", #{") && !told.contains("```"));
}
