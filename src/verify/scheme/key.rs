//! How an operator's text becomes a key.

use super::{Scheme, algorithm::BadPublicKey};
use crate::secret::Secret;
use data_encoding::BASE64;

#[derive(Clone, Debug)]
pub(super) struct KeyFormat {
    pub(super) encoding: KeyEncoding,
    /// Taken off the front of the operator's text, if it is there.
    pub(super) strip: Vec<String>,
    pub(super) html_decode: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyEncoding {
    Utf8,
    Hex,
    Base64,
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
    /// Nobody but the sender can sign.
    #[error("this sender signs with a private key that it alone has")]
    Private,
}

impl Scheme {
    /// Decodes an operator's text as this sender hands its keys out: a shared secret, or the sender's public key. One
    /// line end at the end is not part of it.
    ///
    /// # Errors
    /// [`BadKey`], which never shows the text.
    pub fn key(&self, text: &str) -> Result<Secret, BadKey> {
        self.exact_key(text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text)))
    }

    /// The same, of a text that no file and no environment has added a line end to.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn exact_key(&self, text: &str) -> Result<Secret, BadKey> {
        if text.trim().is_empty() {
            return Err(BadKey::Empty);
        }
        let text = self.key.strip.iter().find_map(|prefix| text.strip_prefix(prefix.as_str())).unwrap_or(text);
        let bytes = match self.key.encoding {
            KeyEncoding::Utf8 if self.key.html_decode => html_decode(text).into_bytes(),
            KeyEncoding::Utf8 => text.as_bytes().to_vec(),
            KeyEncoding::Hex => data_encoding::HEXLOWER_PERMISSIVE
                .decode(text.as_bytes())
                .map_err(|_| BadKey::Undecodable("hexadecimal"))?,
            KeyEncoding::Base64 => base64(text).ok_or(BadKey::Undecodable("base64"))?,
        };
        let bytes = self.algorithm.checked(bytes)?;
        Secret::new(bytes).map_err(|_| BadKey::Empty)
    }
}

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
