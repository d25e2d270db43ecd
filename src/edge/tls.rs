//! Which certificate answers which name, with which cryptography?

mod files;

pub use files::CertificateError;

use arc_swap::ArcSwap;
use files::{Fingerprint, Set};
use pingora_core::listeners::tls::Acceptor;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version,
};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// Another crate has installed another provider of cryptography before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("another provider of cryptography was installed first")]
pub struct CryptoTaken;

/// First line of `main`. Pingora's connectors take the process default, and install ring where there is none
/// (`pingora-rustls` leaves an installed one alone). May be called again.
///
/// # Errors
/// [`CryptoTaken`] if the process default is another provider.
pub fn install_crypto() -> Result<(), CryptoTaken> {
    let _ = aws_lc_rs::default_provider().install_default();
    CryptoProvider::get_default().filter(|provider| is_aws_lc(provider)).map(|_| ()).ok_or(CryptoTaken)
}

/// ring has no P-521; this is the difference that can be seen from outside.
fn is_aws_lc(provider: &CryptoProvider) -> bool {
    let schemes = provider.signature_verification_algorithms.supported_schemes();
    schemes.contains(&rustls::SignatureScheme::ECDSA_NISTP521_SHA512)
}

/// The certificates of one listener, as its files were when they were last read. Replaced whole, so a bad file never
/// spoils a good set.
#[derive(Debug)]
pub(super) struct Certificates {
    patterns: Vec<PathBuf>,
    set: ArcSwap<Set>,
    /// How the files looked when they were last read, well or not.
    seen: Mutex<Vec<Fingerprint>>,
}

impl Certificates {
    /// Reads every file that the patterns name.
    pub(super) fn open(patterns: Vec<PathBuf>) -> Result<Arc<Self>, CertificateError> {
        let seen = files::look(&patterns)?;
        let set = Set::read(&seen)?;
        Ok(Arc::new(Self { patterns, set: ArcSwap::from_pointee(set), seen: Mutex::new(seen) }))
    }

    /// Reads them again; new handshakes get the new set, open connections live on.
    pub(super) fn reload(&self) -> Result<(), CertificateError> {
        let seen = files::look(&self.patterns)?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&seen);
        self.set.store(Arc::new(Set::read(&seen)?));
        Ok(())
    }

    /// As [`reload`](Self::reload), if a file has come, gone or changed since.
    pub(super) fn reload_if_changed(&self) -> Result<(), CertificateError> {
        let now = files::look(&self.patterns)?;
        let changed = *self.seen.lock().unwrap_or_else(PoisonError::into_inner) != now;
        if changed { self.reload() } else { Ok(()) }
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.set.load().for_name(hello.server_name())
    }
}

/// `from_server_config` rather than `TlsSettings::build`: the provider is named here, and nothing can panic.
pub(super) fn acceptor(certificates: Arc<Certificates>, http2: bool) -> Result<Acceptor, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = if http2 { vec![b"h2".to_vec(), b"http/1.1".to_vec()] } else { vec![b"http/1.1".to_vec()] };
    Ok(Acceptor::from_server_config(Arc::new(config)))
}
