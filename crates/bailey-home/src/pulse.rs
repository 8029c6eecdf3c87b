//! The sign of life: given again and again as long as everything in a home moves on. Whoever watches the home ends it, and starts
//! it anew, when none comes.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::executor::blocking;
use crate::home::Home;

/// How many signs of life a process gives in the time after which one that gives none is taken to hang.
pub const SIGNS_OF_LIFE: u32 = 6;

impl Home {
    /// Rises with every sign of life.
    pub fn alive(&self) -> watch::Receiver<u64> {
        self.alive.subscribe()
    }

    /// Gives a sign of life whenever each part has moved: the threads that tasks run on, those that answer the person, those that
    /// wait for the disk, the lock that a pause takes, and the one that every change of the store takes.
    pub(crate) async fn beat(self: Arc<Self>, answering: Handle) {
        loop {
            tokio::time::sleep(self.silent / SIGNS_OF_LIFE).await;
            // Whatever comes of these, an error too: what answers does not hang.
            let _ = answering.spawn(std::future::ready(())).await;
            let home = Arc::clone(&self);
            let _ = blocking(move || {
                let _ = home.gate.lock().pause_state();
                Ok(home.ledger.write(|_| Ok(()))?)
            })
            .await;
            self.alive.send_modify(|count| *count += 1);
        }
    }
}
