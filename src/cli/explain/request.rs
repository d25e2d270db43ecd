//! A request in a file: raw, as it went over the wire, or as a JSON object.

use crate::{
    clock::Timestamp,
    request::{Head, Target, Unverified},
    verdict::Rejection,
};
use anyhow::{Context as _, anyhow, bail};
use data_encoding::BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    net::{IpAddr, Ipv4Addr},
    path::Path,
};

/// No route takes more.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// A request as it was recorded.
pub(super) struct Recorded {
    /// Or why no gate would look further.
    pub(super) request: Result<Unverified, Rejection>,
    pub(super) method: String,
    /// Without the query: tokens stand in it.
    pub(super) path: String,
    /// When it came, if the record says so.
    pub(super) at: Option<Timestamp>,
    /// Why it was refused when it came, of one that the gate has kept.
    pub(super) kept: Option<Kept>,
}

/// What the gate noted of a request that it has kept.
pub(super) struct Kept {
    /// Why it was refused then.
    pub(super) code: String,
    /// Its body came and was not kept.
    pub(super) is_headless: bool,
}

/// In the form of `hookwarden verify`; whatever else is in it is not read.
#[derive(Deserialize)]
struct Line {
    #[serde(default = "post")]
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, Lines>,
    #[serde(default)]
    body_base64: String,
    now_unix: Option<i64>,
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

/// Reads it.
pub(super) fn read(path: &Path) -> anyhow::Result<Recorded> {
    let mut bytes = Vec::new();
    let failed = || format!("cannot read `{}`", path.display());
    if path.as_os_str() == "-" {
        io::stdin().lock().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(failed)?;
    } else {
        let file = File::open(path).with_context(failed)?;
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(failed)?;
    }
    if bytes.len() as u64 > FILE_BYTES_MAX {
        bail!("`{}` has more than {} MiB, and no route takes so much", path.display(), FILE_BYTES_MAX >> 20);
    }
    parse(&bytes).with_context(|| format!("`{}` is no request", path.display()))
}

fn parse(bytes: &[u8]) -> anyhow::Result<Recorded> {
    if bytes.trim_ascii_start().starts_with(b"{") { line(bytes) } else { raw(bytes) }
}

#[expect(clippy::disallowed_methods, reason = "a record of an operator's, not a sender's body")]
fn line(bytes: &[u8]) -> anyhow::Result<Recorded> {
    // What the reader would say has values of it, and they may be secret.
    let Line { method, url, headers, body_base64, now_unix } = serde_json::from_slice(bytes).map_err(|error| {
        anyhow!(
            "line {}, column {}: one JSON object is needed, with texts `method`, `url` and `body_base64`, an object `headers` of texts or lists of them, and a number `now_unix`",
            error.line(),
            error.column()
        )
    })?;
    let body = BASE64.decode(body_base64.as_bytes()).context("`body_base64` is no base64")?;
    let mut fields = Vec::new();
    for (name, lines) in headers {
        match lines {
            Lines::One(value) => fields.push((name, value.into_bytes())),
            Lines::Many(values) => fields.extend(values.into_iter().map(|value| (name.clone(), value.into_bytes()))),
        }
    }
    let at = now_unix.map(Timestamp::from_unix_s);
    made(&method, &url, fields, body, at)
}

/// The head's lines may end in CRLF or LF, as editors leave them; the body is everything behind the empty line.
fn raw(bytes: &[u8]) -> anyhow::Result<Recorded> {
    let ends = [b"\r\n\r\n".as_slice(), b"\n\n"].into_iter();
    let ends = ends.filter_map(|end| Some((find(bytes, end)?, end.len())));
    let (end, length) = ends.min_by_key(|(at, _)| *at).unwrap_or((bytes.len(), 0));
    let (head, body) = (bytes.get(..end).unwrap_or_default(), bytes.get(end + length..).unwrap_or_default());
    let mut lines = head.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let mut words = first.split(' ');
    let (Some(method), Some(target), version, None) = (words.next(), words.next(), words.next(), words.next()) else {
        bail!("{NO_REQUEST_LINE}");
    };
    if version.is_some_and(|version| !version.starts_with("HTTP/")) {
        bail!("{NO_REQUEST_LINE}");
    }
    let mut fields = Vec::new();
    for (number, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        let at = line.iter().position(|byte| *byte == b':').filter(|at| *at > 0);
        let (name, value) = at.and_then(|at| line.split_at_checked(at)).with_context(|| {
            format!("line {} of its head is no `Name: value`; between head and body stands an empty line", number + 2)
        })?;
        let name = String::from_utf8_lossy(name).into_owned();
        if name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("its body is in chunks; save it without them, and take `{name}` out of the head");
        }
        fields.push((name, value.get(1..).unwrap_or_default().to_vec()));
    }
    made(method, target, fields, body.to_vec(), None)
}

/// What stands there instead is not shown: it may be a field with a secret in it.
const NO_REQUEST_LINE: &str =
    "its first line is none of a request; write something such as `POST /hooks/shop HTTP/1.1`";

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn made(
    method: &str,
    url: &str,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    at: Option<Timestamp>,
) -> anyhow::Result<Recorded> {
    let mut headers = HeaderMap::new();
    // What stands where a name is due is not shown: it may be a body, or a secret.
    for (number, (name, value)) in (1..).zip(fields) {
        let field = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| anyhow!("the name of header {number} is none; between head and body stands an empty line"))?;
        let value = HeaderValue::from_bytes(value.trim_ascii());
        let value = value.map_err(|_| anyhow!("the value of `{field}` is none of a header"))?;
        headers.append(field, value);
    }
    let (authority, target) = match url.split_once("://") {
        Some((_, rest)) => rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())),
        None => ("", url),
    };
    let target = target.split('#').next().unwrap_or_default();
    let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    let said = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(str::to_owned);
    let host = said.unwrap_or_else(|| authority.to_owned());
    let verb = Method::from_bytes(method.as_bytes()).map_err(|_| anyhow!("its first word is no method"))?;
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let client = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let request = Target::parse(&target).map(|target| {
        let head = Head { method: verb.clone(), target, host, headers, client };
        Unverified { head, raw: body.into() }
    });
    Ok(Recorded { request, method: verb.to_string(), path, at, kept: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &[u8]) -> Unverified {
        parse(text).unwrap().request.unwrap()
    }

    #[test]
    fn a_raw_request_has_its_body_byte_for_byte() {
        for head in ["POST /a?b HTTP/1.1\r\nHost: x\r\nA:  b \r\n\r\n", "POST /a?b HTTP/1.1\nHost: x\nA: b\n\n"] {
            let request = parsed(&[head.as_bytes(), b"\r\n\r\n{}\n"].concat());
            assert_eq!((&request.raw[..], request.head.target.raw()), (&b"\r\n\r\n{}\n"[..], "/a?b"));
            assert_eq!((request.head.sole("a"), request.head.host.as_str()), (Some("b"), "x"));
        }
        assert!(parsed(b"GET https://shop.example/a").raw.is_empty());
        assert_eq!(parsed(b"GET https://shop.example/a").head.host, "shop.example");
    }

    #[test]
    fn a_json_object_is_one_too_and_repeats_what_it_lists() {
        let request = parsed(br#" {"url":"https://s/a","headers":{"a":["1","2"]},"body_base64":"e30=","id":7}"#);
        assert_eq!((&request.raw[..], request.head.method.as_str()), (&b"{}"[..], "POST"));
        assert_eq!(request.head.headers.get_all("a").iter().count(), 2);
    }

    #[test]
    fn what_is_no_request_is_told_with_a_way_out() {
        for (text, told) in [
            ("hello", "write something such as `POST /hooks/shop HTTP/1.1`"),
            ("POST /a HTTP/1.1\nnothing\n\n", "line 2 of its head is no `Name: value`"),
            ("POST /a HTTP/1.1\nTransfer-Encoding: chunked\n\n", "its body is in chunks"),
            ("{", "one JSON object is needed"),
            (r#"{"url":"/","body_base64":"%"}"#, "is no base64"),
        ] {
            let error = parse(text.as_bytes()).err().map(|error| format!("{error:#}")).unwrap_or_default();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
