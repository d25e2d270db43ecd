//! Forwarders under one policy after another.

use super::*;
use crate::{
    clock::SystemClock,
    outbound::{Deadlines, Failure, Outbound, Request, Response, Target},
    policy::tests::compiled,
    spool::Settings,
};

#[derive(Clone)]
struct Nowhere;

impl Outbound for Nowhere {
    async fn send(&self, _: &Target, _: Request, _: &Deadlines, _: usize) -> Result<Response, Failure> {
        Err(Failure::NotSent("there is nobody".into()))
    }
}

impl Maker for Nowhere {
    type Destination = Http<Self>;

    fn make(
        &self,
        destination: &policy::Destination,
        public_url: Option<&str>,
        secret: Option<&Secret>,
        _: Load,
    ) -> Result<Http<Self>, BadDestination> {
        let policy::Place::Http(place) = &destination.place else { panic!("{destination:?}") };
        Http::new(self.clone(), Arc::new(SystemClock), (destination, place), public_url, secret.cloned())
    }
}

struct Deaf;

impl Observer for Deaf {
    fn attempted(&self, _: &str, _: &str, _: Result<Confirmed, &PublishError>) {}
    fn failed(&self, _: &FailedAttempt<'_>) {}
    fn died(&self, _: &DeadLetter<'_>) {}
    fn standing(&self, _: &str, _: Standing, _: Option<&str>) {}
    fn not_settled(&self, _: &str, _: &str, _: &Fault) {}
}

fn policy(destinations: &str) -> Policy {
    let text = format!("routes: {{}}\ndestinations: {{ {destinations} }}\n");
    compiled(&text).unwrap_or_else(|report| panic!("{report}")).policy
}

fn key(text: &str) -> BTreeMap<String, Secret> {
    BTreeMap::from([("shop".to_owned(), Secret::new(text).unwrap())])
}

const SHOP: &str = "shop: { url: 'http://127.0.0.1:9/', sign: 'env:KEY' }";

#[tokio::test]
async fn what_is_written_the_same_goes_on_and_what_is_gone_ends() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { folder: folder.path().join("spool"), bytes: 1 << 30, free: 0 };
    let (spool, _) = Spool::open(settings, Arc::new(SystemClock)).unwrap();
    let mut forwarders = Forwarders::new(spool.clone(), Nowhere, Arc::new(SystemClock), Arc::new(Deaf));
    let mut replace = async |destinations: &str, key_text: &str| {
        let before = forwarders.posts.get("shop").map(|post| post.terms.subscribe());
        let prepared = forwarders.prepare(&policy(destinations), &key(key_text)).unwrap();
        forwarders.replace(prepared);
        while forwarders.tasks.len() > forwarders.posts.len() {
            forwarders.tasks.join_next().await.unwrap().unwrap();
        }
        let names: Vec<_> = forwarders.posts.keys().cloned().collect();
        let switches: Vec<_> = forwarders.switches().standings().into_iter().map(|(name, _)| name).collect();
        assert_eq!(switches, names, "one switch each");
        (names.join(" "), before.map(|terms| terms.has_changed().ok()))
    };
    let both = &format!("{SHOP}, billing: {{ url: 'http://127.0.0.1:9/b' }}");
    assert_eq!(replace(both, "one").await, ("billing shop".to_owned(), None));
    assert_eq!(replace(both, "one").await, ("billing shop".to_owned(), Some(Some(false))), "nothing is new");
    assert_eq!(replace(SHOP, "one").await, ("shop".to_owned(), Some(Some(false))), "the other one has ended");
    assert_eq!(replace(SHOP, "two").await.1, Some(Some(true)), "another key");
    assert_eq!(replace(&SHOP.replace(":9/", ":9/new"), "two").await.1, Some(Some(true)), "another place");
    assert_eq!(replace("", "two").await, (String::new(), Some(None)));
    forwarders.stop(Duration::from_secs(5)).await;
    spool.close().await;
}
