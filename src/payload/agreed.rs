//! Is this document as agreed? The schema that holds for it, and what may be said of one that it does not admit.

use super::document::Document;
use crate::{
    clock::Timestamp,
    json::{Kind, Node, Schema, escape, unescape},
    verdict::Rejection,
};
use std::collections::{BTreeMap, BTreeSet};

/// What the owner of a route and its sender have agreed on.
#[derive(Debug)]
pub(crate) enum Agreed {
    /// One schema for every document.
    One(Version),
    /// The member at this pointer names the version.
    ByMember { pointer: String, versions: BTreeMap<String, Version> },
}

/// One version of a contract.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) schema: Schema,
    /// For the lineage: the schema's `$id`, else the digest of its file.
    pub(crate) name: String,
    /// Of all that it says: the name may stay when that changes.
    pub(crate) digest: [u8; 32],
    /// Whether `format` is held against the document.
    pub(crate) holds_formats: bool,
    /// From then on it is refused.
    pub(crate) sunset: Option<Timestamp>,
    /// Names of members that may be printed, because the policy has them.
    pub(crate) printable: BTreeSet<String>,
}

/// Where a document is not as agreed: enough to find the mistake, and nothing of the content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which value, as a JSON Pointer; names that only the document has are `*`.
    pub pointer: String,
    /// Which keyword of the schema, as a JSON Pointer into it; or which key of the policy; or, of what cannot be read,
    /// why.
    pub keyword: String,
}

/// A document that is not clean, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unclean {
    /// What the sender hears.
    pub rejection: Rejection,
    /// What the operator hears.
    pub finding: Option<Finding>,
}

impl Unclean {
    pub(super) fn new(rejection: Rejection, pointer: impl Into<String>, keyword: impl Into<String>) -> Self {
        Self { rejection, finding: Some(Finding { pointer: pointer.into(), keyword: keyword.into() }) }
    }
}

impl Agreed {
    /// The version that the document is of, and satisfies.
    pub(super) fn check(&self, document: &Document, now: Timestamp) -> Result<&Version, Unclean> {
        let root = document.root();
        let version = match self {
            Self::One(version) => version,
            Self::ByMember { pointer, versions } => {
                let named = root.find(pointer).and_then(|node| match &node.kind {
                    Kind::String(text) => versions.get(text.as_str()),
                    Kind::Number(number) => versions.get(&number.to_string()),
                    Kind::Null | Kind::Bool(_) | Kind::Array(_) | Kind::Object(_) => None,
                });
                named.ok_or_else(|| Unclean::new(Rejection::ContractUnknown, pointer, "accepts"))?
            }
        };
        if version.sunset.is_some_and(|sunset| sunset <= now) {
            return Err(Unclean::new(Rejection::ContractSunset, "", "sunset"));
        }
        match version.schema.first_mistake(root) {
            None => Ok(version),
            Some(mistake) => {
                let pointer = printable(root, &mistake.pointer, &version.printable);
                Err(Unclean::new(Rejection::ContractBroken, pointer, mistake.keyword))
            }
        }
    }
}

/// A pointer without names that only the sender has chosen: those may be the secret.
fn printable(root: &Node, pointer: &str, known: &BTreeSet<String>) -> String {
    let (mut told, mut at) = (String::new(), Some(root));
    for step in pointer.split('/').skip(1) {
        let is_index = at.is_some_and(|node| matches!(node.kind, Kind::Array(_)));
        let name = unescape(step);
        told.push('/');
        told.push_str(if is_index || known.contains(&name) { step } else { "*" });
        at = at.and_then(|node| node.find(&format!("/{}", escape(&name))));
    }
    told
}

#[cfg(test)]
mod tests;
