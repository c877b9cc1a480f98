//! Which stage comes before which: what scripts say with `after`, and who reads what another writes.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
};

use crate::{
    model::{Measure, Query, Report, Source, System},
    script::{ActionKind, Body, Declaration, FieldMap, Integration, ObjectLoad, Rule, USAGE},
};

use super::reading::{self, Wanted};

/// A part of a declaration that runs as one. Integrations have two: what pushes feed is read by rules whose results are pulled,
/// so one pass converges only when the pull comes after them (A18).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Whole,
    Push,
    Pull,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    /// Index of the declaration.
    pub declaration: usize,
    pub part: Part,
}

/// Stages in an order in which each comes after what it follows or reads; otherwise as declared. Journeys have no stages. Explicit `after`s win over data flow;
/// a cycle among them is an error of `check` and is broken here at its first declaration.
pub fn order(declarations: &[Arc<Declaration>]) -> Vec<Stage> {
    let stages = stages(declarations);
    let flows: Vec<Flow> = stages.iter().map(|stage| flow(&declarations[stage.declaration], stage.part)).collect();
    let mut edges = Edges::new(stages.len());
    for (from, to) in pairs(stages.len()) {
        let (before, after) = (&declarations[stages[from].declaration], &declarations[stages[to].declaration]);
        let same = stages[from].declaration == stages[to].declaration;
        let named = after.after.contains(&before.name) && stages[from].part != Part::Pull;
        if (same && from < to) || named {
            edges.add(from, to);
        }
    }
    for (from, to) in pairs(stages.len()) {
        if stages[from].declaration != stages[to].declaration && !flows[from].writes.is_disjoint(&flows[to].reads) {
            edges.add(from, to);
        }
    }
    edges.sorted().into_iter().map(|at| stages[at]).collect()
}

fn stages(declarations: &[Arc<Declaration>]) -> Vec<Stage> {
    let parts = declarations.iter().enumerate().flat_map(|(declaration, d)| {
        let parts: &[Part] = match &d.body {
            Body::Integration(integration) if integration.push.is_empty() => &[Part::Pull],
            Body::Integration(integration) if integration.pull.is_empty() => &[Part::Push],
            Body::Integration(_) => &[Part::Push, Part::Pull],
            _ => &[Part::Whole],
        };
        parts.iter().map(move |part| Stage { declaration, part: *part })
    });
    parts.collect()
}

fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |from| (0..count).filter(move |to| *to != from).map(move |to| (from, to)))
}

/// What comes before what; an edge that would close a circle is not taken.
struct Edges {
    next: Vec<BTreeSet<usize>>,
}

impl Edges {
    fn new(count: usize) -> Self {
        Self { next: vec![BTreeSet::new(); count] }
    }

    fn add(&mut self, from: usize, to: usize) {
        if from != to && !self.reaches(to, from) {
            self.next[from].insert(to);
        }
    }

    fn reaches(&self, from: usize, to: usize) -> bool {
        let mut open = VecDeque::from([from]);
        let mut seen = BTreeSet::new();
        while let Some(at) = open.pop_front() {
            if at == to {
                return true;
            }
            open.extend(self.next[at].iter().copied().filter(|next| seen.insert(*next)));
        }
        false
    }

    /// Kahn's order, the earliest declared first among those that are free.
    fn sorted(&self) -> Vec<usize> {
        let mut waiting: Vec<usize> = vec![0; self.next.len()];
        self.next.iter().flatten().for_each(|to| waiting[*to] += 1);
        let mut free: BTreeSet<usize> = (0..waiting.len()).filter(|at| waiting[*at] == 0).collect();
        let mut sorted = Vec::with_capacity(waiting.len());
        while let Some(at) = free.pop_first() {
            sorted.push(at);
            for to in &self.next[at] {
                waiting[*to] -= 1;
                if waiting[*to] == 0 {
                    free.insert(*to);
                }
            }
        }
        sorted
    }
}

/// Under which the members of segments are read and written.
const SEGMENT: &str = "segment";

/// Fields read and written, as `system/object/field` in lower case.
#[derive(Debug, Default)]
struct Flow {
    reads: BTreeSet<String>,
    writes: BTreeSet<String>,
}

fn flow(declaration: &Declaration, part: Part) -> Flow {
    let mut flow = Flow::default();
    match &declaration.body {
        Body::Integration(integration) => integration_flow(&mut flow, integration, part),
        Body::Mapping(mapping) => {
            read_source(&mut flow, &mapping.from, reading::of_mapping(mapping));
            writes(&mut flow, mapping.to.system, &mapping.to.object, &mapping.fields);
        }
        Body::Rule(rule) => rule_flow(&mut flow, rule),
        Body::Segment(segment) => {
            let object = segment.per.as_str();
            flow.reads.extend(segment.filter.fields().map(|field| name(System::Pendo, object, field)));
            flow.writes.insert(name(System::Pendo, SEGMENT, &declaration.name));
        }
        Body::Journey(_) => (),
    }
    flow
}

fn integration_flow(flow: &mut Flow, integration: &Integration, part: Part) {
    let object = integration.object.as_str();
    if part != Part::Pull {
        for push in &integration.push {
            if let Some(report) = push.report.usage() {
                read_report(flow, report);
            }
            writes(flow, System::Salesforce, object, &push.fields);
        }
    }
    if part != Part::Push {
        for pull in &integration.pull {
            flow.reads.insert(name(System::Salesforce, object, &pull.field));
            flow.writes.insert(name(System::Pendo, &integration.per, &format!("metadata.salesforce.{}", pull.metadata)));
        }
    }
}

fn rule_flow(flow: &mut Flow, rule: &Rule) {
    read_source(flow, &rule.from, reading::of_rule(rule));
    for action in &rule.actions {
        match &action.kind {
            // Identifiers are only matched: nothing new stands in them.
            ActionKind::Object(ObjectLoad { to, fields, identifiers, .. }) => {
                let written = fields.iter().filter(|map| !identifiers.iter().any(|name| name.eq_ignore_ascii_case(&map.target)));
                flow.writes.extend(written.map(|map| name(to.system, &to.object, &map.target)));
            }
            ActionKind::Usage(usage) => {
                let object = usage.into.as_deref().unwrap_or(USAGE);
                let system = if usage.into.is_some() { System::Gainsight } else { System::Salesforce };
                writes(flow, system, object, &usage.measures);
            }
            // A scorecard turns scores into the company's current one.
            ActionKind::Score(_) => {
                flow.writes.insert(name(System::Gainsight, "company", "currentscore"));
            }
            ActionKind::Cta(_) | ActionKind::Kept(_) => (),
        }
    }
}

fn read_source(flow: &mut Flow, source: &Source, wanted: Wanted) {
    match source {
        Source::Object(query) => flow.reads.extend(wanted.into_names().iter().map(|field| field_of(query, field))),
        Source::Report(report) => read_report(flow, report),
        Source::Soql(_) | Source::Aggregation { .. } | Source::Saved(_) => (),
    }
}

/// Metadata, and who is in a segment that another declaration keeps.
fn read_report(flow: &mut Flow, report: &Report) {
    let metadata = report.columns.iter().filter_map(|(_, measure)| match measure {
        Measure::Metadata(path) => Some(name(System::Pendo, &report.per, path)),
        _ => None,
    });
    flow.reads.extend(metadata.chain(report.segment.iter().map(|segment| name(System::Pendo, SEGMENT, segment))));
}

/// A field of a source; `customer_info` is the company under another name.
fn field_of(query: &Query, field: &str) -> String {
    match (query.system, query.object.as_str(), field) {
        (System::Gainsight, "customer_info", "HealthScore") => name(System::Gainsight, "company", "currentscore"),
        (System::Gainsight, "customer_info", field) => name(System::Gainsight, "company", field),
        (system, object, field) => name(system, object, field),
    }
}

fn writes(flow: &mut Flow, system: System, object: &str, fields: &[FieldMap]) {
    flow.writes.extend(fields.iter().map(|map| name(system, object, &map.target)));
}

fn name(system: System, object: &str, field: &str) -> String {
    format!("{system}/{object}/{field}").to_lowercase()
}
