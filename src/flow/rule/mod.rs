//! `rule(..)`: rows of a source, filtered, grouped, and given to each action.

/// Actions as loads: targets, keys and fields.
mod action;
/// One action for rows that are at hand.
mod at_hand;
/// Which Gainsight company an account is.
mod company;
/// Everybody, also without rows.
mod everybody;
/// Timeline entries, success plans, milestones.
mod kept;

pub(crate) use at_hand::for_rows;
pub(crate) use company::{COMPANY, companies_of, needs_account, needs_company};
pub(crate) use kept::PARTICIPANT;

use crate::{
    model::{ObjectSchema, Record, Source},
    script::{Action, ActionKind, ObjectLoad, Rule},
};

use super::{
    Error, Rejection,
    aggregate::{Folding, Groups, addable},
    error::FieldProblem,
    origin::Origin,
    pages::for_each_rows,
    reading,
    slots::Sample,
    work::Work,
};

/// Rows of a grouped rule are given to the actions in pages of this size.
const GROUPS_AT_ONCE: usize = 2_000;

/// Runs a rule for `work.date`.
pub(crate) fn run(work: &mut Work<'_>, rule: &Rule) -> Result<(), Error> {
    enabled_only(work, &rule.actions)?;
    let (source, counting) = reading::rule(rule);
    let schema = match &source {
        Source::Object(query) => Some(work.describe(query.system, &query.object)?),
        _ => None,
    };
    addable(rule, schema.as_ref())?;
    let source = work.fitted(source, schema.as_ref())?;
    let mut actions: Vec<Option<action::Ready>> = rule.actions.iter().map(|_| None).collect();
    let (mut groups, mut folded) = (Groups::default(), 0);
    let grouped = !rule.calculated.is_empty() || !rule.group_by.is_empty();
    let by = if rule.group_by.is_empty() { std::slice::from_ref(&rule.account) } else { &rule.group_by };
    let origin = if grouped { Origin::grouped(by) } else { Origin::of(&source) };
    let known = Known { source: &source, schema: schema.as_ref(), origin: &origin };
    let before = work.tally.rejected;
    for_each_rows(work, (&source, &counting, None), |work, rows| {
        if grouped {
            folded += rows.len() as u64;
            for row in &rows {
                groups.add(Folding { rule, schema: schema.as_ref(), date: work.date, zone: work.zone }, row);
            }
            return Ok(());
        }
        act(work, rule, &known, &mut actions, rows)
    })?;
    work.tally.grouped += folded - groups.len();
    everybody::add(work, rule, &mut groups, work.tally.rejected - before)?;
    let mut rows = groups.into_rows(rule)?;
    loop {
        let page: Vec<Result<Record, Rejection>> = rows.by_ref().take(GROUPS_AT_ONCE).collect();
        if page.is_empty() {
            break;
        }
        let page = page.into_iter().filter_map(|row| row.map_err(|rejection| work.reject(rejection)).ok()).collect();
        act(work, rule, &known, &mut actions, page)?;
    }
    for ready in actions.iter_mut().flatten() {
        action::finish(work, ready)?;
    }
    Ok(())
}

/// What is known of the rows of a rule before they are read.
struct Known<'a> {
    source: &'a Source,
    schema: Option<&'a ObjectSchema>,
    origin: &'a Origin,
}

/// Gives rows to every action whose criteria they meet.
fn act(work: &mut Work<'_>, rule: &Rule, known: &Known<'_>, actions: &mut [Option<action::Ready>], rows: Vec<Record>) -> Result<(), Error> {
    let rows = company::attach(work, rule, known.source, rows)?;
    for (at, (action, ready)) in rule.actions.iter().zip(actions).enumerate() {
        let chosen: Vec<Record> = match &action.criteria {
            Some(criteria) => rows.iter().filter(|row| criteria.matches(row, work.zone)).cloned().collect(),
            None => rows.clone(),
        };
        work.tally.again += if at == 0 { 0 } else { rows.len() as u64 };
        work.tally.filtered += (rows.len() - chosen.len()) as u64;
        if chosen.is_empty() {
            continue;
        }
        let ready = match ready {
            Some(ready) => ready,
            none => {
                let sample = Sample { source: known.source, schema: known.schema, rows: &chosen };
                none.insert(action::prepare(work, action, &sample, known.origin)?.saying(|field| rule.null_is_said(field)))
            }
        };
        action::take_rows(work, ready, chosen)?;
    }
    Ok(())
}

/// Only fields enabled for rule updates may be written, the Id included (A13). A list that leaves an object out enables nothing of it; a workspace without
/// any list leaves everything open.
fn enabled_only(work: &Work<'_>, actions: &[Action]) -> Result<(), Error> {
    let mut problems = Vec::new();
    for action in actions {
        let ActionKind::Object(load) = &action.kind else { continue };
        let Some(enabled) = enabled(work, load) else { continue };
        for map in &load.fields {
            if !enabled.iter().any(|name| name.eq_ignore_ascii_case(&map.target)) {
                problems.push(FieldProblem {
                    system: load.to.system,
                    object: load.to.object.clone(),
                    field: map.target.to_string(),
                    place: map.place.clone(),
                    reason: format!("is not enabled for rule updates; add it to `{}` under [salesforce.rule_updates] in tabi.toml", load.to.object),
                });
            }
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Fields(problems)) }
}

fn enabled<'a>(work: &'a Work<'_>, load: &ObjectLoad) -> Option<&'a [String]> {
    let list = work.rule_updates.filter(|_| load.to.system == crate::model::System::Salesforce)?;
    let of_object = list.iter().find(|(object, _)| object.eq_ignore_ascii_case(&load.to.object));
    Some(of_object.map(|(_, fields)| fields.as_slice()).unwrap_or_default())
}
