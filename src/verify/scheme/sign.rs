//! The other direction: what this sender would send.

use super::{
    Scheme,
    algorithm::{Algorithm, P256_SPKI},
    form::Fields,
    key::{BadKey, KeyEncoding},
    parts::{Part, Place},
    signature::Shape,
};
use crate::{
    clock::Timestamp,
    request::{Head, Target},
    secret::Secret,
};
use aws_lc_rs::{
    agreement::{ECDH_P256, PrivateKey},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use data_encoding::{BASE64, HEXLOWER};
use http::{HeaderMap, HeaderValue, Method, header};
use sha2::{Digest as _, Sha256};
use std::net::{IpAddr, Ipv4Addr};

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Unsigned<'a> {
    /// As it will be sent.
    pub method: &'a Method,
    /// The whole URL as the receiver publishes it.
    pub url: &'a str,
    /// Of the body.
    pub content_type: &'a str,
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// The sender's id for the event, for schemes that send one.
    pub id: &'a str,
    /// The time to sign.
    pub at: Timestamp,
}

/// What the sender adds to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signed {
    /// The URL, where the sender puts something into its query.
    pub url: String,
    /// Header fields.
    pub fields: Vec<(String, String)>,
}

/// What a sender signs with. It has no `Debug`: it holds a secret.
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct SigningKey(Private);

enum Private {
    Shared(Secret),
    Ed25519(Box<Ed25519KeyPair>),
    EcdsaP256(Box<EcdsaKeyPair>),
}

impl Scheme {
    /// The key of a sender that signs with a shared secret.
    ///
    /// # Errors
    /// [`BadKey`]; [`BadKey::Private`] for a sender that signs with what it alone has.
    pub fn signing_key(&self, text: &str) -> Result<SigningKey, BadKey> {
        if !self.shares_its_key() {
            return Err(BadKey::Private);
        }
        self.key(text).map(|secret| SigningKey(Private::Shared(secret)))
    }

    /// A key for tests: what the operator would be handed out, and what the sender signs with. The same label is the
    /// same key.
    ///
    /// # Errors
    /// The primitives refuse it: a fault of ours.
    pub fn test_key(&self, label: &str) -> Result<(String, SigningKey), BadKey> {
        let seed = Sha256::digest(label);
        let (public, private) = match self.algorithm {
            Algorithm::HmacSha256 | Algorithm::HmacSha1 | Algorithm::HmacSha512 => {
                // 64 hexadecimal digits are a text, and hexadecimal, and base64: a secret in every form.
                let text = HEXLOWER.encode(&seed);
                let secret = self.key(&text)?;
                return Ok((text, SigningKey(Private::Shared(secret))));
            }
            Algorithm::Ed25519 => {
                let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_| BadKey::Private)?;
                (pair.public_key().as_ref().to_vec(), Private::Ed25519(Box::new(pair)))
            }
            Algorithm::EcdsaP256Sha256 => {
                let private = PrivateKey::from_private_key(&ECDH_P256, &seed).map_err(|_| BadKey::Private)?;
                let public = private.compute_public_key().map_err(|_| BadKey::Private)?;
                let signing = &ECDSA_P256_SHA256_ASN1_SIGNING;
                let pair = EcdsaKeyPair::from_private_key_and_public_key(signing, &seed, public.as_ref());
                let pair = pair.map_err(|_| BadKey::Private)?;
                ([P256_SPKI, public.as_ref()].concat(), Private::EcdsaP256(Box::new(pair)))
            }
        };
        let text = match self.key.encoding {
            KeyEncoding::Hex => HEXLOWER.encode(&public),
            KeyEncoding::Base64 | KeyEncoding::Utf8 => BASE64.encode(&public),
        };
        Ok((text, SigningKey(private)))
    }

    /// What this sender would add to the request.
    pub fn sign(&self, key: &SigningKey, request: &Unsigned<'_>) -> Signed {
        let time = self.time.as_ref().map(|time| time.format.write(request.at)).unwrap_or_default();
        let fields = fields(request);
        let mut url = request.url.to_owned();
        if let (Some(digest), None) = (&self.digest, &fields) {
            let mark = if url.contains('?') { '&' } else { '?' };
            url = format!("{url}{mark}{}={}", digest.parameter, HEXLOWER.encode(&Sha256::digest(request.body)));
        }
        let form = fields.and_then(|fields| fields.sorted().ok()).unwrap_or_default();
        let path = path(&url);
        let pieces: Vec<&[u8]> = self
            .message
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.as_bytes(),
                Part::Body => request.body,
                Part::Time => time.as_bytes(),
                Part::Id => request.id.as_bytes(),
                Part::Method => request.method.as_str().as_bytes(),
                Part::Url => url.as_bytes(),
                Part::Path => path.as_bytes(),
                Part::SortedForm => &form,
                Part::Header(_) | Part::Item(_) => b"",
            })
            .collect();
        let signature = self.signature.encoding.write(&key.over(self.algorithm, &pieces));
        Signed { fields: self.fields(request.id, time, &signature), url }
    }

    fn fields(&self, id: &str, time: String, signature: &str) -> Vec<(String, String)> {
        let claimed = format!("{}{signature}", self.signature.prefix);
        let mut fields = Vec::new();
        if let Some(name) = &self.id {
            fields.push((name.clone(), id.to_owned()));
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

impl SigningKey {
    fn over(&self, algorithm: Algorithm, pieces: &[&[u8]]) -> Vec<u8> {
        match &self.0 {
            Private::Shared(secret) => algorithm.digest(secret, pieces).unwrap_or_default(),
            Private::Ed25519(pair) => pair.sign(&pieces.concat()).as_ref().to_vec(),
            Private::EcdsaP256(pair) => {
                pair.sign(&SystemRandom::new(), &pieces.concat()).map(|made| made.as_ref().to_vec()).unwrap_or_default()
            }
        }
    }
}

/// As the other side will read it.
fn fields(request: &Unsigned<'_>) -> Option<Fields> {
    let headers = HeaderValue::from_str(request.content_type).map(|value| (header::CONTENT_TYPE, value));
    let head = Head {
        method: request.method.clone(),
        target: Target::parse("/").ok()?,
        host: String::new(),
        headers: headers.into_iter().collect::<HeaderMap>(),
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    Fields::of(&head, request.body)
}

fn path(url: &str) -> &str {
    let after_authority = url.find("://").and_then(|at| url.get(at + 3..)).unwrap_or_default();
    let target = after_authority.find('/').and_then(|at| after_authority.get(at..)).unwrap_or("/");
    target.split('?').next().unwrap_or_default()
}
