//! Who may hold a connection: so many in all, so many per client address.

use crate::limit::bucket;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The places of one house, whatever the number of its listeners.
#[derive(Debug, Default)]
pub(super) struct Seats {
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    in_all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place in the house; dropping it makes room.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    address: Option<IpAddr>,
}

impl Seats {
    /// One of `in_all`, before a byte is read. Behind a load balancer the client's address comes later: see
    /// [`Seat::claim`].
    pub(super) fn take(self: &Arc<Self>, in_all: usize) -> Option<Seat> {
        let mut taken = self.lock();
        if taken.in_all >= in_all {
            return None;
        }
        taken.in_all += 1;
        Some(Seat { seats: self.clone(), address: None })
    }

    pub(super) fn in_use(&self) -> usize {
        self.lock().in_all
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Once the client is known. False: its address has `per_address` connections already.
    pub(super) fn claim(&mut self, client: IpAddr, per_address: usize) -> bool {
        let address = bucket(client);
        let mut taken = self.seats.lock();
        let count = taken.by_address.entry(address).or_default();
        if *count >= per_address {
            return false;
        }
        *count += 1;
        self.address = Some(address);
        true
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.lock();
        taken.in_all = taken.in_all.saturating_sub(1);
        if let Some(address) = self.address
            && let Some(count) = taken.by_address.get_mut(&address)
        {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.by_address.remove(&address);
            }
        }
    }
}
