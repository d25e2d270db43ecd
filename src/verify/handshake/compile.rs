//! From text to meaning.

mod reply;

use super::{
    Handshake, Proof, Reply, Show,
    call::{Chars, Place, TEXT_BYTES_MAX, Texts, WORD_BYTES_MAX},
    text::{HandshakeText, ShowText, TextsText, WhenText},
    when::When,
};
use crate::verify::{
    Scheme,
    catalogue::{Mistakes, url_mistake},
};
use http::Method;
use serde_saphyr::Spanned;

impl Handshake {
    /// `None` where something wrong was told.
    pub(in crate::verify) fn compile(
        text: &HandshakeText,
        scheme: Option<&Scheme>,
        wrong: &mut Mistakes,
    ) -> Option<Self> {
        let HandshakeText { name, when, proof, token, key, texts, show, reply } = text;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.value.is_empty() || !name.value.bytes().all(plain) {
            wrong.at(name, "a name has lower-case letters, digits and `-` alone: it is a field of logs");
        }
        let proof = self::proof(proof, token.as_ref(), key.as_ref(), wrong);
        let when = When::compile(when, name, wrong);
        let texts = Texts::compile(texts, wrong);
        let show = match show {
            Some(show) => Some(Show::compile(show, proof.as_ref(), wrong)?),
            None => None,
        };
        let reply = Reply::compile(reply, name, wrong);
        let call = Self { name: name.value.clone(), proof: proof?, when: when?, texts: texts?, show, reply: reply? };
        call.holds_together(name, scheme, wrong).then_some(call)
    }

    fn holds_together(&self, name: &Spanned<String>, scheme: Option<&Scheme>, wrong: &mut Mistakes) -> bool {
        let before = wrong.0.len();
        let When { form, lacks, .. } = &self.when;
        let places = self.parts().filter_map(|made| made.of.place()).chain(match &self.proof {
            Proof::Token(place) | Proof::Armed(place) => Some(place),
            Proof::Signature | Proof::Nothing => None,
        });
        let reads_body = self.show.is_some() || places.into_iter().any(|place| matches!(place, Place::Json(_)));
        if self.is_signed() && !self.when.reads_body() {
            wrong.at(
                name,
                "anyone can change a header or a query; name a member of the signed body under `json` or `has`",
            );
        }
        if !self.is_signed() && !self.when.reads_body() && (reads_body || !lacks.is_empty()) {
            wrong.at(name, "its body is not read; say under `when` by which member it is told, with `json` or `has`");
        }
        if !form.is_empty() && self.when.reads_body() {
            wrong.at(name, "a body is a form or JSON; leave out `form`, or `json` and `has`");
        }
        if self.makes_mac() && scheme.is_some_and(|scheme| !scheme.makes_macs()) {
            wrong.at(name, "this sender's algorithm has no keyed digest; leave out `hmac_hex` and `hmac_base64`");
        }
        if self.hands_over() && scheme.is_some_and(|scheme| !scheme.makes_macs()) {
            wrong.at(name, "this sender's key is no shared secret, so it is not handed over; leave `proof: armed` out");
        }
        if self.hands_over() && self.makes_mac() {
            wrong.at(name, "there is no key yet to make a keyed digest with; `echo` what it hands over");
        }
        if self.is_oracle()
            && !self.hands_over()
            && (self.texts.chars == Chars::Line || self.texts.bytes_max > WORD_BYTES_MAX)
        {
            let message = format!(
                "whoever asks would have any text signed; write `texts: {{ chars: word, bytes_max: 64 }}` ({WORD_BYTES_MAX} at most), or `proof: signature` where the vendor signs"
            );
            wrong.at(name, message);
        }
        wrong.0.len() == before
    }
}

fn proof(
    written: &Spanned<String>,
    token: Option<&Spanned<String>>,
    key: Option<&Spanned<String>>,
    wrong: &mut Mistakes,
) -> Option<Proof> {
    let word = written.value.as_str();
    for (place, proof) in [(token, "verify_token"), (key, "armed")] {
        if let Some(place) = place.filter(|_| word != proof) {
            wrong.at(place, format!("this goes with `proof: {proof}` alone; leave it out"));
            return None;
        }
    }
    match (word, token, key) {
        ("signature", ..) => Some(Proof::Signature),
        ("verify_token", Some(place), _) => Place::compile(place, wrong).map(Proof::Token),
        ("verify_token", None, _) => {
            wrong.at(written, "where is it? write `token: query:NAME`");
            None
        }
        ("armed", _, Some(place)) => match Place::compile(place, wrong)? {
            // Other programs write URLs into their logs.
            Place::Query(_) => {
                wrong.at(place, "a key in a URL is in every log on its way; write `header:NAME` or `json:/pointer`");
                None
            }
            place @ (Place::Header(_) | Place::Json(_)) => Some(Proof::Armed(place)),
        },
        ("armed", _, None) => {
            wrong.at(written, "where is the key? write `key: header:NAME` or `key: json:/pointer`");
            None
        }
        ("nothing", ..) => Some(Proof::Nothing),
        (other, ..) => {
            let message =
                format!("unknown proof `{other}`; known here: `signature`, `verify_token`, `armed`, `nothing`");
            wrong.at(written, message);
            None
        }
    }
}

impl When {
    fn compile(text: &WhenText, name: &Spanned<String>, wrong: &mut Mistakes) -> Option<Self> {
        let WhenText { method, query, header, present, form, json, has, lacks } = text;
        let methods =
            [("POST", Method::POST), ("GET", Method::GET), ("HEAD", Method::HEAD), ("OPTIONS", Method::OPTIONS)];
        let written = method.as_ref().map_or("POST", |method| method.value.as_str());
        let known = methods.into_iter().find(|(word, _)| *word == written).map(|(_, method)| method);
        if let (None, Some(place)) = (&known, method) {
            wrong.at(place, "write `GET`, `HEAD` or `OPTIONS`, or leave it out for `POST`");
        }
        let by_head = query.is_empty() && header.is_empty() && present.is_empty();
        // An event is never a HEAD.
        if by_head && form.is_empty() && json.is_empty() && has.is_empty() && known != Some(Method::HEAD) {
            wrong.at(name, "every request would be this one; say under `when` by what it is told");
        }
        for pointer in json.keys().chain(has).chain(lacks) {
            wrong.pointer(name, pointer);
        }
        if let Some(pointer) = lacks.iter().find(|pointer| has.contains(pointer) || json.contains_key(*pointer)) {
            wrong.at(name, format!("`{pointer}` cannot be there and be missing; leave one of the two out"));
        }
        for (pointer, value) in json {
            if value.is_object() || value.is_array() || value.is_null() {
                wrong.at(name, format!("`{pointer}` is held against a text, a number or `true` alone"));
            }
        }
        let mut headers = Vec::new();
        for (field, value) in header {
            let Some(field) = wrong.header_name(name, field) else { continue };
            if headers.iter().any(|(other, _)| *other == field) {
                wrong.at(name, format!("`{field}` is held against two values; leave one out"));
            }
            headers.push((field, value.clone()));
        }
        for field in form {
            wrong.field(name, field);
        }
        let named = |(parameter, value): (&String, &String)| Some((wrong.parameter(name, parameter)?, value.clone()));
        let query = query.iter().filter_map(named).collect();
        let mut there = Vec::new();
        for place in present {
            match Place::compile(place, wrong) {
                Some(Place::Json(_)) => {
                    wrong.at(place, "a member of the body goes under `has`, as in `has: [/challenge]`");
                }
                found => there.extend(found),
            }
        }
        Some(Self {
            method: known?,
            query,
            headers,
            present: there,
            form: form.clone(),
            json: json.iter().map(|(pointer, value)| (pointer.clone(), value.clone())).collect(),
            has: has.clone(),
            lacks: lacks.clone(),
        })
    }
}

impl Texts {
    fn compile(text: &TextsText, wrong: &mut Mistakes) -> Option<Self> {
        let chars = match &text.chars {
            None => Some(Chars::Line),
            Some(written) => wrong.word(
                written,
                "kind of text",
                &[("line", Chars::Line), ("word", Chars::Word), ("hex", Chars::Hex)],
            ),
        };
        let bytes_max = text.bytes_max.as_ref().map_or(TEXT_BYTES_MAX, |written| written.value);
        if let Some(written) = text.bytes_max.as_ref().filter(|it| !(1..=TEXT_BYTES_MAX).contains(&it.value)) {
            wrong.at(written, format!("a text has from 1 to {TEXT_BYTES_MAX} bytes; write something such as `64`"));
        }
        Some(Self { chars: chars?, bytes_max })
    }
}

impl Show {
    fn compile(text: &ShowText, proof: Option<&Proof>, wrong: &mut Mistakes) -> Option<Self> {
        let ShowText { url, hosts } = text;
        let pointer = match url.value.strip_prefix("json:") {
            Some(pointer) => wrong.pointer(url, pointer),
            None => wrong.no_place(url, &["json:/pointer"]),
        };
        if hosts.is_empty() && proof.is_some_and(|proof| *proof != Proof::Signature) {
            wrong.at(
                url,
                "nobody signed it, and an operator may follow it; say where it may lead, with `hosts: [.vendor.example]`",
            );
        }
        // Below a name without a dot, as `.com`, anybody can have one.
        let good = |name: &&String| {
            let bare = name.strip_prefix('.').unwrap_or(name);
            let lower = !bare.bytes().any(|byte| byte.is_ascii_uppercase());
            let all_below = bare.len() < name.len();
            lower && url_mistake(&format!("https://{bare}/"), !all_below).is_none() && !bare.contains([':', '/', '?'])
        };
        for odd in hosts.iter().filter(|name| !good(name)) {
            wrong.at(url, format!("`{odd}` is no host; write `vendor.example`, or `.vendor.example` for all below it"));
        }
        Some(Self { pointer: pointer?, hosts: hosts.clone() })
    }
}

impl Place {
    fn compile(text: &Spanned<String>, wrong: &mut Mistakes) -> Option<Self> {
        match text.value.split_once(':') {
            Some(("query", name)) => wrong.parameter(text, name).map(Self::Query),
            Some(("header", name)) => wrong.header_name(text, name).map(Self::Header),
            Some(("json", pointer)) => wrong.pointer(text, pointer).map(Self::Json),
            _ => wrong.no_place(text, &["query:NAME", "header:NAME", "json:/pointer"]),
        }
    }
}
