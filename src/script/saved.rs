//! A conversation as a file of tests: what was said, and what it came to.

use crate::model::Value;

use super::{
    Evaluated,
    lex::{PieceKind, lex},
};

/// Writes `test(NAME, || ..)` with one assertion per expression. Functions stand above it; what has no value stands as it was said.
pub fn saved(name: &str, said: &[(String, Evaluated)]) -> String {
    let (mut functions, mut body) = (String::new(), String::new());
    let asks_back = said.iter().any(|(input, _)| uses_last(input));
    for (input, came) in said {
        let input = with_last_named(input.trim());
        let first = lex(&input).pieces.first().and_then(|piece| input.get(piece.start..piece.end)).unwrap_or_default().to_owned();
        if first == "fn" || first == "import" {
            functions.extend([input.as_str(), "\n\n"]);
        } else if is_statement(&input, &first) || !came.is_data || came.value == Value::Null {
            body.push_str(&indented(&format!("{};", input.trim_end_matches(';'))));
        } else if asks_back {
            body.push_str(&indented(&format!("let last = {input};\nassert_eq(last, {});", literal(&came.value))));
        } else {
            body.push_str(&indented(&format!("assert_eq({input}, {});", literal(&came.value))));
        }
    }
    format!("// Saved from a conversation in `tabi repl`.\n{functions}test({name:?}, || {{\n{body}}});\n")
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

    fn came(value: Value) -> Evaluated {
        Evaluated { value, is_data: true }
    }

    #[test]
    fn h6_a_conversation_becomes_a_test() {
        let said = [
            ("fn twice(n) { n * 2 }".to_owned(), came(Value::Null)),
            ("let x = 20".to_owned(), came(Value::Null)),
            ("twice(x)".to_owned(), came(Value::Int(40))),
            ("#{ a: \"q\\\"\" }".to_owned(), came(Value::Map([("a".into(), Value::text("q\""))].into_iter().collect()))),
        ];
        let wanted = "// Saved from a conversation in `tabi repl`.\nfn twice(n) { n * 2 }\n\ntest(\"double\", || {\n    let x = 20;\n    assert_eq(twice(x), 40);\n    assert_eq(#{ a: \"q\\\"\" }, #{ \"a\": \"q\\\"\" });\n});\n";
        assert_eq!(saved("double", &said), wanted);
    }

    #[test]
    fn h6_the_last_value_gets_a_name() {
        let said = [("1".to_owned(), came(Value::Int(1))), ("_ + 1".to_owned(), came(Value::Int(2)))];
        let text = saved("t", &said);
        assert!(text.contains("    let last = 1;\n    assert_eq(last, 1);\n    let last = last + 1;\n    assert_eq(last, 2);\n"), "{text}");
    }
}
