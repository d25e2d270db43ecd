//! Certificates as files: chain and key in each, `*` in a file's name for any part of it.

use rustls::{
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};
use x509_parser::extensions::GeneralName;
use zeroize::Zeroizing;

/// Why a listener's certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file, or the folder of a pattern, cannot be read.
    #[error("cannot read `{path}`")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing to present.
    #[error("no file matches `{0}`")]
    NoFile(PathBuf),
    /// Whoever has an account here could be the site.
    #[error(
        "`{path}` holds a private key and is open to others (mode {mode:04o}); run `chmod 0400 {path}` (for a secret's volume in Kubernetes set `defaultMode: 0400`)"
    )]
    OpenToOthers {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Not a chain with its key.
    #[error("`{path}` is not a certificate chain with its key in PEM: {reason}")]
    Broken {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl CertificateError {
    /// Whether nothing is there that could be in order or not.
    pub fn is_absence(&self) -> bool {
        match self {
            Self::Unreadable { .. } | Self::NoFile(_) => true,
            Self::OpenToOthers { .. } | Self::Broken { .. } => false,
        }
    }
}

/// More than any chain with its key.
const FILE_MAX_BYTES: u64 = 1 << 20;
/// More files than this in a folder are a mistake.
const FILES_MAX: usize = 10_000;

/// By what a change of a file is seen without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    path: PathBuf,
    bytes: u64,
    changed: Option<SystemTime>,
    /// What was refused because others could read it may come right without being written again.
    mode: u32,
}

/// What one handshake sees.
#[derive(Debug, Default)]
pub(super) struct Set {
    by_name: HashMap<String, Arc<CertifiedKey>>,
    first: Option<Arc<CertifiedKey>>,
}

/// The files that the patterns name now, in their order, then by name.
pub(super) fn look(patterns: &[PathBuf]) -> Result<Vec<Fingerprint>, CertificateError> {
    let mut files = Vec::new();
    for pattern in patterns {
        let paths = expand(pattern)?;
        if paths.is_empty() {
            return Err(CertificateError::NoFile(pattern.clone()));
        }
        for path in paths {
            // Follows links: Kubernetes and certbot swap a link, and so size or time of what it leads to.
            let found = std::fs::metadata(&path).map_err(unreadable(&path))?;
            let (bytes, changed, mode) = (found.len(), found.modified().ok(), found.permissions().mode());
            files.push(Fingerprint { path, bytes, changed, mode });
        }
    }
    Ok(files)
}

fn expand(pattern: &Path) -> Result<Vec<PathBuf>, CertificateError> {
    let name = pattern.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let Some((before, after)) = name.split_once('*') else { return Ok(vec![pattern.to_owned()]) };
    let folder = pattern.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable(folder))?.take(FILES_MAX) {
        let entry = entry.map_err(unreadable(folder))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let long_enough = name.len() >= before.len() + after.len();
        if long_enough && name.starts_with(before) && name.ends_with(after) && entry.path().is_file() {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

impl Set {
    pub(super) fn read(files: &[Fingerprint]) -> Result<Self, CertificateError> {
        let mut set = Self::default();
        for Fingerprint { path, .. } in files {
            let broken = |reason: String| CertificateError::Broken { path: path.clone(), reason };
            set.add(&private(path)?).map_err(broken)?;
        }
        Ok(set)
    }

    fn add(&mut self, pem: &[u8]) -> Result<(), String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let chain = chain.map_err(|error| error.to_string())?;
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|error| error.to_string())?;
        let names = dns_names(chain.first().ok_or("there is no certificate in it")?)?;
        let signer = aws_lc_rs::sign::any_supported_type(&key).map_err(|error| error.to_string())?;
        let certified = Arc::new(CertifiedKey::new(chain, signer));
        certified.keys_match().map_err(|error| error.to_string())?;
        self.first.get_or_insert_with(|| certified.clone());
        for name in names {
            self.by_name.entry(name).or_insert_with(|| certified.clone());
        }
        Ok(())
    }

    /// The name's own, else one with a wildcard for it, else the first: scanners and old clients send no name.
    pub(super) fn for_name(&self, name: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let Some(name) = name.map(str::to_ascii_lowercase) else { return self.first.clone() };
        let wildcard = || self.by_name.get(&format!("*.{}", name.split_once('.')?.1));
        self.by_name.get(&name).or_else(wildcard).or(self.first.as_ref()).cloned()
    }
}

/// Reads a file that nobody else may read, as every secret.
fn private(path: &Path) -> Result<Zeroizing<Vec<u8>>, CertificateError> {
    let file = File::open(path).map_err(unreadable(path))?;
    // Of what was opened, and not of what has the name by now.
    let metadata = file.metadata().map_err(unreadable(path))?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(CertificateError::OpenToOthers { path: path.to_owned(), mode });
    }
    if metadata.len() > FILE_MAX_BYTES {
        return Err(CertificateError::Broken { path: path.to_owned(), reason: "it is far too large".to_owned() });
    }
    // Room for all of it at once: a buffer that grows leaves copies behind.
    let room = usize::try_from(metadata.len()).unwrap_or_default();
    let mut pem = Zeroizing::new(Vec::with_capacity(room + 1));
    file.take(FILE_MAX_BYTES).read_to_end(&mut pem).map_err(unreadable(path))?;
    Ok(pem)
}

fn dns_names(certificate: &[u8]) -> Result<Vec<String>, String> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).map_err(|error| error.to_string())?;
    let extension = parsed.subject_alternative_name().map_err(|error| error.to_string())?;
    let Some(extension) = extension else { return Ok(Vec::new()) };
    let names = extension.value.general_names.iter().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    Ok(names.collect())
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> CertificateError {
    let path = path.to_owned();
    |source| CertificateError::Unreadable { path, source }
}
