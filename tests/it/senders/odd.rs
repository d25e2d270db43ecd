//! Those whose signature is no list of parts: what each of them has beside the matrix that all go through.

use super::shown::{FORM, NOW_S, Shown, provider};
use hookwarden::{
    clock::Timestamp,
    verdict::Rejection,
    verify::{Provider, Unsigned, Verified},
};
use http::Method;

/// The same request with a second item, which is the first one after this change.
fn with_second(shown: &Shown, list: &str, change: impl Fn(&mut serde_json::Value)) -> Shown {
    let mut document: serde_json::Value = serde_json::from_str(std::str::from_utf8(&shown.body).unwrap()).unwrap();
    let items = document[list].as_array_mut().unwrap();
    let mut second = items[0].clone();
    change(&mut second);
    items.push(second);
    Shown { body: document.to_string().into_bytes(), ..shown.clone() }
}

#[test]
fn every_payment_of_adyens_list_has_to_be_signed() {
    let shown = Shown::by(&provider("adyen-payments"));
    let item = |name: &str| format!("/NotificationRequestItem/{name}");
    let set = |pointer: String, value: &str| {
        let value = serde_json::Value::from(value);
        move |second: &mut serde_json::Value| *second.pointer_mut(&pointer).unwrap() = value.clone()
    };
    let first = shown.judged().unwrap();
    assert_eq!(first.signed_id(), Some("msg_1/AUTHORISATION/true"));
    let both = with_second(&shown, "notificationItems", |_| ());
    assert_ne!(both.judged().unwrap().signed_id(), first.signed_id(), "two are not one");
    for field in ["pspReference", "merchantAccountCode", "merchantReference", "eventCode", "success"] {
        let other = with_second(&shown, "notificationItems", set(item(field), "false"));
        assert_eq!(other.refused(field), Rejection::SignatureMismatch);
    }
    let amount = with_second(&shown, "notificationItems", set(item("amount/value"), "1"));
    assert_eq!(amount.refused("an amount"), Rejection::SignatureMismatch);
    let bare = with_second(&shown, "notificationItems", |second| {
        second["NotificationRequestItem"].as_object_mut().unwrap().remove("additionalData");
    });
    assert_eq!(bare.refused("no signature"), Rejection::SignatureMissing);
    for (from, to) in [("Test", "Test:order"), ("EUR", "EUR:"), ("AUTHORISATION", ":AUTHORISATION")] {
        let moved = String::from_utf8(shown.body.clone()).unwrap().replace(from, to).into_bytes();
        let moved = Shown { body: moved, ..shown.clone() };
        assert_eq!(moved.refused("a colon"), Rejection::SignatureMalformed, "{to}");
    }
}

/// What Adyen does not sign changes neither who sent it nor which event it is, and the entry says so.
#[test]
fn what_adyen_does_not_sign_names_no_event() {
    let shown = Shown::by(&provider("adyen-payments"));
    let other = String::from_utf8(shown.body.clone()).unwrap().replace("\"live\":\"false\"", "\"live\":\"true\"");
    assert_ne!(other.as_bytes(), shown.body);
    let other = Shown { body: other.into_bytes(), ..shown.clone() };
    let id = |judged: Result<Verified, Rejection>| judged.unwrap().signed_id().map(str::to_owned);
    assert_eq!(id(other.judged()), id(shown.judged()));
    assert!(shown.judged().unwrap().proof().is_none());
    assert!(shown.provider.uncovered().contains("unauthenticated content"), "{}", shown.provider.uncovered());
}

#[test]
fn every_notification_of_graph_shows_the_word() {
    let shown = Shown::by(&provider("microsoft-graph"));
    assert!(with_second(&shown, "value", |_| ()).judged().is_ok());
    for word in ["", "wrong", &shown.signature()[1..], &format!("{} ", shown.signature())] {
        let other = with_second(&shown, "value", |second| second["clientState"] = word.into());
        assert_eq!(other.refused(word), Rejection::SignatureMismatch);
    }
    let bare = with_second(&shown, "value", |second| {
        second.as_object_mut().unwrap().remove("clientState");
    });
    assert_eq!(bare.refused("no word"), Rejection::SignatureMissing);
}

#[test]
fn two_of_these_items_are_not_signed_by_a_key_each() {
    let own = Shown::by(&provider("microsoft-graph"));
    let sibling = super::public(&own.provider, "sibling");
    let mixed = with_second(&own, "value", |second| second["clientState"] = sibling.as_str().into());
    let mixed = Shown { keys: vec![("own", None), ("sibling", None)], ..mixed };
    assert_eq!(mixed.refused("two words"), Rejection::SignatureMismatch);
}

/// Whoever could take the time off the list could put any time there.
#[test]
fn contentful_lists_what_it_signs_and_the_list_is_signed() {
    let shown = Shown::by(&provider("contentful"));
    let list = "x-contentful-signed-headers";
    let with = |written: &str| {
        let mut changed = shown.clone();
        written.clone_into(&mut changed.fields.iter_mut().find(|(name, _)| name == list).unwrap().1);
        changed
    };
    let (time, own) = ("x-contentful-timestamp", "x-contentful-signed-headers");
    for malformed in [
        own.to_owned(),
        time.to_owned(),
        format!("{own},{time},{time}"),
        format!("{own},{time},"),
        format!(",{own},{time}"),
        format!("{time},{own}"),
        format!("{own}, {time}"),
        format!("{own},X-Contentful-Timestamp,{time}"),
    ] {
        assert_eq!(with(&malformed).refused(&malformed), Rejection::SignatureMalformed);
    }
    assert_eq!(with(&format!("{own},{time},x-none")).refused("none"), Rejection::SignatureMissing);
    assert_eq!(with(&format!("{own},{time}")).refused("a shorter list"), Rejection::SignatureMismatch);
    let mut other = shown.clone();
    other.fields.iter_mut().find(|(name, _)| name == "content-type").unwrap().1 = "text/plain".to_owned();
    assert_eq!(other.refused("a listed header"), Rejection::SignatureMismatch);
    for target in ["/in?", "/in/", "/in?a=1", "/IN", "/in?a?b"] {
        let moved = Shown { target: target.to_owned(), ..shown.clone() };
        assert_eq!(moved.judged().is_ok(), target == "/in?", "{target}");
    }
}

#[test]
fn plivo_signs_query_and_form_by_field() {
    let provider = provider("plivo-v3");
    let shown = Shown::of(&provider, "application/x-www-form-urlencoded", FORM);
    let with = |body: &str| Shown { body: body.as_bytes().to_vec(), ..shown.clone() };
    for same in ["type=order.paid&id=evt_1", "id=evt%5f1&type=order%2Epaid"] {
        assert_eq!(with(same).judged().unwrap().proof(), shown.judged().unwrap().proof(), "{same}");
    }
    for other in ["id=evt_2&type=order.paid", "id=evt_1", "id=evt_1&type=order.paid&x=1", ""] {
        assert_eq!(with(other).refused(other), Rejection::SignatureMismatch);
    }
    for target in ["/in?a=1", "/other"] {
        let moved = Shown { target: target.to_owned(), ..shown.clone() };
        assert_eq!(moved.refused(target), Rejection::SignatureMismatch);
    }
    let mut json = shown.clone();
    json.fields.last_mut().unwrap().1 = "application/json".to_owned();
    assert_eq!(json.refused("a body that is no form"), Rejection::SignatureMissing);
    let many = |count: usize| with(&(0..count).map(|name| format!("{name}=")).collect::<Vec<_>>().join("&"));
    assert_eq!(many(1000).refused("as many as PHP reads"), Rejection::SignatureMismatch);
    assert_eq!(many(1001).refused("more than PHP reads"), Rejection::SignatureMalformed);
    let bad = "A".repeat(43);
    assert!(shown.signed(&format!("{bad}=,{}", shown.signature())).judged().is_ok(), "account and sub-account");
}

/// PHP would read no fields of it, and the plugin other ones than were signed.
#[test]
fn paddle_sends_forms_alone() {
    let mut shown = Shown::by(&provider("paddle-classic"));
    assert_eq!(shown.judged().err(), None);
    shown.fields.last_mut().unwrap().1 = "application/json".to_owned();
    assert_eq!(shown.refused("a body that is no form"), Rejection::SignatureMissing);
}

/// As Plivo's own library signed it: `tests/vectors/senders.jsonl`, `plivo.plivo_v3/valid_post`.
#[test]
fn plivo_joins_query_form_and_nonce_as_its_library_does() {
    let provider = provider("plivo-v3");
    let key = provider.scheme.signing_key("plivo-auth").unwrap();
    let what = Unsigned {
        method: &Method::POST,
        url: "https://hooks.example.com/in/plivo?b=2&a=1",
        content_type: "application/x-www-form-urlencoded",
        body: b"To=2&From=1",
        id: "12345",
        at: Timestamp::from_unix_s(NOW_S),
    };
    let fields = provider.scheme.sign(&key, &what).fields;
    let signature = "XnKxGBkK4sDvPhcK+u91zYWv3fA9pd4vzGlDnJrSXmA=";
    assert!(fields.iter().any(|(_, value)| value == signature), "{fields:?}");
}

/// An entry that mixes the two ways to say what is signed would say nothing sure.
#[test]
fn an_odd_entry_has_no_parts_and_a_known_name() {
    let text = &provider("contentful").text;
    for (from, to, told) in [
        ("odd: contentful", "odd: contentful\n  message: [body]", "leave out `message`"),
        ("odd: contentful", "odd: kontentful", "unknown odd sender `kontentful`; did you mean `contentful`?"),
        ("odd: contentful", "odd: adyen-payments", "admit it with `content: unauthenticated`"),
    ] {
        let wrong = Provider::from_yaml(&text.replace(from, to)).expect_err(to);
        assert!(wrong.iter().any(|mistake| mistake.message.contains(told)), "{wrong:?}");
    }
}

/// It is signed, and no window; what is no time was never Amazon's.
#[test]
fn the_time_of_a_notification_is_one() {
    let shown = Shown::by(&provider("aws-sns"));
    for other in ["junk", "2026-11-23", "1760000000"] {
        let body = String::from_utf8(shown.body.clone()).unwrap().replace("2026-11-23T00:00:00.000Z", other);
        let other = Shown { body: body.into_bytes(), ..shown.clone() };
        assert_eq!(other.refused("a time"), Rejection::SignatureMalformed);
    }
}
