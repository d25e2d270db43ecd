//! Keys that senders hand over: an operator arms a route, and what is handed over then is kept and put in force.

use super::{keeper::Keeper, load::Loaded};
use crate::{
    cli::{handed_places, policy_files},
    control::{
        actor::{Actor, Reason},
        orders::{Ended, Expected, HandshakeWish, Handshakes},
        socket::tell_act,
    },
    edge::Offer,
    keys::{self, handed},
    policy::{Change, Policy},
    spool::By,
    verdict::{BoxError, Chain, Fault},
    verify::{Handed, Keys},
};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::task::spawn_blocking;
use tracing::{info, warn};

/// Whoever comes first while a route is armed is believed: as long as it takes to press a button in a console.
const ARMED_MAX: Duration = Duration::from_hours(1);

impl Keeper {
    pub(super) async fn obey_about_handshakes(&mut self, wish: HandshakeWish) -> Result<String, String> {
        match wish {
            HandshakeWish::Show => Ok("loaded".to_owned()),
            HandshakeWish::Arm { route, key, within, actor, reason } => {
                self.arm(&route, key.as_deref(), within, &By { actor: actor.as_str(), reason: reason.as_str() }).await
            }
            HandshakeWish::Disarm { route, actor, reason } => self.disarm(&route, &actor, &reason).await,
        }
    }

    /// The act is written down first: nothing is armed that nobody has to answer for.
    async fn arm(&mut self, route: &str, key: Option<&str>, within: Duration, by: &By<'_>) -> Result<String, String> {
        if within.is_zero() || within > ARMED_MAX {
            return Err("a route is armed for some minutes, an hour at most; write `--for 10m`".to_owned());
        }
        let (key, file) = self.expects(route, key)?;
        handed_places::look_at(&file, true)?;
        let until = self.clock.now() + within;
        self.act(by, "handshake arm", &format!("{route}: key {key}, until {}", until.rfc3339())).await?;
        let armed = self.arming.arm(route, &key, self.clock.now(), within);
        self.ended.remove(route);
        let until = armed.until.rfc3339();
        warn!(route, key, until, "armed: whoever hands a key over to this route first is believed");
        let kept = if file.exists() { "; it replaces the one that is there" } else { "" };
        Ok(format!("`{route}` takes its sender's key `{key}` once, until {until}, into {}{kept}", file.display()))
    }

    async fn disarm(&self, route: &str, actor: &Actor, reason: &Reason) -> Result<String, String> {
        // First: it must work while the disk does not.
        if !self.arming.disarm(route, self.clock.now()) {
            return Err(format!("`{route}` is not armed; `hookwarden handshake status` lists what is"));
        }
        info!(route, "no key is taken any more");
        let by = By { actor: actor.as_str(), reason: reason.as_str() };
        self.act(&by, "handshake disarm", route).await?;
        Ok(format!("`{route}` takes no key any more"))
    }

    /// Ends what is armed for a key that this policy, which is in force, does not expect as the one before it did: what an
    /// operator looked at when it was armed is not there any more. Each is an act, for whoever put the policy in force.
    pub(super) fn end_arming(&mut self, after: &Policy) -> Vec<Change> {
        let (before, now) = (&self.current.loaded.policy, self.clock.now());
        let ended = self.arming.end_where(|route, key| handed::is_over(before, after, route, key, now));
        let change = |(route, key, why): (String, String, &'static str)| {
            warn!(route, key, why, "no key is taken any more: the policy is another one");
            let about = format!("{route}: key {key}, {why}");
            let ended = Ended { at: now.rfc3339(), route: route.clone(), key, why: why.to_owned() };
            self.ended.insert(route, ended);
            Change { what: "handshake disarm", about }
        };
        ended.into_iter().map(change).collect()
    }

    async fn act(&self, by: &By<'_>, what: &str, about: &str) -> Result<(), String> {
        let Some(queue) = &self.queue else { return Err("this gate guards nothing".to_owned()) };
        let By { actor, reason } = *by;
        let act = queue.spool.record_act(By { actor, reason }, what, about).await;
        tell_act(&act.map_err(|fault| format!("the act could not be written down: {}", Chain(&fault)))?);
        Ok(())
    }

    /// Which key is meant, and its file.
    fn expects(&self, route: &str, key: Option<&str>) -> Result<(String, PathBuf), String> {
        let policy = &self.current.loaded.policy;
        let Some(found) = policy.routes.iter().find(|known| *known.name == *route) else {
            return Err(format!(
                "the policy has no route `{route}`; `hookwarden handshake status` lists what can be armed"
            ));
        };
        if found.is_observed() {
            return Err(format!(
                "`{route}` is observed whole, so what comes for it goes to WordPress as it is, and no key would be taken; arm it \
                 when its rollout has ended"
            ));
        }
        let mut expected = handed::expected(policy, route, self.clock.now());
        let labels: Vec<_> = expected.iter().map(|(label, _)| format!("`{label}`")).collect();
        let labels = labels.join(", ");
        match key {
            None if expected.len() == 1 => Ok(expected.remove(0)),
            None if expected.is_empty() => Err(format!(
                "`{route}` has no key that `{}` could hand over; write `from: handed:/path` under `keys`, for a sender of which \
                 `hookwarden providers show NAME` says that it does",
                found.sender.name()
            )),
            None => Err(format!("`{route}` has several keys to be handed over; write `--key` and one of {labels}")),
            Some(key) => expected
                .into_iter()
                .find(|(label, _)| label == key)
                .ok_or_else(|| format!("`{route}` has no key `{key}` that could be handed over; it has: {labels}")),
        }
    }

    pub(super) fn handshakes(&self) -> Handshakes {
        let (policy, now) = (&self.current.loaded.policy, self.clock.now());
        let armed = self.arming.standing(now);
        let keys = policy.routes.iter().flat_map(|route| {
            let armed = armed.get(&*route.name);
            handed::expected(policy, &route.name, now).into_iter().map(move |(key, file)| {
                let armed_until = armed.filter(|armed| armed.key == key).map(|armed| armed.until.rfc3339());
                let (kept, file) = (file.exists(), file.display().to_string());
                Expected { route: route.name.to_string(), key, file, kept, armed_until }
            })
        });
        let ended = self.ended.values().cloned().collect();
        Handshakes { keys: keys.collect(), shown: self.state.shown.latest(), ended }
    }

    /// Keeps a key and puts it in force, or tells why not; nobody needs it whose vendor has gone.
    pub(super) async fn take(&mut self, offer: Offer) {
        if offer.tell.is_closed() {
            return;
        }
        let Offer { route, armed, handed, client, tell } = offer;
        let kept = if self.arming.is_open(&route, &armed) {
            self.hand_over(&route, &armed.key, handed).await
        } else {
            Err(Fault::KeyNotKept("the route is not armed any more".into()))
        };
        let key = armed.key;
        if kept.is_ok() {
            let (actor, about) = (format!("sender of {route}"), format!("{route}: key {key}, from {client}"));
            self.record_about(By { actor: &actor, reason: "" }, "key handed over", &about).await;
        }
        let _ = tell.send(kept);
    }

    async fn hand_over(&mut self, route: &str, key: &str, handed: Handed) -> Result<(), Fault> {
        let failed = |cause: BoxError| Fault::KeyNotKept(cause);
        let Loaded { policy, keys, .. } = &self.current.loaded;
        let with = |policy: &Policy, keys: &Keys| handed::place(policy, keys, route, key, &handed);
        let (keys, file) = with(policy, keys).map_err(|trouble| failed(trouble.into()))?;
        let previous = self.previous.as_ref().map(|before| with(&before.loaded.policy, &before.loaded.keys));
        let (policy, keys) = (policy.clone(), Arc::new(keys));
        let shared = Arc::new(self.issuers.share(&policy, &keys));
        let prepared = self.edge.prepare(policy.clone(), shared.clone()).await;
        let prepared = prepared.map_err(|error| failed(error.into()))?;
        let (of, by, now, was) = (policy.clone(), self.by.clone(), self.clock.now(), self.current.loaded.mark);
        let writing = spawn_blocking(move || {
            // What was in order when the gate started need not be.
            if let Err(why) = handed_places::look_at(&file, true) {
                return Err(BoxError::from(why));
            }
            let mark = || keys::mark(&of, &policy_files::environment, now, &by);
            // If another secret has changed as well, the next look is to find that.
            let alone = mark() == was;
            handed::keep(&file, &handed).map(|()| if alone { mark() } else { was }).map_err(BoxError::from)
        });
        let mark = writing.await.map_err(|error| failed(error.into()))?.map_err(failed)?;
        self.edge.replace(prepared);
        self.issuers.replace(&policy, &shared);
        self.state.keys.store(shared);
        self.current.loaded.keys = keys;
        self.current.loaded.mark = mark;
        if let Some(watch) = &mut self.watch {
            // It is in force: to load it once more would make this policy the one before itself.
            watch.settling.tried.mark = mark;
        }
        // A rollback brings back an older policy, and the sender signs with the newer key.
        if let (Some(before), Some(Ok((keys, _)))) = (&mut self.previous, previous) {
            before.loaded.keys = Arc::new(keys);
        }
        Ok(())
    }
}
