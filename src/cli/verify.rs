//! `hookwarden verify`: would the gate believe these recorded requests?

use super::out::out;
use crate::{
    answer::{self, Answer},
    clock::Timestamp,
    repeat::Window,
    request::{Head, Target, Unverified},
    secret::Secret,
    verdict::Rejection,
    verify::{
        Catalogue, Config, Greeting, Key, Keys, PUBLISHED, Provider, Webhook, certificates::Certificates, verify,
    },
};
use anyhow::Context as _;
use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Write as _},
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Requests, a JSON object a line: id, scheme, secrets or `public_keys`, method, url, headers, `body_base64`, `now_unix`,
    /// `tolerance_s`, config; `-` reads standard input. A line with id, accepted and code comes out for each, and with id
    /// and answer for a validation call; a refusal is no failure (exit code 0), a line that cannot be judged is one (3)
    #[arg(long, value_name = "FILE")]
    requests: PathBuf,
}

/// A recorded request, its keys and its clock. Members that judge it (`expect`, `why`) are not read.
#[derive(Deserialize)]
struct Recorded {
    id: Value,
    scheme: String,
    #[serde(default)]
    secrets: Vec<String>,
    #[serde(default)]
    public_keys: Vec<String>,
    /// What an operator would have configured for the sender; other members than texts are not its scheme's.
    #[serde(default)]
    config: BTreeMap<String, Value>,
    #[serde(default = "post")]
    method: String,
    #[serde(default = "root")]
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, Lines>,
    #[serde(default)]
    body_base64: String,
    now_unix: i64,
    #[serde(default)]
    tolerance_s: Option<u64>,
}

/// One field line, or several.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lines {
    One(String),
    Many(Vec<String>),
}

fn post() -> String {
    "POST".to_owned()
}

fn root() -> String {
    "/".to_owned()
}

/// Runs it. Exit code 3 if a line could not be judged: it cannot be read, or names no known scheme, or its body
/// is no base64. A refusal is a judgement.
///
/// # Errors
/// The file cannot be read, or standard output is closed.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let input: Box<dyn BufRead> = if args.requests.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(&args.requests);
        Box::new(BufReader::new(opened.with_context(|| format!("cannot open `{}`", args.requests.display()))?))
    };
    let catalogue = Catalogue::embedded();
    let mut out = out();
    let (mut lines, mut unjudged) = (0_u64, 0_u64);
    for line in input.split(b'\n') {
        let line = line.context("cannot read the requests")?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        lines += 1;
        let (id, verdict) = match read(&line) {
            Ok(recorded) => {
                let judged = judge(&catalogue, &recorded);
                if let Ok(Judged::Greeted(greeting)) = &judged {
                    writeln!(out, "{}", json!({ "id": recorded.id, "answer": told(greeting) }))?;
                    continue;
                }
                (recorded.id.clone(), judged.map(|_| ()))
            }
            Err(why) => {
                let _ = writeln!(io::stderr(), "line {lines}: {why}");
                (id_of(&line), Err("unreadable_line"))
            }
        };
        let code = verdict.err().unwrap_or("ok");
        unjudged += u64::from(UNJUDGED.contains(&code));
        writeln!(out, "{}", json!({ "id": id, "accepted": verdict.is_ok(), "code": code }))?;
    }
    out.flush()?;
    if unjudged > 0 {
        let _ = writeln!(io::stderr(), "{unjudged} of {lines} lines could not be judged");
        return Ok(ExitCode::from(super::EXIT_NOT_IN_ORDER));
    }
    Ok(ExitCode::SUCCESS)
}

/// What a recorded request is.
enum Judged {
    Believed,
    /// A validation call.
    Greeted(Greeting),
}

/// The answer to a validation call, as its vendor hears it.
fn told(greeting: &Greeting) -> Value {
    let Answer { status, content_type, body, field, wanted, .. } = answer::greeting(greeting);
    let content_type = (!content_type.is_empty()).then(|| ("content-type".to_owned(), json!(content_type)));
    let field = field.map(|(name, value)| (name.to_owned(), text(&value)));
    let wanted = wanted.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    let headers: serde_json::Map<_, _> = content_type.into_iter().chain(field).chain(wanted).collect();
    json!({ "status": status.as_u16(), "headers": headers, "body_base64": BASE64.encode(&body) })
}

fn text(value: &HeaderValue) -> Value {
    json!(String::from_utf8_lossy(value.as_bytes()))
}

/// Codes of lines that are no recorded request of a sender that is known here.
const UNJUDGED: [&str; 3] = ["unreadable_line", "unknown_scheme", "body_not_base64"];

/// What is judged here was recorded by its owner, and is no request: a lenient reader will do.
#[expect(clippy::disallowed_methods, reason = "a line of a tool's file, not a sender's body")]
fn read(line: &[u8]) -> Result<Recorded, String> {
    // What the reader itself would say has values of the line in it, and they may be secret.
    let told = |error: serde_json::Error| match error.classify() {
        serde_json::error::Category::Data => {
            format!("at column {} stands another type than is due, or something is missing", error.column())
        }
        _ => error.to_string(),
    };
    serde_json::from_slice(line).map_err(told)
}

#[expect(clippy::disallowed_methods, reason = "a line of a tool's file, not a sender's body")]
fn id_of(line: &[u8]) -> Value {
    let line: Option<Value> = serde_json::from_slice(line).ok();
    line.and_then(|line| line.get("id").cloned()).unwrap_or(Value::Null)
}

/// The name of the keys and of the route in a judgement of one request.
const RECORDED: &str = "recorded";

/// The name of the words that a validation call may say, and of the member of `config` that has one.
const TOKENS: &str = "recorded/verify_token";
const VERIFY_TOKEN: &str = "verify_token";

/// The member of `config` that opens calls which hand over a key.
const ARMED: &str = "armed";

/// `box` and `qstash` have two keys at once, and call the second so.
const SECOND_KEYS: [&str; 2] = ["secondary_key", "next_key"];

fn judge(catalogue: &Catalogue, recorded: &Recorded) -> Result<Judged, &'static str> {
    let provider = catalogue.find(&recorded.scheme).ok_or("unknown_scheme")?;
    let config: Config =
        recorded.config.iter().filter_map(|(name, value)| Some((name.clone(), text_of(value)?))).collect();
    let second = SECOND_KEYS.iter().filter_map(|name| config.get(*name));
    let words = config.get(VERIFY_TOKEN);
    let keys = keys(provider, words, recorded.secrets.iter().chain(&recorded.public_keys).chain(second))?;
    let request = request(recorded)?;
    let window = window(provider, recorded.tolerance_s);
    let public = recorded.url.find("://").map(|scheme| {
        let path = recorded.url.get(scheme + 3..).and_then(|rest| rest.find('/'));
        let end = path.map_or(recorded.url.len(), |path| scheme + 3 + path);
        recorded.url.get(..end).unwrap_or_default().to_owned()
    });
    let now = Timestamp::from_unix_s(recorded.now_unix);
    let fetched = fetched(recorded, now);
    let (name, keys) = match fetched {
        Some(certificates) => (format!("{PUBLISHED}/{RECORDED}"), keys.with_certificates(certificates)),
        None => (RECORDED.to_owned(), keys),
    };
    let sender = Webhook::for_tools(RECORDED, provider.clone(), &name, window, public).configured(config);
    let sender = sender.greeting(&provider.handshakes, TOKENS);
    let is_armed = recorded.config.get(ARMED) == Some(&Value::Bool(true));
    let greeting = sender.greet_stranger(&keys, &request, now);
    if let Some(greeting) = greeting.filter(|it| it.unfit.is_none() && (is_armed || it.handed.is_none())) {
        return Ok(Judged::Greeted(greeting));
    }
    let verified = verify(&sender, &keys, request, now).map_err(|refusal| refusal.code())?;
    Ok(sender.greet(&keys, &verified, now).map_or(Judged::Believed, Judged::Greeted))
}

/// A text, or a list of texts with blanks between them.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let texts: Option<Vec<_>> = items.iter().map(Value::as_str).collect();
            Some(texts?.join(" "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// What a fetch would bring, if the line says: a certificate by its URL, or which of the `public_keys` it is. It is believed as it
/// stands.
fn fetched(recorded: &Recorded, now: Timestamp) -> Option<Arc<Certificates>> {
    let certificates = Arc::new(Certificates::default());
    for (url, content) in recorded.config.get("cert_url_content")?.as_object()? {
        let content = content.as_str()?;
        let number = content.strip_prefix("public_keys[").and_then(|rest| rest.strip_suffix(']'));
        let key = number.and_then(|number| recorded.public_keys.get(number.parse::<usize>().ok()?));
        certificates.keep(url, key.map_or(content, String::as_str), now);
    }
    Some(certificates)
}

/// What a sender's own library checks may be less than what the gate does: it keeps its own limit of the future.
fn window(provider: &Provider, tolerance_s: Option<u64>) -> Window {
    match provider.max_age {
        Some(max_age) => Window::Signed {
            max_age: tolerance_s.map_or(max_age, Duration::from_secs),
            max_future: provider.max_future,
        },
        None => Window::Unsigned { remember: provider.retry_horizon },
    }
}

fn keys<'a>(
    provider: &Arc<Provider>,
    word: Option<&String>,
    texts: impl Iterator<Item = &'a String>,
) -> Result<Keys, &'static str> {
    let mut named = Vec::new();
    for (number, text) in texts.enumerate() {
        let secret = provider.scheme.exact_key(text).map_err(|_| "bad_secret")?;
        named.push(Key { id: number.to_string(), secret, retire: None });
    }
    let memory = Secret::new(RECORDED).map_err(|_| "bad_secret")?;
    let mut lists = BTreeMap::from([(RECORDED.to_owned(), named)]);
    if let Some(word) = word {
        let secret = Secret::new(word.as_str()).map_err(|_| "bad_secret")?;
        lists.insert(TOKENS.to_owned(), vec![Key { id: VERIFY_TOKEN.to_owned(), secret, retire: None }]);
    }
    Ok(Keys::new(memory, lists))
}

/// A request that HTTP itself refuses never comes as far as a signature.
fn request(recorded: &Recorded) -> Result<Unverified, &'static str> {
    let mut headers = HeaderMap::new();
    for (name, lines) in &recorded.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| "head_refused")?;
        let lines = match lines {
            Lines::One(line) => std::slice::from_ref(line),
            Lines::Many(lines) => lines.as_slice(),
        };
        for line in lines {
            let value = HeaderValue::from_bytes(line.trim_matches([' ', '\t']).as_bytes());
            headers.append(name.clone(), value.map_err(|_| "head_refused")?);
        }
    }
    let (host, target) = match recorded.url.split_once("://") {
        Some((_, rest)) => rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())),
        None => ("", recorded.url.as_str()),
    };
    let target = target.split('#').next().unwrap_or_default();
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    let head = Head {
        method: Method::from_bytes(recorded.method.as_bytes()).map_err(|_| "head_refused")?,
        target: Target::parse(&target).map_err(Rejection::code)?,
        host: host.to_owned(),
        headers,
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    let raw = BASE64.decode(recorded.body_base64.as_bytes()).map_err(|_| "body_not_base64")?;
    Ok(Unverified { head, raw: raw.into() })
}
