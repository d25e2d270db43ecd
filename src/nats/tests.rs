//! The suite of the port, logins, TLS and faults, over a real server.

mod outages;

use super::*;
use crate::{
    contract::{
        self,
        brokers::{Server, Wire},
        destination::{Manner, Received},
        outage::{BROKER, Ears, Flow, destination},
        record,
    },
    deliver::{BadDestination, HORIZON, Maker},
    destination::Load,
    policy::Place,
};
use async_nats::jetstream::{
    self,
    message::StreamMessage,
    stream::{Config, DiscardPolicy, StorageType},
};

contract::destination::destination!(Rig::new());

/// Long enough for a busy machine; what is silent is waited for so long.
const PATIENCE: &str = "timeout: 1500ms";

/// With these lines in its configuration.
fn server(more: &str) -> Server {
    Server::new("nats-server", |port, folder| {
        let file = folder.join("nats.conf");
        let store = folder.join("store");
        let limit = if more.contains("max_file_store") { "" } else { ", max_file_store: 1GB" };
        let (jetstream, more) = more.split_once("---").unwrap_or(("", more));
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\"{limit} {jetstream} }}\n{more}\n",
            store.display()
        );
        std::fs::write(&file, text).unwrap();
        vec!["-c".to_owned(), file.display().to_string()]
    })
}

fn events() -> Config {
    Config {
        name: "EVENTS".to_owned(),
        subjects: vec!["shop.>".to_owned()],
        duplicate_window: HORIZON,
        discard: DiscardPolicy::New,
        ..Config::default()
    }
}

/// Of a client that is not the gate.
async fn context(server: &Server) -> Context {
    jetstream::new(async_nats::connect(server.address().to_string()).await.unwrap())
}

async fn with_stream(server: &Server, config: Config) -> Context {
    let context = context(server).await;
    context.create_stream(config).await.unwrap();
    context
}

fn written(port: u16) -> String {
    format!("nats: 'nats://127.0.0.1:{port}', stream: EVENTS, subject: shop.orders")
}

fn stream(written: &str, secret: Option<&str>, ears: Arc<Ears>) -> Stream {
    let destination = destination(written);
    let Place::Nats(place) = &destination.place else { panic!("{destination:?}") };
    let written = Written { name: BROKER, place, timeout: destination.timeout, horizon: HORIZON, largest_bytes: 9000 };
    Stream::new(&written, secret.map(|text| Secret::new(text).unwrap()).as_ref(), ears).unwrap()
}

async fn messages(server: &Server) -> Vec<StreamMessage> {
    let context = context(server).await;
    let mut stream = context.get_stream("EVENTS").await.unwrap();
    let state = stream.info().await.unwrap().state.clone();
    let mut messages = Vec::new();
    for sequence in state.first_sequence.max(1)..=state.last_sequence {
        messages.extend(stream.get_raw_message(sequence).await);
    }
    messages
}

/// What a consumer reads.
async fn received(server: &Server) -> Vec<Received> {
    let received = messages(server).await.into_iter().map(|message| {
        let header = |name: &str| message.headers.get(name).unwrap().to_string();
        Received { id: header("Nats-Msg-Id"), content_type: header("Content-Type"), payload: message.payload.to_vec() }
    });
    received.collect()
}

async fn ids(server: &Server) -> Vec<String> {
    received(server).await.into_iter().map(|received| received.id).collect()
}

struct Rig {
    server: Server,
    wire: Wire,
    stream: StdMutex<Option<Arc<Stream>>>,
}

impl Rig {
    fn new() -> Self {
        let server = server("");
        let wire = Wire::to(server.address());
        Self { server, wire, stream: StdMutex::default() }
    }
}

impl contract::destination::Rig for Rig {
    type Destination = Arc<Stream>;
    const KNOWS: bool = true;

    async fn open(&self) -> Arc<Stream> {
        with_stream(&self.server, events()).await;
        let port = self.wire.open().await;
        let stream = Arc::new(stream(&format!("{}, {PATIENCE}", written(port)), None, Arc::default()));
        stream.live().await.unwrap();
        *self.stream.lock().unwrap() = Some(stream.clone());
        stream
    }

    async fn behave(&self, manner: Manner) {
        self.wire.behave(manner).await;
        let stream = self.stream.lock().unwrap().clone();
        if let (Manner::Down, Some(stream)) = (manner, stream) {
            // From then on it is known, and nothing is sent into the void.
            while stream.live.lock().await.as_ref().is_some_and(Live::is_open) {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn received(&self) -> Vec<Received> {
        received(&self.server).await
    }
}

impl Destination for Arc<Stream> {
    async fn publish(&self, event: &Record) -> Result<Confirmed, PublishError> {
        Stream::publish(self, event).await
    }
}

/// Of one attempt.
async fn reason(stream: &Stream, event: &Record) -> (String, Retry) {
    let error = stream.publish(event).await.expect_err("it is not confirmed");
    (error.reason, error.retry)
}

const THE_SERVERS: Retry = Retry::Destination { after: None };

#[tokio::test]
async fn a_stream_that_is_not_as_the_policy_wants_it_is_sent_nothing() {
    let server = server("");
    let here = stream(&written(server.port), None, Arc::default());
    let event = record("evt_1", b"{}");
    assert_eq!(reason(&here, &event).await, ("no_stream".to_owned(), THE_SERVERS));
    let context = with_stream(&server, Config { storage: StorageType::Memory, ..events() }).await;
    assert_eq!(reason(&here, &event).await, ("not_durable".to_owned(), THE_SERVERS));
    let any = stream(&format!("{}, durability: any", written(server.port)), None, Arc::default());
    any.publish(&event).await.unwrap();
    context.delete_stream("EVENTS").await.unwrap();
    context.create_stream(Config { name: "OTHER".to_owned(), ..events() }).await.unwrap();
    // The subject is another's now; or it is heard before that the stream is gone.
    let (told, whose) = reason(&any, &event).await;
    assert!(["another_stream", "no_stream"].contains(&told.as_str()), "{told}");
    assert_eq!(whose, THE_SERVERS);
}

/// Who makes it anew under load, by a script that forgets to say where it is kept.
async fn made_anew(context: &Context, config: Config) {
    context.delete_stream("EVENTS").await.unwrap();
    context.create_stream(config).await.unwrap();
}

fn in_memory() -> Config {
    Config { storage: StorageType::Memory, ..events() }
}

/// By the numbers of its events alone: this login hears nothing else of it.
#[tokio::test]
async fn nothing_is_confirmed_that_a_stream_has_which_was_made_anew_in_memory() {
    let allowed = "publish: ['shop.>', '$JS.API.STREAM.INFO.EVENTS'], subscribe: ['_INBOX.>']";
    let users = format!("{{ user: admin, password: a }}, {{ user: gate, password: b, permissions: {{ {allowed} }} }}");
    let server = server(&format!("authorization {{ users: [{users}] }}\nno_auth_user: admin"));
    let context = with_stream(&server, events()).await;
    let stream = stream(&format!("{}, user: gate, password: 'env:A'", written(server.port)), Some("b"), Arc::default());
    for number in 0..3 {
        let event = record(&format!("evt_{number}"), b"{}");
        assert_eq!(stream.publish(&event).await.unwrap(), Confirmed::Taken);
    }
    made_anew(&context, in_memory()).await;
    let event = record("evt_3", b"{}");
    assert_eq!(reason(&stream, &event).await, ("not_durable".to_owned(), Retry::Unknown), "it took it");
    assert_eq!(reason(&stream, &event).await, ("not_durable".to_owned(), THE_SERVERS), "it was sent nothing");
    made_anew(&context, events()).await;
    assert_eq!(stream.publish(&event).await.unwrap(), Confirmed::Taken);
    let first = record("evt_0", b"{}");
    assert_eq!(stream.publish(&first).await.unwrap(), Confirmed::Taken, "what was there is gone with it");
}

/// Although others have published so much that its numbers tell nothing.
#[tokio::test]
async fn a_stream_that_was_made_anew_is_known_from_what_the_server_says_of_it() {
    let server = server("");
    let context = with_stream(&server, events()).await;
    let stream = stream(&written(server.port), None, Arc::default());
    stream.publish(&record("evt_1", b"{}")).await.unwrap();
    made_anew(&context, in_memory()).await;
    for _ in 0..9 {
        context.publish("shop.others", "{}".into()).await.unwrap().await.unwrap();
    }
    let watch = stream.live.lock().await.as_ref().unwrap().watch.clone();
    let told = async {
        while !watch.suspected().1 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), told).await.expect("the server says so");
    let event = record("evt_2", b"{}");
    assert_eq!(reason(&stream, &event).await, ("not_durable".to_owned(), THE_SERVERS));
    assert_eq!(messages(&server).await.len(), 9, "it was sent nothing");
}

#[tokio::test]
async fn a_stream_that_was_made_anew_with_a_shorter_window_is_told_with_the_next_event() {
    let server = server("");
    let context = with_stream(&server, events()).await;
    let ears = Arc::<Ears>::default();
    let stream = stream(&written(server.port), None, ears.clone());
    for number in 0..2 {
        stream.publish(&record(&format!("evt_{number}"), b"{}")).await.unwrap();
    }
    assert_eq!(ears.heard("forgets_soon"), 0);
    made_anew(&context, Config { duplicate_window: Duration::from_secs(120), ..events() }).await;
    stream.publish(&record("evt_2", b"{}")).await.unwrap();
    assert_eq!(ears.heard("forgets_soon"), 1);
}

#[tokio::test]
async fn what_a_stream_lacks_is_told_once() {
    let server = server("");
    let window = Duration::from_secs(120);
    let config = Config { duplicate_window: window, discard: DiscardPolicy::Old, max_bytes: 1 << 20, ..events() };
    with_stream(&server, config).await;
    let ears = Arc::<Ears>::default();
    let stream = stream(&written(server.port), None, ears.clone());
    for number in 0..3 {
        stream.publish(&record(&format!("evt_{number}"), b"{}")).await.unwrap();
    }
    assert_eq!(["forgets_soon", "loses_oldest", "not_synced"].map(|remark| ears.heard(remark)), [1, 1, 1]);
}

#[tokio::test]
async fn an_event_that_is_too_large_is_to_blame_itself() {
    let server = server("max_payload: 10000");
    with_stream(&server, Config { max_message_size: 5000, ..events() }).await;
    let ears = Arc::<Ears>::default();
    let stream = stream(&written(server.port), None, ears.clone());
    for bytes in [6000, 20_000] {
        let event = record("evt_1", &vec![b'x'; bytes]);
        assert_eq!(reason(&stream, &event).await, ("too_large".to_owned(), Retry::Refused), "{bytes}");
    }
    stream.publish(&record("evt_2", b"{}")).await.unwrap();
    assert_eq!(ears.heard("takes_less"), 1, "told before the first");
}

#[tokio::test]
async fn a_type_with_a_line_break_makes_no_header_of_its_own() {
    let server = server("");
    let context = with_stream(&server, events()).await;
    let stream = stream(&written(server.port), None, Arc::default());
    let forged = Record { event_type: "a\r\nNats-Msg-Id: b".to_owned(), ..record("evt_1", b"{}") };
    stream.publish(&forged).await.unwrap();
    let message = context.get_stream("EVENTS").await.unwrap().get_raw_message(1).await.unwrap();
    assert_eq!(message.headers.get("Nats-Msg-Id").unwrap().as_str(), "evt_1");
    assert!(message.headers.get("Hookwarden-Type").is_none());
}

#[tokio::test]
async fn who_may_not_log_in_hears_it_as_the_servers_failure() {
    let event = record("evt_1", b"{}");
    let not_allowed = ("not_allowed".to_owned(), THE_SERVERS);
    let named = server("authorization { users: [{ user: gate, password: let-me-in }] }");
    let login = |more: &str, secret, server: &Server| {
        stream(&format!("{}, {more}", written(server.port)), secret, Arc::default())
    };
    let gate = "user: gate, password: 'env:A'";
    // Logged in, and there is no stream.
    assert_eq!(reason(&login(gate, Some("let-me-in"), &named), &event).await.0, "no_stream");
    assert_eq!(reason(&login(gate, Some("guessed"), &named), &event).await, not_allowed);
    assert_eq!(reason(&stream(&written(named.port), None, Arc::default()), &event).await, not_allowed);
    let token = server("authorization { token: let-me-in }");
    assert_eq!(reason(&login("token: 'env:A'", Some("let-me-in"), &token), &event).await.0, "no_stream");
    assert_eq!(reason(&login("token: 'env:A'", Some("guessed"), &token), &event).await, not_allowed);
}

#[tokio::test]
async fn a_server_is_believed_only_if_the_authorities_of_the_policy_vouch_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let pem = |name: &str| folder.path().join(name).display().to_string();
    contract::brokers::certificate(folder.path(), "server");
    contract::brokers::certificate(folder.path(), "other");
    let server =
        server(&format!("tls {{ cert_file: \"{}\", key_file: \"{}\" }}", pem("server.pem"), pem("server.key")));
    let event = record("evt_1", b"{}");
    let to = |ca: &str| {
        written(server.port).replace("nats://127.0.0.1", "tls://localhost") + &format!(", ca: '{}'", pem(ca))
    };
    assert_eq!(reason(&stream(&to("server.pem"), None, Arc::default()), &event).await.0, "no_stream");
    let refused = reason(&stream(&to("other.pem"), None, Arc::default()), &event).await;
    assert_eq!(refused, ("connect".to_owned(), THE_SERVERS));
    let destination = destination(&to("none.pem"));
    let Place::Nats(place) = &destination.place else { panic!("{destination:?}") };
    let written = Written { name: BROKER, place, timeout: destination.timeout, horizon: HORIZON, largest_bytes: 0 };
    let none = Stream::new(&written, None, Arc::<Ears>::default());
    assert!(none.is_err_and(|error| error.to_string().contains("none.pem")));
}

/// A server with its stream.
struct Alone(Server);

impl Alone {
    async fn new() -> Self {
        let server = server("");
        with_stream(&server, events()).await;
        Self(server)
    }
}

/// With what a consumer reads, and the rest as the suite's events have it.
impl contract::direct::Broker for Alone {
    type Destination = Stream;

    fn destination(&self) -> Stream {
        stream(&written(self.0.port), None, Arc::default())
    }

    fn restart(&self) {
        self.0.kill();
        self.0.start();
    }

    async fn kept(&self) -> Vec<Record> {
        let kept = messages(&self.0).await.into_iter().map(|message| {
            let header = |name: &str| message.headers.get(name).unwrap().to_string();
            Record {
                route: header("Hookwarden-Route"),
                event_type: header("Hookwarden-Type"),
                request_id: header("Hookwarden-Request-Id"),
                content_type: header("Content-Type"),
                ..record(&header("Nats-Msg-Id"), &message.payload)
            }
        });
        kept.collect()
    }
}

mod alone {
    //! The ledger's suite.
    use super::*;
    contract::ledger::ledger_of_a_broker!(contract::direct::Shop::before(Alone::new().await));
}
