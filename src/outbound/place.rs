//! Where does a name that a policy or a message gives lead to, and may that be asked? This is the wall before everything that is
//! asked of somebody else's server.

use super::{Deadlines, Resolver, Target, is_public};
use std::{io, net::SocketAddr, time::Duration};

/// CONTRACT: two seconds for what is fetched. What is not here by then is tried for again.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Somebody else's server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Over TLS, for that name.
    pub tls: bool,
    /// Addresses that the internet does not reach are in order.
    pub private: bool,
}

/// Why nobody is asked.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// The name has no address.
    #[error("its name does not resolve")]
    Name(#[source] io::Error),
    /// It leads into somebody's own network.
    #[error("`{0}` is not on the internet; if that is where it should be, write `private: allow`")]
    NotPublic(SocketAddr),
}

impl Place {
    /// Resolves the name, once. The address that was looked at is the one that is connected to: a name that leads elsewhere a
    /// moment later gains nothing by it.
    ///
    /// # Errors
    /// It leads nowhere, or where nobody may ask.
    pub async fn pin(&self, resolver: &impl Resolver) -> Result<Target, Unreachable> {
        let found = resolver.resolve(&self.host, self.port).await.map_err(Unreachable::Name)?;
        let first = found.first().copied();
        let address = found.into_iter().find(|address| self.private || is_public(address.ip()));
        match (address, first) {
            (Some(address), _) => Ok(Target { address, tls_name: self.tls.then(|| self.host.clone()) }),
            (None, Some(other)) => Err(Unreachable::NotPublic(other)),
            (None, None) => Err(Unreachable::Name(io::Error::other("the name has no address"))),
        }
    }
}

impl Deadlines {
    /// [`PATIENCE`] for each part and for all; `idle` is for how long the connection may serve the next question.
    pub fn of_a_fetch(idle: Duration) -> Self {
        Self { connect: PATIENCE, write: PATIENCE, first_byte: PATIENCE, total: PATIENCE, idle }
    }
}
