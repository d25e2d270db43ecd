//! HTTP message signatures: which of the request's signatures counts, what it covers, and whether that is what the policy wants.
//!
//! As with tokens: one that a key of the route made says with certainty what is wrong with it.

use super::{
    Cause, Examination, Found,
    cause::{Area, By, Code},
    clock,
    tokens::other_body,
};
use crate::{
    request::Head,
    verify::{Config, message_algorithms},
};
use sfv::{BareItem, Dictionary, ListEntry, Parser};

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

impl Examination<'_> {
    /// What a signature that one of the route's keys made has otherwise than the policy wants it.
    pub(super) fn by_message(&mut self) -> Option<Found> {
        let request = self.patient.request;
        let policy = self.patient.webhook.config();
        let (choices, algorithms) = (choices(policy, &request.head), algorithms(policy));
        let mut ways = choices.iter().flat_map(|choice| algorithms.iter().map(move |algorithm| (choice, algorithm)));
        let (config, mut causes, held) = ways.find_map(|(choice, algorithm)| {
            let mut config = choice.config.clone();
            config.extend(algorithm.config.clone());
            config.remove(COMPONENTS);
            let held = self.trials.but_for_body(&config, &self.keys, request, self.patient.public_url())?;
            let causes: Vec<_> = [&choice.cause, &algorithm.cause].into_iter().flatten().cloned().collect();
            Some((config, causes, held))
        })?;
        causes.extend(self.by_components(&config));
        if held.signed_at.is_none() {
            let what = "the signature does not say `created`, which is when it was made";
            let mend = "let the sender add `created` to the parameters of its signature: without it a captured request is good for ever";
            causes.push(Cause::new(Code::TimeMissing, Area::Clock, By::Sender, what, mend));
        } else if self
            .trials
            .one_by(
                &config,
                Area::Scheme,
                self.patient.webhook.provider(),
                &self.keys,
                request,
                self.patient.public_url(),
            )
            .is_none()
        {
            let found = self.body_of(self.patient.webhook.provider(), &config);
            causes.push(found.unwrap_or_else(|| other_body(request, "the signed `content-digest`")));
        }
        causes.extend(clock::look(self.patient.webhook.window(), &held, self.patient.now));
        (!causes.is_empty()).then_some(Found::Named(causes))
    }

    /// Those that the policy wants signed, and that are not.
    fn by_components(&mut self, config: &Config) -> Option<Cause> {
        let wanted = self.patient.webhook.config().get(COMPONENTS)?;
        let request = self.patient.request;
        let missing = wanted.split_ascii_whitespace().filter(|word| {
            let mut config = config.clone();
            config.insert(COMPONENTS.to_owned(), (*word).to_owned());
            self.trials.but_for_body(&config, &self.keys, request, self.patient.public_url()).is_none()
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
            let said = algorithms(self.patient.webhook.config())
                .into_iter()
                .find_map(|other| other.cause.filter(|_| is_said(head, &other.config)));
            seen.extend(said);
        }
        seen
    }
}

/// Whether the request itself says this algorithm.
fn is_said(head: &Head, config: &Config) -> bool {
    let said = dictionary(head, "signature-input").into_iter().flatten();
    said.into_iter().any(|(_, entry)| {
        let ListEntry::InnerList(list) = &entry else { return false };
        list.params.get(ALG).and_then(BareItem::as_str) == config.get(ALG).map(String::as_str)
    })
}

/// As the policy says it; and each signature of the request by its label alone.
fn choices(policy: &Config, head: &Head) -> Vec<Other> {
    let mut found = vec![Other { config: policy.clone(), cause: None }];
    let labels: Vec<String> =
        dictionary(head, "signature-input").into_iter().flatten().map(|(label, _)| label.clone()).collect();
    let said: Vec<String> =
        CHOICE.iter().filter_map(|name| Some(format!("`{name}: {}`", policy.get(*name)?))).collect();
    for label in labels.iter().take(LABELS_MAX).filter(|label| policy.get(LABEL) != Some(label)) {
        let mut config = policy.clone();
        CHOICE.iter().for_each(|name| drop(config.remove(*name)));
        config.insert(LABEL.to_owned(), label.clone());
        let what = if said.is_empty() {
            format!(
                "the request has {} signatures, and the policy does not say which one counts; the one called `{label}` is good",
                labels.len()
            )
        } else {
            format!("the signature called `{label}` is good, and the policy names another one ({})", said.join(", "))
        };
        let mend = format!(
            "write `label: {label}` under `config` of the route, or the `tag` or `keyid` that it has; or let the sender name it so"
        );
        let cause = Cause::new(Code::LabelOther, Area::Scheme, By::Operator, what, mend);
        found.push(Other { config, cause: Some(cause) });
    }
    // What has no other label than the one that is named has another tag, or another key's id.
    if said.len() > usize::from(policy.contains_key(LABEL))
        && policy.get(LABEL).is_some_and(|label| labels.contains(label))
    {
        let mut config = policy.clone();
        CHOICE.iter().filter(|name| **name != LABEL).for_each(|name| drop(config.remove(*name)));
        let what = format!(
            "the signature is good, and has another `tag` or `keyid` than the policy names ({})",
            said.join(", ")
        );
        let mend = "write into `config` of the route what the sender has, or leave it out";
        let cause = Cause::new(Code::LabelOther, Area::Scheme, By::Operator, what, mend);
        found.push(Other { config, cause: Some(cause) });
    }
    found
}

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
    labels.map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ")
}

fn listed(names: &[String]) -> String {
    let are = if names.len() == 1 { "is" } else { "are" };
    format!("{} {are}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
}
