//! A whole gate in this process: what `run` runs, and what `demo` shows.

mod destinations;
mod handshakes;
mod keeper;
mod ledgers;
mod load;
mod standing;
mod watch;

use super::policy_files;
use crate::{
    captures::Captures,
    clock::{Clock, SystemClock},
    control::{
        Watch,
        actor::{Actor, Reason},
        admin,
        metrics::Metrics,
        observed::Observed,
        orders::{Order, Wish},
        shown::ShownUrls,
        socket::Socket,
    },
    deliver::{self, Forwarders, Switches},
    edge::{self, Arming, Edge, Engine, Handovers, NoEngine, PingoraOutbound, SystemResolver},
    keys::Fetchers,
    policy::{self, Overrides, Policy},
    spool::{self, Spool},
    verify::{Catalogue, Keys},
};
use anyhow::{Context as _, bail};
use arc_swap::ArcSwap;
use keeper::{Generation, Keeper, Queue, Works};
use ledgers::Ledgers;
use load::Loaded;
use std::{
    hash::RandomState,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};
use tracing::{error, info, warn};

/// What to start.
#[derive(Clone, Debug, Default)]
pub(super) struct Start {
    pub(super) policy: Option<PathBuf>,
    pub(super) env: Option<String>,
    pub(super) upstream: Option<String>,
    pub(super) listen: Vec<SocketAddr>,
    pub(super) admin: Option<SocketAddr>,
    /// Load the policy when its files change.
    pub(super) watch: bool,
    /// What is wrong at the start is told in lines of the log, for machines, and not with excerpts.
    pub(super) in_log: bool,
}

/// A gate that runs, with everything behind it.
pub(super) struct Running {
    addresses: Vec<SocketAddr>,
    admin: admin::Admin,
    state: Arc<admin::State>,
    socket: Option<Socket>,
    orders: mpsc::Sender<Order>,
    keeper: JoinHandle<Keeper>,
}

/// Idle connections that are kept for relays and deliveries.
const OUTBOUND_POOL: usize = 128;
/// What to do about events that nobody will deliver.
pub(super) const ORPHANS: &str = "put it back, or `hookwarden spool drop` them";
/// Without a policy and without `--listen`.
const LISTEN: ([u8; 4], u16) = ([127, 0, 0, 1], 8000);
/// Wishes that may wait while a policy is being loaded: they come from people.
const ORDERS_MAX: usize = 8;
/// Keys that may wait to be kept: each was expected by somebody.
const OFFERS_MAX: usize = 8;
/// So long a stop waits for a load that is under way: its files may lie on a server that does not answer.
const KEEPER: Duration = Duration::from_secs(5);

impl Running {
    /// `None` if the policy or a key is not in order: then that has been told on standard error.
    pub(super) async fn start(start: Start) -> anyhow::Result<Option<Self>> {
        Self::start_by(start, Arc::new(SystemClock)).await
    }

    async fn start_by(start: Start, clock: Arc<dyn Clock>) -> anyhow::Result<Option<Self>> {
        let start = Arc::new(start);
        let by = Arc::new(RandomState::new());
        let Some(loaded) = first(&start, clock.as_ref(), &by)? else { return Ok(None) };
        let policy = loaded.policy.clone();
        let metrics = Arc::new(Metrics::new(&policy, clock.now()).context("cannot make the metrics")?);
        let observed = Arc::new(Observed::new(clock.clone()));
        observed.know(&policy);
        let shown = Arc::new(ShownUrls::new(clock.clone()));
        let watch = Arc::new(Watch::new(metrics.clone(), observed.clone(), shown.clone()));
        let outbound = PingoraOutbound::new(OUTBOUND_POOL, None);

        // Also for a policy without routes: those that come with a reload need it, and people reach the gate through it.
        let spool = if start.policy.is_some() { Some(open(&policy, &clock)?) } else { None };
        let state = Arc::new(admin::State {
            metrics,
            observed,
            shown,
            spool: spool.clone(),
            clock: clock.clone(),
            digest: ArcSwap::from_pointee(policy.digest.clone()),
            keys: ArcSwap::new(loaded.keys.clone()),
            standing: AtomicBool::new(false),
            draining: AtomicBool::new(false),
        });
        let on = policy.settings.admin;
        let admin =
            admin::Admin::start(on, state.clone()).await.with_context(|| format!("cannot listen on `{on}` (admin)"))?;
        let observer: Arc<dyn edge::Observer> = watch.clone();
        let captures = spool.as_ref().map(|_| captures(&policy, &clock, watch.clone())).transpose()?;
        let (arming, (keeping, offers)) = (Arming::default(), mpsc::channel(OFFERS_MAX));
        let config = Parts {
            policy: policy.clone(),
            captures,
            handovers: Handovers { arming: arming.clone(), keeper: keeping },
            keys: loaded.keys.clone(),
            observer,
            clock: clock.clone(),
            outbound: outbound.clone(),
        };
        let (mut queue, mut socket) = (None, None);
        if let Some(spool) = spool {
            let (clock, remarks) = (clock.clone(), watch.clone());
            let maker = destinations::Parts { outbound: outbound.clone(), clock: clock.clone(), remarks };
            let observer: Arc<dyn deliver::Observer> = watch.clone();
            let mut forwarders = Forwarders::new(spool.clone(), maker, clock, observer);
            let prepared = forwarders.prepare(&policy, &loaded.secrets)?;
            forwarders.replace(prepared);
            queue = Some(Queue { spool, forwarders });
        }
        let edge = match &queue {
            Some(Queue { spool, forwarders }) => {
                config.start(Ledgers { spool: spool.clone(), direct: forwarders.direct() }).await?
            }
            None => config.start(NoEngine).await?,
        };
        let (orders, taken) = mpsc::channel(ORDERS_MAX);
        let mut issuers = Fetchers::new(outbound, SystemResolver, clock.clone(), watch);
        issuers.replace(&policy, &loaded.keys);
        if let Some(Queue { spool, forwarders }) = &queue {
            socket = listen(spool, &orders, forwarders.switches(), &state.observed);
        }
        let addresses = edge.addresses().to_vec();
        for address in &addresses {
            info!(%address, "listening");
        }
        state.standing.store(true, Ordering::Release);
        let (routes, admin_on) = (policy.routes.len(), admin.address());
        info!(routes, policy = policy.digest, admin = %admin_on, origin = policy.settings.origin.url, "the gate stands");
        let current = Generation::first(loaded, clock.now());
        let keeper =
            Keeper::new(start, clock, state.clone(), Works { edge, queue, issuers, arming, offers }, current, by);
        keeper.tell();
        Ok(Some(Self { addresses, admin, state, socket, orders, keeper: keep(keeper, taken) }))
    }

    /// Where it listens.
    pub(super) fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where metrics and health are.
    pub(super) fn admin(&self) -> SocketAddr {
        self.admin.address()
    }

    /// Reads policy, keys and certificates again; what comes of it is in the log.
    pub(super) fn reload(&self, actor: Actor) {
        let (tell, _) = oneshot::channel();
        let wish = Wish::Reload { actor, reason: Reason::default() };
        // As many as may wait for the same do already.
        let _ = self.orders.try_send(Order { wish, tell });
    }

    /// No new connections; what is in flight has the policy's `drain` to finish; then the spool is closed.
    pub(super) async fn stop(self) {
        info!("draining; a second signal ends it at once");
        self.state.draining.store(true, Ordering::Release);
        // Once nobody can ask any more, a reload that is under way comes to its end, and no other begins.
        drop((self.socket, self.orders));
        match timeout(KEEPER, self.keeper).await {
            Ok(Ok(Keeper { edge, queue, current, .. })) => {
                let within = current.loaded.policy.settings.limits.drain;
                let drained = edge.stop(within).await;
                if let Some(Queue { forwarders, .. }) = queue {
                    forwarders.stop(within).await;
                }
                info!(cut = drained.cut, idle = drained.idle, "drained");
            }
            Ok(Err(cause)) => {
                error!(cause = cause.to_string(), "what keeps the policy has ended before; connections are cut");
            }
            Err(_) => error!("the policy's files cannot be read to an end; connections are cut"),
        }
        if let Some(spool) = &self.state.spool {
            spool.close().await;
        }
        self.admin.stop();
        info!("stopped");
    }
}

#[expect(clippy::disallowed_methods, reason = "`Running::stop` joins it")]
fn keep(keeper: Keeper, orders: mpsc::Receiver<Order>) -> JoinHandle<Keeper> {
    tokio::spawn(keeper.run(orders))
}

fn listen(
    spool: &Spool,
    orders: &mpsc::Sender<Order>,
    switches: &Switches,
    observed: &Arc<Observed>,
) -> Option<Socket> {
    let socket = Socket::start(spool.clone(), orders.clone(), switches.clone(), observed.clone());
    if let Err(error) = &socket {
        warn!(
            cause = error.to_string(),
            "no control socket; `spool retry` and `drop` need the gate to be stopped, `policy` cannot ask"
        );
    }
    socket.ok()
}

struct Parts {
    policy: Arc<Policy>,
    captures: Option<Captures>,
    handovers: Handovers,
    keys: Arc<Keys>,
    observer: Arc<dyn edge::Observer>,
    clock: Arc<dyn Clock>,
    outbound: PingoraOutbound,
}

impl Parts {
    async fn start<E: Engine>(self, engine: E) -> Result<Edge, edge::StartError> {
        let Self { policy, captures, handovers, keys, observer, clock, outbound } = self;
        let (ca_file, handovers) = (None, Some(handovers));
        Edge::start(edge::Config { policy, keys, engine, observer, clock, outbound, ca_file, captures, handovers })
            .await
    }
}

impl Start {
    /// What the command line says instead of the policy, at every load.
    fn overrides(&self) -> Overrides {
        Overrides {
            upstream: self.upstream.clone(),
            listen: self.listen.clone(),
            admin: self.admin,
            spool: None,
            // A gate must start again as it went on: `check` is where an end is a mistake.
            ended_enforces: true,
        }
    }

    /// For a gate that guards nothing.
    fn pass_through(&self) -> anyhow::Result<Policy> {
        let Some(upstream) = &self.upstream else {
            bail!(
                "nothing to run: name a policy, as in `hookwarden run gate.yaml`, or --upstream http://127.0.0.1:8080"
            );
        };
        let listen = if self.listen.is_empty() { vec![LISTEN.into()] } else { self.listen.clone() };
        let upstream = policy::origin_url(upstream).map_err(|why| anyhow::anyhow!("`--upstream`: {why}"))?;
        let mut policy = Policy::pass_through(listen.first().copied().unwrap_or_else(|| LISTEN.into()), &upstream);
        policy.settings.listeners = listen
            .into_iter()
            .map(|on| policy::Listener { on, tls: None, http2: false, proxy_protocol: Vec::new() })
            .collect();
        if let Some(admin) = self.admin {
            policy.settings.admin = admin;
        }
        Ok(policy)
    }
}

/// What the gate starts with. Whatever is not in order is told, and then nothing starts.
fn first(start: &Start, clock: &dyn Clock, by: &RandomState) -> anyhow::Result<Option<Loaded>> {
    let outcome = match &start.policy {
        None => load::with_keys(Arc::new(start.pass_through()?), None, clock.now(), None),
        Some(path) => {
            let source = Arc::new(policy_files::read(path, start.env.as_deref()));
            let catalogue = Catalogue::embedded();
            load::load(&source, &start.overrides(), &catalogue, clock.now(), by, None).outcome
        }
    };
    match outcome {
        Ok(loaded) => {
            if start.in_log {
                loaded.warnings.log();
            } else {
                loaded.warnings.print();
            }
            Ok(Some(loaded))
        }
        Err(refused) => {
            if start.in_log {
                refused.log();
            } else {
                refused.print();
            }
            Ok(None)
        }
    }
}

/// Also where no route keeps any: those that come with a reload may, and what is kept since before is erased in time.
fn captures(policy: &Policy, clock: &Arc<dyn Clock>, watch: Arc<Watch>) -> anyhow::Result<Captures> {
    let policy::Spool { folder, free, .. } = &policy.settings.spool;
    Captures::start(folder, *free, clock.clone(), watch).context("cannot start the writer of captures")
}

fn open(policy: &Policy, clock: &Arc<dyn Clock>) -> anyhow::Result<Spool> {
    let policy::Spool { folder, bytes, free } = policy.settings.spool.clone();
    let (spool, found) = Spool::open(spool::Settings { folder, bytes, free }, clock.clone())?;
    if found.corrupt > 0 {
        error!(corrupt = found.corrupt, "parts of the spool are damaged and were skipped; see `hookwarden spool fsck`");
    }
    info!(pending = found.pending, torn_bytes = found.torn_bytes, "opened the spool");
    for of in spool.stats().destinations {
        let (destination, pending, dead) = (of.destination.as_str(), of.pending, of.dead);
        if pending + dead > 0 && !policy.destinations.iter().any(|known| known.name == destination) {
            warn!(destination, pending, dead, "events wait for a destination that is not in the policy: {ORPHANS}");
        }
    }
    Ok(spool)
}

#[cfg(test)]
mod tests;
