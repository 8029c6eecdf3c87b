//! Guarded sessions: signed in already, and narrowed to one claim or to one named look. What a service holds of an account is
//! one of these; it never sees a credential.

use std::sync::Arc;
use std::time::Duration;

use async_imap::Session;
use async_imap::error::Error;
use bailey_gate::family::Level;
use bailey_gate::family::calendar::CalendarAction;
use bailey_gate::family::mail::MailAction;
use bailey_gate::family::rfc5322;
use bailey_gate::handoff::SystemEgress;
use bailey_gate::{Claimed, ConnectionId};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;

use crate::egress::EgressAuthority;
use crate::http_guard::{HttpStream, Request};
use crate::imap_guard::{Errand, ImapStream};
use crate::imap_hello::{introduce, not_signed_in};
use crate::net::connect;
use crate::oauth::{Login, login_of};
use crate::settings::{Security, Server, Settings};
use crate::sign_in::Unopened;
use crate::smtp::{Submission, hello_names};
use crate::smtp_guard::SmtpGuard;
use crate::starttls::{Protocol, upgrade};
use crate::stream::ClaimedStream;
use crate::{Credential, Vault, VaultError, words};

/// How long one HTTP request to an account's own server may take.
const HTTP_WITHIN: Duration = Duration::from_secs(60);
/// The status of a server that did not take what we signed in with (RFC 9110, 15.5.2).
const UNAUTHORIZED: u16 = 401;
/// How long a good-bye may take.
const GOOD_BYE: Duration = Duration::from_secs(2);
/// Longest answer taken over HTTP, in bytes.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// A signed-in IMAP session whose every line passes the guard.
pub type ImapSession = Session<ImapStream>;

/// The right to sessions with the servers of one account: that of a claim, or that of a look the home takes by name.
#[derive(Debug)]
pub struct Access {
    pub(crate) who: Who,
    wanted: &'static str,
    needed: Level,
    authority: EgressAuthority,
}

pub(crate) enum Who {
    Connection(Option<(ConnectionId, u64)>),
    /// One that is being tried out, and not kept yet.
    Candidate(Box<(Settings, Login)>),
}

impl std::fmt::Debug for Who {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connection(account) => f.debug_tuple("Connection").field(account).finish(),
            Self::Candidate(_) => f.write_str("Candidate(…)"),
        }
    }
}

impl Access {
    /// Returns the right by which bytes leave.
    pub(crate) const fn authority(&self) -> &EgressAuthority {
        &self.authority
    }
}

/// One HTTP request to an account's own server. The host, the credential and, for a claim, the body are not the asker's to choose.
#[derive(Debug, Clone)]
pub struct HttpAsk<'a> {
    /// The method.
    pub method: &'static str,
    /// The path.
    pub path: &'a str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body of a look; a claim's is what was approved.
    pub body: Vec<u8>,
}

/// An answer over HTTP.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// The `ETag` header, as it is.
    pub etag: Option<String>,
    /// The `Location` header, as it is: it is followed by nobody here.
    pub location: Option<String>,
    /// Abilities that the server names (`DAV`, RFC 4918, 10.1): the words of all such headers, in lower case.
    pub able: Vec<String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Vault {
    /// Returns the right of a claim; `wanted` says in words what for. The level is that of the claim's kind.
    #[must_use]
    pub fn access<A>(&self, claimed: &Claimed<A>, wanted: &'static str) -> Access {
        let needed = claimed.kind().needs_level().unwrap_or(Level::Full);
        Access {
            who: Who::Connection(claimed.account()),
            wanted,
            needed,
            authority: EgressAuthority::Claim(claimed.effect_token()),
        }
    }

    /// Returns the rights of a claim that looks at calendars: for the one it is bound to, then for each further one that it names.
    #[must_use]
    pub fn calendars(&self, claimed: &Claimed<CalendarAction>) -> Vec<Access> {
        let also = claimed.action().also().iter().map(|account| Access {
            who: Who::Connection(Some(*account)),
            wanted: "look",
            needed: Level::Read,
            authority: EgressAuthority::Claim(claimed.effect_token()),
        });
        std::iter::once(self.access(claimed, "look")).chain(also).collect()
    }

    /// Returns the right to look at an account, for a named reason of the home's own.
    #[must_use]
    pub fn look(&self, account: Option<(ConnectionId, u64)>, egress: SystemEgress) -> Access {
        let authority = EgressAuthority::System(Arc::clone(&self.lock), egress);
        Access { who: Who::Connection(account), wanted: "look", needed: Level::Read, authority }
    }

    /// Returns the right to send a notice from an account to its own address. It needs the level that sends.
    pub(crate) fn own_notice(&self, account: (ConnectionId, u64)) -> Access {
        let authority = EgressAuthority::System(Arc::clone(&self.lock), SystemEgress::Notification);
        Access { who: Who::Connection(Some(account)), wanted: "send", needed: Level::Send, authority }
    }

    /// Returns the right to look at an account that the person wants to connect.
    #[must_use]
    pub fn try_out(&self, settings: &Settings, credential: &Credential) -> Access {
        let who = Who::Candidate(Box::new((settings.clone(), login_of(settings, credential))));
        let authority = EgressAuthority::System(Arc::clone(&self.lock), SystemEgress::Preparation);
        Access { who, wanted: "look", needed: Level::Read, authority }
    }

    /// Opens what an access is to, if its grant stands as it was bound and covers what is wanted.
    async fn enter(&self, access: &Access) -> Result<(Settings, Login), VaultError> {
        match &access.who {
            Who::Connection(account) => {
                let (id, settings) = self.authorise(*account, access.wanted, access.needed)?;
                let login = self.login(&id, &settings).await?;
                Ok((settings, login))
            }
            Who::Candidate(candidate) => Ok((candidate.0.clone(), candidate.1.clone())),
        }
    }

    /// Returns the settings of the account, if its grant stands as it was bound and covers what is wanted. Fetches no login.
    pub fn settings_of(&self, access: &Access) -> Result<Settings, VaultError> {
        match &access.who {
            Who::Connection(account) => Ok(self.authorise(*account, access.wanted, access.needed)?.1),
            Who::Candidate(candidate) => Ok(candidate.0.clone()),
        }
    }

    /// Opens an IMAP session that can look and nothing else.
    pub async fn imap(&self, access: &Access) -> Result<ImapSession, String> {
        self.open_imap(access, Errand::Look).await
    }

    /// Opens an IMAP session that can make the one move of a claim.
    pub async fn imap_move(&self, claimed: &Claimed<MailAction>) -> Result<ImapSession, String> {
        let (MailAction::Move(moving) | MailAction::Trash(moving) | MailAction::DiscardDraft(moving)) =
            claimed.action()
        else {
            return Err("this action moves no mail".into());
        };
        let errand = Errand::Move { message: moving.message.clone(), to: moving.to.clone(), makes: moving.makes };
        self.open_imap(&self.access(claimed, "move mail"), errand).await
    }

    /// Opens an IMAP session that can set or take off the one mark of a claim.
    pub async fn imap_mark(&self, claimed: &Claimed<MailAction>) -> Result<ImapSession, String> {
        let MailAction::Mark(marking) = claimed.action() else { return Err("this action marks no mail".into()) };
        self.open_imap(&self.access(claimed, "mark mail"), Errand::Mark(Box::new(marking.clone()))).await
    }

    async fn open_imap(&self, access: &Access, errand: Errand) -> Result<ImapSession, String> {
        let (settings, login) = self.enter(access).await.map_err(|error| error.to_string())?;
        match self.imap_as(access, &settings, &login, errand.clone()).await {
            Ok(session) => Ok(session),
            Err(why) => {
                let login = self.once_more(access, &settings, &login, why).await?;
                self.imap_as(access, &settings, &login, errand).await.map_err(Unopened::words)
            }
        }
    }

    async fn imap_as(
        &self,
        access: &Access,
        settings: &Settings,
        login: &Login,
        errand: Errand,
    ) -> Result<ImapSession, Unopened> {
        let settings = settings.mail().ok_or_else(|| "this connection is no mail account".to_owned())?;
        let server = settings.imap.as_ref().ok_or_else(|| "this connection has no server to read from".to_owned())?;
        let name = format!("{}:{}", server.host, server.port);
        let link = connect(server, &self.trust, &access.authority).await?;
        let upgraded = server.security() == Security::Starttls;
        let link =
            if upgraded { upgrade(link, server, &self.trust, &access.authority, Protocol::Imap).await? } else { link };
        let mut client = async_imap::Client::new(ImapStream::new(link, errand, access.authority.clone()));
        if !upgraded {
            let greeting = client.read_response().await.map_err(|error| words(&error))?;
            greeting.ok_or_else(|| format!("the mail server `{name}` did not greet"))?;
        }
        let signed_in = match login {
            Login::None => return Err(format!("the mail server `{name}` needs a password or a token").into()),
            Login::Password { user, password } => client.login(user, password.as_str()).await,
            Login::Bearer { user, token } => client.authenticate("XOAUTH2", Bearer { user, token, asked: false }).await,
        };
        let secret = match login {
            Login::None => "",
            Login::Password { password, .. } => password.as_str(),
            Login::Bearer { token, .. } => token.as_str(),
        };
        let mut session = signed_in.map_err(|(error, _)| {
            let why = not_signed_in(&name, &error, secret);
            if matches!(error, Error::No(_)) { Unopened::SignIn(why) } else { Unopened::Otherwise(why) }
        })?;
        introduce(&mut session).await?;
        Ok(session)
    }

    /// Opens an IMAP session that can put the one message of a claim into the folder it names: the copy of what was sent, which follows
    /// the hand-off, or a draft, whose end is the hand-off.
    pub async fn imap_keep(&self, claimed: &Claimed<MailAction>) -> Result<ImapSession, String> {
        let (message, effect) = match claimed.action() {
            MailAction::Send(message) if claimed.effect_token().is_spent() => (message, false),
            MailAction::SaveDraft(message) => (message, true),
            _ => return Err("this action keeps nothing in the mailbox".into()),
        };
        let folder = message.keep_in.as_deref().cloned().ok_or("this action names no folder to keep a mail in")?;
        let errand = Errand::Keep { folder, bytes: rfc5322::render_kept(message), effect };
        self.open_imap(&self.access(claimed, "keep mail"), errand).await
    }

    /// Opens a session that can hand in the one message of a claim, to its recipients.
    pub async fn submission(&self, claimed: &Claimed<MailAction>) -> Result<Submission, String> {
        let MailAction::Send(message) = claimed.action() else {
            return Err("only a mail can be sent as mail".into());
        };
        let access = self.access(claimed, "send");
        let recipients: Vec<String> = message.recipients().map(|to| to.address.as_str().to_owned()).collect();
        let guard = || SmtpGuard::new(message.from.address.as_str(), &recipients, claimed.artefact());
        self.open_submission(&access, guard).await
    }

    /// Signs in to the server an account sends through, and says good-bye: whether the account can send is known before it is kept.
    pub async fn try_submission(&self, access: &Access) -> Result<(), String> {
        let mut session = self.open_submission(access, SmtpGuard::without_message).await?;
        // How the good-bye goes changes nothing.
        let _ = tokio::time::timeout(GOOD_BYE, session.quit()).await;
        Ok(())
    }

    /// Signs in to the server an account sends through, and tells whether it takes addresses with letters beyond ASCII (RFC 6531).
    pub async fn takes_utf8(&self, access: &Access) -> Result<bool, String> {
        let mut session = self.open_submission(access, SmtpGuard::without_message).await?;
        let takes = session.takes_utf8();
        // How the good-bye goes changes nothing.
        let _ = tokio::time::timeout(GOOD_BYE, session.quit()).await;
        Ok(takes)
    }

    pub(crate) async fn open_submission(
        &self,
        access: &Access,
        guard: impl Fn() -> SmtpGuard + Send + Sync,
    ) -> Result<Submission, String> {
        let (settings, login) = self.enter(access).await.map_err(|error| error.to_string())?;
        match self.submission_as(access, &settings, &login, guard()).await {
            Ok(session) => Ok(session),
            Err(why) => {
                let login = self.once_more(access, &settings, &login, why).await?;
                self.submission_as(access, &settings, &login, guard()).await.map_err(Unopened::words)
            }
        }
    }

    async fn submission_as(
        &self,
        access: &Access,
        settings: &Settings,
        login: &Login,
        guard: SmtpGuard,
    ) -> Result<Submission, Unopened> {
        let settings = settings.mail().ok_or_else(|| "this connection is no mail account".to_owned())?;
        let server =
            settings.submission.as_ref().ok_or_else(|| "this connection has no server to send through".to_owned())?;
        let link = connect(server, &self.trust, &access.authority).await?;
        let names = hello_names(&settings.address, link.local());
        let upgraded = server.security() == Security::Starttls;
        let link = if upgraded {
            upgrade(link, server, &self.trust, &access.authority, Protocol::Smtp(&names)).await?
        } else {
            link
        };
        let stream = ClaimedStream::new(link, guard, access.authority.clone());
        let told = |why| format!("the mail server `{}:{}` {why}", server.host, server.port);
        Submission::open(stream, &names, login, upgraded).await.map_err(|why| match why {
            Unopened::SignIn(why) => Unopened::SignIn(told(why)),
            Unopened::Otherwise(why) => Unopened::Otherwise(told(why)),
        })
    }

    /// Looks at an account's server over HTTP. The service asks for nothing that changes anything; a claim's body does not go
    /// this way.
    pub async fn http(&self, access: &Access, ask: HttpAsk<'_>) -> Result<HttpAnswer, String> {
        self.in_http_time(async {
            let (settings, login) = self.enter(access).await.map_err(|error| error.to_string())?;
            self.look_as(access, &settings, login, ask).await.map(|(answer, _)| answer)
        })
        .await
    }

    /// Looks; once more with a renewed token, where the server refused one before its time. Gives what it was signed in with at last.
    async fn look_as(
        &self,
        access: &Access,
        settings: &Settings,
        login: Login,
        ask: HttpAsk<'_>,
    ) -> Result<(HttpAnswer, Login), String> {
        let answer = self.exchange(access, settings, &login, ask.clone(), false).await?;
        if answer.status != UNAUTHORIZED {
            return Ok((answer, login));
        }
        let refused = Unopened::SignIn(String::new());
        match self.once_more(access, settings, &login, refused).await {
            Ok(login) => Ok((self.exchange(access, settings, &login, ask, false).await?, login)),
            // Its own answer says it best, where there is nothing to try.
            Err(why) if why.is_empty() => Ok((answer, login)),
            Err(why) => Err(why),
        }
    }

    /// Makes the one request of a claim, with exactly the approved bytes as its body, whose last byte is the hand-off. That happens once,
    /// so whether the server takes a token is asked before.
    pub async fn http_write<A: Sync>(&self, claimed: &Claimed<A>, ask: HttpAsk<'_>) -> Result<HttpAnswer, String> {
        let ask = HttpAsk { body: claimed.artefact().to_vec(), ..ask };
        let access = self.access(claimed, "write");
        self.in_http_time(async {
            let (settings, login) = self.enter(&access).await.map_err(|error| error.to_string())?;
            let login = if matches!(login, Login::Bearer { .. }) {
                let headers = vec![("depth", "0".to_owned())];
                let look = HttpAsk { method: "PROPFIND", path: ask.path, headers, body: Vec::new() };
                self.look_as(&access, &settings, login, look).await?.1
            } else {
                login
            };
            self.exchange(&access, &settings, &login, ask, true).await
        })
        .await
    }

    pub(crate) async fn in_http_time<T>(&self, work: impl Future<Output = Result<T, String>>) -> Result<T, String> {
        tokio::time::timeout(HTTP_WITHIN, work)
            .await
            .unwrap_or_else(|_| Err("the server did not answer in time".into()))
    }

    async fn exchange(
        &self,
        access: &Access,
        settings: &Settings,
        login: &Login,
        ask: HttpAsk<'_>,
        writes: bool,
    ) -> Result<HttpAnswer, String> {
        let server: &Server = &settings.dav().ok_or("this connection has no server of this kind")?.server;
        let link = connect(server, &self.trust, &access.authority).await?;
        let request = if writes {
            Request::Write { line: format!("{} {} HTTP/1.1", ask.method, ask.path), body: ask.body.clone() }
        } else {
            Request::Look
        };
        let stream = HttpStream::new(link, access.authority.clone(), request);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| words(&error))?;
        let mut builder = hyper::Request::builder()
            .method(ask.method)
            .uri(ask.path)
            .header("host", format!("{}:{}", server.host, server.port))
            .header("connection", "close");
        let secret = match login {
            Login::None => None,
            Login::Password { user, password } => {
                Some(format!("Basic {}", BASE64.encode(format!("{user}:{}", password.as_str()))))
            }
            Login::Bearer { token, .. } => Some(format!("Bearer {}", token.as_str())),
        };
        if let Some(secret) = secret {
            builder = builder.header("authorization", secret);
        }
        for (name, value) in ask.headers {
            builder = builder.header(name, value);
        }
        let request = builder.body(Full::new(Bytes::from(ask.body))).map_err(|error| error.to_string())?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|error| words(&error))?;
            let status = response.status().as_u16();
            let header =
                |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let (etag, location) = (header("etag"), header("location"));
            let told = response.headers().get_all("dav").iter().filter_map(|value| value.to_str().ok());
            let able = told.flat_map(|words| words.split(',')).map(|word| word.trim().to_ascii_lowercase()).collect();
            let body = Limited::new(response.into_body(), MAX_ANSWER_BYTES)
                .collect()
                .await
                .map_err(|error| error.to_string())?;
            Ok(HttpAnswer { status, etag, location, able, body: body.to_bytes().to_vec() })
        };
        tokio::pin!(exchange);
        tokio::select! {
            answer = &mut exchange => answer,
            // The connection may end before the answer is read to its end; what it left behind is still there.
            _ = connection => exchange.await,
        }
    }
}

/// XOAUTH2: the token, once; then, if the server explains its refusal, an empty line to end the exchange.
struct Bearer<'a> {
    user: &'a str,
    token: &'a str,
    asked: bool,
}

impl async_imap::Authenticator for Bearer<'_> {
    type Response = String;

    fn process(&mut self, _challenge: &[u8]) -> String {
        if std::mem::replace(&mut self.asked, true) {
            return String::new();
        }
        format!("user={}\x01auth=Bearer {}\x01\x01", self.user, self.token)
    }
}
