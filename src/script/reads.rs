//! Which fields of its row a closure reads, told from its syntax tree.

use std::sync::Arc;

use rhai::{AST, ASTNode, Expr, Module, Stmt};

/// The parameters of one of a file's functions, captured variables first.
pub(super) fn parameters(ast: &AST, function: &str) -> Option<Vec<String>> {
    ast.iter_fn_def().find(|f| f.name.as_str() == function).map(|f| f.params.iter().map(ToString::to_string).collect())
}

/// A tree with one function and nothing else.
pub(super) fn alone(ast: &AST, function: &str) -> AST {
    let mut module = Module::new();
    for definition in ast.iter_fn_def().filter(|f| f.name.as_str() == function) {
        module.set_script_fn(Arc::clone(definition));
    }
    AST::new_from_module(module)
}

/// The top-level fields that a function reads of its parameter `row`, sorted.
/// None when the row goes elsewhere as a whole, so that any field may be read.
pub(super) fn reads(ast: &AST, function: &str, row: &str) -> Option<Vec<String>> {
    let alone = alone(ast, function);
    let (mut fields, mut escapes) = (Vec::new(), false);
    alone.walk(&mut |path: &[ASTNode]| {
        match path {
            [.., ASTNode::Stmt(Stmt::Var(var, ..))] if var.0.name.as_str() == row => escapes = true,
            [.., ASTNode::Stmt(Stmt::For(one, ..))] if one.0.name.as_str() == row => escapes = true,
            [.., parent, ASTNode::Expr(this)] if is_row(this, row) => match field(*parent, this) {
                Some(name) => fields.push(name),
                None => escapes = true,
            },
            [ASTNode::Expr(this)] if is_row(this, row) => escapes = true,
            _ => (),
        }
        !escapes
    });
    fields.sort();
    fields.dedup();
    (!escapes).then_some(fields)
}

fn is_row(expr: &Expr, row: &str) -> bool {
    matches!(expr, Expr::Variable(variable, ..) if variable.1.as_str() == row && variable.2.is_empty())
}

/// The field that is read when `row` stands in `parent`: `row.x`, `row.x.y`, `row["x"]`.
fn field(parent: ASTNode<'_>, row: &Expr) -> Option<String> {
    let ASTNode::Expr(Expr::Dot(chain, ..) | Expr::Index(chain, ..)) = parent else { return None };
    if !std::ptr::eq(&raw const chain.lhs, row) {
        return None;
    }
    let head = match &chain.rhs {
        Expr::Dot(tail, ..) | Expr::Index(tail, ..) => &tail.lhs,
        head => head,
    };
    match (head, parent) {
        (Expr::Property(property, _), ASTNode::Expr(Expr::Dot(..))) => Some(property.2.to_string()),
        (Expr::StringConstant(name, _), ASTNode::Expr(Expr::Index(..))) => Some(name.to_string()),
        _ => None,
    }
}

/// Every `row.x` and `row["x"]` of a function, with its place; empty when the row is passed on.
pub(super) fn places(ast: &AST, function: &str, row: &str) -> Vec<(String, rhai::Position)> {
    let alone = alone(ast, function);
    let mut found = Vec::new();
    alone.walk(&mut |path: &[ASTNode]| {
        if let [.., parent, ASTNode::Expr(this)] = path
            && is_row(this, row)
            && let Some(name) = field(*parent, this)
        {
            found.push((name, after(*parent)));
        }
        true
    });
    found
}

/// Where the field's name stands.
fn after(parent: ASTNode<'_>) -> rhai::Position {
    match parent {
        ASTNode::Expr(Expr::Dot(chain, ..) | Expr::Index(chain, ..)) => chain.rhs.start_position(),
        node => node.position(),
    }
}
