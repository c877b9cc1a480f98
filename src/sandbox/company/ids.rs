//! Ids of the systems, computed from a number and back. Ids of one kind ascend with the number, whatever the case rules of a comparison.

/// Salesforce key prefixes.
pub const ACCOUNT: &str = "001";
pub const CONTACT: &str = "003";
pub const USER: &str = "005";

/// Gainsight key prefixes.
pub const GS_USER: &str = "1P01";
pub const GS_COMPANY: &str = "1P02";
pub const GS_PERSON: &str = "1P03";
pub const GS_COMPANY_PERSON: &str = "1C01";
pub const GS_CTA: &str = "1S01";
pub const GS_PICKLIST: &str = "1I00";
pub const GS_CUSTOM: &str = "1Z02";

/// Numbers from here on are free for rows that are inserted while the sandbox runs.
pub const INSERTED: u64 = 36_u64.pow(7);

const DIGITS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const CHECKSUM: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

/// What stands between prefix and number.
const INSTANCE: &str = "5G0";
const TENANT: &str = "T4B1S4NDB0X000000000";

/// The 18-character Salesforce id with a prefix of three.
pub fn salesforce(prefix: &str, number: u64) -> String {
    let mut id = format!("{prefix}{INSTANCE}{}", base36(number, 9));
    id.push_str(&checksum(&id));
    id
}

/// The three characters that make an id of 15 characters one of 18: they tell which of the 15 are capitals.
pub fn checksum(id: &str) -> String {
    let capitals = |part: &[u8]| part.iter().enumerate().map(|(bit, letter)| usize::from(letter.is_ascii_uppercase()) << bit).sum::<usize>();
    id.as_bytes().chunks(5).take(3).map(|part| char::from(CHECKSUM[capitals(part)])).collect()
}

/// The number of a Salesforce id of 15 or 18 characters with this prefix; the first 15 count their capitals.
pub fn salesforce_number(prefix: &str, id: &str) -> Option<u64> {
    if !id.is_ascii() || !matches!(id.len(), 15 | 18) {
        return None;
    }
    number(id[..15].strip_prefix(prefix)?.strip_prefix(INSTANCE)?)
}

/// The 36-character Gainsight id with a prefix of four.
pub fn gainsight(prefix: &str, number: u64) -> String {
    format!("{prefix}{TENANT}{}", base36(number, 12))
}

/// The number of a Gainsight id with this prefix.
pub fn gainsight_number(prefix: &str, id: &str) -> Option<u64> {
    let digits = id.strip_prefix(prefix)?.strip_prefix(TENANT)?;
    (digits.len() == 12).then(|| number(digits))?
}

/// A Pendo id of 27 letters and digits for a page, feature, guide and so on.
pub fn pendo(kind: &str, number: u64) -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let seed = xxhash_rust::xxh3::xxh3_64(kind.as_bytes());
    let letter = |place: u64| char::from(super::pick(LETTERS, super::mix(seed ^ super::mix(number) ^ place)));
    (0..27).map(letter).collect()
}

fn base36(mut number: u64, width: usize) -> String {
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        #[allow(clippy::cast_possible_truncation)]
        let value = (number % 36) as usize;
        *digit = DIGITS[value];
        number /= 36;
    }
    digits.into_iter().map(char::from).collect()
}

fn number(digits: &str) -> Option<u64> {
    let value = |letter: u8| match letter {
        b'0'..=b'9' => Some(u64::from(letter - b'0')),
        b'A'..=b'Z' => Some(u64::from(letter - b'A') + 10),
        _ => None,
    };
    digits.bytes().try_fold(0_u64, |number, letter| number.checked_mul(36)?.checked_add(value(letter)?))
}
