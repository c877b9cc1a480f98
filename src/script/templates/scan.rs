//! What can be known about a template from its text: the files it names, the filters it uses, and where a field is used.

/// A tag `{{ .. }}` or `{% .. %}`: where its inside begins, and the inside.
#[derive(Debug, Clone, Copy)]
struct Tag<'t> {
    at: usize,
    text: &'t str,
    is_block: bool,
}

/// Tags in order, comments and raw blocks left out.
fn tags(source: &str) -> Vec<Tag<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(begin) = source.get(at..).and_then(|rest| rest.find('{')).map(|open| at + open) {
        let (close, is_block) = match source.as_bytes().get(begin + 1) {
            Some(b'{') => ("}}", false),
            Some(b'%') => ("%}", true),
            Some(b'#') => ("#}", false),
            _ => {
                at = begin + 1;
                continue;
            }
        };
        let inside = begin + 2;
        let Some(end) = source.get(inside..).and_then(|rest| rest.find(close)).map(|end| inside + end) else { return found };
        at = end + 2;
        let text = source.get(inside..end).unwrap_or_default();
        if close == "#}" {
            continue;
        }
        if is_block && words(text).next() == Some("raw") {
            at = source.get(at..).and_then(|rest| rest.find("endraw")).map_or(source.len(), |end| at + end + "endraw".len());
            continue;
        }
        found.push(Tag { at: inside, text, is_block });
    }
    found
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.trim_start_matches(['-', '+']).split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// Files that a template includes, extends or imports by a name written out, and where the name stands.
pub(super) fn references(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for tag in tags(source).into_iter().filter(|tag| tag.is_block) {
        let inside = tag.text.trim_start_matches(['-', '+']).trim_start();
        let Some(keyword) = ["include", "extends", "import", "from"].into_iter().find(|keyword| words(inside).next() == Some(keyword)) else {
            continue;
        };
        let rest = inside.get(keyword.len()..).unwrap_or_default().trim_start();
        let Some(quote @ ('"' | '\'')) = rest.chars().next() else { continue };
        let Some((name, after)) = rest.get(1..).and_then(|rest| rest.split_once(quote)) else { continue };
        if words(after).collect::<Vec<_>>() != ["ignore", "missing"] {
            found.push((tag.at + tag.text.len() - rest.len(), name.to_owned()));
        }
    }
    found
}

/// Whether a template reckons with a field that is not there: it asks `is defined`, or has a `default`.
pub(super) fn is_guarded(source: &str, path: &str) -> bool {
    let asks = |rest: &str| {
        let rest = rest.trim_start();
        let test: Vec<&str> = words(rest).take(3).collect();
        let filter = rest.strip_prefix('|').map(|rest| words(rest).next());
        matches!(test.as_slice(), ["is", "defined" | "undefined", ..] | ["is", "not", "defined" | "undefined"])
            || matches!(filter, Some(Some("default" | "d")))
    };
    let part_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    tags(source).into_iter().any(|tag| {
        tag.text.match_indices(path).any(|(at, _)| {
            let (before, after) = (tag.text.get(..at).unwrap_or_default(), tag.text.get(at + path.len()..).unwrap_or_default());
            !before.ends_with(part_of_name) && !after.starts_with(part_of_name) && asks(after)
        })
    })
}

/// Filters, and where their names stand.
pub(super) fn filters(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for tag in tags(source) {
        let mut quote = None;
        for (at, c) in tag.text.char_indices() {
            match (quote, c) {
                (Some(open), c) if c == open => quote = None,
                (None, '"' | '\'') => quote = Some(c),
                (None, '|') => {
                    let rest = tag.text.get(at + 1..).unwrap_or_default();
                    let name: String = rest.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    let blanks = rest.len() - rest.trim_start().len();
                    if !name.is_empty() {
                        found.push((tag.at + at + 1 + blanks, name));
                    }
                }
                _ => (),
            }
        }
    }
    found
}

/// Names that a template gives values to: an included one sees them, so they are no fields there.
pub(super) fn locals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    for tag in tags(source).into_iter().filter(|tag| tag.is_block) {
        let mut words = words(tag.text);
        match words.next() {
            Some("for") => found.extend(words.take_while(|word| *word != "in").map(str::to_owned)),
            Some("set" | "with" | "macro" | "import" | "from") => found.extend(words.map(str::to_owned)),
            _ => (),
        }
    }
    found
}

/// Where a field is first used.
pub(super) fn usage(source: &str, path: &str) -> Option<usize> {
    let in_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '.');
    tags(source).into_iter().find_map(|tag| {
        let uses = tag.text.match_indices(path).find(|(at, _)| {
            let (before, after) = (tag.text.get(..*at).and_then(|text| text.chars().next_back()), tag.text.get(at + path.len()..));
            !in_word(before) && !in_word(after.and_then(|text| text.chars().next()).filter(|c| *c != '.'))
        });
        uses.map(|(at, _)| tag.at + at)
    })
}

/// Line and column of a byte, both from 1; columns count characters.
pub(super) fn position(source: &str, byte: usize) -> (u32, u32) {
    let before = source.get(..source.floor_char_boundary(byte)).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let count = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
    (count(before.matches('\n').count()), count(before.get(line_start..).unwrap_or_default().chars().count()))
}
