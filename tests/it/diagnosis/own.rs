//! A sender of one's own: its file may be what is mistaken.

use super::scene::{BODY, NOW_S, SECRET, Scene, codes, key};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hookwarden::{diagnosis::Found, verify::Provider};
use sha2::Sha256;
use std::sync::Arc;

const ACME: &str = r#"
name: acme
documentation: https://acme.example/webhooks
source: { scheme: documentation, service: documentation, checked: 2026-11-28 }
scheme:
  alg: hmac-sha256
  sig: { in: "header:X-Acme-Sig", parse: "kv(,;=)", item: s, enc: base64 }
  ts: { from: "kv:t", fmt: unix_s }
  message: [ts, "text:.", body]
event_key: none
identical: repeats
max_age: 5m
max_future: 1m
retry_horizon: 24h
answer_by: 9s
answers: 2xx
retries: for a day
disables: not known
"#;

/// Signed over this text, with the header that is made of time and signature.
fn acme(signed: &str, header: impl Fn(&str, &str) -> String) -> Scene {
    let lines: Vec<_> = ACME.lines().collect();
    let mut text = lines.join("\n");
    // Whatever the language calls it: an entry has to read.
    if Provider::from_yaml(&text).is_err() {
        text = text.replace("event_key: none\nidentical: repeats\n", "");
    }
    let provider = Arc::new(Provider::from_yaml(&text).unwrap_or_else(|wrong| panic!("{wrong:?}")));
    let mut scene = Scene::of("github");
    scene.provider = provider.clone();
    scene.more = vec![Provider::from_yaml(&text).unwrap()];
    let mac = <Hmac<Sha256>>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(signed).finalize();
    let (time, signature) = (NOW_S.to_string(), BASE64.encode(&mac.into_bytes()));
    scene.fields = vec![("x-acme-sig".to_owned(), header(&time, &signature))];
    scene.keys = vec![key("own", "live", SECRET)];
    scene
}

fn usual(time: &str, signature: &str) -> String {
    format!("t={time},s={signature}")
}

#[test]
fn what_is_put_together_in_another_way_is_told_as_it_would_be_written() {
    assert_eq!(acme(&format!("{NOW_S}.{BODY}"), usual).diagnosis().found, Found::Healthy);
    for (signed, message) in [
        (format!("{NOW_S}:{BODY}"), r#"`message: ["ts","text::","body"]`"#),
        (format!("{NOW_S}{BODY}"), r#"`message: ["ts","body"]`"#),
        (format!("{BODY}.{NOW_S}"), r#"`message: ["body","text:.","ts"]`"#),
        (BODY.to_owned(), r#"`message: ["body"]`"#),
    ] {
        let causes = acme(&signed, usual).causes();
        assert_eq!(codes(&causes), ["message_other"], "{signed}: {causes:?}");
        assert!(causes[0].what.contains(message), "{message}: {}", causes[0].what);
        assert!(causes[0].mend.contains("the file of `acme`"));
    }
    let mut late = acme(&format!("{NOW_S}:{BODY}"), usual);
    late.now_s += 1000;
    assert_eq!(codes(&late.causes()), ["message_other", "too_old"]);
    let other = acme("another text altogether", usual).diagnosis();
    assert_eq!((other.found, other.own_sender.as_deref()), (Found::Unknown, Some("acme")));
    assert_eq!(Scene::signed("github", SECRET, b"other").diagnosis().own_sender, None);
}

#[test]
fn items_that_are_written_otherwise_or_called_otherwise_are_told() {
    let signed = format!("{NOW_S}.{BODY}");
    for (written, words) in [
        ("t=T, s=S", "blanks stand between"),
        ("t=T;s=S", "`;` stands between"),
        ("t=T&s=S", "`&` stands between"),
        ("t=T s=S", "` ` stands between"),
    ] {
        let scene = acme(&signed, |time, signature| written.replace('T', time).replace('S', signature));
        assert!(scene.is("signature_quoted").contains(words), "{written}");
    }
    let scene = acme(&signed, |time, signature| format!("t={time},v1={signature}"));
    let causes = scene.seen();
    assert_eq!(codes(&causes), ["item_missing"]);
    assert!(causes[0].what.contains("has no item `s`; there is `t`, `v1`") && causes[0].mend.contains("look at `sig`"));
    let scene = acme(&signed, |time, signature| format!("t={time},{}={signature}", "x".repeat(20)));
    assert!(!scene.sees("item_missing").contains("xxxx"), "what could be anything is not printed");
}
