//! Where does the policy name the secret that somebody misses?

use super::{KeyError, KeyWarning, Trouble, Whose};
use crate::{
    json::escape,
    policy::{IssuerKeys, Nats, Place, Policy, Redis, Report, Severity, Source, found_all},
    verdict::Chain,
};

/// These errors, each told at the place of the policy that says where its secret is.
pub fn errors_in(source: &Source, policy: &Policy, errors: &[KeyError]) -> Report {
    let placed = errors.iter().map(|error| {
        let place = pointer(&error.whose, Some(&error.trouble), policy);
        (place, Severity::Error, Chain(error).to_string())
    });
    found_all(source, placed)
}

/// The same of warnings.
pub fn warnings_in(source: &Source, policy: &Policy, warnings: &[KeyWarning]) -> Report {
    let placed =
        warnings.iter().map(|warning| (pointer(&warning.whose, None, policy), Severity::Warning, warning.to_string()));
    found_all(source, placed)
}

/// As a JSON Pointer; `None` for one that no place names.
fn pointer(whose: &Whose, trouble: Option<&Trouble>, policy: &Policy) -> Option<String> {
    match whose {
        Whose::Key { at, .. } => Some(at.to_string()),
        Whose::Destination(name) => Some(format!("/destinations/{}/sign", escape(name))),
        Whose::Login(name) => {
            let destination = policy.destinations.iter().find(|destination| destination.name == *name)?;
            let (Place::Nats(Nats { broker, .. }) | Place::Redis(Redis { broker, .. })) = &destination.place else {
                return None;
            };
            // At NATS a password has a user, and a token stands alone.
            let is_token = broker.user.is_none() && matches!(destination.place, Place::Nats(_));
            let key = if is_token { "token" } else { "password" };
            Some(format!("/destinations/{}/{key}", escape(name)))
        }
        Whose::Issuer(name) => {
            let issuer = policy.issuers.iter().find(|issuer| issuer.name == *name)?;
            let key = match issuer.keys {
                IssuerKeys::Jwks(_) => "jwks",
                IssuerKeys::Pem(_) => "pem",
                IssuerKeys::From(_) => "from",
            };
            Some(format!("/issuers/{}/{key}", escape(name)))
        }
        Whose::Identity => Some("/identity/sign".to_owned()),
        // Without the key it is made in the spool's folder.
        Whose::Own if policy.secret.is_some() => Some("/secret".to_owned()),
        Whose::Own => Some("/spool/folder".to_owned()),
        Whose::Addresses => {
            let path = trouble.and_then(Trouble::path)?;
            let mut routes = policy.routes.iter();
            let route = routes.find(|route| {
                let addresses = route.sender.webhook().and_then(|webhook| webhook.trust().addresses.as_ref());
                addresses.is_some_and(|known| known.files.iter().any(|file| file == path))
            })?;
            Some(format!("/routes/{}/sender/addresses", escape(&route.name)))
        }
    }
}
