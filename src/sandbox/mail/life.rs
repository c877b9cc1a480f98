//! What is done when its time has come: images are loaded, links followed, bounces told. Turning the clock past many times does all of it,
//! in order of time.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt as _;

use super::{Office, fetch::fetch, hooks};

/// Acts taken from the agenda at once, and how many of them wait for an answer at a time.
const AT_ONCE: usize = 256;
const WAITING: usize = 16;

/// How long the clock is not looked at when nothing turns it.
const LONGEST: Duration = Duration::from_mins(10);

/// Goes on as long as the sandbox does.
pub(super) async fn live(office: Arc<Office>) {
    office.remember();
    let mut turned = office.world.clock.turned();
    loop {
        let due = office.due(AT_ONCE);
        if due.is_empty() {
            let until = office.next_ms().map(|at| at - office.world.clock.now_ms());
            let wait = until.map_or(LONGEST, |ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0).max(1)).min(LONGEST));
            tokio::select! {
                _ = turned.changed() => (),
                () = office.bell.notified() => (),
                () = tokio::time::sleep(wait) => (),
            }
            continue;
        }
        let acting = due.into_iter().map(|(due, act)| async move {
            let mut statuses = Vec::with_capacity(act.urls.len());
            for url in &act.urls {
                statuses.push(fetch(url, act.post).await);
            }
            (due, act, statuses)
        });
        let done: Vec<_> = futures_util::stream::iter(acting).buffered(WAITING).collect().await;
        match office.done(&done) {
            Ok(bounces) => hooks::tell(&office, bounces).await,
            Err(error) => tracing::warn!(%error, "the sandbox could not keep what people did with their mail"),
        }
    }
}
