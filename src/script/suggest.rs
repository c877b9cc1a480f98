//! "Did you mean": the nearest of the known names.

/// A hint that names the nearest candidate, when one is near enough to be meant.
pub(super) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(written, known).map(|name| format!("did you mean `{name}`?"))
}

/// The nearest candidate: at most a third of its letters wrong and never all of them, or the same but for case.
pub(super) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = written.to_lowercase();
    let scored = known.into_iter().filter(|name| *name != written).map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name));
    let (distance, name) = scored.min_by_key(|(distance, name)| (*distance, *name))?;
    let longest = written.chars().count().max(name.chars().count());
    (distance <= (longest / 3).max(1) && distance < longest).then_some(name)
}
