//! Two things at once: a key that is not the route's, and something that can be seen without any. What nobody can prove is not
//! told as the cause; what the other key proves is.

use super::{
    messages::{self, COVERED, created},
    scene::{BODY, NOW_S, OTHER, SECRET, Scene, codes, key},
    tokens::{claiming, made},
};
use hookwarden::diagnosis::Found;
use serde_json::json;

#[test]
fn of_a_wrong_key_alone_nothing_is_told() {
    for name in ["github", "stripe", "standard-webhooks", "qstash", "livekit", "aws-sns", "http-message-signatures"] {
        let scene = Scene::signed(name, OTHER, BODY.as_bytes());
        assert_eq!(scene.diagnosis().found, Found::Unknown, "{name}");
    }
}

#[test]
fn what_a_token_says_of_itself_is_proved_by_the_key_that_made_it() {
    let times = [(json!({ "exp": NOW_S.to_string() }), "time_format"), (json!({ "iat": NOW_S * 1000 }), "time_unit")];
    for (claims, code) in times {
        let claimed = |secret: &str| made("qstash", &claims, &json!({ "alg": "HS256" }), secret);
        assert_eq!(codes(&claimed(SECRET).causes())[0], code);
        claimed(OTHER).sees(code);
        let mut scene = claimed(OTHER);
        scene.keys.push(key("shop", "live-2", OTHER));
        assert_eq!(codes(&scene.causes())[..2], ["key_of_other_list", code]);
    }
    let of = |secret: &str| made("qstash", &json!({}), &json!({ "alg": "HS512" }), secret);
    of(SECRET).is("other_algorithm");
    of(OTHER).sees("other_algorithm");
    let mut scene = of(OTHER);
    scene.keys.push(key("shop", "live-2", OTHER));
    assert_eq!(codes(&scene.causes()), ["key_of_other_list", "other_algorithm"]);
    scene.keys.push(key("eu", "live-3", OTHER));
    assert_eq!(scene.diagnosis().found, Found::Ambiguous(2), "two lists have it");
    assert_eq!(claiming("qstash", &json!({})).diagnosis().found, Found::Healthy);
}

#[test]
fn what_a_message_says_of_itself_is_proved_by_the_key_that_made_it() {
    for said in ["ed25519", "hmac-sha512"] {
        let with = |secret: &str| {
            let mut scene = messages::scene();
            let parameters = format!("{};alg=\"{said}\"", created());
            messages::covering_by(&mut scene, secret, COVERED, &parameters);
            scene
        };
        let what = with(SECRET).is("other_algorithm");
        assert!(
            what.contains(&format!("says `alg=\"{said}\"` of itself, and it is made with `hmac-sha256`")),
            "{what}"
        );
        let causes = with(OTHER).seen();
        assert_eq!(codes(&causes), ["other_algorithm"]);
        assert!(!causes[0].mend.contains(&format!("`alg: {said}`")), "nobody knows that: {}", causes[0].mend);
        let mut scene = with(OTHER);
        scene.keys.push(key("shop", "live-2", OTHER));
        assert_eq!(codes(&scene.causes()), ["key_of_other_list", "other_algorithm"]);
    }
}

#[test]
fn a_message_by_another_key_is_told_with_whatever_else_is_wrong() {
    let mut scene = messages::scene();
    messages::covering_by(&mut scene, OTHER, "\"@method\" \"content-digest\"", &created());
    assert_eq!(scene.diagnosis().found, Found::Unknown);
    scene.keys.push(key("shop", "live-2", OTHER));
    scene.body.push(b'\n');
    scene.now_s += 1000;
    assert_eq!(codes(&scene.causes()), ["key_of_other_list", "component_missing", "body_line_end", "too_old"]);
    scene.keys.push(key("eu", "live-3", OTHER));
    assert_eq!(scene.diagnosis().found, Found::Ambiguous(2));
}

#[test]
fn what_anybody_can_see_is_told_as_that_whoever_signed() {
    for secret in [SECRET, OTHER] {
        let mut scene = Scene::signed("github", secret, b"\x1f\x8b compressed");
        scene.body = BODY.as_bytes().to_vec();
        scene.fields.push(("content-encoding".to_owned(), "gzip".to_owned()));
        scene.sees("body_decompressed");
    }
    // Two of them are two facts.
    let mut scene = Scene::of("github");
    scene.fields.push(("content-encoding".to_owned(), "gzip".to_owned()));
    scene.fields.push(("content-length".to_owned(), "4096".to_owned()));
    scene.body.push(b'.');
    assert_eq!(codes(&scene.seen()), ["body_cut", "body_decompressed"]);
}
