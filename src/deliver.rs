//! Takes events from the spool to their destinations, until they are there, or dead with a reason.
//!
//! One `forwarder` a destination: a slow or dead one is nobody else's concern. Whose failure it is (`blame`) decides who
//! waits: a destination that is down opens its `breaker` and costs its events nothing; an answer about one event advances
//! that event's `schedule`. An operator sees and turns the `switches`.
//!
//! What goes to a broker `direct`ly was never in the spool: its sender waits for the broker's own confirmation.

mod blame;
mod breaker;
mod direct;
mod forwarder;
mod http;
mod schedule;
mod switches;
mod telling;

pub use direct::Direct;
pub use http::Http;
pub use schedule::HORIZON;
pub use switches::{Enabled, Standing, Switches};
pub use telling::{DeadLetter, FailedAttempt};

use crate::{
    clock::Clock,
    destination::{Confirmed, Destination, Load, PublishError},
    policy::{self, Delivery, Policy, Route},
    secret::Secret,
    spool::Spool,
    verdict::Fault,
};
use direct::Line;
use forwarder::Forwarder;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet, time::timeout};

/// Port: who hears what became of deliveries. Called from within forwarders, so it must not wait.
pub trait Observer: Send + Sync {
    /// One attempt ended: how it was confirmed, or why it was not.
    fn attempted(&self, destination: &str, event_id: &str, result: Result<Confirmed, &PublishError>);
    /// One attempt failed, and the event is tried again. Told as often as a log can take it.
    fn failed(&self, attempt: &FailedAttempt<'_>);
    /// An event will not be tried again.
    fn died(&self, letter: &DeadLetter<'_>);
    /// It is doing something else than before; `why` is its last failure, with what lies below it.
    fn standing(&self, destination: &str, now: Standing, why: Option<&str>);
    /// The spool could not take a verdict: after a crash the event is sent again.
    fn not_settled(&self, destination: &str, event_id: &str, fault: &Fault);
}

/// Port: makes of what is written of a destination one that takes events. Nothing is asked yet.
pub trait Maker {
    /// Any kind that a policy can name.
    type Destination: Destination + 'static;

    /// `secret` is the one that it signs or logs in with.
    ///
    /// # Errors
    /// [`BadDestination`], before anything was sent.
    fn make(
        &self,
        destination: &policy::Destination,
        public_url: Option<&str>,
        secret: Option<&Secret>,
        load: Load,
    ) -> Result<Self::Destination, BadDestination>;
}

/// A destination that the policy let pass and that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("destination `{name}` cannot be used: {why}")]
pub struct BadDestination {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub why: String,
}

/// All forwarders of a policy.
#[expect(missing_debug_implementations, reason = "holds what deliveries are signed with")]
pub struct Forwarders<M: Maker> {
    maker: M,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    spool: Spool,
    posts: BTreeMap<String, Post<M::Destination>>,
    direct: Direct<M::Destination>,
    switches: Switches,
    tasks: JoinSet<()>,
}

/// The destinations of another policy, in order.
#[expect(missing_debug_implementations, reason = "holds what deliveries are signed with")]
pub struct Prepared<D>(Vec<(Written, Terms<D>)>);

/// One forwarder, from outside. It ends when this is dropped.
struct Post<D> {
    written: Written,
    terms: watch::Sender<Terms<D>>,
    /// For events that were never in the spool.
    line: Arc<Line<D>>,
}

/// Of what a destination is made: what is written the same is the same, and keeps its breaker.
struct Written {
    destination: policy::Destination,
    public_url: Option<String>,
    secret: Option<Secret>,
    load: Load,
}

/// By what a forwarder goes.
struct Terms<D> {
    destination: Arc<D>,
    concurrency: usize,
}

impl<M: Maker> Forwarders<M> {
    /// None yet.
    pub fn new(spool: Spool, maker: M, clock: Arc<dyn Clock>, observer: Arc<dyn Observer>) -> Self {
        let (switches, direct) = (Switches::default(), Direct::new(spool.clone(), clock.clone(), observer.clone()));
        Self { maker, clock, observer, spool, posts: BTreeMap::new(), direct, switches, tasks: JoinSet::new() }
    }

    /// The way to those of them that keep events instead of the spool.
    pub fn direct(&self) -> Direct<M::Destination> {
        self.direct.clone()
    }

    /// One for each destination of the policy. `secrets` holds what they sign or log in with, by destination.
    ///
    /// # Errors
    /// [`BadDestination`], and nothing has changed.
    pub fn prepare(
        &self,
        policy: &Policy,
        secrets: &BTreeMap<String, Secret>,
    ) -> Result<Prepared<M::Destination>, BadDestination> {
        let public_url = policy.settings.public_url.clone();
        let prepared = policy.destinations.iter().map(|destination| {
            let secret = secrets.get(&destination.name).cloned();
            let load = load(policy, &destination.name);
            let made = self.maker.make(destination, public_url.as_deref(), secret.as_ref(), load)?;
            let written = Written { destination: destination.clone(), public_url: public_url.clone(), secret, load };
            Ok((written, Terms { destination: Arc::new(made), concurrency: destination.concurrency }))
        });
        prepared.collect::<Result<_, _>>().map(Prepared)
    }

    /// From now on events go to these destinations. Attempts under way come to their end; events of a destination that
    /// is no more stay where they are.
    pub fn replace(&mut self, Prepared(destinations): Prepared<M::Destination>) {
        let mut before = std::mem::take(&mut self.posts);
        for (written, terms) in destinations {
            let name = written.destination.name.clone();
            let post = match before.remove(&name) {
                Some(post) if post.written.is(&written) => post,
                Some(post) => {
                    let line = terms.line(&name);
                    post.terms.send_replace(terms);
                    Post { written, line, ..post }
                }
                None => self.open(written, terms),
            };
            self.posts.insert(name, post);
        }
        self.direct.replace(self.posts.values().map(|post| post.line.clone()));
        before.keys().for_each(|gone| self.switches.remove(gone));
        while self.tasks.try_join_next().is_some() {}
    }

    fn open(&mut self, written: Written, terms: Terms<M::Destination>) -> Post<M::Destination> {
        let name = written.destination.name.clone();
        let line = terms.line(&name);
        let (tell, told) = watch::channel(terms);
        let forwarder = Forwarder::new(&name, self.spool.clone(), self.observer.clone(), self.clock.clone(), told);
        self.tasks.spawn(forwarder.run(self.switches.add(&name)));
        Post { written, terms: tell, line }
    }

    /// What each destination is doing, and the way to enable one that is disabled.
    pub fn switches(&self) -> &Switches {
        &self.switches
    }

    /// No new attempts; those under way have `within` to finish, and what is cut is due again after the next start.
    pub async fn stop(mut self, within: Duration) {
        self.posts.clear();
        let _ = timeout(within, async { while self.tasks.join_next().await.is_some() {} }).await;
        self.tasks.shutdown().await;
    }
}

impl<D> Terms<D> {
    fn line(&self, name: &str) -> Arc<Line<D>> {
        Arc::new(Line::new(name, self.destination.clone(), self.concurrency))
    }
}

impl Written {
    fn is(&self, other: &Self) -> bool {
        let same_key = match (&self.secret, &other.secret) {
            (Some(one), Some(other)) => one.is(other.expose()),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let same_words = self.destination == other.destination && self.public_url == other.public_url;
        same_key && same_words && self.load == other.load
    }
}

fn load(policy: &Policy, destination: &str) -> Load {
    let largest = policy.routes.iter().filter_map(|route| {
        let (is_for_it, form) = match &route.delivery {
            Delivery::Queue { to, form } => (to.iter().any(|to| to == destination), form),
            Delivery::Direct { to, form } => (to == destination, form),
            Delivery::Relay => return None,
        };
        is_for_it.then(|| form.largest_bytes(route.admit.body_limit_bytes))
    });
    Load { directly: directly(policy, destination), largest_bytes: largest.max().unwrap_or_default() }
}

/// How long a sender may repeat what goes to this destination directly, if anything does: its retry, or what was signed.
fn directly(policy: &Policy, destination: &str) -> Option<Duration> {
    let routes = policy.routes.iter().filter(|route| match &route.delivery {
        Delivery::Direct { to, .. } => to == destination,
        Delivery::Queue { .. } | Delivery::Relay => false,
    });
    let signed = |route: &Route| route.sender.webhook().map(|webhook| webhook.window().memory());
    routes.map(|route| route.remember.max(signed(route).unwrap_or_default())).max()
}

#[cfg(test)]
mod tests;
