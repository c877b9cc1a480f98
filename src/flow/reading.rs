//! What a declaration asks its source for: the fields that anything about it reads, and every condition that the system can apply.

use crate::{
    model::{Filter, Source, Timestamp},
    script::{Cell, Closure, EVERY_ROW, FieldMap, Mapping, Rows, Rule},
};

use super::rule;

/// Fields that somebody reads, each once; or any.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    names: Vec<String>,
    any: bool,
}

impl Wanted {
    fn name(&mut self, name: &str) {
        if name == "*" {
            self.any = true;
        } else if !name.is_empty() && !self.names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            self.names.push(name.to_owned());
        }
    }

    fn names<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        names.into_iter().for_each(|name| self.name(name));
    }

    fn closure(&mut self, closure: &Closure) {
        match closure.reads() {
            Some(names) => self.names(names.iter().map(String::as_str)),
            None => self.any = true,
        }
    }

    fn cell(&mut self, cell: &Cell) {
        match cell {
            Cell::Field(name) => self.name(name),
            Cell::Compute(closure) => self.closure(closure),
            Cell::Constant(_) | Cell::RuleDate(_) => (),
        }
    }

    fn maps(&mut self, maps: &[FieldMap]) {
        for map in maps {
            self.cell(&map.from);
        }
    }

    fn rows(&mut self, source: &Source, rows: &Rows) {
        self.names(rows.filter.iter().flat_map(Filter::fields));
        rows.keep.iter().for_each(|keep| self.closure(keep));
        if let Source::Object(query) = source {
            self.names(query.filter.iter().flat_map(Filter::fields));
        }
    }

    /// Fields by name; none when any may be read.
    pub(crate) fn known(&self) -> Option<&[String]> {
        (!self.any).then_some(self.names.as_slice())
    }

    /// What is known of them, also where any may be read.
    pub(crate) fn into_names(self) -> Vec<String> {
        self.names
    }
}

/// Everything that a mapping reads of its source.
pub(crate) fn of_mapping(mapping: &Mapping) -> Wanted {
    let mut wanted = Wanted::default();
    wanted.maps(&mapping.fields);
    wanted.maps(&mapping.match_on);
    wanted.names(mapping.cursor.iter().map(|cursor| cursor.field.as_str()));
    wanted.rows(&mapping.from, &mapping.rows);
    wanted
}

/// Everything that a rule reads of its source.
pub(crate) fn of_rule(rule: &Rule) -> Wanted {
    let calculated = |name: &str| rule.calculated.iter().any(|aggregate| aggregate.name == name);
    let mut of_groups = Wanted::default();
    of_groups.names(rule.show.iter().map(String::as_str));
    for action in &rule.actions {
        action.cells().into_iter().for_each(|cell| of_groups.cell(cell));
        of_groups.names(action.criteria.iter().flat_map(Filter::fields));
    }
    let mut wanted = Wanted { any: of_groups.any, ..Wanted::default() };
    wanted.names(of_groups.names.iter().map(String::as_str).filter(|name| !calculated(name)));
    wanted.names(rule.group_by.iter().map(String::as_str));
    if rule::needs_account(rule) {
        wanted.name(&rule.account);
    }
    let aggregates = rule.calculated.iter().flat_map(|a| std::iter::once(a.field.as_str()).chain(a.window.iter().map(|(field, _)| field.as_str())));
    wanted.names(aggregates.filter(|name| *name != EVERY_ROW));
    wanted.names(rule.filters.iter().flat_map(Filter::fields));
    wanted.rows(&rule.from, &rule.rows);
    wanted
}

/// The source of a mapping, from the cursor on, and which of its rows count.
pub(crate) fn mapping(mapping: &Mapping, since: Option<Timestamp>) -> (Source, Rows) {
    let (mut source, rows) = asking(&mapping.from, &mapping.rows, None, &of_mapping(mapping));
    if let (Source::Object(query), Some(cursor)) = (&mut source, &mapping.cursor) {
        query.since = since.map(|at| (cursor.field.clone(), at));
    }
    (source, rows)
}

/// The source of a rule and which of its rows count: by the filter of the source and by its own.
pub(crate) fn rule(rule: &Rule) -> (Source, Rows) {
    asking(&rule.from, &rule.rows, rule.filters.as_ref(), &of_rule(rule))
}

fn asking(source: &Source, rows: &Rows, more: Option<&Filter>, wanted: &Wanted) -> (Source, Rows) {
    let (mut source, mut rows) = (source.clone(), rows.clone());
    if let Some(more) = more {
        rows.narrow(&mut source, more.clone());
    }
    if let Source::Object(query) = &mut source {
        query.fields = wanted.known().map(<[String]>::to_vec).unwrap_or_default();
        query.with_own_id();
        query.limit = rows.asked();
    }
    (source, rows)
}
