//! What a request refers to: an id of the vendor's. Where nothing is signed, that is all that a request can be held to.

use super::parts::{Place, Told};
use crate::{
    request::{Unverified, target::php},
    verdict::Rejection,
    verify::{catalogue::Mistakes, catalogue::text::RefersText},
};
use http::HeaderName;
use regex::{Regex, RegexBuilder};

/// Where the id is, and what every one of this vendor's looks like.
#[derive(Clone, Debug)]
pub struct Refers {
    place: Place,
    like: Regex,
}

/// The longest id of any vendor is a quarter of it.
const ID_BYTES_MAX: usize = 256;
/// A pattern of an id has some dozen letters; a compiled one that is larger says something else.
const PATTERN_BYTES_MAX: usize = 64 << 10;

impl Refers {
    /// `None` only where a mistake was told.
    pub(in crate::verify) fn compile(text: &RefersText, wrong: &mut Mistakes) -> Option<Self> {
        let place = match text.at.value.split_once(':') {
            Some(("form", name)) if !name.is_empty() => Some(Place::Form(name.to_owned())),
            Some(("json", pointer)) if pointer.starts_with('/') => Some(Place::Json(pointer.to_owned())),
            Some(("query", name)) if !name.is_empty() => {
                Some(Place::Query(String::from_utf8_lossy(&php::parameter(name.as_bytes()).0).into_owned()))
            }
            Some(("header", name)) => {
                name.parse::<HeaderName>().ok().map(|name| Place::Header(name.as_str().to_owned()))
            }
            Some(_) | None => None,
        };
        if place.is_none() {
            wrong.at(&text.at, "where is the id? write `form:NAME`, `json:/pointer`, `query:NAME` or `header:NAME`");
        }
        let whole = format!("^(?:{})$", text.like.value);
        let like = RegexBuilder::new(&whole).unicode(false).size_limit(PATTERN_BYTES_MAX).build().ok();
        if like.is_none() {
            wrong.at(&text.like, "this is no pattern; write what a whole id looks like, as in `tr_[A-Za-z0-9]{1,64}`");
        }
        Some(Self { place: place?, like: like? })
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
        let only_dots = id.bytes().all(|byte| byte == b'.');
        let plain =
            !only_dots && (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        if plain && self.like.is_match(&id) { Ok(id.into_owned()) } else { Err(Rejection::ReferenceRefused) }
    }

    /// For people.
    pub fn describe(&self) -> String {
        self.place.describe()
    }
}
