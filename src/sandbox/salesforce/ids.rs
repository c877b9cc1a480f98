//! Record ids: counters behind a key prefix, in the 15-character and the checked 18-character form.

use crate::sandbox::company::ids as made;

const CHECKS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// The three check characters of a 15-character id.
pub(crate) fn checksum(id: &str) -> Option<String> {
    (id.len() == 15 && id.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| made::checksum(id))
}

/// The 18-character id of row `number` behind `prefix`. Ids ascend with the number.
pub(crate) fn id_of(prefix: &str, number: u64) -> String {
    made::salesforce(prefix, number)
}

/// A well-formed id in its 18-character form: 15 or 18 characters, with a right checksum where there is one.
///
/// Clients that upper- or lower-case the 18-character form are forgiven as the service does: the checksum restores the case.
pub(crate) fn long_form(id: &str) -> Option<String> {
    match id.len() {
        15 => Some(format!("{id}{}", checksum(id)?)),
        18 if id.is_ascii() => {
            if checksum(&id[..15]).as_deref() == Some(&id[15..]) {
                return Some(id.to_owned());
            }
            restore_case(id)
        }
        _ => None,
    }
}

fn restore_case(id: &str) -> Option<String> {
    let mut fixed = String::with_capacity(18);
    for (i, c) in id[..15].chars().enumerate() {
        let bits = CHECKS.iter().position(|b| *b == id.as_bytes()[15 + i / 5].to_ascii_uppercase())?;
        fixed.push(if bits >> (i % 5) & 1 == 1 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
    }
    let check = checksum(&fixed)?;
    (check.eq_ignore_ascii_case(&id[15..])).then(|| format!("{fixed}{check}"))
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
        assert_eq!(long_form(&ids[5].to_lowercase()).as_deref(), Some(ids[5].as_str()));
        assert_eq!(long_form("001xx"), None);
    }
}
