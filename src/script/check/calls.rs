//! Functions that do not exist, or not with that many arguments: also inside closures and branches that never run.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::script::{
    diagnostics::{Diagnostic, Id},
    spots::place,
    suggest::guess,
};

use super::Table;

/// What one file can call besides the built-in functions.
pub(in crate::script) struct Own<'a> {
    pub(in crate::script) file: &'a str,
    pub(in crate::script) ast: &'a AST,
    /// Variables that are there before it runs: each may hold a closure that is called by its name.
    pub(in crate::script) given: &'a [&'a str],
    /// Import aliases with the functions of the imported file; none when it could not be read.
    pub(in crate::script) imports: BTreeMap<String, Option<Vec<(String, usize)>>>,
}

struct Names {
    functions: BTreeMap<String, BTreeSet<usize>>,
    /// Variables, parameters and map keys: each may hold a closure that is called by its name.
    holders: BTreeSet<String>,
}

/// Literal paths of a file's imports, with their places.
pub(in crate::script) fn imports(ast: &AST) -> Vec<(String, Position)> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last()
            && let Expr::StringConstant(file, at) = &import.0
        {
            found.push((file.to_string(), *at));
        }
        true
    });
    found
}

/// Aliases of a file's imports with their literal paths.
pub(in crate::script) fn aliases(ast: &AST) -> Vec<(String, Option<String>)> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last() {
            let file = if let Expr::StringConstant(file, _) = &import.0 { Some(file.to_string()) } else { None };
            found.push((import.1.name.to_string(), file));
        }
        true
    });
    found
}

/// Every call of the file that cannot work.
pub(in crate::script) fn calls(table: &Table, own: &Own) -> Vec<Diagnostic> {
    let mut names = names(own.ast);
    names.holders.extend(own.given.iter().map(|name| (*name).to_owned()));
    let mut found = Vec::new();
    own.ast.walk(&mut |path: &[ASTNode]| {
        match path.last() {
            Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) => {
                found.extend(check(table, own, &names, call, *at, false));
            }
            Some(ASTNode::Expr(Expr::MethodCall(call, at))) => found.extend(check(table, own, &names, call, *at, true)),
            _ => (),
        }
        true
    });
    found
}

fn names(ast: &AST) -> Names {
    let mut names = Names { functions: BTreeMap::new(), holders: BTreeSet::new() };
    for function in ast.iter_functions() {
        names.functions.entry(function.name.to_owned()).or_default().insert(function.params.len());
        names.holders.extend(function.params.iter().map(ToString::to_string));
    }
    ast.walk(&mut |path: &[ASTNode]| {
        match path.last() {
            Some(ASTNode::Stmt(Stmt::Var(var, ..))) => {
                names.holders.insert(var.0.name.to_string());
            }
            Some(ASTNode::Stmt(Stmt::For(one, ..))) => {
                names.holders.insert(one.0.name.to_string());
            }
            Some(ASTNode::Expr(Expr::Map(map, _))) => names.holders.extend(map.0.iter().map(|(key, _)| key.name.to_string())),
            Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => names.holders.extend(assigned(&assignment.1.lhs)),
            _ => (),
        }
        true
    });
    names
}

/// `m.greet = |x| ...` makes `m.greet(1)` possible.
fn assigned(lhs: &Expr) -> Option<String> {
    match lhs {
        Expr::Dot(chain, ..) => match &chain.rhs {
            Expr::Property(property, _) => Some(property.2.to_string()),
            rest => assigned(rest),
        },
        _ => None,
    }
}

fn check(table: &Table, own: &Own, names: &Names, call: &FnCallExpr, at: Position, method: bool) -> Option<Diagnostic> {
    if call.is_operator_call() || !call.name.starts_with(|c: char| c.is_alphabetic() || c == '_') || call.name.contains('$') {
        return None;
    }
    if call.is_qualified() {
        return qualified(table, own, call, at);
    }
    let name = call.name.as_str();
    if Table::is_keyword(name) || (names.holders.contains(name) && !names.functions.contains_key(name)) {
        return None;
    }
    let arguments = call.args.len();
    // A method's object is the first argument of a native function, and `this` of a script's own.
    let native = table.arities("", name);
    let scripted = names.functions.get(name);
    let fits =
        native.is_some_and(|known| known.contains(&(arguments + usize::from(method)))) || scripted.is_some_and(|known| known.contains(&arguments));
    if fits {
        return None;
    }
    let known: BTreeSet<usize> =
        native.into_iter().flatten().map(|n| n.saturating_sub(usize::from(method))).chain(scripted.into_iter().flatten().copied()).collect();
    if !known.is_empty() {
        return Some(count(own, at, name, arguments, &known));
    }
    let candidates = table.names("").chain(names.functions.keys().map(String::as_str).filter(|name| !name.contains('$')));
    let elsewhere = || table.home(name).map(|namespace| format!("did you mean `{namespace}::{name}`?"));
    let finding = Diagnostic::new(Id::UnknownFunction, &place(own.file, at), format!("unknown function `{name}`"));
    Some(match elsewhere() {
        Some(hint) => finding.hint(hint),
        None => finding.meant(name, candidates, || Some("`tabi docs` lists every function".to_owned())),
    })
}

fn qualified(table: &Table, own: &Own, call: &FnCallExpr, at: Position) -> Option<Diagnostic> {
    let (name, arguments) = (call.name.as_str(), call.args.len());
    let root = call.namespace.root();
    if call.namespace.path.len() > 1 || root == "global" {
        return None;
    }
    match own.imports.get(root) {
        Some(None) => return None,
        Some(Some(functions)) => {
            let known: BTreeSet<usize> = functions.iter().filter(|(known, _)| known == name).map(|(_, n)| *n).collect();
            return verdict(own, at, (root, name), arguments, &known, functions.iter().map(|(known, _)| known.as_str()));
        }
        None => (),
    }
    if !table.has_namespace(root) {
        let all = table.namespaces().chain(own.imports.keys().map(String::as_str));
        let written = call.namespace.position();
        let message = format!("unknown namespace `{root}`");
        let finding = Diagnostic::new(Id::UnknownNamespace, &place(own.file, written), message);
        let known = || Some(format!("namespaces are {}", table.namespaces().collect::<Vec<_>>().join(", ")));
        return Some(finding.meant(root, all, known));
    }
    let known = table.arities(root, name).cloned().unwrap_or_default();
    verdict(own, at, (root, name), arguments, &known, table.names(root))
}

fn verdict<'n>(
    own: &Own,
    at: Position,
    (namespace, name): (&str, &str),
    arguments: usize,
    known: &BTreeSet<usize>,
    names: impl Iterator<Item = &'n str>,
) -> Option<Diagnostic> {
    if known.contains(&arguments) {
        return None;
    }
    let shown = format!("{namespace}::{name}");
    if !known.is_empty() {
        return Some(count(own, at, &shown, arguments, known));
    }
    let finding = Diagnostic::new(Id::UnknownFunction, &place(own.file, at), format!("unknown function `{shown}`"));
    Some(match guess(name, names) {
        Some(near) => finding.instead(name, near.name, near.certain).hint(format!("did you mean `{namespace}::{}`?", near.name)),
        None => finding.hint(format!("`tabi docs {namespace}` lists its functions")),
    })
}

fn count(own: &Own, at: Position, name: &str, given: usize, known: &BTreeSet<usize>) -> Diagnostic {
    let wanted = known.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ");
    let plural = if known.len() == 1 && known.contains(&1) { "" } else { "s" };
    let message = format!("`{name}` takes {wanted} argument{plural}, not {given}");
    Diagnostic::new(Id::ArgumentCount, &place(own.file, at), message).hint(format!("`tabi docs {name}` shows how to call it"))
}
