//! Keyed digests for whoever asks: a share for every address, and a bound for every route that no address reaches alone.

use super::{Rate, Table, bucket};
use crate::verdict::Rejection;
use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    num::NonZeroU32,
    time::Duration,
};

/// Digests a minute that one address, or one /64, hears from a route. Vendors want one an hour, and some when a webhook is
/// set up.
const ADDRESS_SHARE: Rate = Rate { count: NonZeroU32::new(10).unwrap(), per: Duration::from_mins(1) };
/// Digests a minute that a route makes in all. Ten addresses that ask together reach it, and no fewer; whoever guesses at a
/// key by them learns no more from many.
const ROUTE_BOUND: Rate = Rate { count: NonZeroU32::new(100).unwrap(), per: Duration::from_mins(1) };
/// 512 KiB: more cells than a site has such clients in one minute. Two addresses on one cell share its tokens.
const ADDRESS_CELLS: usize = 1 << 16;
/// 32 KiB: no policy has as many routes whose senders ask for digests.
const ROUTE_CELLS: usize = 1 << 12;

/// Tokens of those who say nothing of who they are. Not those of senders: nobody's choice of an address may take a cell from
/// somebody who was verified.
#[derive(Debug)]
pub struct Strangers {
    addresses: Table,
    routes: Table,
    /// Keyed at random, so that nobody can aim at another's cell.
    hasher: RandomState,
}

impl Default for Strangers {
    fn default() -> Self {
        Self { addresses: Table::new(ADDRESS_CELLS), routes: Table::new(ROUTE_CELLS), hasher: RandomState::new() }
    }
}

impl Strangers {
    /// One token of this client's share, and then one of the route's: who has used up the share takes nothing from others.
    ///
    /// # Errors
    /// [`Rejection::HandshakeAddressLimited`], [`Rejection::HandshakeRouteLimited`].
    pub fn take(&self, route: &str, client: IpAddr, now_us: u64) -> Result<(), Rejection> {
        let share = self.hasher.hash_one((route, bucket(client)));
        self.addresses.take(share, ADDRESS_SHARE, now_us).map_err(Rejection::HandshakeAddressLimited)?;
        let all = self.hasher.hash_one(route);
        self.routes.take(all, ROUTE_BOUND, now_us).map_err(Rejection::HandshakeRouteLimited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const MINUTE_US: u64 = 60_000_000;

    fn v4(number: u8) -> IpAddr {
        Ipv4Addr::new(192, 0, 2, number).into()
    }

    /// How many of a thousand are answered, and why the last one was not.
    fn flood(strangers: &Strangers, client: IpAddr, now_us: u64) -> (usize, Option<&'static str>) {
        let answers: Vec<_> = (0..1000).map(|_| strangers.take("x", client, now_us)).collect();
        let refused = answers.last().and_then(|last| last.err()).map(Rejection::code);
        (answers.iter().flatten().count(), refused)
    }

    #[test]
    fn one_address_takes_its_share_and_leaves_the_others_theirs() {
        let strangers = Strangers::default();
        assert_eq!(flood(&strangers, v4(1), MINUTE_US), (10, Some("handshake_address_limited")));
        assert_eq!(strangers.take("x", v4(2), MINUTE_US), Ok(()), "the vendor's hourly call");
        assert_eq!(strangers.take("y", v4(1), MINUTE_US), Ok(()), "of another route");
        assert_eq!(flood(&strangers, v4(1), 2 * MINUTE_US).0, 10, "a minute later");
    }

    #[test]
    fn one_customers_network_is_one_address() {
        let strangers = Strangers::default();
        let customer = |host: u16| IpAddr::from([0x2001, 0xdb8, 1, 2, 0, 0, 0, host]);
        let answered = (0..1000).filter(|host| strangers.take("x", customer(*host), MINUTE_US).is_ok()).count();
        assert_eq!(answered, 10);
        assert_eq!(strangers.take("x", IpAddr::from([0x2001, 0xdb8, 1, 3, 0, 0, 0, 1]), MINUTE_US), Ok(()));
    }

    #[test]
    fn many_addresses_reach_the_bound_of_the_route() {
        let strangers = Strangers::default();
        let answered = (0..20).map(|number| flood(&strangers, v4(number), MINUTE_US).0).sum::<usize>();
        assert_eq!(answered, 100);
        let refused = strangers.take("x", v4(200), MINUTE_US);
        assert_eq!(refused.map_err(Rejection::code), Err("handshake_route_limited"));
        assert_eq!(strangers.take("y", v4(200), MINUTE_US), Ok(()), "another route is another bound");
    }
}
