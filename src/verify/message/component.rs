//! One part of a request that can be signed (RFC 9421 section 2).

use super::{DIGEST, digest};
use crate::{
    json::language::way_out,
    request::{Head, target::php},
    verdict::Rejection,
};
use data_encoding::BASE64;
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
    /// `;sf`: a structured field, written anew.
    Rewritten(Shape),
    /// `;bs`: every line in base64.
    Bytes,
    /// `@query-param;name`.
    Parameter(String),
}

/// What kind of structured field one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Dictionary,
    List,
    Item,
}

/// Fields of requests that are structured, so that `;sf` has one meaning for them: those that are registered so, and those that
/// can be read so (draft-ietf-httpbis-retrofit).
const SHAPES: [(Shape, &[&str]); 3] = [
    (
        Shape::Dictionary,
        &[
            "accept-signature",
            "cache-control",
            "content-digest",
            "prefer",
            "priority",
            "repr-digest",
            "signature",
            "signature-input",
            "want-content-digest",
            "want-repr-digest",
        ],
    ),
    (
        Shape::List,
        &[
            "accept",
            "accept-encoding",
            "accept-language",
            "cache-status",
            "cdn-loop",
            "client-cert-chain",
            "content-encoding",
            "content-language",
        ],
    ),
    (Shape::Item, &["age", "client-cert", "content-type", "idempotency-key"]),
];

const DERIVED: [&str; 7] = ["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query"];

impl Component {
    /// `None` for what is no part of a request (`@status`, `;req`), for trailers (`;tr`), and for names and parameters that nobody
    /// knows: what is not understood cannot be looked at.
    pub(super) fn read(item: &Item) -> Option<Self> {
        let name = item.bare_item.as_str()?.to_owned();
        let has = |names: &[&str]| item.params.keys().all(|key| names.contains(&key.as_str()));
        let flag = |name: &str| item.params.get(name) == Some(&BareItem::Boolean(true));
        let text = |name: &str| item.params.get(name).and_then(BareItem::as_str).map(str::to_owned);
        let how = match name.strip_prefix('@') {
            Some("query-param") if has(&["name"]) => How::Parameter(text("name")?),
            Some(_) if has(&[]) && DERIVED.contains(&name.as_str()) => How::Plain,
            None if has(&[]) => How::Plain,
            None if has(&["bs"]) && flag("bs") => How::Bytes,
            None if has(&["sf"]) && flag("sf") => How::Rewritten(shape(&name)?),
            // A member is always written anew; some say so.
            None if has(&["key"]) || has(&["key", "sf"]) && flag("sf") => How::Member(text("key")?),
            Some(_) | None => return None,
        };
        let is_field = |name: &str| {
            name.parse::<http::HeaderName>().is_ok_and(|parsed| parsed.as_str() == name) && !name.is_empty()
        };
        (name.starts_with('@') || is_field(&name)).then(|| Self { name, item: item.clone(), how })
    }

    /// What it is called.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is the digest of the content: all of it, or by an algorithm that binds the content alone.
    pub(in crate::verify) fn is_digest(&self) -> bool {
        let binds = match &self.how {
            How::Plain | How::Rewritten(_) => true,
            How::Member(algorithm) => digest::KNOWN.contains(&algorithm.as_str()),
            // Lines are signed there, and not what they say together.
            How::Bytes | How::Parameter(_) => false,
        };
        binds && self.name == DIGEST
    }

    /// As it stands in the text that is signed.
    pub(super) fn written(&self) -> Result<String, Rejection> {
        self.item.serialize_value().map_err(|_| Rejection::SignatureMalformed)
    }

    /// What the request says there. `site` is scheme and authority as the sender knows them.
    pub(super) fn value(&self, head: &Head, site: Option<&str>) -> Result<String, Rejection> {
        let target = &head.target;
        let site = || {
            let site = site.ok_or(Rejection::SignatureMismatch)?.trim_end_matches('/');
            site.split_once("://").ok_or(Rejection::SignatureMismatch)
        };
        Ok(match (self.name.as_str(), &self.how) {
            ("@method", _) => head.method.as_str().to_owned(),
            ("@target-uri", _) => {
                let (scheme, authority) = site()?;
                // A question mark with nothing behind it is a part of it.
                let query = target.raw().split_once('?').map(|(_, query)| format!("?{query}"));
                format!("{scheme}://{authority}{}{}", target.path(), query.unwrap_or_default())
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
            (name, How::Rewritten(shape)) => {
                rewritten(*shape, &field(head, name)?).ok_or(Rejection::SignatureMalformed)?
            }
            (name, How::Bytes) => bytes(head, name)?,
            (name, _) => field(head, name)?,
        })
    }
}

/// Why nobody could sign this part of a request, where that can be told.
pub(super) fn why_none(item: &Item) -> Option<String> {
    let name = item.bare_item.as_str()?;
    let lower = name.to_ascii_lowercase();
    if lower != name {
        return Some(format!("names of parts are written in small letters; write `{lower}`"));
    }
    if name == "@query-param" {
        return Some("which parameter? write `'\"@query-param\";name=\"id\"'`".to_owned());
    }
    if matches!(name, "@status" | "@signature-params") {
        return Some(format!("`{name}` is no part of a request that could be named here; leave it out"));
    }
    if name.starts_with('@') && !DERIVED.contains(&name) {
        let known = DERIVED.iter().copied().chain(["@query-param"]);
        return Some(format!("nothing of a request is called `{name}`{}", way_out(name, known)));
    }
    if !item.params.is_empty() {
        return Some(format!("`{name}` has no such parameters that could be looked at; leave them out"));
    }
    Some(format!("`{name}` is no name of a header; write letters, digits and `-`"))
}

/// Section 2.1: every line of the field, with a comma between two.
fn field(head: &Head, name: &str) -> Result<String, Rejection> {
    let lines = head.headers.get_all(name).iter().map(|line| line.to_str().map(str::trim));
    let lines: Vec<_> = lines.collect::<Result<_, _>>().map_err(|_| Rejection::SignatureMalformed)?;
    if lines.is_empty() { Err(Rejection::SignatureMissing) } else { Ok(lines.join(", ")) }
}

/// Section 2.1.3: each line by itself, so that where one ends is signed, too.
fn bytes(head: &Head, name: &str) -> Result<String, Rejection> {
    let lines = head.headers.get_all(name).iter();
    let lines: Vec<_> = lines.map(|line| format!(":{}:", BASE64.encode(line.as_bytes().trim_ascii()))).collect();
    if lines.is_empty() { Err(Rejection::SignatureMissing) } else { Ok(lines.join(", ")) }
}

fn shape(name: &str) -> Option<Shape> {
    SHAPES.into_iter().find_map(|(shape, names)| names.contains(&name).then_some(shape))
}

/// Section 2.1.1: as it would be written, were it written strictly.
fn rewritten(shape: Shape, value: &str) -> Option<String> {
    let bytes = value.as_bytes();
    match shape {
        Shape::Dictionary => Parser::parse_dictionary(bytes).ok()?.serialize_value().ok(),
        Shape::List => Parser::parse_list(bytes).ok()?.serialize_value().ok(),
        Shape::Item => Parser::parse_item(bytes).ok()?.serialize_value().ok(),
    }
}

/// Section 2.2.8: the one value of this name, decoded as a form is, and encoded again in the one way there. The name should be
/// encoded as well, and not every sender does it.
fn parameter(query: &str, wanted: &str) -> Result<String, Rejection> {
    let decode = |text: &str| php::decode(text.as_bytes()).into_owned();
    let wanted = php::unescape(wanted.as_bytes());
    let pieces = query.split('&').filter(|piece| !piece.is_empty());
    let pairs = pieces.map(|piece| piece.split_once('=').unwrap_or((piece, "")));
    let mut found = pairs.filter(|(name, _)| decode(name) == *wanted);
    let (_, value) = found.next().ok_or(Rejection::SignatureMissing)?;
    // Which of two is meant would be anybody's guess.
    if found.next().is_some() { Err(Rejection::SignatureMalformed) } else { Ok(encode(&decode(value))) }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn item(written: &str) -> Item {
        Parser::parse_item(written.as_bytes()).unwrap()
    }

    /// A parameter that is passed over would be one that the signer meant, and nobody looked at.
    #[test]
    fn a_part_has_the_parameters_that_are_understood_and_no_other() {
        for good in [
            r#""date""#,
            r#""date";bs"#,
            r#""content-digest";sf"#,
            r#""content-digest";key="sha-256""#,
            r#""content-digest";sf;key="sha-256""#,
            r#""@method""#,
            r#""@query-param";name="id""#,
        ] {
            assert!(Component::read(&item(good)).is_some(), "{good}");
        }
        for bad in [
            r#""date";x"#,
            r#""date";bs;x"#,
            r#""date";bs=?0"#,
            r#""date";bs=1"#,
            r#""date";bs;sf"#,
            r#""content-digest";sf;x"#,
            r#""content-digest";sf=?0"#,
            r#""content-digest";sf;tr"#,
            r#""content-digest";key"#,
            r#""content-digest";key="sha-256";x"#,
            r#""content-digest";key="sha-256";sf=?0"#,
            r#""content-digest";key="sha-256";sf;x"#,
            r#""content-digest";bs;key="sha-256""#,
            r#""x-of-no-known-shape";sf"#,
            r#""@method";x"#,
            r#""@query-param";name="id";x"#,
            r#""@query-param";name=1"#,
            r#""@query-param""#,
            r#""@status""#,
            r#""@""#,
            r#""Date""#,
            r#""a b""#,
            r#""""#,
            "1",
        ] {
            assert!(Component::read(&item(bad)).is_none(), "{bad}");
        }
    }

    #[test]
    fn why_a_part_cannot_be_signed_is_told() {
        for (written, told) in [
            (r#""Date""#, "write `date`"),
            (r#""@query-param""#, "which parameter?"),
            (r#""@status""#, "`@status` is no part of a request"),
            (r#""@signature-params""#, "`@signature-params` is no part of a request"),
            (r#""@methods""#, "nothing of a request is called `@methods`; did you mean `@method`?"),
            (r#""date";tr"#, "`date` has no such parameters"),
            (r#""@method";req"#, "`@method` has no such parameters"),
            (r#""a b""#, "`a b` is no name of a header"),
        ] {
            let why = why_none(&item(written)).unwrap();
            assert!(why.contains(told), "{written}: {why}");
        }
    }

    /// Section 2.2.8 of RFC 9421, with its examples.
    #[test]
    fn a_parameter_is_decoded_and_encoded_in_one_way() {
        let query =
            "param=value&foo=bar&baz=batman&qux=&bare&var=this%20is%20a%20big%0Avalue&twice=1&twice=2&m=%2a-._%7e";
        for (name, value) in
            [("baz", "batman"), ("qux", ""), ("bare", ""), ("var", "this%20is%20a%20big%0Avalue"), ("m", "*-._%7E")]
        {
            assert_eq!(parameter(query, name).as_deref(), Ok(value), "{name}");
        }
        assert_eq!(parameter(query, "twice"), Err(Rejection::SignatureMalformed));
        assert_eq!(parameter(query, "none"), Err(Rejection::SignatureMissing));
    }
}
