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

    pub(super) fn behaviour(&self) -> DiskBehaviour {
        self.behaviour
    }

    pub(super) fn set_behaviour(&mut self, behaviour: DiskBehaviour) {
        self.behaviour = behaviour;
    }

    pub(super) fn durable(&self) -> &[R] {
        &self.durable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    fn disk(survival: Survival) -> Disk<u32> {
        let behaviour = DiskBehaviour { survival, ..DiskBehaviour::healthy(Delay::NONE) };
        let mut disk = Disk::new(behaviour, Seed(7).stream("disk/n1"));
        for record in 0..4 {
            disk.append(record).unwrap();
        }
        disk.begin_sync();
        for record in 4..8 {
            disk.append(record).unwrap();
        }
        disk
    }

    #[test]
    fn a_sync_covers_what_was_written_when_it_began() {
        let mut disk = disk(Survival::Nothing);
        assert!(disk.end_sync().unwrap());
        assert_eq!(disk.power_goes(), 4);
        assert_eq!(disk.boot().unwrap(), [0, 1, 2, 3]);
    }

    #[test]
    fn a_sync_that_has_not_ended_covers_nothing() {
        let mut disk = disk(Survival::Nothing);
        assert_eq!(disk.power_goes(), 8);
        assert_eq!(disk.boot().unwrap(), [0u32; 0]);
    }

    #[test]
    fn survivors_are_a_prefix_and_any_prefix_can_survive() {
        let (mut lengths, mut torn) = (BTreeSet::new(), 0);
        for seed in 0..200 {
            let mut disk = disk(Survival::Prefix);
            disk.rng = Seed(seed).stream("disk/n1");
            disk.power_goes();
            torn += disk.damaged.len();
            let found = disk.boot().unwrap();
            assert!(found.iter().copied().eq(0..found.len() as u32));
            lengths.insert(found.len());
        }
        assert_eq!(lengths, (0..=8).collect());
        assert!((50..150).contains(&torn), "{torn} writes were torn, and cut off");
    }

    #[test]
    fn a_rewrite_happens_or_does_not() {
        let mut outcomes = BTreeSet::new();
        for seed in 0..100 {
            for power in [false, true] {
                let mut disk = disk(Survival::Prefix);
                disk.rng = Seed(seed).stream("disk/n1");
                disk.end_sync().unwrap();
                disk.replace(vec![100, 101]).unwrap();
                disk.append(102).unwrap();
                let _ = if power { disk.power_goes() } else { disk.process_dies() };
                outcomes.insert((power, disk.boot().unwrap()));
            }
        }
        let after = |power, records: &[u32]| outcomes.contains(&(power, records.to_vec()));
        assert!(after(true, &[100, 101]) && after(true, &[100, 101, 102]));
        assert!(after(false, &[0, 1, 2, 3, 4, 5, 6, 7]) && after(false, &[100, 101, 102]));
        let whole = |found: &[u32]| {
            found.iter().copied().eq(0..found.len() as u32)
                || found == [100, 101]
                || found == [100, 101, 102]
        };
        assert!(outcomes.iter().all(|(_, found)| whole(found)), "{outcomes:?}");
    }

    #[test]
    fn the_death_of_a_process_loses_no_write() {
        let mut disk = disk(Survival::Nothing);
        assert_eq!(disk.process_dies(), 0);
        assert_eq!(disk.boot().unwrap().len(), 8);
    }

    #[test]
    fn a_full_disk_takes_no_write_and_a_rewrite_makes_room() {
        let mut disk = disk(Survival::Nothing);
        disk.behaviour.room = Some(8);
        assert_eq!(disk.append(9), Err(DiskError::Full));
        disk.replace(vec![1]).unwrap();
        assert_eq!(disk.append(9), Ok(()));
    }

    #[test]
    fn damage_in_the_middle_stops_the_boot_and_at_the_end_is_cut_off() {
        let mut disk = disk(Survival::Everything);
        disk.power_goes();
        assert_eq!(disk.flip(Some(3)), Some(5));
        assert_eq!(disk.boot(), Err(DiskError::Corrupt { record: 5, records: 8 }));
        disk.repair();
        assert_eq!(disk.flip(Some(0)), Some(8));
        assert_eq!(disk.boot().unwrap().len(), 7);
        assert_eq!(disk.flip(Some(7)), None);
    }

    #[test]
    fn a_failed_sync_and_a_stuck_one() {
        let mut disk = disk(Survival::Nothing);
        disk.behaviour.stuck = true;
        assert_eq!(disk.end_sync(), Ok(false));
        assert!(disk.is_syncing());
        disk.behaviour = DiskBehaviour { stuck: false, fail: Ppm::ALWAYS, ..disk.behaviour };
        assert_eq!(disk.end_sync(), Err(DiskError::SyncFailed));
        disk.sync_failed();
        assert!(disk.boot().unwrap().len() <= 8);
    }
}
