//! Reading option maps: each value with its place, every mistake reported, unknown keys found at the end.

use rhai::{Dynamic, Map};

use crate::model::Value;
use crate::script::{
    declaration::Place,
    diagnostics::{Diagnostic, Id},
    site::Site,
    spots::Spot,
    suggest::nearest,
    value::{from_dynamic, type_word},
};

/// A value of an option, an argument or a list, and where it is written.
#[derive(Clone)]
pub(super) struct Item<'s> {
    pub(super) value: Dynamic,
    spot: Option<&'s Spot>,
    /// Where the value stands.
    pub(super) place: Place,
    /// What it is, for messages: ``option `show` ``.
    what: String,
}

/// An option map being read. Call `finish` at the end.
pub(super) struct Options<'s> {
    what: String,
    map: Map,
    spot: Option<&'s Spot>,
    pub(super) place: Place,
    known: Vec<&'static str>,
    /// Known, and there.
    given: Vec<&'static str>,
    /// Needed, and not there under their own name.
    missing: Vec<&'static str>,
}

impl<'s> Item<'s> {
    /// An argument of the call.
    pub(super) fn argument(site: &'s Site, at: usize, what: &str, value: Dynamic) -> Self {
        let spot = site.argument(at);
        let place = spot.map_or_else(|| site.place().clone(), |spot| site.at(spot.at));
        Self { value: value.flatten(), spot, place, what: what.to_owned() }
    }

    fn wrong<T>(&self, site: &Site, wanted: &str) -> Option<T> {
        site.report(Diagnostic::new(Id::OptionType, &self.place, format!("{} wants {wanted}, not {}", self.what, type_word(&self.value))));
        None
    }

    pub(super) fn invalid<T>(&self, site: &Site, id: Id, message: impl Into<String>, hint: Option<String>) -> Option<T> {
        site.report(Diagnostic::new(id, &self.place, message).hint_if(hint));
        None
    }

    pub(super) fn is_text(&self) -> bool {
        self.value.is_string()
    }

    pub(super) fn text(&self, site: &Site) -> Option<String> {
        match self.value.as_immutable_string_ref() {
            Ok(text) if !text.trim().is_empty() => Some(text.to_string()),
            Ok(_) => self.invalid(site, Id::OptionValue, format!("{} is empty", self.what), None),
            Err(_) => self.wrong(site, "text"),
        }
    }

    pub(super) fn bool(&self, site: &Site) -> Option<bool> {
        self.value.as_bool().ok().or_else(|| self.wrong(site, "true or false"))
    }

    /// A whole number within bounds.
    pub(super) fn number(&self, site: &Site, from: i64, to: i64) -> Option<i64> {
        let days = self.value.read_lock::<super::dates::Days>().map(|days| i64::from(days.0));
        match self.value.as_int().ok().or(days) {
            Some(n) if (from..=to).contains(&n) => Some(n),
            Some(n) => self.invalid(site, Id::OptionValue, format!("{} is {n}; it has to be {from} to {to}", self.what), None),
            None => self.wrong(site, "a whole number"),
        }
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(&self, site: &Site, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text(site)?;
        if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*choice);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let finding = Diagnostic::new(Id::OptionValue, &self.place, format!("{} cannot be `{text}`", self.what));
        site.report(finding.meant(&text, words.iter().copied(), || Some(format!("it can be {}", words.join(", ")))));
        None
    }

    pub(super) fn list(&self, site: &Site) -> Option<Vec<Self>> {
        let Ok(items) = self.value.as_array_ref() else { return self.wrong(site, "a list") };
        let item = |(at, value): (usize, &Dynamic)| self.inner(site, self.spot.and_then(|spot| spot.item(at)), value);
        Some(items.iter().enumerate().map(item).collect())
    }

    /// A list of texts; a single text counts as a list of one.
    pub(super) fn texts(&self, site: &Site) -> Option<Vec<String>> {
        if self.is_text() {
            return self.text(site).map(|text| vec![text]);
        }
        self.list(site)?.iter().map(|item| item.text(site)).collect()
    }

    fn inner(&self, site: &Site, spot: Option<&'s Spot>, value: &Dynamic) -> Self {
        let place = spot.map_or_else(|| self.place.clone(), |spot| site.at(spot.at));
        Self { value: value.flatten_clone(), spot, place, what: self.what.clone() }
    }

    /// A map whose keys are names of the author's choosing, in the order they are written.
    pub(super) fn entries(&self, site: &Site) -> Option<Vec<Entry<'s>>> {
        let Ok(map) = self.value.as_map_ref() else { return self.wrong(site, "a map") };
        let mut entries: Vec<Entry> = map.iter().map(|(key, value)| self.entry(site, key, value)).collect();
        entries.sort_by_key(|entry| (entry.key_place.line, entry.key_place.column));
        Some(entries)
    }

    fn entry(&self, site: &Site, key: &str, value: &Dynamic) -> Entry<'s> {
        let found = self.spot.and_then(|spot| spot.key(key));
        let key_place = found.map_or_else(|| self.place.clone(), |(at, _)| site.at(at));
        let mut item = self.inner(site, found.map(|(_, spot)| spot), value);
        item.what = format!("`{key}`");
        Entry { key: key.to_owned(), key_place, item }
    }

    /// A map of known options.
    pub(super) fn options(&self, site: &Site, what: &str) -> Option<Options<'s>> {
        let Ok(map) = self.value.as_map_ref() else { return self.wrong(site, "a map of options") };
        Some(Options {
            what: what.to_owned(),
            map: map.clone(),
            spot: self.spot,
            place: self.place.clone(),
            known: Vec::new(),
            given: Vec::new(),
            missing: Vec::new(),
        })
    }

    /// Plain data.
    pub(super) fn data(&self, site: &Site) -> Option<Value> {
        from_dynamic(&self.value).ok().or_else(|| self.wrong(site, "a value"))
    }

    /// A value of one of the API's own types.
    pub(super) fn cast<T: Clone + Send + Sync + 'static>(&self, site: &Site, wanted: &str) -> Option<T> {
        self.value.clone().try_cast::<T>().or_else(|| self.wrong(site, wanted))
    }
}

/// An entry of a map with free keys.
#[derive(Clone)]
pub(super) struct Entry<'s> {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) item: Item<'s>,
}

impl<'s> Options<'s> {
    /// Takes an option out; `()` counts as absent.
    pub(super) fn take(&mut self, site: &Site, name: &'static str) -> Option<Item<'s>> {
        self.known.push(name);
        let value = self.map.remove(name).filter(|value| !value.is_unit())?;
        self.given.push(name);
        let found = self.spot.and_then(|spot| spot.key(name));
        let place = found.map_or_else(|| self.place.clone(), |(_, spot)| site.at(spot.at));
        Some(Item { value: value.flatten(), spot: found.map(|(_, spot)| spot), place, what: format!("option `{name}`") })
    }

    /// As `take`; `finish` reports it when it is absent.
    pub(super) fn need(&mut self, site: &Site, name: &'static str) -> Option<Item<'s>> {
        let taken = self.take(site, name);
        if taken.is_none() {
            self.missing.push(name);
        }
        taken
    }

    pub(super) fn text(&mut self, site: &Site, name: &'static str) -> Option<String> {
        self.take(site, name)?.text(site)
    }

    pub(super) fn need_text(&mut self, site: &Site, name: &'static str) -> Option<String> {
        self.need(site, name)?.text(site)
    }

    pub(super) fn texts(&mut self, site: &Site, name: &'static str) -> Vec<String> {
        self.take(site, name).and_then(|item| item.texts(site)).unwrap_or_default()
    }

    pub(super) fn bool(&mut self, site: &Site, name: &'static str, default: bool) -> bool {
        self.take(site, name).and_then(|item| item.bool(site)).unwrap_or(default)
    }

    /// Reports every key that nobody asked for, and every absent option but those that stand there misspelt.
    pub(super) fn finish(self, site: &Site) {
        let misspelt: Vec<&str> = self.map.keys().filter_map(|key| nearest(key, self.known.iter().copied())).collect();
        for name in self.missing.iter().filter(|name| !misspelt.contains(*name)) {
            site.report(Diagnostic::new(Id::MissingOption, &self.place, format!("{} lacks the option `{name}`", self.what)));
        }
        for key in self.map.keys() {
            let place = self.spot.and_then(|spot| spot.key(key)).map_or_else(|| self.place.clone(), |(at, _)| site.at(at));
            let all = || format!("{} has {}", self.what, self.known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "));
            let finding = Diagnostic::new(Id::UnknownOption, &place, format!("{} has no option `{key}`", self.what));
            let free = self.known.iter().copied().filter(|name| !self.given.contains(name));
            site.report(finding.meant(key, free, || Some(all())));
        }
    }
}
