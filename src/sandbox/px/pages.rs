//! Both styles of pages: scrolls over what there was at their begin, and numbered pages.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    answer::{Answer, Answered, Refused, bad},
    happened::Event,
    query::Query,
};

/// Where the next page of a scroll begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) serial: u64,
    pub(super) offset: u64,
    pub(super) total: u64,
}

impl Place {
    /// The place that a call asks for; none for the begin of a new scroll.
    pub(super) fn of(query: &Query) -> Result<Option<Self>, Refused> {
        let Some(id) = query.get("scrollId") else { return Ok(None) };
        let place = BASE64_URL_SAFE_NO_PAD.decode(id).ok().and_then(|bytes| {
            let text = String::from_utf8(bytes).ok()?;
            let mut numbers = text.split(':').map(|number| number.parse::<u64>().ok());
            Some(Self { serial: numbers.next()??, offset: numbers.next()??, total: numbers.next()?? })
        });
        place.map(Some).ok_or_else(|| bad("Invalid scrollId"))
    }

    fn id(self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(format!("{}:{}:{}", self.serial, self.offset, self.total))
    }
}

/// Rows a page: 1 to 1000, 25 by default.
pub(super) fn size(query: &Query) -> Result<usize, Refused> {
    Ok(usize::try_from(query.number("pageSize", 25, 1, 1_000)?).unwrap_or(25))
}

/// A page of a scroll. As at the vendor there is a `scrollId` after the last one too.
pub(super) fn scrolled(key: &str, rows: Vec<Value>, next: Place) -> Answer {
    let body = [(key, Value::Array(rows)), ("totalHits", next.total.into()), ("scrollId", next.id().into())];
    Answer::Body(body.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<serde_json::Map<_, _>>().into())
}

/// A numbered page of a list.
pub(super) fn numbered(query: &Query, key: &str, usual: u64, most: u64, rows: &[Value]) -> Answered {
    let size = usize::try_from(query.number("pageSize", usual, 1, most)?).unwrap_or(25);
    let number = query.number("pageNumber", 0, 0, u64::from(u32::MAX))?;
    let from = usize::try_from(number).unwrap_or(usize::MAX).saturating_mul(size).min(rows.len());
    let to = from.saturating_add(size).min(rows.len());
    Ok(Answer::Body(json!({key: rows[from..to], "pageNumber": number, "isLastPage": to == rows.len()})))
}

/// What a scroll goes over.
#[derive(Debug, Clone)]
pub(super) enum Held {
    /// Positions of rows in their sorted order.
    Rows(Arc<Vec<u64>>),
    Events(Arc<Vec<Event>>),
}

/// How many scrolls are remembered; a forgotten one is made anew.
const HELD: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Scrolls(Mutex<(u64, VecDeque<(u64, Held)>)>);

impl Scrolls {
    pub(super) fn get(&self, serial: u64) -> Option<Held> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.1.iter().find(|(known, _)| *known == serial).map(|(_, held)| held.clone())
    }

    /// Remembers it and gives its number.
    pub(super) fn keep(&self, held: Held) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += 1;
        let serial = state.0;
        state.1.push_front((serial, held));
        state.1.truncate(HELD);
        serial
    }
}
