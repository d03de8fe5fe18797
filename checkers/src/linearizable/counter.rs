//! Counters whose steps are all equal, in O(n log n).
//!
//! A read tells how many steps came before it. So reads have levels: those that saw the fewest
//! steps, those that saw the next number, and so on; and between two levels lies a *gap* that
//! holds an exact number of steps. A step that began after a read of some level had ended
//! belongs into a later gap, and one that had ended before a read began into an earlier one: each
//! step has a first and a last gap that it can be in. Of two steps, one of which ended before
//! the other began, it has neither the later first nor the later last one; so if each gap takes
//! the steps whose last gap is nearest (Jackson, 1955), and of these the one that began first,
//! real time among steps is kept too. There is a linearization exactly if reads are in the order
//! of their levels, no gap lacks a step and no step is left behind. A step that crashed may also
//! be left out, so it has no last gap.
//!
//! Steps of different sizes are left to the search: which of them make a difference is a
//! question of subset sums.

use super::Outcome;
use super::by_model::ModelCalls;
use super::key::{Algorithm, KeyContext, KeyReport, undecided};
use super::objects::{counter_by_search, counter_calls};
use super::words::{CHECKER, as_json, describe, events, on_key};
use crate::history::OpView;
use crate::model::{Counter, CounterInput};
use crate::verdict::Anomaly;
use serde_json::{Map, json};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Decides one counter.
pub(crate) fn check(context: &mut KeyContext<'_, '_>) -> KeyReport {
    let calls = match counter_calls(context) {
        Ok(calls) => calls,
        Err(unknown) => return undecided(unknown),
    };
    let Some(steps) = Steps::of(&calls) else { return counter_by_search(context, &calls) };
    let (outcome, anomaly) = match steps.decide() {
        Ok(()) => (Outcome::Linearizable, None),
        Err(flaw) => (Outcome::Violation, Some(tell(context, &calls, &flaw))),
    };
    KeyReport { outcome, algorithm: Algorithm::Levels, anomaly }
}

/// Decides one counter by the search, whatever its steps.
pub(crate) fn search(context: &mut KeyContext<'_, '_>) -> KeyReport {
    match counter_calls(context) {
        Ok(calls) => counter_by_search(context, &calls),
        Err(unknown) => undecided(unknown),
    }
}

/// Why there is no linearization; calls by index.
#[derive(Debug, PartialEq, Eq)]
enum Flaw {
    /// No number of steps makes what this read saw.
    NoSuchNumber(usize),
    /// The first saw fewer steps, yet began after the second had ended.
    Order { fewer: usize, more: usize },
    /// So many steps certainly came after one read (or the start) and before another; that one
    /// of them is one too many.
    TooMany { after: Option<usize>, before: usize, steps: usize, one: usize },
    /// No more than so many steps can have come after one read (or the start) and before another.
    TooFew { after: Option<usize>, before: usize, steps: usize },
}

/// A read or a step.
#[derive(Clone, Copy, Debug)]
struct Moment {
    call: usize,
    begin: u64,
    /// The last moment there is if it crashed.
    end: u64,
}

/// Reads that saw the same.
struct Level {
    /// How many steps they saw.
    count: u64,
    first_end: Moment,
    last_begin: Moment,
}

/// A step with the gaps that it can be in; gap g is before level g.
#[derive(Clone, Copy, Debug)]
struct Step {
    moment: Moment,
    first: usize,
    last: usize,
}

/// What the calls of a counter say.
struct Steps {
    reads: Vec<(u64, Moment)>,
    moments: Vec<Moment>,
    impossible: Option<usize>,
}

impl Steps {
    /// Reads the calls, if all steps are equal.
    fn of(calls: &ModelCalls<Counter>) -> Option<Steps> {
        let mut size = None;
        let mut this = Steps { reads: Vec::new(), moments: Vec::new(), impossible: None };
        let mut saw: Vec<(i128, Moment)> = Vec::new();
        for (index, call) in calls.calls.iter().enumerate() {
            let end = call.complete.unwrap_or(u64::MAX);
            let moment = Moment { call: index, begin: call.invoke, end };
            match (&call.input, call.output.flatten()) {
                (CounterInput::Add(delta), _) if *delta != 0 => {
                    let delta = i128::from(*delta);
                    if *size.get_or_insert(delta) != delta {
                        return None;
                    }
                    this.moments.push(moment);
                }
                (CounterInput::Read, Some(value)) => saw.push((i128::from(value), moment)),
                (CounterInput::Add(_) | CounterInput::Read, _) => {}
            }
        }
        let size = size.unwrap_or(1);
        for (value, moment) in saw {
            match u64::try_from(value / size) {
                Ok(count) if value % size == 0 => this.reads.push((count, moment)),
                _ => this.impossible = this.impossible.or(Some(moment.call)),
            }
        }
        Some(this)
    }

    fn decide(mut self) -> Result<(), Flaw> {
        if let Some(read) = self.impossible {
            return Err(Flaw::NoSuchNumber(read));
        }
        self.reads.sort_by_key(|(count, moment)| (*count, moment.begin));
        let levels = self.levels()?;
        let steps = self.ranges(&levels);
        match steps.iter().find(|step| step.first > step.last) {
            // Reads of one level ended before it began and began after it ended.
            Some(step) => Err(Flaw::TooMany {
                after: Some(levels[step.last].first_end.call),
                before: levels[step.last].last_begin.call,
                steps: 1,
                one: step.moment.call,
            }),
            None => fill(&levels, &steps),
        }
    }

    /// The levels in order; none of a lower level may begin after one of a higher had ended.
    fn levels(&self) -> Result<Vec<Level>, Flaw> {
        let mut levels: Vec<Level> = Vec::new();
        // The read of lower levels that begins last.
        let mut lower: Option<Moment> = None;
        for (count, read) in &self.reads {
            match levels.last_mut() {
                Some(level) if level.count == *count => {
                    if read.end < level.first_end.end {
                        level.first_end = *read;
                    }
                    level.last_begin = *read; // They are sorted by their beginning.
                }
                last => {
                    let below = last.map(|level| level.last_begin);
                    lower = lower.into_iter().chain(below).max_by_key(|moment| moment.begin);
                    levels.push(Level { count: *count, first_end: *read, last_begin: *read });
                }
            }
            if let Some(lower) = lower.filter(|lower| read.end < lower.begin) {
                return Err(Flaw::Order { fewer: lower.call, more: read.call });
            }
        }
        Ok(levels)
    }

    /// The gaps that each step can be in. Levels are in order by now, so that the first ends of
    /// levels and the last beginnings of levels can be taken as ascending.
    fn ranges(&self, levels: &[Level]) -> Vec<Step> {
        // The first end among this level and all above; the last beginning among it and below.
        let mut first_ends: Vec<u64> = levels.iter().map(|level| level.first_end.end).collect();
        for at in (1..levels.len()).rev() {
            first_ends[at - 1] = first_ends[at - 1].min(first_ends[at]);
        }
        let mut last_begins: Vec<u64> = levels.iter().map(|level| level.last_begin.begin).collect();
        for at in 1..levels.len() {
            last_begins[at] = last_begins[at].max(last_begins[at - 1]);
        }
        let range = |moment: &Moment| Step {
            moment: *moment,
            first: first_ends.partition_point(|end| *end < moment.begin),
            last: last_begins.partition_point(|begin| *begin <= moment.end),
        };
        self.moments.iter().map(range).collect()
    }
}

/// Fills each gap with steps; which of the two ways it fails, if it does.
fn fill(levels: &[Level], steps: &[Step]) -> Result<(), Flaw> {
    let mut coming: Vec<usize> = (0..steps.len()).collect();
    coming.sort_by_key(|at| (steps[*at].first, steps[*at].moment.begin));
    let mut coming = coming.into_iter().peekable();
    let mut ready: BinaryHeap<Reverse<(usize, u64, usize)>> = BinaryHeap::new();
    let mut placed: Vec<Vec<usize>> = Vec::with_capacity(levels.len());
    let mut before = 0;
    for (gap, level) in levels.iter().enumerate() {
        while let Some(at) = coming.next_if(|at| steps[*at].first <= gap) {
            ready.push(Reverse((steps[at].last, steps[at].moment.begin, at)));
        }
        let mut here = Vec::new();
        for _ in before..level.count {
            let Some(Reverse((_, _, at))) = ready.pop() else {
                return Err(too_few(levels, steps, &placed, here.len()));
            };
            here.push(at);
        }
        placed.push(here);
        before = level.count;
        if let Some(Reverse((last, _, at))) = ready.peek()
            && *last <= gap
        {
            return Err(too_many(levels, steps, &placed, *at));
        }
    }
    Ok(())
}

/// The step `one` is left behind: since some gap on, all gaps hold steps that fit nowhere else.
fn too_many(levels: &[Level], steps: &[Step], placed: &[Vec<usize>], one: usize) -> Flaw {
    let last = placed.len() - 1;
    let mut first = steps[one].first;
    let mut gap = last + 1;
    let mut count = 1;
    while gap > first {
        gap -= 1;
        count += placed[gap].len();
        first = placed[gap].iter().map(|at| steps[*at].first).fold(first, usize::min);
    }
    Flaw::TooMany {
        after: first.checked_sub(1).map(|level| levels[level].first_end.call),
        before: levels[last].last_begin.call,
        steps: count,
        one: steps[one].moment.call,
    }
}

/// The gap after those placed lacks steps: since some gap on, there are no more that could be
/// there.
fn too_few(levels: &[Level], steps: &[Step], placed: &[Vec<usize>], here: usize) -> Flaw {
    // How far the steps of each gap and of all before could be moved.
    let mut reach: Vec<usize> = Vec::with_capacity(placed.len());
    for placed in placed {
        let before = reach.last().copied().unwrap_or(0);
        reach.push(placed.iter().map(|at| steps[*at].last).fold(before, usize::max));
    }
    let mut first = placed.len();
    loop {
        let movable = reach.partition_point(|reach| *reach < first);
        if movable >= first {
            break;
        }
        first = movable;
    }
    Flaw::TooFew {
        after: first.checked_sub(1).map(|level| levels[level].last_begin.call),
        before: levels[placed.len()].first_end.call,
        steps: here + placed[first..].iter().map(Vec::len).sum::<usize>(),
    }
}

fn counted(steps: usize) -> String {
    if steps == 1 { "1 step".to_string() } else { format!("{steps} steps") }
}

fn tell(context: &KeyContext<'_, '_>, calls: &ModelCalls<Counter>, flaw: &Flaw) -> Anomaly {
    let op = |call: usize| context.op(calls.ops[call] as usize);
    let words = |call: usize| describe(&op(call));
    let since = |after: Option<usize>| match after {
        Some(read) => format!("after {}", words(read)),
        None => "from the start on".to_string(),
    };
    let (kind, shown, text) = match *flaw {
        Flaw::NoSuchNumber(read) => {
            ("phantom", vec![read], format!("{}: no number of steps makes that.", words(read)))
        }
        Flaw::Order { fewer, more } => (
            "stale-read",
            vec![more, fewer],
            format!(
                "{} had ended before {} began, which saw fewer steps.",
                words(more),
                words(fewer)
            ),
        ),
        Flaw::TooMany { after, before, steps, one } => (
            "lost-update",
            after.into_iter().chain([one, before]).collect(),
            format!(
                "By what was read and when, {} came {} and before {}, {} among them: more than that \
                 saw.",
                counted(steps),
                since(after),
                words(before),
                words(one),
            ),
        ),
        Flaw::TooFew { after, before, steps } => (
            "phantom",
            after.into_iter().chain([before]).collect(),
            format!(
                "By what was read and when, no more than {} came {} and before {}: fewer than that \
                 saw.",
                counted(steps),
                since(after),
                words(before),
            ),
        ),
    };
    let ops: Vec<OpView<'_>> = shown.into_iter().map(op).collect();
    let mut evidence = Map::new();
    if let Some(key) = context.group.key {
        evidence.insert("key".into(), key.into());
    }
    evidence.insert("operations".into(), json!(ops.iter().map(as_json).collect::<Vec<_>>()));
    Anomaly {
        kind: kind.into(),
        checker: CHECKER.into(),
        explanation: format!("{text}{}", on_key(context.group.key)),
        ops: events(ops),
        evidence,
    }
}
