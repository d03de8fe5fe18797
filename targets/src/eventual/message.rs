//! What nodes tell each other, what they keep on disk, and what they wait for.

use super::cell::Cell;
use super::ring::hash;
use crate::api::kv::Session;
use crate::node::NodeId;
use serde::{Deserialize, Serialize};

/// What is kept under a key. Objects of different kinds never meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One value, or its siblings.
    Register,
    /// A set that only grows.
    GSet,
    /// A set from which elements are removed.
    OrSet,
    /// A number that goes up and down.
    Counter,
}

/// The name of an object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// What it is.
    pub kind: Kind,
    /// What its clients call it.
    pub name: String,
}

impl Key {
    /// Its place on the ring, and among the leaves of Merkle trees. It does not depend on the
    /// kind: what is called alike lives together.
    pub(super) fn place(&self) -> u64 {
        hash(self.name.as_bytes())
    }
}

/// Names an operation to the node that coordinates it: its life and a number. An answer to a
/// question of an earlier life is not taken for another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    /// Which life of the coordinator.
    pub boot: u64,
    /// Which of its operations.
    pub number: u64,
}

/// What peers send each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Message {
    /// What do you have of this key?
    Get {
        /// Whose question.
        tag: Tag,
        /// Which key.
        key: Key,
    },
    /// The answer.
    Got {
        /// As asked.
        tag: Tag,
        /// All that the sender has, on disk.
        cell: Option<Cell>,
    },
    /// Merge this into what you have; or keep it for another.
    Put {
        /// To be acknowledged under this tag; not at all where absent (read repair).
        tag: Option<Tag>,
        /// Which key.
        key: Key,
        /// What is new.
        cell: Cell,
        /// For whom it is kept until that node is back (hinted handoff); absent for the receiver.
        hint: Option<NodeId>,
    },
    /// It is on disk.
    Ack {
        /// As sent.
        tag: Tag,
    },
    /// Who was heard of (failure detection by gossip).
    Gossip {
        /// By node, its latest sign of life: which life, and a count that grows.
        beats: Vec<(NodeId, Beat)>,
        /// The sender's hybrid clock.
        time: u64,
    },
    /// The hashes one level below a place of the Merkle tree of what both are home to.
    Compare {
        /// Which branch; the root where absent.
        branch: Option<u8>,
        /// The hashes below it.
        hashes: Vec<u64>,
    },
    /// Everything that the sender has in a leaf that differs.
    Leaf {
        /// Which leaf.
        leaf: u8,
        /// The keys there, and the hashes of what is under them.
        entries: Vec<(Key, u64)>,
    },
    /// What the receiver lacks, and what the sender lacks.
    Cells {
        /// To be merged.
        cells: Vec<(Key, Cell)>,
        /// To be sent back.
        wanted: Vec<Key>,
    },
    /// Do you have exactly this, tombstones included?
    Collect {
        /// Which key.
        key: Key,
        /// The hash of what is under it.
        hash: u64,
    },
    /// Yes.
    Same {
        /// As asked.
        key: Key,
        /// As asked.
        hash: u64,
    },
    /// All homes have exactly this: forget its tombstones.
    Purge {
        /// Which key.
        key: Key,
        /// What must be under it.
        hash: u64,
        /// Tombstones older than this.
        before: u64,
    },
}

/// A sign of life: a later one is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Beat {
    /// Which life.
    pub boot: u64,
    /// How far that life has come.
    pub count: u64,
}

/// What the journal holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// The node has started for the n-th time.
    Boot(u64),
    /// This was merged.
    Put {
        /// Where.
        key: Key,
        /// What.
        cell: Cell,
    },
    /// This is kept for another.
    Hint {
        /// For whom.
        home: NodeId,
        /// Which key.
        key: Key,
        /// What.
        cell: Cell,
    },
    /// The other has it.
    Delivered {
        /// Who.
        home: NodeId,
        /// Which key.
        key: Key,
    },
    /// An update that this node coordinates: what a retry must repeat, and what its next update
    /// of the key builds on.
    Issued {
        /// Whose it is.
        session: Option<Session>,
        /// Which key.
        key: Key,
        /// What is new.
        cell: Cell,
    },
    /// Tombstones were forgotten.
    Purged {
        /// Which key.
        key: Key,
        /// Those older than this.
        before: u64,
    },
}

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// An operation's replicas are slow: stand-ins are asked.
    Impatient(u64),
    /// An operation is given up.
    Deadline(u64),
    /// The next sign of life.
    Gossip,
    /// Hints are offered to those who are back.
    Handoff,
    /// The next comparison of Merkle trees.
    AntiEntropy,
    /// Tombstones are looked at.
    Sweep,
}
