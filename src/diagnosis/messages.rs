//! HTTP message signatures: which of the request's signatures counts, what it covers, and whether that is what the policy wants.
//!
//! As with tokens: one that a key of the route made says with certainty what is wrong with it.

use super::{
    Cause, Examination, Found, Patient,
    cause::{Area, By, Code},
    claims::other_body,
    clock, digests,
    signers::{self, Signer},
};
use crate::{
    request::Head,
    verify::{Config, HeldMessage, Key, is_digest_of, message_algorithms},
};
use sfv::{BareItem, Dictionary, ListEntry, Parser};
use std::collections::BTreeSet;

const ALG: &str = "alg";
const COMPONENTS: &str = "components";
const LABEL: &str = "label";
/// By which a policy says which of several counts.
const CHOICE: [&str; 3] = [LABEL, "tag", "keyid"];
/// As many as the gate reads.
const LABELS_MAX: usize = 16;

/// What is asked of a request whose policy says something else, and what that would mean.
struct Other {
    config: Config,
    cause: Option<Cause>,
}

/// A signature that holds: as which policy, what of it differs from the one there is, and what it says.
struct Made {
    config: Config,
    causes: Vec<Cause>,
    message: HeldMessage,
}

impl Examination<'_> {
    /// What a signature that one of the keys made has otherwise than the policy wants it, and whether that key is another one
    /// than the route's.
    pub(super) fn by_message(&mut self, signers: &[Signer<'_>]) -> Option<Found> {
        let Patient { request, webhook, now, .. } = self.patient;
        let made = signers::sole(signers, |signer| self.made_by(signer));
        let (signer, Made { config, causes: differs, message }) = match made {
            Ok(found) => found?,
            Err(several) => return Some(several),
        };
        let mut causes: Vec<_> = signer.cause.iter().cloned().chain(differs).collect();
        if let Some(said) = &message.says {
            let made = config.get(ALG).map(String::as_str).unwrap_or_default();
            let what = format!(
                "the signature says `alg=\"{}\"` of itself, and it is made with `{made}`",
                if is_plain(said) { said.as_str() } else { "..." }
            );
            let mend = format!("let the sender write `alg=\"{made}\"`, or leave `alg` out (RFC 9421 section 2.3)");
            causes.push(Cause::new(Code::OtherAlgorithm, Area::Scheme, By::Sender, what, mend));
        }
        causes.extend(self.by_components(&config, &signer.keys));
        if message.held.signed_at.is_none() {
            let what = "the signature does not say `created`, which is when it was made";
            let mend = "let the sender add `created` to the parameters of its signature: without it a captured request is good for ever";
            causes.push(Cause::new(Code::TimeMissing, Area::Clock, By::Sender, what, mend));
        }
        if message.covers_digest && is_digest_of(&request.head, &request.raw) != Ok(true) {
            let found = self.body_of(|trials, altered| {
                (trials.digest(&altered.raw) && is_digest_of(&altered.head, &altered.raw) == Ok(true)).then_some(())
            });
            causes.push(match found.as_slice() {
                [] => digests::of_content(&request.head, &request.raw)
                    .unwrap_or_else(|| other_body(request, "the signed `content-digest`")),
                [(cause, ())] => cause.clone(),
                several => return Some(Found::Ambiguous(several.len())),
            });
        }
        causes.extend(clock::look(webhook.window(), &message.held, *now));
        (!causes.is_empty()).then_some(Found::Named(causes))
    }

    fn made_by(&mut self, signer: &Signer<'_>) -> Option<Made> {
        let Patient { request, webhook, .. } = self.patient;
        let policy = webhook.config();
        let (choices, algorithms) = (choices(policy, &request.head), algorithms(policy));
        let mut ways = choices.iter().flat_map(|choice| algorithms.iter().map(move |algorithm| (choice, algorithm)));
        ways.find_map(|(choice, algorithm)| {
            let mut config = choice.config.clone();
            config.extend(algorithm.config.clone());
            config.remove(COMPONENTS);
            if signer.are_public && config.get(ALG).is_some_and(|alg| alg.starts_with("hmac-")) {
                return None;
            }
            let message = self.trials.but_for_body(&config, &signer.keys, request, self.patient.public_url())?;
            let causes = [&choice.cause, &algorithm.cause].into_iter().flatten().cloned().collect();
            Some(Made { config, causes, message })
        })
    }

    /// Those that the policy wants signed, and that are not.
    fn by_components(&mut self, config: &Config, keys: &[&Key]) -> Option<Cause> {
        let wanted = self.patient.webhook.config().get(COMPONENTS)?;
        let request = self.patient.request;
        let missing = wanted.split_ascii_whitespace().filter(|word| {
            let mut config = config.clone();
            config.insert(COMPONENTS.to_owned(), (*word).to_owned());
            self.trials.but_for_body(&config, keys, request, self.patient.public_url()).is_none()
        });
        let missing: Vec<_> = missing.map(|word| format!("`{}`", word.trim_matches('"'))).collect();
        if missing.is_empty() {
            return None;
        }
        let (names, are) = (missing.join(", "), if missing.len() == 1 { "is" } else { "are" });
        let what = format!("{names} {are} not signed, and the policy wants that (`components`)");
        let mend = "let the sender sign it as well: what is not signed, anybody could change. Where it cannot, and nothing rests on it, take it out of `components`; `content-digest` has to stay";
        Some(Cause::new(Code::ComponentMissing, Area::Scheme, By::Sender, what, mend))
    }

    /// What needs no key to be seen of a message signature.
    pub(super) fn message_by_sight(&self) -> Vec<Cause> {
        let head = &self.patient.request.head;
        let (Some(inputs), Some(signatures)) = (dictionary(head, "signature-input"), dictionary(head, "signature"))
        else {
            return Vec::new();
        };
        let mut seen = Vec::new();
        if !inputs.keys().any(|label| signatures.contains_key(label)) {
            let (ours, theirs) = (quoted(inputs.keys()), quoted(signatures.keys()));
            let what = format!("`signature-input` has the label {ours}, and `signature` has {theirs}");
            let mend = "both fields have the same labels: the sender writes them together, and whatever stands between must not rename one";
            seen.push(Cause::new(Code::LabelOther, Area::Header, By::Sender, what, mend));
        }
        let is_there = |name: &String| name.starts_with('@') || head.headers.contains_key(name.as_str());
        let covered = inputs.iter().flat_map(|(_, entry)| covered(entry));
        let missing: Vec<_> = covered.filter(|name| !is_there(name)).collect();
        if !missing.is_empty() {
            let what = format!("{} signed, and did not come", listed(&missing));
            let mend = "let every header of the signature through: something on the way takes it out, or the recording has it not";
            seen.push(Cause::new(Code::HeaderMissing, Area::Header, By::Proxy, what, mend));
        }
        if seen.is_empty() {
            seen.extend(said_algorithm(&inputs, self.patient.webhook.config()));
        }
        seen
    }
}

/// Each signature of the request says another algorithm of itself than the policy's.
fn said_algorithm(inputs: &Dictionary, policy: &Config) -> Option<Cause> {
    let ours = policy.get(ALG).map(String::as_str).unwrap_or_default();
    let said: Option<Vec<&str>> = inputs
        .values()
        .map(|entry| match entry {
            ListEntry::InnerList(list) => list.params.get(ALG).and_then(BareItem::as_str),
            ListEntry::Item(_) => None,
        })
        .collect();
    let said = said.filter(|said| said.iter().all(|name| *name != ours && is_plain(name)))?;
    let names: Vec<_> = said.iter().map(|name| format!("`{name}`")).collect();
    let what =
        format!("the signature says that it is made with {}, and the policy wants `{ours}`", names.join(" and "));
    let mend = format!(
        "let the sender sign with `{ours}`; or, if it was meant to sign otherwise, the policy has that as `alg`, with the key that belongs to it"
    );
    Some(Cause::new(Code::OtherAlgorithm, Area::Scheme, By::Sender, what, mend))
}

/// As the policy says it; and each signature of the request by its label alone.
fn choices(policy: &Config, head: &Head) -> Vec<Other> {
    let mut found = vec![Other { config: policy.clone(), cause: None }];
    let inputs = dictionary(head, "signature-input").unwrap_or_default();
    let named: Vec<(&str, &String)> = CHOICE.iter().filter_map(|name| Some((*name, policy.get(*name)?))).collect();
    for (label, entry) in inputs.iter().take(LABELS_MAX) {
        let ListEntry::InnerList(covered) = entry else { continue };
        let has = |name: &str| match name {
            LABEL => Some(label.as_str()),
            name => covered.params.get(name).and_then(BareItem::as_str),
        };
        let others: Vec<_> = named.iter().filter(|(name, ours)| has(name) != Some(ours.as_str())).collect();
        if others.is_empty() && inputs.len() == 1 {
            continue;
        }
        let mut config = policy.clone();
        CHOICE.iter().for_each(|name| drop(config.remove(*name)));
        config.insert(LABEL.to_owned(), label.clone());
        let (what, mend) = if others.is_empty() {
            let what = format!(
                "the request has {} signatures, and the policy does not say which one counts; the one called {} is good",
                inputs.len(),
                shown(label)
            );
            (what, format!("write `label: {label}` under `config` of the route, or the `tag` or `keyid` that it has"))
        } else {
            let ours: Vec<_> = named.iter().map(|(name, ours)| format!("`{name}: {ours}`")).collect();
            let what = format!(
                "the signature called {} is good, and the policy names another one ({})",
                shown(label),
                ours.join(", ")
            );
            let theirs = others.iter().map(|(name, _)| match has(name).filter(|said| is_plain(said)) {
                Some(said) => format!("`{name}: {said}`"),
                None => format!("no `{name}`"),
            });
            let theirs: Vec<_> = theirs.collect();
            let mend = format!(
                "write what this one has under `config` of the route: {}; or let the sender name it as the policy does",
                theirs.join(", ")
            );
            (what, mend)
        };
        let cause = Cause::new(Code::LabelOther, Area::Scheme, By::Operator, what, mend);
        found.push(Other { config, cause: Some(cause) });
    }
    found
}

/// What a sender writes and is printed.
fn is_plain(said: &str) -> bool {
    said.len() <= SAID_LETTERS_MAX && said.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'`')
}

/// So much of what a signature says of itself is printed.
const SAID_LETTERS_MAX: usize = 120;

/// As the policy says it; and each other one.
fn algorithms(policy: &Config) -> Vec<Other> {
    let ours = policy.get(ALG).map(String::as_str).unwrap_or_default();
    let own = Other { config: Config::new(), cause: None };
    let other = |name: &str| {
        let config = Config::from([(ALG.to_owned(), name.to_owned())]);
        let what = format!("it is signed with `{name}`, and the policy wants `{ours}`");
        let mend = format!(
            "write `alg: {name}` under `config` of the route if that is what the sender was meant to sign with; else choose the other in its settings"
        );
        let cause = Cause::new(Code::OtherAlgorithm, Area::Scheme, By::Operator, what, mend);
        Other { config, cause: Some(cause) }
    };
    std::iter::once(own).chain(message_algorithms().filter(|name| *name != ours).map(other)).collect()
}

fn dictionary(head: &Head, name: &str) -> Option<Dictionary> {
    Parser::parse_dictionary(head.sole(name)?.as_bytes()).ok().filter(|read| read.len() <= LABELS_MAX)
}

/// The names of what a signature covers.
fn covered(entry: &ListEntry) -> Vec<String> {
    let ListEntry::InnerList(list) = entry else { return Vec::new() };
    list.items.iter().filter_map(|item| Some(item.bare_item.as_str()?.to_owned())).collect()
}

fn quoted<'k>(labels: impl Iterator<Item = &'k String>) -> String {
    labels.map(|label| shown(label)).collect::<Vec<_>>().join(", ")
}

/// A stranger writes it: names alone are printed, and no prose.
fn shown(name: &str) -> String {
    let is_name = name.len() <= NAME_LETTERS_MAX
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"@-_.*".contains(&byte));
    if is_name { format!("`{name}`") } else { "something that is no name".to_owned() }
}

/// No header that is signed has a longer one.
const NAME_LETTERS_MAX: usize = 64;

fn listed(names: &[String]) -> String {
    let are = if names.len() == 1 { "is" } else { "are" };
    let told: BTreeSet<String> = names.iter().map(|name| shown(name)).collect();
    format!("{} {are}", told.into_iter().collect::<Vec<_>>().join(", "))
}
