//! A whole gate in this process: what `run` runs, and what `demo` shows.

use super::policy_files;
use crate::{
    clock::{Clock, SystemClock},
    control::{self, Watch, admin, socket},
    deliver::Forwarders,
    edge::{self, Edge, Engine, NoEngine, PingoraOutbound},
    keys,
    policy::Policy,
    spool::{self, Spool},
    verdict::Chain,
};
use anyhow::{Context as _, bail};
use std::{net::SocketAddr, path::PathBuf, sync::Arc};
use tracing::{info, warn};

/// What to start.
#[derive(Debug, Default)]
pub(super) struct Start {
    pub(super) policy: Option<PathBuf>,
    pub(super) upstream: Option<String>,
    pub(super) listen: Vec<SocketAddr>,
    pub(super) admin: Option<SocketAddr>,
}

pub(super) struct Running {
    edge: Edge,
}
