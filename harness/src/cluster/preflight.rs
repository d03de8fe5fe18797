//! What would stop a run later is looked for before anything is started: a folder that cannot be
//! written, a disk that is full, too few open files.

use super::node_folder;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::statvfs::statvfs;
use quorate_targets::node::NodeId;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A run needs so much room at least: journals, logs and history of a short one.
const SPACE_MIN: u64 = 32 << 20;
/// What is written to see whether writing works.
const PROBE_BYTES: usize = 64 << 10;
/// Open files that have nothing to do with the cluster's size.
const FILES_BASE: u64 = 100;

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum PreflightError {
    /// The folder is not there or not ours.
    #[error(
        "cannot write the run's folder {}: is it writable? `--results DIR` names another place",
        path.display()
    )]
    Unwritable {
        /// What was tried.
        path: PathBuf,
        /// What happened.
        source: io::Error,
    },
    /// There is no room.
    #[error(
        "the disk of {} is full: {} MiB are free and a run needs {} or more; make room, or name \
         another place with `--results DIR`",
        path.display(), free >> 20, SPACE_MIN >> 20
    )]
    Full {
        /// Where.
        path: PathBuf,
        /// Free bytes.
        free: u64,
    },
    /// There are not enough file descriptors.
    #[error(
        "a run with {nodes} nodes needs {needed} open files and may have {allowed}: raise it \
         with `ulimit -n {needed}`, or take fewer nodes"
    )]
    OpenFiles {
        /// The cluster's size.
        nodes: usize,
        /// About so many.
        needed: u64,
        /// The hard limit.
        allowed: u64,
    },
}

/// Makes the run's folder and its nodes' folders, and looks whether a cluster of `members` with
/// so many clients can run there. Raises this process's limit of open files if it is too low.
pub fn preflight(folder: &Path, members: &[NodeId], clients: usize) -> Result<(), PreflightError> {
    let trouble = |path: &Path, source: io::Error| match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            PreflightError::Full { path: folder.into(), free: free_bytes(folder).unwrap_or(0) }
        }
        _ => PreflightError::Unwritable { path: path.into(), source },
    };
    for node in members {
        let data = node_folder(folder, *node).join("data");
        std::fs::create_dir_all(&data).map_err(|error| trouble(&data, error))?;
    }
    let probe = folder.join(".probe");
    let probed = write_probe(&probe);
    // The probe may be there although writing it failed.
    let _ = std::fs::remove_file(&probe);
    probed.map_err(|error| trouble(folder, error))?;
    match free_bytes(folder) {
        Ok(free) if free < SPACE_MIN => {
            return Err(PreflightError::Full { path: folder.into(), free });
        }
        // A file system that does not tell its free space is not held against the run.
        Ok(_) | Err(_) => {}
    }
    open_files(members.len(), clients)
}

fn write_probe(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&[0; PROBE_BYTES])?;
    file.sync_all()
}

/// What an ordinary user may still write.
fn free_bytes(folder: &Path) -> nix::Result<u64> {
    let stats = statvfs(folder)?;
    Ok(stats.blocks_available() * stats.fragment_size())
}

/// A link takes a listener and two connections, a client one connection to each node.
fn open_files(nodes: usize, clients: usize) -> Result<(), PreflightError> {
    let n = nodes as u64;
    let needed = FILES_BASE + 3 * n * n.saturating_sub(1) + n * (clients as u64 + 4);
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return Ok(()) };
    if soft >= needed {
        return Ok(());
    }
    if hard < needed || setrlimit(Resource::RLIMIT_NOFILE, needed, hard).is_err() {
        return Err(PreflightError::OpenFiles { nodes, needed, allowed: hard });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(n: u16) -> Vec<NodeId> {
        (1..=n).map(NodeId).collect()
    }

    #[test]
    fn folders_are_made_and_nothing_else_is_left() {
        let results = tempfile::tempdir().unwrap();
        let run = results.path().join("raft-kv-register/now");
        preflight(&run, &nodes(3), 10).unwrap();
        assert!(run.join("nodes/n3/data").is_dir());
        assert_eq!(std::fs::read_dir(&run).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_is_named() {
        let results = tempfile::tempdir().unwrap();
        let file = results.path().join("results");
        std::fs::write(&file, "in the way").unwrap();
        let error = preflight(&file.join("run"), &nodes(1), 1).unwrap_err();
        assert!(matches!(error, PreflightError::Unwritable { .. }), "{error}");
        assert!(error.to_string().contains("results/run/nodes/n1/data"), "{error}");
    }

    #[test]
    fn more_nodes_than_files_allow_are_refused() {
        let error = open_files(60_000, 10).unwrap_err().to_string();
        assert!(error.contains("ulimit -n"), "{error}");
    }
}
