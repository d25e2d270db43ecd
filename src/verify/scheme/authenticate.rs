//! Whether a request carries the signature that its sender would have made.

use super::{
    Chosen, Scheme,
    algorithm::Algorithm,
    form::Fields,
    parts::{Part, Piece, Place},
    signature::pairs,
    sole,
};
use crate::{
    clock::Timestamp,
    request::{Head, Unverified},
    verdict::Rejection,
    verify::Key,
};
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;

/// What a scheme learnt from a good signature.
pub(in crate::verify) struct Authentic<'a> {
    pub(in crate::verify) key: &'a Key,
    /// What was signed, piece by piece.
    pub(in crate::verify) signed: Vec<Piece<'a>>,
    /// The sender's id for the event, if the signature covers it. An id that anyone can change protects nobody.
    pub(in crate::verify) id: Option<&'a str>,
    pub(in crate::verify) signed_at: Option<Timestamp>,
}

impl Scheme {
    pub(in crate::verify) fn authenticate<'a>(
        &self,
        keys: &[&'a Key],
        request: &'a Unverified,
        public_url: Option<&str>,
    ) -> Result<Authentic<'a>, Rejection> {
        let head = &request.head;
        let header = sole(head, &self.signature.header)?;
        let claimed = self.signature.claimed(header)?;
        let algorithm = self.chosen(head)?;
        let fields = Fields::of(head, &request.raw);
        if let (Some(digest), None) = (&self.digest, &fields) {
            let parameter = sole_parameter(head, &digest.parameter)?;
            if !is_digest_of(&parameter, &request.raw) {
                return Err(Rejection::SignatureMismatch);
            }
        }
        let id = self.id.as_deref().map(|name| sole(head, name).and_then(plain_id)).transpose();
        let time = self.time.as_ref().map(|time| time.from.read(head, header, &self.signature.shape)).transpose()?;
        let bases = self.bases(public_url)?;
        let mut signed = Vec::with_capacity(self.message.len());
        for part in &self.message {
            signed.push(match part {
                Part::Text(text) => Piece::Text(Cow::Owned(text.clone().into_bytes())),
                Part::Body => Piece::Body(&request.raw),
                Part::Time => Piece::Text(time.unwrap_or_default().as_bytes().into()),
                Part::Id => Piece::Text(id?.unwrap_or_default().as_bytes().into()),
                Part::Method => Piece::Text(head.method.as_str().as_bytes().into()),
                Part::Url => {
                    let base = bases.first().ok_or(Rejection::SignatureMismatch)?;
                    Piece::Text(Cow::Owned([base.as_bytes(), head.target.raw().as_bytes()].concat()))
                }
                Part::Path => Piece::Text(head.target.path().as_bytes().into()),
                Part::Header(name) => Piece::Text(sole(head, name)?.as_bytes().into()),
                Part::Item(name) => {
                    let place = Place::Item(name.clone());
                    Piece::Text(place.read(head, header, &self.signature.shape)?.as_bytes().into())
                }
                Part::SortedForm => {
                    Piece::Text(Cow::Owned(fields.as_ref().map(Fields::sorted).transpose()?.unwrap_or_default()))
                }
            });
        }
        if keys.is_empty() {
            return Err(Rejection::NoKey);
        }
        let key = self.signer(algorithm, keys, &claimed, &signed, &bases, head).ok_or(Rejection::SignatureMismatch)?;
        let signed_at = match (&self.time, time) {
            (Some(format), Some(text)) if self.coverage().time => {
                Some(format.format.read(text).ok_or(Rejection::SignatureMalformed)?)
            }
            _ => None,
        };
        let id = if self.coverage().id { id? } else { None };
        Ok(Authentic { key, signed, id, signed_at })
    }

    /// Every pair is tried, so that timing does not tell which one held; and every way to write the same URL.
    fn signer<'a>(
        &self,
        algorithm: Algorithm,
        keys: &[&'a Key],
        claimed: &[Vec<u8>],
        signed: &[Piece<'_>],
        bases: &[String],
        head: &Head,
    ) -> Option<&'a Key> {
        let at = self.message.iter().position(|part| matches!(part, Part::Url));
        let mut pieces: Vec<&[u8]> = signed.iter().map(Piece::bytes).collect();
        let urls: Vec<_> = bases.iter().map(|base| format!("{base}{}", head.target.raw())).collect();
        let mut found = None;
        for variant in 0..urls.len().max(1) {
            let url = at.and_then(|at| pieces.get_mut(at)).zip(urls.get(variant));
            if let Some((piece, url)) = url {
                *piece = url.as_bytes();
            }
            for key in keys {
                for digest in claimed {
                    if algorithm.authenticates(&key.secret, &pieces, digest) {
                        found = Some(*key);
                    }
                }
            }
        }
        found
    }

    /// The algorithm that the sender says it used, of those that it may.
    fn chosen(&self, head: &Head) -> Result<Algorithm, Rejection> {
        let Some(Chosen { header, item, words }) = &self.chosen else { return Ok(self.algorithm) };
        if !head.headers.contains_key(header) {
            return Ok(self.algorithm);
        }
        let settings = sole(head, header)?;
        let mut named = pairs(settings, ",", "=").filter(|(name, _)| name == item);
        let (_, word) = named.next().ok_or(Rejection::SignatureMalformed)?;
        let known = words.iter().find(|(known, _)| known == word).filter(|_| named.next().is_none());
        known.map(|(_, algorithm)| *algorithm).ok_or(Rejection::SignatureMalformed)
    }

    /// The site as the sender may have written it; none for a scheme that does not sign it.
    fn bases(&self, public_url: Option<&str>) -> Result<Vec<String>, Rejection> {
        if !self.signs_url() {
            return Ok(Vec::new());
        }
        let base = public_url.ok_or(Rejection::SignatureMismatch)?.trim_end_matches('/');
        let mut bases = vec![base.to_owned()];
        if self.any_port {
            let (scheme, authority) = base.split_once("://").unwrap_or(("https", base));
            let port = if scheme == "http" { "80" } else { "443" };
            let host = authority.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
            bases.push(match host {
                Some((host, _)) => format!("{scheme}://{host}"),
                None => format!("{scheme}://{authority}:{port}"),
            });
        }
        Ok(bases)
    }
}

/// A parameter that stands in the query once.
fn sole_parameter(head: &Head, wanted: &str) -> Result<String, Rejection> {
    let pieces = head.target.query().split('&').filter_map(|piece| piece.split_once('='));
    let mut found = pieces.filter(|(name, _)| *name == wanted);
    let (_, value) = found.next().ok_or(Rejection::SignatureMissing)?;
    if found.next().is_some() { Err(Rejection::SignatureMissing) } else { Ok(value.to_owned()) }
}

/// Nothing is secret about a digest of what was sent: plain comparison will do.
fn is_digest_of(written: &str, raw: &[u8]) -> bool {
    HEXLOWER.encode(&Sha256::digest(raw)) == written
}

/// The longest id of any vendor is a quarter of it.
const ID_LENGTH_MAX: usize = 256;

/// A dot would blur `id.time.body`: the specification of Standard Webhooks says so, and no sender's id has one.
fn plain_id(id: &str) -> Result<&str, Rejection> {
    let plain =
        (1..=ID_LENGTH_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
    if plain { Ok(id) } else { Err(Rejection::SignatureMalformed) }
}
