//! A home in a time of its own.
//!
//! **The clock is a double**: the home runs in the test's own process, with a clock that can be told to go on and be set. Everything
//! else is what `bailey serve` runs, but for the processes it is divided into.

use std::time::Duration;

use bailey_home::{Clock, Home, Layout, config};
use bailey_supervisor::Place;
use tokio::sync::oneshot;

use crate::support::World;

pub const DAY_MS: i64 = 24 * 3_600 * 1_000;

/// A home in a time of its own.
pub struct InTime {
    pub clock: Clock,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl InTime {
    pub fn open(world: &World, clock: Clock) -> Self {
        let (place, layout) = (Place::new(&world.data()), Layout::new(&world.data()));
        // The supervisor makes it, before it starts the home.
        std::fs::create_dir_all(world.data().join("run")).unwrap();
        let root = place.root_key(None).unwrap().unwrap();
        let key = place.unwrap(&root).unwrap();
        let mut settings = config::Settings::read(&layout.config()).unwrap();
        let witness = world.folder.path().join("witness");
        std::fs::OpenOptions::new().create(true).append(true).open(&witness).unwrap();
        settings.witness = Some(witness);
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        let its = clock.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let home = Home::open_in_time(&layout, key, &settings, its).unwrap();
                let ended = async { drop(stopped.await) };
                bailey_home::serve(home, &layout, move || ready.send(()).unwrap(), ended).await.unwrap();
            });
            runtime.shutdown_timeout(Duration::from_secs(1));
        });
        is_ready.recv().unwrap();
        Self { clock, stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for InTime {
    fn drop(&mut self) {
        drop(self.stop.take());
        drop(self.thread.take().unwrap().join());
    }
}
