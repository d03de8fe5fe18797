//! Registers whose written values are unique, decided in O(n log n), crashed calls for free.
//!
//! After Gibbons and Korach, "Testing shared memories" (1997), and the zones of Golab, Li and
//! Shah, "Analyzing consistency properties for fun and profit" (2011), extended to
//! compare-and-set and to calls that never completed.
//!
//! Unique values say who read from whom. A *cluster* is the call that installed a value with all
//! reads of it; `cas(u, v)` glues cluster v directly behind cluster u, so clusters form chains.
//! In any linearization each chain is contiguous, since a value that is gone never comes back.
//! Inside a chain the order of levels is fixed: no call may end before one of an earlier level
//! begins. Of two chains A must precede B exactly if some call of A ends before some call of B
//! begins: f(A) < s(B), where f is a chain's earliest end and s its latest beginning. If these
//! demands form a cycle at all, the chain with the latest s of that cycle is preceded by all of
//! its members, so two chains contradict each other: it is enough to look at pairs, and a sort
//! finds a contradicting pair.
//!
//! A crashed call whose value nobody observed can be left out: it may never have happened, and
//! nothing needs it. One whose value was observed did happen, with no end.

use super::calls::{Action, INITIAL, OPEN, RegisterCall, ValueId};

/// No call.
pub(super) const NONE: u32 = u32::MAX;

/// What contradicts what; calls by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conflict {
    /// This call observed a value that nobody can have written.
    ThinAir(u32),
    /// This compare-and-set was refused although it found what it compared with.
    Contradiction(u32),
    /// Both replaced the same written value.
    Twice(u32, u32),
    /// This compare-and-set is part of a circle: each waits for the value of another.
    Circle(u32),
    /// The first belongs before the second by its value, yet began after the second's end.
    Inside { before: u32, after: u32 },
    /// The first was refused, although the value that it compares with was there all the time:
    /// the second ([`NONE`] for the initial value) had used it before, the third did afterwards.
    Refusal(u32, u32, u32),
    /// The observer began when each version of its value was gone: the installer ([`NONE`] for
    /// the initial one) brought the last, and the call between shows another.
    Overwritten { observer: u32, installer: u32, between: u32 },
    /// Two chains that each have a call which ended before one of the other began.
    Between { first: Zone, second: Zone },
}

/// The extent of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    /// The earliest end; 0 for the chain of the initial value.
    pub(super) first_end: u32,
    /// The latest beginning.
    pub(super) last_begin: u32,
    /// The call that ends first; [`NONE`] for the initial value.
    pub(super) ends: u32,
    /// The call that begins last; [`NONE`] if nobody used the initial value.
    pub(super) begins: u32,
}

impl Zone {
    const START: Zone = Zone { first_end: 0, last_begin: 0, ends: NONE, begins: NONE };
    const EMPTY: Zone = Zone { first_end: OPEN, last_begin: 0, ends: NONE, begins: NONE };

    fn add(&mut self, index: u32, call: &RegisterCall) {
        self.add_end(index, call);
        self.add_begin(index, call);
    }

    fn add_end(&mut self, index: u32, call: &RegisterCall) {
        if call.complete < self.first_end {
            (self.first_end, self.ends) = (call.complete, index);
        }
    }

    fn add_begin(&mut self, index: u32, call: &RegisterCall) {
        if self.begins == NONE || call.invoke > self.last_begin {
            (self.last_begin, self.begins) = (call.invoke, index);
        }
    }

    fn is_forward(&self) -> bool {
        self.first_end < self.last_begin
    }
}

/// What is known of one value.
#[derive(Clone, Copy)]
pub(super) struct Cluster {
    /// The call that installs it.
    pub(super) installer: u32,
    /// The compare-and-set that took effect and replaced it.
    pub(super) next: u32,
    /// The read that ends first.
    pub(super) first_end: u32,
    /// The read that begins last.
    pub(super) last_begin: u32,
    /// Whether the installer took effect: it completed, or somebody observed the value.
    pub(super) taken: bool,
}

/// The clusters of a key's calls.
pub(super) struct Clusters<'a> {
    calls: &'a [RegisterCall],
    pub(super) clusters: Vec<Cluster>,
}

/// Some value has two calls that may have written it, or somebody may have written the initial
/// value: the algorithm does not apply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotUnique;

impl<'a> Clusters<'a> {
    /// Groups calls by value.
    pub(super) fn new(calls: &'a [RegisterCall], values: usize) -> Result<Self, NotUnique> {
        let empty = Cluster {
            installer: NONE,
            next: NONE,
            first_end: NONE,
            last_begin: NONE,
            taken: false,
        };
        let mut this = Clusters { calls, clusters: vec![empty; values] };
        for (index, call) in calls.iter().enumerate() {
            let index = index as u32;
            match call.action {
                Action::Read(value) => this.add_read(value, index),
                Action::Cas(old, new) if old == new => {
                    if call.complete != OPEN {
                        this.add_read(old, index);
                    }
                }
                Action::Write(value) | Action::Cas(_, value) => {
                    let cluster = &mut this.clusters[value as usize];
                    if value == INITIAL || cluster.installer != NONE {
                        return Err(NotUnique);
                    }
                    cluster.installer = index;
                }
                Action::Refused(_) | Action::Contradiction(_) => {}
            }
        }
        Ok(this)
    }

    fn add_read(&mut self, value: ValueId, index: u32) {
        let calls = self.calls;
        let cluster = &mut self.clusters[value as usize];
        let call = &calls[index as usize];
        if cluster.first_end == NONE {
            (cluster.first_end, cluster.last_begin) = (index, index);
            return;
        }
        if call.complete < calls[cluster.first_end as usize].complete {
            cluster.first_end = index;
        }
        if call.invoke > calls[cluster.last_begin as usize].invoke {
            cluster.last_begin = index;
        }
    }

    /// Decides, but for refused compare-and-sets without the value that they found. On success
    /// these are the zones of all chains, each with the value that its chain begins with.
    pub(super) fn decide(&mut self) -> Result<Vec<(ValueId, Zone)>, Conflict> {
        self.settle_who_took_effect()?;
        let chained = self.link()?;
        let zones = self.chains(chained)?;
        pairwise(&zones)?;
        Ok(zones)
    }

    fn settle_who_took_effect(&mut self) -> Result<(), Conflict> {
        let mut observed: Vec<(ValueId, u32)> = Vec::new();
        for value in 0..self.clusters.len() {
            let cluster = self.clusters[value];
            if cluster.first_end != NONE {
                observed.push((value as ValueId, cluster.first_end));
            }
            if cluster.installer != NONE && self.calls[cluster.installer as usize].complete != OPEN
            {
                self.clusters[value].taken = true;
                if let Action::Cas(old, _) = self.calls[cluster.installer as usize].action {
                    observed.push((old, cluster.installer));
                }
            }
            self.observe(&mut observed)?;
        }
        match self.calls.iter().position(|call| matches!(call.action, Action::Contradiction(_))) {
            Some(index) => Err(Conflict::Contradiction(index as u32)),
            None => Ok(()),
        }
    }

    /// Whoever installed an observed value took effect, and so observed in turn.
    fn observe(&mut self, observed: &mut Vec<(ValueId, u32)>) -> Result<(), Conflict> {
        while let Some((value, by)) = observed.pop() {
            let cluster = &mut self.clusters[value as usize];
            if value == INITIAL || cluster.taken {
                continue;
            }
            if cluster.installer == NONE {
                return Err(Conflict::ThinAir(by));
            }
            cluster.taken = true;
            let installer = cluster.installer;
            if let Action::Cas(old, _) = self.calls[installer as usize].action {
                observed.push((old, installer));
            }
        }
        Ok(())
    }

    /// Glues clusters into chains; how many are not the head of one.
    fn link(&mut self) -> Result<usize, Conflict> {
        let mut chained = 0;
        for value in 0..self.clusters.len() {
            let Cluster { installer, taken, .. } = self.clusters[value];
            if !taken {
                continue;
            }
            if let Action::Cas(old, _) = self.calls[installer as usize].action {
                let next = &mut self.clusters[old as usize].next;
                if *next != NONE {
                    return Err(Conflict::Twice(*next, installer));
                }
                *next = installer;
                chained += 1;
            }
        }
        Ok(chained)
    }

    fn chains(&self, chained: usize) -> Result<Vec<(ValueId, Zone)>, Conflict> {
        let mut zones = Vec::with_capacity(self.clusters.len() - chained);
        let mut reached = 0;
        for value in 0..self.clusters.len() as ValueId {
            if self.is_head(value) {
                zones.push((value, self.chain(value, &mut reached)?));
            }
        }
        if reached == chained {
            return Ok(zones);
        }
        Err(Conflict::Circle(self.on_a_circle()))
    }

    /// Walks a chain along its levels: each installer, then the reads of its value.
    fn chain(&self, head: ValueId, reached: &mut usize) -> Result<Zone, Conflict> {
        let mut zone = if head == INITIAL { Zone::START } else { Zone::EMPTY };
        let mut value = head;
        loop {
            let cluster = &self.clusters[value as usize];
            if value != INITIAL {
                self.level(&zone, cluster.installer)?;
                zone.add(cluster.installer, &self.calls[cluster.installer as usize]);
            }
            if cluster.first_end != NONE {
                self.level(&zone, cluster.first_end)?;
                zone.add_end(cluster.first_end, &self.calls[cluster.first_end as usize]);
                zone.add_begin(cluster.last_begin, &self.calls[cluster.last_begin as usize]);
            }
            if cluster.next == NONE {
                return Ok(zone);
            }
            *reached += 1;
            if let Action::Cas(_, new) = self.calls[cluster.next as usize].action {
                value = new;
            }
        }
    }

    /// Nothing of an earlier level may begin after `call` has ended.
    fn level(&self, earlier: &Zone, call: u32) -> Result<(), Conflict> {
        let ends = self.calls[call as usize].complete;
        if earlier.begins != NONE && ends < earlier.last_begin {
            return Err(Conflict::Inside { before: earlier.begins, after: call });
        }
        Ok(())
    }

    /// A compare-and-set that no head leads to: there is one if the chains do not hold all.
    fn on_a_circle(&self) -> u32 {
        let mut led_to = vec![false; self.clusters.len()];
        let heads = (0..self.clusters.len()).filter(|value| self.is_head(*value as ValueId));
        for mut value in heads {
            while let Some(cas) = self.calls.get(self.clusters[value].next as usize) {
                if let Action::Cas(_, new) = cas.action {
                    value = new as usize;
                    led_to[value] = true;
                }
            }
        }
        let is_lost = |value: &usize| {
            self.clusters[*value].taken && !led_to[*value] && !self.is_head(*value as ValueId)
        };
        (0..self.clusters.len()).find(is_lost).map_or(NONE, |value| self.clusters[value].installer)
    }

    /// Whether a chain begins with this value: it was there at first, or a write brought it.
    fn is_head(&self, value: ValueId) -> bool {
        let cluster = &self.clusters[value as usize];
        value == INITIAL
            || cluster.taken
                && matches!(self.calls[cluster.installer as usize].action, Action::Write(_))
    }
}

/// Looks for two chains that must each precede the other.
fn pairwise(zones: &[(ValueId, Zone)]) -> Result<(), Conflict> {
    let mut forward: Vec<Zone> =
        zones.iter().map(|(_, zone)| *zone).filter(Zone::is_forward).collect();
    forward.sort_unstable_by_key(|zone| zone.first_end);
    for pair in forward.windows(2) {
        if pair[1].first_end < pair[0].last_begin {
            return Err(Conflict::Between { first: pair[0], second: pair[1] });
        }
    }
    for (_, zone) in zones.iter().filter(|(_, zone)| !zone.is_forward()) {
        // Forward zones are disjoint by now: only the last that starts before can hold this one.
        let after = forward.partition_point(|other| other.first_end < zone.last_begin);
        if let Some(around) = after.checked_sub(1).map(|at| forward[at])
            && zone.first_end < around.last_begin
        {
            return Err(Conflict::Between { first: around, second: *zone });
        }
    }
    Ok(())
}
