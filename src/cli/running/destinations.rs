//! Everything that a policy can name as a destination, made of the one client that each kind has.

use crate::{
    clock::Clock,
    deliver::{BadDestination, Http, Maker},
    edge::PingoraOutbound,
    policy::{self, Place},
    secret::Secret,
};
use std::sync::Arc;

/// What destinations are made of.
pub(super) struct Parts {
    pub(super) outbound: PingoraOutbound,
    pub(super) clock: Arc<dyn Clock>,
}

impl Maker for Parts {
    type Destination = Http<PingoraOutbound>;

    fn make(
        &self,
        destination: &policy::Destination,
        public_url: Option<&str>,
        secret: Option<&Secret>,
    ) -> Result<Self::Destination, BadDestination> {
        match &destination.place {
            Place::Http(place) => {
                let (outbound, clock) = (self.outbound.clone(), self.clock.clone());
                Http::new(outbound, clock, (destination, place), public_url, secret.cloned())
            }
            Place::Nats(_) | Place::Redis(_) => {
                let why = "this build has no client for it".to_owned();
                Err(BadDestination { name: destination.name.clone(), why })
            }
        }
    }
}
