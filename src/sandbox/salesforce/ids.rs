//! Record ids: counters behind a key prefix, in the 15-character and the checked 18-character form.

use crate::sandbox::company::ids as made;

/// The three check characters of a 15-character id.
pub(crate) fn checksum(id: &str) -> Option<String> {
    (id.len() == 15 && id.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| made::checksum(id))
}

/// The 18-character id of row `number` behind `prefix`. Ids ascend with the number.
pub(crate) fn id_of(prefix: &str, number: u64) -> String {
    made::salesforce(prefix, number)
}

/// A well-formed id in its 18-character form: 15 characters, or 18 with a right checksum. One whose capitals were lost is no id: the checksum
/// is for others to compare ids by, and the service restores nothing from it.
pub(crate) fn long_form(id: &str) -> Option<String> {
    match id.len() {
        15 => Some(format!("{id}{}", checksum(id)?)),
        18 if id.is_ascii() => (checksum(&id[..15]).as_deref() == Some(&id[15..])).then(|| id.to_owned()),
        _ => None,
    }
}

/// The number of an id made by [`id_of`]; none for an id of another prefix or org.
pub(crate) fn number_of(prefix: &str, id: &str) -> Option<u64> {
    made::salesforce_number(prefix, id)
}

/// Whether a text can be a record id at all.
pub(crate) fn is_id(text: &str) -> bool {
    long_form(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_characters_match_the_published_vectors() {
        for (id, check) in [("a0BA0000000L2ZC", "MA0"), ("AaaAABbbBBCccCC", "ZZZ"), ("ABCDEFGHIJKLMNO", "555")] {
            assert_eq!(checksum(id).as_deref(), Some(check), "{id}");
        }
    }

    #[test]
    fn ids_ascend_with_their_numbers_and_come_back() {
        let ids: Vec<String> = [0, 1, 61, 62, 999_999, 1_000_000].iter().map(|n| id_of("001", *n)).collect();
        assert!(ids.windows(2).all(|w| w[0] < w[1]));
        assert_eq!(ids.iter().filter_map(|id| number_of("001", id)).collect::<Vec<_>>(), [0, 1, 61, 62, 999_999, 1_000_000]);
        assert_eq!((long_form(&ids[5]).as_deref(), long_form(&ids[5].to_lowercase())), (Some(ids[5].as_str()), None));
        assert_eq!(long_form("001xx"), None);
    }
}
