//! The suite of the port, logins, TLS and faults, over a real server.

use super::*;
use crate::{
    contract::{
        self,
        brokers::{Server, Wire},
        destination::{Manner, Received},
        outage::{BROKER, Ears, Flow, destination},
        record,
    },
    deliver::{BadDestination, Maker},
    destination::Load,
    policy::Place,
};
use ::redis::{Value, from_redis_value};
use std::path::Path;

contract::destination::destination!(Rig::new());

/// Long enough for a busy machine; what is silent is waited for so long.
const PATIENCE: &str = "timeout: 1500ms";

fn server(arguments: &[&str]) -> Server {
    Server::new("redis-server", |port, folder| {
        let plain = if arguments.contains(&"--tls-port") { "0".to_owned() } else { port.to_string() };
        let text =
            |text: &str| text.replace("PORT", &port.to_string()).replace("FOLDER", &folder.display().to_string());
        let base = ["--bind", "127.0.0.1", "--save", "", "--dir", "FOLDER", "--port", &plain].map(text);
        base.into_iter().chain(arguments.iter().map(|argument| text(argument))).collect()
    })
}

const SYNCED: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

fn stream(written: &str, secret: Option<&str>, ears: Arc<Ears>) -> Stream {
    let destination = destination(written);
    let Place::Redis(place) = &destination.place else { panic!("{destination:?}") };
    let written = Written { name: BROKER, place, timeout: destination.timeout, load: Load::default() };
    Stream::new(&written, secret.map(|text| Secret::new(text).unwrap()).as_ref(), ears).unwrap()
}

/// Of a client that is not the gate.
async fn ask<T: ::redis::FromRedisValue>(port: u16, words: &[&str]) -> T {
    let client = ::redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async(&mut connection).await.unwrap()
}

/// What a consumer reads.
async fn entries(port: u16) -> Vec<std::collections::HashMap<String, Vec<u8>>> {
    let entries: Vec<(String, Value)> = ask(port, &["XRANGE", "events", "-", "+"]).await;
    entries.into_iter().map(|(_, fields)| from_redis_value(fields).unwrap()).collect()
}

async fn ids(port: u16) -> Vec<String> {
    let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
    entries(port).await.iter().map(|entry| text(&entry["id"])).collect()
}

struct Rig {
    server: Server,
    wire: Wire,
    stream: StdMutex<Option<Arc<Stream>>>,
}

impl Rig {
    fn new() -> Self {
        let server = server(SYNCED);
        let wire = Wire::to(server.address());
        Self { server, wire, stream: StdMutex::default() }
    }
}

impl contract::destination::Rig for Rig {
    type Destination = Arc<Stream>;
    const KNOWS: bool = true;

    async fn open(&self) -> Arc<Stream> {
        let port = self.wire.open().await;
        let written = format!("redis: 'redis://127.0.0.1:{port}', stream: events, {PATIENCE}");
        let stream = Arc::new(stream(&written, None, Arc::default()));
        for slot in &stream.slots {
            stream.live(slot, 0).await.unwrap();
        }
        *self.stream.lock().unwrap() = Some(stream.clone());
        stream
    }

    async fn behave(&self, manner: Manner) {
        self.wire.behave(manner).await;
        let stream = self.stream.lock().unwrap().clone();
        if let (Manner::Down, Some(stream)) = (manner, stream) {
            // From then on it is known, and nothing is sent into the void.
            for slot in &stream.slots {
                while slot.lock().await.as_mut().is_some_and(Live::is_open) {
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    async fn received(&self) -> Vec<Received> {
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).unwrap();
        let received = |entry: &std::collections::HashMap<String, Vec<u8>>| Received {
            id: text(&entry["id"]),
            content_type: text(&entry["content_type"]),
            payload: entry["payload"].clone(),
        };
        entries(self.server.port).await.iter().map(received).collect()
    }
}

impl Destination for Arc<Stream> {
    async fn publish(&self, event: &Record) -> Result<Confirmed, PublishError> {
        Stream::publish(self, event).await
    }
}

/// Of one attempt.
async fn reason(stream: &Stream) -> (String, Retry) {
    let error = stream.publish(&record("evt_1", b"{}")).await.expect_err("it is not confirmed");
    (error.reason, error.retry)
}

const THE_SERVERS: Retry = Retry::Destination { after: None };

#[tokio::test]
async fn a_server_that_does_not_sync_is_sent_nothing_unless_the_policy_allows_it() {
    let server = server(&["--appendonly", "yes", "--appendfsync", "everysec"]);
    let written = format!("redis: 'redis://127.0.0.1:{}', stream: events", server.port);
    let not_durable = ("not_durable".to_owned(), THE_SERVERS);
    assert_eq!(reason(&stream(&written, None, Arc::default())).await, not_durable);
    // This server is older than the command.
    let waited = stream(&format!("{written}, durability: waited"), None, Arc::default());
    assert_eq!(reason(&waited).await, not_durable);
    assert_eq!(ids(server.port).await, [""; 0]);
    let ears = Arc::<Ears>::default();
    let any = stream(&format!("{written}, durability: any"), None, ears.clone());
    for _ in 0..CONNECTIONS {
        any.publish(&record("evt_1", b"{}")).await.unwrap();
    }
    assert_eq!((ids(server.port).await.len(), ears.heard("not_synced")), (1, 1), "told once, not on each connection");
}

#[tokio::test]
async fn who_may_not_log_in_or_not_write_hears_it_as_the_servers_failure() {
    let acl = "--user gate on >let-me-in ~* +@all --user reader on >let-me-in ~* +@read +config|get +script +evalsha";
    let acl: Vec<_> = acl.split(' ').collect();
    let server = server(&[SYNCED, &acl, &["--requirepass", "other"]].concat());
    let written = format!("redis: 'redis://127.0.0.1:{}', stream: events", server.port);
    let login =
        |user: &str, password| stream(&format!("{written}, user: {user}, password: 'env:A'"), password, Arc::default());
    login("gate", Some("let-me-in")).publish(&record("evt_1", b"{}")).await.unwrap();
    let not_allowed = ("not_allowed".to_owned(), THE_SERVERS);
    assert_eq!(reason(&login("gate", Some("guessed"))).await, not_allowed);
    assert_eq!(reason(&login("reader", Some("let-me-in"))).await, not_allowed);
    assert_eq!(reason(&stream(&written, None, Arc::default())).await, not_allowed);
}

#[tokio::test]
async fn a_server_is_believed_only_if_the_authorities_of_the_policy_vouch_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let pem = |name: &str| folder.path().join(name).display().to_string();
    contract::brokers::certificate(folder.path(), "server");
    contract::brokers::certificate(folder.path(), "other");
    let (certificate, key) = (pem("server.pem"), pem("server.key"));
    let tls =
        ["--tls-port", "PORT", "--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-auth-clients", "no"];
    let server = server(&[SYNCED, &tls, &["--tls-ca-cert-file", &certificate]].concat());
    let to = |ca: &str| format!("redis: 'rediss://localhost:{}', stream: events, ca: '{}'", server.port, pem(ca));
    let confirmed = stream(&to("server.pem"), None, Arc::default()).publish(&record("evt_1", b"{}")).await.unwrap();
    assert_eq!(confirmed, Confirmed::Taken);
    assert_eq!(reason(&stream(&to("other.pem"), None, Arc::default())).await, ("connect".to_owned(), THE_SERVERS));
    let destination = destination(&to("none.pem"));
    let Place::Redis(place) = &destination.place else { panic!("{destination:?}") };
    let written = Written { name: BROKER, place, timeout: destination.timeout, load: Load::default() };
    let none = Stream::new(&written, None, Arc::<Ears>::default());
    assert!(none.is_err_and(|error| error.to_string().contains("none.pem")));
}

#[tokio::test]
async fn a_stream_is_cut_only_if_the_policy_says_so_and_another_key_is_not_overwritten() {
    let server = server(SYNCED);
    let written = format!("redis: 'redis://127.0.0.1:{}', stream: events", server.port);
    let cut = stream(&format!("{written}, length: 100"), None, Arc::default());
    for number in 0..400 {
        cut.publish(&record(&format!("evt_{number}"), b"{}")).await.unwrap();
    }
    let left = ids(server.port).await.len();
    assert!((100..300).contains(&left), "about so many: {left}");
    let _: Value = ask(server.port, &["SET", "taken", "by a cache"]).await;
    let taken = stream(&written.replace("events", "taken"), None, Arc::default());
    assert_eq!(reason(&taken).await, ("not_a_stream".to_owned(), THE_SERVERS));
}

#[tokio::test]
async fn the_mark_of_an_event_has_the_hash_tag_of_its_stream_and_ends() {
    let server = server(SYNCED);
    for (key, mark) in [("events", "hookwarden:{events}:evt_1"), ("a{b}c", "hookwarden:{b}:evt_1")] {
        let written = format!("redis: 'redis://127.0.0.1:{}', stream: '{key}', remember: 100h", server.port);
        let stream = stream(&written, None, Arc::default());
        assert_eq!(stream.publish(&record("evt_1", b"{}")).await.unwrap(), Confirmed::Taken);
        assert_eq!(stream.publish(&record("evt_1", b"{}")).await.unwrap(), Confirmed::Known);
        let left: i64 = ask(server.port, &["TTL", mark]).await;
        assert!((359_000..=360_000).contains(&left), "{left}");
    }
}

/// With what a consumer reads, and the rest as the suite's events have it.
impl contract::direct::Broker for Server {
    type Destination = Stream;

    fn destination(&self) -> Stream {
        stream(&format!("redis: 'redis://127.0.0.1:{}', stream: events", self.port), None, Arc::default())
    }

    fn restart(&self) {
        self.kill();
        self.start();
    }

    async fn kept(&self) -> Vec<Record> {
        let kept = entries(self.port).await.into_iter().map(|entry| {
            let text = |name: &str| String::from_utf8(entry[name].clone()).unwrap();
            Record {
                route: text("route"),
                event_type: text("type"),
                request_id: text("request_id"),
                content_type: text("content_type"),
                ..record(&text("id"), &entry["payload"])
            }
        });
        kept.collect()
    }
}

/// It hangs up on what is too long, which would be repeated for ever.
#[tokio::test]
async fn an_event_that_is_larger_than_the_server_takes_is_to_blame_itself() {
    let server = server(&[SYNCED, &["--proto-max-bulk-len", "1mb"]].concat());
    let written = format!("redis: 'redis://127.0.0.1:{}', stream: events", server.port);
    let ears = Arc::<Ears>::default();
    let destination = destination(&written);
    let stream = Parts(ears.clone()).make(&destination, None, None, Load { largest_bytes: 2 << 20, ..Load::default() });
    let stream = stream.ok().unwrap();
    let error = stream.publish(&record("evt_1", &vec![b'x'; 1 << 20])).await.expect_err("it is too large");
    assert_eq!((error.reason.as_str(), error.retry), ("too_large", Retry::Refused), "{error:?}");
    stream.publish(&record("evt_2", &vec![b'x'; 1_000_000])).await.unwrap();
    assert_eq!(ears.heard("takes_less"), 1);
    assert_eq!(ids(server.port).await, ["evt_2"]);
}

mod alone {
    //! The ledger's suite.
    use super::*;
    contract::ledger::ledger_of_a_broker!(contract::direct::Shop::before(server(SYNCED)));
}

struct Parts(Arc<Ears>);

impl Maker for Parts {
    type Destination = Stream;

    fn make(
        &self,
        destination: &policy::Destination,
        _: Option<&str>,
        secret: Option<&Secret>,
        load: Load,
    ) -> Result<Stream, BadDestination> {
        let Place::Redis(place) = &destination.place else { panic!("{destination:?}") };
        let written = Written { name: &destination.name, place, timeout: destination.timeout, load };
        Ok(Stream::new(&written, secret, self.0.clone()).unwrap())
    }
}

fn flow(server: &Server, more: &str) -> Flow<Parts> {
    let written = format!("redis: 'redis://127.0.0.1:{}', stream: events, timeout: 1s{more}", server.port);
    Flow::to(destination(&written), None, Parts)
}

#[tokio::test]
async fn nothing_is_lost_and_nothing_there_twice_when_the_server_is_killed() {
    let server = server(SYNCED);
    let mut flow = flow(&server, "");
    for round in 1..=3 {
        flow.accept(100).await;
        flow.until_delivered(round * 60).await;
        server.kill();
        flow.accept(50).await;
        flow.until_heard("connect").await;
        server.start();
    }
    flow.all_delivered().await;
    assert_eq!(flow.twice(&ids(server.port).await), 0);
    flow.stop().await;
}

#[tokio::test]
async fn a_server_that_stands_still_is_unknown_and_what_it_has_is_known_afterwards() {
    let server = server(SYNCED);
    let mut flow = flow(&server, "");
    flow.accept(20).await;
    flow.until_delivered(20).await;
    server.pause(true);
    flow.accept(100).await;
    flow.until_heard("no_answer").await;
    server.pause(false);
    flow.all_delivered().await;
    assert_eq!(flow.twice(&ids(server.port).await), 0);
    assert!(flow.ears.heard("known") > 0, "what was sent and not answered is sent again");
    flow.stop().await;
}

#[tokio::test]
async fn a_server_that_is_full_costs_no_event_and_gets_all_when_there_is_room() {
    let server = server(SYNCED);
    let _: Value = ask(server.port, &["CONFIG", "SET", "maxmemory", "3mb"]).await;
    let mut flow = flow(&server, "");
    flow.accept(3000).await;
    flow.until_heard("out_of_space").await;
    let _: Value = ask(server.port, &["CONFIG", "SET", "maxmemory", "0"]).await;
    flow.all_delivered().await;
    assert_eq!(flow.twice(&ids(server.port).await), 0);
    flow.stop().await;
}

#[tokio::test]
async fn what_is_accepted_directly_is_there_once_though_the_server_was_killed_and_stood_still() {
    let server = server(SYNCED);
    let mut flow = flow(&server, "");
    let refusals = contract::outage::directly(&mut flow, &server).await;
    assert!(refusals > 0, "nobody was told that an event is there which is not");
    assert_eq!(flow.twice(&ids(server.port).await), 0);
    flow.stop().await;
}

#[tokio::test]
async fn a_server_that_is_full_accepts_nothing_directly_until_there_is_room() {
    let server = server(SYNCED);
    let mut flow = flow(&server, "");
    flow.hand_over(10).await;
    let _: Value = ask(server.port, &["CONFIG", "SET", "maxmemory", "1"]).await;
    assert!(flow.refuses().await.contains("out_of_space"));
    let _: Value = ask(server.port, &["CONFIG", "SET", "maxmemory", "0"]).await;
    flow.hand_over(10).await;
    assert_eq!(flow.twice(&ids(server.port).await), 0);
    flow.stop().await;
}

#[tokio::test]
async fn a_server_whose_disk_is_full_accepts_nothing_directly_until_there_is_room() {
    let server = server(&[SYNCED, &["--aof-load-truncated", "yes"]].concat());
    let mut flow = flow(&server, "");
    flow.hand_over(20).await;
    server.limit_files(std::fs::metadata(newest_log(server.folder.path())).unwrap().len() + 20_000);
    let full = async {
        while !server.has_ended() {
            flow.hand_over_once().await;
        }
    };
    timeout(contract::PATIENCE, full).await.expect("it ends itself");
    flow.refuses().await;
    server.start();
    flow.hand_over(20).await;
    assert_eq!(flow.twice(&ids(server.port).await), 0);
    flow.stop().await;
}

#[tokio::test]
async fn a_server_that_evicts_is_sent_nothing_that_it_alone_would_keep() {
    let server = server(&[SYNCED, &["--maxmemory-policy", "volatile-ttl"]].concat());
    let destination = destination(&format!("redis: 'redis://127.0.0.1:{}', stream: events", server.port));
    let made = |directly| {
        Parts(Arc::default()).make(&destination, None, None, Load { directly, ..Load::default() }).ok().unwrap()
    };
    assert_eq!(reason(&made(Some(Duration::ZERO))).await, ("not_durable".to_owned(), THE_SERVERS));
    made(None).publish(&record("evt_1", b"{}")).await.unwrap();
}

#[tokio::test]
async fn what_goes_directly_is_known_for_as_long_as_its_sender_may_repeat_it() {
    let server = server(SYNCED);
    let written = format!("redis: 'redis://127.0.0.1:{}', stream: events, remember: 77h", server.port);
    let directly = Some(Duration::from_secs(360_000));
    let stream = Parts(Arc::default())
        .make(&destination(&written), None, None, Load { directly, ..Load::default() })
        .ok()
        .unwrap();
    stream.publish(&record("evt_1", b"{}")).await.unwrap();
    let left: i64 = ask(server.port, &["TTL", "hookwarden:{events}:evt_1"]).await;
    assert!((359_000..=360_000).contains(&left), "{left}");
}

/// With `appendfsync always` a server whose disk is full ends itself rather than to say yes.
#[tokio::test]
async fn a_server_whose_disk_is_full_gets_all_when_there_is_room_again() {
    let server = server(&[SYNCED, &["--aof-load-truncated", "yes"]].concat());
    let mut flow = flow(&server, "");
    flow.accept(100).await;
    flow.until_delivered(100).await;
    let log = newest_log(server.folder.path());
    server.limit_files(std::fs::metadata(&log).unwrap().len() + 40_000);
    flow.accept(300).await;
    flow.until("it ended", |_| server.has_ended()).await;
    server.start();
    flow.all_delivered().await;
    assert_eq!(flow.twice(&ids(server.port).await), 0);
    flow.stop().await;
}

/// The one that is appended to.
fn newest_log(folder: &Path) -> std::path::PathBuf {
    let files = std::fs::read_dir(folder.join("appendonlydir")).unwrap().map(|entry| entry.unwrap().path());
    files.filter(|path| path.to_string_lossy().ends_with(".incr.aof")).max().unwrap()
}
