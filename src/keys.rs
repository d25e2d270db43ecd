//! Where are the secrets? Follows the references of a policy to keys in memory, and makes the gate's own secret.
//!
//! Nothing of a secret is ever in an error or a warning: they name the route, the key's label and the way out.

mod addresses;
mod certificates;
mod fetchers;
pub mod handed;
mod jwks;
mod mark;
mod own;
mod places;
mod read;
#[cfg(test)]
mod tests;
mod trying;

pub use certificates::NAME as CERTIFICATES;
pub use fetchers::{Fetchers, Observer};
pub use jwks::FetchError;
pub use mark::mark;
pub use places::{errors_in, warnings_in};
pub use read::Trouble;
pub use trying::{Text, for_trying, own_secret, texts};

use crate::{
    clock::Timestamp,
    identity,
    json::escape,
    policy::{IssuerKeys, IssuerReference, KeyKind, KeyReference, Place, Policy, Reference},
    secret::Secret,
    verify::{
        BadKey, Key, Keys, Webhook,
        jwt::{Cache, Issuers, KeySet, Ring},
    },
};
use data_encoding::BASE64;
use ipnet::IpNet;
use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// Looks a name up in the environment.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Whose secret it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// A sender's.
    Key {
        /// The routes that would have it.
        routes: Vec<String>,
        /// The key's label.
        key: String,
        /// The place of the policy that says where it is, as a JSON Pointer.
        at: Box<str>,
    },
    /// What a destination's deliveries are signed with.
    Destination(String),
    /// What the gate logs in with at a destination.
    Login(String),
    /// What an issuer's tokens are held against.
    Issuer(String),
    /// What WordPress is told of a token with.
    Identity,
    /// The gate's own.
    Own,
    /// Nobody's: a list of addresses.
    Addresses,
}

/// Why a secret cannot be had. The gate does not start, or keeps the keys it has.
#[derive(Debug, thiserror::Error)]
#[error("{whose}: {trouble}")]
pub struct KeyError {
    /// Whose.
    pub whose: Whose,
    /// Why.
    pub trouble: Trouble,
}

/// A secret that does not look right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyWarning {
    /// Whose.
    pub whose: Whose,
    /// Why.
    pub looks: Looks,
}

/// Why a secret does not look right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// It can be guessed: so many bytes.
    Short(usize),
    /// Its sender has not handed it over yet.
    NotHanded,
    /// White space or quotation marks stand around it, which are part of it then.
    Untidy,
    /// It begins with `whsec_`, which senders write before a secret in base64, and this sender's is taken as a text.
    Undecoded,
}

/// Resolves every sender's keys, and the gate's own secret, which is made in the spool's folder if the policy names
/// none and there is none yet. Keys that are retired by `now` are left out, so that their files may go.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load(
    policy: &Policy,
    environment: Environment<'_>,
    now: Timestamp,
) -> Result<(Keys, Vec<KeyWarning>), Vec<KeyError>> {
    load_beside(&policy.settings.spool.folder, policy, environment, now)
}

/// As [`load`], of a gate that has its spool in `folder`, whatever this policy says: another folder is for another start.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load_beside(
    folder: &Path,
    policy: &Policy,
    environment: Environment<'_>,
    now: Timestamp,
) -> Result<(Keys, Vec<KeyWarning>), Vec<KeyError>> {
    let mut resolver = Resolver { environment, now, warnings: Vec::new(), errors: Vec::new() };
    let named = policy.keys.iter().map(|reference| (reference.name.clone(), resolver.keys(policy, reference)));
    let named = named.collect();
    let own = match &policy.secret {
        Some(reference) => read::resolve(reference, environment).and_then(|text| own::secret(text.as_bytes())),
        // Nothing is remembered where nothing is guarded: no folder is made for it.
        None if policy.routes.is_empty() => own::random().and_then(|text| own::secret(text.as_bytes())),
        None => own::find_or_make(folder),
    };
    let rings = resolver.rings(policy);
    let identity = resolver.identity(policy);
    let addresses = resolver.addresses(policy);
    match resolver.take(Whose::Own, own) {
        Some(own) if resolver.errors.is_empty() => {
            let cache = Cache::new(own.clone(), if policy.issuers.is_empty() { 0 } else { TOKENS });
            let issuers = Issuers::new(rings, Arc::new(cache));
            Ok((Keys::new(own, named).trusting(issuers).identifying(identity).listing(addresses), resolver.warnings))
        }
        Some(_) | None => Err(resolver.errors),
    }
}

/// So many clients that show a token again and again; a usual one weighs 3 KiB.
const TOKENS: usize = 4096;

/// The secrets that destinations are signed for or logged in to with, by destination; some have none.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn of_destinations(
    policy: &Policy,
    environment: Environment<'_>,
) -> Result<BTreeMap<String, Secret>, Vec<KeyError>> {
    let mut resolver = Resolver { environment, now: Timestamp::default(), warnings: Vec::new(), errors: Vec::new() };
    let secrets = resolver.of_destinations(policy);
    if resolver.errors.is_empty() { Ok(secrets) } else { Err(resolver.errors) }
}

/// Resolves what [`load`] and [`of_destinations`] would, and makes nothing.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn check(policy: &Policy, environment: Environment<'_>, now: Timestamp) -> Result<Vec<KeyWarning>, Vec<KeyError>> {
    let mut resolver = Resolver { environment, now, warnings: Vec::new(), errors: Vec::new() };
    for reference in &policy.keys {
        drop(resolver.keys(policy, reference));
    }
    drop(resolver.of_destinations(policy));
    drop(resolver.rings(policy));
    drop(resolver.identity(policy));
    drop(resolver.addresses(policy));
    if let Some(reference) = &policy.secret {
        let own = read::resolve(reference, environment).and_then(|text| own::secret(text.as_bytes()));
        drop(resolver.take(Whose::Own, own));
    }
    if resolver.errors.is_empty() { Ok(resolver.warnings) } else { Err(resolver.errors) }
}

/// A shorter key can be found by trying.
const KEY_MIN_BYTES: usize = 16;

struct Resolver<'a> {
    environment: Environment<'a>,
    now: Timestamp,
    warnings: Vec<KeyWarning>,
    errors: Vec<KeyError>,
}

impl Resolver<'_> {
    fn keys(&mut self, policy: &Policy, reference: &KeyReference) -> Vec<Key> {
        let uses = |webhook: &Webhook| webhook.each_keys().any(|keys| *keys == reference.name);
        let using = policy.routes.iter().filter(|route| route.sender.webhook().is_some_and(uses));
        let routes: Vec<String> = using.map(|route| route.name.to_string()).collect();
        let list = reference.name.split('/').next().unwrap_or_default();
        let mut keys = Vec::new();
        for (index, entry) in reference.entries.iter().enumerate() {
            if entry.retire.is_some_and(|retire| retire <= self.now) {
                continue;
            }
            let at = format!("/keys/{}/{index}/from", escape(list)).into();
            let whose = Whose::Key { routes: routes.clone(), key: entry.id.clone(), at };
            if handed::is_awaited(&entry.from) {
                self.warnings.push(KeyWarning { whose, looks: Looks::NotHanded });
                continue;
            }
            let secret = self.resolve(&entry.from, |text| decode(reference, text));
            let secret = self.take(whose.clone(), secret);
            if secret.as_ref().is_some_and(is_untidy) {
                self.warnings.push(KeyWarning { whose: whose.clone(), looks: Looks::Untidy });
            }
            if let (KeyKind::Signatures(provider, _), Some(secret)) = (&reference.kind, &secret)
                && provider.scheme.looks_undecoded(secret)
            {
                self.warnings.push(KeyWarning { whose, looks: Looks::Undecoded });
            }
            keys.extend(secret.map(|secret| Key { id: entry.id.clone(), secret, retire: entry.retire }));
        }
        keys
    }

    /// Of what has to be fetched, an empty one: until then nobody is believed.
    fn rings(&mut self, policy: &Policy) -> BTreeMap<String, Arc<Ring>> {
        let mut rings = BTreeMap::new();
        for issuer in &policy.issuers {
            match self.key_set(issuer) {
                Ok(keys) => drop(rings.insert(issuer.name.clone(), Arc::new(Ring::new(keys)))),
                Err(trouble) => self.errors.push(KeyError { whose: Whose::Issuer(issuer.name.clone()), trouble }),
            }
        }
        rings
    }

    fn key_set(&self, issuer: &IssuerReference) -> Result<KeySet, Trouble> {
        let algorithms = &issuer.algorithms;
        match &issuer.keys {
            IssuerKeys::Jwks(_) => Ok(KeySet::not_yet()),
            IssuerKeys::Pem(from) => {
                let text = read::resolve(from, self.environment)?;
                Ok(KeySet::from_pem(&text, algorithms)?)
            }
            IssuerKeys::From(from) => {
                let text = read::resolve(from, self.environment)?;
                // No secret that anybody hands out begins like this.
                if text.trim_start().starts_with('{') {
                    let (keys, _) = KeySet::from_jwks(text.as_bytes(), algorithms)?;
                    return Ok(keys);
                }
                Ok(KeySet::from_secret(text.as_bytes(), algorithms)?)
            }
        }
    }

    fn addresses(&mut self, policy: &Policy) -> BTreeMap<PathBuf, Vec<IpNet>> {
        let mut found = BTreeMap::new();
        for path in addresses::files(policy) {
            match addresses::read(path) {
                Ok(nets) => drop(found.insert(path.clone(), nets)),
                Err(trouble) => self.errors.push(KeyError { whose: Whose::Addresses, trouble }),
            }
        }
        found
    }

    fn identity(&mut self, policy: &Policy) -> Option<Secret> {
        let reference = policy.identity.as_ref()?;
        let secret = self.resolve(&reference.sign, signing_key).and_then(|secret| match secret.len_bytes() {
            identity::KEY_MIN_BYTES.. => Ok(secret),
            bytes => Err(Trouble::TooShort { bytes, needed: identity::KEY_MIN_BYTES }),
        });
        self.take(Whose::Identity, secret)
    }

    fn of_destinations(&mut self, policy: &Policy) -> BTreeMap<String, Secret> {
        let mut secrets = BTreeMap::new();
        for destination in &policy.destinations {
            let Some(reference) = destination.secret() else { continue };
            let name = destination.name.clone();
            let secret = match destination.place {
                Place::Http(_) => {
                    let secret = self.resolve(reference, signing_key);
                    self.take(Whose::Destination(name), secret)
                }
                Place::Nats(_) | Place::Redis(_) => {
                    let secret = self.resolve(reference, password);
                    self.take(Whose::Login(name), secret)
                }
            };
            secrets.extend(secret.map(|secret| (destination.name.clone(), secret)));
        }
        secrets
    }

    fn resolve(
        &self,
        from: &Reference,
        decode: impl FnOnce(&str) -> Result<Secret, Trouble>,
    ) -> Result<Secret, Trouble> {
        let text: Zeroizing<String> = read::resolve(from, self.environment)?;
        decode(&text)
    }

    fn take(&mut self, whose: Whose, secret: Result<Secret, Trouble>) -> Option<Secret> {
        match secret {
            Ok(secret) => {
                let bytes = secret.len_bytes();
                // How long a broker's password is, is between its operators.
                if bytes < KEY_MIN_BYTES && !matches!(whose, Whose::Login(_)) {
                    self.warnings.push(KeyWarning { whose, looks: Looks::Short(bytes) });
                }
                Some(secret)
            }
            Err(trouble) => {
                self.errors.push(KeyError { whose, trouble });
                None
            }
        }
    }
}

/// Something stands around it that was copied with it.
fn is_untidy(secret: &Secret) -> bool {
    let bytes = secret.expose();
    let quoted = |mark: u8| bytes.len() > 1 && bytes.first() == Some(&mark) && bytes.last() == Some(&mark);
    let is_text = std::str::from_utf8(bytes).is_ok() && !bytes.starts_with(b"-----BEGIN");
    is_text && (bytes.trim_ascii() != bytes || quoted(b'"') || quoted(b'\''))
}

/// As the sender's scheme wants it.
fn decode(reference: &KeyReference, text: &str) -> Result<Secret, Trouble> {
    reference.kind.decode(text).map_err(|bad| match bad {
        BadKey::Empty => Trouble::Empty,
        BadKey::Undecodable(encoding) => Trouble::Undecodable(encoding.to_owned()),
        BadKey::PublicKey(bad) => Trouble::PublicKey(bad),
        BadKey::Unfit(unfit) => Trouble::Unfit(unfit),
        BadKey::Public => Trouble::Public,
        BadKey::Known => Trouble::Known,
        BadKey::Unlike => Trouble::Unlike(reference.kind.key_pattern().unwrap_or_default().to_owned()),
        BadKey::Unmade => Trouble::Undecodable("a key to verify with".to_owned()),
    })
}

/// Standard Webhooks writes its keys in base64, with `whsec_` before it or not.
fn signing_key(text: &str) -> Result<Secret, Trouble> {
    let encoded = text.strip_prefix("whsec_").unwrap_or(text);
    let bytes =
        BASE64.decode(encoded.as_bytes()).map_err(|_| Trouble::Undecodable("base64, as in `whsec_...`".to_owned()))?;
    Secret::new(bytes).map_err(|_| Trouble::Empty)
}

/// As the broker knows it.
fn password(text: &str) -> Result<Secret, Trouble> {
    Secret::new(text).map_err(|_| Trouble::Empty)
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { routes, key, .. } => {
                let routes: Vec<_> = routes.iter().map(|route| format!("`{route}`")).collect();
                write!(f, "key `{key}` of {}", routes.join(", "))
            }
            Self::Destination(name) => write!(f, "signing key of destination `{name}`"),
            Self::Login(name) => write!(f, "login of destination `{name}`"),
            Self::Issuer(name) => write!(f, "keys of issuer `{name}`"),
            Self::Identity => f.write_str("the secret of `identity`"),
            Self::Own => f.write_str("the gate's own secret"),
            Self::Addresses => f.write_str("addresses that may send"),
        }
    }
}

impl fmt::Display for KeyWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { whose, looks: Looks::Short(bytes) } => {
                write!(
                    f,
                    "{whose}: {bytes} bytes can be guessed; ask the sender for a secret of {KEY_MIN_BYTES} at least"
                )
            }
            Self { whose, looks: Looks::NotHanded } => {
                write!(
                    f,
                    "{whose}: nobody has handed it over yet; run `hookwarden handshake arm ROUTE --for 10m`, then let the sender do it"
                )
            }
            Self { whose, looks: Looks::Untidy } => write!(
                f,
                "{whose}: white space or quotation marks stand around it, and are taken as part of it; take them out unless the sender's settings show them too"
            ),
            Self { whose, looks: Looks::Undecoded } => {
                write!(
                    f,
                    "{whose}: it begins with `whsec_`, which this sender's secrets do not; is it another sender's?"
                )
            }
        }
    }
}
