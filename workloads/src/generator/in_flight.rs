//! Which threads carry an operation of one generator.
//!
//! Events tell of threads, not of generators: a generator that asks what became of *its*
//! operations remembers where it sent them. An operation counts from its invocation, not from
//! its offer: a combinator outside (a filter, say) may have dropped it.

use super::Next;
use quorate_checkers::history::{Event, EventType};

/// The operations of one generator that are under way. Costs O(operations in flight) an event.
#[derive(Clone, Debug, Default)]
pub struct InFlight {
    offered: Option<usize>,
    threads: Vec<usize>,
}

impl InFlight {
    /// Takes note of an answer, each one, on its way out. An operation that was offered before
    /// and not invoked since was dropped by somebody outside.
    pub fn offer(&mut self, answer: Next) -> Next {
        self.offered = match &answer {
            Next::Op { thread, .. } => Some(*thread),
            Next::Pending(_) | Next::Done => None,
        };
        answer
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.threads.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.threads.is_empty()
    }

    /// Takes an event in. Tells how an operation ended, if it was one of these.
    pub fn update(&mut self, thread: usize, event: &Event) -> Option<EventType> {
        if event.kind == EventType::Invoke {
            if self.offered.take() == Some(thread) {
                self.threads.push(thread);
            }
            return None;
        }
        let index = self.threads.iter().position(|busy| *busy == thread)?;
        self.threads.swap_remove(index);
        Some(event.kind)
    }
}
