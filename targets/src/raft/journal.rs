//! What is on disk, and how a node starts from it.
//!
//! The journal is a list of records: a snapshot at most at its head, then boots, ballots and
//! entries as they came. An entry at a place takes the place of what was there and behind, so
//! truncation needs no record of its own. Every `snapshot-every` applied entries the journal is
//! rewritten: the state, and what the log has behind it (paper, section 7).
//!
//! Whoever reads a journal that contradicts itself (a gap, a term that falls) refuses to start:
//! a node that has lost what it promised must not vote.

use super::log::{Entry, Index, Log};
use super::machine::Snapshot;
use super::message::{Record, Timer};
use super::txn::{Isolation, Txns};
use super::{Machine, RaftKv, Role, Term};
use crate::bugs::Bug;
use crate::node::{Config, Cx};
use crate::options::Reader;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How late the seeded bug `ack-before-sync` syncs.
const LATE_SYNC: Duration = Duration::from_millis(300);

/// What can be set with `--target-opt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// `election-timeout-ms` (300): the shortest; the longest is twice that.
    pub election_timeout: Duration,
    /// `heartbeat-ms` (50): how often a leader shows that it is there.
    pub heartbeat: Duration,
    /// `snapshot-every` (500): applied entries between two snapshots.
    pub snapshot_every: u64,
    /// `isolation` (`strict-serializable`): what transactions may see of each other.
    pub isolation: Isolation,
    /// `txn-timeout-ms` (2000): how long a transaction stays open that nobody goes on with.
    pub txn_timeout: Duration,
    /// `sessions` (4096): how many clients' last answers are kept. All nodes must agree on it.
    pub sessions: usize,
}

impl Options {
    /// Reads the options as given.
    pub fn read(given: &BTreeMap<String, String>) -> Result<Options, String> {
        let mut reader = Reader::new(given);
        let options = Options {
            election_timeout: Duration::from_millis(reader.positive("election-timeout-ms", 300)),
            heartbeat: Duration::from_millis(reader.positive("heartbeat-ms", 50)),
            snapshot_every: reader.positive("snapshot-every", 500),
            isolation: Isolation::named(reader.choice("isolation", &Isolation::NAMES))
                .unwrap_or(Isolation::StrictSerializable),
            txn_timeout: Duration::from_millis(reader.positive("txn-timeout-ms", 2000)),
            sessions: reader.positive("sessions", 4096) as usize,
        };
        reader.finish()?;
        if options.heartbeat >= options.election_timeout {
            return Err("option `heartbeat-ms` must be below `election-timeout-ms`".to_owned());
        }
        Ok(options)
    }
}

/// Starts a node from its journal.
pub(super) fn boot(config: Config, journal: Vec<Record>) -> Result<RaftKv, String> {
    let options = Options::read(&config.options)?;
    if !config.members.contains(&config.id) {
        return Err(format!("{} is not among the members", config.id));
    }
    let mut node = RaftKv {
        config,
        options,
        boots: 0,
        term: Term(0),
        vote: None,
        log: Log::default(),
        commit: Index(0),
        applied: Index(0),
        machine: Machine::default(),
        role: Role::Follower,
        leader: None,
        pending: BTreeMap::new(),
        forwarded: BTreeSet::new(),
        txns: Txns::default(),
        unsynced: false,
        late_sync: false,
    };
    for (number, record) in journal.into_iter().enumerate() {
        node.replay(number, record).map_err(|why| format!("journal, record {number}: {why}"))?;
    }
    node.boots += 1;
    Ok(node)
}

impl RaftKv {
    fn replay(&mut self, number: usize, record: Record) -> Result<(), String> {
        match record {
            Record::Boot(boots) => self.boots = boots,
            Record::Ballot { term, .. } if term < self.term => {
                return Err(format!("term {term} behind term {}", self.term));
            }
            Record::Ballot { term, vote } => (self.term, self.vote) = (term, vote),
            Record::Snapshot(_) if number > 0 => {
                return Err("a snapshot that is not at the head".to_owned());
            }
            Record::Snapshot(snapshot) => {
                self.log = Log::new(snapshot.index, snapshot.term);
                (self.commit, self.applied) = (snapshot.index, snapshot.index);
                self.machine = snapshot.machine.clone();
            }
            // The bug takes the snapshot for all there is.
            Record::Entry { .. }
                if self.config.has(Bug::LoseSnapshotTail) && self.log.base() > Index(0) => {}
            Record::Entry { index, entry } => self.replay_entry(index, entry)?,
        }
        Ok(())
    }

    fn replay_entry(&mut self, index: Index, entry: Arc<Entry>) -> Result<(), String> {
        let (base, last) = (self.log.base(), self.log.last());
        if index <= base || index > last.next() {
            return Err(format!("entry {index} does not fit a log from {base} to {last}"));
        }
        self.log.truncate(index);
        if entry.term < self.log.last_term() && self.config.bugs.is_empty() {
            return Err(format!("entry {index} of term {} falls behind", entry.term));
        }
        self.log.push(entry);
        Ok(())
    }

    /// Puts an entry at the end of the log, also on disk; returns its place.
    pub(super) fn append(&mut self, entry: Arc<Entry>, cx: &mut Cx<'_, RaftKv>) -> Index {
        debug_assert!(
            entry.term >= self.log.last_term() || !self.config.bugs.is_empty(),
            "terms never fall along a log"
        );
        let index = self.log.push(Arc::clone(&entry));
        self.persist(Record::Entry { index, entry }, cx);
        index
    }

    pub(super) fn persist(&mut self, record: Record, cx: &mut Cx<'_, RaftKv>) {
        cx.append(record);
        self.unsynced = true;
    }

    /// Term and vote as they go to disk.
    pub(super) fn ballot(&self) -> Record {
        let vote = if self.config.has(Bug::ForgetVote) { None } else { self.vote };
        Record::Ballot { term: self.term, vote }
    }

    /// Has everything on disk before what comes after.
    pub(super) fn sync(&mut self, cx: &mut Cx<'_, RaftKv>) {
        if !self.unsynced {
            return;
        }
        self.unsynced = false;
        if !self.config.has(Bug::AckBeforeSync) {
            cx.sync();
        } else if !self.late_sync {
            self.late_sync = true;
            cx.set_timer(Timer::LateSync, LATE_SYNC);
        }
    }

    /// The state as it is now.
    pub(super) fn snapshot(&self) -> Snapshot {
        // The applied place is never before the base, so its term is known.
        let term = self.log.term_at(self.applied).unwrap_or_default();
        Snapshot { index: self.applied, term, machine: self.machine.clone() }
    }

    /// Takes a snapshot if enough was applied since the last.
    pub(super) fn compact_if_due(&mut self, cx: &mut Cx<'_, RaftKv>) {
        let due = self.log.base().0 + self.options.snapshot_every;
        if self.applied.0 >= due && self.applied <= self.log.last() {
            self.log.compact(self.applied);
            self.rewrite(cx);
        }
    }

    /// Replaces the journal by the state and the log behind it.
    pub(super) fn rewrite(&mut self, cx: &mut Cx<'_, RaftKv>) {
        debug_assert_eq!(self.log.base(), self.applied, "the state is what is compacted");
        let mut records = vec![
            Record::Snapshot(Arc::new(self.snapshot())),
            Record::Boot(self.boots),
            self.ballot(),
        ];
        let entry = |(index, entry): (Index, &Arc<Entry>)| Record::Entry {
            index,
            entry: Arc::clone(entry),
        };
        records.extend(self.log.iter().map(entry));
        cx.rewrite(records);
        self.unsynced = false;
    }
}
