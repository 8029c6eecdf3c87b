//! Starting the processes, and what to do when one ends.
//!
//! ```text
//! locked ──unlock──▶ starting ──ready──▶ running ──▶ (ended, or silent and made to: started again, ever more slowly)
//!                       ▲                   │
//!                       └─── pause: ended, marked as paused, started again
//! ```

use std::future::Future;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use bailey_keys::RootKey;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::door::{Asker, Door, Wanted};
use crate::identity::{Identities, Identity, end_all_of, give};
use crate::root::{Mark, destroy};
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
/// How long a home that is made to end may take: longer only if the kernel holds it, for a disk that does not answer.
const ENDED_WITHIN: Duration = Duration::from_secs(3);
/// How long what an ended home said last may take to be read.
const HEARD_WITHIN: Duration = Duration::from_secs(1);
/// How long noting a pause on the disk may take.
const NOTED_WITHIN: Duration = Duration::from_secs(3);
/// Looks in a row that find a home silent before it is taken to hang. More than one: where this process was stopped too, it is
/// not the home that was silent.
const SILENT_LOOKS: u32 = 6;

/// What a home says when everything is paused and no record of it could be written.
pub const PAUSED: &str = "paused";
/// What it says when that is over.
pub const RESUMED: &str = "resumed";
/// What it says, again and again, as long as everything in it moves on.
pub const ALIVE: &str = "alive";

/// What a start of the home needs beside its key.
#[derive(Debug, Clone)]
pub struct Launch {
    /// One line of JSON for the home: its configuration.
    pub settings: String,
    /// Where the gateway listens.
    pub listen: String,
    /// How long the home may be silent before it is ended and started again.
    pub silent: Duration,
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

/// Runs a home until `stop` is done or it is deleted. `prepare` reads the configuration, anew for every start; `mark` marks the
/// pause record.
pub async fn supervise(
    place: &Place,
    mut root: Option<RootKey>,
    prepare: impl Fn() -> Result<Launch, String>,
    mark: Mark,
    mut say: impl FnMut(Said),
    stop: impl Future<Output = ()>,
) -> Result<(), SupervisorError> {
    let _lock = place.lock()?;
    let identities = Identities::of(place.data(), place.identity()?);
    if let Identities::Shared(why) = &identities {
        say(Said::Shared(why.clone()));
    }
    let mut door = Door::open(&place.socket())?;
    tokio::pin!(stop);
    let mut home =
        Home { place, identities: &identities, mark, process: None, listening: None, hears: Hears::default() };
    let root = match root.take() {
        Some(root) => root,
        None => {
            say(Said::Locked);
            tokio::select! {
                root = unlocked(&home, &mut door) => root,
                () = &mut stop => return Ok(()),
            }
        }
    };
    let ended = keep_running(&mut home, &root, &prepare, &mut say, &mut stop, &mut door).await;
    drop(home);
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

/// What a home says while it runs, as it was last heard, over all its starts.
#[derive(Default, Clone)]
struct Hears {
    /// A pause that the home could not record outlives it here.
    paused: Arc<AtomicBool>,
    /// How often it said that it is alive.
    alive: Arc<AtomicU64>,
}

/// The home, and what is needed to start and to end it.
struct Home<'a> {
    place: &'a Place,
    identities: &'a Identities,
    mark: Mark,
    /// Its process: from before it is told its key until it has ended.
    process: Option<Child>,
    /// What listens to it.
    listening: Option<JoinHandle<()>>,
    hears: Hears,
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
    home: &mut Home<'_>,
    root: &RootKey,
    prepare: &impl Fn() -> Result<Launch, String>,
    say: &mut impl FnMut(Said),
    stop: &mut (impl Future<Output = ()> + Unpin),
    door: &mut Door,
) -> Result<(), SupervisorError> {
    let mut wait = Duration::from_secs(1);
    let mut first = true;
    loop {
        let began = tokio::time::Instant::now();
        let starting = async {
            let launch = prepare().map_err(SupervisorError::Refused)?;
            Ok((home.start(root, &launch).await?, launch.silent))
        };
        let started = tokio::select! {
            started = starting => started,
            asker = door.next_pause() => {
                home.pause(asker).await;
                continue;
            }
            () = &mut *stop => return Ok(()),
        };
        let next = match started {
            Ok((gateway, silent)) => {
                say(Said::Runs(gateway.address.clone()));
                first = false;
                let silence = silence(home.hears.alive.clone(), silent);
                let keep_gateway = keep_gateway(home.place, home.identities.gateway(), gateway);
                let next = tokio::select! {
                    why = home.ended() => Next::Ended(why),
                    asker = door.next_pause() => {
                        home.pause(asker).await;
                        Next::Again
                    }
                    () = keep_gateway => Next::Again,
                    () = silence => {
                        home.make_end().await;
                        Next::Ended(format!("it hung: it had said nothing for {} s", silent.as_secs()))
                    }
                    () = &mut *stop => {
                        home.end().await;
                        return Ok(());
                    }
                };
                if home.place.is_condemned() {
                    return Ok(());
                }
                next
            }
            // A home that has never run is told about at once; one that has is tried again.
            Err(error) if first => return Err(error),
            Err(error) => Next::Ended(error.to_string()),
        };
        let Next::Ended(why) = next else { continue };
        wait = if began.elapsed() > STEADY { Duration::from_secs(1) } else { (wait * 2).min(SLOWEST) };
        say(Said::Ended(why, wait.as_secs()));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            asker = door.next_pause() => home.pause(asker).await,
            () = &mut *stop => return Ok(()),
        }
    }
}

/// Ends when a home has said nothing for so long.
async fn silence(alive: Arc<AtomicU64>, most: Duration) {
    let (mut heard, mut silent) = (alive.load(Ordering::SeqCst), 0);
    while silent < SILENT_LOOKS {
        tokio::time::sleep(most / SILENT_LOOKS).await;
        let now = alive.load(Ordering::SeqCst);
        silent = if now == heard { silent + 1 } else { 0 };
        heard = now;
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

impl Home<'_> {
    async fn start(&mut self, root: &RootKey, launch: &Launch) -> Result<Gateway, SupervisorError> {
        self.make_end().await;
        let place = self.place;
        let (laid, identities) = (place.clone(), self.identities.clone());
        // Beside this thread, as all that may wait for a disk: whoever asks for a pause meanwhile is heard.
        tokio::task::spawn_blocking(move || lay_out(&laid, &identities))
            .await
            .unwrap_or_else(|error| Err(io::Error::other(error)))
            .map_err(|source| SupervisorError::File { path: place.data().into(), source })?;
        self.start_home(root, &launch.settings).await?;
        Ok(match start_gateway(place, self.identities.gateway(), &launch.listen).await {
            Ok((process, address)) => {
                let _ = std::fs::write(place.gateway(), &address);
                Gateway { address: Ok(address), process: Some(process) }
            }
            Err(why) => {
                let _ = std::fs::remove_file(place.gateway());
                Gateway { address: Err(why), process: None }
            }
        })
    }

    /// Starts the home, hands its key over the pipe, and waits until it says that it is ready.
    async fn start_home(&mut self, root: &RootKey, settings: &str) -> Result<(), SupervisorError> {
        let failed = |error| SupervisorError::Start("home", error);
        let mut command = process("home-process", self.place, self.identities.home())?;
        if self.hears.paused.load(Ordering::SeqCst) {
            command.arg("--paused");
        }
        let child = self.process.insert(command.spawn().map_err(failed)?);
        let mut key = Zeroizing::new(Vec::new());
        self.place.unwrap(root)?.hand_over(&mut *key)?;
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
        let (line, listening) = first_line(child, Some(self.hears.clone())).await.map_err(failed)?;
        self.listening = Some(listening);
        match line.as_str() {
            "ready" => Ok(()),
            "" => Err(SupervisorError::Refused(format!(
                "the home ended at once: {}",
                child.wait().await.map_err(failed)?
            ))),
            why => Err(SupervisorError::Refused(why.replace('\u{1}', "\n"))),
        }
    }

    /// Waits until it has ended by itself; says how.
    async fn ended(&mut self) -> String {
        let Some(process) = &mut self.process else { return "it does not run".into() };
        process.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string())
    }

    /// Asks it to end, and ends it.
    async fn end(&mut self) {
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
    async fn make_end(&mut self) -> bool {
        if let Some(identity) = self.identities.home() {
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

    /// Pauses everything without the home's doing: it is ended, so that nothing leaves, and comes up paused.
    async fn pause(&mut self, asker: Asker) {
        let mut trouble = Vec::new();
        if !self.make_end().await {
            trouble.push(
                "the system has not let go of the home yet, which waits for a disk, say; none of it runs on".to_owned(),
            );
        }
        trouble.extend(self.note_pause().await);
        asker.paused(&trouble).await;
    }

    /// Writes down that everything is paused; else remembers it as long as this process runs, and says why.
    async fn note_pause(&self) -> Option<String> {
        let (place, mark) = (self.place.clone(), self.mark);
        // Beside this thread: a disk that does not answer must not keep whoever asked waiting.
        let marking = tokio::task::spawn_blocking(move || place.mark_paused(mark).map_err(|error| error.to_string()));
        let why = match tokio::time::timeout(NOTED_WITHIN, marking).await {
            Ok(Ok(Ok(()))) => return None,
            Ok(Ok(Err(why))) => why,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the disk does not answer".into(),
        };
        self.hears.paused.store(true, Ordering::SeqCst);
        Some(format!("it could not be recorded and holds only until `bailey serve` is started again: {why}"))
    }
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

async fn start_gateway(place: &Place, identity: Option<Identity>, listen: &str) -> Result<(Child, String), String> {
    let mut command = process("gateway-process", place, identity).map_err(|error| error.to_string())?;
    let mut child = command.arg("--listen").arg(listen).spawn().map_err(|error| error.to_string())?;
    let (line, _) = first_line(&mut child, None).await.map_err(|error| error.to_string())?;
    match line.strip_prefix("listening ") {
        Some(address) => Ok((child, address.to_owned())),
        None => Err(line),
    }
}

/// What a process says first. Of the rest, only that it is alive, and a pause that could not be recorded and its end, are
/// listened to, where there is a place to note it: by the task that is given, too, until the process has ended. Its complaints are
/// passed on.
async fn first_line(child: &mut Child, hears: Option<Hears>) -> io::Result<(String, JoinHandle<()>)> {
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
            if let Some(hears) = &hears {
                match plain(&line).trim_end() {
                    PAUSED => hears.paused.store(true, Ordering::SeqCst),
                    RESUMED => hears.paused.store(false, Ordering::SeqCst),
                    ALIVE => {
                        hears.alive.fetch_add(1, Ordering::SeqCst);
                    }
                    _ => {}
                }
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

/// Waits for a passphrase that opens the home.
async fn unlocked(home: &Home<'_>, door: &mut Door) -> RootKey {
    loop {
        let (words, asker) = match door.next().await {
            (Wanted::Unlock(words), asker) => (words, asker),
            (Wanted::Pause, asker) => {
                asker.paused(&home.note_pause().await.into_iter().collect::<Vec<_>>()).await;
                continue;
            }
        };
        let tried = home.place.root_key(Some(&words)).and_then(|root| match root {
            Some(root) => home.place.unwrap(&root).map(|_| Some(root)),
            None => Ok(None),
        });
        match tried {
            Ok(Some(root)) => {
                asker.unlocked().await;
                return root;
            }
            Ok(None) => {}
            Err(error) => asker.refuse(&error.to_string()).await,
        }
    }
}
