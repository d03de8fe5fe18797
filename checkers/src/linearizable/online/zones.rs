//! One register with unique values, event by event: what is certain of its zones so far.
//!
//! The conditions are those of the batch algorithm (see the register's zones). Each call enters
//! when it completes, since only then is it known what it observed; a write or compare-and-set
//! that is still open, or crashed, enters when somebody observes its value. So the calls that
//! have entered are at every moment exactly those that the batch algorithm would hold to have
//! taken effect, and what contradicts them is final: no continuation undoes it.
//!
//! *What is forgotten.* Let W be the earliest beginning among the reads and compare-and-sets under
//! way (now, if there are none). Every call that will observe something begins at W or later. A
//! value whose deadline has passed by then, because a later value of its chain was seen, or
//! because another chain that must follow has begun, cannot be observed again. Whoever observes it
//! all the same contradicts the register just as if the value had never been written, so that
//! nothing of it need be kept.
//!
//! *What is kept.* One entry for each value that an operation under way may yet observe, one for
//! each write or compare-and-set without an outcome whose value nobody observed (a crashed one may
//! take effect at any time), and at most as much again and [`SLACK`] values that are forgotten
//! with the next sweep. Sweeps wait until the number of values has doubled: O(log n) amortized an
//! event.

use super::super::register::OPEN;
use super::chains::{Chains, Rival};
use crate::value::Value;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeSet;

/// How many values may be there before the first sweep.
const SLACK: usize = 16;

/// Why no continuation is linearizable. Times are indices of events plus one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Nobody can have written this value, or it was overwritten before its observer began.
    Gone(Value),
    /// It was observed, yet whoever should have written it did not take effect.
    Failed(Value),
    /// Two compare-and-sets replaced it.
    Twice(Value),
    /// Compare-and-sets wait for each other's values.
    Circle(Value),
    /// A later value of its chain had been seen, at this time, before its observer began.
    Inside(Value, u32),
    /// Its chain would have to come both before and after another.
    Between(Value, Rival),
    /// A compare-and-set was refused although, as it said, it found what it compared with.
    Contradiction(Value),
}

/// Two operations may have written this value: zones cannot tell them apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repeated;

#[derive(Clone, Debug, PartialEq)]
enum Origin {
    /// It was there at first, or a write brings it.
    Nothing,
    /// A compare-and-set brings it in place of this one.
    Old(Value),
}

/// What is known of a value.
#[derive(Clone, Debug)]
struct Known {
    /// When its installer was invoked.
    begin: u32,
    from: Origin,
    /// Whether its installer is under way: it may still fail.
    open: bool,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Nobody observed it, and its installer has not completed.
    Waiting,
    /// It took effect, at this level of this chain.
    In { chain: u32, level: u32 },
    /// It took effect, and cannot be observed any more.
    Past,
}

/// The state of one register.
#[derive(Debug)]
pub(super) struct Zones {
    values: HashMap<Value, Known, FxBuildHasher>,
    chains: Chains,
    /// When the reads and compare-and-sets under way began.
    observers: BTreeSet<u32>,
    /// So many values cause the next sweep.
    sweep_at: usize,
}

impl Zones {
    pub(super) fn new() -> Zones {
        let mut chains = Chains::new();
        let chain = chains.add(0);
        let level = chains.append(chain, Value::Null);
        let place = Place::In { chain, level };
        let start = Known { begin: 0, from: Origin::Nothing, open: false, place };
        let values = HashMap::from_iter([(Value::Null, start)]);
        Zones { values, chains, observers: BTreeSet::new(), sweep_at: SLACK }
    }

    /// How many values are kept.
    pub(super) fn kept(&self) -> usize {
        self.values.len()
    }

    /// A read, or a compare-and-set, begins.
    pub(super) fn look(&mut self, now: u32) {
        self.observers.insert(now);
    }

    /// A write of `value` begins, or a compare-and-set of `old` by it.
    pub(super) fn install(
        &mut self,
        value: &Value,
        old: Option<&Value>,
        now: u32,
    ) -> Result<(), Repeated> {
        if self.values.contains_key(value) {
            return Err(Repeated);
        }
        let from = old.map_or(Origin::Nothing, |old| Origin::Old(old.clone()));
        let known = Known { begin: now, from, open: true, place: Place::Waiting };
        self.values.insert(value.clone(), known);
        Ok(())
    }

    /// An operation that began at `begin` is not under way any more.
    pub(super) fn leave(&mut self, begin: u32, now: u32) {
        if self.observers.remove(&begin) && self.values.len() >= self.sweep_at {
            self.sweep(now);
        }
    }

    /// The installer of `value` crashed: it stays possible, but will not fail.
    pub(super) fn crashed(&mut self, value: &Value) {
        if let Some(known) = self.values.get_mut(value) {
            known.open = false;
            if known.place == Place::Past {
                self.values.remove(value);
            }
        }
    }

    /// The installer of `value` did not take effect.
    pub(super) fn failed(&mut self, value: &Value) -> Result<(), Flaw> {
        match self.values.get(value) {
            Some(Known { place: Place::Waiting, .. }) => {
                self.values.remove(value);
                Ok(())
            }
            Some(_) => Err(Flaw::Failed(value.clone())),
            None => Ok(()),
        }
    }

    /// The installer of `value`, which began at `begin`, took effect and ends now.
    pub(super) fn installed(&mut self, value: &Value, begin: u32, now: u32) -> Result<(), Flaw> {
        let Some(known) = self.values.get_mut(value) else { return Ok(()) };
        known.open = false;
        match known.place {
            Place::Waiting => self.observed(value, begin, now),
            Place::In { .. } => Ok(()), // Its observer ended before: this end decides nothing.
            Place::Past => {
                self.values.remove(value);
                Ok(())
            }
        }
    }

    /// An operation that began at `begin` observed `value` and ends now.
    pub(super) fn observed(&mut self, value: &Value, begin: u32, now: u32) -> Result<(), Flaw> {
        let (chain, level) = match self.values.get(value).map(|known| known.place) {
            None | Some(Place::Past) => return Err(Flaw::Gone(value.clone())),
            Some(Place::In { chain, level }) => (chain, level),
            Some(Place::Waiting) => self.take(value, now)?,
        };
        let over_at = self.chains.over_at(chain, level);
        if over_at < begin {
            return Err(Flaw::Inside(value.clone(), over_at));
        }
        self.begins(chain, value, begin)?;
        self.chains.ends(chain, level, now);
        Ok(())
    }

    fn begins(&mut self, chain: u32, value: &Value, begin: u32) -> Result<(), Flaw> {
        match self.chains.begins(chain, begin) {
            Some(rival) => Err(Flaw::Between(value.clone(), rival)),
            None => Ok(()),
        }
    }

    /// A value that waited took effect, and with it all that it was made from. Where it is.
    fn take(&mut self, value: &Value, now: u32) -> Result<(u32, u32), Flaw> {
        let mut path: Vec<(Value, u32)> = Vec::new();
        let mut at = value.clone();
        let chain = loop {
            let Some(known) = self.values.get(&at) else { return Err(Flaw::Gone(at)) };
            match (known.place, &known.from) {
                (Place::Past, _) => return Err(Flaw::Gone(at)),
                (Place::In { chain, level }, _) if self.chains.is_last(chain, level) => {
                    break chain;
                }
                (Place::In { .. }, _) => return Err(Flaw::Twice(at)),
                (Place::Waiting, _) if path.len() > self.values.len() => {
                    return Err(Flaw::Circle(at));
                }
                (Place::Waiting, Origin::Nothing) => {
                    path.push((at, known.begin));
                    break self.chains.add(now);
                }
                (Place::Waiting, Origin::Old(old)) => {
                    let old = old.clone();
                    path.push((at, known.begin));
                    at = old;
                }
            }
        };
        let mut level = 0;
        for (value, begin) in path.into_iter().rev() {
            level = self.chains.append(chain, value.clone());
            self.begins(chain, &value, begin)?;
            if let Some(known) = self.values.get_mut(&value) {
                known.place = Place::In { chain, level };
            }
        }
        Ok((chain, level))
    }

    /// Forgets what cannot be observed any more.
    fn sweep(&mut self, now: u32) {
        let from = self.observers.first().copied().unwrap_or(now);
        let values = &mut self.values;
        self.chains.fold(from, |value| match values.get_mut(&value) {
            Some(known) if known.open => known.place = Place::Past,
            _ => {
                values.remove(&value);
            }
        });
        self.sweep_at = 2 * self.values.len() + SLACK;
    }
}

const _: () = assert!(OPEN == u32::MAX, "a time that is not yet is later than all others");
