//! Routing: which threads a generator may use.
//!
//! A routed generator sees its own threads alone, numbered from 0, and hears of their events
//! alone. Where these threads are neighbours, as clients are, this copies nothing but the list
//! of free threads, and not even that where they are the first ones.

use super::any::{Any, any};
use super::{Combine, Context, Generator, Next, Thread, earlier};
use quorate_checkers::history::{Event, Process};
use quorate_targets::seed::Seed;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Some of the threads of a context, seen as a context of their own.
#[derive(Debug, Default)]
struct Scope {
    /// The threads, by their numbers outside, ascending.
    members: Vec<usize>,
    /// Copies of the members, where they are not neighbours. Kept to reuse its memory.
    threads: Vec<Thread>,
    /// The free ones by their numbers inside. Kept to reuse its memory.
    free: Vec<usize>,
}

impl Scope {
    fn new(members: Vec<usize>) -> Scope {
        Scope { members, ..Scope::default() }
    }

    /// The first member, if all members are neighbours.
    fn neighbours_from(&self) -> Option<usize> {
        let (first, last) = (*self.members.first()?, *self.members.last()?);
        (last - first + 1 == self.members.len()).then_some(first)
    }

    fn inside(&self, thread: usize) -> Option<usize> {
        match self.neighbours_from() {
            Some(first) => thread.checked_sub(first).filter(|inside| *inside < self.members.len()),
            None => self.members.binary_search(&thread).ok(),
        }
    }

    /// The members' threads. `copies` is this scope's own buffer, lent for the while.
    fn threads<'a>(&self, outside: &'a [Thread], copies: &'a mut Vec<Thread>) -> &'a [Thread] {
        if let Some(first) = self.neighbours_from() {
            return &outside[first..first + self.members.len()];
        }
        copies.clear();
        copies.extend(self.members.iter().map(|member| outside[*member]));
        copies
    }

    fn next<G: Generator>(
        &mut self,
        generator: &mut G,
        context: &Context<'_>,
        allowed: &[usize],
    ) -> Next {
        let (mut copies, mut free) =
            (std::mem::take(&mut self.threads), std::mem::take(&mut self.free));
        free.clear();
        let inside = if self.neighbours_from() == Some(0) {
            &allowed[..allowed.partition_point(|thread| *thread < self.members.len())]
        } else {
            free.extend(allowed.iter().filter_map(|thread| self.inside(*thread)));
            &free
        };
        let threads = self.threads(context.threads, &mut copies);
        let answer = generator.next(&Context { time: context.time, threads }, inside);
        (self.threads, self.free) = (copies, free);
        match answer {
            Next::Op { thread, invocation } => {
                Next::Op { thread: self.members[thread], invocation }
            }
            other => other,
        }
    }

    fn update<G: Generator>(
        &mut self,
        generator: &mut G,
        context: &Context<'_>,
        thread: usize,
        event: &Event,
    ) {
        let Some(inside) = self.inside(thread) else { return };
        let mut copies = std::mem::take(&mut self.threads);
        let threads = self.threads(context.threads, &mut copies);
        generator.update(&Context { time: context.time, threads }, inside, event);
        self.threads = copies;
    }
}

/// See [`Combine::on`](super::Combine::on).
#[derive(Debug)]
pub struct On<G, P> {
    generator: G,
    wanted: P,
    /// Made when the threads are first seen.
    scope: Option<Scope>,
}

impl<G, P> On<G, P> {
    pub(super) fn new(generator: G, wanted: P) -> Self {
        On { generator, wanted, scope: None }
    }
}

/// The threads that are wanted.
fn members(wanted: &mut impl FnMut(usize, Process) -> bool, threads: &[Thread]) -> Vec<usize> {
    let numbered = threads.iter().enumerate();
    numbered
        .filter(|(number, thread)| wanted(*number, thread.process))
        .map(|(number, _)| number)
        .collect()
}

impl<G: Generator, P: FnMut(usize, Process) -> bool + Send> Generator for On<G, P> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        let On { generator, wanted, scope } = self;
        let scope = scope.get_or_insert_with(|| Scope::new(members(wanted, context.threads)));
        if scope.members.is_empty() {
            return Next::Done;
        }
        scope.next(generator, context, allowed)
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        let On { generator, wanted, scope } = self;
        let scope = scope.get_or_insert_with(|| Scope::new(members(wanted, context.threads)));
        scope.update(generator, context, thread, event);
    }
}

/// One generator for the clients and another for the nemesis, each whenever it is ready.
pub fn clients_and_nemesis<C, N>(seed: Seed, clients: C, nemesis: N) -> Any
where
    C: Generator + 'static,
    N: Generator + 'static,
{
    any(seed, vec![clients.clients().boxed(), nemesis.nemesis().boxed()])
}

/// A generator with threads of its own.
struct Share {
    scope: Scope,
    generator: Box<dyn Generator>,
}

/// See [`reserve`].
pub struct Reserve {
    counts: Vec<usize>,
    generators: Vec<Box<dyn Generator>>,
    /// Made when the threads are first seen.
    shares: Vec<Share>,
    /// The share that is asked first; drawn ahead.
    first: usize,
    rng: ChaCha8Rng,
}

/// The first `count` threads for the first generator, the next ones for the second, and so on;
/// `rest` has all threads that are left. Shares beyond the last thread are dropped. Where several
/// are ready, one is drawn by its number of threads. Done when all are.
pub fn reserve(
    seed: Seed,
    shares: Vec<(usize, Box<dyn Generator>)>,
    rest: Box<dyn Generator>,
) -> Reserve {
    let (counts, mut generators): (Vec<usize>, Vec<_>) = shares.into_iter().unzip();
    generators.push(rest);
    Reserve { counts, generators, shares: Vec::new(), first: 0, rng: seed.stream("reserve") }
}

impl Reserve {
    /// Gives each generator its threads, once.
    fn share_out(&mut self, threads: usize) {
        let mut from = 0;
        let counts = self.counts.drain(..).chain([usize::MAX]);
        for (generator, count) in self.generators.drain(..).zip(counts) {
            let to = from + count.min(threads - from);
            if from < to {
                self.shares.push(Share { scope: Scope::new((from..to).collect()), generator });
            }
            from = to;
        }
    }

    fn draw(&mut self) {
        let total: usize = self.shares.iter().map(|share| share.scope.members.len()).sum();
        if total == 0 {
            return;
        }
        let mut left = self.rng.random_range(0..total);
        for (index, share) in self.shares.iter().enumerate() {
            if left < share.scope.members.len() {
                self.first = index;
                return;
            }
            left -= share.scope.members.len();
        }
    }
}

impl Generator for Reserve {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        if !self.generators.is_empty() {
            self.share_out(context.threads.len());
        }
        let (mut at, mut all_done) = (None, true);
        for step in 0..self.shares.len() {
            let index = (self.first + step) % self.shares.len();
            let Share { scope, generator } = &mut self.shares[index];
            match scope.next(generator, context, allowed) {
                op @ Next::Op { .. } => {
                    self.draw();
                    return op;
                }
                Next::Pending(time) => {
                    all_done = false;
                    at = earlier(at, time);
                }
                Next::Done => {}
            }
        }
        if all_done { Next::Done } else { Next::Pending(at) }
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        for Share { scope, generator } in &mut self.shares {
            scope.update(generator, context, thread, event);
        }
    }
}
