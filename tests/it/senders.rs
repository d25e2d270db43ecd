//! Every sender of the catalogue, mechanically: what it signs is believed, and nothing near it is.

use hookwarden::{
    clock::Timestamp,
    repeat::Window,
    request::{Head, Target, Unverified},
    secret::Secret,
    verdict::Rejection,
    verify::{Catalogue, Key, Keys, Provider, Sender, Unsigned, Verified, verify},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::Arc,
    time::Duration,
};

const NOW_S: i64 = 1_760_000_000;
const BODY: &[u8] = br#"{"id":"evt_1","type":"order.paid","event_id":"Ev1"}"#;
/// Base64, so that it is a key for every sender.
const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SIBLING: &str = "AfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A request as this sender signs it, to be taken apart.
#[derive(Clone)]
struct Shown {
    provider: Arc<Provider>,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
    now: Timestamp,
    secrets: Vec<(&'static str, Option<Timestamp>)>,
}

impl Shown {
    fn by(provider: &Arc<Provider>) -> Self {
        let key = provider.scheme.key(SECRET).unwrap();
        let at = Timestamp::from_unix_s(NOW_S);
        let what = Unsigned { method: &Method::POST, url: "https://shop.example/in", body: BODY, id: "msg_1", at };
        let fields = provider.scheme.sign(&key, &what);
        Self { provider: provider.clone(), fields, body: BODY.to_vec(), now: at, secrets: vec![(SECRET, None)] }
    }

    fn signature(&mut self) -> &mut String {
        let name = self.provider.scheme.signature_header().to_owned();
        &mut self.fields.iter_mut().find(|(found, _)| *found == name).expect("it signs").1
    }

    fn judged(&self) -> Result<Verified, Rejection> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.fields {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let head = Head {
            method: Method::POST,
            target: Target::parse("/in").unwrap(),
            host: "shop.example".into(),
            headers,
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let keys = self.secrets.iter().map(|(text, retire)| Key {
            id: (*text).to_owned(),
            secret: self.provider.scheme.key(text).unwrap(),
            retire: *retire,
        });
        let keys = Keys::new(Secret::new("memory").unwrap(), BTreeMap::from([("all".to_owned(), keys.collect())]));
        let window = match self.provider.max_age {
            Some(max_age) => Window::Signed { max_age, max_future: self.provider.max_future },
            None => Window::Unsigned { remember: Duration::from_hours(72) },
        };
        let public = Some("https://shop.example".to_owned());
        let sender = Sender::for_tools("in", self.provider.clone(), "all", window, public);
        verify(&sender, &keys, Unverified { head, raw: self.body.clone().into() }, self.now)
    }

    fn refused(&self, what: &str) -> Rejection {
        match self.judged() {
            Err(rejection) => rejection,
            Ok(_) => panic!("{}: {what} was believed", self.provider.name),
        }
    }
}

fn each(mut check: impl FnMut(Shown)) {
    let catalogue = Catalogue::embedded();
    assert!(catalogue.iter().count() >= 8);
    for provider in catalogue.iter() {
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
        for bit in 0..BODY.len() * 8 {
            let mut flipped = shown.clone();
            flipped.body[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(flipped.refused("a flipped bit of the body"), Rejection::SignatureMismatch);
        }
        let length = shown.clone().signature().len();
        for at in 0..length {
            for other in ["0", "A", "g", "=", "+"] {
                let mut flipped = shown.clone();
                let signature = flipped.signature();
                if &signature[at..=at] == other {
                    continue;
                }
                signature.replace_range(at..=at, other);
                assert!(flipped.refused("a changed letter of the signature header").is_authentication());
            }
        }
        let mut cut = shown.clone();
        cut.body.truncate(BODY.len() - 1);
        assert_eq!(cut.refused("a truncated body"), Rejection::SignatureMismatch);
    });
}

#[test]
fn a_security_header_that_is_missing_or_repeated_is_refused() {
    each(|shown| {
        for index in 0..shown.fields.len() {
            let mut without = shown.clone();
            let (name, value) = without.fields.remove(index);
            assert_eq!(without.refused("a missing header"), Rejection::SignatureMissing, "{name}");
            for second in [value, "other".to_owned()] {
                let mut twice = shown.clone();
                twice.fields.push((name.clone(), second));
                assert_eq!(twice.refused("a repeated header"), Rejection::SignatureMissing, "{name}");
            }
            let mut empty = shown.clone();
            empty.fields[index].1.clear();
            assert!(empty.refused("an empty header").is_authentication(), "{name}");
        }
    });
}

#[test]
fn the_signature_has_one_spelling() {
    each(|shown| {
        let spelt = |change: fn(&str) -> String| {
            let mut other = shown.clone();
            let signature = other.signature();
            *signature = change(signature);
            other
        };
        let original = shown.clone().signature().clone();
        for change in
            [str::to_uppercase, |text: &str| format!("{text}="), |text: &str| text.trim_end_matches('=').to_owned()]
        {
            let other = spelt(change);
            if *other.clone().signature() != original {
                assert!(other.refused("another spelling").is_authentication());
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
        let with = |secrets: &[(&'static str, Option<Timestamp>)]| Shown { secrets: secrets.to_vec(), ..shown.clone() };
        assert_eq!(with(&[(SIBLING, None)]).refused("a sibling key"), Rejection::SignatureMismatch);
        assert_eq!(with(&[]).refused("no key"), Rejection::NoKey);
        assert_eq!(with(&[(SECRET, Some(shown.now))]).refused("a retired key"), Rejection::NoKey);
        let rotated = with(&[(SIBLING, None), (SECRET, Some(shown.now + Duration::from_secs(1)))]);
        assert_eq!(rotated.judged().unwrap().key_id(), SECRET);
        for blank in ["", " ", "\n", "whsec_"] {
            let key = shown.provider.scheme.key(blank);
            assert!(key.is_err() || (blank == "whsec_" && shown.provider.name != "svix"), "{blank:?}");
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
        if let Some(id) = shown.provider.scheme.coverage().id.then_some("msg_2") {
            let mut renamed = shown.clone();
            renamed.fields.iter_mut().filter(|(_, value)| value == "msg_1").for_each(|(_, value)| *value = id.into());
            assert_eq!(renamed.refused("another id"), Rejection::SignatureMismatch);
        }
    });
}

/// A header carries two signatures while a sender rotates its key; dropping one must not make a replay look new.
#[test]
fn the_proof_is_the_same_whichever_of_two_signatures_is_left() {
    let provider = Catalogue::embedded().find("standard-webhooks").unwrap().clone();
    let mut shown = Shown::by(&provider);
    let good = shown.signature().clone();
    let alone = shown.judged().unwrap().proof();
    *shown.signature() = format!("v1,AAAA v1a,other {good} v2,whatever");
    assert_eq!(shown.judged().unwrap().proof(), alone, "others are skipped");
}

#[test]
fn stripes_header_takes_one_time_and_any_number_of_versions() {
    let provider = Catalogue::embedded().find("stripe").unwrap().clone();
    let with = |change: &dyn Fn(&str) -> String| {
        let mut shown = Shown::by(&provider);
        let header = change(shown.signature());
        *shown.signature() = header;
        shown.judged().err()
    };
    let bad = "0".repeat(64);
    assert_eq!(with(&|header| format!("{header},v0=ignored,v1={bad}")), None);
    assert_eq!(with(&|header| format!("t={NOW_S},{header}")), Some(Rejection::SignatureMalformed), "two times");
    assert_eq!(with(&|header| header.replace("t=", "t=0")), Some(Rejection::SignatureMismatch));
    assert_eq!(with(&|header| header.replace("v1=", "v0=")), Some(Rejection::SignatureMalformed));
    assert_eq!(with(&|header| header.split_once(',').unwrap().1.to_owned()), Some(Rejection::SignatureMissing));
}

/// The example of <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>.
#[test]
fn githubs_documented_example_is_believed() {
    let provider = Catalogue::embedded().find("github").unwrap().clone();
    let key = provider.scheme.key("It's a Secret to Everybody").unwrap();
    let at = Timestamp::from_unix_s(NOW_S);
    let what = Unsigned { method: &Method::POST, url: "https://shop.example/", body: b"Hello, World!", id: "", at };
    let expected = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!(provider.scheme.sign(&key, &what), [("x-hub-signature-256".to_owned(), expected.to_owned())]);
}

#[cfg(feature = "edge")]
#[test]
fn requests_are_judged_as_the_vendors_own_libraries_judged_them() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/senders.jsonl");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_hookwarden"))
        .args(["verify", "--requests"])
        .arg(&file)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told = String::from_utf8(output.stdout).unwrap();
    let vectors = fs::read_to_string(file).unwrap();
    assert_eq!(told.lines().count(), vectors.lines().count());
    for (vector, told) in vectors.lines().zip(told.lines()) {
        let (vector, told): (serde_json::Value, serde_json::Value) =
            (serde_json::from_str(vector).unwrap(), serde_json::from_str(told).unwrap());
        assert_eq!(told["id"], vector["id"]);
        assert_eq!(told["accepted"], vector["expect"] == "accept", "{told}");
    }
}
