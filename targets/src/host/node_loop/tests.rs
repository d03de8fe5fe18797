//! What has left a node, and when, against what is on disk.

use super::*;
use crate::host::journal::{Barrier, Disk};
use crate::host::toy::{Act, Toy};
use crate::seed::Seed;
use std::io;
use std::sync::{Mutex, PoisonError};

/// What the world has seen of the node.
#[derive(Default)]
struct World {
    outbox: Arc<Outbox>,
    replies: Mutex<Vec<oneshot::Receiver<u64>>>,
    /// What was written to the journal.
    written: Mutex<usize>,
    /// What had left when each sync began: replies, messages, and bytes that it covers.
    syncs: Mutex<Vec<(Vec<u64>, usize, usize)>>,
    /// How many syncs succeed before the disk fails.
    healthy: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// The replies that have arrived and were not seen before.
    fn replied(&self) -> Vec<u64> {
        lock(&self.replies).iter_mut().filter_map(|reply| reply.try_recv().ok()).collect()
    }
}

struct Probe(Arc<World>);

impl Storage for Probe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        *lock(&self.0.written) += bytes.len();
        Ok(())
    }

    fn barrier(&mut self) -> Barrier {
        let world = Arc::clone(&self.0);
        Box::new(move || {
            let seen = (world.replied(), world.outbox.len(), *lock(&world.written));
            let mut syncs = lock(&world.syncs);
            syncs.push(seen);
            if syncs.len() > world.healthy {
                Err(io::ErrorKind::StorageFull.into())
            } else {
                Ok(())
            }
        })
    }

    fn replace(&mut self, records: &[u8], _: bool) -> io::Result<Barrier> {
        self.write(records)?;
        Ok(self.barrier())
    }
}

/// Runs a node that finds these requests in its inbox, all at once.
async fn run(
    disk: Disk,
    healthy: usize,
    requests: Vec<Vec<Act>>,
) -> (Result<(), HostError>, Arc<World>) {
    let world = Arc::new(World { healthy, ..World::default() });
    let (sender, inbox) = mpsc::channel(INBOX_MAX);
    for request in requests {
        let (reply, answer) = oneshot::channel();
        lock(&world.replies).push(answer);
        assert!(sender.send(Mail::Request { request, reply }).await.is_ok());
    }
    drop(sender);
    let journal = Journal::new(Probe(Arc::clone(&world)), "journal".into(), disk);
    let outboxes = BTreeMap::from([(NodeId(2), Arc::clone(&world.outbox))]);
    let rng = Seed(1).stream("node/n1");
    let clock = Clock::default();
    let mut node_loop = NodeLoop::new(NodeId(1), Toy, journal, clock, rng, outboxes);
    let result = node_loop.run(inbox).await;
    (result, world)
}

fn two_requests() -> Vec<Vec<Act>> {
    use Act::{Append, Reply, Send, Sync};
    let n2 = NodeId(2);
    vec![
        vec![Append(1), Send(n2, 10), Sync, Send(n2, 11), Reply(1)],
        vec![Append(2), Send(n2, 12), Sync, Reply(2)],
    ]
}

/// Length, checksum and one digit.
const RECORD_BYTES: usize = 9;

#[tokio::test]
async fn one_sync_covers_a_batch_and_nothing_leaves_before_it() {
    let (result, world) = run(Disk::Sync, usize::MAX, two_requests()).await;
    assert!(result.is_ok());
    assert_eq!(*lock(&world.syncs), [(vec![], 1, 2 * RECORD_BYTES)]);
    assert_eq!(world.replied(), [1, 2]);
    assert_eq!(world.outbox.len(), 3);
}

#[tokio::test]
async fn a_failed_sync_stops_the_node_before_anything_behind_it_leaves() {
    let (result, world) = run(Disk::Sync, 0, two_requests()).await;
    assert!(matches!(result, Err(HostError::Journal(_))), "{result:?}");
    assert_eq!(world.replied(), [0u64; 0]);
    assert_eq!(world.outbox.len(), 1, "only the message that did not wait");
}

#[tokio::test]
async fn a_sync_with_nothing_to_do_is_free() {
    let (_, world) = run(Disk::Sync, usize::MAX, vec![vec![Act::Sync, Act::Reply(1)]]).await;
    assert_eq!(lock(&world.syncs).len(), 0);
    assert_eq!(world.replied(), [1]);
}

#[tokio::test]
async fn a_rewrite_is_a_sync_of_its_own() {
    let acts = vec![Act::Append(1), Act::Rewrite(vec![7, 8]), Act::Reply(1), Act::Append(3)];
    let (_, world) = run(Disk::Sync, usize::MAX, vec![acts.clone()]).await;
    assert_eq!(*lock(&world.syncs), [(vec![], 0, 2 * RECORD_BYTES)]);
    assert_eq!(world.replied(), [1]);
    let (result, world) = run(Disk::Sync, 0, vec![acts]).await;
    assert!(result.is_err());
    assert_eq!(world.replied(), [0u64; 0]);
}

#[tokio::test]
async fn what_is_never_synced_is_written_by_a_sync_disk_only() {
    for (disk, written) in [(Disk::Sync, RECORD_BYTES), (Disk::Lazy, 0)] {
        let (_, world) = run(disk, 0, vec![vec![Act::Append(1), Act::Reply(1)]]).await;
        assert_eq!(world.replied(), [1]);
        assert_eq!(*lock(&world.written), written);
    }
}

#[tokio::test]
async fn messages_to_strangers_and_second_replies_are_dropped() {
    let acts = vec![Act::Send(NodeId(9), 1), Act::Reply(1), Act::Reply(2)];
    let (result, world) = run(Disk::Sync, 0, vec![acts]).await;
    assert!(result.is_ok());
    assert_eq!(world.replied(), [1]);
    assert_eq!(world.outbox.len(), 0);
}
