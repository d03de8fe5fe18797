//! The smallest history that still fails.
//!
//! Three steps, each asking the checker again. Linearizability is closed under prefixes, so that
//! the shortest failing prefix of the failing key is found by bisection. Then whole *clusters*
//! go: all operations on one value of a register (with those that compare-and-set ties to it),
//! one item of a container, one element of a set. Then operations that only observe, those of
//! whole processes first, at last one by one. None of this can make a wrong history out of a
//! right one: if what is left fails, the whole does, and for the same cause. What is left moves
//! to as few processes as it needs, which changes nothing but for locks. (Delta debugging:
//! Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002.)

use super::kind::ModelKind;
use super::options::Options;
use super::report::check;
use super::variant::{self, Variant};
use crate::history::{Event, EventType, History, KeyGroup, OpIndex, OpView, Process};
use crate::value::{Name, Value};
use crate::verdict::Valid;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// How often the checker is asked at most, and how often where only a core is wanted.
const CHECKS_MAX: usize = 2000;
const CORE_CHECKS_MAX: usize = 200;
/// The steps of each of the latter.
const CORE_STEPS: u64 = 1 << 14;

/// The smallest history found that is still not linearizable; nothing if `history` is not known
/// to fail. Its events carry their index in `history` as the field `original-index`.
///
/// The result is a history like any other, which a checker rejects again. Cost: the checks of
/// ever smaller histories, some tens where a special algorithm decides.
pub fn minimize(history: &History, kind: ModelKind, options: &Options<'_>) -> Option<History> {
    let report = check(history, kind, options);
    let first = report.anomalies.first();
    let culprit = first.and_then(|anomaly| anomaly.ops.first().copied());
    if report.valid != Valid::False {
        return None;
    }
    // What is left of the history may not tell any more how many clients there were.
    let options =
        &Options { clients: options.clients.or_else(|| variant::clients(history)), ..*options };
    let mut smaller = Smaller { kind, options, checks: CHECKS_MAX, best: original(history) };
    if let Some(op) = culprit.and_then(|index| history.op_at(index)) {
        let key = op.key();
        smaller.try_keeping(|other| other.key() == key);
    }
    smaller.cut();
    smaller.only(&first.map(|anomaly| anomaly.ops.clone()).unwrap_or_default());
    smaller.shrink(clusters);
    smaller.shrink(observing_processes);
    smaller.shrink(observers);
    smaller.clip();
    Some(smaller.best)
}

/// Operations of a key that fail without its others, by their positions in the history, ascending;
/// nothing if the key is not known to fail. They are few, and not the fewest.
pub(super) fn core(history: &History, group: &KeyGroup<'_>, kind: ModelKind) -> Option<Vec<u32>> {
    let options = Options { steps: CORE_STEPS, threads: 1, ..Options::default() };
    let marked = |event: &Event| original_index(event) >= 0;
    if history.events().iter().any(marked) {
        return None; // What was made smaller before has other indices for its own.
    }
    let mut smaller =
        Smaller { kind, options: &options, checks: CORE_CHECKS_MAX, best: original(history) };
    let own = smaller.events_of(|op| op.key() == group.key);
    if !smaller.try_events(own) {
        return None;
    }
    smaller.cut();
    let named = check(&smaller.best, kind, &options).anomalies.into_iter().next();
    let named = named.map(|anomaly| anomaly.ops).unwrap_or_default();
    let index = |op: &OpIndex| OpIndex(original_index(smaller.best.event(*op)) as u32);
    let named: Vec<OpIndex> = named.iter().map(index).collect();
    smaller.only(&named);
    smaller.shrink(clusters);
    let place = |op: OpView<'_>| {
        let index = u32::try_from(original_index(op.invoke)).ok()?;
        Some(history.op_at(OpIndex(index))?.position as u32)
    };
    smaller.best.ops().map(place).collect()
}

const ORIGINAL: &str = "original-index";

/// The same history, with each event's index as a field.
pub(crate) fn original(history: &History) -> History {
    let mark = |event: &Event| {
        let mut event = event.clone();
        let mut extra = event.extra.take().map(Vec::from).unwrap_or_default();
        if extra.iter().all(|(name, _)| name.as_str() != ORIGINAL) {
            extra.push((Name::from(ORIGINAL), Value::Int(i64::from(event.index.0))));
        }
        event.extra = Some(extra.into());
        event
    };
    History::from_events(history.events().iter().map(mark).collect()).unwrap_or_default()
}

/// The groups that operations belong to, by position; those in none always stay.
type Grouping = fn(&History, ModelKind) -> Vec<Option<u32>>;

struct Smaller<'a, 'b> {
    kind: ModelKind,
    options: &'a Options<'b>,
    /// How often the checker may still be asked.
    checks: usize,
    best: History,
}

impl Smaller<'_, '_> {
    /// Whether this fails too; then it is the best so far.
    fn try_events(&mut self, events: Vec<Event>) -> bool {
        let Some(left) = self.checks.checked_sub(1) else { return false };
        self.checks = left;
        let renumber = |(at, mut event): (usize, Event)| {
            event.index = OpIndex(at as u32);
            event
        };
        let events = events.into_iter().enumerate().map(renumber).collect();
        let Ok(history) = History::from_events(events) else { return false };
        let fails = check(&history, self.kind, self.options).valid == Valid::False;
        if fails {
            self.best = history;
        }
        fails
    }

    /// The events of some operations.
    fn events_of(&self, keep: impl Fn(&OpView<'_>) -> bool) -> Vec<Event> {
        let mut kept = vec![false; self.best.events().len()];
        for op in self.best.ops().filter(|op| keep(op)) {
            for event in [Some(op.invoke), op.complete].into_iter().flatten() {
                kept[event.index.0 as usize] = true;
            }
        }
        let events = self.best.events().iter().filter(|event| kept[event.index.0 as usize]);
        events.cloned().collect()
    }

    fn try_keeping(&mut self, keep: impl Fn(&OpView<'_>) -> bool) -> bool {
        let events = self.events_of(keep);
        events.len() < self.best.events().len() && self.try_events(events)
    }

    /// The shortest failing prefix, by bisection.
    fn cut(&mut self) {
        let all = self.best.events().to_vec();
        let (mut passes, mut fails) = (0, all.len());
        while fails - passes > 1 {
            let middle = usize::midpoint(passes, fails);
            if self.try_events(all[..middle].to_vec()) {
                fails = middle;
            } else {
                passes = middle;
            }
        }
    }

    /// Mostly the clusters of the operations that the evidence names fail alone.
    fn only(&mut self, ops: &[OpIndex]) {
        let groups = clusters(&self.best, self.kind);
        let named = |op: &OpView<'_>| {
            let events = [Some(op.invoke), op.complete];
            events.into_iter().flatten().any(|event| {
                let index = original_index(event);
                ops.iter().any(|named| i64::from(named.0) == index)
            })
        };
        let keep: Vec<Option<u32>> =
            self.best.ops().filter(named).map(|op| groups[op.position]).collect();
        self.try_keeping(|op| groups[op.position].is_none_or(|group| keep.contains(&Some(group))));
    }

    /// Moves what is left to as few processes as it needs.
    fn clip(&mut self) {
        if matches!(self.kind, ModelKind::OwnedLock) || self.options.variant != Variant::Plain {
            return; // There it matters who asks.
        }
        let mut events = self.best.events().to_vec();
        let mut ends: Vec<(u32, usize, bool)> = Vec::new();
        for op in self.best.ops() {
            ends.push((op.invoke.index.0, op.position, false));
            ends.extend(op.complete.map(|event| (event.index.0, op.position, true)));
        }
        ends.sort_unstable();
        let mut free: Vec<u64> = Vec::new();
        let mut next = 0..;
        let mut clients = vec![0; self.best.operations().len()];
        for (index, position, completes) in ends {
            if !completes {
                clients[position] = free.pop().or_else(|| next.next()).unwrap_or_default();
            } else if events[index as usize].kind != EventType::Info {
                free.push(clients[position]); // After "info" a process is retired.
            }
            events[index as usize].process = Process::Client(clients[position]);
        }
        self.try_events(events);
    }

    /// Leaves out groups, many at a time at first, until none can be left out.
    fn shrink(&mut self, grouping: Grouping) {
        let mut parts = 2;
        loop {
            let groups = grouping(&self.best, self.kind);
            let count = groups.iter().flatten().max().map_or(0, |most| *most as usize + 1);
            if count == 0 || self.checks == 0 {
                return;
            }
            parts = parts.min(count);
            let size = count.div_ceil(parts);
            let smaller = (0..count).step_by(size).any(|from| {
                let leave_out = from..from + size;
                self.try_keeping(|op| {
                    groups[op.position].is_none_or(|group| !leave_out.contains(&(group as usize)))
                })
            });
            if smaller {
                parts = parts.saturating_sub(1).max(2);
            } else if size == 1 {
                return;
            } else {
                parts *= 2;
            }
        }
    }
}

fn original_index(event: &Event) -> i64 {
    let mut extra = event.extra.iter().flat_map(|extra| extra.iter());
    let field = extra.find(|(name, _)| name.as_str() == ORIGINAL);
    field.and_then(|(_, value)| value.as_int()).unwrap_or(-1)
}

/// Operations by value.
fn clusters(history: &History, kind: ModelKind) -> Vec<Option<u32>> {
    let mut groups = Groups::default();
    let of_op: Vec<Option<u32>> = history
        .ops()
        .map(|op| match kind {
            ModelKind::Register => groups.of_register(&op),
            ModelKind::Set => Some(groups.of(op.input())),
            ModelKind::Queue | ModelKind::Stack | ModelKind::PriorityQueue => {
                let seen = op.output().filter(|seen| !seen.is_null());
                let item = seen.unwrap_or_else(|| op.input());
                (!item.is_null()).then(|| groups.of(item))
            }
            _ => None,
        })
        .collect();
    groups.dense(&of_op)
}

/// Whether an operation only observes.
fn observes(op: &OpView<'_>) -> bool {
    match op.f().as_str() {
        "read" | "get" | "contains" | "peek" => true,
        "dequeue" | "deq" | "pop" | "poll" | "take" => {
            op.outcome == EventType::Fail || op.output().is_some_and(Value::is_null)
        }
        _ => op.outcome == EventType::Fail,
    }
}

/// Operations that only observe, each alone.
fn observers(history: &History, _: ModelKind) -> Vec<Option<u32>> {
    let mut singles = 0..;
    history.ops().map(|op| if observes(&op) { singles.next() } else { None }).collect()
}

/// Operations that only observe, by process.
fn observing_processes(history: &History, _: ModelKind) -> Vec<Option<u32>> {
    let mut numbers: HashMap<Process, u32, FxBuildHasher> = HashMap::default();
    let group = |op: OpView<'_>| {
        let next = numbers.len() as u32;
        observes(&op).then(|| *numbers.entry(op.process()).or_insert(next))
    };
    history.ops().map(group).collect()
}

/// Groups of values, joined where a compare-and-set ties them.
#[derive(Default)]
struct Groups {
    numbers: HashMap<Value, u32, FxBuildHasher>,
    /// Each group's parent; a root is its own.
    parents: Vec<u32>,
}

impl Groups {
    fn of(&mut self, value: &Value) -> u32 {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        let number = self.parents.len() as u32;
        self.numbers.insert(value.clone(), number);
        self.parents.push(number);
        number
    }

    fn of_register(&mut self, op: &OpView<'_>) -> Option<u32> {
        let value = match (op.f().as_str(), op.input().as_list()) {
            ("cas", Some([old, new])) if op.outcome != EventType::Fail => {
                let (old, new) = (self.of(old), self.of(new));
                let (old, new) = (self.root(old), self.root(new));
                self.parents[old as usize] = new;
                return Some(new);
            }
            ("cas", _) => return None,
            ("read", _) => op.output()?,
            _ => op.input(),
        };
        Some(self.of(value))
    }

    fn root(&mut self, mut group: u32) -> u32 {
        while self.parents[group as usize] != group {
            let parent = self.parents[group as usize];
            self.parents[group as usize] = self.parents[parent as usize];
            group = parent;
        }
        group
    }

    /// The groups' roots, numbered from 0 without gaps.
    fn dense(&mut self, of_op: &[Option<u32>]) -> Vec<Option<u32>> {
        let mut numbers: HashMap<u32, u32, FxBuildHasher> = HashMap::default();
        let number = |group: &Option<u32>| {
            group.map(|group| {
                let root = self.root(group);
                let next = numbers.len() as u32;
                *numbers.entry(root).or_insert(next)
            })
        };
        of_op.iter().map(number).collect()
    }
}
