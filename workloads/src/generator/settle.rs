//! Reads at all nodes, round after round, until all nodes agree.
//!
//! An eventually consistent store needs time after the healing: hints are delivered and replicas
//! compared at their own pace. So the same reads are asked again and again, and the last round
//! tells what the store has come to. It is over when enough time has passed and a whole round has
//! given the same answer for each key at every node, or when the patience is at its end.

use super::source::Turn;
use super::{Context, Generator, Invocation, Next, nanos};
use quorate_checkers::history::{Event, EventType, Nanos};
use quorate_checkers::value::Value;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How long is waited for agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// So long at least, however well all agree: what is still on its way must arrive.
    pub least: Duration,
    /// So long at most.
    pub most: Duration,
    /// Between the end of a round and the beginning of the next.
    pub gap: Duration,
}

/// See [`settle`].
#[derive(Clone, Debug)]
pub struct Settle {
    reads: Vec<Invocation>,
    patience: Patience,
    turn: Turn,
    /// When the first operation was asked for.
    began: Option<Nanos>,
    /// Reads of this round that are not handed out yet, by number.
    ready: VecDeque<usize>,
    /// Handed out, but not invoked yet: thread and read.
    offered: Option<(usize, usize)>,
    /// By thread.
    in_flight: BTreeMap<usize, usize>,
    /// What this round's reads have returned; nothing for those that failed.
    answers: BTreeMap<usize, Option<Value>>,
    /// When the round ended.
    ended: Nanos,
}

/// These reads, each once a round, until the answers for each key are the same at every node.
pub fn settle(reads: Vec<Invocation>, patience: Patience) -> Settle {
    Settle {
        ready: (0..reads.len()).collect(),
        reads,
        patience,
        turn: Turn::default(),
        began: None,
        offered: None,
        in_flight: BTreeMap::new(),
        answers: BTreeMap::new(),
        ended: Nanos(0),
    }
}

impl Settle {
    /// Whether all reads of the round were answered, and alike for each key.
    fn agreed(&self) -> bool {
        let mut by_key: BTreeMap<Option<&Value>, &Value> = BTreeMap::new();
        self.answers.iter().all(|(read, answer)| match answer {
            Some(answer) => {
                *by_key.entry(self.reads[*read].key.as_ref()).or_insert(answer) == answer
            }
            None => false,
        })
    }

    /// What comes after a round that has ended.
    fn round_over(&mut self, now: Nanos) -> Next {
        let since =
            |duration: Duration| Nanos(self.began.unwrap_or(now).0.saturating_add(nanos(duration)));
        let enough = self.ended >= since(self.patience.least) && self.agreed();
        if self.reads.is_empty() || enough || self.ended >= since(self.patience.most) {
            return Next::Done;
        }
        Next::Pending(Some(self.next_round()))
    }

    fn next_round(&self) -> Nanos {
        Nanos(self.ended.0.saturating_add(nanos(self.patience.gap)))
    }
}

impl Generator for Settle {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        // What was offered and not invoked was dropped by somebody outside, who meant it.
        self.offered = None;
        let began = *self.began.get_or_insert(context.time);
        if self.ready.is_empty() && self.in_flight.is_empty() {
            let over = self.round_over(context.time);
            if over == Next::Done || context.time < self.next_round() {
                return over;
            }
            self.ready = (0..self.reads.len()).collect();
            self.answers.clear();
        }
        debug_assert!(began <= context.time, "time goes forward");
        let Some(thread) = self.turn.take(allowed) else { return Next::Pending(None) };
        let Some(read) = self.ready.pop_front() else { return Next::Pending(None) };
        self.offered = Some((thread, read));
        Next::Op { thread, invocation: self.reads[read].clone() }
    }

    fn update(&mut self, _: &Context<'_>, thread: usize, event: &Event) {
        if event.kind == EventType::Invoke {
            if let Some((_, read)) = self.offered.take_if(|(offered, _)| *offered == thread) {
                self.in_flight.insert(thread, read);
            }
            return;
        }
        let Some(read) = self.in_flight.remove(&thread) else { return };
        let answer = (event.kind == EventType::Ok).then(|| event.value.clone());
        self.answers.insert(read, answer);
        if self.ready.is_empty() && self.in_flight.is_empty() {
            self.ended = event.time;
        }
    }
}
