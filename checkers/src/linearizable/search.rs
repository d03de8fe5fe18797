//! The search: every way in which the history can have gone, one completion at a time.
//!
//! After Lowe, "Testing for linearizability" (2016), just-in-time linearization: a
//! *configuration* is a state and the set of open calls that took effect already. It needs to
//! change only when a call completes that has not taken effect yet: then calls are placed, in
//! every order, until that one is. If no configuration survives a completion, there is no
//! linearization, and the prefix up to that completion is the shortest that has none.
//!
//! What keeps the set of configurations small:
//! - Open calls sit in recycled slots, so that a set of them is a word or a few.
//! - Crashed calls never complete. They sit outside the slots, as counted classes of equals, and
//!   are taken only on the way to a completion. Taking fewer of them *dominates* taking more, and
//!   so does keeping one that can do whatever the other can. Configurations that took fewer are
//!   expanded first, so that most of what they dominate is never looked at.
//! - A call that never changes the state is placed as soon as the state permits: an obligation
//!   less, and nothing lost. This holds for calls that are observers in every state only; a
//!   write of the value that is there already may be needed later as a real write.
//! - When a call overwrites the state, every other open overwriting call *may* have come just
//!   before it without a trace. It becomes optional: no obligation any more, yet still at hand.
//! - An overwriting or crashed call that nobody observed before the next one overwrote it was
//!   pointless.
//! - Of two open calls that are equal, the one that completes first goes first (exchange them).
//! - States are interned and steps between them remembered.
//!
//! Where no call is open, only states and crashed counts remain: quiescent moments cut the
//! history by themselves. Cost: exponential in the calls open at once in the worst case (the
//! problem is NP-complete for registers with repeated values), linear in the history's length.

mod bits;
mod evidence;
mod frontier;
mod slots;
mod states;
mod timeline;

pub use evidence::{Alternative, Failure, Placed};

use super::call::Call;
use super::meter::Meter;
use super::options::Unknown;
use crate::model::{Effect, Model};
use bits::Bits;
use evidence::Trail;
use frontier::{Config, Frontier, Reached, Used};
use slots::Slots;
use states::{Next, States};
use timeline::{End, Timeline};

/// What the search found.
#[derive(Debug)]
pub(crate) enum Found<S> {
    Linearizable,
    /// With evidence, if it was asked for and the budget sufficed.
    Violation(Option<Box<Failure<S>>>),
    Unknown(Unknown),
}

/// Searches for a linearization of `calls`.
pub(crate) fn search<M: Model>(
    model: &M,
    calls: &[Call<M::Input, M::Output>],
    meter: &mut Meter<'_>,
    explain: bool,
) -> Found<M::State> {
    search_until(model, calls, &[], meter, explain)
}

/// The same where some crashed calls have a deadline: the last position at which they may take
/// effect, by index.
pub(crate) fn search_until<M: Model>(
    model: &M,
    calls: &[Call<M::Input, M::Output>],
    deadlines: &[Option<u64>],
    meter: &mut Meter<'_>,
    explain: bool,
) -> Found<M::State> {
    let timeline = Timeline::new(model, calls, deadlines);
    match timeline.most_open.div_ceil(64) {
        0 | 1 => sized::<M, 1>(model, calls, &timeline, meter, explain),
        2 => sized::<M, 2>(model, calls, &timeline, meter, explain),
        3 | 4 => sized::<M, 4>(model, calls, &timeline, meter, explain),
        5..=16 => sized::<M, 16>(model, calls, &timeline, meter, explain),
        _ => Found::Unknown(Unknown::Open(timeline.most_open)),
    }
}

fn sized<M: Model, const N: usize>(
    model: &M,
    calls: &[Call<M::Input, M::Output>],
    timeline: &Timeline,
    meter: &mut Meter<'_>,
    explain: bool,
) -> Found<M::State> {
    let mut search = Search::<M, N>::new(model, calls, timeline, meter, false);
    match search.run() {
        Err(unknown) => Found::Unknown(unknown),
        Ok(None) => Found::Linearizable,
        Ok(Some(_)) if !explain => Found::Violation(None),
        Ok(Some(_)) => {
            drop(search);
            // Again, now with every step on record: memory that the verdict alone does not need.
            let mut search = Search::<M, N>::new(model, calls, timeline, meter, true);
            match search.run() {
                Ok(Some(at)) => Found::Violation(Some(Box::new(search.explain(at)))),
                Ok(None) | Err(_) => Found::Violation(None),
            }
        }
    }
}

struct Search<'a, 'b, M: Model, const N: usize> {
    model: &'a M,
    calls: &'a [Call<M::Input, M::Output>],
    timeline: &'a Timeline,
    meter: &'a mut Meter<'b>,
    states: States<M::State>,
    used: Used,
    slots: Slots<N>,
    frontier: Vec<Reached<N>>,
    next: Frontier<N>,
    /// Configurations met on the way to the current completion. The second are *idle*: nobody
    /// observed the state that their last step left, and it was an overwriting or crashed call.
    met: [Frontier<N>; 2],
    /// Those of them to be expanded, by how many crashed calls they took more than the least.
    todo: Vec<Vec<(Reached<N>, bool)>>,
    /// The fewest crashed calls that a configuration had taken before the current completion.
    least: u32,
    trail: Option<Trail>,
    /// The event that is being worked on.
    at: u32,
}

impl<'a, 'b, M: Model, const N: usize> Search<'a, 'b, M, N> {
    fn new(
        model: &'a M,
        calls: &'a [Call<M::Input, M::Output>],
        timeline: &'a Timeline,
        meter: &'a mut Meter<'b>,
        record: bool,
    ) -> Self {
        let mut states = States::new();
        let state = states.intern(model, model.initial());
        let start = Config { state, used: Used::NONE, done: Bits::EMPTY, optional: Bits::EMPTY };
        Search {
            model,
            calls,
            timeline,
            meter,
            states,
            used: Used::new(),
            slots: Slots::new(timeline.class_of.len()),
            frontier: vec![Reached { config: start, node: Trail::START }],
            next: Frontier::new(),
            met: [Frontier::new(), Frontier::new()],
            todo: Vec::new(),
            least: 0,
            trail: record.then(Trail::new),
            at: 0,
        }
    }

    /// The event, if any, that no configuration survives. The frontier is then the one before.
    fn run(&mut self) -> Result<Option<usize>, Unknown> {
        for (at, (end, call)) in self.timeline.events.iter().enumerate() {
            self.at = at as u32;
            let class = self.timeline.class_of[*call as usize];
            match end {
                End::Invoke => match self.timeline.last[*call as usize] {
                    None => self.slots.crash(*call, class, self.timeline.stand_ins[class as usize]),
                    Some(deadline) => {
                        let effect = self.timeline.effects[class as usize];
                        self.slots.open(*call, class, effect, deadline);
                    }
                },
                End::Expire => {
                    self.expire(self.slots.slot_of(*call))?;
                    self.slots.close(*call);
                    self.collapse();
                }
                End::Return => {
                    if !self.complete(self.slots.slot_of(*call))? {
                        return Ok(Some(at));
                    }
                    self.slots.close(*call);
                    self.collapse();
                }
            }
        }
        Ok(None)
    }

    /// The last chance for the crashed call in `slot`: it takes effect by now, or never.
    fn expire(&mut self, slot: usize) -> Result<(), Unknown> {
        for index in 0..self.frontier.len() {
            let mut never = self.frontier[index];
            never.config.done.remove(slot);
            never.config.optional.remove(slot);
            self.next.insert(never, &self.slots, &self.used);
        }
        self.complete(slot).map(drop)
    }

    /// Moves the frontier over the completion of the call in `slot`; false if nothing survives.
    fn complete(&mut self, slot: usize) -> Result<bool, Unknown> {
        self.met.iter_mut().for_each(Frontier::clear);
        let totals = self.frontier.iter().map(|reached| self.used.total(reached.config.used));
        self.least = totals.min().unwrap_or(0);
        for index in 0..self.frontier.len() {
            let mut reached = self.frontier[index];
            self.settle(&mut reached)?;
            self.arrive(reached, slot, false);
        }
        // A step takes no crashed call or one: nothing comes back to a level that is done.
        let mut level = 0;
        while level < self.todo.len() {
            while let Some((reached, idle)) = self.todo[level].pop() {
                let held = self.bytes();
                self.meter.step(held)?;
                self.expand(&reached, slot, idle)?;
            }
            level += 1;
        }
        if self.next.is_empty() {
            return Ok(false);
        }
        self.next.take_into(&mut self.frontier);
        Ok(true)
    }

    /// Files a configuration: beyond the completion if the call in `slot` is placed, else to be
    /// expanded. If it is optional both: this is its last chance to leave a trace.
    fn arrive(&mut self, reached: Reached<N>, slot: usize, idle: bool) {
        let done = reached.config.done.has(slot);
        if done || reached.config.optional.has(slot) {
            let mut beyond = reached;
            beyond.config.done.remove(slot);
            beyond.config.optional.remove(slot);
            self.next.insert(beyond, &self.slots, &self.used);
        }
        // What is not idle may do all that an idle one may.
        let [active, resting] = &mut self.met;
        let is_new = match idle {
            _ if done => false,
            true if active.covers(&reached.config, &self.slots, &self.used) => false,
            true => resting.insert(reached, &self.slots, &self.used),
            false => active.insert(reached, &self.slots, &self.used),
        };
        if is_new {
            let level = (self.used.total(reached.config.used) - self.least) as usize;
            if self.todo.len() <= level {
                self.todo.resize_with(level + 1, Vec::new);
            }
            self.todo[level].push((reached, idle));
        }
    }

    /// Takes each call that can be next.
    fn expand(&mut self, from: &Reached<N>, slot: usize, idle: bool) -> Result<(), Unknown> {
        let waiting = self.slots.all.minus(&from.config.done).minus(&self.slots.observers);
        for open in waiting.iter() {
            let blind = self.slots.overwriters.has(open);
            if idle && blind || self.slots.has_earlier_twin(&from.config, open) {
                continue;
            }
            let call = self.slots.call_in(open);
            for state in self.step(from.config.state, call).as_slice() {
                let mut reached = *from;
                reached.config.done.insert(open);
                reached.config.optional.remove(open);
                self.take(reached, *state, call, (blind, blind), slot)?;
            }
        }
        for at in 0..self.slots.crashed.len() {
            let class = self.slots.crashed[at].class;
            let blind = self.timeline.effects[class as usize] == Effect::Overwrites;
            let count = self.used.count(from.config.used, at as u32) as usize;
            let Some(call) = self.slots.crashed[at].calls.get(count).copied() else { continue };
            if idle && blind {
                continue;
            }
            for state in self.step(from.config.state, call).as_slice() {
                // Without effect it is as if it never happened; but writing again what is there
                // hides what was written in between.
                if *state == from.config.state && !blind {
                    continue;
                }
                let mut reached = *from;
                reached.config.used = self.used.plus(from.config.used, at as u32);
                self.take(reached, *state, call, (blind, true), slot)?;
            }
        }
        Ok(())
    }

    /// Goes on to `state` by `call`, which is marked as taken already: whether it overwrites, and
    /// whether it is pointless if nobody observes it before the next one that overwrites.
    fn take(
        &mut self,
        mut reached: Reached<N>,
        state: u32,
        call: u32,
        (blind, spare): (bool, bool),
        slot: usize,
    ) -> Result<(), Unknown> {
        reached.config.state = state;
        if let Some(trail) = &mut self.trail {
            reached.node = trail.push(reached.node, call, self.at, state);
        }
        if blind {
            let hidden = self.slots.overwriters.minus(&reached.config.done);
            reached.config.optional = reached.config.optional.or(&hidden);
        }
        let observed = self.settle(&mut reached)?;
        self.arrive(reached, slot, spare && !observed);
        Ok(())
    }

    /// Places every open observer that the state permits; whether there was one.
    fn settle(&mut self, reached: &mut Reached<N>) -> Result<bool, Unknown> {
        let mut placed = false;
        for open in self.slots.observers.minus(&reached.config.done).iter() {
            let call = self.slots.call_in(open);
            match self.step(reached.config.state, call).as_slice() {
                [] => continue,
                [same] if *same == reached.config.state => {}
                _ => {
                    let call = &self.calls[call as usize];
                    return Err(Unknown::Model(format!("{:?} {:?}", call.input, call.output)));
                }
            }
            placed = true;
            reached.config.done.insert(open);
            if let Some(trail) = &mut self.trail {
                reached.node = trail.push(reached.node, call, self.at, reached.config.state);
            }
        }
        Ok(placed)
    }

    fn step(&mut self, state: u32, call: u32) -> Next {
        let class = self.timeline.class_of[call as usize];
        self.states.step(self.model, state, class, &self.calls[call as usize])
    }

    /// Forgets what cannot matter any more where only one configuration is left.
    fn collapse(&mut self) {
        let [only] = self.frontier.as_mut_slice() else { return };
        if let Some(trail) = &mut self.trail {
            trail.commit(only.node);
            only.node = Trail::START;
            return; // The trail names states by number.
        }
        if self.states.bytes() > FORGET_BYTES {
            let state = self.states.get(only.config.state).clone();
            self.states = States::new();
            only.config.state = self.states.intern(self.model, state);
        }
    }

    fn bytes(&self) -> usize {
        self.states.bytes()
            + self.used.bytes()
            + self.next.bytes()
            + self.met.iter().map(Frontier::bytes).sum::<usize>()
            + self.frontier.capacity() * size_of::<Reached<N>>()
            + self.trail.as_ref().map_or(0, Trail::bytes)
    }
}

/// Interned states are dropped at the next chance once they hold this much.
const FORGET_BYTES: usize = 16 << 20;
