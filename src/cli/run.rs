//! `hookwarden run`: the gate.

use super::running::{self, Start};
use crate::{
    control::{
        actor::Actor,
        logging::{self, Format},
    },
    edge,
};
use anyhow::Context as _;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::warn;

/// Its options.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A policy file, or a folder with gate.yaml in it; without one nothing is guarded, and --upstream is needed
    policy: Option<PathBuf>,
    /// The stage: a file in the policy's `env/`
    #[arg(long, value_name = "NAME", requires = "policy")]
    env: Option<String>,
    /// What stands behind the gate, such as `http://127.0.0.1:8080`; replaces the policy's `origin.url`
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// Where to listen; replaces the policy's listeners. 127.0.0.1:8000 where nobody says
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    listen: Vec<SocketAddr>,
    /// Where metrics and health are served; replaces the policy's `admin`
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    admin: Option<SocketAddr>,
    /// Load the policy only when asked to, by SIGHUP or `hookwarden policy reload`, and not when its files change
    #[arg(long)]
    no_watch: bool,
    /// How log lines are written to standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Human)]
    log_format: LogFormat,
    /// error, warn, info or debug; ordinary traffic that passes is told at debug
    #[arg(long, default_value = "info")]
    log_level: tracing::Level,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LogFormat {
    /// For people
    Human,
    /// One JSON object a line
    Json,
}

/// Runs it until SIGTERM or SIGINT, then drains; a second one ends it at once, with exit code 1. SIGHUP reads policy,
/// keys and certificates again.
///
/// # Errors
/// Nothing was started: the policy, a key, the spool, an address or a certificate is not in order.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    edge::install_crypto()?; // first: whoever asks for cryptography before would get another provider
    keep_memory_private()?;
    let format = match args.log_format {
        LogFormat::Human => Format::Human,
        LogFormat::Json => Format::Json,
    };
    logging::init(format, args.log_level);
    let Args { policy, env, upstream, listen, admin, no_watch, .. } = args;
    let start = Start { policy, env, upstream, listen, admin, watch: !no_watch, in_log: format == Format::Json };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start a runtime")?;
    let code = runtime.block_on(async {
        // Before the log says that it stands: whoever waits for that may ask it to stop at once.
        let signals = Signals::hear()?;
        let Some(running) = running::Running::start(start).await? else {
            return Ok(ExitCode::from(super::EXIT_NOT_IN_ORDER));
        };
        Ok(serve(running, signals).await)
    });
    // What still runs now was cut by the drain's deadline.
    runtime.shutdown_background();
    code
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "write an IP address and a port, such as `127.0.0.1:8000`, `0.0.0.0:80` or `[::]:443`".to_owned())
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn hear() -> anyhow::Result<Self> {
        let hear = |kind| signal(kind).context("cannot listen for signals");
        let (terminate, interrupt) = (hear(SignalKind::terminate())?, hear(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt, hangup: hear(SignalKind::hangup())? })
    }

    async fn stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn serve(running: running::Running, mut signals: Signals) -> ExitCode {
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
            _ = signals.hangup.recv() => running.reload(Actor::SIGHUP),
        }
    }
    tokio::select! {
        () = running.stop() => ExitCode::SUCCESS,
        // Whoever asks twice will not wait; what was accepted is on disk.
        () = signals.stop() => {
            warn!("asked again to stop; what is in flight is cut");
            ExitCode::FAILURE
        }
    }
}

/// Keys are in memory: no core dumps, and no other process of this user may look.
fn keep_memory_private() -> anyhow::Result<()> {
    use nix::sys::{
        prctl::set_dumpable,
        resource::{Resource, setrlimit},
    };
    setrlimit(Resource::RLIMIT_CORE, 0, 0).context("cannot turn core dumps off")?;
    set_dumpable(false).context("cannot keep memory private")
}
