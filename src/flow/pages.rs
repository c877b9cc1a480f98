//! Pages of a source, read one ahead of the work on them, so that waiting for one system overlaps with the other; and those of its rows that count.

use std::sync::mpsc::sync_channel;

use crate::{
    model::{Fault, Page, Query, Read, Record, Source, System},
    script::Rows,
};

use super::{
    Error, Notice, Rejection,
    cursor::instant,
    origin::Origin,
    seen::Seen,
    window,
    work::{Work, read_page},
};

/// Calls `each` with the rows of every page that count, in order. A row of which nobody can tell is rejected; in an incremental run, by its change
/// field.
pub(crate) fn for_each_rows(
    work: &mut Work<'_>,
    (source, rows, change_field): (&Source, &Rows, Option<&str>),
    mut each: impl FnMut(&mut Work<'_>, Vec<Record>) -> Result<(), Error>,
) -> Result<(), Error> {
    let (mut left, origin) = (rows.limit.unwrap_or(u64::MAX), Origin::of(source));
    let place = rows.keep.as_ref().map(|keep| keep.place().to_string());
    while_wanted(work, source, |work, page| {
        let mut passing = Vec::with_capacity(page.len());
        for row in page {
            if left == 0 {
                // Nobody has asked for what lies beyond the limit.
                work.tally.read -= 1;
                continue;
            }
            rows.fit(source, &row)?;
            match rows.pass(&row, work.zone) {
                Ok(false) => work.tally.filtered += 1,
                Ok(true) => {
                    left -= 1;
                    passing.push(row);
                }
                Err(fault) => {
                    work.held.now = change_field.and_then(|field| instant(&row, field));
                    let key = origin.of_row(&row);
                    let (source, place) = (Some(key.clone()), place.clone());
                    work.reject(Rejection { key, source, field: fault.field, value: None, reason: fault.message, place });
                }
            }
        }
        each(work, passing)?;
        Ok(left > 0)
    })
}

/// Calls `each` with every page in order.
pub(crate) fn for_each_page(
    work: &mut Work<'_>,
    source: &Source,
    mut each: impl FnMut(&mut Work<'_>, Vec<Record>) -> Result<(), Error>,
) -> Result<(), Error> {
    while_wanted(work, source, |work, rows| each(work, rows).map(|()| true))
}

/// Calls `each` with every page in order, as long as it wants more. Memory holds three pages at most: one read, one waiting, one worked on.
pub(crate) fn while_wanted(
    work: &mut Work<'_>,
    source: &Source,
    mut each: impl FnMut(&mut Work<'_>, Vec<Record>) -> Result<bool, Error>,
) -> Result<(), Error> {
    let (perform, page_size) = (work.perform, work.page_size);
    let source = &window::ending(work, source)?;
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel::<Result<Page, Fault>>(1);
        scope.spawn(move || {
            let (mut after, mut given) = (None, Given::of(source));
            loop {
                let page = match read_page(perform, Read { source: source.clone(), after: after.take(), page_size }) {
                    Err(fault) if fault.is_lost_place() && given.begins_again() => continue,
                    page => page.map(|page| given.without(page)),
                };
                let next = page.as_ref().ok().and_then(|page| page.next.clone());
                if send.send(page).is_err() || next.is_none() {
                    return;
                }
                after = next;
            }
        });
        // Dropping `receive` on an early return ends the reading thread at its next page.
        for page in receive {
            work.check_stop()?;
            let page = page?;
            work.tally.read += page.records.len() as u64;
            let progress = Notice::Progress { name: work.name.to_owned(), read: work.tally.read, total: page.total };
            work.tell(progress);
            if !each(work, page.records)? {
                return Ok(());
            }
        }
        Ok(())
    })
}

/// How often a list is read from its begin again without bringing anything new.
const IN_VAIN: u32 = 6;

/// What was given out of a list whose place its system may forget, so that it can be read from its begin again and no row comes twice.
struct Given {
    /// None where places are not forgotten, or the reader goes on by key.
    ids: Option<(Seen, Origin)>,
    /// How often it was begun again since new rows came.
    in_vain: u32,
}

impl Given {
    fn of(source: &Source) -> Self {
        let forgetful = |query: &Query| match query.system {
            System::Px => true,
            System::Gainsight => query.object.eq_ignore_ascii_case("call_to_action"),
            _ => false,
        };
        let ids = matches!(source, Source::Object(query) if forgetful(query)).then(|| (Seen::default(), Origin::of(source)));
        Self { ids, in_vain: 0 }
    }

    /// Whether it makes sense to begin again.
    fn begins_again(&mut self) -> bool {
        self.in_vain += 1;
        self.ids.is_some() && self.in_vain <= IN_VAIN
    }

    /// The rows of a page that were not given yet.
    fn without(&mut self, mut page: Page) -> Page {
        if let Some((seen, origin)) = &mut self.ids {
            page.records.retain(|row| {
                let id = origin.id(row).to_string();
                seen.note(&id, &id, &id).is_none()
            });
            if !page.records.is_empty() {
                self.in_vain = 0;
            }
        }
        page
    }
}
