//! The senders whose signature no list of parts can describe. A closed list: an entry of the catalogue names one of
//! these, and says everything else as any entry does. What they read is not believed yet, and no key is known here:
//! they say what was signed, and [`Scheme`](super::Scheme) asks whether it was.

mod adyen;
mod contentful;
mod graph;
mod paddle;
mod plivo;
mod sns;

use super::{Config, Coverage};
use crate::{request::Head, verdict::Rejection};

/// How one of them composes what it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    AdyenPayments,
    AwsSns,
    Contentful,
    MicrosoftGraph,
    PaddleClassic,
    PlivoV3,
}

/// Something that was signed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// Its own signature as it is written, where each has one; else it is the one that the entry tells the place of.
    pub(super) claimed: Option<String>,
    /// Before the body.
    pub(super) text: Vec<u8>,
    /// The body follows, every byte of it.
    pub(super) body: bool,
    /// It says itself that it was made with RSA and SHA-1.
    pub(super) sha1: bool,
}

/// A request, as far as these look at it.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) head: &'a Head,
    pub(super) raw: &'a [u8],
    /// Scheme and authority as the sender knows them, where it signs them.
    pub(super) base: Option<&'a str>,
    /// What the policy says of its account.
    pub(super) config: &'a Config,
}

impl Odd {
    /// As entries name them.
    pub(super) const WORDS: [(&'static str, Self); 6] = [
        ("adyen-payments", Self::AdyenPayments),
        ("aws-sns", Self::AwsSns),
        ("contentful", Self::Contentful),
        ("microsoft-graph", Self::MicrosoftGraph),
        ("paddle-classic", Self::PaddleClassic),
        ("plivo-v3", Self::PlivoV3),
    ];

    pub(super) const fn coverage(self) -> Coverage {
        match self {
            Self::AdyenPayments | Self::AwsSns => Coverage { body: false, id: true, time: false },
            Self::Contentful => Coverage { body: true, id: false, time: true },
            Self::MicrosoftGraph => Coverage { body: false, id: false, time: false },
            Self::PaddleClassic => Coverage { body: true, id: false, time: false },
            Self::PlivoV3 => Coverage { body: true, id: true, time: false },
        }
    }

    pub(super) const fn signs_url(self) -> bool {
        matches!(self, Self::PlivoV3)
    }

    pub(super) const fn signs_forms(self) -> bool {
        matches!(self, Self::PlivoV3 | Self::PaddleClassic)
    }

    /// In the field's words.
    pub(super) const fn describe(self) -> &'static str {
        match self {
            Self::AdyenPayments => "eight fields of every item",
            Self::AwsSns => "message, subject, topic, id, time and type",
            Self::Contentful => "method, path, the headers that it lists, and body",
            Self::MicrosoftGraph => "every item",
            Self::PaddleClassic => "the sorted form, as PHP serialises it",
            Self::PlivoV3 => "url with sorted query, form and nonce",
        }
    }

    /// All that has to be signed. Never nothing.
    ///
    /// # Errors
    /// It is not there, or could be read in two ways.
    pub(super) fn statements(self, seen: Seen<'_>) -> Result<Vec<Statement>, Rejection> {
        match self {
            Self::AdyenPayments => adyen::statements(seen.raw),
            Self::AwsSns => sns::statement(seen).map(|one| vec![one]),
            Self::Contentful => contentful::statement(seen.head).map(|one| vec![one]),
            Self::MicrosoftGraph => graph::statements(seen.raw),
            Self::PaddleClassic => paddle::statement(seen).map(|one| vec![one]),
            Self::PlivoV3 => plivo::statement(seen).map(|one| vec![one]),
        }
    }

    /// What names the event, of what is signed, where that is no header.
    ///
    /// # Errors
    /// As [`Self::statements`].
    pub(super) fn id(self, raw: &[u8]) -> Result<Option<String>, Rejection> {
        match self {
            Self::AdyenPayments => adyen::id(raw).map(Some),
            Self::AwsSns => sns::id(raw).map(Some),
            Self::Contentful | Self::MicrosoftGraph | Self::PaddleClassic | Self::PlivoV3 => Ok(None),
        }
    }

    /// What the policy has to say of its account.
    pub(super) const fn config(self) -> Option<&'static str> {
        match self {
            Self::AwsSns => Some(sns::TOPICS),
            Self::AdyenPayments | Self::Contentful | Self::MicrosoftGraph | Self::PaddleClassic | Self::PlivoV3 => None,
        }
    }

    /// What is wrong with what a policy says there.
    pub(super) fn config_mistake(self, config: &Config) -> Option<(&'static str, String)> {
        match self {
            Self::AwsSns => Some((sns::TOPICS, sns::topics_mistake(config.get(sns::TOPICS)?)?)),
            Self::AdyenPayments | Self::Contentful | Self::MicrosoftGraph | Self::PaddleClassic | Self::PlivoV3 => None,
        }
    }

    /// What tests say there.
    pub(super) const fn config_example(self) -> Option<&'static str> {
        match self {
            Self::AwsSns => Some(sns::TOPIC),
            Self::AdyenPayments | Self::Contentful | Self::MicrosoftGraph | Self::PaddleClassic | Self::PlivoV3 => None,
        }
    }

    /// Headers that its sender adds beside time, id and signature.
    pub(super) const fn fields(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Contentful => {
                &[(contentful::SIGNED, "content-type,x-contentful-signed-headers,x-contentful-timestamp")]
            }
            Self::AdyenPayments | Self::AwsSns | Self::MicrosoftGraph | Self::PaddleClassic | Self::PlivoV3 => &[],
        }
    }

    /// A body of this sender's kind, where the given one is none.
    pub(super) fn body(self, given: &[u8], id: &str, config: &Config) -> Option<Vec<u8>> {
        match self {
            Self::AdyenPayments => adyen::body(given, id),
            Self::AwsSns => sns::body(given, id, config),
            Self::MicrosoftGraph => graph::body(given, id),
            Self::Contentful | Self::PaddleClassic | Self::PlivoV3 => None,
        }
    }
}

/// More items only make us compare more; no sender is known to send as many.
const ITEMS_MAX: usize = 1000;
