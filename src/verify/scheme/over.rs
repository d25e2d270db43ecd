//! What a signature is over: a list of parts, what a token says, what the request lists, or what only code can compose.

use super::{BodyDigest, parts::Part, token::SenderToken};
use crate::verify::odd::Odd;

#[derive(Clone, Debug)]
pub(super) enum Over {
    /// One message, in this order.
    Parts(Composition),
    /// A token, in which the digests of the rest stand.
    Token(Box<SenderToken>),
    /// The components that the request lists, as RFC 9421 has it.
    Components,
    /// What is signed is no list of parts.
    Odd(Odd),
}

/// A message of parts, and how its sender writes them.
#[derive(Clone, Debug, Default)]
pub(super) struct Composition {
    pub(super) parts: Vec<Part>,
    /// Where the body is signed by its digest.
    pub(super) digest: Option<BodyDigest>,
    /// The form has the fields that are named here and no others, so that all of it is vouched for.
    pub(super) only_fields: bool,
    /// What was signed may have ended with a line break that was lost on the way.
    pub(super) lost_newline: bool,
    /// The sender signs its URL with a port, or without, whatever was configured there.
    pub(super) any_port: bool,
}

impl Over {
    /// The parts of the message, where it is a list of them.
    pub(super) fn parts(&self) -> &[Part] {
        if let Self::Parts(message) = self { &message.parts } else { &[] }
    }

    pub(super) const fn token(&self) -> Option<&SenderToken> {
        if let Self::Token(token) = self { Some(token) } else { None }
    }

    pub(super) const fn odd(&self) -> Option<Odd> {
        if let Self::Odd(odd) = self { Some(*odd) } else { None }
    }

    pub(super) const fn is_components(&self) -> bool {
        matches!(self, Self::Components)
    }

    pub(super) fn signs_url(&self) -> bool {
        match self {
            Self::Parts(message) => message.has(|part| matches!(part, Part::Url | Part::UrlWithoutQuery)),
            Self::Token(token) => token.signs_url(),
            Self::Components => true,
            Self::Odd(odd) => odd.signs_url(),
        }
    }

    /// Whether a body that is no form would not be signed.
    pub(super) fn takes_forms_alone(&self) -> bool {
        matches!(self, Self::Parts(Composition { parts, digest: None, .. }) if parts.contains(&Part::SortedForm))
    }
}

impl Composition {
    pub(super) fn has(&self, wanted: fn(&Part) -> bool) -> bool {
        self.parts.iter().any(wanted)
    }

    /// Whether nothing but a border that is not signed lies between the id and its neighbours.
    pub(super) fn id_touches(&self) -> bool {
        let fixed = |part: Option<&Part>| matches!(part, None | Some(Part::Text(_)));
        let at = self.parts.iter().position(|part| *part == Part::Id);
        at.is_some_and(|at| !fixed(self.parts.get(at + 1)) || at > 0 && !fixed(self.parts.get(at - 1)))
    }

    /// Whether a longer URL and a shorter body would be signed alike.
    pub(super) fn url_touches_body(&self) -> bool {
        self.parts.windows(2).any(|pair| matches!(pair, [Part::Url, Part::Body]))
    }

    /// In the field's words, as `id.time.body`.
    pub(super) fn describe(&self) -> String {
        let mut message = String::new();
        let mut before: Option<&Part> = None;
        for part in &self.parts {
            // What the sender joins without a separator must not read as one word.
            let joined = |part: &Part| matches!(part, Part::Text(_) | Part::Optional { .. });
            if before.is_some_and(|before| !joined(before) && !joined(part)) {
                message.push_str(" + ");
            }
            message.push_str(&part.describe());
            before = Some(part);
        }
        message
    }
}
