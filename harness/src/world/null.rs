//! A world without a cluster: registers in this process, behind the same channels and tasks as
//! real clients. What a run does here is what the harness itself can do: no sockets, no nodes,
//! no faults.

use crate::nemesis::{Action, FaultOutcome};
use crate::world::lanes::{self, Caller, Lanes, SecondInterrupt};
use crate::world::{Happening, World};
use quorate_checkers::history::Nanos;
use quorate_targets::api::kv::{self, Op};
use quorate_targets::api::{Outcome, Request, Response};
use quorate_targets::node::{NodeId, Status};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::runtime::Runtime;

/// In-process registers.
#[derive(Debug)]
pub struct Null {
    lanes: Lanes,
    /// Dropped last: the clients' tasks live in it.
    _runtime: Runtime,
}

/// All registers; linearizable because each operation holds the lock.
type Registers = Arc<Mutex<BTreeMap<String, Value>>>;

struct Shared(Registers);

impl Null {
    /// A world with so many client threads.
    pub fn new(threads: usize, second_interrupt: SecondInterrupt) -> io::Result<Null> {
        let runtime = lanes::runtime()?;
        let mut lanes = Lanes::new(Instant::now());
        let registers = Registers::default();
        for _ in 0..threads {
            lanes.add(&runtime, Shared(Arc::clone(&registers)));
        }
        lanes.listen(&runtime, second_interrupt)?;
        Ok(Null { lanes, _runtime: runtime })
    }
}

impl Caller for Shared {
    async fn call(&mut self, _node: NodeId, request: Request) -> Outcome {
        match request {
            Request::Kv(request) => {
                let mut registers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                Outcome::Answered(Response::Kv(apply(&mut registers, request.op)))
            }
            other => Outcome::Refused(format!("the null target has no such api: {other:?}")),
        }
    }
}

fn apply(registers: &mut BTreeMap<String, Value>, op: Op) -> kv::Response {
    match op {
        Op::Read { key } => {
            kv::Response::Value { value: registers.get(&key).cloned().unwrap_or_default() }
        }
        Op::Write { key, value } => {
            registers.insert(key, value);
            kv::Response::Done
        }
        Op::Cas { key, old, new } => {
            let seen = registers.get(&key).cloned().unwrap_or_default();
            if seen != old {
                return kv::Response::Mismatch { seen };
            }
            registers.insert(key, new);
            kv::Response::Done
        }
    }
}

impl World for Null {
    fn now(&mut self) -> Nanos {
        self.lanes.now()
    }

    fn invoke(&mut self, thread: usize, node: NodeId, request: Request) {
        self.lanes.invoke(thread, node, request);
    }

    fn inject(&mut self, _action: &Action) {
        let outcome = FaultOutcome::Skipped("the null target has no nodes".into());
        // The receiver is ours.
        let _ = self.lanes.tell().send(Happening::Injected(outcome));
    }

    fn poll(&mut self, until: Nanos) -> Option<Happening> {
        self.lanes.poll(until)
    }

    fn statuses(&mut self) -> BTreeMap<NodeId, Status> {
        BTreeMap::new()
    }

    fn stop(self: Box<Self>) -> anyhow::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
