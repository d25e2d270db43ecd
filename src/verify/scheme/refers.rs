//! What a request refers to: an id of the vendor's. Where nothing is signed, that is all that a request can be held to.

mod sample;

use super::parts::{Place, Told};
use crate::{
    json,
    request::Unverified,
    verdict::Rejection,
    verify::{catalogue::Mistakes, catalogue::text::RefersText},
};
use regex::{Regex, RegexBuilder};
use serde_json::Value;

/// Where the id is, and what every one of this vendor's looks like.
#[derive(Clone, Debug)]
pub struct Refers {
    place: Place,
    like: Regex,
    /// As it is written.
    pattern: String,
}

/// The parts of a request that refer to something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Referring {
    /// Of the body, if there is one.
    pub content_type: Option<&'static str>,
    /// The body.
    pub body: Vec<u8>,
    /// A parameter of the query.
    pub query: Option<String>,
    /// A field of the head.
    pub field: Option<(String, String)>,
}

/// What can be an id at all: it becomes one part of a path.
fn fits(id: &str) -> bool {
    let only_dots = id.bytes().all(|byte| byte == b'.');
    !only_dots && (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// As forms and queries are written.
fn percent(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}

/// The longest id of any vendor is a quarter of it.
const ID_BYTES_MAX: usize = 256;
/// No vendor's ids have all of these among them.
const ANYTHING: [&str; 4] = ["a", "7", "../x?y=z", "<script>alert(1)</script>"];
/// A pattern of an id has some dozen letters; a compiled one that is larger says something else.
const PATTERN_BYTES_MAX: usize = 64 << 10;

impl Refers {
    /// `None` only where a mistake was told.
    pub(in crate::verify) fn compile(text: &RefersText, wrong: &mut Mistakes) -> Option<Self> {
        let place = match text.at.value.split_once(':') {
            Some(("form", name)) => wrong.field(&text.at, name).map(Place::Form),
            Some(("json", pointer)) => wrong.pointer(&text.at, pointer).map(Place::Json),
            Some(("query", name)) => wrong.parameter(&text.at, name).map(Place::Query),
            Some(("header", name)) => wrong.header_name(&text.at, name).map(Place::Header),
            Some(_) | None => wrong.no_place(&text.at, &["form:NAME", "json:/pointer", "query:NAME", "header:NAME"]),
        };
        let whole = format!("^(?:{})$", text.like.value);
        let like = RegexBuilder::new(&whole).unicode(false).size_limit(PATTERN_BYTES_MAX).build().ok();
        if like.is_none() && Regex::new(&whole).is_ok() {
            let message = "`.` is any byte at all; write the letters that an id has, as in `tr_[A-Za-z0-9]{1,64}`";
            wrong.at(&text.like, message);
        } else if like.is_none() {
            wrong.at(&text.like, "this is no pattern; write what a whole id looks like, as in `tr_[A-Za-z0-9]{1,64}`");
        }
        let admits = |id: &str| like.as_ref().is_some_and(|like| like.is_match(id));
        if ANYTHING.into_iter().all(admits) {
            wrong.at(
                &text.like,
                "anything at all is such an id; write what the vendor's look like, as in `tr_[A-Za-z0-9]{1,64}`",
            );
        } else if admits("") {
            wrong.at(
                &text.like,
                "nothing at all is such an id, too; write what a whole one looks like, as in `tr_[A-Za-z0-9]{1,64}`",
            );
        }
        Some(Self { place: place?, like: like?, pattern: text.like.value.clone() })
    }

    /// The one id of the request, if it is one that this vendor could have given.
    pub(in crate::verify) fn read(&self, request: &Unverified) -> Result<String, Rejection> {
        let told = Told::by(request, None);
        if let Place::Form(name) = &self.place
            && request.head.target.parameters().any(|(found, _)| *found == *name.as_bytes())
        {
            return Err(Rejection::ReferenceRefused); // whoever reads the query would read another id
        }
        let id = self.place.read(&told).map_err(|_| Rejection::ReferenceRefused)?;
        if fits(&id) && self.like.is_match(&id) { Ok(id.into_owned()) } else { Err(Rejection::ReferenceRefused) }
    }

    /// An id that this vendor could have given, for tests: this one, if it is such, and else one made of it.
    pub fn example(&self, of: &str) -> Option<String> {
        let fits = |id: &String| fits(id) && self.like.is_match(id);
        let own = Some(of.to_owned()).filter(fits);
        own.or_else(|| sample::sample(&self.pattern, of).filter(fits))
    }

    /// What a request has in it that refers to this id, and nothing else.
    pub fn request(&self, id: &str) -> Referring {
        let mut made = Referring::default();
        match &self.place {
            Place::Form(name) => {
                made.content_type = Some(super::form::URLENCODED);
                made.body = format!("{}={}", percent(name), percent(id)).into_bytes();
            }
            Place::Json(pointer) => {
                let mut body = Value::Null;
                json::put(&mut body, pointer, id.into());
                made.content_type = Some("application/json");
                made.body = body.to_string().into_bytes();
            }
            Place::Query(name) => made.query = Some(format!("{}={}", percent(name), percent(id))),
            Place::Header(name) => made.field = Some((name.clone(), id.to_owned())),
            // Of a signature's header; no entry says so of what it refers to.
            Place::Item(_) | Place::Entry(_) => {}
        }
        made
    }

    /// For people.
    pub fn describe(&self) -> String {
        self.place.describe()
    }
}
