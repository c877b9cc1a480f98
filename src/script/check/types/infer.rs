//! What an expression is, where that is sure: literals, known functions, variables that are set once, columns of a report.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Expr, FnCallExpr, Stmt};

use super::{
    Kind,
    signatures::{SIGNATURES, Signature},
};

/// What is known around an expression.
#[derive(Debug, Default)]
pub(super) struct Known {
    variables: BTreeMap<String, Kind>,
    /// Functions and imports of the file itself, which may hide known ones.
    own: BTreeSet<String>,
    /// The row's parameter and the kinds of its fields.
    row: Option<(String, BTreeMap<String, Kind>)>,
}

impl Known {
    /// What the file tells: variables that are declared once, never set again, and hidden by no parameter.
    pub(super) fn of(ast: &AST) -> Self {
        let mut own: BTreeSet<String> = ast.iter_functions().map(|function| function.name.to_owned()).collect();
        let parameters: BTreeSet<String> = ast.iter_functions().flat_map(|function| function.params).map(ToOwned::to_owned).collect();
        let mut changed: BTreeSet<String> = parameters;
        let mut values: Vec<(String, Expr)> = Vec::new();
        ast.walk(&mut |path: &[ASTNode]| {
            match path.last() {
                Some(ASTNode::Stmt(Stmt::Var(var, ..))) => values.push((var.0.name.to_string(), var.1.clone())),
                Some(ASTNode::Stmt(Stmt::For(one, ..))) => {
                    changed.insert(one.0.name.to_string());
                    changed.extend(one.1.as_ref().map(|counter| counter.name.to_string()));
                }
                Some(ASTNode::Stmt(Stmt::Assignment(assignment))) => changed.extend(root(&assignment.1.lhs)),
                Some(ASTNode::Stmt(Stmt::TryCatch(flow, ..))) => changed.extend(root(&flow.expr)),
                Some(ASTNode::Stmt(Stmt::Import(import, _))) => {
                    own.insert(import.1.name.to_string());
                }
                _ => (),
            }
            true
        });
        let mut known = Self { own, ..Self::default() };
        for (name, value) in &values {
            let once = values.iter().filter(|(other, _)| other == name).count() == 1;
            if let Some(kind) = known.kind(value).filter(|_| once && !changed.contains(name)) {
                known.variables.insert(name.clone(), kind);
            }
        }
        known
    }

    pub(super) fn with_row(mut self, row: String, fields: BTreeMap<String, Kind>) -> Self {
        self.variables.remove(&row);
        self.row = Some((row, fields));
        self
    }

    /// The kind of an expression's value, when it is not null.
    pub(super) fn kind(&self, expr: &Expr) -> Option<Kind> {
        match expr {
            Expr::IntegerConstant(..) | Expr::FloatConstant(..) => Some(Kind::Number),
            Expr::StringConstant(..) | Expr::InterpolatedString(..) => Some(Kind::Text),
            Expr::BoolConstant(..) | Expr::And(..) | Expr::Or(..) => Some(Kind::Truth),
            Expr::Array(..) => Some(Kind::List),
            Expr::Map(..) => Some(Kind::Map),
            Expr::Variable(variable, ..) if variable.2.is_empty() => self.variables.get(variable.1.as_str()).copied(),
            Expr::Coalesce(parts, _) => self.same(parts),
            Expr::Dot(chain, ..) => self.field(&chain.lhs, &chain.rhs),
            Expr::FnCall(call, _) if call.is_operator_call() => self.result(call),
            Expr::FnCall(call, _) => self.signature(call)?.gives,
            _ => None,
        }
    }

    /// The kind that all of them have; nulls aside.
    fn same(&self, parts: &[Expr]) -> Option<Kind> {
        let mut kinds = parts.iter().filter(|part| !matches!(part, Expr::Unit(_))).map(|part| self.kind(part));
        let first = kinds.next()??;
        kinds.all(|kind| kind == Some(first)).then_some(first)
    }

    fn field(&self, of: &Expr, field: &Expr) -> Option<Kind> {
        let (row, fields) = self.row.as_ref()?;
        match (of, field) {
            (Expr::Variable(variable, ..), Expr::Property(property, _)) if variable.1.as_str() == row && variable.2.is_empty() => {
                fields.get(property.2.as_str()).copied()
            }
            _ => None,
        }
    }

    fn result(&self, call: &FnCallExpr) -> Option<Kind> {
        let name = call.name.as_str();
        let kind = |at: usize| call.args.get(at).and_then(|side| self.kind(side));
        match (name, kind(0), kind(1)) {
            ("==" | "!=" | "<" | "<=" | ">" | ">=" | "!", ..) => Some(Kind::Truth),
            ("+" | "-" | "*" | "/" | "%" | "**", Some(Kind::Number), Some(Kind::Number)) | ("-", Some(Kind::Date), Some(Kind::Date)) => {
                Some(Kind::Number)
            }
            ("-", Some(Kind::Number), None) if call.args.len() == 1 => self.kind(call.args.first()?),
            ("+", Some(Kind::Text), Some(_)) | ("+", Some(_), Some(Kind::Text)) => Some(Kind::Text),
            ("+" | "-", Some(Kind::Date), Some(Kind::Days)) => Some(Kind::Date),
            ("+" | "-", Some(Kind::Instant), Some(Kind::Days | Kind::Length)) => Some(Kind::Instant),
            _ => None,
        }
    }

    /// The signature of a known function that the file does not hide.
    pub(super) fn signature(&self, call: &FnCallExpr) -> Option<&'static Signature> {
        let name = call.name.as_str();
        let (hidden, full) = match call.namespace.path.as_slice() {
            [] => (self.own.contains(name), name.to_owned()),
            [only] => (self.own.contains(only.name.as_str()), format!("{}::{name}", only.name)),
            _ => return None,
        };
        SIGNATURES.iter().find(|signature| !hidden && signature.name == full)
    }
}

/// The variable that an expression begins with.
fn root(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Variable(variable, ..) => Some(variable.1.to_string()),
        Expr::Dot(chain, ..) | Expr::Index(chain, ..) => root(&chain.lhs),
        _ => None,
    }
}
