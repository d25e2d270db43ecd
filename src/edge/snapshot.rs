//! By which rules is this request judged? One policy and its keys, taken when the request came in.

use crate::{policy::Policy, verify::Keys};
use std::sync::Arc;

/// What one request sees, whatever is reloaded meanwhile.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the keys hold secrets")]
pub struct Snapshot {
    /// The rules.
    pub policy: Arc<Policy>,
    /// The keys of this moment.
    pub keys: Arc<Keys>,
}
