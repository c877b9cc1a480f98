//! What a mapping reads and writes, as a hash: when it is another one, records that have not changed may still have to be written anew.

use crate::model::System;

use super::{
    Closure,
    declaration::{Body, Cell, Declaration, FieldMap, Mapping, Place},
    journey::{Journey, Participants},
    lex::{Piece, PieceKind, lex},
    sources::Texts,
};

/// BLAKE3 of what a mapping with a cursor reads and writes, hex; empty for every other declaration. `file` is where it is declared, `texts` are
/// that file and what it imports.
///
/// The name of the file, comments, layout, the schedule and other declarations of the file are no part of it. What a closure may use is: the
/// functions, constants and variables of its file, and the imported files as a whole.
pub(super) fn of(declaration: &Declaration, file: &str, texts: &Texts) -> String {
    match &declaration.body {
        Body::Mapping(mapping) if mapping.cursor.is_some() => of_mapping(mapping, file, texts),
        _ => String::new(),
    }
}

fn of_mapping(mapping: &Mapping, file: &str, texts: &Texts) -> String {
    let mut parts = vec![
        serde_json::to_string(&mapping.from).unwrap_or_default(),
        format!("{} {} {:?} {:?}", mapping.to.system, mapping.to.object, mapping.mode, mapping.blank),
        mapping.cursor.as_ref().map(|cursor| cursor.field.clone()).unwrap_or_default(),
        mapping.rows.filter.as_ref().and_then(|filter| serde_json::to_string(filter).ok()).unwrap_or_default(),
        mapping.rows.keep.as_ref().map(|keep| closure_text(keep.place(), texts)).unwrap_or_default(),
    ];
    for (role, maps) in [("match", &mapping.match_on), ("field", &mapping.fields)] {
        parts.extend(sorted(maps.iter().map(|map| format!("{role} {}", field(map, mapping.to.system, texts))).collect()));
    }
    let any_cell = mapping.fields.iter().chain(&mapping.match_on).any(|map| matches!(map.from, Cell::Compute(_)));
    if any_cell || mapping.rows.keep.is_some() {
        let imported = texts.iter().filter(|(name, _)| *name != file).map(|(_, text)| plain(text, &lex(text).pieces));
        parts.extend(texts.get(file).map(|text| surroundings(text)));
        parts.extend(sorted(imported.collect()));
    }
    let mut hasher = blake3::Hasher::new();
    for part in &parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Who takes part in a journey, as a text that layout and comments leave alone.
pub fn participants_shape(journey: &Journey, texts: &Texts) -> String {
    match &journey.participants {
        Participants::List(people) => serde_json::to_string(people).unwrap_or_default(),
        Participants::Source { source, rows, computed } => {
            let mut parts = vec![serde_json::to_string(source).unwrap_or_default(), format!("{:?}", rows.limit)];
            parts.extend(rows.filter.as_ref().and_then(|filter| serde_json::to_string(filter).ok()));
            parts.extend(rows.keep.as_ref().map(|keep| closure_text(keep.place(), texts)));
            parts.extend(sorted(computed.iter().map(|map| field(map, source.system(), texts)).collect()));
            parts.join("\n")
        }
    }
}

/// The words of a closure.
pub fn shown_closure(closure: &Closure, texts: &Texts) -> String {
    closure_text(closure.place(), texts)
}

fn sorted(mut parts: Vec<String>) -> Vec<String> {
    parts.sort();
    parts
}

fn field(map: &FieldMap, to: System, texts: &Texts) -> String {
    let declared = map.declared.as_ref().and_then(|declared| serde_json::to_string(&declared.kind).ok()).unwrap_or_default();
    let from = match &map.from {
        Cell::Field(name) => format!("field {name}"),
        Cell::Constant(value) => format!("constant {} {value}", value.type_name()),
        Cell::RuleDate(date) => format!("rule date {}", date.plus_days),
        Cell::Compute(closure) => format!("closure {}", closure_text(closure.place(), texts)),
    };
    format!("{to} {} {declared} {from}", map.target)
}

/// The words of a closure, from where it begins to where its map, list or call goes on; of the whole file when its begin is not known.
fn closure_text(place: &Place, texts: &Texts) -> String {
    let Some(text) = texts.get(&place.file) else { return String::new() };
    let pieces = lex(text).pieces;
    let begin = offset(text, place).and_then(|at| pieces.iter().position(|piece| piece.start == at));
    let Some(begin) = begin else { return plain(text, &pieces) };
    let mut depth = 0_i32;
    let own = pieces[begin..].iter().take_while(|piece| {
        let word = text.get(piece.start..piece.end).unwrap_or_default();
        match piece.kind {
            PieceKind::Open => depth += 1,
            PieceKind::Close => depth -= 1,
            PieceKind::Sign if depth == 0 && matches!(word, "," | ";") => return false,
            _ => (),
        }
        depth >= 0
    });
    plain(text, &own.copied().collect::<Vec<_>>())
}

/// The byte at which a place stands.
fn offset(text: &str, place: &Place) -> Option<usize> {
    let (line, column) = (usize::try_from(place.line).ok()?.checked_sub(1)?, usize::try_from(place.column).ok()?.checked_sub(1)?);
    let begin = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    let within = text.get(begin..)?.char_indices().nth(column)?.0;
    Some(begin + within)
}

/// A file without its declarations: every statement at its top but bare calls, which can only declare.
fn surroundings(text: &str) -> String {
    let pieces = lex(text).pieces;
    let (mut kept, mut statement, mut depth) = (Vec::new(), Vec::new(), 0_i32);
    for piece in pieces.iter().filter(|piece| piece.kind != PieceKind::Comment) {
        let word = text.get(piece.start..piece.end).unwrap_or_default();
        match piece.kind {
            PieceKind::Open => depth += 1,
            PieceKind::Close => depth -= 1,
            _ => (),
        }
        statement.push(*piece);
        // A block ends its statement without a sign; where the statement goes on all the same, its rest counts as another one.
        if depth == 0 && matches!(word, ";" | "}") {
            keep(text, &mut kept, &mut statement);
        }
    }
    keep(text, &mut kept, &mut statement);
    plain(text, &kept)
}

fn keep(text: &str, kept: &mut Vec<Piece>, statement: &mut Vec<Piece>) {
    let word = |at: usize| statement.get(at).and_then(|piece: &Piece| text.get(piece.start..piece.end)).unwrap_or_default();
    let named = statement.first().is_some_and(|piece| piece.kind == PieceKind::Name);
    let bare_call = named && (word(1) == "(" || (word(1) == "::" && word(3) == "("));
    if !bare_call && word(0) != ";" {
        kept.append(statement);
    }
    statement.clear();
}

/// Pieces joined by blanks, comments left out.
fn plain(text: &str, pieces: &[Piece]) -> String {
    let words = pieces.iter().filter(|piece| piece.kind != PieceKind::Comment).filter_map(|piece| text.get(piece.start..piece.end));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: &str, line: u32, column: u32) -> Place {
        Place { file: file.to_owned(), line, column }
    }

    fn texts(text: &str) -> Texts {
        [("a.rhai".to_owned(), text.into())].into()
    }

    #[test]
    fn a_closure_is_its_own_words_whatever_stands_around_it() {
        let long = "f(#{ a: |r| if r.x { [r.x, 1] } else { g(r) }, // why\n b: |r| r.y })";
        assert_eq!(closure_text(&at("a.rhai", 1, 9), &texts(long)), "| r | if r . x { [ r . x , 1 ] } else { g ( r ) }");
        assert_eq!(closure_text(&at("a.rhai", 2, 5), &texts(long)), "| r | r . y");
        let laid_out = "// é\nf(#{\n  a: |r|  if r.x {\n /* é */ [r.x, 1] } else { g(r) } })";
        assert_eq!(closure_text(&at("a.rhai", 3, 6), &texts(laid_out)), closure_text(&at("a.rhai", 1, 9), &texts(long)));
    }

    #[test]
    fn declarations_and_comments_are_no_surroundings_but_functions_and_constants_are() {
        let text = "// about\nimport \"lib\" as lib;\nconst N = 3;\nmapping(\"a\", #{ x: |r| r.x });\nfn twice(n) { n * 2 }\n\
                    pendo::segment(\"s\", #{});\nfor n in [1] { mapping(`m${n}`, #{}); }";
        assert_eq!(
            surroundings(text),
            "import \"lib\" as lib ; const N = 3 ; fn twice ( n ) { n * 2 } for n in [ 1 ] { mapping ( `m ${ n } ` , # { } ) ; }"
                .replace("# { }", "#{ }")
        );
        assert_eq!(surroundings(&text.replace("|r| r.x", "|r| r.y").replace("// about", "/* a */")), surroundings(text));
        assert_ne!(surroundings(&text.replace("n * 2", "n * 3")), surroundings(text));
    }
}
