//! Everything that a policy can name as a destination, made of the one client that each kind has.

#[cfg(feature = "redis")]
use crate::redis;
use crate::{
    clock::Clock,
    deliver::{BadDestination, Http, Maker},
    destination::{Confirmed, Destination, Load, PublishError, Remarks},
    edge::PingoraOutbound,
    event::Record,
    policy::{self, Place},
    secret::Secret,
};
#[cfg(feature = "nats")]
use crate::{deliver::HORIZON, nats};
use std::sync::Arc;

/// What destinations are made of.
pub(super) struct Parts {
    pub(super) outbound: PingoraOutbound,
    pub(super) clock: Arc<dyn Clock>,
    #[cfg_attr(
        not(any(feature = "nats", feature = "redis")),
        expect(dead_code, reason = "only brokers are remarked on")
    )]
    pub(super) remarks: Arc<dyn Remarks>,
}

/// Any of them.
pub(super) enum Anywhere {
    Http(Box<Http<PingoraOutbound>>),
    #[cfg(feature = "nats")]
    Nats(Box<nats::Stream>),
    #[cfg(feature = "redis")]
    Redis(Box<redis::Stream>),
}

impl Maker for Parts {
    type Destination = Anywhere;

    fn make(
        &self,
        destination: &policy::Destination,
        public_url: Option<&str>,
        secret: Option<&Secret>,
        load: Load,
    ) -> Result<Anywhere, BadDestination> {
        match &destination.place {
            Place::Http(place) => {
                let (outbound, clock) = (self.outbound.clone(), self.clock.clone());
                Http::new(outbound, clock, (destination, place), public_url, secret.cloned())
                    .map(|http| Anywhere::Http(Box::new(http)))
            }
            #[cfg(feature = "nats")]
            Place::Nats(place) => {
                let (name, timeout) = (destination.name.as_str(), destination.timeout);
                let written = nats::Written {
                    name,
                    place,
                    timeout,
                    horizon: HORIZON.max(load.directly.unwrap_or_default()),
                    largest_bytes: load.largest_bytes,
                };
                let made = nats::Stream::new(&written, secret, self.remarks.clone());
                made.map(|stream| Anywhere::Nats(Box::new(stream))).map_err(|why| bad(destination, why.to_string()))
            }
            #[cfg(feature = "redis")]
            Place::Redis(place) => {
                let written = redis::Written { name: &destination.name, place, timeout: destination.timeout, load };
                let made = redis::Stream::new(&written, secret, self.remarks.clone());
                made.map(|stream| Anywhere::Redis(Box::new(stream))).map_err(|why| bad(destination, why.to_string()))
            }
            #[cfg(not(feature = "nats"))]
            Place::Nats(_) => Err(absent(destination, "nats")),
            #[cfg(not(feature = "redis"))]
            Place::Redis(_) => Err(absent(destination, "redis")),
        }
    }
}

impl Destination for Anywhere {
    async fn publish(&self, event: &Record) -> Result<Confirmed, PublishError> {
        match self {
            Self::Http(http) => http.publish(event).await,
            #[cfg(feature = "nats")]
            Self::Nats(stream) => stream.publish(event).await,
            #[cfg(feature = "redis")]
            Self::Redis(stream) => stream.publish(event).await,
        }
    }
}

#[cfg(any(feature = "nats", feature = "redis"))]
fn bad(destination: &policy::Destination, why: String) -> BadDestination {
    BadDestination { name: destination.name.clone(), why }
}

#[cfg(not(all(feature = "nats", feature = "redis")))]
fn absent(destination: &policy::Destination, feature: &str) -> BadDestination {
    let why = format!("this build has no client for it; build it with the feature `{feature}`");
    BadDestination { name: destination.name.clone(), why }
}
