//! A node's disk: a journal of records of which a crash takes what was not synced.
//!
//! The disk knows three places where a record may be: on the platter (`durable`), written but
//! not synced (`unsynced`), nowhere. A sync takes a drawn time and covers what had been written
//! when it *began*. A rewrite is one write: it is on the platter as a whole or not at all.
//!
//! Records carry checksums, as in the journal of a real host: so a torn last record is cut off
//! at boot, a damaged one in the middle stops the boot, and a damaged last one, which cannot be
//! told from a torn one, is lost without a word. A full disk or a failed sync leaves a node no
//! choice but to stop, because nobody knows what is on the platter then (Rebello et al., "Can
//! Applications Recover from fsync Failures?", USENIX ATC 2020).

use super::time::{Delay, Nanos, Ppm, below};
use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// What outlives a loss of power of that which was written and not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Survival {
    /// Nothing.
    Nothing,
    /// A drawn number of the oldest writes. The write behind them may be torn.
    Prefix,
    /// All of it.
    Everything,
}

/// How a disk behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskBehaviour {
    /// How long a sync takes.
    pub sync: Delay,
    /// What a loss of power leaves.
    pub survival: Survival,
    /// The chance that a sync fails; the node stops, and a drawn part of the writes is lost.
    #[serde(default)]
    pub fail: Ppm,
    /// How many records have room.
    #[serde(default)]
    pub room: Option<u64>,
    /// Whether no sync ends until this is taken back.
    #[serde(default)]
    pub stuck: bool,
}

impl DiskBehaviour {
    /// A disk in good health, whose syncs take so long.
    #[must_use]
    pub const fn healthy(sync: Delay) -> DiskBehaviour {
        DiskBehaviour {
            sync,
            survival: Survival::Nothing,
            fail: Ppm::NEVER,
            room: None,
            stuck: false,
        }
    }
}

/// Why a node stops over its disk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskError {
    /// No room is left.
    #[error("no space left on device")]
    Full,
    /// Too much waits for a sync; a node that is told no sooner would use up all memory.
    #[error(
        "the disk is too far behind: more than {} messages wait for it",
        super::slot::WAITING_MAX
    )]
    Behind,
    /// A sync failed.
    #[error("the journal could not be synced")]
    SyncFailed,
    /// A record in the middle is damaged.
    #[error("journal record {record} of {records}: checksum mismatch")]
    Corrupt {
        /// Which, from 1.
        record: usize,
        /// Of how many.
        records: usize,
    },
}

#[derive(Debug)]
enum Write<R> {
    Append(R),
    Replace(Vec<R>),
}

/// A disk with a journal.
#[derive(Debug)]
pub(super) struct Disk<R> {
    behaviour: DiskBehaviour,
    rng: ChaCha8Rng,
    durable: Vec<R>,
    unsynced: VecDeque<Write<R>>,
    /// How many writes have been made, and how many of them are durable.
    written: u64,
    synced: u64,
    /// Up to which write the running sync goes.
    syncing: Option<u64>,
    /// Whether it would have ended if the disk were not stuck.
    overdue: bool,
    /// How many records there will be when all is synced.
    records: u64,
    /// Damaged records, by place in `durable`.
    damaged: BTreeSet<usize>,
}

impl<R: Clone> Disk<R> {
    pub(super) fn new(behaviour: DiskBehaviour, rng: ChaCha8Rng) -> Self {
        Disk {
            behaviour,
            rng,
            durable: Vec::new(),
            unsynced: VecDeque::new(),
            written: 0,
            synced: 0,
            syncing: None,
            overdue: false,
            records: 0,
            damaged: BTreeSet::new(),
        }
    }

    pub(super) fn append(&mut self, record: R) -> Result<(), DiskError> {
        self.claim(self.records + 1)?;
        self.unsynced.push_back(Write::Append(record));
        Ok(())
    }

    pub(super) fn replace(&mut self, records: Vec<R>) -> Result<(), DiskError> {
        self.claim(records.len() as u64)?;
        self.unsynced.push_back(Write::Replace(records));
        Ok(())
    }

    fn claim(&mut self, records: u64) -> Result<(), DiskError> {
        if self.behaviour.room.is_some_and(|room| records > room) {
            return Err(DiskError::Full);
        }
        self.records = records;
        self.written += 1;
        Ok(())
    }

    /// How many writes have been made: what a barrier must wait for.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Whether the first `writes` writes are durable.
    pub(super) fn is_synced(&self, writes: u64) -> bool {
        self.synced >= writes
    }

    pub(super) fn is_syncing(&self) -> bool {
        self.syncing.is_some()
    }

    /// Begins a sync of all that is written; it ends after the time returned.
    pub(super) fn begin_sync(&mut self) -> Nanos {
        self.syncing = Some(self.written);
        let word = self.rng.next_u64();
        self.behaviour.sync.draw(word)
    }

    /// The running sync ends. `false` if the disk is stuck and it does not.
    pub(super) fn end_sync(&mut self) -> Result<bool, DiskError> {
        if self.behaviour.stuck {
            self.overdue = true;
            return Ok(false);
        }
        let Some(upto) = self.syncing.take() else { return Ok(false) };
        let word = self.rng.next_u64();
        if self.behaviour.fail.happens(word as u32) {
            return Err(DiskError::SyncFailed);
        }
        self.settle(upto - self.synced);
        Ok(true)
    }

    /// Moves the oldest `writes` writes to the platter.
    fn settle(&mut self, writes: u64) {
        for _ in 0..writes {
            match self.unsynced.pop_front() {
                Some(Write::Append(record)) => self.durable.push(record),
                Some(Write::Replace(records)) => {
                    self.durable = records;
                    self.damaged.clear();
                }
                None => break,
            }
            self.synced += 1;
        }
    }

    /// The process dies; what it has written is with the operating system and stays. A rewrite
    /// that was under way has happened or has not; in the latter case what was written behind
    /// it went into a file that nobody will look at. Says how many writes were lost.
    pub(super) fn process_dies(&mut self) -> usize {
        while let Some(write) = self.unsynced.front() {
            let lost = matches!(write, Write::Replace(_)) && self.rng.next_u64() & 1 == 0;
            if lost {
                break;
            }
            self.settle(1);
        }
        self.forget_unsynced()
    }

    /// The power goes. Says how many writes were lost.
    pub(super) fn power_goes(&mut self) -> usize {
        match self.behaviour.survival {
            Survival::Nothing => {}
            Survival::Prefix => {
                self.settle_some();
                self.tear();
            }
            Survival::Everything => self.settle(u64::MAX),
        }
        self.forget_unsynced()
    }

    /// A sync has failed: some of the writes are on the platter.
    pub(super) fn sync_failed(&mut self) -> usize {
        self.settle_some();
        self.forget_unsynced()
    }

    fn settle_some(&mut self) {
        let word = self.rng.next_u64();
        let choices = self.unsynced.len() as u64 + 1;
        self.settle(below(choices, word));
    }

    /// With even odds half of the next write is on the platter too: a record with a wrong
    /// checksum. Half of a rewrite is a file that was never renamed, which nobody sees.
    fn tear(&mut self) {
        if self.rng.next_u64() & 1 == 0
            && let Some(Write::Append(_)) = self.unsynced.front()
        {
            self.damaged.insert(self.durable.len());
            self.settle(1);
        }
    }

    fn forget_unsynced(&mut self) -> usize {
        let lost = self.unsynced.len();
        self.unsynced.clear();
        self.syncing = None;
        self.overdue = false;
        self.synced = self.written;
        self.records = self.durable.len() as u64;
        lost
    }

    /// What a booting node finds; a damaged tail is cut off. Only right after a crash.
    pub(super) fn boot(&mut self) -> Result<Vec<R>, DiskError> {
        let records = self.durable.len();
        if let Some(first) = self.damaged.first().copied() {
            if first + 1 < records {
                return Err(DiskError::Corrupt { record: first + 1, records });
            }
            self.durable.truncate(first);
            self.damaged.clear();
            self.records = self.durable.len() as u64;
        }
        Ok(self.durable.clone())
    }

    /// A bit flips in a record on the platter: the `nth` from the end, or a drawn one. Says
    /// which, from 1; nothing if there is no such record.
    pub(super) fn flip(&mut self, nth: Option<usize>) -> Option<usize> {
        let records = self.durable.len();
        let word = self.rng.next_u64();
        let drawn = below(records as u64, word) as usize;
        let place = nth.map_or(Some(drawn), |nth| records.checked_sub(nth + 1))?;
        (place < records).then(|| {
            self.damaged.insert(place);
            place + 1
        })
    }

    /// Damaged records are put right from a good copy.
    pub(super) fn repair(&mut self) {
        self.damaged.clear();
    }

    /// Changes how the disk behaves. Says whether a sync that was stuck ends now.
    pub(super) fn set_behaviour(&mut self, behaviour: DiskBehaviour) -> bool {
        self.behaviour = behaviour;
        !behaviour.stuck && std::mem::take(&mut self.overdue)
    }

    pub(super) fn durable(&self) -> &[R] {
        &self.durable
    }
}

#[cfg(test)]
mod tests;
