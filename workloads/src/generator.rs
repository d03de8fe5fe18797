//! Generators: pure decisions about which operation comes next.
//!
//! The meaning of each combinator is Jepsen's (`jepsen.generator`). A generator is asked for an
//! operation whenever a thread may be free, and told of every event. It never waits: it answers
//! [`Next::Pending`] with the time at which it is worth asking again. Answering `Pending` or
//! `Done` changes nothing but what time itself changes; answering `Op` is a promise that the
//! operation is invoked now, on the thread that it names.
//!
//! Three rules make a run repeatable and combinators composable:
//!
//! * **Draws belong to operations.** A random choice is made when the operation before it was
//!   handed out, and kept until it is used. So a generator that is asked more often gives the
//!   same operations in the same order.
//! * **Threads are relative.** A combinator that routes to some threads (see [`route`]) shows its
//!   inner generator a context of those threads alone, numbered from 0. What a generator can see
//!   is what it may use, and "all threads are free" means all of its own.
//! * **Every event reaches everyone whom it may concern**, and whoever counts operations in
//!   flight counts its own ([`in_flight`]): events tell of the threads, not of generators.
//!
//! Generators are built from [`source`]s, by the methods of [`Combine`] where one generator is
//! wrapped, and by functions where several are joined:
//!
//! ```
//! use quorate_targets::seed::Seed;
//! use quorate_workloads::generator::{Combine, Invocation, mix::mix, source::repeat};
//! use std::time::Duration;
//!
//! let seed = Seed(7);
//! let reads = repeat(Invocation::new("read"));
//! let writes = repeat(Invocation::new("write").value(1));
//! let load = mix(seed.fork("mix"), vec![reads.boxed(), writes.boxed()])
//!     .stagger(Duration::from_millis(2), seed)
//!     .time_limit(Duration::from_secs(20));
//! # let _ = load;
//! ```

pub mod any;
mod combine;
pub mod copies;
pub mod delay;
pub mod flip_flop;
pub mod in_flight;
pub mod independent;
pub mod limit;
pub mod map;
pub mod mix;
pub mod phases;
pub mod route;
pub mod sequence;
pub mod settle;
pub mod simulate;
pub mod source;
pub mod stagger;
pub mod until_each_ok;
pub mod until_ok;

pub use combine::Combine;

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

impl Invocation {
    /// An operation without key, argument or node.
    pub fn new(f: impl Into<Name>) -> Invocation {
        Invocation { f: f.into(), key: None, value: Value::Null, node: None }
    }

    /// The same on `key`.
    #[must_use]
    pub fn key(mut self, key: impl Into<Value>) -> Invocation {
        self.key = Some(key.into());
        self
    }

    /// The same with an argument.
    #[must_use]
    pub fn value(mut self, value: impl Into<Value>) -> Invocation {
        self.value = value.into();
        self
    }

    /// The same, to be asked of `node`.
    #[must_use]
    pub fn at(mut self, node: NodeId) -> Invocation {
        self.node = Some(node);
        self
    }
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
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Now.
    pub time: Nanos,
    /// The threads that there are, by number; their number and order never change. At the top,
    /// all threads of the test, where client thread `i` asks node `i mod n`; inside a routing
    /// combinator, those that it routes to.
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
///
/// Whoever drives a generator calls [`next`](Generator::next) until it does not answer with an
/// operation, and [`update`](Generator::update) for each invocation before it asks again. After
/// `Done` there is no need to ask again, but events in flight may still be told.
pub trait Generator: Send {
    /// The next operation for one of the threads `allowed` (free ones, ascending).
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next;

    /// Tells of an invocation or completion on a thread, whoever generated it. The process of
    /// the event is the one that invoked, also where its `info` has retired it meanwhile. The
    /// nemesis too is told of as invoking and completing, though the history says `info` for both.
    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event);
}

impl<G: Generator + ?Sized> Generator for Box<G> {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        (**self).next(context, allowed)
    }

    fn update(&mut self, context: &Context<'_>, thread: usize, event: &Event) {
        (**self).update(context, thread, event);
    }
}

/// The earlier of two times to ask again, where `None` means "only after an event".
fn earlier(a: Option<Nanos>, b: Option<Nanos>) -> Option<Nanos> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, None) | (None, one) => one,
    }
}

/// A duration in nanoseconds; more than 584 years count as 584 years.
fn nanos(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
