//! What a validation call says, and what of it is fit to be sent back, signed or shown.

use super::find;
use crate::{
    json::{self, Node},
    request::Head,
};
use http::Uri;

/// Where a text of the call is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A parameter of the query, its name as PHP reads it.
    Query(String),
    /// A header field, in lower case.
    Header(String),
    /// A member of the JSON body.
    Json(String),
}

/// What a text may be that is sent back or signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Texts {
    pub(super) chars: Chars,
    pub(super) bytes_max: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chars {
    /// Plain text that no browser and no log would take for anything else.
    Line,
    /// Letters, digits, `-` and `_`, padded with `=` as base64 is; and no JSON, as digits alone would be. A body that
    /// is signed by itself must not be made of it.
    Word,
    /// Hexadecimal in lower case: a word that decodes to nothing where bodies are base64.
    Hex,
}

/// The longest text that is sent back or signed; vendors' are a tenth of it.
pub(super) const TEXT_BYTES_MAX: usize = 512;
/// The longest text that is signed for whoever asks. X's is the longest of those that are known, with some 60.
pub(super) const WORD_BYTES_MAX: usize = 128;
/// The longest URL that an operator is shown; those of SNS have some 350.
const URL_BYTES_MAX: usize = 2048;

/// What a call says.
pub(super) struct Call<'a> {
    pub(super) head: &'a Head,
    pub(super) document: Option<&'a Node>,
    pub(super) texts: Texts,
}

impl Call<'_> {
    /// A text that is fit to be sent back or signed.
    pub(super) fn text(&self, place: &Place) -> Option<String> {
        let text = match place {
            Place::Query(name) => parameter(self.head, name)?,
            Place::Header(name) => self.head.sole(name)?.to_owned(),
            Place::Json(pointer) => find(self.document, pointer)?.text()?.to_owned(),
        };
        self.texts.fit(&text).then_some(text)
    }

    /// A URL that an operator may be shown.
    pub(super) fn url(&self, pointer: &str, hosts: &[String]) -> Option<String> {
        let text = find(self.document, pointer)?.text()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=:,?&%@!$();*#".contains(&byte);
        if text.len() > URL_BYTES_MAX || !text.bytes().all(plain) {
            return None;
        }
        let url: Uri = text.parse().ok()?;
        let authority = url.authority()?;
        let host = authority.host();
        // Whoever reads it must see where it leads, and not `https://vendor.example@elsewhere`.
        let is_plain = url.scheme_str() == Some("https") && !authority.as_str().contains('@') && !host.is_empty();
        let below = |wanted: &String| match wanted.strip_prefix('.') {
            Some(_) => host.len() > wanted.len() && host.ends_with(wanted.as_str()),
            None => host == wanted,
        };
        (is_plain && (hosts.is_empty() || hosts.iter().any(below))).then(|| text.to_owned())
    }
}

impl Texts {
    /// Whether these bytes can be a part of a word. A scheme may sign more than the body, with nothing between: what a
    /// word begins or ends with is as forged as the whole of it.
    pub(super) fn is_part(self, raw: &[u8]) -> bool {
        let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_=".contains(byte);
        (1..=self.bytes_max).contains(&raw.len()) && raw.iter().all(letter)
    }

    fn fit(self, text: &str) -> bool {
        if !(1..=self.bytes_max).contains(&text.len()) {
            return false;
        }
        match self.chars {
            Chars::Line => {
                text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=:, ".contains(&byte))
                    && text.trim_ascii() == text
            }
            Chars::Hex => {
                let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                text.bytes().all(hex) && json::read(text.as_bytes()).is_err()
            }
            Chars::Word => {
                let letters = text.trim_end_matches('=');
                let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
                let padded = text.len() - letters.len() <= 2;
                padded && !letters.is_empty() && letters.bytes().all(word) && json::read(text.as_bytes()).is_err()
            }
        }
    }
}

/// The value of a parameter that stands in the query once.
pub(super) fn parameter(head: &Head, name: &str) -> Option<String> {
    let mut found = head.target.parameters().filter(|(found, _)| **found == *name.as_bytes());
    let (_, value) = found.next()?;
    found.next().is_none().then_some(())?;
    String::from_utf8(value.into_owned()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever asks hears it again, in a browser too, and a log shows it.
    #[test]
    fn a_line_is_plain_text() {
        let line = Texts { chars: Chars::Line, bytes_max: 16 };
        for fit in ["a", "a b", "-._~+/=:,", "0123456789abcdef"] {
            assert!(line.fit(fit), "{fit}");
        }
        for unfit in ["", " a", "a ", " ", "<b>", "a\"b", "a'b", "a&b", "a;b", "a%41", "a\n", "a\0", "\u{e9}"] {
            assert!(!line.fit(unfit), "{unfit:?}");
        }
        assert!(!line.fit("0123456789abcdefg"), "too long");
    }

    #[test]
    fn a_url_that_is_shown_leads_to_the_vendor() {
        let headers = http::HeaderMap::new();
        let (method, client) = (http::Method::POST, std::net::Ipv4Addr::LOCALHOST.into());
        let target = crate::request::Target::parse("/in").unwrap();
        let head = Head { method, target, host: String::new(), headers, client };
        let shown = |url: &str, hosts: &[&str]| {
            let document = json::read(serde_json::json!({ "url": url }).to_string().as_bytes()).unwrap();
            let texts = Texts { chars: Chars::Line, bytes_max: 1 };
            let call = Call { head: &head, document: Some(&document), texts };
            let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
            call.url("/url", &hosts).is_some()
        };
        for good in
            ["https://sns.vendor.example/a?b=c&d=%20", "https://a.b.vendor.example:443/", "https://other.example"]
        {
            assert!(shown(good, &[".vendor.example", "other.example"]), "{good}");
        }
        for bad in [
            "https://vendor.example/",
            "https://.vendor.example/",
            "https://evilvendor.example/",
            "https://a.vendor.example.evil.test/",
            "https://longer-than-that.evil.test/",
            "https://a.other.example/",
            "https://other.example@evil.test/",
            "https://a@other.example/",
            "http://other.example/",
            "ftp://other.example/",
            "//other.example/",
            "/in",
            "https://other.example/<b>",
            "https://other.example/\u{1b}[2J",
            "javascript:alert(1)",
            "",
        ] {
            assert!(!shown(bad, &[".vendor.example", "other.example"]), "{bad:?}");
        }
        let long = |bytes: usize| format!("https://a.example/{}", "a".repeat(bytes - 18));
        assert!(shown(&long(URL_BYTES_MAX), &[]) && !shown(&long(URL_BYTES_MAX + 1), &[]));
    }

    #[test]
    fn hexadecimal_is_written_small_and_is_no_document() {
        let hex = Texts { chars: Chars::Hex, bytes_max: 8 };
        assert!(hex.fit("0a") && hex.fit("abcdef"));
        for unfit in ["", "12", "1e5", "A", "g", "-", "a=", "abcdefabc"] {
            assert!(!hex.fit(unfit), "{unfit}");
        }
    }

    #[test]
    fn a_word_is_no_document() {
        let word = Texts { chars: Chars::Word, bytes_max: 8 };
        for fit in ["a", "a1-_", "-", "YQ==", "YWI=", "1e", "null_"] {
            assert!(word.fit(fit), "{fit}");
        }
        for unfit in ["", "1", "12345678", "-1", "1e5", "null", "true", "false", "=", "==", "a=b", "a===", "a.b", "a b"]
        {
            assert!(!word.fit(unfit), "{unfit}");
        }
        for unfit in ["{}", "\"a\"", "[1]", "a&b", "a/b", "a+b", "a\n", "\u{e9}", "abcdefghi"] {
            assert!(!word.fit(unfit), "{unfit}");
        }
    }
}
