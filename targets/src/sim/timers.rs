//! A node's timers.
//!
//! Deadlines are kept in counts of the node's own oscillator, so that drift bends them and a
//! change of drift can be applied to timers that already run. Most timers are re-armed long
//! before they fire (an election timer at each heartbeat): that only moves the deadline. The
//! event that is already in the queue then finds, when it comes, that it is too early, and
//! is planned again; so a timer has one event in the queue and not one for each re-arming.

use super::time::Nanos;
use std::collections::BTreeMap;

/// One timer value that is armed, or for which an event is still in the queue.
#[derive(Debug)]
struct Entry {
    /// What the oscillator must have counted; absent after it was disarmed.
    deadline: Option<Nanos>,
    /// For when the earliest live event for this timer is planned.
    planned: Nanos,
    /// Names that event: others are of no account.
    ticket: u64,
}

/// What an event of the queue finds when it comes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The timer fires.
    Fire,
    /// It was re-armed: come again at this virtual time, under the same ticket.
    Later(Nanos),
    /// It was disarmed, or another event looks after it.
    Stale,
}

/// All timers of a node.
#[derive(Debug)]
pub(super) struct Timers<T> {
    entries: BTreeMap<T, Entry>,
    tickets: u64,
}

impl<T: Ord + Clone> Timers<T> {
    pub(super) fn new() -> Self {
        Timers { entries: BTreeMap::new(), tickets: 0 }
    }

    /// Arms `timer` for `deadline` (a count), which comes at `when`. A ticket is handed out if an
    /// event must be planned for `when`.
    pub(super) fn set(&mut self, timer: &T, deadline: Nanos, when: Nanos) -> Option<u64> {
        if let Some(entry) = self.entries.get_mut(timer) {
            entry.deadline = Some(deadline);
            if entry.planned <= when {
                return None;
            }
            self.tickets += 1;
            (entry.planned, entry.ticket) = (when, self.tickets);
        } else {
            self.tickets += 1;
            let entry = Entry { deadline: Some(deadline), planned: when, ticket: self.tickets };
            self.entries.insert(timer.clone(), entry);
        }
        Some(self.tickets)
    }

    /// Disarms `timer`; its event will find nothing to do.
    pub(super) fn cancel(&mut self, timer: &T) {
        if let Some(entry) = self.entries.get_mut(timer) {
            entry.deadline = None;
        }
    }

    /// An event for `timer` has come, at the count `count`; `when` tells when a count is reached.
    pub(super) fn due(
        &mut self,
        timer: &T,
        ticket: u64,
        count: Nanos,
        when: impl Fn(Nanos) -> Nanos,
    ) -> Due {
        let Some(entry) = self.entries.get_mut(timer) else { return Due::Stale };
        if entry.ticket != ticket {
            return Due::Stale;
        }
        match entry.deadline {
            Some(deadline) if deadline > count => {
                entry.planned = when(deadline);
                Due::Later(entry.planned)
            }
            Some(_) => {
                self.entries.remove(timer);
                Due::Fire
            }
            None => {
                self.entries.remove(timer);
                Due::Stale
            }
        }
    }

    /// The rate of the clock changed: new events, with their times and tickets, for all that is
    /// armed. Those in the queue are void.
    pub(super) fn replan(&mut self, when: impl Fn(Nanos) -> Nanos) -> Vec<(T, Nanos, u64)> {
        self.entries.retain(|_, entry| entry.deadline.is_some());
        let mut plans = Vec::with_capacity(self.entries.len());
        for (timer, entry) in &mut self.entries {
            self.tickets += 1;
            entry.planned = entry.deadline.map_or(Nanos::NEVER, &when);
            entry.ticket = self.tickets;
            plans.push((timer.clone(), entry.planned, entry.ticket));
        }
        plans
    }

    /// Forgets all timers, as a crash does. Tickets go on, so that old events stay void.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// The timers that are armed.
    pub(super) fn armed(&self) -> impl Iterator<Item = &T> {
        self.entries.iter().filter(|(_, entry)| entry.deadline.is_some()).map(|(timer, _)| timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(count: Nanos) -> Nanos {
        count
    }

    #[test]
    fn rearming_later_plans_nothing_and_fires_late() {
        let mut timers = Timers::new();
        let ticket = timers.set(&'a', Nanos(10), Nanos(10)).unwrap();
        assert_eq!(timers.set(&'a', Nanos(15), Nanos(15)), None);
        assert_eq!(timers.due(&'a', ticket, Nanos(10), same), Due::Later(Nanos(15)));
        assert_eq!(timers.due(&'a', ticket, Nanos(15), same), Due::Fire);
        assert_eq!(timers.due(&'a', ticket, Nanos(15), same), Due::Stale);
    }

    #[test]
    fn rearming_earlier_voids_the_later_event() {
        let mut timers = Timers::new();
        let late = timers.set(&'a', Nanos(10), Nanos(10)).unwrap();
        let early = timers.set(&'a', Nanos(5), Nanos(5)).unwrap();
        assert_eq!(timers.due(&'a', early, Nanos(5), same), Due::Fire);
        let again = timers.set(&'a', Nanos(20), Nanos(20)).unwrap();
        assert_eq!(timers.due(&'a', late, Nanos(10), same), Due::Stale);
        assert_eq!(timers.due(&'a', again, Nanos(20), same), Due::Fire);
    }

    #[test]
    fn a_cancelled_timer_does_not_fire_and_can_be_set_again() {
        let mut timers = Timers::new();
        let ticket = timers.set(&'a', Nanos(10), Nanos(10)).unwrap();
        timers.cancel(&'a');
        assert_eq!(timers.armed().count(), 0);
        assert_eq!(timers.set(&'a', Nanos(12), Nanos(12)), None);
        assert_eq!(timers.due(&'a', ticket, Nanos(10), same), Due::Later(Nanos(12)));
        timers.cancel(&'a');
        assert_eq!(timers.due(&'a', ticket, Nanos(12), same), Due::Stale);
    }
}
