//! Starting the processes, and what to do when one ends.
//!
//! ```text
//! locked ──unlock──▶ starting ──ready──▶ running ──▶ (ended: started again, ever more slowly)
//! ```

use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bailey_keys::{Passphrase, RootKey};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use crate::identity::{Identities, Identity, end_all_of, give};
use crate::root::destroy;
use crate::{Place, SupervisorError};

/// How long a home may take to end when told to, before it is made to.
const GRACE: Duration = Duration::from_secs(6);
/// The longest wait before a home that keeps ending is started again.
const SLOWEST: Duration = Duration::from_secs(60);
/// A home that ran this long did not end for being started.
const STEADY: Duration = Duration::from_secs(120);
/// How long a process may take until it is ready: a large home on a slow disk, many times over.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// Longest line taken from a process, in bytes.
const MAX_LINE_BYTES: u64 = 64 * 1024;
/// Longest passphrase taken, in bytes.
const MAX_PASSPHRASE_BYTES: u64 = 4 * 1024;
/// How long whoever unlocks may take to say the passphrase.
const UNLOCK_WITHIN: Duration = Duration::from_secs(10);

/// What a home says when everything is paused and no record of it could be written.
pub const PAUSED: &str = "paused";
/// What it says when that is over.
pub const RESUMED: &str = "resumed";

/// What a start of the home needs beside its key.
#[derive(Debug, Clone)]
pub struct Launch {
    /// One line of JSON for the home: its configuration.
    pub settings: String,
    /// Where the gateway listens.
    pub listen: String,
}

/// What the supervisor has to say to whoever started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It waits for the passphrase.
    Locked,
    /// The home runs. The gateway's address, or why there is none.
    Runs(Result<String, String>),
    /// The processes share an account, and why.
    Shared(String),
    /// The home ended, and is started again after so many seconds.
    Ended(String, u64),
    /// The home was deleted.
    Deleted,
}

/// Runs a home until `stop` is done or it is deleted. `prepare` reads the configuration, anew for every start.
pub async fn supervise(
    place: &Place,
    mut root: Option<RootKey>,
    prepare: impl Fn() -> Result<Launch, String>,
    mut say: impl FnMut(Said),
    stop: impl Future<Output = ()>,
) -> Result<(), SupervisorError> {
    let _lock = place.lock()?;
    let identities = Identities::of(place.data(), place.identity()?);
    if let Identities::Shared(why) = &identities {
        say(Said::Shared(why.clone()));
    }
    let listener = listen(&place.socket())?;
    tokio::pin!(stop);
    let root = match root.take() {
        Some(root) => root,
        None => {
            say(Said::Locked);
            tokio::select! {
                root = unlocked(place, &listener) => root?,
                () = &mut stop => return Ok(()),
            }
        }
    };
    let ended = keep_running(place, &root, &identities, &prepare, &mut say, &mut stop, &listener).await;
    let _ = std::fs::remove_file(place.socket());
    let _ = std::fs::remove_file(place.gateway());
    if let Some(home) = identities.home() {
        end_all_of(home);
    }
    if place.is_condemned() {
        destroy(place)?;
        say(Said::Deleted);
        return Ok(());
    }
    ended
}

/// Starts the home as often as it ends, until it is told to stop or the home is to be destroyed.
async fn keep_running(
    place: &Place,
    root: &RootKey,
    identities: &Identities,
    prepare: &impl Fn() -> Result<Launch, String>,
    say: &mut impl FnMut(Said),
    stop: &mut (impl Future<Output = ()> + Unpin),
    listener: &UnixListener,
) -> Result<(), SupervisorError> {
    let mut wait = Duration::from_secs(1);
    let mut first = true;
    // A pause that the home could not record outlives it here.
    let paused = Arc::new(AtomicBool::new(false));
    loop {
        let began = tokio::time::Instant::now();
        let starting = async {
            let launch = prepare().map_err(SupervisorError::Refused)?;
            start(place, root, identities, &launch, &paused).await
        };
        let started = tokio::select! {
            started = starting => started,
            () = &mut *stop => return Ok(()),
        };
        let why = match started {
            Ok((mut home, gateway)) => {
                say(Said::Runs(gateway.address.clone()));
                first = false;
                let ended = tokio::select! {
                    ended = home.wait() => ended,
                    () = already_unlocked(listener) => continue,
                    () = keep_gateway(place, identities.gateway(), gateway) => continue,
                    () = &mut *stop => {
                        end(&mut home).await;
                        return Ok(());
                    }
                };
                if place.is_condemned() {
                    return Ok(());
                }
                ended.map_or_else(|error| error.to_string(), |status| status.to_string())
            }
            // A home that has never run is told about at once; one that has is tried again.
            Err(error) if first => return Err(error),
            Err(error) => error.to_string(),
        };
        wait = if began.elapsed() > STEADY { Duration::from_secs(1) } else { (wait * 2).min(SLOWEST) };
        say(Said::Ended(why, wait.as_secs()));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = &mut *stop => return Ok(()),
        }
    }
}

/// A gateway under way; ends with this.
struct Gateway {
    address: Result<String, String>,
    process: Option<Child>,
}

/// Starts the gateway again whenever it ends, on the port it had. One that could not be started is left be: the person
/// was told why.
async fn keep_gateway(place: &Place, identity: Option<Identity>, gateway: Gateway) {
    let Gateway { address: Ok(address), process: Some(mut process) } = gateway else {
        return std::future::pending().await;
    };
    loop {
        let _ = process.wait().await;
        while let Err(why) = start_gateway(place, identity, &address).await.map(|(fresh, _)| process = fresh) {
            // To the same place as what the gateway itself has to say.
            eprintln!("bailey: the gateway ended and cannot be started again: {why}");
            tokio::time::sleep(SLOWEST).await;
        }
    }
}

async fn start(
    place: &Place,
    root: &RootKey,
    identities: &Identities,
    launch: &Launch,
    paused: &Arc<AtomicBool>,
) -> Result<(Child, Gateway), SupervisorError> {
    if let Some(home) = identities.home() {
        end_all_of(home);
    }
    lay_out(place, identities).map_err(|source| SupervisorError::File { path: place.data().into(), source })?;
    let home = start_home(place, root, identities.home(), &launch.settings, paused).await?;
    let gateway = match start_gateway(place, identities.gateway(), &launch.listen).await {
        Ok((process, address)) => {
            let _ = std::fs::write(place.gateway(), &address);
            Gateway { address: Ok(address), process: Some(process) }
        }
        Err(why) => {
            let _ = std::fs::remove_file(place.gateway());
            Gateway { address: Err(why), process: None }
        }
    };
    Ok((home, gateway))
}

/// Whose each folder is, and who may enter.
fn lay_out(place: &Place, identities: &Identities) -> io::Result<()> {
    std::fs::create_dir_all(place.run())?;
    let mode = |path: &Path, bits| std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits));
    mode(&place.run(), 0o750)?;
    if let Some(home) = identities.home() {
        mode(place.data(), 0o711)?;
        let data = std::fs::File::open(place.data())?;
        for name in [c"home", c"state", c"run"] {
            give(&data, name, home)?;
        }
    }
    Ok(())
}

fn process(role: &'static str, place: &Place, identity: Option<Identity>) -> Result<Command, SupervisorError> {
    let own = std::env::current_exe().map_err(|error| SupervisorError::Start(role, error))?;
    let mut command = command(&own);
    // Nothing of the supervisor's surroundings but what these two need to find files and speak.
    command.env_clear().envs(
        ["PATH", "TZ", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR"]
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?))),
    );
    command.arg(role).arg("--data").arg(place.data()).arg("--supervisor").arg(std::process::id().to_string());
    if let Some(Identity { user, group }) = identity {
        command.arg("--user").arg(user.to_string()).arg("--group").arg(group.to_string());
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    Ok(command)
}

#[expect(clippy::disallowed_methods, reason = "starting its own two other roles is what a supervisor is for")]
fn command(program: &Path) -> Command {
    Command::new(program)
}

/// Starts the home, hands its key over the pipe, and waits until it says that it is ready.
async fn start_home(
    place: &Place,
    root: &RootKey,
    identity: Option<Identity>,
    settings: &str,
    paused: &Arc<AtomicBool>,
) -> Result<Child, SupervisorError> {
    let failed = |error| SupervisorError::Start("home", error);
    let mut command = process("home-process", place, identity)?;
    if paused.load(Ordering::SeqCst) {
        command.arg("--paused");
    }
    let mut child = command.spawn().map_err(failed)?;
    let mut key = Zeroizing::new(Vec::new());
    place.unwrap(root)?.hand_over(&mut *key)?;
    if let Some(mut pipe) = child.stdin.take() {
        let told = async {
            pipe.write_all(&key).await?;
            pipe.write_all(settings.as_bytes()).await?;
            pipe.write_all(b"\n").await?;
            pipe.flush().await
        };
        // A home that has ended already says why below.
        let _ = told.await;
        child.stdin = Some(pipe);
    }
    let line = first_line(&mut child, Some(Arc::clone(paused))).await.map_err(failed)?;
    match line.as_str() {
        "ready" => Ok(child),
        "" => Err(SupervisorError::Refused(format!("the home ended at once: {}", child.wait().await.map_err(failed)?))),
        why => Err(SupervisorError::Refused(why.replace('\u{1}', "\n"))),
    }
}

async fn start_gateway(place: &Place, identity: Option<Identity>, listen: &str) -> Result<(Child, String), String> {
    let mut command = process("gateway-process", place, identity).map_err(|error| error.to_string())?;
    let mut child = command.arg("--listen").arg(listen).spawn().map_err(|error| error.to_string())?;
    let line = first_line(&mut child, None).await.map_err(|error| error.to_string())?;
    match line.strip_prefix("listening ") {
        Some(address) => Ok((child, address.to_owned())),
        None => Err(line),
    }
}

/// What a process says first. Of the rest, only a pause that could not be recorded, and its end, is listened to, where
/// there is a place to note it. Its complaints are passed on.
async fn first_line(child: &mut Child, paused: Option<Arc<AtomicBool>>) -> io::Result<String> {
    if let Some(complaints) = child.stderr.take() {
        tokio::spawn(pass_on(complaints));
    }
    let Some(out) = child.stdout.take() else { return Ok(String::new()) };
    let mut out = BufReader::new(out);
    let mut line = Vec::new();
    let mut bounded = (&mut out).take(MAX_LINE_BYTES);
    let said = tokio::time::timeout(READY_WITHIN, bounded.read_until(b'\n', &mut line)).await;
    said.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "it did not say in time that it is ready"))??;
    tokio::spawn(async move {
        let mut line = Vec::new();
        while (&mut out).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await.is_ok_and(|count| count > 0) {
            let said = plain(&line);
            if let Some(paused) = paused.as_ref().filter(|_| [PAUSED, RESUMED].contains(&said.trim_end())) {
                paused.store(said.trim_end() == PAUSED, Ordering::SeqCst);
            }
            line.clear();
        }
    });
    Ok(plain(&line).trim_end().to_owned())
}

/// Lines of a process's complaints, without what could move a cursor: the process may be led by someone else.
async fn pass_on(complaints: tokio::process::ChildStderr) {
    let mut lines = BufReader::new(complaints);
    loop {
        let mut line = Vec::new();
        match (&mut lines).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => eprintln!("{}", plain(&line).trim_end()),
        }
    }
}

/// Text as it may be shown: control characters become spaces, but for our own mark of a line break.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let hidden = |c: char| {
        let bidi =
            matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        (c.is_control() && c != '\u{1}') || bidi
    };
    text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect()
}

/// Asks a process to end, and ends it.
async fn end(child: &mut Child) {
    let pid = child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

fn listen(path: &Path) -> Result<UnixListener, SupervisorError> {
    let failed = |source| SupervisorError::File { path: path.into(), source };
    // The lock is held, so a socket that lies here is a dead one's.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        Ok(()) | Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(failed)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    Ok(listener)
}

/// Waits for a passphrase that opens the home.
async fn unlocked(place: &Place, listener: &UnixListener) -> Result<RootKey, SupervisorError> {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else { continue };
        let Some(words) = said(&mut stream).await else { continue };
        let tried = place.root_key(Some(&words)).and_then(|root| match root {
            Some(root) => place.unwrap(&root).map(|_| Some(root)),
            None => Ok(None),
        });
        match tried {
            Ok(Some(root)) => {
                let _ = stream.write_all(b"unlocked\n").await;
                return Ok(root);
            }
            Ok(None) => {}
            Err(error) => {
                let _ = stream.write_all(format!("{error}\n").as_bytes()).await;
            }
        }
    }
}

async fn said(stream: &mut UnixStream) -> Option<Passphrase> {
    let mut line = String::new();
    let mut reader = BufReader::new(stream.take(MAX_PASSPHRASE_BYTES));
    // Whoever says nothing only looked whether somebody is here; a passphrase is costly to try.
    let count = tokio::time::timeout(UNLOCK_WITHIN, reader.read_line(&mut line)).await.ok()?.ok()?;
    if count == 0 {
        return None;
    }
    let end = line.trim_end_matches(['\n', '\r']).len();
    line.truncate(end);
    Some(Passphrase::new(line))
}

/// Tells whoever unlocks what is unlocked that it is.
async fn already_unlocked(listener: &UnixListener) {
    loop {
        if let Ok((mut stream, _)) = listener.accept().await {
            // Read before it is answered: whoever writes to a closed end learns nothing.
            drop(said(&mut stream).await);
            let _ = stream.write_all(b"the home is unlocked already\n").await;
        }
    }
}
