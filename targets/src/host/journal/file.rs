//! The journal's file and directory.

use super::{Disk, Journal, JournalError, format};
use crate::node::NodeId;
use serde::de::DeserializeOwned;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What remains to be done before written bytes are on disk. It blocks.
pub(crate) type Barrier = Box<dyn FnOnce() -> io::Result<()> + Send>;

/// Where the bytes of a journal go: a file, or what a test puts in its place.
pub(crate) trait Storage {
    /// Hands bytes to the operating system, behind those that are there.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Puts all that was written on disk.
    fn barrier(&mut self) -> Barrier;
    /// Replaces all by these records, atomically when the barrier is through; if `durable`,
    /// they are then on disk. Nothing else may be written before.
    fn replace(&mut self, records: &[u8], durable: bool) -> io::Result<Barrier>;
}

/// A journal file in a locked directory.
#[derive(Debug)]
pub(crate) struct JournalFile {
    dir: PathBuf,
    header: Vec<u8>,
    file: Arc<File>,
    /// Held as long as the process lives; the kernel releases it, also after `kill -9`.
    _lock: File,
}

impl JournalFile {
    const NAME: &str = "journal";
    const NEW: &str = "journal.new";

    fn write_new(&self, records: &[u8]) -> io::Result<File> {
        let mut file = File::create(self.dir.join(Self::NEW))?;
        file.write_all(&self.header)?;
        file.write_all(records)?;
        Ok(file)
    }
}

impl Storage for JournalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        (&*self.file).write_all(bytes)
    }

    fn barrier(&mut self) -> Barrier {
        let file = Arc::clone(&self.file);
        Box::new(move || file.sync_data())
    }

    fn replace(&mut self, records: &[u8], durable: bool) -> io::Result<Barrier> {
        let file = Arc::new(self.write_new(records)?);
        self.file = Arc::clone(&file);
        let dir = self.dir.clone();
        Ok(Box::new(move || {
            if durable {
                file.sync_all()?;
            }
            fs::rename(dir.join(Self::NEW), dir.join(Self::NAME))?;
            if durable { File::open(dir)?.sync_all() } else { Ok(()) }
        }))
    }
}

/// Opens the journal of `target`'s node `id` in `dir` (made if it is not there), and returns
/// the records that survived. A torn tail is cut off and logged.
pub(crate) fn open<R: DeserializeOwned>(
    dir: &Path,
    target: &str,
    id: NodeId,
    disk: Disk,
) -> Result<(Journal<JournalFile>, Vec<R>), JournalError> {
    let unusable = |source| JournalError::Dir { dir: dir.to_owned(), source };
    fs::create_dir_all(dir).map_err(unusable)?;
    let lock = lock(dir)?;
    let path = dir.join(JournalFile::NAME);
    let broken = |source| JournalError::Io { file: path.clone(), source };
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(broken(error)),
    };
    let owner = format::Owner { target: target.to_owned(), node: id.0 };
    let scan = format::scan(&bytes, &owner).map_err(|damage| match damage {
        format::Damage::Foreign(why) => JournalError::Foreign { file: path.clone(), why },
        format::Damage::Middle { record, offset } => {
            JournalError::Damaged { file: path.clone(), record, offset }
        }
    })?;
    let records = decode(&bytes, &scan, &path)?;
    let file = OpenOptions::new().create(true).append(true).open(&path).map_err(broken)?;
    let header = format::header(&owner);
    let mut storage =
        JournalFile { dir: dir.to_owned(), header, file: Arc::new(file), _lock: lock };
    if scan.whole == 0 {
        let barrier = storage.replace(&[], disk == Disk::Sync).map_err(broken)?;
        barrier().map_err(broken)?;
    } else if scan.whole < bytes.len() {
        let (whole, torn) = (scan.whole, bytes.len() - scan.whole);
        tracing::warn!("journal: cut off a torn tail of {torn} bytes, kept {whole} bytes");
        storage
            .file
            .set_len(whole as u64)
            .and_then(|()| storage.file.sync_all())
            .map_err(broken)?;
    }
    Ok((Journal::new(storage, path, disk), records))
}

fn decode<R: DeserializeOwned>(
    bytes: &[u8],
    scan: &format::Scan,
    path: &Path,
) -> Result<Vec<R>, JournalError> {
    let parse = |(record, range): (usize, &std::ops::Range<usize>)| {
        serde_json::from_slice(&bytes[range.clone()]).map_err(|source| JournalError::Record {
            file: path.to_owned(),
            record,
            offset: range.start,
            source,
        })
    };
    scan.payloads.iter().enumerate().map(parse).collect()
}

fn lock(dir: &Path) -> Result<File, JournalError> {
    let unusable = |source| JournalError::Dir { dir: dir.to_owned(), source };
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("lock"))
        .map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}
