//! What a security team reads when its policy is wrong, and what it need not write.

use hookwarden::{
    clock::Timestamp,
    policy::{Compiled, Overrides, Policy, Report, Severity, Source, TextFile, compile, effective},
    repeat::Window,
    verify::{Catalogue, Provider},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

pub fn compiled(source: &Source) -> Result<Compiled, Report> {
    let now = Timestamp::from_rfc3339("2026-11-24T00:00:00Z").unwrap();
    compile(source, &Catalogue::embedded(), &Overrides::default(), now)
}

/// All that is told about a text; empty if there is nothing to tell.
fn report(text: &str) -> String {
    match compiled(&Source::one("gate.yaml", text)) {
        Ok(compiled) => compiled.warnings.to_string(),
        Err(report) => report.to_string(),
    }
}

pub fn folder(below: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// All that is told about the policy in this folder, for the stage `prod` if it has one.
fn report_of(folder: &Path) -> String {
    match compiled(&source(folder, "prod")) {
        Ok(compiled) => compiled.warnings.to_string(),
        Err(report) => report.to_string(),
    }
}

fn source(folder: &Path, stage: &str) -> Source {
    let text = |name: String| TextFile { text: fs::read_to_string(folder.join(&name)).unwrap(), name };
    let files = |below: &str, ending: &str| {
        let entries = fs::read_dir(folder.join(below)).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.filter(|name| name.ends_with(ending) && !name.contains(".test.")).collect();
        names.sort();
        names.into_iter().map(|name| text(format!("{below}/{name}"))).collect::<Vec<_>>()
    };
    let schemas = ["schemas", "schemas/versions"].into_iter().flat_map(|below| files(below, ".json")).collect();
    Source {
        main: text("gate.yaml".to_owned()),
        routes: files("routes", ".yaml"),
        env: files("env", &format!("{stage}.yaml")).pop(),
        providers: files("providers", ".yaml"),
        schemas,
        unread: Vec::new(),
    }
}

/// Each `policy/NAME.yaml` or `policy/NAME/gate.yaml`, and what is told about it, `policy/NAME.txt`. To write the latter
/// anew, run the tests with `BLESS=1`, and read the difference.
#[test]
fn every_broken_policy_is_reported_to_the_letter() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for entry in fs::read_dir(folder("tests/it/policy")).unwrap() {
        let path = entry.unwrap().path();
        let told = if path.is_dir() {
            report_of(&path)
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            report(&fs::read_to_string(&path).unwrap())
        } else {
            continue;
        };
        seen += 1;
        let expected = path.with_extension("txt");
        if bless {
            fs::write(&expected, &told).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != told {
            wrong.push(format!("{}:\n{told}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "told otherwise:\n{}", wrong.join("\n"));
    assert!(seen >= 60, "reads the wrong folder: {seen}");
}

#[test]
fn ten_mistakes_are_ten_errors() {
    let text = fs::read_to_string(folder("tests/it/policy/ten_mistakes.yaml")).unwrap();
    let report = compiled(&Source::one("gate.yaml", text)).unwrap_err();
    assert_eq!(report.count(Severity::Error), 10, "{report}");
}

#[test]
fn five_lines_are_a_policy() {
    let text = "\
routes:
  shop: { at: { path: /hooks/shop }, sender: { provider: standard-webhooks, keys: shop } }
keys: { shop: [{ id: live, from: env:SHOP_SECRET }] }
destinations: { wordpress: { url: 'http://127.0.0.1:8080/wp-json/hookwarden/v1/events' } }
";
    assert_eq!(report(text), "");
}

/// A route that is left out without a word would be an endpoint without a guard.
#[test]
fn a_policy_that_compiles_has_every_route_that_was_written() {
    let routes: String = (0..200)
        .map(|index| {
            format!("  r{index}: {{ at: {{ path: /hooks/{index}/ }}, sender: {{ provider: stripe, keys: shop }} }}\n")
        })
        .collect();
    let text = format!(
        "routes:\n{routes}keys: {{ shop: [{{ id: live, from: env:SHOP }}] }}\ndestinations: {{ wordpress: {{ url: 'http://w/' }} }}\n"
    );
    let compiled = compiled(&Source::one("gate.yaml", text)).unwrap_or_else(|report| panic!("{report}"));
    let names: Vec<_> = compiled.policy.routes.iter().map(|route| route.name.to_string()).collect();
    let expected: Vec<_> = (0..200).map(|index| format!("r{index}")).collect();
    assert_eq!(names, expected, "and in the order of the file");
}

#[test]
fn two_providers_decode_one_list_of_keys_each_in_its_own_way() {
    let text = "\
routes:
  a: { at: { path: /a }, sender: { provider: stripe, keys: shared } }
  b: { at: { path: /b }, sender: { provider: standard-webhooks, keys: shared } }
  c: { at: { path: /c }, sender: { provider: stripe, keys: shared } }
keys: { shared: [{ id: live, from: env:SHOP_SECRET }] }
destinations: { wordpress: { url: 'http://127.0.0.1:8080/' } }
";
    let policy = compiled(&Source::one("gate.yaml", text)).unwrap().policy;
    let names: Vec<_> = policy.keys.iter().map(|reference| reference.name.as_str()).collect();
    assert_eq!(names, ["shared/stripe", "shared/standard-webhooks"]);
}

#[test]
fn the_command_line_speaks_before_the_file() {
    let overrides = Overrides {
        upstream: Some("http://192.0.2.7:81".to_owned()),
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        ..Overrides::default()
    };
    let source = Source::one("gate.yaml", "listeners: [{ on: '0.0.0.0:80' }]\nroutes: {}\n");
    let settings = compile(&source, &Catalogue::embedded(), &overrides, Timestamp::default()).unwrap().policy.settings;
    assert_eq!(settings.origin.url, "http://192.0.2.7:81");
    assert_eq!(settings.listeners.len(), 1);
    assert_eq!(settings.listeners[0].on.port(), 0);
    let wrong = Overrides { upstream: Some("192.0.2.7:81".to_owned()), ..Overrides::default() };
    let report = compile(&source, &Catalogue::embedded(), &wrong, Timestamp::default()).unwrap_err();
    assert!(report.to_string().contains("`--upstream`: scheme or host is missing"), "{report}");
}

#[test]
fn a_digest_names_the_texts_and_not_where_they_lie() {
    let digest = |name: &str, text: &str| compiled(&Source::one(name, text)).unwrap().policy.digest;
    let first = digest("gate.yaml", "routes: {}\n");
    assert_eq!(first.len(), 64);
    assert_eq!(first, digest("elsewhere/gate.yaml", "routes: {}\n"));
    assert_ne!(first, digest("gate.yaml", "routes: {} \n"));
}

#[test]
fn a_file_far_too_long_is_not_read() {
    let text = format!("routes: {{}}\n#{}\n", "a".repeat(1 << 20));
    assert!(report(&text).starts_with("gate.yaml:1:1: the file has 1048589 bytes, and 1048576 at most are read\n"));
}

#[test]
fn a_report_reads_the_same_to_a_machine() {
    let report = compiled(&Source::one("gate.yaml", "routes: {}\nzebra: 1\n")).unwrap_err();
    let told = serde_json::to_value(&report).unwrap();
    assert_eq!(told[0]["severity"], "error");
    assert_eq!((&told[0]["file"], &told[0]["line"], &told[0]["column"]), (&"gate.yaml".into(), &2.into(), &1.into()));
    assert!(told[0]["message"].as_str().unwrap().starts_with("unknown key `zebra`; known here: "));
}

#[test]
fn the_examples_are_in_order_in_every_stage() {
    for stage in ["prod", "dev"] {
        let source = source(&folder("policies"), stage);
        assert!(source.env.is_some(), "{stage}");
        let compiled = compiled(&source).unwrap_or_else(|report| panic!("{stage}:\n{report}"));
        assert_eq!(compiled.warnings.to_string(), "", "{stage}");
        assert_eq!(compiled.policy.routes.len(), 7, "{stage}");
    }
}

#[test]
fn every_yaml_of_the_readme_is_in_order() {
    let readme = fs::read_to_string(folder("policies/README.md")).unwrap();
    let blocks: Vec<_> = readme.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!blocks.is_empty());
    for block in blocks.into_iter().filter(|block| !block.starts_with("# payments.test.yaml")) {
        if block.starts_with("# providers/") {
            Provider::from_yaml(block).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
        } else {
            assert_eq!(report(block), "", "{block}");
        }
    }
}

/// An example that is not run is not written.
#[test]
fn the_readmes_policy_is_in_order() {
    let readme = fs::read_to_string(folder("README.md")).unwrap();
    let (_, rest) = readme.split_once("# gate.yaml\n").expect("the README shows a policy");
    let (text, _) = rest.split_once("```").expect("a block ends");
    compiled(&Source::one("README.md", text)).unwrap_or_else(|report| panic!("{report}"));
}

const SHOP: &str = "\
public_url: https://shop.example
listeners: [{ on: '127.0.0.1:0', tls: { certificate: '/etc/tls/*.pem' }, http2: true, proxy_protocol: [10.0.0.0/8] }]
trusted_proxies: [192.0.2.0/24]
edge: { fields: 50, body_rate: 2KiB/s }
spool: { folder: \"/var/lib/hook warden\", bytes: 1GiB }
classes:
  plugin: { limits: { per_sender: 5/m }, deliver: { via: relay, form: verbatim }, answer_by: 3s }
  event: { admit: { body: 2MiB, content_types: [application/json] }, repeats: { remember: 96h } }
floor: { verify: { max_age: 10m }, limits: { per_address: 100/s } }
routes:
  checkout: { class: plugin, at: { wc-api: wc_stripe }, sender: { provider: stripe, keys: k } }
  hooks: { class: event, at: { path: /hooks }, sender: { provider: github, keys: k }, deliver: { form: verbatim } }
  ajax:
    class: event
    at: { ajax: 'on' }
    sender: { provider: standard-webhooks, keys: k, max_age: 10m, max_future: 1m }
    repeats: { remember: 120h, on_changed: deliver }
    deliver: { to: [archive], replaces_plugin: true }
keys: { k: [{ id: a.b, from: env:A }, { id: b, from: 'file:/run/my secret', retire: 2027-01-31 }] }
destinations: { wordpress: { url: 'http://w/' }, archive: { url: 'http://a/?x=1', host: a.example, concurrency: 2 } }
";

/// Written out, a policy is the same policy: nothing takes effect that is not shown.
#[test]
fn a_policy_compiled_from_its_own_effective_text_is_the_same_policy() {
    let source = Source::one("gate.yaml", SHOP);
    let first = compiled(&source).unwrap_or_else(|report| panic!("{report}")).policy;
    let text = effective(&source, &first, &Overrides::default(), None).unwrap();
    let second = compiled(&Source::one("gate.yaml", text.as_str())).unwrap_or_else(|report| panic!("{report}\n{text}"));
    // The texts, and whose terms a route has taken over, are named by the policy, and are others here.
    let told = |policy: &Policy| {
        let (digest, mut told) = (&policy.digest, format!("{policy:#?}"));
        told = told.replace(digest.as_str(), "");
        for class in ["plugin", "event"] {
            told = told.replace(&format!("class: Some(\n                \"{class}\",\n            )"), "class: None");
        }
        told
    };
    assert_eq!(told(&first), told(&second.policy), "{text}");
}

#[test]
fn the_values_of_one_route_are_shown_with_the_lines_they_come_from() {
    let source = Source::one("gate.yaml", SHOP);
    let policy = compiled(&source).unwrap().policy;
    let text = effective(&source, &policy, &Overrides::default(), Some("checkout")).unwrap();
    let line = |value: &str| {
        let line = text.lines().find(|line| line.trim_start().starts_with(value));
        line.unwrap_or_else(|| panic!("no `{value}` in\n{text}")).split_once('#').unwrap().1.trim().to_owned()
    };
    assert_eq!(line("per_sender: 5/m"), "gate.yaml:7", "from its class");
    assert_eq!(line("provider: stripe"), "gate.yaml:11", "its own");
    assert_eq!(line("max_age: 5m"), "sender `stripe`");
    assert_eq!(line("body: 1MiB"), "default");
    assert!(!text.contains("destinations"), "a relay has none:\n{text}");
    assert_eq!(effective(&source, &policy, &Overrides::default(), Some("nobody")), None);
}

#[test]
fn the_host_that_a_destination_is_sent_is_shown_with_it() {
    let source = Source::one("gate.yaml", SHOP);
    let policy = compiled(&source).unwrap_or_else(|report| panic!("{report}")).policy;
    let text = effective(&source, &policy, &Overrides::default(), None).unwrap();
    let notes: Vec<_> = text.lines().filter(|line| line.trim_start().starts_with("# host:")).map(str::trim).collect();
    assert_eq!(notes, ["# host: `shop.example`, that of `public_url`; `host: NAME` sends another"], "{text}");
}

/// Whoever asks what takes effect hears of the floor as well: what it holds, and what is lifted, by whom, until when.
#[test]
fn the_floor_and_the_exception_from_it_are_shown_with_a_route() {
    let text = "\
floor: { verify: { max_age: 10m, max_future: 5m }, admit: { body: 2MiB }, exceptions: { need: [ticket] } }
routes:
  shop:
    at: { path: /a }
    sender: { provider: stripe, keys: k, max_age: 30m }
    exception: { from: verify.max_age, until: 2026-12-31, ticket: 'SEC-42: #1' }
  other: { at: { path: /b }, sender: { provider: github, keys: k }, repeats: { remember: 72h } }
keys: { k: [{ id: a, from: env:A }] }
destinations: { wordpress: { url: 'http://w/' } }
";
    let source = Source::one("gate.yaml", text);
    let policy = compiled(&source).unwrap_or_else(|report| panic!("{report}")).policy;
    let notes = |route: &str| -> Vec<String> {
        let text = effective(&source, &policy, &Overrides::default(), Some(route)).unwrap();
        let notes = text.lines().filter_map(|line| line.trim_start().strip_prefix("# floor: "));
        notes.map(str::to_owned).collect()
    };
    assert_eq!(
        notes("shop"),
        [
            "verify.max_age 10m or less (gate.yaml:1), lifted until 2026-12-31 by the exception at gate.yaml:6, ticket \
             \"SEC-42: #1\"",
            "verify.max_future 5m or less (gate.yaml:1), holds",
            "admit.body 2MiB or less (gate.yaml:1), holds",
        ]
    );
    assert_eq!(notes("other"), ["admit.body 2MiB or less (gate.yaml:1), holds"], "it signs no time");
}

/// What a vendor publishes need not be copied; what makes its requests ours has to be said.
#[test]
fn keys_of_a_vendor_are_fetched_unless_the_policy_has_them() {
    let google =
        "provider: google-pubsub, config: { audience: 'https://shop.example/a', email: a@b.iam.gserviceaccount.com }";
    let paypal = "provider: paypal, config: { webhook_id: W, accept: crc32 }";
    let sns = "provider: aws-sns, config: { topic_arns: 'arn:aws:sns:eu-west-1:123456789012:a' }";
    let messages =
        "provider: http-message-signatures, keys: k, config: { alg: ed25519, components: '@method content-digest' }";
    let text = |sender: &str, repeats: &str| {
        format!(
            "public_url: https://shop.example\nroutes: {{ r: {{ at: {{ path: /a }}, sender: {{ {sender} }}, repeats: {{ {repeats} }} }} }}\n\
             keys: {{ k: [{{ id: a, from: env:A }}] }}\ndestinations: {{ wordpress: {{ url: 'http://w/' }} }}\n"
        )
    };
    let (impossible, remember) = ("protection: impossible", "remember: 30d");
    for (sender, repeats, issuers) in
        [(google, impossible, 1), (paypal, remember, 0), (sns, remember, 0), (messages, "", 0)]
    {
        let compiled = compiled(&Source::one("gate.yaml", text(sender, repeats)));
        let policy = compiled.unwrap_or_else(|report| panic!("{report}")).policy;
        assert_eq!(policy.issuers.len(), issuers, "{sender}");
        let webhook = policy.routes[0].sender.webhook().unwrap();
        assert!(policy.issuers.iter().all(|issuer| issuer.name == webhook.keys()), "{sender}");
        let own = text(&format!("{sender}, keys: k").replace("keys: k, config", "config"), repeats);
        let own = compiled_or_panic(&own);
        assert!(own.issuers.is_empty() && own.keys.len() == 1, "{sender}: a policy's own keys are the only ones");
    }
    for (from, to, told) in [
        (google, google.replace(", email: a@b.iam.gserviceaccount.com", ""), "write `config: { email: ... }`"),
        (paypal, paypal.replace(", accept: crc32", ""), "write `config: { accept: ... }`"),
        (paypal, paypal.replace("accept: crc32", "accept: nothing"), "only CRC-32 is signed"),
        (sns, "provider: aws-sns".to_owned(), "write `config: { topic_arns: ... }`"),
        (messages, messages.replace("keys: k, ", ""), "`keys` is missing"),
        (messages, messages.replace("ed25519", "ed448"), "unknown algorithm `ed448`; known here: `hmac-sha256`"),
        (messages, messages.replace(" content-digest", ""), "nothing binds the body"),
        (messages, messages.replace("@method", "@status"), "`@status` is no part of a request"),
        (messages, messages.replace("alg:", "tags: a, alg:"), "asks nothing of this name"),
    ] {
        let repeats = if from == google {
            impossible
        } else if from == messages {
            ""
        } else {
            remember
        };
        let told_all = report(&text(&to, repeats));
        assert!(told_all.contains(told), "{to}: {told_all}");
    }
}

fn compiled_or_panic(text: &str) -> Policy {
    compiled(&Source::one("gate.yaml", text)).unwrap_or_else(|report| panic!("{text}{report}")).policy
}

/// After the end of an exception a gate that runs is as strict as the floor, and one that is checked says so.
#[test]
fn an_exception_ends_by_itself() {
    let text = "\
floor: { verify: { max_age: 10m }, admit: { body: 1MiB } }
routes:
  shop:
    at: { path: /a }
    sender: { provider: stripe, keys: k, max_age: 30m }
    exception: { from: verify.max_age, until: 2026-12-01 }
keys: { k: [{ id: a, from: env:A }] }
destinations: { wordpress: { url: 'http://w/' } }
";
    let at = |day: &str, ended_enforces: bool| {
        let overrides = Overrides { ended_enforces, ..Overrides::default() };
        let now = Timestamp::from_rfc3339(&format!("{day}T00:00:00Z")).unwrap();
        compile(&Source::one("gate.yaml", text), &Catalogue::embedded(), &overrides, now)
    };
    let window = |compiled: Compiled| match compiled.policy.routes[0].sender.webhook().unwrap().window() {
        Window::Signed { max_age, .. } => (max_age.as_secs() / 60, compiled.policy.changes_at.map(Timestamp::rfc3339)),
        Window::Unsigned { .. } => panic!("stripe signs a time"),
    };
    assert_eq!(window(at("2026-11-30", false).unwrap()), (30, Some("2026-12-01T00:00:00Z".to_owned())));
    assert_eq!(window(at("2026-12-01", true).unwrap()), (10, None));
    let report = at("2026-12-01", false).unwrap_err().to_string();
    assert!(report.contains("this exception has ended; take it out, and write `10m` or less"), "{report}");
}

#[test]
fn two_hundred_routes_in_classes_and_files_are_checked_in_a_moment() {
    let routes = |from: usize| {
        (from..from + 20).fold("routes:\n".to_owned(), |text, index| {
            format!(
                "{text}  r{index}: {{ class: event, owner: {{ team: t }}, at: {{ path: /hooks/{index}/ }}, sender: {{ provider: stripe, keys: shop }} }}\n"
            )
        })
    };
    let mut source = Source::one(
        "gate.yaml",
        "classes: { event: { admit: { body: 64KiB } } }\nkeys: { shop: [{ id: live, from: env:SHOP }] }\ndestinations: { wordpress: { url: 'http://w/' } }\n",
    );
    source.routes =
        (0..10).map(|file| TextFile { name: format!("routes/{file}.yaml"), text: routes(file * 20) }).collect();
    let compiled = compiled(&source).unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(compiled.policy.routes.len(), 200);
    assert!(compiled.policy.routes.iter().all(|route| route.admit.body_limit_bytes == 64 << 10), "of their class");
}

/// In braces and brackets a whole section stands in one line: where the line begins says nothing.
#[test]
fn what_has_another_form_in_braces_is_underlined_itself() {
    let language: serde_json::Value =
        serde_json::from_str(include_str!("../../policies/language/gate.schema.json")).unwrap();
    let keys: Vec<_> = language["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    assert!(keys.len() > 10, "{keys:?}");
    let nested =
        ["routes: { a: ", "routes: { a: { at: ", "routes: { a: { sender: ", "destinations: { a: ", "keys: { a: "]
            .into_iter()
            .chain(["listeners: [{ tls: ", "routes: { a: { admit: { method: ", "classes: { a: { limits: "]);
    let starts = keys.iter().map(|key| format!("{key}: ")).chain(nested.map(str::to_owned));
    for start in starts {
        let closed = |value: &str| {
            let ends = start.chars().rev().filter_map(|open| match open {
                '{' => Some(" }"),
                '[' => Some(" ]"),
                _ => None,
            });
            format!("{start}{value}{}", ends.collect::<String>())
        };
        let place = format!("gate.yaml:2:{}: needs ", start.len() + 1);
        let mut told = String::new();
        for value in ["[[1]]", "{ }", "[ ]", "{ a: { b: 1 } }"] {
            told += &report(&format!("# a comment\n{}\n", closed(value)));
        }
        assert!(told.contains(&place), "{start}: {place}\n{told}");
        let name = format!("gate.yaml:2:{}: needs ", name_at(&start));
        assert!(!told.contains(&name), "{start}: {name}\n{told}");
    }
}

/// The column of the last name in this.
fn name_at(start: &str) -> usize {
    let name = start.trim_end().trim_end_matches(':');
    name.rfind(' ').map_or(1, |before| before + 2)
}
