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
pub fn with_aliases(record: Record) -> Record {
    Aliases::default().spell(record)
}

/// The spellings of a source's fields, found once for all rows that have the same fields in the same order.
#[derive(Debug, Clone, Default)]
pub struct Aliases {
    names: Vec<Name>,
    /// Which field is added under which other name.
    more: Vec<(usize, Name)>,
}

impl Aliases {
    /// As `with_aliases`.
    pub fn spell(&mut self, record: Record) -> Record {
        if record.len() != self.names.len() || record.iter().zip(&self.names).any(|((name, _), known)| name != known) {
            *self = Self::of(&record);
        }
        let mut spelled = Record::with_capacity(self.names.len() + self.more.len());
        let more: Vec<(Name, Value)> = {
            let values: Vec<&Value> = record.iter().map(|(_, value)| value).collect();
            self.more.iter().map(|(at, name)| (name.clone(), values[*at].clone())).collect()
        };
        for (name, value) in record.into_iter().chain(more) {
            spelled.push(name, value);
        }
        spelled
    }

    fn of(record: &Record) -> Self {
        let names: Vec<Name> = record.iter().map(|(name, _)| name.clone()).collect();
        let mut known: BTreeSet<String> = names.iter().map(ToString::to_string).collect();
        let mut more = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let spelled = alias(name);
            if !spelled.is_empty() && !known.contains(&spelled) {
                more.push((at, Name::new(&spelled)));
                known.insert(spelled);
            }
        }
        Self { names, more }
    }
}

/// The field among these that a record is read by under a name: the field of that very name, else the first one that is spelled so.
pub fn field_called<'f>(name: &str, fields: impl Iterator<Item = &'f Name> + Clone) -> Option<&'f Name> {
    fields.clone().find(|field| *field == name).or_else(|| fields.into_iter().find(|field| alias(field) == name))
}

#[cfg(test)]
mod tests {
    use super::{Aliases, Name, Record, Value, alias, with_aliases};

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

    #[test]
    fn a_name_leads_to_the_field_that_a_record_has_under_it() {
        let fields: Vec<Name> = ["Email", "Lifecycle__gc", "lifecycle__c", "seats", "Seats__gc"].map(Name::new).to_vec();
        let record: Record = fields.iter().zip(1..).map(|(name, n)| (name.clone(), Value::Int(n))).collect();
        let spelled = with_aliases(record.clone());
        for name in ["Email", "email", "lifecycle", "seats", "Seats__gc", "nothing"] {
            let found = super::field_called(name, fields.iter());
            assert_eq!(found.and_then(|field| record.get(field)), spelled.get(name), "{name}");
        }
    }

    #[test]
    fn rows_of_other_fields_get_their_own_spellings() {
        let mut aliases = Aliases::default();
        for names in [["Email", "A__c"], ["Email", "B__c"], ["Email", "A__c"], ["email", "A__c"]] {
            let record: Record = names.into_iter().zip(1..).map(|(name, n)| (name.into(), Value::Int(n))).collect();
            assert_eq!(aliases.spell(record.clone()), with_aliases(record));
        }
    }
}
