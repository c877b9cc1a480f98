//! Conditions against the types of the fields that they compare: what could never hold is told, and choices are said as records hold them.

use super::{Condition, FieldType, Filter, Operator, Value, decimal::Decimal};

impl Filter {
    /// The same with every choice of a picklist as records hold it, from its value, its label or its id.
    ///
    /// # Errors
    /// The field of a condition that could not hold for any value of its field, and why.
    pub fn fitted<'k>(&self, kind: impl Fn(&str) -> Option<&'k FieldType>) -> Result<Self, (String, String)> {
        let mut fitted = self.clone();
        for condition in &mut fitted.conditions {
            if let Some(kind) = kind(&condition.field) {
                condition.value = condition.fitted(kind).map_err(|reason| (condition.field.clone(), reason))?;
            }
        }
        Ok(fitted)
    }
}

impl Condition {
    /// Its value as a field of this type is compared with it.
    ///
    /// # Errors
    /// Why it would hold for nothing, or for everything, without a word.
    pub fn fitted(&self, kind: &FieldType) -> Result<Value, String> {
        use Operator::{Contains, EndsWith, Equal, In, IsNotNull, IsNull, NotEqual, NotIn, StartsWith};
        if matches!(self.operator, IsNull | IsNotNull | Contains | StartsWith | EndsWith) {
            return Ok(self.value.clone());
        }
        match kind {
            FieldType::Int { .. } | FieldType::Number { .. } | FieldType::Float => {
                self.each(is_number, "is no number; write it without quotes, as 10 or 2.5")?;
            }
            FieldType::Bool => self.each(is_truth, "is neither true nor false; write one of them without quotes")?,
            FieldType::Date | FieldType::DateTime { .. } => self.no_moment().map_or(Ok(()), Err)?,
            FieldType::Text { .. } | FieldType::Email { .. } | FieldType::Id | FieldType::Reference { .. } | FieldType::MultiPicklist(_) => {
                return self.with_text();
            }
            FieldType::Picklist(_) if !matches!(self.operator, Equal | NotEqual | In | NotIn) => return self.with_text(),
            FieldType::Picklist(choices) if matches!(self.operator, Equal | NotEqual | In | NotIn) => {
                let spelt = |item: &Value| match item.as_str().filter(|_| !item.is_blank()) {
                    Some(text) => choices.spelt(text).map(Value::Text).map_err(|misfit| misfit.0),
                    None => Ok(item.clone()),
                };
                return match &self.value {
                    Value::List(items) => items.iter().map(spelt).collect::<Result<_, _>>().map(Value::List),
                    single => spelt(single),
                };
            }
            _ => (),
        }
        Ok(self.value.clone())
    }

    /// Why it cannot be compared with this very value: only the value tells its type.
    pub fn unlike(&self, value: &Value) -> Option<String> {
        let kind = match value {
            Value::Int(_) | Value::Float(_) => FieldType::Float,
            Value::Bool(_) => FieldType::Bool,
            Value::Date(_) => FieldType::Date,
            Value::Instant(_) => FieldType::DateTime { millis: true },
            _ => return None,
        };
        self.fitted(&kind).err()
    }

    /// Its value as the text of a field is compared with it: `5` finds the text "5", in every system and in whatever form the field is compared.
    /// Which text is less than a number nobody can say: "10" is before "9" as text.
    fn with_text(&self) -> Result<Value, String> {
        let written = |item: &Value| match item {
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => Value::text(item.to_string()),
            other => other.clone(),
        };
        let ordered = !matches!(self.operator, Operator::Equal | Operator::NotEqual | Operator::In | Operator::NotIn);
        match &self.value {
            Value::List(items) => Ok(Value::List(items.iter().map(written).collect())),
            Value::Int(_) | Value::Float(_) | Value::Bool(_) if ordered => Err(format!(
                "`{} {}` asks for a number, but the field holds text, in which \"10\" comes before \"9\"; use a field that holds numbers, or a \
                 closure such as `|row| fields::number(row.{}) {} {}`",
                self.operator.word(),
                self.value,
                self.field,
                self.operator.word(),
                self.value
            )),
            single => Ok(written(single)),
        }
    }

    fn each(&self, fits: fn(&Value) -> bool, reason: &str) -> Result<(), String> {
        let items = match &self.value {
            Value::List(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        items.iter().find(|item| !item.is_blank() && !fits(item)).map_or(Ok(()), |item| Err(format!("`{item}` {reason}")))
    }
}

/// A number, also in quotes. Days and instants are compared with milliseconds since 1970, as Pendo keeps time.
fn is_number(value: &Value) -> bool {
    match value {
        Value::Text(text) => Decimal::read(text.trim()).is_some(),
        Value::Bool(_) | Value::List(_) => false,
        _ => true,
    }
}

const fn is_truth(value: &Value) -> bool {
    matches!(value, Value::Bool(_))
}

#[cfg(test)]
mod tests {
    use super::{Condition, FieldType, Operator, Value};
    use crate::model::Choices;

    fn of(operator: Operator, value: Value) -> Condition {
        Condition { label: "a".into(), field: "x".into(), operator, value }
    }

    /// What is refused for a type holds for no value of it, whatever the operator; what is taken compares.
    #[test]
    fn what_is_refused_could_never_have_been_compared() {
        let zone = crate::model::TimeZone::UTC;
        let wanted = ["many", "12", " 2.5 ", "true", "2026-01-31", "1e3"].map(Value::text).into_iter();
        let wanted: Vec<Value> = wanted.chain([Value::Int(3), Value::Float(0.5), Value::Bool(true)]).collect();
        let values = [Value::Int(7), Value::Float(2.5), Value::Bool(false)];
        for (value, wanted) in values.iter().flat_map(|value| wanted.iter().map(move |wanted| (value, wanted))) {
            for operator in [Operator::Equal, Operator::Less, Operator::LessOrEqual, Operator::Greater, Operator::GreaterOrEqual] {
                let condition = of(operator, wanted.clone());
                let compares =
                    of(Operator::LessOrEqual, wanted.clone()).matches(value, &zone) || of(Operator::Greater, wanted.clone()).matches(value, &zone);
                assert_eq!(condition.unlike(value).is_none(), compares, "{value:?} {operator:?} {wanted:?}");
            }
            let listed = of(Operator::In, Value::List(vec![Value::Null, wanted.clone()]));
            assert_eq!(listed.unlike(value), of(Operator::Equal, wanted.clone()).unlike(value));
        }
    }

    #[test]
    fn choices_go_by_every_name_that_they_have() {
        let choices =
            Choices { other_names: vec![("Very Hot".into(), "Hot".into()), ("1I00".into(), "Cold".into())], ..Choices::only(["Hot", "Cold"]) };
        let kind = FieldType::Picklist(choices);
        for (written, held) in [("Hot", "Hot"), ("very hot", "Hot"), ("1I00", "Cold"), ("COLD", "Cold")] {
            for operator in [Operator::Equal, Operator::NotEqual] {
                assert_eq!(of(operator, Value::text(written)).fitted(&kind), Ok(Value::text(held)));
            }
            let list = Value::List(vec![Value::text(written), Value::Null]);
            assert_eq!(of(Operator::NotIn, list).fitted(&kind), Ok(Value::List(vec![Value::text(held), Value::Null])));
        }
        let refused = of(Operator::Equal, Value::text("Warm")).fitted(&kind).expect_err("unknown");
        assert_eq!(refused, "`Warm` is not one of the field's values: Hot, Cold");
        assert_eq!(of(Operator::Contains, Value::text("Ho")).fitted(&kind), Ok(Value::text("Ho")));
    }
}
