//! Sources: where operations come from. All other generators wrap or join these.
//!
//! A source gives its operation to a free thread, and takes the threads in turn: at a low rate
//! nearly all threads are free, and always to take the first would ask one node only. The turn
//! costs no draw.

use super::{Context, Generator, Invocation, Next};
use quorate_checkers::history::Event;

/// Takes threads in turn: the next free one behind the one taken last.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    from: usize,
}

impl Turn {
    /// The thread whose turn it is among those `allowed` (ascending); `None` if there are none.
    /// Costs O(log threads).
    pub fn take(&mut self, allowed: &[usize]) -> Option<usize> {
        let behind = allowed.partition_point(|thread| *thread < self.from);
        let thread = *allowed.get(behind).or_else(|| allowed.first())?;
        self.from = thread + 1;
        Some(thread)
    }
}

/// A source that calls a function for each operation; see [`from_fn`].
#[derive(Debug)]
pub struct FromFn<F> {
    make: F,
    turn: Turn,
    done: bool,
}

/// Operations made by a function, until it returns `None`. It is called once for each operation
/// handed out, and never without a thread that takes it.
///
/// A source that is about to end says so when it is asked with a free thread, not before.
pub fn from_fn<F>(make: F) -> FromFn<F>
where
    F: FnMut(&Context<'_>) -> Option<Invocation> + Send,
{
    FromFn { make, turn: Turn::default(), done: false }
}

impl<F> Generator for FromFn<F>
where
    F: FnMut(&Context<'_>) -> Option<Invocation> + Send,
{
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        if self.done {
            return Next::Done;
        }
        if allowed.is_empty() {
            return Next::Pending(None);
        }
        let Some(invocation) = (self.make)(context) else {
            self.done = true;
            return Next::Done;
        };
        match self.turn.take(allowed) {
            Some(thread) => Next::Op { thread, invocation },
            None => Next::Pending(None),
        }
    }

    fn update(&mut self, _: &Context<'_>, _: usize, _: &Event) {}
}

/// A source of equal operations; see [`repeat`].
#[derive(Clone, Debug)]
pub struct Repeat {
    invocation: Invocation,
    turn: Turn,
}

/// The same operation for ever.
pub fn repeat(invocation: Invocation) -> Repeat {
    Repeat { invocation, turn: Turn::default() }
}

impl Generator for Repeat {
    fn next(&mut self, _: &Context<'_>, allowed: &[usize]) -> Next {
        match self.turn.take(allowed) {
            Some(thread) => Next::Op { thread, invocation: self.invocation.clone() },
            None => Next::Pending(None),
        }
    }

    fn update(&mut self, _: &Context<'_>, _: usize, _: &Event) {}
}

/// A source that lists its operations; see [`list`].
#[derive(Clone, Debug)]
pub struct List {
    rest: std::vec::IntoIter<Invocation>,
    turn: Turn,
}

/// These operations, each once, in this order.
pub fn list(invocations: Vec<Invocation>) -> List {
    List { rest: invocations.into_iter(), turn: Turn::default() }
}

/// One operation.
pub fn one(invocation: Invocation) -> List {
    list(vec![invocation])
}

impl Generator for List {
    fn next(&mut self, _: &Context<'_>, allowed: &[usize]) -> Next {
        if self.rest.as_slice().is_empty() {
            return Next::Done;
        }
        let Some(thread) = self.turn.take(allowed) else {
            return Next::Pending(None);
        };
        match self.rest.next() {
            Some(invocation) => Next::Op { thread, invocation },
            None => Next::Done,
        }
    }

    fn update(&mut self, _: &Context<'_>, _: usize, _: &Event) {}
}
