//! The certificate that the home shows browsers: from two files, or issued by an authority and kept here, sealed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use bailey_interface::{CertificateState, CertificateView};
use bailey_telemetry::event;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use x509_cert::der::Decode as _;

use crate::acme;
use crate::config::{AcmeConfig, GatewayConfig};
use crate::home::Home;
use crate::names::{Door, Name};
use crate::tls::ACME;

/// How often the files are looked at, and whether one has to be issued anew.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long the first wait is after an authority issued none: the gateway may just be starting.
const AGAIN: Duration = Duration::from_secs(5);
/// Longest wait after an authority issued none: it counts what fails, and refuses who comes too often.
const LONGEST_WAIT: Duration = Duration::from_secs(12 * 3_600);
/// How long before its end one is said to end soon, in milliseconds: a week.
const SOON_MS: i64 = 7 * 24 * 3_600 * 1_000;
/// Largest file of a certificate or a key, in bytes.
const MAX_FILE_BYTES: u64 = 256 * 1024;

/// Where the certificate comes from.
#[derive(Debug, Clone)]
enum Source {
    Files { certificate: PathBuf, key: PathBuf },
    Authority(AcmeConfig),
}

/// A certificate that counts for these names.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    key: Arc<CertifiedKey>,
    /// From when on and until when it counts: milliseconds since 1970-01-01T00:00Z.
    pub(crate) from_ms: i64,
    pub(crate) until_ms: i64,
}

impl Shown {
    /// Returns the SHA-256 of the certificate itself, in hexadecimal, as certificate logs and browsers show it.
    pub(crate) fn fingerprint(&self) -> String {
        let first = self.key.cert.first().map_or_else(Default::default, AsRef::as_ref);
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, first);
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[derive(Debug, Default)]
struct Held {
    shown: Option<Shown>,
    /// Shown to an authority that makes sure whose a name is, by name.
    proofs: BTreeMap<String, Arc<CertifiedKey>>,
    /// Why there is none, or no newer one.
    trouble: Option<String>,
    /// When the files that are shown were written.
    written: Option<(SystemTime, SystemTime)>,
}

/// What the home shows browsers.
#[derive(Debug)]
pub(crate) struct Certificates {
    source: Source,
    names: Vec<Name>,
    held: Mutex<Held>,
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asks_for_proof = hello.alpn().is_some_and(|mut all| all.next() == Some(ACME) && all.next().is_none());
        let held = self.held();
        if asks_for_proof {
            let name = hello.server_name()?;
            return held.proofs.get(name).cloned();
        }
        held.shown.as_ref().map(|shown| Arc::clone(&shown.key))
    }
}

/// Reads a certificate and its key (RFC 7468), and makes sure that it is for all of these names.
pub(crate) fn read(certificate: &[u8], key: &[u8], names: &[Name]) -> Result<Shown, String> {
    let chain: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.map_err(|error| format!("the certificate is no PEM file: {error}"))?;
    let first = chain.first().ok_or("the file of the certificate holds none")?.clone();
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("the key is no PEM file of one: {error}"))?;
    let parsed =
        x509_cert::Certificate::from_der(&first).map_err(|error| format!("the certificate is damaged: {error}"))?;
    let end = rustls::server::ParsedCertificate::try_from(&first).map_err(|error| error.to_string())?;
    for name in names {
        let server = ServerName::try_from(name.host()).map_err(|error| error.to_string())?;
        rustls::client::verify_server_name(&end, &server)
            .map_err(|_| format!("the certificate is not for {}", name.host()))?;
    }
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let key = CertifiedKey::from_der(chain, key, &provider)
        .map_err(|error| format!("the key is not that of the certificate: {error}"))?;
    let validity = parsed.tbs_certificate.validity;
    let ms = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(i64::MAX);
    Ok(Shown { key: Arc::new(key), from_ms: ms(validity.not_before), until_ms: ms(validity.not_after) })
}

fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read as _;
    let failed = |error: std::io::Error| format!("`{}` cannot be read by the home's account: {error}", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_FILE_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

impl Certificates {
    /// Returns what is shown for the names that end here; nothing where TLS is not spoken here.
    pub(crate) fn of(gateway: &GatewayConfig, names: &[Name]) -> Option<Arc<Self>> {
        gateway.tls_listen.as_ref()?;
        let source = match (&gateway.certificate, &gateway.key, &gateway.acme) {
            (Some(certificate), Some(key), _) => Source::Files { certificate: certificate.clone(), key: key.clone() },
            (_, _, Some(acme)) => Source::Authority(acme.clone()),
            (_, _, None) => return None,
        };
        Some(Arc::new(Self { source, names: names.to_vec(), held: Mutex::default() }))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows a certificate from here on.
    pub(crate) fn show(&self, shown: Shown) {
        let mut held = self.held();
        held.shown = Some(shown);
        held.trouble = None;
    }

    /// Says why there is no certificate, or no newer one.
    fn complain(&self, why: String) {
        self.held().trouble = Some(why);
    }

    /// Shows an authority that a name is ours, until the answer is dropped.
    pub(crate) fn prove(self: &Arc<Self>, host: &str, key: Arc<CertifiedKey>) -> Proving {
        self.held().proofs.insert(host.to_owned(), key);
        Proving(Arc::clone(self), host.to_owned())
    }

    /// Reads the files again if one was written since. What cannot be read leaves what is shown in its place.
    pub(crate) fn reread(&self) {
        let Source::Files { certificate, key } = &self.source else { return };
        let written = |path: &Path| std::fs::metadata(path).and_then(|about| about.modified());
        let now = written(certificate).and_then(|of_one| Ok((of_one, written(key)?))).ok();
        if now.is_some() && self.held().written == now {
            return;
        }
        let read = read_file(certificate)
            .and_then(|certificate| read_file(key).and_then(|key| read(&certificate, &key, &self.names)));
        match read {
            Ok(shown) => {
                event!(INFO, "a certificate is shown");
                self.show(shown);
                self.held().written = now;
            }
            Err(why) => self.complain(why),
        }
    }

    /// Tells how it is.
    pub(crate) fn view(&self, now_ms: i64) -> CertificateView {
        let held = self.held();
        let until_ms = held.shown.as_ref().map(|shown| shown.until_ms);
        let state = match until_ms {
            None => CertificateState::Missing,
            Some(until) if until <= now_ms => CertificateState::Ended,
            Some(until) if until.saturating_sub(now_ms) < SOON_MS => CertificateState::EndsSoon,
            Some(_) => CertificateState::Counts,
        };
        CertificateView {
            names: self.names.iter().map(|name| name.origin().to_owned()).collect(),
            source: match &self.source {
                Source::Files { certificate, .. } => certificate.display().to_string(),
                Source::Authority(acme) => acme.directory.clone(),
            },
            state,
            until_ms,
            trouble: held.trouble.clone().unwrap_or_default(),
        }
    }
}

/// A proof that is shown, until it is dropped.
pub(crate) struct Proving(Arc<Certificates>, String);

impl Drop for Proving {
    fn drop(&mut self) {
        self.0.held().proofs.remove(&self.1);
    }
}

/// Tells whether it is time for another: in the last third of its days (RFC 8555 leaves that to clients; authorities ask for it).
fn is_due(shown: Option<&Shown>, now_ms: i64) -> bool {
    shown.is_none_or(|shown| {
        let third = shown.until_ms.saturating_sub(shown.from_ms) / 3;
        now_ms >= shown.until_ms.saturating_sub(third)
    })
}

impl Home {
    /// Tells how the certificate is; nothing where TLS does not end here.
    pub(crate) fn certificate_view(&self) -> Option<CertificateView> {
        self.certificates.as_ref().map(|one| one.view(self.clock.now().wall_ms))
    }

    /// Tells why TLS may not be spoken yet where other machines can reach it; nothing where it may.
    pub fn not_yet_public(&self) -> Option<String> {
        if !self.is_public {
            return None;
        }
        let passkeys = self.ledger.passkeys().unwrap_or_default();
        if passkeys.iter().any(bailey_ledger::PasskeyRow::is_active) {
            return None;
        }
        Some("a passkey is missing: other machines are let in only after you have made one. Run `bailey dashboard`, open its link on this machine, then start Bailey again".into())
    }

    /// Keeps the certificate current until the home ends.
    pub(crate) async fn keep_certificate(self: Arc<Self>) {
        let Some(certificates) = self.certificates.clone() else { return };
        let names = self.names.at(Door::Tls).to_vec();
        if let Source::Authority(config) = &certificates.source {
            match acme::kept(&self, config, &names) {
                Ok(Some(shown)) => certificates.show(shown),
                Ok(None) => certificates.complain("none was issued yet".into()),
                Err(why) => certificates.complain(why),
            }
        }
        let (mut failed, mut next) = (0_u32, tokio::time::Instant::now());
        loop {
            if let Source::Authority(config) = &certificates.source {
                let due = is_due(certificates.held().shown.as_ref(), self.clock.now().wall_ms);
                if due && tokio::time::Instant::now() >= next {
                    match acme::issue(&self, config, &names, &certificates).await {
                        Ok(shown) => {
                            event!(INFO, "a certificate was issued");
                            certificates.show(shown);
                            failed = 0;
                        }
                        Err(why) => {
                            failed += 1;
                            event!(WARN, "no certificate was issued", failed = u64::from(failed));
                            certificates.complain(why);
                            let wait = AGAIN.saturating_mul(2_u32.saturating_pow(failed - 1)).min(LONGEST_WAIT);
                            next = tokio::time::Instant::now() + wait;
                        }
                    }
                    self.changed();
                }
            }
            tokio::time::sleep(if failed == 0 { LOOK_EVERY } else { AGAIN }).await;
            let reread = Arc::clone(&certificates);
            // A folder on a network may not answer.
            let _ = tokio::task::spawn_blocking(move || reread.reread()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(host: &str) -> Vec<Name> {
        vec![Name::try_from(format!("https://{host}")).unwrap()]
    }

    fn made(host: &str) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec![host.into()]).unwrap().self_signed(&key).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    #[test]
    fn a_certificate_counts_for_its_names_and_with_its_key_only() {
        let (certificate, key) = made("bailey.example.org");
        let read_for = |host: &str, key: &str| read(certificate.as_bytes(), key.as_bytes(), &names(host));
        assert!(read_for("bailey.example.org", &key).is_ok());
        assert!(read_for("other.example.org", &key).unwrap_err().contains("not for other.example.org"));
        let (_, other) = made("bailey.example.org");
        assert!(read_for("bailey.example.org", &other).unwrap_err().contains("the key"));
        assert!(read(b"", key.as_bytes(), &names("bailey.example.org")).unwrap_err().contains("holds none"));
    }

    #[test]
    fn files_are_read_again_when_they_change_and_bad_ones_replace_none() {
        let folder = std::env::temp_dir().join(format!("bailey-test-certificate-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (certificate, key) = (folder.join("chain.pem"), folder.join("key.pem"));
        let gateway = GatewayConfig {
            tls_listen: Some("127.0.0.1:0".into()),
            certificate: Some(certificate.clone()),
            key: Some(key.clone()),
            ..GatewayConfig::default()
        };
        let kept = Certificates::of(&gateway, &names("bailey.example.org")).unwrap();
        kept.reread();
        let view = kept.view(0);
        assert_eq!(view.state, CertificateState::Missing);
        assert!(view.trouble.contains("cannot be read"), "{}", view.trouble);
        let write = |(chain, secret): &(String, String), second: u64| {
            for (path, text) in [(&certificate, chain), (&key, secret)] {
                std::fs::write(path, text).unwrap();
                let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + second);
                std::fs::File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
            }
        };
        write(&made("bailey.example.org"), 1);
        kept.reread();
        let first = kept.held().shown.as_ref().unwrap().key.cert.clone();
        assert_eq!(kept.view(0).trouble, "");
        write(&made("bailey.example.org"), 2);
        kept.reread();
        let second = kept.held().shown.as_ref().unwrap().key.cert.clone();
        assert_ne!(first, second);
        write(&made("other.example.org"), 3);
        kept.reread();
        assert_eq!(kept.held().shown.as_ref().unwrap().key.cert, second);
        assert!(kept.view(0).trouble.contains("not for"), "{}", kept.view(0).trouble);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn another_is_due_in_the_last_third_of_its_days() {
        let (certificate, key) = made("bailey.example.org");
        let shown = read(certificate.as_bytes(), key.as_bytes(), &names("bailey.example.org")).unwrap();
        let shown = Shown { from_ms: 0, until_ms: 90, ..shown };
        for (now, due) in [(0, false), (59, false), (60, true), (100, true)] {
            assert_eq!(is_due(Some(&shown), now), due, "{now}");
        }
        assert!(is_due(None, 0));
    }
}
