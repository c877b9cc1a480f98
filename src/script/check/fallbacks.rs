//! Values at the end of `catch` blocks, which the language drops: what looks like a fallback is null.

use std::sync::Arc;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Module, Position, ScriptFuncDef, Stmt};

use crate::script::{
    diagnostics::{Diagnostic, Id},
    spots::place,
};

/// Every `catch` that ends in a value, and every one at the end of a function that ends in a call whose result would be the function's.
pub(in crate::script) fn fallbacks(file: &str, ast: &AST) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::TryCatch(parts, ..))) = path.last()
            && let Some(last) = parts.branch.statements().last()
        {
            found.extend(lost_value(last).map(|at| finding(Id::LostFallback, file, at)));
        }
        true
    });
    found.extend(ast.iter_fn_def().filter_map(|function| lost_at_end(Arc::clone(function))).map(|at| finding(Id::LostCall, file, at)));
    found
}

/// The call that is lost at the end of a function.
fn lost_at_end(function: Arc<ScriptFuncDef>) -> Option<Position> {
    let mut alone = Module::new();
    alone.set_script_fn(function);
    let mut lost = None;
    // Its own statements come in their order; what the last one says is what counts.
    AST::new_from_module(alone).walk(&mut |path: &[ASTNode]| {
        if let [ASTNode::Stmt(statement)] = path {
            lost = lost_call(statement);
        }
        true
    });
    lost
}

/// Where an expression stands that does nothing but give a value.
fn lost_value(last: &Stmt) -> Option<Position> {
    if let Some((call, at)) = call(last) {
        return call.is_operator_call().then(|| call.args.first().map_or(at, Expr::start_position));
    }
    let Stmt::Expr(expr) = last else { return None };
    // Methods may be there for what they do; `()` says that nothing is meant.
    let nothing_else = !matches!(expr.as_ref(), Expr::Unit(_) | Expr::MethodCall(..) | Expr::Dot(..) | Expr::Index(..) | Expr::Stmt(_));
    nothing_else.then(|| expr.start_position())
}

/// The call that ends the `catch` of a function's last statement, where its `try` ends in a value, too.
fn lost_call(last: &Stmt) -> Option<Position> {
    let Stmt::TryCatch(parts, ..) = last else { return None };
    if !matches!(parts.body.statements().last()?, Stmt::Expr(_) | Stmt::FnCall(..)) {
        return None;
    }
    let end = parts.branch.statements().last()?;
    match (call(end), end) {
        (Some((call, at)), _) => (!call.is_operator_call() && !matches!(call.name.as_str(), "print" | "debug")).then_some(at),
        (None, Stmt::Expr(expr)) if matches!(expr.as_ref(), Expr::Dot(..) | Expr::Index(..)) => Some(expr.start_position()),
        _ => None,
    }
}

fn call(statement: &Stmt) -> Option<(&FnCallExpr, Position)> {
    match statement {
        Stmt::FnCall(call, at) => Some((call, *at)),
        Stmt::Expr(expr) => match expr.as_ref() {
            Expr::FnCall(call, at) => Some((call, *at)),
            _ => None,
        },
        _ => None,
    }
}

fn finding(id: Id, file: &str, at: Position) -> Diagnostic {
    let message = match id {
        Id::LostCall => "what this call gives is dropped: the function gives null when the `try` fails",
        _ => "the value of a `catch` block is dropped: null comes of it",
    };
    Diagnostic::new(id, &place(file, at), message).hint("write `return` before it, or set a variable that was declared before the `try`")
}
