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
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    set: ArcSwap<Set>,
    files: Mutex<Files>,
}

/// Where the certificates are.
#[derive(Debug)]
struct Files {
    patterns: Vec<PathBuf>,
    /// How the files looked when they were last read, well or not.
    seen: Vec<Fingerprint>,
}

/// Certificates of other files, read and in order.
#[derive(Debug)]
pub(super) struct Fresh {
    set: Set,
    files: Files,
}

impl Fresh {
    /// Reads every file that the patterns name.
    pub(super) fn read(patterns: Vec<PathBuf>) -> Result<Self, CertificateError> {
        let seen = files::look(&patterns)?;
        Ok(Self { set: Set::read(&seen)?, files: Files { patterns, seen } })
    }
}

/// Whether a listener could be opened with these files: chain and key in each, in order and of one pair.
///
/// # Errors
/// The first file that is missing, cannot be read, or is broken.
pub fn check_certificates(patterns: &[PathBuf]) -> Result<(), CertificateError> {
    Fresh::read(patterns.to_vec()).map(drop)
}

impl Certificates {
    pub(super) fn new(fresh: Fresh) -> Arc<Self> {
        Arc::new(Self { set: ArcSwap::from_pointee(fresh.set), files: Mutex::new(fresh.files) })
    }

    /// Whether these are their files.
    pub(super) fn are_of(&self, patterns: &[PathBuf]) -> bool {
        self.files().patterns == patterns
    }

    /// From now on new handshakes get these; open connections live on.
    pub(super) fn replace(&self, fresh: Fresh) {
        *self.files() = fresh.files;
        self.set.store(Arc::new(fresh.set));
    }

    /// Reads the same files again.
    pub(super) fn reload(&self) -> Result<(), CertificateError> {
        let mut files = self.files();
        files.seen = files::look(&files.patterns)?;
        self.set.store(Arc::new(Set::read(&files.seen)?));
        Ok(())
    }

    /// As [`reload`](Self::reload), if a file has come, gone or changed since.
    pub(super) fn reload_if_changed(&self) -> Result<(), CertificateError> {
        let changed = {
            let files = self.files();
            files.seen != files::look(&files.patterns)?
        };
        if changed { self.reload() } else { Ok(()) }
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
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
