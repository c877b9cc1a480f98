//! Variables that do not exist. The parser stops at the first one; this walk finds all of them in a tree parsed leniently.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr, Position, Stmt};

use crate::script::{
    diagnostics::{Diagnostic, Id},
    spots::place,
    suggest::did_you_mean,
};

/// Every variable of the file that nothing declares.
pub(in crate::script) fn variables(file: &str, ast: &AST) -> Vec<Diagnostic> {
    let (mut unknown, mut known) = (Vec::new(), BTreeSet::new());
    for function in ast.iter_functions().filter(|function| !function.name.contains('$')) {
        known.extend(function.params.iter().map(ToString::to_string));
    }
    ast.walk(&mut |path: &[ASTNode]| {
        match path.last() {
            Some(ASTNode::Expr(Expr::Variable(variable, short, at))) if variable.2.is_empty() && variable.0.is_none() && short.is_none() => {
                unknown.push((variable.1.to_string(), *at));
            }
            Some(ASTNode::Stmt(Stmt::Var(var, ..))) => {
                known.insert(var.0.name.to_string());
            }
            _ => (),
        }
        true
    });
    let functions: Vec<&str> = ast.iter_functions().map(|f| f.name).collect();
    unknown.retain(|(name, _)| !functions.contains(&name.as_str()));
    unknown.sort();
    unknown.dedup();
    unknown.iter().map(|(name, at)| finding(file, name, *at, &known)).collect()
}

fn finding(file: &str, name: &str, at: Position, known: &BTreeSet<String>) -> Diagnostic {
    let message = format!("unknown variable `{name}`");
    let hint = if known.contains(name) {
        Some(format!("`{name}` is declared elsewhere: functions see only their parameters, and constants as `global::{name}`"))
    } else {
        did_you_mean(name, known.iter().map(String::as_str)).or_else(|| Some(format!("text is written with quotes: \"{name}\"")))
    };
    Diagnostic::new(Id::UnknownVariable, &place(file, at), message).hint_if(hint)
}
