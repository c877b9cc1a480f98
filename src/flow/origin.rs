//! What a source row is called, so that whoever reads of a rejection finds the record: the source's own name for it.

use crate::model::{Record, Source, Value};

/// How rows of a source are told apart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// The object, or what else a row stands for.
    what: String,
    /// Fields that identify a row together.
    by: Vec<String>,
}

/// Fields of a row that are shown when nothing identifies it.
const SHOWN: usize = 2;

impl Origin {
    pub(crate) fn of(source: &Source) -> Self {
        let (what, by) = match source {
            Source::Object(query) => (query.object.clone(), query.own_id().to_owned()),
            Source::Report(report) => (report.per.clone(), report.own_id().to_owned()),
            Source::Soql(text) => (object_of(text), "Id".to_owned()),
            Source::Saved(report) => (report.per.clone(), report.key.clone()),
            Source::Aggregation { key, .. } => ("row".to_owned(), key.clone()),
        };
        Self { what, by: vec![by] }
    }

    /// Rows that were folded into one for each of these values.
    pub(crate) fn grouped(by: &[String]) -> Self {
        Self { what: "group".to_owned(), by: by.to_vec() }
    }

    /// What identifies the row; null where nothing in it does.
    pub(crate) fn id(&self, row: &Record) -> Value {
        let value = |field: &String| row.path(field).filter(|value| !value.is_blank());
        match self.by.as_slice() {
            [one] => value(one).cloned().unwrap_or_else(|| some_of(row)),
            many => Value::text(many.iter().map(|field| value(field).map_or_else(String::new, ToString::to_string)).collect::<Vec<_>>().join("|")),
        }
    }

    /// What alone identifies the row; none where that is missing.
    pub(crate) fn own(&self, row: &Record) -> Option<Value> {
        let complete = self.by.iter().all(|field| row.path(field).is_some_and(|value| !value.is_blank()));
        complete.then(|| self.id(row))
    }

    /// `Contact 003000000000001AAA`.
    pub(crate) fn shown(&self, id: &Value) -> String {
        if id.is_blank() { format!("{} without a value", self.what) } else { format!("{} {id}", self.what) }
    }

    /// The same of a row.
    pub(crate) fn of_row(&self, row: &Record) -> String {
        self.shown(&self.id(row))
    }
}

/// The first values of a row that has no id, by name.
fn some_of(row: &Record) -> Value {
    let told = |(name, value): (&crate::model::Name, &Value)| {
        let plain = !value.is_blank() && !name.starts_with('$') && !matches!(value, Value::List(_) | Value::Map(_));
        plain.then(|| format!("{name}={}", super::work::brief(value)))
    };
    let some: Vec<String> = row.iter().filter_map(told).take(SHOWN).collect();
    if some.is_empty() { Value::Null } else { Value::text(some.join(" ")) }
}

/// The object after `FROM` of a statement.
fn object_of(soql: &str) -> String {
    let words: Vec<&str> = soql.split_whitespace().collect();
    let from = words.iter().rposition(|word| word.eq_ignore_ascii_case("from")).and_then(|at| words.get(at + 1));
    from.map_or_else(|| "row".to_owned(), |object| object.trim_end_matches(')').to_owned())
}

#[cfg(test)]
mod tests {
    use super::Origin;
    use crate::model::{Query, Record, Report, Source, System, Value};

    fn row(fields: &[(&str, &str)]) -> Record {
        fields.iter().map(|(name, value)| ((*name).into(), Value::text(*value))).collect()
    }

    fn of(system: System, object: &str) -> Origin {
        Origin::of(&Source::Object(Query::of(system, object)))
    }

    #[test]
    fn every_source_names_its_rows_by_its_own_key() {
        let report = Report { per: "visitor".into(), segment: None, app: None, anonymous: false, days: 30, until: None, columns: Vec::new() };
        let cases = [
            (of(System::Salesforce, "Contact"), row(&[("Name", "A"), ("Id", "003x")]), "Contact 003x"),
            (of(System::Gainsight, "Company"), row(&[("Gsid", "1P02")]), "Company 1P02"),
            (of(System::Pendo, "account"), row(&[("accountId", "acme")]), "account acme"),
            (of(System::Pendo, "visitor"), row(&[("visitorId", "v1")]), "visitor v1"),
            (of(System::Px, "users"), row(&[("identifyId", "u1")]), "users u1"),
            (of(System::Px, "accounts"), row(&[("id", "a1")]), "accounts a1"),
            (Origin::of(&Source::Report(report)), row(&[("visitorId", "v2")]), "visitor v2"),
            (Origin::of(&Source::Soql("SELECT Id, (SELECT Id FROM Contacts) FROM Account".into())), row(&[("Id", "001x")]), "Account 001x"),
            (Origin::grouped(&["a".into(), "b".into()]), row(&[("b", "2"), ("a", "1")]), "group 1|2"),
            (of(System::Salesforce, "Lead"), row(&[("Email", ""), ("Name", "A"), ("City", "B"), ("x", "y")]), "Lead Name=A City=B"),
            (of(System::Salesforce, "Lead"), row(&[("Email", " ")]), "Lead without a value"),
        ];
        for (origin, row, shown) in cases {
            assert_eq!(origin.of_row(&row), shown);
        }
    }
}
