//! One part of a request that can be signed (RFC 9421 section 2).

use crate::{request::Head, verdict::Rejection};
use sfv::{BareItem, Item, ListEntry, Parser, SerializeValue as _};

/// A part, as `Signature-Input` names it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::verify) struct Component {
    name: String,
    item: Item,
    how: How,
}

/// How its value is written.
#[derive(Clone, Debug, PartialEq, Eq)]
enum How {
    /// As it is.
    Plain,
    /// `;key`: one member of a dictionary.
    Member(String),
    /// `;sf`: a dictionary, written anew.
    Rewritten,
    /// `@query-param;name`.
    Parameter(String),
}

/// Fields that are dictionaries, so that `;sf` has one meaning for them.
const DICTIONARIES: [&str; 7] = [
    "accept-signature",
    "content-digest",
    "priority",
    "repr-digest",
    "signature",
    "signature-input",
    "want-content-digest",
];

const DERIVED: [&str; 7] = ["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query"];

impl Component {
    /// `None` for what is no part of a request (`@status`, `;req`), for trailers (`;tr`), for binary fields (`;bs`), and for names
    /// and parameters that nobody knows: what is not understood cannot be looked at.
    pub(super) fn read(item: &Item) -> Option<Self> {
        let name = item.bare_item.as_str()?.to_owned();
        let parameter = |wanted: &str| item.params.get(wanted).filter(|_| item.params.len() == 1);
        let how = match (name.strip_prefix('@'), item.params.is_empty()) {
            (None, true) => How::Plain,
            (Some(_), true) if DERIVED.contains(&name.as_str()) => How::Plain,
            (Some("query-param"), false) => How::Parameter(parameter("name")?.as_str()?.to_owned()),
            (None, false) => match (parameter("key"), parameter("sf")) {
                (Some(key), None) => How::Member(key.as_str()?.to_owned()),
                (None, Some(BareItem::Boolean(true))) if DICTIONARIES.contains(&name.as_str()) => How::Rewritten,
                _ => return None,
            },
            _ => return None,
        };
        let is_field = |name: &str| {
            name.parse::<http::HeaderName>().is_ok_and(|parsed| parsed.as_str() == name) && !name.is_empty()
        };
        (name.starts_with('@') || is_field(&name)).then(|| Self { name, item: item.clone(), how })
    }

    /// Whether it is this field, or this derived part, whole.
    pub(in crate::verify) fn is(&self, name: &str) -> bool {
        self.name == name && self.how == How::Plain
    }

    /// As it stands in the text that is signed.
    pub(super) fn written(&self) -> Result<String, Rejection> {
        self.item.serialize_value().map_err(|_| Rejection::SignatureMalformed)
    }

    /// What the request says there. `site` is scheme and authority as the sender knows them.
    pub(super) fn value(&self, head: &Head, site: Option<&str>) -> Result<String, Rejection> {
        let target = &head.target;
        let query = || if target.query().is_empty() { String::new() } else { format!("?{}", target.query()) };
        let site = || {
            let site = site.ok_or(Rejection::SignatureMismatch)?.trim_end_matches('/');
            site.split_once("://").ok_or(Rejection::SignatureMismatch)
        };
        Ok(match (self.name.as_str(), &self.how) {
            ("@method", _) => head.method.as_str().to_owned(),
            ("@target-uri", _) => {
                let (scheme, authority) = site()?;
                format!("{scheme}://{authority}{}{}", target.path(), query())
            }
            ("@authority", _) => {
                let (scheme, authority) = site()?;
                let port = if scheme == "http" { ":80" } else { ":443" };
                let authority = authority.to_ascii_lowercase();
                authority.strip_suffix(port).map(str::to_owned).unwrap_or(authority)
            }
            ("@scheme", _) => site()?.0.to_ascii_lowercase(),
            ("@request-target", _) => target.raw().to_owned(),
            ("@path", _) => target.path().to_owned(),
            ("@query", _) => format!("?{}", target.query()),
            ("@query-param", How::Parameter(wanted)) => parameter(target.query(), wanted)?,
            (name, How::Member(key)) => {
                let read = Parser::parse_dictionary(field(head, name)?.as_bytes());
                let read = read.map_err(|_| Rejection::SignatureMalformed)?;
                let member = read.get(key).cloned().ok_or(Rejection::SignatureMissing)?;
                vec![member].serialize_value().map_err(|_| Rejection::SignatureMalformed)?
            }
            (name, How::Rewritten) => {
                let read = Parser::parse_dictionary(field(head, name)?.as_bytes());
                let read = read.map_err(|_| Rejection::SignatureMalformed)?;
                read.serialize_value().map_err(|_| Rejection::SignatureMalformed)?
            }
            (name, _) => field(head, name)?,
        })
    }
}

/// Section 2.1: every line of the field, with a comma between two.
fn field(head: &Head, name: &str) -> Result<String, Rejection> {
    let lines = head.headers.get_all(name).iter().map(|line| line.to_str().map(str::trim));
    let lines: Vec<_> = lines.collect::<Result<_, _>>().map_err(|_| Rejection::SignatureMalformed)?;
    if lines.is_empty() { Err(Rejection::SignatureMissing) } else { Ok(lines.join(", ")) }
}

/// Section 2.2.8: the one value of this name, decoded as a form is, and encoded again in the one way there.
fn parameter(query: &str, wanted: &str) -> Result<String, Rejection> {
    let recoded = |text: &str| encode(&crate::request::target::php::decode(text.as_bytes()));
    let pieces = query.split('&').filter(|piece| !piece.is_empty());
    let pairs = pieces.map(|piece| piece.split_once('=').unwrap_or((piece, "")));
    let mut found = pairs.filter(|(name, _)| recoded(name) == wanted);
    let (_, value) = found.next().ok_or(Rejection::SignatureMissing)?;
    // Which of two is meant would be anybody's guess.
    if found.next().is_some() { Err(Rejection::SignatureMalformed) } else { Ok(recoded(value)) }
}

/// The percent-encode set of forms, with `%20` for a blank.
fn encode(bytes: &[u8]) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"*-._".contains(&byte);
    let mut encoded = String::with_capacity(bytes.len());
    for byte in bytes {
        if kept(*byte) { encoded.push(char::from(*byte)) } else { encoded.push_str(&format!("%{byte:02X}")) }
    }
    encoded
}

/// For a list of one.
impl From<Component> for ListEntry {
    fn from(component: Component) -> Self {
        Self::Item(component.item)
    }
}
