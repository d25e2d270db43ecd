//! Keys and certificates that vendors publish, from the request that names them to the answer: fetched beside the traffic from
//! where the sender's entry pins them, in front of a vendor that does what a broken cloud or an attacker would do.

use super::{
    issuers::{Ears, Hears, Issuer, Trap, fetchers, jwks, unfetched},
    support::*,
    tokens::{Hand, compiled},
};
use crate::tokens::mint::Signer;
use hookwarden::{
    edge::{PingoraOutbound, install_crypto},
    keys::Fetchers,
    outbound::{Deadlines, Failure, Outbound, Request, Resolver, Response, Target},
    policy::IssuerKeys,
    spool::{Settings, Spool},
    verify::jwt::Algorithm,
};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};
use std::{
    fs, io,
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_rustls::TlsAcceptor;

const NOW_S: i64 = crate::tokens::NOW_S;

/// Status, and the code of the log.
async fn told(house: &mut House, request: &str) -> (String, &'static str) {
    let answer = ask_once(house.at, request).await;
    let status = answer.get(9..12).unwrap_or_default().to_owned();
    assert_eq!(status == "503", answer.to_ascii_lowercase().contains("retry-after:"), "{answer}");
    (status, house.hears().await.code)
}

fn spool(clock: Arc<Hand>) -> (Spool, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { folder: folder.path().join("spool"), bytes: 64 << 20, free: 0 };
    (Spool::open(settings, clock).unwrap().0, folder)
}

fn is(told: &(String, &'static str), status: &str, code: &str) -> bool {
    told.0 == status && told.1 == code
}

// --- a set of keys, as Google's

const PUSHER: &str = "push@shop.iam.gserviceaccount.com";

fn push(signer: &Signer, audience: &str) -> String {
    let token = signer.token(&json!({
        "iss": "https://accounts.google.com", "aud": audience, "sub": "1", "email": PUSHER, "email_verified": true,
        "iat": NOW_S - 10, "exp": NOW_S + 3600,
    }));
    let body = r#"{"message":{"data":"aGk=","messageId":"1"},"subscription":"projects/a/subscriptions/b"}"#;
    format!(
        "POST /push HTTP/1.1\r\nHost: shop.test\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn googles_keys_are_fetched_and_a_newer_one_is_waited_for() {
    let origin = Origin::start(Manner::Polite).await;
    let (old, mut new, mut strange) =
        (Signer::new(Algorithm::Rs256), Signer::new(Algorithm::Rs256), Signer::new(Algorithm::Rs256));
    (new.id, strange.id) = ("newer", "strange");
    let google = Issuer::start(Trap::Says("500 Oh", String::new())).await;
    let text = format!(
        "listeners: [{{ on: '127.0.0.1:0' }}]\nsecret: env:OWN\nroutes:\n  push:\n    at: {{ path: /push }}\n    sender: {{ provider: \
         google-pubsub, config: {{ audience: shop, email: {PUSHER} }} }}\n    limits: {{ per_address: 1000/s }}\n    repeats: {{ \
         protection: impossible }}\n    deliver: {{ via: relay }}\n"
    );
    let mut policy = compiled(&text, origin.address);
    let mut sets = 0;
    for issuer in &mut policy.issuers {
        if let IssuerKeys::Jwks(jwks) = &mut issuer.keys {
            assert_eq!(jwks.url, "https://www.googleapis.com/oauth2/v3/certs");
            (jwks.url, jwks.private, sets) = (format!("http://{}/oauth2/v3/certs", google.at), true, sets + 1);
        }
    }
    assert_eq!(sets, 1, "the keys of the entry are those of an issuer");
    let clock = Hand::at(NOW_S);
    let (mut fetchers, mut hears) = fetchers(&clock);
    let keys = unfetched(&policy);
    fetchers.replace(&policy, &keys);
    let (engine, _spool) = spool(clock.clone());
    let mut house = open_at(policy, keys, engine, clock.clone()).await;
    assert!(soon(hears.recv()).await.unwrap().is_err());
    let heard = told(&mut house, &push(&old, "shop")).await;
    assert!(is(&heard, "503", "keys_unavailable"), "{heard:?}");

    google.turns(jwks(&[&old]));
    clock.0.fetch_add(2, Ordering::SeqCst);
    assert_eq!(soon(hears.recv()).await, Some(Ok(1)));
    let heard = told(&mut house, &push(&old, "shop")).await;
    assert!(is(&heard, "200", "relayed") || is(&heard, "204", "relayed"), "{heard:?}");
    let heard = told(&mut house, &push(&old, "others")).await;
    assert_eq!(heard.0, "401", "{heard:?}");

    // It is fresh: nobody is asked, however many tokens name keys that are not in it.
    let asked = google.asked();
    for _ in 0..5 {
        assert_eq!(told(&mut house, &push(&strange, "shop")).await.0, "401");
    }
    // It is not any more, and Google has a new one.
    clock.0.fetch_add(90, Ordering::SeqCst);
    google.turns(jwks(&[&old, &new]));
    let heard = told(&mut house, &push(&new, "shop")).await;
    assert!(is(&heard, "503", "key_pending"), "{heard:?}");
    assert_eq!(soon(hears.recv()).await, Some(Ok(2)));
    assert_eq!(told(&mut house, &push(&new, "shop")).await.1, "relayed");
    assert_eq!(told(&mut house, &push(&old, "shop")).await.1, "relayed", "both hold while both are there");
    assert_eq!(google.asked(), asked + 1);
    assert_eq!(origin.requests().len(), 3);
}

// --- certificates, as those of SNS

const SNS: &str = "sns.us-east-1.amazonaws.com";
const PAYPAL: &str = "api.paypal.com";

/// A server with a certificate for these names, on an address that nobody outside this test can reach.
struct Vendor {
    at: SocketAddr,
    trap: Arc<Mutex<Trap>>,
    asked: Arc<Mutex<Vec<String>>>,
    knocks: Arc<AtomicUsize>,
    authority: tempfile::NamedTempFile,
}

impl Vendor {
    async fn start(names: &[&str], trap: Trap) -> Self {
        install_crypto().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let authority = tempfile::NamedTempFile::new().unwrap();
        fs::write(authority.path(), certificate.pem()).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        let (acceptor, listener) =
            (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let vendor = Self {
            at: listener.local_addr().unwrap(),
            trap: Arc::new(Mutex::new(trap)),
            asked: Arc::default(),
            knocks: Arc::default(),
            authority,
        };
        let (trap, asked, knocks) = (vendor.trap.clone(), vendor.asked.clone(), vendor.knocks.clone());
        tokio::spawn(async move {
            while let Ok((tcp, _)) = listener.accept().await {
                knocks.fetch_add(1, Ordering::SeqCst);
                let (acceptor, trap, asked) = (acceptor.clone(), trap.clone(), asked.clone());
                tokio::spawn(async move {
                    let Ok(mut tls) = acceptor.accept(tcp).await else { return };
                    let Some(request) = read_message(&mut tls).await else { return };
                    asked.lock().unwrap().push(request);
                    let trap = trap.lock().unwrap().clone();
                    trap.answers(tls, Arc::default()).await;
                });
            }
        });
        vendor
    }
}

/// All of the internet that there is: each of its addresses is this vendor's server.
struct Internet {
    outbound: PingoraOutbound,
    at: SocketAddr,
    asked: Arc<Mutex<Vec<SocketAddr>>>,
}

impl Outbound for Internet {
    async fn send(
        &self,
        target: &Target,
        request: Request,
        deadlines: &Deadlines,
        most: usize,
    ) -> Result<Response, Failure> {
        self.asked.lock().unwrap().push(target.address);
        let here = Target { address: self.at, ..target.clone() };
        self.outbound.send(&here, request, deadlines, most).await
    }
}

/// To where every name leads.
struct Leads(&'static str);

impl Resolver for Leads {
    async fn resolve(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![SocketAddr::new(self.0.parse().unwrap(), port)])
    }
}

/// One of the recorded requests of the vendors, and the certificate that it names.
fn recorded(id: &str, target: &str) -> (String, String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/senders.jsonl");
    let lines = fs::read_to_string(file).unwrap();
    let mut vectors = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    let vector: Value = vectors.find(|vector: &Value| vector["id"] == id).unwrap();
    let body = data_encoding::BASE64.decode(vector["body_base64"].as_str().unwrap().as_bytes()).unwrap();
    let fields = vector["headers"].as_object().unwrap().iter();
    let fields: String = fields.map(|(name, value)| format!("{name}: {}\r\n", value.as_str().unwrap())).collect();
    let head = format!("POST {target} HTTP/1.1\r\nHost: hooks.example.com\r\n{fields}Content-Length: {}", body.len());
    let certificate = vector["public_keys"][0].as_str().unwrap().to_owned();
    (format!("{head}\r\n\r\n{}", String::from_utf8(body).unwrap()), certificate)
}

const POLICY: &str = "
listeners: [{ on: '127.0.0.1:0' }]
secret: env:OWN
routes:
  sns:
    at: { path: /sns }
    sender: { provider: aws-sns, config: { topic_arns: 'arn:aws:sns:us-west-2:123456789012:MyTopic' } }
    repeats: { remember: 552h }
    deliver: { via: relay }
  paypal:
    at: { path: /paypal }
    sender: { provider: paypal, config: { webhook_id: 8PT597110X687430LKGECATA, accept: crc32 } }
    repeats: { remember: 72h }
    deliver: { via: relay }
";

/// A gate, the vendor that it asks, and what it hears of that.
struct World {
    house: House,
    origin: Origin,
    vendor: Vendor,
    hears: Hears,
    clock: Arc<Hand>,
    /// Addresses that were asked.
    asked: Arc<Mutex<Vec<SocketAddr>>>,
    _fetchers: Fetchers<Internet, Leads>,
    _spool: tempfile::TempDir,
}

impl World {
    async fn of(names: &[&str], trap: Trap, leads: &'static str) -> Self {
        let (vendor, origin) = (Vendor::start(names, trap).await, Origin::start(Manner::Polite).await);
        let (policy, clock, asked) = (compiled(POLICY, origin.address), Hand::at(NOW_S), Arc::default());
        let (tell, hears) = mpsc::unbounded_channel();
        let authority = vendor.authority.path().to_str().unwrap().to_owned();
        let outbound = PingoraOutbound::new(4, Some(authority));
        let internet = Internet { outbound, at: vendor.at, asked: Arc::clone(&asked) };
        let mut fetchers = Fetchers::new(internet, Leads(leads), clock.clone(), Arc::new(Ears(tell)));
        let keys = unfetched(&policy);
        fetchers.replace(&policy, &keys);
        let (engine, spool) = spool(clock.clone());
        let house = open_at(policy, keys, engine, clock.clone()).await;
        Self { house, origin, vendor, hears, clock, asked, _fetchers: fetchers, _spool: spool }
    }

    async fn told(&mut self, request: &str) -> (String, &'static str) {
        told(&mut self.house, request).await
    }

    async fn hears(&mut self) -> Result<usize, String> {
        soon(self.hears.recv()).await.unwrap()
    }

    fn knocks(&self) -> usize {
        self.vendor.knocks.load(Ordering::SeqCst)
    }
}

fn says(pem: &str) -> Trap {
    Trap::Says("200 OK", pem.to_owned())
}

#[tokio::test]
async fn a_certificate_is_fetched_once_and_a_newer_one_when_it_is_named() {
    let (message, pem) = recorded("aws_sns.aws_sns/valid_v1", "/sns");
    let mut world = World::of(&[SNS], says(&pem), "52.94.0.1").await;
    for _ in 0..3 {
        let heard = world.told(&message).await;
        assert!(is(&heard, "503", "key_pending") || is(&heard, "200", "relayed"), "{heard:?}");
    }
    assert_eq!(world.hears().await, Ok(1));
    let heard = world.told(&message).await;
    assert!(heard.0 == "200" && ["relayed", "repeat"].contains(&heard.1), "{heard:?}");
    assert_eq!(world.vendor.asked.lock().unwrap().len(), 1, "however many came meanwhile");
    let asked = world.vendor.asked.lock().unwrap()[0].to_ascii_lowercase();
    assert!(asked.starts_with("get /simplenotificationservice-0123456789abcdef.pem http/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: {SNS}\r\n")) && !asked.contains("authorization"), "{asked}");
    assert_eq!(world.asked.lock().unwrap().as_slice(), ["52.94.0.1:443".parse().unwrap()]);
    // Where a certificate is, nobody signs.
    let newer = message.replace("0123456789abcdef.pem", "fedcba9876543210.pem");
    assert_eq!(told(&mut world.house, &newer).await.1, "key_pending");
    assert_eq!(world.hears().await, Ok(1));
    for (known, code) in [(&newer, "repeat_changed"), (&message, "repeat")] {
        assert_eq!(world.told(known).await.1, code, "it is believed, and has come before");
    }
    assert_eq!(world.origin.requests().len(), 1);
}

#[tokio::test]
async fn what_is_no_certificate_is_none_and_is_asked_for_again_later() {
    let (message, pem) = recorded("aws_sns.aws_sns/valid_v1", "/sns");
    for (trap, why) in [
        (Trap::Redirects, "status 302"),
        (Trap::Says("500 Oh", pem.clone()), "status 500"),
        (says("<html>"), "is no certificate"),
        (says(""), "is no certificate"),
        (Trap::Floods, "is no certificate"),
        (Trap::Drips, "it did not answer"),
    ] {
        let mut world = World::of(&[SNS], trap, "52.94.0.1").await;
        assert!(is(&world.told(&message).await, "503", "key_pending"), "{why}");
        let heard = world.hears().await.unwrap_err();
        assert!(heard.contains(why), "{heard}");
        for _ in 0..3 {
            assert!(is(&world.told(&message).await, "503", "key_pending"), "{why}");
        }
        assert_eq!(world.knocks(), 1, "nothing was followed, and nobody asks again at once: {why}");
        assert!(world.origin.bytes().is_empty());
        *world.vendor.trap.lock().unwrap() = says(&pem);
        world.clock.0.fetch_add(31, Ordering::SeqCst);
        assert_eq!(world.told(&message).await.0, "503");
        assert_eq!(world.hears().await, Ok(1), "{why}");
        assert!(is(&world.told(&message).await, "200", "relayed"), "{why}");
    }
}

#[tokio::test]
async fn a_name_that_leads_into_this_house_is_not_asked() {
    let (message, pem) = recorded("aws_sns.aws_sns/valid_v1", "/sns");
    for leads in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"] {
        let mut world = World::of(&[SNS], says(&pem), leads).await;
        assert!(is(&world.told(&message).await, "503", "key_pending"), "{leads}");
        let heard = world.hears().await.unwrap_err();
        assert!(heard.contains("is not on the internet"), "{heard}");
        assert!(world.asked.lock().unwrap().is_empty() && world.knocks() == 0, "{leads}");
        assert!(is(&world.told(&message).await, "503", "key_pending"), "{leads}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_the_vendors_is_not_believed() {
    let (message, pem) = recorded("aws_sns.aws_sns/valid_v1", "/sns");
    let mut world = World::of(&["sns.us-east-1.amazonaws.com.evil.test"], says(&pem), "52.94.0.1").await;
    assert!(is(&world.told(&message).await, "503", "key_pending"));
    assert!(world.hears().await.unwrap_err().contains("it did not answer"));
    assert!(world.vendor.asked.lock().unwrap().is_empty() && world.origin.bytes().is_empty());
    // Nor is one asked that a message names by itself.
    for url in
        ["https://sns.us-east-1.amazonaws.com.evil.test/SimpleNotificationService-01.pem", "https://127.0.0.1/a.pem"]
    {
        let own = format!("https://{SNS}/SimpleNotificationService-0123456789abcdef.pem");
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        let (head, _) = head.rsplit_once("Content-Length: ").unwrap();
        assert!(body.contains(&own));
        let body = body.replace(&own, url);
        let other = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        assert!(is(&world.told(&other).await, "401", "signature_malformed"), "{url}");
    }
    assert_eq!(world.asked.lock().unwrap().len(), 1);
}

/// Anybody can have a certificate that says `PayPal`: an authority of this machine has to vouch for it.
#[tokio::test]
async fn paypals_certificate_is_not_believed_for_where_it_was() {
    let (message, pem) = recorded("paypal.paypal/valid", "/paypal");
    let mut world = World::of(&[PAYPAL], says(&pem), "64.4.250.36").await;
    assert!(is(&world.told(&message).await, "503", "key_pending"));
    assert!(world.hears().await.unwrap_err().contains("no authority of this machine vouches"));
    assert!(is(&world.told(&message).await, "503", "key_pending"));
    assert_eq!(world.knocks(), 1);
    assert!(world.origin.bytes().is_empty());
}
