//! Certificates from an authority by ACME (RFC 8555), which makes sure that the name is ours by asking at its TLS port (RFC 8737).
//!
//! Requests leave by the vault's way out, as system egress: none while everything is paused. The key and the account are kept sealed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::http;
use bailey_gate::event::{Actor, Event, EventKind, Payload};
use bailey_ledger::RecordName;
use bailey_vault::Vault;
use http_body_util::BodyExt as _;
use instant_acme::{
    Account, AccountCredentials, AuthorizationStatus, BodyWrapper, BytesResponse, ChallengeType, Error, HttpClient,
    Identifier, NewAccount, NewOrder, OrderStatus, RetryPolicy,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::certificate::{Certificates, Shown, read};
use crate::config::AcmeConfig;
use crate::home::Home;
use crate::names::Name;

/// The kinds of record that hold the account, and the certificate with its key; their owner is the authority's directory.
const ACCOUNT: &str = "acme account";
const CERTIFICATE: &str = "certificate";

/// A certificate as it is kept, in PEM.
#[derive(Serialize, Deserialize)]
struct Kept {
    chain: String,
    key: Zeroizing<String>,
}

/// The authority, behind the vault.
struct Authority {
    vault: Arc<Vault>,
    directory: String,
}

impl HttpClient for Authority {
    fn request(
        &self,
        request: http::Request<BodyWrapper<hyper::body::Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let (vault, directory) = (Arc::clone(&self.vault), self.directory.clone());
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_or_else(|never| match never {}, http_body_util::Collected::to_bytes);
            let answered = vault.ask_authority(&directory, &head, body.to_vec()).await;
            answered.map(BytesResponse::from).map_err(|error| Error::Other(Box::new(error)))
        })
    }
}

fn name<'a>(kind: &'static str, config: &'a AcmeConfig) -> RecordName<'a> {
    RecordName { kind, owner: config.directory.as_bytes(), n: 0 }
}

/// Returns the certificate that was issued last, if it is for these names.
pub(crate) fn kept(home: &Home, config: &AcmeConfig, names: &[Name]) -> Result<Option<Shown>, String> {
    let kept = home.ledger.record(name(CERTIFICATE, config)).map_err(|error| error.to_string())?;
    let kept: Option<Kept> = kept.map(Zeroizing::new).and_then(|bytes| serde_json::from_slice(&bytes).ok());
    // For other names than now, say: then another is issued.
    Ok(kept.and_then(|kept| read(kept.chain.as_bytes(), kept.key.as_bytes(), names).ok()))
}

/// Has a certificate issued for these names, and keeps it.
pub(crate) async fn issue(
    home: &Arc<Home>,
    config: &AcmeConfig,
    names: &[Name],
    certificates: &Arc<Certificates>,
) -> Result<Shown, String> {
    let told = |error: Error| match error {
        Error::Other(inner) => inner.to_string(),
        other => format!("{} says: {other}", config.directory),
    };
    let account = account(home, config).await?;
    let identifiers: Vec<_> = names.iter().map(|name| Identifier::Dns(name.host().to_owned())).collect();
    let mut order = account.new_order(&NewOrder::new(&identifiers)).await.map_err(told)?;
    let mut asked = order.authorizations();
    let mut proving = Vec::new();
    while let Some(one) = asked.next().await {
        let mut one = one.map_err(told)?;
        if one.status == AuthorizationStatus::Valid {
            continue;
        }
        let mut challenge = one
            .challenge(ChallengeType::TlsAlpn01)
            .ok_or("the authority does not make sure of names at their TLS port (tls-alpn-01)")?;
        let digest = challenge.key_authorization().digest().as_ref().to_vec();
        let host = match challenge.identifier().identifier {
            Identifier::Dns(host) => host.clone(),
            _ => return Err("the authority asks for something else than a name".into()),
        };
        let key = proof(&host, &digest).map_err(|error| error.to_string())?;
        proving.push(certificates.prove(&host, key));
        challenge.set_ready().await.map_err(told)?;
    }
    let status = order.poll_ready(&RetryPolicy::default()).await.map_err(told)?;
    drop(proving);
    if status != OrderStatus::Ready {
        let why =
            "it could not make sure that the name leads here: its port 443 has to reach this machine from the internet";
        return Err(format!("{} issued no certificate: {why}", config.directory));
    }
    let made = |error: rcgen::Error| error.to_string();
    let key = rcgen::KeyPair::generate().map_err(made)?;
    let hosts: Vec<String> = names.iter().map(|name| name.host().to_owned()).collect();
    let mut wanted = rcgen::CertificateParams::new(hosts).map_err(made)?;
    wanted.distinguished_name = rcgen::DistinguishedName::new();
    let wanted = wanted.serialize_request(&key).map_err(made)?;
    order.finalize_csr(wanted.der()).await.map_err(told)?;
    let chain = order.poll_certificate(&RetryPolicy::default()).await.map_err(told)?;
    let kept = Kept { chain, key: Zeroizing::new(key.serialize_pem()) };
    let shown = read(kept.chain.as_bytes(), kept.key.as_bytes(), names)?;
    keep_issued(home, config, &kept, &shown, names)?;
    Ok(shown)
}

/// Makes the certificate that shows an authority whose a name is (RFC 8737, section 3).
fn proof(host: &str, digest: &[u8]) -> Result<Arc<CertifiedKey>, rcgen::Error> {
    let mut shown = rcgen::CertificateParams::new(vec![host.to_owned()])?;
    shown.custom_extensions = vec![rcgen::CustomExtension::new_acme_identifier(digest)];
    let key = rcgen::KeyPair::generate()?;
    let shown = shown.self_signed(&key)?;
    let secret = PrivateKeyDer::try_from(key.serialize_der()).map_err(|_| rcgen::Error::KeyGenerationUnavailable)?;
    let signing = rustls::crypto::aws_lc_rs::sign::any_supported_type(&secret);
    let signing = signing.map_err(|_| rcgen::Error::KeyGenerationUnavailable)?;
    Ok(Arc::new(CertifiedKey::new(vec![shown.der().clone()], signing)))
}

async fn account(home: &Arc<Home>, config: &AcmeConfig) -> Result<Account, String> {
    let client = || Box::new(Authority { vault: Arc::clone(&home.vault), directory: config.directory.clone() });
    let failed = |error: Error| format!("no account at {}: {error}", config.directory);
    let known = home.ledger.record(name(ACCOUNT, config)).map_err(|error| error.to_string())?.map(Zeroizing::new);
    let known: Option<AccountCredentials> = known.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if let Some(known) = known {
        return Account::builder_with_http(client()).from_credentials(known).await.map_err(failed);
    }
    let contact = config.contact.as_ref().map(|address| format!("mailto:{address}"));
    let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
    let wanted =
        NewAccount { contact: &contact, terms_of_service_agreed: config.agree_to_terms, only_return_existing: false };
    let made = Account::builder_with_http(client()).create(&wanted, config.directory.clone(), None).await;
    let (account, credentials) = made.map_err(failed)?;
    keep(home, name(ACCOUNT, config), &credentials)?;
    Ok(account)
}

/// Keeps an issued certificate, with the entry of the log that says so: its names, its end, and its SHA-256, by which it is told from one
/// that somebody else was given for the same name (RFC 6962 logs list those).
fn keep_issued(home: &Home, config: &AcmeConfig, kept: &Kept, shown: &Shown, names: &[Name]) -> Result<(), String> {
    let bytes = Zeroizing::new(serde_json::to_vec(kept).map_err(|error| error.to_string())?);
    let hosts: Vec<&str> = names.iter().map(Name::host).collect();
    let payload = Payload::default()
        .text("certificate", "issued")
        .text("names", hosts.join("\n"))
        .text("directory", config.directory.clone())
        .text("until_ms", shown.until_ms.to_string())
        .text("sha256", shown.fingerprint());
    let pause_state = home.gate.lock().pause_state();
    let entry = Event::of_home(EventKind::Authority, Actor::Home, home.clock.now(), pause_state);
    let entry = Event { payload, ..entry };
    let done = home.ledger.write(|tx| {
        tx.put_record(name(CERTIFICATE, config), &bytes)?;
        tx.append(&entry, None).map(drop)
    });
    done.map_err(|error| error.to_string())
}

fn keep(home: &Home, name: RecordName<'_>, what: &impl Serialize) -> Result<(), String> {
    let bytes = Zeroizing::new(serde_json::to_vec(what).map_err(|error| error.to_string())?);
    home.ledger.write(|tx| tx.put_record(name, &bytes)).map_err(|error| error.to_string())
}
