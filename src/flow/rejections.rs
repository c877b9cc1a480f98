//! Rejected rows told together: equal reasons once, with how many rows they are of and some of those rows.

use crate::store::RowError;

use super::Rejection;

/// Rows that are named of one reason.
pub const EXAMPLES: usize = 3;

/// Different reasons that are told apart; what comes after them is counted together.
const MOST: usize = 100;

/// Rows that were rejected for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub count: u64,
    pub field: Option<String>,
    /// As it was said of the first one; what differs from row to row is `...` once there are several.
    pub reason: String,
    pub place: Option<String>,
    /// The first of them: key and value.
    pub examples: Vec<(String, Option<String>)>,
    pattern: String,
}

impl Group {
    /// The first of its rows, with their values where they have one.
    pub fn rows(&self) -> String {
        let row = |(key, value): &(String, Option<String>)| value.as_ref().map_or_else(|| key.clone(), |value| format!("{key} = {value}"));
        self.examples.iter().map(row).collect::<Vec<_>>().join(", ")
    }

    /// How many more there are.
    pub fn more(&self) -> u64 {
        self.count.saturating_sub(self.examples.len() as u64)
    }
}

/// All reasons, the most frequent first once they are taken out. Memory is bounded however many rows come.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    groups: Vec<Group>,
    others: u64,
}

impl Groups {
    pub fn add(&mut self, row: &RowError) {
        let pattern = pattern(row);
        let same = |group: &Group| group.pattern == pattern && group.field == row.field && group.place == row.place;
        match self.groups.iter().position(same) {
            Some(at) => {
                let group = &mut self.groups[at];
                group.count += 1;
                if group.reason != row.reason {
                    group.reason.clone_from(&group.pattern);
                }
                if group.examples.len() < EXAMPLES {
                    group.examples.push((row.key.clone(), row.value.clone()));
                }
            }
            None if self.groups.len() == MOST => self.others += 1,
            None => self.groups.push(Group {
                count: 1,
                field: row.field.clone(),
                reason: row.reason.clone(),
                place: row.place.clone(),
                examples: vec![(row.key.clone(), row.value.clone())],
                pattern,
            }),
        }
    }

    /// The groups, and how many rows are of none of them.
    pub fn told(mut self) -> (Vec<Group>, u64) {
        self.groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        (self.groups, self.others)
    }

    pub const fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

impl From<&Rejection> for RowError {
    fn from(rejection: &Rejection) -> Self {
        Self {
            key: rejection.key.clone(),
            source: rejection.source.clone(),
            field: rejection.field.clone(),
            value: rejection.value.clone(),
            reason: rejection.reason.clone(),
            place: rejection.place.clone(),
        }
    }
}

/// A reason without what is only of this row: its value, its key, ids.
fn pattern(row: &RowError) -> String {
    let mut text = quoted_apart(&row.reason, row.value.as_deref().unwrap_or_default());
    for own in [Some(&row.key), row.value.as_ref()].into_iter().flatten().filter(|own| own.chars().count() > 3) {
        text = text.replace(own.as_str(), "...");
    }
    let words: Vec<String> = text.split(' ').map(|word| if is_id(word) { "...".to_owned() } else { word.to_owned() }).collect();
    let text = words.join(" ");
    match text.strip_prefix("text of ").and_then(|rest| rest.split_once(' ')) {
        Some((length, rest)) if length.bytes().all(|byte| byte.is_ascii_digit()) => format!("text of ... {rest}"),
        _ => text,
    }
}

/// What stands within backticks and begins the value is left out.
fn quoted_apart(reason: &str, value: &str) -> String {
    let mut parts = Vec::new();
    for (at, part) in reason.split('`').enumerate() {
        let shown = part.trim_end_matches("...");
        let own = at % 2 == 1 && !shown.is_empty() && value.trim_end_matches("...").starts_with(shown);
        parts.push(if own { "..." } else { part });
    }
    parts.join("`")
}

/// Whether a word looks like the id of a record: 15 or 18 letters and digits, or a Gsid.
fn is_id(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    plain && matches!(word.len(), 15 | 18 | 36) && word.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{EXAMPLES, Groups, MOST};
    use crate::store::RowError;

    fn row(key: &str, value: Option<&str>, reason: &str) -> RowError {
        RowError { key: key.to_owned(), value: value.map(str::to_owned), reason: reason.to_owned(), ..RowError::default() }
    }

    fn groups(rows: &[RowError]) -> Vec<(u64, String, usize)> {
        let mut groups = Groups::default();
        for row in rows {
            groups.add(row);
        }
        groups.told().0.into_iter().map(|group| (group.count, group.reason, group.examples.len())).collect()
    }

    #[test]
    fn one_row_keeps_its_words_and_equal_ones_are_counted() {
        let many = |n: usize| row(&format!("key {n}"), Some(&format!("v{n}")), &format!("text `v{n}` is not a number"));
        assert_eq!(groups(&[many(1)]), [(1, "text `v1` is not a number".to_owned(), 1)]);
        assert_eq!(groups(&(0..9).map(many).collect::<Vec<_>>()), [(9, "text `...` is not a number".to_owned(), EXAMPLES)]);
    }

    #[test]
    fn what_differs_only_by_the_row_is_one_reason() {
        let rows = [
            row("001000000000001AAA", None, "duplicates value on record with id: 001000000000009AAA"),
            row("001000000000002AAA", None, "duplicates value on record with id: 001000000000008AAA"),
            row("a", Some("xxxxx"), "text of 300 characters is longer than the field's 255: `xxx...`"),
            row("b", Some("yyyyy"), "text of 301 characters is longer than the field's 255: `yyy...`"),
            row("c", None, "no value for `Email`, which identifies the row"),
            row("d", None, "no value for `Name`, which identifies the row"),
        ];
        let told = groups(&rows);
        assert_eq!(told.iter().map(|(count, ..)| *count).collect::<Vec<_>>(), [2, 2, 1, 1], "{told:?}");
    }

    #[test]
    fn fields_and_places_are_told_apart_and_nothing_is_lost_from_the_count() {
        let of = |field: &str, place: &str| RowError { field: Some(field.into()), place: Some(place.into()), ..row("k", None, "r") };
        assert_eq!(groups(&[of("A", "x:1"), of("B", "x:1"), of("A", "x:2"), of("A", "x:1")]).len(), 3);
        let mut all = Groups::default();
        (0..MOST + 50).for_each(|n| all.add(&row("k", None, &format!("reason {}", "x".repeat(n)))));
        let (groups, others) = all.told();
        assert_eq!((groups.len(), others), (MOST, 50));
    }
}
