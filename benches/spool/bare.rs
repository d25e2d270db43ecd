//! The least that says yes after a sync: append what waits, `fdatasync`, answer all. What the spool adds to it is checks,
//! memory and order.

use bytes::Bytes;
use std::{
    fs::File,
    io::Write as _,
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};
use tokio::sync::oneshot;

/// As many as wait for the spool.
const WAITING_MAX: usize = 4096;
const BATCH_BYTES_MAX: usize = 8 << 20;

type Waiting = (Bytes, oneshot::Sender<()>);

#[derive(Clone)]
pub(super) struct Bare(SyncSender<Waiting>);

impl Bare {
    pub(super) fn open(folder: &Path) -> Self {
        let file = File::create(folder.join("bare")).unwrap();
        let (sender, waiting) = sync_channel(WAITING_MAX);
        std::thread::spawn(move || write(file, &waiting));
        Self(sender)
    }

    pub(super) async fn append(&self, bytes: Bytes) {
        let (told, outcome) = oneshot::channel();
        self.0.try_send((bytes, told)).unwrap();
        outcome.await.unwrap();
    }
}

fn write(mut file: File, waiting: &Receiver<Waiting>) {
    let (mut bytes, mut told) = (Vec::new(), Vec::new());
    while let Ok(first) = waiting.recv() {
        let mut next = Some(first);
        while let Some((payload, tell)) = next.take() {
            bytes.extend_from_slice(&payload);
            told.push(tell);
            if bytes.len() < BATCH_BYTES_MAX {
                next = waiting.try_recv().ok();
            }
        }
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
        bytes.clear();
        told.drain(..).for_each(|tell: oneshot::Sender<()>| tell.send(()).unwrap());
    }
}
