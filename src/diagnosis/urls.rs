//! Which URL could have been signed?

use super::{
    Cause,
    cause::{Area, By, Code},
    entry::Entry,
};
use crate::request::{Head, Target, target::php};
use http::Method;
use std::collections::BTreeSet;

/// First segments of a path that a proxy could have put there.
const SEGMENTS_MAX: usize = 3;
/// No site is known by more names in one request.
const HOSTS_MAX: usize = 5;

/// In which proxies say what was asked for before they changed it.
const ORIGINALS: [&str; 6] = [
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
    "x-forwarded-uri",
    "x-forwarded-path",
    "x-envoy-original-path",
];

/// Shows every other URL, as a base and a head. The query is never told: tokens stand in it.
pub(super) fn each(
    head: &Head,
    public_url: Option<&str>,
    entry: &Entry,
    mut visit: impl FnMut(Cause, Option<&str>, Head),
) {
    let (url, path) = (entry.signs_url(), entry.signs("path"));
    if url {
        bases(head, public_url, |cause, base| visit(cause, Some(base), head.clone()));
    }
    if url || path {
        targets(head, |cause, target| visit(cause, public_url, Head { target, ..head.clone() }));
    }
    if entry.signs("method") || entry.is_message() {
        for method in [Method::POST, Method::GET, Method::PUT].into_iter().filter(|method| *method != head.method) {
            let what = format!("the method {method} was signed, and {} came", head.method);
            let mend = "whatever changes the method on the way (an override header, a redirect) must not";
            let cause = Cause::new(Code::UrlMethod, Area::Url, By::Proxy, what, mend);
            visit(cause, public_url, Head { method, ..head.clone() });
        }
    }
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Base {
    scheme: String,
    host: String,
    port: Option<String>,
}

impl Base {
    fn of(url: &str) -> Option<Self> {
        let (scheme, authority) = url.trim_end_matches('/').split_once("://")?;
        let (host, port) = authority_of(authority);
        Some(Self { scheme: scheme.to_owned(), host, port })
    }

    fn written(&self) -> String {
        let port = self.port.as_ref().map_or_else(String::new, |port| format!(":{port}"));
        format!("{}://{}{port}", self.scheme, self.host)
    }
}

/// With `www.` before it, or without.
fn aliased(host: &str) -> String {
    host.strip_prefix("www.").map_or_else(|| format!("www.{host}"), str::to_owned)
}

fn authority_of(authority: &str) -> (String, Option<String>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (host.to_owned(), Some(port.to_owned()))
        }
        _ => (authority.to_owned(), None),
    }
}

fn bases(head: &Head, public_url: Option<&str>, mut visit: impl FnMut(Cause, &str)) {
    let ours = public_url.and_then(Base::of);
    let field = |name: &str| head.sole(name).and_then(|value| value.split(',').next()).map(str::trim);
    let authorities = [field("x-forwarded-host"), Some(head.host.as_str()), head.target.authority()];
    let own = ours.iter().map(|base| (base.host.clone(), base.port.clone()));
    // What a site is known by beside its name, mostly.
    let alias = ours.iter().map(|base| (aliased(&base.host), base.port.clone()));
    let named = authorities.into_iter().flatten().filter(|name| is_authority(name)).map(authority_of);
    let known: Vec<_> = own.chain(alias).chain(named).take(HOSTS_MAX).collect();
    let mut hosts: Vec<&String> = Vec::new();
    let mut ports: Vec<Option<String>> = Vec::new();
    for (host, port) in &known {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
        if !ports.contains(port) {
            ports.push(port.clone());
        }
    }
    let forwarded = field("x-forwarded-port").filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    for port in [None, forwarded, Some("443"), Some("80")] {
        let port = port.map(str::to_owned);
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    let mut all = Vec::new();
    for scheme in ["https", "http"] {
        for host in &hosts {
            for port in &ports {
                all.push(Base { scheme: scheme.to_owned(), host: (*host).clone(), port: port.clone() });
            }
        }
    }
    // The fewest differences first: of two that hold, that is what went wrong.
    all.sort_by_key(|base| ours.as_ref().map_or(0, |ours| differences(base, ours).len()));
    for base in all.iter().filter(|base| Some(*base) != ours.as_ref()) {
        visit(cause(base, ours.as_ref()), &base.written());
    }
}

fn differences(base: &Base, ours: &Base) -> Vec<Code> {
    let all = [
        (base.scheme != ours.scheme, Code::UrlScheme),
        (base.host != ours.host, Code::UrlHost),
        (base.port != ours.port, Code::UrlPort),
    ];
    all.into_iter().filter(|(differs, _)| *differs).map(|(_, code)| code).collect()
}

fn cause(base: &Base, ours: Option<&Base>) -> Cause {
    let written = base.written();
    let code = match ours.map(|ours| differences(base, ours)).as_deref() {
        Some([one]) => *one,
        _ => Code::UrlSite,
    };
    let public = ours.map_or_else(|| "is not said".to_owned(), |ours| format!("is `{}`", ours.written()));
    let what = format!("the URL was signed with `{written}`, and `public_url` {public}");
    let mend = if base.scheme == "http" && ours.is_some_and(|ours| ours.scheme == "https") {
        format!(
            "give the sender the URL with `{}`, in its settings; what is sent with `http` everybody on the way can read",
            ours.map(Base::written).unwrap_or_default()
        )
    } else {
        let other = ours.map_or_else(|| "another URL".to_owned(), |ours| format!("the URL with `{}`", ours.written()));
        format!(
            "give the sender {other}, in its settings; or, if the site is called so outside, write `public_url: {written}`"
        )
    };
    Cause::new(code, Area::Url, By::Both, what, mend)
}

/// What comes in a header and is printed: a name or an address, and a port.
fn is_authority(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte))
}

fn targets(head: &Head, mut visit: impl FnMut(Cause, Target)) {
    let (path, query) = (head.target.path(), head.target.query());
    let raw = head.target.raw();
    let mut seen = BTreeSet::from([raw.to_owned()]);
    let mut show = |code, by, what: String, mend: &str, text: String| {
        let Ok(target) = Target::parse(&text) else { return };
        if seen.insert(text) {
            visit(Cause::new(code, Area::Url, by, what, mend), target);
        }
    };
    let whole = |path: &str, query: &str| if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let passed = PASSED;
    let settings = "give the sender the URL exactly as it arrives, in its settings";
    match path.strip_suffix('/') {
        Some(bare) if !bare.is_empty() => {
            let what = "the path was signed without the `/` at its end".to_owned();
            show(Code::UrlPath, By::Sender, what, settings, whole(bare, query));
        }
        _ => {
            let what = "the path was signed with a `/` at its end".to_owned();
            show(Code::UrlPath, By::Sender, what, settings, whole(&format!("{path}/"), query));
        }
    }
    let mut rest = path;
    for _ in 0..SEGMENTS_MAX {
        let Some(at) = rest.get(1..).and_then(|after| after.find('/')) else { break };
        rest = rest.get(at + 1..).unwrap_or_default();
        let added = path.strip_suffix(rest).unwrap_or_default();
        let what = format!("the path was signed without `{added}` at its beginning");
        show(Code::UrlPath, By::Proxy, what, passed, whole(rest, query));
    }
    if let Some(prefix) = head.sole("x-forwarded-prefix").filter(|prefix| prefix.starts_with('/')) {
        let what = "the path was signed with what `x-forwarded-prefix` says before it".to_owned();
        show(Code::UrlPath, By::Proxy, what, passed, whole(&format!("{}{path}", prefix.trim_end_matches('/')), query));
    }
    for name in ORIGINALS {
        let Some(original) = head.sole(name).filter(|value| value.starts_with('/')) else { continue };
        let what = format!("another target was signed than the one that came: the one that `{name}` says");
        show(Code::UrlPath, By::Proxy, what, passed, original.to_owned());
    }
    if !query.is_empty() {
        let without = "the URL was signed without its query".to_owned();
        show(
            Code::UrlQuery,
            By::Sender,
            without,
            "give the sender the URL without a query, or let nothing add one",
            path.to_owned(),
        );
        let written = [
            (query.replace('+', "%20"), "with blanks as `%20`"),
            (query.replace("%20", "+"), "with blanks as `+`"),
            (String::from_utf8_lossy(&php::decode(query.as_bytes())).into_owned(), "decoded"),
            (cased(query, true), "with escapes in capital letters"),
            (cased(query, false), "with escapes in small letters"),
        ];
        for (other, how) in written {
            show(Code::UrlQuery, By::Proxy, format!("the query was signed {how}"), passed, whole(path, &other));
        }
        for other in orders(query) {
            let what = "the query was signed in another order".to_owned();
            show(Code::UrlQuery, By::Proxy, what, passed, whole(path, &other));
        }
    }
    for (other, how) in [(cased(path, true), "capital"), (cased(path, false), "small")] {
        let what = format!("the path was signed with escapes in {how} letters");
        show(Code::UrlPath, By::Proxy, what, passed, whole(&other, query));
    }
    let decoded = String::from_utf8_lossy(&php::unescape(path.as_bytes())).into_owned();
    show(Code::UrlPath, By::Proxy, "the path was signed decoded".to_owned(), passed, whole(&decoded, query));
}

/// Up to so many parameters are put into every order: 24 of them.
const REORDERED_MAX: usize = 4;

/// The same parameters in other orders: of few, in every one; else sorted, and the other way round.
fn orders(query: &str) -> Vec<String> {
    let pieces: Vec<&str> = query.split('&').collect();
    let mut sorted = pieces.clone();
    sorted.sort_unstable();
    let mut found = vec![sorted.clone(), pieces.iter().rev().copied().collect()];
    if pieces.len() <= REORDERED_MAX {
        let mut begun: Vec<Vec<&str>> = vec![Vec::new()];
        for piece in pieces {
            let mut longer = Vec::new();
            for order in &begun {
                for at in 0..=order.len() {
                    let mut order = order.clone();
                    order.insert(at, piece);
                    longer.push(order);
                }
            }
            begun = longer;
        }
        found.extend(begun);
    }
    found.into_iter().map(|pieces| pieces.join("&")).collect()
}

/// The URL as the gate has it.
pub(super) fn full(base: &str, head: &Head) -> String {
    format!("{}{}", base.trim_end_matches('/'), head.target.raw())
}

/// The URL that a token says it was made for is another one than this: what differs. `None` if it is no URL.
pub(super) fn compared(claimed: &str, public_url: Option<&str>, head: &Head) -> Option<Cause> {
    let at = claimed.strip_prefix("https://").or_else(|| claimed.strip_prefix("http://")).map(str::len)?;
    let at = claimed.len() - at;
    let end = claimed.get(at..).and_then(|rest| rest.find(['/', '?'])).map_or(claimed.len(), |end| at + end);
    let (site, target) = claimed.split_at_checked(end)?;
    let ours = public_url.and_then(Base::of);
    let base = Base::of(site).filter(|base| is_authority(&base.host))?;
    if Some(&base) != ours.as_ref() {
        return Some(cause(&base, ours.as_ref()));
    }
    let path = target.split('?').next().unwrap_or_default();
    let (code, what) = if path == head.target.path() {
        (Code::UrlQuery, "the URL was signed with another query than the one that came".to_owned())
    } else {
        (Code::UrlPath, format!("the path was signed as `{path}`, and `{}` came", head.target.path()))
    };
    Some(Cause::new(code, Area::Url, By::Proxy, what, PASSED))
}

const PASSED: &str = "whatever stands before the gate must pass path and query as they came";

/// With the letters of each escape in this case.
fn cased(text: &str, upper: bool) -> String {
    let mut left = 0;
    let mut one = |letter: char| {
        if letter == '%' {
            left = 2;
            return letter;
        }
        if left == 0 {
            return letter;
        }
        left -= 1;
        if upper { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
    };
    text.chars().map(&mut one).collect()
}
