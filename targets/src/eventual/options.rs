//! What can be set with `--target-opt`.

use crate::options::Reader;
use std::collections::BTreeMap;
use std::time::Duration;

/// How conflicts between concurrent writes are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolve {
    /// Registers as `lww`; sets and counters as types that merge.
    Crdt,
    /// Registers and sets keep siblings; counters as types that merge.
    VectorClock,
    /// Everything is one value with a stamp, and the greater stamp stays: an update of a set or
    /// of a counter reads, changes and writes the whole.
    Lww,
}

/// The options, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// `replicas` (3): how many homes a key has; all nodes where there are fewer.
    pub replicas: usize,
    /// `read-quorum` (2): how many must answer a read.
    pub read_quorum: usize,
    /// `write-quorum` (2): how many must have a write on disk.
    pub write_quorum: usize,
    /// `sloppy` (on): whether others stand in for homes that do not answer.
    pub sloppy: bool,
    /// `resolve` (crdt): how conflicts are resolved.
    pub resolve: Resolve,
    /// `virtual-nodes` (32): at how many places of the ring a node stands.
    pub virtual_nodes: u64,
    /// `patience-ms` (150): after that, others are asked too.
    pub patience: Duration,
    /// `timeout-ms` (500): after that, an operation is given up.
    pub timeout: Duration,
    /// `gossip-ms` (100): the time between two signs of life.
    pub gossip: Duration,
    /// `suspect-after` (10): how many of those a node may miss.
    pub suspect_after: u64,
    /// `handoff-ms` (500): how often hints are offered.
    pub handoff: Duration,
    /// `anti-entropy-ms` (1000): how often a node compares its tree with another's.
    pub anti_entropy: Duration,
    /// `grace-ms` (3600000): how long tombstones are kept at least. A message or a hint that is
    /// older may bring a deleted value back.
    pub grace_ns: u64,
    /// `sweep-ms` (1000): how often a node looks for tombstones to forget.
    pub sweep: Duration,
    /// `compact-every` (5000): records between two rewritings of the journal.
    pub compact_every: u64,
    /// `sessions` (4096): how many clients' last updates are kept.
    pub sessions: usize,
    /// `clock-skew-ms` (0): the clock of node n is wrong by n times this.
    pub skew_ns: u64,
}

impl Options {
    /// Reads the options as given, for a cluster of so many nodes.
    pub fn read(given: &BTreeMap<String, String>, members: usize) -> Result<Options, String> {
        let mut reader = Reader::new(given);
        let asked = reader.positive("replicas", 3.min(members as u64));
        let nanos = |ms: u64| ms.saturating_mul(1_000_000);
        let quorum = 2.min(asked);
        let mut ms = |name, default| Duration::from_millis(reader.positive(name, default));
        let (patience, timeout) = (ms("patience-ms", 150), ms("timeout-ms", 500));
        let (gossip, handoff) = (ms("gossip-ms", 100), ms("handoff-ms", 500));
        let (anti_entropy, sweep) = (ms("anti-entropy-ms", 1000), ms("sweep-ms", 1000));
        let options = Options {
            replicas: asked as usize,
            read_quorum: reader.positive("read-quorum", quorum) as usize,
            write_quorum: reader.positive("write-quorum", quorum) as usize,
            sloppy: reader.choice("sloppy", &["on", "off"]) == "on",
            resolve: match reader.choice("resolve", &["crdt", "vector-clock", "lww"]) {
                "lww" => Resolve::Lww,
                "vector-clock" => Resolve::VectorClock,
                _ => Resolve::Crdt,
            },
            virtual_nodes: reader.positive("virtual-nodes", 32).min(4096),
            patience,
            timeout,
            gossip,
            suspect_after: reader.positive("suspect-after", 10),
            handoff,
            anti_entropy,
            grace_ns: nanos(reader.number("grace-ms", 3_600_000)),
            sweep,
            compact_every: reader.positive("compact-every", 5000),
            sessions: reader.positive("sessions", 4096) as usize,
            skew_ns: nanos(reader.number("clock-skew-ms", 0)),
        };
        reader.finish()?;
        options.check(members)
    }

    fn check(self, members: usize) -> Result<Options, String> {
        let Options { replicas, read_quorum, write_quorum, .. } = self;
        if replicas > members {
            return Err(format!(
                "option `replicas` must be at most {members}, the nodes there are"
            ));
        }
        for (name, quorum) in [("read-quorum", read_quorum), ("write-quorum", write_quorum)] {
            if quorum > replicas {
                return Err(format!("option `{name}` must be at most `replicas`, {replicas}"));
            }
        }
        if self.patience >= self.timeout {
            return Err("option `patience-ms` must be below `timeout-ms`".to_owned());
        }
        Ok(self)
    }

    /// Whether every read quorum meets every write quorum.
    pub fn quorums_meet(&self) -> bool {
        !self.sloppy && self.read_quorum + self.write_quorum > self.replicas
    }
}
