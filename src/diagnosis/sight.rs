//! What needs no key to be seen: headers that are gone, a body that is cut, a token or a certificate that cannot be right.

use super::{
    Cause, Examination, Found,
    cause::{Area, By, Code},
    entry::Entry,
};
use crate::{
    admit, json,
    request::{Head, Unverified},
    verdict::Rejection,
    verify::{Config, holds},
};
use http::header::CONTENT_ENCODING;

impl Examination<'_> {
    pub(super) fn by_sight(&self, entry: &Entry, rejection: Rejection) -> Found {
        let Unverified { head, raw } = self.patient.request;
        let mut seen = Vec::new();
        let (there, missing): (Vec<_>, Vec<_>) =
            entry.headers().into_iter().partition(|name| head.headers.contains_key(name.as_str()));
        if !there.is_empty() && !missing.is_empty() {
            let listed = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let are = if missing.len() == 1 { "is" } else { "are" };
            let what = format!("{} {are} missing, while {} came", listed(&missing), listed(&there));
            let mend = "let every header of the signature through: something on the way has a list of those that may pass, or a limit of their length";
            seen.push(Cause::new(Code::HeaderMissing, Area::Header, By::Proxy, what, mend));
        }
        seen.extend(cut(head, raw));
        seen.extend(decompressed(head, raw));
        seen.extend(self.other_certificate(entry, rejection));
        seen.extend(self.other_topic(entry));
        seen.extend(self.token_by_sight(entry));
        if entry.is_message() {
            seen.extend(self.message_by_sight());
        }
        seen.extend(self.itemless(entry));
        seen.extend(self.timeless(entry));
        match seen.len() {
            // It was never signed, or something has dropped all of it: nothing tells the two apart.
            0 if rejection == Rejection::SignatureMissing && there.is_empty() => Found::Unsigned,
            0 => Found::Unknown,
            _ => Found::Seen(seen),
        }
    }

    /// The header has items, and none is called as the signature is.
    fn itemless(&self, entry: &Entry) -> Option<Cause> {
        let (wanted, separator) = (entry.item()?, entry.item_separator()?);
        let header = self.patient.webhook.provider().scheme.signature_header()?;
        let value = self.patient.request.head.sole(header)?;
        let names: Vec<_> =
            value.split(separator).filter_map(|item| item.split_once('=')).map(|(name, _)| name.trim()).collect();
        if names.contains(&wanted) || wanted.contains(':') {
            return None;
        }
        let is_name = |name: &&&str| {
            (1..=NAME_OF_ITEM_MAX).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let told: Vec<_> = names.iter().filter(is_name).map(|name| format!("`{name}`")).collect();
        let there = if told.is_empty() { "none that could be read".to_owned() } else { told.join(", ") };
        let what = format!("`{header}` has no item `{wanted}`; there is {there}");
        let mend =
            "let the sender write it under that name; is it another version of its signature, or another sender?";
        Some(Cause::new(Code::ItemMissing, Area::Header, By::Sender, what, mend))
    }

    /// The signed time stands beside the signature, or in the body, and is not there.
    fn timeless(&self, entry: &Entry) -> Option<Cause> {
        let Unverified { head, raw } = self.patient.request;
        let place = entry.time_place();
        let (is_there, name) = if let Some(item) = place.strip_prefix("kv:") {
            let value = head.sole(self.patient.webhook.provider().scheme.signature_header()?)?;
            let mut items = value.split([',', ';', '&', ' ']).filter_map(|item| item.split_once('='));
            (items.any(|(name, _)| name.trim() == item), item)
        } else {
            let pointer = place.strip_prefix("json:")?;
            (json::read(raw).ok()?.find(pointer).is_some(), pointer)
        };
        let what = format!("`{name}` is not there, which is when it was signed");
        let mend = "let the sender's code put it in, as the sender's documentation has it; or something on the way takes it out";
        (!is_there).then(|| Cause::new(Code::TimeMissing, Area::Clock, By::Sender, what, mend))
    }

    /// The request names a certificate that its sender's entry does not pin.
    fn other_certificate(&self, entry: &Entry, rejection: Rejection) -> Option<Cause> {
        let provider = self.patient.webhook.provider();
        if !provider.scheme.is_certified() || rejection != Rejection::SignatureMalformed {
            return None;
        }
        let unpinned = entry.with(|scheme| drop(scheme.remove("certificate")))?;
        let (request, url) = (self.patient.request, self.patient.public_url());
        let again = holds(&unpinned, &self.keys, request, url, self.patient.webhook.config());
        if again == Err(Rejection::SignatureMalformed) {
            return None;
        }
        let urls: Vec<_> = entry.certificate_urls().iter().map(|url| format!("`{url}`")).collect();
        let what = format!(
            "the request names a certificate by a URL that is none of this sender's, which are {}",
            urls.join(" and ")
        );
        let mend = "is it this sender? Anybody can sign with a certificate of their own. If the vendor has a new place for its certificates, write it into a sender of your own";
        Some(Cause::new(Code::CertificateOther, Area::Scheme, By::Sender, what, mend))
    }

    /// Anybody can have a topic, and Amazon signs for it too.
    fn other_topic(&self, entry: &Entry) -> Option<Cause> {
        let topics = self.patient.webhook.config().get(TOPICS).filter(|_| entry.odd() == "aws-sns")?;
        let document = json::read(&self.patient.request.raw).ok()?;
        let topic = document.find("/TopicArn")?.text()?;
        if topics.split_ascii_whitespace().any(|known| known == topic) {
            return None;
        }
        // It stands in the body, and what could not be in a policy is not printed.
        let scheme = &self.patient.webhook.provider().scheme;
        let said = Config::from([(TOPICS.to_owned(), topic.to_owned())]);
        let is_topic = !topic.contains(char::is_whitespace) && scheme.config_mistakes(&said).is_empty();
        let topic = if is_topic { format!("the topic `{topic}`") } else { "a topic that is no ARN".to_owned() };
        let what = format!("it is of {topic}, which is none of the policy's ({TOPICS})");
        let mend = format!(
            "if the topic is yours, write it into `config: {{ {TOPICS}: ... }}` of the route, with a blank between two; else end its subscription"
        );
        Some(Cause::new(Code::AccountOther, Area::Scheme, By::Operator, what, mend))
    }
}

/// Longer ones may be anything.
const NAME_OF_ITEM_MAX: usize = 16;

/// What a policy calls them.
const TOPICS: &str = "topic_arns";
/// The body is shorter than its head says.
pub(super) fn cut(head: &Head, raw: &[u8]) -> Option<Cause> {
    let declared = admit::declared(head).filter(|declared| *declared > raw.len() as u64)?;
    let what = format!("the body has {} bytes, and its head says {declared}", raw.len());
    let mend = "something on the way, or the recording, lost the rest of it; what was signed cannot be guessed";
    Some(Cause::new(Code::BodyCut, Area::Body, By::Proxy, what, mend))
}

/// Something may have taken the compression off and left the word for it: the same bytes do not come of compressing it again.
fn decompressed(head: &Head, raw: &[u8]) -> Option<Cause> {
    let coding = uncoded(head, raw)?;
    let what = format!(
        "the head says `content-encoding: {coding}`, and the body is not compressed: if the sender signed it compressed, those bytes are gone"
    );
    let mend = "let the sender send it uncompressed: a guarded route takes no compressed body (`content_type`); or let whatever decompresses it take the header out as well";
    Some(Cause::new(Code::BodyDecompressed, Area::Body, By::Both, what, mend))
}

/// The coding that the head says of a body that has none.
pub(super) fn uncoded(head: &Head, raw: &[u8]) -> Option<String> {
    let coding = head.sole(CONTENT_ENCODING.as_str())?.trim().to_ascii_lowercase();
    let is_plain = raw.first().is_some_and(|first| first.is_ascii_graphic() || first.is_ascii_whitespace());
    if !matches!(coding.as_str(), "gzip" | "x-gzip" | "deflate" | "br" | "zstd") || !is_plain {
        return None;
    }
    Some(coding)
}
