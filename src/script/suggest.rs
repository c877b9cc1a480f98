//! "Did you mean": the nearest of the known names.

/// What was meant, and whether nothing else can have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Guess<'a> {
    pub(super) name: &'a str,
    pub(super) certain: bool,
}

/// A hint that names the nearest candidate, when one is near enough to be meant.
pub(super) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(written, known).map(|name| format!("did you mean `{name}`?"))
}

/// The nearest candidate: at most a third of its letters wrong and never all of them, or the same but for case.
pub(super) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    guess(written, known).map(|guess| guess.name)
}

/// The nearest candidate. It is certain when one slip of the keyboard explains the word (two in a long one) and every other candidate is at
/// least two slips farther away. A number is never a slip: `last7d` and `last30d` may both be meant.
pub(super) fn guess<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<Guess<'a>> {
    let lower = written.to_lowercase();
    let scored = known.into_iter().filter(|name| *name != written).map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name));
    let mut scored: Vec<(usize, &str)> = scored.collect();
    scored.sort_unstable();
    scored.dedup();
    let (distance, name) = *scored.first()?;
    let longest = written.chars().count().max(name.chars().count());
    if distance > (longest / 3).max(1) || distance >= longest {
        return None;
    }
    let alone = scored.get(1).is_none_or(|(other, _)| *other >= distance + 2);
    let slip = distance == 0 || distance == 1 && longest >= 3 || distance == 2 && longest >= 8;
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    Some(Guess { name, certain: alone && slip && digits(written) == digits(name) })
}
