//! A JWK Set (RFC 7517), read strictly. One broken entry costs that key and not the others, which a rotation needs;
//! what shows that the set as a whole is not what it should be, costs the set.

use super::{Algorithm, BadKey, BadKeySet, Key, decode};
use crate::json::{self, Kind, Members, Node};
use zeroize::Zeroizing;

/// No longer text is read as a set. With their certificates the largest sets in use have a third of it.
pub const SET_MAX_BYTES: usize = 64 * 1024;
/// The largest sets in use have about ten; each costs its parsing at every refresh.
pub(super) const KEYS_MAX: usize = 32;

/// An entry that is not used, and why: for the log of a refresh.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skipped {
    /// `kty` or `crv` of something that is not spoken here.
    #[error("key {}: a kind of key that is not known here", Name(.0))]
    UnknownKind(Option<String>),
    /// `use` or `key_ops` say that it does not verify.
    #[error("key {}: not for verifying", Name(.0))]
    OtherUse(Option<String>),
    /// A shared secret in a set that came over the network.
    #[error("key {}: a shared secret that anyone can fetch is none", Name(.0))]
    Published(Option<String>),
    /// The key itself is not good.
    #[error("key {}: {why}", Name(.id))]
    Bad {
        /// Which.
        id: Option<String>,
        /// Why.
        why: BadKey,
    },
}

struct Name<'a>(&'a Option<String>);

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            // It came over the network.
            Some(id) => write!(f, "`{}`", id.escape_default()),
            None => f.write_str("without id"),
        }
    }
}

/// Where a set is from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// A file that others cannot read.
    File,
    /// A URL.
    Network,
}

/// Every usable key, and what was left out.
pub(super) fn read(raw: &[u8], from: From, algorithms: &[Algorithm]) -> Result<(Vec<Key>, Vec<Skipped>), BadKeySet> {
    if raw.len() > SET_MAX_BYTES {
        return Err(BadKeySet::TooLong);
    }
    let set = json::read(raw).map_err(|_| BadKeySet::Unreadable)?;
    let Some(Node { kind: Kind::Array(entries), .. }) = set.find("/keys") else { return Err(BadKeySet::Unreadable) };
    if entries.len() > KEYS_MAX {
        return Err(BadKeySet::TooMany);
    }
    let (mut keys, mut skipped) = (Vec::<Key>::new(), Vec::new());
    for entry in entries {
        let Kind::Object(members) = &entry.kind else { return Err(BadKeySet::Unreadable) };
        match key(&Entry(members), from, algorithms)? {
            Ok(key) if key.id().is_some() && keys.iter().any(|other| other.id() == key.id()) => {
                // Which of them a token means would be anybody's guess.
                return Err(BadKeySet::IdTwice);
            }
            Ok(key) => keys.push(key),
            Err(why) => skipped.push(why),
        }
    }
    Ok((keys, skipped))
}

struct Entry<'n>(&'n Members);

impl<'n> Entry<'n> {
    fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    fn text(&self, name: &str) -> Option<&'n str> {
        self.0.get(name).and_then(Node::text)
    }

    fn bytes(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, BadKey> {
        self.text(name).and_then(decode).map(Zeroizing::new).ok_or(BadKey::Unreadable)
    }

    /// RFC 7517 sections 4.2 and 4.3: absent, or says that the key verifies.
    fn verifies(&self) -> bool {
        let named = !self.has("use") || self.text("use") == Some("sig");
        let operates = match self.0.get("key_ops").map(|node| &node.kind) {
            None => true,
            Some(Kind::Array(items)) => items.iter().any(|item| item.text() == Some("verify")),
            Some(_) => false,
        };
        named && operates
    }
}

fn key(entry: &Entry<'_>, from: From, algorithms: &[Algorithm]) -> Result<Result<Key, Skipped>, BadKeySet> {
    let id = entry.text("kid").map(str::to_owned);
    let kind = entry.text("kty");
    let private = ["d", "p", "q", "dp", "dq", "qi", "oth"].iter().any(|name| entry.has(name));
    if private {
        // Whoever has it can sign; nothing that it signed can be believed any more.
        return Err(BadKeySet::PrivateKey);
    }
    if !entry.verifies() {
        return Ok(Err(Skipped::OtherUse(id)));
    }
    if entry.has("kid") && id.is_none() {
        return Ok(Err(Skipped::Bad { id, why: BadKey::Unreadable }));
    }
    // RFC 7517 section 4.4: the key is for this algorithm alone.
    let narrowed: Vec<_> = algorithms
        .iter()
        .copied()
        .filter(|known| !entry.has("alg") || entry.text("alg") == Some(known.name()))
        .collect();
    let made = match (kind, entry.text("crv")) {
        (Some("RSA"), _) => entry.bytes("n").and_then(|n| Key::rsa(id.clone(), &n, &entry.bytes("e")?, &narrowed)),
        (Some("EC"), Some("P-256")) => ec(entry, id.clone(), 32, &narrowed),
        (Some("EC"), Some("P-384")) => ec(entry, id.clone(), 48, &narrowed),
        (Some("OKP"), Some("Ed25519")) => entry.bytes("x").and_then(|x| Key::ed(id.clone(), &x, &narrowed)),
        (Some("oct"), _) if from == From::Network => return Ok(Err(Skipped::Published(id))),
        (Some("oct"), _) => entry.bytes("k").and_then(|k| Key::mac(id.clone(), &k, &narrowed)),
        _ => return Ok(Err(Skipped::UnknownKind(id))),
    };
    Ok(made.map_err(|why| Skipped::Bad { id, why }))
}

fn ec(entry: &Entry<'_>, id: Option<String>, length: usize, algorithms: &[Algorithm]) -> Result<Key, BadKey> {
    let (x, y) = (entry.bytes("x")?, entry.bytes("y")?);
    // RFC 7518 section 6.2.1.2: the full size of a coordinate for the curve that is named.
    if x.len() == length && y.len() == length { Key::ec(id, &x, &y, algorithms) } else { Err(BadKey::NoPoint) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_so_many_keys_and_no_more() {
        let set = |count: usize| format!(r#"{{"keys":[{}]}}"#, vec![r#"{"kty":"x"}"#; count].join(","));
        let read =
            |text: &str| read(text.as_bytes(), From::Network, &[Algorithm::Es256]).map(|(_, skipped)| skipped.len());
        assert_eq!(read(&set(KEYS_MAX)).ok(), Some(KEYS_MAX));
        assert!(matches!(read(&set(KEYS_MAX + 1)), Err(BadKeySet::TooMany)));
        let long = |bytes: usize| format!("{}{}", set(1), " ".repeat(bytes - set(1).len()));
        assert!(read(&long(SET_MAX_BYTES)).is_ok());
        assert!(matches!(read(&long(SET_MAX_BYTES + 1)), Err(BadKeySet::TooLong)));
    }
}
