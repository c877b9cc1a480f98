//! Where words, texts and brackets are in a piece of script that may be half-written: what the editor of the REPL colours and closes,
//! and what completion looks at. The engine's own tokenizer tells where tokens begin, not where they end, and stops at the first fault.

/// A coloured piece of script, in bytes. Blanks lie between the pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub kind: PieceKind,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    Comment,
    Keyword,
    Name,
    Number,
    /// A text, or what of a template lies between its `${..}`; its quotes belong to it.
    Text,
    /// `(`, `[`, `{`, `#{`, `${`.
    Open,
    /// `)`, `]`, `}`.
    Close,
    /// `::`, `.`, `+` and the like, one piece per run of signs that belong together.
    Sign,
}

/// What is not closed at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclosed {
    Bracket,
    Comment,
    /// A text that ends with its line; closing it later is too late.
    Quote,
    /// A text that may go on over lines.
    LongText,
}

/// A piece of script, cut up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lexed {
    pub pieces: Vec<Piece>,
    /// The innermost thing that is open at the end.
    pub unclosed: Option<Unclosed>,
}

impl Lexed {
    /// Whether more lines have to come before it can be evaluated.
    pub fn is_incomplete(&self) -> bool {
        matches!(self.unclosed, Some(Unclosed::Bracket | Unclosed::Comment | Unclosed::LongText))
    }
}

/// What the engine keeps for its grammar.
pub(super) const KEYWORDS: [&str; 25] = [
    "let", "const", "if", "else", "switch", "do", "while", "until", "loop", "for", "in", "continue", "break", "return", "throw", "try", "catch",
    "fn", "private", "import", "export", "as", "global", "true", "false",
];

/// What `}` closes.
#[derive(PartialEq)]
enum Frame {
    Bracket(u8),
    /// `${` within a template: its text goes on behind the `}`.
    Hole,
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    frames: Vec<Frame>,
    found: Lexed,
    mismatched: bool,
}

/// Cuts a piece of script up. Any text will do; nothing nests on the stack.
pub fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer { text, at: 0, frames: Vec::new(), found: Lexed::default(), mismatched: false };
    while lexer.found.unclosed.is_none() && lexer.at < text.len() {
        lexer.step();
    }
    if lexer.found.unclosed.is_none() && !lexer.mismatched && !lexer.frames.is_empty() {
        lexer.found.unclosed = Some(Unclosed::Bracket);
    }
    lexer.found
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: PieceKind, length: usize) {
        let (start, end) = (self.at, self.at + length);
        self.found.pieces.push(Piece { kind, start, end });
        self.at = end;
    }

    fn step(&mut self) {
        let Some(first) = self.rest().chars().next() else { return };
        let rest = self.rest();
        match first {
            c if c.is_whitespace() => self.at += c.len_utf8(),
            '/' if rest.starts_with("//") => self.push(PieceKind::Comment, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => self.comment(),
            '"' => self.quoted('"'),
            '\'' => self.quoted('\''),
            '`' => self.template(1),
            '#' if rest.trim_start_matches('#').starts_with('"') => self.raw(),
            '#' if rest.starts_with("#{") => self.open(b'{', 2),
            '(' | '[' | '{' => self.open(rest.as_bytes().first().copied().unwrap_or_default(), 1),
            ')' => self.close(b'('),
            ']' => self.close(b'['),
            '}' => self.close(b'{'),
            c if c.is_ascii_digit() => self.number(),
            c if c.is_alphabetic() || c == '_' => self.word(),
            _ => self.sign(),
        }
    }

    fn open(&mut self, bracket: u8, length: usize) {
        self.frames.push(Frame::Bracket(bracket));
        self.push(PieceKind::Open, length);
    }

    fn close(&mut self, bracket: u8) {
        match self.frames.pop() {
            Some(Frame::Hole) if bracket == b'{' => {
                self.push(PieceKind::Close, 1);
                self.template(0);
                return;
            }
            Some(Frame::Bracket(open)) if open == bracket => (),
            _ => self.mismatched = true,
        }
        self.push(PieceKind::Close, 1);
    }

    fn word(&mut self) {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let keyword = rest.get(..end).is_some_and(|word| KEYWORDS.contains(&word));
        self.push(if keyword { PieceKind::Keyword } else { PieceKind::Name }, end);
    }

    fn number(&mut self) {
        let (bytes, mut end) = (self.rest().as_bytes(), 0);
        while let Some(byte) = bytes.get(end) {
            // `1..5` is a range and `1.max(2)` a call.
            let point = *byte == b'.' && bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
            if !(byte.is_ascii_alphanumeric() || *byte == b'_' || point) {
                break;
            }
            end += 1;
        }
        self.push(PieceKind::Number, end);
    }

    fn sign(&mut self) {
        const LONG: [&str; 24] = [
            "..=", "<<=", ">>=", "**=", "=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "?[", "::", "..", "+=", "-=", "*=", "/=", "%=", "<<",
            ">>", "**",
        ];
        let rest = self.rest();
        let long = LONG.iter().find(|sign| rest.starts_with(**sign)).map(|sign| sign.len());
        if rest.starts_with("?[") {
            self.push(PieceKind::Sign, 1);
            return;
        }
        let length = long.or_else(|| rest.chars().next().map(char::len_utf8)).unwrap_or(1);
        self.push(PieceKind::Sign, length);
    }

    fn comment(&mut self) {
        let (bytes, mut depth, mut end) = (self.rest().as_bytes(), 0_usize, 0);
        while end < bytes.len() {
            match bytes.get(end..end + 2) {
                Some(b"/*") => (depth, end) = (depth + 1, end + 2),
                Some(b"*/") => {
                    (depth, end) = (depth - 1, end + 2);
                    if depth == 0 {
                        self.push(PieceKind::Comment, end);
                        return;
                    }
                }
                _ => end += 1,
            }
        }
        self.push(PieceKind::Comment, end);
        self.found.unclosed = Some(Unclosed::Comment);
    }

    /// A text in quotes: to the end of the line at most, unless a `\` takes it over.
    fn quoted(&mut self, quote: char) {
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => drop(chars.next()),
                '\n' => {
                    self.push(PieceKind::Text, at);
                    self.found.unclosed = None;
                    // The engine refuses it here; what comes behind is coloured all the same.
                    self.mismatched = true;
                    return;
                }
                c if c == quote => return self.push(PieceKind::Text, at + 1),
                _ => (),
            }
        }
        let all = self.rest().len();
        let continues = self.rest().ends_with("\\\n");
        self.push(PieceKind::Text, all);
        self.found.unclosed = Some(if continues { Unclosed::LongText } else { Unclosed::Quote });
    }

    /// The text of a template from here; `skip` bytes are its opening quote.
    fn template(&mut self, skip: usize) {
        let rest = self.rest();
        let mut at = skip;
        loop {
            let Some(next) = rest.get(at..).and_then(|tail| tail.find(['`', '$'])).map(|found| at + found) else {
                let all = rest.len();
                if all > 0 {
                    self.push(PieceKind::Text, all);
                }
                self.found.unclosed = Some(Unclosed::LongText);
                return;
            };
            let tail = rest.get(next..).unwrap_or_default();
            if tail.starts_with("``") {
                at = next + 2;
            } else if tail.starts_with('`') {
                return self.push(PieceKind::Text, next + 1);
            } else if tail.starts_with("${") {
                if next > 0 {
                    self.push(PieceKind::Text, next);
                }
                self.frames.push(Frame::Hole);
                return self.push(PieceKind::Open, 2);
            } else {
                at = next + 1;
            }
        }
    }

    fn raw(&mut self) {
        let rest = self.rest();
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        let closing = format!("\"{}", "#".repeat(hashes));
        let end = rest.get(hashes + 1..).and_then(|tail| tail.find(&closing)).map(|at| hashes + 1 + at + closing.len());
        if let Some(end) = end {
            return self.push(PieceKind::Text, end);
        }
        let all = rest.len();
        self.push(PieceKind::Text, all);
        self.found.unclosed = Some(Unclosed::LongText);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incomplete(text: &str) -> bool {
        lex(text).is_incomplete()
    }

    #[test]
    fn h5_what_is_open_waits_for_more_lines() {
        for open in ["[1,", "fn f(x) {", "#{ a: 1", "`a ${ b", "`a", "/* a /* b */", "#\"raw", "f(\"(\"", "call(|x| x + 1", "\"goes on \\\n"] {
            assert!(incomplete(open), "{open}");
        }
    }

    #[test]
    fn h5_what_is_closed_or_wrong_does_not() {
        for done in ["[1]", "\"(\"", "'('", "`${ #{ a: 1 }.a } {`", "// (", "/* ( */", "#\"(\"#", "1 + 1)", "\"not closed", "}", "", "f(]"] {
            assert!(!incomplete(done), "{done}");
        }
    }

    #[test]
    fn pieces_are_words_texts_and_signs() {
        let text = "let n = `a${x::y(1.5)}b` ?? \"é\"; // end";
        let pieces: Vec<&str> = lex(text).pieces.iter().map(|piece| &text[piece.start..piece.end]).collect();
        let wanted = ["let", "n", "=", "`a", "${", "x", "::", "y", "(", "1.5", ")", "}", "b`", "??", "\"é\"", ";", "// end"];
        assert_eq!(pieces, wanted);
    }
}
