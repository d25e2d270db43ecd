//! Senders that sign a token, in which the digest of the body stands, or that of the URL; or neither.

use super::{
    Config, Scheme,
    authenticate::{Account, Authentic, Lifetime},
    parts::{Piece, Told},
    signature::Encoding,
};
use crate::{
    clock::Timestamp,
    request::{Head, Unverified},
    secret::Secret,
    verdict::{Refusal, Rejection, TokenFlaw},
    verify::{
        Key,
        jwt::{
            Algorithm, KeySet,
            sender::{Claims, Shown, public_keys},
        },
    },
};
use data_encoding::{BASE64, BASE64URL, BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest as _, Sha256};
use std::{borrow::Cow, time::Duration};

/// What a sender's tokens are made with, and what they have to say.
#[derive(Clone, Debug)]
pub(super) struct SenderToken {
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) claims: Vec<(String, Demanded)>,
    /// Claims that have to be there.
    pub(super) require: Vec<String>,
    pub(super) body: Option<Hash>,
    pub(super) url: Option<Hash>,
    /// The claim that is the signed time: when the token was made.
    pub(super) time: Option<String>,
    /// How long after its end it is still taken.
    pub(super) leeway: Duration,
    /// Where the vendor publishes its keys, as a JWK Set.
    pub(super) published: Option<String>,
}

/// What a claim has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Demanded {
    /// One of these.
    Is(Vec<String>),
    True,
    /// What the policy says under this name. A tool that judges without a policy may leave out the second kind.
    Configured {
        name: String,
        may_be_unsaid: bool,
    },
    /// The URL as the sender knows it.
    Url,
}

/// A claim that holds a SHA-256.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hash {
    pub(super) claim: String,
    pub(super) encoding: Encoding,
    /// Of nothing there is none.
    pub(super) absent_if_empty: bool,
}

impl Hash {
    /// Whether the token says that it was made for this. Nothing is secret about a digest of what was sent.
    fn holds(&self, claims: &Claims, what: &[u8]) -> Result<bool, Rejection> {
        let claimed = claims.text(&self.claim).map_err(flawed)?;
        if self.absent_if_empty && what.is_empty() {
            return Ok(claimed.is_none());
        }
        let digest = Sha256::digest(what);
        // Padding says nothing: senders write it or not.
        let padded = self.encoding == Encoding::Base64Url && claimed == Some(BASE64URL.encode(&digest).as_str());
        Ok(padded || claimed == Some(self.write(what).as_str()))
    }

    pub(super) fn write(&self, what: &[u8]) -> String {
        let digest = Sha256::digest(what);
        match self.encoding {
            Encoding::Base64 => BASE64.encode(&digest),
            Encoding::Base64Url => BASE64URL_NOPAD.encode(&digest),
            Encoding::Hex | Encoding::Text | Encoding::Basic => HEXLOWER.encode(&digest),
        }
    }
}

impl SenderToken {
    /// Whether whoever verifies could also have signed.
    pub(super) fn shares_its_key(&self) -> bool {
        self.algorithms.iter().all(|algorithm| algorithm.is_symmetric())
    }

    pub(super) fn signs_url(&self) -> bool {
        self.url.is_some() || self.claims.iter().any(|(_, demanded)| *demanded == Demanded::Url)
    }

    /// Whether this is a public key of the sender's, or several.
    pub(super) fn takes(&self, text: &str) -> bool {
        public_keys(text, &self.algorithms).is_ok()
    }

    /// What the policy has to say.
    pub(super) fn config(&self) -> impl Iterator<Item = &str> {
        self.claims.iter().filter_map(|(_, demanded)| match demanded {
            Demanded::Configured { name, .. } => Some(name.as_str()),
            Demanded::Is(_) | Demanded::True | Demanded::Url => None,
        })
    }

    pub(super) fn describe(&self) -> String {
        let names: Vec<_> = self.algorithms.iter().map(|algorithm| algorithm.name()).collect();
        let url = self.signs_url().then_some("url");
        let bound: Vec<_> = url.into_iter().chain(self.body.is_some().then_some("body")).collect();
        let of = if bound.is_empty() {
            " that says nothing of the request".to_owned()
        } else {
            format!(" of {}", bound.join(" and "))
        };
        format!("{} token{of}", names.join("/"))
    }

    fn is_made_by(&self, shown: &Shown<'_>, secret: &Secret) -> bool {
        if self.shares_its_key() {
            return shown.is_made_with(secret);
        }
        let text = std::str::from_utf8(secret.expose()).unwrap_or_default();
        public_keys(text, &self.algorithms).is_ok_and(|keys| keys.iter().any(|key| shown.is_signed_by(key)))
    }

    /// What was signed says what it has to say, of this request.
    fn judge(&self, claims: &Claims, request: &Unverified, account: Account<'_>) -> Result<(), Rejection> {
        let Unverified { head, raw } = request;
        for (name, demanded) in &self.claims {
            if !demanded.is_met(claims, name, head, account)? {
                return Err(Rejection::SignatureMismatch);
            }
        }
        if !self.require.iter().all(|name| claims.has(name)) {
            return Err(Rejection::SignatureMalformed);
        }
        if let Some(hash) = &self.url
            && !hash.holds(claims, url(account.public_url, head)?.as_bytes())?
        {
            return Err(Rejection::SignatureMismatch);
        }
        if let Some(hash) = &self.body
            && !hash.holds(claims, raw)?
        {
            return Err(Rejection::SignatureMismatch);
        }
        Ok(())
    }

    /// Between which moments it is good.
    fn lifetime(&self, claims: &Claims) -> Result<Lifetime, Rejection> {
        let date = |name: &str| claims.date(name).map_err(flawed);
        let (issued, not_before, expires) = (date("iat")?, date("nbf")?, date("exp")?);
        let until = expires.map(|expires| expires + self.leeway);
        Ok(Lifetime { from: issued.max(not_before), until, expires })
    }
}

impl Demanded {
    fn is_met(&self, claims: &Claims, name: &str, head: &Head, account: Account<'_>) -> Result<bool, Rejection> {
        // An audience alone may be one of several that a token says (RFC 7519 section 4.1).
        let is = |wanted: &str| {
            let said = if name == "aud" { claims.is_among(name, wanted) } else { claims.is(name, wanted) };
            said.map_err(flawed)
        };
        match self {
            Self::Is(known) => {
                Ok(known.iter().map(|wanted| is(wanted)).collect::<Result<Vec<_>, _>>()?.contains(&true))
            }
            Self::True => Ok(claims.is_true(name)),
            Self::Url => is(&url(account.public_url, head)?),
            Self::Configured { name: configured, may_be_unsaid } => match account.config.get(configured) {
                Some(wanted) => is(wanted),
                None => Ok(*may_be_unsaid),
            },
        }
    }

    /// What a token for this account says there.
    pub(super) fn said(&self, url: &str, config: &Config) -> Option<serde_json::Value> {
        match self {
            Self::Is(known) => known.first().map(|wanted| wanted.as_str().into()),
            Self::True => Some(true.into()),
            Self::Url => Some(url.into()),
            Self::Configured { name, .. } => config.get(name).map(|said| said.as_str().into()),
        }
    }
}

impl Scheme {
    /// Where the vendor publishes the keys of its tokens, and what they are made with.
    pub fn published(&self) -> Option<(&str, &[Algorithm])> {
        let token = self.over.token()?;
        Some((token.published.as_deref()?, &token.algorithms))
    }

    pub(super) fn authenticate_token<'a>(
        &'a self,
        token: &'a SenderToken,
        keys: &[&'a Key],
        request: &'a Unverified,
        account: Account<'_>,
    ) -> Result<Authentic<'a>, Rejection> {
        let text = self.token_in(request, account)?;
        let shown = Shown::read(&text, &token.algorithms).map_err(flawed)?;
        let key = token.signer(&shown, keys)?;
        token.authentic(&shown, key.id.clone(), request, account)
    }

    /// The key that made the token, which says what it has to say; its times are not looked at. With what its sender may be off.
    ///
    /// # Errors
    /// As [`Self::authenticate`], but for the times.
    pub(in crate::verify) fn timeless<'a>(
        &self,
        keys: &[&'a Key],
        request: &Unverified,
        account: Account<'_>,
    ) -> Result<(&'a Key, Duration), Rejection> {
        let token = self.over.token().ok_or(Rejection::SignatureMissing)?;
        let text = self.token_in(request, account)?;
        let shown = Shown::read(&text, &token.algorithms).map_err(flawed)?;
        let key = token.signer(&shown, keys)?;
        token.judge(&shown.claims().map_err(flawed)?, request, account)?;
        Ok((key, token.leeway))
    }

    /// The same, with the keys that the vendor publishes.
    ///
    /// # Errors
    /// As [`Self::authenticate`]; a fault where only the vendor could tell.
    pub(in crate::verify) fn authenticate_published<'a>(
        &'a self,
        keys: &KeySet,
        request: &'a Unverified,
        account: Account<'_>,
        now: Timestamp,
    ) -> Result<Authentic<'a>, Refusal> {
        let token = self.over.token().ok_or(Rejection::NoKey)?;
        let text = self.token_in(request, account)?;
        let shown = Shown::read(&text, &token.algorithms).map_err(flawed)?;
        let signer = shown.signer_in(keys, now).map_err(|refusal| match refusal {
            Refusal::Rejected(Rejection::Token(flaw)) => Refusal::Rejected(flawed(flaw)),
            other => other,
        })?;
        Ok(token.authentic(&shown, signer, request, account)?)
    }

    /// The token, which stands in its place once.
    fn token_in(&self, request: &Unverified, account: Account<'_>) -> Result<String, Rejection> {
        let (claimed, _) = self.signature.claimed(&Told::by(request, None), account.config)?;
        let [claim] = claimed.as_slice() else { return Err(Rejection::SignatureMalformed) };
        String::from_utf8(claim.signature.clone()).map_err(|_| Rejection::SignatureMalformed)
    }
}

impl SenderToken {
    /// Every key is tried, so that timing does not tell which one held.
    fn signer<'a>(&self, shown: &Shown<'_>, keys: &[&'a Key]) -> Result<&'a Key, Rejection> {
        if keys.is_empty() {
            return Err(Rejection::NoKey);
        }
        let mut found = None;
        for key in keys {
            if self.is_made_by(shown, &key.secret) {
                found = Some(*key);
            }
        }
        found.ok_or(Rejection::SignatureMismatch)
    }

    fn authentic<'a>(
        &self,
        shown: &Shown<'_>,
        key_id: String,
        request: &'a Unverified,
        account: Account<'_>,
    ) -> Result<Authentic<'a>, Rejection> {
        let claims = shown.claims().map_err(flawed)?;
        self.judge(&claims, request, account)?;
        let lifetime = self.lifetime(&claims)?;
        let signed_at = match &self.time {
            Some(name) => Some(claims.date(name).map_err(flawed)?.ok_or(Rejection::SignatureMalformed)?),
            None => None,
        };
        let signed = vec![Piece::Text(Cow::Owned(shown.signed().to_vec()))];
        Ok(Authentic { key_id, signed, id: None, signed_at, lifetime, covers_body: true })
    }
}

/// Outside and in logs, a sender's token is a signature.
fn flawed(flaw: TokenFlaw) -> Rejection {
    match flaw {
        TokenFlaw::Missing | TokenFlaw::Twice => Rejection::SignatureMissing,
        TokenFlaw::SignatureMismatch | TokenFlaw::KeyUnknown | TokenFlaw::KeyAmbiguous | TokenFlaw::KeyMisfit => {
            Rejection::SignatureMismatch
        }
        _ => Rejection::SignatureMalformed,
    }
}

fn url(base: Option<&str>, head: &Head) -> Result<String, Rejection> {
    let base = base.ok_or(Rejection::SignatureMismatch)?.trim_end_matches('/');
    Ok(format!("{base}{}", head.target.raw()))
}
