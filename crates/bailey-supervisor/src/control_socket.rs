//! Listens on the supervisor's control socket, and asks it: one line there, one line back.
//!
//! ```text
//! unlock PASSPHRASE ──▶ unlocked | why not
//! pause             ──▶ paused U+0001 ended | locked U+0001 what is not as it should be …
//! ```

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bailey_keys::Passphrase;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, mpsc};
use zeroize::Zeroizing;

use crate::{Place, SupervisorError};

/// Longest line taken, in bytes: a passphrase, and a word before it.
const MAX_LINE_BYTES: usize = 4 * 1024;
/// How long whoever connects may take to say what it wants.
const SAID_WITHIN: Duration = Duration::from_secs(2);
/// Connections at once.
const MAX_CONNECTIONS: usize = 64;
/// How long to wait where no connection can be taken.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// How long the supervisor may take to answer: it gives the home and the disk some seconds each, and makes a key of a passphrase.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// Longest passphrase that a home can be unlocked with, in bytes.
pub const LONGEST_PASSPHRASE: usize = MAX_LINE_BYTES - UNLOCK.len() - 1;

const UNLOCK: &str = "unlock ";
const PAUSE: &str = "pause";
const UNLOCKED: &str = "unlocked";
const PAUSED: &str = "paused";
const ENDED: &str = "ended";
const LOCKED: &str = "locked";
/// Between the parts of an answer.
const NEXT: char = '\u{1}';

/// A request over the control socket.
pub(crate) enum ControlRequest {
    /// Unlocks the home.
    Unlock(Passphrase),
    /// Pauses everything, whatever the home does.
    Pause,
}

/// The client of a request, which waits for its reply.
pub(crate) struct ControlClient(UnixStream);

impl ControlClient {
    /// Answers; whoever asked may be gone; what was done is done.
    pub(crate) async fn unlocked(self) {
        self.say(UNLOCKED).await;
    }

    /// Tells whether the home was `ended` for it, or is locked.
    pub(crate) async fn paused(self, ended: bool, trouble: &[String]) {
        let how = if ended { ENDED } else { LOCKED };
        let parts: Vec<&str> = [PAUSED, how].into_iter().chain(trouble.iter().map(String::as_str)).collect();
        self.say(&parts.join(&NEXT.to_string())).await;
    }

    pub(crate) async fn refuse(self, why: &str) {
        self.say(why).await;
    }

    async fn say(mut self, line: &str) {
        let _ = self.0.write_all(format!("{}\n", line.replace('\n', " ")).as_bytes()).await;
    }
}

/// The supervisor's control socket, and the requests that arrived over it.
pub(crate) struct ControlSocket {
    asked: mpsc::Receiver<(ControlRequest, ControlClient)>,
    listening: tokio::task::JoinHandle<()>,
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl ControlSocket {
    /// Listens. The supervisor's lock is held, so a socket that lies here is a dead one's.
    pub(crate) fn open(path: &Path) -> Result<Self, SupervisorError> {
        let failed = |source| SupervisorError::File { path: path.into(), source };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            Ok(()) | Err(_) => {}
        }
        let listener = UnixListener::bind(path).map_err(failed)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;
        let (send, asked) = mpsc::channel(MAX_CONNECTIONS);
        Ok(Self { asked, listening: tokio::spawn(listen(listener, send)) })
    }

    /// Returns the next who asks.
    pub(crate) async fn next(&mut self) -> (ControlRequest, ControlClient) {
        match self.asked.recv().await {
            Some(asked) => asked,
            // Never: whoever sends ends with this.
            None => std::future::pending().await,
        }
    }

    /// Returns the next who asks for a pause; those who would unlock what is unlocked are told so.
    pub(crate) async fn next_pause(&mut self) -> ControlClient {
        loop {
            match self.next().await {
                (ControlRequest::Pause, client) => return client,
                (ControlRequest::Unlock(_), client) => refuse_unlocked(client),
            }
        }
    }

    /// Returns whoever else asked for a pause so far.
    pub(crate) fn further_pauses(&mut self) -> Vec<ControlClient> {
        let mut all = Vec::new();
        while let Ok((wanted, client)) = self.asked.try_recv() {
            match wanted {
                ControlRequest::Pause => all.push(client),
                ControlRequest::Unlock(_) => refuse_unlocked(client),
            }
        }
        all
    }
}

fn refuse_unlocked(client: ControlClient) {
    tokio::spawn(async move {
        client.refuse("the home is unlocked already; where it does not answer, `bailey doctor` says why").await
    });
}

/// Takes connections; nobody who says nothing keeps another waiting.
async fn listen(listener: UnixListener, asked: mpsc::Sender<(ControlRequest, ControlClient)>) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((mut stream, _)) = listener.accept().await else {
            // Out of descriptors, say: it may pass.
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let asked = asked.clone();
        tokio::spawn(async move {
            // Whoever says nothing only looked whether somebody is here.
            if let Ok(Some(wanted)) = tokio::time::timeout(SAID_WITHIN, hear(&mut stream)).await {
                let _ = asked.send((wanted, ControlClient(stream))).await;
            }
            drop(permit);
        });
    }
}

/// Returns a whole line, or nothing: what breaks off, and what is longer than may be, is no request.
async fn hear(stream: &mut UnixStream) -> Option<ControlRequest> {
    // It may be a passphrase: read into one place, which is wiped.
    let mut bytes = Zeroizing::new([0; MAX_LINE_BYTES]);
    let mut length = 0;
    let end = loop {
        let count = stream.read(bytes.get_mut(length..)?).await.ok().filter(|count| *count > 0)?;
        let read = bytes.get(length..length + count)?;
        if let Some(at) = read.iter().position(|byte| *byte == b'\n') {
            break length + at;
        }
        length += count;
    };
    let line = std::str::from_utf8(bytes.get(..end)?).ok()?.trim_end_matches('\r');
    match line.strip_prefix(UNLOCK) {
        Some(words) => Some(ControlRequest::Unlock(Passphrase::new(words.to_owned()))),
        None => (line == PAUSE).then_some(ControlRequest::Pause),
    }
}

/// Unlocks a home whose supervisor waits for the passphrase.
pub fn unlock(place: &Place, passphrase: &str) -> Result<(), SupervisorError> {
    if passphrase.len() > LONGEST_PASSPHRASE {
        return Err(SupervisorError::Refused("the passphrase is wrong: none is that long".into()));
    }
    match ask(place, &format!("{UNLOCK}{passphrase}"))?.as_str() {
        UNLOCKED => Ok(()),
        why => Err(SupervisorError::Refused(why.to_owned())),
    }
}

/// How everything was paused without the home's doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PausedBySupervisor {
    /// Tells whether a home was ended for it; else it is locked.
    pub ended: bool,
    /// Says what is not as it should be all the same.
    pub trouble: Vec<String>,
}

/// Has the supervisor pause everything without the home: it ends the home, notes the pause, and starts the home anew. When this
/// returns nothing leaves any more.
pub fn pause(place: &Place) -> Result<PausedBySupervisor, SupervisorError> {
    let answer = ask(place, PAUSE)?;
    let mut parts = answer.split(NEXT).map(str::to_owned);
    match (parts.next().as_deref(), parts.next().as_deref()) {
        (Some(PAUSED), Some(how)) => Ok(PausedBySupervisor { ended: how == ENDED, trouble: parts.collect() }),
        _ => Err(SupervisorError::Refused(answer)),
    }
}

fn ask(place: &Place, line: &str) -> Result<String, SupervisorError> {
    use std::io::{BufRead as _, BufReader, Write as _};
    let path = place.socket();
    let failed = |source| SupervisorError::File { path: path.clone(), source };
    let mut stream = std::os::unix::net::UnixStream::connect(&path).map_err(failed)?;
    // Who listens (SO_PEERCRED, unix(7)), to be named where it does not answer.
    let listener = rustix::net::sockopt::socket_peercred(&stream).ok().map(|peer| peer.pid.as_raw_nonzero());
    let line = Zeroizing::new(format!("{line}\n"));
    stream.set_read_timeout(Some(ANSWER_WITHIN)).and_then(|()| stream.write_all(line.as_bytes())).map_err(failed)?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => SupervisorError::Refused(format!(
            "it did not answer within {} s; `kill -KILL {}` ends it, and with it everything",
            ANSWER_WITHIN.as_secs(),
            listener.map_or_else(|| "PROCESS".into(), |process| process.to_string())
        )),
        _ => failed(error),
    })?;
    match answer.trim_end_matches('\n') {
        "" => Err(failed(io::ErrorKind::UnexpectedEof.into())),
        answer => Ok(answer.to_owned()),
    }
}
