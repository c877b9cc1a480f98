//! Variables that do not exist. The parser stops at the first one; this walk finds all of them in a tree parsed leniently.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr, Position, Stmt};

use crate::script::{
    diagnostics::{Diagnostic, Id},
    spots::place,
    suggest::guess,
};

/// Every variable of the file that nothing declares; `given` ones are there at the top of the file, not in its functions.
/// `first` is the one that stopped the strict parser, where one did.
pub(in crate::script) fn variables(file: &str, ast: &AST, given: &[&str], first: Option<(&str, Position)>) -> Vec<Diagnostic> {
    let functions: Vec<&str> = ast.iter_functions().map(|f| f.name).collect();
    let known = declared(ast);
    // What a closure captures is a parameter of it, whether or not it is declared, and stays untied within.
    let closures = ast.iter_functions().filter(|function| function.name.contains('$'));
    let captured: BTreeSet<&str> = closures.flat_map(|closure| closure.params).filter(|name| known.contains(*name)).collect();
    let top = unknown(&ast.clone_statements_only()).into_iter().filter(|(name, _)| !given.contains(&name.as_str()));
    let within = unknown(&ast.clone_functions_only()).into_iter().filter(|(name, _)| !captured.contains(name.as_str()));
    let mut found: Vec<_> =
        top.chain(within).chain(first.map(|(name, at)| (name.to_owned(), at))).filter(|(name, _)| !functions.contains(&name.as_str())).collect();
    found.sort();
    found.dedup();
    found.iter().map(|(name, at)| finding(file, name, *at, &known)).collect()
}

/// Variables that the parser could not tie to a declaration.
fn unknown(ast: &AST) -> Vec<(String, Position)> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::Variable(variable, short, at))) = path.last()
            && variable.2.is_empty()
            && variable.0.is_none()
            && short.is_none()
        {
            found.push((variable.1.to_string(), *at));
        }
        true
    });
    found
}

/// Names that are declared somewhere in the file.
fn declared(ast: &AST) -> BTreeSet<String> {
    let named = ast.iter_functions().filter(|function| !function.name.contains('$'));
    let mut known: BTreeSet<String> = named.flat_map(|function| function.params).map(ToOwned::to_owned).collect();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Var(var, ..))) = path.last() {
            known.insert(var.0.name.to_string());
        }
        true
    });
    known
}

fn finding(file: &str, name: &str, at: Position, known: &BTreeSet<String>) -> Diagnostic {
    let message = format!("unknown variable `{name}`");
    let finding = Diagnostic::new(Id::UnknownVariable, &place(file, at), message);
    if known.contains(name) {
        return finding.hint(format!("`{name}` is declared elsewhere: functions see only their parameters, and constants as `global::{name}`"));
    }
    match guess(name, known.iter().map(String::as_str)) {
        // Which of the file's names can be seen here is not known.
        Some(near) => finding.instead(name, near.name, false).hint(format!("did you mean `{}`?", near.name)),
        None => finding.hint(format!("text is written with quotes: \"{name}\"")),
    }
}
