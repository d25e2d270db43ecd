//! Segment files: made, appended to, sealed, deleted. What is written is not believed before its sync, and nothing is
//! believed again after a failed one: on Linux a failed sync marks the pages clean, and asking again says yes and lies.

use super::format::{SEGMENT_HEAD_BYTES, SegmentHead};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, IoSlice, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// The folder and the names in it.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

/// The suffix of segment files.
const SUFFIX: &str = ".log";
/// Space for settling and for carrying forward on a full disk.
const RESERVE: &str = "reserve";

impl Folder {
    /// Makes the folder with 0700 where it is not there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        Ok(Self(path.to_owned()))
    }

    /// For reading alone: nothing is made.
    pub(super) fn existing(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    fn segment(&self, number: u64) -> PathBuf {
        self.0.join(format!("{number:012}{SUFFIX}"))
    }

    /// The numbers of the segments that are there, in order.
    pub(super) fn segments(&self) -> io::Result<Vec<u64>> {
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let name = entry?.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
            numbers.extend(stem.and_then(|stem| stem.parse::<u64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// A segment's bytes, as they are now.
    pub(super) fn read(&self, number: u64) -> io::Result<Vec<u8>> {
        fs::read(self.segment(number))
    }

    /// Some bytes of a segment.
    pub(super) fn read_part(&self, number: u64, at: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let file = File::open(self.segment(number))?;
        let mut part = vec![0; bytes];
        file.read_exact_at(&mut part, at)?;
        Ok(part)
    }

    pub(super) fn size(&self, number: u64) -> io::Result<u64> {
        Ok(fs::metadata(self.segment(number))?.len())
    }

    pub(super) fn delete(&self, number: u64) -> io::Result<()> {
        fs::remove_file(self.segment(number))
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    /// Bytes of the reserve.
    pub(super) fn reserve(&self) -> u64 {
        fs::metadata(self.0.join(RESERVE)).map_or(0, |reserve| reserve.len())
    }

    /// Takes the reserve's blocks from the disk, if it has them.
    pub(super) fn keep_reserve(&self, bytes: u64) -> io::Result<()> {
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(self.0.join(RESERVE))?;
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        nix::fcntl::fallocate(&file, nix::fcntl::FallocateFlags::empty(), 0, bytes).map_err(io::Error::from)
    }

    pub(super) fn give_reserve(&self) -> io::Result<()> {
        match fs::remove_file(self.0.join(RESERVE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// Bytes that this user may still write to the file system.
    pub(super) fn free(&self) -> io::Result<u64> {
        let stat = nix::sys::statvfs::statvfs(&self.0).map_err(io::Error::from)?;
        Ok(stat.blocks_available().saturating_mul(stat.fragment_size()))
    }
}

/// What the writer writes to. A trait of our own so that a test can make a disk fail.
pub(super) trait Disk: Send {
    /// Makes a segment file with this head, and syncs file and folder.
    fn create(&mut self, folder: &Folder, head: &SegmentHead) -> io::Result<()>;
    /// Appends records; returns when everything is written, not synced.
    fn append(&mut self, records: &mut [IoSlice<'_>]) -> io::Result<()>;
    /// `fdatasync`.
    fn sync(&mut self) -> io::Result<()>;
}

/// The machine's own disk.
#[derive(Debug, Default)]
pub(super) struct RealDisk {
    file: Option<File>,
}

impl RealDisk {
    fn file(&mut self) -> io::Result<&mut File> {
        self.file.as_mut().ok_or_else(|| io::Error::other("no segment is open"))
    }
}

impl Disk for RealDisk {
    fn create(&mut self, folder: &Folder, head: &SegmentHead) -> io::Result<()> {
        self.file = None;
        let path = folder.segment(head.number);
        let made = OpenOptions::new().create_new(true).read(true).write(true).mode(0o600).open(&path);
        let mut file = made?;
        let proved = prove(&mut file, head).and_then(|()| folder.sync());
        if let Err(error) = proved {
            drop(file);
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        self.file = Some(file);
        Ok(())
    }

    fn append(&mut self, mut records: &mut [IoSlice<'_>]) -> io::Result<()> {
        let file = self.file()?;
        while !records.is_empty() {
            match file.write_vectored(records) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut records, written),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file()?.sync_data()
    }
}

/// Write, sync and read back, before the first record in it may be acknowledged.
fn prove(file: &mut File, head: &SegmentHead) -> io::Result<()> {
    let bytes = head.encode();
    file.write_all(&bytes)?;
    file.sync_all()?;
    let mut back = [0; SEGMENT_HEAD_BYTES];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut back)?;
    if back == bytes { Ok(()) } else { Err(io::Error::other("the disk did not keep what was written")) }
}
