//! Taking connections.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use super::{Office, life, session};
use crate::sandbox::Error;

/// The running mail server and its people; they end when this is dropped.
#[derive(Debug)]
pub(in crate::sandbox) struct Smtp {
    pub(in crate::sandbox) address: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Smtp {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Listens on 127.0.0.1, and lets the people live.
pub(in crate::sandbox) async fn serve(office: &Arc<Office>, port: u16) -> Result<Smtp, Error> {
    let broken = |source| Error::Listen { system: "mail", port, source };
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(broken)?;
    let address = listener.local_addr().map_err(broken)?;
    let taking = tokio::spawn(take(listener, Arc::clone(office)));
    let living = tokio::spawn(life::live(Arc::clone(office)));
    Ok(Smtp { address, tasks: vec![taking, living] })
}

/// Conversations end with the task that took them.
async fn take(listener: TcpListener, office: Arc<Office>) {
    let mut conversations = JoinSet::new();
    loop {
        tokio::select! {
            taken = listener.accept() => {
                if let Ok((stream, _)) = taken {
                    // Replies are small and the client waits for them.
                    let _ = stream.set_nodelay(true);
                    conversations.spawn(session::converse(Arc::clone(&office), stream));
                }
            }
            Some(_) = conversations.join_next() => (),
        }
    }
}
