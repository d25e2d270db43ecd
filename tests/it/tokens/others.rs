//! Another library's opinion: what it makes is believed here, and what is made here is believed there.

use super::{World, claims};
use hookwarden::verify::jwt::Algorithm;
use jsonwebtoken as other;
use serde_json::Value;

fn named(algorithm: Algorithm) -> other::Algorithm {
    algorithm.name().parse().unwrap()
}

#[test]
fn believes_what_jsonwebtoken_signs() {
    for algorithm in Algorithm::ALL {
        let world = World::of([algorithm]);
        let private = world.signers[0].private_der();
        let key = match algorithm.name().as_bytes() {
            [b'H', ..] => other::EncodingKey::from_secret(&private),
            [b'R' | b'P', ..] => other::EncodingKey::from_rsa_der(&private),
            [b'E', b'S', ..] => other::EncodingKey::from_ec_der(&private),
            _ => other::EncodingKey::from_ed_der(&private),
        };
        let header = other::Header { kid: Some(world.signers[0].id.into()), ..other::Header::new(named(algorithm)) };
        assert_eq!(world.code(&other::encode(&header, &claims(), &key).unwrap()), "good", "{algorithm:?}");
    }
}

#[test]
fn jsonwebtoken_believes_what_these_tests_sign() {
    for algorithm in Algorithm::ALL {
        let world = World::of([algorithm]);
        let jwk: other::jwk::Jwk = serde_json::from_value(world.signers[0].jwk()).unwrap();
        let mut wanted = other::Validation::new(named(algorithm));
        wanted.set_audience(&["shop"]);
        wanted.validate_exp = false;
        let token = world.token(algorithm);
        let read = other::decode::<Value>(&token, &other::DecodingKey::from_jwk(&jwk).unwrap(), &wanted);
        assert_eq!(read.unwrap().claims, claims(), "{algorithm:?}");
    }
}
