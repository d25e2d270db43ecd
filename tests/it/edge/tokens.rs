//! Routes whose clients show a token: what reaches the origin, when, and what the client hears.

use super::support::*;
use crate::tokens::{World, attacks, claims, mint::Signer, set, with, without};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use hookwarden::{
    clock::{Clock, Timestamp},
    edge::{Engine, NoEngine},
    keys,
    policy::{Overrides, Policy, Source, TextFile, compile},
    spool::{Settings, Spool},
    verdict::TokenFlaw,
    verify::{Catalogue, Keys, jwt::Algorithm},
};
use serde_json::Value;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use tokio::io::AsyncWriteExt as _;

/// It is always as late as it is said to be.
pub(super) struct Hand(pub(super) AtomicI64);

impl Hand {
    pub(super) fn at(unix_s: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(unix_s)))
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_s(self.0.load(Ordering::SeqCst))
    }
}

const NOW_S: i64 = crate::tokens::NOW_S;
const POLICY: &str = "
listeners: [{ on: '127.0.0.1:0' }]
public_url: https://shop.example
secret: env:OWN
routes:
  orders-api:
    at: { rest: /shop/v1/orders }
    admit: { body: 1KiB }
    sender: { jwt: idp, scopes: [orders] }
    limits: { per_address: 100000/s, per_sender: 3/h }
    deliver: { via: relay }
  once: { at: { path: /once }, sender: { jwt: idp }, repeats: { jti: once }, deliver: { via: relay } }
  forwarded: { at: { path: /forwarded }, sender: { jwt: idp, forward: true }, deliver: { via: relay } }
  cookie: { at: { path: /cookie }, sender: { jwt: idp, cookie: session }, deliver: { via: relay } }
  cleaned:
    at: { path: /cleaned }
    sender: { jwt: idp }
    contract: { schema: schemas/order.json }
    redact: [{ at: /card, as: mask }]
    deliver: { via: relay }
  plugin: { at: { wc-api: paid }, sender: { provider: stripe, keys: k }, deliver: { via: relay } }
issuers:
  idp: { issuer: https://idp.example/, audience: shop, algorithms: [ALGORITHMS], from: env:SET }
keys: { k: [{ id: live, from: env:OWN }] }
identity: { sign: env:IDENTITY }
";

pub(super) fn compiled(text: &str, origin: SocketAddr) -> Policy {
    let mut source = Source::one("gate.yaml", text);
    let text = r#"{ "type": "object", "required": ["id"] }"#.to_owned();
    source.schemas.push(TextFile { name: "schemas/order.json".to_owned(), text });
    let overrides = Overrides { upstream: Some(format!("http://{origin}")), ..Overrides::default() };
    let compiled = compile(&source, &Catalogue::embedded(), &overrides, Timestamp::from_unix_s(NOW_S));
    compiled.unwrap_or_else(|report| panic!("{report}")).policy
}

/// The policy, and its keys, with the public ones of this world's issuer.
fn trusting(world: &World, origin: &Origin) -> (Policy, Keys) {
    let names: Vec<_> = world.terms.algorithms.iter().map(|algorithm| algorithm.name()).collect();
    let policy = compiled(&POLICY.replace("ALGORITHMS", &names.join(", ")), origin.address);
    let jwks = set(&world.signers.iter().map(Signer::jwk).collect::<Vec<_>>());
    let environment = |name: &str| match name {
        "SET" => Some(jwks.clone()),
        "IDENTITY" => Some(BASE64.encode(&[7; 32])),
        _ => Some("the gate's own, and nobody else's".to_owned()),
    };
    let (keys, _) = keys::load(&policy, &environment, Timestamp::from_unix_s(NOW_S)).unwrap();
    (policy, keys)
}

async fn gate<E: Engine>(world: &World, origin: &Origin, engine: E) -> House {
    let (policy, keys) = trusting(world, origin);
    open_at(policy, keys, engine, Hand::at(NOW_S)).await
}

fn spool(folder: &tempfile::TempDir) -> Spool {
    let settings = Settings { folder: folder.path().join("spool"), bytes: 64 << 20, free: 0 };
    Spool::open(settings, Hand::at(NOW_S)).unwrap().0
}

fn request(method: &str, target: &str, fields: &str, body: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: shop.test\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

fn field<'m>(message: &'m str, name: &str) -> Option<&'m str> {
    let head = message.split("\r\n\r\n").next().unwrap();
    let mut fields = head.split("\r\n").filter_map(|line| line.split_once(": "));
    fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

const ORDERS: &str = "/wp-json/shop/v1/orders";

/// CONTRACT.md threat 13 through the front door.
#[tokio::test]
async fn every_attack_is_refused_for_its_own_reason_and_reaches_nobody() {
    let (world, origin) = (World::new(), Origin::start(Manner::Polite).await);
    let mut house = gate(&world, &origin, NoEngine).await;
    let mut client = connect(house.at).await;
    let mut tried = 0;
    for (name, token, flaw) in attacks::all(&world) {
        // The doorway has its own word on what no field can hold; and a good token without its scope is no attack.
        let is_weak = flaw == TokenFlaw::Scope;
        if is_weak || token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) || token.len() > 10_000 {
            continue;
        }
        let answer = ask(&mut client, &request("POST", ORDERS, &bearer(&token), "")).await;
        let heard = house.hears().await;
        assert_eq!((heard.code, heard.route.as_deref()), (flaw.code(), Some("orders-api")), "{name}");
        assert!(answer.starts_with("HTTP/1.1 401 "), "{name}: {answer}");
        let asked = field(&answer, "www-authenticate");
        assert_eq!(asked, Some(r#"Bearer realm="orders-api", error="invalid_token""#), "{name}");
        assert!(!answer.contains(flaw.code()), "which check failed is nobody's business: {answer}");
        tried += 1;
    }
    assert!(tried > 100, "{tried}");
    assert_eq!(origin.bytes(), "");
}

/// RFC 6750 section 3.1.
#[tokio::test]
async fn what_a_client_hears_says_what_it_can_do() {
    let (world, origin) = (World::new(), Origin::start(Manner::Polite).await);
    let house = gate(&world, &origin, NoEngine).await;
    let token = world.token(Algorithm::Es256);
    let weak = world.signer(Algorithm::Es256).token(&with(claims(), "scope", "stock".into()));
    for (fields, status, challenge) in [
        (String::new(), "401", r#"Bearer realm="orders-api""#),
        ("Authorization: Basic YTpi\r\n".to_owned(), "401", r#"Bearer realm="orders-api""#),
        (bearer("a.b"), "401", r#"Bearer realm="orders-api", error="invalid_token""#),
        (bearer(&token).repeat(2), "400", r#"Bearer realm="orders-api", error="invalid_request""#),
        (bearer(&weak), "403", r#"Bearer realm="orders-api", error="insufficient_scope", scope="orders""#),
    ] {
        let answer = ask_once(house.at, &request("GET", ORDERS, &fields, "")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{fields}: {answer}");
        assert_eq!(field(&answer, "www-authenticate"), Some(challenge), "{fields}");
    }
    assert_eq!(origin.bytes(), "");
}

#[tokio::test]
async fn wordpress_hears_who_it_is_and_not_the_token() {
    let (world, origin) = (World::new(), Origin::start(Manner::Polite).await);
    let mut house = gate(&world, &origin, NoEngine).await;
    let token = world.token(Algorithm::EdDsa);
    let target = format!("{ORDERS}?page=2");
    let forged = format!("{}Hookwarden-Identity: forged\r\nhookwarden_identity: forged\r\n", bearer(&token));
    let answer = ask_once(house.at, &request("GET", &target, &forged, "")).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok"), "{answer}");
    assert_eq!(house.hears().await.code, "relayed");
    let received = origin.requests()[0].clone();
    assert!(!received.contains(&token) && !received.contains("forged"), "{received}");
    assert_eq!(field(&received, "authorization"), None);
    let mut parts = field(&received, "hookwarden-identity").unwrap().split('.');
    let claims = BASE64URL_NOPAD.decode(parts.nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_str(std::str::from_utf8(&claims).unwrap()).unwrap();
    let told = ["iss", "sub", "aud", "htm", "htu"].map(|name| claims[name].as_str().unwrap());
    assert_eq!(told, ["https://idp.example/", "user-1", "https://shop.example", "GET", target.as_str()]);
}

#[tokio::test]
async fn the_token_goes_on_where_the_policy_says_so_and_leaves_its_cookie_alone() {
    let (world, origin) = (World::new(), Origin::start(Manner::Polite).await);
    let house = gate(&world, &origin, NoEngine).await;
    let token = world.token(Algorithm::EdDsa);
    ask_once(house.at, &request("GET", "/forwarded", &bearer(&token), "")).await;
    let cookies = format!("Cookie: a=1; session={token}; b=2\r\nAuthorization: Basic YTpi\r\n");
    ask_once(house.at, &request("GET", "/cookie", &cookies, "")).await;
    let [forwarded, cookie] = <[String; 2]>::try_from(origin.requests()).unwrap();
    assert_eq!(field(&forwarded, "authorization"), Some(format!("Bearer {token}").as_str()));
    assert_eq!(field(&cookie, "cookie"), Some("a=1; b=2"));
    assert_eq!(field(&cookie, "authorization"), Some("Basic YTpi"), "WordPress's own");
    assert!(field(&cookie, "hookwarden-identity").is_some());
}

/// The origin has the first bytes before the client has sent the last ones.
#[tokio::test]
async fn a_body_of_which_nothing_is_asked_streams() {
    let (world, origin) = (World::new(), Origin::start(Manner::Polite).await);
    let mut house = gate(&world, &origin, NoEngine).await;
    let mut client = connect(house.at).await;
    let head = bearer(&world.token(Algorithm::Es384));
    let head = format!("POST {ORDERS} HTTP/1.1\r\nHost: a\r\n{head}Content-Length: 11\r\n\r\nfirst");
    client.write_all(head.as_bytes()).await.unwrap();
    until(|| origin.bytes().ends_with("first")).await;
    let answer = ask(&mut client, ", last").await;
    assert!(answer.ends_with("ok"), "{answer}");
    assert!(origin.requests()[0].ends_with("first, last"));
    assert_eq!(house.hears().await.code, "relayed");
}

#[tokio::test]
async fn what_streams_is_held_to_the_routes_length_and_to_no_other_route() {
    let (world, origin) = (World::new(), Origin::start(Manner::Polite).await);
    let mut house = gate(&world, &origin, NoEngine).await;
    let fields = bearer(&world.token(Algorithm::Es256));
    let long = "x".repeat(1025);
    let declared = ask_once(house.at, &request("POST", ORDERS, &fields, &long)).await;
    assert!(declared.starts_with("HTTP/1.1 413 "), "{declared}");
    assert_eq!(house.hears().await.code, "too_large");
    let chunked = format!(
        "POST {ORDERS} HTTP/1.1\r\nHost: a\r\n{fields}Transfer-Encoding: chunked\r\n\r\n401\r\n{long}\r\n0\r\n\r\n"
    );
    let answer = ask_once(house.at, &chunked).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(house.hears().await.code, "too_large");
    let form = format!("{fields}Content-Type: application/x-www-form-urlencoded\r\n");
    let answer = ask_once(house.at, &request("POST", ORDERS, &form, "a=b&wc-api=paid")).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert_eq!(house.hears().await.code, "guarded_in_form");
    assert!(origin.requests().is_empty(), "{:?}", origin.requests());
    assert!(!origin.bytes().contains("paid"));
}

#[tokio::test]
async fn a_websocket_does_not_open_behind_a_token() {
    let (world, origin) = (World::new(), Origin::start(Manner::Polite).await);
    let (mut policy, keys) = trusting(&world, &origin);
    policy.settings.origin.websocket = true;
    let house = open_at(policy, keys, NoEngine, Hand::at(NOW_S)).await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let fields = bearer(&world.token(Algorithm::Es256));
    let head = format!("GET {ORDERS} HTTP/1.1\r\nHost: a\r\n{fields}{upgrade}\r\n");
    ask_once(house.at, &head).await;
    let received = origin.requests()[0].to_ascii_lowercase();
    assert!(!received.contains("upgrade"), "{received}");
}

#[tokio::test]
async fn a_limit_is_its_subjects_own() {
    let (world, origin) = (World::new(), Origin::start(Manner::Polite).await);
    let house = gate(&world, &origin, NoEngine).await;
    let of = |subject: &str| {
        let token = world.signer(Algorithm::EdDsa).token(&with(claims(), "sub", subject.into()));
        request("GET", ORDERS, &bearer(&token), "")
    };
    let (one, other, bad) = (of("one"), of("other"), request("GET", ORDERS, &bearer("a.b.c"), ""));
    let mut answers = Vec::new();
    for sent in [&one, &bad, &bad, &bad, &bad, &one, &one, &one, &other] {
        answers.push(ask_once(house.at, sent).await[9..12].to_owned());
    }
    assert_eq!(answers, ["200", "401", "401", "401", "401", "200", "200", "429", "200"]);
}

#[tokio::test]
async fn a_token_that_is_good_once_is_taken_once() {
    let (world, origin) = (World::new(), Origin::start(Manner::Polite).await);
    let folder = tempfile::tempdir().unwrap();
    let spool = spool(&folder);
    let mut house = gate(&world, &origin, spool).await;
    let signer = world.signer(Algorithm::EdDsa);
    let once = request("POST", "/once", &bearer(&signer.token(&claims())), "{}");
    let (first, again) = tokio::join!(ask_once(house.at, &once), ask_once(house.at, &once));
    let mut answers = [first, again].map(|answer| answer[9..12].to_owned());
    answers.sort();
    assert_eq!(answers, ["200", "401"], "two at once");
    let mut codes = [house.hears().await.code, house.hears().await.code];
    codes.sort_unstable();
    assert_eq!(codes, ["relayed", "token_used"]);
    let late = ask_once(house.at, &once).await;
    assert_eq!(field(&late, "www-authenticate"), Some(r#"Bearer realm="once", error="invalid_token""#));
    let unnamed = request("POST", "/once", &bearer(&signer.token(&without(claims(), "jti"))), "{}");
    assert!(ask_once(house.at, &unnamed).await.starts_with("HTTP/1.1 401 "));
    assert_eq!(origin.requests().len(), 1);
    let other = request("POST", "/once", &bearer(&signer.token(&with(claims(), "jti", "token-2".into()))), "{}");
    assert!(ask_once(house.at, &other).await.starts_with("HTTP/1.1 200 "));
}

/// What failed at the origin burns nothing: the client may come again with the same token.
#[tokio::test]
async fn a_token_is_not_used_up_by_what_went_wrong() {
    let (world, origin) =
        (World::new(), Origin::start(Manner::Says("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")).await);
    let folder = tempfile::tempdir().unwrap();
    let spool = spool(&folder);
    let house = gate(&world, &origin, spool).await;
    let once = request("POST", "/once", &bearer(&world.token(Algorithm::EdDsa)), "{}");
    for _ in 0..2 {
        assert!(ask_once(house.at, &once).await.starts_with("HTTP/1.1 500 "));
    }
    assert_eq!(origin.requests().len(), 2);
}

#[tokio::test]
async fn a_body_of_which_something_is_asked_is_read_first() {
    let (world, origin) = (
        World::new(),
        Origin::start(Manner::Says("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n")).await,
    );
    let folder = tempfile::tempdir().unwrap();
    let mut house = gate(&world, &origin, spool(&folder)).await;
    let fields = format!("{}Content-Type: application/json\r\n", bearer(&world.token(Algorithm::EdDsa)));
    let answer = ask_once(house.at, &request("POST", "/cleaned", &fields, "{}")).await;
    assert!(answer.starts_with("HTTP/1.1 422 "), "{answer}");
    assert_eq!(house.hears().await.code, "contract_broken");
    let sent = request("POST", "/cleaned", &fields, r#"{"id":1,"card":"4242"}"#);
    let answer = ask_once(house.at, &sent).await;
    assert!(answer.starts_with("HTTP/1.1 302 "), "an API may redirect: {answer}");
    let [received] = <[String; 1]>::try_from(origin.requests()).unwrap();
    assert!(received.ends_with(r#"{"id":1,"card":"[masked]"}"#), "{received}");
    assert!(field(&received, "hookwarden-identity").is_some() && field(&received, "authorization").is_none());
}
