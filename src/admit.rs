//! May this head come in at all? Cheap checks, before a byte of the body is read.

use crate::{request::Head, verdict::Rejection};
use http::{Method, header};

/// What a route admits. Compiled from `admit:`.
#[derive(Clone, Debug)]
pub struct Admit {
    /// Any of these; a method that the sender's handshake uses is among them.
    pub methods: Vec<Method>,
    /// Media types without parameters, in lower case; empty means any.
    pub content_types: Vec<String>,
    /// The longest body, in bytes.
    pub body_limit_bytes: usize,
}

impl Admit {
    /// Holds a head against the route's rules.
    ///
    /// # Errors
    /// [`Rejection::Method`], [`Rejection::ContentType`] for a type or coding that does not come in, or [`Rejection::TooLarge`] for a declared length over
    /// the limit: the body then never comes.
    pub fn head(&self, head: &Head) -> Result<(), Rejection> {
        if !self.methods.contains(&head.method) {
            return Err(Rejection::Method);
        }
        let media_type = head.media_type();
        if !self.content_types.is_empty() && !self.content_types.contains(&media_type) {
            return Err(Rejection::ContentType);
        }
        if is_coded(head) {
            return Err(Rejection::ContentType);
        }
        if declared(head).is_some_and(|bytes| bytes > self.body_limit_bytes as u64) {
            return Err(Rejection::TooLarge);
        }
        Ok(())
    }
}

/// Signatures are made over the bytes that were sent, but checks, scrubs and consumers read a document: of a compressed
/// one they would see nothing, and a bomb in it would be somebody else's to find.
fn is_coded(head: &Head) -> bool {
    let codings = head.headers.get_all(header::CONTENT_ENCODING);
    codings.iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// `Content-Length`, where there is one: chunked and HTTP/2 bodies need none.
pub fn declared(head: &Head) -> Option<u64> {
    head.sole(header::CONTENT_LENGTH.as_str())?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Target;
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn judged(fields: &[(&'static str, &'static str)]) -> Result<(), Rejection> {
        let admit =
            Admit { methods: vec![Method::POST], content_types: vec!["application/json".into()], body_limit_bytes: 10 };
        let fields =
            fields.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        admit.head(&Head {
            method: Method::POST,
            target: Target::parse("/").unwrap(),
            host: String::new(),
            headers: fields.collect::<HeaderMap>(),
            client: [127, 0, 0, 1].into(),
        })
    }

    #[test]
    fn a_body_comes_in_as_it_is_and_not_in_a_coding() {
        let json = ("content-type", "application/json; charset=utf-8");
        assert_eq!(judged(&[json]), Ok(()));
        assert_eq!(judged(&[json, ("content-encoding", "Identity")]), Ok(()));
        for coding in ["gzip", "identity, gzip", "br", "", "unknown"] {
            assert_eq!(judged(&[json, ("content-encoding", coding)]), Err(Rejection::ContentType), "{coding:?}");
        }
    }

    #[test]
    fn a_type_that_is_missing_or_said_twice_is_none() {
        assert_eq!(judged(&[]), Err(Rejection::ContentType));
        let json = ("content-type", "application/json");
        assert_eq!(judged(&[("content-type", "text/plain")]), Err(Rejection::ContentType));
        assert_eq!(judged(&[json, ("content-length", "11")]), Err(Rejection::TooLarge));
        assert_eq!(judged(&[json, ("content-length", "10")]), Ok(()));
    }
}
