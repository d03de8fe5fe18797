//! A list of operations, each until it has worked once: final reads.
//!
//! The same could be said with [`until_ok`](super::Combine::until_ok) in an
//! [`any`](super::any::any) of thousands; this costs O(log operations) each instead, and those
//! that fail do not hold up those that have not been tried.

use super::source::Turn;
use super::{Context, Generator, Invocation, Next, nanos};
use quorate_checkers::history::{Event, EventType, Nanos};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How stubbornly operations are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// How often an operation is tried before it is given up.
    pub most: u32,
    /// How long after a try that did not work the next one may follow.
    pub gap: Duration,
}

/// An operation that has not worked yet.
#[derive(Clone, Debug)]
struct Task {
    invocation: Invocation,
    tries_left: u32,
}

/// See [`until_each_ok`].
#[derive(Clone, Debug)]
pub struct UntilEachOk {
    gap: u64,
    turn: Turn,
    ready: VecDeque<Task>,
    /// By the time at which they may be tried again, then in order of failing.
    waiting: BTreeMap<(Nanos, u64), Task>,
    failures: u64,
    /// Handed out, but not invoked yet.
    offered: Option<(usize, Task)>,
    /// By thread.
    in_flight: BTreeMap<usize, Task>,
}

/// Each operation until it is `ok`, one try at a time, in this order but for those that have to
/// be tried again. Done when all have worked or have been given up.
pub fn until_each_ok(invocations: Vec<Invocation>, tries: Tries) -> UntilEachOk {
    let task = |invocation| Task { invocation, tries_left: tries.most };
    let ready =
        if tries.most > 0 { invocations.into_iter().map(task).collect() } else { [].into() };
    UntilEachOk {
        gap: nanos(tries.gap),
        turn: Turn::default(),
        ready,
        waiting: BTreeMap::new(),
        failures: 0,
        offered: None,
        in_flight: BTreeMap::new(),
    }
}

impl UntilEachOk {
    /// When the next one that waits may be tried again.
    fn due(&self) -> Option<Nanos> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }
}

impl Generator for UntilEachOk {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        // What was offered and not invoked was dropped by somebody outside, who meant it.
        self.offered = None;
        while self.due().is_some_and(|due| due <= context.time) {
            self.ready.extend(self.waiting.pop_first().map(|(_, task)| task));
        }
        if self.ready.is_empty() {
            let done = self.waiting.is_empty() && self.in_flight.is_empty();
            return if done { Next::Done } else { Next::Pending(self.due()) };
        }
        let Some(thread) = self.turn.take(allowed) else { return Next::Pending(None) };
        let Some(task) = self.ready.pop_front() else { return Next::Pending(None) };
        let invocation = task.invocation.clone();
        self.offered = Some((thread, task));
        Next::Op { thread, invocation }
    }

    fn update(&mut self, _: &Context<'_>, thread: usize, event: &Event) {
        if event.kind == EventType::Invoke {
            if let Some((_, task)) = self.offered.take_if(|(offered, _)| *offered == thread) {
                self.in_flight.insert(thread, task);
            }
            return;
        }
        let Some(mut task) = self.in_flight.remove(&thread) else { return };
        task.tries_left -= 1;
        if event.kind != EventType::Ok && task.tries_left > 0 {
            let due = Nanos(event.time.0.saturating_add(self.gap));
            self.waiting.insert((due, self.failures), task);
            self.failures += 1;
        }
    }
}
