//! With names that lead elsewhere a moment later.

use super::*;
use crate::outbound::{Response, Target};
use std::{
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Notes where it is sent to.
#[derive(Default)]
struct Sent(Mutex<Vec<(Target, Request)>>);

impl Outbound for Sent {
    async fn send(&self, target: &Target, request: Request, _: &Deadlines, most: usize) -> Result<Response, Failure> {
        assert!(most <= SET_MAX_BYTES + 1, "{most}");
        self.0.lock().unwrap().push((target.clone(), request));
        Ok(Response { status: StatusCode::OK, headers: HeaderMap::new(), body: Bytes::new() })
    }
}

/// The first time this, then that.
struct Rebinds(Vec<&'static str>, AtomicUsize);

impl Resolver for Rebinds {
    async fn resolve(&self, _: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let turn = self.1.fetch_add(1, Ordering::SeqCst);
        let now = self.0[turn.min(self.0.len() - 1)];
        Ok(now.split(' ').filter(|text| !text.is_empty()).map(|text| (text, port)).map(address).collect())
    }
}

fn address((text, port): (&str, u16)) -> SocketAddr {
    SocketAddr::new(text.parse().unwrap(), port)
}

async fn asked(url: &str, private: bool, names: &[&'static str]) -> (Vec<(Target, Request)>, FetchError) {
    let jwks = Jwks { url: url.into(), private, refresh: Duration::from_mins(15), stale: Duration::from_hours(24) };
    let (sent, names) = (Sent::default(), Rebinds(names.to_vec(), AtomicUsize::new(0)));
    let why = fetch(&sent, &names, &jwks, &[Algorithm::Rs256], Timestamp::default()).await.err().unwrap();
    assert!(names.1.load(Ordering::SeqCst) <= 1, "one answer is looked at and used");
    (sent.0.into_inner().unwrap(), why)
}

#[tokio::test]
async fn the_address_that_was_looked_at_is_the_one_that_is_asked() {
    let (sent, _) = asked("https://idp.example:8443/a?b=c", false, &["1.1.1.1", "127.0.0.1"]).await;
    let [(target, request)] = sent.as_slice() else { panic!("{sent:?}") };
    let wanted = Target { address: address(("1.1.1.1", 8443)), tls_name: Some("idp.example".into()) };
    assert_eq!((target, request.path.as_str()), (&wanted, "/a?b=c"));
    assert_eq!(request.headers[header::HOST], "idp.example:8443");
}

#[tokio::test]
async fn a_name_of_this_house_is_not_asked_unless_that_is_meant() {
    for name in ["127.0.0.1", "169.254.169.254", "10.0.0.1 ::1", "::ffff:10.0.0.1"] {
        let (sent, why) = asked("https://idp.example/", false, &[name]).await;
        assert!(sent.is_empty() && matches!(why, FetchError::NotPublic(_)), "{name}: {why}");
        let (sent, _) = asked("https://idp.example/", true, &[name]).await;
        assert_eq!(sent.len(), 1, "{name}");
    }
    let (sent, _) = asked("https://idp.example/", false, &["10.0.0.1 1.1.1.1"]).await;
    assert_eq!(sent[0].0.address, address(("1.1.1.1", 443)));
    let (sent, why) = asked("https://idp.example/", false, &[""]).await;
    assert!(sent.is_empty() && matches!(why, FetchError::Name(_)), "{why}");
}
