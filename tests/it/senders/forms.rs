//! Senders that sign forms: by field, as PHP serialises them, or one field of them.

use super::shown::{FORM, NOW_S, Shown, encoded, provider};
use data_encoding::BASE64;
use hookwarden::{
    clock::Timestamp,
    verdict::Rejection,
    verify::{Config, Provider, Unsigned},
};
use http::Method;

const URLENCODED: &str = "application/x-www-form-urlencoded";

fn with(shown: &Shown, body: &str) -> Shown {
    Shown { body: body.as_bytes().to_vec(), ..shown.clone() }
}

fn body(shown: &Shown) -> String {
    String::from_utf8(shown.body.clone()).unwrap()
}

fn typed(shown: &Shown, content_type: &str) -> Shown {
    let mut typed = shown.clone();
    content_type.clone_into(&mut typed.fields.iter_mut().find(|(name, _)| name == "content-type").unwrap().1);
    typed
}

/// Its URL alone would be signed, whatever the body says.
#[test]
fn mandrill_signs_no_body_that_is_no_form() {
    let provider = provider("mandrill");
    let json = Shown::of(&provider, "application/json", br#"{"event":"send"}"#);
    assert_eq!(json.refused("a body that is no form"), Rejection::SignatureMissing);
    let form = Shown::of(&provider, URLENCODED, FORM);
    assert_eq!(typed(&form, "text/plain").refused("a form that says it is none"), Rejection::SignatureMissing);
    assert_eq!(Shown { target: "/in?x=1".into(), ..form }.refused("another URL"), Rejection::SignatureMismatch);
    let nothing = Shown::of(&provider, "text/plain", b"");
    assert_eq!(nothing.judged().err(), None, "nothing is signed as nothing");
    let form = Shown::of(&provider, URLENCODED, FORM);
    assert_eq!(with(&form, "").refused("no form"), Rejection::SignatureMismatch);
}

/// The second field could say anything, and PHP would read it in the place of the first.
#[test]
fn braintrees_form_has_two_fields_and_each_once() {
    let shown = Shown::by(&provider("braintree"));
    let good = body(&shown);
    assert!(good.starts_with("bt_payload=") && good.contains("bt_signature=our%20public_key%7C"), "{good}");
    for (other, expected) in [
        (format!("{good}&x=1"), Rejection::SignatureMalformed),
        (format!("x=1&{good}"), Rejection::SignatureMalformed),
        (format!("{good}&bt_payload=AAAA"), Rejection::SignatureMissing),
        (format!("{good}&bt%5Fpayload=AAAA"), Rejection::SignatureMissing),
        (format!("{good}&bt.payload=AAAA"), Rejection::SignatureMissing),
        (format!("{good}&+bt_payload=AAAA"), Rejection::SignatureMissing),
        (format!("{good}&bt_payload[]=AAAA"), Rejection::SignatureMissing),
        (good.replace("bt_payload", "bt.payload"), Rejection::SignatureMissing),
        (good.replace("our%20public_key", "their%20key"), Rejection::SignatureMalformed),
        (good.replace("bt_signature", "bt_sig"), Rejection::SignatureMissing),
    ] {
        assert_eq!(with(&shown, &other).refused(&other), expected, "{other}");
    }
    assert_eq!(typed(&shown, "application/json").refused("no form"), Rejection::SignatureMissing);
    let theirs = Shown { config: Config::new(), ..shown.clone() };
    assert_eq!(theirs.refused("no account"), Rejection::SignatureMismatch);
    // The first entry of our key decides, as in the vendor's libraries.
    let mark = "bt_signature=";
    let other = format!("{mark}their%7C{zeros}%26", zeros = "0".repeat(40));
    assert_eq!(with(&shown, &good.replace(mark, &other)).judged().err(), None, "another account's before it");
    let other = format!("{mark}our%20public_key%7C{zeros}%26", zeros = "0".repeat(40));
    assert_eq!(with(&shown, &good.replace(mark, &other)).refused("ours before it"), Rejection::SignatureMismatch);
}

/// Braintree ends its payload with a line break, which some that pass it on cut off. Were the two not one, a captured request
/// could be shown once more.
#[test]
fn a_line_break_that_is_lost_is_no_other_request() {
    let shown = Shown::by(&provider("braintree"));
    let signed = |payload: &str| {
        let (text, _) = shown.provider.scheme.test_key("own").unwrap();
        let key = data_encoding::HEXLOWER.encode(&<sha1::Sha1 as sha1::Digest>::digest(&text));
        let mac = mac_sha1(&data_encoding::HEXLOWER.decode(key.as_bytes()).unwrap(), payload);
        encoded(&format!("our public_key|{mac}"))
    };
    let form = |payload: &str, signature: &str| {
        with(&shown, &format!("bt_signature={signature}&bt_payload={}", encoded(payload)))
    };
    let payload = BASE64.encode(b"<notification/>");
    let broken = format!("{payload}\n");
    let signature = signed(&broken);
    let (whole, cut) = (form(&broken, &signature), form(&payload, &signature));
    assert_eq!(whole.judged().unwrap().proof(), cut.judged().unwrap().proof());
    assert!(whole.judged().unwrap().proof().is_some());
    assert_eq!(form(&format!("{broken}\n"), &signature).refused("one more"), Rejection::SignatureMismatch);
    let alone = signed(&payload);
    assert_eq!(form(&payload, &alone).judged().err(), None);
    let odd = "no base64!";
    assert_eq!(form(odd, &signed(odd)).refused("signed, and no payload"), Rejection::SignatureMismatch);
}

fn mac_sha1(key: &[u8], text: &str) -> String {
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes())
}

#[test]
fn dropbox_signs_hash_is_read_from_one_field_of_either_form() {
    let provider = provider("dropbox-sign");
    let shown = Shown::by(&provider);
    let json = {
        let body = body(&shown);
        let value = body.strip_prefix("json=").unwrap().to_owned();
        value.replace("%22", "\"").replace("%7B", "{").replace("%7D", "}").replace("%3A", ":").replace("%2C", ",")
    };
    let boundary = "multipart/form-data; boundary=X";
    let part =
        |name: &str, text: &str| format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
    let multipart = |body: &str| with(&typed(&shown, boundary), body);
    let good = part("json", &json);
    assert_eq!(multipart(&format!("{good}--X--\r\n")).judged().err(), None);
    assert_eq!(multipart(&format!("{}{good}--X--", part("x", "1"))).judged().err(), None, "another field is hearsay");
    for odd in [
        good.clone(),
        format!("{good}--X--\r\nx"),
        format!("x{good}--X--\r\n"),
        format!("{good}{good}--X--\r\n"),
        format!("{good}{}--X--\r\n", part(" json", &json)),
        format!("{}--X--\r\n", good.replace("\"json\"", "\"json\"; filename=\"a\"")),
        format!("{}--X--\r\n", good.replace("name", "Name")),
        format!("{}--X--\r\n", good.replace("\r\n\r\n", "\r\ncontent-disposition: form-data; name=\"x\"\r\n\r\n")),
        format!("{}--X--\r\n", good.replace("\r\n", "\n")),
        format!("{}--X--\r\n", good.replace("{\"event", "--X {\"event")),
        format!("{}--X--\r\n", good.replace("--X", "--Y")),
    ] {
        assert_eq!(multipart(&odd).refused(&odd), Rejection::SignatureMissing);
    }
    let quoted = with(&typed(&shown, "multipart/form-data; boundary=\"X\""), &format!("{good}--X--\r\n"));
    assert_eq!(quoted.judged().err(), None, "quotes that nothing needs say nothing");
    for odd in [
        "multipart/form-data",
        "multipart/form-data; boundary=\"X",
        "multipart/form-data; boundary=\"X\\\"\"",
        "multipart/form-data; boundary=X; boundary=Y",
        "multipart/form-data; charset=x; boundary=X",
        "multipart/mixed; boundary=X",
    ] {
        let shown = with(&typed(&shown, odd), &format!("{good}--X--\r\n"));
        assert_eq!(shown.refused(odd), Rejection::SignatureMissing);
    }
    assert!(shown.judged().unwrap().proof().is_none(), "nothing binds the document");
}

/// Of `12` and `3signed`, and of `123` and `signed`, the signature is the same.
#[test]
fn where_dropbox_signs_time_ends_its_type_begins() {
    let shown = Shown::by(&provider("dropbox-sign"));
    let good = body(&shown);
    assert!(good.contains("1760000000") && good.contains("test_event"), "{good}");
    for (from, to) in [("1760000000%22", "176000000%22"), ("1760000000%22", "1760000000t%22")] {
        let taken =
            if to.contains('t') { ("%22test_event", "%22est_event") } else { ("%22test_event", "%220test_event") };
        let moved = good.replace(from, to).replace(taken.0, taken.1);
        assert_ne!(moved, good);
        assert_eq!(with(&shown, &moved).refused(&moved), Rejection::SignatureMismatch);
    }
}

/// PHP sorts and serialises what it has read, not what was written.
#[test]
fn paddles_form_is_signed_as_php_reads_it() {
    let provider = provider("paddle-classic");
    let shown = Shown::by(&provider);
    let good = body(&shown);
    let (fields, signature) = good.rsplit_once('&').unwrap();
    assert!(signature.starts_with("p_signature="), "{good}");
    let proof = shown.judged().unwrap().proof();
    for same in [
        format!("{signature}&{fields}"),
        format!("type=order.paid&{signature}&id=evt_1"),
        format!("type=order%2Epaid&id=evt%5F1&{signature}"),
    ] {
        assert_eq!(with(&shown, &same).judged().unwrap().proof(), proof, "{same}");
    }
    for (other, expected) in [
        (format!("{good}&x=1"), Rejection::SignatureMismatch),
        (format!("id=evt_1&{signature}"), Rejection::SignatureMismatch),
        (format!("id=evt_2&type=order.paid&{signature}"), Rejection::SignatureMismatch),
        (format!("{good}&id=evt_1"), Rejection::SignatureMalformed),
        (format!("{good}&1=x"), Rejection::SignatureMalformed),
        (format!("{good}&a.b=x"), Rejection::SignatureMalformed),
        (format!("{good}&a[]=x"), Rejection::SignatureMalformed),
        (format!("{good}&+id=x"), Rejection::SignatureMalformed),
        (format!("{good}&{signature}"), Rejection::SignatureMissing),
        (fields.to_owned(), Rejection::SignatureMissing),
        (signature.to_owned(), Rejection::SignatureMalformed),
    ] {
        assert_eq!(with(&shown, &other).refused(&other), expected, "{other}");
    }
    assert_eq!(typed(&shown, "multipart/form-data; boundary=X").refused("no such form"), Rejection::SignatureMissing);
}

/// A field's length is that of its bytes.
#[test]
fn paddle_counts_bytes() {
    let provider = provider("paddle-classic");
    let shown = Shown::of(&provider, URLENCODED, "name=%C5%BDlu%C5%A5&alert_id=7".as_bytes());
    assert_eq!(shown.judged().err(), None);
    let (_, key) = provider.scheme.test_key("own").unwrap();
    let (at, url) = (Timestamp::from_unix_s(NOW_S), "https://shop.example/in");
    let what = Unsigned { method: &Method::POST, url, content_type: URLENCODED, body: b"alert_id=7", id: "", at };
    let other = provider.scheme.sign(&key, &what).body.unwrap();
    let signature = String::from_utf8(other).unwrap().rsplit_once('&').unwrap().1.to_owned();
    let moved = with(&shown, &format!("alert_id=7&name=%C5%BDlu%C5%A5&{signature}"));
    assert_eq!(moved.refused("another form's signature"), Rejection::SignatureMismatch);
}

#[test]
fn an_entry_that_asks_for_what_is_not_there_is_told() {
    let text = &provider("braintree").text;
    for (from, to, told) in [
        ("only_fields: true", "only_fields: false", "admit it with `content: unauthenticated`"),
        ("like:base64", "like:hex", "unknown likeness `hex`; known here: `digits`, `word`, `base64`"),
        ("\"form:bt_payload\": ", "\"cookie:x\": ", "cannot read `cookie:x` before it; write `header:NAME`"),
        ("[sha1]", "[sha1, nfkd]", "nothing is done to a digest; write `sha1` at the end"),
        ("only_fields: true", "only_fields: true\n  document: json", "cannot read `json`; write `form:NAME`"),
    ] {
        let wrong = Provider::from_yaml(&text.replace(from, to)).expect_err(to);
        assert!(wrong.iter().any(|mistake| mistake.message.contains(told)), "{wrong:?}");
    }
}
