//! How much may one address, or one sender, send? A generic cell rate algorithm, with `now` as an argument.

pub mod gcra;
mod strangers;

pub use gcra::{Rate, Table};
pub use strangers::Strangers;

use std::net::{IpAddr, Ipv6Addr};

/// By what a client is counted: one IPv6 customer has a /64, so that is one client; `::ffff:1.2.3.4` is 1.2.3.4.
pub fn bucket(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_customer_is_one_address() {
        let same = |a: &str, b: &str| bucket(a.parse().unwrap()) == bucket(b.parse().unwrap());
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"), "one /64");
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"), "two /64");
        assert!(same("::ffff:192.0.2.1", "192.0.2.1") && !same("::ffff:192.0.2.1", "::ffff:192.0.2.2"), "v4-mapped");
    }
}
