//! Being asked to stop: SIGINT (Ctrl-C) and SIGTERM.

use super::Error;

/// Listens from the moment it is made: what is asked before anybody waits is not lost.
#[derive(Debug)]
pub struct Signals {
    #[cfg(unix)]
    heard: Vec<tokio::signal::unix::Signal>,
}

/// Calls `each` at every SIGINT and SIGTERM from now on, from a thread of its own.
pub fn on_interrupt(mut each: impl FnMut() + Send + 'static) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Threads)?;
    let mut signals = {
        let _entered = runtime.enter();
        Signals::listen()
    };
    let listen = move || {
        runtime.block_on(async {
            loop {
                signals.asked_to_stop().await;
                each();
            }
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
