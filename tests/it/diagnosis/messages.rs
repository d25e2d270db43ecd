//! HTTP message signatures (RFC 9421): each thing that can be otherwise than a policy wants it.

use super::scene::{BODY, NOW_S, OTHER, SECRET, SITE, Scene, codes, key, pair};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit as _, Mac as _};
use hookwarden::diagnosis::Found;
use http::Method;
use sha2::{Digest as _, Sha256};

const NAME: &str = "http-message-signatures";
pub const COVERED: &str = "\"@method\" \"@target-uri\" \"content-digest\"";

/// Signed over these components, with these parameters, under this label.
fn covering(scene: &mut Scene, label: &str, components: &str, parameters: &str) {
    covering_with(scene, label, components, parameters, |base| mac(SECRET, base));
}

/// The same with another secret.
pub fn covering_by(scene: &mut Scene, secret: &str, components: &str, parameters: &str) {
    covering_with(scene, "sig1", components, parameters, |base| mac(secret, base));
}

fn mac(secret: &str, base: &str) -> Vec<u8> {
    let key = BASE64.decode(secret.as_bytes()).unwrap();
    <Hmac<Sha256>>::new_from_slice(&key).unwrap().chain_update(base).finalize().into_bytes().to_vec()
}

pub fn covering_with(
    scene: &mut Scene,
    label: &str,
    components: &str,
    parameters: &str,
    sign: impl FnOnce(&str) -> Vec<u8>,
) {
    let params = format!("({components}){parameters}");
    let mut base = String::new();
    for word in components.split_ascii_whitespace() {
        let (site, target) = (&scene.site, &scene.target);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let value = match word.trim_matches('"') {
            "@method" => scene.method.to_string(),
            "@target-uri" => format!("{site}{target}"),
            "@authority" => site.split_once("://").unwrap().1.to_owned(),
            "@scheme" => site.split_once("://").unwrap().0.to_owned(),
            "@path" => path.to_owned(),
            "@query" => format!("?{query}"),
            name => scene.value(name).clone(),
        };
        base += &format!("{word}: {value}\n");
    }
    base += &format!("\"@signature-params\": {params}");
    let made = BASE64.encode(&sign(&base));
    scene.fields.retain(|(name, _)| name != "signature" && name != "signature-input");
    scene.fields.push(("signature-input".to_owned(), format!("{label}={params}")));
    scene.fields.push(("signature".to_owned(), format!("{label}=:{made}:")));
}

pub fn created() -> String {
    format!(";created={NOW_S}")
}

pub fn scene() -> Scene {
    let mut scene = Scene::of(NAME);
    for field in &mut scene.fields {
        field.0 = field.0.to_ascii_lowercase();
    }
    scene
}

#[test]
fn a_message_in_order_is_healthy() {
    assert_eq!(scene().diagnosis().found, Found::Healthy);
    let mut own = scene();
    covering(&mut own, "sig1", COVERED, &created());
    assert_eq!(own.diagnosis().found, Found::Healthy, "as it is made here");
}

#[test]
fn a_key_that_is_read_in_another_way_is_told_as_that() {
    let mut literal = scene();
    covering_with(&mut literal, "sig1", COVERED, &created(), |base| {
        let mac = <Hmac<Sha256>>::new_from_slice(SECRET.as_bytes()).unwrap().chain_update(base).finalize();
        mac.into_bytes().to_vec()
    });
    literal.is("secret_literal");
    let mut other = scene();
    covering_by(&mut other, OTHER, COVERED, &created());
    assert_eq!(other.diagnosis().found, Found::Unknown);
    other.keys.push(key("shop", "live-2", OTHER));
    other.is("key_of_other_list");
    // A public key that stands there bare.
    let seed: [u8; 32] = Sha256::digest(SECRET).into();
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let mut bare = scene();
    bare.config.insert("alg".to_owned(), "ed25519".to_owned());
    covering_with(&mut bare, "sig1", COVERED, &created(), |base| pair.sign(base.as_bytes()).as_ref().to_vec());
    for text in [BASE64.encode(pair.public_key().as_ref()), HEXLOWER.encode(pair.public_key().as_ref())] {
        bare.keys = vec![key("own", "live", &text)];
        assert!(bare.is("secret_decoded").contains("takes that for a shared secret"));
    }
}

#[test]
fn a_part_that_is_not_signed_is_told() {
    for (covered, missing) in [
        ("\"@method\" \"content-digest\"", "`@target-uri` is not signed"),
        ("\"content-digest\"", "`@method`, `@target-uri` are not signed"),
        ("\"@method\" \"@target-uri\"", "`content-digest` is not signed"),
    ] {
        let mut scene = scene();
        covering(&mut scene, "sig1", covered, &created());
        let what = scene.is("component_missing");
        assert!(what.contains(missing), "{what}");
    }
}

#[test]
fn a_signed_header_that_did_not_come_is_told() {
    let mut scene = scene();
    covering(&mut scene, "sig1", &format!("{COVERED} \"content-type\""), &created());
    assert_eq!(scene.diagnosis().found, Found::Healthy);
    scene.fields.retain(|(name, _)| name != "content-type");
    assert!(scene.sees("header_missing").contains("`content-type` is signed, and did not come"));
    scene.fields.retain(|(name, _)| name != "content-digest");
    assert!(scene.sees("header_missing").contains("`content-digest`, `content-type` are signed"));
    let mut half = self::scene();
    half.fields.retain(|(name, _)| name != "signature-input");
    assert!(half.sees("header_missing").contains("`signature-input` is missing"));
}

#[test]
fn another_algorithm_than_the_policys_is_told() {
    let mut said = scene();
    covering(&mut said, "sig1", COVERED, &format!("{};alg=\"hmac-sha256\"", created()));
    assert_eq!(said.diagnosis().found, Found::Healthy);
    said.config.insert("alg".to_owned(), "ed25519".to_owned());
    let what = said.is("other_algorithm");
    assert!(what.contains("signed with `hmac-sha256`, and the policy wants `ed25519`"), "{what}");
    // It does not say which, and only that one holds.
    let mut unsaid = scene();
    unsaid.config.insert("alg".to_owned(), "rsa-pss-sha512".to_owned());
    assert!(unsaid.is("other_algorithm").contains("`hmac-sha256`"));
    // Nobody here has the key that it was made with.
    let mut foreign = scene();
    covering_with(&mut foreign, "sig1", COVERED, &format!("{};alg=\"ed25519\"", created()), |_| vec![7; 64]);
    let what = foreign.sees("other_algorithm");
    assert!(what.contains("says that it is made with `ed25519`, and the policy wants `hmac-sha256`"), "{what}");
}

#[test]
fn the_times_of_a_message_are_told_in_seconds() {
    let mut late = scene();
    late.now_s += 425;
    assert!(late.is("too_old").contains("425 s (7 min 5 s) before"));
    late.now_s = NOW_S - 100;
    assert!(late.is("from_the_future").contains("100 s after"));
    let mut ended = scene();
    covering(&mut ended, "sig1", COVERED, &format!("{};expires={}", created(), NOW_S + 30));
    ended.now_s += 75;
    assert!(ended.is("expired").contains("until 45 s before it came"));
    let mut timeless = scene();
    covering(&mut timeless, "sig1", COVERED, "");
    assert!(timeless.is("time_missing").contains("`created`"));
    let mut unit = scene();
    covering(&mut unit, "sig1", COVERED, &format!(";created={}", NOW_S * 1000));
    unit.is("time_unit");
}

#[test]
fn a_body_that_is_not_that_of_the_digest_is_told() {
    for (came, code) in [
        (format!("{BODY}\n"), "body_line_end"),
        (format!("\u{feff}{BODY}"), "body_mark"),
        (BODY.replace("\":", "\": "), "body_json"),
        ("{\"another\":true}".to_owned(), "body_other"),
    ] {
        let mut scene = scene();
        scene.body = came.into_bytes();
        scene.is(code);
    }
}

#[test]
fn the_signature_that_counts_is_told_by_its_label() {
    let labelled = |parameters: &str| {
        let mut scene = scene();
        covering(&mut scene, "proxy", COVERED, &format!("{}{parameters}", created()));
        scene
    };
    let mut other = labelled("");
    other.config.insert("label".to_owned(), "shop".to_owned());
    let what = other.is("label_other");
    assert!(what.contains("called `proxy` is good") && what.contains("`label: shop`"), "{what}");
    for (name, said) in [("tag", ";tag=\"a\""), ("keyid", ";keyid=\"a\"")] {
        let mut other = labelled(said);
        other.config.insert(name.to_owned(), "a".to_owned());
        assert_eq!(other.diagnosis().found, Found::Healthy);
        other.config.insert(name.to_owned(), "b".to_owned());
        assert!(other.is("label_other").contains(&format!("`{name}: b`")));
        assert!(other.causes()[0].mend.contains(&format!("of the route: `{name}: a`;")), "{:?}", other.causes());
        other.config.insert("label".to_owned(), "shop".to_owned());
        assert!(other.causes()[0].mend.contains(&format!("of the route: `label: proxy`, `{name}: a`;")));
        other.config.insert("label".to_owned(), "proxy".to_owned());
        other.is("label_other");
        // As it is told to be mended.
        other.config.insert(name.to_owned(), "a".to_owned());
        assert_eq!(other.diagnosis().found, Found::Healthy);
        let mut without = labelled("");
        without.config.insert(name.to_owned(), "b".to_owned());
        assert!(without.causes()[0].mend.contains(&format!("of the route: no `{name}`;")), "{:?}", without.causes());
        without.config.remove(name);
        assert_eq!(without.diagnosis().found, Found::Healthy);
    }
    // Two signatures, and nothing says which.
    let mut two = labelled("");
    let input = two.value("signature-input").clone();
    let signature = two.value("signature").clone();
    *two.value("signature-input") = format!("{input}, other=(\"@method\");created={NOW_S}");
    *two.value("signature") = format!("{signature}, other=:AAAA:");
    let what = two.is("label_other");
    assert!(what.contains("2 signatures") && what.contains("`proxy` is good"), "{what}");
    // The two fields disagree.
    let mut renamed = labelled("");
    *renamed.value("signature") = signature.replace("proxy=", "sig=");
    assert!(renamed.sees("label_other").contains("`signature-input` has the label `proxy`, and `signature` has `sig`"));
}

#[test]
fn a_url_that_is_another_one_is_told_of_each_part_of_it() {
    let signed = |covered: &str, site: &str, target: &str| {
        let mut scene = Scene::bare(NAME);
        (scene.site, scene.target) = (site.to_owned(), target.to_owned());
        scene.config.insert("components".to_owned(), format!("{covered} \"content-digest\""));
        let digest = BASE64.encode(&Sha256::digest(BODY));
        scene.fields.push(("content-digest".to_owned(), format!("sha-256=:{digest}:")));
        covering(&mut scene, "sig1", &format!("{covered} \"content-digest\""), &created());
        scene
    };
    signed("\"@target-uri\"", "http://shop.example", "/in/hook").is("url_scheme");
    signed("\"@scheme\"", "http://shop.example", "/in/hook").is("url_scheme");
    for covered in ["\"@target-uri\"", "\"@authority\""] {
        signed(covered, "https://www.shop.example", "/in/hook").is("url_host");
        let mut scene = signed(covered, "https://gate.example", "/in/hook");
        scene.fields.push(("x-forwarded-host".to_owned(), "gate.example".to_owned()));
        scene.is("url_host");
        let mut scene = signed(covered, "https://shop.example:8443", "/in/hook");
        scene.fields.push(("x-forwarded-port".to_owned(), "8443".to_owned()));
        scene.is("url_port");
    }
    for covered in ["\"@target-uri\"", "\"@path\""] {
        let mut scene = signed(covered, SITE, "/in/hook/");
        scene.target = "/in/hook".to_owned();
        scene.is("url_path");
        scene = signed(covered, SITE, "/hook");
        scene.target = "/in/hook".to_owned();
        scene.is("url_path");
    }
    for covered in ["\"@target-uri\"", "\"@query\""] {
        let mut scene = signed(covered, SITE, "/in/hook?b=1&a=2");
        scene.target = "/in/hook?a=2&b=1".to_owned();
        scene.is("url_query");
    }
    let mut scene = signed("\"@method\"", SITE, "/in/hook");
    scene.method = Method::PUT;
    scene.is("url_method");
}

#[test]
fn several_things_that_are_certain_are_told_together() {
    let mut scene = scene();
    covering(&mut scene, "sig1", "\"@method\" \"content-digest\"", &created());
    scene.config.insert("label".to_owned(), "shop".to_owned());
    scene.body.push(b'\n');
    scene.now_s += 1000;
    assert_eq!(codes(&scene.causes()), ["label_other", "component_missing", "body_line_end", "too_old"]);
    let (_, signing) = pair(&scene.provider, SECRET);
    scene.config.remove("label");
    scene.sign(&signing);
    scene.is("too_old");
}
