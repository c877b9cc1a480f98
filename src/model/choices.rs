//! The choices of a picklist, by every name that they go by.

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{Misfit, Value, schema::plain_text};

/// Characters of one choice, which no system lets be longer.
const LONGEST: u32 = 255;

/// What may be chosen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Choices {
    /// The choices as records hold them, in the field's order.
    pub values: Vec<String>,
    /// Other names of choices and the choice of each: labels in Salesforce, ids in Gainsight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_names: Vec<(String, String)>,
    /// Nothing else can be chosen.
    pub restricted: bool,
}

impl Choices {
    /// These and nothing else.
    pub fn only(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { values: values.into_iter().map(Into::into).collect(), other_names: Vec::new(), restricted: true }
    }

    /// The choice as the field spells it, from its value or another of its names, in any case.
    ///
    /// # Errors
    /// Why it cannot be chosen.
    pub fn spelt(&self, text: &str) -> Result<SmolStr, Misfit> {
        let exact = self.values.iter().find(|value| *value == text);
        if let Some(value) = exact.or_else(|| self.values.iter().find(|value| same(value, text))) {
            return Ok(SmolStr::new(value));
        }
        let mut named = self.other_names.iter().filter(|(name, _)| same(name, text)).map(|(_, value)| value);
        match (named.next(), named.next()) {
            (Some(value), other) if other.is_none_or(|other| other == value) => Ok(SmolStr::new(value)),
            (Some(one), Some(other)) => Err(Misfit(format!("`{text}` names two of the field's values, `{one}` and `{other}`; write the value"))),
            _ if self.restricted => Err(Misfit(format!("`{text}` is not one of the field's values: {}", self.list()))),
            _ => plain_text(&Value::text(text), LONGEST),
        }
    }

    /// The values in a message, so many as can be read.
    fn list(&self) -> String {
        const SHOWN: usize = 20;
        let shown = self.values.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        match self.values.len().saturating_sub(SHOWN) {
            0 if shown.is_empty() => "it has none".to_owned(),
            0 => shown,
            more => format!("{shown} and {more} more"),
        }
    }

    /// One choice.
    pub(super) fn fit_one(&self, value: &Value) -> Result<Value, Misfit> {
        self.spelt(&plain_text(value, u32::MAX)?).map(Value::Text)
    }

    /// Several choices, given as a list or joined by `;`: each once, those of the field in its order, then others by the alphabet.
    /// None at all is null.
    pub(super) fn fit_many(&self, value: &Value) -> Result<Value, Misfit> {
        let items = match value {
            Value::List(items) => items.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut chosen: Vec<(usize, String, SmolStr)> = Vec::new();
        for item in items.iter().filter(|item| !item.is_blank()) {
            for part in plain_text(item, u32::MAX)?.split(';').map(str::trim).filter(|part| !part.is_empty()) {
                let choice = self.spelt(part)?;
                let place = self.values.iter().position(|value| value == choice.as_str()).unwrap_or(usize::MAX);
                chosen.push((place, choice.to_lowercase(), choice));
            }
        }
        chosen.sort();
        chosen.dedup_by(|a, b| a.1 == b.1 && a.0 == b.0);
        if chosen.is_empty() {
            return Ok(Value::Null);
        }
        Ok(Value::text(chosen.iter().map(|(.., choice)| choice.as_str()).collect::<Vec<_>>().join(";")))
    }
}

/// Choices are told apart without regard to case.
fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || a.to_lowercase() == b.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{Choices, Value};

    fn closed() -> Choices {
        Choices { other_names: vec![("Kernel".to_owned(), "Core".to_owned())], ..Choices::only(["Core", "Surveys", "Ärger"]) }
    }

    #[test]
    fn many_choices_have_one_form() {
        let list = |items: &[&str]| Value::List(items.iter().map(Value::text).collect());
        let same = [
            Value::text("Surveys;Core"),
            Value::text("core; SURVEYS;"),
            Value::text(";;Kernel;surveys;Core"),
            list(&["Surveys", "Core"]),
            list(&["Surveys", "", "Core;Surveys"]),
            Value::List(vec![Value::Null, Value::text("kernel"), Value::text("Surveys")]),
        ];
        for value in same {
            assert_eq!(closed().fit_many(&value), Ok(Value::text("Core;Surveys")), "{value}");
        }
        for value in [Value::text(";"), Value::text(" ; "), list(&[]), list(&["", " "]), Value::List(vec![Value::Null])] {
            assert_eq!(closed().fit_many(&value), Ok(Value::Null), "{value}");
        }
        assert_eq!(closed().fit_many(&Value::text("ärger")), Ok(Value::text("Ärger")));
    }

    #[test]
    fn an_unknown_choice_is_refused_by_a_closed_list_and_kept_by_an_open_one() {
        let refused = closed().fit_many(&Value::text("Core;Other")).map_err(|misfit| misfit.0);
        assert_eq!(refused, Err("`Other` is not one of the field's values: Core, Surveys, Ärger".to_owned()));
        let open = Choices { restricted: false, ..closed() };
        for text in ["b;core;a", "a;b;Core", "Core;A;a;b"] {
            let fitted = open.fit_many(&Value::text(text));
            assert_eq!(fitted.map(|value| value.to_string().to_lowercase()), Ok("core;a;b".to_owned()), "{text}");
        }
        assert!(open.fit_one(&Value::text("x".repeat(256))).is_err());
    }

    #[test]
    fn a_name_of_two_choices_is_refused() {
        let names = vec![("Both".to_owned(), "A".to_owned()), ("both".to_owned(), "B".to_owned())];
        let choices = Choices { other_names: names, ..Choices::only(["A", "B"]) };
        assert!(choices.fit_one(&Value::text("Both")).is_err());
        assert_eq!(choices.fit_one(&Value::text("b")), Ok(Value::text("B")));
    }
}
