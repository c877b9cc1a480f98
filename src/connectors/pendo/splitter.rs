//! Elements of the list in `{"results": [..]}` (or of a bare list), while the text is still coming.

/// What stands before the list.
const KEY: &[u8] = b"\"results\"";

/// Holds no more than one element and one piece of text.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    text: Vec<u8>,
    /// Everything before is scanned.
    at: usize,
    /// Where the element begins that is being scanned.
    start: Option<usize>,
    depth: u32,
    in_string: bool,
    stage: Stage,
}

#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
enum Stage {
    #[default]
    Before,
    Inside,
    After,
}

impl Splitter {
    pub(super) fn push(&mut self, piece: &[u8]) {
        let done = self.start.unwrap_or(self.at);
        if done > 0 {
            self.text.drain(..done);
            self.at -= done;
            self.start = self.start.map(|_| 0);
        }
        self.text.extend_from_slice(piece);
    }

    /// The list has ended, or there is none (`"results": null`).
    pub(super) fn complete(&self) -> bool {
        self.stage == Stage::After
    }

    /// The next whole element; none until more text comes.
    pub(super) fn next(&mut self) -> Option<&[u8]> {
        if self.stage == Stage::Before {
            self.find_list();
        }
        if self.stage != Stage::Inside {
            return None;
        }
        let range = self.scan()?;
        Some(&self.text[range])
    }

    /// Looks for the bracket that opens the list.
    fn find_list(&mut self) {
        let trimmed = self.text.trim_ascii_start();
        let begin = self.text.len() - trimmed.len();
        if trimmed.first() == Some(&b'[') {
            self.at = begin + 1;
            self.stage = Stage::Inside;
            return;
        }
        let Some(found) = self.text.windows(KEY.len()).position(|w| w == KEY) else { return };
        let mut at = found + KEY.len();
        while let Some(byte) = self.text.get(at) {
            match byte {
                b':' | b' ' | b'\n' | b'\r' | b'\t' => at += 1,
                b'[' => {
                    self.at = at + 1;
                    self.stage = Stage::Inside;
                    return;
                }
                // `null`
                _ => {
                    self.stage = Stage::After;
                    return;
                }
            }
        }
    }

    fn scan(&mut self) -> Option<std::ops::Range<usize>> {
        while let Some(byte) = self.text.get(self.at).copied() {
            let here = self.at;
            self.at += 1;
            if self.in_string {
                match byte {
                    b'"' => self.in_string = false,
                    b'\\' if self.at < self.text.len() => self.at += 1,
                    b'\\' => {
                        // The escaped character has not come yet.
                        self.at = here;
                        return None;
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => {
                    self.start.get_or_insert(here);
                    self.depth += 1;
                }
                b']' if self.depth == 0 => {
                    self.stage = Stage::After;
                    return None;
                }
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0
                        && let Some(start) = self.start.take()
                    {
                        return Some(start..self.at);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Splitter;

    fn split(text: &str, piece: usize) -> (Vec<String>, bool) {
        let mut splitter = Splitter::default();
        let mut found = Vec::new();
        for piece in text.as_bytes().chunks(piece) {
            splitter.push(piece);
            while let Some(element) = splitter.next() {
                found.push(String::from_utf8_lossy(element).into_owned());
            }
        }
        (found, splitter.complete())
    }

    #[test]
    fn elements_come_out_whole_however_the_text_is_cut() {
        let text = r#"{"startTime":1, "results" : [ {"a":"]}\"\\"}, {"b":[{"c":1}]} ], "messages":[]}"#;
        for piece in 1..text.len() {
            let (found, complete) = split(text, piece);
            assert_eq!(found, [r#"{"a":"]}\"\\"}"#, r#"{"b":[{"c":1}]}"#], "in pieces of {piece}");
            assert!(complete);
        }
    }

    #[test]
    fn a_broken_list_is_not_complete() {
        assert_eq!(split(r#"{"results":[{"a":1},{"b"#, 5), (vec![r#"{"a":1}"#.to_owned()], false));
    }

    #[test]
    fn null_and_bare_lists_are_taken() {
        assert_eq!(split(r#"{"results":null}"#, 4), (vec![], true));
        assert_eq!(split(r#" [{"a":1}]"#, 3), (vec![r#"{"a":1}"#.to_owned()], true));
    }
}
