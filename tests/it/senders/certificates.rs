//! Senders that name the certificate of their key: it is pinned, fetched beside the traffic, and never waited for.

use super::shown::{Shown, provider};
use hookwarden::{
    clock::Timestamp,
    repeat::Window,
    request::{Head, Target, Unverified},
    secret::Secret,
    verdict::{Fault, Refusal, Rejection},
    verify::{Config, Keys, PUBLISHED, Provider, Verified, Webhook, certificates::Certificates, verify},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    net::{IpAddr, Ipv4Addr},
    path::Path,
    sync::Arc,
    time::Duration,
};

/// One of the recorded requests, and what its URL would bring.
struct Recorded {
    provider: Arc<Provider>,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
    config: Config,
    certificate: String,
    now: Timestamp,
    certificates: Arc<Certificates>,
}

impl Recorded {
    fn of(id: &str) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/senders.jsonl");
        let lines = fs::read_to_string(file).unwrap();
        let mut vectors = lines.lines().map(|line| serde_json::from_str(line).unwrap());
        let vector: Value = vectors.find(|vector: &Value| vector["id"] == id).unwrap();
        let fields = vector["headers"].as_object().unwrap().iter();
        let config = vector["config"].as_object().unwrap().iter().filter_map(|(name, value)| {
            let text = value.as_str().or_else(|| value.get(0)?.as_str())?;
            Some((name.clone(), text.to_owned()))
        });
        Self {
            provider: provider(vector["scheme"].as_str().unwrap()),
            fields: fields.map(|(name, value)| (name.to_lowercase(), value.as_str().unwrap().to_owned())).collect(),
            body: data_encoding::BASE64.decode(vector["body_base64"].as_str().unwrap().as_bytes()).unwrap(),
            config: config.collect(),
            certificate: vector["public_keys"][0].as_str().unwrap().to_owned(),
            now: Timestamp::from_unix_s(vector["now_unix"].as_i64().unwrap()),
            certificates: Arc::default(),
        }
    }

    fn judged(&self) -> Result<Verified, Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.fields {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let (target, client) = (Target::parse("/in").unwrap(), IpAddr::V4(Ipv4Addr::LOCALHOST));
        let head = Head { method: Method::POST, target, host: String::new(), headers, client };
        let keys = Keys::new(Secret::new("memory").unwrap(), BTreeMap::new());
        let keys = keys.with_certificates(self.certificates.clone());
        let window = Window::Unsigned { remember: Duration::from_hours(72) };
        let webhook = Webhook::for_tools("in", self.provider.clone(), &format!("{PUBLISHED}/in"), window, None);
        let webhook = webhook.configured(self.config.clone());
        verify(&webhook, &keys, Unverified { head, raw: self.body.clone().into() }, self.now)
    }

    /// With what it asks for fetched.
    fn fetched(self) -> Self {
        assert!(matches!(self.judged(), Err(Refusal::Failed(Fault::KeyPending))));
        let ask = self.certificates.next_wanted().expect("it is asked for");
        assert!(self.certificates.keep(&ask.url, &self.certificate, self.now));
        assert!(self.certificates.next_wanted().is_none());
        self
    }

    fn refused(&self) -> Rejection {
        match self.judged() {
            Err(Refusal::Rejected(rejection)) => rejection,
            other => panic!("{other:?}"),
        }
    }

    fn replaced(mut self, from: &str, to: &str) -> Self {
        let text = String::from_utf8(self.body).unwrap();
        assert!(text.contains(from), "{from}");
        self.body = text.replace(from, to).into_bytes();
        self
    }
}

const SNS: &str = "aws_sns.aws_sns/valid_v1";
const PAYPAL: &str = "paypal.paypal/valid";

#[test]
fn a_certificate_is_asked_for_and_the_sender_comes_again() {
    for id in [SNS, PAYPAL] {
        let verified = Recorded::of(id).fetched().judged().unwrap();
        assert_eq!(verified.key_id(), "certificate");
        assert!(verified.signed_id().is_some() && verified.proof().is_none(), "{id}");
    }
}

#[test]
fn nobody_else_is_asked() {
    for url in [
        "https://sns.us-east-1.amazonaws.com.evil.test/a.pem",
        "http://sns.us-east-1.amazonaws.com/a.pem",
        "https://169.254.169.254/a.pem",
    ] {
        let own = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem";
        let other = Recorded::of(SNS).replaced(own, url);
        assert_eq!(other.refused(), Rejection::SignatureMalformed, "{url}");
        assert!(other.certificates.next_wanted().is_none(), "{url}");
    }
    let topic = Recorded::of(SNS).config.remove("topic_arns").unwrap();
    let foreign = Recorded::of(SNS).replaced(&topic, &topic.replace("arn:aws:sns:", "arn:aws:sns:x"));
    assert_eq!(foreign.refused(), Rejection::SignatureMismatch, "a topic that is not the policy's");
    assert!(foreign.certificates.next_wanted().is_none(), "nothing is fetched for it");
    let mut other = Recorded::of(PAYPAL);
    let url = other.fields.iter_mut().find(|(name, _)| name == "paypal-cert-url").unwrap();
    url.1 = url.1.replace("api.paypal.com", "api.paypal.com.evil.test");
    assert_eq!(other.refused(), Rejection::SignatureMalformed);
    assert!(other.certificates.next_wanted().is_none());
}

#[test]
fn a_certificate_is_for_a_name_and_a_time() {
    let other = Recorded::of("paypal.paypal/cert_cn_not_paypal").fetched();
    assert_eq!(other.refused(), Rejection::SignatureMismatch, "another name");
    for seconds in [1_500_000_000, 2_500_000_000] {
        let ended = Recorded { now: Timestamp::from_unix_s(seconds), ..Recorded::of(SNS) }.fetched();
        assert_eq!(ended.refused(), Rejection::SignatureMismatch, "{seconds}");
    }
    let recorded = Recorded::of(PAYPAL);
    drop(recorded.judged());
    let name = recorded.certificates.next_wanted().unwrap().name;
    assert_eq!(name.as_deref(), Some("messageverificationcerts.paypal.com"), "and somebody has to vouch for it");
}

#[test]
fn a_message_of_a_topic_is_signed_line_by_line() {
    let wrong = |from: &str, to: &str| Recorded::of(SNS).fetched().replaced(from, to).refused();
    for (from, to) in
        [("hello", "Hello"), (r#""Subject": "test", "#, ""), ("165545c9", "165545c8"), ("08:53:20", "08:53:21")]
    {
        assert_eq!(wrong(from, to), Rejection::SignatureMismatch, "{from}");
    }
    assert_eq!(wrong("arn:aws:sns:us-west-2:123456789012:MyTopic", "arn:x"), Rejection::SignatureMismatch);
    assert_eq!(wrong(r#""Notification""#, r#""Other""#), Rejection::SignatureMalformed);
    let version = r#""SignatureVersion": "1""#;
    assert_eq!(wrong(version, r#""SignatureVersion": "3""#), Rejection::SignatureMalformed);
    assert_eq!(wrong(version, r#""SignatureVersion": "2""#), Rejection::SignatureMismatch);
    // Else a message could be parted into another one.
    assert_eq!(wrong(r#""Subject": "test""#, r#""Subject": "te\nst""#), Rejection::SignatureMalformed);
    let mut other = Recorded::of(SNS).fetched();
    for topics in ["", "arn:aws:sns:us-west-2:123456789012:MyTopic2", "arn:aws:sns:us-west-2:123456789012"] {
        other.config.insert("topic_arns".to_owned(), topics.to_owned());
        assert_eq!(other.refused(), Rejection::SignatureMismatch, "{topics}");
    }
    other.config.insert("topic_arns".to_owned(), "arn:x arn:aws:sns:us-west-2:123456789012:MyTopic".to_owned());
    assert!(other.judged().is_ok());
}

/// What is known of such a body is its CRC-32, and the policy says what that is worth.
#[test]
fn of_a_body_its_crc_is_known_and_the_policy_says_so() {
    let recorded = Recorded::of(PAYPAL).fetched();
    let first = recorded.judged().unwrap();
    assert!(!first.coverage().body && first.coverage().id);
    let mut forged = recorded;
    forged.body.push(b' ');
    assert_eq!(forged.refused(), Rejection::SignatureMismatch);
    let mut config = forged.config.clone();
    config.insert("accept".to_owned(), "yes".to_owned());
    let told = forged.provider.scheme.config_mistakes(&config);
    assert!(told.iter().any(|(name, why)| *name == "accept" && why.contains("`accept: crc32`")), "{told:?}");
    config.insert("accept".to_owned(), "crc32".to_owned());
    assert_eq!(forged.provider.scheme.config_mistakes(&config), []);
    let demanded: Vec<_> = forged.provider.scheme.config().collect();
    assert_eq!(demanded, ["webhook_id", "accept"], "a policy without the word does not compile");
    forged.config.insert("webhook_id".to_owned(), "another".to_owned());
    assert_eq!(forged.refused(), Rejection::SignatureMismatch);
}

#[test]
fn an_entry_pins_what_it_takes() {
    let text = &provider("aws-sns").text;
    let own = "https://sns.{region}.amazonaws.com/SimpleNotificationService-*.pem";
    for (from, to, told) in [
        (own, "http://sns.amazonaws.com/*.pem", "say where it may be"),
        (own, "https://sns.amazonaws.*/a.pem", "say where it may be"),
        (own, "https://sns.amazonaws.com:8443/a.pem", "say where it may be"),
        (own, "https://sns.amazonaws.com", "say where it may be"),
        (own, "https://sns.{land}.amazonaws.com/*.pem", "say where it may be"),
        ("key: { enc: pem }", "key: { enc: base64 }", "a certificate is PEM"),
    ] {
        assert!(text.contains(from), "{from}");
        let wrong = Provider::from_yaml(&text.replace(from, to)).expect_err(to);
        assert!(wrong.iter().any(|mistake| mistake.message.contains(told)), "{told}: {wrong:?}");
    }
    assert!(Shown::by(&provider("aws-sns")).judged().is_ok());
}
