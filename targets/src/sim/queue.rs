//! What is to come: one queue of events, ordered by (time, sequence).
//!
//! The sequence number breaks ties, so that the order of events never depends on the heap's
//! shape. The heap holds only keys and places; events lie still in a slab, whose places are
//! used again, so that a long run allocates nothing here once the queue has seen its peak.
//! Push and pop cost O(log n) moves of 24 bytes.

use super::time::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How many events may wait at once; what comes above is a runaway protocol.
pub const QUEUE_MAX: usize = 1 << 22;

/// The queue.
#[derive(Debug)]
pub(super) struct Queue<E> {
    heap: BinaryHeap<Reverse<(Nanos, u64, u32)>>,
    events: Vec<Option<E>>,
    free: Vec<u32>,
    sequence: u64,
}

impl<E> Queue<E> {
    pub(super) fn new() -> Self {
        Queue { heap: BinaryHeap::new(), events: Vec::new(), free: Vec::new(), sequence: 0 }
    }

    /// Plans an event, behind all that are planned for the same time.
    pub(super) fn push(&mut self, time: Nanos, event: E) {
        let place = if let Some(place) = self.free.pop() {
            self.events[place as usize] = Some(event);
            place
        } else {
            self.events.push(Some(event));
            self.events.len() as u32 - 1
        };
        self.heap.push(Reverse((time, self.sequence, place)));
        self.sequence += 1;
    }

    /// Takes the first event, unless it comes after `until`.
    pub(super) fn pop(&mut self, until: Nanos) -> Option<(Nanos, E)> {
        let next = self.heap.peek_mut()?;
        if next.0.0 > until {
            return None;
        }
        let Reverse((time, _, place)) = std::collections::binary_heap::PeekMut::pop(next);
        self.free.push(place);
        self.events[place as usize].take().map(|event| (time, event))
    }

    /// When the first event comes.
    pub(super) fn next_time(&self) -> Option<Nanos> {
        self.heap.peek().map(|next| next.0.0)
    }

    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_by_time_then_by_arrival() {
        let mut queue = Queue::new();
        for (time, event) in [(5, 'c'), (1, 'a'), (5, 'd'), (1, 'b'), (9, 'e')] {
            queue.push(Nanos(time), event);
        }
        assert_eq!(queue.next_time(), Some(Nanos(1)));
        let mut order = String::new();
        while let Some((_, event)) = queue.pop(Nanos(5)) {
            order.push(event);
        }
        assert_eq!((order.as_str(), queue.len()), ("abcd", 1));
    }

    #[test]
    fn places_are_used_again() {
        let mut queue = Queue::new();
        for round in 0..1_000 {
            queue.push(Nanos(round), round);
            queue.push(Nanos(round), round);
            assert_eq!(queue.pop(Nanos::NEVER), Some((Nanos(round), round)));
            assert_eq!(queue.pop(Nanos::NEVER), Some((Nanos(round), round)));
        }
        assert_eq!(queue.events.len(), 2);
    }
}
