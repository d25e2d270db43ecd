//! A request as its sender signs it, to be taken apart.

use hookwarden::{
    clock::Timestamp,
    repeat::Window,
    request::{Head, Target, Unverified},
    secret::Secret,
    verdict::{Refusal, Rejection},
    verify::{Catalogue, Config, Key, Keys, Provider, Unsigned, Verified, Webhook, verify},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::Duration,
};

pub const NOW_S: i64 = 1_760_000_000;
pub const BODY: &[u8] = br#"{"id":"evt_1","type":"order.paid","event_id":"Ev1"}"#;
/// A form, for a sender that signs forms by field.
pub const FORM: &[u8] = b"id=evt_1&type=order.paid";
const SITE: &str = "https://shop.example";

#[derive(Clone)]
pub struct Shown {
    pub provider: Arc<Provider>,
    pub fields: Vec<(String, String)>,
    pub target: String,
    pub body: Vec<u8>,
    pub now: Timestamp,
    /// By the labels of test keys.
    pub keys: Vec<(&'static str, Option<Timestamp>)>,
    pub config: Config,
}

/// What the operator would be handed out.
pub fn public(provider: &Provider, label: &str) -> String {
    provider.scheme.test_key(label).unwrap().0
}

pub fn provider(name: &str) -> Arc<Provider> {
    Catalogue::embedded().find(name).unwrap_or_else(|| panic!("no `{name}`")).clone()
}

/// The field of a form that has the signature in it, and where in its JSON.
fn in_form(at: &str) -> Option<(&str, &str)> {
    at.strip_prefix("form field `")?.split_once('`').map(|(field, rest)| (field, rest.trim_start()))
}

pub fn encoded(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
    text.bytes().map(|byte| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// As PHP decodes: what is no escape stands for itself.
fn decoded(text: &[u8]) -> Vec<u8> {
    let Some((first, rest)) = text.split_first() else { return Vec::new() };
    let digits = rest.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
    let (byte, rest) = match digits {
        Some(digits) => (u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap(), &rest[2..]),
        None => (if *first == b'+' { b' ' } else { *first }, rest),
    };
    [vec![byte], decoded(rest)].concat()
}

impl Shown {
    pub fn by(provider: &Arc<Provider>) -> Self {
        if provider.scheme.signs_forms() {
            return Self::of(provider, "application/x-www-form-urlencoded", FORM);
        }
        Self::of(provider, "application/json", BODY)
    }

    pub fn of(provider: &Arc<Provider>, content_type: &str, body: &[u8]) -> Self {
        let (_, key) = provider.scheme.test_key("own").unwrap();
        let (at, url) = (Timestamp::from_unix_s(NOW_S), "https://shop.example/in");
        let what = Unsigned { method: &Method::POST, url, content_type, body, id: "msg_1", at };
        let config: Config =
            provider.config().map(|name| (name.to_owned(), provider.scheme.config_example(name))).collect();
        let mut made = provider.scheme.sign_for(&config, &key, &what);
        made.fields.extend(provider.scheme.config_fields(&config));
        made.fields.push(("content-type".to_owned(), content_type.to_owned()));
        let target = made.url.strip_prefix(SITE).unwrap().to_owned();
        let (provider, body) = (provider.clone(), made.body.unwrap_or_else(|| body.to_vec()));
        Self { provider, fields: made.fields, target, body, now: at, keys: vec![("own", None)], config }
    }

    /// The signature and what stands around it, wherever it is.
    pub fn signature(&self) -> String {
        let at = self.provider.scheme.signature_at();
        if let Some(pointer) = at.strip_prefix("body ") {
            let document: serde_json::Value = serde_json::from_str(std::str::from_utf8(&self.body).unwrap()).unwrap();
            document.pointer(pointer).unwrap().as_str().unwrap().to_owned()
        } else if let Some((field, pointer)) = in_form(&at) {
            let body = String::from_utf8(self.body.clone()).unwrap();
            let value = body.split('&').find_map(|pair| pair.strip_prefix(field)?.strip_prefix('='));
            let value = String::from_utf8(decoded(value.expect("it signs").as_bytes())).unwrap();
            if pointer.is_empty() {
                return value;
            }
            let document: serde_json::Value = serde_json::from_str(&value).unwrap();
            document.pointer(pointer).unwrap().as_str().unwrap().to_owned()
        } else if at.starts_with("query ") {
            self.target.split_once('=').expect("it signs").1.to_owned()
        } else {
            let name = at.split(',').next().unwrap().replace('N', "1");
            self.fields.iter().find(|(found, _)| *found == name).expect("it signs").1.clone()
        }
    }

    /// With another one in its place.
    pub fn signed(&self, other: &str) -> Self {
        let (mut changed, signature) = (self.clone(), self.signature());
        let at = self.provider.scheme.signature_at();
        if let Some((_, pointer)) = in_form(&at) {
            let text = String::from_utf8(self.body.clone()).unwrap();
            // A text of the JSON is a text of JSON.
            let other =
                if pointer.is_empty() { other.to_owned() } else { format!("{other:?}").trim_matches('"').to_owned() };
            changed.body = text.replace(&encoded(&signature), &encoded(&other)).into_bytes();
        } else if at.starts_with("body ") {
            let text = String::from_utf8(self.body.clone()).unwrap();
            changed.body = text.replace(&format!("\"{signature}\""), &format!("{other:?}")).into_bytes();
        } else if at.starts_with("query ") {
            changed.target = self.target.replace(&signature, other);
        } else {
            changed
                .fields
                .iter_mut()
                .filter(|(_, value)| *value == signature)
                .for_each(|(_, value)| other.clone_into(value));
        }
        changed
    }

    pub fn signature_is_in_form(&self) -> bool {
        in_form(&self.provider.scheme.signature_at()).is_some()
    }

    /// Names and values, decoded.
    pub fn fields_of_form(&self) -> Vec<Vec<u8>> {
        let pieces = self.body.split(|byte| matches!(byte, b'&' | b'='));
        pieces.map(decoded).collect()
    }

    pub fn judged(&self) -> Result<Verified, Rejection> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.fields {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let head = Head {
            method: Method::POST,
            target: Target::parse(&self.target).unwrap(),
            host: "shop.example".into(),
            headers,
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        };
        let keys = self.keys.iter().map(|(label, retire)| Key {
            id: (*label).to_owned(),
            secret: self.provider.scheme.key(&public(&self.provider, label)).unwrap(),
            retire: *retire,
        });
        let keys = Keys::new(Secret::new("memory").unwrap(), BTreeMap::from([("all".to_owned(), keys.collect())]));
        let window = match self.provider.max_age {
            Some(max_age) => Window::Signed { max_age, max_future: self.provider.max_future },
            None => Window::Unsigned { remember: Duration::from_hours(72) },
        };
        let sender = Webhook::for_tools("in", self.provider.clone(), "all", window, Some(SITE.to_owned()));
        let sender = sender.configured(self.config.clone());
        match verify(&sender, &keys, Unverified { head, raw: self.body.clone().into() }, self.now) {
            Ok(verified) => Ok(verified),
            Err(Refusal::Rejected(rejection)) => Err(rejection),
            Err(Refusal::Failed(fault)) => panic!("{}: {fault}", self.provider.name),
        }
    }

    pub fn refused(&self, what: &str) -> Rejection {
        match self.judged() {
            Err(rejection) => rejection,
            Ok(_) => panic!("{}: {what} was believed", self.provider.name),
        }
    }
}
