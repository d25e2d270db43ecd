//! By which rules is this request judged? One policy, its keys and what stands behind the gate, taken when the request's
//! head was complete.

use super::{body::Room, origin::Origin};
use crate::{
    policy::{EdgeLimits, Policy},
    verify::Keys,
};
use arc_swap::ArcSwap;
use std::sync::Arc;

/// What one request sees, whatever is reloaded meanwhile.
#[derive(Clone)]
pub(super) struct Snapshot {
    /// The rules.
    pub(super) policy: Arc<Policy>,
    /// The keys of this moment.
    pub(super) keys: Arc<Keys>,
    /// Where WordPress stands.
    pub(super) origin: Arc<Origin>,
    /// For the bodies of guarded requests.
    pub(super) room: Room,
}

/// The one pointer behind which everything changes at once.
pub(super) type Current = Arc<ArcSwap<Snapshot>>;

impl Snapshot {
    pub(super) fn limits(&self) -> &EdgeLimits {
        &self.policy.settings.limits
    }
}
