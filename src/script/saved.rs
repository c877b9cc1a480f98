//! A conversation as a file of tests: what was said, and what it came to.

use crate::model::Value;

use super::{
    Evaluated,
    lex::{PieceKind, lex},
};

/// A step of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// An input, and what it came to.
    Evaluated(String, Evaluated),
    /// The text of a script whose constants and functions were taken.
    Entered(String),
}

/// Writes `test(NAME, || ..)` with one assertion per expression. Functions, and the constants that they may use, stand above it; what has no
/// value stands as it was said.
pub fn saved(name: &str, said: &[Said]) -> String {
    let (mut above, mut body) = (String::new(), String::new());
    let asks_back = said.iter().any(|step| matches!(step, Said::Evaluated(input, _) if uses_last(input)));
    let has_globals = said.iter().any(|step| matches!(step, Said::Evaluated(input, _) if input.contains("global::")));
    for step in said {
        let (input, came) = match step {
            Said::Entered(text) => {
                above.push_str(&definitions(text));
                continue;
            }
            Said::Evaluated(input, came) => (with_last_named(input.trim()), came),
        };
        let first = lex(&input).pieces.first().and_then(|piece| input.get(piece.start..piece.end)).unwrap_or_default().to_owned();
        if matches!(first.as_str(), "fn" | "private" | "import") || first == "const" && has_globals {
            let end = if first == "fn" || first == "private" { "" } else { ";" };
            above.extend([input.trim_end_matches(';'), end, "\n\n"]);
        } else if is_statement(&input, &first) || !came.is_data || came.value == Value::Null {
            body.push_str(&indented(&format!("{};", input.trim_end_matches(';'))));
        } else if asks_back {
            body.push_str(&indented(&format!("let last = {input};\nassert_eq(last, {});", literal(&came.value))));
        } else {
            body.push_str(&indented(&format!("assert_eq({input}, {});", literal(&came.value))));
        }
    }
    format!("// Saved from a conversation in `tabi repl`.\n{above}test({name:?}, || {{\n{body}}});\n")
}

/// The functions, constants and imports of a script, without what it declares.
fn definitions(text: &str) -> String {
    let pieces: Vec<_> = lex(text).pieces.into_iter().filter(|piece| piece.kind != PieceKind::Comment).collect();
    let (mut found, mut depth, mut begun) = (String::new(), 0_usize, None);
    for piece in &pieces {
        let word = text.get(piece.start..piece.end).unwrap_or_default();
        match piece.kind {
            PieceKind::Open => depth += 1,
            PieceKind::Close => depth = depth.saturating_sub(1),
            PieceKind::Keyword if depth == 0 && begun.is_none() && matches!(word, "fn" | "const" | "import") => begun = Some((piece.start, word)),
            _ => (),
        }
        let ends = |(_, kind): (usize, &str)| depth == 0 && if kind == "fn" { word == "}" } else { word == ";" };
        if let Some((start, _)) = begun.filter(|begun| ends(*begun)) {
            found.extend([text.get(start..piece.end).unwrap_or_default(), "\n\n"]);
            begun = None;
        }
    }
    found
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["    ", line, "\n"]).collect()
}

/// Whether an input is more than one expression.
fn is_statement(input: &str, first: &str) -> bool {
    let begins = ["let", "const", "if", "for", "while", "loop", "do", "switch", "try", "throw", "return"];
    let mut depth = 0_i32;
    let mut several = false;
    for piece in lex(input).pieces {
        match (piece.kind, input.get(piece.start..piece.end)) {
            (PieceKind::Open, _) => depth += 1,
            (PieceKind::Close, _) => depth -= 1,
            (PieceKind::Sign, Some(";" | "=" | "+=" | "-=")) if depth == 0 => several = true,
            _ => (),
        }
    }
    several || begins.contains(&first)
}

fn uses_last(input: &str) -> bool {
    lex(input).pieces.iter().any(|piece| input.get(piece.start..piece.end) == Some("_"))
}

/// `_` is a name of the REPL alone; it stays where it begins an arm of a `switch`.
fn with_last_named(input: &str) -> String {
    let pieces = lex(input).pieces;
    let word = |at: usize| pieces.get(at).and_then(|piece| input.get(piece.start..piece.end));
    let (mut text, mut done) = (String::new(), 0);
    for (at, piece) in pieces.iter().enumerate() {
        if word(at) == Some("_") && !matches!(word(at + 1), Some("=>" | "if")) {
            text.push_str(input.get(done..piece.start).unwrap_or_default());
            text.push_str("last");
            done = piece.end;
        }
    }
    text + input.get(done..).unwrap_or_default()
}

/// A value as scripts write it.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "()".to_owned(),
        Value::Bool(_) | Value::Int(_) => value.to_string(),
        Value::Float(x) => format!("{x:?}"),
        Value::Text(text) => quoted(text),
        Value::Date(date) => format!("date(\"{date}\")"),
        Value::Instant(at) => format!("timestamp(\"{at}\")"),
        Value::List(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Map(record) => {
            let entries: Vec<String> = record.iter().map(|(name, value)| format!("{}: {}", quoted(name), literal(value))).collect();
            if entries.is_empty() { "#{}".to_owned() } else { format!("#{{ {} }}", entries.join(", ")) }
        }
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.extend(["\\u", &format!("{:04x}", u32::from(c))]),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(input: &str, value: Value) -> Said {
        Said::Evaluated(input.to_owned(), Evaluated { value, is_data: true })
    }

    #[test]
    fn h6_a_conversation_becomes_a_test() {
        let said = [
            said("fn twice(n) { n * 2 }", Value::Null),
            said("let x = 20", Value::Null),
            said("twice(x)", Value::Int(40)),
            said("#{ a: \"q\\\"\" }", Value::Map([("a".into(), Value::text("q\""))].into_iter().collect())),
        ];
        let wanted = "// Saved from a conversation in `tabi repl`.\nfn twice(n) { n * 2 }\n\ntest(\"double\", || {\n    let x = 20;\n    assert_eq(twice(x), 40);\n    assert_eq(#{ a: \"q\\\"\" }, #{ \"a\": \"q\\\"\" });\n});\n";
        assert_eq!(saved("double", &said), wanted);
    }

    #[test]
    fn h6_the_last_value_gets_a_name() {
        let said = [said("1", Value::Int(1)), said("_ + 1", Value::Int(2))];
        let text = saved("t", &said);
        assert!(text.contains("    let last = 1;\n    assert_eq(last, 1);\n    let last = last + 1;\n    assert_eq(last, 2);\n"), "{text}");
    }

    #[test]
    fn h6_a_script_that_was_entered_comes_along_without_its_declarations() {
        let script = "// About.\nconst LIMIT = 10; // ten\nprivate fn over(n) { if n > global::LIMIT { true } else { false } }\nrule(\"r\", #{ fields: |x| { x } });\n";
        let text = saved("t", &[Said::Entered(script.to_owned()), said("over(11)", Value::Bool(true))]);
        let wanted = "const LIMIT = 10;\n\nfn over(n) { if n > global::LIMIT { true } else { false } }\n\ntest(\"t\", || {\n    assert_eq(over(11), true);\n});\n";
        assert!(text.ends_with(wanted) && !text.contains("rule"), "{text}");
    }
}
