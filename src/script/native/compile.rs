//! From the syntax tree of the engine to a tree of our own, or nothing when there is anything in it that is not known.

use std::sync::atomic::AtomicUsize;

use rhai::{ASTFlags, ASTNode, Dynamic, Engine, Expr, FnCallExpr, FnPtr, GlobalRuntimeState, Stmt};

use crate::{
    model::{Name, Value},
    script::{desk::zone_of, reads, spots::FileMap, value::from_dynamic},
};

use super::{
    functions::{Function, Property},
    tree::{Access, Comparison, Link, Native, Node, Operator},
};

/// Nodes of the largest tree. It bounds how deep an evaluation goes, and is far below what an interpreter's run may take.
const LARGEST: usize = 256;

/// What a closure is declared in.
pub(in crate::script) struct Surroundings<'a> {
    pub(in crate::script) engine: &'a Engine,
    pub(in crate::script) global: &'a GlobalRuntimeState,
    /// The closure's file.
    pub(in crate::script) map: &'a FileMap,
    pub(in crate::script) pointer: &'a FnPtr,
}

/// The native form of a closure whose last parameter is the row.
pub(in crate::script) fn compile(around: &Surroundings) -> Option<Native> {
    let name = around.pointer.fn_name();
    let parameters = reads::parameters(&around.map.ast, name)?;
    let (row, captured) = parameters.split_last()?;
    let mut names: Vec<(String, Binding)> = captured.iter().cloned().zip(around.pointer.iter_curry().map(constant)).collect();
    names.push((row.clone(), Binding::Row));
    let mut compiler = Compiler { around, names, locals: 0, defined: 0, nodes: 0 };
    let mut steps = Some(Vec::new());
    reads::alone(&around.map.ast, name).walk(&mut |path: &[ASTNode]| {
        if let [ASTNode::Stmt(statement)] = path
            && let Some(mut all) = steps.take()
            && let Some(step) = compiler.statement(statement)
        {
            all.push(step);
            steps = Some(all);
        }
        steps.is_some()
    });
    let body = Node::Block(steps?.into());
    let variables = parameters.len() + compiler.defined;
    within_limits(around.engine, compiler.nodes, variables).then(|| Native { body, longest: text_limit(around.engine), zone: zone_of(around.engine) })
}

/// Whether the interpreter could not reach a limit of steps, calls or variables with a closure of this size.
fn within_limits(engine: &Engine, nodes: usize, variables: usize) -> bool {
    let unlimited = |limit: usize| if limit == 0 { usize::MAX } else { limit };
    let steps = u64::try_from(nodes).map_or(u64::MAX, |nodes| 8 * nodes + 32);
    (engine.max_operations() == 0 || steps <= engine.max_operations())
        && engine.max_call_levels() >= 8
        && variables < unlimited(engine.max_variables())
}

fn text_limit(engine: &Engine) -> usize {
    if engine.max_string_size() == 0 { usize::MAX } else { engine.max_string_size() }
}

/// A captured value. Characters, lists and maps are other things to a script than they are as plain data.
fn constant(value: &Dynamic) -> Binding {
    let value = value.flatten_clone();
    if value.is_char() || value.is_array() || value.is_map() {
        return Binding::Unknown;
    }
    from_dynamic(&value).map_or(Binding::Unknown, Binding::Constant)
}

#[derive(Clone)]
enum Binding {
    Row,
    Constant(Value),
    Local(usize),
    Unknown,
}

struct Compiler<'a> {
    around: &'a Surroundings<'a>,
    /// Innermost last.
    names: Vec<(String, Binding)>,
    /// Local variables alive.
    locals: usize,
    /// Local variables in all.
    defined: usize,
    nodes: usize,
}

impl Compiler<'_> {
    fn statement(&mut self, statement: &Stmt) -> Option<Node> {
        self.count()?;
        match statement {
            Stmt::Noop(_) => Some(Node::Block(Box::default())),
            Stmt::Expr(expr) => self.expression(expr),
            Stmt::FnCall(call, _) => self.call(call),
            Stmt::Block(block) => self.block(block.statements()),
            Stmt::Var(var, flags, _) if !flags.intersects(ASTFlags::EXPORTED) => {
                let value = self.expression(&var.1)?;
                let at = self.locals;
                self.locals += 1;
                self.defined += 1;
                self.names.push((var.0.name.to_string(), Binding::Local(at)));
                Some(Node::Let(at, Box::new(value)))
            }
            Stmt::If(flow, _) => {
                let condition = self.expression(&flow.expr)?;
                let then = self.block(flow.body.statements())?;
                let otherwise = self.block(flow.branch.statements())?;
                Some(Node::If(Box::new((condition, then, otherwise))))
            }
            Stmt::Return(value, flags, _) if !flags.intersects(ASTFlags::BREAK) => {
                let value = value.as_ref().map_or(Some(Node::Constant(Value::Null)), |value| self.expression(value))?;
                Some(Node::Return(Box::new(value)))
            }
            _ => None,
        }
    }

    fn block(&mut self, statements: &[Stmt]) -> Option<Node> {
        let (names, locals) = (self.names.len(), self.locals);
        let mut steps: Vec<Node> = statements.iter().map(|statement| self.statement(statement)).collect::<Option<_>>()?;
        self.names.truncate(names);
        self.locals = locals;
        Some(if steps.len() == 1 { steps.remove(0) } else { Node::Block(steps.into()) })
    }

    fn expression(&mut self, expr: &Expr) -> Option<Node> {
        self.count()?;
        Some(match expr {
            Expr::Unit(_) => Node::Constant(Value::Null),
            Expr::BoolConstant(b, _) => Node::Constant(Value::Bool(*b)),
            Expr::IntegerConstant(n, _) => Node::Constant(Value::Int(*n)),
            Expr::FloatConstant(x, _) => Node::Constant(Value::Float(**x)),
            Expr::StringConstant(text, _) => Node::Constant(Value::text(text.as_str())),
            Expr::InterpolatedString(parts, _) => Node::Interpolated(self.all(parts)?),
            Expr::And(parts, _) => Node::And(self.all(parts)?),
            Expr::Or(parts, _) => Node::Or(self.all(parts)?),
            Expr::Coalesce(parts, _) => Node::Coalesce(self.all(parts)?),
            Expr::Variable(variable, ..) if variable.2.is_empty() => match self.binding(&variable.1)? {
                Binding::Constant(value) => Node::Constant(value),
                Binding::Local(at) => Node::Local(at),
                Binding::Row | Binding::Unknown => return None,
            },
            Expr::Stmt(block) => self.block(block.statements())?,
            Expr::FnCall(call, _) => self.call(call)?,
            Expr::Dot(..) | Expr::Index(..) => self.chain(expr)?,
            _ => return None,
        })
    }

    fn count(&mut self) -> Option<()> {
        self.nodes += 1;
        (self.nodes <= LARGEST).then_some(())
    }

    fn all(&mut self, parts: &[Expr]) -> Option<Box<[Node]>> {
        parts.iter().map(|part| self.expression(part)).collect()
    }

    fn binding(&self, name: &str) -> Option<Binding> {
        self.names.iter().rev().find(|(known, _)| known == name).map(|(_, binding)| binding.clone())
    }

    fn call(&mut self, call: &FnCallExpr) -> Option<Node> {
        if call.capture_parent_scope {
            return None;
        }
        if call.is_operator_call() {
            return self.operator(call);
        }
        let function = match call.namespace.path.as_slice() {
            [] => self.function("", &call.name, call.args.len())?,
            [space] => self.function(&space.name, &call.name, call.args.len())?,
            _ => return None,
        };
        Some(Node::Call(function, self.all(&call.args)?))
    }

    fn operator(&mut self, call: &FnCallExpr) -> Option<Node> {
        match (call.name.as_str(), call.args.as_slice()) {
            ("!", [value]) => Some(Node::Not(Box::new(self.expression(value)?))),
            ("-", [value]) => Some(Node::Negative(Box::new(self.expression(value)?))),
            ("+", [left, right]) => {
                let mut parts = match self.expression(left)? {
                    Node::Sum(parts) if is_sum(left) => parts.into_vec(),
                    other => vec![other],
                };
                parts.push(self.expression(right)?);
                Some(Node::Sum(parts.into()))
            }
            (sign, [left, right]) => {
                let operator = operator(sign)?;
                Some(Node::Operator(operator, Box::new((self.expression(left)?, self.expression(right)?))))
            }
            _ => None,
        }
    }

    /// A library function, unless this name may be one of the script's own here.
    fn function(&self, namespace: &str, name: &str, arguments: usize) -> Option<Function> {
        let found = Function::find(namespace, name, arguments)?;
        let own = if namespace.is_empty() { self.is_own_function(name) } else { self.is_import(namespace) };
        (!own).then_some(found)
    }

    fn is_own_function(&self, name: &str) -> bool {
        let global = self.around.global;
        self.around.map.ast.iter_fn_def().any(|own| own.name == name)
            || global.scan_imports_raw().any(|(_, module)| module.contains_indexed_global_functions())
    }

    fn is_import(&self, alias: &str) -> bool {
        self.around.global.find_import(alias).is_some() || self.around.map.imports_as(alias)
    }

    fn chain(&mut self, expr: &Expr) -> Option<Node> {
        let (dot, mut flags, chain) = halves(expr)?;
        let mut links = Vec::new();
        let (mut dot, mut rest) = (dot, &chain.rhs);
        loop {
            let next = if flags.intersects(ASTFlags::BREAK) { None } else { halves(rest) };
            let step = next.map_or(rest, |(_, _, inner)| &inner.lhs);
            links.push(Link { optional: flags.intersects(ASTFlags::NEGATED), access: self.access(dot, step)? });
            let Some((inner_dot, inner_flags, inner)) = next else { break };
            (dot, flags, rest) = (inner_dot, inner_flags, &inner.rhs);
        }
        // A link that is skipped still has the arguments of the rest computed.
        if links.iter().any(|link| link.optional) && links.iter().any(|link| !link.access.is_settled()) {
            return None;
        }
        let row = matches!(&chain.lhs, Expr::Variable(v, ..) if v.2.is_empty() && matches!(self.binding(&v.1), Some(Binding::Row)));
        let base = if row { Node::Field(links.remove(0).access.name()?, AtomicUsize::default()) } else { self.expression(&chain.lhs)? };
        Some(if links.is_empty() { base } else { Node::Chain(Box::new(base), links.into()) })
    }

    fn access(&mut self, dot: bool, step: &Expr) -> Option<Access> {
        self.count()?;
        match (dot, step) {
            (true, Expr::Property(property, _)) => Some(Access::Property(property.2.as_str().into(), Property::find(&property.2))),
            (true, Expr::MethodCall(call, _)) => {
                let function = self.function("", &call.name, call.args.len() + 1)?;
                Some(Access::Method(function, self.all(&call.args)?))
            }
            (false, Expr::StringConstant(name, _)) => Some(Access::Entry(name.as_str().into())),
            _ => None,
        }
    }
}

impl Access {
    fn name(self) -> Option<Name> {
        match self {
            Self::Property(name, _) | Self::Entry(name) => Some(name),
            Self::Method(..) => None,
        }
    }

    /// Whether there is nothing to compute beside it.
    fn is_settled(&self) -> bool {
        match self {
            Self::Property(..) | Self::Entry(_) => true,
            Self::Method(_, arguments) => arguments.iter().all(|argument| matches!(argument, Node::Constant(_))),
        }
    }
}

/// The two halves of `a.b` and `a[b]`, and whether it is a dot.
fn halves(expr: &Expr) -> Option<(bool, ASTFlags, &rhai::BinaryExpr)> {
    match expr {
        Expr::Dot(chain, flags, _) => Some((true, *flags, chain)),
        Expr::Index(chain, flags, _) => Some((false, *flags, chain)),
        _ => None,
    }
}

fn is_sum(expr: &Expr) -> bool {
    matches!(expr, Expr::FnCall(call, _) if call.is_operator_call() && call.name == "+" && call.args.len() == 2)
}

fn operator(sign: &str) -> Option<Operator> {
    Some(match sign {
        "-" => Operator::Minus,
        "*" => Operator::Times,
        "/" => Operator::Divide,
        "%" => Operator::Modulo,
        "==" => Operator::Compare(Comparison::Equal),
        "!=" => Operator::Compare(Comparison::Unequal),
        "<" => Operator::Compare(Comparison::Less),
        "<=" => Operator::Compare(Comparison::LessOrEqual),
        ">" => Operator::Compare(Comparison::Greater),
        ">=" => Operator::Compare(Comparison::GreaterOrEqual),
        _ => return None,
    })
}
