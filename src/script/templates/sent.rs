//! The templates that a journey is made of: those that its steps name, and those that its scripts may fill in by themselves.

use std::{collections::BTreeSet, sync::Arc};

use rhai::{AST, ASTNode, Expr, Stmt};

use super::Templates;
use crate::script::{journey::Journey, spots::FileMap};

/// The namespace whose functions fill templates in.
const MAIL: &str = "email";

/// Names of templates. A closure may be handed a name from anywhere, so where scripts mail by themselves every text counts that may be one;
/// the names of steps are none, and neither is anything in quotes where nothing but steps sends mail.
pub(in crate::script) fn sent<'t>(journey: &Journey, scripts: &[Arc<FileMap>], templates: &'t Templates) -> BTreeSet<&'t str> {
    let mut named: BTreeSet<String> = journey.graph.steps.iter().filter_map(|step| step.does.template()).map(str::to_owned).collect();
    if scripts.iter().any(|script| mails(&script.ast)) {
        for script in scripts {
            texts(&script.ast, &mut named);
        }
    }
    templates.names().into_iter().filter(|name| named.contains(*name)).collect()
}

fn mails(ast: &AST) -> bool {
    let mut found = false;
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) = path.last() {
            found |= call.is_qualified() && call.namespace.root() == MAIL;
        }
        !found
    });
    found
}

/// Texts that are no name of a step or of a declaration.
fn texts(ast: &AST, found: &mut BTreeSet<String>) {
    let own: BTreeSet<&str> = ast.iter_functions().map(|function| function.name).collect();
    let mut labels = BTreeSet::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _))) = path.last()
            && !(call.is_qualified() || call.is_operator_call() || own.contains(call.name.as_str()))
            && let Some(Expr::StringConstant(_, at)) = call.args.first()
        {
            labels.insert(*at);
        }
        if let Some(ASTNode::Expr(Expr::StringConstant(text, at))) = path.last()
            && !labels.contains(at)
        {
            found.insert(text.to_string());
        }
        true
    });
}
