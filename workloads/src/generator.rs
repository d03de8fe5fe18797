//! Generators: pure decisions about which operation comes next.
//!
//! The meaning of each combinator is Jepsen's (`jepsen.generator`). A generator is asked for an
//! operation whenever a thread may be free, and told of every event. It never waits: it answers
//! [`Next::Pending`] with the time at which it is worth asking again. Answering `Pending` or
//! `Done` changes nothing but what time itself changes; answering `Op` is a promise that the
//! operation is invoked now, on the thread that it names.

use quorate_checkers::history::{Event, Nanos, Process};
use quorate_checkers::value::{Name, Value};
use quorate_targets::node::NodeId;

/// An operation that some process is about to invoke.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    /// The operation's name.
    pub f: Name,
    /// Which object.
    pub key: Option<Value>,
    /// The argument.
    pub value: Value,
    /// Which node to ask; the thread's own where absent.
    pub node: Option<NodeId>,
}

/// One logical thread of the test: it carries one operation at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thread {
    /// The process that it is now; grows by the concurrency after each `info`.
    pub process: Process,
    /// Whether it may take an operation.
    pub free: bool,
}

/// What a generator may look at.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// Now.
    pub time: Nanos,
    /// All client threads, by number. Thread `i` asks node `i mod n`.
    pub threads: &'a [Thread],
}

/// A generator's answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Invoke this now on that free thread.
    Op {
        /// The thread, an index into [`Context::threads`].
        thread: usize,
        /// What it invokes.
        invocation: Invocation,
    },
    /// Nothing now. Ask again at this time at the latest, and after every event.
    Pending(Option<Nanos>),
    /// Nothing more, ever.
    Done,
}

/// Decides what comes next.
pub trait Generator: Send {
    /// The next operation for one of the threads `allowed` (free ones, ascending).
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next;

    /// Tells of an invocation or completion on a client thread, whoever generated it.
    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event);
}
