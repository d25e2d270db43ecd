//! How does one sender sign? A scheme is data, compiled from its catalogue entry, and works in both directions:
//! `authenticate` believes or refuses, [`sign`](Scheme::sign) makes what it believes.

mod compile;
mod parts;
pub mod text;

use super::{Coverage, Key};
use crate::{
    clock::Timestamp,
    request::{Head, Unverified},
    secret::Secret,
    verdict::Rejection,
};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use hmac::{Hmac, Mac as _};
use http::Method;
pub(super) use parts::Piece;
use parts::{Part, Place, TimeFormat};
use sha1::Sha1;
use sha2::Sha512;
use std::borrow::Cow;

/// One signature scheme, compiled.
#[derive(Clone, Debug)]
pub struct Scheme {
    algorithm: Algorithm,
    key: KeyFormat,
    signature: Signature,
    message: Vec<Part>,
    time: Option<Time>,
    /// The header with the sender's id for the event; a key only where it is a part of the message.
    id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    HmacSha256,
    HmacSha1,
    HmacSha512,
}

#[derive(Clone, Debug)]
struct KeyFormat {
    encoding: KeyEncoding,
    /// Taken off the front of the operator's text, if it is there.
    strip: Vec<String>,
    html_decode: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyEncoding {
    Utf8,
    Hex,
    Base64,
}

#[derive(Clone, Debug)]
struct Signature {
    header: String,
    shape: Shape,
    /// Literal text before each encoded signature; entries of a list without it are of another version, and skipped.
    prefix: String,
    encoding: Encoding,
}

/// How one header carries one signature or several.
#[derive(Clone, Debug)]
enum Shape {
    Raw,
    List { separator: String },
    Pairs { separator: String, equals: String, item: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Hex,
    Base64,
    Base64Url,
}

#[derive(Clone, Debug)]
struct Time {
    from: Place,
    format: TimeFormat,
}

/// Senders rotate between a few keys; more entries only make us compute more.
const SIGNATURES_MAX: usize = 16;

/// What a scheme learnt from a good signature.
pub(super) struct Authentic<'a> {
    pub(super) key: &'a Key,
    /// What was signed, piece by piece.
    pub(super) signed: Vec<Piece<'a>>,
    /// The sender's id for the event, if the signature covers it. An id that anyone can change protects nobody.
    pub(super) id: Option<&'a str>,
    pub(super) signed_at: Option<Timestamp>,
}

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// As it will be sent.
    pub method: &'a Method,
    /// The whole URL as the receiver publishes it.
    pub url: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// The sender's id for the event, for schemes that send one.
    pub id: &'a str,
    /// The time to sign.
    pub at: Timestamp,
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
}

impl Scheme {
    /// What a good signature vouches for.
    pub fn coverage(&self) -> Coverage {
        let signs = |wanted: fn(&Part) -> bool| self.message.iter().any(wanted);
        Coverage {
            body: signs(|part| matches!(part, Part::Body)),
            id: signs(|part| matches!(part, Part::Id)),
            time: signs(|part| matches!(part, Part::Time)),
        }
    }

    /// Whether the sender's URL is signed, so that the policy must say what it is (`public_url`).
    pub fn signs_url(&self) -> bool {
        self.message.iter().any(|part| matches!(part, Part::Url))
    }

    /// The header that carries the signature.
    pub fn signature_header(&self) -> &str {
        &self.signature.header
    }

    /// In the field's words, as `HMAC-SHA256 over id.time.body`.
    pub fn describe(&self) -> String {
        let algorithm = match self.algorithm {
            Algorithm::HmacSha256 => "HMAC-SHA256",
            Algorithm::HmacSha1 => "HMAC-SHA1",
            Algorithm::HmacSha512 => "HMAC-SHA512",
        };
        let message: String = self.message.iter().map(Part::describe).collect();
        format!("{algorithm} of {message}")
    }

    /// Decodes an operator's text as this sender hands its secrets out. One line end at the end is not part of it.
    ///
    /// # Errors
    /// [`BadKey`], which never shows the text.
    pub fn key(&self, text: &str) -> Result<Secret, BadKey> {
        let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
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
        Secret::new(bytes).map_err(|_| BadKey::Empty)
    }

    pub(super) fn authenticate<'a>(
        &self,
        keys: &[&'a Key],
        request: &'a Unverified,
        public_url: Option<&str>,
    ) -> Result<Authentic<'a>, Rejection> {
        let head = &request.head;
        let header = sole(head, &self.signature.header)?;
        let claimed = self.signature.claimed(header)?;
        let id = self.id.as_deref().map(|name| sole(head, name).and_then(plain_id)).transpose();
        let time = self.time.as_ref().map(|time| time.from.read(head, header, &self.signature.shape)).transpose()?;
        let mut signed = Vec::with_capacity(self.message.len());
        for part in &self.message {
            signed.push(match part {
                Part::Text(text) => Piece::Text(Cow::Owned(text.clone().into_bytes())),
                Part::Body => Piece::Body(&request.raw),
                Part::Time => Piece::Text(time.unwrap_or_default().as_bytes().into()),
                Part::Id => Piece::Text(id?.unwrap_or_default().as_bytes().into()),
                Part::Method => Piece::Text(head.method.as_str().as_bytes().into()),
                Part::Url => {
                    let base = public_url.ok_or(Rejection::SignatureMismatch)?.trim_end_matches('/');
                    Piece::Text(Cow::Owned([base.as_bytes(), head.target.raw().as_bytes()].concat()))
                }
                Part::Path => Piece::Text(head.target.path().as_bytes().into()),
                Part::Header(name) => Piece::Text(sole(head, name)?.as_bytes().into()),
                Part::Item(name) => {
                    let place = Place::Item(name.clone());
                    Piece::Text(place.read(head, header, &self.signature.shape)?.as_bytes().into())
                }
            });
        }
        let pieces: Vec<&[u8]> = signed.iter().map(Piece::bytes).collect();
        if keys.is_empty() {
            return Err(Rejection::NoKey);
        }
        // Every pair is tried, so that timing does not tell which one held.
        let mut found = None;
        for key in keys {
            for digest in &claimed {
                if self.algorithm.authenticates(&key.secret, &pieces, digest) {
                    found = Some(*key);
                }
            }
        }
        let key = found.ok_or(Rejection::SignatureMismatch)?;
        let signed_at = match (&self.time, time) {
            (Some(format), Some(text)) if self.coverage().time => {
                Some(format.format.read(text).ok_or(Rejection::SignatureMalformed)?)
            }
            _ => None,
        };
        let id = if self.coverage().id { id? } else { None };
        Ok(Authentic { key, signed, id, signed_at })
    }

    /// The header fields with which this sender would send it.
    pub fn sign(&self, key: &Secret, request: &Unsigned<'_>) -> Vec<(String, String)> {
        let time = self.time.as_ref().map(|time| time.format.write(request.at)).unwrap_or_default();
        let after_authority = request.url.find("://").and_then(|at| request.url.get(at + 3..)).unwrap_or_default();
        let target = after_authority.find('/').and_then(|at| after_authority.get(at..)).unwrap_or("/");
        let path = target.split('?').next().unwrap_or_default();
        let pieces: Vec<&[u8]> = self
            .message
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_bytes(),
                Part::Body => request.body,
                Part::Time => time.as_bytes(),
                Part::Id => request.id.as_bytes(),
                Part::Method => request.method.as_str().as_bytes(),
                Part::Url => request.url.as_bytes(),
                Part::Path => path.as_bytes(),
                Part::Header(_) | Part::Item(_) => b"",
            })
            .collect();
        let digest = self.signature.encoding.write(&self.algorithm.digest(key, &pieces));
        let claimed = format!("{}{digest}", self.signature.prefix);
        let mut fields = Vec::new();
        if let Some(name) = &self.id {
            fields.push((name.clone(), request.id.to_owned()));
        }
        let time_item = match self.time.as_ref().map(|time| &time.from) {
            Some(Place::Header(name)) => {
                fields.push((name.clone(), time));
                None
            }
            Some(Place::Item(item)) => Some((item.clone(), time)),
            None => None,
        };
        let value = match &self.signature.shape {
            Shape::Raw | Shape::List { .. } => claimed,
            Shape::Pairs { separator, equals, item } => {
                let signature = format!("{item}{equals}{claimed}");
                match time_item {
                    Some((name, time)) => format!("{name}{equals}{time}{separator}{signature}"),
                    None => signature,
                }
            }
        };
        fields.push((self.signature.header.clone(), value));
        fields
    }
}

impl Algorithm {
    fn authenticates(self, key: &Secret, pieces: &[&[u8]], claimed: &[u8]) -> bool {
        match self {
            Self::HmacSha256 => key.authenticates(pieces, claimed),
            Self::HmacSha1 => over::<Hmac<Sha1>>(key, pieces).is_some_and(|mac| mac.verify_slice(claimed).is_ok()),
            Self::HmacSha512 => over::<Hmac<Sha512>>(key, pieces).is_some_and(|mac| mac.verify_slice(claimed).is_ok()),
        }
    }

    fn digest(self, key: &Secret, pieces: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::HmacSha256 => key.digest(pieces).to_vec(),
            Self::HmacSha1 => {
                over::<Hmac<Sha1>>(key, pieces).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
            }
            Self::HmacSha512 => {
                over::<Hmac<Sha512>>(key, pieces).map(|mac| mac.finalize().into_bytes().to_vec()).unwrap_or_default()
            }
        }
    }
}

fn over<M: hmac::KeyInit + hmac::Mac>(key: &Secret, pieces: &[&[u8]]) -> Option<M> {
    let mut mac = <M as hmac::KeyInit>::new_from_slice(key.expose()).ok()?;
    for piece in pieces {
        mac.update(piece);
    }
    Some(mac)
}

impl Signature {
    /// Every signature of the right version that can be decoded strictly.
    fn claimed(&self, header: &str) -> Result<Vec<Vec<u8>>, Rejection> {
        let entries: Vec<&str> = match &self.shape {
            Shape::Raw => vec![header],
            Shape::List { separator } => header.split(separator.as_str()).collect(),
            Shape::Pairs { separator, equals, item } => {
                pairs(header, separator, equals).filter(|(name, _)| name == item).map(|(_, value)| value).collect()
            }
        };
        let versioned = entries.iter().filter_map(|entry| entry.strip_prefix(self.prefix.as_str()));
        let decoded: Vec<_> = versioned.take(SIGNATURES_MAX).filter_map(|text| self.encoding.read(text)).collect();
        if decoded.is_empty() { Err(Rejection::SignatureMalformed) } else { Ok(decoded) }
    }
}

fn pairs<'h>(header: &'h str, separator: &str, equals: &str) -> impl Iterator<Item = (&'h str, &'h str)> {
    header.split(separator).filter_map(move |pair| pair.split_once(equals))
}

impl Encoding {
    /// The one spelling that senders emit: lower-case hex, canonical base64.
    fn read(self, text: &str) -> Option<Vec<u8>> {
        let text = text.as_bytes();
        match self {
            Self::Hex => HEXLOWER.decode(text),
            Self::Base64 => BASE64.decode(text),
            Self::Base64Url => BASE64URL_NOPAD.decode(text),
        }
        .ok()
    }

    fn write(self, digest: &[u8]) -> String {
        match self {
            Self::Hex => HEXLOWER.encode(digest),
            Self::Base64 => BASE64.encode(digest),
            Self::Base64Url => BASE64URL_NOPAD.encode(digest),
        }
    }
}

/// A missing security header and a repeated one are the same: two parsers would disagree about the second.
fn sole<'a>(head: &'a Head, name: &str) -> Result<&'a str, Rejection> {
    head.sole(name).ok_or(Rejection::SignatureMissing)
}

/// The longest id of any vendor is a quarter of it.
const ID_LENGTH_MAX: usize = 256;

/// A dot would blur `id.time.body`: the specification of Standard Webhooks says so, and no sender's id has one.
fn plain_id(id: &str) -> Result<&str, Rejection> {
    let plain =
        (1..=ID_LENGTH_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
    if plain { Ok(id) } else { Err(Rejection::SignatureMalformed) }
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
