//! The processes of a home: started, listened to, and ended.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bailey_keys::RootKey;
use bailey_telemetry::event;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::{JoinHandle, spawn_blocking};
use zeroize::Zeroizing;

use crate::control_socket::{ControlClient, ControlSocket};
use crate::identity::{Identities, Identity, end_all_of, give, witness};
use crate::root::{Keep, Mark, remove_if_there, write_anew};
use crate::stdio::{Stream, log_line, notice};
use crate::watch::{Launch, Logging, watchdog};
use crate::{Place, SupervisorError};

/// How long a home may take to end when told to, before it is made to.
const GRACE: Duration = Duration::from_secs(6);
/// How long a home that is made to end may take: longer only if the kernel holds it, for a disk that does not answer.
const ENDED_WITHIN: Duration = Duration::from_secs(3);
/// How long what an ended home said last may take to be read.
const HEARD_WITHIN: Duration = Duration::from_secs(1);
/// How long noting a pause on the disk may take.
const NOTED_WITHIN: Duration = Duration::from_secs(3);
/// How long a process may take until it is ready: a large home on a slow disk, many times over.
const READY_WITHIN: Duration = Duration::from_secs(120);
/// How long before a gateway that ended soon after it was started is started again.
const GATEWAY_AGAIN: Duration = Duration::from_secs(1);
/// How long before a gateway that could not be started is tried again.
const GATEWAY_LATER: Duration = Duration::from_secs(60);
/// Longest line taken from a process, in bytes.
const MAX_LINE_BYTES: u64 = 64 * 1024;

/// What a home says first, once it is ready.
pub const READY: &str = "ready";
/// What it says instead where other machines may not be let in yet; behind it stands why.
pub const NOT_PUBLIC: &str = "ready, not for other machines: ";
/// What a home says when everything is paused and no record of it could be written.
pub const PAUSED: &str = "paused";
/// What it says when that is over.
pub const RESUMED: &str = "resumed";
/// The heartbeat of a home and of a gateway: said again and again, as long as everything in it moves on.
pub const HEARTBEAT: &str = "alive";

/// What a process says while it runs, as it was last heard; of a home, over all its starts.
#[derive(Default, Clone)]
pub(crate) struct Hears {
    /// A pause that nobody could record outlives the home here.
    paused: Arc<AtomicBool>,
    /// Heartbeats counted so far.
    pub heartbeats: Arc<AtomicU64>,
}

/// The home, and what is needed to start and to end it.
pub(crate) struct Home {
    pub place: Place,
    pub identities: Identities,
    pub hears: Hears,
    /// Where it has the programs of its computer started, if it cannot start them itself.
    computer: Option<PathBuf>,
    mark: Mark,
    /// Its process: from before it is told its key until it has ended.
    process: Option<Child>,
    /// How often it was started.
    starts: u64,
    /// How often its gateway was.
    gateway_starts: Arc<AtomicU64>,
    /// The thread that listens to it.
    listening: Option<JoinHandle<()>>,
    /// The thread that writes a pause down, as long as the disk keeps it.
    marking: Option<JoinHandle<Result<(), String>>>,
}

/// Does what may wait for a disk beside the thread that listens for a pause.
pub(crate) async fn beside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SupervisorError> + Send + 'static,
) -> Result<T, SupervisorError> {
    spawn_blocking(work).await.unwrap_or_else(|error| Err(SupervisorError::Refused(error.to_string())))
}

impl Home {
    pub(crate) fn new(place: &Place, identities: Identities, mark: Mark, keep: Keep) -> Self {
        let hears = Hears::default();
        let computer = identities.home().zip(identities.computer()).and_then(|(home, computer)| {
            let kept = keep_computer(place, home, computer, keep);
            kept.inspect_err(|_| event!(WARN, "the home's computer cannot be started here")).ok()
        });
        Self {
            computer,
            place: place.clone(),
            identities,
            hears,
            mark,
            process: None,
            starts: 0,
            gateway_starts: Arc::default(),
            listening: None,
            marking: None,
        }
    }

    /// Starts the home and its gateway.
    ///
    /// A gateway that cannot be started keeps no home from running: why it could not is in its place.
    pub(crate) async fn start(
        &mut self,
        root: &Arc<RootKey>,
        launch: &Launch,
    ) -> Result<(Result<Gateway, String>, Option<String>), SupervisorError> {
        self.make_end().await;
        let (place, identities) = (self.place.clone(), self.identities.clone());
        beside(move || {
            let failed = |source| SupervisorError::File { path: place.data().into(), source };
            lay_out(&place, &identities).map_err(failed)
        })
        .await?;
        let not_public = self.start_home(root, launch).await?;
        let mut launch = launch.clone();
        if not_public.is_some() {
            // The names stay those whose pages come by TLS: nothing else is let in as one of them meanwhile.
            launch.tls_listen = None;
            launch.names.retain(|name| !name.starts_with("https://"));
        }
        let gateway = GatewayStart {
            place: self.place.clone(),
            identity: self.identities.gateway(),
            launch,
            starts: Arc::clone(&self.gateway_starts),
        };
        let started = gateway.start(&gateway.launch.listen).await;
        if started.is_err() {
            event!(ERROR, "the gateway could not be started");
        }
        let (path, address) = (self.place.gateway(), started.as_ref().ok().map(|started| started.address.clone()));
        let noted = spawn_blocking(move || match address {
            Some(address) => write_anew(&path, &address),
            None => std::fs::remove_file(path),
        });
        // Only what tells programs where it is depends on it.
        let _ = noted.await;
        Ok((started, not_public))
    }

    /// Starts the home, hands its key over the pipe, and waits until it says that it is ready; gives why other machines may not be let
    /// in yet, where that is so.
    async fn start_home(&mut self, root: &Arc<RootKey>, launch: &Launch) -> Result<Option<String>, SupervisorError> {
        let failed = |error| SupervisorError::Start("home", error);
        let mut command = process("home-process", &self.place, self.identities.home(), &launch.logging, self.starts);
        self.starts += 1;
        if self.hears.paused.load(Ordering::SeqCst) {
            command.arg("--paused");
        }
        let (place, to) = (self.place.clone(), self.identities.home());
        if let Some(socket) = &self.computer {
            command.arg("--computer").arg(socket);
        }
        if let Some(witness) = beside(move || Ok(witness(place.identity()?, to))).await? {
            command.arg("--witness").arg(witness);
        }
        let child = self.process.insert(command.spawn().map_err(failed)?);
        let (place, root) = (self.place.clone(), Arc::clone(root));
        let key = beside(move || {
            let mut key = Zeroizing::new(Vec::new());
            place.unwrap(&root)?.hand_over(&mut *key)?;
            Ok(key)
        })
        .await?;
        if let Some(mut pipe) = child.stdin.take() {
            let told = async {
                pipe.write_all(&key).await?;
                pipe.write_all(launch.settings.as_bytes()).await?;
                pipe.write_all(b"\n").await?;
                pipe.flush().await
            };
            // A home that has ended already says why below.
            let _ = told.await;
            child.stdin = Some(pipe);
        }
        let (line, listening) = first_line(child, self.hears.clone()).await.map_err(failed)?;
        self.listening = Some(listening);
        match line.as_str() {
            READY => Ok(None),
            "" => Err(SupervisorError::Refused(format!(
                "the home ended at once: {}",
                child.wait().await.map_err(failed)?
            ))),
            line => match line.strip_prefix(NOT_PUBLIC) {
                Some(why) => Ok(Some(why.to_owned())),
                None => Err(SupervisorError::Refused(line.replace('\u{1}', "\n"))),
            },
        }
    }

    /// Waits until it has ended by itself; says how.
    pub(crate) async fn ended(&mut self) -> String {
        let Some(process) = &mut self.process else { return "it does not run".into() };
        let ended = process.wait().await;
        if let Ok(status) = &ended {
            let (code, signal) = (status.code().unwrap_or_default(), status.signal().unwrap_or_default());
            event!(WARN, "the home's process ended", exit = code, signal = signal);
        }
        ended.map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    /// Asks it to end, and ends it.
    pub(crate) async fn end(&mut self) {
        let Some(process) = &mut self.process else { return };
        let pid = process.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(pid) = pid {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        if tokio::time::timeout(GRACE, process.wait()).await.is_err() {
            self.make_end().await;
        }
    }

    /// Ends it, and whatever else runs under its account. True once it has: else the kernel still holds it, and none of its
    /// threads runs on.
    pub(crate) async fn make_end(&mut self) -> bool {
        if let Some(identity) = self.identities.home() {
            end_all_of(identity);
        }
        if let Some(identity) = self.identities.computer() {
            end_all_of(identity);
        }
        let Some(process) = &mut self.process else { return true };
        let _ = process.start_kill();
        let ended = tokio::time::timeout(ENDED_WITHIN, process.wait()).await.is_ok();
        self.process = None;
        // What it said last is heard before anything else is noted or started; what comes later counts no more.
        if let Some(mut listening) = self.listening.take()
            && tokio::time::timeout(HEARD_WITHIN, &mut listening).await.is_err()
        {
            listening.abort();
        }
        ended
    }

    /// Pauses everything without the home's doing: it is ended, so that nothing leaves, and comes up paused. Whoever asked for the
    /// same meanwhile is answered, too.
    pub(crate) async fn pause(&mut self, client: ControlClient, control: &mut ControlSocket) {
        let mut trouble = Vec::new();
        if !self.make_end().await {
            trouble.push(
                "the system has not let go of the home yet, which waits for a disk, say; none of it runs on".to_owned(),
            );
        }
        trouble.extend(self.note_pause().await);
        event!(WARN, "everything was paused by the supervisor", ended = true, recorded = trouble.is_empty());
        client.paused(true, &trouble).await;
        for client in control.further_pauses() {
            client.paused(true, &trouble).await;
        }
    }

    /// Writes down that everything is paused; else remembers it as long as this process runs, and says why.
    pub(crate) async fn note_pause(&mut self) -> Option<String> {
        // One that the disk still keeps will do: it is written after this.
        let mut marking = self.marking.take().filter(|marking| !marking.is_finished()).unwrap_or_else(|| {
            let (place, mark) = (self.place.clone(), self.mark);
            spawn_blocking(move || place.mark_paused(mark).map_err(|error| error.to_string()))
        });
        let why = match tokio::time::timeout(NOTED_WITHIN, &mut marking).await {
            Ok(Ok(Ok(()))) => return None,
            Ok(Ok(Err(why))) => why,
            Ok(Err(error)) => error.to_string(),
            Err(_) => {
                self.marking = Some(marking);
                "the disk does not answer".into()
            }
        };
        self.hears.paused.store(true, Ordering::SeqCst);
        Some(format!(
            "it could not be recorded; until the home is back it holds only as long as `bailey serve` runs: {why}"
        ))
    }
}

/// What starting a gateway needs, as often as it takes.
#[derive(Clone)]
struct GatewayStart {
    place: Place,
    identity: Option<Identity>,
    launch: Launch,
    starts: Arc<AtomicU64>,
}

/// A gateway under way; ends with this.
pub(crate) struct Gateway {
    start: GatewayStart,
    pub address: String,
    process: Child,
    heartbeats: Arc<AtomicU64>,
}

/// Starts the gateway again whenever it ends, or gives no heartbeat, on the port it had. One that could not be started is left
/// be: the person was told why.
pub(crate) async fn keep_gateway(gateway: Result<Gateway, String>) {
    let Ok(mut gateway) = gateway else { return std::future::pending().await };
    loop {
        let began = tokio::time::Instant::now();
        tokio::select! {
            _ = gateway.process.wait() => {}
            () = watchdog(Arc::clone(&gateway.heartbeats), gateway.start.launch.silent) => {
                event!(WARN, "the gateway hung and is started again");
                // One that cannot be ended holds its port, of which starting another tells.
                let _ = gateway.process.start_kill();
                let _ = tokio::time::timeout(ENDED_WITHIN, gateway.process.wait()).await;
            }
        }
        if began.elapsed() < GATEWAY_AGAIN {
            tokio::time::sleep(GATEWAY_AGAIN).await;
        }
        let address = gateway.address.clone();
        loop {
            match gateway.start.start(&address).await {
                Ok(fresh) => break gateway = fresh,
                Err(why) => {
                    event!(ERROR, "the gateway ended and could not be started again", wait_ms = GATEWAY_LATER);
                    notice(&format!("the gateway ended and cannot be started again: {why}"));
                    tokio::time::sleep(GATEWAY_LATER).await;
                }
            }
        }
    }
}

/// Listens where the home asks for the programs of its computer, which its account alone may do, and starts them on a thread of its own.
fn keep_computer(place: &Place, home: Identity, computer: Identity, keep: Keep) -> io::Result<PathBuf> {
    let path = place.computer();
    remove_if_there(&path)?;
    let socket = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    std::os::unix::fs::chown(&path, Some(home.user), Some(home.group))?;
    std::thread::Builder::new().name("computer".into()).spawn(move || keep(&socket, computer, home))?;
    Ok(path)
}

/// Tells whose each folder is, and who may enter.
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

/// This very program, also where its file was replaced since or is gone.
const OWN_PROGRAM: &str = "/proc/self/exe";

fn process(role: &'static str, place: &Place, identity: Option<Identity>, logging: &Logging, restarts: u64) -> Command {
    let mut command = command(Path::new(OWN_PROGRAM));
    command.arg0("bailey");
    // Nothing of the supervisor's surroundings but what these two need to find files and speak.
    command.env_clear().envs(
        ["PATH", "TZ", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR"]
            .iter()
            .filter_map(|name| Some((name, std::env::var_os(name)?))),
    );
    command.arg(role).arg("--data").arg(place.data()).arg("--supervisor").arg(std::process::id().to_string());
    command.arg("--log").arg(&logging.filter).arg("--log-format").arg(logging.format);
    command.arg("--restarts").arg(restarts.to_string());
    if let Some(Identity { user, group }) = identity {
        command.arg("--user").arg(user.to_string()).arg("--group").arg(group.to_string());
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

#[expect(clippy::disallowed_methods, reason = "starting its own two other roles is what a supervisor is for")]
fn command(program: &Path) -> Command {
    Command::new(program)
}

impl GatewayStart {
    async fn start(&self, listen: &str) -> Result<Gateway, String> {
        let restarts = self.starts.fetch_add(1, Ordering::SeqCst);
        let launch = &self.launch;
        let mut command = process("gateway-process", &self.place, self.identity, &launch.logging, restarts);
        command.arg("--listen").arg(listen).arg("--silent").arg(launch.silent.as_secs().to_string());
        for name in &launch.names {
            command.arg("--name").arg(name);
        }
        if let Some(address) = &launch.tls_listen {
            command.arg("--tls-listen").arg(address);
        }
        if let Some(address) = &launch.gateway_metrics {
            command.arg("--metrics-listen").arg(address);
        }
        let place = self.place.clone();
        // It can make no file, and may be of an account that owns no folder: it is given its metrics socket as standard input.
        if let Ok(socket) = beside(move || metrics_socket(&place)).await {
            command.stdin(Stdio::from(std::os::fd::OwnedFd::from(socket)));
        }
        let mut process = command.spawn().map_err(|error| error.to_string())?;
        // Of what it says only its heartbeats matter: whether anything is paused is not for it to say.
        let hears = Hears::default();
        let (line, _) = first_line(&mut process, hears.clone()).await.map_err(|error| error.to_string())?;
        match line.strip_prefix("listening ") {
            Some(address) => {
                let (start, address) = (self.clone(), address.to_owned());
                Ok(Gateway { start, address, process, heartbeats: hears.heartbeats })
            }
            None => Err(line),
        }
    }
}

/// Listens where the gateway gives its metrics: for the account alone that started the supervisor.
fn metrics_socket(place: &Place) -> Result<UnixListener, SupervisorError> {
    let path = place.gateway_metrics();
    let failed = |source| SupervisorError::File { path: path.clone(), source };
    remove_if_there(&path).map_err(failed)?;
    let socket = UnixListener::bind(&path).map_err(failed)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
    socket.set_nonblocking(true).map_err(failed)?;
    Ok(socket)
}

/// Returns what a process says first. Of the rest, only that it is alive, and a pause that could not be recorded and its end,
/// are listened to: by the task that is given, too, until the process has ended. Its complaints are passed on.
async fn first_line(child: &mut Child, hears: Hears) -> io::Result<(String, JoinHandle<()>)> {
    if let Some(complaints) = child.stderr.take() {
        tokio::spawn(pass_on(complaints));
    }
    let Some(out) = child.stdout.take() else { return Err(io::Error::other("it has no way to say anything")) };
    let mut out = BufReader::new(out);
    let mut line = Vec::new();
    let mut bounded = (&mut out).take(MAX_LINE_BYTES);
    let said = tokio::time::timeout(READY_WITHIN, bounded.read_until(b'\n', &mut line)).await;
    said.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "it did not say in time that it is ready"))??;
    let listening = tokio::spawn(async move {
        let mut line = Vec::new();
        while (&mut out).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await.is_ok_and(|count| count > 0) {
            match plain(&line).trim_end() {
                PAUSED => hears.paused.store(true, Ordering::SeqCst),
                RESUMED => hears.paused.store(false, Ordering::SeqCst),
                HEARTBEAT => {
                    hears.heartbeats.fetch_add(1, Ordering::SeqCst);
                }
                _ => {}
            }
            line.clear();
        }
    });
    Ok((plain(&line).trim_end().to_owned(), listening))
}

/// Lines of a process's complaints, without what could move a cursor: the process may be led by someone else.
async fn pass_on(complaints: tokio::process::ChildStderr) {
    let mut lines = BufReader::new(complaints);
    loop {
        let mut line = Vec::new();
        match (&mut lines).take(MAX_LINE_BYTES).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => log_line(Stream::Error, plain(&line).trim_end().to_owned()),
        }
    }
}

/// Returns text as it may be shown: control characters become spaces, but for our own mark of a line break.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let hidden = |c: char| {
        let bidi =
            matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        (c.is_control() && c != '\u{1}') || bidi
    };
    text.chars().map(|c| if hidden(c) { ' ' } else { c }).collect()
}
