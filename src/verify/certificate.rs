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

#[cfg(test)]
mod tests {
    use super::*;

    fn of(common: &str, names: &[&str]) -> Certificate {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, common);
        let key = rcgen::KeyPair::generate().unwrap();
        Certificate::from_pem(&params.self_signed(&key).unwrap().pem()).unwrap()
    }

    /// Authorities vouch for the alternative names; a common name beside them may be anybody's word.
    #[test]
    fn the_common_name_counts_where_there_is_no_other() {
        let alone = of("sns.amazonaws.com", &[]);
        assert!(alone.is_of("sns.amazonaws.com") && !alone.is_of("amazonaws.com"));
        let beside = of("sns.amazonaws.com", &["evil.test", "*.evil.test"]);
        assert!(beside.is_of("evil.test") && !beside.is_of("sns.amazonaws.com"));
        assert!(!beside.is_of("a.evil.test"), "no wildcard vouches for a sender");
        // An address is no name of a sender, and the common name counts.
        assert!(of("sns.amazonaws.com", &["192.0.2.1"]).is_of("sns.amazonaws.com"));
    }

    #[test]
    fn behind_a_certificate_is_nothing() {
        let pem = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap().cert.pem();
        let mut der = blocks(&pem).unwrap().remove(0);
        assert!(Certificate::from_der(&der).is_some());
        der.push(0);
        assert!(Certificate::from_der(&der).is_none());
    }

    /// RFC 5280 section 4.1.2.5: both ends are inclusive.
    #[test]
    fn the_first_and_the_last_moment_are_its_own() {
        let at = |seconds: i64| Timestamp::from_unix_s(1_760_000_000 + seconds);
        let certificate = Certificate { public_key: Vec::new(), from: at(0), until: at(60), names: Vec::new() };
        for (seconds, holds) in [(-1, false), (0, true), (60, true), (61, false)] {
            assert_eq!(certificate.holds(at(seconds)), holds, "{seconds}");
        }
    }
}
