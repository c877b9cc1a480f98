//! Which versions of files run together: where two declarations cannot both run, the older one goes on and the newer one waits.

use std::{collections::BTreeSet, sync::Arc};

use crate::model::Columns;

use super::{
    check::{Clash, Named, across, clashes},
    declaration::{Declaration, MeasureDecl},
    diagnostics::Diagnostic,
    generation::{Generation, LoadedFile},
    standing::Standing,
};

/// The files as they run. What is refused because of an earlier version that goes on is told, too.
pub(super) fn running(
    wanted: &[Arc<LoadedFile>],
    previous: Option<&Generation>,
    (standing, columns): (&Standing<'_>, &Columns),
    told: &mut Vec<Diagnostic>,
) -> Vec<Arc<LoadedFile>> {
    let mut files = wanted.to_vec();
    // What falls back changes what the others see: look again until nothing more falls.
    loop {
        let clash = clashing(&files, standing, columns).into_iter().min_by_key(|clash| clash.rank);
        if let Some(clash) = clash {
            let known = |earlier: &Diagnostic| {
                (earlier.code, &earlier.file, &earlier.message) == (clash.finding.code, &clash.finding.file, &clash.finding.message)
            };
            step_down(&mut files, &clash.finding.file, previous, Must::Go);
            if !told.iter().any(known) {
                told.push(clash.finding);
            }
            continue;
        }
        let faulty = at_fault(&files, standing, columns);
        let fell = faulty.iter().filter(|file| step_down(&mut files, file, previous, Must::FallBack)).count();
        if fell == 0 {
            break;
        }
    }
    come_back(&mut files, wanted, (standing, columns));
    files
}

fn active(files: &[Arc<LoadedFile>]) -> Vec<&Declaration> {
    files.iter().flat_map(|file| file.declarations.iter().map(AsRef::as_ref)).collect()
}

fn clashing(files: &[Arc<LoadedFile>], standing: &Standing<'_>, columns: &Columns) -> Vec<Clash> {
    clashes(&active(files), Named { measures: &measures(files), columns }, standing)
}

fn measures(files: &[Arc<LoadedFile>]) -> Vec<&MeasureDecl> {
    files.iter().flat_map(|file| &file.measures).collect()
}

fn at_fault(files: &[Arc<LoadedFile>], standing: &Standing<'_>, columns: &Columns) -> BTreeSet<String> {
    let found = across(&active(files), Named { measures: &measures(files), columns }, &|_, _| false, standing);
    found.into_iter().filter(Diagnostic::is_error).map(|finding| finding.file).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Must {
    /// To the version that ran; there it stays.
    FallBack,
    /// It cannot run beside another one.
    Go,
}

/// To the version that ran, or to none. Whether anything changed.
fn step_down(files: &mut [Arc<LoadedFile>], name: &str, previous: Option<&Generation>, must: Must) -> bool {
    let Some(file) = files.iter_mut().find(|file| file.name == name) else { return false };
    if file.kept && must == Must::FallBack {
        return false;
    }
    let fallen = Arc::new(LoadedFile { sound: false, ..file.as_ref().clone() });
    let below = if file.kept { fallen.without() } else { fallen.settled(previous) };
    let same = below.kept && below.hash == file.hash && must == Must::Go;
    *file = if same { fallen.without() } else { below };
    true
}

/// What fell because of one that fell later runs after all.
fn come_back(files: &mut [Arc<LoadedFile>], wanted: &[Arc<LoadedFile>], (standing, columns): (&Standing<'_>, &Columns)) {
    loop {
        let fallen: Vec<usize> = (0..files.len()).filter(|at| wanted[*at].sound && !Arc::ptr_eq(&files[*at], &wanted[*at])).collect();
        let before = fallen.len();
        let mut left = before;
        for at in fallen {
            let below = std::mem::replace(&mut files[at], Arc::clone(&wanted[at]));
            if clashing(files, standing, columns).is_empty() && !at_fault(files, standing, columns).contains(&wanted[at].name) {
                left -= 1;
            } else {
                files[at] = below;
            }
        }
        if left == before {
            return;
        }
    }
}
