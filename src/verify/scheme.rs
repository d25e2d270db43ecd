//! How does one sender sign? A scheme is data, compiled from its catalogue entry, and works in both directions:
//! `authenticate` believes or refuses, [`sign`](Scheme::sign) makes what it believes.

mod algorithm;
mod authenticate;
mod compile;
mod covering;
mod fit;
mod form;
mod key;
mod likeness;
mod over;
mod parts;
mod refers;
mod sign;
mod signature;
mod statements;
pub mod text;
mod token;

pub use algorithm::BadPublicKey;
pub(super) use authenticate::Account;
pub(super) use covering::Covered;
pub use fit::UnfitKey;
pub use key::BadKey;
pub(super) use parts::Piece;
pub use refers::{Referring, Refers};
pub use sign::{BadPrivateKey, BadSigningKey, KeyType, Signed, SigningKey, Unsigned};

use super::{Coverage, certificates::Pins, odd::Odd};
use crate::{
    request::{Head, Unverified},
    secret::Secret,
    verdict::Rejection,
};
use algorithm::Algorithm;
use key::KeyFormat;
use likeness::Likeness;
use over::Over;
use parts::{Part, Place, TimeFormat, Told};
use signature::{At, Item, Shape, Signature};
use std::collections::BTreeMap;

/// What a policy says of its own account with a sender, by name: an application's key, for one.
pub type Config = BTreeMap<String, String>;

/// One signature scheme, compiled.
#[derive(Clone, Debug)]
pub struct Scheme {
    algorithm: Algorithm,
    /// A header by which the sender says which of several algorithms it used.
    chosen: Option<Chosen>,
    key: KeyFormat,
    signature: Signature,
    over: Over,
    /// The request names the certificate of its key.
    certified: Option<Certified>,
    time: Option<Time>,
    /// Where the sender's id for the event is; a key only where it is a part of the message.
    id: Option<Place>,
    /// Values that must be what they are.
    require: Vec<Required>,
    /// The field of the form that holds the JSON, where that is not the body itself.
    document_in: Option<String>,
}

/// Where a request names its certificate, and which it may name.
#[derive(Clone, Debug)]
struct Certified {
    from: Place,
    pins: Pins,
}

/// An item of a header that names the algorithm.
#[derive(Clone, Debug)]
struct Chosen {
    header: String,
    item: String,
    words: Vec<(String, Algorithm)>,
}

/// A query parameter, itself signed with the URL, that carries the SHA-256 of every body that is no form.
#[derive(Clone, Debug)]
struct BodyDigest {
    parameter: String,
}

#[derive(Clone, Debug)]
struct Time {
    from: Place,
    format: TimeFormat,
}

/// A place, and the one value that must stand there, or what every value there looks like.
#[derive(Clone, Debug)]
struct Required {
    place: Place,
    value: Wanted,
}

#[derive(Clone, Debug)]
enum Wanted {
    Is(String),
    /// What the policy says under this name.
    Configured(String),
    Like(Likeness),
}

impl Scheme {
    /// What a good signature vouches for.
    pub fn coverage(&self) -> Coverage {
        let message = match &self.over {
            Over::Odd(odd) => return odd.coverage(),
            Over::Components => return Coverage { body: true, id: false, time: true },
            Over::Token(token) => {
                return Coverage { body: token.body.is_some(), id: false, time: token.time.is_some() };
            }
            Over::Parts(message) => message,
        };
        let body = message.has(|part| matches!(part, Part::Body | Part::BodyAsJson | Part::SortedForm))
            || message.has(|part| matches!(part, Part::At(Place::Form(_)))) && message.only_fields
            || message.digest.is_some();
        let in_body = |place: Option<&Place>| body && matches!(place, Some(Place::Json(_)));
        Coverage {
            body,
            id: message.has(|part| matches!(part, Part::Id)) || in_body(self.id.as_ref()),
            time: message.has(|part| matches!(part, Part::Time)) || in_body(self.time.as_ref().map(|time| &time.from)),
        }
    }

    /// Whether the key is in a certificate that the request names, so that the policy need not say where it is.
    pub fn is_certified(&self) -> bool {
        self.certified.is_some()
    }

    /// The URL of the certificate that the request names, if it may.
    ///
    /// # Errors
    /// It names none, or one of somebody else's.
    pub(in crate::verify) fn certificate(&self, request: &Unverified) -> Result<Option<(String, &Pins)>, Rejection> {
        let Some(Certified { from, pins }) = &self.certified else { return Ok(None) };
        let url = from.read(&Told::by(request, None))?.into_owned();
        if pins.take(&url) { Ok(Some((url, pins))) } else { Err(Rejection::SignatureMalformed) }
    }

    /// Whether the sender's URL is signed, so that the policy must say what it is (`public_url`).
    pub fn signs_url(&self) -> bool {
        self.over.signs_url()
    }

    /// Whether whoever verifies could also have signed; else the sender alone can.
    pub fn shares_its_key(&self) -> bool {
        self.algorithm.shares_its_key()
    }

    /// Whether nothing at all shows who sent it.
    pub fn shows_nothing(&self) -> bool {
        self.algorithm == Algorithm::Unsigned
    }

    /// Whether anything is signed; else the secret itself is shown.
    pub fn signs(&self) -> bool {
        self.algorithm.signs()
    }

    /// Where the signature is, for people.
    pub fn signature_at(&self) -> String {
        match (&self.signature.at, &self.document_in) {
            (At::Json(pointer), Some(field)) => format!("form field `{field}` {pointer}"),
            (at, _) => at.describe(),
        }
    }

    /// Whether the head shows a signature, good or not.
    pub fn is_signed(&self, head: &Head) -> bool {
        self.signature.at.is_in(head)
    }

    /// The header that has the signature in it, where there is just one.
    pub fn signature_header(&self) -> Option<&str> {
        match &self.signature.at {
            At::Header(name) | At::Lines(name) | At::Either(name, _) => Some(name),
            At::Numbered(_) | At::Query(_) | At::Json(_) | At::Form(_) | At::Nowhere => None,
        }
    }

    /// Whether every body of this sender is a form.
    pub fn signs_forms(&self) -> bool {
        self.over.takes_forms_alone()
            || self.over.odd().is_some_and(Odd::signs_forms)
            || matches!(self.signature.at, At::Form(_))
            || self.document_in.is_some()
    }

    /// Whether the sender sends its signature header once for each of its keys.
    pub fn repeats_its_header(&self) -> bool {
        matches!(self.signature.at, At::Lines(_))
    }

    /// What the policy has to say of its account with this sender.
    pub fn config(&self) -> impl Iterator<Item = &str> {
        let required = self.require.iter().filter_map(|required| match &required.value {
            Wanted::Configured(name) => Some(name.as_str()),
            Wanted::Is(_) | Wanted::Like(_) => None,
        });
        let item = match &self.signature.shape {
            Shape::Pairs { item: Item::Configured(name), .. } => Some(name.as_str()),
            Shape::Pairs { item: Item::Called(_), .. } | Shape::Raw | Shape::List { .. } => None,
        };
        let demanded = covering::DEMANDED.into_iter().filter(|_| self.over.is_components());
        let parts = self.over.parts().iter().filter_map(|part| match part {
            Part::Configured(name) => Some(name.as_str()),
            Part::Crc32 => Some(ACCEPT),
            _ => None,
        });
        let odd = self.over.odd().and_then(Odd::config);
        let token = self.over.token().into_iter().flat_map(token::SenderToken::config);
        required.chain(item).chain(token).chain(demanded).chain(parts).chain(odd)
    }

    /// The headers that say so.
    pub fn config_fields(&self, config: &Config) -> Vec<(String, String)> {
        let field = |required: &Required| {
            let (Place::Header(header), Wanted::Configured(name)) = (&required.place, &required.value) else {
                return None;
            };
            Some((header.clone(), config.get(name)?.clone()))
        };
        self.require.iter().filter_map(field).collect()
    }

    /// What the operator has in hand as its key, for people.
    pub fn key_format(&self) -> String {
        if self.over.is_components() {
            return "base64 of a shared secret, or the sender's public key: PEM".to_owned();
        }
        self.key.describe(self.shares_its_key())
    }

    /// The keyed digest of this text, where there is such a thing.
    pub(in crate::verify) fn mac(&self, key: &Secret, text: &str) -> Option<Vec<u8>> {
        if self.makes_macs() { self.algorithm.digest(key, &[text.as_bytes()]) } else { None }
    }

    /// Whether it has a keyed digest: its key is shared, and stands in no text.
    pub(in crate::verify) fn makes_macs(&self) -> bool {
        self.algorithm.shares_its_key()
            && self.algorithm.signs()
            && !self.algorithm.is_plain_digest()
            && matches!(self.over, Over::Parts(_) | Over::Odd(_))
    }

    /// In the field's words, as `HMAC-SHA256 of id.time.body`.
    pub fn describe(&self) -> String {
        let name = self.algorithm.name();
        match &self.over {
            Over::Odd(odd) if self.signs() => format!("{name} of {}", odd.describe()),
            Over::Odd(odd) => format!("{name} in {}", odd.describe()),
            Over::Components => "the parts that a policy names, content-digest among them".to_owned(),
            Over::Token(token) => token.describe(),
            Over::Parts(_) if self.shows_nothing() => name.to_owned(),
            Over::Parts(_) if !self.signs() => format!("{name} in {}", self.signature_at()),
            Over::Parts(message) => format!("{name} of {}", message.describe()),
        }
    }
}

/// What a policy says where a check of the body is none against forgers.
const ACCEPT: &str = "accept";
/// What it says there: anybody can make another body with the same.
const CRC32: &str = "crc32";

/// A missing security header and a repeated one are the same: two parsers would disagree about the second.
fn sole<'a>(head: &'a Head, name: &str) -> Result<&'a str, Rejection> {
    head.sole(name).ok_or(Rejection::SignatureMissing)
}
