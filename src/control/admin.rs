//! The admin listener: metrics and health, for machines. Nothing here is a secret, and nothing changes anything.

use super::{metrics::Metrics, observed::Observed, shown::ShownUrls};
use crate::{clock::Clock, keys::CERTIFICATES, spool::Spool, verdict::Chain, verify::Keys};
use arc_swap::ArcSwap;
use serde_json::json;
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::timeout,
};

/// What is asked about.
#[expect(missing_debug_implementations, reason = "the clock has none")]
pub struct State {
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What would have been refused.
    pub observed: Arc<Observed>,
    /// What vendors wanted opened.
    pub shown: Arc<ShownUrls>,
    /// Where events are kept; none where nothing is guarded.
    pub spool: Option<Spool>,
    /// For ages.
    pub clock: Arc<dyn Clock>,
    /// The digest of the policy of the moment.
    pub digest: ArcSwap<String>,
    /// The keys of the moment.
    pub keys: ArcSwap<Keys>,
    /// Everything listens that has to.
    pub standing: AtomicBool,
    /// A stop has begun.
    pub draining: AtomicBool,
}

/// A running listener.
#[derive(Debug)]
pub struct Admin {
    address: SocketAddr,
    task: JoinHandle<()>,
}

const HEAD_BYTES_MAX: usize = 8 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);
const CONNECTIONS_MAX: usize = 64;

impl Admin {
    /// Binds and serves.
    ///
    /// # Errors
    /// The address is taken, or not ours.
    #[expect(clippy::disallowed_methods, reason = "`stop` ends it")]
    pub async fn start(on: SocketAddr, state: Arc<State>) -> io::Result<Self> {
        let listener = TcpListener::bind(on).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move {
            let mut guests = JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                while guests.len() >= CONNECTIONS_MAX {
                    guests.join_next().await;
                }
                let state = state.clone();
                guests.spawn(async move { drop(timeout(PATIENCE, serve(stream, &state)).await) });
                while guests.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it at once.
    pub fn stop(self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, state: &State) -> io::Result<()> {
    let mut bytes = Vec::new();
    while !bytes.windows(4).any(|four| four == b"\r\n\r\n") {
        if bytes.len() > HEAD_BYTES_MAX || stream.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    }
    let head = String::from_utf8_lossy(&bytes);
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = target.split('?').next().unwrap_or_default();
    let (status, kind, body) = if matches!(method, "GET" | "HEAD") {
        answer(path, state)
    } else {
        ("405 Method Not Allowed", "text/plain", "only GET and HEAD\n".to_owned())
    };
    let mut whole = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
        body.len()
    );
    if method != "HEAD" {
        whole.push_str(&body);
    }
    stream.write_all(whole.as_bytes()).await?;
    stream.shutdown().await
}

fn answer(path: &str, state: &State) -> (&'static str, &'static str, String) {
    match path {
        "/metrics" => {
            let stats = state.spool.as_ref().map(Spool::stats);
            state.metrics.issuers.stand(standing(state).iter().map(|(name, are_here)| (name.as_str(), *are_here)));
            ("200 OK", "text/plain; version=0.0.4", state.metrics.text(stats.as_ref(), state.clock.now()))
        }
        "/healthz" => ("200 OK", "application/json", "{\"alive\":true}\n".to_owned()),
        "/readyz" => {
            let reasons = reasons(state);
            let status = if reasons.is_empty() { "200 OK" } else { "503 Service Unavailable" };
            let awaited: Vec<_> = standing(state).into_iter().filter(|(_, are_here)| !are_here).collect();
            let awaited: Vec<_> = awaited.into_iter().map(|(name, _)| name).collect();
            let policy = &**state.digest.load();
            let told =
                json!({ "ready": reasons.is_empty(), "reasons": reasons, "keys_awaited": awaited, "policy": policy });
            (status, "application/json", format!("{told}\n"))
        }
        "/" => ("200 OK", "text/plain", "hookwarden: /metrics /healthz /readyz\n".to_owned()),
        _ => ("404 Not Found", "text/plain", "known here: /metrics /healthz /readyz\n".to_owned()),
    }
}

/// Each issuer, and whether its keys are here. No reason against readiness: a route without them answers 503 by itself,
/// and all others, and what is queued, would suffer for somebody else's outage.
fn standing(state: &State) -> Vec<(String, bool)> {
    let (keys, now) = (state.keys.load(), state.clock.now());
    let mut standing: Vec<_> =
        keys.issuers().standing(now).map(|(name, are_here)| (name.to_owned(), are_here)).collect();
    if keys.certificates().are_awaited(now) {
        standing.push((CERTIFICATES.to_owned(), false));
    }
    standing
}

/// Why it is not ready: it is, if it can accept durably. The origin's state is a metric and no reason: when WordPress is
/// down the queue is needed most.
fn reasons(state: &State) -> Vec<String> {
    let mut reasons = Vec::new();
    if !state.standing.load(Ordering::Acquire) {
        reasons.push("starting".to_owned());
    }
    if state.draining.load(Ordering::Acquire) {
        reasons.push("draining".to_owned());
    }
    if let Some(Err(fault)) = state.spool.as_ref().map(Spool::ready) {
        reasons.push(Chain(&fault).to_string());
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::SystemClock,
        policy::Policy,
        secret::Secret,
        verify::jwt::{Algorithm, Cache, Issuers, KeySet, Ring},
    };
    use std::collections::BTreeMap;

    fn state(keys: Keys) -> State {
        let policy = Policy::pass_through(([127, 0, 0, 1], 0).into(), "http://127.0.0.1:1");
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        State {
            metrics: Arc::new(Metrics::new(&policy, clock.now()).unwrap()),
            observed: Arc::new(Observed::new(clock.clone())),
            shown: Arc::new(ShownUrls::new(clock.clone())),
            spool: None,
            clock,
            digest: ArcSwap::from_pointee(policy.digest),
            keys: ArcSwap::from_pointee(keys),
            standing: AtomicBool::new(false),
            draining: AtomicBool::new(false),
        }
    }

    fn memory() -> Secret {
        Secret::new("the gate's own").unwrap()
    }

    /// A gate behind a balancer stays there: all but one route serve as ever.
    #[test]
    fn keys_that_are_not_here_yet_are_named_and_no_reason_against_readiness() {
        let ring = Arc::new(Ring::new(KeySet::not_yet()));
        let rings = BTreeMap::from([("shop-idp".to_owned(), ring.clone())]);
        let issuers = Issuers::new(rings, Arc::new(Cache::new(memory(), 0)));
        let state = state(Keys::new(memory(), BTreeMap::new()).trusting(issuers));
        state.standing.store(true, Ordering::Release);
        let series = "hookwarden_issuer_keys_awaited{issuer=\"shop-idp\"}";
        let told = |path| answer(path, &state);
        let (status, _, body) = told("/readyz");
        assert!(status.starts_with("200") && body.contains("\"ready\":true"), "{status} {body}");
        assert!(body.contains("\"keys_awaited\":[\"shop-idp\"]"), "{body}");
        assert!(told("/metrics").2.contains(&format!("{series} 1\n")), "{}", told("/metrics").2);
        ring.replace(KeySet::from_secret(&[7; 32], &[Algorithm::Hs256]).unwrap());
        assert!(told("/readyz").2.contains("\"keys_awaited\":[]"), "{}", told("/readyz").2);
        assert!(told("/metrics").2.contains(&format!("{series} 0\n")));
    }

    /// The same of certificates that senders name: whoever asks hears that none is to be had.
    #[test]
    fn certificates_that_nobody_could_fetch_are_named() {
        let state = state(Keys::new(memory(), BTreeMap::new()));
        let told = |path| answer(path, &state);
        assert!(told("/readyz").0.starts_with("503") && told("/readyz").2.contains("\"keys_awaited\":[]"), "starting");
        state.standing.store(true, Ordering::Release);
        let url = "https://sns.eu-west-1.amazonaws.com/a.pem";
        state.keys.load().certificates().failed(url, state.clock.now());
        let (status, _, body) = told("/readyz");
        assert!(status.starts_with("200") && body.contains("\"keys_awaited\":[\"(certificates)\"]"), "{status} {body}");
        let pem = rcgen::generate_simple_self_signed(["sns.amazonaws.com".to_owned()]).unwrap().cert.pem();
        assert!(state.keys.load().certificates().keep(url, &pem, state.clock.now()));
        assert!(told("/readyz").2.contains("\"keys_awaited\":[]"), "{}", told("/readyz").2);
    }

    #[test]
    fn it_is_ready_from_when_it_listens_until_it_drains() {
        let state = state(Keys::new(memory(), BTreeMap::new()));
        assert_eq!(reasons(&state), ["starting"]);
        state.standing.store(true, Ordering::Release);
        assert!(reasons(&state).is_empty());
        state.draining.store(true, Ordering::Release);
        assert_eq!(reasons(&state), ["draining"]);
    }
}
