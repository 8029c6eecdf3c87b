//! Keeps trust in measure while the home runs: offered rules that are not used lapse, and new suggestions are noticed.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bailey_telemetry::event;

use crate::home::Home;

/// How often trust is looked at, where nobody answers anything.
const EACH: Duration = Duration::from_secs(3_600);
/// How long it rests after a look: looking reads thousands of answers, and many may be given in a row.
const REST: Duration = Duration::from_secs(2);

impl Home {
    /// Looks at it now, after answers of the person, and each hour.
    pub(crate) async fn keep_suggestions(self: Arc<Self>) {
        loop {
            self.refresh_suggestions().await;
            tokio::time::sleep(REST).await;
            // An answer that came meanwhile is kept, and ends the waiting at once. That the hour ends is no trouble.
            let _ = tokio::time::timeout(EACH, self.answered.notified()).await;
        }
    }

    /// Lets lapse what is not used, and counts what there is to suggest.
    async fn refresh_suggestions(self: &Arc<Self>) {
        let home = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || {
            home.let_lapse()?;
            let count = home.suggestions()?.len() as u64;
            if home.suggested.swap(count, Ordering::Relaxed) != count {
                home.changed();
            }
            Ok::<_, super::Unchanged>(())
        });
        match looked.await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => event!(WARN, "suggestions for rules could not be refreshed"),
        }
    }
}
