//! Keys of HTTP message signatures, each held against the `alg` of the routes that would use it.

use super::NOW;
use crate::{
    keys::{KeyError, check, errors_in, load},
    policy::{Compiled, Source, tests::compiled},
};

const MAC: &str = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtb";
const ED25519: &str = include_str!("../../../tests/vectors/keys/ed25519.pub.pem");
const P256: &str = include_str!("../../../tests/vectors/keys/p256.pub.pem");
const P384: &str = include_str!("../../../tests/vectors/keys/p384.pub.pem");
const RSA: &str = include_str!("../../../tests/vectors/keys/rsa.pub.pem");
const PRIVATE: &str = include_str!("../../../tests/vectors/keys/ed25519.pem");
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

const KINDS: [(&str, &str); 5] = [("MAC", MAC), ("ED25519", ED25519), ("P256", P256), ("P384", P384), ("RSA", RSA)];
const OTHERS: [(&str, &str); 3] = [("PRIVATE", PRIVATE), ("CERTIFICATE", CERTIFICATE), ("TEXT", "no key at all!")];

fn environment(name: &str) -> Option<String> {
    KINDS.iter().chain(&OTHERS).find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned())
}

/// One route for each algorithm; all of them share the list.
fn text(algorithms: &[&str], keys: &[&str]) -> String {
    let routes = algorithms.iter().map(|alg| {
        format!(
            "  with-{alg}:\n    at: {{ path: /{alg} }}\n    sender: {{ provider: http-message-signatures, keys: partner, config: {{ alg: \
             {alg}, components: '@method content-digest' }} }}\n"
        )
    });
    let routes: String = routes.collect();
    let keys: String = keys.iter().map(|name| format!("    - {{ id: {name}, from: 'env:{name}' }}\n")).collect();
    format!(
        "public_url: https://shop.example\nroutes:\n{routes}keys:\n  partner:\n{keys}destinations: {{ wordpress: {{ url: \
         'http://w/' }} }}\nsecret: env:MAC\n"
    )
}

fn told(algorithms: &[&str], keys: &[&str]) -> Vec<String> {
    let Compiled { policy, .. } = compiled(&text(algorithms, keys)).unwrap_or_else(|report| panic!("{report}"));
    let told = |errors: Vec<KeyError>| errors.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (loaded, checked) = (load(&policy, &environment, NOW), check(&policy, &environment, NOW));
    let loaded = loaded.err().map(told).unwrap_or_default();
    assert_eq!(loaded, checked.err().map(told).unwrap_or_default(), "a start and `check --keys` say the same");
    loaded
}

#[test]
fn each_algorithm_takes_its_own_kind_of_key_and_no_other() {
    for (alg, fits) in [
        ("hmac-sha256", "MAC"),
        ("ed25519", "ED25519"),
        ("ecdsa-p256-sha256", "P256"),
        ("ecdsa-p384-sha384", "P384"),
        ("rsa-pss-sha512", "RSA"),
        ("rsa-v1_5-sha256", "RSA"),
    ] {
        for (kind, _) in KINDS.iter().chain(&OTHERS) {
            let told = told(&[alg], &[kind]);
            if *kind == fits {
                assert_eq!(told, [""; 0], "{alg} {kind}");
                continue;
            }
            let [told] = told.as_slice() else { panic!("{alg} {kind}: {told:?}") };
            let start = format!("key `{kind}` of `with-{alg}`: `alg: {alg}` is held against ");
            assert!(told.starts_with(&start), "{told}");
            for word in [PRIVATE, MAC].iter().flat_map(|text| text.lines()).filter(|line| !line.starts_with('-')) {
                assert!(!told.contains(word), "{told}");
            }
        }
    }
}

#[test]
fn what_was_found_and_what_to_write_is_said() {
    let before = "key `MAC` of `with-ed25519`: `alg: ed25519` is held against the sender's public key, one of Ed25519, and this is";
    let pem = "write that key in PEM (`-----BEGIN PUBLIC KEY-----`), or the `alg` that the sender signs with";
    for (kind, rest) in [
        ("MAC", format!("a text in base64, as a shared secret is; {pem}")),
        ("P256", format!("a public key of another kind; {pem}")),
        ("TEXT", format!("neither base64 nor PEM; {pem}")),
        (
            "PRIVATE",
            "a private key, which is its owner's alone; write what `openssl pkey -pubout -in FILE` makes of it"
                .to_owned(),
        ),
        ("CERTIFICATE", "a certificate; write what `openssl x509 -pubkey -noout -in FILE` makes of it".to_owned()),
    ] {
        assert_eq!(told(&["ed25519"], &[kind]), [format!("{} {rest}", before.replace("MAC", kind))]);
    }
    assert_eq!(
        told(&["hmac-sha256"], &["RSA"]),
        [
            "key `RSA` of `with-hmac-sha256`: `alg: hmac-sha256` is held against a shared secret, and this is a public key, which \
          everybody may have; write the shared secret in base64, or the `alg` that the sender signs with"
        ]
    );
}

/// The list is one, and each route wants another kind of it.
#[test]
fn routes_that_share_a_list_share_a_kind_of_key() {
    assert_eq!(told(&["rsa-pss-sha512", "rsa-v1_5-sha256"], &["RSA"]), [""; 0], "one key fits both");
    let both = told(&["ed25519", "rsa-pss-sha512"], &["ED25519", "RSA"]);
    let whose: Vec<_> = both.iter().filter_map(|one| one.split(':').next()).collect();
    assert_eq!(whose, ["key `RSA` of `with-ed25519`", "key `ED25519` of `with-rsa-pss-sha512`"]);
    // A key that everybody may have and one that two share are not in one list.
    let report = compiled(&text(&["ed25519", "hmac-sha256"], &["ED25519", "MAC"])).map(|_| ()).unwrap_err();
    assert!(report.to_string().contains("no key is both; write a list for each"), "{report}");
}

/// Whoever knows a public key could sign with it, were it a shared secret.
#[test]
fn a_public_key_is_no_shared_secret() {
    let bare = ED25519.lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let found = crate::verify::Catalogue::embedded();
    let messages = &found.find("http-message-signatures").unwrap().scheme;
    let hmac = crate::verify::jwt::Algorithm::Hs256;
    assert!(messages.key_of(Some(hmac), MAC).is_ok());
    assert!(messages.key_of(Some(hmac), &bare).is_err_and(|why| why.to_string().contains("everybody may have")));
    for name in ["github", "stripe", "telegram", "qstash"] {
        let scheme = &found.find(name).unwrap().scheme;
        for pem in [ED25519, RSA, CERTIFICATE, PRIVATE] {
            let why = scheme.key_of(None, pem).map(|_| ()).unwrap_err().to_string();
            assert!(why.contains("write the secret that the sender's settings show"), "{name}: {why}");
        }
    }
}

#[test]
fn it_is_told_where_the_policy_names_the_key() {
    let text = text(&["ed25519"], &["ED25519", "MAC"]);
    let policy = compiled(&text).unwrap_or_else(|report| panic!("{report}")).policy;
    let errors = check(&policy, &environment, NOW).unwrap_err();
    let told = errors_in(&Source::one("gate.yaml", &text), &policy, &errors);
    let places: Vec<_> = told.iter().map(|one| (one.line, one.column)).collect();
    let line = text.lines().position(|line| line.contains("id: MAC")).unwrap() + 1;
    assert_eq!(places, [(line, "    - { id: MAC, from: '".len())]);
}
