//! Stages of a pipeline: the parameters of each operator.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    expression::Expression,
    grammar,
    group::Group,
    membership::Membership,
    row::{Context, Name, Path},
    source::Source,
};

/// One stage.
#[derive(Clone)]
pub(super) enum Stage {
    Source(Source),
    Spawn(Vec<Vec<Stage>>),
    Join {
        fields: Vec<Path>,
        width: usize,
    },
    Merge {
        fields: Vec<Path>,
        mappings: Vec<(Name, Path)>,
        pipeline: Vec<Stage>,
    },
    Identified {
        path: Path,
        wanted: bool,
    },
    Filter(Arc<Expression>),
    Select(Arc<[(Name, Expression)]>),
    Eval(Arc<[(Name, Expression)]>),
    Group(Arc<Group>),
    Count,
    /// Paths, and whether downward.
    Sort(Arc<[(Path, bool)]>),
    Limit(usize),
    Unwind(Path),
    Cat,
    Segment(Arc<Membership>),
    /// The record of an account (or visitor) under a name, by an id in a field.
    Expand(Arc<[(Name, Kind, Path)]>),
}

/// The two kinds of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Account,
    Visitor,
}

/// The longest list of stages.
const LONGEST: usize = 200;

/// Reads a pipeline. What begins it must make rows: a source or a spawn.
pub(super) fn parse(pipeline: &Value, context: &Context) -> Result<Vec<Stage>, String> {
    parse_nested(pipeline, context, 0, true)
}

fn parse_nested(pipeline: &Value, context: &Context, depth: usize, begins: bool) -> Result<Vec<Stage>, String> {
    let stages = pipeline.as_array().ok_or("pipeline must be a list")?;
    if stages.is_empty() || stages.len() > LONGEST || depth > 8 {
        return Err("pipeline is empty or too long".to_owned());
    }
    let stages: Vec<Stage> = stages.iter().map(|stage| parse_stage(stage, context, depth)).collect::<Result<_, _>>()?;
    let sources = stages.iter().filter(|stage| matches!(stage, Stage::Source(_))).count();
    let first_is_source = matches!(stages[0], Stage::Source(_));
    if sources > usize::from(first_is_source) {
        return Err("only a single source is allowed".to_owned());
    }
    if depth > 0 && stages.iter().any(|stage| matches!(stage, Stage::Source(source) if source.window.is_some_and(|window| window.iterative))) {
        return Err("a pipeline within a pipeline takes a range as its period".to_owned());
    }
    if begins && !first_is_source && !matches!(stages[0], Stage::Spawn(_)) {
        return Err("pipeline must start with a source".to_owned());
    }
    Ok(stages)
}

fn parse_stage(stage: &Value, context: &Context, depth: usize) -> Result<Stage, String> {
    let stage = stage.as_object().ok_or("each stage of a pipeline must be an object")?;
    let mut operators = stage.iter();
    let (Some((operator, value)), None) = (operators.next(), operators.next()) else {
        return Err("each stage of a pipeline must have a single operator".to_owned());
    };
    Ok(match operator.as_str() {
        "source" => Stage::Source(Source::parse(value, context)?),
        "identified" => identified(value)?,
        "filter" => Stage::Filter(Arc::new(grammar::parse(text(operator, value)?)?)),
        "select" => Stage::Select(expressions(operator, value)?.into()),
        "eval" => Stage::Eval(expressions(operator, value)?.into()),
        "group" => Stage::Group(Arc::new(Group::parse(value)?)),
        "reduce" => Stage::Group(Arc::new(Group::reduce(value)?)),
        "count" if value.is_null() => Stage::Count,
        "cat" if value.is_null() => Stage::Cat,
        "sort" => Stage::Sort(sort(value)?.into()),
        "limit" => Stage::Limit(value.as_u64().and_then(|limit| usize::try_from(limit).ok()).ok_or("limit must be a number")?),
        "unwind" => Stage::Unwind(only(object(operator, value)?, operator, &["field"]).and_then(|unwind| path(unwind.get("field")))?),
        "spawn" => {
            let branches = value.as_array().filter(|branches| !branches.is_empty()).ok_or("spawn must be a list of pipelines")?;
            Stage::Spawn(branches.iter().map(|branch| parse_nested(branch, context, depth + 1, false)).collect::<Result<_, _>>()?)
        }
        "join" => {
            let join = only(object(operator, value)?, operator, &["fields", "width"])?;
            let width = join.get("width").and_then(Value::as_u64).and_then(|width| usize::try_from(width).ok()).ok_or("join needs a width")?;
            Stage::Join { fields: paths(join.get("fields"))?, width }
        }
        "merge" => merge(object(operator, value)?, context, depth)?,
        "segment" => {
            let segment = only(object(operator, value)?, operator, &["id"])?;
            let id = segment.get("id").and_then(Value::as_str).ok_or("segment needs an id")?;
            Stage::Segment(Arc::new(Membership::of(id, context).ok_or_else(|| format!("segment not found: {id}"))?))
        }
        "bulkExpand" => Stage::Expand(expanded(value)?.into()),
        _ => return Err(format!("unknown operator: {operator}")),
    })
}

fn text<'a>(operator: &str, value: &'a Value) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("{operator} must be a string"))
}

fn object<'a>(operator: &str, value: &'a Value) -> Result<&'a Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{operator} must be an object"))
}

/// The same object, if it has no other keys than these.
pub(super) fn only<'a>(value: &'a Map<String, Value>, operator: &str, keys: &[&str]) -> Result<&'a Map<String, Value>, String> {
    match value.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(unknown) => Err(format!("unknown key {unknown} in {operator}")),
        None => Ok(value),
    }
}

fn path(value: Option<&Value>) -> Result<Path, String> {
    grammar::parse_path(value.and_then(Value::as_str).ok_or("a field name is missing")?)
}

pub(super) fn paths(value: Option<&Value>) -> Result<Vec<Path>, String> {
    let fields = value.and_then(Value::as_array).ok_or("a list of fields is missing")?;
    fields.iter().map(|field| path(Some(field))).collect()
}

fn identified(value: &Value) -> Result<Stage, String> {
    let named = text("identified", value)?;
    let (wanted, name) = named.strip_prefix('!').map_or((true, named), |name| (false, name));
    if !matches!(name, "visitorId" | "accountId") {
        return Err(format!("identified takes visitorId or accountId, not {name}"));
    }
    Ok(Stage::Identified { path: grammar::parse_path(name)?, wanted })
}

fn expressions(operator: &str, value: &Value) -> Result<Vec<(Name, Expression)>, String> {
    let fields = object(operator, value)?.iter();
    fields.map(|(name, value)| Ok((name.as_str().into(), grammar::parse(text(name, value)?)?))).collect()
}

fn sort(value: &Value) -> Result<Vec<(Path, bool)>, String> {
    let fields = value.as_array().ok_or("sort must be a list of fields")?;
    let key = |field: &Value| {
        let named = text("sort", field)?;
        let (down, name) = named.strip_prefix('-').map_or((false, named), |name| (true, name));
        Ok((grammar::parse_path(name)?, down))
    };
    fields.iter().map(key).collect()
}

fn merge(value: &Map<String, Value>, context: &Context, depth: usize) -> Result<Stage, String> {
    let value = only(value, "merge", &["fields", "mappings", "pipeline"])?;
    let mappings = value.get("mappings").and_then(Value::as_object).ok_or("merge needs mappings")?;
    Ok(Stage::Merge {
        fields: paths(value.get("fields"))?,
        mappings: mappings.iter().map(|(name, from)| Ok((name.as_str().into(), path(Some(from))?))).collect::<Result<_, String>>()?,
        pipeline: parse_nested(value.get("pipeline").unwrap_or(&Value::Null), context, depth + 1, true)?,
    })
}

/// `{"NAME": {"account": "FIELD"}}`.
fn expanded(value: &Value) -> Result<Vec<(Name, Kind, Path)>, String> {
    let wrong = || "bulkExpand takes {NAME: {\"account\" or \"visitor\": FIELD}}".to_owned();
    let one = |(name, from): (&String, &Value)| {
        let mut from = from.as_object().ok_or_else(wrong)?.iter();
        let (Some((kind, field)), None) = (from.next(), from.next()) else { return Err(wrong()) };
        let kind = match kind.as_str() {
            "account" => Kind::Account,
            "visitor" => Kind::Visitor,
            _ => return Err(wrong()),
        };
        Ok((name.as_str().into(), kind, path(Some(field))?))
    };
    object("bulkExpand", value)?.iter().map(one).collect()
}
