//! The only maker of [`Verified`]. A leaf module: no scheme can see its fields.

use super::{
    Config, Handshake, Key, Keys, Provider,
    jwt::Bearer,
    scheme::{Account, Piece},
    trust::Trust,
};
use crate::{
    clock::Timestamp,
    repeat::{BodyMark, Fingerprint, Freshness, Identical, Remembered, Window},
    request::{Head, Unverified},
    secret::Secret,
    verdict::{Refusal, Rejection},
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

/// How a route knows a sender that signs its requests. Only a policy says so.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub(crate) route: String,
    pub(crate) provider: Arc<Provider>,
    /// The name in [`Keys`] of the keys that may sign.
    pub(crate) keys: String,
    pub(crate) window: Window,
    /// Scheme and authority as the sender knows them (`https://shop.example`), for schemes that sign the URL; never
    /// taken from the Host header.
    pub(crate) public_url: Option<String>,
    /// What the policy says of its account with this sender.
    pub(crate) config: Config,
    /// The validation calls that are answered.
    pub(crate) handshakes: Vec<Handshake>,
    /// The name in [`Keys`] of the words that a validation call may say.
    pub(crate) verify_token: Option<String>,
    /// What else is asked of a request, or in the place of a signature.
    pub(crate) trust: Trust,
}

/// What a signature covers. Whatever is not covered is hearsay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// The body, every byte of it.
    pub body: bool,
    /// The sender's id for the event.
    pub id: bool,
    /// The time of signing.
    pub time: bool,
}

/// A request whose signature held over the exact bytes received, or whose head showed a token that is believed; or one of a
/// sender that signs nothing, where the policy says in words that it is taken so.
///
/// Only [`verify`] makes one, and its sibling of a [`Bearer`]:
///
/// ```compile_fail,E0451
/// use hookwarden::verify::Verified;
///
/// fn forge(other: Verified) -> Verified {
///     Verified { route: String::new(), ..other }
/// }
/// ```
#[derive(Debug)]
pub struct Verified {
    route: String,
    key_id: String,
    coverage: Coverage,
    proof: Option<Remembered>,
    signed_id: Option<String>,
    bearer: Option<Bearer>,
    body: BodyMark,
    head: Head,
    raw: Bytes,
}

/// Checks signature and freshness, consuming the request either way.
///
/// # Errors
/// One of the rejections for which [`Rejection::is_authentication`] holds; a [`Fault`](crate::verdict::Fault) where the sender publishes its keys,
/// and only newer ones could tell.
pub fn verify(webhook: &Webhook, keys: &Keys, request: Unverified, now: Timestamp) -> Result<Verified, Refusal> {
    if webhook.signs_for_strangers(&request.raw) {
        return Err(Rejection::SignatureMismatch.into()); // whoever asks nicely has it signed
    }
    webhook.trust.admits(request.head.client, keys)?;
    if let Some(refers) = &webhook.provider.refers {
        refers.read(&request)?;
    }
    if webhook.provider.scheme.shows_nothing() {
        return Ok(unsigned(webhook, keys, request)?);
    }
    let in_force: Vec<_> = keys.in_force(&webhook.keys, now).collect();
    let scheme = &webhook.provider.scheme;
    let account = Account { public_url: webhook.public_url.as_deref(), config: &webhook.config };
    let ring = keys.issuers().ring(&webhook.keys).filter(|_| in_force.is_empty());
    let mut fetched = None;
    if let Some((url, pins)) = scheme.certificate(&request)?
        && webhook.fetches()
    {
        // Whose request it says to be, and the rest that no key is needed for, before anything is fetched for it.
        match scheme.authenticate(&[], &request, account) {
            Err(Rejection::NoKey) | Ok(_) => {}
            Err(other) => return Err(other.into()),
        }
        let certificate = keys.certificates().find(&url, pins, now)?;
        pins.accept(&certificate, now)?;
        let secret = Secret::new(certificate.public_key()).map_err(|_| Rejection::SignatureMismatch)?;
        fetched = Some(Key { id: "certificate".to_owned(), secret, retire: None });
    }
    let authentic = match ring {
        _ if fetched.is_some() => scheme.authenticate(&fetched.iter().collect::<Vec<_>>(), &request, account)?,
        Some(ring) => {
            let judged = scheme.authenticate_published(&ring.keys(), &request, account, now);
            if matches!(judged, Err(Refusal::Failed(_))) {
                ring.want();
            }
            judged?
        }
        None => scheme.authenticate(&in_force, &request, account)?,
    };
    let signed = || authentic.signed.iter().flat_map(Piece::bytes).copied().collect::<Vec<u8>>();
    if webhook.has_oracle() && webhook.signs_for_strangers(&signed()) {
        return Err(Rejection::SignatureMismatch.into()); // the same, of whatever the sender signs beside its body
    }
    authentic.lifetime.holds(now)?;
    match webhook.window.judge(authentic.signed_at, now) {
        Freshness::Fresh => {}
        Freshness::Stale => return Err(Rejection::Stale.into()),
        Freshness::Future => return Err(Rejection::FromTheFuture.into()),
    }
    let coverage = scheme.coverage();
    let coverage = Coverage { body: coverage.body && authentic.covers_body, ..coverage };
    let digest = keys.memory().fingerprint(&[b"body\0", &request.raw]);
    let proof = match webhook.provider.identical {
        Identical::Repeat if coverage.body => {
            // The body goes in by its digest: it is read once for the sender's signature, and once for our memory.
            let piece = |piece: &Piece<'_>| match piece {
                Piece::Body(_) => digest.to_vec(),
                Piece::Text(text) => text.to_vec(),
                Piece::Secret => Vec::new(),
            };
            let signed: Vec<_> = authentic.signed.iter().map(piece).collect();
            let signed: Vec<&[u8]> = signed.iter().map(Vec::as_slice).collect();
            let key = Fingerprint::of_proof(keys.memory(), &webhook.route, &signed);
            Some(Remembered { key, remember: webhook.window.memory() })
        }
        Identical::Repeat | Identical::Normal => None,
    };
    let (key_id, signed_id) = (authentic.key_id.clone(), authentic.id.clone());
    let (route, body) = (webhook.route.clone(), BodyMark::from_digest(&digest));
    let Unverified { head, raw } = request;
    Ok(Verified { route, key_id, coverage, proof, signed_id, bearer: None, body, head, raw })
}

/// A request that nobody signed, and that the policy takes all the same.
fn unsigned(webhook: &Webhook, keys: &Keys, request: Unverified) -> Result<Verified, Rejection> {
    if !webhook.trust.unsigned {
        return Err(Rejection::NoKey);
    }
    let Unverified { head, raw } = request;
    let body = BodyMark::from_digest(&keys.memory().fingerprint(&[b"body\0", &raw]));
    let (route, key_id) = (webhook.route.clone(), UNSIGNED.to_owned());
    let coverage = Coverage { body: false, id: false, time: false };
    Ok(Verified { route, key_id, coverage, proof: None, signed_id: None, bearer: None, body, head, raw })
}

/// The request that showed this token. Nothing of its body is vouched for by it: whoever holds the token says
/// what it says. Where a token is good `once`, it is what the request is remembered by, for as long as anybody
/// could believe it, on whichever route of the gate.
pub(crate) fn shown(bearer: Bearer, once: bool, keys: &Keys, request: Unverified, now: Timestamp) -> Verified {
    let token = bearer.token();
    let issuer = &token.issuer().terms().issuer;
    let proof = token.jti().filter(|_| once).map(|jti| Remembered {
        key: Fingerprint::of_event(keys.memory(), TOKENS, &[issuer, jti]),
        remember: token.until().since(now).unwrap_or_default() + CLOCKS,
    });
    let Unverified { head, raw } = request;
    let body = BodyMark::from_digest(&keys.memory().fingerprint(&[b"body\0", &raw]));
    let (route, key_id) = (bearer.route().to_owned(), token.key_id().unwrap_or_default().to_owned());
    let coverage = Coverage { body: false, id: false, time: false };
    Verified { route, key_id, coverage, proof, signed_id: None, bearer: Some(bearer), body, head, raw }
}

impl Webhook {
    /// For tools that judge recorded requests outside a policy: `route` is what proof keys belong to.
    pub fn for_tools(
        route: &str,
        provider: Arc<Provider>,
        keys: &str,
        window: Window,
        public_url: Option<String>,
    ) -> Self {
        let (route, keys) = (route.to_owned(), keys.to_owned());
        let (config, handshakes, verify_token) = (Config::new(), Vec::new(), None);
        let trust = Trust::default();
        Self { route, provider, keys, window, public_url, config, handshakes, verify_token, trust }
    }

    /// With these validation calls answered, and the words of this name for those that say one.
    #[must_use]
    pub fn greeting(self, handshakes: &[Handshake], words: &str) -> Self {
        Self { handshakes: handshakes.to_vec(), verify_token: Some(words.to_owned()), ..self }
    }

    /// With this said of the account.
    #[must_use]
    pub fn configured(self, config: Config) -> Self {
        Self { config, ..self }
    }

    /// What the policy says of its account with this sender.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether its keys are had from its vendor, and none are the policy's.
    fn fetches(&self) -> bool {
        self.keys.starts_with(PUBLISHED)
    }

    /// The catalogue entry it is known by.
    pub fn provider(&self) -> &Provider {
        &self.provider
    }

    /// The site as the sender knows it, for schemes that sign the URL.
    pub fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }

    /// The name of its keys.
    pub fn keys(&self) -> &str {
        &self.keys
    }

    /// The names of all keys that it is known by.
    pub fn each_keys(&self) -> impl Iterator<Item = &String> {
        let signed = (!self.provider.scheme.shows_nothing()).then_some(&self.keys);
        let confirm = self.trust.confirm.as_ref().and_then(|confirm| confirm.keys.as_ref());
        signed.into_iter().chain(&self.verify_token).chain(confirm)
    }

    /// What else is asked of a request, or in the place of a signature.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// What the vendor will be asked about; nothing if it is not asked, or if the request does not say it.
    pub fn to_confirm(&self, request: &Unverified) -> Option<String> {
        self.trust.confirm.as_ref()?;
        self.provider.refers.as_ref()?.read(request).ok()
    }

    /// The validation calls that are answered.
    pub fn handshakes(&self) -> &[Handshake] {
        &self.handshakes
    }

    /// How far a signed time may lie from now, or how long to remember where none is signed.
    pub fn window(&self) -> Window {
        self.window
    }
}

impl Verified {
    /// The route that it was verified for.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// Which key signed it.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The token that it showed, if that is how it is known.
    pub fn bearer(&self) -> Option<&Bearer> {
        self.bearer.as_ref()
    }

    /// Whose limit it spends: the key's, or that of the token's subject.
    pub fn spender(&self) -> &str {
        match &self.bearer {
            Some(bearer) => bearer.spender(),
            None => &self.key_id,
        }
    }

    /// What the signature covers.
    pub fn coverage(&self) -> Coverage {
        self.coverage
    }

    /// By which the same request is known when it is shown again.
    pub fn proof(&self) -> Option<Remembered> {
        self.proof
    }

    /// The sender's id for the event, where the signature covers it.
    pub fn signed_id(&self) -> Option<&str> {
        self.signed_id.as_deref()
    }

    /// To tell a retry from another body under the same signed id.
    pub fn body_mark(&self) -> BodyMark {
        self.body
    }

    /// Everything before the body.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The body as received; `payload` is its one reader.
    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Route, key id, token, head and raw body.
    pub(crate) fn into_parts(self) -> (String, String, Option<Bearer>, Head, Bytes) {
        (self.route, self.key_id, self.bearer, self.head, self.raw)
    }
}

/// In the place of a key's label.
const UNSIGNED: &str = "unsigned";
/// What a webhook's keys are called, up to a `/`, where they are had from the vendor: no list of a policy has such a name.
pub const PUBLISHED: &str = "(published)";

/// In the place of a route, and no name of one: a token that is good once is good once for all of them.
const TOKENS: &str = "tokens that are good once";
/// The clock that forgets may be ahead of the one that judges.
const CLOCKS: Duration = Duration::from_secs(2);
