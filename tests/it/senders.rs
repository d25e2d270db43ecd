//! Every sender of the catalogue, mechanically: what it signs is believed, and nothing near it is.

mod borders;
mod certificates;
mod entries;
mod forms;
#[cfg(feature = "edge")]
mod judged;
mod lint;
mod messages;
mod nonsense;
mod odd;
mod secrets;
mod shown;
mod tokens;
mod unsigned;
mod words;

use hookwarden::{
    clock::Timestamp,
    verdict::Rejection,
    verify::{Catalogue, Provider, Unsigned},
};
use http::Method;
use shown::{BODY, FORM, NOW_S, Shown, provider, public};
use std::{fs, path::Path, time::Duration};

fn each(mut check: impl FnMut(Shown)) {
    let catalogue = Catalogue::embedded();
    assert!(catalogue.iter().count() > 100);
    // What nobody signs has no signature to be changed: `unsigned.rs`.
    for provider in catalogue.iter().filter(|provider| !provider.scheme.shows_nothing()) {
        let shown = Shown::by(provider);
        assert!(shown.judged().is_ok(), "{}: {:?}", provider.name, shown.judged().err());
        check(shown);
    }
}

#[test]
fn every_file_of_the_folder_is_in_the_catalogue_and_compiles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/providers");
    let catalogue = Catalogue::embedded();
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            files += 1;
            let text = fs::read_to_string(&path).unwrap();
            let provider = Provider::from_yaml(&text).unwrap_or_else(|wrong| panic!("{}: {wrong:?}", path.display()));
            let name = path.file_stem().and_then(|stem| stem.to_str());
            assert_eq!(Some(provider.name.as_str()), name, "an entry is named as its file");
            let embedded = catalogue.find(&provider.name).map(|embedded| embedded.text.clone());
            assert_eq!(embedded.as_deref(), Some(text.as_str()), "{} is embedded", path.display());
        }
    }
    assert_eq!(catalogue.iter().count(), files);
    let names: Vec<_> = catalogue.names().collect();
    assert!(names.is_sorted(), "{names:?}");
}

#[test]
fn every_bit_of_the_signature_and_of_the_body_matters() {
    each(|shown| {
        let signature = shown.signature();
        for at in 0..signature.len() {
            for other in ["0", "A", "g", "=", "+"] {
                let mut changed = signature.clone();
                changed.replace_range(at..=at, other);
                // The scheme of credentials has no case.
                if changed != signature
                    && !(signature.starts_with("Basic ") && changed.eq_ignore_ascii_case(&signature))
                {
                    let what = format!("a changed letter, {changed}");
                    assert!(shown.signed(&changed).refused(&what).is_authentication());
                }
            }
        }
        if !shown.provider.scheme.coverage().body {
            return;
        }
        for bit in 0..shown.body.len() * 8 {
            let mut flipped = shown.clone();
            flipped.body[bit / 8] ^= 1 << (bit % 8);
            if shown.signature_is_in_form() {
                // An escape has no case.
                let same = flipped.body.eq_ignore_ascii_case(&shown.body)
                    && flipped.fields_of_form() == shown.fields_of_form();
                assert!(same || flipped.refused("a flipped bit of the body").is_authentication());
            } else {
                assert_eq!(flipped.refused("a flipped bit of the body"), Rejection::SignatureMismatch);
            }
        }
        let mut cut = shown.clone();
        cut.body.truncate(shown.body.len() - 1);
        assert!(cut.refused("a truncated body").is_authentication());
    });
}

/// A sender that says nothing of its body says so, and its requests are not remembered by what it does not say.
#[test]
fn what_nothing_binds_is_told_and_no_proof() {
    each(|shown| {
        let coverage = shown.provider.scheme.coverage();
        let told = shown.provider.uncovered().contains("authenticated sender, unauthenticated content");
        assert_eq!(told, !coverage.body, "{}", shown.provider.name);
        assert!(coverage.body || shown.judged().unwrap().proof().is_none(), "{}", shown.provider.name);
        assert!(coverage.body || shown.provider.event_key.is_empty(), "{}", shown.provider.name);
    });
}

#[test]
fn a_security_header_that_is_missing_or_repeated_is_refused() {
    each(|shown| {
        let name = &shown.provider.name;
        // The type is not among them: it is the last one.
        for index in 0..shown.fields.len() - 1 {
            let mut without = shown.clone();
            let (field, value) = without.fields.remove(index);
            // What Mercado Pago may leave out is missing in what is signed.
            let missing = if name == "mercadopago" && field == "x-request-id" {
                Rejection::SignatureMismatch
            } else {
                Rejection::SignatureMissing
            };
            assert_eq!(without.refused("a missing header"), missing, "{name} {field}");
            for second in [value, "other".to_owned()] {
                let mut twice = shown.clone();
                twice.fields.push((field.clone(), second));
                if shown.provider.scheme.repeats_its_header() {
                    assert!(twice.judged().is_ok(), "{name} has one for each key");
                } else {
                    assert_eq!(twice.refused("a repeated header"), Rejection::SignatureMissing, "{name} {field}");
                }
            }
            let mut empty = shown.clone();
            empty.fields[index].1.clear();
            assert!(empty.refused("an empty header").is_authentication(), "{name} {field}");
        }
    });
}

#[test]
fn the_signature_has_one_spelling() {
    each(|shown| {
        let original = shown.signature();
        for change in
            [str::to_uppercase, |text: &str| format!("{text}="), |text: &str| text.trim_end_matches('=').to_owned()]
        {
            let other = change(&original);
            if other != original {
                assert!(shown.signed(&other).refused("another spelling").is_authentication());
            }
        }
    });
}

#[test]
fn a_signed_time_has_two_edges() {
    each(|shown| {
        let Some(max_age) = shown.provider.max_age else { return };
        let age = i64::try_from(max_age.as_secs()).unwrap();
        let future = i64::try_from(shown.provider.max_future.as_secs()).unwrap();
        for (clock, expected) in [
            (NOW_S + age, None),
            (NOW_S + age + 1, Some(Rejection::Stale)),
            (NOW_S - future, None),
            (NOW_S - future - 1, Some(Rejection::FromTheFuture)),
        ] {
            let mut moved = shown.clone();
            moved.now = Timestamp::from_unix_s(clock);
            assert_eq!(moved.judged().err(), expected, "{} at {clock}", shown.provider.name);
        }
    });
}

#[test]
fn only_a_key_of_the_route_that_is_in_force_is_believed() {
    each(|shown| {
        let with = |keys: &[(&'static str, Option<Timestamp>)]| Shown { keys: keys.to_vec(), ..shown.clone() };
        assert_eq!(with(&[("sibling", None)]).refused("a sibling key"), Rejection::SignatureMismatch);
        assert_eq!(with(&[]).refused("no key"), Rejection::NoKey);
        assert_eq!(with(&[("own", Some(shown.now))]).refused("a retired key"), Rejection::NoKey);
        let rotated = with(&[("sibling", None), ("own", Some(shown.now + Duration::from_secs(1)))]);
        assert_eq!(rotated.judged().unwrap().key_id(), "own");
        for blank in ["", " ", "\n", "whsec_"] {
            let key = shown.provider.scheme.key(blank);
            let as_text = blank == "whsec_" && shown.provider.scheme.key_format().starts_with("a text");
            assert!(key.is_err() || as_text, "{}: {blank:?}", shown.provider.name);
        }
    });
}

/// Anyone who captured a request can put any id beside what is signed.
#[test]
fn what_is_not_signed_does_not_change_the_proof() {
    each(|shown| {
        let first = shown.judged().unwrap();
        let mut other = shown.clone();
        other.fields.push(("x-github-delivery".into(), "fresh".into()));
        other.fields.push(("x-shopify-event-id".into(), "fresh".into()));
        let second = other.judged().unwrap();
        assert_eq!(first.proof(), second.proof(), "{}", shown.provider.name);
        assert_eq!(first.signed_id(), second.signed_id());
        let mut renamed = shown.clone();
        renamed.fields.iter_mut().filter(|(_, value)| value == "msg_1").for_each(|(_, value)| *value = "msg_2".into());
        if renamed.fields != shown.fields {
            assert_eq!(renamed.refused("another id"), Rejection::SignatureMismatch);
        }
    });
}

/// A header carries two signatures while a sender rotates its key; dropping one must not make a replay look new.
#[test]
fn the_proof_is_the_same_whichever_of_two_signatures_is_left() {
    let shown = Shown::by(&provider("standard-webhooks"));
    let alone = shown.judged().unwrap().proof();
    let several = shown.signed(&format!("v1,AAAA v1a,other {} v2,whatever", shown.signature()));
    assert_eq!(several.judged().unwrap().proof(), alone, "others are skipped");
}

#[test]
fn stripes_header_takes_one_time_and_any_number_of_versions() {
    let shown = Shown::by(&provider("stripe"));
    let with = |change: &dyn Fn(&str) -> String| shown.signed(&change(&shown.signature())).judged().err();
    let bad = "0".repeat(64);
    assert_eq!(with(&|header| format!("{header},v0=ignored,v1={bad}")), None);
    assert_eq!(with(&|header| format!("t={NOW_S},{header}")), Some(Rejection::SignatureMalformed), "two times");
    assert_eq!(with(&|header| header.replace("t=", "t=0")), Some(Rejection::SignatureMismatch));
    assert_eq!(with(&|header| header.replace("v1=", "v0=")), Some(Rejection::SignatureMalformed));
    assert_eq!(with(&|header| header.split_once(',').unwrap().1.to_owned()), Some(Rejection::SignatureMissing));
}

/// Twilio's own libraries try the URL with a port and without; a form's fields come in any order, and its repeated values
/// once. Nothing else may change.
#[test]
fn a_form_is_signed_by_its_fields_and_a_url_with_any_port() {
    let provider = provider("twilio");
    let shown = Shown::of(&provider, "application/x-www-form-urlencoded", FORM);
    let with = |body: &str| Shown { body: body.as_bytes().to_vec(), ..shown.clone() };
    assert_eq!(shown.judged().err(), None);
    for same in ["type=order.paid&id=evt_1", "id=evt_1&type=order.paid&id=evt_1", "id=evt%5f1&type=order%2Epaid"] {
        let judged = with(same).judged().unwrap_or_else(|why| panic!("{same}: {why}"));
        assert_eq!(judged.proof(), shown.judged().unwrap().proof(), "{same} is the same request");
    }
    // Where a field ends is not signed: so the proof is the same, and the second is a repeat of the first.
    assert_eq!(with("ide=vt_1&type=order.paid").judged().unwrap().proof(), shown.judged().unwrap().proof());
    for other in ["id=evt_2&type=order.paid", "id=evt_1", "id=evt_1&type=order.paid&x=1", ""] {
        assert_eq!(with(other).refused(other), Rejection::SignatureMismatch);
    }
    let mut other_type = shown.clone();
    other_type.fields.last_mut().unwrap().1 = "application/json".to_owned();
    assert_eq!(other_type.refused("a form that says it is JSON"), Rejection::SignatureMissing, "no digest of the body");

    let (_, key) = provider.scheme.test_key("own").unwrap();
    let content_type = "application/x-www-form-urlencoded";
    for (url, good) in [
        ("https://shop.example:443/in", true),
        ("https://shop.example:8443/in", false),
        ("http://shop.example/in", false),
        ("https://shop.example/in?x=1", false),
    ] {
        let what = Unsigned { method: &Method::POST, url, content_type, body: FORM, id: "", at: shown.now };
        let moved = shown.signed(&provider.scheme.sign(&key, &what).fields.pop().unwrap().1);
        assert_eq!(moved.judged().is_ok(), good, "{url}");
    }
}

/// Twilio's GETs have their fields in the URL and no body, and so no digest of one. A body that is there needs it, and one that
/// was there is missed.
#[test]
fn a_url_without_a_body_needs_no_digest_of_one() {
    let provider = provider("twilio");
    let mut got = Shown::of(&provider, "application/x-www-form-urlencoded", b"");
    got.fields.retain(|(name, _)| name != "content-type");
    assert_eq!(got.judged().err(), None, "all of it is in its URL");
    got.body = b"{}".to_vec();
    assert_eq!(got.refused("a body that nobody signed"), Rejection::SignatureMissing);
    let mut emptied = Shown::of(&provider, "application/json", b"{}");
    assert_eq!(emptied.judged().err(), None);
    emptied.body.clear();
    assert_eq!(emptied.refused("a body that was taken away"), Rejection::SignatureMismatch);
}

/// Twilio signs no JSON: a parameter of the URL, which it does sign, carries the digest of it.
#[test]
fn a_body_that_is_no_form_has_its_digest_in_the_url() {
    let shown = Shown::of(&provider("twilio"), "application/json", BODY);
    assert_eq!(shown.judged().err(), None);
    let other = Shown { body: br#"{"id":"evt_2"}"#.to_vec(), ..shown.clone() };
    assert_eq!(other.refused("another body"), Rejection::SignatureMismatch);
    let empty = Shown { body: Vec::new(), ..shown.clone() };
    assert_eq!(empty.refused("no body"), Rejection::SignatureMismatch);
    let (plain, digest) = shown.target.split_once("bodySHA256=").unwrap();
    for target in [plain.trim_end_matches(['?', '&']).to_owned(), format!("{}&bodySHA256={digest}", shown.target)] {
        let moved = Shown { target, ..shown.clone() };
        assert_eq!(moved.refused("no digest, or two"), Rejection::SignatureMissing);
    }
}

/// The algorithm that a header names is one of two, and then the only one.
#[test]
fn a_named_algorithm_is_the_one_that_is_tried() {
    let provider = provider("twilio");
    let with = |settings: &str| {
        let mut shown = Shown::of(&provider, "application/x-www-form-urlencoded", FORM);
        shown.fields.push(("x-twilio-webhooks-signature-settings".to_owned(), settings.to_owned()));
        shown.judged().err()
    };
    assert_eq!(with("key=k,algorithm=HMAC_SHA1"), None);
    assert_eq!(with("key=k,algorithm=HMAC_SHA256"), Some(Rejection::SignatureMismatch));
    for odd in ["", "key=k", "algorithm=none", "algorithm=HMAC_SHA1,algorithm=HMAC_SHA256"] {
        assert_eq!(with(odd), Some(Rejection::SignatureMalformed), "{odd:?}");
    }
}

/// The example of <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>.
#[test]
fn githubs_documented_example_is_believed() {
    let provider = provider("github");
    let key = provider.scheme.signing_key("It's a Secret to Everybody").unwrap();
    let (at, url, content_type) = (Timestamp::from_unix_s(NOW_S), "https://shop.example/", "text/plain");
    let what = Unsigned { method: &Method::POST, url, content_type, body: b"Hello, World!", id: "", at };
    let expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!(provider.scheme.sign(&key, &what).fields, [("x-hub-signature-256".to_owned(), expected.to_owned())]);
}
