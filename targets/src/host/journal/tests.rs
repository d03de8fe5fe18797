//! The journal on a real directory, and on storage that fails.

use super::*;
use crate::node::NodeId;
use std::fs;
use std::path::Path;
use tempfile::tempdir;

fn reopen(dir: &Path, disk: Disk) -> (Journal<JournalFile>, Vec<u64>) {
    open(dir, "toy", NodeId(1), disk).unwrap()
}

fn records(dir: &Path) -> Vec<u64> {
    reopen(dir, Disk::Sync).1
}

#[tokio::test]
async fn what_was_synced_survives() {
    for disk in [Disk::Sync, Disk::Lazy] {
        let dir = tempdir().unwrap();
        let (mut journal, empty) = reopen(dir.path(), disk);
        assert_eq!(empty, [0u64; 0]);
        journal.append(&1).unwrap();
        journal.append(&2).unwrap();
        journal.sync().await.unwrap();
        journal.append(&3).unwrap();
        journal.sync().await.unwrap();
        drop(journal);
        assert_eq!(records(dir.path()), [1, 2, 3]);
    }
}

#[tokio::test]
async fn only_a_lazy_disk_loses_what_was_not_synced() {
    for (disk, survivors) in [(Disk::Lazy, vec![1]), (Disk::Sync, vec![1, 2])] {
        let dir = tempdir().unwrap();
        let (mut journal, _) = reopen(dir.path(), disk);
        journal.append(&1).unwrap();
        journal.sync().await.unwrap();
        journal.append(&2).unwrap();
        journal.settle().unwrap();
        drop(journal);
        assert_eq!(records(dir.path()), survivors);
    }
}

#[tokio::test]
async fn a_rewrite_replaces_all() {
    for disk in [Disk::Sync, Disk::Lazy] {
        let dir = tempdir().unwrap();
        let (mut journal, _) = reopen(dir.path(), disk);
        journal.append(&1).unwrap();
        journal.sync().await.unwrap();
        journal.append(&2).unwrap();
        journal.rewrite(&[7, 8]).await.unwrap();
        journal.append(&9).unwrap();
        journal.sync().await.unwrap();
        drop(journal);
        assert_eq!(records(dir.path()), [7, 8, 9]);
        assert!(!dir.path().join("journal.new").exists());
    }
}

#[test]
fn a_rewrite_that_was_cut_short_changes_nothing() {
    let dir = tempdir().unwrap();
    let (mut journal, _) = reopen(dir.path(), Disk::Sync);
    journal.append(&1).unwrap();
    journal.settle().unwrap();
    // The new file is written, and the process dies before the barrier.
    drop(journal.storage.replace(b"half a rec", true).unwrap());
    drop(journal);
    assert_eq!(records(dir.path()), [1]);
}

#[test]
fn a_torn_tail_is_cut_off_on_disk() {
    let dir = tempdir().unwrap();
    let (mut journal, _) = reopen(dir.path(), Disk::Sync);
    for record in [1, 2] {
        journal.append(&record).unwrap();
    }
    journal.settle().unwrap();
    drop(journal);
    let path = dir.path().join("journal");
    let bytes = fs::read(&path).unwrap();
    for torn in 1..=9 {
        fs::write(&path, &bytes[..bytes.len() - torn]).unwrap();
        let (mut journal, whole) = reopen(dir.path(), Disk::Sync);
        assert_eq!(whole, [1]);
        journal.append(&3).unwrap();
        journal.settle().unwrap();
        drop(journal);
        assert_eq!(records(dir.path()), [1, 3], "what follows is not glued to the torn record");
    }
    for torn in 19..=bytes.len() {
        fs::write(&path, &bytes[..bytes.len() - torn]).unwrap();
        assert_eq!(records(dir.path()), [0u64; 0]);
    }
}

#[test]
fn a_directory_has_one_owner() {
    let dir = tempdir().unwrap();
    let held = reopen(dir.path(), Disk::Sync);
    let error = open::<u64>(dir.path(), "toy", NodeId(1), Disk::Sync).unwrap_err();
    assert!(matches!(error, JournalError::Locked { .. }), "{error}");
    drop(held);
    records(dir.path());
}

/// The error that opening a journal with these bytes gives.
fn refusal(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let dir = tempdir().unwrap();
    let (mut journal, _) = reopen(dir.path(), Disk::Sync);
    for record in [1, 2, 3] {
        journal.append(&record).unwrap();
    }
    journal.settle().unwrap();
    drop(journal);
    let path = dir.path().join("journal");
    let mut bytes = fs::read(&path).unwrap();
    change(&mut bytes);
    fs::write(&path, &bytes).unwrap();
    let error = open::<u64>(dir.path(), "toy", NodeId(1), Disk::Sync).unwrap_err();
    assert_eq!(fs::read(&path).unwrap(), bytes, "a refused journal is left as it is");
    error.to_string()
}

#[test]
fn refusals_say_where_and_what_to_do() {
    let said = refusal(|bytes| {
        let middle = bytes.len() - 10;
        bytes[middle] ^= 1;
    });
    for part in ["journal", "record 1 at offset ", "restore the file"] {
        assert!(said.contains(part), "{said}");
    }
    let said = refusal(|bytes| format::put(bytes, b"\"no number\""));
    for part in ["record 3", "at offset ", "start the one that wrote it"] {
        assert!(said.contains(part), "{said}");
    }
    let said = refusal(|bytes| bytes.splice(0..3, *b"ABC").for_each(drop));
    assert!(said.contains("is not the journal of this node"), "{said}");
}

#[test]
fn a_directory_that_is_a_file_is_refused() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("taken");
    fs::write(&file, "").unwrap();
    let error = open::<u64>(&file, "toy", NodeId(1), Disk::Sync).unwrap_err();
    assert!(error.to_string().contains("taken cannot be used"), "{error}");
}

/// Has room for some bytes only.
struct Full(usize);

impl Storage for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(())
    }

    fn barrier(&mut self) -> Barrier {
        Box::new(|| Ok(()))
    }

    fn replace(&mut self, records: &[u8], _durable: bool) -> io::Result<Barrier> {
        self.write(records)?;
        Ok(self.barrier())
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_of_sync_and_rewrite() {
    for disk in [Disk::Sync, Disk::Lazy] {
        let mut journal = Journal::new(Full(20), "journal".into(), disk);
        journal.append(&1).unwrap();
        journal.sync().await.unwrap();
        journal.append(&123_456).unwrap();
        let error = journal.sync().await.unwrap_err();
        assert!(matches!(&error, JournalError::Io { source, .. }
            if source.kind() == io::ErrorKind::StorageFull));
        let mut journal = Journal::new(Full(5), "journal".into(), disk);
        journal.rewrite(&[1]).await.unwrap_err();
    }
}
