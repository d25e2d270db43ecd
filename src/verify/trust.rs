//! What the policy takes for a sender's word beside a signature, or in its place.

use super::{Keys, confirm::Confirm};
use crate::{secret::Secret, verdict::Rejection};
use ipnet::IpNet;
use serde_json::Value;
use std::{collections::BTreeMap, net::IpAddr, path::PathBuf};

/// Which addresses may send, and what has to be confirmed. Without either, every address may, and nothing is asked.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The policy says in words that nothing shows who sent it.
    pub unsigned: bool,
    /// Who may send, by address.
    pub addresses: Option<Addresses>,
    /// What is asked of the vendor before anything is passed on.
    pub confirm: Option<Box<Confirming>>,
}

/// Addresses that may send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Written in the policy.
    pub nets: Vec<IpNet>,
    /// Files with one on each line; what they hold is in [`Keys`].
    pub files: Vec<PathBuf>,
}

/// What is asked of the vendor, and what it has to answer.
#[derive(Clone, Debug)]
pub struct Confirming {
    /// How.
    pub how: Confirm,
    /// The name in [`Keys`] of the key that the vendor wants.
    pub keys: Option<String>,
    /// Members of its answer, each with the values that it may have.
    pub members: BTreeMap<String, Vec<Value>>,
}

impl Trust {
    /// Whether this address may send. A file that was not read has nobody in it.
    pub(super) fn admits(&self, client: IpAddr, keys: &Keys) -> Result<(), Rejection> {
        let Some(Addresses { nets, files }) = &self.addresses else { return Ok(()) };
        let client = client.to_canonical();
        let mut all = nets.iter().chain(files.iter().flat_map(|file| keys.addresses(file)));
        if all.any(|net| net.contains(&client)) { Ok(()) } else { Err(Rejection::AddressNotListed) }
    }
}

impl Confirming {
    /// The key that is in force, if one is wanted.
    pub(crate) fn key<'k>(&self, keys: &'k Keys, now: crate::clock::Timestamp) -> Option<&'k Secret> {
        keys.in_force(self.keys.as_ref()?, now).next().map(|key| &key.secret)
    }
}

/// An address or a network of them, as in `192.0.2.7` and `2001:db8::/32`. What an IPv4 address is in IPv6 is that address.
pub fn network(text: &str) -> Option<IpNet> {
    let net = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    (net.addr() == net.network() && net.addr() == net.addr().to_canonical()).then_some(net)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_one_spelling() {
        for good in ["192.0.2.7", "192.0.2.0/24", "2001:db8::1", "2001:db8::/32"] {
            assert!(network(good).is_some(), "{good}");
        }
        for bad in ["192.0.2.7/24", "192.0.2", "::ffff:192.0.2.7", "shop.example", "192.0.2.0/33", ""] {
            assert!(network(bad).is_none(), "{bad}");
        }
    }
}
