//! What an edit would do to the people who are in: step by step where they go, whose timers move, who would be written to twice, which
//! engagements are cut. Told from sums in the state file; nobody is read one by one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use crate::{
    flow::Error,
    model::{Does, Graph, Length, Step, Timestamp},
    script::{Declaration, Journey, Sources},
    store::{Revision, Standing, Store},
};

use super::{settings::settings, time::Calendar};

/// What an edit would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EditPlan {
    pub journey: String,
    /// The revision that runs.
    pub from: u32,
    /// The one it would become.
    pub to: u32,
    /// Nobody is asked: it parks nobody, writes to nobody twice and changes no engagement.
    pub applies: bool,
    /// Why somebody has to say yes.
    pub reasons: Vec<String>,
    /// Steps where somebody stands or is parked.
    pub steps: Vec<Group>,
    pub written_twice: Vec<Twice>,
    pub engagements: Engagements,
    pub changes: Changes,
    /// What differs besides the flow, and what becomes of people by it.
    pub settings: Vec<String>,
    /// What `check` calls an error: as long as there is one, nobody takes the edit up.
    pub errors: Vec<String>,
    /// Keys or addresses are worked out anew when it is taken up.
    #[serde(skip)]
    pub(super) rekeys: bool,
    /// Files that differ from those of the revision that runs: the script, what it imports, templates.
    pub files: Vec<String>,
}

/// The people at one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// As it was called.
    pub step: String,
    pub standing: u64,
    /// Parked there by an earlier edit.
    pub parked: u64,
    pub goes: Goes,
    /// Where they stand afterwards; none when they are parked.
    pub to: Option<String>,
    pub timers: Option<Timers>,
}

/// What becomes of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Goes {
    Stays,
    /// The same step under another name.
    Renamed,
    Parked,
    /// The step does something else now; they stay and do that.
    Changed,
}

/// How the timers of a group move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timers {
    /// The length as it was; none when the step did not wait.
    pub from: Option<Length>,
    pub to: Option<Length>,
    pub earlier: u64,
    pub later: u64,
    /// Of all of them, those whose time has come by the new length.
    pub due_at_once: u64,
}

/// People who would get something again that lies behind them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Twice {
    pub step: String,
    pub people: u64,
    pub templates: Vec<String>,
}

/// Engagements by what becomes of their association (B11).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Engagements {
    /// Nobody joins these any more.
    pub cut: Vec<String>,
    pub new: Vec<String>,
}

/// Steps by what an edit did to them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    pub added: Vec<String>,
    pub removed: Vec<String>,
    pub changed: Vec<String>,
}

impl EditPlan {
    /// The same with what `check` calls errors.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<String>) -> Self {
        self.reasons.extend(errors.iter().map(|error| format!("it has an error: {error}")));
        self.applies = self.reasons.is_empty();
        Self { errors, ..self }
    }
}

impl Changes {
    /// What differs between two flows.
    pub fn between(old: &Graph, new: &Graph) -> Self {
        let names = |graph: &Graph, other: &Graph| -> Vec<String> {
            graph.steps.iter().filter(|step| other.step(&step.name).is_none()).map(|step| step.name.clone()).collect()
        };
        let differs = |step: &&Step| old.step(&step.name).is_some_and(|before| !before.same(step));
        Self { added: names(new, old), removed: names(old, new), changed: new.steps.iter().filter(differs).map(|step| step.name.clone()).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }
}

/// What an edit is made from.
pub(super) struct Edited<'a> {
    pub journey: &'a str,
    pub present: &'a Revision,
    pub graph: &'a Graph,
    pub sources: &'a Sources,
    pub declaration: &'a Declaration,
    pub declared: &'a Journey,
    /// Steps that got another name: old and new.
    pub moves: &'a [(String, String)],
    pub calendar: &'a Calendar,
    pub now: Timestamp,
}

/// Tells what an edit would do.
///
/// # Errors
/// The state file's.
pub(super) fn plan(store: &Store, edited: &Edited<'_>) -> Result<EditPlan, Error> {
    let old = edited.present.graph.renamed(edited.moves);
    let standing = store.standing(edited.journey)?;
    let steps = standing.iter().map(|at| group(store, edited, &old, at)).collect::<Result<Vec<_>, Error>>()?;
    let written_twice: Vec<Twice> = steps.iter().filter_map(|group| twice(&old, edited.graph, group)).collect();
    let (before, after) = (engagements(&old), engagements(edited.graph));
    let differ = |some: &BTreeSet<&str>, others: &BTreeSet<&str>| some.difference(others).map(|name| (*name).to_owned()).collect();
    let newest = store.revisions(edited.journey)?.first().map_or(0, |newest| newest.number);
    let settings = settings(store, edited)?;
    let mut plan = EditPlan {
        journey: edited.journey.to_owned(),
        from: edited.present.number,
        to: newest + 1,
        applies: false,
        reasons: Vec::new(),
        steps,
        written_twice,
        engagements: Engagements { cut: differ(&before, &after), new: differ(&after, &before) },
        changes: Changes::between(&old, edited.graph),
        settings: settings.told,
        errors: Vec::new(),
        rekeys: settings.rekeys,
        files: files(edited.present, edited.sources),
    };
    plan.reasons = reasons(&plan);
    plan.reasons.extend(settings.reasons);
    plan.applies = plan.reasons.is_empty();
    Ok(plan)
}

fn reasons(plan: &EditPlan) -> Vec<String> {
    let mut reasons = Vec::new();
    for group in plan.steps.iter().filter(|group| group.goes == Goes::Parked && group.standing > 0) {
        let people = if group.standing == 1 { "1 person stands".to_owned() } else { format!("{} people stand", group.standing) };
        reasons.push(format!("{people} at \"{}\", which is gone: they would be parked", group.step));
    }
    for twice in &plan.written_twice {
        reasons.push(format!("whoever stands at \"{}\" would be written to twice: {}", twice.step, twice.templates.join(", ")));
    }
    for engagement in &plan.engagements.new {
        reasons.push(format!("the engagement \"{engagement}\" is not associated with the journey yet"));
    }
    for engagement in &plan.engagements.cut {
        reasons.push(format!("the engagement \"{engagement}\" would be cut off: nobody who is in could trigger it any more"));
    }
    reasons
}

fn group(store: &Store, edited: &Edited<'_>, old: &Graph, at: &Standing) -> Result<Group, Error> {
    let name = edited.moves.iter().find(|(old, _)| *old == at.step).map_or(&at.step, |(_, new)| new);
    let (before, after) = (old.step(name), edited.graph.step(name));
    let goes = match (before, after) {
        (_, None) => Goes::Parked,
        _ if *name != at.step => Goes::Renamed,
        (Some(before), Some(after)) if before.does.word() != after.does.word() => Goes::Changed,
        _ => Goes::Stays,
    };
    let timers = match after {
        Some(after) if at.standing > 0 => timers(store, edited, at, before.and_then(|before| before.does.length()), after.does.length())?,
        _ => None,
    };
    let to = after.map(|step| step.name.clone());
    Ok(Group { step: at.step.clone(), standing: at.standing, parked: at.parked, goes, to, timers })
}

fn timers(store: &Store, edited: &Edited<'_>, at: &Standing, from: Option<Length>, to: Option<Length>) -> Result<Option<Timers>, Error> {
    if from == to {
        return Ok(None);
    }
    let end = |length: Option<Length>| length.map_or(edited.now, |length| edited.calendar.after(edited.now, length));
    let due_at_once = match to {
        None => at.standing,
        Some(to) => store.waiting_since(edited.journey, &at.step, edited.calendar.before(edited.now, to))?,
    };
    let (earlier, later) = match end(to).cmp(&end(from)) {
        std::cmp::Ordering::Less => (at.standing, 0),
        std::cmp::Ordering::Equal => (0, 0),
        std::cmp::Ordering::Greater => (0, at.standing),
    };
    Ok(Some(Timers { from, to, earlier, later, due_at_once }))
}

/// The templates that lie behind this group, did not lie before it any more, and would now.
fn twice(old: &Graph, new: &Graph, group: &Group) -> Option<Twice> {
    let step = group.to.as_deref().filter(|_| group.standing > 0)?;
    let passed = messages(old, &before(old, step));
    let ahead_then = messages(old, &ahead(old, step));
    let ahead_now = messages(new, &ahead(new, step));
    let templates: Vec<String> =
        ahead_now.into_iter().filter(|one| passed.contains(one) && !ahead_then.contains(one)).map(ToOwned::to_owned).collect();
    (!templates.is_empty()).then(|| Twice { step: group.step.clone(), people: group.standing, templates })
}

/// Steps that can be reached from one, itself left out unless a loop comes back to it.
fn ahead<'g>(graph: &'g Graph, step: &str) -> BTreeSet<&'g str> {
    let next = |step: &'g Step| step.exits().into_iter().filter_map(|(_, to)| to).collect::<Vec<_>>();
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = graph.step(step).map(next).unwrap_or_default();
    while let Some(one) = open.pop() {
        if found.insert(one) {
            open.extend(graph.step(one).map(next).unwrap_or_default());
        }
    }
    found
}

/// Steps from which one can be reached: what whoever stands there may have passed.
fn before<'g>(graph: &'g Graph, step: &str) -> BTreeSet<&'g str> {
    graph.steps.iter().filter(|one| ahead(graph, &one.name).contains(step)).map(|one| one.name.as_str()).collect()
}

/// The templates that steps send.
fn messages<'g>(graph: &'g Graph, steps: &BTreeSet<&str>) -> BTreeSet<&'g str> {
    graph.steps.iter().filter(|step| steps.contains(step.name.as_str())).filter_map(|step| step.does.template()).collect()
}

fn engagements(graph: &Graph) -> BTreeSet<&str> {
    graph.steps.iter().filter_map(|step| step.does.shown()).collect()
}

/// Files whose text is another one, or that came or went.
fn files(present: &Revision, sources: &Sources) -> Vec<String> {
    if present.sources.is_empty() {
        return Vec::new();
    }
    let before: BTreeMap<&str, &str> = present.sources.iter().filter_map(|(name, text)| Some((name.as_str(), text.as_str()?))).collect();
    let now: BTreeMap<&str, &str> = sources.texts().iter().map(|(name, text)| (name.as_str(), text.as_ref())).collect();
    let names: BTreeSet<&str> = before.keys().chain(now.keys()).copied().collect();
    names.into_iter().filter(|name| before.get(name) != now.get(name)).map(ToOwned::to_owned).collect()
}

impl Does {
    /// How long it keeps people at most.
    const fn length(&self) -> Option<Length> {
        match self {
            Self::Wait { length } => Some(*length),
            Self::WaitFor { within, .. } => Some(*within),
            _ => None,
        }
    }
}

impl fmt::Display for EditPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "journey `{}`, revision {} -> {}", self.journey, self.from, self.to)?;
        for (word, steps) in [("new", &self.changes.added), ("gone", &self.changes.removed), ("changed", &self.changes.changed)] {
            if !steps.is_empty() {
                write!(f, "\n  {word}: {}", quoted(steps))?;
            }
        }
        if self.changes.is_empty() {
            f.write_str("\n  the flow is the same")?;
        }
        if !self.files.is_empty() {
            write!(f, "\n  files: {}", self.files.join(", "))?;
        }
        for group in &self.steps {
            write!(f, "\n  {group}")?;
        }
        for error in &self.errors {
            write!(f, "\n  error: {error}")?;
        }
        for setting in &self.settings {
            write!(f, "\n  {setting}")?;
        }
        for twice in &self.written_twice {
            write!(f, "\n  written to twice: {} at \"{}\" by {}", people(twice.people), twice.step, quoted(&twice.templates))?;
        }
        for engagement in &self.engagements.cut {
            write!(f, "\n  engagement \"{engagement}\": cut; whoever is in triggers it no more")?;
        }
        for engagement in &self.engagements.new {
            write!(f, "\n  engagement \"{engagement}\": new; whoever comes to its step from now on gets it")?;
        }
        Ok(())
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\": {}", self.step, people(self.standing))?;
        let to = self.to.as_deref().unwrap_or_default();
        match self.goes {
            Goes::Stays => f.write_str(if self.standing == 1 { " stays" } else { " stay" })?,
            Goes::Renamed => write!(f, " -> \"{to}\"")?,
            Goes::Changed => f.write_str(if self.standing == 1 { " stays, and does what it does now" } else { " stay, and do what it does now" })?,
            Goes::Parked => f.write_str(" parked, for the step is gone")?,
        }
        if self.parked > 0 {
            let become_of = if self.goes == Goes::Parked { "stay parked" } else { "no longer parked" };
            write!(f, ", {} {become_of}", self.parked)?;
        }
        if let Some(timers) = &self.timers {
            let length = |length: Option<Length>| length.map_or("no wait".to_owned(), |length| length.to_string());
            write!(f, "; timers {} -> {}: ", length(timers.from), length(timers.to))?;
            write!(f, "{} earlier, {} later, {} due at once", timers.earlier, timers.later, timers.due_at_once)?;
        }
        Ok(())
    }
}

fn people(n: u64) -> String {
    if n == 1 { "1 person".to_owned() } else { format!("{n} people") }
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}
