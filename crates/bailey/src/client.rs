//! Talking to the running home.

use std::fmt;
use std::io::{self, Write as _};
use std::path::PathBuf;

use bailey_gate::approval::Purpose;
use bailey_gate::event::Client as ClientKind;
use bailey_gate::{Challenge as Asked, HomeId, Nonce};
use bailey_home::Layout;
use bailey_home::routes::{self, Address, Events, Octets, Text};
use bailey_interface::{AssertionBody, Challenge, Code, CredentialHint, CredentialKind, Failure, ProofBody};
use bailey_keys::{Passphrase, credential};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

/// How long an answer may take before the person is told that it is waited for.
const LONG: std::time::Duration = std::time::Duration::from_secs(10);

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Nothing answers on the socket.
    NotRunning(PathBuf),
    /// A supervisor runs, and its home does not answer.
    Locked(PathBuf),
    /// The home refused.
    Refused(Failure),
    /// Something on this side.
    Here(String),
    /// What there is to say is printed already.
    Printed(u8),
}

impl Trouble {
    /// Returns the exit code of the program.
    pub(crate) const fn exit_code(&self) -> u8 {
        match self {
            Self::Here(_) => 1,
            Self::NotRunning(_) | Self::Locked(_) => 3,
            Self::Printed(code) => *code,
            Self::Refused(failure) => match failure.code {
                Code::Invalid | Code::Malformed | Code::TooLong | Code::WrongMethod => 2,
                Code::Unauthenticated | Code::NotAuthorised => 4,
                Code::Conflict | Code::Paused => 5,
                Code::NotFound => 6,
                Code::DiskFull => 7,
                Code::Internal | Code::Busy => 1,
            },
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked(data) => {
                write!(
                    f,
                    "Bailey does not answer for `{}`: it is locked (`bailey unlock`), or starting, or cannot start (`bailey doctor` says why)",
                    data.display()
                )
            }
            Self::NotRunning(data) => {
                write!(f, "Bailey is not running for `{}`; start it with `bailey serve`", data.display())
            }
            Self::Refused(failure) => f.write_str(&failure.message),
            Self::Here(why) => f.write_str(why),
            Self::Printed(_) => Ok(()),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Here(error.to_string())
    }
}

/// Tells whether a supervisor is there, though its home does not answer.
pub(crate) fn is_supervised(layout: &Layout) -> bool {
    std::os::unix::net::UnixStream::connect(bailey_supervisor::Place::new(layout.root()).socket()).is_ok()
}

/// The home behind its socket.
pub(crate) struct Client {
    layout: Layout,
    token: String,
    session: [u8; 16],
}

impl Client {
    /// Finds the home and the token; talks to nobody yet.
    pub(crate) fn new(layout: Layout) -> Result<Self, Trouble> {
        layout.info().map_err(|error| Trouble::Here(error.to_string()))?;
        let path = layout.token();
        let token = layout
            .read_token_of(ClientKind::CommandLine)
            .map_err(|error| Trouble::Here(format!("the token `{}` cannot be read: {error}", path.display())))?;
        let session = bailey_keys::random().map_err(|error| Trouble::Here(error.to_string()))?;
        Ok(Self { layout, token, session })
    }

    /// Tells where the home lies.
    pub(crate) const fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) async fn get<A: DeserializeOwned>(&self, from: &Address<(), A>) -> Result<A, Trouble> {
        parse(&self.exchange(from, &()).await?)
    }

    pub(crate) async fn get_raw(&self, from: &Address<(), Octets>) -> Result<Vec<u8>, Trouble> {
        self.exchange(from, &()).await
    }

    pub(crate) async fn post<B: Serialize, A: DeserializeOwned>(
        &self,
        to: &Address<B, A>,
        body: &B,
    ) -> Result<A, Trouble> {
        parse(&self.exchange(to, body).await?)
    }

    pub(crate) async fn post_for_text(&self, to: &Address<(), Text>) -> Result<String, Trouble> {
        String::from_utf8(self.exchange(to, &()).await?).map_err(|error| Trouble::Here(error.to_string()))
    }

    /// Writes what a route answers with, as it arrives, however long it is.
    pub(crate) async fn get_into(&self, from: &Address<(), Octets>, out: &mut dyn io::Write) -> Result<(), Trouble> {
        self.post_into(from, &(), out).await
    }

    /// Writes an answer as it arrives, however long it is.
    pub(crate) async fn post_into<B: Serialize>(
        &self,
        to: &Address<B, Octets>,
        body: &B,
        out: &mut dyn io::Write,
    ) -> Result<(), Trouble> {
        let mut arriving = self.ask(to, body).await?;
        while let Some(frame) = arriving.frame().await {
            if let Ok(piece) = frame.map_err(broke_off)?.into_data() {
                out.write_all(&piece)?;
            }
        }
        Ok(out.flush()?)
    }

    /// Hears events as they come (WHATWG HTML, 9.2.6), by name and data, until the home ends the stream.
    pub(crate) async fn events(
        &self,
        from: &Address<(), Events>,
        mut each: impl FnMut(&str, &str) -> io::Result<()>,
    ) -> Result<(), Trouble> {
        let mut arriving = self.ask(from, &()).await?;
        let (mut text, mut name) = (Vec::new(), String::new());
        while let Some(frame) = arriving.frame().await {
            let Ok(piece) = frame.map_err(broke_off)?.into_data() else { continue };
            text.extend_from_slice(&piece);
            while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = text.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                match line.trim_end().split_once(':') {
                    Some(("event", value)) => name = value.trim_start().to_owned(),
                    Some(("data", value)) => each(&name, value.strip_prefix(' ').unwrap_or(value))?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    async fn exchange<B: Serialize, A>(&self, to: &Address<B, A>, body: &B) -> Result<Vec<u8>, Trouble> {
        let arriving = self.ask(to, body).await?;
        Ok(arriving.collect().await.map_err(broke_off)?.to_bytes().to_vec())
    }

    /// Sends a request; gives the body of the answer where that is no failure.
    async fn ask<B: Serialize, A>(&self, to: &Address<B, A>, body: &B) -> Result<Incoming, Trouble> {
        let here = |error: &dyn fmt::Display| Trouble::Here(format!("the home did not answer: {error}"));
        let body = serde_json::to_vec(body).map_err(|error| Trouble::Here(error.to_string()))?;
        // A route without a body takes none.
        let body = if body == b"null" { Vec::new() } else { body };
        let stream =
            UnixStream::connect(self.layout.socket()).await.map_err(|_| match is_supervised(&self.layout) {
                true => Trouble::Locked(self.layout.root().to_path_buf()),
                false => Trouble::NotRunning(self.layout.root().to_path_buf()),
            })?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| here(&e))?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(to.method.name())
            .uri(&to.target)
            .header("host", "home")
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|e| here(&e))?;
        let answer = sender.send_request(request);
        tokio::pin!(answer);
        let response = tokio::select! {
            answered = &mut answer => answered,
            () = tokio::time::sleep(LONG), if !to.target.starts_with(&routes::CHANGES.here().target) => {
                // Whoever reads it may be gone.
                let _ = writeln!(io::stderr(), "Still waiting for the home. If it hangs: `bailey pause` stops everything even so.");
                answer.await
            }
        };
        let response = response.map_err(broke_off)?;
        let status = response.status();
        if status.is_success() {
            return Ok(response.into_body());
        }
        let bytes = response.into_body().collect().await.map_err(broke_off)?.to_bytes();
        match serde_json::from_slice(&bytes) {
            Ok(failure) => Err(Trouble::Refused(failure)),
            Err(_) => Err(Trouble::Here(format!("the home answered with status {status}"))),
        }
    }

    /// Signs a purpose with the key that the approval passphrase makes.
    pub(crate) async fn prove(&self, purpose: &Purpose, words: &Passphrase) -> Result<ProofBody, Trouble> {
        let wrong = |error: &dyn fmt::Display| Trouble::Here(error.to_string());
        let challenge: Challenge = self.post(&routes::CHALLENGE.here(), &()).await?;
        let home: HomeId = challenge.home.parse().map_err(|e| wrong(&e))?;
        let asked: Asked = challenge.challenge.parse().map_err(|e| wrong(&e))?;
        let (id, salt) = challenge.credentials.iter().find_map(of_passphrase).ok_or_else(|| {
            Trouble::Here("no approval passphrase is set in this home; answer with another credential".into())
        })?;
        let salt: Nonce = salt.parse().map_err(|e| wrong(&e))?;
        let key = credential::signing_key(words, salt.as_bytes()).map_err(|e| wrong(&e))?;
        Ok(ProofBody {
            credential: id.to_owned(),
            assertion: AssertionBody::PassphraseKey {
                signature: BASE64.encode(key.sign(&purpose.message(&home, &asked))),
            },
            challenge: challenge.challenge,
            session: Nonce::from_bytes(self.session).to_string(),
        })
    }
}

/// Returns the identity and the salt of a credential that a passphrase makes.
fn of_passphrase(hint: &CredentialHint) -> Option<(&str, &str)> {
    let salt = hint.salt.as_deref()?;
    (hint.kind == CredentialKind::PassphraseKey).then_some((hint.id.as_str(), salt))
}

fn broke_off(error: hyper::Error) -> Trouble {
    Trouble::Here(format!(
        "the home broke off before it had answered ({error}); what was asked may be done or not: look before you ask for it \
         again"
    ))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Trouble> {
    serde_json::from_slice(bytes)
        .map_err(|error| Trouble::Here(format!("the home's answer is not understood: {error}")))
}
