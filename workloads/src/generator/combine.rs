//! The combinators that wrap one generator, as methods.

use super::delay::Delay;
use super::limit::{ConcurrencyLimit, Limit, ProcessLimit, TimeLimit};
use super::map::{Filter, Map};
use super::phases::Synchronize;
use super::route::On;
use super::sequence::{Chain, chain};
use super::stagger::{Stagger, gap_at_rate};
use super::until_ok::UntilOk;
use super::{Generator, Invocation};
use quorate_checkers::history::Process;
use quorate_checkers::value::Name;
use quorate_targets::seed::Seed;
use std::time::Duration;

/// What can be made of one generator. The outermost call is the last to decide: in
/// `g.limit(10).stagger(gap, seed)` the limit counts what the stagger lets through.
pub trait Combine: Generator + Sized {
    /// In a box, to be joined with generators of other types.
    fn boxed(self) -> Box<dyn Generator>
    where
        Self: 'static,
    {
        Box::new(self)
    }

    /// At random times, on average `gap_mean` apart, over all threads together: the gaps are
    /// uniform from 0 to twice the mean. A gap of 0 lets everything through.
    fn stagger(self, gap_mean: Duration, seed: Seed) -> Stagger<Self> {
        Stagger::new(self, gap_mean, seed)
    }

    /// As [`stagger`](Combine::stagger), by operations a second; 0 is as fast as they go.
    fn rate(self, per_second: f64, seed: Seed) -> Stagger<Self> {
        Stagger::new(self, gap_at_rate(per_second), seed)
    }

    /// Exactly `gap` apart. An operation that comes late does not delay those behind it: they
    /// catch up.
    fn delay(self, gap: Duration) -> Delay<Self> {
        Delay::new(self, gap)
    }

    /// At most that many operations.
    fn limit(self, operations: u64) -> Limit<Self> {
        Limit::new(self, operations)
    }

    /// At most one operation.
    fn once(self) -> Limit<Self> {
        self.limit(1)
    }

    /// No operation `length` after the first one, or later.
    fn time_limit(self, length: Duration) -> TimeLimit<Self> {
        TimeLimit::new(self, length)
    }

    /// Operations of at most that many processes. Done when all of these have crashed.
    fn process_limit(self, processes: usize) -> ProcessLimit<Self> {
        ProcessLimit::new(self, processes)
    }

    /// At most that many operations in flight.
    fn concurrency_limit(self, operations: usize) -> ConcurrencyLimit<Self> {
        ConcurrencyLimit::new(self, operations)
    }

    /// Done as soon as one of its operations is `ok`. Until then, operations go out to all free
    /// threads; for one try at a time, put a concurrency limit of 1 inside.
    fn until_ok(self) -> UntilOk<Self> {
        UntilOk::new(self)
    }

    /// Begins when all threads are free.
    fn synchronize(self) -> Synchronize<Self> {
        Synchronize::new(self)
    }

    /// This, and when it is done and all threads are free, `next`.
    fn then<G: Generator + 'static>(self, next: G) -> Chain
    where
        Self: 'static,
    {
        chain(vec![self.boxed(), next.synchronize().boxed()])
    }

    /// On the threads alone whose number and process are `wanted`, which is asked once for each
    /// thread. Done at once if there are none.
    fn on<P: FnMut(usize, Process) -> bool + Send>(self, wanted: P) -> On<Self, P> {
        On::new(self, wanted)
    }

    /// On client threads alone.
    fn clients(self) -> On<Self, fn(usize, Process) -> bool> {
        On::new(self, |_, process| process != Process::Nemesis)
    }

    /// On the thread of the nemesis alone.
    fn nemesis(self) -> On<Self, fn(usize, Process) -> bool> {
        On::new(self, |_, process| process == Process::Nemesis)
    }

    /// Each operation changed by a function. Events come back as they were changed.
    fn map<F: FnMut(Invocation) -> Invocation + Send>(self, change: F) -> Map<Self, F> {
        Map::new(self, change)
    }

    /// Operations renamed: a `(from, to)` for each name that changes.
    fn f_map(
        self,
        names: Vec<(Name, Name)>,
    ) -> Map<Self, impl FnMut(Invocation) -> Invocation + Send> {
        Map::new(self, move |mut invocation: Invocation| {
            if let Some((_, to)) = names.iter().find(|(from, _)| *from == invocation.f) {
                invocation.f = to.clone();
            }
            invocation
        })
    }

    /// Operations that are wanted; the others are dropped, as if they had not been offered.
    fn filter<P: FnMut(&Invocation) -> bool + Send>(self, keep: P) -> Filter<Self, P> {
        Filter::new(self, keep)
    }
}

impl<G: Generator> Combine for G {}
