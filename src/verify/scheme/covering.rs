//! Senders that sign as RFC 9421 says. Which parts have to be covered, and with which algorithm, is the policy's to say.

use super::{
    ACCEPT, CRC32, Config, Scheme,
    authenticate::{Account, Authentic, Lifetime},
    parts::{Part, Piece},
};
use crate::{
    clock::Timestamp,
    request::{Head, Unverified},
    verdict::Rejection,
    verify::{
        Key,
        jwt::{Algorithm, sender},
        message::{self, ALGORITHMS, Shown, Wanted},
        odd::Odd,
    },
};
use data_encoding::BASE64;
use std::{borrow::Cow, time::Duration};

/// What a policy has to say.
pub(super) const DEMANDED: [&str; 2] = [ALG, COMPONENTS];
/// What it may say, where a request has several signatures.
pub(super) const OPTIONAL: [&str; 3] = [LABEL, TAG, KEY_ID];

const ALG: &str = "alg";
const COMPONENTS: &str = "components";
const LABEL: &str = "label";
const TAG: &str = "tag";
const KEY_ID: &str = "keyid";

/// What a test signs unless it is told otherwise.
const USUAL: &str = "\"@method\" \"@target-uri\" \"content-digest\"";

/// What a request says to have signed, as its policy wants it. Neither a key nor the body has been looked at.
pub(in crate::verify) struct Covered {
    shown: Shown,
    name: &'static str,
    algorithm: Algorithm,
    base: String,
}

impl Covered {
    pub(in crate::verify) fn find(head: &Head, account: Account<'_>) -> Result<Self, Rejection> {
        let said = |name: &str| account.config.get(name).map(String::as_str);
        let shown = Shown::find(head, Wanted { label: said(LABEL), tag: said(TAG), key_id: said(KEY_ID) })?;
        let known = ALGORITHMS.iter().find(|(name, _)| Some(*name) == said(ALG));
        let (name, algorithm) = known.ok_or(Rejection::SignatureMismatch)?;
        // A recorded request may come without a policy's words; a policy does not compile without them.
        let demanded = match said(COMPONENTS) {
            Some(written) => message::components(written).map_err(|_| Rejection::SignatureMismatch)?,
            None => Vec::new(),
        };
        if !shown.covers(&demanded)? {
            return Err(Rejection::SignatureMissing);
        }
        let base = shown.base(head, account.public_url)?;
        Ok(Self { shown, name, algorithm: *algorithm, base })
    }

    /// The algorithm that the signature says itself, if that is another one than the policy's.
    pub(in crate::verify) fn other_algorithm(&self) -> Result<Option<&str>, Rejection> {
        Ok(self.shown.algorithm()?.filter(|said| *said != self.name))
    }

    pub(in crate::verify) fn covers_digest(&self) -> Result<bool, Rejection> {
        self.shown.covers_digest()
    }

    /// Every key is tried, so that timing does not tell which one held.
    pub(in crate::verify) fn signer<'a>(&self, keys: &[&'a Key]) -> Option<&'a Key> {
        let mut found = None;
        for key in keys {
            if sender::verifies(self.algorithm, &key.secret, self.base.as_bytes(), &self.shown.signature) {
                found = Some(*key);
            }
        }
        found
    }

    pub(in crate::verify) fn created(&self) -> Result<Option<Timestamp>, Rejection> {
        self.shown.time("created")
    }

    /// The second that it names is the last one, unlike that of a token.
    pub(in crate::verify) fn lifetime(&self) -> Result<Lifetime, Rejection> {
        let expires = self.shown.time("expires")?;
        Ok(Lifetime { from: None, until: expires.map(|last| last + Duration::from_secs(1)), expires })
    }
}

impl Scheme {
    pub(super) fn authenticate_components<'a>(
        keys: &[&'a Key],
        request: &'a Unverified,
        account: Account<'_>,
    ) -> Result<Authentic<'a>, Rejection> {
        let Unverified { head, raw } = request;
        let covered = Covered::find(head, account)?;
        if covered.other_algorithm()?.is_some() {
            return Err(Rejection::SignatureMismatch);
        }
        let covers_body = covered.covers_digest()?;
        if covers_body && !message::is_of(head, raw)? {
            return Err(Rejection::SignatureMismatch);
        }
        let created = covered.created()?.ok_or(Rejection::SignatureMissing)?;
        let lifetime = covered.lifetime()?;
        if keys.is_empty() {
            return Err(Rejection::NoKey);
        }
        let key_id = covered.signer(keys).ok_or(Rejection::SignatureMismatch)?.id.clone();
        let signed = vec![Piece::Text(Cow::Owned(covered.base.into_bytes()))];
        Ok(Authentic { key_id, signed, id: None, signed_at: Some(created), lifetime, covers_body })
    }

    /// The algorithm that a policy says, where it is the policy's to say.
    pub fn algorithm_said(&self, config: &Config) -> Option<Algorithm> {
        let said = config.get(ALG).filter(|_| self.over.is_components())?;
        ALGORITHMS.iter().find(|(name, _)| name == said).map(|(_, algorithm)| *algorithm)
    }

    /// What is wrong with what a policy says: the name, and why.
    pub fn config_mistakes(&self, config: &Config) -> Vec<(&'static str, String)> {
        let mut wrong = Vec::new();
        if self.over.parts().contains(&Part::Crc32) && config.get(ACCEPT).is_some_and(|said| said != CRC32) {
            wrong.push((
                ACCEPT,
                "of the body only CRC-32 is signed, and anybody can make another with the same: what comes is a hint, to be asked \
                 about at the vendor's; if that is how it is taken, write `accept: crc32`"
                    .to_owned(),
            ));
        }
        wrong.extend(self.over.odd().and_then(|odd| odd.config_mistake(config)));
        if !self.over.is_components() {
            return wrong;
        }
        if let Some(why) = config.get(LABEL).and_then(|label| message::label_mistake(label)) {
            wrong.push((LABEL, why));
        }
        for name in [TAG, KEY_ID] {
            if let Some(why) = config.get(name).and_then(|said| message::text_mistake(said)) {
                wrong.push((name, why));
            }
        }
        if let Some(written) = config.get(ALG)
            && ALGORITHMS.iter().all(|(name, _)| name != written)
        {
            let names: Vec<_> = ALGORITHMS.iter().map(|(name, _)| format!("`{name}`")).collect();
            wrong.push((ALG, format!("unknown algorithm `{written}`; known here: {}", names.join(", "))));
        }
        if let Some(written) = config.get(COMPONENTS) {
            match message::components(written) {
                Err(why) => wrong.push((COMPONENTS, why)),
                Ok(all) if !message::bind_content(&all) => wrong.push((
                    COMPONENTS,
                    "without `content-digest` nothing binds the body, and anybody could put in another; add it"
                        .to_owned(),
                )),
                Ok(_) => {}
            }
        }
        wrong
    }

    /// What a policy may say of its account, beside what it has to.
    pub fn config_optional(&self) -> impl Iterator<Item = &str> {
        OPTIONAL.into_iter().filter(|_| self.over.is_components())
    }

    /// What tests say where a policy would.
    pub fn config_example(&self, name: &str) -> String {
        match name {
            ALG if self.over.is_components() => "hmac-sha256".to_owned(),
            COMPONENTS if self.over.is_components() => USUAL.to_owned(),
            ACCEPT => CRC32.to_owned(),
            _ => self.over.odd().and_then(Odd::config_example).map_or_else(|| format!("our {name}"), str::to_owned),
        }
    }

    /// The digest, and what will be signed, in fields of their own.
    pub(super) fn fields_of_message(config: &Config, body: &[u8], at_s: i64) -> Vec<(String, String)> {
        let components = config.get(COMPONENTS).map_or(USUAL, String::as_str);
        let bare = |word: &str| if word.starts_with('"') { word.to_owned() } else { format!("\"{word}\"") };
        let components: Vec<_> = components.split_ascii_whitespace().map(bare).collect();
        let input = |name: &str| config.get(name).map(|said| format!(";{name}=\"{said}\"")).unwrap_or_default();
        let covered = format!("({});created={at_s}{}{}", components.join(" "), input(KEY_ID), input(TAG));
        let label = config.get(LABEL).map_or("sig1", String::as_str);
        vec![
            (message::DIGEST.to_owned(), message::content_digest(body)),
            (message::INPUT.to_owned(), format!("{label}={covered}")),
        ]
    }

    /// The signature over them, under the same label.
    pub(super) fn signature_of_message(
        config: &Config,
        head: &Head,
        site: &str,
        sign: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Option<String> {
        let label = config.get(LABEL).map_or("sig1", String::as_str);
        let base = Shown::unsigned(head).ok()?.base(head, Some(site)).ok()?;
        Some(format!("{label}=:{}:", BASE64.encode(&sign(base.as_bytes()))))
    }
}
