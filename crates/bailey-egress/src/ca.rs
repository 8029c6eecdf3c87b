//! The home's own certificate authority: the agent's computer trusts it, and nobody else does, so that the broker sees what leaves.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use crate::host::HostName;

/// Certificates kept ready; a computer that asks for more names has the oldest made again.
const MAX_READY: usize = 256;

/// Why the authority cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the certificate authority of the agent's computer cannot be used ({0})")]
pub struct CaError(String);

fn failed(error: impl std::fmt::Display) -> CaError {
    CaError(error.to_string())
}

/// The authority. Its key stays in the home, sealed; the computer has its certificate.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    leaf: KeyPair,
    ready: Mutex<VecDeque<(HostName, Arc<ServerConfig>)>>,
}

impl std::fmt::Debug for Ca {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ca(…)")
    }
}

impl Ca {
    /// Makes a key for a new authority (PKCS #8, DER).
    ///
    /// # Errors
    /// No key could be made.
    pub fn new_key() -> Result<Zeroizing<Vec<u8>>, CaError> {
        Ok(Zeroizing::new(KeyPair::generate().map_err(failed)?.serialize_der()))
    }

    /// Opens the authority of a key. `name` tells a person whose it is.
    ///
    /// # Errors
    /// The key is none.
    pub fn open(key: &[u8], name: &str) -> Result<Self, CaError> {
        let key = KeyPair::try_from(key).map_err(failed)?;
        let mut about = CertificateParams::default();
        about.distinguished_name = DistinguishedName::new();
        about.distinguished_name.push(DnType::CommonName, name);
        about.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        about.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = about.self_signed(&key).map_err(failed)?.der().clone();
        let leaf = KeyPair::generate().map_err(failed)?;
        Ok(Self { issuer: Issuer::new(about, key), certificate, leaf, ready: Mutex::default() })
    }

    /// Returns the certificate that the computer trusts (DER).
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Returns what TLS with the computer is ended by, as if here were that server.
    pub(crate) fn server(&self, host: &HostName) -> Result<Arc<ServerConfig>, CaError> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, config)) = ready.iter().find(|(known, _)| known == host) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(self.issue(host)?);
        if ready.len() >= MAX_READY {
            ready.pop_front();
        }
        ready.push_back((host.clone(), Arc::clone(&config)));
        Ok(config)
    }

    fn issue(&self, host: &HostName) -> Result<ServerConfig, CaError> {
        let mut about = CertificateParams::new(vec![host.as_str().to_owned()]).map_err(failed)?;
        about.distinguished_name = DistinguishedName::new();
        about.use_authority_key_identifier_extension = true;
        about.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = about.signed_by(&self.leaf, &self.issuer).map_err(failed)?;
        let key = PrivateKeyDer::try_from(self.leaf.serialize_der()).map_err(failed)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let shown = CertifiedKey::from_der(vec![certificate.der().clone()], key, &provider).map_err(failed)?;
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(shown)));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}
