//! The suites of the ports that the spool serves, over real files and a disk that waits and fails as it is told to.

use super::*;
use crate::contract::{self, ledger::Rig as _};
use std::{
    fs,
    path::Path,
    sync::{Condvar, Mutex, atomic::AtomicUsize},
};

contract::ledger::ledger!(Rig::new());
contract::leases::leases!(Rig::new());

/// A spool in a folder of its own; each reopening is on a copy, as a kill leaves the files behind.
struct Rig {
    folder: tempfile::TempDir,
    copies: AtomicUsize,
    door: Arc<Door>,
}

impl Rig {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), copies: AtomicUsize::default(), door: Arc::default() }
    }

    fn open_in(&self, folder: PathBuf) -> Spool {
        let settings = Settings { folder, bytes: 64 << 20, free: 0 };
        let disk = Doored { disk: RealDisk::default(), door: self.door.clone() };
        Spool::open_on(settings, Arc::new(SystemClock), disk).unwrap().0
    }

    fn next_folder(&self) -> PathBuf {
        self.folder.path().join(self.copies.fetch_add(1, Ordering::SeqCst).to_string())
    }
}

impl contract::ledger::Rig for Rig {
    type Engine = Spool;

    async fn open(&self) -> Spool {
        self.open_in(self.next_folder())
    }

    async fn reopen(&self, killed: Spool) -> Spool {
        let folder = self.next_folder();
        copy(killed.folder(), &folder);
        drop(killed);
        self.open_in(folder)
    }

    fn hold(&self) {
        self.door.turn(State::Shut);
    }

    fn go_on(&self) {
        self.door.turn(State::Open);
    }

    fn fail(&self) {
        self.door.turn(State::Failing);
    }

    async fn mended(&self, engine: &Spool) {
        let ready = async {
            while engine.ready().is_err() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ready).await.expect("a new segment takes what comes");
    }

    async fn kept(&self, engine: &Spool) -> Vec<Record> {
        let view = view::view(engine.folder(), &mut |_, _| ()).unwrap();
        view.events.iter().map(|event| view::payload(engine.folder(), event).unwrap().unwrap()).collect()
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// What a sync has to pass.
#[derive(Default)]
struct Door {
    state: Mutex<State>,
    turned: Condvar,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Open,
    Shut,
    /// The next one fails, and then it is open.
    Failing,
}

impl Door {
    fn turn(&self, state: State) {
        *self.state.lock().unwrap() = state;
        self.turned.notify_all();
    }

    fn pass(&self) -> io::Result<()> {
        let mut state = self.turned.wait_while(self.state.lock().unwrap(), |state| *state == State::Shut).unwrap();
        match std::mem::take(&mut *state) {
            State::Failing => Err(io::Error::from_raw_os_error(nix::libc::EIO)),
            State::Open | State::Shut => Ok(()),
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.go_on(); // or the writer would wait for ever
    }
}

struct Doored {
    disk: RealDisk,
    door: Arc<Door>,
}

impl Disk for Doored {
    fn create(&mut self, folder: &Folder, head: &format::SegmentHead) -> io::Result<()> {
        self.disk.create(folder, head)
    }

    fn append(&mut self, records: &mut [IoSlice<'_>]) -> io::Result<()> {
        self.disk.append(records)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.door.pass()?;
        self.disk.sync()
    }
}
