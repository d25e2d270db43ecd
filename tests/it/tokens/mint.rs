//! What an issuer does: keys, and tokens signed with them, well made or not.

use aws_lc_rs::{
    encoding::{AsBigEndian as _, AsDer, EcPrivateKeyBin, Pkcs8V1Der, PublicKeyX509Der},
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair},
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use hookwarden::verify::jwt::Algorithm;
use serde_json::{Value, json};
use std::sync::LazyLock;

pub struct Signer {
    pub algorithm: Algorithm,
    pub id: &'static str,
    key: Private,
}

enum Private {
    Mac(Vec<u8>),
    Rsa(&'static RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// Making one takes a while in which nothing is learnt.
static RSA: LazyLock<RsaKeyPair> = LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());

pub fn encode(part: impl AsRef<[u8]>) -> String {
    BASE64URL_NOPAD.encode(part.as_ref())
}

impl Signer {
    pub fn new(algorithm: Algorithm) -> Self {
        let ec = |curve| Private::Ec(EcdsaKeyPair::generate(curve).unwrap());
        let (id, key) = match algorithm {
            Algorithm::Hs256 => ("hs-256", Private::Mac((0..32).collect())),
            Algorithm::Hs384 => ("hs-384", Private::Mac((0..48).collect())),
            Algorithm::Hs512 => ("hs-512", Private::Mac((0..64).collect())),
            Algorithm::Rs256 => ("rs-256", Private::Rsa(&RSA)),
            Algorithm::Rs384 => ("rs-384", Private::Rsa(&RSA)),
            Algorithm::Rs512 => ("rs-512", Private::Rsa(&RSA)),
            Algorithm::Ps256 => ("ps-256", Private::Rsa(&RSA)),
            Algorithm::Ps384 => ("ps-384", Private::Rsa(&RSA)),
            Algorithm::Ps512 => ("ps-512", Private::Rsa(&RSA)),
            Algorithm::Es256 => ("es-256", ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING)),
            Algorithm::Es384 => ("es-384", ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING)),
            Algorithm::EdDsa => ("ed", Private::Ed(Ed25519KeyPair::generate().unwrap())),
        };
        Self { algorithm, id, key }
    }

    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.key {
            Private::Mac(secret) => json!({ "kty": "oct", "k": encode(secret) }),
            Private::Rsa(key) => {
                let (n, e) = (key.public_key().modulus(), key.public_key().exponent());
                let [n, e] = [n, e].map(|number| encode(number.big_endian_without_leading_zero()));
                json!({ "kty": "RSA", "n": n, "e": e, "use": "sig" })
            }
            Private::Ec(key) => {
                let point = &key.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y), "key_ops": ["verify"] })
            }
            Private::Ed(key) => json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(key.public_key()) }),
        };
        jwk["kid"] = self.id.into();
        jwk["alg"] = self.algorithm.name().into();
        jwk
    }

    /// The public key as an operator has it in a file.
    pub fn pem(&self) -> String {
        let der: PublicKeyX509Der<'_> = match &self.key {
            Private::Mac(_) => panic!("a secret is not published"),
            Private::Rsa(key) => key.public_key().as_der(),
            Private::Ec(key) => key.public_key().as_der(),
            Private::Ed(key) => key.public_key().as_der(),
        }
        .unwrap();
        pem("PUBLIC KEY", der.as_ref())
    }

    /// As `jsonwebtoken` wants it: PKCS#1 for RSA, else PKCS#8.
    pub fn private_der(&self) -> Vec<u8> {
        match &self.key {
            Private::Mac(secret) => secret.clone(),
            Private::Rsa(key) => {
                let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
                der.as_ref()[26..].to_vec()
            }
            Private::Ec(key) => {
                let secret: EcPrivateKeyBin<'_> = key.private_key().as_be_bytes().unwrap();
                assert!(!secret.as_ref().is_empty());
                key.to_pkcs8v1().unwrap().as_ref().to_vec()
            }
            Private::Ed(key) => key.to_pkcs8v1().unwrap().as_ref().to_vec(),
        }
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Private::Mac(secret) => mac(self.algorithm, secret, message),
            Private::Rsa(key) => {
                let padding: &dyn signature::RsaEncoding = match self.algorithm {
                    Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
                    Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
                    Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
            Private::Ec(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Private::Ed(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    pub fn header(&self) -> Value {
        json!({ "alg": self.algorithm.name(), "typ": "JWT", "kid": self.id })
    }

    /// As a good issuer makes it.
    pub fn token(&self, claims: &Value) -> String {
        self.token_of(&self.header().to_string(), &claims.to_string())
    }

    /// Of any text, signed all the same.
    pub fn token_of(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        format!("{signed}.{}", encode(self.sign(signed.as_bytes())))
    }
}

pub fn mac(algorithm: Algorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    let hash = match algorithm {
        Algorithm::Hs384 => hmac::HMAC_SHA384,
        Algorithm::Hs512 => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    hmac::sign(&hmac::Key::new(hash, secret), message).as_ref().to_vec()
}

pub fn pem(label: &str, der: &[u8]) -> String {
    let lines: Vec<_> =
        BASE64.encode(der).into_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
