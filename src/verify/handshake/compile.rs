//! From text to meaning.

use super::{
    Handshake, Made, Place, Proof, Reply, Said, When,
    text::{HandshakeText, MemberText, ReplyText, WhenText},
};
use crate::{request::target::php, verify::catalogue::Mistakes};
use http::{HeaderName, Method};
use serde_saphyr::Spanned;

impl Handshake {
    /// `None` where something wrong was told.
    pub(in crate::verify) fn compile(text: &HandshakeText, wrong: &mut Mistakes) -> Option<Self> {
        let HandshakeText { name, when, proof, token, reply } = text;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.value.is_empty() || !name.value.bytes().all(plain) {
            wrong.at(name, "a name has lower-case letters, digits and `-` alone: it is a field of logs");
        }
        let signed_members = !(when.json.is_empty() && when.has.is_empty());
        let proof = match (proof.value.as_str(), token) {
            ("signature", None) => {
                if !signed_members {
                    wrong.at(
                        name,
                        "anyone can change a header or a query; name a member of the signed body under `json` or `has`",
                    );
                }
                Some(Proof::Signature)
            }
            ("verify_token", Some(place)) => Place::compile(place, false, wrong).map(Proof::Token),
            ("verify_token", None) => {
                wrong.at(proof, "where is it? write `token: query:NAME`");
                None
            }
            ("nothing", None) => Some(Proof::Nothing),
            ("signature" | "nothing", Some(place)) => {
                wrong.at(place, "this goes with `proof: verify_token` alone; leave it out");
                None
            }
            (other, _) => {
                let message = format!("unknown proof `{other}`; known here: `signature`, `verify_token`, `nothing`");
                wrong.at(proof, message);
                None
            }
        };
        if proof.as_ref().is_some_and(|proof| *proof != Proof::Signature) && (signed_members || !when.lacks.is_empty())
        {
            wrong.at(name, UNREAD);
        }
        let when = When::compile(when, name, wrong);
        let reply = Reply::compile(reply, proof.as_ref(), name, wrong);
        Some(Self { name: name.value.clone(), proof: proof?, when: when?, reply: reply? })
    }
}

impl When {
    fn compile(text: &WhenText, name: &Spanned<String>, wrong: &mut Mistakes) -> Option<Self> {
        let WhenText { method, query, header, form, json, has, lacks } = text;
        let method = match method.as_ref().map(|method| (method, method.value.as_str())) {
            None | Some((_, "POST")) => Some(Method::POST),
            Some((_, "GET")) => Some(Method::GET),
            Some((place, _)) => {
                wrong.at(place, "write `GET`, or leave it out for `POST`");
                None
            }
        };
        if query.is_empty() && header.is_empty() && form.is_empty() && json.is_empty() && has.is_empty() {
            wrong.at(name, "every request would be this one; say under `when` by what it is told");
        }
        for pointer in json.keys().chain(has).chain(lacks) {
            if !pointer.starts_with('/') {
                wrong.at(name, format!("`{pointer}` is no JSON Pointer; write something such as `/type`"));
            }
        }
        for (pointer, value) in json {
            if value.is_object() || value.is_array() || value.is_null() {
                wrong.at(name, format!("`{pointer}` is held against a text, a number or `true` alone"));
            }
        }
        let mut headers = Vec::new();
        for (field, value) in header {
            match field.parse::<HeaderName>() {
                Ok(field) => headers.push((field.as_str().to_owned(), value.clone())),
                Err(_) => wrong.at(name, format!("`{field}` is no name of a header")),
            }
        }
        Some(Self {
            method: method?,
            query: query.iter().map(|(name, value)| (as_php_reads(name), value.clone())).collect(),
            headers,
            form: form.clone(),
            json: json.iter().map(|(pointer, value)| (pointer.clone(), value.clone())).collect(),
            has: has.clone(),
            lacks: lacks.clone(),
        })
    }
}

impl Reply {
    fn compile(text: &ReplyText, proof: Option<&Proof>, name: &Spanned<String>, wrong: &mut Mistakes) -> Option<Self> {
        let ReplyText { status, echo, members } = text;
        let reads_body = proof.is_none_or(|proof| *proof == Proof::Signature);
        let status = status.unwrap_or(200);
        if !(200..300).contains(&status) {
            wrong.at(name, format!("a call is answered with a status from 200 to 299, and not with {status}"));
        }
        let body = match (echo, members.is_empty()) {
            (None, true) => Some(Said::Nothing),
            (Some(place), true) => Place::compile(place, reads_body, wrong).map(Said::Echo),
            (None, false) => {
                let members = members
                    .iter()
                    .map(|(member, text)| Some((member.clone(), Made::compile(member, text, proof, name, wrong)?)));
                members.collect::<Option<_>>().map(Said::Members)
            }
            (Some(place), false) => {
                wrong.at(place, "an answer is a text or an object: `echo` or `members`");
                None
            }
        };
        Some(Self { status, body: body? })
    }
}

impl Made {
    fn compile(
        member: &str,
        text: &MemberText,
        proof: Option<&Proof>,
        name: &Spanned<String>,
        wrong: &mut Mistakes,
    ) -> Option<Self> {
        let reads_body = proof.is_none_or(|proof| *proof == Proof::Signature);
        match text {
            MemberText { is: Some(value), echo: None, hmac_hex: None } => Some(Self::Is(value.clone())),
            MemberText { is: None, echo: Some(place), hmac_hex: None } => {
                Place::compile(place, reads_body, wrong).map(Self::Echo)
            }
            MemberText { is: None, echo: None, hmac_hex: Some(place) } => {
                if !reads_body {
                    let message = "whoever asks would have any text signed; this goes with `proof: signature` alone";
                    wrong.at(place, message);
                }
                Place::compile(place, reads_body, wrong).map(Self::HmacHex)
            }
            _ => {
                wrong.at(name, format!("how is `{member}` made? write one of `is`, `echo` and `hmac_hex`"));
                None
            }
        }
    }
}

impl Place {
    fn compile(text: &Spanned<String>, reads_body: bool, wrong: &mut Mistakes) -> Option<Self> {
        let place = match text.value.split_once(':') {
            Some(("query", name)) if !name.is_empty() => Some(Self::Query(as_php_reads(name))),
            Some(("json", pointer)) if pointer.starts_with('/') => Some(Self::Json(pointer.to_owned())),
            _ => None,
        };
        if matches!(place, Some(Self::Json(_))) && !reads_body {
            wrong.at(text, UNREAD);
        }
        if place.is_none() {
            wrong.at(text, format!("cannot read `{}`; write `query:NAME` or `json:/pointer`", text.value));
        }
        place
    }
}

const UNREAD: &str = "the body of a call that is not signed is not read; use its head, or its `form` to tell it";

/// `hub.mode` is `hub_mode` to PHP, and targets show it so.
fn as_php_reads(name: &str) -> String {
    let (name, _) = php::parameter(name.as_bytes());
    String::from_utf8_lossy(&name).into_owned()
}
