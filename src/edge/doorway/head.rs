//! What must a request head look like? Pingora 0.9.1 lets most of what is refused here through, and some of it
//! verbatim. One table for both protocols: what two parsers could read in two ways reaches nobody.

use crate::policy::EdgeLimits;
use http::{StatusCode, Uri};

/// A head that was refused. The rule is for logs and counters; the client hears the status and its public code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edge) struct Refusal {
    pub(in crate::edge) rule: &'static str,
    pub(in crate::edge) status: StatusCode,
}

pub(super) const TOO_LARGE: Refusal = refusal("head_too_large", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
pub(super) const TARGET_TOO_LONG: Refusal = refusal("target_too_long", StatusCode::URI_TOO_LONG);
pub(super) const TOO_SLOW: Refusal = refusal("head_too_slow", StatusCode::REQUEST_TIMEOUT);
/// Of the body that came with the head.
pub(super) const CHUNK_MALFORMED: Refusal = refusal("chunk_malformed", StatusCode::BAD_REQUEST);
/// What the table lets pass and Pingora's own parser does not.
pub(super) const UNREAD: Refusal = refusal("parser_disagrees", StatusCode::BAD_REQUEST);
const BARE_LF: Refusal = refusal("line_ends_without_cr", StatusCode::BAD_REQUEST);
const BAD_LINE: Refusal = refusal("not_a_field_line", StatusCode::BAD_REQUEST);
const BAD_START: Refusal = refusal("not_a_request_line", StatusCode::BAD_REQUEST);

/// Longer than any method that is registered.
const METHOD_BYTES: usize = 20;
/// 18 digits fit an `i64`, whoever parses it.
const LENGTH_DIGITS: usize = 18;
/// Pingora refuses more options than this in one `Connection`.
const CONNECTION_OPTIONS: usize = 9;
/// `http://` and `https://` with a host name, before the target proper.
const AUTHORITY_BYTES: usize = 300;

/// How a head was framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::edge) enum Wording<'a> {
    /// HTTP/1, with the version as it was written.
    Line(&'a [u8]),
    /// HTTP/2, with its `:authority`.
    Pseudo(Option<&'a [u8]>),
}

/// A head, split and not yet believed.
#[derive(Debug)]
pub(in crate::edge) struct Head<'a> {
    pub(in crate::edge) method: &'a [u8],
    pub(in crate::edge) target: &'a [u8],
    pub(in crate::edge) wording: Wording<'a>,
    pub(in crate::edge) fields: Vec<(&'a [u8], &'a [u8])>,
}

struct Rule {
    refusal: Refusal,
    broken: fn(&Head<'_>, &EdgeLimits) -> bool,
}

/// Every rule, in the order in which they are asked.
const RULES: &[Rule] = &[
    rule("version_unknown", StatusCode::HTTP_VERSION_NOT_SUPPORTED, |h, _| !h.is_known()),
    rule("method_malformed", StatusCode::BAD_REQUEST, |h, _| !is_method(h.method)),
    rule("method_refused", StatusCode::METHOD_NOT_ALLOWED, |h, _| REFUSED_METHODS.contains(&h.method)),
    rule("target_too_long", StatusCode::URI_TOO_LONG, |h, l| h.origin_form().len() > l.target_bytes),
    rule("target_malformed", StatusCode::BAD_REQUEST, |h, _| !h.has_target()),
    rule("too_many_fields", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, |h, l| h.fields.len() > l.fields),
    rule("field_too_long", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, |h, l| {
        h.fields.iter().any(|(name, value)| name.len() > NAME_BYTES || value.len() > l.field_bytes)
    }),
    rule("length_and_coding", StatusCode::BAD_REQUEST, |h, _| {
        h.count("content-length") > 0 && h.count("transfer-encoding") > 0
    }),
    rule("length_repeated", StatusCode::BAD_REQUEST, |h, _| h.count("content-length") > 1),
    rule("length_malformed", StatusCode::BAD_REQUEST, |h, _| !h.all("content-length", is_length)),
    rule("coding_repeated", StatusCode::BAD_REQUEST, |h, _| h.count("transfer-encoding") > 1),
    rule("coding_out_of_place", StatusCode::BAD_REQUEST, |h, _| !h.is_11() && h.count("transfer-encoding") > 0),
    rule("coding_unknown", StatusCode::NOT_IMPLEMENTED, |h, _| {
        !h.all("transfer-encoding", |value| value.eq_ignore_ascii_case(b"chunked"))
    }),
    rule("host_missing", StatusCode::BAD_REQUEST, |h, _| h.needs_host() && h.authority().is_none()),
    rule("host_repeated", StatusCode::BAD_REQUEST, |h, _| h.count("host") > 1),
    rule("host_malformed", StatusCode::BAD_REQUEST, |h, _| {
        !h.all("host", is_host) || h.target_authority().is_some_and(|authority| !is_host(authority))
    }),
    rule("two_hosts", StatusCode::BAD_REQUEST, |h, _| {
        h.target_authority().is_some_and(|authority| !h.all("host", |host| host.eq_ignore_ascii_case(authority)))
    }),
    rule("connection_in_http_2", StatusCode::BAD_REQUEST, |h, _| h.is_2() && h.has_connection_fields()),
    rule("connection_names_a_field", StatusCode::BAD_REQUEST, |h, _| !h.all("connection", names_no_field)),
    rule("expect_unknown", StatusCode::EXPECTATION_FAILED, |h, _| {
        !h.all("expect", |value| value.eq_ignore_ascii_case(b"100-continue"))
    }),
];

/// CONNECT asks for a tunnel, TRACE and TRACK for an echo of what may be secret, PURGE empties caches.
const REFUSED_METHODS: [&[u8]; 4] = [b"CONNECT", b"TRACE", b"TRACK", b"PURGE"];
/// No registered field name is a third as long.
const NAME_BYTES: usize = 256;

/// Holds a whole HTTP/1 head, with its empty line, against every rule. True if chunks follow it.
pub(super) fn check_h1(head: &[u8], limits: &EdgeLimits) -> Result<bool, Refusal> {
    let head = split(head)?;
    check(&head, limits)?;
    Ok(head.count("transfer-encoding") > 0)
}

/// Holds a head of either protocol against every rule.
pub(in crate::edge) fn check(head: &Head<'_>, limits: &EdgeLimits) -> Result<(), Refusal> {
    RULES.iter().find(|rule| (rule.broken)(head, limits)).map_or(Ok(()), |rule| Err(rule.refusal))
}

/// Where the head ends, looking only at what came after `scanned` bytes.
pub(super) fn end(bytes: &[u8], scanned: usize) -> Result<Option<usize>, Refusal> {
    for (at, _) in bytes.iter().enumerate().skip(scanned).filter(|(_, byte)| **byte == b'\n') {
        match bytes.get(..=at).unwrap_or_default() {
            [.., b'\r', b'\n', b'\r', b'\n'] => return Ok(Some(at + 1)),
            [.., b'\r', b'\n'] => {}
            _ => return Err(BARE_LF),
        }
    }
    Ok(None)
}

/// Method and path of a head that was refused, as far as they can be told, for the log.
pub(super) fn summary(head: &[u8]) -> Option<(http::Method, String)> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = line.split(|byte| *byte == b' ');
    let method = words.next().filter(|method| is_method(method))?;
    let path = words.next()?.split(|byte| *byte == b'?').next()?;
    let path: String = path.escape_ascii().take(PATH_SHOWN_BYTES).map(char::from).collect();
    Some((http::Method::from_bytes(method).ok()?, path))
}

/// Enough to know it again.
const PATH_SHOWN_BYTES: usize = 200;

fn split(head: &[u8]) -> Result<Head<'_>, Refusal> {
    let lines = head.strip_suffix(b"\r\n\r\n").ok_or(BAD_START)?;
    let mut lines = lines.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let start: Vec<_> = lines.next().unwrap_or_default().split(|byte| *byte == b' ').collect();
    let [method, target, version] = *start.as_slice() else { return Err(BAD_START) };
    let fields = lines.map(field).collect::<Option<_>>().ok_or(BAD_LINE)?;
    Ok(Head { method, target, wording: Wording::Line(version), fields })
}

/// No folding, no space before the colon, no control byte (bare CR and NUL among them).
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let value = value.strip_prefix(b":")?.trim_ascii();
    let clean = !value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t');
    (clean && !name.is_empty() && name.iter().all(|byte| is_token(*byte))).then_some((name, value))
}

impl<'a> Head<'a> {
    fn is_known(&self) -> bool {
        self.is_2() || self.is_11() || self.wording == Wording::Line(b"HTTP/1.0")
    }

    fn is_11(&self) -> bool {
        self.wording == Wording::Line(b"HTTP/1.1")
    }

    fn is_2(&self) -> bool {
        matches!(self.wording, Wording::Pseudo(_))
    }

    /// HTTP/1.0 knew no Host: such a request is for the one site that stands behind the gate.
    fn needs_host(&self) -> bool {
        self.is_11() || self.is_2()
    }

    fn authority(&self) -> Option<&[u8]> {
        self.target_authority().or_else(|| self.values("host").next())
    }

    /// Of an absolute-form target, or `:authority`.
    fn target_authority(&self) -> Option<&'a [u8]> {
        match self.wording {
            Wording::Pseudo(authority) => authority,
            Wording::Line(_) => absolute(self.target).map(|(authority, _)| authority),
        }
    }

    /// The target without scheme and authority.
    fn origin_form(&self) -> &'a [u8] {
        match (self.wording, absolute(self.target)) {
            (Wording::Line(_), Some((_, rest))) => rest,
            (Wording::Line(_) | Wording::Pseudo(_), _) => self.target,
        }
    }

    fn has_target(&self) -> bool {
        if self.target == b"*" {
            return self.method == b"OPTIONS";
        }
        self.target.len() <= self.origin_form().len() + AUTHORITY_BYTES && is_target(self.origin_form())
    }

    /// RFC 9113 section 8.2.2.
    fn has_connection_fields(&self) -> bool {
        const FIELDS: [&str; 5] = ["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"];
        FIELDS.iter().any(|name| self.count(name) > 0) || !self.all("te", |value| value == b"trailers")
    }

    fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'a [u8]> + 'h {
        let named = move |(n, _): &&(&[u8], &[u8])| n.eq_ignore_ascii_case(name.as_bytes());
        self.fields.iter().filter(named).map(|(_, value)| *value)
    }

    fn count(&self, name: &str) -> usize {
        self.values(name).count()
    }

    fn all(&self, name: &str, good: impl Fn(&[u8]) -> bool) -> bool {
        self.values(name).all(good)
    }
}

/// Authority and the rest of `http://host/path`; the rest must not be empty, because a proxy would have to add to it.
fn absolute(target: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = target.strip_prefix(b"http://").or_else(|| target.strip_prefix(b"https://"))?;
    rest.split_at_checked(rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len()))
}

/// Origin form, and one reading of the path. Browsers send raw `\`, `|`, `^` and lone `%` in queries; in a path they
/// are two readings. What the `http` crate cannot hold (raw `"`, `<`, `>`) Pingora would answer by itself.
fn is_target(target: &[u8]) -> bool {
    let path = target.split(|byte| *byte == b'?').next().unwrap_or_default();
    let path_is_plain = !path.contains(&b'\\') && escapes(path).all(|escape| is_escape(escape) && escape != b"00");
    target.starts_with(b"/")
        && path_is_plain
        && target.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#')
        && http::uri::PathAndQuery::try_from(target).is_ok_and(|read| read.as_str().as_bytes() == target)
        && Uri::try_from(target).is_ok()
}

fn is_method(method: &[u8]) -> bool {
    (1..=METHOD_BYTES).contains(&method.len()) && method.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-')
}

fn is_length(value: &[u8]) -> bool {
    (1..=LENGTH_DIGITS).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}

/// A name or an address, and a port that exists.
fn is_host(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value) else { return false };
    let v6 = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (name_ok, rest) = if let Some((address, rest)) = v6 {
        (address.parse::<std::net::Ipv6Addr>().is_ok(), rest)
    } else {
        let (name, rest) = text.split_at_checked(text.find(':').unwrap_or(text.len())).unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        (!name.is_empty() && name.bytes().all(plain), rest)
    };
    let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|p| p > 0);
    name_ok && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

/// Naming an end-to-end field here would make a proxy remove it (CVE-2026-105299).
fn names_no_field(value: &[u8]) -> bool {
    const OPTIONS: [&[u8]; 6] = [b"close", b"keep-alive", b"upgrade", b"te", b"http2-settings", b""];
    let is_option = |option: &[u8]| OPTIONS.iter().any(|known| option.trim_ascii().eq_ignore_ascii_case(known));
    let mut options = value.split(|byte| *byte == b',');
    options.by_ref().take(CONNECTION_OPTIONS).all(is_option) && options.next().is_none()
}

fn escapes(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts = path.iter().enumerate().filter(|(_, byte)| **byte == b'%');
    starts.map(move |(at, _)| path.get(at + 1..at + 3).unwrap_or_default())
}

fn is_escape(digits: &[u8]) -> bool {
    digits.len() == 2 && digits.iter().all(u8::is_ascii_hexdigit)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

const fn refusal(rule: &'static str, status: StatusCode) -> Refusal {
    Refusal { rule, status }
}

const fn rule(name: &'static str, status: StatusCode, broken: fn(&Head<'_>, &EdgeLimits) -> bool) -> Rule {
    Rule { refusal: refusal(name, status), broken }
}

#[cfg(test)]
mod tests;
