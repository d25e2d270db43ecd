//! Where nothing that is signed stands between two parts, the end of one could be read as the beginning of the other.

use super::shown::{BODY, NOW_S, Shown, provider};
use hookwarden::{clock::Timestamp, verdict::Rejection, verify::Unsigned};
use http::Method;

/// Where nothing stands between time and body, a digit of one could be one of the other: such a time is not close to now, or
/// none at all.
#[test]
fn a_border_that_is_not_signed_cannot_be_moved() {
    for (name, field, body_first) in [
        ("discord", "x-signature-timestamp", false),
        ("zendesk", "x-zendesk-webhook-signature-timestamp", false),
        ("twitch", "twitch-eventsub-message-timestamp", false),
        ("sendgrid", "x-twilio-email-event-webhook-timestamp", false),
        ("box", "box-delivery-timestamp", true),
        ("klaviyo", "klaviyo-timestamp", true),
    ] {
        let shown = Shown::of(&provider(name), "application/json", b"1760000000");
        assert_eq!(shown.judged().err(), None, "{name}");
        let mut moved = shown.clone();
        let (_, time) = moved.fields.iter_mut().find(|(known, _)| known == field).expect("it signs a time");
        if body_first {
            time.insert(0, char::from(moved.body.pop().unwrap()));
        } else {
            time.push(char::from(moved.body.remove(0)));
        }
        let refused = moved.refused("a moved border");
        assert!(matches!(refused, Rejection::FromTheFuture | Rejection::SignatureMalformed), "{name}: {refused:?}");
    }
}

/// As a stranger would who has one signed request: its URL is cut, and what is cut off begins the body.
#[test]
fn a_url_is_not_continued_in_the_body() {
    for name in ["square", "hubspot", "hubspot-v2"] {
        let shown = Shown::by(&provider(name));
        assert_eq!(shown.judged().err(), None, "{name}");
        let moved = Shown { target: "/i".to_owned(), body: [b"n", shown.body.as_slice()].concat(), ..shown };
        assert_eq!(moved.refused("a URL in the body"), Rejection::SignatureMalformed, "{name}");
    }
    let list = Shown::of(&provider("square"), "application/json", b"[1]");
    let moved = Shown { target: "/i".to_owned(), body: b"n[1]".to_vec(), ..list };
    assert_eq!(moved.refused("a URL in the body"), Rejection::SignatureMalformed, "a list is JSON, too");
    for body in [&b"{\"a\":1}"[..], b"[1]", b"", b" {}", b"plain", b"\xef\xbb\xbf{}"] {
        let shown = Shown::of(&provider("square"), "application/json", body);
        assert_eq!(shown.judged().err(), None, "{body:?} is no end of a URL");
    }
}

/// The path may end later and the nonce begin later: it is one event all the same.
#[test]
fn a_nonce_and_a_path_name_one_event_together() {
    let shown = Shown::by(&provider("plivo-v2"));
    let name = |shown: &Shown| shown.judged().unwrap().signed_id().map(str::to_owned);
    let mut moved = Shown { target: "/i".to_owned(), ..shown.clone() };
    let nonce = moved.fields.iter_mut().find(|(known, _)| known == "x-plivo-signature-v2-nonce").expect("it has one");
    nonce.1.insert(0, 'n');
    assert!(name(&shown).is_some());
    assert_eq!(name(&moved), name(&shown));
    let other = Shown::of(&provider("plivo-v2"), "application/json", b"{}");
    assert_eq!(name(&other), name(&shown), "of the body nothing is signed");
}

#[test]
fn an_id_is_not_the_beginning_of_a_time_or_of_a_body() {
    for id in ["msg-92025-10-09T08:53:20Z", "msg{", "msg\""] {
        let mut shown = Shown::by(&provider("twitch"));
        let (_, known) = shown.fields.iter_mut().find(|(name, _)| name.ends_with("message-id")).expect("it has one");
        id.clone_into(known);
        assert_eq!(shown.refused("an id"), Rejection::SignatureMalformed, "{id}");
    }
}

/// Where a dot stands behind the id, it may have in it what ends no other part.
#[test]
fn an_id_whose_border_is_signed_may_say_more() {
    for id in ["msg:1", "{msg}", "\"msg\""] {
        let provider = provider("standard-webhooks");
        let (_, key) = provider.scheme.test_key("own").unwrap();
        let url = "https://shop.example/in";
        let (at, content_type) = (Timestamp::from_unix_s(NOW_S), "application/json");
        let what = Unsigned { method: &Method::POST, url, content_type, body: BODY, id, at };
        let shown = Shown { fields: provider.scheme.sign(&key, &what).fields, ..Shown::by(&provider) };
        assert_eq!(shown.judged().unwrap().signed_id(), Some(id));
    }
}

/// One value could say what two would: `id:1;request-id:2;` of `id:1` and `2`, or of one that says all of it.
#[test]
fn a_value_does_not_end_where_the_sender_would_end_it() {
    let mut shown = Shown::by(&provider("mercadopago"));
    shown.target = "/in?data.id=1%3Brequest-id%3Amsg_1".to_owned();
    shown.fields.retain(|(name, _)| name != "x-request-id");
    assert_eq!(shown.refused("a semicolon"), Rejection::SignatureMalformed);
}
