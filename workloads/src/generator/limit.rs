//! Bounds: on the number of operations, on time, on processes, on operations in flight.

use super::in_flight::InFlight;
use super::{Context, Generator, Next, earlier, nanos};
use quorate_checkers::history::{Event, Nanos, Process};
use std::time::Duration;

/// See [`Combine::limit`](super::Combine::limit).
#[derive(Clone, Debug)]
pub struct Limit<G> {
    generator: G,
    left: u64,
}

impl<G> Limit<G> {
    pub(super) fn new(generator: G, operations: u64) -> Self {
        Limit { generator, left: operations }
    }
}

impl<G: Generator> Generator for Limit<G> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        if self.left == 0 {
            return Next::Done;
        }
        let answer = self.generator.next(context, allowed);
        if matches!(answer, Next::Op { .. }) {
            self.left -= 1;
        }
        answer
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        self.generator.update(context, thread, event);
    }
}

/// See [`Combine::time_limit`](super::Combine::time_limit).
#[derive(Clone, Debug)]
pub struct TimeLimit<G> {
    generator: G,
    length: u64,
    end: Option<Nanos>,
}

impl<G> TimeLimit<G> {
    pub(super) fn new(generator: G, length: Duration) -> Self {
        TimeLimit { generator, length: nanos(length), end: None }
    }
}

impl<G: Generator> Generator for TimeLimit<G> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        if self.length == 0 || self.end.is_some_and(|end| context.time >= end) {
            return Next::Done;
        }
        match self.generator.next(context, allowed) {
            // Ask again at the end, to be told that it is the end.
            Next::Pending(at) => Next::Pending(earlier(at, self.end)),
            op @ Next::Op { .. } => {
                let end = Nanos(context.time.0.saturating_add(self.length));
                self.end.get_or_insert(end);
                op
            }
            Next::Done => Next::Done,
        }
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        self.generator.update(context, thread, event);
    }
}

/// See [`Combine::process_limit`](super::Combine::process_limit).
#[derive(Clone, Debug)]
pub struct ProcessLimit<G> {
    generator: G,
    most: usize,
    /// The processes that have had an operation, ascending; no more than `most`.
    known: Vec<Process>,
    /// Of the threads allowed, those whose process is known. Kept to reuse its memory.
    usable: Vec<usize>,
}

impl<G> ProcessLimit<G> {
    pub(super) fn new(generator: G, processes: usize) -> Self {
        ProcessLimit { generator, most: processes, known: Vec::new(), usable: Vec::new() }
    }

    fn knows(&self, process: Process) -> bool {
        self.known.binary_search(&process).is_ok()
    }
}

impl<G: Generator> Generator for ProcessLimit<G> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        let full = self.known.len() >= self.most;
        if full && !context.threads.iter().any(|thread| self.knows(thread.process)) {
            return Next::Done;
        }
        let answer = if full {
            let mut usable = std::mem::take(&mut self.usable);
            usable.clear();
            usable.extend(allowed.iter().filter(|t| self.knows(context.threads[**t].process)));
            let answer = self.generator.next(context, &usable);
            self.usable = usable;
            answer
        } else {
            self.generator.next(context, allowed)
        };
        if let Next::Op { thread, .. } = &answer {
            let process = context.threads[*thread].process;
            if let Err(place) = self.known.binary_search(&process) {
                self.known.insert(place, process);
            }
        }
        answer
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        self.generator.update(context, thread, event);
    }
}

/// See [`Combine::concurrency_limit`](super::Combine::concurrency_limit).
#[derive(Clone, Debug)]
pub struct ConcurrencyLimit<G> {
    generator: G,
    most: usize,
    in_flight: InFlight,
}

impl<G> ConcurrencyLimit<G> {
    pub(super) fn new(generator: G, operations: usize) -> Self {
        ConcurrencyLimit { generator, most: operations, in_flight: InFlight::default() }
    }
}

impl<G: Generator> Generator for ConcurrencyLimit<G> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        // Without a thread to give, the generator can still say that it is done.
        let allowed = if self.in_flight.len() < self.most { allowed } else { &[] };
        self.in_flight.offer(self.generator.next(context, allowed))
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        self.in_flight.update(thread, event);
        self.generator.update(context, thread, event);
    }
}
