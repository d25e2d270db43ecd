//! The CloudEvents 1.0 document: <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>.

use super::{Arrival, Lineage, content_type, event_type};
use crate::{json, payload::Clean};
use bytes::Bytes;
use data_encoding::BASE64;
use serde_json::{Map, Value};

/// Structured mode, JSON format.
pub(super) const CONTENT_TYPE: &str = "application/cloudevents+json";

/// The body goes in as it came where it is one JSON document with one meaning (`data`), else in base64
/// (`data_base64`). Everything that the signature to WordPress must cover is in here: source, lineage and claims.
pub(super) fn document(id: &str, clean: &Clean, lineage: &Lineage<'_>, arrival: &Arrival) -> Bytes {
    let mut attributes = Map::new();
    let mut put = |name: &str, value: &str| attributes.insert(name.to_owned(), Value::from(value));
    put("specversion", "1.0");
    put("id", id);
    put("source", clean.route());
    put("type", event_type(clean));
    put("time", &arrival.at.rfc3339());
    put("datacontenttype", content_type(clean));
    put("hwprovider", lineage.provider);
    put("hwkey", clean.key_id());
    put("hwpolicy", lineage.policy);
    put("hwrequest", &arrival.request_id);
    if let Some(version) = clean.version() {
        put("hwcontract", version);
        // CloudEvents wants a URI here, and a digest is none.
        if version.contains("://") {
            put("dataschema", version);
        }
    }
    if !clean.redacted().is_empty() {
        put("hwredacted", &clean.redacted().join(" "));
    }
    let attributes = Value::Object(attributes).to_string();
    let open = attributes.strip_suffix('}').unwrap_or_default();
    let raw = clean.body();
    let data = if says_json(content_type(clean)) && (clean.is_json() || json::read(raw).is_ok()) {
        [open.as_bytes(), b",\"data\":", raw, b"}"].concat()
    } else if raw.is_empty() {
        attributes.into_bytes()
    } else {
        [open.as_bytes(), b",\"data_base64\":\"", BASE64.encode(raw).as_bytes(), b"\"}"].concat()
    };
    data.into()
}

fn says_json(content_type: &str) -> bool {
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type == "application/json" || media_type.ends_with("+json")
}
