//! Being asked to stop: SIGINT (Ctrl-C) and SIGTERM.

use super::Error;

/// Listens from the moment it is made: what is asked before anybody waits is not lost.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    heard: Vec<tokio::signal::unix::Signal>,
}

/// Calls `first` at the first SIGINT or SIGTERM from now on, and `again` at the second, from a thread of its own.
pub fn on_interrupt(first: impl Fn() + Send + 'static, again: impl Fn() + Send + 'static) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Threads)?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::listen()
    };
    let listen = move || {
        runtime.block_on(async {
            signals.asked_to_stop().await;
            first();
            signals.asked_to_stop().await;
            again();
        });
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listen).map(drop).map_err(Error::Threads)
}

impl Signals {
    /// Begins to listen. Has to be called among the threads of a runtime.
    pub fn listen() -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            // A signal that cannot be listened to ends the process by itself.
            Self { heard: [SignalKind::interrupt(), SignalKind::terminate()].into_iter().filter_map(|kind| signal(kind).ok()).collect() }
        }
        #[cfg(not(unix))]
        Self {}
    }

    /// Returns when the process is asked to stop; again for each further time.
    pub async fn asked_to_stop(&mut self) {
        #[cfg(unix)]
        std::future::poll_fn(|cx| {
            let asked = self.heard.iter_mut().any(|signal| signal.poll_recv(cx).is_ready());
            if asked { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
