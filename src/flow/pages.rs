//! Pages of a source, read one ahead of the work on them, so that waiting for one system overlaps with the other.

use std::sync::mpsc::sync_channel;

use crate::model::{Fault, Page, Read, Record, Source};

use super::{
    Error, Notice,
    work::{Work, read_page},
};

/// Calls `each` with every page in order. Memory holds three pages at most: one read, one waiting, one worked on.
pub(crate) fn for_each_page(
    work: &mut Work<'_>,
    source: &Source,
    mut each: impl FnMut(&mut Work<'_>, Vec<Record>) -> Result<(), Error>,
) -> Result<(), Error> {
    let (perform, page_size) = (work.perform, work.page_size);
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel::<Result<Page, Fault>>(1);
        scope.spawn(move || {
            let mut after = None;
            loop {
                let page = read_page(perform, Read { source: source.clone(), after: after.take(), page_size });
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
            each(work, page.records)?;
        }
        Ok(())
    })
}
