//! The control socket: what changes something in a running gate. One JSON line in, one out; 0600, in the spool's 0700
//! folder, so that whoever may write there may ask.

use super::{
    actor::{Actor, Reason},
    observed::Observed,
    orders::{HandshakeWish, Order, Wish},
};
use crate::{
    deliver::{Enabled, Switches},
    spool::{Act, By, Chosen, Fate, Letters, Spool},
    verdict::{Chain, Fault},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::{fs::PermissionsExt as _, net::UnixStream as BlockingStream},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader as AsyncReader},
    net::{UnixListener, UnixStream},
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

/// What is asked of a running gate.
#[derive(Debug, Deserialize, Serialize)]
#[serde(tag = "verb", rename_all = "lowercase", deny_unknown_fields)]
pub enum Ask {
    /// Put an event's dead letters back.
    Retry {
        /// The event's id.
        event: String,
        /// Who asks; written into the log.
        actor: Actor,
        /// Why; written into the log.
        #[serde(default)]
        reason: Reason,
    },
    /// Give an event up.
    Drop {
        /// The event's id.
        event: String,
        /// Who asks; written into the log.
        actor: Actor,
        /// Why; written into the log.
        #[serde(default)]
        reason: Reason,
    },
    /// Put dead letters back, or give them up, many of them at once.
    Letters {
        /// Which of the two.
        fate: Fate,
        /// Which dead letters.
        letters: Letters,
        /// Who asks; written into the log.
        actor: Actor,
        /// Why; written into the log.
        #[serde(default)]
        reason: Reason,
    },
    /// Have events that were delivered wait once more.
    Redeliver {
        /// Which.
        events: Vec<Chosen>,
        /// Who asks; written into the log.
        actor: Actor,
        /// Why; written into the log.
        #[serde(default)]
        reason: Reason,
    },
    /// What policy is loaded?
    Policy,
    /// Read the policy again.
    Reload {
        /// Who asks; written into the log.
        actor: Actor,
        /// Why; written into the log.
        #[serde(default)]
        reason: Reason,
    },
    /// Go back to the policy before.
    Rollback {
        /// Who asks; written into the log.
        actor: Actor,
        /// Why; written into the log.
        #[serde(default)]
        reason: Reason,
    },
    /// Ask a destination again that answered 410.
    Enable {
        /// Its name in the policy.
        destination: String,
        /// Who asks; written into the log.
        actor: Actor,
        /// Why; written into the log.
        #[serde(default)]
        reason: Reason,
    },
    /// What the policy's destinations are doing; changes nothing.
    Destinations,
    /// What would have been refused where routes are tried; changes nothing.
    Observed,
    /// Let a route's sender hand over its key.
    Arm {
        /// The route's name.
        route: String,
        /// The key's label; may be left out where there is one.
        key: Option<String>,
        /// For so long.
        seconds: u64,
        /// Who asks; written into the log.
        actor: Actor,
        /// Why; written into the log.
        #[serde(default)]
        reason: Reason,
    },
    /// Let it not any more.
    Disarm {
        /// The route's name.
        route: String,
        /// Who asks; written into the log.
        actor: Actor,
        /// Why; written into the log.
        #[serde(default)]
        reason: Reason,
    },
    /// What is armed, and which URLs vendors want opened; changes nothing.
    Handshakes,
}

/// A listening socket; its file goes with it.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    task: JoinHandle<()>,
}

/// Ten thousand dead letters by the numbers of their events, each of which may have twenty digits; or a hundred events to
/// redeliver, with their destinations.
const LINE_BYTES_MAX: u64 = 256 << 10;
const PATIENCE: Duration = Duration::from_secs(15);

fn path(folder: &Path) -> PathBuf {
    folder.join("control.sock")
}

impl Socket {
    /// Listens in the spool's folder. The caller holds the spool, so a file that is left there is a dead gate's.
    ///
    /// # Errors
    /// The file cannot be made, as where the path is too long for a socket.
    #[expect(clippy::disallowed_methods, reason = "dropping the socket ends it")]
    pub fn start(
        spool: Spool,
        orders: mpsc::Sender<Order>,
        switches: Switches,
        observed: Arc<Observed>,
    ) -> io::Result<Self> {
        let path = path(spool.folder());
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let asked_of = Parts { spool, orders, switches, observed };
        let task = tokio::spawn(async move {
            // One after another: these are acts of people.
            while let Ok((stream, _)) = listener.accept().await {
                let _ = timeout(PATIENCE, serve(stream, &asked_of)).await;
            }
        });
        Ok(Self { path, task })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.task.abort();
        let _ = fs::remove_file(&self.path);
    }
}

/// Who answers.
struct Parts {
    spool: Spool,
    orders: mpsc::Sender<Order>,
    switches: Switches,
    observed: Arc<Observed>,
}

async fn serve(stream: UnixStream, parts: &Parts) -> io::Result<()> {
    let mut reader = AsyncReader::new(stream.take(LINE_BYTES_MAX));
    let mut line = String::new();
    reader.read_line(&mut line).await?;
    let answer = match serde_json::from_str::<Ask>(&line) {
        Ok(ask) => done(ask, parts).await,
        Err(error) => json!({ "ok": false, "error": format!("cannot read the request: {error}") }),
    };
    let mut stream = reader.into_inner().into_inner();
    stream.write_all(format!("{answer}\n").as_bytes()).await
}

async fn done(ask: Ask, Parts { spool, orders, switches, observed }: &Parts) -> Value {
    let outcome = match &ask {
        Ask::Retry { event, actor, reason } => spool.retry(event, by(actor, reason)).await,
        Ask::Drop { event, actor, reason } => spool.drop_event(event, by(actor, reason)).await,
        Ask::Enable { destination, actor, reason } => match switches.enable(destination) {
            Enabled::Unknown => return unknown(destination, switches),
            Enabled::WasNot => Ok(None),
            Enabled::Done => spool.record_act(by(actor, reason), "enable", destination).await.map(Some),
        },
        Ask::Redeliver { events, actor, reason } => {
            return match spool.redeliver(events, by(actor, reason)).await {
                Ok(redelivered) => {
                    redelivered.iter().for_each(|redelivered| tell_act(&redelivered.act));
                    json!({ "ok": true, "events": redelivered.map_or(0, |redelivered| redelivered.events) })
                }
                Err(fault) => refused(&fault),
            };
        }
        Ask::Letters { fate, letters, actor, reason } => {
            return match spool.settle_letters(*fate, letters, by(actor, reason)).await {
                Ok(settled) => {
                    settled.iter().for_each(|(_, act)| tell_act(act));
                    json!({ "ok": true, "events": settled.map_or(0, |(count, _)| count) })
                }
                Err(fault) => refused(&fault),
            };
        }
        Ask::Policy => return asked(Wish::Show, orders).await,
        Ask::Reload { actor, reason } => {
            return asked(Wish::Reload { actor: actor.clone(), reason: reason.clone() }, orders).await;
        }
        Ask::Rollback { actor, reason } => {
            return asked(Wish::Rollback { actor: actor.clone(), reason: reason.clone() }, orders).await;
        }
        Ask::Arm { route, key, seconds, actor, reason } => {
            let (route, key, within) = (route.clone(), key.clone(), Duration::from_secs(*seconds));
            let (actor, reason) = (actor.clone(), reason.clone());
            let wish = HandshakeWish::Arm { route, key, within, actor, reason };
            return asked(Wish::Handshake(wish), orders).await;
        }
        Ask::Disarm { route, actor, reason } => {
            let (route, actor, reason) = (route.clone(), actor.clone(), reason.clone());
            return asked(Wish::Handshake(HandshakeWish::Disarm { route, actor, reason }), orders).await;
        }
        Ask::Handshakes => return asked(Wish::Handshake(HandshakeWish::Show), orders).await,
        Ask::Observed => return json!({ "ok": true, "observed": observed.report() }),
        Ask::Destinations => {
            let standings = switches.standings().into_iter();
            let standings = standings.map(|(name, standing)| (name, json!(standing.code())));
            return json!({ "ok": true, "destinations": standings.collect::<serde_json::Map<_, _>>() });
        }
    };
    match outcome {
        Ok(act) => {
            act.iter().for_each(tell_act);
            json!({ "ok": true, "done": act.is_some() })
        }
        Err(fault) => refused(&fault),
    }
}

fn refused(fault: &Fault) -> Value {
    json!({ "ok": false, "error": Chain(fault).to_string() })
}

fn by<'a>(actor: &'a Actor, reason: &'a Reason) -> By<'a> {
    By { actor: actor.as_str(), reason: reason.as_str() }
}

async fn asked(wish: Wish, orders: &mpsc::Sender<Order>) -> Value {
    let (tell, told) = oneshot::channel();
    let reply = match orders.send(Order { wish, tell }).await {
        Ok(()) => told.await.ok(),
        Err(_) => None,
    };
    let leaving = || json!({ "ok": false, "error": "the gate is about to stop" });
    reply.and_then(|reply| serde_json::to_value(reply).ok()).unwrap_or_else(leaving)
}

/// The digest lies here too: who rewrites the acts in the spool does not reach this line.
pub fn tell_act(act: &Act) {
    let Act { number, actor, what, about, reason, .. } = act;
    tracing::info!(act = number, digest = %act.digest(), actor, what, about, reason, "an operator acted");
}

fn unknown(destination: &str, switches: &Switches) -> Value {
    let known: Vec<_> = switches.standings().into_iter().map(|(name, _)| name).collect();
    let error = format!("the policy has no destination `{destination}`; it has: {}", known.join(", "));
    json!({ "ok": false, "error": error })
}

/// Asks the gate that holds this spool; `None` if none is listening.
///
/// # Errors
/// The gate did not answer, or not in JSON.
pub fn ask(folder: &Path, request: &Ask) -> io::Result<Option<Value>> {
    let mut stream = match BlockingStream::connect(path(folder)) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("{}\n", serde_json::to_string(request)?).as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(Some(serde_json::from_str(&line)?))
}

#[cfg(test)]
mod tests;
