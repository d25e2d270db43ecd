//! What a route says of its documents: from text to the contract that they are held against, and to the places that
//! must not go further. Every mistake is told, each at its place in the route.

mod redact;
mod schemas;
pub(super) mod text;

use crate::{
    clock::Timestamp,
    json::{Library, schema::reach::may_exist},
    payload::{Contract, Naming, document::is_readable, redact::Redaction},
};
use serde_json::Value;
use text::{ContractText, RedactText};

/// What the routes of a policy have in common here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shelf<'a> {
    /// The schema files below the policy's folder.
    pub(super) library: &'a Library,
    /// The file that the route stands in; schemas are named from there.
    pub(super) file: &'a str,
    pub(super) now: Timestamp,
}

/// What one route says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said<'a> {
    pub(super) contract: Option<&'a ContractText>,
    pub(super) redact: &'a [RedactText],
    /// Media types that are let in; empty means any.
    pub(super) content_types: &'a [String],
}

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// Which value of the route.
    pub(super) pointer: String,
    pub(super) message: String,
    /// The route compiles all the same.
    pub(super) is_warning: bool,
}

/// Collects what is to be told.
type Tell<'a> = &'a mut dyn FnMut(Told);

fn wrong(tell: Tell<'_>, pointer: impl Into<String>, message: impl Into<String>) {
    tell(Told { pointer: pointer.into(), message: message.into(), is_warning: false });
}

fn warn(tell: Tell<'_>, pointer: impl Into<String>, message: impl Into<String>) {
    tell(Told { pointer: pointer.into(), message: message.into(), is_warning: true });
}

/// `None` only where something wrong was told.
pub(super) fn contract(naming: Naming, said: Said<'_>, shelf: Shelf<'_>, tell: Tell<'_>) -> Option<Contract> {
    let mut broken = false;
    let mut tell = |told: Told| {
        broken |= !told.is_warning;
        tell(told);
    };
    let agreed = said.contract.map(|text| schemas::agreed(text, shelf, &mut tell));
    let chosen = said.contract.map(|text| schemas::chosen(text, shelf)).unwrap_or_default();
    let rules = redact::rules(said.redact, &chosen, &mut tell);
    let ordered = naming.order_by.as_deref();
    ordered.into_iter().for_each(|pointer| order_by(pointer, &chosen, &mut tell));
    if said.contract.is_some() || ordered.is_some() || rules.iter().any(redact::looks_into_body) {
        for (index, media_type) in said.content_types.iter().enumerate().filter(|(_, media)| !is_readable(media)) {
            let message = format!(
                "a body of `{media_type}` cannot be read, so nothing in it would be checked, redacted or ordered; JSON and \
                 `application/x-www-form-urlencoded` can"
            );
            wrong(&mut tell, format!("/admit/content_types/{index}"), message);
        }
    }
    if broken {
        return None;
    }
    let contract = Contract::new(naming).redacted(Redaction::new(rules));
    match agreed {
        Some(agreed) => Some(contract.agreed(agreed?)),
        None => Some(contract),
    }
}

/// Where a document says which others it must not overtake. `schemas` are those of which every document satisfies one.
fn order_by(text: &str, schemas: &[&Value], tell: Tell<'_>) {
    // The language lets nothing else in than what begins with `/`.
    let Some(steps) = redact::pointer(text) else { return };
    match steps {
        Err(why) => wrong(tell, "/order_by", why),
        Ok(steps) if schemas.is_empty() || schemas.iter().any(|schema| may_exist(schema, &steps, str::eq)) => {}
        Ok(_) => {
            let message = format!("the schema says that there is no `{text}`, so nothing would be in order");
            wrong(tell, "/order_by", message);
        }
    }
}

#[cfg(test)]
mod tests;
