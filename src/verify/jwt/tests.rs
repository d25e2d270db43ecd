//! The RFCs' own examples, and what the reader takes.

use super::{Algorithm, KeySet, compact, decode};
use crate::{clock::Timestamp, verdict::Refusal};
use data_encoding::BASE64URL_NOPAD;
use proptest::prelude::*;
use serde_json::Value;

/// Header and signature alone: the payloads of most examples are no claims.
fn verdict(token: &str, jwk: &Value) -> Result<(), Refusal> {
    let set = serde_json::json!({ "keys": [jwk] }).to_string();
    let compact = compact::read(token).map_err(|flaw| Refusal::Rejected(flaw.into()))?;
    let (keys, _) = KeySet::from_jwks(set.as_bytes(), &Algorithm::ALL[if jwk["kty"] == "oct" { 0..1 } else { 3..12 }])
        .unwrap_or_else(|why| panic!("{why}: {jwk}"));
    let key = keys.find(compact.key_id.as_deref(), compact.algorithm, Timestamp::default())?;
    compact.is_signed_by(key).map_err(|flaw| Refusal::Rejected(flaw.into()))
}

#[test]
fn agrees_with_every_example_of_the_rfcs() {
    let mut good = 0;
    for line in include_str!("../../../tests/vectors/jws.jsonl").lines() {
        let vector: Value = line.parse().unwrap();
        let token = vector["token"].as_str().unwrap();
        let code = verdict(token, &vector["jwk"]).map_or_else(|refusal| refusal.code(), |()| "good");
        assert_eq!(code, vector["expect"].as_str().unwrap(), "{}", vector["source"]);
        good += usize::from(code == "good");
    }
    assert_eq!(good, 7);
}

#[test]
fn every_algorithm_has_one_name() {
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
        assert_eq!(Algorithm::named(&algorithm.name().to_lowercase()), None);
    }
}

#[test]
fn a_type_is_compared_as_a_media_type() {
    for written in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+jwt"] {
        assert!(compact::is_kind(written, "at+jwt"), "{written}");
    }
    for written in ["", "jwt", "at+jwt ", "application/", "text/at+jwt", "application/x/at+jwt"] {
        assert!(!compact::is_kind(written, "at+jwt"), "{written}");
    }
    assert!(!compact::is_kind("application/a/jwt", "a/jwt"), "what may be left out is followed by no other slash");
}

const GOOD: &str =
    "eyJhbGciOiJFUzI1NiJ9.e30.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// What is read is written again in the same bytes, so that no two tokens are one.
fn is_canonical(token: &str) -> bool {
    let parts: Vec<_> = token.split('.').map(|part| decode(part).map(|bytes| BASE64URL_NOPAD.encode(&bytes))).collect();
    parts.into_iter().collect::<Option<Vec<_>>>().is_some_and(|parts| parts.join(".") == token)
}

proptest! {
    #[test]
    fn reads_only_what_has_one_spelling(token in "[A-Za-z0-9_=+/. -]{0,60}|eyJhbGciOiJFUzI1NiJ9\\.[A-Za-z0-9_-]{0,9}\\.[A-Za-z0-9_-]{0,9}") {
        if compact::read(&token).is_ok() {
            prop_assert!(is_canonical(&token));
        }
    }

    #[test]
    fn never_panics(token in any::<String>()) {
        drop(compact::read(&token));
    }

    #[test]
    fn a_changed_byte_changes_what_is_read(at in 0..GOOD.len(), byte in 0x20_u8..0x7f) {
        let mut changed = GOOD.as_bytes().to_vec();
        prop_assume!(changed[at] != byte);
        changed[at] = byte;
        let changed = String::from_utf8(changed).unwrap();
        let before = compact::read(GOOD).unwrap();
        if let Ok(after) = compact::read(&changed) {
            prop_assert!(after.signed != before.signed || after.signature != before.signature);
        }
    }
}
