//! The control socket: what changes something in a running gate. One JSON line in, one out; 0600, in the spool's 0700
//! folder, so that whoever may write there may ask.

use super::orders::{Order, Wish};
use crate::{
    spool::Spool,
    verdict::{Chain, Fault},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    os::unix::{fs::PermissionsExt as _, net::UnixStream as BlockingStream},
    path::{Path, PathBuf},
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
        actor: String,
    },
    /// Give an event up.
    Drop {
        /// The event's id.
        event: String,
        /// Who asks; written into the log.
        actor: String,
    },
    /// What policy is loaded?
    Policy,
    /// Read the policy again.
    Reload {
        /// Who asks; written into the log.
        actor: String,
    },
    /// Go back to the policy before.
    Rollback {
        /// Who asks; written into the log.
        actor: String,
    },
}

/// A listening socket; its file goes with it.
#[derive(Debug)]
pub struct Socket {
    path: PathBuf,
    task: JoinHandle<()>,
}

const LINE_BYTES_MAX: u64 = 4096;
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
    pub fn start(spool: Spool, orders: mpsc::Sender<Order>) -> io::Result<Self> {
        let path = path(spool.folder());
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let task = tokio::spawn(async move {
            // One after another: these are acts of people.
            while let Ok((stream, _)) = listener.accept().await {
                let _ = timeout(PATIENCE, serve(stream, &spool, &orders)).await;
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

async fn serve(stream: UnixStream, spool: &Spool, orders: &mpsc::Sender<Order>) -> io::Result<()> {
    let mut reader = AsyncReader::new(stream.take(LINE_BYTES_MAX));
    let mut line = String::new();
    reader.read_line(&mut line).await?;
    let answer = match serde_json::from_str::<Ask>(&line) {
        Ok(Ask::Retry { event, actor }) => done("retry", &event, &actor, spool.retry(&event, &actor).await),
        Ok(Ask::Drop { event, actor }) => done("drop", &event, &actor, spool.drop_event(&event, &actor).await),
        Ok(Ask::Policy) => asked(Wish::Show, orders).await,
        Ok(Ask::Reload { actor }) => asked(Wish::Reload { actor }, orders).await,
        Ok(Ask::Rollback { actor }) => asked(Wish::Rollback { actor }, orders).await,
        Err(error) => json!({ "ok": false, "error": format!("cannot read the request: {error}") }),
    };
    let mut stream = reader.into_inner().into_inner();
    stream.write_all(format!("{answer}\n").as_bytes()).await
}

fn done(verb: &str, event: &str, actor: &str, outcome: Result<bool, Fault>) -> Value {
    match outcome {
        Ok(done) => {
            tracing::info!(verb, event, actor, done, "an operator acted on the spool");
            json!({ "ok": true, "done": done })
        }
        Err(fault) => json!({ "ok": false, "error": Chain(&fault).to_string() }),
    }
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
