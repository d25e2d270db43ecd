//! `hookwarden explain`: how far would this request come, and why does its signature not hold?

mod inflate;
mod kept;
mod report;
mod request;
mod secrets;
mod wrapped;

use super::{EXIT_NOT_IN_ORDER, out::out, policy_files};
use crate::{
    captures,
    clock::{Clock as _, SystemClock, Timestamp},
    diagnosis::{Patient, diagnose},
    keys,
    policy::{self, Compiled, Overrides, Policy, Report, Sender, Source},
    rehearsal::{Facts, Phase, Rehearsal, walk},
    verify::{Catalogue, Held, Keys, Provider, Webhook, holds, jwt::Place},
};
use report::{Doctor, Explained};
use request::{Kept, Recorded};
use secrets::KeyTexts;
use std::{io::Write as _, path::PathBuf, process::ExitCode};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy: a file, or a folder with a `gate.yaml`
    policy: PathBuf,
    /// The stage, a file in `env/`
    #[arg(long, value_name = "NAME")]
    env: Option<String>,
    #[command(flatten)]
    which: Which,
    /// When it came, such as `2026-11-24T09:30:00Z`; by default the `now_unix` of the request, or now
    #[arg(long, value_name = "RFC3339", value_parser = moment)]
    at: Option<Timestamp>,
    /// Write one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The request: raw HTTP/1.1 (head, empty line, body), or a JSON object with method, url, headers, `body_base64`
    /// and `now_unix`; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// A refused request that the gate has kept (`capture` of a route), by its request id
    #[arg(long, value_name = "ID")]
    capture: Option<String>,
    /// List the refused requests that the gate has kept
    #[arg(long)]
    captures: bool,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::from_rfc3339(text).ok_or_else(|| "write it as `2026-11-24T09:30:00Z`".to_owned())
}

/// Runs it. What would be refused is explained like anything else: that is no failure. Exit code 3 if the policy is
/// not in order.
///
/// # Errors
/// The request cannot be read, there is no such capture, or standard output is closed.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let from_file = args.which.request.as_deref().map(request::read).transpose()?;
    let mut out = out();
    let (source, policy) = match compiled(args) {
        Ok(compiled) => compiled,
        Err(report) => {
            write!(out, "{report}")?;
            return Ok(ExitCode::from(EXIT_NOT_IN_ORDER));
        }
    };
    let recorded = match (from_file, &args.which.capture) {
        (Some(recorded), _) => recorded,
        (None, Some(id)) => kept::open(&policy, id)?,
        (None, None) => {
            write!(out, "{}", kept::listed(&policy, args.json)?)?;
            return Ok(ExitCode::SUCCESS);
        }
    };
    let now = args.at.or(recorded.at).unwrap_or_else(|| SystemClock.now());
    let catalogue = catalogue(&source);
    let (keys, unreadable) = keys::for_trying(&policy, &policy_files::environment, now)?;
    let texts = KeyTexts::of(&policy, &args.policy, args.env.as_deref(), now);
    let mut explained = explain(&policy, &keys, recorded, now, &catalogue, &texts);
    explained.keys = unreadable.iter().map(ToString::to_string).collect();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&explained)?)?;
    } else {
        write!(out, "{}", explained.text())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn compiled(args: &Args) -> Result<(Source, Policy), Report> {
    let source = policy_files::read(&args.policy, args.env.as_deref());
    // What has ended is enforced, as in the gate that runs.
    let overrides = Overrides { ended_enforces: true, ..Overrides::default() };
    let Compiled { policy, .. } = policy::compile(&source, &Catalogue::embedded(), &overrides, SystemClock.now())?;
    Ok((source, policy))
}

/// With the senders that lie beside the policy.
fn catalogue(source: &Source) -> Catalogue {
    let own: Vec<_> = source.providers.iter().filter_map(|file| Provider::from_yaml(&file.text).ok()).collect();
    Catalogue::embedded().with(own).unwrap_or_else(|_| Catalogue::embedded())
}

fn explain(
    policy: &Policy,
    keys: &Keys,
    recorded: Recorded,
    now: Timestamp,
    catalogue: &Catalogue,
    texts: &KeyTexts,
) -> Explained {
    let Recorded { request, method, path, kept, .. } = recorded;
    let bytes = request.as_ref().map_or(0, |request| request.raw.len());
    let mut explained = Explained::new(method, &path, bytes, now);
    let request = match request {
        Ok(request) => request,
        Err(rejection) => {
            explained.refused(Phase::Guard, rejection);
            return explained;
        }
    };
    let played = Rehearsal::new(policy, keys).play(request.head.clone(), request.raw.clone(), now);
    let webhook = played.route.as_ref().and_then(|route| match &route.sender {
        Sender::Webhook(webhook) => Some(webhook),
        Sender::Token(_) => None,
    });
    let held = webhook.and_then(|webhook| held(webhook, keys, &request, now));
    let facts = Facts { policy, request: &request, now, held: held.as_ref() };
    explained.played(&played, walk(&played, facts));
    if let Some(Kept { code, is_headless }) = kept {
        let withheld = played.route.as_ref().and_then(|route| withheld(&route.sender));
        let why = match withheld {
            _ if is_headless => Some("its body was not kept".to_owned()),
            Some(name) => Some(format!(
                "what it shows stood in `{name}`, of which captures never have the value: record one and take `--request`"
            )),
            None => None,
        };
        if let Some(why) = why {
            // Of what the phases behind the head would say nothing is known.
            explained.headless(code, &why);
            return explained;
        }
    }
    let is_known = played.decision == policy::Decision::Handshake;
    if let Some(webhook) = webhook.filter(|_| !is_known) {
        let keys = &texts.texts;
        let patient = Patient { webhook, request: &request, now, keys, catalogue, inflate: Some(inflate::inflate) };
        let list = webhook.keys().split('/').next().unwrap_or_default();
        let lacks_own = texts.missing.iter().any(|label| label.ends_with(&format!(" of `{list}`")));
        explained.doctor = Some(Doctor::of(diagnose(&patient), texts, lacks_own));
    }
    explained
}

/// The header in which this sender shows who it is, if captures have no value of it.
fn withheld(sender: &Sender) -> Option<&str> {
    let header = match sender {
        Sender::Webhook(webhook) => webhook.provider().scheme.signature_header()?,
        Sender::Token(tokens) => match tokens.rule.place() {
            Place::Bearer => "authorization",
            Place::Header(name) => name.as_str(),
            Place::Cookie(_) => "cookie",
        },
    };
    captures::is_withheld(header).then_some(header)
}

/// The signature by itself, whatever else would become of the request.
fn held(webhook: &Webhook, keys: &Keys, request: &crate::request::Unverified, now: Timestamp) -> Option<Held> {
    let in_force: Vec<_> = keys.in_force(webhook.keys(), now).collect();
    holds(webhook.provider(), &in_force, request, webhook.public_url(), webhook.config()).ok()
}
