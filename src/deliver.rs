//! Takes events from the spool to their destinations, until they are there, or dead with a reason.
//!
//! One `forwarder` a destination: a slow or dead one is nobody else's concern. Whose failure it is (`blame`) decides who
//! waits: a destination that is down opens its `breaker` and costs its events nothing; an answer about one event advances
//! that event's `schedule`. An operator sees and turns the `switches`.

mod blame;
mod breaker;
mod forwarder;
mod http;
mod schedule;
mod switches;

pub use http::BadUrl;
pub use switches::{Enabled, Standing, Switches};

use crate::{
    clock::Clock,
    outbound::Outbound,
    policy::{self, Policy},
    secret::Secret,
    spool::Spool,
    verdict::Fault,
};
use forwarder::Forwarder;
use http::Http;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet, time::timeout};

/// Port: who hears what became of deliveries. Called from within forwarders, so it must not wait.
pub trait Observer: Send + Sync {
    /// One attempt ended: `delivered`, or the failure's reason.
    fn attempted(&self, destination: &str, event_id: &str, result: &str);
    /// An event will not be tried again.
    fn died(&self, destination: &str, event_id: &str, reason: &str);
    /// It is doing something else than before.
    fn standing(&self, destination: &str, now: Standing);
    /// The spool could not take a verdict: after a crash the event is sent again.
    fn not_settled(&self, destination: &str, event_id: &str, fault: &Fault);
}

/// All forwarders of a policy.
#[expect(missing_debug_implementations, reason = "holds what deliveries are signed with")]
pub struct Forwarders<O> {
    outbound: O,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    spool: Spool,
    posts: BTreeMap<String, Post<O>>,
    switches: Switches,
    tasks: JoinSet<()>,
}

/// The destinations of another policy, in order.
#[expect(missing_debug_implementations, reason = "holds what deliveries are signed with")]
pub struct Prepared<O>(Vec<(Written, Terms<Http<O>>)>);

/// One forwarder, from outside. It ends when this is dropped.
struct Post<O> {
    written: Written,
    terms: watch::Sender<Terms<Http<O>>>,
}

/// Of what a destination is made: what is written the same is the same, and keeps its breaker.
struct Written {
    destination: policy::Destination,
    public_url: Option<String>,
    sign: Option<Secret>,
}

/// By what a forwarder goes.
struct Terms<D> {
    destination: Arc<D>,
    concurrency: usize,
}

impl<O: Outbound + Clone + 'static> Forwarders<O> {
    /// None yet.
    pub fn new(spool: Spool, outbound: O, clock: Arc<dyn Clock>, observer: Arc<dyn Observer>) -> Self {
        let switches = Switches::default();
        Self { outbound, clock, observer, spool, posts: BTreeMap::new(), switches, tasks: JoinSet::new() }
    }

    /// One for each destination of the policy. `signers` holds the secrets by destination.
    ///
    /// # Errors
    /// [`BadUrl`], and nothing has changed.
    pub fn prepare(&self, policy: &Policy, signers: &BTreeMap<String, Secret>) -> Result<Prepared<O>, BadUrl> {
        let public_url = policy.settings.public_url.clone();
        let prepared = policy.destinations.iter().map(|destination| {
            let sign = signers.get(&destination.name).cloned();
            let (outbound, clock) = (self.outbound.clone(), self.clock.clone());
            let http = Http::new(outbound, clock, destination, public_url.as_deref(), sign.clone())?;
            let written = Written { destination: destination.clone(), public_url: public_url.clone(), sign };
            Ok((written, Terms { destination: Arc::new(http), concurrency: destination.concurrency }))
        });
        prepared.collect::<Result<_, _>>().map(Prepared)
    }

    /// From now on events go to these destinations. Attempts under way come to their end; events of a destination that
    /// is no more stay where they are.
    pub fn replace(&mut self, Prepared(destinations): Prepared<O>) {
        let mut before = std::mem::take(&mut self.posts);
        for (written, terms) in destinations {
            let name = written.destination.name.clone();
            let post = match before.remove(&name) {
                Some(post) if post.written.is(&written) => post,
                Some(post) => {
                    post.terms.send_replace(terms);
                    Post { written, ..post }
                }
                None => self.open(written, terms),
            };
            self.posts.insert(name, post);
        }
        before.keys().for_each(|gone| self.switches.remove(gone));
        while self.tasks.try_join_next().is_some() {}
    }

    fn open(&mut self, written: Written, terms: Terms<Http<O>>) -> Post<O> {
        let name = written.destination.name.clone();
        let (tell, told) = watch::channel(terms);
        let forwarder = Forwarder::new(&name, self.spool.clone(), self.observer.clone(), self.clock.clone(), told);
        self.tasks.spawn(forwarder.run(self.switches.add(&name)));
        Post { written, terms: tell }
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

impl Written {
    fn is(&self, other: &Self) -> bool {
        let same_key = match (&self.sign, &other.sign) {
            (Some(one), Some(other)) => one.is(other.expose()),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        same_key && self.destination == other.destination && self.public_url == other.public_url
    }
}

#[cfg(test)]
mod tests;
