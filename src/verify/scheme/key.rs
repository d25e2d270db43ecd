//! How an operator's text becomes a key.

use super::{Scheme, algorithm::BadPublicKey, fit::UnfitKey};
use crate::{
    secret::Secret,
    verify::{certificate::Certificate, jwt},
};
use data_encoding::BASE64;
use icu_normalizer::DecomposingNormalizerBorrowed;
use regex::Regex;
use sha1::{Digest as _, Sha1};
use std::borrow::Cow;

#[derive(Clone, Debug)]
pub(super) struct KeyFormat {
    pub(super) encoding: KeyEncoding,
    /// Taken off the front of the operator's text, if it is there.
    pub(super) strip: Vec<Strip>,
    /// Prefixes that look as if they did not belong to the key, and do.
    pub(super) literal: Vec<String>,
    /// In this order.
    pub(super) transforms: Vec<Transform>,
    /// What the sender signs with while it has no secret: no secret at all.
    pub(super) never: Vec<String>,
    /// What every one looks like, where the vendor says so.
    pub(super) like: Option<Regex>,
}

/// What is taken off the front of an operator's text: a literal, or a literal, a word of letters, digits and `_`, and
/// another literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Strip {
    Literal(String),
    Word { before: String, after: String },
}

/// What a sender does to the operator's text before it is a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transform {
    /// `wp_specialchars_decode( $secret, ENT_QUOTES )`.
    HtmlDecode,
    /// Unicode's compatibility decomposition.
    Nfkd,
    /// The key is the digest of it.
    Sha1,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyEncoding {
    Utf8,
    Hex,
    Base64,
    Pem,
    /// `name:password`.
    Credentials,
}

/// Why an operator's text is no key of this scheme. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// Nothing, or white space.
    #[error("the secret is empty or blank; copy it again from the sender's settings")]
    Empty,
    /// Not in the encoding that the sender hands out.
    #[error("the secret is not {0}, as this sender hands it out; copy it whole, without quotes")]
    Undecodable(&'static str),
    /// Decoded, and no public key of this scheme.
    #[error("{0}; copy the sender's public key again")]
    PublicKey(#[from] BadPublicKey),
    /// The sender's documentation has it: everybody knows it.
    #[error(
        "this is the word that the sender signs with while it has no secret; enter a secret in its settings, and write that"
    )]
    Known,
    /// A key or a certificate in PEM where a secret is shared.
    #[error(
        "this is PEM, and a public key or a certificate everybody may have; write the secret that the sender's settings show"
    )]
    Public,
    /// The vendor says that none looks like this.
    #[error("none of this sender's secrets looks like this; copy it again, whole")]
    Unlike,
    /// Decoded, and not of the kind that the policy's `alg` is held against.
    #[error(transparent)]
    Unfit(#[from] UnfitKey),
    /// Of a key for tests: a fault of ours.
    #[error("this machine makes no such key")]
    Unmade,
}

impl Scheme {
    /// Decodes an operator's text as this sender hands its keys out: a shared secret, or the sender's public key. One
    /// line end at the end is not part of it.
    ///
    /// # Errors
    /// [`BadKey`], which never shows the text.
    pub fn key(&self, text: &str) -> Result<Secret, BadKey> {
        self.decoded(None, without_line_end(text))
    }

    /// The same of a policy's own, which says the algorithm where that is the policy's to say ([`Self::algorithm_said`]): the key
    /// has to be of its kind, as its vendor's are, and no word that everybody knows.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn key_of(&self, said: Option<jwt::Algorithm>, text: &str) -> Result<Secret, BadKey> {
        let text = without_line_end(text);
        let key = self.decoded(said, text)?;
        match &self.key {
            _ if said.is_none() && self.shares_its_key() && text.trim_start().starts_with("-----BEGIN") => {
                Err(BadKey::Public)
            }
            format if format.never.iter().any(|word| word == text.trim()) => Err(BadKey::Known),
            format if format.like.as_ref().is_some_and(|like| !like.is_match(text)) => Err(BadKey::Unlike),
            _ => Ok(key),
        }
    }

    /// What the sender signs with while it has no secret.
    pub fn known_words(&self) -> impl Iterator<Item = &str> {
        self.key.never.iter().map(String::as_str)
    }

    /// What every one of its secrets looks like, as a pattern.
    pub fn key_pattern(&self) -> Option<&str> {
        let whole = self.key.like.as_ref()?.as_str();
        whole.strip_prefix("^(?:")?.strip_suffix(")$")
    }

    /// The same, of a text that no file and no environment has added a line end to.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn exact_key(&self, text: &str) -> Result<Secret, BadKey> {
        self.decoded(None, text)
    }

    fn decoded(&self, said: Option<jwt::Algorithm>, text: &str) -> Result<Secret, BadKey> {
        if text.trim().is_empty() {
            return Err(BadKey::Empty);
        }
        if self.over.is_components() {
            return Self::key_of_messages(text, said);
        }
        let text = self.key.strip.iter().find_map(|prefix| prefix.off(text)).unwrap_or(text);
        if text.trim().is_empty() || self.key.literal.iter().any(|prefix| prefix == text.trim_end()) {
            return Err(BadKey::Empty);
        }
        let text =
            self.key.transforms.iter().fold(Cow::Borrowed(text), |text, transform| Cow::Owned(transform.of(&text)));
        if let Some(token) = self.over.token().filter(|token| !token.shares_its_key()) {
            let key = token.takes(&text).then(|| Secret::new(text.as_bytes()));
            let key = key.ok_or(BadKey::Undecodable("a public key in PEM, a JWK or a JWK Set"))?;
            return key.map_err(|_| BadKey::Empty);
        }
        let bytes = match self.key.encoding {
            KeyEncoding::Utf8 => text.as_bytes().to_vec(),
            KeyEncoding::Credentials => match text.split_once(':') {
                Some((_, password)) if password.trim().is_empty() => return Err(BadKey::Empty),
                Some(_) => text.as_bytes().to_vec(),
                None => return Err(BadKey::Undecodable("`name:password`")),
            },
            KeyEncoding::Pem => self.pem(&text).ok_or(BadKey::Undecodable("PEM"))?,
            KeyEncoding::Hex => data_encoding::HEXLOWER_PERMISSIVE
                .decode(text.as_bytes())
                .map_err(|_| BadKey::Undecodable("hexadecimal"))?,
            KeyEncoding::Base64 => base64(&text).ok_or(BadKey::Undecodable("base64"))?,
        };
        let digested = self.key.transforms.contains(&Transform::Sha1);
        let bytes = if digested { Sha1::digest(&bytes).to_vec() } else { bytes };
        let bytes = self.algorithm.checked(bytes)?;
        Secret::new(bytes).map_err(|_| BadKey::Empty)
    }

    /// A public key; or a certificate that has one, where that is what the vendor hands out.
    fn pem(&self, text: &str) -> Option<Vec<u8>> {
        match self.certified.as_ref().and_then(|_| Certificate::from_pem(text)) {
            Some(certificate) => Some(certificate.public_key().to_vec()),
            None => pem(text),
        }
    }

    /// Whether it begins with what marks a secret that has to be decoded, which this sender's do not.
    pub fn looks_undecoded(&self, key: &Secret) -> bool {
        key.expose().starts_with(ENCODED.as_bytes()) && !self.key.literal.iter().any(|prefix| prefix == ENCODED)
    }
}

impl KeyFormat {
    /// What the operator has in hand, for people.
    pub(super) fn describe(&self, shared: bool) -> String {
        let encoding = match self.encoding {
            KeyEncoding::Utf8 => "a text, as it is",
            KeyEncoding::Hex => "hexadecimal",
            KeyEncoding::Base64 => "base64",
            KeyEncoding::Pem => "PEM",
            KeyEncoding::Credentials => "`name:password`",
        };
        let prefixes = self.strip.iter().map(|prefix| match prefix {
            Strip::Literal(text) => format!("`{text}`"),
            Strip::Word { before, after } => format!("`{before}*{after}`"),
        });
        let prefixes: Vec<_> = prefixes.collect();
        let off =
            if prefixes.is_empty() { String::new() } else { format!(", {} before it or not", prefixes.join(" or ")) };
        let kept: String = self.literal.iter().map(|text| format!(", with its `{text}`")).collect();
        let whose = if shared { "" } else { "the sender's public key: " };
        format!("{whose}{encoding}{off}{kept}")
    }
}

impl Strip {
    fn off<'t>(&self, text: &'t str) -> Option<&'t str> {
        match self {
            Self::Literal(prefix) => text.strip_prefix(prefix.as_str()),
            Self::Word { before, after } => {
                let rest = text.strip_prefix(before.as_str())?;
                let word = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
                // The longest word that leaves something behind it; if none does, it is all prefix.
                let ends = || (1..=word).rev().filter_map(|end| rest.get(end..)?.strip_prefix(after.as_str()));
                ends().find(|left| !left.is_empty()).or_else(|| ends().next())
            }
        }
    }
}

impl Transform {
    fn of(self, text: &str) -> String {
        match self {
            Self::HtmlDecode => html_decode(text),
            Self::Nfkd => DecomposingNormalizerBorrowed::new_nfkd().normalize(text).into_owned(),
            Self::Sha1 => text.to_owned(), // of the bytes, when they are known
        }
    }
}

/// Editors leave one at the end.
fn without_line_end(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text))
}

/// One block, whatever it is called.
fn pem(text: &str) -> Option<Vec<u8>> {
    let (label, rest) = text.trim().strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let lines = rest.strip_suffix(&format!("-----END {label}-----"))?;
    BASE64.decode(lines.split_ascii_whitespace().collect::<String>().as_bytes()).ok()
}

/// What senders write before a secret in base64, mostly.
const ENCODED: &str = "whsec_";

/// With or without padding: both are handed out, and both are decoded strictly.
fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).or_else(|_| data_encoding::BASE64_NOPAD.decode(text.as_bytes())).ok()
}

/// What WordPress does to a webhook's secret before it signs: `wp_specialchars_decode( $secret, ENT_QUOTES )`.
fn html_decode(text: &str) -> String {
    const ENTITIES: [(&str, &str); 9] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#060;", "<"),
        ("&#062;", ">"),
        ("&quot;", "\""),
        ("&#034;", "\""),
        ("&#x22;", "\""),
        ("&#039;", "'"),
        ("&#x27;", "'"),
    ];
    let mut decoded = text.to_owned();
    for (entity, character) in ENTITIES {
        decoded = decoded.replace(entity, character);
    }
    decoded.replace("&amp;", "&").replace("&#038;", "&").replace("&#x26;", "&")
}
