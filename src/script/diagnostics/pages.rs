//! The page of each code: files that trigger it, and the same files mended. `tests/script/pages.rs` runs every one of them.

/// One file of an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Example {
    /// Relative to the workspace. A file under `scripts/` is checked, one under `tests/` is run by `tabi test`, another script by `tabi exec`; `sh` stands for commands.
    pub file: &'static str,
    pub text: &'static str,
}

/// What a code looks like.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Page {
    /// Gives exactly this code.
    pub wrong: Vec<Example>,
    /// The same, mended.
    pub right: Vec<Example>,
}

/// The examples by family. A section begins with `## CODE`; blocks are headed by a language, `wrong`, `right` or `both`, and a file.
const FAMILIES: [&str; 6] = [
    include_str!("pages/files.md"),
    include_str!("pages/language.md"),
    include_str!("pages/declarations.md"),
    include_str!("pages/journeys.md"),
    include_str!("pages/templates.md"),
    include_str!("pages/tests.md"),
];

/// Where a block of rhai belongs that names no file.
const USUAL: &str = "scripts/example.rhai";

/// The page of a code, written in capitals; none for a code without examples.
pub fn page(code: &str) -> Option<Page> {
    let headed = format!("## {code}\n");
    let section = FAMILIES.iter().find_map(|family| family.find(&headed).and_then(|at| family.get(at + headed.len()..)))?;
    let section = section.split("\n## ").next().unwrap_or(section);
    let mut page = Page::default();
    let mut rest = section;
    while let Some((_, block)) = rest.split_once("```") {
        let (head, body) = block.split_once('\n')?;
        let (text, after) = body.split_once("```")?;
        let mut words = head.split_whitespace();
        let language = words.next().unwrap_or_default();
        let side = words.next().unwrap_or_default();
        let file = words.next().unwrap_or(if language == "sh" { "sh" } else { USUAL });
        let example = Example { file, text };
        if side != "right" {
            page.wrong.push(example);
        }
        if side != "wrong" {
            page.right.push(example);
        }
        rest = after;
    }
    (!page.wrong.is_empty()).then_some(page)
}
