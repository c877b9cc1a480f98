//! Conditions that compare a date and time with a day, said with the instants at which the day begins and ends: the form in which systems are
//! asked. It holds for the same values as the condition itself.

use super::{Condition, Filter, Logic, Operator, TimeZone, Value, day, filter::moment};

impl Filter {
    /// The same filter without a day where `is_time` finds a date and time. Everything else stays as it is.
    pub fn in_instants(&self, is_time: impl Fn(&Condition) -> bool, zone: &TimeZone) -> Self {
        let mut made = Made { zone, conditions: Vec::with_capacity(self.conditions.len()) };
        let logic = made.logic(&self.logic, self, &is_time);
        Self { conditions: made.conditions, logic }
    }
}

impl Condition {
    /// Why its value cannot be compared with a date or a date and time: it would hold for nothing, without a word.
    pub fn no_moment(&self) -> Option<String> {
        use Operator::{Contains, EndsWith, IsNotNull, IsNull, StartsWith};
        if matches!(self.operator, IsNull | IsNotNull | Contains | StartsWith | EndsWith) {
            return None;
        }
        let items = match &self.value {
            Value::List(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        let wrong = items.iter().find(|item| match item {
            Value::Text(text) => !item.is_blank() && moment(text).is_none(),
            Value::Bool(_) | Value::List(_) => true,
            _ => false,
        });
        wrong.map(|item| format!("`{item}` is no date; write it as 2026-01-31, or as 2026-01-31T10:00:00Z, or say `rule_date()`"))
    }
}

/// `TODAY`, `LAST_N_DAYS:30`: what SOQL reads as dates.
pub fn is_date_word(text: &str) -> bool {
    let (word, count) = text.split_once(':').unwrap_or((text, "0"));
    word.len() > 3
        && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_' || b.is_ascii_digit())
        && count.bytes().all(|b| b.is_ascii_digit())
        && word.starts_with(|first: char| first.is_ascii_uppercase())
}

/// The conditions so far, each under a label of its own.
struct Made<'a> {
    zone: &'a TimeZone,
    conditions: Vec<Condition>,
}

impl Made<'_> {
    fn logic(&mut self, logic: &Logic, filter: &Filter, is_time: &impl Fn(&Condition) -> bool) -> Logic {
        match logic {
            Logic::Is(label) => match filter.condition(label) {
                Some(condition) if is_time(condition) => self.timed(condition),
                Some(condition) => self.add(condition, condition.operator, condition.value.clone()),
                None => logic.clone(),
            },
            Logic::Not(inner) => Logic::Not(Box::new(self.logic(inner, filter, is_time))),
            Logic::All(parts) => Logic::All(parts.iter().map(|part| self.logic(part, filter, is_time)).collect()),
            Logic::Any(parts) => Logic::Any(parts.iter().map(|part| self.logic(part, filter, is_time)).collect()),
        }
    }

    fn timed(&mut self, condition: &Condition) -> Logic {
        let items = match &condition.value {
            Value::List(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        if !items.iter().any(|item| item.as_day().is_some()) {
            return self.add(condition, condition.operator, condition.value.clone());
        }
        match condition.operator {
            Operator::In => Logic::Any(self.each(condition, items, Operator::Equal)),
            Operator::NotIn => Logic::All(self.each(condition, items, Operator::NotEqual)),
            operator => self.one(condition, operator, &condition.value),
        }
    }

    fn each(&mut self, condition: &Condition, items: &[Value], operator: Operator) -> Vec<Logic> {
        let (days, others): (Vec<&Value>, Vec<&Value>) = items.iter().partition(|item| item.as_day().is_some());
        let mut parts: Vec<Logic> = days.into_iter().map(|day| self.one(condition, operator, day)).collect();
        if !others.is_empty() {
            let others = Value::List(others.into_iter().cloned().collect());
            parts.push(self.add(condition, condition.operator, others));
        }
        parts
    }

    fn one(&mut self, condition: &Condition, operator: Operator, value: &Value) -> Logic {
        let Some(date) = value.as_day() else { return self.add(condition, operator, value.clone()) };
        let (begin, end) = (Value::Instant(day::begin_of(date, self.zone)), Value::Instant(day::end_of(date, self.zone)));
        match operator {
            Operator::Equal => Logic::All(vec![self.add(condition, Operator::GreaterOrEqual, begin), self.add(condition, Operator::Less, end)]),
            Operator::NotEqual => Logic::Any(vec![
                self.add(condition, Operator::Less, begin),
                self.add(condition, Operator::GreaterOrEqual, end),
                self.add(condition, Operator::IsNull, Value::Null),
            ]),
            Operator::Less => self.add(condition, Operator::Less, begin),
            Operator::LessOrEqual => self.add(condition, Operator::Less, end),
            Operator::Greater => self.add(condition, Operator::GreaterOrEqual, end),
            Operator::GreaterOrEqual => self.add(condition, Operator::GreaterOrEqual, begin),
            other => self.add(condition, other, value.clone()),
        }
    }

    fn add(&mut self, condition: &Condition, operator: Operator, value: Value) -> Logic {
        let label = format!("c{}", self.conditions.len());
        self.conditions.push(Condition { label: label.clone(), field: condition.field.clone(), operator, value });
        Logic::Is(label)
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, civil::date};

    use super::{Condition, Filter, Logic, Operator, TimeZone, Value, day};
    use crate::model::Record;

    const OPERATORS: [Operator; 8] = [
        Operator::Equal,
        Operator::NotEqual,
        Operator::Less,
        Operator::LessOrEqual,
        Operator::Greater,
        Operator::GreaterOrEqual,
        Operator::In,
        Operator::NotIn,
    ];

    fn filter(operator: Operator, value: Value) -> Filter {
        let condition = Condition { label: "A".into(), field: "at".into(), operator, value };
        Filter { conditions: vec![condition], logic: Logic::Is("a".into()) }
    }

    /// What a system is asked for and what Tabi itself lets through are the same instants, around every change of clocks, in every form.
    #[test]
    fn a_system_is_asked_for_the_same_instants() {
        let weeks = [
            ("UTC", date(2024, 2, 29)),
            ("America/Los_Angeles", date(2026, 11, 1)),
            ("America/Los_Angeles", date(2026, 3, 8)),
            ("America/Sao_Paulo", date(2018, 11, 4)),
            ("Asia/Beirut", date(2024, 3, 31)),
            ("Africa/Cairo", date(2024, 4, 26)),
            ("America/Havana", date(2024, 11, 3)),
            ("Pacific/Apia", date(2011, 12, 30)),
        ];
        for (name, change) in weeks {
            let zone = TimeZone::get(name).expect("a zone");
            let middle = day::begin_of(change, &zone);
            let steps = (-90..90).map(|step| middle.saturating_add(SignedDuration::from_mins(step * 29)).expect("an instant"));
            let edges = [change, change.tomorrow().expect("a day")].map(|edge| day::begin_of(edge, &zone));
            let before = edges.map(|edge| edge.saturating_sub(SignedDuration::from_millis(1)).expect("an instant"));
            let mut values: Vec<Value> = steps.chain(edges).chain(before).map(Value::Instant).collect();
            values.push(Value::Null);
            let wanted = [
                Value::Date(change),
                Value::text(change.to_string()),
                Value::List(vec![Value::Date(change), Value::Date(change.yesterday().expect("a day")), Value::Instant(middle)]),
            ];
            for (operator, wanted) in OPERATORS.iter().flat_map(|operator| wanted.iter().map(move |wanted| (*operator, wanted))) {
                let listed = matches!(operator, Operator::In | Operator::NotIn);
                if matches!(wanted, Value::List(_)) != listed {
                    continue;
                }
                let own = filter(operator, wanted.clone());
                let asked = own.in_instants(|_| true, &zone);
                let days = asked.conditions.iter().any(|condition| condition.value.as_day().is_some());
                assert!(!days, "no day is left of {operator:?}");
                for value in &values {
                    let record = Record::from_iter([("at".into(), value.clone())]);
                    assert_eq!(own.matches(&record, &zone), asked.matches(&record, &zone), "{value} {operator:?} {wanted} in {name}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_date_is_told() {
        let of = |operator, value: Value| filter(operator, value).conditions[0].no_moment();
        for fine in ["2026-01-31", "2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000+0000", ""] {
            assert_eq!(of(Operator::Less, Value::text(fine)), None, "{fine}");
        }
        assert_eq!(of(Operator::IsNull, Value::text("x")), None);
        for odd in [Value::text("TODAY"), Value::text("31.01.2026"), Value::Bool(true), Value::List(vec![Value::text("soon")])] {
            let told = of(Operator::In, odd.clone()).expect("a reason");
            assert!(told.contains("is no date; write it as 2026-01-31"), "{told}");
        }
    }

    #[test]
    fn other_fields_and_the_logic_stay() {
        let mut own = Filter::all(vec![("day".into(), Operator::Equal, Value::Date(date(2026, 1, 31)))]);
        own.logic = Logic::Not(Box::new(own.logic));
        let asked = own.in_instants(|condition| condition.field == "at", &TimeZone::UTC);
        assert_eq!(asked.conditions[0].value, own.conditions[0].value);
        assert_eq!(asked.logic, Logic::Not(Box::new(Logic::All(vec![Logic::Is("c0".into())]))));
    }
}
