//! What a certificate says (RFC 5280): its key, its names, and when it holds. Whether to believe it is the caller's question.

use crate::clock::Timestamp;
use data_encoding::BASE64;
use x509_parser::{
    extensions::GeneralName,
    prelude::{FromDer as _, X509Certificate},
};

/// One certificate, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::verify) struct Certificate {
    public_key: Vec<u8>,
    from: Timestamp,
    until: Timestamp,
    names: Vec<String>,
}

impl Certificate {
    /// The first of the text.
    pub(in crate::verify) fn from_pem(text: &str) -> Option<Self> {
        Self::from_der(&blocks(text)?.into_iter().next()?)
    }

    /// `None` for what is none, or has something behind it.
    pub(in crate::verify) fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, read) = X509Certificate::from_der(der).ok()?;
        let validity = read.validity();
        let alternatives = read.subject_alternative_name().ok()?;
        let alternatives = alternatives.map(|extension| extension.value.general_names.clone()).unwrap_or_default();
        let hosts: Vec<String> = alternatives
            .iter()
            .filter_map(|name| if let GeneralName::DNSName(host) = name { Some((*host).to_owned()) } else { None })
            .collect();
        // RFC 6125 section 6.4.4: the common name counts where there are no others.
        let common = || read.subject().iter_common_name().filter_map(|name| name.as_str().ok()).map(str::to_owned);
        let names = if hosts.is_empty() { common().collect() } else { hosts };
        rest.is_empty().then(|| Self {
            public_key: read.public_key().raw.to_vec(),
            from: Timestamp::from_unix_s(validity.not_before.timestamp()),
            until: Timestamp::from_unix_s(validity.not_after.timestamp()),
            names,
        })
    }

    /// Whether it is for this name, letter for letter: no wildcard vouches for one sender's messages.
    pub(in crate::verify) fn is_of(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Whether this is one of its moments.
    pub(in crate::verify) fn holds(&self, now: Timestamp) -> bool {
        self.from <= now && now <= self.until
    }

    /// Its `SubjectPublicKeyInfo`.
    pub(in crate::verify) fn public_key(&self) -> &[u8] {
        &self.public_key
    }
}

/// Every certificate of the text, in its order.
pub(in crate::verify) fn blocks(text: &str) -> Option<Vec<Vec<u8>>> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let (body, after) = after.split_once(END)?;
        let body: String = body.split_ascii_whitespace().collect();
        found.push(BASE64.decode(body.as_bytes()).ok()?);
        rest = after;
    }
    (!found.is_empty()).then_some(found)
}
