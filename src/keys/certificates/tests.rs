//! With an authority of our own, and a network that notes what it is asked.

use super::*;
use crate::outbound::{Deadlines, Failure, Request, Response, Target};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use std::{io, net::SocketAddr, sync::Mutex};

struct Answers {
    status: StatusCode,
    body: Vec<u8>,
    sent: Mutex<Vec<(Target, Request)>>,
}

impl Outbound for Answers {
    async fn send(&self, target: &Target, request: Request, _: &Deadlines, most: usize) -> Result<Response, Failure> {
        assert_eq!(most, CHAIN_MAX_BYTES + 1);
        self.sent.lock().unwrap().push((target.clone(), request));
        let body = Bytes::from(self.body.iter().take(most).copied().collect::<Vec<_>>());
        Ok(Response { status: self.status, headers: HeaderMap::new(), body })
    }
}

struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

struct At(&'static str);

impl Resolver for At {
    async fn resolve(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(vec![SocketAddr::new(self.0.parse().unwrap(), port)])
    }
}

fn answers(status: StatusCode, body: &[u8]) -> Answers {
    Answers { status, body: body.to_vec(), sent: Mutex::default() }
}

const URL: &str = "https://sns.eu-west-1.amazonaws.com/a.pem";

fn ask() -> Ask {
    Ask { url: URL.to_owned(), name: None }
}

fn own() -> String {
    rcgen::generate_simple_self_signed(["sns.amazonaws.com".to_owned()]).unwrap().cert.pem()
}

#[tokio::test]
async fn a_pinned_url_is_asked_at_an_address_of_the_internet() {
    let (pem, now) = (own(), Timestamp::from_unix_s(1_760_000_000));
    let there = answers(StatusCode::OK, pem.as_bytes());
    assert_eq!(fetch(&there, &At("1.1.1.1"), &ask(), now).await.unwrap(), pem);
    let sent = there.sent.into_inner().unwrap();
    let [(target, request)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(target.tls_name.as_deref(), Some("sns.eu-west-1.amazonaws.com"));
    assert_eq!((target.address.port(), request.path.as_str()), (443, "/a.pem"));
    for private in ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"] {
        let trap = answers(StatusCode::OK, pem.as_bytes());
        let fetched = fetch(&trap, &At(private), &ask(), now).await;
        assert!(matches!(fetched, Err(FetchError::NotPublic(_))), "{private}");
        assert!(trap.sent.into_inner().unwrap().is_empty(), "{private} was asked");
    }
}

#[tokio::test]
async fn a_redirect_and_too_much_are_no_certificate() {
    let now = Timestamp::from_unix_s(1_760_000_000);
    for status in [StatusCode::FOUND, StatusCode::NOT_FOUND] {
        let fetched = fetch(&answers(status, own().as_bytes()), &At("1.1.1.1"), &ask(), now).await;
        assert!(matches!(fetched, Err(FetchError::Status(_))), "{status}");
    }
    let long = [own().into_bytes(), vec![b'\n'; CHAIN_MAX_BYTES]].concat();
    for body in [long, vec![0xff; 10]] {
        let fetched = fetch(&answers(StatusCode::OK, &body), &At("1.1.1.1"), &ask(), now).await;
        assert!(matches!(fetched, Err(FetchError::Certificate)));
    }
}

#[tokio::test]
async fn a_name_has_to_be_vouched_for() {
    let now = Timestamp::from_unix_s(1_760_000_000);
    let ask = Ask { url: URL.to_owned(), name: Some("sns.amazonaws.com".to_owned()) };
    let fetched = fetch(&answers(StatusCode::OK, own().as_bytes()), &At("1.1.1.1"), &ask, now).await;
    assert!(matches!(fetched, Err(FetchError::Chain)), "its own word is none");
}

#[test]
fn an_authority_vouches_for_one_name_in_its_time() {
    let authority_key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(vec!["messageverificationcerts.paypal.com".to_owned()]).unwrap();
    (leaf.not_before, leaf.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2030, 1, 1));
    let chain = [leaf.signed_by(&key, &issuer).unwrap().der().to_vec(), authority.der().to_vec()];
    let store = || {
        let mut store = RootCertStore::empty();
        store.add(authority.der().clone()).unwrap();
        store
    };
    let now = Timestamp::from_unix_s(1_760_000_000);
    let name = "messageverificationcerts.paypal.com";
    assert!(is_vouched_for(&chain, name, now, store()));
    assert!(!is_vouched_for(&chain, "messageverificationcerts.paypal.com.evil.test", now, store()));
    assert!(!is_vouched_for(&chain, name, Timestamp::from_unix_s(2_000_000_000), store()), "it has ended");
    assert!(!is_vouched_for(&chain, name, now, RootCertStore::empty()), "nobody's");
    assert!(!is_vouched_for(&[], name, now, store()));
}

#[tokio::test]
async fn what_is_wanted_is_fetched_and_told() {
    let certificates = Certificates::default();
    let clock = Still(Timestamp::from_unix_s(1_760_000_000));
    let there = answers(StatusCode::OK, own().as_bytes());
    assert!(fetch_wanted(&there, &At("1.1.1.1"), &clock, &certificates).await.is_none(), "nothing is wanted");
}
