//! The only maker of [`Receipt`].

/// A ledger's word that an event is durable. The sender hears 202 because of one, and for no other reason.
///
/// ```compile_fail,E0624
/// let lie = hookwarden::ledger::Receipt::durable("evt_1".into(), 7);
/// ```
///
/// ```compile_fail,E0451
/// let lie = hookwarden::ledger::Receipt { event: "evt_1".into(), position: 7 };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a receipt is what the sender is waiting for"]
pub struct Receipt {
    event: String,
    position: u64,
}

impl Receipt {
    /// To be called by an engine that has its synced write or its acknowledgement in hand. The architecture test
    /// names the files that may.
    pub(crate) fn durable(event: String, position: u64) -> Self {
        Self { event, position }
    }

    /// The event's id.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// Where the event lies; grows with every one accepted.
    pub fn position(&self) -> u64 {
        self.position
    }
}
