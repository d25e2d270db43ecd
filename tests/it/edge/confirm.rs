//! The vendor's own word, over real sockets: in front of a stand-in of its API, and an origin that no forged id may reach.

use super::support::*;
use hookwarden::{
    clock::{Clock as _, SystemClock},
    policy::{Overrides, Source, TextFile, compile},
    secret::Secret,
    spool::{Settings, Spool},
    verify::{Catalogue, Key, Keys},
};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{io::AsyncWriteExt as _, net::TcpListener};

/// What the API says, by the last part of the path; anything else is 404.
const PAYMENTS: &[(&str, &str, &str)] = &[
    ("tr_paid", "200 OK", r#"{"id":"tr_paid","status":"paid"}"#),
    ("tr_open", "200 OK", r#"{"id":"tr_open","status":"open"}"#),
    ("tr_other", "200 OK", r#"{"id":"tr_paid","status":"paid"}"#),
    ("tr_broken", "500 Internal Server Error", ""),
    ("tr_moved", "302 Found", ""),
    ("tr_denied", "401 Unauthorized", ""),
    ("tr_text", "200 OK", "paid"),
];

struct Api {
    at: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Api {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = Self { at: listener.local_addr().unwrap(), asked: Arc::default() };
        let asked = api.asked.clone();
        tokio::spawn(async move {
            while let Ok((mut tcp, _)) = listener.accept().await {
                let asked = asked.clone();
                tokio::spawn(async move {
                    while let Some(request) = read_message(&mut tcp).await {
                        let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
                        asked.lock().unwrap().push(request);
                        let id = path.rsplit('/').next().unwrap_or_default();
                        if id == "tr_silent" {
                            continue;
                        }
                        let known = PAYMENTS.iter().find(|(known, ..)| *known == id);
                        let (status, body) = known.map_or(("404 Not Found", ""), |(_, status, body)| (*status, *body));
                        let length = body.len();
                        let answer = format!(
                            "HTTP/1.1 {status}\r\nLocation: /v2/payments/tr_paid\r\nContent-Length: {length}\r\n\r\n{body}"
                        );
                        tcp.write_all(answer.as_bytes()).await.unwrap_or_default();
                    }
                });
            }
        });
        api
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// A gate in front of this origin that asks this API. Mollie's entry under another name, for it is no public address.
async fn gate(api: SocketAddr, origin: SocketAddr, deliver: &str, private: &str) -> (House, tempfile::TempDir) {
    let catalogue = Catalogue::embedded();
    let entry = &catalogue.find("mollie-classic").unwrap().text;
    let entry = entry
        .replace("name: mollie-classic\naliases: [mollie_classic]", "name: stand-in")
        .replace("https://api.mollie.com", &format!("http://{api}"))
        .replace("same: /id }", &format!("same: /id{private} }}"))
        .replace("answer_by: 14s", "answer_by: 4s");
    let text = format!(
        "listeners: [{{ on: '127.0.0.1:0' }}]\norigin: {{ url: 'http://{origin}' }}\nroutes:\n  payments:\n    at: {{ path: \
         /hooks/mollie }}\n    sender:\n      provider: stand-in\n      accept: unsigned\n      addresses: [127.0.0.1]\n      \
         confirm: {{ key: api, members: {{ /status: [paid, refunded] }} }}\n    repeats: {{ protection: impossible }}\n    \
         deliver: {deliver}\nkeys: {{ api: [{{ id: live, from: env:API }}] }}\n\
         destinations: {{ wordpress: {{ url: 'http://127.0.0.1:9/events' }} }}\n"
    );
    let mut source = Source::one("gate.yaml", &text);
    source.providers = vec![TextFile { name: "providers/stand-in.yaml".to_owned(), text: entry }];
    let compiled = compile(&source, &catalogue, &Overrides::default(), SystemClock.now());
    let mut policy = compiled.unwrap_or_else(|report| panic!("{report}")).policy;
    policy.settings.limits.body_idle = ms(500);
    let webhook = policy.routes[0].sender.webhook().unwrap();
    let keys: Vec<_> = webhook.each_keys().cloned().collect();
    assert_eq!(keys, ["api/confirm_key"]);
    let key =
        Key { id: "live".into(), secret: Secret::new("test_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM").unwrap(), retire: None };
    let keys = Keys::new(Secret::new("memory").unwrap(), BTreeMap::from([("api/confirm_key".to_owned(), vec![key])]));
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { folder: folder.path().join("spool"), bytes: 64 << 20, free: 0 };
    let (spool, _) = Spool::open(settings, Arc::new(SystemClock)).unwrap();
    (open(policy, keys, spool).await, folder)
}

const ALLOWED: &str = ", private: allow";
const RELAY: &str = "{ via: relay }";
const QUEUE: &str = "{ via: queue, to: [wordpress] }";

fn post(id: &str) -> String {
    let body = format!("id={id}");
    let (form, length) = ("application/x-www-form-urlencoded", body.len());
    format!(
        "POST /hooks/mollie HTTP/1.1\r\nHost: shop.test\r\nContent-Type: {form}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

async fn told(house: &mut House, id: &str) -> (String, &'static str) {
    let answer = ask_once(house.at, &post(id)).await;
    let status = answer.split(' ').nth(1).unwrap_or_default().to_owned();
    (status, house.hears().await.code)
}

#[tokio::test]
async fn what_the_vendor_knows_goes_on_and_is_asked_about_with_the_key() {
    let (api, origin) = (Api::start().await, Origin::start(Manner::Polite).await);
    let (mut house, _folder) = gate(api.at, origin.address, RELAY, ALLOWED).await;
    assert_eq!(told(&mut house, "tr_paid").await, ("200".to_owned(), "relayed"));
    let asked = api.asked();
    assert_eq!(asked.len(), 1);
    assert!(asked[0].starts_with("GET /v2/payments/tr_paid HTTP/1.1\r\n"), "{}", asked[0]);
    let lower = asked[0].to_ascii_lowercase();
    assert!(lower.contains("authorization: bearer test_dhar4xy7lxsdotmnkvtjnvwxlslxsm"), "{lower}");
    assert!(lower.contains(&format!("host: {}", api.at)), "{lower}");
    assert_eq!(origin.requests().len(), 1);
    assert!(
        origin.requests()[0].ends_with("id=tr_paid") && !origin.bytes().contains("test_dHar"),
        "{}",
        origin.bytes()
    );
}

/// 401 to whoever forges, so that it looks like a bad signature; 503 where the vendor did not say, so that it comes again.
#[tokio::test]
async fn a_forged_id_reaches_nobody() {
    let (api, origin) = (Api::start().await, Origin::start(Manner::Polite).await);
    let (mut relay, _one) = gate(api.at, origin.address, RELAY, ALLOWED).await;
    let (mut queue, _two) = gate(api.at, origin.address, QUEUE, ALLOWED).await;
    for house in [&mut relay, &mut queue] {
        for (id, status, code) in [
            ("tr_forged", "401", "unconfirmed"),
            ("tr_other", "401", "unconfirmed"),
            ("tr_open", "422", "state_refused"),
            ("tr_broken", "503", "unconfirmable"),
            ("tr_moved", "503", "unconfirmable"),
            ("tr_denied", "503", "unconfirmable"),
            ("tr_text", "503", "unconfirmable"),
            ("tr_silent", "503", "unconfirmable"),
        ] {
            assert_eq!(told(house, id).await, (status.to_owned(), code), "{id}");
        }
        let asked = api.asked().len();
        for id in ["", "ord_1", "tr_1/../tr_paid", "tr_1&id=tr_paid"] {
            assert_eq!(told(house, id).await, ("401".to_owned(), "reference_refused"), "{id}");
        }
        assert_eq!(api.asked().len(), asked, "the vendor is asked about its own ids alone");
    }
    assert!(origin.bytes().is_empty(), "{}", origin.bytes());
    assert_eq!(told(&mut queue, "tr_paid").await, ("200".to_owned(), "accepted"), "and what it knows is kept");
}

/// An address in an entry must not lead into the gate's own network; a name that does is not asked, as `edge::vendor` shows.
#[test]
fn an_address_that_the_internet_does_not_reach_is_no_entry() {
    let entry = Catalogue::embedded().find("mollie-classic").unwrap().text.clone();
    for (site, why) in [
        ("http://127.0.0.1:8080", "no host of the internet"),
        ("https://127.0.0.1:8443", "no host of the internet"),
        ("https://localhost", "no host of the internet"),
        ("https://169.254.169.254", "no host of the internet"),
        ("http://api.vendor.example", "a key would cross the network"),
    ] {
        let text = entry.replace("https://api.mollie.com", site);
        let wrong = hookwarden::verify::Provider::from_yaml(&text).expect_err(site);
        assert!(wrong.iter().any(|mistake| mistake.message.contains(why)), "{site}: {wrong:?}");
    }
}
