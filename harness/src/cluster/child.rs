//! One process of a node, from its start to its end.

use super::{ClusterError, Death, Setup, Surroundings, logs, node_folder};
use crate::proxy::Network;
use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use quorate_targets::node::NodeId;
use serde::Deserialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{ChildStdout, Command};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep, timeout_at};

/// What a node prints when it is ready, on one line.
#[derive(Debug, Deserialize)]
struct Ready {
    ready: bool,
    id: String,
    client: SocketAddr,
    peer: SocketAddr,
}

/// A running process. Dropping it kills its process group.
#[derive(Debug)]
pub(super) struct Child {
    node: NodeId,
    /// The process, and the group that it leads.
    pid: Pid,
    /// How it ended, once it has.
    ended: watch::Receiver<Option<String>>,
    /// Whether its end is no news.
    expected: Arc<AtomicBool>,
}

impl Child {
    /// Starts a process of `node` and waits until it is ready; then others know where it is.
    pub(super) async fn start(
        setup: &Setup,
        node: NodeId,
        incarnation: u32,
        around: &Surroundings,
    ) -> Result<Child, ClusterError> {
        let folder = node_folder(&setup.folder, node);
        let (child, ready_line) = Self::spawn(setup, node, incarnation, around, &folder)?;
        let log = || logs::last_words(&folder);
        let mut ended = child.ended.clone();
        let line = tokio::select! {
            Ok(line) = ready_line => line,
            Ok(how) = ended.wait_for(Option::is_some) => {
                return Err(ClusterError::Ended { node, ended: how.clone().unwrap_or_default() });
            }
            () = sleep(setup.ready_max) => {
                return Err(ClusterError::NotReady { node, limit: setup.ready_max, log: log() });
            }
        };
        match serde_json::from_str::<Ready>(&line) {
            Ok(ready) if ready.ready && ready.id == node.to_string() => {
                around.network.set_peer(node, Some(ready.peer));
                around.book.set(node, Some(ready.client));
            }
            _ => return Err(ClusterError::BadReady { node, line }),
        }
        child.expected.store(false, Ordering::SeqCst);
        Ok(child)
    }

    /// Starts the process, what reads its output, and what waits for its end.
    fn spawn(
        setup: &Setup,
        node: NodeId,
        incarnation: u32,
        around: &Surroundings,
        folder: &Path,
    ) -> Result<(Child, oneshot::Receiver<String>), ClusterError> {
        let unwritable =
            |source| ClusterError::Folder { node, folder: folder.to_path_buf(), source };
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        let stdout = append(&folder.join(logs::STDOUT)).map_err(unwritable)?;
        let stderr = append(&folder.join(logs::STDERR)).map_err(unwritable)?;
        let failed = |source| ClusterError::Spawn { node, program: setup.program.clone(), source };
        let mut process = Command::new(&setup.program)
            .args(&setup.arguments)
            .args(arguments(setup, node, incarnation, &around.network, folder))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let no_pid = || failed(io::Error::other("it ended at once"));
        let pid = Pid::from_raw(process.id().ok_or_else(no_pid)?.cast_signed());

        let (ready_to, ready_line) = oneshot::channel();
        if let Some(output) = process.stdout.take() {
            tokio::spawn(tee(output, stdout, ready_to));
        }
        let expected = Arc::new(AtomicBool::new(true));
        let (ended_to, ended) = watch::channel(None);
        let (is_expected, deaths) = (Arc::clone(&expected), around.deaths.clone());
        let folder = folder.to_path_buf();
        tokio::spawn(async move {
            let status = match process.wait().await {
                Ok(status) => status.to_string(),
                Err(error) => format!("its end was missed: {error}"),
            };
            let reason = format!("{status}\n{}", logs::last_words(&folder));
            if !is_expected.load(Ordering::SeqCst) {
                // Nobody listens when the cluster is gone, and then it is no news either.
                let _ = deaths.send(Death { node, reason: reason.clone() });
            }
            ended_to.send_replace(Some(reason));
        });
        Ok((Child { node, pid, ended, expected }, ready_line))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.borrow().is_some()
    }

    /// From now on its end is no news.
    pub(super) fn expect_end(&self) {
        self.expected.store(true, Ordering::SeqCst);
    }

    /// Sends a signal to the process group; nothing if it has ended.
    pub(super) fn signal(&self, signal: Signal) -> Result<(), ClusterError> {
        if self.has_ended() {
            return Ok(());
        }
        match killpg(self.pid, signal) {
            Ok(()) | Err(Errno::ESRCH) => Ok(()),
            Err(errno) => {
                Err(ClusterError::Signal { node: self.node, signal, why: errno.desc().into() })
            }
        }
    }

    /// Waits until it has ended and is reaped.
    pub(super) async fn wait_end(
        &self,
        signal: Signal,
        until: Instant,
    ) -> Result<(), ClusterError> {
        let mut ended = self.ended.clone();
        match timeout_at(until, ended.wait_for(Option::is_some)).await {
            Ok(_) => Ok(()),
            Err(_) => {
                let why = "it still runs".into();
                Err(ClusterError::Signal { node: self.node, signal, why })
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.expect_end();
        // There is nobody left to tell of a failure; the node dies with this process then.
        let _ = self.signal(Signal::SIGKILL);
    }
}

/// The arguments of `quorate node TARGET`.
fn arguments(
    setup: &Setup,
    node: NodeId,
    incarnation: u32,
    network: &Network,
    folder: &Path,
) -> Vec<std::ffi::OsString> {
    let members: Vec<String> = setup.members.iter().map(NodeId::to_string).collect();
    let seed = setup.seed.fork(&format!("node/{node}/{incarnation}"));
    let mut pairs: Vec<(&str, String)> = vec![
        ("--id", node.to_string()),
        ("--members", members.join(",")),
        ("--listen", "127.0.0.1:0".into()),
        ("--peer-listen", "127.0.0.1:0".into()),
        ("--disk", if setup.lazy_disk { "lazy" } else { "sync" }.into()),
        ("--seed", seed.0.to_string()),
        ("--parent", std::process::id().to_string()),
    ];
    pairs.extend(network.peer_addresses(node).map(|(peer, at)| ("--peer", format!("{peer}={at}"))));
    pairs.extend(setup.bugs.iter().map(|bug| ("--bug", bug_name(*bug))));
    pairs.extend(
        setup.options.iter().map(|(key, value)| ("--target-opt", format!("{key}={value}"))),
    );
    let mut arguments: Vec<_> =
        pairs.into_iter().flat_map(|(key, value)| [key.into(), value.into()]).collect();
    arguments.extend(["--data".into(), folder.join("data").into_os_string()]);
    arguments
}

/// A bug's name on the command line is its name in JSON.
fn bug_name(bug: quorate_targets::bugs::Bug) -> String {
    serde_json::to_value(bug)
        .ok()
        .and_then(|name| name.as_str().map(Into::into))
        .unwrap_or_default()
}

fn append(path: &PathBuf) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Copies a node's output to its log; the first line that is a JSON object goes to `ready`.
async fn tee(output: ChildStdout, mut log: File, ready: oneshot::Sender<String>) {
    let mut ready = Some(ready);
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // The log is for people: a full disk must not stop the node by a full pipe.
        let _ = writeln!(log, "{line}");
        if line.starts_with('{')
            && let Some(ready) = ready.take()
        {
            let _ = ready.send(line);
        }
    }
}
