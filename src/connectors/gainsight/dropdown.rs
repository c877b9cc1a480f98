//! Dropdowns: records hold the ids of options, and scripts name them by their labels.

use std::collections::HashMap;

use crate::model::{Choices, Name, Value};

use super::describe::WireOption;

/// The options of one field.
#[derive(Debug, Clone)]
pub(super) struct Dropdown {
    /// Several may be chosen; they are joined by `;`.
    many: bool,
    /// Id, label, and whether it can still be chosen, in the field's order.
    options: Vec<(Name, Name, bool)>,
}

impl Dropdown {
    pub(super) fn new(many: bool, options: &[WireOption]) -> Self {
        let option = |option: &WireOption| (Name::new(&option.value), Name::new(&option.label), option.active != Some(false));
        Self { many, options: options.iter().map(option).collect() }
    }

    /// Whether the describe tells what can be chosen; for some standard fields it does not.
    pub(super) fn is_told(&self) -> bool {
        !self.options.is_empty()
    }

    /// What can be chosen, by its labels; ids are understood too.
    pub(super) fn choices(&self) -> Choices {
        let active = || self.options.iter().filter(|(.., active)| *active);
        Choices {
            values: active().map(|(_, label, _)| label.to_string()).collect(),
            other_names: active().map(|(id, label, _)| (id.to_string(), label.to_string())).collect(),
            restricted: self.is_told(),
        }
    }

    /// The labels of what a record holds; an id without one stays as it is. `known` are labels of ids that the describe does not tell.
    pub(super) fn labelled(&self, held: &str, known: Option<&HashMap<Name, Name>>) -> Name {
        let label = |id: &str| {
            let told = self.options.iter().find(|(known, ..)| known == id).map(|(_, label, _)| label);
            told.or_else(|| known?.get(id)).map_or_else(|| id.to_owned(), Name::to_string)
        };
        if self.many { Name::new(held.split(';').map(label).collect::<Vec<_>>().join(";")) } else { Name::new(label(held)) }
    }

    /// What a record holds for a label or an id, or for several of them.
    ///
    /// # Errors
    /// Why that cannot be chosen.
    pub(super) fn ids(&self, value: &Value) -> Result<String, String> {
        let text = match value {
            Value::List(items) => items.iter().map(Value::to_string).collect::<Vec<_>>().join(";"),
            one => one.to_string(),
        };
        if !self.many {
            return self.id(text.trim());
        }
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| self.id(part)).collect::<Result<Vec<_>, _>>().map(|ids| ids.join(";"))
    }

    fn id(&self, text: &str) -> Result<String, String> {
        if self.options.iter().any(|(id, ..)| id == text) || (!self.is_told() && looks_like_id(text)) {
            return Ok(text.to_owned());
        }
        if !self.is_told() {
            return Err(format!("Gainsight tells no options for this dropdown, so `{text}` cannot be turned into the id of one; write the id"));
        }
        let mut named = self.options.iter().filter(|(_, label, active)| *active && label.to_lowercase() == text.to_lowercase());
        match (named.next(), named.next()) {
            (Some((id, ..)), None) => Ok(id.to_string()),
            (Some(_), Some(_)) => Err(format!("two options of the dropdown are called `{text}`; write the id of one")),
            (None, _) => Err(format!("`{text}` is no option of the dropdown that can be chosen: {}", self.choices().values.join(", "))),
        }
    }
}

/// 36 upper-case letters and digits.
fn looks_like_id(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{Dropdown, Value, WireOption};

    fn dropdown(many: bool) -> Dropdown {
        let option = |value: &str, label: &str, active: bool| WireOption { value: value.to_owned(), label: label.to_owned(), active: Some(active) };
        let options =
            [option("1I00A", "Gold", true), option("1I00B", "Silver", true), option("1I00C", "Old", false), option("1I00D", "silver", true)];
        Dropdown::new(many, &options)
    }

    #[test]
    fn labels_become_ids_and_ids_labels() {
        let one = dropdown(false);
        for text in ["Gold", "gold", " GOLD ", "1I00A"] {
            assert_eq!(one.ids(&Value::text(text)), Ok("1I00A".to_owned()), "{text}");
        }
        assert!(one.ids(&Value::text("Silver")).is_err_and(|why| why.contains("two options")));
        assert!(one.ids(&Value::text("Old")).is_err_and(|why| why.contains("no option")));
        assert_eq!(one.labelled("1I00C", None), "Old");
        assert_eq!(one.labelled("1I00X", None), "1I00X");
        let many = dropdown(true);
        assert_eq!(many.ids(&Value::text("gold; 1I00B;")), Ok("1I00A;1I00B".to_owned()));
        assert_eq!(many.ids(&Value::List(vec![Value::text("Gold")])), Ok("1I00A".to_owned()));
        assert_eq!(many.labelled("1I00A;1I00C", None), "Gold;Old");
        assert!(Dropdown::new(false, &[]).ids(&Value::text("Gold")).is_err_and(|why| why.contains("tells no options")));
    }
}
