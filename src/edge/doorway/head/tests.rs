use super::*;
use std::collections::BTreeSet;

/// A head, and the rule that it breaks.
fn heads() -> Vec<(&'static str, String)> {
    let with = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
    let to = |target: &str| format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
    let host = |host: &str| format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let method = |method: &str| format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n");
    vec![
        ("version_unknown", "GET / HTTP/1.2\r\nHost: a\r\n\r\n".into()),
        ("method_malformed", method("get")),
        ("method_malformed", method(&"G".repeat(21))),
        ("method_refused", method("CONNECT")),
        ("method_refused", method("TRACE")),
        ("method_refused", method("PURGE")),
        ("target_too_long", to(&format!("/{}", "a".repeat(9000)))),
        ("target_malformed", to("/a\0b")),
        ("target_malformed", to("/a\\b")),
        ("target_malformed", to("/a%00b")),
        ("target_malformed", to("/a%2")),
        ("target_malformed", to("/caf\u{e9}")),
        ("target_malformed", to("/a#b")),
        ("target_malformed", to("/a<b")),
        ("target_malformed", to("/?a=\"b\"")),
        ("target_malformed", to("*")),
        ("target_malformed", to("http://a")),
        ("target_malformed", to("ftp://a/")),
        ("target_malformed", to("a.test:443")),
        ("not_a_request_line", to("/a b")),
        ("too_many_fields", with(&["X: y"; 101].join("\r\n"))),
        ("field_too_long", with(&format!("X: {}", "a".repeat(17 * 1024)))),
        ("field_too_long", with(&format!("{}: y", "a".repeat(300)))),
        ("length_and_coding", with("Content-Length: 3\r\nTransfer-Encoding: chunked")),
        ("length_repeated", with("Content-Length: 3\r\nContent-Length: 3")),
        ("length_malformed", with("Content-Length: 3, 3")),
        ("length_malformed", with("Content-Length: +3")),
        ("length_malformed", with("Content-Length: 0x3")),
        ("length_malformed", with("Content-Length:")),
        ("length_malformed", with(&format!("Content-Length: {}", "9".repeat(19)))),
        ("coding_repeated", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")),
        ("coding_out_of_place", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".into()),
        ("coding_unknown", with("Transfer-Encoding: identity, chunked")),
        ("coding_unknown", with("Transfer-Encoding: xchunked")),
        ("coding_unknown", with("Transfer-Encoding: \"chunked\"")),
        ("host_missing", "GET / HTTP/1.1\r\nX: y\r\n\r\n".into()),
        ("host_repeated", with("Host: a")),
        ("host_malformed", host("a/../b")),
        ("host_malformed", host("a:99999")),
        ("host_malformed", host("a:0")),
        ("host_malformed", host("a,b")),
        ("host_malformed", host("a b")),
        ("host_malformed", host("user@a")),
        ("host_malformed", host("[::1")),
        ("host_malformed", host("")),
        ("host_malformed", "GET http://a@b/ HTTP/1.1\r\nHost: a@b\r\n\r\n".into()),
        ("two_hosts", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n".into()),
        ("connection_names_a_field", with("Connection: close, X-Forwarded-For")),
        ("connection_names_a_field", with("Connection: close,,,,,,,,,,")),
        ("expect_unknown", with("Expect: something")),
        ("not_a_field_line", with("X: a\r\n folded")),
        ("not_a_field_line", with("X : a")),
        ("not_a_field_line", with(": a")),
        ("not_a_field_line", with("X: a\rb")),
        ("not_a_field_line", with("X: a\0b")),
        ("not_a_field_line", with("X\u{e9}: a")),
    ]
}

fn h2<'a>(authority: Option<&'a str>, fields: &[(&'a str, &'a str)]) -> Result<(), Refusal> {
    let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
    let wording = Wording::Pseudo(authority.map(str::as_bytes));
    check(&Head { method: b"POST", target: b"/", wording, fields }, &EdgeLimits::default())
}

#[test]
fn every_rule_has_a_head_that_breaks_it_alone() {
    let mut unseen: BTreeSet<_> = RULES.iter().map(|rule| rule.refusal.rule).collect();
    for (rule, head) in heads() {
        assert_eq!(end(head.as_bytes(), 0).unwrap(), Some(head.len()), "{head:?}");
        assert_eq!(check_h1(head.as_bytes(), &EdgeLimits::default()).unwrap_err().rule, rule, "{head:?}");
        unseen.remove(rule);
    }
    unseen.remove("connection_in_http_2");
    assert!(unseen.is_empty(), "{unseen:?}");
}

#[test]
fn http_2_heads_meet_the_same_rules() {
    assert_eq!(h2(Some("a"), &[]), Ok(()));
    assert_eq!(h2(Some("a"), &[("host", "A"), ("te", "trailers")]), Ok(()));
    for (rule, authority, fields) in [
        ("two_hosts", Some("a"), &[("host", "b")][..]),
        ("host_missing", None, &[]),
        ("host_malformed", Some("a/b"), &[]),
        ("connection_in_http_2", Some("a"), &[("connection", "close")]),
        ("connection_in_http_2", Some("a"), &[("upgrade", "websocket")]),
        ("connection_in_http_2", Some("a"), &[("te", "gzip")]),
        ("coding_out_of_place", Some("a"), &[("transfer-encoding", "chunked")]),
        ("length_repeated", Some("a"), &[("content-length", "1"), ("content-length", "1")]),
    ] {
        assert_eq!(h2(authority, fields).unwrap_err().rule, rule);
    }
}

#[test]
fn a_line_that_ends_without_cr_is_refused_as_soon_as_it_is_seen() {
    assert_eq!(end(b"GET / HTTP/1.1\nHost: a", 0), Err(BARE_LF));
    assert_eq!(end(b"GET / HTTP/1.1\r\nHost: a\r\n\n", 0), Err(BARE_LF));
    assert_eq!(end(b"GET / HTTP/1.1\r\nHost: a\r\n", 0), Ok(None));
}

#[test]
fn what_browsers_and_old_clients_send_passes() {
    let pass = |head: &str| check_h1(head.as_bytes(), &EdgeLimits::default()).map(drop);
    for target in ["/", "/a%2Fb?x=%zz", "/?a[]=1&b={2}|3^4\\5`6", "//x/../y", "http://a/x?y", "https://A/"] {
        assert_eq!(pass(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")), Ok(()), "{target}");
    }
    assert_eq!(pass("OPTIONS * HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"), Ok(()));
    assert_eq!(pass("GET / HTTP/1.0\r\n\r\n"), Ok(()));
    assert_eq!(pass("GET / HTTP/1.1\r\nHost: a\r\nX-Latin: \u{e9}\r\nEmpty:\r\nConnection: TE, close\r\n\r\n"), Ok(()));
}
