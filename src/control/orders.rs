//! What an operator asks about the policy that runs, and what is answered. Whoever keeps the gate in step with its policy
//! takes these one after another.

use super::{
    actor::{Actor, Reason},
    shown::Shown,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use tokio::sync::oneshot;

/// One wish, and who hears what became of it.
#[derive(Debug)]
pub struct Order {
    /// What is asked.
    pub wish: Wish,
    /// May be gone: then nobody waits for it.
    pub tell: oneshot::Sender<Reply>,
}

/// What can be asked about a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// What is loaded?
    Show,
    /// Read it again now.
    Reload {
        /// Who asks; written into the log.
        actor: Actor,
        /// Why; written into the log.
        reason: Reason,
    },
    /// Go back to the one before.
    Rollback {
        /// Who asks; written into the log.
        actor: Actor,
        /// Why; written into the log.
        reason: Reason,
    },
    /// About keys that senders hand over.
    Handshake(HandshakeWish),
}

/// What can be asked about keys that senders hand over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HandshakeWish {
    /// What is armed, and what was shown?
    Show,
    /// The route's sender may hand its key over.
    Arm {
        /// The route's name.
        route: String,
        /// The key's label; may be left out where there is one.
        key: Option<String>,
        /// For so long.
        within: Duration,
        /// Who asks; written into the log.
        actor: Actor,
        /// Why; written into the log.
        reason: Reason,
    },
    /// It may not any more.
    Disarm {
        /// The route's name.
        route: String,
        /// Who asks; written into the log.
        actor: Actor,
        /// Why; written into the log.
        reason: Reason,
    },
}

/// Keys that senders hand over, and URLs that they want opened.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Handshakes {
    /// Every key that a sender may hand over.
    pub keys: Vec<Expected>,
    /// What vendors wanted opened since the gate was started, the latest last.
    pub shown: Vec<Shown>,
    /// What was armed until another policy ended it.
    #[serde(default)]
    pub ended: Vec<Ended>,
}

/// A key that may not be handed over any more, for the policy is another one.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// When, in RFC 3339.
    pub at: String,
    /// The route's name.
    pub route: String,
    /// The key's label.
    pub key: String,
    /// What is different.
    pub why: String,
}

/// One key that the sender of one route may hand over.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// The route's name.
    pub route: String,
    /// The key's label.
    pub key: String,
    /// Its file.
    pub file: String,
    /// Whether there is one.
    pub kept: bool,
    /// Until when it may be handed over, in RFC 3339; none if it may not now.
    pub armed_until: Option<String>,
}

/// What became of a wish.
#[derive(Debug, Deserialize, Serialize)]
pub struct Reply {
    /// What was asked has been done.
    pub ok: bool,
    /// In words: what was done, or why it was not.
    pub told: String,
    /// How it is now.
    pub policy: Standing,
    /// How it is with keys that are handed over, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handshakes: Option<Handshakes>,
}

/// The policy that requests are judged by, and what there is to know about it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Where it was read; none for a gate that was started without one.
    pub path: Option<String>,
    /// Its stage, if it has any.
    pub env: Option<String>,
    /// Names it in every event that it let pass.
    pub digest: String,
    /// How many there are.
    pub routes: usize,
    /// Since when, in RFC 3339.
    pub loaded_at: String,
    /// Why then: `start`, `changed files`, `changed secrets`, `reload by NAME`, `rollback by NAME`.
    pub loaded_by: String,
    /// Whether its files are looked at.
    pub watched: bool,
    /// Keys of the policy whose new values wait for a restart.
    pub needs_restart: Vec<String>,
    /// What a rollback would go back to.
    pub previous: Option<Previous>,
    /// The files say something else: they were refused, or an operator went back to what they said before.
    pub differs: bool,
    /// Why the last reload changed nothing; none if it was in order.
    pub last_error: Option<LastError>,
}

/// The policy that was loaded before.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct Previous {
    /// Its name.
    pub digest: String,
    /// Since when it was loaded, in RFC 3339.
    pub loaded_at: String,
}

/// A reload that was refused.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct LastError {
    /// When, in RFC 3339.
    pub at: String,
    /// As in [`Standing::loaded_by`].
    pub by: String,
    /// Everything that was wrong, as `hookwarden check` shows it.
    pub report: String,
}
