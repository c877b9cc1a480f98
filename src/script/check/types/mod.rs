//! Types that cannot work together, as far as both are known. What is not known is never reported.

/// What an expression is.
mod infer;
/// What known functions want and give.
mod signatures;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use crate::model::{FieldType, Report, Source};
use crate::script::{
    closure::Closure,
    declaration::{Action, Body, Cell, Declaration},
    desk::Maps,
    diagnostics::{Diagnostic, Id},
    reads,
    spots::place,
};

use infer::Known;

/// A family of values. Null belongs to each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    Truth,
    Date,
    Instant,
    Days,
    Length,
    List,
    Map,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "text",
            Self::Truth => "true or false",
            Self::Date => "a date",
            Self::Instant => "an instant",
            Self::Days => "days",
            Self::Length => "a length of time",
            Self::List => "a list",
            Self::Map => "a map",
        }
    }

    /// Those whose operators are all known here.
    const fn is_plain(self) -> bool {
        matches!(self, Self::Number | Self::Text | Self::Truth | Self::Date | Self::Instant)
    }

    const fn of_field(kind: &FieldType) -> Option<Self> {
        match kind {
            FieldType::Int { .. } | FieldType::Number { .. } | FieldType::Float => Some(Self::Number),
            FieldType::DateTime { .. } => Some(Self::Instant),
            FieldType::Date => Some(Self::Date),
            FieldType::Bool => Some(Self::Truth),
            _ => None,
        }
    }
}

/// Everything in a file that cannot work, whatever the rows hold.
pub(in crate::script) fn types(file: &str, ast: &AST) -> Vec<Diagnostic> {
    findings(file, ast, &Known::of(ast))
}

/// The same in closures over the rows of a report, whose columns have types.
pub(in crate::script) fn row_types(declaration: &Declaration, maps: &Maps) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (report, closure) in closures(declaration) {
        let Some(map) = maps.get(&closure.place().file) else { continue };
        let Some(row) = reads::parameters(&map.ast, closure.function()).and_then(|mut parameters| parameters.pop()) else { continue };
        let columns = report.columns.iter().filter_map(|(name, measure)| {
            let kind = super::schemas::measure_type(measure)?;
            Some((name.clone(), Kind::of_field(&kind)?))
        });
        let known = Known::of(&map.ast).with_row(row, columns.collect());
        found.extend(findings(&map.file, &reads::alone(&map.ast, closure.function()), &known));
    }
    found
}

/// Closures over the rows of reports.
fn closures(declaration: &Declaration) -> Vec<(&Report, &Closure)> {
    match &declaration.body {
        Body::Integration(integration) => {
            let pushes = integration.push.iter();
            pushes.flat_map(|push| push.fields.iter().filter_map(|map| Some((push.report.usage()?, compute(&map.from)?)))).collect()
        }
        Body::Mapping(mapping) => match &mapping.from {
            Source::Report(report) => {
                let cells = mapping.fields.iter().filter_map(|map| compute(&map.from));
                cells.chain(&mapping.rows.keep).map(|closure| (report, closure)).collect()
            }
            _ => Vec::new(),
        },
        Body::Rule(rule) => match &rule.from {
            Source::Report(report) => {
                // Rows are filtered before they are grouped; actions get what comes of that.
                let cells = rule.actions.iter().filter(|_| rule.calculated.is_empty()).flat_map(Action::cells);
                cells.filter_map(compute).chain(&rule.rows.keep).map(|closure| (report, closure)).collect()
            }
            _ => Vec::new(),
        },
        Body::Segment(_) | Body::Journey(_) => Vec::new(),
    }
}

const fn compute(cell: &Cell) -> Option<&Closure> {
    if let Cell::Compute(closure) = cell { Some(closure) } else { None }
}

fn findings(file: &str, ast: &AST, known: &Known) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at))) = path.last() {
            found.extend(if call.is_operator_call() { operator(file, call, *at, known) } else { arguments(file, call, *at, known) });
        }
        true
    });
    found
}

/// An operator between two values that it does not work between.
fn operator(file: &str, call: &FnCallExpr, at: Position, known: &Known) -> Option<Diagnostic> {
    let [left, right] = call.args.as_slice() else { return None };
    let name = call.name.as_str();
    let (a, b) = (known.kind(left)?, known.kind(right)?);
    if !a.is_plain() || !b.is_plain() {
        return None;
    }
    let labelled = |finding: Diagnostic| {
        let [of_left, of_right] = [(left, a), (right, b)].map(|(side, kind)| (place(file, side.start_position()), kind.word()));
        finding.label(&of_left.0, of_left.1).label(&of_right.0, of_right.1)
    };
    let at = place(file, at);
    match name {
        "==" | "!=" | "<" | "<=" | ">" | ">=" if a != b && !(is_of_time(a) && is_of_time(b)) => {
            let outcome = if name == "!=" { "always true" } else { "never true" };
            let finding = Diagnostic::new(Id::NeverAlike, &at, format!("`{name}` between {} and {} is {outcome}", a.word(), b.word()));
            let why = "values of different types are never equal, and none is larger than the other";
            Some(labelled(finding).note(why).hint("bring both to the same type first"))
        }
        "+" if [(a, right), (b, left)].iter().any(|(kind, other)| *kind == Kind::Number && reads_as_number(other)) => {
            let finding = Diagnostic::new(Id::NumberAsText, &at, "a number is joined to digits in quotes: the result is text, no sum");
            Some(labelled(finding).hint("drop the quotes, or join the parts in a text: `${..}`"))
        }
        "+" | "-" | "*" | "/" | "%" | "**" if !works(name, a, b) => {
            let finding = Diagnostic::new(Id::OperatorTypes, &at, format!("`{name}` does not work between {} and {}", a.word(), b.word()));
            let days = (a, b) == (Kind::Date, Kind::Number) && matches!(name, "+" | "-");
            Some(labelled(finding).hint_if(days.then(|| format!("write `{name} days(..)`"))))
        }
        _ => None,
    }
}

/// A day and an instant are compared with each other: the day stands for all of its instants.
const fn is_of_time(kind: Kind) -> bool {
    matches!(kind, Kind::Date | Kind::Instant)
}

fn reads_as_number(expr: &Expr) -> bool {
    matches!(expr, Expr::StringConstant(text, _) if text.trim().parse::<f64>().is_ok())
}

fn works(operator: &str, a: Kind, b: Kind) -> bool {
    match (operator, a, b) {
        (_, Kind::Number, Kind::Number) => true,
        ("+", a, b) => a == Kind::Text || b == Kind::Text,
        ("-", a, b) => a == b && a != Kind::Truth,
        _ => false,
    }
}

/// A known function given another kind of value than it wants.
fn arguments(file: &str, call: &FnCallExpr, at: Position, known: &Known) -> Option<Diagnostic> {
    let signature = known.signature(call)?;
    for (n, (argument, wanted)) in call.args.iter().zip(signature.wants).enumerate() {
        let (Some(wanted), Some(given)) = (wanted, known.kind(argument)) else { continue };
        if *wanted != given {
            let message = format!("`{}` wants {} as argument {}, not {}", signature.name, wanted.word(), n + 1, given.word());
            let finding = Diagnostic::new(Id::ArgumentType, &place(file, argument.start_position()), message);
            let hint = format!("`tabi docs {}` shows how to call it", signature.name);
            return Some(finding.label(&place(file, at), "the call").hint(hint));
        }
    }
    None
}
