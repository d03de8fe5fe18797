//! A node's timers, in the order in which they are due.

use std::collections::BTreeMap;
use tokio::time::Instant;

/// The armed timers. Arming and firing cost a logarithm of their number.
#[derive(Debug)]
pub(super) struct Timers<T> {
    /// By the time they are due; of equal times, the one armed first fires first.
    due: BTreeMap<(Instant, u64), T>,
    /// Where each stands in `due`.
    armed: BTreeMap<T, (Instant, u64)>,
    /// How many were ever armed.
    count: u64,
}

impl<T: Clone + Ord> Timers<T> {
    pub(super) fn new() -> Self {
        Timers { due: BTreeMap::new(), armed: BTreeMap::new(), count: 0 }
    }

    /// Arms `timer`, in place of an equal one.
    pub(super) fn set(&mut self, timer: T, at: Instant) {
        self.cancel(&timer);
        self.count += 1;
        self.armed.insert(timer.clone(), (at, self.count));
        self.due.insert((at, self.count), timer);
    }

    /// Disarms `timer`, if it is armed.
    pub(super) fn cancel(&mut self, timer: &T) {
        if let Some(place) = self.armed.remove(timer) {
            self.due.remove(&place);
        }
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// Takes one that is due at `now`.
    pub(super) fn pop(&mut self, now: Instant) -> Option<T> {
        let first = self.due.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let timer = first.remove();
        self.armed.remove(&timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn they_fire_in_order_and_once() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::new();
        timers.set("b", at(20));
        timers.set("a", at(10));
        timers.set("c", at(20));
        timers.set("gone", at(5));
        timers.cancel(&"gone");
        timers.cancel(&"never armed");
        timers.set("a", at(30));
        assert_eq!(timers.next(), Some(at(20)));
        assert_eq!(timers.pop(at(19)), None);
        let fired: Vec<_> = std::iter::from_fn(|| timers.pop(at(30))).collect();
        assert_eq!(fired, ["b", "c", "a"]);
        assert_eq!(timers.next(), None);
    }
}
