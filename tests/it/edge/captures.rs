//! What a gate refuses is kept where its route says so, and `hookwarden explain` names what was wrong with it.

use super::support::*;
use hookwarden::{
    captures::{self, Captures, Kept},
    clock::{Clock as _, SystemClock},
    policy::{Overrides, Source, compile},
    secret::Secret,
    verify::{Catalogue, Key, Keys},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output},
    sync::{Arc, Mutex},
};

const SECRET: &str = "a secret of the shop's own";
/// Of the route whose sender shows it.
const PAIR: &str = "hook:another secret";
/// The gate's own.
const OWN: &str = "0123456789abcdef0123456789abcdef";

#[derive(Default)]
struct Counts(Mutex<Vec<(String, Kept)>>);

impl captures::Observer for Counts {
    fn captured(&self, route: &str, kept: Kept) {
        self.0.lock().unwrap().push((route.to_owned(), kept));
    }
}

/// A gate on a policy in a folder, as `run` would start it.
struct Bench {
    folder: tempfile::TempDir,
    house: House,
    counts: Arc<Counts>,
}

impl Bench {
    async fn new(origin: &Origin) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spool = folder.path().join("spool");
        let text = format!(
            "
listeners: [{{ on: '127.0.0.1:0' }}]
origin: {{ url: 'http://{}' }}
spool: {{ folder: {} }}
classes: {{ relayed: {{ deliver: {{ via: relay }}, repeats: {{ remember: 72h }} }} }}
routes:
  kept: {{ class: relayed, at: {{ path: /kept }}, sender: {{ provider: github, keys: shop }}, capture: {{ keep: 24h, body: sealed }} }}
  head: {{ class: relayed, at: {{ path: /head }}, sender: {{ provider: github, keys: shop }}, capture: {{ keep: 1h, body: none }} }}
  plain: {{ class: relayed, at: {{ path: /plain }}, sender: {{ provider: github, keys: shop }} }}
  shown: {{ class: relayed, at: {{ path: /shown }}, sender: {{ provider: basic-auth, keys: pairs }}, repeats: {{ protection: impossible }}, capture: {{ keep: 24h, body: sealed }} }}
keys: {{ shop: [{{ id: live, from: env:SHOP }}], pairs: [{{ id: live, from: env:PAIR }}] }}
",
            origin.address,
            spool.display(),
        );
        std::fs::write(folder.path().join("gate.yaml"), &text).unwrap();
        std::fs::create_dir(&spool).unwrap();
        std::fs::write(spool.join("secret"), OWN).unwrap();
        std::fs::set_permissions(spool.join("secret"), std::fs::Permissions::from_mode(0o600)).unwrap();
        let source = Source::one("gate.yaml", text);
        let catalogue = Catalogue::embedded();
        let compiled = compile(&source, &catalogue, &Overrides::default(), SystemClock.now());
        let policy = compiled.unwrap_or_else(|report| panic!("{report}")).policy;
        let secret = catalogue.find("github").unwrap().scheme.key(SECRET).unwrap();
        let key = Key { id: "live".into(), secret, retire: None };
        let pair = catalogue.find("basic-auth").unwrap().scheme.key(PAIR).unwrap();
        let pair = Key { id: "live".into(), secret: pair, retire: None };
        let named = [("shop/github".to_owned(), vec![key]), ("pairs/basic-auth".to_owned(), vec![pair])];
        let named = BTreeMap::from(named);
        let keys = Keys::new(Secret::new(OWN).unwrap(), named);
        let counts = Arc::new(Counts::default());
        let captures = Captures::start(&spool, 0, Arc::new(SystemClock), counts.clone()).unwrap();
        Self { folder, house: open_keeping(policy, keys, captures).await, counts }
    }

    /// The request id under which it was refused.
    async fn refused(&mut self, path: &str, fields: &str, body: &str) -> (String, bool) {
        let length = body.len();
        let request = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n{fields}\r\n{body}");
        let answer = ask_once(self.house.at, &request).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        let heard = self.house.hears().await;
        (heard.request_id, heard.captured)
    }

    async fn kept(&self, count: usize) {
        until(|| self.counts.0.lock().unwrap().len() >= count).await;
    }

    fn explain(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookwarden"));
        command.args([&["explain", "gate.yaml"], arguments].concat()).current_dir(self.folder.path());
        let Output { status, stdout, stderr } =
            command.env_clear().env("SHOP", SECRET).env("PAIR", PAIR).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&stdout), text(&stderr));
        assert!(status.success() == err.is_empty(), "{out}{err}");
        out + &err
    }
}

/// Signed over the body without the line end that comes with it.
fn fields(body: &str) -> String {
    let catalogue = Catalogue::embedded();
    let scheme = &catalogue.find("github").unwrap().scheme;
    let what = hookwarden::verify::Unsigned {
        method: &http::Method::POST,
        url: "http://a/kept",
        content_type: "application/json",
        body: body.as_bytes(),
        id: "",
        at: SystemClock.now(),
    };
    let signed = scheme.sign(&scheme.signing_key(SECRET).unwrap(), &what);
    signed.fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
}

#[tokio::test]
async fn what_was_refused_is_explained_by_its_request_id() {
    let origin = Origin::start(Manner::Polite).await;
    let mut bench = Bench::new(&origin).await;
    let body = r#"{"card":"4111"}"#;
    let more = "Authorization: Bearer s3cr3t\r\nContent-Type: application/json\r\n";
    let fields = fields(body) + more;
    let (id, captured) = bench.refused("/kept?token=s3cr3t", &fields, &format!("{body}\n")).await;
    assert!(captured);
    let (head, captured) = bench.refused("/head", &fields, &format!("{body}\n")).await;
    assert!(captured);
    let (plain, captured) = bench.refused("/plain", &fields, &format!("{body}\n")).await;
    assert!(!captured, "this route keeps nothing");
    bench.kept(2).await;

    let listed: Vec<Value> = serde_json::from_str(&bench.explain(&["--captures", "--json"])).unwrap();
    let told: Vec<_> = listed.iter().map(|it| (it["id"].as_str(), it["route"].as_str(), it["code"].as_str())).collect();
    let code = Some("signature_mismatch");
    assert_eq!(told, [(Some(&*id), Some("kept"), code), (Some(&*head), Some("head"), code)]);
    let table = bench.explain(&["--captures"]);
    assert!(table.lines().count() == 3 && table.contains(&format!("{id}  ")) && table.contains("  16 B"), "{table}");
    assert!(table.lines().all(|line| line.len() <= 100), "{table}");

    let text = bench.explain(&["--capture", &id]);
    assert!(text.contains("The cause (body_line_end)"), "{text}");
    for never in ["s3cr3t", "4111", SECRET] {
        assert!(!text.contains(never) && !table.contains(never), "{never}: {text}");
    }
    let text = bench.explain(&["--capture", &head]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("its body was not kept, so nothing can be tried"), "{text}");
    assert!(words.contains("route `head`") && !words.contains("The cause"), "{text}");
    let none = bench.explain(&["--capture", &plain]);
    assert!(none.contains("no capture is called") && none.contains("`--captures` lists"), "{none}");
    // What it shows stood where no value is kept.
    let (shown, captured) = bench
        .refused("/shown", "Authorization: Basic aG9vazpzM2NyM3Q=\r\nContent-Type: application/json\r\n", body)
        .await;
    assert!(captured);
    bench.kept(3).await;
    let text = bench.explain(&["--capture", &shown]);
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("refused with `signature_mismatch` when it came; what it shows stood in `authorization`"),
        "{text}"
    );
    assert!(!words.contains("cannot be told"), "{text}");
    std::fs::write(bench.folder.path().join("spool/secret"), "another secret of the gate").unwrap();
    let other = bench.explain(&["--capture", &id]);
    assert!(other.contains("sealed under another secret"), "{other}");

    std::fs::rename(bench.folder.path().join("spool"), bench.folder.path().join("elsewhere")).unwrap();
    let nowhere = bench.explain(&["--captures"]);
    assert!(nowhere.contains("no gate has made a spool in"), "{nowhere}");
}

#[tokio::test]
async fn what_is_good_and_what_says_nothing_is_not_kept() {
    let origin = Origin::start(Manner::Polite).await;
    let mut bench = Bench::new(&origin).await;
    let body = "{}";
    let request = format!("POST /kept HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n{}\r\n{body}", fields(body));
    // This gate has no memory, so that what is believed is not passed on.
    assert!(ask_once(bench.house.at, &request).await.starts_with("HTTP/1.1 503"));
    assert!(!bench.house.hears().await.captured, "no fault of the sender's");
    let too_large = "POST /kept HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n";
    assert!(ask_once(bench.house.at, too_large).await.starts_with("HTTP/1.1 413"));
    assert!(!bench.house.hears().await.captured);
    let (coded, captured) = bench.refused("/kept", "Content-Encoding: gzip\r\n", "{}").await;
    assert!(captured, "what was refused by its head is kept without the body that nobody read");
    bench.kept(1).await;
    let text = bench.explain(&["--capture", &coded]);
    assert!(text.contains("content_type") && text.contains("admit      NO"), "{text}");
    assert_eq!(bench.counts.0.lock().unwrap().len(), 1);
}
