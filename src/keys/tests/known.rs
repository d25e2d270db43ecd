//! Texts that could be a secret, and are none of this sender's.

use super::NOW;
use crate::{
    keys::{check, load},
    policy::tests::compiled,
    verify::Catalogue,
};

const LIKE: &str = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789+/=_-AbCdEfGhIjKlMnOpQrStUvW";

/// What is said of this text as the sender's secret.
fn told(provider: &str, secret: &str) -> Vec<String> {
    let text = format!(
        "public_url: https://shop.example\nroutes: {{ shop: {{ at: {{ path: /a }}, sender: {{ provider: {provider}, keys: shop }}{} }} }}\n\
         keys: {{ shop: [{{ id: live, from: env:SHOP }}] }}\ndestinations: {{ wordpress: {{ url: 'http://w/' }} }}\nsecret: env:OWN\n",
        if provider == "contentful" { "" } else { ", repeats: { remember: 72h }" }
    );
    let policy = compiled(&text).unwrap_or_else(|report| panic!("{report}")).policy;
    let environment =
        |name: &str| Some(if name == "SHOP" { secret.to_owned() } else { "a secret of the gate's own".to_owned() });
    let errors = load(&policy, &environment, NOW).err().unwrap_or_default();
    assert_eq!(check(&policy, &environment, NOW).is_err(), !errors.is_empty(), "a start and `check --keys` agree");
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn a_word_that_everybody_knows_is_no_secret() {
    let known = "key `live` of `shop`: it is the word that this sender signs with while it has no secret, and everybody knows that; \
                 enter a secret in the sender's settings, and write that one";
    for (provider, word) in [("mandrill", "test-webhook"), ("cal-com", "no-secret-provided")] {
        for written in [word.to_owned(), format!("{word}\n"), format!(" {word} \r\n")] {
            assert_eq!(told(provider, &written), [known], "{provider} {written:?}");
        }
        assert_eq!(told(provider, &format!("{word}s")), [""; 0], "{provider}: another text");
        let words: Vec<_> =
            Catalogue::embedded().find(provider).unwrap().scheme.known_words().map(str::to_owned).collect();
        assert_eq!(words, [word]);
    }
    assert_eq!(told("mandrill", "no-secret-provided"), [""; 0], "that is another sender's");
}

/// <https://www.contentful.com/developers/docs/webhooks/secrets/>: exactly 64 characters, of these.
#[test]
fn a_text_that_the_vendor_could_not_have_given_is_no_secret_of_its() {
    assert_eq!(LIKE.len(), 64);
    for good in [LIKE.to_owned(), format!("{LIKE}\n"), "0".repeat(64)] {
        assert_eq!(told("contentful", &good), [""; 0], "{good:?}");
    }
    let unlike = "key `live` of `shop`: it is none of this sender's, which all look like `[0-9a-zA-Z+/=_-]{64}`; copy it again, whole";
    for bad in
        [LIKE[1..].to_owned(), format!("{LIKE}a"), LIKE.replace('+', "."), format!("{LIKE} "), LIKE.replace('+', "ä")]
    {
        assert_eq!(told("contentful", &bad), [unlike], "{bad:?}");
    }
}
