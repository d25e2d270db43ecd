//! Who may vouch for a server, and with which cryptography: the process's one.

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use std::path::{Path, PathBuf};

/// The certificate authorities cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("no certificate authorities in {}: {why}", .from.as_deref().map_or_else(|| "the system's files".to_owned(), |path| format!("`{}`", path.display())))]
pub struct BadAuthorities {
    from: Option<PathBuf>,
    why: String,
}

/// Believes these authorities, or the system's.
pub(super) fn config(ca: Option<&Path>) -> Result<ClientConfig, BadAuthorities> {
    let bad = |why: String| BadAuthorities { from: ca.map(Path::to_owned), why };
    let certificates = match ca {
        Some(path) => {
            let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            read.map_err(|error| bad(error.to_string()))?
        }
        None => rustls_native_certs::load_native_certs().certs,
    };
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(bad("none that can be read".to_owned()));
    }
    Ok(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
