//! From an entry's text to whom is asked: a URL with one place for the id, and a field for the key.

use super::Confirm;
use crate::verify::{
    catalogue::{Mistakes, has_no_body, is_of_the_connection, text::ConfirmText, url_mistake},
    scheme::Refers,
};
use http::HeaderName;
use serde_saphyr::Spanned;

impl Confirm {
    /// `None` only where a mistake was told.
    pub(in crate::verify) fn compile(text: &ConfirmText, wrong: &mut Mistakes) -> Option<Self> {
        let private = match text.private.as_ref() {
            Some(word) => wrong.word(word, "word", &[("allow", true)]).unwrap_or_default(),
            None => false,
        };
        let key = text.header.as_ref().and_then(|written| key(written, wrong));
        let same = text.same.as_ref().and_then(|pointer| wrong.pointer(pointer, &pointer.value));
        if let Some(written) = text.status.as_ref().filter(|written| has_no_body(written.value) && same.is_some()) {
            let message = format!(
                "an answer with {} has no body that `same` could be in; write 200, or leave it out",
                written.value
            );
            wrong.at(written, message);
        }
        let parted = parted(&text.url.value).map_err(str::to_owned).and_then(|parted| {
            let whole = format!("{}x{}", parted.before_with_site(), parted.after);
            url_mistake(&whole, private).map_or(Ok(parted), Err)
        });
        let Parted { tls, authority, before, after } = match parted {
            Ok(parted) => parted,
            Err(why) => {
                wrong.at(&text.url, why);
                return None;
            }
        };
        if !tls && !private {
            wrong.at(&text.url, "a key would cross the network for everybody to read; write `https://`");
        }
        let uri = authority.parse::<http::uri::Authority>().ok()?;
        Some(Self {
            host: uri.host().trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(if tls { 443 } else { 80 }),
            tls,
            private,
            authority,
            path: (before, after),
            key,
            status: text.status.as_ref().map_or(200, |written| written.value),
            same,
        })
    }
}

/// Both of an entry: where nothing is signed, what is asked about has to be told from what is not.
pub(in crate::verify) fn go_together(refers: Option<&Refers>, text: Option<&ConfirmText>, wrong: &mut Mistakes) {
    if let (None, Some(text)) = (refers, text) {
        wrong.at(&text.url, "what is asked about? write `refers: { at: form:id, like: ... }`");
    }
}

/// A URL around the id.
#[derive(Debug)]
struct Parted {
    tls: bool,
    authority: String,
    /// Of the path.
    before: String,
    /// Of path and query.
    after: String,
}

impl Parted {
    fn before_with_site(&self) -> String {
        format!("{}://{}{}", if self.tls { "https" } else { "http" }, self.authority, self.before)
    }
}

const TEMPLATE: &str = "write scheme, host and path with one `{id}` as a part of its own, as in \
                        `https://api.vendor.example/v2/payments/{id}`";

const IN_SMALL_LETTERS: &str = "the place of the id is written `{id}`, in small letters";

/// # Errors
/// Why it is no such URL.
fn parted(url: &str) -> Result<Parted, &'static str> {
    let small = if url.to_ascii_lowercase().contains("{id}") { IN_SMALL_LETTERS } else { TEMPLATE };
    let (before, after) = url.split_once("{id}").ok_or(small)?;
    if before.contains(['{', '}']) || after.contains(['{', '}']) {
        return Err("there is one `{id}`, and no other place that is filled in; write the rest as it is");
    }
    let (scheme, rest) = before.split_once("://").ok_or(TEMPLATE)?;
    let (authority, path) =
        rest.split_once('/').ok_or("the id is a part of the path, and no host; write `{id}` behind it")?;
    let tls = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return Err(TEMPLATE),
    };
    let alone = (path.is_empty() || path.ends_with('/')) && !path.contains(['?', '#', '%']);
    if !alone || !(after.is_empty() || after.starts_with(['/', '?', '#'])) {
        return Err(TEMPLATE);
    }
    let (authority, before, after) = (authority.to_owned(), format!("/{path}"), after.to_owned());
    Ok(Parted { tls, authority, before, after })
}

/// Fields that the gate writes itself, and those that say how the rest is to be read.
const OWN: [&str; 7] =
    ["accept", "accept-encoding", "content-encoding", "content-type", "expect", "host", "user-agent"];

/// The field, and what stands around the key.
fn key(written: &Spanned<String>, wrong: &mut Mistakes) -> Option<(HeaderName, String, String)> {
    let parted = written.value.split_once(": ").and_then(|(name, value)| {
        let (before, after) = value.split_once("{key}")?;
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') && !text.contains(['{', '}']);
        let name = name.parse::<HeaderName>().ok().filter(|_| plain(before) && plain(after))?;
        Some((name, before.to_owned(), after.to_owned()))
    });
    let Some(parted) = parted else {
        let message = "write `NAME: VALUE` with one `{key}` in the value, as in `Authorization: Bearer {key}`";
        wrong.at(written, message);
        return None;
    };
    let name = parted.0.as_str();
    if is_of_the_connection(name) || OWN.contains(&name) {
        let message = format!(
            "the gate writes `{name}` itself, and no key belongs there; write something such as `Authorization: Bearer {{key}}`"
        );
        wrong.at(written, message);
    }
    Some(parted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of an entry that asks so.
    fn told(confirm: &str) -> String {
        let mut wrong = Mistakes(Vec::new());
        Confirm::compile(&serde_saphyr::from_str(confirm).unwrap(), &mut wrong);
        wrong.0.into_iter().map(|mistake| mistake.message).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_template_has_one_place_for_the_id() {
        for (bad, why) in [
            ("https://api.example/v2/payments/", "with one `{id}`"),
            ("https://api.example/{id}/{id}", "one `{id}`, and no other"),
            ("https://api.example/v2/{ID}", "in small letters"),
            ("https://api.example/{account}/{id}", "one `{id}`, and no other"),
            ("https://api.example/v2?id={id}", "with one `{id}`"),
            ("https://api.example/v2/p-{id}", "with one `{id}`"),
            ("https://api.example/v2/{id}x", "with one `{id}`"),
            ("https://{id}/v2", "no host"),
            ("https://{id}.api.example/v2", "no host"),
            ("https://a@api.example/{id}", "a user"),
            ("https://api.example/{id}#a", "a fragment"),
            ("https://api.example/../{id}", "`..`"),
            ("https://api.example/{id}/../x", "`..`"),
            ("https://api.example:0/{id}", "the port"),
            ("https://localhost/{id}", "no host of the internet"),
            ("https://169.254.169.254/{id}", "no host of the internet"),
            ("https://[::1]/{id}", "no host of the internet"),
            ("http://api.example/{id}", "https://"),
            ("ftp://api.example/{id}", "with one `{id}`"),
            ("/v2/{id}", "with one `{id}`"),
        ] {
            let told = told(&format!("{{ url: '{bad}' }}"));
            assert!(told.contains(why), "{bad}: {told}");
        }
        assert_eq!(told("{ url: 'http://127.0.0.1:8080/{id}/state', private: allow }"), "");
        assert_eq!(told("{ url: 'https://api.example/{id}?embed=x' }"), "");
    }

    #[test]
    fn a_key_goes_where_the_vendor_reads_it_and_nothing_else_is_read() {
        for name in ["Host", "Content-Length", "transfer-encoding", "Connection", "TE", "User-Agent", "Accept"] {
            let told = told(&format!("{{ url: 'https://api.example/{{id}}', header: '{name}: {{key}}' }}"));
            assert!(told.contains("the gate writes"), "{name}: {told}");
        }
        for bad in ["Authorization", "Authorization: Bearer", ": {key}", "A B: {key}", "A: {key}{key}", "A: {KEY}"] {
            let told = told(&format!("{{ url: 'https://api.example/{{id}}', header: '{bad}' }}"));
            assert!(told.contains("with one `{key}`"), "{bad}: {told}");
        }
        let told = told("{ url: 'https://api.example/{id}', status: 204, same: /id }");
        assert!(told.contains("has no body"), "{told}");
    }
}
