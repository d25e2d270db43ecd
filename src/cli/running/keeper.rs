//! Keeps a running gate in step with its policy: looks, loads, puts in force, goes back. One task does all of it, one
//! thing after another, and owns what is exchanged.

use super::{
    Start,
    destinations::Parts,
    load::{self, Attempt, Loaded, Refused},
    watch::{LOOK, Look, Seen, Settling},
};
use crate::{
    clock::{Clock, Timestamp},
    control::{
        actor::{Actor, Reason},
        admin,
        metrics::Reloaded,
        orders::{Ended, LastError, Order, Reply, Wish},
    },
    deliver::Forwarders,
    edge::{Arming, Edge, Offer, PingoraOutbound, SystemResolver},
    json::language::listed,
    keys::Fetchers,
    policy::{Policy, Settings, Source, changes},
    spool::{By, Spool},
    verdict::Chain,
    verify::Catalogue,
};
use std::{collections::BTreeMap, fmt, hash::RandomState, path::PathBuf, sync::Arc};
use tokio::{
    sync::mpsc,
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};
use tracing::{error, info, warn};

/// The gate, but for what only starts and stops.
pub(super) struct Keeper {
    pub(super) start: Arc<Start>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) state: Arc<admin::State>,
    pub(super) edge: Edge,
    /// None where nothing is guarded.
    pub(super) queue: Option<Queue>,
    pub(super) issuers: Issuers,
    /// Which routes may be handed a key.
    pub(super) arming: Arming,
    /// What was armed until another policy ended it, by route; until it is armed again.
    pub(super) ended: BTreeMap<String, Ended>,
    /// Keys that are being handed over.
    offers: mpsc::Receiver<Offer>,
    /// What was read at the start, and cannot be changed while the gate runs.
    pub(super) started: Settings,
    pub(super) current: Generation,
    pub(super) previous: Option<Generation>,
    /// Why the last attempt was refused, and of what it was one.
    pub(super) last_error: Option<(Of, LastError)>,
    /// None for a gate without a policy.
    pub(super) watch: Option<Watch>,
    catalogue: Arc<Catalogue>,
    pub(super) by: Arc<RandomState>,
    /// The last end of something in the policy.
    passed: Option<Timestamp>,
}

/// Where events wait, and who takes them on.
pub(super) struct Queue {
    pub(super) spool: Spool,
    pub(super) forwarders: Forwarders<Parts>,
}

/// What is told of another policy.
pub(super) struct Works {
    pub(super) edge: Edge,
    pub(super) queue: Option<Queue>,
    pub(super) issuers: Issuers,
    pub(super) arming: Arming,
    pub(super) offers: mpsc::Receiver<Offer>,
}

/// Who fetches the keys of issuers.
pub(super) type Issuers = Fetchers<PingoraOutbound, SystemResolver>;

/// What requests were judged by, from some time on.
pub(super) struct Generation {
    pub(super) loaded: Loaded,
    pub(super) at: Timestamp,
    pub(super) by: Cause,
}

/// Why something was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Start,
    Files,
    Secrets,
    Date,
    Reload(Actor, Reason),
    Rollback(Actor, Reason),
}

/// What was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// What the files say.
    Files,
    /// What is in force, with the secrets or at the date of now.
    InForce,
}

pub(super) struct Watch {
    pub(super) settling: Settling<Seen>,
    path: PathBuf,
    /// What was refused for its secrets: they may come yet.
    wanted: Option<Arc<Policy>>,
}

impl Generation {
    pub(super) fn first(loaded: Loaded, at: Timestamp) -> Self {
        Self { loaded, at, by: Cause::Start }
    }
}

impl Keeper {
    pub(super) fn new(
        start: Arc<Start>,
        clock: Arc<dyn Clock>,
        state: Arc<admin::State>,
        works: Works,
        current: Generation,
        by: Arc<RandomState>,
    ) -> Self {
        let Loaded { source, policy, mark, .. } = &current.loaded;
        let watch = start.policy.clone().zip(source.clone()).map(|(path, source)| {
            let seen = Seen { source, mark: *mark, wanted: None };
            Watch { settling: Settling::new(seen), path, wanted: None }
        });
        let started = policy.settings.clone();
        let catalogue = Arc::new(Catalogue::embedded());
        let (previous, last_error, passed, ended) = (None, None, None, BTreeMap::new());
        let Works { edge, queue, issuers, arming, offers } = works;
        Self {
            start,
            clock,
            state,
            edge,
            queue,
            issuers,
            arming,
            ended,
            offers,
            started,
            current,
            previous,
            last_error,
            watch,
            catalogue,
            by,
            passed,
        }
    }

    /// Until nobody can ask any more; hands back what has to be stopped in order.
    pub(super) async fn run(mut self, mut orders: mpsc::Receiver<Order>) -> Self {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Order { wish, tell }) => drop(tell.send(self.obey(wish).await)),
                    None => return self,
                },
                // The edge has its end for as long as this has the edge.
                Some(offer) = self.offers.recv() => self.take(offer).await,
                _ = looks.tick() => {
                    self.pass_date().await;
                    if self.start.watch {
                        self.look().await;
                    }
                }
            }
        }
    }

    async fn obey(&mut self, wish: Wish) -> Reply {
        let is_about_handshakes = matches!(wish, Wish::Handshake(_));
        let done = match wish {
            Wish::Show => Ok("loaded".to_owned()),
            Wish::Reload { actor, reason } => self.reload(&Cause::Reload(actor, reason)).await,
            Wish::Rollback { actor, reason } => self.roll_back(Cause::Rollback(actor, reason)).await.map(str::to_owned),
            Wish::Handshake(wish) => self.obey_about_handshakes(wish).await,
        };
        let (Ok(told) | Err(told)) = done.clone();
        let handshakes = is_about_handshakes.then(|| self.handshakes());
        Reply { ok: done.is_ok(), told, policy: self.standing(), handshakes }
    }

    /// Reads everything now, whether or not it looks changed.
    async fn reload(&mut self, by: &Cause) -> Result<String, String> {
        match self.edge.reload_certificates() {
            Ok(()) => info!("read the certificates again"),
            Err(error) => error!(cause = Chain(&error).to_string(), "kept the old certificates"),
        }
        let Some((seen, _)) = self.see().await else {
            return Err("this gate was started without a policy; there is nothing to read again".to_owned());
        };
        let result = self.try_files(seen, by).await;
        let is_refused = result == Reloaded::Refused;
        self.record(by.by(), if is_refused { "policy reload refused" } else { "policy reload" }).await;
        let waiting = self.needs_restart();
        let but = |done: &str| match waiting.as_slice() {
            [] => done.to_owned(),
            keys => format!("{done}, but for {}: that needs a restart", listed(keys, " and ")),
        };
        match result {
            Reloaded::Unchanged => Ok(but("read again; nothing has changed")),
            Reloaded::Applied | Reloaded::RolledBack => Ok(but("read again, and in force")),
            Reloaded::Refused => Err("not in order; the policy that was loaded before stays".to_owned()),
        }
    }

    /// By itself: only what has changed and come to rest.
    async fn look(&mut self) {
        let Some((seen, is_fresh)) = self.see().await else { return };
        let Some(Watch { settling, .. }) = &mut self.watch else { return };
        if !settling.rests(&seen, is_fresh) {
            return;
        }
        if seen.source == settling.tried.source && seen.wanted == settling.tried.wanted {
            // Also while the files are broken, or an operator went back to what they do not say any more.
            self.try_secrets(seen).await;
        } else {
            self.try_files(seen, &Cause::Files).await;
        }
    }

    /// What has an end in the policy ends then, whether or not anybody touches a file.
    async fn pass_date(&mut self) {
        let Loaded { policy, source, .. } = &self.current.loaded;
        let now = self.clock.now();
        let due = policy.changes_at.filter(|at| *at <= now && self.passed != Some(*at));
        let (Some(at), Some(source)) = (due, source.clone()) else { return };
        self.passed = Some(at); // once, also if it is refused
        let (before, start, catalogue) = (self.current.loaded.clone(), self.start.clone(), self.catalogue.clone());
        let loading = spawn_blocking(move || load::again(&before, &source, &start.overrides(), &catalogue, now));
        let outcome = loading.await.unwrap_or(Err(Refused::Defect));
        self.conclude(outcome, Of::InForce, &Cause::Date).await;
    }

    async fn see(&self) -> Option<(Seen, bool)> {
        let Watch { path, wanted, .. } = self.watch.as_ref()?;
        let in_force = self.current.loaded.policy.clone();
        let (path, env) = (path.clone(), self.start.env.clone());
        let look = Look { path, env, in_force, wanted: wanted.clone(), by: self.by.clone() };
        let now = self.clock.now();
        spawn_blocking(move || look.see(now)).await.ok()
    }

    async fn try_files(&mut self, seen: Seen, by: &Cause) -> Reloaded {
        let mut wanted = None;
        let Attempt { outcome, compiled, mark } = self.load(&seen.source).await;
        if let Err(Refused::Keys(_)) = outcome {
            wanted = compiled.map(|policy| (policy, mark));
        }
        let result = self.conclude(outcome, Of::Files, by).await;
        if let Some(watch) = &mut self.watch {
            let mark = if result == Reloaded::Refused { seen.mark } else { self.current.loaded.mark };
            let (policy, mark_of_wanted) = wanted.unzip();
            watch.settling.tried = Seen { mark, wanted: mark_of_wanted, ..seen };
            watch.wanted = policy;
        }
        result
    }

    /// What is in force, with the secrets of now.
    async fn try_secrets(&mut self, seen: Seen) {
        let Some(source) = self.current.loaded.source.clone() else { return };
        let Attempt { outcome, .. } = self.load(&source).await;
        let result = self.conclude(outcome, Of::InForce, &Cause::Secrets).await;
        if let Some(watch) = &mut self.watch {
            let mark = if result == Reloaded::Refused { seen.mark } else { self.current.loaded.mark };
            watch.settling.tried.mark = mark;
        }
    }

    async fn load(&self, source: &Arc<Source>) -> Attempt {
        let (source, by, catalogue) = (source.clone(), self.by.clone(), self.catalogue.clone());
        let (start, now, home) = (self.start.clone(), self.clock.now(), self.started.spool.folder.clone());
        let loading =
            spawn_blocking(move || load::load(&source, &start.overrides(), &catalogue, now, &by, Some(&home)));
        loading.await.unwrap_or_else(|_| Attempt { outcome: Err(Refused::Defect), compiled: None, mark: 0 })
    }

    async fn conclude(&mut self, outcome: Result<Loaded, Refused>, of: Of, by: &Cause) -> Reloaded {
        let applied = match outcome {
            Ok(loaded) => self.apply(loaded, of, by).await,
            Err(refused) => Err(refused),
        };
        let result = applied.unwrap_or_else(|refused| {
            self.refuse(&refused, of, by);
            Reloaded::Refused
        });
        self.state.metrics.policy.reloaded(result, self.last_error.is_none());
        result
    }

    async fn apply(&mut self, loaded: Loaded, of: Of, by: &Cause) -> Result<Reloaded, Refused> {
        let loaded = loaded.remembering_as(&self.current.loaded);
        let mut changes = changes(&self.current.loaded.policy, &loaded.policy);
        self.put_in_force(&loaded).await?;
        changes.extend(self.end_arming(&loaded.policy));
        loaded.warnings.log();
        let same_texts = loaded.source == self.current.loaded.source;
        let unchanged = same_texts && loaded.mark == self.current.loaded.mark;
        let (policy, routes) = (loaded.policy.digest.clone(), loaded.policy.routes.len());
        if unchanged {
            // Texts can mean something else at another time.
            self.current.loaded = loaded;
        } else {
            let generation = Generation { loaded, at: self.clock.now(), by: by.clone() };
            self.previous = Some(std::mem::replace(&mut self.current, generation));
        }
        // Other secrets do not repair what the files say.
        self.last_error = self.last_error.take().filter(|(wrong, _)| of == Of::InForce && *wrong == Of::Files);
        self.tell();
        let (is_date, is_asked) = (*by == Cause::Date, matches!(by, Cause::Reload(..)));
        if !is_date && !is_asked && !unchanged {
            // Whoever may write the files has put them in force.
            self.record(by.by(), if same_texts { "secrets reload" } else { "policy reload" }).await;
        }
        self.record_changes(by.by(), changes).await;
        let by = by.to_string(); // a text is quoted in the log, and cannot be another line of it
        if is_date {
            info!(by, policy, routes, "what had an end in the policy has ended; the rest is as it was");
            return Ok(Reloaded::Applied);
        }
        if unchanged {
            info!(by, policy, routes, "read the policy again; nothing has changed");
            return Ok(Reloaded::Unchanged);
        }
        if same_texts {
            info!(by, policy, routes, "other secrets are in force, under the same policy");
        } else {
            info!(by, policy, routes, "a policy is in force");
        }
        Ok(Reloaded::Applied)
    }

    /// Everything that can fail comes first; then nothing waits any more.
    async fn put_in_force(&mut self, loaded: &Loaded) -> Result<(), Refused> {
        let keys = Arc::new(self.issuers.share(&loaded.policy, &loaded.keys));
        let prepared = self.edge.prepare(loaded.policy.clone(), keys.clone()).await.map_err(Refused::Edge)?;
        if let Some(queue) = &mut self.queue {
            let destinations = queue.forwarders.prepare(&loaded.policy, &loaded.secrets);
            queue.forwarders.replace(destinations.map_err(Refused::Destination)?);
        }
        self.state.metrics.know(&loaded.policy);
        self.state.observed.know(&loaded.policy);
        self.edge.replace(prepared);
        self.issuers.replace(&loaded.policy, &keys);
        self.state.keys.store(keys);
        for gone in &self.current.loaded.policy.destinations {
            if !loaded.policy.destinations.iter().any(|destination| destination.name == gone.name) {
                self.state.metrics.destinations.forget(&gone.name);
            }
        }
        Ok(())
    }

    async fn roll_back(&mut self, by: Cause) -> Result<&'static str, String> {
        let Some(previous) = self.previous.take() else {
            return Err("there is nothing to go back to; `hookwarden policy show` tells what is loaded".to_owned());
        };
        let mut changes = changes(&self.current.loaded.policy, &previous.loaded.policy);
        if let Err(refused) = self.put_in_force(&previous.loaded).await {
            self.refuse(&refused, Of::Files, &by);
            self.state.metrics.policy.reloaded(Reloaded::Refused, false);
            self.previous = Some(previous);
            return Err("the policy before cannot be put in force now".to_owned());
        }
        changes.extend(self.end_arming(&previous.loaded.policy));
        let policy = previous.loaded.policy.digest.clone();
        self.current = Generation { loaded: previous.loaded, at: self.clock.now(), by: by.clone() };
        // What the files say is as wrong as it was, and the next start would meet it.
        self.last_error = self.last_error.take().filter(|(wrong, _)| *wrong == Of::Files);
        self.tell();
        self.state.metrics.policy.reloaded(Reloaded::RolledBack, self.last_error.is_none());
        // Its secrets were those of then; only what changes from now on is a change.
        let seen = self.see().await;
        if let (Some(Watch { settling, .. }), Some((seen, _))) = (&mut self.watch, seen) {
            settling.goes_back(&seen);
        }
        warn!(by = by.to_string(), policy, "the policy before is in force again");
        self.passed = None; // what has ended since then has ended for this one too
        self.pass_date().await;
        self.record(by.by(), "policy rollback").await;
        self.record_changes(by.by(), changes).await;
        Ok("the policy before is in force again, until the files change or a reload is asked for")
    }

    fn refuse(&mut self, refused: &Refused, of: Of, by: &Cause) {
        refused.log();
        let (policy, mistakes) = (&self.current.loaded.policy.digest, refused.mistakes());
        error!(by = by.to_string(), mistakes, policy, "kept the policy that is loaded; the new one is not in order");
        let at = self.clock.now().rfc3339();
        self.last_error = Some((of, LastError { at, by: by.to_string(), report: refused.to_string() }));
    }
}

impl Cause {
    /// Who answers for it, and why: in an act, whatever was done by it, it is the same name.
    fn by(&self) -> By<'_> {
        match self {
            Self::Reload(actor, reason) | Self::Rollback(actor, reason) => {
                By { actor: actor.as_str(), reason: reason.as_str() }
            }
            Self::Start | Self::Files | Self::Secrets | Self::Date => By { actor: self.itself(), reason: "" },
        }
    }

    const fn itself(&self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Files => "changed files",
            Self::Secrets => "changed secrets",
            Self::Date => "a date",
            Self::Reload(..) => "reload",
            Self::Rollback(..) => "rollback",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start | Self::Files | Self::Secrets | Self::Date => f.write_str(self.itself()),
            Self::Reload(actor, _) | Self::Rollback(actor, _) => write!(f, "{} by {actor}", self.itself()),
        }
    }
}
