//! What a policy promises, in the words of the one who has to sign it off.

mod destination;

pub use destination::DestinationSummary;

use super::{
    Capture, Delivery, Durability, Observe, Observed, Owner, Place, Policy, Route, Sender, Tokens, units::told_time,
    written_rate, written_size,
};
use crate::{
    event::Form,
    repeat::Window,
    verify::{Coverage, PUBLISHED, UNAUTHENTICATED, Webhook},
};
use serde::Serialize;
use std::{fmt, time::Duration};

/// One route in words.
#[derive(Clone, Debug, Serialize)]
pub struct RouteSummary {
    /// Its name.
    pub name: String,
    /// The endpoint, as in the policy: `path: /hooks/stripe`.
    pub at: String,
    /// Who is asked about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerSummary>,
    /// How its sender's signatures are known, if it signs.
    #[serde(flatten)]
    pub signed: Option<SignedSummary>,
    /// Whose tokens are taken, if it shows any.
    #[serde(rename = "tokens", skip_serializing_if = "Option::is_none")]
    pub shown: Option<TokenSummary>,
    /// By what repeats are told, and for how long.
    pub repeats: String,
    /// Where it goes.
    pub delivery: String,
    /// What the sender may rely on after a 2xx.
    pub promise: &'static str,
    /// What is let in, and how much of it.
    pub limits: String,
    /// The sender's validation calls that the gate answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<String>,
    /// What is judged and counted and let through, and until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observes: Option<String>,
    /// What is kept of refused requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub captures: Option<String>,
}

/// A sender that signs.
#[derive(Clone, Debug, Serialize)]
pub struct SignedSummary {
    /// The catalogue's name of the sender.
    pub provider: String,
    /// The name of its keys.
    pub keys: String,
    /// How many of them there are.
    pub keys_count: usize,
    /// What the signature covers.
    pub covered: Vec<&'static str>,
    /// What it does not, and is therefore hearsay.
    pub not_covered: Vec<&'static str>,
    /// What requests are held to beside a signature, or in its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held_to: Vec<String>,
    /// Whether nobody signs them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unsigned: bool,
    /// What shows who sent it, where nothing of the request is signed by that: in the catalogue's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

/// Clients that show a token.
#[derive(Clone, Debug, Serialize)]
pub struct TokenSummary {
    /// The policy's name of the issuer.
    pub issuer: String,
    /// Whom its tokens must be for.
    pub audience: Vec<String>,
    /// What it may sign with.
    pub algorithms: Vec<&'static str>,
    /// What a token must be good for.
    pub scopes: Vec<String>,
    /// What else it must say, as JSON Pointers.
    pub claims: Vec<String>,
    /// Whether WordPress sees it.
    pub forward: bool,
}

/// Who is asked about a route.
#[derive(Clone, Debug, Serialize)]
pub struct OwnerSummary {
    /// Who owns the contract with this sender.
    pub team: String,
    /// Whom to call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oncall: Option<String>,
}

fn formed(form: Form) -> &'static str {
    match form {
        Form::Event => "as an event",
        Form::Verbatim => "verbatim",
    }
}

impl Policy {
    /// What a 2xx is worth where this broker gave its word for it.
    fn worth(&self, broker: &str) -> &'static str {
        let place = self.destinations.iter().find(|destination| destination.name == broker);
        match place.map(|destination| &destination.place) {
            Some(Place::Nats(nats)) => match nats.broker.durability {
                Durability::Synced | Durability::Waited => {
                    "202 after the broker's acknowledgement; that it is on disk then is the policy's word"
                }
                Durability::Stored => "202 after the broker's acknowledgement; on disk when the broker syncs next",
                Durability::Any => "202 after the broker's acknowledgement, whatever that keeps",
            },
            Some(Place::Redis(redis)) => match redis.broker.durability {
                Durability::Synced | Durability::Waited => "202 after the broker has it on disk",
                Durability::Stored | Durability::Any => "202 after the broker's answer, whatever that keeps",
            },
            Some(Place::Http(_)) | None => "202 after its confirmation",
        }
    }

    /// Every route in words, in the order of the file.
    pub fn summary(&self) -> Vec<RouteSummary> {
        self.routes.iter().map(|route| self.summarize(route)).collect()
    }

    fn summarize(&self, route: &Route) -> RouteSummary {
        let (signed, shown, repeats) = match &route.sender {
            Sender::Webhook(webhook) => (Some(self.signed(webhook)), None, repeats(webhook, route.remember)),
            Sender::Token(tokens) => {
                let repeats =
                    if tokens.once { "by `jti`: a token is taken once" } else { "none: a token may be shown again" };
                (None, Some(TokenSummary::of(tokens)), repeats.to_owned())
            }
        };
        let (delivery, promise) = match &route.delivery {
            Delivery::Queue { to, form } => {
                let form = formed(*form);
                let mut told = format!("queued, then {form} to {}", to.join(", "));
                if let Some(pointer) = route.contract.order_by() {
                    told.push_str(&format!(", one after another by {pointer}"));
                }
                if !route.keep.is_zero() {
                    told.push_str(&format!(", and kept for {}", told_time(route.keep)));
                }
                (told, "202 after fdatasync in the spool")
            }
            Delivery::Direct { to, form } => {
                let told = format!("handed at once, {}, to {to}, which alone keeps it", formed(*form));
                (told, self.worth(to))
            }
            Delivery::Relay => (format!("relayed at once to {}", self.settings.origin.url), "the origin's own answer"),
        };
        RouteSummary {
            name: route.name.to_string(),
            at: route.at.to_string(),
            owner: route.owner.clone().map(|Owner { team, oncall }| OwnerSummary { team, oncall }),
            signed,
            shown,
            repeats,
            delivery,
            promise,
            limits: limits(route),
            answers: route
                .sender
                .webhook()
                .map(|webhook| webhook.handshakes().iter().map(|handshake| handshake.name.clone()).collect())
                .unwrap_or_default(),
            observes: route.observe.map(|observe| observe.to_string()),
            captures: route.capture.map(|capture| capture.to_string()),
        }
    }
}

impl Policy {
    fn signed(&self, webhook: &Webhook) -> SignedSummary {
        let keys = webhook.keys();
        let entries = self.keys.iter().find(|reference| reference.name == keys).map_or(0, |found| found.entries.len());
        let provider = webhook.provider();
        let Coverage { body, time, .. } = provider.scheme.coverage();
        let parts = [("body", body), ("id", provider.names_events()), ("time", time)];
        let is_bare = parts.iter().all(|(_, covered)| !covered);
        let of = |wanted| parts.iter().filter(|(_, covered)| *covered == wanted).map(|(name, _)| *name).collect();
        SignedSummary {
            provider: provider.name.clone(),
            keys: keys.split('/').next().unwrap_or_default().to_owned(),
            keys_count: entries,
            covered: of(true),
            not_covered: of(false),
            held_to: held_to(webhook),
            unsigned: provider.scheme.shows_nothing(),
            token: provider.scheme.signs().then(|| provider.scheme.describe()).filter(|_| is_bare),
        }
    }
}

impl TokenSummary {
    fn of(tokens: &Tokens) -> Self {
        let (rule, terms) = (&tokens.rule, tokens.rule.issuer().terms());
        Self {
            issuer: terms.name.clone(),
            audience: terms.audiences.clone(),
            algorithms: terms.algorithms.iter().map(|algorithm| algorithm.name()).collect(),
            scopes: rule.scopes().to_vec(),
            claims: rule.claims().iter().map(|demand| demand.pointer.clone()).collect(),
            forward: tokens.forward,
        }
    }
}

fn repeats(webhook: &Webhook, remember: Duration) -> String {
    let provider = webhook.provider();
    let mut told = Vec::new();
    if provider.tells_identical() {
        let by = match webhook.window() {
            Window::Signed { .. } => "by what was signed, for as long as it could pass",
            Window::Unsigned { .. } => "by what was signed",
        };
        told.push(format!("{by}: {}", told_time(webhook.window().memory())));
    }
    if provider.names_events() {
        let by =
            if provider.event_key.is_empty() { "the signed id".to_owned() } else { provider.event_key.join(" and ") };
        told.push(format!("by {by}: {}", told_time(remember)));
    }
    if told.is_empty() { "cannot be told: protection is impossible".to_owned() } else { told.join("; ") }
}

/// What is asked of a request beside a signature, or in its place.
fn held_to(webhook: &Webhook) -> Vec<String> {
    let (trust, provider) = (webhook.trust(), webhook.provider());
    let some = |count: usize, what: &str| match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        count => Some(format!("{count} {what}s")),
    };
    let addresses = trust.addresses.as_ref().map(|known| {
        let known = [some(known.nets.len(), "network"), some(known.files.len(), "file")];
        format!("from {} of addresses", known.into_iter().flatten().collect::<Vec<_>>().join(" and "))
    });
    let confirm = trust.confirm.as_ref().zip(provider.refers.as_ref()).map(|(confirm, refers)| {
        let told = format!("{} has to know the id in {}", confirm.how.asks(), refers.describe());
        let members: Vec<_> = confirm.members.keys().map(String::as_str).collect();
        if members.is_empty() { told } else { format!("{told}, with {} as agreed", members.join(" and ")) }
    });
    addresses.into_iter().chain(confirm).collect()
}

fn limits(route: &Route) -> String {
    let methods: Vec<_> = route.admit.methods.iter().map(http::Method::as_str).collect();
    let mut limits =
        vec![format!("{} up to {}", methods.join(", "), written_size(route.admit.body_limit_bytes as u64))];
    limits.extend(route.limits.per_address.map(|rate| format!("{} from one address", written_rate(rate))));
    limits.extend(route.limits.per_sender.map(|rate| format!("{} from one sender", written_rate(rate))));
    if !route.streams() {
        limits.push(format!("answered within {}", told_time(route.answer_by)));
    }
    limits.join(", ")
}

impl fmt::Display for Observe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            Observed::All => "everything: what would be refused reaches WordPress",
            Observed::Checks { schema: true, limits: true } => "schema and limits: what they would refuse goes on",
            Observed::Checks { schema: true, limits: false } => "the schema: what it would refuse goes on",
            Observed::Checks { schema: false, .. } => "limits: what they would refuse goes on",
        };
        let until = self.until.rfc3339();
        write!(f, "{what}; enforces from {}", until.split('T').next().unwrap_or_default())
    }
}

impl fmt::Display for Capture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.body { "encrypted, with their bodies" } else { "encrypted, without their bodies" };
        write!(f, "refused requests for {}, {what}", told_time(self.keep))
    }
}

impl fmt::Display for SignedSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { provider, keys, keys_count, covered, not_covered, held_to, unsigned, token } = self;
        let held: String = held_to.iter().map(|held| format!("; {held}")).collect();
        if *unsigned {
            return write!(f, "{provider}, unsigned: nothing shows who sent it{held}");
        }
        let keys_count = format!("{keys_count} key{}", if *keys_count == 1 { "" } else { "s" });
        if keys == PUBLISHED {
            write!(f, "{provider}, keys as its vendor publishes them; ")?;
        } else {
            write!(f, "{provider}, {keys_count} in `{keys}`; ")?;
        }
        if covered.is_empty() {
            let how = token.as_deref().unwrap_or("nothing is signed");
            return write!(f, "{how}: {UNAUTHENTICATED}{held}");
        }
        write!(f, "the signature covers {}", covered.join(" and "))?;
        match not_covered.as_slice() {
            [] => Ok(()),
            hearsay => write!(f, ", but no {}", hearsay.join(" and no ")),
        }?;
        if not_covered.contains(&"body") {
            write!(f, ": {UNAUTHENTICATED}")?;
        }
        f.write_str(&held)
    }
}

impl fmt::Display for TokenSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, audience, algorithms, scopes, claims, forward } = self;
        write!(f, "a token of {issuer} for {}, signed with {}", audience.join(" or "), algorithms.join(" or "))?;
        for (what, words) in [("scope", scopes), ("claim", claims)] {
            if !words.is_empty() {
                write!(f, ", with the {what} {}", words.join(" and "))?;
            }
        }
        f.write_str(if *forward { "; WordPress sees it" } else { "; it stays at the gate" })
    }
}

impl fmt::Display for RouteSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, at, signed, shown, repeats, delivery, promise, limits, answers, .. } = self;
        writeln!(f, "{name}  ({at})")?;
        if let Some(signed) = signed {
            writeln!(f, "  sender    {signed}")?;
        }
        if let Some(shown) = shown {
            writeln!(f, "  sender    {shown}")?;
        }
        writeln!(f, "  repeats   {repeats}")?;
        writeln!(f, "  delivery  {delivery}; a 2xx is {promise}")?;
        writeln!(f, "  limits    {limits}")?;
        if !answers.is_empty() {
            writeln!(f, "  answers   validation calls: {}", answers.join(", "))?;
        }
        if let Some(observes) = &self.observes {
            writeln!(f, "  observes  {observes}")?;
        }
        if let Some(captures) = &self.captures {
            writeln!(f, "  captures  {captures}")?;
        }
        match &self.owner {
            Some(OwnerSummary { team, oncall: Some(oncall) }) => writeln!(f, "  owner     {team}, on call {oncall}"),
            Some(OwnerSummary { team, oncall: None }) => writeln!(f, "  owner     {team}"),
            None => Ok(()),
        }
    }
}
