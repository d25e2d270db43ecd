use super::{Compiled, Overrides, Report, Source, compile};
use crate::{clock::Timestamp, verify::Catalogue};

/// On 2026-11-24.
pub(crate) fn compiled(text: &str) -> Result<Compiled, Report> {
    let now = Timestamp::from_rfc3339("2026-11-24T00:00:00Z").unwrap();
    compile(&Source::one("gate.yaml", text), &Catalogue::embedded(), &Overrides::default(), now)
}

/// One that takes POSTs, at its defaults but for what a test would wait for.
#[cfg(feature = "edge")]
pub(crate) fn destination(name: &str, url: &str) -> super::Destination {
    let http = super::Http { url: url.to_owned(), host: None, sign: None };
    super::Destination {
        name: name.to_owned(),
        place: super::Place::Http(http),
        only: super::Only::default(),
        concurrency: 1,
        timeout: std::time::Duration::from_secs(1),
    }
}

/// All that is told about a text.
fn told(text: &str) -> String {
    compiled(text).map_or_else(|report| report.to_string(), |compiled| compiled.warnings.to_string())
}

#[test]
fn columns_are_characters_and_marks_are_as_wide_as_a_terminal_shows_them() {
    let told = told("routes: {}\n日本: 1\n");
    assert!(told.starts_with("gate.yaml:2:1: unknown key `日本`"), "{told}");
    assert!(told.ends_with("  | 日本: 1\n  | ^^^^\n"), "{told}");
}

#[test]
fn what_a_terminal_would_obey_is_not_shown() {
    let told = told("routes: {}\n\"\\e[2J\u{202e}\": 1\n");
    assert!(told.contains("unknown key"), "{told}");
    assert!(!told.contains(['\u{1b}', '\u{202e}']), "{told:?}");
}

#[test]
fn colours_are_for_terminals() {
    let report = compiled("routes: {}\nzebra: 1\n").unwrap_err();
    let mut coloured = String::new();
    report.write(&mut coloured, true).unwrap();
    let marked = "\x1b[31munknown key `zebra`\x1b[0m; known here: `admin`";
    assert!(coloured.contains(marked), "the way out stands out: {coloured:?}");
    assert!(!report.to_string().contains('\x1b'));
}

#[test]
fn the_memory_of_a_window_follows_from_the_policy() {
    let text = "\
routes:
  signed: { at: { path: /a }, sender: { provider: stripe, keys: k, max_age: 10m, max_future: 5s } }
  unsigned: { at: { path: /b }, sender: { provider: github, keys: k }, repeats: { remember: 2d } }
keys: { k: [{ id: a, from: env:A }] }
destinations: { wordpress: { url: 'http://w/' } }
";
    let policy = compiled(text).unwrap_or_else(|report| panic!("{report}")).policy;
    let seconds: Vec<_> =
        policy.routes.iter().map(|route| route.sender.webhook().unwrap().window().memory().as_secs()).collect();
    assert_eq!(seconds, [607, 172_800]);
}

#[test]
fn a_summary_says_what_is_covered_and_what_is_hearsay() {
    let text = "\
routes:
  github: { owner: { team: web }, at: { path: /b }, sender: { provider: github, keys: k }, repeats: { remember: 2d } }
keys: { k: [{ id: a, from: env:A }] }
destinations: { wordpress: { url: 'http://w/' } }
";
    let policy = compiled(text).unwrap().policy;
    let expected = "\
github  (path: /b)
  sender    github, 1 key in `k`; the signature covers body, but no id and no time
  repeats   by what was signed: 2d
  delivery  queued, then as an event to wordpress; a 2xx is 202 after fdatasync in the spool
  limits    POST up to 1MiB, 100/s from one address, answered within 9s
  answers   validation calls: ping
  owner     web
";
    assert_eq!(policy.summary()[0].to_string(), expected);
}

#[test]
fn a_summary_of_destinations_says_what_delivered_is_worth() {
    let text = "\
routes: {}
destinations:
  orders: { nats: 'tls://a,tls://[::1]:4223', stream: ORDERS, subject: shop.orders, only: [order.*, refund] }
  paid: { nats: 'nats://a', stream: ORDERS, subject: shop.orders, durability: synced }
  cache: { redis: 'redis://r', stream: 'shop:orders', durability: any }
  ledger: { redis: 'rediss://r/2', stream: orders }
";
    let policy = compiled(text).unwrap_or_else(|report| panic!("{report}")).policy;
    let told: String = policy.destinations_summary().iter().map(ToString::to_string).collect();
    let expected = "\
cache  (Redis Streams at redis://r:6379/0, stream `shop:orders`)
  delivered by the server's answer, however it is kept
ledger  (Redis Streams at rediss://r:6379/2, stream `orders`)
  delivered by the answer of a server that syncs its log before it answers; looked up
orders  (NATS JetStream at tls://a:4222, tls://[::1]:4223, stream `ORDERS`, subject `shop.orders`)
  delivered by the stream's acknowledgement: it is in its files, and on disk when the server syncs them (every 2 minutes, unless `sync_interval` says otherwise)
  only      order.*, refund
paid  (NATS JetStream at nats://a:4222, stream `ORDERS`, subject `shop.orders`)
  delivered by the stream's acknowledgement, after its sync as you say: no server tells
";
    assert_eq!(told, expected);
}

/// By design a site's name goes before that of the URL by which it is reached; whoever checks a policy has to see it.
#[test]
fn a_summary_of_destinations_says_which_host_each_is_sent() {
    let hosts = |public_url: &str| {
        let text = format!(
            "{public_url}routes: {{}}\ndestinations:\n  a: {{ url: 'http://127.0.0.1:8080/x?y=1' }}\n  \
             b: {{ url: 'http://crm.example/', host: 'crm.example:81' }}\n"
        );
        let policy = compiled(&text).unwrap_or_else(|report| panic!("{report}")).policy;
        let told: String = policy.destinations_summary().iter().map(ToString::to_string).collect();
        let lines = told.lines().filter_map(|line| line.strip_prefix("  host      ")).map(str::to_owned);
        lines.collect::<Vec<_>>()
    };
    let said = "`crm.example:81`, as its `host` says";
    assert_eq!(
        hosts("public_url: https://shop.example\n"),
        ["`shop.example`, that of `public_url`; `host: NAME` sends another", said]
    );
    assert_eq!(
        hosts(""),
        ["`127.0.0.1:8080`, that of its `url`; `public_url`, or its `host: NAME`, sends another", said]
    );
}

#[test]
fn an_event_goes_to_those_that_want_its_type() {
    let text = "\
routes: {}
destinations:
  all: { url: 'http://w/' }
  orders: { url: 'http://w/', only: [order.*] }
";
    let policy = compiled(text).unwrap_or_else(|report| panic!("{report}")).policy;
    let to = ["all", "orders"].map(str::to_owned);
    let of = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(policy.takers(&to, "order.paid"), (of(&["all", "orders"]), of(&[])));
    assert_eq!(policy.takers(&to, "invoice.paid"), (of(&["all"]), of(&["orders"])));
    assert_eq!(policy.takers(&to[1..], "invoice.paid"), (of(&[]), of(&["orders"])), "accepted, and nobody's");
}

#[test]
fn a_sender_that_says_nothing_of_its_body_is_told_so() {
    let text = "
routes:
  token: { at: { path: /a }, sender: { provider: telegram, keys: k }, repeats: { protection: impossible } }
  partly: { at: { path: /b }, sender: { provider: mailgun, keys: k } }
  whole: { at: { path: /c }, sender: { provider: stripe, keys: k } }
keys: { k: [{ id: live, from: env:K }] }
destinations: { wordpress: { url: 'http://127.0.0.1/' } }
";
    let policy = compiled(text).unwrap_or_else(|report| panic!("{report}")).policy;
    let signed = |name: &str| {
        let summaries = policy.summary();
        let summary = summaries.iter().find(|summary| summary.name == name).unwrap();
        summary.signed.as_ref().unwrap().to_string()
    };
    let told = "authenticated sender, unauthenticated content";
    assert_eq!(signed("token"), format!("telegram, 1 key in `k`; nothing is signed: {told}"));
    let partly = format!("mailgun, 1 key in `k`; the signature covers id and time, but no body: {told}");
    assert_eq!(signed("partly"), partly);
    assert!(!signed("whole").contains(told));
}

/// `check` and the list of senders say the same of a sender whose token says nothing of the message.
#[test]
fn a_token_that_says_nothing_of_the_request_is_told_as_the_catalogue_tells_it() {
    let summary = |sender: &str| {
        let text = format!(
            "public_url: https://shop.example\nroutes: {{ r: {{ at: {{ path: /a }}, sender: {{ {sender} }} }} }}\n\
             keys: {{ k: [{{ id: a, from: env:A }}] }}\ndestinations: {{ wordpress: {{ url: 'http://w/' }} }}\n"
        );
        let text = text.replace(" } } }\nkeys", " }, repeats: { protection: impossible } } }\nkeys");
        let policy = compiled(&text).unwrap_or_else(|report| panic!("{report}")).policy;
        policy.summary()[0].to_string()
    };
    let pushes = summary("provider: google-pubsub, config: { audience: a, email: a@b.example }");
    let google = Catalogue::embedded().find("google-pubsub").unwrap().scheme.describe();
    assert_eq!(google, "RS256 token that says nothing of the request");
    let told = format!(
        "google-pubsub, keys as its vendor publishes them; {google}: authenticated sender, unauthenticated content"
    );
    assert!(pushes.contains(&told), "{pushes}");
    assert!(!pushes.contains("nothing is signed"), "{pushes}");
    let gitlab = summary("provider: gitlab-token, keys: k");
    assert!(
        gitlab.contains("nothing is signed: authenticated sender"),
        "a secret that is shown signs nothing: {gitlab}"
    );
}
