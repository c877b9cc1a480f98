//! What could be written next: names of the API with their signatures, variables and their keys, and the systems' own objects and fields
//! wherever a function takes them, within SOQL too.

use crate::model::{Field, FieldType, System, Value};

use super::{
    Console,
    docs::Entry,
    lex::{KEYWORDS, Piece, PieceKind, Unclosed, lex},
    value::from_dynamic,
};

/// One thing that fits: `text` in place of the bytes from `start` to the cursor.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Completion {
    pub text: String,
    /// A signature, a type, a label.
    pub about: String,
    pub start: usize,
}

/// What the systems and the workspace have.
pub trait Catalogue {
    /// Names of a system's objects.
    fn objects(&self, system: System) -> Vec<String>;
    /// Fields of an object; none when it is not known yet, or there is no such object.
    fn fields(&self, system: System, object: &str) -> Vec<Field>;
    /// Names of declarations, each with its kind.
    fn declared(&self) -> Vec<(String, String)>;
}

/// As many as anybody looks at.
const MOST: usize = 200;

/// Everything that fits behind `before`; `after` is what stands behind the cursor.
pub fn complete(console: &Console, reference: &[Entry], catalogue: &dyn Catalogue, before: &str, after: &str) -> Vec<Completion> {
    let lexed = lex(before);
    let within_text = matches!(lexed.unclosed, Some(Unclosed::Quote | Unclosed::LongText));
    let pieces: Vec<Piece> = lexed.pieces.into_iter().filter(|piece| piece.kind != PieceKind::Comment).collect();
    let cx = Context { before, pieces, console, reference, catalogue };
    let mut found = match (lexed.unclosed, cx.pieces.split_last()) {
        (Some(Unclosed::Comment), _) => Vec::new(),
        (_, Some((text, _))) if within_text => cx.in_text(text.start, after),
        _ => cx.in_code(),
    };
    found.truncate(MOST);
    found
}

struct Context<'c> {
    before: &'c str,
    pieces: Vec<Piece>,
    console: &'c Console,
    reference: &'c [Entry],
    catalogue: &'c dyn Catalogue,
}

/// A call whose arguments are being written.
struct Call<'c> {
    namespace: &'c str,
    name: &'c str,
    /// The argument the cursor is in, from 0.
    argument: usize,
    /// The first argument, when it is a text.
    first: Option<&'c str>,
}

impl<'c> Context<'c> {
    fn word(&self, at: usize) -> &'c str {
        self.pieces.get(at).and_then(|piece| self.before.get(piece.start..piece.end)).unwrap_or_default()
    }

    /// The innermost call around the piece at `at`, and whether the cursor is directly within a map of it.
    fn call(&self, at: usize) -> Option<(Call<'c>, bool)> {
        let (mut depth, mut argument, mut in_map, mut at) = (0_usize, 0, false, at);
        while at > 0 {
            at -= 1;
            match (self.pieces.get(at)?.kind, self.word(at)) {
                (PieceKind::Close, _) => depth += 1,
                (PieceKind::Open, "(") if depth == 0 => return Some((self.call_at(at, argument)?, in_map)),
                (PieceKind::Open, open) if depth == 0 => {
                    in_map = in_map || open == "#{";
                    argument = 0;
                }
                (PieceKind::Open, _) => depth -= 1,
                (PieceKind::Sign, ",") if depth == 0 => argument += 1,
                _ => (),
            }
        }
        None
    }

    fn call_at(&self, open: usize, argument: usize) -> Option<Call<'c>> {
        let name = open.checked_sub(1).filter(|at| self.pieces.get(*at).is_some_and(|piece| piece.kind == PieceKind::Name))?;
        let namespace = if name >= 2 && self.word(name - 1) == "::" { self.word(name - 2) } else { "" };
        let first = self.pieces.get(open + 1).filter(|piece| piece.kind == PieceKind::Text).map(|_| self.word(open + 1).trim_matches(['"', '`']));
        Some(Call { namespace, name: self.word(name), argument, first })
    }

    /// The name of the parameter that an argument is for.
    fn parameter(&self, call: &Call) -> Option<&'c str> {
        let full = |entry: &&Entry| entry.namespace == call.namespace && entry.name.rsplit("::").next() == Some(call.name);
        let signature = &self.reference.iter().find(full)?.forms.first()?.signature;
        let inside = signature.split_once('(')?.1.trim_end_matches(')');
        Some(inside.split(", ").nth(call.argument)?.split(':').next().unwrap_or_default().trim())
    }

    fn in_text(&self, start: usize, after: &str) -> Vec<Completion> {
        let written = self.before.get(start + 1..).unwrap_or_default();
        let Some((call, in_map)) = self.call(self.pieces.len() - 1) else { return Vec::new() };
        if in_map {
            return Vec::new();
        }
        let system = call.namespace.parse::<System>().ok();
        match (self.parameter(&call), system) {
            (Some("statement"), Some(System::Salesforce)) => soql(self.catalogue, start + 1, written, after),
            (Some("object"), Some(system)) => named(start + 1, written, self.catalogue.objects(system), |_| String::new()),
            (Some("name"), Some(system)) if call.name == "object" => named(start + 1, written, self.catalogue.objects(system), |_| String::new()),
            _ if call.name == "declared" || call.name == "participants" => {
                let declared = self.catalogue.declared().into_iter();
                let fitting = declared.filter(|(name, _)| starts(name, written));
                fitting.map(|(text, about)| Completion { text, about, start: start + 1 }).collect()
            }
            _ => Vec::new(),
        }
    }

    fn in_code(&self) -> Vec<Completion> {
        let touches = self.pieces.last().filter(|piece| piece.end == self.before.len());
        let typed = touches.filter(|piece| matches!(piece.kind, PieceKind::Name | PieceKind::Keyword));
        let (end, start) = typed.map_or((self.pieces.len(), self.before.len()), |piece| (self.pieces.len() - 1, piece.start));
        let written = self.before.get(start..).unwrap_or_default();
        let previous = end.checked_sub(1).map_or("", |at| self.word(at));
        match previous {
            "::" => self.members(self.word(end.saturating_sub(2)), start, written),
            "." | "?." => self.keys(end - 1, start, written),
            "#{" | "," => self.fields(end, start, written).unwrap_or_else(|| self.anything(start, written)),
            _ => self.anything(start, written),
        }
    }

    /// Functions of a namespace.
    fn members(&self, namespace: &str, start: usize, written: &str) -> Vec<Completion> {
        let own = self.reference.iter().filter(|entry| entry.namespace == namespace);
        let names = own.map(|entry| (entry.name.rsplit("::").next().unwrap_or_default(), entry));
        names.filter(|(name, _)| starts(name, written)).map(|(name, entry)| suggestion(name, about(entry), start)).collect()
    }

    /// Keys of a variable that holds a record, or of the items of one that holds records (`rows[0].`), and the methods that fit anything.
    fn keys(&self, dot: usize, start: usize, written: &str) -> Vec<Completion> {
        let Some(mut at) = dot.checked_sub(1) else { return Vec::new() };
        let indexed = self.word(at) == "]";
        if indexed {
            while at > 0 && self.word(at) != "[" {
                at -= 1;
            }
            at = at.saturating_sub(1);
        }
        let held = self.console.variables().find(|(name, _)| *name == self.word(at)).map(|(_, value)| value);
        let Some(value) = held else { return Vec::new() };
        let record = if indexed { value.as_array_ref().ok().and_then(|items| items.first().cloned()) } else { Some(value.clone()) };
        match record.as_ref().map(from_dynamic) {
            Some(Ok(Value::Map(record))) => {
                let fitting = record.iter().filter(|(name, _)| starts(name, written));
                fitting.map(|(name, value)| suggestion(name, value.type_name().to_owned(), start)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Fields of the object that a call names, where a map of its fields is being written.
    fn fields(&self, end: usize, start: usize, written: &str) -> Option<Vec<Completion>> {
        let (call, in_map) = self.call(end)?;
        let system = call.namespace.parse::<System>().ok().filter(|_| in_map)?;
        let fields = self.catalogue.fields(system, call.first?);
        let found: Vec<Completion> = fields.iter().filter(|field| starts(&field.name, written)).map(|field| of_field(field, start)).collect();
        (!found.is_empty()).then_some(found)
    }

    /// Variables, functions, namespaces and keywords.
    fn anything(&self, start: usize, written: &str) -> Vec<Completion> {
        let mut found = Vec::new();
        let mut add = |name: &str, about: String| {
            if starts(name, written) && name != "_" && !found.iter().any(|known: &Completion| known.text == name) {
                found.push(suggestion(name, about, start));
            }
        };
        for (name, value) in self.console.variables() {
            add(name, super::value::type_word(value).to_owned());
        }
        for (name, parameters) in self.console.functions() {
            add(&name, format!("{name}({})", parameters.join(", ")));
        }
        for entry in self.reference {
            if entry.namespace.is_empty() {
                add(&entry.name, about(entry));
            } else {
                add(&format!("{}::", entry.namespace), "namespace".to_owned());
            }
        }
        for alias in self.console.imports() {
            add(&format!("{alias}::"), "import".to_owned());
        }
        if !written.is_empty() {
            for word in KEYWORDS {
                add(word, "keyword".to_owned());
            }
        }
        found
    }
}

fn about(entry: &Entry) -> String {
    entry.forms.first().map(|form| form.signature.clone()).unwrap_or_default()
}

fn suggestion(text: &str, about: String, start: usize) -> Completion {
    Completion { text: text.to_owned(), about, start }
}

fn of_field(field: &Field, start: usize) -> Completion {
    suggestion(&field.name, format!("{} {}", field.kind.word(), field.label), start)
}

fn named(start: usize, written: &str, names: Vec<String>, about: impl Fn(&str) -> String) -> Vec<Completion> {
    let fitting = names.into_iter().filter(|name| starts(name, written));
    fitting.map(|text| Completion { about: about(&text), text, start }).collect()
}

/// As the systems do, without regard to case.
fn starts(name: &str, written: &str) -> bool {
    name.len() >= written.len() && name.is_char_boundary(written.len()) && name.split_at(written.len()).0.eq_ignore_ascii_case(written)
}

/// Objects behind FROM, fields of that object everywhere else; before there is a FROM, those of Account.
fn soql(catalogue: &dyn Catalogue, offset: usize, before: &str, after: &str) -> Vec<Completion> {
    let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').map_or(0, |at| at + 1);
    let written = before.get(start..).unwrap_or_default();
    let words = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let earlier: Vec<String> = words(before.get(..start).unwrap_or_default());
    let last = earlier.last().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
    if last == "FROM" {
        return named(offset + start, written, catalogue.objects(System::Salesforce), |_| String::new());
    }
    let rest = after.split(['"', '`']).next().unwrap_or_default();
    let all: Vec<String> = words(&format!("{before}{rest}"));
    let from = all.iter().position(|word| word.eq_ignore_ascii_case("from")).and_then(|at| all.get(at + 1));
    let object = from.map_or("Account", String::as_str);
    let mut found = path_fields(catalogue, object, written, offset + start);
    let clauses = ["SELECT", "FROM", "WHERE", "AND", "OR", "ORDER BY", "GROUP BY", "LIMIT", "ASC", "DESC", "NULLS LAST", "LIKE", "IN", "NOT"];
    if !written.is_empty() {
        found.extend(clauses.iter().filter(|word| starts(word, written)).map(|word| suggestion(word, String::new(), offset + start)));
    } else if earlier.is_empty() {
        found = vec![suggestion("SELECT ", String::new(), offset)];
    }
    found
}

/// Fields of an object, or of the one that a relationship leads to (`Owner.Na`).
fn path_fields(catalogue: &dyn Catalogue, object: &str, written: &str, start: usize) -> Vec<Completion> {
    let (mut object, mut written, mut start) = (object.to_owned(), written, start);
    while let Some((step, rest)) = written.split_once('.') {
        let by = step.strip_suffix("__r").map_or_else(|| format!("{step}Id"), |custom| format!("{custom}__c"));
        let fields = catalogue.fields(System::Salesforce, &object);
        let reference = fields.iter().find(|field| field.name.eq_ignore_ascii_case(&by)).map(|field| &field.kind);
        let Some(FieldType::Reference { to }) = reference else { return Vec::new() };
        let Some(first) = to.first() else { return Vec::new() };
        (object, start, written) = (first.clone(), start + step.len() + 1, rest);
    }
    let fields = catalogue.fields(System::Salesforce, &object);
    fields.iter().filter(|field| starts(&field.name, written)).map(|field| of_field(field, start)).collect()
}
