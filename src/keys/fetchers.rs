//! Keeps the keys of issuers that publish them: one task each, beside the traffic. A request only ever reads what is there.

use super::{
    certificates,
    jwks::{FetchError, fetch},
};
use crate::{
    clock::Clock,
    outbound::{Outbound, Resolver},
    policy::{IssuerKeys, Jwks, Policy},
    verify::{
        Keys,
        certificates::Certificates,
        jwt::{Algorithm, Refresh, Ring, Skipped},
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

/// Port: who hears of fetches.
pub trait Observer: Send + Sync {
    /// Newer keys are in force.
    fn fetched(&self, issuer: &str, keys: usize, skipped: &[Skipped]);

    /// Those of before stay, until they are too old.
    fn failed(&self, issuer: &str, why: &FetchError);
}

/// What is fetched for the policy in force. Dropped, it fetches nothing more.
#[expect(missing_debug_implementations, reason = "holds keys")]
pub struct Fetchers<O, R> {
    with: Arc<With<O, R>>,
    running: BTreeMap<String, Running>,
    certificates: Option<(Arc<Certificates>, JoinSet<()>)>,
}

struct With<O, R> {
    outbound: O,
    resolver: R,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

/// One issuer's task, which ends with this.
struct Running {
    of: Source,
    ring: Arc<Ring>,
    _task: JoinSet<()>,
}

/// Where one issuer's keys come from.
#[derive(Clone, PartialEq, Eq)]
struct Source {
    jwks: Jwks,
    algorithms: Vec<Algorithm>,
}

/// So long a token whose key is new waits for somebody to notice.
const LOOK: Duration = Duration::from_millis(200);

impl<O: Outbound + 'static, R: Resolver + 'static> Fetchers<O, R> {
    /// Nothing is fetched yet.
    pub fn new(outbound: O, resolver: R, clock: Arc<dyn Clock>, observer: Arc<dyn Observer>) -> Self {
        Self {
            with: Arc::new(With { outbound, resolver, clock, observer }),
            running: BTreeMap::new(),
            certificates: None,
        }
    }

    /// These keys, with what has been fetched already for the same issuers: a reload asks nobody to wait for what is here.
    #[must_use]
    pub fn share(&self, policy: &Policy, keys: &Keys) -> Keys {
        let mut issuers = keys.issuers().clone();
        for (name, source) in sources(policy) {
            if let Some(running) = self.running.get(name).filter(|running| running.of.publishes_as(&source)) {
                issuers = issuers.sharing(name, &running.ring);
            }
        }
        let keys = keys.clone().trusting(issuers);
        match &self.certificates {
            Some((certificates, _)) => keys.with_certificates(certificates.clone()),
            None => keys,
        }
    }

    /// From now on for these; `keys` have been [shared](Self::share).
    pub fn replace(&mut self, policy: &Policy, keys: &Keys) {
        let names = policy.routes.iter().filter_map(|route| route.sender.webhook());
        let wants = names.into_iter().any(|webhook| webhook.provider().scheme.is_certified());
        self.certificates =
            self.certificates.take().filter(|(same, _)| wants && Arc::ptr_eq(same, keys.certificates()));
        if wants && self.certificates.is_none() {
            let mut task = JoinSet::new();
            task.spawn(keep_certificates(self.with.clone(), keys.certificates().clone()));
            self.certificates = Some((keys.certificates().clone(), task));
        }
        let mut before = std::mem::take(&mut self.running);
        for (name, of) in sources(policy) {
            let Some(ring) = keys.issuers().ring(name).cloned() else { continue };
            let same = before.remove(name).filter(|running| running.of == of && Arc::ptr_eq(&running.ring, &ring));
            let running = same.unwrap_or_else(|| {
                let mut task = JoinSet::new();
                task.spawn(keep(self.with.clone(), name.to_owned(), of.clone(), ring.clone()));
                Running { of, ring, _task: task }
            });
            self.running.insert(name.to_owned(), running);
        }
    }
}

impl Source {
    /// Whether the keys of one are those of the other; how often they are asked for is another question.
    fn publishes_as(&self, other: &Self) -> bool {
        let Self { jwks: Jwks { url, private, .. }, algorithms } = self;
        (url, private, algorithms) == (&other.jwks.url, &other.jwks.private, &other.algorithms)
    }
}

fn sources(policy: &Policy) -> impl Iterator<Item = (&str, Source)> {
    policy.issuers.iter().filter_map(|issuer| match &issuer.keys {
        IssuerKeys::Jwks(jwks) => {
            Some((issuer.name.as_str(), Source { jwks: jwks.clone(), algorithms: issuer.algorithms.clone() }))
        }
        IssuerKeys::Pem(_) | IssuerKeys::From(_) => None,
    })
}

async fn keep_certificates<O: Outbound, R: Resolver>(with: Arc<With<O, R>>, certificates: Arc<Certificates>) {
    let With { outbound, resolver, clock, observer } = &*with;
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        match certificates::fetch_wanted(outbound, resolver, &**clock, &certificates).await {
            None => {}
            Some(Ok(())) => observer.fetched(certificates::NAME, 1, &[]),
            Some(Err(why)) => observer.failed(certificates::NAME, &why),
        }
    }
}

async fn keep<O: Outbound, R: Resolver>(with: Arc<With<O, R>>, issuer: String, of: Source, ring: Arc<Ring>) {
    let With { outbound, resolver, clock, observer } = &*with;
    let mut refresh = Refresh::new(of.jwks.refresh, of.jwks.stale);
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        let now = clock.now();
        if ring.take_wanted() {
            refresh.want(now);
        }
        if !refresh.start(now) {
            continue;
        }
        match fetch(outbound, resolver, &of.jwks, &of.algorithms, now).await {
            Ok((keys, skipped)) => {
                let count = keys.keys().len();
                ring.replace(keys);
                refresh.succeeded(now);
                observer.fetched(&issuer, count, &skipped);
            }
            Err(why) => {
                refresh.failed();
                observer.failed(&issuer, &why);
            }
        }
    }
}
