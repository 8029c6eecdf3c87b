//! Watching over a home: starting it, what to do when it ends or hangs, and pauses it has no part in.
//!
//! ```text
//! locked ──unlock──▶ starting ──ready──▶ running ──▶ (ended, or silent and made to: started again, ever more slowly)
//!                       ▲                   │
//!                       └─── pause: ended, marked as paused, started again
//! ```

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bailey_keys::RootKey;
use bailey_telemetry::event;
use tokio::task::{JoinHandle, spawn_blocking};

use crate::child::{Home, beside, keep_gateway};
use crate::control_socket::{ControlClient, ControlRequest, ControlSocket};
use crate::identity::{Identities, end_all_of};
use crate::root::{Keep, Mark, destroy};
use crate::{Place, SupervisorError};

/// The longest wait before a home that keeps ending is started again.
const SLOWEST: Duration = Duration::from_secs(60);
/// A home that ran this long did not end for being started.
const STEADY: Duration = Duration::from_secs(120);
/// Looks in a row that find a process silent before it is taken to hang. More than one: where this process was stopped too, it is
/// not the other that was silent.
const WATCHDOG_LOOKS: u32 = 6;
/// How long tidying up at the end may take.
const TIDY_WITHIN: Duration = Duration::from_secs(1);

/// What a start of the home needs beside its key.
#[derive(Debug, Clone)]
pub struct Launch {
    /// One line of JSON for the home: its configuration.
    pub settings: String,
    /// Where the gateway listens.
    pub listen: String,
    /// Origins that the home is reached by as well.
    pub names: Vec<String>,
    /// Where the gateway takes sealed connections.
    pub tls_listen: Option<String>,
    /// Says what the home and the gateway log.
    pub logging: Logging,
    /// Where the gateway gives its metrics over TCP, beside its socket.
    pub gateway_metrics: Option<String>,
    /// How long the home may be silent before it is ended and started again.
    pub silent: Duration,
}

/// What a process logs, as its arguments say it.
#[derive(Debug, Clone)]
pub struct Logging {
    /// Names the events.
    pub filter: String,
    /// In which form.
    pub format: &'static str,
}

/// What the supervisor has to say to whoever started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It waits for the passphrase.
    Locked,
    /// The home runs. The gateway's address, or why there is none.
    Runs(Result<String, String>),
    /// The home runs, and other machines are not let in yet: why.
    NotPublic(String),
    /// The processes share an account, and why.
    Shared(String),
    /// The home ended, and is started again after so many seconds.
    Ended(String, u64),
    /// The home was deleted.
    Deleted,
}

/// Runs a home until `stop` is done or it is deleted. `prepare` reads the configuration, anew for every start; `mark` marks the
/// pause record; `keep` starts what the home's computer is made of.
pub async fn supervise(
    place: &Place,
    root: Option<RootKey>,
    prepare: impl Fn() -> Result<Launch, String> + Clone + Send + 'static,
    (mark, keep): (Mark, Keep),
    mut say: impl FnMut(Said),
    stop: impl Future<Output = ()>,
) -> Result<(), SupervisorError> {
    let _lock = place.lock()?;
    place.has_state()?;
    place.keep_identity()?;
    let identity = place.identity()?;
    let identities = Identities::of(place.data(), identity);
    if let Identities::Shared(why) = &identities {
        say(Said::Shared(why.clone()));
    }
    let _alone = identities.take(identity)?;
    // Its own lock tells, too, where somebody removed this one's: before its socket is taken from whoever runs it.
    place.home_runs()?;
    let mut control = ControlSocket::open(&place.socket())?;
    tokio::pin!(stop);
    let mut home = Home::new(place, identities, mark, keep);
    let root = match root {
        Some(root) => root,
        None => {
            event!(INFO, "the home is locked");
            say(Said::Locked);
            tokio::select! {
                root = unlocked(&mut home, &mut control) => root,
                () = &mut stop => return Ok(()),
            }
        }
    };
    let ended = keep_running(&mut home, &Arc::new(root), &prepare, &mut say, &mut stop, &mut control).await;
    home.make_end().await;
    let paths = [place.socket(), place.gateway(), place.gateway_metrics(), place.computer()];
    // A disk that does not answer keeps nobody from stopping.
    let tidied = spawn_blocking(move || paths.map(|path| std::fs::remove_file(path).is_ok()));
    let _ = tokio::time::timeout(TIDY_WITHIN, tidied).await;
    if let Some(home) = home.identities.home() {
        end_all_of(home);
    }
    if place.is_deletion_pending() {
        destroy(place)?;
        home.identities.forget(identity);
        event!(INFO, "the home was deleted");
        say(Said::Deleted);
        return Ok(());
    }
    ended
}

/// What running came to.
enum Next {
    /// Started again at once.
    Again,
    /// Started again after a while.
    Ended(String),
}

/// Starts the home as often as it ends, until it is told to stop or the home is to be destroyed.
async fn keep_running(
    home: &mut Home,
    root: &Arc<RootKey>,
    prepare: &(impl Fn() -> Result<Launch, String> + Clone + Send + 'static),
    say: &mut impl FnMut(Said),
    stop: &mut (impl Future<Output = ()> + Unpin),
    control: &mut ControlSocket,
) -> Result<(), SupervisorError> {
    let mut wait = Duration::from_secs(1);
    let mut first = true;
    loop {
        if home.place.is_deletion_pending() {
            return Ok(());
        }
        let began = tokio::time::Instant::now();
        let starting = async {
            let prepare = prepare.clone();
            let launch = beside(move || prepare().map_err(SupervisorError::Refused)).await?;
            let started = home.start(root, &launch).await?;
            Ok((started, launch.silent))
        };
        let started = tokio::select! {
            started = starting => started,
            client = control.next_pause() => {
                home.pause(client, control).await;
                continue;
            }
            () = &mut *stop => return Ok(()),
        };
        let next = match started {
            Ok(((gateway, not_public), silent)) => {
                if let Some(why) = not_public {
                    say(Said::NotPublic(why));
                }
                say(Said::Runs(gateway.as_ref().map(|gateway| gateway.address.clone()).map_err(Clone::clone)));
                event!(INFO, "the home runs", gateway = gateway.is_ok());
                first = false;
                let hangs = watchdog(home.hears.heartbeats.clone(), silent);
                let keep_gateway = keep_gateway(gateway);
                let next = tokio::select! {
                    why = home.ended() => Next::Ended(why),
                    client = control.next_pause() => {
                        home.pause(client, control).await;
                        Next::Again
                    }
                    () = keep_gateway => Next::Again,
                    () = hangs => {
                        event!(WARN, "the home hung and is ended", silent_ms = silent);
                        home.make_end().await;
                        Next::Ended(format!("it hung: it had said nothing for {} s", silent.as_secs()))
                    }
                    () = &mut *stop => {
                        // Whoever asks for a pause now gets it: the next start is a paused one.
                        let client = tokio::select! {
                            () = home.end() => None,
                            client = control.next_pause() => Some(client),
                        };
                        if let Some(client) = client {
                            home.pause(client, control).await;
                        }
                        return Ok(());
                    }
                };
                next
            }
            // A home that has never run is told about at once; one that has is tried again.
            Err(error) if first => return Err(error),
            Err(error) => {
                event!(ERROR, "the home could not be started", code = error.code());
                Next::Ended(error.to_string())
            }
        };
        let Next::Ended(why) = next else { continue };
        if home.place.is_deletion_pending() {
            return Ok(());
        }
        wait = if began.elapsed() > STEADY { Duration::from_secs(1) } else { (wait * 2).min(SLOWEST) };
        event!(WARN, "the home is started again", wait_ms = wait);
        say(Said::Ended(why, wait.as_secs()));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            client = control.next_pause() => home.pause(client, control).await,
            () = &mut *stop => return Ok(()),
        }
    }
}

/// Completes when a process has given no heartbeat for `most`.
pub(crate) async fn watchdog(heartbeats: Arc<AtomicU64>, most: Duration) {
    let (mut heard, mut silent) = (heartbeats.load(Ordering::SeqCst), 0);
    while silent < WATCHDOG_LOOKS {
        tokio::time::sleep(most / WATCHDOG_LOOKS).await;
        let now = heartbeats.load(Ordering::SeqCst);
        silent = if now == heard { silent + 1 } else { 0 };
        heard = now;
    }
}

/// A passphrase that is being tried: the key it makes.
type Trying = JoinHandle<Result<Option<RootKey>, SupervisorError>>;

/// Waits for a passphrase that opens the home.
async fn unlocked(home: &mut Home, control: &mut ControlSocket) -> RootKey {
    let mut trying: Option<(Trying, ControlClient)> = None;
    loop {
        let tried = async {
            match &mut trying {
                Some((trying, _)) => trying.await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            asked = control.next() => match asked {
                (ControlRequest::Pause, client) => {
                    let trouble: Vec<String> = home.note_pause().await.into_iter().collect();
                    event!(WARN, "everything was paused by the supervisor", ended = false, recorded = trouble.is_empty());
                    client.paused(false, &trouble).await;
                }
                (ControlRequest::Unlock(_), client) if trying.is_some() => {
                    client.refuse("another passphrase is being tried; try again in a moment").await;
                }
                (ControlRequest::Unlock(words), client) => {
                    let place = home.place.clone();
                    // Making a key of it takes long on purpose; a pause does not wait for it.
                    let opened = spawn_blocking(move || match place.root_key(Some(&words))? {
                        Some(root) => place.unwrap(&root).map(|_| Some(root)),
                        None => Ok(None),
                    });
                    trying = Some((opened, client));
                }
            },
            tried = tried => {
                let Some((_, client)) = trying.take() else { continue };
                match tried {
                    Ok(Ok(Some(root))) => {
                        event!(INFO, "the home was unlocked");
                        client.unlocked().await;
                        return root;
                    }
                    Ok(Ok(None)) => client.refuse("this home needs no passphrase").await,
                    Ok(Err(error)) => {
                        event!(WARN, "the home was not unlocked", code = error.code());
                        client.refuse(&error.to_string()).await;
                    }
                    Err(error) => client.refuse(&error.to_string()).await,
                }
            }
        }
    }
}
