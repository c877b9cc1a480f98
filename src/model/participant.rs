//! The names of a participant's fields: each system's own, and beside them one spelling for all systems.

use std::collections::BTreeSet;

use super::{Name, Record, Value};

/// The one spelling of a field's name: words in lower case joined by `_`, without a custom field's suffix.
/// `Lifecycle__gc` is `lifecycle`, `CompanyId` is `company_id`, `SFDCAccountId` is `sfdc_account_id`, `Email` is `email`.
pub fn alias(field: &str) -> String {
    let stem = ["__gc", "__c", "__r", "__pc"].iter().find_map(|suffix| field.strip_suffix(suffix)).unwrap_or(field);
    let letters: Vec<char> = stem.chars().collect();
    let mut spelled = String::with_capacity(stem.len() + 4);
    for (at, &c) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at)).copied();
        let after = letters.get(at + 1).copied();
        let starts_word = c.is_uppercase()
            && before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit() || b.is_uppercase() && after.is_some_and(char::is_lowercase));
        let joint = !c.is_alphanumeric();
        if (starts_word || joint) && !spelled.is_empty() && !spelled.ends_with('_') {
            spelled.push('_');
        }
        if !joint {
            spelled.extend(c.to_lowercase());
        }
    }
    spelled.trim_end_matches('_').to_owned()
}

/// A record with every top-level field under its one spelling, too. A field that really has such a name wins, then the first one.
pub fn with_aliases(mut record: Record) -> Record {
    let mut known: BTreeSet<String> = record.iter().map(|(name, _)| name.to_string()).collect();
    let mut more: Vec<(Name, Value)> = Vec::new();
    for (name, value) in record.iter() {
        let spelled = alias(name);
        if !spelled.is_empty() && !known.contains(&spelled) {
            more.push((spelled.as_str().into(), value.clone()));
            known.insert(spelled);
        }
    }
    for (name, value) in more {
        record.push(name, value);
    }
    record
}

#[cfg(test)]
mod tests {
    use super::{Record, Value, alias, with_aliases};

    #[test]
    fn every_systems_spelling_becomes_one() {
        for (field, spelled) in [
            ("Lifecycle__gc", "lifecycle"),
            ("Active_Users__gc", "active_users"),
            ("ActiveUsers__c", "active_users"),
            ("CompanyId", "company_id"),
            ("SFDCAccountId", "sfdc_account_id"),
            ("identifyId", "identify_id"),
            ("Email", "email"),
            ("email", "email"),
            ("Pendo_timeonsite_last30d__c", "pendo_timeonsite_last30d"),
            ("Active Visitors (30d)", "active_visitors_30d"),
            ("__", ""),
        ] {
            assert_eq!(alias(field), spelled, "{field}");
        }
    }

    #[test]
    fn a_real_field_wins_over_a_spelling() {
        let record =
            Record::from_iter([("Email".into(), Value::text("a")), ("email".into(), Value::text("b")), ("EMail__c".into(), Value::text("c"))]);
        let spelled = with_aliases(record);
        assert_eq!(spelled.get("email"), Some(&Value::text("b")));
        assert_eq!(spelled.get("e_mail"), Some(&Value::text("c")));
        assert_eq!(spelled.len(), 4);
    }
}
