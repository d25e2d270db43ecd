//! One request, its route and the keys of a policy, in order until a test makes it wrong.

use hookwarden::{
    clock::Timestamp,
    diagnosis::{Cause, Diagnosis, Found, Inflate, KeyText, Patient, diagnose},
    json,
    repeat::Window,
    request::{Head, Target, Unverified},
    verify::{Catalogue, Config, Provider, Signed, SigningKey, Unsigned, Webhook},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::Value;
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

pub const NOW_S: i64 = 1_760_000_000;
pub const SITE: &str = "https://shop.example";
pub const BODY: &str = r#"{"id":"evt_1","type":"order.paid","url":"https://a.example/<b>","note":"Zoë","n":1.0}"#;

/// A secret in every form: 64 hexadecimal digits are a text, and hexadecimal, and base64.
pub const SECRET: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
pub const OTHER: &str = "a0b1c2d3e4f5061728394a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7d8e9f";

/// One request, its route and the keys of the policy, to be made wrong.
pub struct Scene {
    pub provider: Arc<Provider>,
    pub method: Method,
    pub site: String,
    /// As the gate has it.
    pub public_url: String,
    pub target: String,
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub now_s: i64,
    pub keys: Vec<KeyText>,
    /// Senders beside those of the catalogue.
    pub more: Vec<Provider>,
    /// What the policy says of its account.
    pub config: Config,
    pub content_type: &'static str,
    pub inflate: Option<Inflate>,
}

pub fn provider(name: &str) -> Arc<Provider> {
    Catalogue::embedded().find(name).unwrap_or_else(|| panic!("no `{name}`")).clone()
}

pub fn key(list: &str, id: &str, text: &str) -> KeyText {
    let (list, id) = (list.to_owned(), id.to_owned());
    let is_public = text.starts_with("-----BEGIN");
    KeyText { list, id, stage: None, retire: None, is_public, text: text.to_owned().into() }
}

/// The operator's text and the sender's key.
pub fn pair(provider: &Provider, secret: &str) -> (String, SigningKey) {
    if provider.scheme.shares_its_key() {
        let text = if provider.scheme.key(secret).is_ok() { secret.to_owned() } else { format!("hook:{secret}") };
        let signing = provider.scheme.signing_key(&text).unwrap();
        (text, signing)
    } else {
        provider.scheme.test_key(secret).unwrap()
    }
}

impl Scene {
    /// In order.
    pub fn of(name: &str) -> Self {
        Self::signed(name, SECRET, BODY.as_bytes())
    }

    /// Signed with this secret over this body, while the policy has the usual secret.
    pub fn signed(name: &str, secret: &str, body: &[u8]) -> Self {
        let provider = provider(name);
        let (_, signing) = pair(&provider, secret);
        let mut scene = Self::bare(name);
        scene.body = body.to_vec();
        scene.sign(&signing);
        scene
    }

    /// Of this sender, and not signed.
    pub fn bare(name: &str) -> Self {
        Self::bare_with(name, &pair(&provider(name), SECRET).0)
    }

    /// With this text of its key in the policy.
    pub fn bare_with(name: &str, text: &str) -> Self {
        let provider = provider(name);
        let config = provider.scheme.config().map(|key| (key.to_owned(), provider.scheme.config_example(key)));
        let config = config.collect();
        Self {
            provider,
            method: Method::POST,
            site: SITE.to_owned(),
            public_url: SITE.to_owned(),
            target: "/in/hook?a=b".to_owned(),
            fields: Vec::new(),
            body: BODY.as_bytes().to_vec(),
            now_s: NOW_S,
            keys: vec![key("own", "live", text)],
            more: Vec::new(),
            config,
            content_type: "application/json",
            inflate: None,
        }
    }

    pub fn sign(&mut self, signing: &SigningKey) {
        let url = format!("{}{}", self.site, self.target);
        let at = Timestamp::from_unix_s(NOW_S);
        let what = Unsigned {
            method: &self.method,
            url: &url,
            content_type: self.content_type,
            body: &self.body,
            id: "msg_1",
            at,
        };
        let Signed { url, fields, body } = self.provider.scheme.sign_for(&self.config, signing, &what);
        self.fields = fields;
        self.fields.extend(self.provider.scheme.config_fields(&self.config));
        self.fields.push(("content-type".to_owned(), self.content_type.to_owned()));
        self.target = url.strip_prefix(&self.site).unwrap().to_owned();
        self.body = body.unwrap_or_else(|| std::mem::take(&mut self.body));
    }

    pub fn header(&self) -> String {
        self.provider.scheme.signature_header().unwrap().to_owned()
    }

    pub fn value(&mut self, name: &str) -> &mut String {
        &mut self.fields.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)).expect("it is sent").1
    }

    pub fn signature(&mut self) -> &mut String {
        let header = self.header();
        self.value(&header)
    }

    pub fn diagnosis(&self) -> Diagnosis {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.fields {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let head = Head {
            method: self.method.clone(),
            target: Target::parse(&self.target).unwrap(),
            host: "shop.example".into(),
            headers,
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let request = Unverified { head, raw: self.body.clone().into() };
        let window = match self.provider.max_age {
            Some(max_age) => Window::Signed { max_age, max_future: self.provider.max_future },
            None => Window::Unsigned { remember: Duration::from_hours(72) },
        };
        let list = format!("own/{}", self.provider.name);
        let webhook = Webhook::for_tools("in", self.provider.clone(), &list, window, Some(self.public_url.clone()));
        let webhook = webhook.configured(self.config.clone());
        let now = Timestamp::from_unix_s(self.now_s);
        let catalogue = Catalogue::embedded().with(self.more.clone()).unwrap();
        let patient = Patient {
            webhook: &webhook,
            request: &request,
            now,
            keys: &self.keys,
            catalogue: &catalogue,
            inflate: self.inflate,
        };
        let diagnosis = diagnose(&patient);
        self.gives_nothing_away(&diagnosis);
        diagnosis
    }

    /// Neither the secrets nor a signature, in any writing, nor anything of the body.
    pub fn gives_nothing_away(&self, diagnosis: &Diagnosis) {
        let told = format!("{diagnosis:?}").to_ascii_lowercase();
        // A word that everybody knows is told.
        let is_word = |text: &str| self.provider.scheme.known_words().any(|word| word == text);
        let secrets = self.keys.iter().map(|key| key.text.trim()).filter(|text| !is_word(text));
        let secrets = secrets.map(str::to_ascii_lowercase);
        // Those that came, and those that would have been right.
        let (_, signing) = pair(&self.provider, SECRET);
        let url = format!("{}{}", self.public_url, self.target);
        let (method, content_type, at) = (&self.method, self.content_type, Timestamp::from_unix_s(NOW_S));
        let what = Unsigned { method, url: &url, content_type, body: &self.body, id: "msg_1", at };
        let right = self.provider.scheme.sign_for(&self.config, &signing, &what).fields;
        let fields = self.fields.iter().filter(|(name, _)| name != "x-forwarded-host").chain(&right);
        let values = fields.flat_map(|(_, value)| value.split(['=', ',', ' ', ';', '.', ':']));
        let values = values.filter(|piece| piece.len() >= 16 && !piece.starts_with("application/"));
        let values = values.map(str::to_ascii_lowercase);
        for kept in secrets.chain(values).chain(["order.paid".to_owned(), "evt_1".to_owned()]) {
            assert!(!told.contains(&kept), "{} in {told}", self.provider.name);
        }
    }

    pub fn causes(&self) -> Vec<Cause> {
        match self.diagnosis().found {
            Found::Named(causes) => causes,
            other => panic!("{}: {other:?}", self.provider.name),
        }
    }

    /// What anybody can see of it.
    pub fn seen(&self) -> Vec<Cause> {
        match self.diagnosis().found {
            Found::Seen(causes) => causes,
            other => panic!("{}: {other:?}", self.provider.name),
        }
    }

    /// Exactly this one can be seen, and no key proves anything.
    pub fn sees(&self, code: &str) -> String {
        let causes = self.seen();
        assert_eq!(codes(&causes), [code], "{}: {causes:?}", self.provider.name);
        causes[0].what.clone()
    }

    /// Exactly this one.
    pub fn is(&self, code: &str) -> String {
        let causes = self.causes();
        assert_eq!(codes(&causes), [code], "{}: {causes:?}", self.provider.name);
        causes[0].what.clone()
    }
}

/// By name.
pub fn codes(causes: &[Cause]) -> Vec<&'static str> {
    causes.iter().map(|cause| cause.code.name()).collect()
}

/// A document, read as the gate reads it.
pub fn value(bytes: &[u8]) -> Value {
    json::read(bytes).unwrap().to_value()
}
