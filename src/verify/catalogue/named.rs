//! What can be named in an entry: headers, parameters, fields, members, what a policy says. One rule for each, wherever it is
//! named.

use super::Mistakes;
use crate::{
    json::{language::nearest, pointer_mistake},
    request::target::php,
};
use http::HeaderName;
use serde_saphyr::Spanned;

/// Fields of one connection (RFC 9110 section 7.6.1), and those that frame a message: whoever passes a request on takes them
/// off, or writes them anew, so that nothing which a sender wrote there arrives.
const OF_THE_CONNECTION: [&str; 10] = [
    "connection",
    "content-length",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// The longest of any vendor's is half of it.
const HEADER_BYTES_MAX: usize = 96;
/// As of every name in a policy.
const CONFIG_BYTES_MAX: usize = 64;

/// Whether a field belongs to one connection, or frames a message.
pub(in crate::verify) fn is_of_the_connection(name: &str) -> bool {
    OF_THE_CONNECTION.contains(&name)
}

impl Mistakes {
    fn is_unnamed<T>(&mut self, place: &Spanned<T>, name: &str, example: &str) -> bool {
        let is_unnamed = name.trim().is_empty();
        if is_unnamed {
            self.at(place, format!("there is no name behind the `:`; write it, as in `{example}`"));
        }
        is_unnamed
    }

    /// A header that arrives as its sender wrote it, in lower case.
    pub(in crate::verify) fn header_name<T>(&mut self, place: &Spanned<T>, name: &str) -> Option<String> {
        if self.is_unnamed(place, name, "header:X-Signature") {
            return None;
        }
        let Ok(parsed) = name.parse::<HeaderName>() else {
            let message =
                format!("`{name}` is no name of a header; write letters, digits and `-`, as in `header:X-Signature`");
            self.at(place, message);
            return None;
        };
        let parsed = parsed.as_str().to_owned();
        if is_of_the_connection(&parsed) {
            let message = format!(
                "`{name}` belongs to one connection, and every proxy writes it anew; name a header that arrives as it was sent"
            );
            self.at(place, message);
            return None;
        }
        if parsed.len() > HEADER_BYTES_MAX {
            let message =
                format!("no sender's header has a name of {} bytes; {HEADER_BYTES_MAX} at most", parsed.len());
            self.at(place, message);
            return None;
        }
        Some(parsed)
    }

    /// `header:NAME`, in lower case.
    pub(in crate::verify) fn header(&mut self, written: &Spanned<String>) -> Option<String> {
        match written.value.strip_prefix("header:") {
            Some(name) => self.header_name(written, name),
            None => self.no_place(written, &["header:NAME"]),
        }
    }

    /// A member of the body that has a name, and all above it.
    pub(in crate::verify) fn pointer<T>(&mut self, place: &Spanned<T>, pointer: &str) -> Option<String> {
        if self.is_unnamed(place, pointer, "json:/id") {
            return None;
        }
        match pointer_mistake(pointer) {
            None => Some(pointer.to_owned()),
            Some(why) => {
                self.at(place, why);
                None
            }
        }
    }

    /// A parameter of the query, as PHP reads its name and targets show it: `data.id` is `data_id`.
    pub(in crate::verify) fn parameter<T>(&mut self, place: &Spanned<T>, name: &str) -> Option<String> {
        if self.is_unnamed(place, name, "query:token") {
            return None;
        }
        if name.trim() != name || name.contains(['&', '=', '#', '?']) {
            let message = format!("`{name}` is no name of a parameter; write it alone, as in `query:token`");
            self.at(place, message);
            return None;
        }
        let (name, _) = php::parameter(name.as_bytes());
        Some(String::from_utf8_lossy(&name).into_owned())
    }

    /// A field of a form.
    pub(in crate::verify) fn field<T>(&mut self, place: &Spanned<T>, name: &str) -> Option<String> {
        if self.is_unnamed(place, name, "form:id") {
            return None;
        }
        if name.trim() != name {
            self.at(place, format!("`{name}` is no name of a field; write it alone, as in `form:id`"));
            return None;
        }
        Some(name.to_owned())
    }

    /// What a policy says under `sender.config`.
    pub(in crate::verify) fn config_name<T>(&mut self, place: &Spanned<T>, name: &str) -> Option<String> {
        if self.is_unnamed(place, name, "config:account") {
            return None;
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
        if name.len() > CONFIG_BYTES_MAX || !name.bytes().all(plain) {
            let message = format!(
                "`{name}` is no name that a policy could write under `sender.config`; write letters, digits, `_` and `-`, as in \
                 `config:account`"
            );
            self.at(place, message);
            return None;
        }
        Some(name.to_owned())
    }

    /// This is none of these places. What was meant is told where it can be.
    pub(in crate::verify) fn no_place<T>(&mut self, written: &Spanned<String>, kinds: &[&str]) -> Option<T> {
        let value = &written.value;
        let has = |kind: &str| kinds.iter().any(|known| known.starts_with(kind));
        let meant = match value.split_once(':') {
            Some((kind, name)) => {
                let known = kinds.iter().filter_map(|known| known.split(':').next());
                let near = nearest(&kind.to_ascii_lowercase(), known).filter(|near| *near != kind);
                near.map(|near| format!("{near}:{}", name.trim_start()))
            }
            None if pointer_mistake(value).is_none() && has("json:") => Some(format!("json:{value}")),
            None if value.parse::<HeaderName>().is_ok() && has("header:") => {
                let is_header = value.contains('-') || !has("json:");
                Some(if is_header { format!("header:{value}") } else { format!("json:/{value}") })
            }
            None => None,
        };
        let way_out = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if kinds == ["header:NAME"] => "write `header:NAME`, as in `header:X-Signature`".to_owned(),
            None if kinds.len() == 1 => format!("write `{}`", kinds.concat()),
            None => {
                let kinds: Vec<_> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
                format!("write one of {}", kinds.join(", "))
            }
        };
        self.at(written, format!("cannot read `{value}`; {way_out}"));
        None
    }
}
