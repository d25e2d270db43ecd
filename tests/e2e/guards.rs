//! Nothing unsigned reaches a guarded endpoint, however it is spelt; what is signed does, and look-alikes do too.

use crate::{bed, gate::Gate};

const BODY: &[u8] = br#"{"id":"evt_1","type":"invoice.paid"}"#;

/// One spelling of each way in which WordPress names an endpoint; the whole table is a test of `guard`.
const SPELLINGS: &[&str] = &[
    "/?wc-api=wc_stripe",
    "/?wc-api=WC_.Stripe",
    "/?wc-api=x&wc-api=wc_stripe",
    "/wc-api/wc_stripe/",
    "/feed/wc-api/wc_stripe",
    "/wc-api%2fwc_stripe/",
    "/%77c-api/wc_stripe",
    "/index.php/wc-api/wc_stripe",
    "/wp-json/vendor/v1/hook",
    "/wp-json/VENDOR/V1/HOOK/",
    "//wp-json/vendor/v1/hook",
    "/./wp-json/x/../vendor/v1/hook",
    "/index.php/wp-json/vendor/v1/hook",
    "/?rest_route=/vendor/v1/hook",
    "/?rest.route=/vendor/v1/hook",
    "/?rest%20route=/vendor/v1/hook",
    "/?rest[route=/vendor/v1/hook",
    "/index.php?rest_route=%2Fvendor%2Fv1%2Fhook",
    "/?edd-listener=stripe",
    "/wp-login.php?edd-listener=stripe",
    "/?+edd-listener=stripe",
    "/wp-admin/admin-ajax.php?action=vendor_hook",
    "/wp-admin/./admin-ajax.php/x?%61ction=vendor_hook",
    "/mepr/notify/1/whk",
    "/index.php/mepr/notify/1/whk",
];

#[test]
fn nothing_unsigned_reaches_a_guarded_endpoint() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let before = bed.vendor_hits().len();
    for target in SPELLINGS {
        for method in ["POST", "GET", "PUT"] {
            let body = if method == "GET" { b"" } else { BODY };
            let status = gate.send(method, target, &[("Content-Type", "application/json")], body).status;
            assert!(matches!(status, 400 | 401 | 403 | 405), "{method} {target}: {status}");
        }
    }
    let forms: [(&str, &[u8]); 4] = [
        ("/", b"a=1&wc-api=wc_stripe"),
        ("/index.php", b"rest_route=%2Fvendor%2Fv1%2Fhook"),
        ("/", b"rest.route=/vendor/v1/hook"),
        ("/wp-admin/admin-ajax.php?action=heartbeat", b"action=vendor_hook"),
    ];
    for (target, body) in forms {
        let status = gate.send("POST", target, &[("Content-Type", "application/x-www-form-urlencoded")], body).status;
        assert_eq!(status, 403, "{target} {}", String::from_utf8_lossy(body));
    }
    let batch = br#"{"requests":[{"path":"/vendor/v1/hook","method":"POST"}]}"#;
    let status = gate.send("POST", "/wp-json/batch/v1", &[("Content-Type", "application/json")], batch).status;
    assert_eq!(status, 403);
    assert_eq!(bed.vendor_hits().len(), before, "{:?}", bed.vendor_hits());
}

#[test]
fn what_is_signed_reaches_it_verbatim_and_its_answer_comes_back() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    for (number, target) in SPELLINGS.iter().enumerate() {
        let before = bed.vendor_hits().len();
        let body = format!(r#"{{"id":"evt_guard_{number}",  "type":"invoice.paid"}}"#);
        let answer = gate.deliver("stripe", target, "", body.as_bytes());
        let hit = bed.vendor_hits().len() - before;
        // Some of these are spellings for a guard to catch that this WordPress itself does not dispatch.
        assert!(hit <= 1 && !matches!(answer.status, 401 | 403), "{target}: {} {}", answer.status, answer.text());
        if hit == 1 && answer.status == 200 && answer.header("content-type") == Some("application/json") {
            let digest = sha256(body.as_bytes());
            assert_eq!(answer.json()["sha256"].as_str(), Some(digest.as_str()), "{target}");
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest as _, Sha256};
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

#[test]
fn innocent_look_alikes_pass() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    for target in [
        "/?s=wc-api%3Dwc_stripe",
        "/?s=rest_route%3D/vendor/v1/hook",
        "/wc-api-docs/wc_stripe",
        "/?xwc-api=wc_stripe",
        "/?edd-listener=other",
        "/wp-json/vendor/v1/hooks",
        "/wp-json/wp/v2/posts",
        "/wp-admin/admin-ajax.php?action=heartbeat",
        "/hooks/events-of-the-week",
        "/mepr/notifying/1/whk",
    ] {
        let (direct, through) = (bed.direct("GET", target, &[], b""), gate.send("GET", target, &[], b""));
        assert_eq!(through.status, direct.status, "{target}: {}", through.text());
    }
    let text = br#"{"text":"?wc-api=wc_stripe rest_route=/vendor/v1/hook"}"#;
    let echo = gate.send("POST", "/dev-echo/", &[("Content-Type", "application/json")], text);
    assert_eq!(echo.status, 200);
}

#[test]
fn a_repeat_of_a_relayed_event_does_not_reach_wordpress_again() {
    let (bed, _turn) = bed::wordpress();
    let gate = Gate::before(bed);
    let before = bed.vendor_hits().len();
    let body = br#"{"id":"evt_relayed_twice","type":"charge.refunded"}"#;
    for _ in 0..3 {
        let answer = gate.deliver("stripe", "/?wc-api=wc_stripe", "", body);
        assert!((200..300).contains(&answer.status), "{} {}", answer.status, answer.text());
    }
    assert_eq!(bed.vendor_hits().len() - before, 1);
}
