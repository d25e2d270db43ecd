//! Issuers that publish their keys: over real sockets, in front of servers that do what an attacker, a broken cloud or a
//! rotation would do.

use super::{
    support::*,
    tokens::{Hand, compiled},
};
use crate::tokens::{claims, mint::Signer, set, with};
use hookwarden::{
    clock::Clock,
    edge::{NoEngine, SystemResolver, install_crypto},
    keys::{self, FetchError, Fetchers},
    policy::Policy,
    verdict::Chain,
    verify::{
        Keys,
        jwt::{Algorithm, Skipped},
    },
};
use serde_json::Value;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};

const NOW_S: i64 = crate::tokens::NOW_S;

/// What the issuer's server does with whoever asks.
#[derive(Clone)]
pub(super) enum Trap {
    /// This status and body.
    Says(&'static str, String),
    /// A redirect to itself.
    Redirects,
    /// A byte now and then, for ever.
    Drips,
    /// A body without an end.
    Floods,
}

pub(super) struct Issuer {
    pub(super) at: std::net::SocketAddr,
    trap: Arc<Mutex<Trap>>,
    asked: Arc<Mutex<Vec<String>>>,
    sent_bytes: Arc<AtomicUsize>,
}

impl Issuer {
    pub(super) async fn start(trap: Trap) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let trap = Arc::new(Mutex::new(trap));
        let issuer = Self { at, trap, asked: Arc::default(), sent_bytes: Arc::default() };
        let (trap, asked, sent_bytes) = (issuer.trap.clone(), issuer.asked.clone(), issuer.sent_bytes.clone());
        tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let Some(request) = read_message(&mut tcp).await else { continue };
                asked.lock().unwrap().push(request);
                let trap = trap.lock().unwrap().clone();
                let sent_bytes = sent_bytes.clone();
                tokio::spawn(trap.answers(tcp, sent_bytes));
            }
        });
        issuer
    }

    pub(super) fn turns(&self, trap: Trap) {
        *self.trap.lock().unwrap() = trap;
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Trap {
    pub(super) async fn answers(self, mut io: impl AsyncWrite + Unpin, sent_bytes: Arc<AtomicUsize>) {
        let endless = "HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n";
        let (answer, piece, pause) = match self {
            Self::Says(status, body) => (
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
                Vec::new(),
                Duration::ZERO,
            ),
            Self::Redirects => {
                let answer = "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
                (answer.to_owned(), Vec::new(), Duration::ZERO)
            }
            Self::Drips => (endless.to_owned(), vec![b' '], ms(50)),
            Self::Floods => (endless.to_owned(), vec![b' '; 16 << 10], Duration::ZERO),
        };
        let _ = io.write_all(answer.as_bytes()).await;
        let _ = io.flush().await;
        while !piece.is_empty() && io.write_all(&piece).await.is_ok() && io.flush().await.is_ok() {
            sent_bytes.fetch_add(piece.len(), Ordering::SeqCst);
            tokio::time::sleep(pause).await;
        }
    }
}

/// Hears what each fetch came to.
pub(super) struct Ears(pub(super) mpsc::UnboundedSender<Result<usize, String>>);

impl keys::Observer for Ears {
    fn fetched(&self, _: &str, keys: usize, _: &[Skipped]) {
        let _ = self.0.send(Ok(keys));
    }
    fn failed(&self, _: &str, why: &FetchError) {
        let _ = self.0.send(Err(Chain(why).to_string()));
    }
}

pub(super) type Hears = mpsc::UnboundedReceiver<Result<usize, String>>;

fn policy(issuer: &Issuer, origin: &Origin, more: &str) -> Policy {
    let text = format!(
        "
listeners: [{{ on: '127.0.0.1:0' }}]
secret: env:OWN
routes:
  api: {{ at: {{ path: /api }}, sender: {{ jwt: idp }}, limits: {{ per_address: 100000/s }}, deliver: {{ via: relay }} }}
issuers:
  idp: {{ issuer: https://idp.example/, audience: shop, algorithms: [ES256, EdDSA], jwks: 'JWKS'{more} }}
"
    );
    compiled(&text.replace("JWKS", &format!("http://127.0.0.1:{}/keys", issuer.at.port())), origin.address)
}

pub(super) fn unfetched(policy: &Policy) -> Keys {
    let environment = |_: &str| Some("the gate's own, and nobody else's".to_owned());
    keys::load(policy, &environment, Hand::at(NOW_S).now()).unwrap().0
}

pub(super) type All = Fetchers<hookwarden::edge::PingoraOutbound, SystemResolver>;

pub(super) fn fetchers(clock: &Arc<Hand>) -> (All, Hears) {
    install_crypto().unwrap();
    let (tell, hears) = mpsc::unbounded_channel();
    (Fetchers::new(outbound(), SystemResolver, clock.clone(), Arc::new(Ears(tell))), hears)
}

pub(super) fn jwks(signers: &[&Signer]) -> Trap {
    Trap::Says("200 OK", set(&signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>()))
}

const PRIVATE: &str = ", private: allow";

/// What the first fetch from this server came to.
async fn first(trap: Trap) -> (Issuer, Result<usize, String>) {
    let (issuer, origin) = (Issuer::start(trap).await, Origin::start(Manner::Polite).await);
    let policy = policy(&issuer, &origin, PRIVATE);
    let (mut fetchers, mut hears) = fetchers(&Hand::at(NOW_S));
    fetchers.replace(&policy, &unfetched(&policy));
    let heard = soon(hears.recv()).await.unwrap();
    (issuer, heard)
}

#[tokio::test]
async fn a_set_is_asked_for_by_its_name_and_nothing_is_followed() {
    let signer = Signer::new(Algorithm::EdDsa);
    let (issuer, heard) = first(jwks(&[&signer])).await;
    assert_eq!(heard, Ok(1));
    let asked = issuer.asked.lock().unwrap()[0].to_ascii_lowercase();
    assert!(
        asked.starts_with("get /keys http/1.1\r\n") && asked.contains("accept: application/jwk-set+json"),
        "{asked}"
    );
    assert!(!asked.contains("hookwarden-identity") && !asked.contains("authorization"), "{asked}");

    let (issuer, heard) = first(Trap::Redirects).await;
    assert!(heard.unwrap_err().contains("status 302"));
    assert_eq!(issuer.asked(), 1, "nobody went elsewhere");
}

#[tokio::test]
async fn a_server_that_does_not_come_to_an_end_costs_little() {
    let (_, heard) = first(Trap::Drips).await;
    assert!(heard.unwrap_err().contains("it did not answer"));
    let (issuer, heard) = first(Trap::Floods).await;
    assert!(heard.unwrap_err().contains("more than 64 KiB"));
    // What the kernel holds on both sides; nobody reads it.
    assert!(issuer.sent_bytes.load(Ordering::SeqCst) < 50_000_000);
}

#[tokio::test]
async fn what_is_no_set_of_keys_for_this_issuer_is_none() {
    let mut private = Signer::new(Algorithm::EdDsa).jwk();
    private["d"] = "AAAA".into();
    let rsa = Signer::new(Algorithm::Rs256).jwk();
    let mac = Signer::new(Algorithm::Hs256).jwk();
    let says = |status, body: String| Trap::Says(status, body);
    for (trap, why) in [
        (says("500 Oh", set(&[])), "status 500"),
        (says("204 No Content", String::new()), "status 204"),
        (says("200 OK", "<html>".to_owned()), "not a JWK Set"),
        (says("200 OK", set(&[])), "no key in it fits"),
        (says("200 OK", set(&[rsa])), "no key in it fits"),
        (says("200 OK", set(&[mac])), "no key in it fits"),
        (says("200 OK", set(&[private])), "private key"),
    ] {
        let (_, heard) = first(trap).await;
        let told = heard.unwrap_err();
        assert!(told.contains(why), "{told}");
    }
}

/// Without `private: allow` this machine is nobody's issuer, and nothing is sent to find out.
#[tokio::test]
async fn an_address_of_this_house_is_not_asked() {
    let (issuer, origin) = (Issuer::start(Trap::Redirects).await, Origin::start(Manner::Polite).await);
    let mut policy = policy(&issuer, &origin, PRIVATE);
    for issuer in &mut policy.issuers {
        if let hookwarden::policy::IssuerKeys::Jwks(jwks) = &mut issuer.keys {
            jwks.private = false;
        }
    }
    let (mut fetchers, mut hears) = fetchers(&Hand::at(NOW_S));
    fetchers.replace(&policy, &unfetched(&policy));
    let told = soon(hears.recv()).await.unwrap().unwrap_err();
    assert!(told.contains("is not on the internet"), "{told}");
    assert_eq!(issuer.asked(), 0);
}

fn asks(token: &str) -> String {
    format!("GET /api HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n")
}

fn good(signer: &Signer) -> Value {
    // For as long as this test turns the clock.
    with(claims(), "exp", (NOW_S + 100_000).into())
        .clone()
        .as_object()
        .map(|claims| {
            let mut claims = claims.clone();
            claims.insert("sub".to_owned(), signer.id.into());
            Value::Object(claims)
        })
        .unwrap()
}

#[tokio::test]
async fn without_keys_it_is_the_gate_that_cannot_tell() {
    let origin = Origin::start(Manner::Polite).await;
    let issuer = Issuer::start(Trap::Says("500 Oh", String::new())).await;
    let (policy, clock) = (policy(&issuer, &origin, ", private: allow, refresh: 1m, stale: 10m"), Hand::at(NOW_S));
    let signer = Signer::new(Algorithm::EdDsa);
    let sent = asks(&signer.token(&good(&signer)));
    let (mut fetchers, mut hears) = fetchers(&clock);
    let keys = unfetched(&policy);
    fetchers.replace(&policy, &keys);
    let mut house = open_at(policy, keys, NoEngine, clock.clone()).await;
    assert!(soon(hears.recv()).await.unwrap().is_err());
    let answer = ask_once(house.at, &sent).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.to_ascii_lowercase().contains("retry-after"), "{answer}");
    assert_eq!(house.hears().await.code, "keys_unavailable");

    // They come, and stay for as long as they may.
    issuer.turns(jwks(&[&signer]));
    clock.0.fetch_add(2, Ordering::SeqCst);
    assert_eq!(soon(hears.recv()).await, Some(Ok(1)));
    assert!(ask_once(house.at, &sent).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(house.hears().await.code, "relayed");
    issuer.turns(Trap::Says("500 Oh", String::new()));
    clock.0.fetch_add(599, Ordering::SeqCst);
    assert!(ask_once(house.at, &sent).await.starts_with("HTTP/1.1 200 "));
    assert_eq!(house.hears().await.code, "relayed");
    clock.0.fetch_add(1, Ordering::SeqCst);
    assert!(ask_once(house.at, &sent).await.starts_with("HTTP/1.1 503 "));
    assert_eq!(house.hears().await.code, "keys_unavailable");
    assert_eq!(origin.requests().len(), 2);
}

/// Clients go on asking with old and new tokens while the issuer changes its keys: until the gate has the new one it says
/// 503, and never that a good token is none.
#[tokio::test]
async fn a_rotation_under_load_makes_no_good_token_a_bad_one() {
    let origin = Origin::start(Manner::Polite).await;
    let (old, new) = (Signer::new(Algorithm::EdDsa), Signer::new(Algorithm::Es256));
    let issuer = Issuer::start(jwks(&[&old])).await;
    let (policy, clock) = (policy(&issuer, &origin, PRIVATE), Hand::at(NOW_S));
    let (mut fetchers, mut hears) = fetchers(&clock);
    let keys = unfetched(&policy);
    fetchers.replace(&policy, &keys);
    let house = open_at(policy, keys, NoEngine, clock.clone()).await;
    assert_eq!(soon(hears.recv()).await, Some(Ok(1)));
    clock.0.fetch_add(90, Ordering::SeqCst); // the set is no longer fresh, and not due for long

    let done = Arc::new(AtomicBool::new(false));
    let mut clients = tokio::task::JoinSet::new();
    for index in 0..8 {
        let signer = if index % 2 == 0 { &old } else { &new };
        let (at, done) = (house.at, done.clone());
        let tokens: Vec<_> = (0..50)
            .map(|number| {
                let mut claims = good(signer);
                claims["jti"] = format!("{index}-{number}").into();
                asks(&signer.token(&claims))
            })
            .collect();
        clients.spawn(async move {
            let mut client = connect(at).await;
            let (mut answers, mut turn) = (std::collections::BTreeMap::<String, usize>::new(), 0);
            while !done.load(Ordering::SeqCst) || turn < 100 {
                let answer = ask(&mut client, &tokens[turn % tokens.len()]).await;
                *answers.entry(answer[9..12].to_owned()).or_default() += 1;
                turn += 1;
            }
            let last = ask(&mut client, &tokens[0]).await;
            (index, answers, last[9..12].to_owned())
        });
    }
    issuer.turns(jwks(&[&old, &new]));
    assert_eq!(soon(hears.recv()).await, Some(Ok(2)), "a token with an unknown key asks for the set");
    done.store(true, Ordering::SeqCst);
    while let Some(client) = soon(clients.join_next()).await {
        let (index, answers, last) = client.unwrap();
        assert!(
            answers.keys().all(|status| status == "200" || (index % 2 == 1 && status == "503")),
            "{index}: {answers:?}"
        );
        assert_eq!(last, "200", "{index}");
    }
    assert_eq!(issuer.asked(), 2, "however many asked for it");

    // What the issuer takes out of its set ends, with what was believed by it.
    issuer.turns(jwks(&[&new]));
    clock.0.fetch_add(900, Ordering::SeqCst);
    assert_eq!(soon(hears.recv()).await, Some(Ok(1)));
    let answer = ask_once(house.at, &asks(&old.token(&good(&old)))).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

/// A reload with the same issuer finds its keys where they were; with another one it does not take them for its own.
#[tokio::test]
async fn a_reload_keeps_what_was_fetched() {
    let origin = Origin::start(Manner::Polite).await;
    let signer = Signer::new(Algorithm::EdDsa);
    let issuer = Issuer::start(jwks(&[&signer])).await;
    let (before, clock) = (policy(&issuer, &origin, PRIVATE), Hand::at(NOW_S));
    let (mut fetchers, mut hears) = fetchers(&clock);
    fetchers.replace(&before, &unfetched(&before));
    assert_eq!(soon(hears.recv()).await, Some(Ok(1)));
    issuer.turns(Trap::Says("500 Oh", String::new()));

    let count = |keys: &Keys| keys.issuers().ring("idp").unwrap().keys().keys().len();
    let slower = policy(&issuer, &origin, ", private: allow, refresh: 2h");
    let kept = fetchers.share(&slower, &unfetched(&slower));
    assert_eq!(count(&kept), 1);
    fetchers.replace(&slower, &kept);
    let elsewhere = Issuer::start(Trap::Redirects).await;
    let moved = policy(&elsewhere, &origin, PRIVATE);
    assert_eq!(count(&fetchers.share(&moved, &unfetched(&moved))), 0);
}
