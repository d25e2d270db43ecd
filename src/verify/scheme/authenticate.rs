//! Whether a request carries the signature that its sender would have made.

use super::{
    BodyDigest, Chosen, Config, Required, Scheme, Wanted,
    algorithm::Algorithm,
    form::{Field, Fields},
    over::{Composition, Over},
    parts::{Part, Piece, Place, Told, crc32},
    signature::{At, Claim, pairs},
    sole,
};
use crate::{
    clock::Timestamp,
    request::{Head, Unverified},
    verdict::Rejection,
    verify::{Key, jwt::LEEWAY_MAX},
};
use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;

/// What a scheme learnt from a good signature.
pub(in crate::verify) struct Authentic<'a> {
    /// The label of the key that made it.
    pub(in crate::verify) key_id: String,
    /// What was signed, piece by piece.
    pub(in crate::verify) signed: Vec<Piece<'a>>,
    /// The sender's id for the event, if the signature covers it. An id that anyone can change protects nobody.
    pub(in crate::verify) id: Option<String>,
    pub(in crate::verify) signed_at: Option<Timestamp>,
    pub(in crate::verify) lifetime: Lifetime,
    /// Whether this signature covers the body, where its scheme can.
    pub(in crate::verify) covers_body: bool,
}

/// Between which moments a signature is good, where it says so itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::verify) struct Lifetime {
    pub(in crate::verify) from: Option<Timestamp>,
    pub(in crate::verify) until: Option<Timestamp>,
    /// The end as it is written: without what its sender may be off.
    pub(in crate::verify) expires: Option<Timestamp>,
}

impl Lifetime {
    /// The sender's clock may be ahead by a minute, as those of policies may; its end is its end.
    ///
    /// # Errors
    /// It is over, or still to come.
    pub(in crate::verify) fn holds(self, now: Timestamp) -> Result<(), Rejection> {
        if self.until.is_some_and(|until| now >= until) {
            return Err(Rejection::Stale);
        }
        if self.from.is_some_and(|from| now + LEEWAY_MAX < from) {
            return Err(Rejection::FromTheFuture);
        }
        Ok(())
    }
}

/// What the policy says of a sender, and nobody else.
#[derive(Clone, Copy)]
pub(in crate::verify) struct Account<'a> {
    /// The site as the sender knows it.
    pub(in crate::verify) public_url: Option<&'a str>,
    pub(in crate::verify) config: &'a Config,
}

/// One of the pieces, and every way in which the sender may have written it.
#[derive(Default)]
struct Ways {
    at: usize,
    texts: Vec<Vec<u8>>,
}

/// What the policy says that may be a part of the message.
#[derive(Clone, Copy)]
pub(super) struct Site<'s> {
    pub(super) bases: &'s [String],
    pub(super) config: &'s Config,
}

impl Scheme {
    pub(in crate::verify) fn authenticate<'a>(
        &'a self,
        keys: &[&'a Key],
        request: &'a Unverified,
        account: Account<'_>,
    ) -> Result<Authentic<'a>, Rejection> {
        match &self.over {
            Over::Parts(message) => self.authenticate_parts(message, keys, request, account),
            Over::Token(token) => self.authenticate_token(token, keys, request, account),
            Over::Components => Self::authenticate_components(keys, request, account),
            Over::Odd(odd) => self.authenticate_odd(*odd, keys, request, account),
        }
    }

    fn authenticate_parts<'a>(
        &'a self,
        message: &Composition,
        keys: &[&'a Key],
        request: &'a Unverified,
        account: Account<'_>,
    ) -> Result<Authentic<'a>, Rejection> {
        let head = &request.head;
        let mut told = Told::by(request, self.document_in.as_deref());
        let (claimed, header) = self.signature.claimed(&told, account.config)?;
        told.reading(header, &self.signature.shape);
        self.requires(&told, account.config)?;
        if message.only_fields {
            self.has_no_others(message, &told)?;
        }
        let algorithm = self.chosen(head)?;
        let fields = Fields::of(head, &request.raw);
        if self.over.takes_forms_alone() && fields.is_none() && !request.raw.is_empty() {
            return Err(Rejection::SignatureMissing);
        }
        // No body needs no digest, as of Twilio's GETs; where one is named it must fit, so that no body can be taken away.
        let unneeded = |digest: &BodyDigest| request.raw.is_empty() && !head.target.query().contains(&digest.parameter);
        if let (Some(digest), None) = (message.digest.as_ref().filter(|digest| !unneeded(digest)), &fields) {
            let parameter = sole_parameter(head, &digest.parameter)?;
            if !is_digest_of(&parameter, &request.raw) {
                return Err(Rejection::SignatureMismatch);
            }
        }
        let id = self.id.as_ref().filter(|_| self.coverage().id);
        let id = id.map(|id| id.read(&told).and_then(plain_id)).transpose()?;
        if message.id_touches() && id.as_ref().is_some_and(|id| id.contains(['{', '"', ':'])) {
            return Err(Rejection::SignatureMalformed); // the beginning of a time or of a body
        }
        if message.url_touches_body() && ends_a_url(&request.raw) {
            return Err(Rejection::SignatureMalformed);
        }
        let bases = self.bases(message, account.public_url)?;
        let site = Site { bases: &bases, config: account.config };
        let signed = message.parts.iter().map(|part| self.piece(part, &told, id.as_deref(), site, fields.as_ref()));
        let mut signed: Vec<_> = signed.collect::<Result<_, _>>()?;
        let ways = message.ways(&mut signed, &bases, head);
        if algorithm.is_plain_digest() && signed.iter().any(|piece| std::str::from_utf8(piece.bytes()).is_err()) {
            return Err(Rejection::SignatureMismatch);
        }
        if keys.is_empty() {
            return Err(Rejection::NoKey);
        }
        let key = message.signer(algorithm, keys, &claimed, &signed, &ways).ok_or(Rejection::SignatureMismatch)?;
        let signed_at = match &self.time {
            Some(time) if self.coverage().time => {
                Some(time.format.read(&time.from.read(&told)?).ok_or(Rejection::SignatureMalformed)?)
            }
            Some(_) | None => None,
        };
        let (key_id, lifetime) = (key.id.clone(), Lifetime::default());
        // Where the border could be anywhere and no time bounds it, only all that was signed has one reading.
        let id = if message.id_touches() && signed_at.is_none() {
            id.map(|_| {
                HEXLOWER.encode(&Sha256::digest(signed.iter().flat_map(Piece::bytes).copied().collect::<Vec<_>>()))
            })
        } else {
            id
        };
        Ok(Authentic { key_id, signed, id, signed_at, lifetime, covers_body: true })
    }

    pub(super) fn piece<'a>(
        &self,
        part: &Part,
        told: &Told<'a>,
        id: Option<&str>,
        site: Site<'_>,
        fields: Option<&Fields>,
    ) -> Result<Piece<'a>, Rejection> {
        let head = told.head();
        let owned = |bytes: Vec<u8>| Piece::Text(Cow::Owned(bytes));
        let text = |text: Cow<'a, str>| match text {
            Cow::Borrowed(text) => Piece::Text(Cow::Borrowed(text.as_bytes())),
            Cow::Owned(text) => Piece::Text(Cow::Owned(text.into_bytes())),
        };
        Ok(match part {
            Part::Text(literal) => owned(literal.clone().into_bytes()),
            Part::Body => Piece::Body(told.raw()),
            Part::BodyAsJson => {
                let body = std::str::from_utf8(told.raw()).map_err(|_| Rejection::SignatureMismatch)?;
                owned(Value::from(body).to_string().into_bytes())
            }
            Part::Time => match &self.time {
                Some(time) => text(time.from.read(told)?),
                None => Piece::Text(Cow::Borrowed(b"")),
            },
            Part::Id => owned(id.unwrap_or_default().as_bytes().to_vec()),
            Part::Method => Piece::Text(head.method.as_str().as_bytes().into()),
            Part::Url | Part::UrlWithoutQuery => {
                let base = site.bases.first().ok_or(Rejection::SignatureMismatch)?;
                owned(url(part, base, head).into_bytes())
            }
            Part::Path => Piece::Text(head.target.path().as_bytes().into()),
            Part::At(place) => text(place.read(told)?),
            Part::Optional { before, place, after } if place.is_in(told) => {
                let value = place.read(told)?;
                // Else one value could say what two would.
                if !after.is_empty() && value.contains(after.as_str()) {
                    return Err(Rejection::SignatureMalformed);
                }
                owned(format!("{before}{value}{after}").into_bytes())
            }
            Part::Optional { .. } => Piece::Text(Cow::Borrowed(b"")),
            Part::Configured(name) => {
                let said = site.config.get(name).ok_or(Rejection::SignatureMismatch)?;
                owned(said.clone().into_bytes())
            }
            Part::Crc32 => owned(crc32(told.raw()).to_string().into_bytes()),
            Part::Secret => Piece::Secret,
            Part::SortedForm => owned(fields.map(Fields::sorted).transpose()?.unwrap_or_default()),
        })
    }

    /// What the sender must say beside its signature: a version that is known here, an account that is ours.
    fn requires(&self, told: &Told<'_>, config: &Config) -> Result<(), Rejection> {
        for Required { place, value } in &self.require {
            let said = place.read(told)?;
            let holds = match value {
                Wanted::Is(value) => said == value.as_str(),
                Wanted::Configured(name) => config.get(name).is_some_and(|value| said == value.as_str()),
                Wanted::Like(likeness) => likeness.fits(&said),
            };
            if !holds {
                return Err(Rejection::SignatureMismatch);
            }
        }
        Ok(())
    }

    /// A field that nothing vouches for could say anything.
    fn has_no_others(&self, message: &Composition, told: &Told<'_>) -> Result<(), Rejection> {
        let signature = if let At::Form(name) = &self.signature.at { Some(name) } else { None };
        let signed = message
            .parts
            .iter()
            .filter_map(|part| if let Part::At(Place::Form(name)) = part { Some(name) } else { None });
        let known: Vec<_> = signature.into_iter().chain(signed).collect();
        let fields = told.fields().ok_or(Rejection::SignatureMissing)?;
        let is_known = |field: &Field<'_>| known.iter().any(|name| *field.name == *name.as_bytes());
        if fields.iter().all(is_known) { Ok(()) } else { Err(Rejection::SignatureMalformed) }
    }

    /// The algorithm that the sender says it used, of those that it may.
    fn chosen(&self, head: &Head) -> Result<Algorithm, Rejection> {
        let Some(Chosen { header, item, words }) = &self.chosen else { return Ok(self.algorithm) };
        if !head.headers.contains_key(header) {
            return Ok(self.algorithm);
        }
        let settings = sole(head, header)?;
        let mut named = pairs(settings, ",", "=", false).filter(|(name, _)| name == item);
        let (_, word) = named.next().ok_or(Rejection::SignatureMalformed)?;
        let known = words.iter().find(|(known, _)| known == word).filter(|_| named.next().is_none());
        known.map(|(_, algorithm)| *algorithm).ok_or(Rejection::SignatureMalformed)
    }

    /// The site as the sender may have written it; none for a scheme that does not sign it.
    fn bases(&self, message: &Composition, public_url: Option<&str>) -> Result<Vec<String>, Rejection> {
        if !self.signs_url() {
            return Ok(Vec::new());
        }
        let base = public_url.ok_or(Rejection::SignatureMismatch)?.trim_end_matches('/');
        let mut bases = vec![base.to_owned()];
        if message.any_port {
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

impl Composition {
    /// Every key is tried, so that timing does not tell which one held; and every way to write the same request.
    fn signer<'a>(
        &self,
        algorithm: Algorithm,
        keys: &[&'a Key],
        claimed: &[Claim],
        signed: &[Piece<'_>],
        ways: &Ways,
    ) -> Option<&'a Key> {
        let secret_at = self.parts.iter().position(|part| matches!(part, Part::Secret));
        let mut pieces: Vec<&[u8]> = signed.iter().map(Piece::bytes).collect();
        let mut found = None;
        for way in 0..ways.texts.len().max(1) {
            if let Some((piece, text)) = pieces.get_mut(ways.at).zip(ways.texts.get(way)) {
                *piece = text;
            }
            for key in keys {
                let mut pieces = pieces.clone();
                if let Some(piece) = secret_at.and_then(|at| pieces.get_mut(at)) {
                    *piece = key.secret.expose();
                }
                let by = |claim: &&Claim| claim.key_id.as_ref().is_none_or(|id| *id == key.id);
                let claimed = claimed.iter().filter(by).map(|claim| claim.signature.as_slice());
                if algorithm.authenticates(&key.secret, &pieces, claimed) {
                    found = Some(*key);
                }
            }
        }
        found
    }

    /// The URL may have been written in several ways, or the end of the last piece.
    fn ways(&self, signed: &mut Vec<Piece<'_>>, bases: &[String], head: &Head) -> Ways {
        if self.lost_newline {
            return Ways { texts: line_ends(signed), at: signed.len() - 1 };
        }
        let at = self.parts.iter().position(|part| matches!(part, Part::Url | Part::UrlWithoutQuery));
        let Some((at, part)) = at.and_then(|at| Some((at, self.parts.get(at)?))) else { return Ways::default() };
        Ways { at, texts: bases.iter().map(|base| url(part, base, head).into_bytes()).collect() }
    }
}

/// How what was signed may have ended, where a line break may be lost: as it came, or with one more. With and without it is
/// one request, so line breaks at the end are no part of the proof.
fn line_ends(signed: &mut Vec<Piece<'_>>) -> Vec<Vec<u8>> {
    let mut end = Vec::new();
    if let Some(Piece::Text(last)) = signed.last_mut() {
        let kept = last.iter().rposition(|byte| *byte != b'\n').map_or(0, |at| at + 1);
        end = last.to_mut().split_off(kept);
    }
    signed.push(Piece::Text(Cow::Borrowed(b"")));
    let longer = [end.as_slice(), b"\n"].concat();
    vec![end, longer]
}

/// Whether this body could be the end of a URL and the JSON that was signed behind it: no character of it could not stand in a
/// URL until the JSON begins.
fn ends_a_url(body: &[u8]) -> bool {
    let json = body.iter().position(|byte| matches!(byte, b'{' | b'['));
    json.and_then(|at| body.get(..at))
        .is_some_and(|before| !before.is_empty() && before.iter().all(u8::is_ascii_graphic))
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
pub(super) fn plain_id(id: Cow<'_, str>) -> Result<String, Rejection> {
    let plain =
        (1..=ID_LENGTH_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'.');
    if plain { Ok(id.into_owned()) } else { Err(Rejection::SignatureMalformed) }
}

fn url(part: &Part, base: &str, head: &Head) -> String {
    let target = if *part == Part::Url { head.target.raw() } else { head.target.path() };
    format!("{base}{target}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::Catalogue;

    #[test]
    fn an_id_is_of_some_length_and_of_plain_letters() {
        let plain = |id: &str| plain_id(Cow::Borrowed(id)).is_ok();
        for good in ["1", "msg_2-x:~", &"a".repeat(ID_LENGTH_MAX)] {
            assert!(plain(good), "{good}");
        }
        for bad in ["", "a.b", "a b", "a\n", "a\u{7f}", "\u{e9}", &"a".repeat(ID_LENGTH_MAX + 1)] {
            assert!(!plain(bad), "{bad:?}");
        }
    }

    /// Twilio writes the port or leaves it out. The colons of an IPv6 address are none before a port.
    #[test]
    fn a_site_is_known_with_its_port_and_without() {
        let catalogue = Catalogue::embedded();
        let scheme = &catalogue.find("twilio").unwrap().scheme;
        let Over::Parts(message) = &scheme.over else { panic!("a list of parts") };
        for (site, other) in [
            ("https://shop.example", "https://shop.example:443"),
            ("http://shop.example", "http://shop.example:80"),
            ("https://shop.example:8443", "https://shop.example"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]:443"),
            ("https://[2001:db8::1]:8443", "https://[2001:db8::1]"),
        ] {
            assert_eq!(scheme.bases(message, Some(site)).unwrap(), [site, other]);
        }
        assert_eq!(scheme.bases(message, None), Err(Rejection::SignatureMismatch));
    }
}
