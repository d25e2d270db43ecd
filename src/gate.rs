//! The story of one request, top to bottom. Ifs live here; the words live in their modules.

use crate::{
    clock::Timestamp,
    event::{Arrival, Event, Lineage, event_type},
    identity::Nobody,
    ledger::{Accepted, Known, Ledger, Receipt},
    limit::Rate,
    outcome::{Handover, Judgement, Notes, Observation},
    payload::{Clean, Unclean, clean, read},
    policy::{Delivery, Policy, Route, Sender, Tokens},
    repeat::RepeatKeys,
    request::{Body, Head, Unverified},
    verdict::{BoxError, Check, Fault, Refusal, Rejection, TokenFlaw},
    verify::{Confirmed, Greeting, Keys, Question, Unfit, Verified, Webhook, Word, jwt::Bearer, shown, verify},
};
use std::{net::IpAddr, sync::Arc, time::Duration};

/// Port: what this process knows without waiting.
pub trait Memory: Send + Sync {
    /// Whether the event was accepted before.
    fn look(&self, keys: &RepeatKeys) -> Option<Known>;

    /// Takes one token.
    ///
    /// # Errors
    /// [`Rejection::SenderLimited`], and nothing was taken.
    fn take(&self, bucket: Bucket<'_>) -> Result<(), Rejection>;

    /// Takes one token of those that this route has for whoever asks for a keyed digest, and of this client's share of them.
    ///
    /// # Errors
    /// [`Rejection::HandshakeAddressLimited`], [`Rejection::HandshakeRouteLimited`].
    fn take_stranger(&self, route: &str, client: IpAddr) -> Result<(), Rejection>;

    /// Ends what an operator armed: the label of the key that this route's sender may hand over now, to whoever asks
    /// first. Where nothing can be armed, nothing is.
    fn disarm(&self, _route: &str, _now: Timestamp) -> Option<String> {
        None
    }
}

/// Which sender's tokens, and how many there are.
#[derive(Clone, Copy, Debug)]
pub struct Bucket<'a> {
    /// The route's name.
    pub route: &'a str,
    /// The id of the key that signed, or the subject of the token that was shown: whoever is known by it was verified.
    pub key: &'a str,
    /// How many in how long.
    pub rate: Rate,
}

/// Nothing is known and nothing is limited: for tests, tools and other callers that judge one request at a time.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMemory;

impl Memory for NoMemory {
    fn look(&self, _: &RepeatKeys) -> Option<Known> {
        None
    }

    fn take(&self, _: Bucket<'_>) -> Result<(), Rejection> {
        Ok(())
    }

    fn take_stranger(&self, _: &str, _: IpAddr) -> Result<(), Rejection> {
        Ok(())
    }
}

/// Port: WordPress, for what is passed on at once.
pub trait Origin: Send + Sync {
    /// The origin's answer, or what is left of it to read.
    type Answer: Send;

    /// Passes a clean request on under a lease, and settles the lease by the answer whether or not anybody still
    /// waits for it.
    fn relay(
        &self,
        route: &Arc<Route>,
        clean: Clean,
    ) -> impl Future<Output = Result<Relayed<Self::Answer>, Fault>> + Send;
}

/// Port: the sender's own API.
pub trait Vendor: Send + Sync {
    /// Asks once, and waits no longer than the sender waits.
    /// Nothing: it is taken for confirmed.
    fn ask(&self, question: Question) -> impl Future<Output = Result<Option<Word>, BoxError>> + Send;
}

/// Nobody is asked, and all is taken for confirmed: for rehearsals, which no vendor hears of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Believing;

impl Vendor for Believing {
    async fn ask(&self, _: Question) -> Result<Option<Word>, BoxError> {
        Ok(None)
    }
}

/// How a relay ends well.
#[derive(Debug)]
pub enum Relayed<Answer> {
    /// With the origin's answer, whatever its status.
    Answered(Answer),
    /// The origin took the same event before.
    Again(Known),
}

/// What a request is judged by: one snapshot, taken when it came in.
#[expect(missing_debug_implementations, reason = "the keys hold secrets")]
pub struct Gate<'a, M, L, D, O, V> {
    /// The rules.
    pub policy: &'a Policy,
    /// The keys of this moment.
    pub keys: &'a Keys,
    /// What this process knows without waiting.
    pub memory: &'a M,
    /// Where events become durable.
    pub ledger: &'a L,
    /// Where those become durable that the gate does not keep itself.
    pub direct: &'a D,
    /// Where relayed requests go.
    pub origin: &'a O,
    /// Who is asked whether what a request refers to exists.
    pub vendor: &'a V,
}

/// How a guarded request ends well.
#[derive(Debug)]
pub enum Ending<Answer> {
    /// Durable since just now.
    Accepted(Receipt),
    /// Accepted, or passed on, before.
    Again(Known),
    /// Passed on.
    Relayed(Answer),
    /// A validation call, and its answer.
    Greeted(Greeting),
}

impl<Answer> From<Accepted> for Ending<Answer> {
    fn from(accepted: Accepted) -> Self {
        match accepted {
            Accepted::New(receipt) => Self::Accepted(receipt),
            Accepted::Again(known) => Self::Again(known),
        }
    }
}

/// Takes one guarded request through the gate. The caller has taken a token for its address, and stops waiting when
/// the sender's answer is due.
///
/// # Errors
/// A [`Refusal`]: nothing of the request is remembered, unless its write had begun.
pub async fn handle<M: Memory, L: Ledger, D: Ledger, O: Origin, V: Vendor>(
    gate: &Gate<'_, M, L, D, O, V>,
    route: &Arc<Route>,
    head: Head,
    body: impl Body,
    arrival: &Arrival,
    notes: &mut Notes,
) -> Result<Ending<O::Answer>, Refusal> {
    admit(route, &head)?;
    let bearer = match &route.sender {
        // Before the body: a stranger's is never read.
        Sender::Token(tokens) => Some((tokens, shows(tokens, gate.keys, &head, arrival.at, notes)?)),
        Sender::Webhook(_) => None,
    };
    let raw = body.collect(route.admit.body_limit_bytes).await?;
    notes.body_bytes = raw.len();
    let request = Unverified { head, raw };
    // Of the body as it came: of what goes on it may have been taken out.
    let refers = route.sender.webhook().and_then(|webhook| webhook.to_confirm(&request));
    let judged = match bearer {
        Some((tokens, bearer)) => {
            let verified = shown(bearer, tokens.once, gate.keys, request, arrival.at);
            judge_verified(route, gate.keys, gate.memory, verified, arrival.at, notes)?
        }
        None => judge(route, gate.keys, gate.memory, request, arrival.at, notes)?,
    };
    let clean = match judged {
        Judged::Known(known) => return Ok(Ending::Again(known)),
        Judged::Greeted(greeting) => return Ok(Ending::Greeted(greeting)),
        Judged::Clean(clean) => clean,
    };
    // Last, and before anything is kept or passed on: what is refused for something else asks nobody.
    if let Some(webhook) = route.sender.webhook() {
        confirmed(webhook, gate.keys, gate.vendor, refers.as_deref(), arrival.at).await?;
    }
    match &route.delivery {
        Delivery::Queue { to, form } => {
            let provider = route.sender.name();
            let (to, left_out) = gate.policy.takers(to, event_type(&clean));
            notes.left_out = left_out;
            let lineage = Lineage { policy: &gate.policy.digest, provider, form: *form, to: &to, keep: route.keep };
            let event = Event::new(&clean, &lineage, arrival);
            notes.event_id = Some(event.record().id.clone());
            Ok(gate.ledger.accept(event).await?.into())
        }
        Delivery::Direct { to, form } => {
            let (provider, to) = (route.sender.name(), std::slice::from_ref(to));
            let keep = Duration::ZERO;
            let lineage = Lineage { policy: &gate.policy.digest, provider, form: *form, to, keep };
            let event = Event::new(&clean, &lineage, arrival);
            notes.event_id = Some(event.record().id.clone());
            Ok(gate.direct.accept(event).await?.into())
        }
        Delivery::Relay => Ok(match gate.origin.relay(route, clean).await? {
            Relayed::Answered(answer) => Ending::Relayed(answer),
            Relayed::Again(known) => again(route, known).map(Ending::Again)?,
        }),
    }
}

/// Whether the vendor knows what the request refers to, where the policy asks for that. A forged id ends here.
async fn confirmed(
    webhook: &Webhook,
    keys: &Keys,
    vendor: &impl Vendor,
    refers: Option<&str>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let Some(confirm) = &webhook.trust().confirm else { return Ok(()) };
    let id = refers.ok_or(Rejection::ReferenceRefused)?;
    let question = confirm.how.question(id, confirm.key(keys, now));
    let question = question.ok_or_else(|| Fault::Unconfirmable("there is no key in force to ask with".into()))?;
    let Some(word) = vendor.ask(question).await.map_err(Fault::Unconfirmable)? else { return Ok(()) };
    match confirm.how.judge(&word, id, &confirm.members) {
        Confirmed::Yes => Ok(()),
        Confirmed::No(rejection) => Err(rejection.into()),
        Confirmed::Unclear(why) => Err(Fault::Unconfirmable(why.into()).into()),
    }
}

/// What a verified request turned out to be.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one a request, taken apart at once")]
pub enum Judged {
    /// A repeat of what was accepted before.
    Known(Known),
    /// New, as far as this process knows.
    Clean(Clean),
    /// A validation call of the sender's, which is no event.
    Greeted(Greeting),
}

/// Holds a head against the route's rules, before its body is read. What may be a validation call comes in whatever its
/// method and type; if it turns out to be none, it is refused for them.
///
/// # Errors
/// As [`Admit::head`](crate::admit::Admit::head).
pub fn admit(route: &Route, head: &Head) -> Result<(), Rejection> {
    let admitted = route.admit.head(head);
    let greets = || route.sender.webhook().is_some_and(|webhook| webhook.may_greet(head));
    match admitted {
        Err(Rejection::Method | Rejection::ContentType) if greets() => Ok(()),
        admitted => admitted,
    }
}

/// Decides without waiting for anything, so that a test, a fuzzer or a report can ask as well: signature, one
/// reading, the look, the sender's limit, checks and scrubs, in that order.
///
/// # Errors
/// The first [`Rejection`] in that order; a [`Fault`] where the keys of a token's issuer are not at hand.
pub fn judge(
    route: &Route,
    keys: &Keys,
    memory: &impl Memory,
    request: Unverified,
    now: Timestamp,
    notes: &mut Notes,
) -> Result<Judged, Refusal> {
    match &route.sender {
        Sender::Webhook(webhook) => judge_webhook(route, webhook, keys, memory, request, now, notes),
        Sender::Token(tokens) => {
            let bearer = shows(tokens, keys, &request.head, now, notes)?;
            let verified = shown(bearer, tokens.once, keys, request, now);
            Ok(judge_verified(route, keys, memory, verified, now, notes)?)
        }
    }
}

/// The same of a request whose token says all that is asked, by its head alone: its body may go on as it comes.
///
/// # Errors
/// As [`judge`].
pub fn judge_head(
    route: &Route,
    keys: &Keys,
    memory: &impl Memory,
    head: &Head,
    now: Timestamp,
    notes: &mut Notes,
) -> Result<Bearer, Refusal> {
    let tokens = route.sender.tokens().filter(|_| route.streams()).ok_or(Rejection::NoKey)?;
    let bearer = shows(tokens, keys, head, now, notes)?;
    limit(route, memory, bearer.spender(), notes)?;
    Ok(bearer)
}

/// Whom the request's token speaks for.
fn shows(tokens: &Tokens, keys: &Keys, head: &Head, now: Timestamp, notes: &mut Notes) -> Result<Bearer, Refusal> {
    let terms = tokens.rule.issuer().terms();
    notes.issuer = Some(terms.name.clone());
    let bearer = keys.issuers().authenticate(&tokens.rule, head, now)?;
    let token = bearer.token();
    notes.key_id = Some(token.key_id().unwrap_or("-").to_owned());
    notes.subject = token.subject().filter(|_| terms.logs_subject).map(str::to_owned);
    let tells = keys.identity().is_some();
    notes.nobody = Nobody::of(&bearer, head.target.raw()).filter(|_| tells).map(Nobody::code);
    Ok(bearer)
}

fn judge_webhook(
    route: &Route,
    webhook: &Webhook,
    keys: &Keys,
    memory: &impl Memory,
    request: Unverified,
    now: Timestamp,
    notes: &mut Notes,
) -> Result<Judged, Refusal> {
    if webhook.has_handshakes() {
        if let Some(mut greeting) = webhook.greet_stranger(keys, &request, now)
            && is_expected(&mut greeting, route, memory, now, notes)
        {
            if greeting.is_oracle {
                memory.take_stranger(&route.name, request.head.client)?;
            }
            notes.shown.clone_from(&greeting.shown);
            return Ok(Judged::Greeted(greeting));
        }
        route.admit.head(&request.head)?;
    }
    let verified = verify(webhook, keys, request, now)?;
    notes.key_id = Some(verified.key_id().to_owned());
    if let Some(greeting) = webhook.greet(keys, &verified, now) {
        notes.shown.clone_from(&greeting.shown);
        return Ok(Judged::Greeted(greeting));
    }
    Ok(judge_verified(route, keys, memory, verified, now, notes)?)
}

/// What is wrong with a document, for the sender; and where, for the operator.
fn found(unclean: Unclean, notes: &mut Notes) -> Rejection {
    notes.finding = unclean.finding.map(|finding| (finding.pointer, finding.keyword));
    unclean.rejection
}

/// Whether a call may be answered. One that hands over a key is a call only while its route is armed, and then once; what is no
/// key leaves the route as armed as it was.
fn is_expected(
    greeting: &mut Greeting,
    route: &Route,
    memory: &impl Memory,
    now: Timestamp,
    notes: &mut Notes,
) -> bool {
    if greeting.handed.is_none() && greeting.unfit.is_none() {
        return true;
    }
    let key = memory.disarm(&route.name, now);
    let handover = match (&key, greeting.unfit) {
        (None, _) => Handover::Unarmed,
        (Some(_), Some(Unfit::TooShort)) => Handover::TooShort,
        (Some(_), Some(Unfit::Unreadable)) => Handover::Unreadable,
        (Some(_), None) => Handover::Kept,
    };
    notes.handover = Some(handover);
    if let Some(handed) = &mut greeting.handed {
        handed.key = key;
    }
    handover == Handover::Kept
}

fn judge_verified(
    route: &Route,
    keys: &Keys,
    memory: &impl Memory,
    verified: Verified,
    now: Timestamp,
    notes: &mut Notes,
) -> Result<Judged, Rejection> {
    let read = read(verified, &route.contract, keys).map_err(|unclean| found(unclean, notes))?;
    if let Some(known) = memory.look(read.keys()) {
        // A known event spends no token and meets no schema: a captured delivery cannot drain its sender's quota, and
        // a stricter schema does not refuse the retry of an accepted event.
        notes.event_id = read.keys().id();
        judged(route, Check::Limits, notes);
        return again(route, known).map(Judged::Known);
    }
    limit(route, memory, read.verified().spender(), notes)?;
    let clean = clean(read, &route.contract, keys, now).map_err(|unclean| found(unclean, notes))?;
    if let Some(Unclean { rejection, finding }) = clean.unagreed() {
        let finding = finding.clone().map(|finding| (finding.pointer, finding.keyword));
        let found = Judgement::Refused(rejection.code(), finding);
        notes.observed.push(Observation { check: Check::Schema, found });
    }
    judged(route, Check::Schema, notes);
    notes.event_type = clean.event_type().map(str::to_owned);
    notes.contract = clean.version().map(str::to_owned);
    notes.sunset = clean.sunset();
    Ok(Judged::Clean(clean))
}

/// What a repeat is. A webhook's sender repeats what it got no answer to, and wants one; whoever shows a token that is
/// good once for a second time has not been given another one.
fn again(route: &Route, known: Known) -> Result<Known, Rejection> {
    match &route.sender {
        Sender::Webhook(_) => Ok(known),
        Sender::Token(_) => Err(TokenFlaw::Used.into()),
    }
}

/// Takes one token of this sender's.
fn limit(route: &Route, memory: &impl Memory, key: &str, notes: &mut Notes) -> Result<(), Rejection> {
    if let Some(rate) = route.limits.per_sender {
        let taken = memory.take(Bucket { route: &route.name, key, rate });
        taken.or_else(|rejection| fails(route, rejection, notes))?;
    }
    judged(route, Check::Limits, notes);
    Ok(())
}

/// What comes of a limit that is reached: where limits are tried before they enforce, that is noted, and the request goes
/// on.
///
/// # Errors
/// The rejection, where they enforce.
pub fn fails(route: &Route, rejection: Rejection, notes: &mut Notes) -> Result<(), Rejection> {
    if !route.observes(rejection.check()) {
        return Err(rejection);
    }
    notes.observed.push(Observation::refused(rejection, None));
    Ok(())
}

/// A check that is tried has come to its end: unless it failed, all was well.
fn judged(route: &Route, check: Check, notes: &mut Notes) {
    if route.observes(check) && !notes.observed.iter().any(|observation| observation.check == check) {
        notes.observed.push(Observation { check, found: Judgement::Good });
    }
}

/// What would have become of a request of a route that is observed whole, now that its body is here: all but the checks
/// on its head. The memory is not the gate's own: nothing that is only observed may be remembered where it counts.
pub fn observe(
    route: &Route,
    keys: &Keys,
    memory: &impl Memory,
    request: Unverified,
    now: Timestamp,
    notes: &mut Notes,
) -> Result<Judged, Refusal> {
    let judged = judge(route, keys, memory, request, now, notes);
    notes.observed.push(match &judged {
        Ok(Judged::Clean(_) | Judged::Greeted(_)) => Observation { check: Check::All, found: Judgement::Good },
        Ok(Judged::Known(_)) => Observation { check: Check::Repeats, found: Judgement::Repeat },
        Err(Refusal::Rejected(rejection)) => Observation::refused(*rejection, notes.finding.clone()),
        Err(Refusal::Failed(fault)) => Observation::unjudged(fault.code()),
    });
    judged
}

#[cfg(test)]
mod tests;
