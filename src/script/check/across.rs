//! Across declarations: names, two writers of one field, what follows what.

use std::collections::{BTreeMap, BTreeSet};

use crate::script::{
    declaration::{Body, Declaration, Place},
    diagnostics::{Diagnostic, Id},
    standing::{Rank, Standing},
};

use super::{
    usage::Named,
    writes::{Written, written},
};

/// Everything that is wrong between declarations; `hidden` tells of a name, followed from a file, whether an error elsewhere hides it.
pub(in crate::script) fn across(
    declarations: &[&Declaration],
    named: Named<'_>,
    hidden: &dyn Fn(&str, &str) -> bool,
    standing: &Standing<'_>,
) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = clashes(declarations, named, standing).into_iter().map(|clash| clash.finding).collect();
    found.extend(references(declarations, hidden));
    found.extend(super::usage::loads(declarations, named, standing));
    found.extend(cycles(declarations, standing));
    found
}

fn names(declarations: &[&Declaration], standing: &Standing<'_>) -> Vec<Clash> {
    let mut groups: BTreeMap<&str, Vec<(Rank, &Declaration)>> = BTreeMap::new();
    for declaration in declarations {
        let rank = standing.rank(&name_claim(&declaration.name), &declaration.name, &declaration.place.file);
        groups.entry(&declaration.name).or_default().push((rank, declaration));
    }
    let mut found = Vec::new();
    for (name, mut same) in groups {
        same.sort_by_key(|(rank, _)| *rank);
        let Some(((_, first), others)) = same.split_first() else { continue };
        found.extend(others.iter().map(|(rank, other)| {
            let finding = Diagnostic::new(Id::DuplicateName, &other.place, format!("`{name}` is declared twice"));
            Clash { rank: *rank, finding: finding.label(&first.place, "first declared here").hint("give one of them another name") }
        }));
    }
    found
}

pub(super) fn name_claim(name: &str) -> String {
    format!("name {name}")
}

/// Everything that a declaration lays claim to: its name, and what it writes.
pub(in crate::script) fn claimed<'d>(declaration: &'d Declaration, named: Named<'_>) -> impl Iterator<Item = String> + use<'d> {
    std::iter::once(name_claim(&declaration.name)).chain(written(declaration, named).into_iter().map(|written| written.claim()))
}

fn references(declarations: &[&Declaration], hidden: &dyn Fn(&str, &str) -> bool) -> Vec<Diagnostic> {
    let names: BTreeSet<&str> = declarations.iter().map(|d| d.name.as_str()).collect();
    let mut found = Vec::new();
    for declaration in declarations {
        let followed = declaration.after.iter().map(|name| (name, Id::UnknownAfter, "follows"));
        let overridden = declaration.overrides.iter().map(|name| (name, Id::UnknownOverride, "overrides"));
        for (name, id, verb) in
            followed.chain(overridden).filter(|(name, ..)| !names.contains(name.as_str()) && !hidden(name, &declaration.place.file))
        {
            let message = format!("`{}` {verb} `{name}`, which nothing declares", declaration.name);
            let known = || format!("declared are {}", names.iter().copied().collect::<Vec<_>>().join(", "));
            let finding = Diagnostic::new(id, &declaration.place, message).about(name);
            found.push(finding.meant(name, names.iter().copied().filter(|known| *known != declaration.name), || Some(known())));
        }
    }
    found
}

/// Two declarations that cannot both run. The finding is about the newer one.
pub(in crate::script) struct Clash {
    pub(in crate::script) rank: Rank,
    pub(in crate::script) finding: Diagnostic,
}

/// Declarations of one name, those that write the same, and measures that are in two groups.
pub(in crate::script) fn clashes(declarations: &[&Declaration], named: Named<'_>, standing: &Standing<'_>) -> Vec<Clash> {
    let mut found = names(declarations, standing);
    found.extend(writers(declarations, named, standing));
    found.extend(super::usage::groups(named, standing));
    found.extend(declarations.iter().filter_map(|declaration| behind(declaration, named, standing)));
    found
}

/// What a newcomer shares with a declaration that ran, and whose file has errors now: it may be mended any moment.
fn behind(declaration: &Declaration, named: Named<'_>, standing: &Standing<'_>) -> Option<Clash> {
    let (name, file) = (&declaration.name, &declaration.place.file);
    let refused = |(what, id, place, said): (String, Id, &Place, String)| {
        let rank = standing.rank(&what, name, file);
        let held = standing.held(&what).find(|held| held.file != *file && !declaration.overrides.contains(&held.name))?;
        if Standing::is_old(rank) {
            return None;
        }
        let message = format!("{said}, like `{}` of {}, which ran before that file had errors", held.name, held.file);
        Some(Clash { rank, finding: Diagnostic::new(id, place, message).hint(format!("mend or delete {} first", held.file)) })
    };
    let own = (name_claim(name), Id::DuplicateName, &declaration.place, format!("`{name}` is declared twice"));
    let writes = |one: Written<'_>| refused((one.claim(), Id::TwoWriters, one.place, format!("`{name}` writes {}", one.said)));
    refused(own).or_else(|| written(declaration, named).into_iter().find_map(writes))
}

/// Something written, by whom, and how old that is.
struct Writer<'d> {
    rank: Rank,
    declaration: &'d Declaration,
    written: Written<'d>,
}

fn writers(declarations: &[&Declaration], named: Named<'_>, standing: &Standing<'_>) -> Vec<Clash> {
    let mut groups: BTreeMap<String, Vec<Writer<'_>>> = BTreeMap::new();
    for declaration in declarations {
        for written in written(declaration, named) {
            let rank = standing.rank(&written.claim(), &declaration.name, &declaration.place.file);
            let (system, object, field) = written.group();
            groups.entry(format!("{system} {object} {field}")).or_default().push(Writer { rank, declaration, written });
        }
    }
    let mut found = Vec::new();
    for writers in groups.values_mut().filter(|writers| writers.len() > 1) {
        writers.sort_by_key(|writer| writer.rank);
        for (at, writer) in writers.iter().enumerate() {
            let earlier =
                writers[..at].iter().find(|earlier| earlier.written.meets(&writer.written) && !agreed(earlier.declaration, writer.declaration));
            found.extend(earlier.map(|earlier| Clash { rank: writer.rank, finding: two_writers(earlier, writer) }));
        }
    }
    found
}

/// One overrides the other, or both are actions of one rule with criteria of their own, or steps of one journey.
pub(super) fn agreed(one: &Declaration, other: &Declaration) -> bool {
    let told = one.overrides.contains(&other.name) || other.overrides.contains(&one.name);
    told || std::ptr::eq(one, other) && matches!(one.body, Body::Rule(_) | Body::Journey(_))
}

fn two_writers(earlier: &Writer<'_>, writer: &Writer<'_>) -> Diagnostic {
    let (name, said) = (&writer.declaration.name, &writer.written.said);
    let found = |message: String| Diagnostic::new(Id::TwoWriters, writer.written.place, message).label(earlier.written.place, "written here too");
    if std::ptr::eq(earlier.declaration, writer.declaration) {
        return found(format!("`{name}` writes {said} twice")).hint("keep one of them");
    }
    let first = &earlier.declaration.name;
    found(format!("`{first}` and `{name}` both write {said}")).hint(format!("drop one, or add `overrides: \"{first}\"` here"))
}

/// Each circle of `after` once, reported where it was closed last, as far as that is known, else at its first declaration.
fn cycles(declarations: &[&Declaration], standing: &Standing<'_>) -> Vec<Diagnostic> {
    let by_name: BTreeMap<&str, &Declaration> = declarations.iter().map(|d| (d.name.as_str(), *d)).collect();
    let mut reported: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for declaration in declarations {
        let Some(circle) = circle(&by_name, &declaration.name) else { continue };
        if circle.iter().any(|name| reported.contains(name)) {
            continue;
        }
        reported.extend(&circle);
        let shown = circle.iter().chain(circle.first()).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" after ");
        let part_of: Vec<&Declaration> = circle.iter().filter_map(|name| by_name.get(name).copied()).collect();
        let rank = |part: &Declaration| standing.rank(&name_claim(&part.name), &part.name, &part.place.file);
        let newest = part_of.iter().copied().fold(*declaration, |newest, part| if rank(part) > rank(newest) { part } else { newest });
        let others = part_of.into_iter().filter(|part| part.name != newest.name);
        let finding = Diagnostic::new(Id::Cycle, &newest.place, format!("a circle: {shown}")).hint("drop one `after` of them");
        found.push(others.fold(finding, |finding, other| finding.label(&other.place, "part of the circle")));
    }
    found
}

/// The way from a declaration back to itself.
fn circle<'d>(by_name: &BTreeMap<&'d str, &'d Declaration>, start: &'d str) -> Option<Vec<&'d str>> {
    let mut ways: Vec<Vec<&str>> = vec![vec![start]];
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    while let Some(way) = ways.pop() {
        let Some(declaration) = way.last().and_then(|name| by_name.get(name)) else { continue };
        for next in &declaration.after {
            if next == start {
                return Some(way);
            }
            if seen.insert(next) {
                ways.push(way.iter().copied().chain([next.as_str()]).collect());
            }
        }
    }
    None
}
