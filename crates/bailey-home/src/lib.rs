//! One home, composed and running.
//!
//! Invariant of absence: nothing outside this crate builds a gate.

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod acme;
mod api;
mod asking;
mod authority;
mod browsers;
mod certificate;
mod clock;
mod clockwork;
mod computer;
pub mod config;
mod contexts;
pub mod daily;
pub mod decide;
mod executor;
mod files;
mod heartbeat;
mod home;
mod layout;
mod listener;
mod metrics;
mod names;
mod notifications;
pub mod passphrase;
mod people;
mod provenance;
pub mod purposes;
mod received;
pub mod recovery;
pub mod routes;
pub mod rules;
mod search;
mod sign_ins;
mod spending;
mod table;
mod tasks;
mod tls;
mod transcript;
mod transport;
mod views;
pub mod wire;
mod wire_secret;

use std::fs::Permissions;
use std::future::Future;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;

use bailey_telemetry::event;
use tokio::net::UnixListener;

pub use api::pages::page_routes;
pub use api::table::api_routes;
pub use bailey_connectors::{manifest::ours as tool_manifests, tools as own_tools};
pub use bailey_ledger::mark_paused_by_supervisor;
pub use clock::Clock;
pub use computer::{SHARED_IMAGES, check_image, image_folder, launcher};
pub use heartbeat::HEARTBEATS_PER_TIMEOUT;
pub use home::{Home, HomeError};
pub use layout::{Layout, LayoutError, RootChoice};
pub use names::Name;
pub use wire_secret::Password;

/// Lists the versions of what this program writes.
#[must_use]
pub fn formats() -> [(&'static str, u64); 3] {
    [
        ("database", bailey_ledger::DATABASE_FORMAT as u64),
        ("log", u64::from(bailey_ledger::LOG_VERSION)),
        ("action", u64::from(bailey_gate::codec::CODEC_VERSION)),
    ]
}

/// How long requests under way may take to end when the home is stopped.
const GRACE: std::time::Duration = std::time::Duration::from_secs(3);
/// Threads that answer what the person asks.
const ANSWERING: usize = 2;

/// Serves a home on its socket until `stop` is done.
pub async fn serve(
    home: Arc<Home>,
    layout: &Layout,
    ready: impl FnOnce(),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<Ended, HomeError> {
    let path = layout.socket();
    let failed = |source| HomeError::Layout(LayoutError::File { path: path.clone(), source });
    let answering = Answering::new().map_err(failed)?;
    let listener = listen(&path, &answering)?;
    let sealed = match &home.certificates {
        Some(certificates) => {
            // Before anybody is told that it listens.
            certificates.reread();
            let config = tls::config(certificates).map_err(|error| HomeError::Setup(error.to_string()))?;
            Some((listen(&layout.tls_socket(), &answering)?, config))
        }
        None => None,
    };
    event!(INFO, "the home is open", mode = home.gate.lock().pause_state().mode.name());
    home.resume_tasks()?;
    tokio::spawn(Arc::clone(&home).housekeeping());
    let waiting = Arc::clone(&home);
    let mut ends = home.ended.subscribe();
    let stopped = async move {
        tokio::select! {
            () = stop => {}
            _ = ends.wait_for(Option::is_some) => {}
        }
        // Whoever waits for a change gets its answer now, or stopping would wait for them.
        waiting.changed();
    };
    tokio::spawn(Arc::clone(&home).deliver_revocation_notices());
    tokio::spawn(Arc::clone(&home).keep_schedules());
    tokio::spawn(Arc::clone(&home).keep_suggestions());
    tokio::spawn(Arc::clone(&home).send_notifications());
    home.keep_index();
    tokio::spawn(Arc::clone(&home).send_heartbeats(answering.handle.clone()));
    tokio::spawn(Arc::clone(&home).keep_certificate());
    tokio::spawn(Arc::clone(&home).keep_computer());
    let (ending, ended) = tokio::sync::oneshot::channel();
    let (ends, mut sealed_ends) = tokio::sync::watch::channel(false);
    let stopped = async move {
        stopped.await;
        let _ = ends.send(true);
        let _ = ending.send(());
    };
    ready();
    let router = api::router(Arc::clone(&home));
    let plain = listener::answer_all(listener, router.clone(), stopped);
    let names = home.names.at(names::Door::Tls).to_vec();
    let serving = async move {
        let sealed = async {
            if let Some((listener, config)) = sealed {
                let stopped = async { drop(sealed_ends.wait_for(|ended| *ended).await) };
                tls::answer_all(listener, config, &names, router, stopped).await;
            }
        };
        futures_util::future::join(plain, sealed).await;
    };
    let served = tokio::select! {
        served = answering.handle.spawn(serving) => served.map_err(std::io::Error::other),
        // Whoever does not finish its request in time does not keep the home from stopping.
        () = async { let _ = ended.await; tokio::time::sleep(GRACE).await } => Ok(()),
    };
    let _ = std::fs::remove_file(layout.tls_socket());
    let _ = std::fs::remove_file(&path);
    served.map_err(failed)?;
    let ended = *home.ended.borrow();
    Ok(ended.unwrap_or(Ended::Stopped))
}

/// Listens at a socket of the home's.
fn listen(path: &std::path::Path, answering: &Answering) -> Result<UnixListener, HomeError> {
    let failed = |source| HomeError::Layout(LayoutError::File { path: path.into(), source });
    // The home's lock is held, so a socket that lies here is a dead one's.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let _here = answering.handle.enter();
    let listener = UnixListener::bind(path).map_err(failed)?;
    // The group is the gateway's alone, where there is one; the folder keeps everyone else out.
    std::fs::set_permissions(path, Permissions::from_mode(0o660)).map_err(failed)?;
    Ok(listener)
}

/// Threads of its own for whatever the person asks: nothing that is read of what others say keeps a pause waiting.
struct Answering {
    threads: Option<tokio::runtime::Runtime>,
    handle: tokio::runtime::Handle,
}

impl Answering {
    fn new() -> std::io::Result<Self> {
        let mut threads = tokio::runtime::Builder::new_multi_thread();
        let threads = threads.worker_threads(ANSWERING).thread_name("answers").enable_all().build()?;
        let handle = threads.handle().clone();
        Ok(Self { threads: Some(threads), handle })
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        // Without waiting for answers under way, which may not be done from where this is.
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

/// Why a home has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was told to.
    Stopped,
    /// The person had it deleted: what is left of it is to be destroyed.
    Deleted,
    /// Its databases can be used by this process no more ([`bailey_ledger::Ledger::has_failed`]); another may.
    StorageFailed,
}
