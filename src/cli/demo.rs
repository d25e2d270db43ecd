//! `hookwarden demo`: the whole gate on one screen, with its own sample origin and signed test events.

mod origin;
mod place;

use super::{
    out::out,
    running::{Running, Start},
    send::post,
    signing::{JSON, Request, TestEvent, random_id},
};
use crate::{
    control::logging::{self, Format},
    edge::{self, PingoraOutbound},
    outbound::Response,
    verify::{Catalogue, Config, Provider, SigningKey},
};
use anyhow::{Context as _, bail};
use place::Place;
use std::{
    fs::{self, OpenOptions},
    future::pending,
    io::{self, Write as _},
    net::SocketAddr,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep},
};

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where the gate listens
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where metrics and health are served
    #[arg(long, default_value = "127.0.0.1:9090", value_name = "ADDRESS")]
    admin: SocketAddr,
    /// Where policy, secrets and spool of the demonstration go, and stay; if absent, a new folder below the system's for
    /// temporary files, which is removed at the end
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// End after the events are shown, instead of staying up to try
    #[arg(long)]
    once: bool,
}

/// Runs it.
///
/// # Errors
/// A folder, an address or the sample origin is not to be had; or something of what is shown did not come true.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    edge::install_crypto()?;
    logging::init(Format::Human, tracing::Level::WARN);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(show(args))
}

const STANDARD_WEBHOOKS: &str = "standard-webhooks";
const STRIPE: &str = "stripe";

async fn show(args: Args) -> anyhow::Result<ExitCode> {
    let place = Place::make(args.folder)?;
    let folder = place.folder();
    let (origin, seen) = origin::start().await.context("cannot start the sample origin")?;
    let secrets = Secrets::make(folder)?;
    fs::write(folder.join("gate.yaml"), policy(folder, args.listen, args.admin, origin))?;
    let start = Start { policy: Some(folder.join("gate.yaml")), ..Start::default() };
    let Some(running) = Running::start(start).await? else {
        return Ok(ExitCode::from(super::EXIT_NOT_IN_ORDER));
    };
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let shown = tokio::select! {
        shown = perform(&running, (origin, &seen), &secrets, &place, args.once) => shown,
        _ = interrupt.recv() => Ok(0),
        _ = terminate.recv() => Ok(0),
    };
    running.stop().await;
    match shown? {
        0 => Ok(ExitCode::SUCCESS),
        failed => bail!("{failed} of what was shown is not as it should be; the lines are marked"),
    }
}

/// How much of it did not come true; stays up to try, unless it is to be shown `once`.
async fn perform(
    running: &Running,
    (origin, seen): (SocketAddr, &origin::Seen),
    secrets: &Secrets,
    place: &Place,
    once: bool,
) -> anyhow::Result<usize> {
    let gate = running.addresses().first().copied().context("the gate listens nowhere")?;
    writeln!(out(), "a sample shop on http://{origin},\nand the gate in front of it on http://{gate}\n")?;

    let outbound = PingoraOutbound::new(8, None);
    let mut screen = Screen { outbound, gate, failed: 0 };
    screen.all(secrets).await?;

    let delivered = delivered(seen, 2).await;
    writeln!(out(), "\nthe shop received {delivered} of the 2 accepted events, each signed by the gate:")?;
    for hit in seen.hits().iter().filter(|hit| hit.path.contains("hookwarden")) {
        let header = |name: &str| hit.headers.get(name).cloned().unwrap_or_default();
        writeln!(out(), "  webhook-id {}, {} bytes, {}", header("webhook-id"), hit.body_bytes, header("content-type"))?;
    }
    let failed = screen.failed + usize::from(delivered < 2);
    if once {
        return Ok(failed);
    }
    invite(gate, running.admin(), place)?;
    pending().await
}

/// What to try while it stays up. The command is told as it was called: it may not be in `PATH`.
fn invite(gate: SocketAddr, admin: SocketAddr, place: &Place) -> io::Result<()> {
    let (command, folder) = (std::env::args().next().unwrap_or_else(|| "hookwarden".to_owned()), place.folder());
    let secret = folder.join(STANDARD_WEBHOOKS);
    let (secret, spool, policy) = (secret.display(), folder.join("spool"), folder.join("gate.yaml"));
    let mut out = out();
    writeln!(out, "\nIt stays up until Ctrl-C. In another terminal, in this folder:\n")?;
    writeln!(out, "  curl -i http://{gate}/                                   # an ordinary page")?;
    writeln!(out, "  curl -i -d '{{}}' http://{gate}/hooks/events               # not signed: 401")?;
    writeln!(out, "  {command} send http://{gate}/hooks/events --provider {STANDARD_WEBHOOKS} --key file:{secret}")?;
    writeln!(out, "  curl -s http://{admin}/metrics | grep hookwarden_requests_total")?;
    writeln!(out, "  {command} spool ls --spool {}", spool.display())?;
    writeln!(out, "  less {}", policy.display())?;
    if let Place::Temporary(folder) = place {
        writeln!(
            out,
            "\nAt the end `{}` is removed; `--folder DIR` keeps policy, secrets and queue.",
            folder.display()
        )?;
    }
    Ok(())
}

/// As the sample shop counts them.
async fn delivered(seen: &origin::Seen, expected: usize) -> usize {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let count = seen.hits().iter().filter(|hit| hit.path.contains("hookwarden")).count();
        if count >= expected || Instant::now() > deadline {
            return count;
        }
        sleep(Duration::from_millis(20)).await;
    }
}

struct Screen {
    outbound: PingoraOutbound,
    gate: SocketAddr,
    failed: usize,
}

impl Screen {
    async fn all(&mut self, secrets: &Secrets) -> anyhow::Result<()> {
        let catalogue = Catalogue::embedded();
        let provider = |name: &str| catalogue.find(name).cloned().context("a sender of this build");
        let (events, stripe) = (provider(STANDARD_WEBHOOKS)?, provider(STRIPE)?);
        let (key, other) = (events.scheme.signing_key(&secrets.events)?, events.scheme.signing_key(&secrets.stranger)?);
        let checkout = stripe.scheme.signing_key(&secrets.stripe)?;
        let (first, second, third) = (random_id()?, random_id()?, random_id()?);

        self.event("a signed event", &events, &key, &first, "/hooks/events", 202).await?;
        self.event("the same event again: a retry, told by its signed id", &events, &key, &first, "/hooks/events", 202)
            .await?;
        self.event("another signed event", &events, &key, &second, "/hooks/events", 202).await?;
        self.event("a forged one: signed with another key", &events, &other, &first, "/hooks/events", 401).await?;
        let bare = post(&self.outbound, &Request::bare(self.url("/hooks/events"))).await?;
        self.told("one that is not signed at all", &bare, 401)?;
        let bare = post(&self.outbound, &Request::bare(self.url("/feed/wc-api/WC_.Stripe?x=1"))).await?;
        self.told("a plugin's endpoint under another spelling, unsigned", &bare, 401)?;
        self.event(
            "the plugin's endpoint, signed: relayed at once",
            &stripe,
            &checkout,
            &third,
            "/?wc-api=wc_stripe",
            200,
        )
        .await?;
        let page = post(&self.outbound, &Request::bare(self.url("/"))).await?;
        self.told("an ordinary request: passes", &page, 200)?;
        Ok(())
    }

    fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.gate)
    }

    async fn event(
        &mut self,
        what: &str,
        provider: &Provider,
        key: &SigningKey,
        id: &str,
        target: &str,
        expected: u16,
    ) -> anyhow::Result<()> {
        // Of its own in each run: in a folder that has seen one, it would be a repeat.
        let body = format!(r#"{{"id":"{id}","type":"order.paid","data":{{"total":12.5}}}}"#);
        let event = TestEvent { provider, key, id, content_type: JSON, body: body.as_bytes(), config: &Config::new() };
        let response = post(&self.outbound, &event.signed(&self.url(target), None)).await?;
        self.told(what, &response, expected)?;
        Ok(())
    }

    fn told(&mut self, what: &str, response: &Response, expected: u16) -> io::Result<()> {
        let as_expected = response.status.as_u16() == expected;
        self.failed += usize::from(!as_expected);
        let mark = if as_expected { "" } else { "   <- not as it should be" };
        writeln!(out(), "  {:<58} {}{mark}", what, response.status)
    }
}

/// Made for this demonstration alone.
struct Secrets {
    events: String,
    stripe: String,
    stranger: String,
}

impl Secrets {
    fn make(folder: &Path) -> anyhow::Result<Self> {
        let events = secret(folder, STANDARD_WEBHOOKS)?;
        let stripe = secret(folder, STRIPE)?;
        secret(folder, "shop")?;
        Ok(Self { events, stripe, stranger: random_secret()? })
    }
}

fn random_secret() -> anyhow::Result<String> {
    let mut bits = [0; 24];
    getrandom::fill(&mut bits).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(format!("whsec_{}", data_encoding::BASE64.encode(&bits)))
}

fn secret(folder: &Path, name: &str) -> anyhow::Result<String> {
    let path = folder.join(name);
    if let Ok(known) = fs::read_to_string(&path) {
        return Ok(known);
    }
    let text = random_secret()?;
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(text)
}

fn policy(folder: &Path, listen: SocketAddr, admin: SocketAddr, origin: SocketAddr) -> String {
    let folder = folder.display();
    format!(
        "\
# The policy of this demonstration.
listeners: [{{ on: \"{listen}\" }}]
origin: {{ url: \"http://{origin}\" }}
admin: {{ on: \"{admin}\" }}
spool: {{ folder: \"{folder}/spool\" }}
routes:
  events:                                  # durable first, delivered by the gate
    at: {{ path: /hooks/events }}
    sender: {{ provider: {STANDARD_WEBHOOKS}, keys: events }}
    deliver: {{ via: queue, to: [shop] }}
  stripe-checkout:                         # a plugin waits for it: passed on at once, verbatim
    at: {{ wc-api: wc_stripe }}
    sender: {{ provider: {STRIPE}, keys: stripe }}
    deliver: {{ via: relay, form: verbatim }}
destinations:
  shop: {{ url: \"http://{origin}/wp-json/hookwarden/v1/events\", sign: \"file:{folder}/shop\" }}
keys:
  events: [{{ id: demo, from: \"file:{folder}/{STANDARD_WEBHOOKS}\" }}]
  stripe: [{{ id: demo, from: \"file:{folder}/{STRIPE}\" }}]
"
    )
}
