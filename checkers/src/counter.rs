//! Counters: can what was read be the sum of what was added?
//!
//! `add` adds its argument, which may be negative, and `read` returns the sum. An eventually
//! consistent counter may miss any add for a while, so a read in the middle of a run is only
//! bounded: no lower than if only the negative adds that had begun were in it, no higher than if
//! only the positive ones were. Once all is healed and has come together, it must be exact: the
//! sum of all acknowledged adds, and of any subset of those of which nobody knows (as Maelstrom's
//! `pn-counter`). Which sums such subsets have is decided exactly while they are few, and by
//! their bounds beyond that; the report says which. An add that failed is in no sum. From where on
//! a counter is asked for something else than these two, or to add what is no integer of 64 bits,
//! what its reads return is not judged, and the verdict is at best "unknown".
//!
//! Cost: O(n) for the bounds, O(crashed adds × width of their bounds / 64) for the exact sums.

use crate::final_phase::{self, at, key_text};
use crate::history::{EventType, History, KeyGroup, OpIndex, OpView};
use crate::value::Value;
use crate::verdict::{Anomaly, CheckerReport, Valid};
use std::collections::BTreeMap;

/// At most so many anomalies of one kind are explained; all are counted.
const EXPLAINED_MAX: usize = 8;
/// Exact sums are found as long as crashed adds times the width of their bounds is below this.
const EXACT_MAX: u128 = 50_000_000;

/// What was found over all counters.
#[derive(Default)]
struct Tally {
    reads: u64,
    finals: u64,
    bounds: serde_json::Map<String, serde_json::Value>,
    inexact: bool,
    /// What is no number of a counter, and how often there is such a thing.
    odd: Option<String>,
    oddities: u64,
    counts: BTreeMap<&'static str, u64>,
    anomalies: Vec<Anomaly>,
}

/// What the end of a run may show.
struct Possible {
    certain: i128,
    low: i128,
    high: i128,
    crashed: usize,
    /// By distance from `low`, whether a sum is possible; absent where only bounds are known.
    sums: Option<Vec<u64>>,
}

/// Checks every counter of a history.
pub fn check(history: &History) -> CheckerReport {
    let begin = final_phase::begin(history).map(|event| event.index);
    let mut tally = Tally::default();
    let partition = history.by_key();
    for group in partition.groups() {
        let odd = first_odd(&group, &mut tally);
        within_bounds(&group, odd, &mut tally);
        // Without a final phase nothing says that a read must have everything.
        let Some(begin) = begin.filter(|_| odd.is_none()) else { continue };
        let possible = Possible::of(&group);
        tally.inexact |= possible.sums.is_none();
        let name = group.key.map_or_else(|| "counter".to_owned(), key_text);
        let bounds = [possible.low, possible.high].map(|sum| json(&Value::integer(sum)));
        tally.bounds.insert(name, bounds.to_vec().into());
        let mut last: BTreeMap<&str, (OpView<'_>, i128)> = BTreeMap::new();
        for (op, count) in reads(&group).filter(|(op, _)| op.invoke.index > begin) {
            last.insert(final_phase::node(&op), (op, count));
        }
        for (node, (op, count)) in last {
            tally.finals += 1;
            if !possible.has(count) {
                tally.anomaly("counter-wrong", possible.explain(group.key, node, count), &op);
            }
        }
    }
    tally.report(begin.is_some())
}

fn reads<'a>(group: &KeyGroup<'a>) -> impl Iterator<Item = (OpView<'a>, i128)> + use<'a> {
    let reads = group.ops().filter(|op| op.f().as_str() == "read");
    reads.filter_map(|op| Some((op, i128::from(op.output()?.as_int()?))))
}

/// What an operation adds, if it is an add that may have happened.
fn added(op: &OpView<'_>) -> Option<i128> {
    (op.f().as_str() == "add" && op.outcome != EventType::Fail)
        .then(|| op.input().as_int().map(i128::from))?
}

fn json(value: &Value) -> serde_json::Value {
    value.into()
}

/// From where on the sum of a counter is not known: the first operation that may have happened
/// and is neither a read nor an add of an integer. Reads that returned none are noted too.
fn first_odd(group: &KeyGroup<'_>, tally: &mut Tally) -> Option<OpIndex> {
    let mut first = None;
    for op in group.ops().filter(|op| op.outcome != EventType::Fail) {
        let (f, index) = (op.f(), op.invoke.index);
        match f.as_str() {
            "read" => {
                if let (Some(value), Some(end)) = (op.output(), op.complete)
                    && value.as_int().is_none()
                {
                    tally.odd(|| format!("event {} returned {value}, no integer", end.index));
                }
                continue;
            }
            "add" if added(&op).is_some() => continue,
            "add" => {
                tally.odd(|| format!("event {index} adds {}, no integer of 64 bits", op.input()));
            }
            _ => tally.odd(|| format!("{f} (event {index}) means nothing to a counter")),
        }
        first = first.or(Some(index));
    }
    first
}

/// Holds each read against the adds that had begun when it ended, as far as these are known.
fn within_bounds(group: &KeyGroup<'_>, odd: Option<OpIndex>, tally: &mut Tally) {
    // Adds by the place of their invocation, which is the order in which they come.
    let adds: Vec<(OpIndex, i128)> =
        group.ops().filter_map(|op| Some((op.invoke.index, added(&op)?))).collect();
    let sums = |part: fn(i128) -> i128| -> Vec<i128> {
        let mut sum = 0;
        let mut sums = vec![0];
        sums.extend(adds.iter().map(|(_, by)| {
            sum += part(*by);
            sum
        }));
        sums
    };
    let (lows, highs) = (sums(|by| by.min(0)), sums(|by| by.max(0)));
    for op in group.ops().filter(|op| op.f().as_str() == "read") {
        let (Some(value), Some(complete)) = (op.output(), op.complete) else { continue };
        let Some(count) = value.as_int() else { continue };
        if odd.is_some_and(|odd| odd < complete.index) {
            continue;
        }
        tally.reads += 1;
        let begun = adds.partition_point(|(invoke, _)| *invoke < complete.index);
        let (low, high) = (lows[begun], highs[begun]);
        if !(low..=high).contains(&i128::from(count)) {
            let what = group.key.map_or_else(|| "the counter".to_owned(), key_text);
            let adds = match begun {
                1 => "one add that had begun by then makes".to_owned(),
                many => format!("{many} adds that had begun by then make"),
            };
            let explanation = format!(
                "A read of {what}{} returned {count}, but the {adds} at least {low} and at most \
                 {high}.",
                at(final_phase::node(&op))
            );
            tally.anomaly("counter-out-of-bounds", explanation, &op);
        }
    }
}

impl Possible {
    fn of(group: &KeyGroup<'_>) -> Possible {
        let mut certain = 0_i128;
        let mut crashed: Vec<i128> = Vec::new();
        for op in group.ops() {
            match (added(&op), op.outcome) {
                (Some(by), EventType::Ok) => certain += by,
                (Some(by), _) if by != 0 => crashed.push(by),
                _ => {}
            }
        }
        let low = certain + crashed.iter().filter(|by| **by < 0).sum::<i128>();
        let high = certain + crashed.iter().filter(|by| **by > 0).sum::<i128>();
        let work = (high - low).unsigned_abs().saturating_mul(crashed.len() as u128);
        let sums = (work <= EXACT_MAX).then(|| subset_sums(&crashed, (high - low) as usize));
        Possible { certain, low, high, crashed: crashed.len(), sums }
    }

    fn has(&self, count: i128) -> bool {
        if !(self.low..=self.high).contains(&count) {
            return false;
        }
        let place = (count - self.low) as usize;
        self.sums.as_ref().is_none_or(|sums| sums[place / 64] >> (place % 64) & 1 == 1)
    }

    fn explain(&self, key: Option<&Value>, node: &str, count: i128) -> String {
        let what = key.map_or_else(|| "the counter".to_owned(), key_text);
        let Possible { certain, low, high, crashed, .. } = self;
        let mut text = format!(
            "After healing, the last read of {what}{} returned {count}, but the acknowledged adds \
             make {certain}",
            at(node)
        );
        let doubt = match crashed {
            0 => " and none is in doubt.".to_owned(),
            1 => format!(", and the one of which nobody knows makes it {low} or {high}."),
            n => format!(", and the {n} of which nobody knows make it {low} to {high}."),
        };
        text += &doubt;
        if (*low..=*high).contains(&count) {
            text += " No choice among these has that sum.";
        }
        text
    }
}

/// Which sums subsets of the numbers have, by distance from the least; one bit each. Starting
/// from the least sum, to leave a negative number out adds its size, as does to take a positive
/// one in.
fn subset_sums(numbers: &[i128], width: usize) -> Vec<u64> {
    let mut sums = vec![0_u64; width / 64 + 1];
    sums[0] = 1;
    for number in numbers {
        let by = number.unsigned_abs() as usize;
        let (words, bits) = (by / 64, by % 64);
        for at in (words..sums.len()).rev() {
            let mut moved = sums[at - words] << bits;
            if bits > 0 && at > words {
                moved |= sums[at - words - 1] >> (64 - bits);
            }
            sums[at] |= moved;
        }
    }
    sums
}

impl Tally {
    fn odd(&mut self, what: impl FnOnce() -> String) {
        self.oddities += 1;
        self.odd.get_or_insert_with(what);
    }

    fn anomaly(&mut self, kind: &'static str, explanation: String, op: &OpView<'_>) {
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count as usize > EXPLAINED_MAX {
            return;
        }
        self.anomalies.push(Anomaly {
            kind: kind.to_owned(),
            checker: "counter".to_owned(),
            explanation,
            ops: vec![op.invoke.index],
            evidence: serde_json::Map::new(),
        });
    }

    fn report(self, healed: bool) -> CheckerReport {
        let mut details = serde_json::Map::new();
        details.insert("reads".into(), self.reads.into());
        details.insert("final_reads".into(), self.finals.into());
        details.insert("final_bounds".into(), self.bounds.into());
        details.insert("exact".into(), (!self.inexact).into());
        let (valid, why) = if let Some(first) = self.anomalies.first() {
            let counts: Vec<String> =
                self.counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            (Valid::False, Some(format!("{}: {}", counts.join(", "), first.explanation)))
        } else if let Some(odd) = self.odd {
            let more = match self.oddities - 1 {
                0 => String::new(),
                more => format!(" (and {more} more like it)"),
            };
            (Valid::Unknown, Some(format!("The sum is not known: {odd}{more}.")))
        } else if self.reads == 0 {
            (Valid::Unknown, Some("no read of a counter was answered".to_owned()))
        } else if healed && self.finals == 0 {
            (Valid::Unknown, Some("no read of the final phase was answered".to_owned()))
        } else {
            (Valid::True, None)
        };
        CheckerReport { valid, why, details, anomalies: self.anomalies, models: BTreeMap::new() }
    }
}
