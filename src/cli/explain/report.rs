//! What is said: for people in lines of eighty letters, for scripts as one object. It has neither secrets, signatures nor
//! bodies in it.

use super::{secrets::KeyTexts, wrapped::wrapped};
use crate::{
    cli::out::printable,
    clock::Timestamp,
    diagnosis::{Cause, Diagnosis, Found},
    rehearsal::{Phase, PhaseResult, Played, Step},
    verdict::Rejection,
};
use serde::Serialize;

/// Everything that there is to say about one request.
#[derive(Debug, Serialize)]
pub(super) struct Explained {
    method: String,
    path: String,
    body_bytes: usize,
    at: String,
    route: Option<String>,
    decision: &'static str,
    code: String,
    phases: Vec<Told>,
    pub(super) doctor: Option<Doctor>,
    /// Keys with which no gate would start.
    pub(super) keys: Vec<String>,
    not_looked_at: &'static [&'static str],
}

#[derive(Debug, Serialize)]
struct Told {
    phase: &'static str,
    result: &'static str,
    words: String,
}

/// What the doctor says.
#[derive(Debug, Serialize)]
pub(super) struct Doctor {
    /// `healthy`, `found`, `seen`, `ambiguous`, `unsigned` or `unknown`.
    verdict: &'static str,
    /// What is proved (`found`), or what anybody can see (`seen`); otherwise none.
    causes: Vec<ToldCause>,
    /// Those that are not there exactly once.
    headers: Vec<String>,
    /// One of the route's own keys cannot be read here.
    #[serde(skip)]
    lacks_own: bool,
    /// Its file may be what is mistaken.
    #[serde(skip)]
    own_sender: Option<String>,
    tried: Vec<Tried>,
    pairs: usize,
    not_tried: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ToldCause {
    code: &'static str,
    area: &'static str,
    what: String,
    by: &'static str,
    #[serde(skip)]
    place: String,
    mend: String,
}

#[derive(Debug, Serialize)]
struct Tried {
    area: &'static str,
    count: usize,
    #[serde(skip)]
    words: &'static str,
}

/// Whatever is said, these were not asked.
const NOT_LOOKED_AT: &[&str] = &[
    "whether it came before (the gate's memory)",
    "limits of addresses and senders",
    "how it is framed (what `head_refused` is about)",
    "the queue's disk, and whether destinations and WordPress are up",
];

impl Explained {
    pub(super) fn new(method: String, path: &str, body_bytes: usize, at: Timestamp) -> Self {
        let at = at.rfc3339();
        let path = printable(path).into_owned();
        let (phases, keys) = (Vec::new(), Vec::new());
        let (decision, code) = ("refused", String::new());
        Self {
            method,
            path,
            body_bytes,
            at,
            route: None,
            decision,
            code,
            phases,
            doctor: None,
            keys,
            not_looked_at: NOT_LOOKED_AT,
        }
    }

    pub(super) fn refused(&mut self, phase: Phase, rejection: Rejection) {
        rejection.code().clone_into(&mut self.code);
        let words = format!("{}: {rejection}", rejection.code());
        self.phases = vec![Told { phase: phase.name(), result: PhaseResult::Refused.name(), words }];
    }

    pub(super) fn played(&mut self, played: &Played, steps: Vec<Step>) {
        self.route = played.route.as_ref().map(|route| route.name.to_string());
        self.decision = played.decision.name();
        played.code().clone_into(&mut self.code);
        let told = |Step { phase, result, words }: Step| Told {
            phase: phase.name(),
            result: result.name(),
            words: printable(&words).into_owned(),
        };
        self.phases = steps.into_iter().map(told).collect();
    }

    /// Without its body, or what it shows, nobody can say more than the gate said of it then.
    pub(super) fn headless(&mut self, code: String, why: &str) {
        if self.phases.iter().take(HEAD_PHASES).any(|told| told.result == PhaseResult::Refused.name()) {
            return;
        }
        self.phases.truncate(HEAD_PHASES);
        let words = format!("it was refused with `{code}` when it came; {why}, so nothing can be tried");
        let result = PhaseResult::Nothing.name();
        self.phases.push(Told { phase: Phase::Verify.name(), result, words });
        (self.decision, self.code) = ("refused", code);
    }

    /// In lines.
    pub(super) fn text(&self) -> String {
        let (method, path) = (&self.method, printable(&self.path));
        let heading = format!("{method} {path}, {} bytes of body, at {}: {}", self.body_bytes, self.at, self.ending());
        let mut text = wrapped("", &heading, 2) + "\n";
        let (reached, others): (Vec<_>, Vec<_>) = self.phases.iter().partition(|told| told.result != NOT_REACHED);
        for Told { phase, result, words } in reached {
            let mark = match *result {
                "refused" => "NO",
                "ok" | "done" => "ok",
                _ => "-",
            };
            text += &wrapped(&format!("  {phase:<10} {mark:<3} "), words, INDENT);
        }
        if !others.is_empty() {
            let names: Vec<_> = others.iter().map(|told| told.phase).collect();
            text += &wrapped(&" ".repeat(INDENT), &format!("not reached: {}", names.join(", ")), INDENT);
        }
        for key in &self.keys {
            text += &wrapped("\n", &format!("With this key no gate starts: {}", printable(key)), 2);
        }
        if let Some(doctor) = &self.doctor {
            doctor.write(&mut text);
        }
        text + &wrapped("\n", &format!("Not looked at: {}.", self.not_looked_at.join("; ")), 2)
    }

    fn ending(&self) -> String {
        match self.decision {
            "refused" | "failed" => format!("{} ({})", self.decision, self.code),
            decision => decision.to_owned(),
        }
    }
}

/// Guard and admit look at the head alone.
const HEAD_PHASES: usize = 2;
const NOT_REACHED: &str = PhaseResult::NotReached.name();
/// Where the words of a phase begin.
const INDENT: usize = 17;

impl Doctor {
    /// Where one of the route's own keys is missing, nothing follows from what the others say.
    pub(super) fn of(diagnosis: Diagnosis, texts: &KeyTexts, lacks_own: bool) -> Self {
        let Diagnosis { found, headers, tried, pairs, left_out, own_sender } = diagnosis;
        let (verdict, causes) = match found {
            Found::Healthy => ("healthy", Vec::new()),
            Found::Named(causes) => ("found", causes),
            Found::Seen(causes) => ("seen", causes),
            Found::Ambiguous(_) => ("ambiguous", Vec::new()),
            Found::Unsigned => ("unsigned", Vec::new()),
            Found::Unknown => ("unknown", Vec::new()),
        };
        let told = |Cause { code, area, what, by, mend }: Cause| ToldCause {
            code: code.name(),
            area: area.name(),
            what: printable(&what).into_owned(),
            by: by.name(),
            place: by.to_string(),
            mend: printable(&mend).into_owned(),
        };
        let header = |(name, times): (String, usize)| match times {
            0 => format!("`{name}` is missing"),
            times => format!("`{name}` comes {times} times"),
        };
        let missing = texts.missing.iter().map(|label| format!("key {label}: it cannot be read here"));
        let spare = |list: &String| {
            format!("the keys of `{list}`: no route uses them, so that nothing says whether they are secret or public")
        };
        let missing = missing.chain(texts.spare.iter().map(spare));
        Self {
            verdict,
            causes: causes.into_iter().map(told).collect(),
            headers: headers.into_iter().map(header).collect(),
            lacks_own,
            own_sender,
            tried: tried
                .into_iter()
                .map(|(area, count)| Tried { area: area.name(), count, words: area.describe() })
                .collect(),
            pairs,
            not_tried: left_out.into_iter().chain(missing).collect(),
        }
    }

    fn write(&self, text: &mut String) {
        if !self.headers.is_empty() {
            let words = format!("Headers of the signature: {}.", self.headers.join("; "));
            *text += &wrapped("\n", &words, 2);
        }
        match self.verdict {
            "healthy" => return,
            "found" | "seen" => {
                let first = if self.verdict == "found" { "The cause" } else { "Seen without a key" };
                for (number, ToldCause { code, what, place, mend, .. }) in self.causes.iter().enumerate() {
                    let title = if number == 0 { first } else { "And with it" };
                    *text += &format!("\n{title} ({code})\n");
                    *text += &wrapped("  what   ", what, 9);
                    *text += &wrapped("  mend   ", &format!("{place}: {mend}"), 9);
                }
                if self.verdict == "seen" {
                    let words = "It would explain that the signature does not hold. No key proves it: with a secret that is not in this policy it would look the same.";
                    *text += &wrapped("\n", words, 2);
                }
            }
            "unsigned" => {
                let words = "There is no signature. Either the sender has no secret to sign with, or something on the way drops what it sends: the two look alike here. Look at the request where it leaves the sender.";
                *text += &wrapped("\n", words, 2);
            }
            "ambiguous" => {
                let words = "The cause cannot be told: several that are really different would all explain it.";
                *text += &wrapped("\n", words, 2);
            }
            _ if self.lacks_own => {
                let words = "The cause cannot be told: a key of this route cannot be read here, and it may be the one that made the signature. Run this where the gate finds its keys.";
                *text += &wrapped("\n", words, 2);
            }
            _ => {
                let words = "The cause cannot be told: nothing of what was tried makes the signature hold.";
                *text += &wrapped("\n", words, 2);
                let words = "Most often the sender then has a secret that is not in this policy: enter the same one again on both sides. Else its bytes were changed in a way that is not known here: compare the request with what left the sender.";
                let own = self.own_sender.as_ref().map(|name| format!(" Or the file of `{name}` is mistaken, which is your own: look at what `message`, `sig` and `key` say."));
                *text += &wrapped("", &format!("{words}{}", own.unwrap_or_default()), 2);
            }
        }
        let mut tried: Vec<_> =
            self.tried.iter().map(|Tried { count, words, .. }| format!("{count} {words}")).collect();
        if self.pairs > 0 {
            tried.push(format!("{} pairs of a key and something else", self.pairs));
        }
        if !tried.is_empty() {
            *text += &wrapped("\n", &format!("Tried: {}.", tried.join(", ")), 2);
        }
        // What is proved needs no more trials.
        if !self.not_tried.is_empty() && self.verdict != "found" {
            *text += &wrapped("\n", &format!("Not tried: {}.", self.not_tried.join("; ")), 2);
        }
    }
}
