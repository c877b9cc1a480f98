//! Several calls at a time: of workers that wait for systems most of their time, and of those that compute.

use std::{
    num::NonZero,
    panic::resume_unwind,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Calls at a time; how many a system really sees at once is its connector's say.
const WORKERS: usize = 8;
/// Fewer items than these are not worth a thread.
const WORTH_A_THREAD: usize = 100;

/// Asking takes the system a while.
static PROCESSORS: LazyLock<usize> = LazyLock::new(|| thread::available_parallelism().map_or(1, NonZero::get));

/// What `work` gives for each item, in their order.
pub(super) fn together<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if items.len() < 2 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut mine = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return mine };
            mine.push((at, work(item)));
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let hands: Vec<_> = (0..WORKERS.min(items.len())).map(|_| scope.spawn(worker)).collect();
        hands.into_iter().flat_map(|hand| hand.join().unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The same for work that only computes: as many calls at a time as there are processors.
pub(super) fn side_by_side<T: Send, R: Send>(mut items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let hands = PROCESSORS.min(items.len() / WORTH_A_THREAD).max(1);
    let (share, work) = (items.len().div_ceil(hands), &work);
    thread::scope(|scope| {
        let others: Vec<_> = (1..hands)
            .rev()
            .map(|hand| items.split_off((hand * share).min(items.len())))
            .map(|some| scope.spawn(move || some.into_iter().map(work).collect::<Vec<R>>()))
            .collect();
        let mut done: Vec<R> = items.into_iter().map(work).collect();
        for other in others.into_iter().rev() {
            done.extend(other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        }
        done
    })
}
