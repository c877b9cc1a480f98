//! A conversation as a file of tests: what was said, and what it came to.

use std::collections::BTreeMap;

use crate::model::Value;

use super::{
    Evaluated,
    lex::{PieceKind, lex},
};

/// A step of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// An input, and what it came to; of one that failed, the statements that were done, and null.
    Evaluated(String, Evaluated),
    /// The text of a script whose constants and functions were taken.
    Entered(String),
}

/// A definition at the top of an input.
struct Definition {
    text: String,
    /// Of a function: its name, and how many parameters it takes.
    function: Option<(String, usize)>,
}

/// Writes `test(NAME, || ..)` with one assertion per expression. Functions, and the constants that they may use, stand above it, of functions
/// that were defined again the last one; what was said before of the ones before is left out. What has no value stands as it was said.
pub fn saved(name: &str, said: &[Said]) -> String {
    let inputs = || said.iter().filter_map(|step| if let Said::Evaluated(input, _) = step { Some(input.as_str()) } else { None });
    let has_globals = inputs().any(|input| input.contains("global::"));
    let parted: Vec<(Vec<Definition>, String)> = said.iter().map(|step| parted(step, has_globals)).collect();
    let (latest, changed) = latest(&parted);
    let mut above = String::new();
    for (at, definition) in parted.iter().enumerate().flat_map(|(at, (definitions, _))| definitions.iter().map(move |one| (at, one))) {
        if definition.function.as_ref().is_none_or(|function| latest.get(function) == Some(&at)) {
            above.extend([definition.text.as_str(), "\n\n"]);
        }
    }
    let mut body = Body { text: String::new(), last: spare_name(inputs), asks_back: inputs().any(uses_last), named: false };
    for (at, (step, (_, rest))) in said.iter().zip(&parted).enumerate() {
        let Said::Evaluated(_, came) = step else { continue };
        let outdated = at < changed && latest.keys().any(|(function, _)| mentions(rest, function));
        body.say(rest, came, outdated);
    }
    format!("// Saved from a conversation in `tabi repl`.\n{above}test({name:?}, || {{\n{}}});\n", body.text)
}

/// Where each function was defined for the last time, and where one was defined again for the last time.
fn latest(parted: &[(Vec<Definition>, String)]) -> (BTreeMap<(String, usize), usize>, usize) {
    let (mut latest, mut changed) = (BTreeMap::new(), 0);
    for (at, (definitions, _)) in parted.iter().enumerate() {
        for function in definitions.iter().filter_map(|definition| definition.function.clone()) {
            if latest.insert(function, at).is_some_and(|before| before != at) {
                changed = at;
            }
        }
    }
    (latest, changed)
}

/// What stands within the test.
struct Body {
    text: String,
    /// The name of the last value: `_` is one of the REPL alone.
    last: String,
    asks_back: bool,
    /// Whether the last value has its name yet.
    named: bool,
}

impl Body {
    fn say(&mut self, input: &str, came: &Evaluated, outdated: bool) {
        if input.is_empty() {
            return;
        }
        if uses_last(input) && !self.named {
            self.name_last("()");
        }
        let input = with_last_named(input, &self.last);
        let has_value = came.value != Value::Null;
        let is_statement = is_statement(&input);
        if is_statement || !has_value {
            self.line(&format!("{input};"));
        }
        match (has_value, came.is_data) {
            (false, _) => (),
            (true, true) if is_statement || outdated => {
                if self.asks_back {
                    self.name_last(&literal(&came.value));
                }
            }
            (true, false) if is_statement => (),
            (true, false) if self.asks_back => self.name_last(&input),
            (true, false) => self.line(&format!("{input};")),
            (true, true) => {
                let mut said = input;
                if self.asks_back {
                    self.name_last(&said);
                    said.clone_from(&self.last);
                }
                // Nothing equals what is no number.
                if !has_nan(&came.value) {
                    self.line(&format!("assert_eq({said}, {});", literal(&came.value)));
                } else if !self.asks_back {
                    self.line(&format!("{said};"));
                }
            }
        }
    }

    fn name_last(&mut self, expression: &str) {
        self.named = true;
        self.line(&format!("let {} = {expression};", self.last));
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(&indented(text));
    }
}

/// A name that nobody used.
fn spare_name<'i, I: Iterator<Item = &'i str>>(inputs: impl Fn() -> I) -> String {
    let mut name = "last".to_owned();
    while inputs().any(|input| mentions(input, &name)) {
        name.push_str("_value");
    }
    name
}

/// The functions, imports and, where they are asked for, constants of a step, and what else it says. Comments are left out.
fn parted(step: &Said, has_globals: bool) -> (Vec<Definition>, String) {
    let (text, is_input) = match step {
        Said::Entered(text) => (text, false),
        Said::Evaluated(input, _) => (input, true),
    };
    let text = without_comments(text);
    let pieces = lex(&text).pieces;
    let word = |at: usize| pieces.get(at).and_then(|piece| text.get(piece.start..piece.end)).unwrap_or_default();
    let (mut found, mut rest, mut depth, mut begun, mut done) = (Vec::new(), String::new(), 0_usize, None, 0);
    for (at, piece) in pieces.iter().enumerate() {
        match piece.kind {
            PieceKind::Open => depth += 1,
            PieceKind::Close => depth = depth.saturating_sub(1),
            _ => (),
        }
        let begins = match word(at) {
            "fn" | "import" => true,
            "const" => has_globals || !is_input,
            _ => false,
        };
        if begins && depth == 0 && begun.is_none() && piece.kind == PieceKind::Keyword {
            let before = at.checked_sub(1).filter(|before| word(*before) == "private").and_then(|before| pieces.get(before));
            rest.push_str(text.get(done..before.unwrap_or(piece).start).unwrap_or_default());
            begun = Some(at);
        }
        let Some(first) = begun else { continue };
        let is_function = word(first) == "fn";
        let ends = depth == 0 && (if is_function { word(at) == "}" } else { word(at) == ";" } || at + 1 == pieces.len());
        if ends {
            let start = pieces.get(first).map_or(0, |piece| piece.start);
            let end = if is_function || word(at) == ";" { "" } else { ";" };
            let written = text.get(start..piece.end).unwrap_or_default();
            let function = is_function.then(|| (word(first + 1).to_owned(), arity(written)));
            found.push(Definition { text: format!("{written}{end}"), function });
            (begun, done) = (None, piece.end);
        }
    }
    if is_input {
        rest.push_str(text.get(done..).unwrap_or_default());
    } else {
        rest.clear();
    }
    (found, rest.trim().trim_end_matches(';').to_owned())
}

/// Parameters of a function.
fn arity(function: &str) -> usize {
    let inside = function.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inside, _)| inside);
    inside.split(',').filter(|parameter| !parameter.trim().is_empty()).count()
}

fn without_comments(text: &str) -> String {
    let (mut kept, mut done) = (String::new(), 0);
    for piece in lex(text).pieces.iter().filter(|piece| piece.kind == PieceKind::Comment) {
        kept.push_str(text.get(done..piece.start).unwrap_or_default());
        done = piece.end;
    }
    kept.push_str(text.get(done..).unwrap_or_default());
    kept
}

/// Of an input that failed at a place, the statements that were done before.
pub(super) fn done_before(input: &str, line: usize, column: usize) -> &str {
    let above: usize = input.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let row = input.get(above..).unwrap_or_default();
    let failed = above + row.char_indices().nth(column.saturating_sub(1)).map_or(row.len(), |(at, _)| at);
    let (mut depth, mut done) = (0_usize, 0);
    for piece in lex(input).pieces.iter().filter(|piece| piece.end <= failed) {
        match (piece.kind, input.get(piece.start..piece.end)) {
            (PieceKind::Open, _) => depth += 1,
            (PieceKind::Close, _) => depth = depth.saturating_sub(1),
            (PieceKind::Sign, Some(";")) if depth == 0 => done = piece.end,
            _ => (),
        }
    }
    input.get(..done).unwrap_or_default()
}

fn indented(text: &str) -> String {
    text.lines().flat_map(|line| ["    ", line, "\n"]).collect()
}

/// Whether an input is more than one expression.
fn is_statement(input: &str) -> bool {
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
    let first = lex(input).pieces.first().and_then(|piece| input.get(piece.start..piece.end)).unwrap_or_default();
    several || begins.contains(&first)
}

fn uses_last(input: &str) -> bool {
    with_last_named(input, "") != input
}

fn mentions(input: &str, name: &str) -> bool {
    lex(input).pieces.iter().any(|piece| piece.kind != PieceKind::Text && input.get(piece.start..piece.end) == Some(name))
}

fn has_nan(value: &Value) -> bool {
    match value {
        Value::Float(x) => x.is_nan(),
        Value::List(items) => items.iter().any(has_nan),
        Value::Map(record) => record.iter().any(|(_, value)| has_nan(value)),
        _ => false,
    }
}

/// `_` is a name of the REPL alone; it stays where it begins an arm of a `switch`.
fn with_last_named(input: &str, last: &str) -> String {
    let pieces = lex(input).pieces;
    let word = |at: usize| pieces.get(at).and_then(|piece| input.get(piece.start..piece.end));
    let (mut text, mut done) = (String::new(), 0);
    for (at, piece) in pieces.iter().enumerate() {
        if word(at) == Some("_") && !matches!(word(at + 1), Some("=>" | "if")) {
            text.push_str(input.get(done..piece.start).unwrap_or_default());
            text.push_str(last);
            done = piece.end;
        }
    }
    text + input.get(done..).unwrap_or_default()
}

/// A value as scripts write it.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "()".to_owned(),
        // Its digits alone are one too large.
        Value::Int(i64::MIN) => format!("({} - 1)", i64::MIN + 1),
        Value::Bool(_) | Value::Int(_) => value.to_string(),
        Value::Float(x) if !x.is_finite() => format!("({:?} / 0.0)", if x.is_nan() { 0.0 } else { x.signum() }),
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

    #[test]
    fn h6_of_an_input_that_failed_the_statements_before_are_done() {
        assert_eq!(done_before("let a = 1; let b = [2; 3]; a.nope; let c = 3;", 1, 29), "let a = 1; let b = [2; 3];");
        assert_eq!(done_before("let ü = 1;\nif ü == 1 { let d = 1; ü.nope }", 2, 24), "let ü = 1;");
        assert_eq!(done_before("nope", 1, 1), "");
    }
}
