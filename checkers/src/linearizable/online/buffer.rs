//! Any object, event by event, by checking again: its events are kept, and checked as a history
//! of their own each time that they have doubled. All checks together cost at most about twice
//! the last one where the batch algorithm is linear. A violation is found when the key has at
//! most twice the operations that show it, or at the end. Memory: all events.

use super::super::ModelKind;
use super::super::Outcome;
use super::super::key::{Algorithm, KeyReport};
use super::super::meter::{Meter, Purse};
use super::super::options::{Options, Unknown};
use super::super::report::check_key;
use crate::history::{Event, History, OpIndex};
use crate::value::Value;

/// Completions before the first check.
const FIRST: usize = 16;

/// The events of one key.
#[derive(Debug)]
pub(super) struct Buffer {
    kind: ModelKind,
    /// Numbered anew, from 0.
    events: Vec<Event>,
    /// Their numbers in the whole history.
    numbers: Vec<OpIndex>,
    completions: usize,
    /// So many completions cause the next check.
    check_at: usize,
}

impl Buffer {
    pub(super) fn new(kind: ModelKind) -> Buffer {
        Buffer { kind, events: Vec::new(), numbers: Vec::new(), completions: 0, check_at: FIRST }
    }

    /// Keeps an event.
    pub(super) fn push(&mut self, event: &Event, key: Option<&Value>) {
        let index = OpIndex(self.events.len() as u32);
        self.numbers.push(event.index);
        self.events.push(Event { index, key: key.cloned(), ..event.clone() });
    }

    /// How many events are kept.
    pub(super) fn kept(&self) -> usize {
        self.events.len()
    }

    /// Counts a completion; whether it is time to check.
    pub(super) fn is_due(&mut self) -> bool {
        self.completions += 1;
        let due = self.completions >= self.check_at;
        if due {
            self.check_at = 2 * self.completions;
        }
        due
    }

    /// Checks all events. The indices in the anomaly are those of the whole history.
    pub(super) fn check(&self, options: &Options<'_>) -> KeyReport {
        let history = match History::from_events(self.events.clone()) {
            Ok(history) => history,
            Err(error) => return unknown(error.to_string()),
        };
        let partition = history.by_key();
        let Some(group) = partition.groups().next() else {
            return unknown("the key has no operations".into());
        };
        let purse = Purse::new(options);
        let meter = Meter::new(options, &purse, options.bytes);
        let mut report = check_key(&history, group, self.kind, meter);
        if let Some(anomaly) = &mut report.anomaly {
            for op in &mut anomaly.ops {
                *op = self.numbers[op.0 as usize];
            }
            // What else it shows names events by their numbers in the buffer.
            anomaly.evidence.clear();
        }
        report
    }
}

fn unknown(why: String) -> KeyReport {
    let outcome = Outcome::Unknown(Unknown::Input(why));
    KeyReport { outcome, algorithm: Algorithm::Search, anomaly: None }
}
