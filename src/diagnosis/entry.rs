//! A sender's catalogue entry as data: what it reads of a request, and the same entry with one thing changed.

use crate::{
    json::read_yaml,
    verify::{Catalogue, Provider},
};
use serde_json::{Map, Value};

/// The entry of one sender.
pub(super) struct Entry(Value);

impl Entry {
    /// With the scheme of the one that it is like. `None` for an entry that has no `scheme`.
    pub(super) fn of(provider: &Provider, catalogue: &Catalogue) -> Option<Self> {
        let mut value = read_yaml(&provider.text).ok()?.root.to_value();
        if value.get("scheme").is_none() {
            let like = catalogue.find(provider.like.as_deref()?)?;
            let scheme = read_yaml(&like.text).ok()?.root.to_value().get("scheme")?.clone();
            value.as_object_mut()?.insert("scheme".to_owned(), scheme);
        }
        value.get("scheme")?.as_object()?;
        Some(Self(value))
    }

    fn word(&self, pointer: &str) -> &str {
        self.0.pointer(&format!("/scheme{pointer}")).and_then(Value::as_str).unwrap_or_default()
    }

    /// The headers without which nothing can be verified: of the signature, the time and the id, and whatever else is
    /// signed.
    pub(super) fn headers(&self) -> Vec<String> {
        let message = self.0.pointer("/scheme/message").and_then(Value::as_array);
        let message = message.into_iter().flatten().filter_map(Value::as_str);
        let places = [self.word("/sig/in"), self.word("/ts/from"), self.word("/id")].into_iter().chain(message);
        let more: &[&str] = if self.is_message() { &["header:signature-input"] } else { &[] };
        let places = places.chain(more.iter().copied());
        let mut names = Vec::new();
        for name in places.filter_map(|place| place.strip_prefix("header:")) {
            if !names.iter().any(|known: &String| known.eq_ignore_ascii_case(name)) {
                names.push(name.to_ascii_lowercase());
            }
        }
        names
    }

    /// Whether this is signed: `url`, `path`, `method`.
    pub(super) fn signs(&self, part: &str) -> bool {
        let message = self.0.pointer("/scheme/message").and_then(Value::as_array);
        message.is_some_and(|message| message.iter().any(|written| written == part))
    }

    /// Whether the URL is, or a part of it, in whichever way this sender composes what it signs.
    pub(super) fn signs_url(&self) -> bool {
        let claims = self.0.pointer("/scheme/token/claims").and_then(Value::as_object);
        let is_claimed = claims.is_some_and(|claims| claims.values().any(|wanted| wanted == "url"));
        let is_hashed = self.0.pointer("/scheme/token/url").is_some();
        let is_odd = matches!(self.word("/odd"), "plivo-v3" | "contentful");
        ["url", "url_without_query"].iter().any(|part| self.signs(part))
            || is_claimed
            || is_hashed
            || is_odd
            || self.is_message()
    }

    /// It signs as RFC 9421 says.
    pub(super) fn is_message(&self) -> bool {
        self.algorithm() == "http-message-signatures"
    }

    /// What its token has to be, where it signs one.
    pub(super) fn token(&self) -> Option<&Map<String, Value>> {
        self.0.pointer("/scheme/token")?.as_object()
    }

    /// The values that it requires: where, and what.
    pub(super) fn required(&self) -> Vec<(String, String)> {
        let required = self.0.pointer("/scheme/require").and_then(Value::as_object);
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        required.into_iter().flatten().map(|(place, value)| (place.clone(), text(value))).collect()
    }

    /// Where its certificates may be.
    pub(super) fn certificate_urls(&self) -> Vec<&str> {
        let urls = self.0.pointer("/scheme/certificate/urls").and_then(Value::as_array);
        urls.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Which of those that compose what they sign in a way of their own it is, if it is one.
    pub(super) fn odd(&self) -> &str {
        self.word("/odd")
    }

    /// Where the signature stands in the document, if it does.
    pub(super) fn signature_pointer(&self) -> Option<&str> {
        self.word("/sig/in").strip_prefix("json:")
    }

    /// Literal text before each signature.
    pub(super) fn prefix(&self) -> &str {
        self.word("/sig/prefix")
    }

    /// The signature stands alone in its header.
    pub(super) fn is_raw(&self) -> bool {
        matches!(self.word("/sig/parse"), "" | "raw")
    }

    /// The name of the item that holds the signature, where there are some.
    pub(super) fn item(&self) -> Option<&str> {
        Some(self.word("/sig/item")).filter(|item| !item.is_empty())
    }

    /// What stands between items, where there are some: the first character of `kv(,;=)`.
    pub(super) fn item_separator(&self) -> Option<&str> {
        let inside = self.word("/sig/parse").strip_prefix("kv(")?.strip_suffix(')')?;
        inside.rsplit_once(';').map(|(separator, _)| separator).filter(|separator| !separator.is_empty())
    }

    /// What is signed, as its entry has it.
    pub(super) fn message(&self) -> Vec<&str> {
        let message = self.0.pointer("/scheme/message").and_then(Value::as_array);
        message.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Whether its entry says where this stands: `ts`, `id`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.pointer(&format!("/scheme/{name}")).is_some()
    }

    /// The time is an item of the signature header.
    pub(super) fn has_items(&self) -> bool {
        self.word("/ts/from").starts_with("kv:")
    }

    /// How the operator's text becomes a key: `utf8`, `hex` or `base64`.
    pub(super) fn key_encoding(&self) -> &str {
        match self.word("/key/enc") {
            "" if self.is_message() => "base64",
            "" => "utf8",
            encoding => encoding,
        }
    }

    /// Whether its entry says that keys begin so.
    pub(super) fn strips(&self, prefix: &str) -> bool {
        let strips = self.0.pointer("/scheme/key/strip").and_then(Value::as_array);
        strips.is_some_and(|strips| strips.iter().any(|known| known == prefix))
    }

    pub(super) fn algorithm(&self) -> &str {
        self.word("/alg")
    }

    /// Where the signed time stands, if one is read.
    pub(super) fn time_place(&self) -> &str {
        self.word("/ts/from")
    }

    /// The same sender, of whose signed time it is only known where it stands. `None` if it is not signed as it stands there.
    pub(super) fn with_any_time(&self) -> Option<Provider> {
        let place = Value::String(self.time_place().to_owned());
        let is_signed = self.signs("ts") && self.time_place().starts_with("header:");
        is_signed.then_some(())?;
        self.signing(|scheme| {
            scheme.remove("ts");
            let message = scheme.get_mut("message").and_then(Value::as_array_mut);
            for part in message.into_iter().flatten().filter(|part| *part == "ts") {
                *part = place.clone();
            }
        })
    }

    /// How the signed time is written, if one is read.
    pub(super) fn time_format(&self) -> &str {
        self.word("/ts/fmt")
    }

    /// How it signs, with something changed, and nothing else that is known of the sender: what is asked of bodies and ids rests
    /// on what is signed.
    pub(super) fn signing(&self, change: impl FnOnce(&mut Map<String, Value>)) -> Option<Provider> {
        const KEPT: [&str; 9] = [
            "name",
            "documentation",
            "source",
            "scheme",
            "retry_horizon",
            "answer_by",
            "answers",
            "retries",
            "disables",
        ];
        let mut value = self.0.clone();
        value.as_object_mut()?.retain(|name, _| KEPT.contains(&name.as_str()));
        change(value.get_mut("scheme")?.as_object_mut()?);
        Provider::from_yaml(&value.to_string()).ok()
    }

    /// The same sender with one thing changed; `None` if that makes no entry.
    pub(super) fn with(&self, change: impl FnOnce(&mut Map<String, Value>)) -> Option<Provider> {
        let mut value = self.0.clone();
        change(value.get_mut("scheme")?.as_object_mut()?);
        // JSON is YAML.
        Provider::from_yaml(&value.to_string()).ok()
    }
}
