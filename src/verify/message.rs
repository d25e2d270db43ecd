//! HTTP Message Signatures (RFC 9421): which parts of a request were signed, and by which of its signatures.
//!
//! Structured fields are read by `sfv`, and written again: what is not what they would be written as has two readings, and is
//! refused. Every signature has one label, every label one signature, and no component comes twice.

mod component;
mod digest;

pub(super) use digest::{content_digest, is_of};

use super::jwt::Algorithm;
use crate::{clock::Timestamp, request::Head, verdict::Rejection};
use component::Component;
use sfv::{BareItem, Dictionary, InnerList, ListEntry, Parser, SerializeValue as _};

/// The algorithms of its registry, by the name that a policy writes, and as tokens call the same primitive.
pub(super) const ALGORITHMS: [(&str, Algorithm); 6] = [
    ("hmac-sha256", Algorithm::Hs256),
    ("ed25519", Algorithm::EdDsa),
    ("ecdsa-p256-sha256", Algorithm::Es256),
    ("ecdsa-p384-sha384", Algorithm::Es384),
    ("rsa-pss-sha512", Algorithm::Ps512),
    ("rsa-v1_5-sha256", Algorithm::Rs256),
];

pub(super) const INPUT: &str = "signature-input";
pub(super) const SIGNATURE: &str = "signature";
pub(super) const DIGEST: &str = "content-digest";

/// More labels only make us read more; a sender and two proxies make three.
const LABELS_MAX: usize = 16;
/// No request has as many parts worth signing.
const COMPONENTS_MAX: usize = 64;

/// Which of the request's signatures counts, as a policy says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted<'a> {
    pub(super) label: Option<&'a str>,
    pub(super) tag: Option<&'a str>,
    pub(super) key_id: Option<&'a str>,
}

/// The one signature that counts, and what it says that it covers.
#[derive(Debug)]
pub(super) struct Shown {
    covered: InnerList,
    pub(super) signature: Vec<u8>,
}

impl Shown {
    /// Finds it. Where there are several, the policy has to say which: were any of them good enough, whoever dropped one would
    /// have made another request of the same.
    pub(super) fn find(head: &Head, wanted: Wanted<'_>) -> Result<Self, Rejection> {
        let inputs = dictionary(head, INPUT)?;
        let signatures = dictionary(head, SIGNATURE)?;
        let mut found = None;
        for (label, entry) in inputs {
            let ListEntry::InnerList(covered) = entry else { return Err(Rejection::SignatureMalformed) };
            let is = |name: &str, wanted: Option<&str>| {
                let said = covered.params.get(name).and_then(BareItem::as_str);
                wanted.is_none_or(|wanted| said == Some(wanted))
            };
            let counts = wanted.label.is_none_or(|wanted| wanted == label);
            if !counts || !is("tag", wanted.tag) || !is("keyid", wanted.key_id) {
                continue;
            }
            let signature = match signatures.get(&label) {
                Some(ListEntry::Item(item)) => item.bare_item.as_byte_seq().ok_or(Rejection::SignatureMalformed)?,
                Some(ListEntry::InnerList(_)) => return Err(Rejection::SignatureMalformed),
                None => return Err(Rejection::SignatureMissing),
            };
            if found.replace(Self { covered, signature: signature.clone() }).is_some() {
                return Err(Rejection::SignatureMalformed);
            }
        }
        found.ok_or(Rejection::SignatureMissing)
    }

    /// Whether it covers the digest of the content, in whichever way: else another content could stand beside it.
    pub(super) fn covers_digest(&self) -> Result<bool, Rejection> {
        Ok(bind_content(&self.components()?))
    }

    /// What is to be signed.
    pub(super) fn unsigned(head: &Head) -> Result<Self, Rejection> {
        let covered = dictionary(head, INPUT)?.into_iter().find_map(|(_, entry)| match entry {
            ListEntry::InnerList(covered) => Some(covered),
            ListEntry::Item(_) => None,
        });
        Ok(Self { covered: covered.ok_or(Rejection::SignatureMalformed)?, signature: Vec::new() })
    }

    /// What it covers.
    fn components(&self) -> Result<Vec<Component>, Rejection> {
        let components: Option<Vec<_>> = self.covered.items.iter().map(Component::read).collect();
        let components = components.ok_or(Rejection::SignatureMalformed)?;
        let twice = |(at, one): (usize, &Component)| components.iter().take(at).any(|other| other == one);
        if components.len() > COMPONENTS_MAX || components.iter().enumerate().any(twice) {
            return Err(Rejection::SignatureMalformed);
        }
        Ok(components)
    }

    /// Whether it covers all of these, each as it is written here.
    pub(super) fn covers(&self, wanted: &[Component]) -> Result<bool, Rejection> {
        let covered = self.components()?;
        Ok(wanted.iter().all(|wanted| covered.contains(wanted)))
    }

    /// Section 2.5: the text that was signed.
    pub(super) fn base(&self, head: &Head, site: Option<&str>) -> Result<String, Rejection> {
        let mut base = String::new();
        for component in self.components()? {
            base.push_str(&format!("{}: {}\n", component.written()?, component.value(head, site)?));
        }
        let list = vec![ListEntry::InnerList(self.covered.clone())];
        let parameters = list.serialize_value().map_err(|_| Rejection::SignatureMalformed)?;
        base.push_str(&format!("\"@signature-params\": {parameters}"));
        Ok(base)
    }

    /// A moment that it says.
    pub(super) fn time(&self, name: &str) -> Result<Option<Timestamp>, Rejection> {
        match self.covered.params.get(name) {
            None => Ok(None),
            Some(BareItem::Integer(seconds)) if *seconds >= 0 => Ok(Some(Timestamp::from_unix_s(*seconds))),
            Some(_) => Err(Rejection::SignatureMalformed),
        }
    }

    /// The algorithm that it says, if it says one.
    pub(super) fn algorithm(&self) -> Result<Option<&str>, Rejection> {
        match self.covered.params.get("alg") {
            None => Ok(None),
            Some(BareItem::String(name)) => Ok(Some(name)),
            Some(_) => Err(Rejection::SignatureMalformed),
        }
    }
}

/// The components that a policy names, as `Signature-Input` would: `"@method" "content-digest" "@query-param";name="a"`.
/// Quotation marks may be left out where there are no parameters.
///
/// # Errors
/// Why no request could cover these.
pub(super) fn components(written: &str) -> Result<Vec<Component>, String> {
    let bare = |word: &str| if word.starts_with('"') { word.to_owned() } else { format!("\"{word}\"") };
    let words: Vec<_> = written.split_ascii_whitespace().map(bare).collect();
    let unread =
        || "cannot read these; write what has to be signed, as in `'@method @target-uri content-digest'`".to_owned();
    let list = Parser::parse_list(format!("({})", words.join(" ")).as_bytes()).map_err(|_| unread())?;
    let [ListEntry::InnerList(list)] = list.as_slice() else { return Err(unread()) };
    if list.items.is_empty() || list.items.len() > COMPONENTS_MAX {
        return Err(unread());
    }
    let mut components: Vec<Component> = Vec::new();
    for item in &list.items {
        let component = Component::read(item).ok_or_else(|| component::why_none(item).unwrap_or_else(unread))?;
        if components.contains(&component) {
            return Err(format!(
                "`{}` stands here twice, and no signature covers a part twice; leave one out",
                component.name()
            ));
        }
        components.push(component);
    }
    Ok(components)
}

/// Why no signature could have such a label: it is a key of a dictionary (RFC 8941 section 3.1.2).
pub(super) fn label_mistake(label: &str) -> Option<String> {
    let first = |byte: u8| byte.is_ascii_lowercase() || byte == b'*';
    let more = |byte: u8| first(byte) || byte.is_ascii_digit() || b"_-.".contains(&byte);
    let good = label.bytes().next().is_some_and(first) && label.bytes().all(more);
    (!good).then(|| format!("no signature can have the label `{label}`; write small letters, digits, `_`, `-`, `.` and `*`, as in `sig1`"))
}

/// Why no signature could say this: it is a text (RFC 8941 section 3.3.3).
pub(super) fn text_mistake(text: &str) -> Option<String> {
    let good = !text.trim().is_empty() && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    (!good).then(|| format!("no signature can say `{text}`; write letters of ASCII, or leave it out"))
}

/// Whether the digest of the content is among them.
pub(super) fn bind_content(components: &[Component]) -> bool {
    components.iter().any(Component::is_digest)
}

/// One field of this name, which is a dictionary that would be written as it came, but for blanks. So no name comes twice, and
/// no base64 has two spellings.
fn dictionary(head: &Head, name: &str) -> Result<Dictionary, Rejection> {
    let value = head.sole(name).ok_or(Rejection::SignatureMissing)?;
    let read = Parser::parse_dictionary(value.as_bytes()).map_err(|_| Rejection::SignatureMalformed)?;
    let written = read.serialize_value().map_err(|_| Rejection::SignatureMalformed)?;
    let bare = |text: &str| text.chars().filter(|letter| !matches!(letter, ' ' | '\t')).collect::<String>();
    if bare(&written) != bare(value) || read.is_empty() || read.len() > LABELS_MAX {
        return Err(Rejection::SignatureMalformed);
    }
    Ok(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What no signature can say would be looked for in vain: every request would be refused.
    #[test]
    fn a_label_and_a_text_are_such_as_a_signature_can_have() {
        for good in ["sig1", "*", "a_-.*9"] {
            assert_eq!(label_mistake(good), None, "{good}");
        }
        for bad in ["", "1sig", "-a", "_a", ".a", "Sig", "aB", "a b", "a;b", "\u{e9}"] {
            assert!(label_mistake(bad).is_some(), "{bad}");
        }
        for good in ["app", "an app", "~!\"\\"] {
            assert_eq!(text_mistake(good), None, "{good}");
        }
        for bad in ["", " ", "a\tb", "a\u{7f}", "\u{e9}"] {
            assert!(text_mistake(bad).is_some(), "{bad:?}");
        }
    }
}
