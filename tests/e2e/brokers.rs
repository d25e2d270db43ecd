//! Events in NATS JetStream and Redis Streams, as their own command lines and consumers see them.

use crate::{
    bed::{free_port, repository},
    gate::Gate,
};
use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// Both servers, with their files in a folder of their own.
struct Brokers {
    folder: tempfile::TempDir,
    nats: u16,
    redis: u16,
}

impl Brokers {
    fn new() -> Self {
        let brokers = Self { folder: tempfile::tempdir().unwrap(), nats: free_port(), redis: free_port() };
        brokers.run("up");
        brokers
    }

    fn run(&self, verb: &str) {
        let script = repository().join("deploy/dev/brokers");
        let ports = [("NATS_PORT", self.nats.to_string()), ("REDIS_PORT", self.redis.to_string())];
        assert!(
            Command::new(script).arg(verb).arg(self.folder.path()).envs(ports).status().unwrap().success(),
            "{verb}"
        );
    }

    /// `kill -9` of both.
    fn kill(&self) {
        for name in ["nats", "redis"] {
            let id = std::fs::read_to_string(self.folder.path().join(format!("{name}.pid"))).unwrap();
            assert!(Command::new("kill").args(["-9", id.trim()]).status().unwrap().success());
        }
        while TcpStream::connect(("127.0.0.1", self.nats)).is_ok()
            || TcpStream::connect(("127.0.0.1", self.redis)).is_ok()
        {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A request to JetStream's own interface, and its answer: <https://docs.nats.io/reference/reference-protocols>.
    fn jetstream(&self, subject: &str, request: &str) -> serde_json::Value {
        let mut tcp = TcpStream::connect(("127.0.0.1", self.nats)).unwrap();
        let publish = format!("PUB {subject} me {}\r\n{request}\r\n", request.len());
        write!(tcp, "CONNECT {{\"verbose\":false}}\r\nSUB me 1\r\n{publish}").unwrap();
        let mut lines = BufReader::new(tcp).lines().map(Result::unwrap);
        lines.find(|line| line.starts_with("MSG me ")).unwrap();
        serde_json::from_str(&lines.next().unwrap()).unwrap()
    }

    fn make_stream(&self) {
        let window_ns = 76_u64 * 3600 * 1_000_000_000;
        let config = format!(
            r#"{{"name":"EVENTS","subjects":["shop.>"],"storage":"file","discard":"new","duplicate_window":{window_ns},"retention":"limits","max_consumers":-1,"max_msgs":-1,"max_bytes":-1,"max_age":0,"num_replicas":1}}"#
        );
        let made = self.jetstream("$JS.API.STREAM.CREATE.EVENTS", &config);
        assert!(made["error"].is_null(), "{made}");
    }

    fn in_nats(&self) -> u64 {
        let info = self.jetstream("$JS.API.STREAM.INFO.EVENTS", "");
        info["state"]["messages"].as_u64().unwrap_or_else(|| panic!("{info}"))
    }

    fn redis(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-p", &self.redis.to_string()]).args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    fn in_redis(&self, stream: &str) -> u64 {
        self.redis(&["XLEN", stream]).trim().parse().unwrap_or_default()
    }
}

impl Drop for Brokers {
    fn drop(&mut self) {
        self.run("down");
    }
}

fn gate(brokers: &Brokers) -> Gate {
    let Brokers { nats, redis, .. } = brokers;
    Gate::alone(|own: &Path, address, admin| {
        let own = own.display();
        format!(
            "\
listeners: [{{ on: \"{address}\" }}]
admin: {{ on: \"{admin}\" }}
spool: {{ folder: \"{own}/spool\" }}
routes:
  events:
    at: {{ path: /hooks/events }}
    sender: {{ provider: standard-webhooks, keys: shop }}
    limits: {{ per_address: 100000/s }}
    deliver: {{ to: [nats, redis, orders] }}
keys: {{ shop: [{{ id: live, from: \"file:{own}/standard-webhooks\" }}] }}
destinations:
  nats: {{ nats: \"nats://127.0.0.1:{nats}\", stream: EVENTS, subject: shop.events, durability: synced, timeout: 2s }}
  redis: {{ redis: \"redis://127.0.0.1:{redis}\", stream: events, timeout: 2s }}
  orders: {{ redis: \"redis://127.0.0.1:{redis}\", stream: orders, only: [order.*], timeout: 2s }}
"
        )
    })
}

fn post(gate: &Gate, kind: &str, number: usize) {
    let body = format!(r#"{{"type":"{kind}","number":{number}}}"#);
    let answer = gate.deliver("standard-webhooks", "/hooks/events", &format!("msg_{number}"), body.as_bytes());
    assert_eq!(answer.status, 202, "{}", answer.text());
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(40), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn each_broker_gets_what_it_wants_once_also_when_it_is_killed() {
    let brokers = Brokers::new();
    brokers.make_stream();
    let gate = gate(&brokers);
    let kinds = ["order.paid", "invoice.paid"];
    for number in 0..40 {
        post(&gate, kinds[number % 2], number);
    }
    let arrived = |all: u64| {
        let told = || (brokers.in_nats(), brokers.in_redis("events"), brokers.in_redis("orders"));
        until("all are there", || told() == (all, all, all / 2));
    };
    arrived(40);
    brokers.kill();
    for number in 40..80 {
        post(&gate, kinds[number % 2], number);
    }
    assert!(gate.is_ready(), "readiness is about accepting, and that works");
    until("it is told why", || {
        gate.log().contains("the destination fails; its events wait") && gate.log().contains("why")
    });
    brokers.run("up");
    arrived(80);

    gate.counts(&[
        "hookwarden_left_out_total{destination=\"orders\"} 40",
        "hookwarden_spool_events{destination=\"nats\",state=\"delivered\"} 80",
        "hookwarden_spool_events{destination=\"redis\",state=\"delivered\"} 80",
        "hookwarden_spool_events{destination=\"orders\",state=\"accepted\"} 40",
        "hookwarden_deliveries_total{destination=\"redis\",result=\"known\"} 0",
    ]);
    let (status, told) = gate.cli(&["check", "gate.yaml"]);
    assert!(status.success() && told.contains("delivered by the answer of a server that syncs its log"), "{told}");
    let entry = brokers.redis(&["XRANGE", "events", "-", "+", "COUNT", "1"]);
    for part in ["order.paid", "application/cloudevents+json", "\"specversion\":\"1.0\""] {
        assert!(entry.contains(part), "{part}: {entry}");
    }
}

/// An event that nobody wants is accepted, known again, and nowhere.
#[test]
fn an_event_that_no_destination_wants_is_accepted_and_waits_for_nobody() {
    let brokers = Brokers::new();
    let gate = Gate::alone(|own, address, admin| {
        let (own, redis) = (own.display(), brokers.redis);
        format!(
            "\
listeners: [{{ on: \"{address}\" }}]
admin: {{ on: \"{admin}\" }}
spool: {{ folder: \"{own}/spool\" }}
routes:
  events:
    at: {{ path: /hooks/events }}
    sender: {{ provider: standard-webhooks, keys: shop }}
    deliver: {{ to: [orders] }}
keys: {{ shop: [{{ id: live, from: \"file:{own}/standard-webhooks\" }}] }}
destinations: {{ orders: {{ redis: \"redis://127.0.0.1:{redis}\", stream: orders, only: [order.*] }} }}
"
        )
    });
    post(&gate, "invoice.paid", 1);
    post(&gate, "invoice.paid", 1);
    post(&gate, "order.paid", 2);
    until("the other one is there", || brokers.in_redis("orders") == 1);
    gate.counts(&[
        "hookwarden_requests_total{outcome=\"accepted\",route=\"events\"} 2",
        "hookwarden_requests_total{outcome=\"repeat\",route=\"events\"} 1",
        "hookwarden_left_out_total{destination=\"orders\"} 1",
        "hookwarden_spool_oldest_age_seconds 0",
    ]);
}

/// What `via: direct` promises: 202 when the broker has it, 503 when nobody does, and nothing twice.
#[test]
fn what_goes_to_a_broker_directly_is_accepted_by_it_and_refused_without_it() {
    let brokers = Brokers::new();
    brokers.make_stream();
    let gate = Gate::alone(|own, address, admin| {
        let (own, Brokers { nats, redis, .. }) = (own.display(), &brokers);
        format!(
            "\
listeners: [{{ on: \"{address}\" }}]
admin: {{ on: \"{admin}\" }}
spool: {{ folder: \"{own}/spool\" }}
routes:
  to-nats:
    at: {{ path: /hooks/nats }}
    sender: {{ provider: standard-webhooks, keys: shop }}
    deliver: {{ via: direct, to: [nats] }}
  to-redis:
    at: {{ path: /hooks/redis }}
    sender: {{ provider: standard-webhooks, keys: shop }}
    deliver: {{ via: direct, to: [redis] }}
keys: {{ shop: [{{ id: live, from: \"file:{own}/standard-webhooks\" }}] }}
destinations:
  nats: {{ nats: \"nats://127.0.0.1:{nats}\", stream: EVENTS, subject: \"shop.events.{{id}}\", timeout: 2s }}
  redis: {{ redis: \"redis://127.0.0.1:{redis}\", stream: events, timeout: 2s }}
"
        )
    });
    let deliver = |route: &str, id: &str| {
        gate.deliver("standard-webhooks", &format!("/hooks/{route}"), id, br#"{"type":"order.paid"}"#)
    };
    let there = || (brokers.in_nats(), brokers.in_redis("events"));
    for route in ["nats", "redis"] {
        for id in ["msg_1", "msg_1", "msg_2"] {
            assert_eq!(deliver(route, id).status, 202, "{route} {id}");
        }
    }
    assert_eq!(there(), (2, 2));

    brokers.kill();
    for route in ["nats", "redis"] {
        let answer = deliver(route, "msg_3");
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("15")), "{}", answer.text());
    }
    assert!(gate.is_ready(), "other routes accept");
    brokers.run("up");
    for route in ["nats", "redis"] {
        until("it is accepted again", || deliver(route, "msg_3").status == 202);
    }
    assert_eq!(there(), (3, 3));
    gate.counts(&[
        "hookwarden_requests_total{outcome=\"accepted\",route=\"to-nats\"} 3",
        "hookwarden_requests_total{outcome=\"repeat\",route=\"to-redis\"} 1",
        "hookwarden_deliveries_total{destination=\"nats\",result=\"delivered\"} 3",
        "hookwarden_spool_oldest_age_seconds 0",
    ]);
    let (status, told) = gate.cli(&["check", "gate.yaml"]);
    let promise =
        "handed at once, as an event, to redis, which alone keeps it; a 2xx is 202 after the broker has it on disk";
    assert!(status.success() && told.contains(promise), "{told}");
}
