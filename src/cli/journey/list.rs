//! `tabi journey list`: the journeys that are declared, how they stand, and what happens next.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    cli::{
        Context, Exit, Failure, check,
        render::{DIM, Tint, paint, plain, table, time, tinted},
    },
    host::Workspace,
    script::Declaration,
    store::{Counts, Program, ProgramStatus, Store},
};

/// Lists them.
pub(super) fn list(cx: &Context) -> Result<Exit, Failure> {
    let workspace = cx.workspace()?;
    let journeys = super::declared(&workspace, cx)?;
    let store = check::remembered(&workspace, cx);
    let gone = super::undeclared(&workspace, &journeys, cx)?;
    let all = journeys.iter().map(|one| (one, true)).chain(gone.iter().map(|(_, kept)| (kept, false)));
    let entries = all.map(|(one, declared)| Ok(Entry { declared, ..Entry::of(one, store.as_deref())? })).collect::<Result<Vec<_>, Failure>>()?;
    cx.out.json(&entries.iter().map(Entry::document).collect::<Vec<_>>());
    if entries.is_empty() {
        cx.out.line(paint(DIM, "No journey is declared."));
        return Ok(Exit::Done);
    }
    let rows = entries.iter().map(|entry| entry.row(&workspace)).collect();
    cx.out.line(table(&["name", "status", "#revision", "#in", "#out", "next", "where"], rows));
    for (program, _) in &gone {
        cx.out.line(super::stands_still(program));
    }
    Ok(Exit::Done)
}

struct Entry<'a> {
    declaration: &'a Declaration,
    program: Option<Program>,
    counts: Counts,
    due: Option<Timestamp>,
    /// Whether a file declares it.
    declared: bool,
}

impl<'a> Entry<'a> {
    fn of(declaration: &'a Declaration, store: Option<&Store>) -> Result<Self, Failure> {
        let nothing = Self { declaration, program: None, counts: Counts::default(), due: None, declared: true };
        let Some(store) = store else { return Ok(nothing) };
        let name = &declaration.name;
        let due = [store.next_due(&[name])?, store.next_send_of(name)?].into_iter().flatten().min();
        Ok(Self { program: store.program(name)?, counts: store.participant_counts(name)?, due, ..nothing })
    }

    fn status(&self) -> ProgramStatus {
        self.program.as_ref().map_or(ProgramStatus::Draft, |program| program.status)
    }

    fn revision(&self) -> u32 {
        self.program.as_ref().map_or(0, |program| program.revision)
    }

    /// Those who are in, parked ones too, and those who are out.
    const fn people(&self) -> (u64, u64) {
        let Counts { active, waiting, completed, dropped, failed, parked } = self.counts;
        (active + waiting + parked, completed + dropped + failed)
    }

    fn next(&self, now: Timestamp) -> (&'static str, Option<Timestamp>) {
        let scheduled = self.program.as_ref().and_then(|program| program.scheduled_for);
        let paused = self.program.as_ref().and_then(|program| program.paused_at);
        if !self.declared {
            return ("stands still", None);
        }
        match (self.status(), self.due) {
            (ProgramStatus::Draft, _) => ("to be published", None),
            (ProgramStatus::Scheduled, _) => ("published", scheduled),
            (ProgramStatus::Paused, _) => ("paused since", paused),
            (ProgramStatus::Stopped, _) => ("nothing", None),
            (ProgramStatus::Active, Some(due)) if due <= now => ("somebody is due", None),
            (ProgramStatus::Active, Some(due)) => ("somebody moves", Some(due)),
            (ProgramStatus::Active, None) => ("looks for people", None),
        }
    }

    fn document(&self) -> Value {
        let (declaration, journey) = (self.declaration, super::body(self.declaration));
        let (inside, out) = self.people();
        json!({
            "name": declaration.name, "file": declaration.place.file, "line": declaration.place.line, "hash": declaration.hash,
            "schedule": declaration.schedule.as_ref().map(ToString::to_string), "after": declaration.after,
            "model": journey.map(|journey| journey.model), "type": journey.and_then(|journey| journey.program_type.as_deref()),
            "folder": journey.and_then(|journey| journey.folder.as_deref()),
            "steps": journey.map(|journey| journey.graph.steps.len()),
            "status": self.status().word(), "revision": self.revision(), "in": inside, "out": out, "due": self.due, "declared": self.declared,
        })
    }

    fn row(&self, workspace: &Workspace) -> Vec<comfy_table::Cell> {
        let (inside, out) = self.people();
        let status = match self.status() {
            ProgramStatus::Active => tinted(Tint::Good, "active"),
            ProgramStatus::Paused => tinted(Tint::Warn, "paused"),
            status => tinted(Tint::Dim, status.word()),
        };
        let next = match self.next(workspace.clock.now()) {
            ("looks for people", _) => format!("looks for people {}", super::show::looks(self.declaration)),
            (word, Some(at)) => format!("{word} {}", time(at, &workspace.config.timezone)),
            (word, None) => word.to_owned(),
        };
        let place = if self.declared {
            tinted(Tint::Dim, format!("{}:{}", self.declaration.place.file, self.declaration.place.line))
        } else {
            tinted(Tint::Warn, "no file declares it")
        };
        let revision = if self.program.is_some() { self.revision().to_string() } else { String::new() };
        vec![plain(&self.declaration.name), status, plain(revision), plain(inside), plain(out), plain(next), place]
    }
}
