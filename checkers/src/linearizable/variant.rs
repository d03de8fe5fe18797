//! Stronger than linearizability: until when an operation that crashed may still take effect.
//!
//! Linearizability lets it do so at any time. *Strict* linearizability (Aguilera and Frølund,
//! "Strict linearizability and the power of aborting", 2003) says: before the crash, or never.
//! *Durable* here (Izraelevitz, Mendes and Scott, "Linearizability of persistent memory objects
//! under a full-system-crash failure model", 2016; per client, as Guerraoui and Levy's persistent
//! atomicity, 2004) says: before the client's next operation, or never.
//!
//! In a recorded history a client crashes where its operation completes with `info`. Its process
//! number is then retired, and the client goes on under that number plus the number of clients.
//! So the next operation of process `p` is the first of process `p + clients`. How many clients
//! there were says the caller, or the history by a number that no process has though a greater one
//! is there: clients are numbered from 0 without a gap, so what lies behind the gap went on from
//! somebody. Where neither tells, only what holds for any number of clients is concluded: that
//! operations took effect before the crash or never keeps the guarantee whoever went on, and what
//! not even plain linearizability allows breaks it.

use crate::history::{EventType, History, OpView, Process};
use std::collections::BTreeMap;
use std::fmt;

/// What is asked of operations whose outcome nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Variant {
    /// They take effect at any time after their invocation, or never.
    #[default]
    Plain,
    /// They take effect before the client gave up waiting, or never.
    Strict,
    /// They take effect before the client's next operation, or never.
    Durable,
}

impl Variant {
    /// All of them.
    pub const ALL: [Variant; 3] = [Variant::Plain, Variant::Strict, Variant::Durable];
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Variant::Plain => "linearizable",
            Variant::Strict => "strict-linearizable",
            Variant::Durable => "durable-linearizable",
        })
    }
}

/// No deadline.
const NEVER: u32 = u32::MAX;

/// For each operation that crashed, the last event before which it may take effect.
pub(crate) struct Deadlines(Vec<u32>);

impl Deadlines {
    /// The deadlines of a history in which this many clients ran; nothing where there are none.
    pub(crate) fn of(history: &History, variant: Variant, clients: u64) -> Option<Deadlines> {
        let next = match variant {
            Variant::Plain => return None,
            Variant::Strict => None,
            Variant::Durable => Some(Next::of(history, clients)),
        };
        let deadline = |op: OpView<'_>| {
            let crash = op.complete.filter(|_| op.outcome == EventType::Info);
            let last = match (&next, crash, op.process()) {
                (None, Some(crash), _) => Some(crash.index.0),
                (Some(next), Some(_), Process::Client(process)) => next.begins(process),
                _ => None,
            };
            last.unwrap_or(NEVER)
        };
        Some(Deadlines(history.ops().map(deadline).collect()))
    }

    /// The last event before which the operation at this position may take effect.
    pub(crate) fn get(&self, position: usize) -> Option<u32> {
        self.0.get(position).copied().filter(|last| *last != NEVER)
    }
}

/// How many clients a history tells of, by the numbers of its processes: the only number with
/// which every later process goes on from one that crashed, if it leaves no client without an
/// operation.
pub(crate) fn clients(history: &History) -> Option<u64> {
    let mut first: BTreeMap<u64, u32> = BTreeMap::new();
    let mut crashes: BTreeMap<u64, u32> = BTreeMap::new();
    for op in history.ops() {
        let Process::Client(process) = op.process() else { continue };
        first.entry(process).or_insert(op.invoke.index.0);
        if let (EventType::Info, Some(event)) = (op.outcome, op.complete) {
            crashes.insert(process, event.index.0);
        }
    }
    let gap = (0..).zip(first.keys()).find(|(at, process)| at != *process)?.0;
    let last = *first.keys().next_back()?;
    let keeps = |clients: &u64| {
        first.range(*clients..).all(|(process, begins)| {
            crashes.get(&(process - clients)).is_some_and(|crash| crash < begins)
        })
    };
    // The last process goes on from some crash.
    let mut fitting = crashes.range(..last).map(|(crashed, _)| last - crashed).filter(keeps);
    let clients = fitting.next().filter(|clients| *clients <= gap)?;
    fitting.next().is_none().then_some(clients)
}

/// Where clients go on after a crash.
struct Next {
    clients: u64,
    /// The first event of each process.
    first: BTreeMap<u64, u32>,
}

impl Next {
    fn of(history: &History, clients: u64) -> Next {
        let mut first: BTreeMap<u64, u32> = BTreeMap::new();
        for op in history.ops() {
            let Process::Client(process) = op.process() else { continue };
            first.entry(process).or_insert(op.invoke.index.0);
        }
        Next { clients, first }
    }

    /// The event before the client of a crashed process goes on.
    fn begins(&self, process: u64) -> Option<u32> {
        let next = process.checked_add(self.clients)?;
        self.first.get(&next).and_then(|begins| begins.checked_sub(1))
    }
}
