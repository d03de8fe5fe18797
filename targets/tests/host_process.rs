//! A node as a process of its own: how it announces itself, and how it dies.
//!
//! Each test starts this test program again, told by an environment variable to be a node.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod host_toy;

use host_toy::Toy;
use quorate_targets::api::{Outcome, Request, Response, kv};
use quorate_targets::caller::Policy;
use quorate_targets::client::{AddressBook, Client};
use quorate_targets::host::{self, Disk, HostOptions};
use quorate_targets::node::NodeId;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const ROLE: &str = "HOST_PROCESS_TEST_ROLE";
const DATA: &str = "HOST_PROCESS_TEST_DATA";

/// Not a test: what the other processes run.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let data = std::env::var(DATA).unwrap();
    if role == "parent" {
        // Its child writes to the same pipe.
        let mut node = command("bound", Path::new(&data)).spawn().unwrap();
        node.wait().unwrap();
        return;
    }
    let mut options = HostOptions::new("toy", NodeId(1), data);
    options.disk = Disk::Lazy;
    match role.as_str() {
        "bound" => options.parent = Some(std::os::unix::process::parent_id()),
        "orphan" => options.parent = Some(std::process::id()),
        _ => {}
    }
    if let Err(error) = host::run_node::<Toy>(&options) {
        eprintln!("{error}");
        std::process::exit(77);
    }
    std::process::exit(0);
}

fn command(role: &str, data: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["child", "--exact", "--nocapture"]).env(ROLE, role).env(DATA, data);
    command
}

struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    ready: Value,
}

impl Process {
    /// Starts a node and waits until it says that it is ready.
    fn start(role: &str, data: &Path) -> Self {
        let mut child = command(role, data).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut process = Process { child, stdout, ready: Value::Null };
        while process.ready.is_null() {
            let mut line = String::new();
            assert!(process.stdout.read_line(&mut line).unwrap() > 0, "it ended too early");
            // The test runner has its own lines, and leaves one open.
            if let Some(start) = line.find('{') {
                process.ready = serde_json::from_str(&line[start..]).unwrap();
            }
        }
        process
    }

    async fn call(&self, op: kv::Op) -> Outcome {
        let book = AddressBook::default();
        book.set(NodeId(1), Some(self.ready["client"].as_str().unwrap().parse().unwrap()));
        let total = Duration::from_secs(1);
        let policy = Policy { attempt: total, total, ..Policy::default() };
        let mut client = Client::new(book, policy).unwrap();
        client.call(NodeId(1), Request::Kv(kv::Request { op, session: None })).await
    }

    async fn write(&self, key: &str) {
        let outcome = self.call(kv::Op::Write { key: key.into(), value: json!(1) }).await;
        assert_eq!(outcome, Outcome::Answered(Response::Kv(kv::Response::Done)));
    }

    /// Whether the key has a value; a read of one that has none is never answered.
    async fn has(&self, key: &str) -> bool {
        matches!(self.call(kv::Op::Read { key: key.into() }).await, Outcome::Answered(_))
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn it_says_when_it_is_ready_and_ends_when_it_is_asked_to() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = Process::start("free", dir.path());
    assert_eq!(process.ready["ready"], json!(true));
    assert_eq!(process.ready["id"], json!("n1"));
    assert_ne!(process.ready["client"], process.ready["peer"]);
    let key = format!("{}-1", Toy::UNSYNCED);
    process.write(&key).await;
    process.signal("-TERM");
    assert_eq!(process.child.wait().unwrap().code(), Some(0));
    let again = Process::start("free", dir.path());
    assert!(again.has(&key).await, "a clean end loses nothing");
}

#[tokio::test]
async fn kill_loses_what_a_power_cut_would_lose() {
    let dir = tempfile::tempdir().unwrap();
    let mut process = Process::start("free", dir.path());
    let unsynced = format!("{}-1", Toy::UNSYNCED);
    process.write("synced").await;
    process.write(&unsynced).await;
    assert!(process.has(&unsynced).await);
    process.child.kill().unwrap();
    process.child.wait().unwrap();
    let again = Process::start("free", dir.path());
    assert!(again.has("synced").await);
    assert!(!again.has(&unsynced).await);
}

#[test]
fn it_dies_with_its_parent() {
    let dir = tempfile::tempdir().unwrap();
    let mut parent = Process::start("parent", dir.path());
    parent.child.kill().unwrap();
    // The pipe ends when the node, which has the other end too, is dead.
    let mut rest = Vec::new();
    parent.stdout.read_to_end(&mut rest).unwrap();
    let again = Process::start("free", dir.path());
    assert_eq!(again.ready["ready"], json!(true), "its data directory is free again");
}

#[test]
fn it_does_not_start_without_its_parent() {
    let dir = tempfile::tempdir().unwrap();
    let output = command("orphan", dir.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(77));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the parent process") && said.contains("is gone"), "{said}");
}
