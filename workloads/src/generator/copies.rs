//! A generator for each thread, or for each process.

use super::source::Turn;
use super::{Context, Generator, Next, earlier};
use quorate_checkers::history::{Event, EventType, Process};

/// Asks the copy of one thread; it sees that thread alone.
fn ask<G: Generator>(copy: &mut G, context: &Context<'_>, thread: usize) -> Next {
    let threads = std::slice::from_ref(&context.threads[thread]);
    match copy.next(&Context { time: context.time, threads }, &[0]) {
        Next::Op { invocation, .. } => Next::Op { thread, invocation },
        other => other,
    }
}

/// Tells the copy of one thread.
fn tell<G: Generator>(copy: &mut G, context: &Context<'_>, thread: usize, event: &Event) {
    if let Some(own) = context.threads.get(thread) {
        let threads = std::slice::from_ref(own);
        copy.update(&Context { time: context.time, threads }, 0, event);
    }
}

/// The free threads, beginning behind the one that had its turn last.
fn in_turn<'a>(turn: &Turn, allowed: &'a [usize]) -> impl Iterator<Item = usize> + use<'a> {
    let mut turn = turn.clone();
    let first = turn.take(allowed);
    let split = allowed.partition_point(|thread| Some(*thread) < first);
    allowed[split..].iter().chain(&allowed[..split]).copied()
}

/// See [`each_thread`].
#[derive(Debug)]
pub struct EachThread<G, F> {
    make: F,
    /// One for each thread, made when the threads are first seen; `None` when it is done.
    copies: Vec<Option<G>>,
    /// How many are not done; `None` before they are made.
    live: Option<usize>,
    turn: Turn,
}

/// An independent generator for each thread, made by its number; done when all are. Costs up to
/// O(free threads) a question.
pub fn each_thread<G, F>(make: F) -> EachThread<G, F>
where
    G: Generator,
    F: FnMut(usize) -> G + Send,
{
    EachThread { make, copies: Vec::new(), live: None, turn: Turn::default() }
}

impl<G: Generator, F: FnMut(usize) -> G + Send> Generator for EachThread<G, F> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        if self.live.is_none() {
            self.copies = (0..context.threads.len()).map(|n| Some((self.make)(n))).collect();
            self.live = Some(self.copies.len());
        }
        let mut at = None;
        for thread in in_turn(&self.turn, allowed) {
            let Some(copy) = &mut self.copies[thread] else { continue };
            match ask(copy, context, thread) {
                op @ Next::Op { .. } => {
                    self.turn.take(&[thread]);
                    return op;
                }
                Next::Pending(time) => at = earlier(at, time),
                Next::Done => {
                    self.copies[thread] = None;
                    self.live = self.live.map(|live| live - 1);
                }
            }
        }
        if self.live == Some(0) { Next::Done } else { Next::Pending(at) }
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        if let Some(Some(copy)) = self.copies.get_mut(thread) {
            tell(copy, context, thread, event);
        }
    }
}

/// The copy of a thread's present process.
#[derive(Debug)]
struct OfProcess<G> {
    process: Process,
    /// `None` when it is done.
    copy: Option<G>,
}

/// See [`each_process`].
#[derive(Debug)]
pub struct EachProcess<G, F> {
    make: F,
    /// By thread.
    copies: Vec<Option<OfProcess<G>>>,
    turn: Turn,
}

/// An independent generator for each process: a thread whose operation crashed goes on with a
/// new process, and so with a fresh generator. Done when all threads are free and the generators
/// of their processes are done. Costs up to O(threads) a question.
pub fn each_process<G, F>(make: F) -> EachProcess<G, F>
where
    G: Generator,
    F: FnMut(Process) -> G + Send,
{
    EachProcess { make, copies: Vec::new(), turn: Turn::default() }
}

impl<G: Generator, F: FnMut(Process) -> G + Send> Generator for EachProcess<G, F> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        self.copies.resize_with(context.threads.len(), || None);
        let (mut at, mut done) = (None, 0);
        for thread in in_turn(&self.turn, allowed) {
            let process = context.threads[thread].process;
            let place = &mut self.copies[thread];
            if place.as_ref().is_none_or(|of| of.process != process) {
                *place = Some(OfProcess { process, copy: Some((self.make)(process)) });
            }
            let Some(OfProcess { copy, .. }) = place else { continue };
            match copy.as_mut().map_or(Next::Done, |copy| ask(copy, context, thread)) {
                op @ Next::Op { .. } => {
                    self.turn.take(&[thread]);
                    return op;
                }
                Next::Pending(time) => at = earlier(at, time),
                Next::Done => {
                    *copy = None;
                    done += 1;
                }
            }
        }
        if done == context.threads.len() { Next::Done } else { Next::Pending(at) }
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        let Some(place) = self.copies.get_mut(thread) else { return };
        let Some(of) = place.as_mut().filter(|of| of.process == event.process) else { return };
        if let Some(copy) = &mut of.copy {
            tell(copy, context, thread, event);
        }
        let retired = event.kind == EventType::Info && event.process != Process::Nemesis;
        if retired {
            *place = None;
        }
    }
}
