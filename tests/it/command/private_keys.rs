//! Senders that sign with a private key: with one that openssl made, `sign` makes what the gate believes by its public half.

use super::{Bench, Ran};
use serde_json::{Value, json};

const URL: &str = "https://shop.example/hooks/partner?a=b";

macro_rules! keys {
    ($($name:literal),*) => { [$(($name, include_str!(concat!("../../vectors/keys/", $name)))),*] };
}

const KEYS: [(&str, &str); 11] = keys![
    "ed25519.pem",
    "ed25519.pub.pem",
    "ed25519.encrypted.pem",
    "p256.pem",
    "p256.pub.pem",
    "p256.sec1.pem",
    "p384.pem",
    "p384.pub.pem",
    "rsa.pem",
    "rsa.pub.pem",
    "rsa.pkcs1.pem"
];

const MESSAGES: &str = "http-message-signatures";
const COMPONENTS: &str = "components=@method @target-uri content-digest";
const PUSHES: [&str; 4] =
    ["--config", "audience=https://shop.example", "--config", "email=pusher@p.iam.gserviceaccount.com"];

/// Nothing of a private key is in what is printed, whatever comes of it.
fn sign(bench: &Bench, provider: &str, key: &str, rest: &[&str]) -> Ran {
    let key = format!("file:{key}");
    let ran = bench.run(&[&["sign", URL, "--provider", provider, "--key", &key, "--as", "json"], rest].concat());
    let private = KEYS.iter().filter(|(name, _)| !name.contains(".pub.")).flat_map(|(_, text)| text.lines());
    for line in private.filter(|line| !line.starts_with('-')) {
        assert!(!ran.out.contains(line) && !ran.err.contains(line), "{provider}");
    }
    ran
}

fn text(name: &str) -> &'static str {
    KEYS.iter().find(|(known, _)| *known == name).expect("a key of the folder").1
}

/// What `verify` says of a line, with these public keys.
fn verified(bench: &Bench, line: &str, public: &str) -> Value {
    let mut request: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    request["public_keys"] = json!([public]);
    bench.write("recorded", &request.to_string());
    let ran = bench.run(&["verify", "--requests", "recorded"]);
    let verdict: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    verdict["code"].clone()
}

#[test]
fn what_a_key_of_openssl_signs_holds_by_its_public_half_and_by_no_other() {
    let bench = Bench::new(&KEYS);
    for (alg, kind) in [
        ("ed25519", "ed25519"),
        ("ecdsa-p256-sha256", "p256"),
        ("ecdsa-p384-sha384", "p384"),
        ("rsa-pss-sha512", "rsa"),
        ("rsa-v1_5-sha256", "rsa"),
    ] {
        let said = format!("alg={alg}");
        let ran = sign(&bench, MESSAGES, &format!("{kind}.pem"), &["--config", &said, "--config", COMPONENTS]);
        assert_eq!(ran.code, Some(0), "{alg}: {ran:?}");
        for public in ["ed25519", "p256", "p384", "rsa"] {
            let verdict = verified(&bench, &ran.out, text(&format!("{public}.pub.pem")));
            assert_eq!(verdict == "ok", public == kind, "{alg} by {public}: {verdict}");
        }
        let forged = ran.out.replace("/hooks/partner", "/hooks/others");
        assert_eq!(verified(&bench, &forged, text(&format!("{kind}.pub.pem"))), "signature_mismatch", "{alg}");
    }
}

#[test]
fn a_token_is_signed_with_the_algorithm_that_the_key_is_of() {
    let bench = Bench::new(&KEYS);
    for (provider, kind, config) in [("google-pubsub", "rsa", &PUSHES[..]), ("plaid", "p256", &[])] {
        let ran = sign(&bench, provider, &format!("{kind}.pem"), config);
        assert_eq!(ran.code, Some(0), "{provider}: {ran:?}");
        assert_eq!(verified(&bench, &ran.out, text(&format!("{kind}.pub.pem"))), "ok", "{provider}");
        assert_ne!(verified(&bench, &ran.out, text("p384.pub.pem")), "ok", "{provider}");
    }
}

/// Senders that hand their keys out otherwise than in PEM: the same bytes, in hexadecimal or base64.
#[test]
fn schemes_of_their_own_are_signed_for_too() {
    let bench = Bench::new(&KEYS);
    let der = |name: &str| -> Vec<u8> {
        let body: String = text(name).lines().filter(|line| !line.starts_with('-')).collect();
        data_encoding::BASE64.decode(body.as_bytes()).unwrap()
    };
    let hex = |name: &str| data_encoding::HEXLOWER.encode(&der(name));
    let base64 = |name: &str| data_encoding::BASE64.encode(&der(name));
    for (provider, kind, public) in [
        ("discord", "ed25519", hex("ed25519.pub.pem")),
        ("telnyx", "ed25519", base64("ed25519.pub.pem")),
        ("sendgrid", "p256", base64("p256.pub.pem")),
        ("paddle-classic", "rsa", text("rsa.pub.pem").to_owned()),
    ] {
        let ran = sign(&bench, provider, &format!("{kind}.pem"), &[]);
        assert_eq!(ran.code, Some(0), "{provider}: {ran:?}");
        assert_eq!(verified(&bench, &ran.out, &public), "ok", "{provider}");
    }
}

#[test]
fn a_key_of_the_wrong_kind_is_refused_with_the_way_out() {
    let bench = Bench::new(&KEYS);
    bench.write("secret", "a secret of the shop's own");
    bench.write("cut.pem", "-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n");
    let told = |provider: &str, key: &str, rest: &[&str]| {
        let ran = sign(&bench, provider, key, rest);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        ran.err
    };
    let ed25519 = ["--config", "alg=ed25519", "--config", COMPONENTS];
    for (key, why) in [
        ("secret", "this is none in PEM; write an Ed25519 key, as `openssl genpkey -algorithm ed25519` makes one"),
        ("ed25519.pub.pem", "this is a public key, and a signature is made with the private one"),
        ("ed25519.encrypted.pem", "is encrypted; write it without a passphrase, as `openssl pkcs8 -topk8 -nocrypt"),
        ("p256.sec1.pem", "is not in PKCS#8; write it as `openssl pkcs8 -topk8 -nocrypt -in FILE` does"),
        ("rsa.pkcs1.pem", "is not in PKCS#8; write it as `openssl pkcs8 -topk8 -nocrypt -in FILE` does"),
        ("p256.pem", "this is a key on P-256, and this sender signs with an Ed25519 key, as `openssl genpkey"),
        ("cut.pem", "this private key cannot be read"),
    ] {
        let told = told(MESSAGES, key, &ed25519);
        assert!(told.contains("`--key`: ") && told.contains(why), "{key}: {told}");
    }
    let told_of = |provider: &str, key: &str| told(provider, key, &[]);
    assert!(
        told_of("discord", "rsa.pem").contains("this is an RSA key of 2048 bits or more, and this sender signs with")
    );
    assert!(told_of("github", "ed25519.pem").contains("this sender signs with a shared secret; write that"));
    let mac = ["--config", "alg=hmac-sha256", "--config", COMPONENTS];
    assert!(told(MESSAGES, "ed25519.pem", &mac).contains("this sender signs with a shared secret; write that"));
    assert!(
        told(MESSAGES, "rsa.pem", &["--config", "alg=rsa", "--config", COMPONENTS]).contains("unknown algorithm `rsa`")
    );
    assert!(told_of(MESSAGES, "rsa.pem").contains("write `--config alg=...` as in the policy"));
}

/// From a variable, as secrets are given elsewhere.
#[test]
fn a_private_key_may_stand_in_a_variable() {
    let bench = Bench::new(&KEYS);
    let mut command = bench.command(&["sign", URL, "--provider", "plaid", "--key", "env:KEY", "--as", "json"]);
    let ran = Ran::of(&command.env("KEY", text("p256.pem")).output().unwrap());
    assert_eq!(verified(&bench, &ran.out, text("p256.pub.pem")), "ok");
}
