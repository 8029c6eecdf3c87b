//! Where a home's files lie, and how a new one comes about.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use bailey_gate::event::{Actor, Client, Event, EventKind, Payload};
use bailey_gate::handoff::{Mode, PauseState};
use bailey_gate::{HomeId, Nonce};
use bailey_keys::{HomeKey, KeyError, Passphrase, RootKey, RootKind, credential};
use bailey_ledger::{CredentialKind, Ledger, MarkFile, OpenError, Paths, PauseFile};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};

use crate::clock::Clock;

/// `O_NOFOLLOW`: opening a symbolic link fails.
#[expect(clippy::cast_possible_wrap, reason = "the flags of open(2) are an int")]
const NO_LINKS: i32 = rustix::fs::OFlags::NOFOLLOW.bits() as i32;

/// The folder everything lies in.
///
/// `home/` is the home: copied alone, it cannot be read. `keys/` holds the key file where one is used, `state/` what an
/// older copy of `home/`, put in its place, must not turn back: the mark that tells it, and the pause record.
#[derive(Debug, Clone)]
pub struct Layout(PathBuf);

/// `home/home.json`: what must be known before the key is.
#[derive(Debug, Serialize, Deserialize)]
pub struct HomeInfo {
    /// Version of this file.
    pub version: u32,
    /// Whose home it is.
    pub home: String,
    /// Where its root key comes from.
    pub root: RootKind,
}

/// Why a home could not be made or found.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// There is none.
    #[error("there is no home in `{0}`; run `bailey setup` first")]
    Missing(PathBuf),
    /// There is one already.
    #[error("there is a home in `{0}` already; nothing was changed")]
    Exists(PathBuf),
    /// One was deleted here, and something of it is left.
    #[error(
        "the home that was in `{0}` is deleted, but not all of it is removed yet; run `bailey serve`, which finishes that, then \
         `bailey setup` again; nothing was changed"
    )]
    Deleting(PathBuf),
    /// The approval passphrase is too short.
    #[error(
        "the approval passphrase has fewer than {} characters, or hardly any different ones; choose a longer one",
        credential::MIN_PASSPHRASE_CHARS
    )]
    ShortPassphrase,
    /// A file cannot be used.
    #[error("`{path}` cannot be used: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The home's description is damaged.
    #[error("`{0}` is damaged; put it back from a backup")]
    Damaged(PathBuf),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The clock.
    #[error("{0}")]
    Clock(String),
}

/// Where the root key of a new home comes from.
#[derive(Debug)]
pub enum RootChoice {
    /// A key file: the home opens unattended.
    KeyFile,
    /// A passphrase: the home stays locked until it is given.
    Passphrase(Passphrase),
}

impl Layout {
    /// Returns the layout below a folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self(root.into())
    }

    /// Returns the folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.0
    }

    /// Returns the path of `config.toml`.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.0.join("config.toml")
    }

    /// Returns the socket of the running home.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.0.join("run").join("home.sock")
    }

    /// Returns the socket where sealed bytes of browsers come in.
    #[must_use]
    pub fn tls_socket(&self) -> PathBuf {
        self.0.join("run").join("tls.sock")
    }

    /// Returns the socket where the running home gives its metrics.
    #[must_use]
    pub fn metrics_socket(&self) -> PathBuf {
        self.0.join("run").join("metrics.sock")
    }

    /// Returns the token that may propose and observe.
    #[must_use]
    pub fn token(&self) -> PathBuf {
        self.home().join("token")
    }

    /// Reads that token.
    pub fn read_token(&self) -> io::Result<String> {
        let bytes = bailey_keys::read_small(&self.token())?;
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    /// Reads that token, and makes of it the one that a kind of client shows.
    pub fn read_token_of(&self, client: Client) -> io::Result<String> {
        token_of(client, &self.read_token()?).ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    /// Says, for good, that the home is to be destroyed; the supervisor does it, at the latest when it starts again.
    pub(crate) fn mark_deletion_pending(&self) -> Result<(), LayoutError> {
        let path = self.deletion_marker();
        let file = |source| LayoutError::File { path: path.clone(), source };
        let mut made = fs::OpenOptions::new();
        made.write(true).create(true).truncate(false).custom_flags(NO_LINKS);
        let written = made.open(&path).and_then(|file| file.sync_all());
        let written = written.and_then(|()| File::open(self.0.join("state"))?.sync_all());
        written.map_err(file)
    }

    fn deletion_marker(&self) -> PathBuf {
        self.0.join("state").join("delete")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.0.join("home")
    }

    /// Returns the index of words. It goes with the home, and belongs in no backup.
    pub(crate) fn search_index(&self) -> PathBuf {
        self.home().join("search.db")
    }

    /// Returns the folder of the agent's computer: its disk, and what is saved of its machine, both locked with a key of the home's.
    pub(crate) fn computer(&self) -> PathBuf {
        self.home().join("computer")
    }

    /// Returns where it is kept whether this machine's processor holds guests.
    pub(crate) fn computer_probe(&self) -> PathBuf {
        self.0.join("state").join("kvm")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.0.join("state").join("lock")
    }

    /// Opens the note of what is still to be done to the browsers.
    pub(crate) fn browsers_note(&self) -> Result<BrowsersNote, LayoutError> {
        let path = self.0.join("state").join("browsers");
        BrowsersNote::open(&path).map_err(|source| LayoutError::File { path, source })
    }

    /// Notes that the passkeys of a home that was put back from a backup count only once the approval passphrase confirms them: some
    /// may have been ended since.
    pub fn doubt_browsers(&self) -> Result<(), LayoutError> {
        private_folder(&self.0.join("state"))?;
        let note = self.browsers_note()?;
        note.write(BrowsersLeft::Doubt).map_err(|source| LayoutError::File { path: self.0.join("state"), source })
    }

    fn mark(&self) -> PathBuf {
        self.0.join("state").join("mark")
    }

    fn pause(&self) -> PathBuf {
        self.0.join("state").join("pause")
    }

    fn key_file(&self) -> PathBuf {
        self.0.join("keys").join("root.key")
    }

    /// Returns what is known of the home before it is opened.
    pub fn info(&self) -> Result<HomeInfo, LayoutError> {
        let path = self.home().join("home.json");
        match bailey_keys::read_small(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| LayoutError::Damaged(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(LayoutError::Missing(self.0.clone())),
            Err(source) => Err(LayoutError::File { path, source }),
        }
    }

    /// Opens the stored parts of the home.
    pub(crate) fn open(&self, key: HomeKey, clock: &Clock, witness: Option<&Path>) -> Result<Opened, LayoutError> {
        let home = self.home();
        let mark = MarkFile::new(&self.mark());
        let mark = match witness {
            Some(witness) => mark.witnessed(witness, clock.now().boot_id),
            None => mark,
        };
        let (ledger, found) = open_ledger(&home, mark, false, key, clock)?;
        let pause = self.pause();
        let (record, recorded) = PauseFile::open(&pause).map_err(|source| LayoutError::File { path: pause, source })?;
        let token = self.read_token().map_err(|source| LayoutError::File { path: self.token(), source })?;
        Ok(Opened { ledger, found, record, recorded, token })
    }

    /// Looks through what is stored, and changes nothing; the home may run meanwhile.
    pub fn look(&self, key: &HomeKey) -> Result<(), LayoutError> {
        let home = self.home();
        Ok(bailey_ledger::look(&home.join("ledger.db"), &home.join("keys.db"), key)?)
    }

    /// Makes a home. Put together beside its place and moved there last, so an interrupted setup leaves none behind.
    pub fn create(&self, root: RootChoice, approval: &Passphrase) -> Result<HomeId, LayoutError> {
        if approval.chars() < credential::MIN_PASSPHRASE_CHARS || approval.is_trivial() {
            return Err(LayoutError::ShortPassphrase);
        }
        if self.home().exists() {
            return Err(LayoutError::Exists(self.0.clone()));
        }
        // Whatever were made here now would go with the rest.
        if fs::symlink_metadata(self.deletion_marker()).is_ok() {
            return Err(LayoutError::Deleting(self.0.clone()));
        }
        private_folder(&self.0)?;
        private_folder(&self.0.join("state"))?;
        let fresh = self.0.join("home.new");
        let file = |path: &Path, source| LayoutError::File { path: path.into(), source };
        if fresh.exists() {
            fs::remove_dir_all(&fresh).map_err(|source| file(&fresh, source))?;
        }
        private_folder(&fresh)?;
        let (kind, root) = self.create_root(root)?;
        let home = HomeId::from_bytes(bailey_keys::random()?);
        let key = HomeKey::create(&fresh.join("home.key"), *home.as_bytes(), &root)?;
        self.fill(&fresh, key, approval)?;
        let info = HomeInfo { version: 1, home: home.to_string(), root: kind };
        let text = serde_json::to_string_pretty(&info).map_err(|_| LayoutError::Damaged(fresh.clone()))?;
        let path = fresh.join("home.json");
        fs::write(&path, text).map_err(|source| file(&path, source))?;
        fs::rename(&fresh, self.home()).map_err(|source| file(&fresh, source))?;
        File::open(&self.0).and_then(|folder| folder.sync_all()).map_err(|source| file(&self.0, source))?;
        Ok(home)
    }

    fn create_root(&self, root: RootChoice) -> Result<(RootKind, RootKey), LayoutError> {
        match root {
            RootChoice::Passphrase(words) => Ok(RootKey::enrol(&words)?),
            RootChoice::KeyFile => {
                private_folder(&self.0.join("keys"))?;
                let path = self.key_file();
                // A key left by an interrupted setup belongs to no home yet, so it is as good as a new one.
                let key = if path.exists() { RootKey::from_file(&path) } else { RootKey::create_file(&path) };
                Ok((RootKind::KeyFile, key?))
            }
        }
    }

    fn fill(&self, folder: &Path, key: HomeKey, approval: &Passphrase) -> Result<(), LayoutError> {
        let clock = Clock::new(None).map_err(LayoutError::Clock)?;
        let mark = self.mark();
        let _ = fs::remove_file(&mark);
        let (ledger, _) = open_ledger(folder, MarkFile::new(&mark), true, key, &clock)?;
        let approver = credential::enrol(approval)?;
        let pause_state = PauseState { mode: Mode::Open, epoch: 0, lease_epoch: 0 };
        // Introduced in the log, so that from then on it shows by itself who approved (`docs/log-format.md`).
        let introduced = Payload::default()
            .text("home", ledger.home().to_string())
            .text("credential", Nonce::from_bytes(approver.id).to_string())
            .text("kind", CredentialKind::PassphraseKey.name())
            .bytes("public", approver.public.to_vec());
        ledger
            .write(|tx| {
                tx.put_passphrase_key(&approver.id, &approver.salt, &approver.public)?;
                let entry = Event::of_home(EventKind::Authority, Actor::Person, clock.now(), pause_state);
                tx.append(&Event { payload: introduced, ..entry }, None).map(|_| ())
            })
            .map_err(OpenError::from)?;
        let pause = self.pause();
        let _ = fs::remove_file(&pause);
        PauseFile::create(&pause).map_err(|source| LayoutError::File { path: pause, source })?;
        let token = folder.join("token");
        let text = BASE64.encode(bailey_keys::random::<32>()?);
        write_private(&token, &text).map_err(|source| LayoutError::File { path: token, source })
    }
}

/// What is still to be done to the browsers when the home starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BrowsersLeft {
    /// Nothing.
    Nothing,
    /// Every session is to be ended: the end of one could not be written down.
    EndSessions,
    /// No passkey counts until it is confirmed, and no session.
    Doubt,
}

/// The note of that: one byte, there before it is needed and overwritten in place, so that it can be left on a full disk.
#[derive(Debug)]
pub(crate) struct BrowsersNote(File);

impl BrowsersNote {
    fn open(path: &Path) -> io::Result<Self> {
        let mut made = fs::OpenOptions::new();
        made.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(NO_LINKS);
        let note = Self(made.open(path)?);
        if note.0.metadata()?.len() == 0 {
            note.write(BrowsersLeft::Nothing)?;
        }
        Ok(note)
    }

    /// Reads it. What nobody wrote means the most there can be to do.
    pub(crate) fn read(&self) -> BrowsersLeft {
        let mut byte = [0];
        match self.0.read_exact_at(&mut byte, 0) {
            Ok(()) if byte == *b"-" => BrowsersLeft::Nothing,
            Ok(()) if byte == *b"s" => BrowsersLeft::EndSessions,
            Ok(()) | Err(_) => BrowsersLeft::Doubt,
        }
    }

    /// Writes it; durable when it returns.
    pub(crate) fn write(&self, left: BrowsersLeft) -> io::Result<()> {
        let byte = match left {
            BrowsersLeft::Nothing => b"-",
            BrowsersLeft::EndSessions => b"s",
            BrowsersLeft::Doubt => b"d",
        };
        self.0.write_all_at(byte, 0)?;
        self.0.sync_data()
    }
}

/// The stored parts of a home.
pub(crate) struct Opened {
    pub(crate) ledger: Ledger,
    pub(crate) found: bailey_ledger::Opened,
    pub(crate) record: PauseFile,
    pub(crate) recorded: bailey_ledger::Recorded,
    pub(crate) token: String,
}

fn open_ledger(
    home: &Path,
    mark: MarkFile,
    create: bool,
    key: HomeKey,
    clock: &Clock,
) -> Result<(Ledger, bailey_ledger::Opened), OpenError> {
    let (database, keys) = (home.join("ledger.db"), home.join("keys.db"));
    Ledger::open(Paths { database: &database, keys: &keys, mark: Box::new(mark), create }, key, clock.now())
}

/// Returns the token by which a kind of client is told. Programs show the home's own; the command line one that is made of it,
/// so that no
/// request of a program is taken for the person's terminal by accident. Whoever can read the file can make both: it says
/// which client a request came from, and opens nothing that the other does not. A dashboard has no token but sessions.
pub(crate) fn token_of(client: Client, token: &str) -> Option<String> {
    match client {
        Client::Program => Some(token.to_owned()),
        Client::CommandLine => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes());
            Some(BASE64.encode(hmac::sign(&key, b"bailey command line 1")))
        }
        Client::Dashboard => None,
    }
}

fn private_folder(path: &Path) -> Result<(), LayoutError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| LayoutError::File { path: path.into(), source })
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
