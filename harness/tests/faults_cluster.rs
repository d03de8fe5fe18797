//! Nodes that do not come up: the error says why, and nothing is left running. The nodes here are
//! shell scripts that behave as badly as nodes can.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test fails it")]

use quorate::cluster::{Cluster, ClusterError, Setup, Surroundings};
use quorate::proxy::Network;
use quorate_targets::client::AddressBook;
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::unbounded_channel;

mod common;
use common::{processes_with, wait_gone};

/// A node that is ready at once and then does nothing. Its id is the second argument.
const GOOD: &str = r#"echo '{"ready":true,"id":"'"$2"'","client":"127.0.0.1:9","peer":"127.0.0.1:9"}'
sleep 1000
true"#;

fn setup(folder: &Path, script: &str, program: &str) -> Setup {
    Setup {
        program: program.into(),
        arguments: vec!["-c".into(), script.into(), "node".into()],
        members: (1..=3).map(NodeId).collect(),
        lazy_disk: false,
        seed: Seed(1),
        bugs: Vec::new(),
        options: BTreeMap::new(),
        folder: folder.into(),
        ready_max: Duration::from_secs(20),
    }
}

/// Starts a cluster in a network of its own.
async fn start(setup: Setup) -> Result<Cluster, ClusterError> {
    let network = Network::open(&setup.members, setup.seed, Instant::now()).await.unwrap();
    let (deaths, _) = unbounded_channel();
    let around = Surroundings { network: Arc::new(network), book: AddressBook::default(), deaths };
    Cluster::start(setup, around).await
}

/// The error with which a cluster whose n3 is `bad` does not start.
async fn error_of(bad: &str, ready_max: Duration) -> String {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("if [ \"$2\" = n3 ]; then\n{bad}\nfi\n{GOOD}");
    let setup = Setup { ready_max, ..setup(folder.path(), &script, "/bin/sh") };
    let error = start(setup).await.expect_err("n3 is bad");
    wait_gone(folder.path().to_str().unwrap());
    error.to_string()
}

const PATIENT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_node_that_exits_is_told_with_its_status_and_last_words() {
    let error = error_of("echo 'no such journal' >&2; exit 7", PATIENT).await;
    assert!(error.starts_with("node n3 did not come up: exit status: 7\n"), "{error}");
    assert!(error.contains("nodes/n3/stderr.log:\n  no such journal"), "{error}");
}

#[tokio::test]
async fn a_node_that_hangs_is_given_up() {
    let error = error_of("echo waiting >&2; sleep 1000", Duration::from_millis(300)).await;
    assert!(error.contains("n3 did not come up: it is not ready after 300ms"), "{error}");
    assert!(error.contains("waiting"), "{error}");
}

#[tokio::test]
async fn a_node_that_is_another_is_refused() {
    let bad = r#"echo '{"ready":true,"id":"n9","client":"127.0.0.1:9","peer":"127.0.0.1:9"}'"#;
    let error = error_of(bad, PATIENT).await;
    assert!(error.contains("n3") && error.contains("n9"), "{error}");
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = start(setup(folder.path(), GOOD, "/nowhere/quorate")).await.unwrap_err();
    assert!(error.to_string().contains("/nowhere/quorate"), "{error}");
}

#[tokio::test]
async fn output_goes_to_logs_and_an_end_in_order_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().to_str().unwrap().to_owned();
    let script = format!("echo hello\necho trouble >&2\n{GOOD}");
    let cluster = start(setup(folder.path(), &script, "/bin/sh")).await.unwrap();
    // A shell that is about to start a program stands there twice for a moment.
    assert!(processes_with(&mark).len() >= 3);
    cluster.stop().await.unwrap();
    wait_gone(&mark);
    let log = |name: &str| std::fs::read_to_string(folder.path().join("nodes/n2").join(name));
    assert!(log("stdout.log").unwrap().starts_with("hello\n{\"ready\":true,\"id\":\"n2\""));
    assert_eq!(log("stderr.log").unwrap(), "trouble\n");
}
