//! The whole reference, the codes and the guide as one HTML page that needs nothing beside it.

use std::fmt::Write as _;

use pulldown_cmark::{Parser, html::push_html};

use crate::script::{CODES, Code, Entry, Example, page};

/// Style, search and the frame.
const FRAME: &str = include_str!("page.html");

/// The page.
pub(super) fn html(entries: &[Entry], guide: &str) -> String {
    let (mut navigation, mut content) = (String::new(), String::new());
    let mut section = |id: &str, title: &str, body: &str| {
        let title = escaped(title);
        // Text is written to memory, which does not fail.
        let _ = write!(navigation, "<a href=\"#{id}\">{title}</a>");
        let _ = write!(content, "<section id=\"{id}\">\n<h2>{title}</h2>\n{body}</section>\n");
    };
    section("guide", "From the three consoles", &guide_sections(guide));
    let mut rest = entries;
    while let Some(first) = rest.first() {
        let length = rest.iter().take_while(|entry| entry.namespace == first.namespace).count();
        let (these, others) = rest.split_at(length);
        let title = if first.namespace.is_empty() { "Everywhere".to_owned() } else { format!("{}::", first.namespace) };
        let id = if first.namespace.is_empty() { "everywhere" } else { &first.namespace };
        section(&format!("in-{id}"), &title, &these.iter().map(function).collect::<String>());
        rest = others;
    }
    section("codes", "Diagnostic codes", &CODES.iter().map(code).collect::<String>());
    let (before, after) = FRAME.split_once("NAVIGATION").unwrap_or((FRAME, ""));
    let (between, end) = after.split_once("CONTENT").unwrap_or((after, ""));
    [before, &navigation, between, &content, end].concat()
}

/// Each section of the guide as an article, so that the search finds it.
fn guide_sections(guide: &str) -> String {
    let mut parts = guide.split("\n## ");
    let head = parts.next().unwrap_or_default();
    let intro = head.split_once('\n').map_or("", |(_, text)| text);
    let articles = parts.enumerate().map(|(at, part)| format!("<article id=\"guide-{}\">\n{}</article>\n", at + 1, markdown(&format!("### {part}"))));
    [markdown(intro)].into_iter().chain(articles).collect()
}

fn function(entry: &Entry) -> String {
    let mut text = format!("<article id=\"{}\">\n", escaped(&entry.name));
    for form in &entry.forms {
        let scripted = if form.scripted { "<p class=\"dim\">Written in rhai: see stdlib/.</p>" } else { "" };
        let examples: String = form.examples.iter().map(|example| block(example)).collect();
        let _ = write!(text, "<h3>{}</h3>\n{}{examples}{scripted}\n", escaped(&form.signature), markdown(&form.text));
    }
    text + "</article>\n"
}

fn code(code: &Code) -> String {
    let page = page(code.code).unwrap_or_default();
    let side = |class: &str, title: &str, examples: &[Example]| -> String {
        let one = |example: &Example| {
            let place = if example.file == "sh" { "in a shell" } else { example.file };
            format!("<p class=\"{class}\">{title} <span class=\"dim\">({})</span></p>{}", escaped(place), block(example.text))
        };
        examples.iter().map(one).collect()
    };
    format!(
        "<article id=\"{0}\">\n<h3>{0} {1}</h3>\n{2}{3}{4}</article>\n",
        code.code,
        escaped(code.title),
        markdown(code.explanation),
        side("wrong", "Gives it", &page.wrong),
        side("right", "Mended", &page.right)
    )
}

fn block(text: &str) -> String {
    format!("<pre><code>{}</code></pre>\n", escaped(text.trim_end()))
}

fn markdown(text: &str) -> String {
    let mut html = String::new();
    push_html(&mut html, Parser::new(text));
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
