//! What is the same key: by each system's own rule, in one place. Matching, doubles, lookups, companies and back-tests all ask here.
//!
//! | system | ids | other text |
//! |---|---|---|
//! | Salesforce | 15 characters in which capitals count, or these and 3 that check them | capitals count where the field is defined so |
//! | Pendo | capitals count (support.pendo.io, "Visitor and Account IDs") | capitals count |
//! | Gainsight | GSIDs as they are | capitals count, but not in e-mail addresses and the labels of choices |
//! | PX | capitals count | capitals do not count, as in its filters |
//!
//! What a describe says about capitals (Salesforce calls it `caseSensitive`) is `Field::case_sensitive`.

use super::{Field, FieldType, Misfit, Record, System, Value};

/// How two values of a field compare as keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyRule {
    /// The id of a Salesforce record.
    SalesforceId,
    /// Text in which capitals count.
    Exact,
    /// Text in which they do not.
    Folded,
    /// Numbers, dates, true and false.
    Plain,
}

/// What a text is as a Salesforce id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SalesforceId {
    /// An id, in its 18-character form.
    Sound(String),
    /// Eighteen characters whose last three contradict the others, and why it is no id.
    Damaged(String),
    /// No id at all.
    Other,
}

impl SalesforceId {
    /// # Errors
    /// Why it is a damaged id. A text that is no id at all is for the system to refuse.
    pub fn sound(self) -> Result<(), Misfit> {
        match self {
            Self::Damaged(why) => Err(Misfit(why)),
            Self::Sound(_) | Self::Other => Ok(()),
        }
    }
}

/// The check characters of an id, by the value of five bits.
const CHECKS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

impl KeyRule {
    /// The rule of a field of a system.
    pub fn of(system: System, field: &Field) -> Self {
        match (&field.kind, system) {
            (FieldType::Id | FieldType::Reference { .. }, System::Salesforce) => Self::SalesforceId,
            (FieldType::Id | FieldType::Reference { .. }, _) => Self::Exact,
            (FieldType::Email { .. }, _) => Self::Folded,
            (FieldType::Text { .. } | FieldType::Picklist(_) | FieldType::MultiPicklist(_) | FieldType::Other { .. }, _) => {
                if field.case_sensitive {
                    Self::Exact
                } else {
                    Self::Folded
                }
            }
            _ => Self::Plain,
        }
    }

    /// A key in the form in which two spellings of it are equal. `given` is what the source has, `fitted` what the field would hold.
    ///
    /// # Errors
    /// Why the source's value is not surely a key of this field.
    pub fn key(self, given: &Value, fitted: &Value) -> Result<String, Misfit> {
        match (self, given, fitted) {
            (Self::SalesforceId, _, Value::Text(text)) => match salesforce_id(text) {
                SalesforceId::Sound(id) => Ok(id),
                SalesforceId::Damaged(why) => Err(Misfit(why)),
                SalesforceId::Other => Ok(text.to_string()),
            },
            (Self::Exact, Value::Text(given), Value::Text(fitted)) if given != fitted => {
                Err(Misfit(format!("`{given}` begins or ends with a blank, and the field would hold `{fitted}`: that is another key")))
            }
            (Self::Plain, Value::Text(given), Value::Int(_) | Value::Float(_)) if given.trim() != fitted.to_string() => {
                Err(Misfit(format!("`{given}` is not how the number {fitted} is written, so it is not surely the same key")))
            }
            _ => Ok(self.held(fitted)),
        }
    }

    /// The same of a value that a system holds.
    pub fn held(self, value: &Value) -> String {
        let text = value.to_string();
        match self {
            Self::SalesforceId => match salesforce_id(&text) {
                SalesforceId::Sound(id) => id,
                SalesforceId::Damaged(_) | SalesforceId::Other => text,
            },
            Self::Folded => text.to_lowercase(),
            Self::Exact | Self::Plain => text,
        }
    }

    /// Whether a write of one value over the other would change nothing.
    pub fn same_content(self, one: &Value, other: &Value) -> bool {
        one == other || (self == Self::SalesforceId && *one != Value::Null && *other != Value::Null && self.held(one) == self.held(other))
    }

    /// Whether two different texts are always two keys.
    pub const fn tells_all_apart(self) -> bool {
        matches!(self, Self::Exact | Self::Plain)
    }

    /// Why two spellings are one key.
    pub const fn why(self) -> &'static str {
        match self {
            Self::SalesforceId => "an id of 15 characters and one of 18 are the same Salesforce id",
            Self::Folded => "capitals do not count in it",
            Self::Exact | Self::Plain => "they are the same value",
        }
    }
}

/// A text as a Salesforce id. Salesforce takes ids of 15 characters, in which capitals count, and of 18, whose last three check the
/// capitals of the others; it does not restore capitals that were lost on the way (developer.salesforce.com, "ID Field Type").
pub fn salesforce_id(text: &str) -> SalesforceId {
    if !matches!(text.len(), 15 | 18) || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return SalesforceId::Other;
    }
    let (short, check) = text.split_at(15);
    let right = checks(short);
    if check.is_empty() || check == right {
        return SalesforceId::Sound(format!("{short}{right}"));
    }
    let meant = restored(text).map_or_else(String::new, |meant| format!("; it was `{meant}` before its capitals were lost"));
    SalesforceId::Damaged(format!("`{text}` is no Salesforce id: its last three characters would be `{right}`{meant}"))
}

/// The three characters that check the capitals of fifteen others.
fn checks(short: &str) -> String {
    let bits = |five: &[u8]| five.iter().enumerate().map(|(at, byte)| usize::from(byte.is_ascii_uppercase()) << at).sum::<usize>();
    short.as_bytes().chunks(5).map(|five| char::from(CHECKS[bits(five) % 32])).collect()
}

/// The id whose check characters fit when capitals are put where they say.
fn restored(text: &str) -> Option<String> {
    let (short, check) = text.split_at_checked(15)?;
    let check = check.to_ascii_uppercase();
    let bits = |at: usize| CHECKS.iter().position(|known| *known == check.as_bytes()[at / 5]);
    let cased = |(at, c): (usize, char)| bits(at).map(|bits| if bits >> (at % 5) & 1 == 1 { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() });
    let short: String = short.chars().enumerate().map(cased).collect::<Option<_>>()?;
    (checks(&short) == check).then(|| format!("{short}{check}"))
}

/// The id of an account as accounts are compared wherever another system names them: two forms of one Salesforce id are one.
pub fn account_key(id: &str) -> String {
    match salesforce_id(id.trim()) {
        SalesforceId::Sound(id) => id,
        SalesforceId::Damaged(_) | SalesforceId::Other => id.trim().to_owned(),
    }
}

/// How else a system that compares ids letter by letter may hold this one: the other form of a Salesforce id.
pub fn other_spelling(id: &str) -> Option<String> {
    match salesforce_id(id) {
        SalesforceId::Sound(long) if id.len() == 15 => Some(long),
        SalesforceId::Sound(long) => long.get(..15).map(str::to_owned),
        SalesforceId::Damaged(_) | SalesforceId::Other => None,
    }
}

impl System {
    /// The field by which the system itself knows a record of an object; none where it gives none.
    pub fn id_field(self, object: &str) -> Option<&'static str> {
        let is = |one: &str| object.eq_ignore_ascii_case(one) || object.strip_suffix(['s', 'S']).is_some_and(|stem| stem.eq_ignore_ascii_case(one));
        match self {
            Self::Salesforce => Some("Id"),
            Self::Gainsight => Some("Gsid"),
            Self::Pendo if is("account") => Some("accountId"),
            Self::Pendo if is("visitor") => Some("visitorId"),
            Self::Px if is("user") => Some("identifyId"),
            Self::Px if !["account", "engagement", "feature", "segment"].into_iter().any(is) => Some("eventId"),
            Self::Pendo | Self::Px => Some("id"),
            Self::Mail => None,
        }
    }
}

/// The system's own id of a record of an object.
pub fn id_of(system: System, object: &str, record: &Record) -> Option<String> {
    let name = system.id_field(object)?;
    let spelled = record.get(name).or_else(|| record.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value));
    spelled.filter(|id| !id.is_blank()).map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::{KeyRule, Misfit, SalesforceId, System, Value, account_key, checks, other_spelling, salesforce_id};

    /// Ids of all kinds of capitals, from a counter that mixes them.
    fn ids() -> impl Iterator<Item = String> {
        const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        (0_u64..2_000).map(|seed| {
            let mut z = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (0..15)
                .map(|_| {
                    z = (z ^ (z >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9).wrapping_add(seed);
                    char::from(DIGITS[usize::try_from(z >> 33).unwrap_or(0) % DIGITS.len()])
                })
                .collect()
        })
    }

    #[test]
    fn check_characters_are_those_of_the_vendor() {
        for (id, check) in [("a0BA0000000L2ZC", "MA0"), ("AaaAABbbBBCccCC", "ZZZ"), ("ABCDEFGHIJKLMNO", "555"), ("001000000000001", "AAA")] {
            assert_eq!(checks(id), check, "{id}");
        }
    }

    #[test]
    fn both_forms_of_an_id_are_one_key_and_no_other_is() {
        let rule = KeyRule::SalesforceId;
        let key = |text: &str| rule.key(&Value::text(text), &Value::text(text));
        for short in ids() {
            let long = format!("{short}{}", checks(&short));
            assert_eq!(salesforce_id(&short), SalesforceId::Sound(long.clone()));
            assert_eq!((key(&short), key(&long)), (Ok(long.clone()), Ok(long.clone())));
            assert_eq!(account_key(&short), long);
            assert_eq!((other_spelling(&short), other_spelling(&long)), (Some(long.clone()), Some(short.clone())));
            assert!(rule.same_content(&Value::text(&short), &Value::text(&long)));
            for lost in [long.to_lowercase(), long.to_uppercase()] {
                if lost == long {
                    continue;
                }
                assert_ne!(account_key(&lost), long, "capitals are not restored: the vendor does not");
                match salesforce_id(&lost) {
                    SalesforceId::Damaged(why) => assert!(why.contains(&format!("`{long}` before its capitals were lost")), "{why}"),
                    other => panic!("{lost}: {other:?}"),
                }
                assert!(key(&lost).is_err());
            }
        }
    }

    #[test]
    fn every_wrong_check_character_is_found() {
        for short in ids().take(200) {
            let right = checks(&short);
            for at in 0..3 {
                let mut wrong = right.clone().into_bytes();
                wrong[at] = if wrong[at] == b'A' { b'B' } else { b'A' };
                let wrong = format!("{short}{}", String::from_utf8_lossy(&wrong));
                assert!(matches!(salesforce_id(&wrong), SalesforceId::Damaged(_)), "{wrong}");
            }
        }
        for other in ["", "acme-7", "0010000000000019", "001 00000000001", "001000000000001AAAA", "0010000000000é"] {
            assert_eq!(salesforce_id(other), SalesforceId::Other, "{other}");
        }
    }

    #[test]
    fn capitals_count_where_they_do() {
        for text in ["acme-7", "ACME-7", "Ann@Example.com", "ÄÖ", "a"] {
            let other = if text.to_lowercase() == text { text.to_uppercase() } else { text.to_lowercase() };
            let key = |rule: KeyRule, text: &str| rule.key(&Value::text(text), &Value::text(text));
            assert_eq!(key(KeyRule::Folded, text), key(KeyRule::Folded, &other));
            assert_ne!(key(KeyRule::Exact, text), key(KeyRule::Exact, &other));
            assert!(!KeyRule::Folded.same_content(&Value::text(text), &Value::text(&other)), "a change of capitals is a change");
        }
    }

    #[test]
    fn a_number_is_a_key_only_as_it_is_written() {
        let key = |text: &str, fitted: Value| KeyRule::Plain.key(&Value::text(text), &fitted);
        assert_eq!(key("123", Value::Int(123)), Ok("123".to_owned()));
        assert_eq!(key("-7", Value::Int(-7)), Ok("-7".to_owned()));
        assert_eq!(key("1.5", Value::Float(1.5)), Ok("1.5".to_owned()));
        assert_eq!(KeyRule::Plain.key(&Value::Int(123), &Value::Int(123)), KeyRule::Plain.key(&Value::Float(123.0), &Value::Int(123)));
        for odd in ["0123", "+123", "1e3", "123.0", "1_000"] {
            assert!(matches!(key(odd, Value::Int(123)), Err(Misfit(_))), "{odd}");
        }
        assert!(KeyRule::Exact.key(&Value::text(" a"), &Value::text("a")).is_err());
    }

    #[test]
    fn every_record_has_an_id_by_its_object() {
        for (system, object, field) in [
            (System::Salesforce, "Contact", "Id"),
            (System::Gainsight, "Company", "Gsid"),
            (System::Pendo, "accounts", "accountId"),
            (System::Pendo, "visitor", "visitorId"),
            (System::Pendo, "segment", "id"),
            (System::Px, "users", "identifyId"),
            (System::Px, "accounts", "id"),
            (System::Px, "page_views", "eventId"),
        ] {
            assert_eq!(system.id_field(object), Some(field), "{system} {object}");
        }
    }
}
