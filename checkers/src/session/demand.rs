//! What guarantees demand of the order of versions.

use super::observe::{Sessions, Step, Version};
use crate::history::OpIndex;
use std::collections::BTreeMap;

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

/// Collects demands; those that say nothing are left out.
#[derive(Default)]
struct Demands(Vec<Demand>);

impl Demands {
    fn add(
        &mut self,
        older: Version,
        newer: Version,
        reason: Reason,
        because: [Option<OpIndex>; 4],
    ) {
        if older != newer {
            self.0.push(Demand { older, newer, reason, because });
        }
    }
}

/// All demands of all guarantees.
pub(super) fn all(sessions: &Sessions<'_>) -> Vec<Demand> {
    let mut demands = Demands::default();
    for steps in sessions.steps() {
        within(sessions, steps, &mut demands);
    }
    across(sessions, &mut demands);
    let mut demands = demands.0;
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

/// The latest write and read of a key by a session.
#[derive(Clone, Copy, Default)]
struct Latest {
    wrote: Option<Step>,
    read: Option<Step>,
}

/// What a session's own steps demand.
fn within(sessions: &Sessions<'_>, steps: &[Step], demands: &mut Demands) {
    let mut latest: BTreeMap<u32, Latest> = BTreeMap::new();
    for step in steps {
        let known = latest.entry(sessions.key_of(step.version)).or_default();
        let mut add = |earlier: Option<Step>, reason| {
            if let Some(earlier) = earlier {
                let because = [Some(earlier.index), Some(step.index), None, None];
                demands.add(earlier.version, step.version, reason, because);
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

/// By session and key, the latest write and read before each step: found by going along.
struct Timeline {
    /// By key, the places of writes and of reads among the session's steps, ascending.
    wrote: BTreeMap<u32, Vec<u32>>,
    read: BTreeMap<u32, Vec<u32>>,
}

impl Timeline {
    fn of(sessions: &Sessions<'_>, steps: &[Step]) -> Timeline {
        let mut timeline = Timeline { wrote: BTreeMap::new(), read: BTreeMap::new() };
        for (place, step) in (0..).zip(steps) {
            let side = if step.writes { &mut timeline.wrote } else { &mut timeline.read };
            side.entry(sessions.key_of(step.version)).or_default().push(place);
        }
        timeline
    }

    /// The latest place on one side, of a key, before `place`.
    fn before(side: &BTreeMap<u32, Vec<u32>>, key: u32, place: u32) -> Option<u32> {
        let places = side.get(&key)?;
        places[..places.partition_point(|p| *p < place)].last().copied()
    }
}

/// What readers of others' writes demand.
fn across(sessions: &Sessions<'_>, demands: &mut Demands) {
    let timelines: Vec<Timeline> =
        sessions.steps().iter().map(|steps| Timeline::of(sessions, steps)).collect();
    for steps in sessions.steps() {
        let mut reader = Reader::new(sessions, &timelines);
        for step in steps.iter().filter(|step| !step.writes) {
            reader.demand(step, demands);
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
    /// By key and session, how much of that was demanded already with the version then read.
    asked: BTreeMap<(u32, u32), (u32, Version)>,
}

impl<'a, 'h> Reader<'a, 'h> {
    fn new(sessions: &'a Sessions<'h>, timelines: &'a [Timeline]) -> Reader<'a, 'h> {
        Reader { sessions, timelines, seen: BTreeMap::new(), asked: BTreeMap::new() }
    }

    fn sees(&mut self, read: &Step) {
        let Some((session, place)) = self.sessions.written(read.version) else { return };
        let known = self.seen.entry(session).or_insert((place, read.index));
        if place > known.0 {
            *known = (place, read.index);
        }
    }

    /// What was read now is no older than what the writers of what was read before had written
    /// and read by then.
    fn demand(&mut self, read: &Step, demands: &mut Demands) {
        let key = self.sessions.key_of(read.version);
        for (session, (place, through)) in &self.seen {
            let asked = (*place, read.version);
            if self.asked.insert((key, *session), asked) == Some(asked) {
                continue;
            }
            let (steps, timeline) =
                (&self.sessions.steps()[*session as usize], &self.timelines[*session as usize]);
            let carrier = steps[*place as usize].index;
            for (side, reason) in
                [(&timeline.wrote, Reason::WriterWrote), (&timeline.read, Reason::WriterRead)]
            {
                let Some(earlier) = Timeline::before(side, key, *place) else { continue };
                let earlier = steps[earlier as usize];
                let because =
                    [Some(earlier.index), Some(carrier), Some(*through), Some(read.index)];
                demands.add(earlier.version, read.version, reason, because);
            }
        }
    }
}

/// A circle in words: each demand, and that together they cannot be.
pub(super) fn explain(sessions: &Sessions<'_>, circle: &[&Demand]) -> String {
    let key = circle.first().map_or(0, |demand| sessions.key_of(demand.older));
    let told: Vec<String> = circle
        .iter()
        .filter(|demand| demand.because[0].is_some())
        .map(|demand| sentence(sessions, demand))
        .collect();
    let initial = circle.iter().any(|demand| demand.because[0].is_none());
    let end =
        if initial { "But nothing is older than the initial value." } else { "Both cannot be." };
    format!("On {}: {} {end}", sessions.key_name(key), told.join(" "))
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
    format!("{story}, so {older} must be older than {newer}.")
}

impl Sessions<'_> {
    fn who(&self, index: OpIndex) -> String {
        match self.process_at(index) {
            Some(process) => format!("process {process}"),
            None => "somebody".to_owned(),
        }
    }
}
