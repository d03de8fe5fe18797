//! What guarantees demand of the order of versions.

use super::observe::{Sessions, Step, Version};
use crate::history::OpIndex;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeMap;

type FxMap<K, V> = HashMap<K, V, FxBuildHasher>;

/// A session guarantee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guarantee {
    ReadYourWrites,
    MonotonicReads,
    MonotonicWrites,
    WritesFollowReads,
}

/// Where a demand comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// A session wrote both, in this order.
    OwnOrder,
    /// It wrote the one and read the other.
    OwnWrite,
    /// It read both, in this order.
    ReadBefore,
    /// It read the one and wrote the other.
    ReadThenWrote,
    /// It read something whose writer had written the one before, and then read the other.
    WriterWrote,
    /// It read something whose writer had read the one before, and then read the other.
    WriterRead,
}

/// One version of a key must be older than another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    pub(super) older: Version,
    pub(super) newer: Version,
    pub(super) reason: Reason,
    /// The operations that make it so, in the order of the story.
    pub(super) because: [Option<OpIndex>; 4],
}

impl Guarantee {
    pub(super) const ALL: [Guarantee; 4] = [
        Guarantee::ReadYourWrites,
        Guarantee::MonotonicReads,
        Guarantee::MonotonicWrites,
        Guarantee::WritesFollowReads,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Guarantee::ReadYourWrites => "read-your-writes",
            Guarantee::MonotonicReads => "monotonic-reads",
            Guarantee::MonotonicWrites => "monotonic-writes",
            Guarantee::WritesFollowReads => "writes-follow-reads",
        }
    }
}

impl Demand {
    pub(super) fn is_of(&self, guarantee: Guarantee) -> bool {
        match self.reason {
            Reason::OwnOrder => guarantee != Guarantee::MonotonicReads,
            Reason::OwnWrite => guarantee == Guarantee::ReadYourWrites,
            Reason::ReadBefore => guarantee == Guarantee::MonotonicReads,
            Reason::ReadThenWrote | Reason::WriterRead => guarantee == Guarantee::WritesFollowReads,
            Reason::WriterWrote => guarantee == Guarantee::MonotonicWrites,
        }
    }
}

/// The demands that circles can be made of, of all guarantees.
///
/// Versions are numbered by the invocations of their writes, and mostly are demanded in that order.
/// A circle has a demand against it, and lies within a stretch that such demands cover without a
/// gap, so only demands within these stretches are kept: few, where there are millions.
pub(super) fn all(sessions: &Sessions<'_>) -> Vec<Demand> {
    let mut disorder = Disorder::default();
    each(sessions, &mut |demand| disorder.note(sessions, &demand));
    disorder.merge();
    if disorder.stretches.is_empty() {
        return Vec::new();
    }
    let mut demands = Vec::new();
    each(sessions, &mut |demand| {
        if disorder.holds(sessions, &demand) {
            demands.push(demand);
        }
    });
    // The initial value is the oldest: said only where something else must be older, since no
    // other circle goes through it.
    let initial: Vec<Version> = demands
        .iter()
        .filter(|demand| sessions.written(demand.newer).is_none())
        .map(|demand| demand.older)
        .collect();
    for version in initial {
        let (key, because) = (sessions.key_of(version), [None; 4]);
        demands.push(Demand { older: key, newer: version, reason: Reason::OwnOrder, because });
        // Every guarantee takes the initial value for the oldest.
        let reason = Reason::ReadBefore;
        demands.push(Demand { older: key, newer: version, reason, because });
    }
    demands
}

/// Gives every demand; those that say nothing are left out.
fn each(sessions: &Sessions<'_>, take: &mut impl FnMut(Demand)) {
    let mut take = |demand: Demand| {
        if demand.older != demand.newer {
            take(demand);
        }
    };
    for steps in sessions.steps() {
        within(sessions, steps, &mut take);
    }
    across(sessions, &mut take);
}

/// After so many notes stretches are merged.
const NOTES_MAX: usize = 1 << 20;

/// Where versions are demanded in another order than that of their numbers.
#[derive(Default)]
struct Disorder {
    /// A key, the first version and the last; those of a key do not touch once they are merged.
    stretches: Vec<(u32, Version, Version)>,
    merged: usize,
}

impl Disorder {
    fn note(&mut self, sessions: &Sessions<'_>, demand: &Demand) {
        if demand.older > demand.newer {
            self.stretches.push((sessions.key_of(demand.older), demand.newer, demand.older));
            if self.stretches.len() >= self.merged + NOTES_MAX {
                self.merge();
            }
        }
    }

    fn merge(&mut self) {
        self.stretches.sort_unstable();
        self.stretches.dedup_by(|next, kept| {
            let touches = next.0 == kept.0 && next.1 <= kept.2;
            if touches {
                kept.2 = kept.2.max(next.2);
            }
            touches
        });
        self.merged = self.stretches.len();
    }

    /// Whether both versions lie in one stretch.
    fn holds(&self, sessions: &Sessions<'_>, demand: &Demand) -> bool {
        let (low, high) = (demand.older.min(demand.newer), demand.older.max(demand.newer));
        let wanted = (sessions.key_of(low), low);
        let behind = self.stretches.partition_point(|(key, first, _)| (*key, *first) <= wanted);
        let stretch = behind.checked_sub(1).map(|at| self.stretches[at]);
        stretch.is_some_and(|(key, _, last)| key == wanted.0 && high <= last)
    }
}

/// The latest write and read of a key by a session.
#[derive(Clone, Copy, Default)]
struct Latest {
    wrote: Option<Step>,
    read: Option<Step>,
}

/// What a session's own steps demand.
fn within(sessions: &Sessions<'_>, steps: &[Step], take: &mut impl FnMut(Demand)) {
    let mut latest: FxMap<u32, Latest> = FxMap::default();
    for step in steps {
        let known = latest.entry(sessions.key_of(step.version)).or_default();
        let mut add = |earlier: Option<Step>, reason| {
            if let Some(earlier) = earlier {
                let because = [Some(earlier.index), Some(step.index), None, None];
                take(Demand { older: earlier.version, newer: step.version, reason, because });
            }
        };
        if step.writes {
            add(known.wrote, Reason::OwnOrder);
            add(known.read, Reason::ReadThenWrote);
            known.wrote = Some(*step);
        } else {
            add(known.wrote, Reason::OwnWrite);
            add(known.read, Reason::ReadBefore);
            known.read = Some(*step);
        }
    }
}

/// The places of a key's writes and reads among the steps of a session, ascending.
#[derive(Default)]
struct Places {
    wrote: Vec<u32>,
    read: Vec<u32>,
}

/// By key.
type Timeline = FxMap<u32, Places>;

fn timeline(sessions: &Sessions<'_>, steps: &[Step]) -> Timeline {
    let mut timeline = Timeline::default();
    for (place, step) in (0..).zip(steps) {
        let places = timeline.entry(sessions.key_of(step.version)).or_default();
        if step.writes { &mut places.wrote } else { &mut places.read }.push(place);
    }
    timeline
}

/// What readers of others' writes demand.
fn across(sessions: &Sessions<'_>, take: &mut impl FnMut(Demand)) {
    let timelines: Vec<Timeline> =
        sessions.steps().iter().map(|steps| timeline(sessions, steps)).collect();
    for steps in sessions.steps() {
        let mut reader = Reader { sessions, timelines: &timelines, seen: BTreeMap::new() };
        for step in steps.iter().filter(|step| !step.writes) {
            reader.demand(step, take);
            reader.sees(step);
        }
    }
}

/// How far one session has seen the others.
struct Reader<'a, 'h> {
    sessions: &'a Sessions<'h>,
    timelines: &'a [Timeline],
    /// By session: the place of its latest write that was read, and the read. A read of an older
    /// one takes nothing back.
    seen: BTreeMap<u32, (u32, OpIndex)>,
}

impl Reader<'_, '_> {
    fn sees(&mut self, read: &Step) {
        let Some((session, place)) = self.sessions.written(read.version) else { return };
        let known = self.seen.entry(session).or_insert((place, read.index));
        if place > known.0 {
            *known = (place, read.index);
        }
    }

    /// What was read now is no older than what the writers of what was read before had written
    /// and read by then.
    fn demand(&self, read: &Step, take: &mut impl FnMut(Demand)) {
        let key = self.sessions.key_of(read.version);
        for (session, (place, through)) in &self.seen {
            let Some(places) = self.timelines[*session as usize].get(&key) else { continue };
            let steps = &self.sessions.steps()[*session as usize];
            let carrier = steps[*place as usize].index;
            for (places, reason) in
                [(&places.wrote, Reason::WriterWrote), (&places.read, Reason::WriterRead)]
            {
                let before = places.partition_point(|earlier| earlier < place);
                let Some(earlier) = before.checked_sub(1) else { continue };
                let earlier = steps[places[earlier] as usize];
                let because =
                    [Some(earlier.index), Some(carrier), Some(*through), Some(read.index)];
                take(Demand { older: earlier.version, newer: read.version, reason, because });
            }
        }
    }
}

/// A circle in words: each demand, and that together they cannot be.
pub(super) fn explain(sessions: &Sessions<'_>, circle: &[&Demand]) -> String {
    let key = circle.first().map_or(0, |demand| sessions.key_of(demand.older));
    let told = circle.iter().filter(|demand| demand.because[0].is_some());
    let told: Vec<String> = told.map(|demand| sentence(sessions, demand)).collect();
    let initial = circle.iter().any(|demand| demand.because[0].is_none());
    let end =
        if initial { "But nothing is older than the initial value." } else { "Both cannot be." };
    format!("On {}: {}. {end}", sessions.key_name(key), told.join("; "))
}

fn sentence(sessions: &Sessions<'_>, demand: &Demand) -> String {
    let (older, newer) = (sessions.shown(demand.older), sessions.shown(demand.newer));
    let ops: Vec<OpIndex> = demand.because.iter().flatten().copied().collect();
    let who = |at: usize| ops.get(at).map_or_else(String::new, |index| sessions.who(*index));
    let at = |at: usize| ops.get(at).map_or_else(String::new, |index| format!("event {index}"));
    let story = match demand.reason {
        Reason::OwnOrder => {
            format!("{} wrote {older} ({}) and then {newer} ({})", who(0), at(0), at(1))
        }
        Reason::OwnWrite => {
            format!("{} wrote {older} ({}) and then read {newer} ({})", who(0), at(0), at(1))
        }
        Reason::ReadBefore => {
            format!("{} read {older} ({}) and then {newer} ({})", who(0), at(0), at(1))
        }
        Reason::ReadThenWrote => {
            format!("{} read {older} ({}) and then wrote {newer} ({})", who(0), at(0), at(1))
        }
        Reason::WriterWrote | Reason::WriterRead => {
            let did = if demand.reason == Reason::WriterWrote { "wrote" } else { "read" };
            format!(
                "{} {did} {older} ({}) before it wrote ({}) what {} read ({}) before it \
                 read {newer} ({})",
                who(0),
                at(0),
                at(1),
                who(2),
                at(2),
                at(3)
            )
        }
    };
    format!("{story}, so {older} must be older than {newer}")
}

impl Sessions<'_> {
    fn who(&self, index: OpIndex) -> String {
        match self.process_at(index) {
            Some(process) => format!("process {process}"),
            None => "somebody".to_owned(),
        }
    }
}
