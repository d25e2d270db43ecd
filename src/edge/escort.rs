//! What does WordPress hear of whoever showed a token? Not the token, unless the policy says so; and who it is in a token of
//! the gate's own, if the two share a secret for that.

use crate::{
    event::Arrival,
    identity::{FIELD, Identity},
    policy::{Policy, Route},
    request::Head,
    verify::{Keys, jwt::Bearer},
};
use http::HeaderValue;
use pingora_error::Result;
use pingora_http::RequestHeader;
use std::sync::Arc;

/// By which rules, and of which request.
#[derive(Clone)]
pub(super) struct Escort {
    pub(super) policy: Arc<Policy>,
    pub(super) keys: Arc<Keys>,
    pub(super) arrival: Arrival,
}

impl Escort {
    /// Changes a head that is ready for the origin otherwise.
    pub(super) fn to_origin(
        &self,
        route: &Route,
        bearer: &Bearer,
        asked: &Head,
        head: &mut RequestHeader,
    ) -> Result<()> {
        if let Some(tokens) = route.sender.tokens().filter(|tokens| !tokens.forward) {
            let (name, rest) = tokens.rule.place().without(&head.headers);
            head.remove_header(&name);
            for value in rest {
                head.append_header(name.clone(), value)?;
            }
        }
        match self.identity(bearer, asked) {
            Some(identity) => head.insert_header(FIELD, identity),
            None => Ok(()),
        }
    }

    fn identity(&self, bearer: &Bearer, asked: &Head) -> Option<HeaderValue> {
        let (key, terms) = self.keys.identity().zip(self.policy.identity.as_ref())?;
        let identity = Identity {
            bearer,
            audience: &terms.audience,
            method: &asked.method,
            target: asked.target.raw(),
            jti: &self.arrival.request_id,
            at: self.arrival.at,
        };
        HeaderValue::from_str(&identity.sign(key)?).ok()
    }
}
