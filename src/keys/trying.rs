//! Keys for looking at one request: what can be had of them, beside the texts as they stand. Nothing is made for it.

use super::{Environment, KeyError, Resolver, Whose, own, read};
use crate::{
    clock::Timestamp,
    policy::{KeyKind, Policy},
    secret::Secret,
    verify::{
        Keys,
        jwt::{Cache, Issuers},
    },
};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A sender's secret as its reference holds it, before any scheme has decoded it.
#[expect(missing_debug_implementations, reason = "holds a secret")]
pub struct Text {
    /// The name of the list.
    pub list: String,
    /// The key's label.
    pub id: String,
    /// From then on it verifies nothing.
    pub retire: Option<Timestamp>,
    /// Everybody may have it: no shared secret, whoever asks for one.
    pub is_public: bool,
    /// The secret.
    pub text: Zeroizing<String>,
}

/// The keys that can be had, and what is wrong with the others; the gate's own secret is a random one.
///
/// # Errors
/// The machine gives no random bytes.
pub fn for_trying(
    policy: &Policy,
    environment: Environment<'_>,
    now: Timestamp,
) -> Result<(Keys, Vec<KeyError>), KeyError> {
    let mut resolver = Resolver { environment, now, warnings: Vec::new(), errors: Vec::new() };
    let named = policy.keys.iter().map(|reference| (reference.name.clone(), resolver.keys(policy, reference)));
    let named = named.collect();
    let (rings, identity) = (resolver.rings(policy), resolver.identity(policy));
    let memory = own::random().and_then(|text| own::secret(text.as_bytes()));
    let memory = memory.map_err(|trouble| KeyError { whose: Whose::Own, trouble })?;
    let issuers = Issuers::new(rings, Arc::new(Cache::new(memory.clone(), 0)));
    Ok((Keys::new(memory, named).trusting(issuers).identifying(identity), resolver.errors))
}

/// The gate's own secret, if there is one: nothing is made.
///
/// # Errors
/// It cannot be had.
pub fn own_secret(policy: &Policy, environment: Environment<'_>) -> Result<Secret, KeyError> {
    let secret = match &policy.secret {
        Some(reference) => read::resolve(reference, environment).and_then(|text| own::secret(text.as_bytes())),
        None => own::find(&policy.settings.spool.folder),
    };
    secret.map_err(|trouble| KeyError { whose: Whose::Own, trouble })
}

/// The text of every key of every list that a route uses, retired ones too, each once; and the labels of those that cannot be
/// read. Of a list that no route uses nothing says whether its keys are secret.
pub fn texts(policy: &Policy, environment: Environment<'_>) -> (Vec<Text>, Vec<String>) {
    let (mut found, mut missing): (Vec<Text>, Vec<String>) = (Vec::new(), Vec::new());
    let signing = policy.keys.iter().filter_map(|reference| match &reference.kind {
        // Providers may share a list.
        KeyKind::Signatures(provider, said) => {
            let list = reference.name.split('/').next().unwrap_or_default();
            let public = said.map_or(!provider.scheme.shares_its_key(), |said| !said.is_symmetric());
            Some((list, &reference.entries, public))
        }
        KeyKind::VerifyToken | KeyKind::Api => None,
    });
    for (list, entries, public) in signing {
        for entry in entries {
            let label = format!("`{}` of `{list}`", entry.id);
            if let Some(text) = found.iter_mut().find(|text| text.list == list && text.id == entry.id) {
                text.is_public |= public;
                continue;
            }
            match read::resolve(&entry.from, environment) {
                Ok(text) => {
                    let is_public = public || looks_public(&text);
                    let (list, id) = (list.to_owned(), entry.id.clone());
                    found.push(Text { list, id, retire: entry.retire, is_public, text });
                }
                Err(_) if missing.contains(&label) => {}
                Err(_) => missing.push(label),
            }
        }
    }
    (found, missing)
}

/// PEM or JSON: a key, a certificate or a set of keys, which nobody has for a shared secret.
fn looks_public(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("-----BEGIN") || (text.starts_with('{') && text.contains("\"k"))
}
