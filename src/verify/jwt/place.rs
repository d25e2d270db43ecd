//! Where is the token? In one place that the policy names, once.

use crate::{
    request::{Head, target::php},
    verdict::TokenFlaw,
};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{AUTHORIZATION, COOKIE},
};

/// Where a policy says that the token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `Authorization: Bearer TOKEN` (RFC 6750 section 2.1).
    Bearer,
    /// The token alone, in this header.
    Header(HeaderName),
    /// The token alone, in this cookie.
    Cookie(String),
}

impl Place {
    /// The token, if it is in its place and nowhere else. RFC 6750 section 2 allows one way in a request; and where
    /// there are two tokens, the application behind might believe the other.
    pub(super) fn find<'h>(&self, head: &'h Head) -> Result<&'h str, TokenFlaw> {
        let mut found = Found::default();
        let mut authorizations = head.headers.get_all(AUTHORIZATION).iter().peekable();
        while let Some(value) = authorizations.next() {
            if authorizations.peek().is_some() {
                return Err(TokenFlaw::Twice);
            }
            if let Some(token) = bearer(value.as_bytes()) {
                found.add(token, *self == Self::Bearer);
            }
        }
        match self {
            Self::Bearer => {}
            Self::Header(name) => {
                head.headers.get_all(name).iter().for_each(|value| found.add(value.as_bytes(), true));
            }
            Self::Cookie(name) => each_cookie(head, |given, value| {
                if php::name(php::decode(given)) == name.as_bytes() {
                    found.add(value, given == name.as_bytes());
                }
            }),
        }
        // Section 2.3's way is never taken, but other readers take it.
        head.target
            .parameters()
            .filter(|(name, _)| name.as_ref() == b"access_token")
            .for_each(|_| found.add(b"", false));
        found.sole()
    }
}

impl Place {
    /// The field that carries the token, and what is left of it without.
    pub fn without(&self, headers: &HeaderMap) -> (HeaderName, Vec<HeaderValue>) {
        match self {
            Self::Bearer => (AUTHORIZATION, Vec::new()),
            Self::Header(name) => (name.clone(), Vec::new()),
            Self::Cookie(name) => {
                let is_other = |pair: &&[u8]| {
                    let given = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
                    given.trim_ascii() != name.as_bytes()
                };
                let fields = headers.get_all(COOKIE).iter().filter_map(|value| {
                    let pairs: Vec<_> = value.as_bytes().split(|byte| *byte == b';').filter(is_other).collect();
                    let rest = pairs.join(b";".as_slice());
                    HeaderValue::from_bytes(rest.trim_ascii()).ok().filter(|rest| !rest.is_empty())
                });
                (COOKIE, fields.collect())
            }
        }
    }
}

#[derive(Default)]
struct Found<'h> {
    token: Option<&'h [u8]>,
    count: usize,
}

impl<'h> Found<'h> {
    fn add(&mut self, token: &'h [u8], in_its_place: bool) {
        self.count += 1;
        if in_its_place {
            self.token = Some(token);
        }
    }

    fn sole(self) -> Result<&'h str, TokenFlaw> {
        match (self.token, self.count) {
            (_, 2..) => Err(TokenFlaw::Twice),
            (Some(token), _) => str::from_utf8(token).map_err(|_| TokenFlaw::Malformed),
            (None, _) => Err(TokenFlaw::Missing),
        }
    }
}

/// What comes after `Bearer`: any case, and blanks as RFC 9110 section 11.4 has them. Other schemes carry no token.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer";
    let (scheme, rest) = value.split_at_checked(SCHEME.len())?;
    let start = rest.iter().position(|byte| *byte != b' ').unwrap_or(rest.len());
    let named = scheme.eq_ignore_ascii_case(SCHEME) && (start > 0 || rest.is_empty());
    named.then(|| rest.get(start..).unwrap_or_default())
}

/// HTTP/2 splits cookies over several fields.
fn each_cookie<'h>(head: &'h Head, mut look: impl FnMut(&'h [u8], &'h [u8])) {
    for value in head.headers.get_all(COOKIE) {
        for pair in value.as_bytes().split(|byte| *byte == b';') {
            let pair = pair.trim_ascii();
            let end = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            look(pair.get(..end).unwrap_or_default(), pair.get(end + 1..).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Target;
    use http::Method;

    fn find(place: &Place, target: &str, fields: &[(&str, &str)]) -> Result<String, TokenFlaw> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let target = Target::parse(target).unwrap();
        let head = Head { method: Method::GET, target, host: String::new(), headers, client: [127, 0, 0, 1].into() };
        place.find(&head).map(str::to_owned)
    }

    #[test]
    fn takes_the_token_from_its_place() {
        let cookie = Place::Cookie("session".into());
        let header = Place::Header(HeaderName::from_static("x-token"));
        for scheme in ["Bearer", "bearer", "BEARER"] {
            assert_eq!(find(&Place::Bearer, "/", &[("authorization", &format!("{scheme} a.b.c"))]), Ok("a.b.c".into()));
        }
        assert_eq!(find(&header, "/", &[("x-token", "a.b.c")]), Ok("a.b.c".into()));
        assert_eq!(find(&cookie, "/", &[("cookie", "a=1; session=a.b.c;b")]), Ok("a.b.c".into()));
        assert_eq!(find(&cookie, "/", &[("cookie", "a=1"), ("cookie", "session=a.b.c")]), Ok("a.b.c".into()));
    }

    #[test]
    fn what_goes_on_is_without_the_token_and_otherwise_as_it_came() {
        let mut headers = HeaderMap::new();
        for cookie in ["a=1; session=a.b.c; b=session", "session=a.b.c", "sessions=1"] {
            headers.append(COOKIE, cookie.parse().unwrap());
        }
        let (name, rest) = Place::Cookie("session".into()).without(&headers);
        assert_eq!((name, rest), (COOKIE, vec!["a=1; b=session".parse().unwrap(), "sessions=1".parse().unwrap()]));
        assert_eq!(Place::Bearer.without(&headers), (AUTHORIZATION, Vec::new()));
    }

    #[test]
    fn takes_it_from_nowhere_else() {
        let missing = Err(TokenFlaw::Missing);
        assert_eq!(find(&Place::Bearer, "/", &[]), missing);
        assert_eq!(find(&Place::Bearer, "/?access_token=a.b.c", &[]), missing);
        assert_eq!(find(&Place::Bearer, "/", &[("authorization", "Basic YTpi")]), missing);
        assert_eq!(find(&Place::Bearer, "/", &[("authorization", "Bearera.b.c")]), missing);
        assert_eq!(find(&Place::Bearer, "/", &[("x-token", "a.b.c"), ("cookie", "session=a.b.c")]), missing);
        assert_eq!(find(&Place::Cookie("session".into()), "/", &[("authorization", "Bearer a.b.c")]), missing);
        assert_eq!(find(&Place::Cookie("session".into()), "/", &[("cookie", "Session=a.b.c")]), missing);
    }

    #[test]
    fn two_tokens_are_none_wherever_they_are() {
        let twice = Err(TokenFlaw::Twice);
        let shown = ("authorization", "Bearer a.b.c");
        assert_eq!(find(&Place::Bearer, "/", &[shown, shown]), twice);
        assert_eq!(find(&Place::Bearer, "/", &[shown, ("authorization", "Basic YTpi")]), twice);
        assert_eq!(find(&Place::Bearer, "/?access%5Ftoken=x", &[shown]), twice);
        let header = Place::Header(HeaderName::from_static("x-token"));
        assert_eq!(find(&header, "/", &[("x-token", "a.b.c"), ("x-token", "a.b.c")]), twice);
        assert_eq!(find(&header, "/", &[("x-token", "a.b.c"), shown]), twice);
        let cookie = Place::Cookie("se_s".into());
        for other in ["se_s=x", "se.s=x", "se%5Fs=x", "se[s=x"] {
            assert_eq!(find(&cookie, "/", &[("cookie", &format!("se_s=a.b.c; {other}"))]), twice, "{other}");
        }
    }
}
