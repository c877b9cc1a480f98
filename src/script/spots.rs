//! Where the parts of a call stand: an index of a file's calls, so that a finding points at one key of one map.

use std::collections::HashMap;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::declaration::Place;

/// A file's syntax tree and where its calls are.
#[derive(Debug)]
pub(super) struct FileMap {
    pub(super) file: String,
    pub(super) ast: AST,
    calls: HashMap<Position, Vec<Spot>>,
    closures: HashMap<String, Position>,
    /// The names that its imports go by.
    aliases: Vec<String>,
}

/// A piece of source: its place, and the pieces within where it is a literal map or list.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) at: Position,
    pub(super) parts: Parts,
}

#[derive(Debug, Clone)]
pub(super) enum Parts {
    /// Key, the key's place, value.
    Map(Vec<(String, Position, Spot)>),
    List(Vec<Spot>),
    /// A text without anything computed in it.
    Text(String),
    /// Written as anything else.
    Other,
}

impl FileMap {
    pub(super) fn new(file: String, ast: AST) -> Self {
        let (mut calls, mut closures, mut aliases) = (HashMap::new(), HashMap::new(), Vec::new());
        ast.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Expr(Expr::FnCall(call, at) | Expr::MethodCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) => {
                    calls.insert(*at, arguments(call));
                }
                Some(ASTNode::Expr(Expr::DynamicConstant(value, at))) => {
                    if let Some(pointer) = value.read_lock::<rhai::FnPtr>() {
                        closures.insert(pointer.fn_name().to_owned(), *at);
                    }
                }
                Some(ASTNode::Stmt(Stmt::Import(import, _))) => aliases.push(import.1.name.to_string()),
                _ => (),
            }
            true
        });
        Self { file, ast, calls, closures, aliases }
    }

    pub(super) fn place(&self, at: Position) -> Place {
        place(&self.file, at)
    }

    /// The arguments of the call at a position.
    pub(super) fn arguments(&self, call: Position) -> &[Spot] {
        self.calls.get(&call).map_or(&[], Vec::as_slice)
    }

    /// What stands at a place as a call's arguments, or as the value of a map's key.
    pub(super) fn spots_at(&self, at: Position) -> &[Spot] {
        match self.calls.get(&at) {
            Some(spots) => spots,
            None => self.calls.values().flatten().find_map(|spot| spot.value_at(at)).map_or(&[], std::slice::from_ref),
        }
    }

    /// Whether anything is imported under a name, anywhere in this file.
    pub(super) fn imports_as(&self, alias: &str) -> bool {
        self.aliases.iter().any(|known| known == alias)
    }

    /// Where a closure of this file begins.
    pub(super) fn closure(&self, name: &str) -> Option<Position> {
        self.closures.get(name).copied()
    }
}

/// A position in a file; none becomes 0:0, the whole file.
pub(super) fn place(file: &str, at: Position) -> Place {
    let number = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    Place { file: file.to_owned(), line: number(at.line()), column: number(at.position()).max(u32::from(at.line().is_some())) }
}

fn arguments(call: &FnCallExpr) -> Vec<Spot> {
    call.args.iter().map(spot).collect()
}

fn spot(expr: &Expr) -> Spot {
    let parts = match expr {
        Expr::Map(map, _) => Parts::Map(map.0.iter().map(|(key, value)| (key.name.to_string(), key.pos, spot(value))).collect()),
        Expr::Array(items, _) => Parts::List(items.iter().map(spot).collect()),
        Expr::StringConstant(text, _) => Parts::Text(text.to_string()),
        _ => Parts::Other,
    };
    Spot { at: expr.start_position(), parts }
}

impl Spot {
    /// The place of a key and of its value.
    pub(super) fn key(&self, name: &str) -> Option<(Position, &Self)> {
        match &self.parts {
            Parts::Map(entries) => entries.iter().find(|(key, ..)| key == name).map(|(_, at, value)| (*at, value)),
            _ => None,
        }
    }

    /// The value of the key that stands at a position, here or within.
    fn value_at(&self, at: Position) -> Option<&Self> {
        match &self.parts {
            Parts::Map(entries) => entries.iter().find_map(|(_, key, value)| if *key == at { Some(value) } else { value.value_at(at) }),
            Parts::List(items) => items.iter().find_map(|item| item.value_at(at)),
            Parts::Text(_) | Parts::Other => None,
        }
    }

    pub(super) fn item(&self, at: usize) -> Option<&Self> {
        match &self.parts {
            Parts::List(items) => items.get(at),
            _ => None,
        }
    }
}
