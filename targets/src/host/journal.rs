//! What a node must not forget: an append-only file of checksummed records.
//!
//! On a *sync* disk, appended records are written at once and a `Sync` is an `fdatasync`. On a
//! *lazy* disk, what was appended and not yet synced exists only in this process, and a `Sync`
//! writes it, without waiting for the device: then `kill -9`, which spares what the kernel has,
//! loses exactly what a power cut would lose.
//!
//! After any failed write or sync the journal must not be used again: what is on disk is not
//! known any more (a failed `fsync` is not repeated by a second one). The node stops instead.

mod file;
mod format;
#[cfg(test)]
mod tests;

pub(super) use file::{Barrier, JournalFile, Storage, open};

use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// What `Sync` does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disk {
    /// Waits for the device, as a database should.
    #[default]
    Sync,
    /// Hands to the kernel what was held in the process until then: `kill -9` is a power cut.
    Lazy,
}

/// Why the journal cannot be used.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The directory cannot be made or locked.
    #[error("the data directory {} cannot be used: is it writable?", dir.display())]
    Dir {
        /// Which.
        dir: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process has the directory.
    #[error(
        "another process uses the data directory {}: stop it, or give another directory",
        dir.display()
    )]
    Locked {
        /// Which.
        dir: PathBuf,
    },
    /// A read, write or sync failed.
    #[error("the journal {} cannot be read or written; the node stops", file.display())]
    Io {
        /// Which.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not this node's journal.
    #[error("{} is not the journal of this node: {why}; give another data directory", file.display())]
    Foreign {
        /// Which.
        file: PathBuf,
        /// What it is instead.
        why: String,
    },
    /// A record with whole records behind it is damaged.
    #[error(
        "the journal {} is damaged: record {record} at offset {offset}, with whole records \
         behind it, so it is no torn write; restore the file from a copy, or delete the data \
         directory and give the node a new id",
        file.display()
    )]
    Damaged {
        /// Which.
        file: PathBuf,
        /// Which record, from 0.
        record: usize,
        /// Where it begins, in bytes.
        offset: usize,
    },
    /// A whole record is not one of this target's.
    #[error(
        "record {record} of the journal {}, at offset {offset}, is whole but means nothing to \
         this version: start the one that wrote it, or delete the data directory",
        file.display()
    )]
    Record {
        /// Which.
        file: PathBuf,
        /// Which record, from 0.
        record: usize,
        /// Where its payload begins, in bytes.
        offset: usize,
        /// Why.
        source: serde_json::Error,
    },
    /// A record has no JSON form.
    #[error("a record cannot be written as JSON")]
    Encode(#[from] serde_json::Error),
    /// A record is larger than a journal can hold.
    #[error("a record of {0} bytes is larger than a journal can hold ({max})", max = format::RECORD_BYTES_MAX)]
    TooLarge(usize),
}

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal<S> {
    storage: S,
    /// For messages.
    path: PathBuf,
    disk: Disk,
    /// Appended and not yet written.
    held: Vec<u8>,
    /// Whether something was written and not yet synced.
    dirty: bool,
}

impl<S: Storage> Journal<S> {
    pub(super) fn new(storage: S, path: PathBuf, disk: Disk) -> Self {
        Journal { storage, path, disk, held: Vec::new(), dirty: false }
    }

    /// Appends a record; it is not on disk before the next [`Journal::sync`].
    pub(super) fn append<R: Serialize>(&mut self, record: &R) -> Result<(), JournalError> {
        put(&mut self.held, record)
    }

    /// At the end of a batch: hands to the kernel what need not be held.
    pub(super) fn settle(&mut self) -> Result<(), JournalError> {
        match self.disk {
            Disk::Sync => self.write(),
            Disk::Lazy => Ok(()),
        }
    }

    /// Puts all that was appended on disk. Free if that is where it is.
    pub(super) async fn sync(&mut self) -> Result<(), JournalError> {
        self.write()?;
        if std::mem::take(&mut self.dirty) && self.disk == Disk::Sync {
            let barrier = self.storage.barrier();
            self.pass(barrier).await?;
        }
        Ok(())
    }

    /// Replaces all records by these, atomically, and puts them on disk.
    pub(super) async fn rewrite<R: Serialize>(
        &mut self,
        records: &[R],
    ) -> Result<(), JournalError> {
        self.held.clear();
        let mut bytes = Vec::new();
        for record in records {
            put(&mut bytes, record)?;
        }
        let replaced = self.storage.replace(&bytes, self.disk == Disk::Sync);
        let barrier = replaced.map_err(|source| self.broken(source))?;
        self.dirty = false;
        self.pass(barrier).await
    }

    fn write(&mut self) -> Result<(), JournalError> {
        if self.held.is_empty() {
            return Ok(());
        }
        self.storage.write(&self.held).map_err(|source| self.broken(source))?;
        self.held.clear();
        self.dirty = true;
        Ok(())
    }

    /// Waits for the device on another thread, so that what was sent before leaves meanwhile.
    async fn pass(&self, barrier: Barrier) -> Result<(), JournalError> {
        let done = match self.disk {
            Disk::Lazy => barrier(),
            Disk::Sync => tokio::task::spawn_blocking(barrier)
                .await
                .unwrap_or_else(|panic| Err(io::Error::other(panic))),
        };
        done.map_err(|source| self.broken(source))
    }

    fn broken(&self, source: io::Error) -> JournalError {
        JournalError::Io { file: self.path.clone(), source }
    }
}

fn put<R: Serialize>(bytes: &mut Vec<u8>, record: &R) -> Result<(), JournalError> {
    let payload = serde_json::to_vec(record)?;
    if payload.len() > format::RECORD_BYTES_MAX {
        return Err(JournalError::TooLarge(payload.len()));
    }
    format::put(bytes, &payload);
    Ok(())
}
