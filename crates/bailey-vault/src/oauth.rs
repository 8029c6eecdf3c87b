//! OAuth 2: authorization code with PKCE (RFC 6749, 7636, 8252, 9207), refresh, revocation (RFC 7009).
//!
//! The three exchanges are form posts; written out here rather than through a library, because the one that fits refuses to
//! revoke at a server on this machine, and everything around them (one refresh at a time, durable before use, bound to the
//! grant's generation) is ours anyway.

use bailey_gate::ConnectionId;
use bailey_gate::family::Level;
use bailey_gate::handoff::SystemEgress;
use bailey_telemetry::{Id, event};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Method;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use crate::http::{Form, HttpError, Whole, retry_after};
use crate::oauth_answers::{
    CALLBACK, Denied, Granted, Metadata, metadata_addresses, missing, read_callback, read_granted, read_metadata,
};
use crate::{Credential, Settings, Vault, VaultError, preset};

/// How long a connection to the callback may take to say what it wants.
const CALLBACK_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);
/// Longest request line of a callback.
const MAX_CALLBACK_BYTES: u64 = 16 * 1024;
/// An access token is renewed when it has less than this left, in milliseconds.
const RENEW_BEFORE_MS: i64 = 30_000;
/// An access token is renewed this long before its end, in milliseconds, or when a fifth of its life is left.
const RENEW_AHEAD_MS: i64 = 5 * 60_000;
/// How long to wait before a renewal is tried again, where no token holds meanwhile.
const RENEWAL_WAITS: [std::time::Duration; 2] =
    [std::time::Duration::from_millis(500), std::time::Duration::from_secs(2)];
/// Longest wait that a server may ask for before a renewal is tried again at once, while somebody waits for the session.
const LONGEST_RENEWAL_WAIT: std::time::Duration = std::time::Duration::from_secs(20);
/// Longest time for which a server is not asked because it wants so, in milliseconds: an hour, whatever it says.
const LONGEST_SILENCE_MS: i64 = 60 * 60_000;
/// How long after a token was renewed because it was refused before its time another may be for that reason, in milliseconds: a server
/// that refuses every token does not cost one at every use.
const EARLY_AGAIN_MS: i64 = 10 * 60_000;
/// How long after a renewal that was wanted because a token was refused before its time, and failed, the next is tried, in milliseconds;
/// twice as long each time, up to [`EARLY_AGAIN_MS`].
const EARLY_FAILED_MS: i64 = 30_000;
/// How long an access token is taken to live where the server does not tell, in seconds.
const UNTOLD_SECONDS: i64 = 300;

/// What a connection's renewals wait for. It is kept while the home runs.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Until when the server wants to be left alone: milliseconds since 1970-01-01T00:00Z, 0 where it said nothing.
    silent_until_ms: i64,
    /// Until when no token is renewed because it was refused before its time, and how many such renewals failed, one after the other.
    early_until_ms: i64,
    early_failures: u32,
}

impl Waiting {
    /// Takes note that a renewal failed that was wanted because a token was refused before its time.
    fn early_failed(&mut self, now_ms: i64) {
        let wait_ms = EARLY_FAILED_MS.saturating_mul(1 << self.early_failures.min(16)).min(EARLY_AGAIN_MS);
        self.early_failures = self.early_failures.saturating_add(1);
        self.early_until_ms = now_ms.saturating_add(wait_ms);
    }

    /// Tells whether such a renewal may be tried. A clock that was set back by more than the longest wait keeps none from it.
    fn may_be_early(&self, now_ms: i64) -> bool {
        let left_ms = self.early_until_ms.saturating_sub(now_ms);
        !(1..=EARLY_AGAIN_MS).contains(&left_ms)
    }
}

/// What is stored to sign in with; `version` rises with every renewal.
#[derive(Serialize, Deserialize)]
pub(crate) struct Tokens {
    version: u64,
    credential: Credential,
    /// When the access token ends: milliseconds since 1970-01-01T00:00Z; 0 where unknown.
    expires_ms: i64,
    /// From when on it is renewed, so that a bad minute of the server's costs nothing: milliseconds, 0 where unknown.
    #[serde(default)]
    renew_ms: i64,
    /// When one was last renewed because it was refused before its time: milliseconds, 0 where none was.
    #[serde(default)]
    early_ms: i64,
}

impl Tokens {
    pub(crate) fn first(credential: &Credential) -> TokensRef<'_> {
        TokensRef { version: 1, credential, expires_ms: 0 }
    }

    /// Tells whether the access token may still be good.
    fn may_stand(&self, now_ms: i64) -> bool {
        self.expires_ms == 0 || self.expires_ms > now_ms
    }
}

/// The same, borrowed, for storing.
#[derive(Serialize)]
pub(crate) struct TokensRef<'a> {
    version: u64,
    credential: &'a Credential,
    expires_ms: i64,
}

/// How tokens replace those they were renewed from: the part of a renewal that decides, without a network. The simulator
/// runs it too.
pub mod renewal {
    use bailey_gate::ConnectionId;
    use bailey_gate::ledger::StoreError;
    use bailey_ledger::{Ledger, LedgerTx};

    use super::Tokens;
    use crate::{CREDENTIAL, Credential, record};

    /// Tokens as they are stored, of a version.
    pub fn stored(version: u64, access: String, refresh: String) -> Result<Vec<u8>, crate::VaultError> {
        let credential = Credential::Tokens { access, refresh: Some(refresh) };
        crate::json(&Tokens { version, credential, expires_ms: 0, renew_ms: 0, early_ms: 0 })
    }

    /// Stores the first tokens of a connection.
    pub fn put_first(tx: &mut LedgerTx<'_>, id: &ConnectionId, tokens: &[u8]) -> Result<(), StoreError> {
        tx.put_record(record(CREDENTIAL, id), tokens)
    }

    /// Returns the version of a connection's tokens; `None` where it has none any more.
    pub fn version(ledger: &Ledger, id: &ConnectionId) -> Result<Option<u64>, StoreError> {
        let bytes = ledger.record(record(CREDENTIAL, id))?;
        Ok(bytes.and_then(|bytes| version_of(&bytes)))
    }

    fn version_of(bytes: &[u8]) -> Option<u64> {
        serde_json::from_slice::<Tokens>(bytes).ok().map(|tokens| tokens.version)
    }

    /// Puts renewed tokens in the place of those of version `seen`, if the grant stands as it was and nobody else renewed
    /// them. Gives the key of what was replaced, to be destroyed; outer `None` if nothing was written.
    pub fn keep(
        tx: &mut LedgerTx<'_>,
        id: &ConnectionId,
        generation: u64,
        seen: u64,
        renewed: &[u8],
    ) -> Result<Option<Option<u64>>, StoreError> {
        let stands = tx.grant(id)?.is_some_and(|grant| grant.active && grant.generation == generation);
        let name = record(CREDENTIAL, id);
        let current = tx.record(name)?.and_then(|bytes| version_of(&bytes));
        if !stands || current != Some(seen) {
            return Ok(None);
        }
        let old = tx.remove_record(name)?;
        tx.put_record(name, renewed)?;
        Ok(Some(old))
    }
}

/// How to sign in, for one session.
#[derive(Clone)]
pub(crate) enum Login {
    None,
    Password { user: String, password: Zeroizing<String> },
    Bearer { user: String, token: Zeroizing<String> },
}

/// What telling the provider came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// The provider confirmed.
    Confirmed,
    /// The provider could not be told; the person should look there.
    Unconfirmed(String),
    /// Only the person can take it back, on the provider's page.
    ByHand,
    /// There was nothing to take back.
    Nothing,
    /// It was revoked before.
    Before,
}

/// Why a server gave no answer.
enum Unasked {
    /// It cannot answer now: why, and how long it asks to wait, where it says so.
    Now(String, Option<std::time::Duration>),
    /// Asking again does not help.
    Never(VaultError),
}

impl From<Unasked> for VaultError {
    fn from(unasked: Unasked) -> Self {
        match unasked {
            Unasked::Now(why, _) => Self::Refused(format!("the authorization server does not answer: {why}")),
            Unasked::Never(error) => error,
        }
    }
}

/// Why there are no tokens.
enum Untraded {
    /// The sign-in is over; the server's name for it.
    Over(String),
    Unasked(Unasked),
}

impl From<Unasked> for Untraded {
    fn from(unasked: Unasked) -> Self {
        Self::Unasked(unasked)
    }
}

impl Untraded {
    fn at_sign_in(self) -> VaultError {
        match self {
            Self::Over(name) => {
                VaultError::Refused(format!("the authorization server refused: {name}; connect the account again"))
            }
            Self::Unasked(unasked) => unasked.into(),
        }
    }
}

/// A sign-in under way: the person's browser has to come back.
pub struct Flow {
    /// The address that the person opens.
    pub url: String,
    back: Back,
    metadata: Metadata,
    redirect: String,
    state: String,
    verifier: Zeroizing<String>,
    scopes: Vec<String>,
}

/// How the browser comes back.
enum Back {
    /// To a port of this machine.
    Listener(TcpListener),
    /// To a page, which hands over what it brought.
    Page(tokio::sync::oneshot::Receiver<Result<Zeroizing<String>, VaultError>>),
}

/// Hands over what a browser brings back to a page.
pub struct Callback {
    state: String,
    issuer: String,
    to: tokio::sync::oneshot::Sender<Result<Zeroizing<String>, VaultError>>,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Callback(…)")
    }
}

impl Callback {
    /// Tells whether a query is the answer to this sign-in.
    #[must_use]
    pub fn is_of(&self, query: &str) -> bool {
        self.read(query).is_some()
    }

    /// Hands over what a query brings, once. False where it is not the answer to this sign-in, or nobody waits any more.
    #[must_use]
    pub fn take(self, query: &str) -> bool {
        let Some(brought) = self.read(query) else { return false };
        self.to.send(brought).is_ok()
    }

    fn read(&self, query: &str) -> Option<Result<Zeroizing<String>, VaultError>> {
        read_callback(&format!("GET {CALLBACK}?{query} HTTP/1.1"), &self.state, &self.issuer)
    }
}

/// What a sign-in brought.
#[derive(Debug)]
pub struct SignedIn {
    /// The credential to sign in with from now on.
    pub credential: Credential,
    /// The permissions that were given, by the provider's names.
    pub permissions: Vec<String>,
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Flow(…)")
    }
}

fn encode(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        let one = |byte: u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        };
        text.bytes().map(one).collect()
    };
    fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect::<Vec<_>>().join("&")
}

fn random_text() -> Result<String, VaultError> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| VaultError::Settings("no randomness".into()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Splits an address into what a client connects to and the path to ask for.
fn split(url: &str) -> Result<(String, String), VaultError> {
    let bad = || VaultError::Settings(format!("`{url}` is no http address"));
    let (scheme, rest) = url.split_once("://").ok_or_else(bad)?;
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    Ok((format!("{scheme}://{host}"), path.to_owned()))
}

impl Vault {
    async fn ask(&self, method: Method, url: &str, egress: SystemEgress, body: String) -> Result<Whole, Unasked> {
        let (base, path) = split(url).map_err(Unasked::Never)?;
        let never = |error: HttpError| Unasked::Never(VaultError::Settings(error.to_string()));
        let client = self.system_client(&base, egress).map_err(never)?;
        client.send(method, &path, Form::UrlEncoded, body.into_bytes()).await.map_err(|error| {
            let why = format!("`{base}`: {error}");
            // A pause is no bad minute of the server's.
            if error == HttpError::Paused { Unasked::Never(VaultError::Refused(why)) } else { Unasked::Now(why, None) }
        })
    }

    /// Returns what a server says of itself, at the first of the addresses that standards name where it does.
    async fn metadata(&self, issuer: &str, egress: SystemEgress) -> Result<Metadata, Unasked> {
        let issuer = preset::asked_as(issuer);
        let mut first = None;
        for url in metadata_addresses(&issuer) {
            let answer = self.ask(Method::GET, &url, egress, String::new()).await?;
            let why = match answer.status {
                200 => match read_metadata(&answer.body, &issuer) {
                    Ok(metadata) => return Ok(metadata),
                    Err(why) => why,
                },
                status @ (429 | 500..) => {
                    return Err(Unasked::Now(format!("`{issuer}`: status {status}"), self.wait(&answer)));
                }
                status => format!("status {status}"),
            };
            first.get_or_insert(why);
        }
        let why = first.unwrap_or_default();
        Err(Unasked::Never(VaultError::Refused(format!("`{issuer}` does not say how to sign in: {why}"))))
    }

    /// Returns how long an answer asks to wait, where it says so.
    fn wait(&self, answer: &Whole) -> Option<std::time::Duration> {
        retry_after(answer.after.as_deref()?, self.now().timestamp().as_second())
    }

    /// Begins a sign-in: the person opens [`Flow::url`] in a browser. It comes back to `page`, an address whose server hands the
    /// [`Callback`] what it brought; where there is none, to a port of this machine.
    pub async fn begin_sign_in(
        &self,
        settings: &Settings,
        level: Level,
        page: Option<&str>,
    ) -> Result<(Flow, Option<Callback>), VaultError> {
        let issuer =
            settings.issuer().ok_or_else(|| VaultError::Settings("no authorization server is named".into()))?;
        let metadata = self.metadata(issuer, SystemEgress::Preparation).await?;
        let (back, redirect, to) = match page {
            Some(page) => {
                let (to, back) = tokio::sync::oneshot::channel();
                (Back::Page(back), page.to_owned(), Some(to))
            }
            None => {
                let listener =
                    TcpListener::bind("127.0.0.1:0").await.map_err(|error| VaultError::Settings(error.to_string()))?;
                let address = listener.local_addr().map_err(|error| VaultError::Settings(error.to_string()))?;
                let redirect = format!("http://{}:{}{CALLBACK}", preset::loopback(issuer), address.port());
                (Back::Listener(listener), redirect, None)
            }
        };
        let (state, verifier) = (random_text()?, Zeroizing::new(random_text()?));
        let challenge =
            URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes()));
        let scopes = preset::scopes(issuer, settings.kind(), level);
        let client = settings.client();
        let scope = format!("openid {}", scopes.join(" "));
        let mut query = vec![
            ("response_type", "code"),
            ("client_id", &client.id),
            ("redirect_uri", &redirect),
            ("scope", &scope),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("login_hint", settings.user()),
        ];
        query.extend(preset::extras(issuer));
        // Some servers keep a part of the query for themselves (RFC 6749, 3.1).
        let joint = if metadata.authorization_endpoint.contains('?') { '&' } else { '?' };
        let url = format!("{}{joint}{}", metadata.authorization_endpoint, encode(&query));
        let callback = to.map(|to| Callback { state: state.clone(), issuer: metadata.issuer.clone(), to });
        Ok((Flow { url, back, metadata, redirect, state, verifier, scopes }, callback))
    }

    /// Waits for the browser and trades the code for tokens.
    pub async fn finish_sign_in(&self, mut flow: Flow, settings: &Settings) -> Result<SignedIn, VaultError> {
        let code = flow.code().await?;
        let client = settings.client();
        let mut body = vec![
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", &flow.redirect),
            ("code_verifier", &flow.verifier),
        ];
        body.extend(client.fields());
        let body = encode(&body);
        let granted =
            self.trade(&flow.metadata, body, SystemEgress::Preparation).await.map_err(Untraded::at_sign_in)?;
        let missing = missing(&flow.scopes, granted.scopes.as_deref().unwrap_or_default());
        if granted.scopes.is_some() && !missing.is_empty() {
            return Err(VaultError::Refused(format!(
                "you did not give leave for {}; connect again and leave those boxes ticked, or connect for less",
                missing.join(", ")
            )));
        }
        let credential = Credential::Tokens {
            access: granted.access_token.to_string(),
            refresh: granted.refresh_token.as_ref().map(|token| token.to_string()),
        };
        // Where it names none, it gave what was asked for (RFC 6749, 5.1).
        Ok(SignedIn { credential, permissions: granted.scopes.unwrap_or(flow.scopes) })
    }

    async fn trade(&self, metadata: &Metadata, body: String, egress: SystemEgress) -> Result<Granted, Untraded> {
        let answer = self.ask(Method::POST, &metadata.token_endpoint, egress, body).await?;
        let wait = self.wait(&answer);
        let body = Zeroizing::new(answer.body);
        read_granted(answer.status, &body).map_err(|denied| match denied {
            Denied::Over(name) => Untraded::Over(name),
            Denied::Busy(why) => Untraded::Unasked(Unasked::Now(why, wait)),
            Denied::Refused(name) => Untraded::Unasked(Unasked::Never(VaultError::Refused(format!(
                "the authorization server refused: {name}; connect the account again"
            )))),
            Denied::NotUnderstood => Untraded::Unasked(Unasked::Never(VaultError::Refused(
                "the authorization server's answer is not understood".into(),
            ))),
        })
    }

    /// Renews tokens. A bad minute of the server's is waited out, a little, and no shorter than it asks for.
    async fn renewed(&self, settings: &Settings, refresh: &str, patient: bool) -> Result<Granted, Untraded> {
        let issuer = settings.issuer().unwrap_or_default();
        let client = settings.client();
        let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh)];
        fields.extend(client.fields());
        let body = Zeroizing::new(encode(&fields));
        let mut waits = RENEWAL_WAITS.iter().filter(|_| patient);
        loop {
            let traded = async {
                let metadata = self.metadata(issuer, SystemEgress::TokenRefresh).await?;
                self.trade(&metadata, body.to_string(), SystemEgress::TokenRefresh).await
            };
            match (traded.await, waits.next()) {
                (Err(Untraded::Unasked(Unasked::Now(_, asked))), Some(wait))
                    if asked.is_none_or(|asked| asked <= LONGEST_RENEWAL_WAIT) =>
                {
                    tokio::time::sleep(asked.unwrap_or_default().max(*wait)).await;
                }
                (traded, _) => return traded,
            }
        }
    }

    /// Returns what to sign in with now; renews the access token where it is about to end.
    pub(crate) async fn login(&self, id: &ConnectionId, settings: &Settings) -> Result<Login, VaultError> {
        let tokens = self.tokens(id)?;
        let Credential::Tokens { refresh: Some(_), .. } = &tokens.credential else {
            return Ok(login_of(settings, &tokens.credential));
        };
        let now_ms = self.now().timestamp().as_millisecond();
        let due = tokens.renew_ms > 0 && tokens.renew_ms <= now_ms;
        if tokens.expires_ms > now_ms.saturating_add(RENEW_BEFORE_MS) && !due {
            return Ok(login_of(settings, &tokens.credential));
        }
        self.renew_to_the_end(id, settings, tokens.version, false).await
    }

    /// Returns what to sign in with where a server refused a token before its time: what another renewal brought meanwhile, or what one
    /// brings now. `None` where there is nothing to renew with, or one was made for this reason not long ago.
    pub(crate) async fn login_anew(
        &self,
        id: &ConnectionId,
        settings: &Settings,
        refused: &str,
    ) -> Result<Option<Login>, VaultError> {
        let tokens = self.tokens(id)?;
        let Credential::Tokens { access, refresh: Some(_) } = &tokens.credential else { return Ok(None) };
        if access != refused {
            return Ok(Some(login_of(settings, &tokens.credential)));
        }
        let now_ms = self.now().timestamp().as_millisecond();
        if tokens.early_ms != 0 && now_ms.abs_diff(tokens.early_ms) < EARLY_AGAIN_MS.unsigned_abs() {
            return Ok(None);
        }
        if !self.refresh_lock(id).lock().await.may_be_early(now_ms) {
            return Ok(None);
        }
        event!(WARN, "a token was refused before its time; it is renewed", connection = Id::new(*id.as_bytes()));
        self.renew_to_the_end(id, settings, tokens.version, true).await.map(Some)
    }

    /// Renews in a task of its own: what the provider has begun to renew has to be kept, or revoked, even if whoever wanted it is cut off
    /// meanwhile.
    async fn renew_to_the_end(
        &self,
        id: &ConnectionId,
        settings: &Settings,
        seen: u64,
        refused: bool,
    ) -> Result<Login, VaultError> {
        let me = self.me.upgrade().ok_or(VaultError::Revoked)?;
        let (id, settings_too) = (*id, settings.clone());
        let renewing = tokio::spawn(async move { me.renew(&id, &settings_too, seen, refused).await });
        let renewed = renewing.await.map_err(|error| VaultError::Refused(error.to_string()))??;
        Ok(login_of(settings, &renewed.credential))
    }

    /// Returns one renewal at a time; whoever comes second finds it done. The new tokens are durable before they are used, and
    /// never bring a revoked connection back. `refused` says that a server took the access token no more.
    async fn renew(
        &self,
        id: &ConnectionId,
        settings: &Settings,
        seen: u64,
        refused: bool,
    ) -> Result<Tokens, VaultError> {
        let lock = self.refresh_lock(id);
        let mut waiting = lock.lock().await;
        let tokens = self.tokens(id)?;
        if tokens.version != seen {
            return Ok(tokens);
        }
        let generation = self.ledger.connection(id)?.ok_or(VaultError::Unknown(*id))?.grant.generation;
        let Credential::Tokens { refresh: Some(refresh), .. } = &tokens.credential else { return Ok(tokens) };
        let before_ms = self.now().timestamp().as_millisecond();
        let stands = !refused && tokens.may_stand(before_ms);
        let silent_ms = waiting.silent_until_ms.saturating_sub(before_ms).clamp(0, LONGEST_SILENCE_MS);
        let silence = std::time::Duration::from_millis(silent_ms.unsigned_abs());
        let renewed = if silence > if stands { std::time::Duration::ZERO } else { LONGEST_RENEWAL_WAIT } {
            let why = format!("it asked to be left alone for {} s more", silence.as_secs() + 1);
            Err(Untraded::Unasked(Unasked::Now(why, None)))
        } else {
            tokio::time::sleep(silence).await;
            self.renewed(settings, refresh, !stands).await
        };
        if let Err(Untraded::Unasked(Unasked::Now(_, Some(wait)))) = &renewed {
            let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX).min(LONGEST_SILENCE_MS);
            waiting.silent_until_ms = self.now().timestamp().as_millisecond().saturating_add(wait_ms);
        }
        match &renewed {
            Ok(_) => (waiting.early_until_ms, waiting.early_failures) = (0, 0),
            Err(Untraded::Over(_)) => {}
            Err(Untraded::Unasked(_)) if refused => waiting.early_failed(self.now().timestamp().as_millisecond()),
            Err(Untraded::Unasked(_)) => {}
        }
        let granted = match renewed {
            Ok(granted) => granted,
            // What still holds is used; the next use tries again.
            Err(Untraded::Unasked(Unasked::Now(..))) if stands => {
                event!(
                    WARN,
                    "a sign-in could not be renewed yet; its token still holds",
                    connection = Id::new(*id.as_bytes())
                );
                return Ok(tokens);
            }
            Err(Untraded::Unasked(Unasked::Now(why, _))) => {
                return Err(VaultError::Refused(format!(
                    "the authorization server could not renew the sign-in now ({why}); it is tried again at the next use"
                )));
            }
            Err(Untraded::Unasked(Unasked::Never(error))) => return Err(error),
            Err(Untraded::Over(name)) => return Err(self.sign_in_is_over(id, settings, &name)?),
        };
        let now_ms = self.now().timestamp().as_millisecond();
        let life_ms = granted.expires_in.unwrap_or(UNTOLD_SECONDS).saturating_mul(1_000);
        let renewed = Tokens {
            version: tokens.version + 1,
            credential: Credential::Tokens {
                access: granted.access_token.to_string(),
                refresh: Some(
                    granted.refresh_token.as_ref().map_or_else(|| refresh.clone(), |token| token.to_string()),
                ),
            },
            expires_ms: now_ms.saturating_add(life_ms),
            renew_ms: now_ms.saturating_add(life_ms - (life_ms / 5).min(RENEW_AHEAD_MS)),
            early_ms: if refused { now_ms } else { tokens.early_ms },
        };
        if self.keep_renewed(id, generation, seen, &renewed)? {
            self.sign_in_holds(id)?;
            return Ok(renewed);
        }
        // Revoked meanwhile: what just came is taken back too.
        let _revoked = self.revoke_at_provider(settings, &renewed).await;
        Err(VaultError::Revoked)
    }

    /// Stores renewed tokens; false if the connection was revoked or changed meanwhile: then nothing is written.
    fn keep_renewed(
        &self,
        id: &ConnectionId,
        generation: u64,
        seen: u64,
        renewed: &Tokens,
    ) -> Result<bool, VaultError> {
        let bytes = crate::json(renewed)?;
        let Some(old) = self.ledger.write(|tx| renewal::keep(tx, id, generation, seen, &bytes))? else {
            return Ok(false);
        };
        self.ledger.keys().destroy(old.as_slice()).map_err(bailey_ledger::from_key_error)?;
        Ok(true)
    }

    /// Tells the provider that the tokens are over, where it can be told.
    pub(crate) async fn revoke_at_provider(&self, settings: &Settings, tokens: &Tokens) -> Revocation {
        let (access, refresh) = match &tokens.credential {
            Credential::None => return Revocation::Nothing,
            Credential::AppPassword(_) => return Revocation::ByHand,
            Credential::Tokens { access, refresh } => (access, refresh),
        };
        let issuer = settings.issuer().unwrap_or_default();
        let told = async {
            let metadata = self.metadata(issuer, SystemEgress::Revocation).await.map_err(VaultError::from)?;
            let url =
                metadata.revocation_endpoint.ok_or_else(|| VaultError::Refused("it has no way to be told".into()))?;
            let both = refresh.iter().map(|token| (token, "refresh_token")).chain([(access, "access_token")]);
            for (token, hint) in both {
                let client = settings.client();
                let mut body = vec![("token", token.as_str()), ("token_type_hint", hint)];
                body.extend(client.fields());
                let body = encode(&body);
                let status = self.ask(Method::POST, &url, SystemEgress::Revocation, body).await?.status;
                if status != 200 {
                    return Err(VaultError::Refused(format!("it answered with status {status}")));
                }
            }
            Ok(())
        };
        match told.await {
            Ok(()) => Revocation::Confirmed,
            Err(error) => Revocation::Unconfirmed(error.to_string()),
        }
    }
}

pub(crate) fn login_of(settings: &Settings, credential: &Credential) -> Login {
    let user = settings.user().to_owned();
    match credential {
        Credential::None => Login::None,
        Credential::AppPassword(password) => Login::Password { user, password: Zeroizing::new(password.clone()) },
        Credential::Tokens { access, .. } => Login::Bearer { user, token: Zeroizing::new(access.clone()) },
    }
}

impl Flow {
    /// Waits until the browser comes back with the code that belongs to this sign-in. Other callers get an error page.
    async fn code(&mut self) -> Result<Zeroizing<String>, VaultError> {
        let listener = match &mut self.back {
            Back::Listener(listener) => listener,
            Back::Page(brought) => {
                let gone = || VaultError::Refused("the sign-in was given up; connect again".into());
                return brought.await.map_err(|_| gone())?;
            }
        };
        loop {
            let (mut stream, _) = listener.accept().await.map_err(|error| VaultError::Settings(error.to_string()))?;
            let mut line = String::new();
            let mut reader = BufReader::new(tokio::io::AsyncReadExt::take(&mut stream, MAX_CALLBACK_BYTES));
            // Browsers open connections they say nothing on; the one that matters must not wait behind them.
            let _ = tokio::time::timeout(CALLBACK_WITHIN, reader.read_line(&mut line)).await;
            let outcome = read_callback(&line, &self.state, &self.metadata.issuer);
            let (status, words) = match &outcome {
                None => ("404 Not Found", "This address belongs to a sign-in that is not under way."),
                Some(Ok(_)) => ("200 OK", "Signed in. You can close this page and go back to Bailey."),
                Some(Err(_)) => ("400 Bad Request", "The sign-in did not succeed. Go back to Bailey to see why."),
            };
            let page = format!(
                "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncache-control: no-store\r\nreferrer-policy: no-referrer\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{words}",
                words.len()
            );
            let _ = stream.write_all(page.as_bytes()).await;
            let _ = stream.shutdown().await;
            if let Some(outcome) = outcome {
                return outcome;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_renewals_that_fail_are_tried_ever_more_seldom() {
        let (mut waiting, mut now_ms) = (Waiting::default(), 1_000_000);
        assert!(waiting.may_be_early(now_ms));
        for seconds in [30, 60, 120, 240, 480, 600, 600] {
            waiting.early_failed(now_ms);
            assert!(!waiting.may_be_early(now_ms) && !waiting.may_be_early(now_ms + seconds * 1_000 - 1), "{seconds}");
            now_ms += seconds * 1_000;
            assert!(waiting.may_be_early(now_ms), "{seconds}");
        }
        for _ in 0..100 {
            waiting.early_failed(now_ms);
        }
        assert!(waiting.may_be_early(now_ms - 2 * EARLY_AGAIN_MS), "the clock was set back");
    }
}
