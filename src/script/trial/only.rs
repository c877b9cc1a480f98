//! Functions that exist in tests only, used in a script: told by `check`, with the place.

use rhai::{AST, ASTNode, Expr, FnCallExpr, Stmt};

use crate::script::{
    diagnostics::{Diagnostic, Id},
    spots::place,
    stdlib,
};

/// Global functions of tests, with their numbers of arguments.
const FUNCTIONS: &[(&str, &[usize])] = &[
    ("test", &[2]),
    ("assert", &[1, 2]),
    ("assert_eq", &[2]),
    ("assert_ne", &[2]),
    ("assert_close", &[3]),
    ("assert_throws", &[1, 2]),
    ("snapshot", &[2]),
    ("run", &[1]),
    ("plan", &[1, 2]),
    ("transform", &[2]),
    ("inject", &[1]),
];

/// Namespaces of tests; what the standard library has under such a name is for everybody.
const NAMESPACES: [&str; 3] = ["clock", "journey", "sandbox"];

/// Every call of a file that would work in a test only. What a file declares itself or imports under such a name is its own.
pub(in crate::script) fn only_in_tests(file: &str, ast: &AST) -> Vec<Diagnostic> {
    let mut aliases = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last() {
            aliases.push(import.1.name.to_string());
        }
        true
    });
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) = path.last()
            && let Some(name) = name(call, ast, &aliases)
        {
            let finding = Diagnostic::new(Id::OnlyInTests, &place(file, *at), message(&name));
            found.push(finding.hint("tests are files such as tests/onboarding_test.rhai, run by `tabi test`"));
        }
        true
    });
    found
}

/// What is said about a function of tests that is called elsewhere.
pub(in crate::script) fn message(name: &str) -> String {
    format!("`{name}` exists only in tests")
}

fn name(call: &FnCallExpr, ast: &AST, aliases: &[String]) -> Option<String> {
    if call.is_qualified() {
        let root = call.namespace.root();
        let ours = call.namespace.path.len() == 1 && NAMESPACES.contains(&root) && !aliases.iter().any(|alias| alias == root);
        return (ours && !stdlib::holds(root, &call.name)).then(|| format!("{root}::{}", call.name));
    }
    let (_, arguments) = FUNCTIONS.iter().find(|(name, _)| *name == call.name.as_str())?;
    let own = ast.iter_functions().any(|function| function.name == call.name.as_str());
    (arguments.contains(&call.args.len()) && !own).then(|| call.name.to_string())
}
