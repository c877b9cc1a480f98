//! Names to places: checks a parsed query against the schema and says what is wrong in the service's words.

use crate::sandbox::salesforce::data::Data;
use crate::sandbox::salesforce::schema::{Field, Kind, Object};
use crate::sandbox::salesforce::soql::ast::{Condition, Expr, Item, Path, Query};
use crate::sandbox::salesforce::soql::dates::DateFn;
use crate::sandbox::salesforce::soql::fault::QueryFault;
use crate::sandbox::salesforce::soql::filter;
use crate::sandbox::salesforce::soql::plan::{Aggregate, Bound, Column, Hop, Plan, Sorting};
use smol_str::{SmolStr, ToSmolStr, format_smolstr};

/// What a binding works with.
pub(crate) struct Scope<'a> {
    pub(crate) data: &'a Data,
    pub(crate) query: &'a str,
    /// Milliseconds since 1970, for relative dates.
    pub(crate) now: i64,
    pub(crate) all_rows: bool,
    /// Nesting of child subqueries or semi-joins.
    pub(crate) depth: usize,
}

/// The query being bound: its object, its aliases, and how many un-aliased aggregates it had so far.
pub(crate) struct Names<'q> {
    pub(crate) object: usize,
    query: &'q Query,
}

const ADVICE: &str = "Please reference your WSDL or the describe call for the appropriate names.";

impl Scope<'_> {
    /// A fault with the caret at a byte of the query.
    pub(crate) fn at(&self, code: &'static str, place: usize, detail: &str) -> QueryFault {
        QueryFault::at(code, self.query, place, detail)
    }

    pub(crate) fn object(&self, object: usize) -> &Object {
        &self.data.schema.objects[object]
    }
}

/// Resolves a whole query.
pub(crate) fn bind(scope: &Scope<'_>, query: &Query) -> Result<Plan, QueryFault> {
    let Some(object) = scope.data.schema.object(&query.from) else {
        let advice = "If you are attempting to use a custom object, be sure to append the '__c' after the entity name.";
        return Err(scope.at("INVALID_TYPE", query.from_place, &format!("sObject type '{}' is not supported. {advice} {ADVICE}", query.from)));
    };
    bind_over(scope, query, object)
}

fn bind_over(scope: &Scope<'_>, query: &Query, object: usize) -> Result<Plan, QueryFault> {
    let names = Names { object, query };
    let filter = query.filter.as_ref().map(|c| filter::bind(scope, &names, c, false)).transpose()?;
    let mut plan = Plan {
        object,
        columns: Vec::new(),
        filter,
        group: query.group.iter().map(|e| group_entry(scope, &names, e)).collect::<Result<_, _>>()?,
        rollup: query.rollup,
        having: None,
        order: Vec::new(),
        limit: query.limit,
        offset: query.offset,
        count_only: is_count_all(&query.select),
        grouped: !query.group.is_empty(),
        all_rows: scope.all_rows,
    };
    if query.offset > 2000 {
        return Err(QueryFault::new("NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"));
    }
    if plan.count_only {
        return count_all(scope, query, plan);
    }
    columns(scope, &names, &mut plan)?;
    plan.grouped |= plan.columns.iter().any(|c| matches!(c, Column::Value { expr, .. } if expr.is_aggregate()));
    if plan.grouped {
        check_grouped(scope, query, &plan)?;
    }
    plan.having = query.having.as_ref().map(|c| having(scope, &names, c, &plan)).transpose()?;
    plan.order = order(scope, &names, &plan)?;
    Ok(plan)
}

fn is_count_all(select: &[Item]) -> bool {
    matches!(select, [Item::Value { expr: Expr::Call { name, argument: None, .. }, .. }] if name.eq_ignore_ascii_case("COUNT"))
}

fn count_all(scope: &Scope<'_>, query: &Query, plan: Plan) -> Result<Plan, QueryFault> {
    if let Some(order) = query.order.first() {
        return Err(scope.at("MALFORMED_QUERY", order.expr.place(), "Count query may not have an ORDER BY clause"));
    }
    if let Some(group) = query.group.first() {
        return Err(scope.at("MALFORMED_QUERY", group.place(), "Grouped query may not have COUNT() without a field"));
    }
    Ok(plan)
}

fn having(scope: &Scope<'_>, names: &Names<'_>, condition: &Condition, plan: &Plan) -> Result<super::plan::Test, QueryFault> {
    if !plan.grouped {
        return Err(scope.at("MALFORMED_QUERY", names.query.place, "Having clause requires a group by clause"));
    }
    filter::bind(scope, names, condition, true)
}

fn group_entry(scope: &Scope<'_>, names: &Names<'_>, expr: &Expr) -> Result<Bound, QueryFault> {
    let bound = expression(scope, names, expr, false)?;
    if let Some(field) = field_of(scope, names.object, &bound)
        && !field.groupable
        && !matches!(bound, Bound::Date(..))
    {
        return Err(scope.at("INVALID_FIELD", expr.place(), &format!("field '{}' can not be grouped in a query call", field.name)));
    }
    Ok(bound)
}

/// The field behind an expression, if it is a plain one.
pub(crate) fn field_of<'a>(scope: &'a Scope<'_>, object: usize, bound: &Bound) -> Option<&'a Field> {
    match bound {
        Bound::Field { hops, field, .. } => {
            let object = hops.last().map_or(object, |hop| hop.object);
            Some(&scope.object(object).fields[*field])
        }
        Bound::Address { object, field, .. } => Some(&scope.object(*object).fields[*field]),
        Bound::Date(_, inner) => field_of(scope, object, inner),
        _ => None,
    }
}

fn columns(scope: &Scope<'_>, names: &Names<'_>, plan: &mut Plan) -> Result<(), QueryFault> {
    let mut unnamed = 0;
    for item in &names.query.select {
        let added = match item {
            Item::Value { expr, alias } => vec![value_column(scope, names, expr, alias.as_ref(), &mut unnamed)?],
            Item::Children(query) => vec![children(scope, names.object, query)?],
            Item::Fields { which, place } => all_fields(scope, names, which, *place)?,
            Item::Typeof { relationship, place, arms, otherwise } => vec![type_of(scope, names, (relationship, *place), arms, otherwise)?],
        };
        for column in added {
            reject_twice(&plan.columns, &column)?;
            plan.columns.push(column);
        }
    }
    Ok(())
}

fn reject_twice(columns: &[Column], added: &Column) -> Result<(), QueryFault> {
    let Column::Value { keys, .. } = added else { return Ok(()) };
    let twice = columns.iter().any(|c| matches!(c, Column::Value { keys: other, .. } if other == keys));
    if twice { Err(QueryFault::field(format!("duplicate field selected: {}", keys.join(".")))) } else { Ok(()) }
}

fn value_column(scope: &Scope<'_>, names: &Names<'_>, expr: &Expr, alias: Option<&SmolStr>, unnamed: &mut usize) -> Result<Column, QueryFault> {
    let bound = expression(scope, names, expr, true)?;
    let keys = match (alias, expr) {
        (Some(alias), _) => vec![alias.clone()],
        (None, Expr::Path(_)) if !names.query.group.is_empty() => keys_of(scope, names.object, &bound).pop().into_iter().collect(),
        (None, Expr::Path(_)) => keys_of(scope, names.object, &bound),
        (None, Expr::Call { name, .. })
            if name.eq_ignore_ascii_case("toLabel") || name.eq_ignore_ascii_case("FORMAT") || name.eq_ignore_ascii_case("convertCurrency") =>
        {
            let inner = if let Bound::Text(inner) = &bound { inner } else { &bound };
            keys_of(scope, names.object, inner)
        }
        (None, Expr::Call { .. }) => {
            *unnamed += 1;
            vec![format_smolstr!("expr{}", *unnamed - 1)]
        }
    };
    Ok(Column::Value { keys, expr: bound })
}

/// The answer's keys of a plain field: relationship names, then the field's name, in the schema's capitals.
fn keys_of(scope: &Scope<'_>, mut object: usize, bound: &Bound) -> Vec<SmolStr> {
    let (hops, last) = match bound {
        Bound::Field { hops, field, .. } | Bound::Address { hops, field, .. } => (hops, Some(*field)),
        Bound::ParentType { hops } => (hops, None),
        _ => return vec![SmolStr::new_static("expr0")],
    };
    let mut keys = Vec::with_capacity(hops.len() + 1);
    for hop in hops {
        keys.push(scope.object(object).fields[hop.field].relationship.clone().unwrap_or_default());
        object = hop.object;
    }
    keys.push(last.map_or(SmolStr::new_static("Type"), |field| scope.object(object).fields[field].name.clone()));
    keys
}

fn all_fields(scope: &Scope<'_>, names: &Names<'_>, which: &str, place: usize) -> Result<Vec<Column>, QueryFault> {
    if !matches!(which, "ALL" | "STANDARD" | "CUSTOM") {
        return Err(scope.at("MALFORMED_QUERY", place, &format!("unexpected token: '{which}'")));
    }
    if which != "STANDARD" && names.query.limit.is_none_or(|limit| limit > 200) {
        let text = format!("The SOQL FIELDS function must have a LIMIT of at most 200: FIELDS({which})");
        return Err(QueryFault::malformed(text));
    }
    let object = scope.object(names.object);
    let wanted = object.describe_order().filter(|place| match which {
        "STANDARD" => !object.fields[*place].custom,
        "CUSTOM" => object.fields[*place].custom,
        _ => true,
    });
    Ok(wanted
        .map(|field| Column::Value { keys: vec![object.fields[field].name.clone()], expr: plain(scope, names.object, Vec::new(), field) })
        .collect())
}

fn plain(scope: &Scope<'_>, object: usize, hops: Vec<Hop>, field: usize) -> Bound {
    let kind = scope.object(object).fields[field].kind;
    if kind == Kind::Address { Bound::Address { hops, object, field } } else { Bound::Field { hops, field, kind } }
}

fn type_of(
    scope: &Scope<'_>,
    names: &Names<'_>,
    (relationship, place): (&SmolStr, usize),
    arms: &[(SmolStr, Vec<Path>)],
    otherwise: &[Path],
) -> Result<Column, QueryFault> {
    let field = scope.object(names.object).parent(relationship).ok_or_else(|| no_relationship(scope, relationship, relationship, place))?;
    let reference = &scope.object(names.object).fields[field];
    let bind_arm = |object: usize, paths: &[Path]| -> Result<(usize, Vec<Column>), QueryFault> {
        let columns = paths.iter().map(|path| {
            let bound = resolve(scope, object, &path.parts, path)?;
            Ok(Column::Value { keys: keys_of(scope, object, &bound), expr: bound })
        });
        Ok((object, columns.collect::<Result<_, QueryFault>>()?))
    };
    let mut bound = Vec::new();
    for (name, paths) in arms {
        if !reference.refers.iter().any(|r| r.eq_ignore_ascii_case(name)) {
            return Err(scope.at("INVALID_FIELD", place, &format!("The given WHEN value '{name}' is not valid for relationship '{relationship}'")));
        }
        if let Some(object) = scope.data.schema.object(name) {
            bound.push(bind_arm(object, paths)?);
        }
    }
    for object in reference.refers.iter().filter_map(|name| scope.data.schema.object(name)) {
        if !bound.iter().any(|(known, _)| *known == object) {
            bound.push(bind_arm(object, otherwise)?);
        }
    }
    Ok(Column::Typeof { key: reference.relationship.clone().unwrap_or_default(), field, arms: bound })
}

fn children(scope: &Scope<'_>, object: usize, query: &Query) -> Result<Column, QueryFault> {
    // The old style puts the parent's alias before the relationship: `FROM Account a, ... (SELECT .. FROM a.Contacts)`.
    let name = query.from.rsplit('.').next().unwrap_or(&query.from);
    let child = scope.object(object).children.iter().find(|c| c.relationship.as_deref().is_some_and(|r| r.eq_ignore_ascii_case(name)));
    let found = child.and_then(|c| {
        let child_object = scope.data.schema.object(&c.object)?;
        Some((c.relationship.clone().unwrap_or_default(), child_object, scope.object(child_object).place(&c.field)?))
    });
    let Some((key, child_object, field)) = found else {
        let advice = "If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name.";
        let text = format!("Didn't understand relationship '{name}' in FROM part of query call. {advice} {ADVICE}");
        return Err(scope.at("INVALID_TYPE", query.from_place, &text));
    };
    if scope.depth >= 5 {
        return Err(QueryFault::malformed(
            "SOQL statements cannot query aggregate relationships more than 5 levels away from the root entity object.",
        ));
    }
    let inner = Scope { data: scope.data, query: scope.query, now: scope.now, all_rows: scope.all_rows, depth: scope.depth + 1 };
    let plan = bind_over(&inner, query, child_object)?;
    if plan.grouped || plan.count_only {
        return Err(scope.at("MALFORMED_QUERY", query.place, "Aggregate expressions are not supported in child subqueries"));
    }
    Ok(Column::Children { key, field, plan: Box::new(plan) })
}

/// Resolves a field or a function call.
pub(crate) fn expression(scope: &Scope<'_>, names: &Names<'_>, expr: &Expr, aggregates: bool) -> Result<Bound, QueryFault> {
    match expr {
        Expr::Path(path) => path_of(scope, names, path),
        Expr::Call { name, place, argument } => call(scope, names, (name, *place), argument.as_deref(), aggregates),
    }
}

fn call(
    scope: &Scope<'_>,
    names: &Names<'_>,
    (name, place): (&SmolStr, usize),
    argument: Option<&Expr>,
    aggregates: bool,
) -> Result<Bound, QueryFault> {
    let unknown = || scope.at("MALFORMED_QUERY", place, &format!("unexpected token: '{name}'"));
    let upper = name.to_ascii_uppercase();
    let argument = argument.ok_or_else(|| scope.at("MALFORMED_QUERY", place, &format!("Function {upper} requires a field")));
    if let Some(function) = DateFn::by_name(&upper) {
        let inner = expression(scope, names, argument?, false)?;
        let fits = match function {
            DateFn::Hour | DateFn::DayOnly => inner.kind() == Kind::Datetime,
            _ => matches!(inner.kind(), Kind::Date | Kind::Datetime),
        };
        if !fits {
            return Err(scope.at("INVALID_FIELD", place, &format!("Invalid field type for function: {upper}")));
        }
        return Ok(Bound::Date(function, Box::new(inner)));
    }
    match upper.as_str() {
        // The org is in UTC, labels are values and there is one currency.
        "CONVERTTIMEZONE" | "TOLABEL" | "CONVERTCURRENCY" => expression(scope, names, argument?, aggregates),
        "FORMAT" => Ok(Bound::Text(Box::new(expression(scope, names, argument?, aggregates)?))),
        "GROUPING" => Ok(Bound::Grouping(Box::new(expression(scope, names, argument?, false)?))),
        _ => {
            let function = aggregate(&upper).filter(|_| aggregates).ok_or_else(unknown)?;
            let argument = argument?;
            let inner = expression(scope, names, argument, false)?;
            let field = field_of(scope, names.object, &inner);
            let numeric = inner.kind().is_number();
            let fits = match function {
                Aggregate::Sum | Aggregate::Average => numeric,
                Aggregate::Count | Aggregate::Distinct => field.is_none_or(|f| f.aggregatable || numeric || f.kind == Kind::Boolean || f.filterable),
                Aggregate::Min | Aggregate::Max => field.is_none_or(|f| f.aggregatable),
            };
            if !fits {
                let text = format!("field {} does not support aggregate operator {upper}", field.map(|f| f.name.clone()).unwrap_or_default());
                return Err(scope.at("MALFORMED_QUERY", argument.place(), &text));
            }
            Ok(Bound::Aggregate(function, Some(Box::new(inner))))
        }
    }
}

fn aggregate(name: &str) -> Option<Aggregate> {
    Some(match name {
        "COUNT" => Aggregate::Count,
        "COUNT_DISTINCT" => Aggregate::Distinct,
        "SUM" => Aggregate::Sum,
        "AVG" => Aggregate::Average,
        "MIN" => Aggregate::Min,
        "MAX" => Aggregate::Max,
        _ => return None,
    })
}

fn path_of(scope: &Scope<'_>, names: &Names<'_>, path: &Path) -> Result<Bound, QueryFault> {
    let mut parts: Vec<SmolStr> = path.parts.clone();
    // `a.Name` with `FROM Account a`, `Account.Name`, and `o.Name` with `FROM Account a, a.Owner o`.
    for _ in 0..5 {
        if let Some((_, target)) = names.query.further.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(&parts[0])) {
            parts.splice(0..1, target.parts.iter().cloned());
        }
    }
    let own = names.query.alias.as_ref().is_some_and(|alias| alias.eq_ignore_ascii_case(&parts[0]));
    let spelled = parts[0].eq_ignore_ascii_case(&scope.object(names.object).name) && scope.object(names.object).parent(&parts[0]).is_none();
    if parts.len() > 1 && (own || spelled) {
        parts.remove(0);
    }
    resolve(scope, names.object, &parts, path)
}

fn no_relationship(scope: &Scope<'_>, relationship: &str, _path: &str, place: usize) -> QueryFault {
    let advice = "If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name.";
    scope.at("INVALID_FIELD", place, &format!("Didn't understand relationship '{relationship}' in field path. {advice} {ADVICE}"))
}

fn resolve(scope: &Scope<'_>, start: usize, parts: &[SmolStr], path: &Path) -> Result<Bound, QueryFault> {
    let mut object = start;
    let mut hops = Vec::new();
    let Some((last, relationships)) = parts.split_last() else { return Err(QueryFault::malformed("unexpected token: '.'")) };
    if relationships.len() > 5 {
        return Err(scope.at("INVALID_FIELD", path.place, "Relationship path exceeds the maximum of 5 levels"));
    }
    for relationship in relationships {
        let here = scope.object(object);
        let step = here.parent(relationship).and_then(|field| {
            let target = here.fields[field].refers.iter().rev().find_map(|name| scope.data.schema.object(name))?;
            Some(Hop { field, object: target })
        });
        let hop = step.ok_or_else(|| no_relationship(scope, relationship, &path.text(), path.place))?;
        object = hop.object;
        hops.push(hop);
    }
    if let Some(field) = scope.object(object).field(last) {
        return Ok(plain(scope, object, hops, field));
    }
    if last.eq_ignore_ascii_case("Type") && !hops.is_empty() {
        return Ok(Bound::ParentType { hops });
    }
    let advice = "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name.";
    let text = format!("No such column '{last}' on entity '{}'. {advice} {ADVICE}", scope.object(object).name);
    Err(scope.at("INVALID_FIELD", path.place, &text))
}

fn check_grouped(scope: &Scope<'_>, query: &Query, plan: &Plan) -> Result<(), QueryFault> {
    for (column, item) in plan.columns.iter().zip(&query.select) {
        let (Column::Value { keys, expr }, Item::Value { expr: written, .. }) = (column, item) else {
            return Err(scope.at("MALFORMED_QUERY", query.place, "Grouped queries cannot use child relationships in the SELECT list"));
        };
        let free = matches!(expr, Bound::Grouping(_)) || expr.is_aggregate() || matches!(expr, Bound::Text(inner) if inner.is_aggregate());
        if !free && !plan.group.contains(expr) {
            let name = if let Expr::Path(path) = written { path.text().to_smolstr() } else { keys.join(".").to_smolstr() };
            return Err(scope.at("MALFORMED_QUERY", written.place(), &format!("Field must be grouped or aggregated: {name}")));
        }
    }
    if query.group.is_empty() && query.limit.is_some() {
        return Err(scope.at("MALFORMED_QUERY", query.place, "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"));
    }
    Ok(())
}

fn order(scope: &Scope<'_>, names: &Names<'_>, plan: &Plan) -> Result<Vec<Sorting>, QueryFault> {
    let mut out = Vec::new();
    for entry in &names.query.order {
        let aliased = if let Expr::Path(path) = &entry.expr { alias_of(plan, path) } else { None };
        let expr = match aliased {
            Some(expr) => expr,
            None => expression(scope, names, &entry.expr, plan.grouped)?,
        };
        if plan.grouped && !expr.is_aggregate() && !plan.group.contains(&expr) {
            return Err(scope.at("MALFORMED_QUERY", entry.expr.place(), "Ordered field must be grouped or aggregated"));
        }
        if let Some(field) = field_of(scope, names.object, &expr)
            && !field.sortable
        {
            return Err(scope.at("MALFORMED_QUERY", entry.expr.place(), &format!("field '{}' can not be sorted in a query call", field.name)));
        }
        // Nulls first, whatever the direction: the reading of the SOQL guide.
        out.push(Sorting { expr, descending: entry.descending, nulls_last: entry.nulls_last.unwrap_or(false) });
    }
    Ok(out)
}

fn alias_of(plan: &Plan, path: &Path) -> Option<Bound> {
    let name = path.parts.first().filter(|_| plan.grouped && path.parts.len() == 1)?;
    plan.columns.iter().find_map(|column| match column {
        Column::Value { keys, expr } if keys.len() == 1 && keys[0].eq_ignore_ascii_case(name) && expr.is_aggregate() => Some(expr.clone()),
        _ => None,
    })
}
