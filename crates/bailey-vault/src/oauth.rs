//! OAuth 2: authorization code with PKCE (RFC 6749, 7636, 8252, 9207), refresh, revocation (RFC 7009).
//!
//! The three exchanges are form posts; written out here rather than through a library, because the one that fits refuses to
//! revoke at a server on this machine, and everything around them (one refresh at a time, durable before use, bound to the
//! grant's generation) is ours anyway.

use bailey_gate::ConnectionId;
use bailey_gate::family::Level;
use bailey_gate::handoff::SystemEgress;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::Method;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use crate::http::Form;
use crate::{Credential, Settings, Vault, VaultError, preset};

/// Where the person's browser is sent back to; the port is chosen anew each time (RFC 8252, 7.3).
const CALLBACK: &str = "/oauth/callback";
/// How long a connection to the callback may take to say what it wants.
const CALLBACK_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);
/// Longest request line of a callback.
const MAX_CALLBACK_BYTES: u64 = 16 * 1024;
/// An access token is renewed when it has less than this left, in milliseconds.
const RENEW_BEFORE_MS: i64 = 30_000;
/// How long an access token is taken to live where the server does not tell, in seconds.
const UNTOLD_SECONDS: i64 = 300;

/// What is stored to sign in with; `version` rises with every renewal.
#[derive(Serialize, Deserialize)]
pub(crate) struct Tokens {
    version: u64,
    credential: Credential,
    /// When the access token ends: milliseconds since 1970-01-01T00:00Z; 0 where unknown.
    expires_ms: i64,
}

impl Tokens {
    pub(crate) fn first(credential: &Credential) -> TokensRef<'_> {
        TokensRef { version: 1, credential, expires_ms: 0 }
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
        crate::json(&Tokens { version, credential, expires_ms: 0 })
    }

    /// Stores the first tokens of a connection.
    pub fn put_first(tx: &mut LedgerTx<'_>, id: &ConnectionId, tokens: &[u8]) -> Result<(), StoreError> {
        tx.put_record(record(CREDENTIAL, id), tokens)
    }

    /// The version of a connection's tokens; `None` where it has none any more.
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

/// What an authorization server says of itself (RFC 8414, OpenID Connect Discovery).
#[derive(Debug, Clone, Deserialize)]
pub struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    #[serde(default)]
    revocation_endpoint: Option<String>,
}

impl Metadata {
    /// Where it wants to be asked.
    pub fn addresses(&self) -> impl Iterator<Item = &String> {
        [&self.authorization_endpoint, &self.token_endpoint].into_iter().chain(&self.revocation_endpoint)
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: Zeroizing<String>,
    #[serde(default)]
    refresh_token: Option<Zeroizing<String>>,
    #[serde(default)]
    expires_in: Option<i64>,
    #[serde(default)]
    scope: Option<String>,
}

/// A sign-in under way: the person's browser has to come back.
pub struct Flow {
    /// What the person opens.
    pub url: String,
    listener: TcpListener,
    metadata: Metadata,
    redirect: String,
    state: String,
    verifier: Zeroizing<String>,
    scopes: Vec<String>,
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

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn random_text() -> Result<String, VaultError> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| VaultError::Settings("no randomness".into()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// `https://…`, or `http://` on this machine, of the characters of RFC 3986 and no others: it is shown on a terminal.
fn is_address(text: &str) -> bool {
    let here = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .iter()
        .any(|start| text.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/'])));
    (text.starts_with("https://") || here)
        && text.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c))
        && !text.contains('@')
}

/// Splits an address into what a client connects to and the path to ask for.
fn split(url: &str) -> Result<(String, String), VaultError> {
    let bad = || VaultError::Settings(format!("`{url}` is no http address"));
    let (scheme, rest) = url.split_once("://").ok_or_else(bad)?;
    let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    Ok((format!("{scheme}://{host}"), path.to_owned()))
}

impl Vault {
    async fn ask(
        &self,
        method: Method,
        url: &str,
        egress: SystemEgress,
        body: String,
    ) -> Result<(u16, Vec<u8>), VaultError> {
        let (base, path) = split(url)?;
        let client = self.system_client(&base, egress).map_err(|error| VaultError::Settings(error.to_string()))?;
        let answer = client.send(method, &path, Form::UrlEncoded, body.into_bytes()).await;
        answer.map_err(|error| VaultError::Refused(format!("`{base}`: {error}")))
    }

    async fn metadata(&self, issuer: &str, egress: SystemEgress) -> Result<Metadata, VaultError> {
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let (status, body) = self.ask(Method::GET, &url, egress, String::new()).await?;
        let unusable = |why: String| VaultError::Refused(format!("`{issuer}` does not say how to sign in: {why}"));
        if status != 200 {
            return Err(unusable(format!("status {status}")));
        }
        read_metadata(&body, issuer).map_err(unusable)
    }

    /// Begins a sign-in: the person opens [`Flow::url`] in a browser on this machine.
    pub async fn begin_sign_in(&self, settings: &Settings, level: Level) -> Result<Flow, VaultError> {
        let issuer =
            settings.issuer().ok_or_else(|| VaultError::Settings("no authorization server is named".into()))?;
        let metadata = self.metadata(issuer, SystemEgress::Preparation).await?;
        let listener =
            TcpListener::bind("127.0.0.1:0").await.map_err(|error| VaultError::Settings(error.to_string()))?;
        let address = listener.local_addr().map_err(|error| VaultError::Settings(error.to_string()))?;
        let redirect = format!("http://{address}{CALLBACK}");
        let (state, verifier) = (random_text()?, Zeroizing::new(random_text()?));
        let challenge =
            URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes()));
        let scopes = preset::scopes(issuer, level);
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
            // Without it some servers quietly leave out the refresh token.
            ("prompt", "consent"),
            ("login_hint", settings.user()),
        ];
        query.extend(preset::extras(issuer));
        let url = format!("{}?{}", metadata.authorization_endpoint, encode(&query));
        Ok(Flow { url, listener, metadata, redirect, state, verifier, scopes })
    }

    /// Waits for the browser and trades the code for tokens.
    pub async fn finish_sign_in(&self, flow: Flow, settings: &Settings) -> Result<Credential, VaultError> {
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
        let granted = self.trade(&flow.metadata, body, SystemEgress::Preparation).await?;
        let given: Vec<&str> = granted.scope.as_deref().unwrap_or_default().split(' ').collect();
        let missing: Vec<&str> = flow
            .scopes
            .iter()
            .map(String::as_str)
            .filter(|scope| *scope != "offline_access" && !given.contains(scope))
            .collect();
        if granted.scope.is_some() && !missing.is_empty() {
            return Err(VaultError::Refused(format!(
                "you did not give leave for {}; connect again and leave those boxes ticked, or connect for less",
                missing.join(", ")
            )));
        }
        Ok(Credential::Tokens {
            access: granted.access_token.to_string(),
            refresh: granted.refresh_token.as_ref().map(|token| token.to_string()),
        })
    }

    async fn trade(&self, metadata: &Metadata, body: String, egress: SystemEgress) -> Result<Granted, VaultError> {
        let (status, answer) = self.ask(Method::POST, &metadata.token_endpoint, egress, body).await?;
        if status != 200 {
            // The body may repeat what was sent: only the error's standard name is told.
            let value: serde_json::Value = serde_json::from_slice(&answer).unwrap_or_default();
            let name = value.get("error").and_then(serde_json::Value::as_str).unwrap_or("no reason given");
            let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect();
            return Err(VaultError::Refused(format!(
                "the authorization server refused: {name}; connect the account again"
            )));
        }
        serde_json::from_slice(&answer)
            .map_err(|_| VaultError::Refused("the authorization server's answer is not understood".into()))
    }

    /// What to sign in with now; renews the access token where it is about to end.
    pub(crate) async fn login(&self, id: &ConnectionId, settings: &Settings) -> Result<Login, VaultError> {
        let tokens = self.tokens(id)?;
        let Credential::Tokens { refresh: Some(_), .. } = &tokens.credential else {
            return Ok(login_of(settings, &tokens.credential));
        };
        let soon = self.now().timestamp().as_millisecond().saturating_add(RENEW_BEFORE_MS);
        if tokens.expires_ms > soon {
            return Ok(login_of(settings, &tokens.credential));
        }
        // In a task of its own: what the provider has begun to renew has to be kept, or revoked, even if whoever wanted it
        // is cut off meanwhile.
        let me = self.me.upgrade().ok_or(VaultError::Revoked)?;
        let (id, settings_too) = (*id, settings.clone());
        let renewing = tokio::spawn(async move { me.renew(&id, &settings_too, tokens.version).await });
        let renewed = renewing.await.map_err(|error| VaultError::Refused(error.to_string()))??;
        Ok(login_of(settings, &renewed.credential))
    }

    /// One renewal at a time; whoever comes second finds it done. The new tokens are durable before they are used, and
    /// never bring a revoked connection back.
    async fn renew(&self, id: &ConnectionId, settings: &Settings, seen: u64) -> Result<Tokens, VaultError> {
        let lock = self.refresh_lock(id);
        let _one = lock.lock().await;
        let tokens = self.tokens(id)?;
        if tokens.version != seen {
            return Ok(tokens);
        }
        let generation = self.ledger.connection(id)?.ok_or(VaultError::Unknown(*id))?.grant.generation;
        let Credential::Tokens { refresh: Some(refresh), .. } = &tokens.credential else { return Ok(tokens) };
        let issuer = settings.issuer().unwrap_or_default();
        let metadata = self.metadata(issuer, SystemEgress::TokenRefresh).await?;
        let client = settings.client();
        let mut body = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        body.extend(client.fields());
        let body = encode(&body);
        let granted = self.trade(&metadata, body, SystemEgress::TokenRefresh).await?;
        let now_ms = self.now().timestamp().as_millisecond();
        let renewed = Tokens {
            version: tokens.version + 1,
            credential: Credential::Tokens {
                access: granted.access_token.to_string(),
                refresh: Some(
                    granted.refresh_token.as_ref().map_or_else(|| refresh.clone(), |token| token.to_string()),
                ),
            },
            expires_ms: now_ms.saturating_add(granted.expires_in.unwrap_or(UNTOLD_SECONDS).saturating_mul(1_000)),
        };
        if self.keep_renewed(id, generation, seen, &renewed)? {
            return Ok(renewed);
        }
        // Revoked meanwhile: what just came is taken back too.
        let _revoked = self.revoke_at_provider(settings, &renewed).await;
        Err(VaultError::Revoked)
    }

    /// False if the connection was revoked or changed meanwhile: then nothing is written.
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
            let metadata = self.metadata(issuer, SystemEgress::Revocation).await?;
            let url =
                metadata.revocation_endpoint.ok_or_else(|| VaultError::Refused("it has no way to be told".into()))?;
            let both = refresh.iter().map(|token| (token, "refresh_token")).chain([(access, "access_token")]);
            for (token, hint) in both {
                let client = settings.client();
                let mut body = vec![("token", token.as_str()), ("token_type_hint", hint)];
                body.extend(client.fields());
                let body = encode(&body);
                let (status, _) = self.ask(Method::POST, &url, SystemEgress::Revocation, body).await?;
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
    async fn code(&self) -> Result<Zeroizing<String>, VaultError> {
        loop {
            let (mut stream, _) =
                self.listener.accept().await.map_err(|error| VaultError::Settings(error.to_string()))?;
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

/// What `issuer` says of itself.
pub fn read_metadata(body: &[u8], issuer: &str) -> Result<Metadata, String> {
    let metadata: Metadata = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    // RFC 8414, 3.3: anyone could claim to be another.
    if metadata.issuer.trim_end_matches('/') != issuer.trim_end_matches('/') {
        return Err(format!("it calls itself `{}`", metadata.issuer));
    }
    if metadata.addresses().any(|endpoint| !is_address(endpoint)) {
        return Err("one of its addresses is none".into());
    }
    Ok(metadata)
}

/// What a browser brings back: the code of the sign-in with this `state` at this `issuer`. `None` for anything that is not the
/// answer to it: a wrong `state` is someone else's doing, and ends nothing.
pub fn read_callback(line: &str, state: &str, issuer: &str) -> Option<Result<Zeroizing<String>, VaultError>> {
    let target = line.strip_prefix("GET ")?.split(' ').next()?;
    let query = target.strip_prefix(CALLBACK)?.strip_prefix('?')?;
    let fields: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter_map(|(name, value)| Some((decode(name)?, decode(value)?)))
        .collect();
    let one = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let same = one("state").is_some_and(|brought| {
        aws_lc_rs::constant_time::verify_slices_are_equal(brought.as_bytes(), state.as_bytes()).is_ok()
    });
    if !same {
        return None;
    }
    // RFC 9207: an answer in the name of another server is a mix-up.
    if one("iss").is_some_and(|named| named.trim_end_matches('/') != issuer.trim_end_matches('/')) {
        return Some(Err(VaultError::Refused(
            "the answer came in the name of another authorization server; nothing was connected".into(),
        )));
    }
    if let Some(error) = one("error") {
        let name: String = error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(40).collect();
        return Some(Err(VaultError::Refused(format!("the sign-in was refused: {name}"))));
    }
    one("code").map(|code| Ok(Zeroizing::new(code.to_owned())))
}
