//! What would the gate do with this request? The whole story without a socket, a disk or a clock: for tests of
//! policies, and for whoever wants to know before it happens.
//!
//! It is [`gate::handle`] with a ledger and an origin that keep what they are handed, so nothing is
//! decided here that is not decided there.

mod memory;
mod suite;
mod walk;

pub use suite::{Difference, Ending, Suite, Touched, Verdict};
pub use walk::{Facts, Phase, Result as PhaseResult, Step, walk};

use crate::{
    answer::{self, Answer},
    clock::Timestamp,
    event::{Arrival, Event, Record},
    gate::{self, Gate, Judged, Origin, Relayed, Vendor},
    guard::{Found, form},
    ledger::{Accepted, Ledger, Receipt},
    outcome::{Notes, Observation, Outcome},
    payload::Clean,
    policy::{Decision, Delivery, Policy, Route},
    request::{Body, Head, Unverified},
    verdict::{BoxError, Fault, Refusal, Rejection},
    verify::{Keys, Question, Word},
};
use bytes::Bytes;
use memory::Memory;
use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

/// A gate for trying things: one policy, its keys, and a memory of what came before.
pub struct Rehearsal<'a> {
    policy: &'a Policy,
    keys: &'a Keys,
    memory: Memory,
}

/// What became of one request.
#[derive(Debug)]
pub struct Played {
    /// In one word.
    pub decision: Decision,
    /// The code of logs and metrics.
    pub outcome: Outcome,
    /// The guarded route, if it was for one.
    pub route: Option<Arc<Route>>,
    /// What was learnt on the way.
    pub notes: Notes,
    /// What the sender hears; absent where WordPress answers.
    pub answer: Option<Answer>,
    /// What leaves for the destinations.
    pub event: Option<Record>,
    /// What reaches WordPress at once.
    pub relayed: Option<Bytes>,
    /// The content type of that, as it came.
    pub relayed_type: String,
}

impl Played {
    /// The code of logs and metrics: of what is observed, that of what was found.
    pub fn code(&self) -> &'static str {
        match (self.decision, self.notes.observed.first()) {
            (Decision::Observed, Some(observation)) => observation.found.code(),
            (_, _) => self.outcome.code(),
        }
    }
}

impl std::fmt::Debug for Rehearsal<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rehearsal").field("policy", &self.policy.digest).finish_non_exhaustive()
    }
}

impl<'a> Rehearsal<'a> {
    /// With nothing remembered yet.
    pub fn new(policy: &'a Policy, keys: &'a Keys) -> Self {
        Self { policy, keys, memory: Memory::default() }
    }

    /// As if an operator had armed the route of the next request, or not.
    pub fn arm(&self, armed: bool) {
        self.memory.arm(armed);
    }

    /// Takes one request through the gate, and remembers it as the gate would.
    pub fn play(&self, head: Head, body: Bytes, now: Timestamp) -> Played {
        self.play_with(head, body, now, None)
    }

    /// The same, with what the vendor says when it is asked; `None`: that it is so.
    pub fn play_with(&self, head: Head, body: Bytes, now: Timestamp, said: Option<Word>) -> Played {
        self.memory.set(now);
        let (found, route) = self.policy.find(&head);
        let route = route.cloned();
        let mut notes = Notes::default();
        let (index, route) = match (found, route) {
            (Found::Guarded(index), Some(route)) => (index, route),
            (Found::Batch, _) => return refused(None, &Rejection::Batch.into(), notes),
            (Found::Ambiguous, _) => return refused(None, &Rejection::TargetUnclear.into(), notes),
            (Found::Form(kind), _) => {
                let mut scanner = self.policy.guards.scanner(&head, kind);
                if scanner.feed(&body, true) == form::Verdict::Refuse {
                    return refused(None, &Rejection::GuardedInForm.into(), notes);
                }
                let Some(route) = scanner.observed().and_then(|index| self.policy.routes.get(index)) else {
                    return passed(notes);
                };
                notes.observed.push(Observation::refused(Rejection::GuardedInForm, None));
                return observed(route.clone(), content_type(&head), body, notes);
            }
            (Found::Open | Found::Guarded(_), _) => return passed(notes),
        };
        if route.is_observed() {
            return self.observe(index, route, head, body, now);
        }
        let admitted = gate::admit(&route, &head).and_then(|()| {
            let taken = self.memory.take_address(&route, head.client);
            taken.or_else(|rejection| gate::fails(&route, rejection, &mut notes))
        });
        if let Err(refusal) = admitted {
            return refused(Some(route), &refusal.into(), notes);
        }
        let strays = self.policy.guards.strays(&head, &body, index);
        let stage = Stage { memory: &self.memory, event: Mutex::new(None), relayed: Mutex::new(None) };
        let gate = Gate {
            policy: self.policy,
            keys: self.keys,
            memory: &self.memory,
            ledger: &stage,
            direct: &stage,
            origin: &stage,
            vendor: &Said(said),
        };
        let arrival = Arrival { at: now, request_id: REQUEST_ID.into() };
        let relayed_type = content_type(&head);
        let ending = at_once(gate::handle(&gate, &route, head, Whole { body, strays }, &arrival, &mut notes));
        let ending = ending.unwrap_or(Err(Refusal::Failed(Fault::TooLate)));
        let take = |kept: &Mutex<Option<Bytes>>| kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let relayed = take(&stage.relayed);
        let event = stage.event.lock().unwrap_or_else(PoisonError::into_inner).take();
        let (decision, outcome, answer) = match ending {
            Ok(gate::Ending::Accepted(receipt)) => {
                (Decision::Accepted, Outcome::Accepted, Some(answer::accepted(&route, &receipt)))
            }
            Ok(gate::Ending::Again(known)) => {
                let outcome = if known.changed.is_some() { Outcome::RepeatChanged } else { Outcome::Repeat };
                // To what is passed on, WordPress has the word.
                let answer = (route.delivery != Delivery::Relay).then(|| answer::again(&route, &known));
                (Decision::Repeat, outcome, answer)
            }
            Ok(gate::Ending::Greeted(greeting)) => {
                (Decision::Handshake, Outcome::Handshake, Some(answer::greeting(&greeting)))
            }
            Ok(gate::Ending::Relayed(())) => (Decision::Relayed, Outcome::Relayed, None),
            Err(refusal) => return refused(Some(route), &refusal, notes),
        };
        Played { decision, outcome, route: Some(route), notes, answer, event, relayed, relayed_type }
    }
}

impl Rehearsal<'_> {
    /// What is only observed reaches WordPress as it came.
    fn observe(&self, index: usize, route: Arc<Route>, head: Head, body: Bytes, now: Timestamp) -> Played {
        let (mut notes, guards) = (Notes::default(), &self.policy.guards);
        let media = content_type(&head);
        if guards.bystander(&head).is_some_and(|mut scanner| scanner.feed(&body, true) == form::Verdict::Refuse) {
            return refused(Some(route), &Rejection::GuardedInForm.into(), notes);
        }
        let admitted = gate::admit(&route, &head).and_then(|()| self.memory.take_address(&route, head.client));
        let fits = || (body.len() > route.admit.body_limit_bytes).then_some(Rejection::TooLarge);
        let strays = || guards.strays(&head, &body, index).then_some(Rejection::GuardedInForm);
        if let Some(rejection) = admitted.err().or_else(fits).or_else(strays) {
            notes.observed.push(Observation::refused(rejection, None));
            return observed(route, media, body, notes);
        }
        let request = Unverified { head, raw: body.clone() };
        if let Ok(Judged::Clean(clean)) = gate::observe(&route, self.keys, &self.memory, request, now, &mut notes) {
            self.memory.keep(clean.keys());
        }
        observed(route, media, body, notes)
    }
}

fn observed(route: Arc<Route>, relayed_type: String, body: Bytes, notes: Notes) -> Played {
    let (decision, outcome) = (Decision::Observed, Outcome::Observed);
    let (route, relayed) = (Some(route), Some(body));
    Played { decision, outcome, route, notes, answer: None, event: None, relayed, relayed_type }
}

fn content_type(head: &Head) -> String {
    head.sole(http::header::CONTENT_TYPE.as_str()).unwrap_or_default().to_owned()
}

/// Where a real request has one of its own.
const REQUEST_ID: &str = "rehearsal";

fn passed(notes: Notes) -> Played {
    let (decision, outcome, relayed_type) = (Decision::Passed, Outcome::Passed, String::new());
    Played { decision, outcome, route: None, notes, answer: None, event: None, relayed: None, relayed_type }
}

fn refused(route: Option<Arc<Route>>, refusal: &Refusal, notes: Notes) -> Played {
    let decision = match refusal {
        Refusal::Rejected(_) => Decision::Refused,
        Refusal::Failed(_) => Decision::Failed,
    };
    let answer = Some(answer::refused(route.as_deref(), refusal, REQUEST_ID));
    let (outcome, relayed_type) = (refusal.into(), String::new());
    Played { decision, outcome, route, notes, answer, event: None, relayed: None, relayed_type }
}

/// Nothing behind these ports waits for anything, so the story ends when it is asked once.
fn at_once<F: Future>(story: F) -> Option<F::Output> {
    let story = pin!(story);
    match story.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(ending) => Some(ending),
        Poll::Pending => None,
    }
}

/// A body that is there already.
struct Whole {
    body: Bytes,
    /// It is a form that names another guarded endpoint.
    strays: bool,
}

impl Body for Whole {
    async fn collect(self, limit_bytes: usize) -> Result<Bytes, Refusal> {
        if self.body.len() > limit_bytes {
            return Err(Rejection::TooLarge.into());
        }
        if self.strays { Err(Rejection::GuardedInForm.into()) } else { Ok(self.body) }
    }
}

/// A vendor that nobody asks: what it says is known.
struct Said(Option<Word>);

impl Vendor for Said {
    async fn ask(&self, _: Question) -> Result<Option<Word>, BoxError> {
        Ok(self.0.clone())
    }
}

/// Ledger and origin: both take everything that is new, and keep it for looking at.
struct Stage<'a> {
    memory: &'a Memory,
    event: Mutex<Option<Record>>,
    relayed: Mutex<Option<Bytes>>,
}

impl Ledger for Stage<'_> {
    async fn accept(&self, event: Event) -> Result<Accepted, Fault> {
        if let Some(known) = self.memory.keep(event.keys()) {
            return Ok(Accepted::Again(known));
        }
        let record = event.record().clone();
        let receipt = Receipt::durable(record.id.clone(), 1);
        *self.event.lock().unwrap_or_else(PoisonError::into_inner) = Some(record);
        Ok(Accepted::New(receipt))
    }
}

impl Origin for Stage<'_> {
    type Answer = ();

    async fn relay(&self, _: &Arc<Route>, clean: Clean) -> Result<Relayed<()>, Fault> {
        if let Some(known) = self.memory.keep(clean.keys()) {
            return Ok(Relayed::Again(known));
        }
        *self.relayed.lock().unwrap_or_else(PoisonError::into_inner) = Some(clean.body().clone());
        Ok(Relayed::Answered(()))
    }
}
