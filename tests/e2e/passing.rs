//! Ordinary traffic: WordPress behind the gate is WordPress.

use crate::{bed, gate::Gate, wire};
use data_encoding::BASE64;

#[test]
fn pages_look_the_same_with_and_without_the_gate() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    for target in ["/", "/wp-login.php", "/?p=1", "/wp-json/", "/wp-includes/js/jquery/jquery.min.js", "/no-such-page"]
    {
        let (direct, through) = (bed.direct("GET", target, &[], b""), gate.send("GET", target, &[], b""));
        assert_eq!(through.status, direct.status, "{target}");
        assert_eq!(through.header("content-type"), direct.header("content-type"), "{target}");
        assert_eq!(title(&through), title(&direct), "{target}");
        assert!(through.header("hookwarden-request-id").is_some(), "{target}: {}", through.head);
    }
}

fn title(answer: &wire::Answer) -> Option<String> {
    let text = answer.text();
    let (_, rest) = text.split_once("<title>")?;
    rest.split_once("</title>").map(|(title, _)| title.to_owned())
}

/// What PHP saw of a request that went through the gate.
fn echoed(gate: &Gate, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> serde_json::Value {
    let answer = gate.send(method, target, headers, body);
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    answer.json()
}

fn header(echo: &serde_json::Value, name: &str) -> Option<String> {
    let encoded = echo["headers"][name].as_str()?;
    Some(String::from_utf8_lossy(&BASE64.decode(encoded.as_bytes()).unwrap()).into_owned())
}

#[test]
fn the_target_reaches_php_byte_for_byte() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    for target in [
        "/dev-echo/a%2Fb/c?x=%20y&z",
        "/dev-echo//double/./dot/../up?a=1?b=2",
        "/dev-echo/?q=%E2%82%AC&raw=|^{}~&lone=%",
        "/dev-echo/;params;a=1?&&==&",
    ] {
        let echo = echoed(&gate, "GET", target, &[], b"");
        let uri = BASE64.decode(echo["uri"].as_str().unwrap().as_bytes()).unwrap();
        assert_eq!(String::from_utf8_lossy(&uri), target);
    }
}

#[test]
fn php_sees_the_clients_address_and_nothing_that_a_client_claims() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let claims = [
        ("X-Forwarded-For", "6.6.6.6"),
        ("X_Forwarded_For", "6.6.6.7"),
        ("X-Forwarded-Proto", "https, http"),
        ("X-Real-IP", "6.6.6.8"),
        ("Forwarded", "for=6.6.6.9"),
        ("CF-Connecting-IP", "6.6.6.10"),
        ("X-Original-URL", "/wp-admin/"),
        ("Proxy", "http://6.6.6.11"),
        ("Hookwarden-Identity", "forged"),
        ("Hookwarden_Identity", "forged"),
        ("X-Kept", "yes"),
        ("Authorization", "Basic dXNlcjpwYXNz"),
        ("Cookie", "wordpress_test_cookie=1; other=\u{e9}"),
    ];
    let echo = echoed(&gate, "GET", "/dev-echo/", &claims, b"");
    assert_eq!(header(&echo, "x-forwarded-for").as_deref(), Some("127.0.0.1"));
    assert_eq!(header(&echo, "x-real-ip").as_deref(), Some("127.0.0.1"));
    assert_eq!(header(&echo, "x-forwarded-proto").as_deref(), Some("http"));
    assert_eq!(header(&echo, "host"), Some(gate.address.to_string()));
    for dropped in ["forwarded", "cf-connecting-ip", "x-original-url", "hookwarden-identity", "proxy", "via"] {
        assert_eq!(header(&echo, dropped), None, "{dropped}");
    }
    assert_eq!(header(&echo, "x-kept").as_deref(), Some("yes"));
    assert_eq!(header(&echo, "authorization").as_deref(), Some("Basic dXNlcjpwYXNz"));
    assert!(header(&echo, "cookie").is_some_and(|cookie| cookie.contains("other=\u{e9}")));
    assert!(header(&echo, "hookwarden-request-id").is_some(), "the correlation id travels to WordPress");
    assert_eq!(echo["httpoxy"], false);
}

#[test]
fn uploads_and_forms_arrive_whole() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let form = b"title=hello+world&content=%3Cp%3Ewc-api%3Dwc_stripe%3C%2Fp%3E&empty=";
    let kind = [("Content-Type", "application/x-www-form-urlencoded")];
    let echo = echoed(&gate, "POST", "/dev-echo/", &kind, form);
    assert_eq!(BASE64.decode(echo["post"]["title"].as_str().unwrap().as_bytes()).unwrap(), b"hello world");
    let content = BASE64.decode(echo["post"]["content"].as_str().unwrap().as_bytes()).unwrap();
    assert_eq!(content, b"<p>wc-api=wc_stripe</p>");

    let file = vec![0x5a; 3 << 20];
    let mut body =
        b"--cut\r\nContent-Disposition: form-data; name=\"async-upload\"; filename=\"a.bin\"\r\n\r\n".to_vec();
    body.extend_from_slice(&file);
    body.extend_from_slice(b"\r\n--cut--\r\n");
    let kind = [("Content-Type", "multipart/form-data; boundary=cut")];
    let echo = echoed(&gate, "POST", "/dev-echo/", &kind, &body);
    assert_eq!(echo["files"]["async-upload"][1], file.len());
}

#[test]
fn odd_statuses_and_several_cookies_come_back_as_they_are() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    for status in [204, 304, 404, 418, 498, 503] {
        let answer = gate.send("GET", &format!("/dev-reply/?status={status}&cookies=3"), &[], b"");
        assert_eq!(answer.status, status);
        let cookies = answer.head.lines().filter(|line| line.to_ascii_lowercase().starts_with("set-cookie:")).count();
        assert_eq!(cookies, 3, "{}", answer.head);
    }
}

#[test]
fn an_http_1_0_client_gets_an_answer_that_it_can_read() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let request = format!("GET /wp-login.php HTTP/1.0\r\nHost: {}\r\n\r\n", gate.address);
    let answer = wire::raw(gate.address, request.as_bytes()).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("transfer-encoding"), None);
    assert!(answer.text().contains("</html>"));
}

#[test]
fn a_login_sets_its_cookies_and_opens_the_dashboard() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let (user, password) = bed.credentials();
    let form = format!("log={user}&pwd={password}&wp-submit=Log+In&testcookie=1");
    let headers = [
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Cookie", "wordpress_test_cookie=WP%20Cookie%20check"),
    ];
    let login = gate.send("POST", "/wp-login.php", &headers, form.as_bytes());
    assert_eq!(login.status, 302, "{}", login.text());
    let cookies: Vec<_> = login
        .head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
        .filter_map(|(_, value)| value.split(';').next())
        .collect();
    let dashboard = gate.send("GET", "/wp-admin/", &[("Cookie", &cookies.join("; "))], b"");
    assert_eq!(dashboard.status, 200);
    assert!(dashboard.text().contains("Dashboard"));
}
