//! One request, made as its sender would make it: first all but the signature, then what is signed of it, read as the
//! gate reads it.

use super::{Config, Signed, SigningKey, Unsigned};
use crate::{
    json,
    request::{Head, Target, Unverified},
    verify::jwt,
    verify::odd::{Odd, Seen, Statement},
    verify::scheme::{
        Certified, Required, Scheme, Wanted,
        authenticate::Site,
        form::{self, Fields},
        over::Over,
        parts::{Part, Place, Told},
        signature::{At, Item, Shape},
    },
};
use data_encoding::{BASE64, HEXLOWER};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::net::{IpAddr, Ipv4Addr};

impl Scheme {
    /// What this sender would add to the request of an account of which nothing is known.
    pub fn sign(&self, key: &SigningKey, request: &Unsigned<'_>) -> Signed {
        self.sign_for(&Config::new(), key, request)
    }

    /// What this sender would add to the request, where it says whose account it is. Headers that say so are not among it.
    pub fn sign_for(&self, config: &Config, key: &SigningKey, request: &Unsigned<'_>) -> Signed {
        let time = self.time.as_ref().map(|time| time.format.write(request.at)).unwrap_or_default();
        let mut fields = self.fields(request.id, &time);
        let mut body = self.body(request, &time, config);
        let mut url = self.url(request);
        if self.over.is_components() {
            let content = body.as_deref().unwrap_or(request.body);
            fields.extend(Self::fields_of_message(config, content, request.at.unix_s()));
        }
        let unsigned = unverified(request, &url, &fields, body.as_deref().unwrap_or(request.body));
        let claimed = unsigned.map(|unsigned| self.claimed(config, key, request, &time, &unsigned)).unwrap_or_default();
        let value = self.value(config, &time, &claimed);
        match &self.signature.at {
            At::Header(name) | At::Lines(name) | At::Either(name, _) => fields.push((name.clone(), value)),
            At::Numbered(prefix) => fields.push((format!("{prefix}1"), value)),
            At::Query(name) => url = with_parameter(&url, name, &value),
            At::Json(pointer) => {
                let given = body.as_deref().unwrap_or(request.body);
                body = Some(self.with_member(given, pointer, value.into()));
            }
            At::Nowhere => {}
            At::Form(name) => body = Some(with_field(body.as_deref().unwrap_or(request.body), name, &value)),
        }
        Signed { url, fields, body }
    }

    /// The encoded signature, with what stands before it.
    fn claimed(
        &self,
        config: &Config,
        key: &SigningKey,
        request: &Unsigned<'_>,
        time: &str,
        unsigned: &Unverified,
    ) -> String {
        if self.over.is_components() {
            let algorithm = self.algorithm_said(config).unwrap_or(jwt::Algorithm::Hs256);
            let sign = |signed: &[u8]| key.joined(algorithm, signed);
            let made = Self::signature_of_message(config, &unsigned.head, base(request.url), sign);
            return made.unwrap_or_default();
        }
        if let Some(token) = self.over.token() {
            return format!("{}{}", self.signature.prefix, token.made(config, key, request, &unsigned.raw));
        }
        let value = self.value(config, time, "");
        let mut told = Told::by(unsigned, self.document_in.as_deref());
        told.reading(Some(&value), &self.signature.shape);
        let fields = Fields::of(&unsigned.head, &unsigned.raw);
        if let Some(odd) = self.over.odd() {
            let base = Some(base(request.url));
            let seen = Seen { head: &unsigned.head, raw: &unsigned.raw, base, config };
            return self.claimed_odd(key, odd, seen);
        }
        let bases = [base(request.url).to_owned()];
        let id = Some(request.id);
        let pieces = self
            .over
            .parts()
            .iter()
            .map(|part| self.piece(part, &told, id, Site { bases: &bases, config }, fields.as_ref()));
        let pieces: Vec<_> = pieces.filter_map(Result::ok).collect();
        let bytes = pieces.iter().map(crate::verify::scheme::Piece::bytes).collect();
        let secret_at = self.over.parts().iter().position(|part| *part == Part::Secret);
        let made = self.signature.encoding.write(&key.over(self.algorithm, bytes, secret_at));
        let key_id = self.signature.habits.key_id.as_ref().map(|separator| format!("{}{separator}", key.id));
        format!("{}{}{made}", key_id.unwrap_or_default(), self.signature.prefix)
    }

    /// The signature of an odd sender, over the first thing that it signs.
    fn claimed_odd(&self, key: &SigningKey, odd: Odd, seen: Seen<'_>) -> String {
        let statement = odd.statements(seen).ok().and_then(|all| all.into_iter().next());
        let Some(Statement { text, body, .. }) = statement else { return String::new() };
        let made = key.over(self.algorithm, vec![&text, if body { seen.raw } else { b"" }], None);
        format!("{}{}", self.signature.prefix, self.signature.encoding.write(&made))
    }

    /// Id, time and what else stands in headers of their own.
    fn fields(&self, id: &str, time: &str) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        if let Some(Place::Header(name)) = &self.id {
            fields.push((name.clone(), id.to_owned()));
        }
        if let Some(Place::Header(name)) = self.time.as_ref().map(|time| &time.from) {
            fields.push((name.clone(), time.to_owned()));
        }
        if let Some(Certified { from: Place::Header(name), pins }) = &self.certified {
            fields.push((name.clone(), pins.example()));
        }
        let odd = self.over.odd().map(Odd::fields).unwrap_or_default();
        fields.extend(odd.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        for Required { place, value } in &self.require {
            if let (Place::Header(header), Wanted::Is(value)) = (place, value) {
                fields.push((header.clone(), value.clone()));
            }
        }
        for part in self.over.parts() {
            if let Part::At(Place::Header(name)) | Part::Optional { place: Place::Header(name), .. } = part
                && !fields.iter().any(|(known, _)| known == name)
            {
                fields.push((name.clone(), id.to_owned()));
            }
        }
        fields
    }

    /// The body, where the sender puts id or time into it. A time that is signed as a text is one there, too.
    fn body(&self, request: &Unsigned<'_>, time: &str, config: &Config) -> Option<Vec<u8>> {
        let given = self.over.odd().and_then(|odd| odd.body(request.body, request.id, config));
        let mut body = given.or_else(|| self.form(request));
        if let Some(Certified { from: Place::Json(pointer), pins }) = &self.certified {
            body = Some(with_member(body.as_deref().unwrap_or(request.body), pointer, pins.example().into()));
        }
        if let (Some(_), At::Json(pointer)) = (self.over.odd(), &self.signature.at) {
            // So that there is one, and another can stand in its place.
            body = Some(with_member(body.as_deref().unwrap_or(request.body), pointer, "".into()));
        }
        for Required { place, value } in &self.require {
            if let (Place::Json(pointer), Wanted::Like(likeness)) = (place, value) {
                let given = body.as_deref().unwrap_or(request.body);
                body = Some(self.with_member(given, pointer, likeness.example().into()));
            }
        }
        if let Some(Place::Json(pointer)) = self.time.as_ref().map(|time| &time.from) {
            let signed_as_text = self.over.parts().contains(&Part::Time);
            let number = time.parse::<i64>().ok().filter(|_| !signed_as_text);
            let value = number.map_or_else(|| Value::from(time), Value::from);
            body = Some(with_member(request.body, pointer, value));
        }
        if let Some(Place::Json(pointer)) = &self.id {
            body = Some(with_member(body.as_deref().unwrap_or(request.body), pointer, request.id.into()));
        }
        body
    }

    /// The URL, where the sender puts the body's digest into it.
    fn url(&self, request: &Unsigned<'_>) -> String {
        let is_form = unverified(request, request.url, &[], b"").is_some_and(|it| Fields::of(&it.head, b"").is_some());
        let digest = if let Over::Parts(message) = &self.over { message.digest.as_ref() } else { None };
        match digest {
            Some(digest) if !is_form => {
                with_parameter(request.url, &digest.parameter, &HEXLOWER.encode(&Sha256::digest(request.body)))
            }
            Some(_) | None => request.url.to_owned(),
        }
    }

    /// The body as a form, where every one of this sender's is one: what is no form stands in the field that is signed, or
    /// that holds the JSON.
    fn form(&self, request: &Unsigned<'_>) -> Option<Vec<u8>> {
        let signed = self.over.parts().iter().find_map(|part| {
            let Part::At(Place::Form(name)) = part else { return None };
            Some((name, BASE64.encode(request.body)))
        });
        let field = self.document_in.as_ref().map(|name| (name, String::from_utf8_lossy(request.body).into_owned()));
        let (name, value) = signed.or(field)?;
        let known = unverified(request, request.url, &[], request.body);
        let known = known.and_then(|it| form::sole(&form::fields(&it.head, &it.raw)?, name).ok().map(<[u8]>::to_vec));
        if known.is_some() { None } else { Some(with_field(b"", name, &value)) }
    }

    /// With this member of the JSON, wherever that is.
    fn with_member(&self, body: &[u8], pointer: &str, value: Value) -> Vec<u8> {
        let Some(field) = &self.document_in else { return with_member(body, pointer, value) };
        let fields = form::urlencoded(body);
        let document = form::sole(&fields, field).unwrap_or_default();
        let document = with_member(document, pointer, value);
        with_field(b"", field, &String::from_utf8_lossy(&document))
    }

    /// The signature header around one signature.
    fn value(&self, config: &Config, time: &str, claimed: &str) -> String {
        let from = self.time.as_ref().map(|time| &time.from);
        match &self.signature.shape {
            Shape::Raw => claimed.to_owned(),
            Shape::List { separator } => {
                let skipped =
                    (0..self.signature.habits.skip).map(|at| if from == Some(&Place::Entry(at)) { time } else { "" });
                skipped.chain([claimed]).collect::<Vec<_>>().join(separator)
            }
            Shape::Pairs { separator, equals, item, .. } => {
                let time_item = from.and_then(|from| if let Place::Item(name) = from { Some(name) } else { None });
                let ordered = &self.signature.habits.ordered;
                let item = match item {
                    Item::Called(name) => name,
                    Item::Configured(name) => config.get(name).unwrap_or(name),
                };
                let names: Vec<_> = if ordered.is_empty() {
                    time_item.into_iter().chain([item]).collect()
                } else {
                    ordered.iter().collect()
                };
                let pair = |name: &String| match name {
                    name if name == item => format!("{name}{equals}{claimed}"),
                    name if Some(name) == time_item => format!("{name}{equals}{time}"),
                    name => format!("{name}{equals}test"),
                };
                names.into_iter().map(pair).collect::<Vec<_>>().join(separator)
            }
        }
    }
}

/// As the other side will see it.
fn unverified(request: &Unsigned<'_>, url: &str, fields: &[(String, String)], body: &[u8]) -> Option<Unverified> {
    let mut headers = HeaderMap::new();
    let content_type = HeaderValue::from_str(request.content_type);
    headers.extend(content_type.map(|value| (header::CONTENT_TYPE, value)));
    for (name, value) in fields {
        headers.append(name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value).ok()?);
    }
    let target = url
        .strip_prefix(base(url))
        .map(|target| if target.starts_with('/') { target.to_owned() } else { format!("/{target}") });
    let head = Head {
        method: request.method.clone(),
        target: Target::parse(target?.split('#').next().unwrap_or_default()).ok()?,
        host: String::new(),
        headers,
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    Some(Unverified { head, raw: body.to_vec().into() })
}

/// Scheme and authority.
fn base(url: &str) -> &str {
    let after = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(after..).and_then(|rest| rest.find(['/', '?', '#'])).map_or(url.len(), |at| after + at);
    url.get(..end).unwrap_or_default()
}

fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}{name}={value}")
}

/// With this field at the end of the form.
fn with_field(form: &[u8], name: &str, value: &str) -> Vec<u8> {
    let mark = if form.is_empty() { "" } else { "&" };
    let mut field = format!("{mark}{name}=");
    for byte in value.bytes() {
        match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'*' => field.push(char::from(byte)),
            _ => field.push_str(&format!("%{byte:02X}")),
        }
    }
    [form, field.as_bytes()].concat()
}

/// With this member; what is no object becomes one.
fn with_member(body: &[u8], pointer: &str, value: Value) -> Vec<u8> {
    let mut document = json::read(body).map(|node| node.to_value()).unwrap_or_default();
    let mut place = &mut document;
    for step in pointer.split('/').skip(1) {
        if let (Value::Array(items), Ok(number)) = (&mut *place, step.parse::<usize>())
            && number < items.len()
        {
            let Value::Array(items) = place else { return body.to_vec() };
            let Some(item) = items.get_mut(number) else { return body.to_vec() };
            place = item;
            continue;
        }
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(members) = place else { return body.to_vec() };
        place = members.entry(json::unescape(step)).or_insert(Value::Null);
    }
    *place = value;
    document.to_string().into_bytes()
}
