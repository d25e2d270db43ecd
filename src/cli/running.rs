//! A whole gate in this process: what `run` runs, and what `demo` shows.

use super::policy_files;
use crate::{
    clock::{Clock, SystemClock},
    control::{Watch, admin, metrics::Metrics, socket::Socket},
    deliver::{self, Forwarders},
    edge::{self, Edge, Engine, NoEngine, PingoraOutbound},
    keys,
    policy::{self, Overrides, Policy, Source},
    spool::{self, Spool},
    verdict::Chain,
    verify::{Catalogue, Keys},
};
use anyhow::{Context as _, bail};
use std::{
    io::IsTerminal as _,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tracing::{error, info, warn};

/// What to start.
#[derive(Debug, Default)]
pub(super) struct Start {
    pub(super) policy: Option<PathBuf>,
    pub(super) env: Option<String>,
    pub(super) upstream: Option<String>,
    pub(super) listen: Vec<SocketAddr>,
    pub(super) admin: Option<SocketAddr>,
}

/// A gate that runs, with everything behind it.
pub(super) struct Running {
    edge: Edge,
    admin: admin::Admin,
    state: Arc<admin::State>,
    forwarders: Option<Forwarders<PingoraOutbound>>,
    socket: Option<Socket>,
    drain: Duration,
}

/// Idle connections that are kept for relays and deliveries.
const OUTBOUND_POOL: usize = 128;
/// Without a policy and without `--listen`.
const LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 8080);

impl Running {
    /// `None` if the policy or a key is not in order: then that has been told on standard error.
    pub(super) async fn start(start: Start) -> anyhow::Result<Option<Self>> {
        let Some(policy) = compile(&start)? else { return Ok(None) };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let Some((keys, signers)) = resolve(&policy, clock.now()) else { return Ok(None) };
        let policy = Arc::new(policy);
        let metrics = Arc::new(Metrics::new(&policy, clock.now()).context("cannot make the metrics")?);
        let watch = Arc::new(Watch::new(metrics.clone()));
        let outbound = PingoraOutbound::new(OUTBOUND_POOL, None);

        let spool = if policy.routes.is_empty() { None } else { Some(open(&policy, &clock)?) };
        let drain = policy.settings.limits.drain;
        let state = Arc::new(admin::State {
            metrics,
            spool: spool.clone(),
            clock: clock.clone(),
            digest: policy.digest.clone(),
            draining: AtomicBool::new(false),
        });
        let on = policy.settings.admin;
        let admin =
            admin::Admin::start(on, state.clone()).await.with_context(|| format!("cannot listen on `{on}` (admin)"))?;
        let observer: Arc<dyn edge::Observer> = watch.clone();
        let config = Parts {
            policy: policy.clone(),
            keys: Arc::new(keys),
            observer,
            clock: clock.clone(),
            outbound: outbound.clone(),
        };
        let edge = match &spool {
            Some(spool) => config.start(spool.clone()).await?,
            None => config.start(NoEngine).await?,
        };
        let (forwarders, socket) = match &spool {
            None => (None, None),
            Some(spool) => {
                let observer: Arc<dyn deliver::Observer> = watch;
                let mut forwarders = Forwarders::new(spool.clone(), outbound, clock.clone(), observer);
                let destinations = forwarders.prepare(&policy, &signers)?;
                forwarders.replace(destinations);
                let socket = Socket::start(spool.clone());
                if let Err(error) = &socket {
                    warn!(cause = %error, "no control socket; `spool retry` and `drop` need the gate to be stopped");
                }
                (Some(forwarders), socket.ok())
            }
        };
        for address in edge.addresses() {
            info!(%address, "listening");
        }
        let (routes, admin_on) = (policy.routes.len(), admin.address());
        info!(routes, policy = policy.digest, admin = %admin_on, origin = policy.settings.origin.url, "the gate stands");
        Ok(Some(Self { edge, admin, state, forwarders, socket, drain }))
    }

    /// Where it listens.
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        self.edge.addresses()
    }

    /// Where metrics and health are.
    pub(super) fn admin(&self) -> SocketAddr {
        self.admin.address()
    }

    pub(super) fn reload_certificates(&self) {
        match self.edge.reload_certificates() {
            Ok(()) => info!("read the certificates again"),
            Err(error) => error!(cause = %Chain(&error), "kept the old certificates"),
        }
    }

    /// No new connections; what is in flight has the policy's `drain` to finish; then the spool is closed.
    pub(super) async fn stop(self) {
        info!("draining");
        self.state.draining.store(true, Ordering::Release);
        let drained = self.edge.stop(self.drain).await;
        if let Some(forwarders) = self.forwarders {
            forwarders.stop(self.drain).await;
        }
        drop(self.socket);
        if let Some(spool) = &self.state.spool {
            spool.close().await;
        }
        self.admin.stop();
        info!(cut = drained.cut, idle = drained.idle, "stopped");
    }
}

struct Parts {
    policy: Arc<Policy>,
    keys: Arc<Keys>,
    observer: Arc<dyn edge::Observer>,
    clock: Arc<dyn Clock>,
    outbound: PingoraOutbound,
}

impl Parts {
    async fn start<E: Engine>(self, engine: E) -> Result<Edge, edge::StartError> {
        let Self { policy, keys, observer, clock, outbound } = self;
        Edge::start(edge::Config { policy, keys, engine, observer, clock, outbound, ca_file: None }).await
    }
}

fn compile(start: &Start) -> anyhow::Result<Option<Policy>> {
    let Some(path) = &start.policy else {
        let Some(upstream) = &start.upstream else {
            bail!(
                "nothing to run: name a policy, as in `hookwarden run gate.yaml`, or --upstream http://127.0.0.1:8080"
            );
        };
        let listen = if start.listen.is_empty() { vec![LISTEN.into()] } else { start.listen.clone() };
        let mut policy = Policy::pass_through(listen.first().copied().unwrap_or_else(|| LISTEN.into()), upstream);
        policy.settings.listeners = listen
            .into_iter()
            .map(|on| policy::Listener { on, tls: None, http2: false, proxy_protocol: Vec::new() })
            .collect();
        if let Some(admin) = start.admin {
            policy.settings.admin = admin;
        }
        return Ok(Some(policy));
    };
    let overrides = Overrides {
        upstream: start.upstream.clone(),
        listen: start.listen.clone(),
        admin: start.admin,
        ..Overrides::default()
    };
    let compiled = policy_files::read(path, start.env.as_deref())
        .and_then(|source: Source| policy::compile(&source, &Catalogue::embedded(), &overrides, SystemClock.now()));
    let told = |report: &policy::Report| {
        let mut text = String::new();
        let _ = report.write(&mut text, std::io::stderr().is_terminal());
        eprint!("{text}");
    };
    match compiled {
        Ok(compiled) => {
            told(&compiled.warnings);
            Ok(Some(compiled.policy))
        }
        Err(report) => {
            told(&report);
            Ok(None)
        }
    }
}

type Resolved = (Keys, std::collections::BTreeMap<String, crate::secret::Secret>);

/// Every key that is not in order is told, and then nothing starts.
fn resolve(policy: &Policy, now: crate::clock::Timestamp) -> Option<Resolved> {
    let loaded = keys::load(policy, &policy_files::environment, now);
    let signers = keys::signers(policy, &policy_files::environment);
    match (loaded, signers) {
        (Ok((keys, warnings)), Ok(signers)) => {
            for warning in warnings {
                warn!("{warning}");
            }
            Some((keys, signers))
        }
        (loaded, signers) => {
            for error in loaded.err().into_iter().chain(signers.err()).flatten() {
                eprintln!("error: {}", Chain(&error));
            }
            None
        }
    }
}

fn open(policy: &Policy, clock: &Arc<dyn Clock>) -> anyhow::Result<Spool> {
    let policy::Spool { folder, bytes, free } = policy.settings.spool.clone();
    let (spool, found) = Spool::open(spool::Settings { folder, bytes, free }, clock.clone())?;
    if found.corrupt > 0 {
        error!(corrupt = found.corrupt, "parts of the spool are damaged and were skipped; see `hookwarden spool fsck`");
    }
    info!(pending = found.pending, torn_bytes = found.torn_bytes, "opened the spool");
    Ok(spool)
}
