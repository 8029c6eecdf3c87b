//! The heartbeat: given again and again as long as everything in a home moves on. The supervisor's watchdog ends a home that gives
//! none, and starts it anew.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::executor::blocking;
use crate::home::Home;

/// Heartbeats of a process in the time after which one that gives none is taken to hang.
pub const HEARTBEATS_PER_TIMEOUT: u32 = 6;

impl Home {
    /// Rises with every heartbeat.
    pub fn heartbeats(&self) -> watch::Receiver<u64> {
        self.heartbeats.subscribe()
    }

    /// Gives a heartbeat whenever each part has moved: the threads that tasks run on, those that answer the person, those that
    /// wait for the disk, the lock that a pause takes, and the one that every change of the store takes.
    pub(crate) async fn send_heartbeats(self: Arc<Self>, answering: Handle) {
        loop {
            tokio::time::sleep(self.silent / HEARTBEATS_PER_TIMEOUT).await;
            // Whatever comes of these, an error too: what answers does not hang.
            let _ = answering.spawn(std::future::ready(())).await;
            let home = Arc::clone(&self);
            let _ = blocking(move || {
                let _ = home.gate.lock().pause_state();
                Ok(home.ledger.write(|_| Ok(()))?)
            })
            .await;
            self.heartbeats.send_modify(|count| *count += 1);
        }
    }
}
