//! A small database whose isolation can be chosen, and histories of its clients.
//!
//! Clients take turns at random. At the serial levels a transaction runs at one moment; below
//! them it runs one micro-operation at a turn, so that transactions interleave.

use quorate_checkers::history::{Builder, Event, EventType, History, Nanos, OpIndex, Process};
use quorate_checkers::transactions::Workload;
use quorate_checkers::value::{Name, Value};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What the database promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// One after the other, in real time.
    StrictSerializable,
    /// One after the other, but transactions that only read may see a state of long ago.
    Serializable,
    /// Reads from a snapshot; the first of two that write a key at a time commits.
    Snapshot,
    /// Reads what is committed at that moment; writes lock their key and are applied at the
    /// commit, and who finds a key locked gives up.
    ReadCommitted,
    /// Reads and writes what is there; whoever aborts leaves its traces.
    ReadUncommitted,
}

/// How clients use it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) seed: u64,
    pub(crate) workload: Workload,
    pub(crate) isolation: Isolation,
    pub(crate) clients: usize,
    pub(crate) transactions: usize,
    /// Keys in use at a time, the first ones more than the last.
    pub(crate) keys: usize,
    /// After so many writes a key makes room for a new one.
    pub(crate) writes_per_key: usize,
    pub(crate) ops_max: usize,
    /// Of a thousand transactions, how many fail and how many end without a word.
    pub(crate) fail: u32,
    pub(crate) info: u32,
}

impl Load {
    /// One in fifty fails, one in a hundred ends without a word.
    pub(crate) fn new(workload: Workload, isolation: Isolation, seed: u64) -> Load {
        Load {
            seed,
            workload,
            isolation,
            clients: 5,
            transactions: 100,
            keys: 10,
            writes_per_key: 32,
            ops_max: 4,
            fail: 20,
            info: 10,
        }
    }
}

/// A version of a key: all of its list, or a register's value alone at the end.
type Versions = Rc<Vec<i64>>;

#[derive(Clone, Copy, Debug)]
enum Op {
    Read(i64),
    Write(i64, i64),
}

struct Running {
    id: u64,
    ops: Vec<Op>,
    seen: Vec<Option<Versions>>,
    next: usize,
    snapshot: Option<usize>,
    own: BTreeMap<i64, Vec<i64>>,
    done: bool,
    fails: bool,
}

/// Keys with all their versions and when each was committed.
#[derive(Default)]
struct Store {
    clock: usize,
    keys: BTreeMap<i64, Vec<(usize, Versions)>>,
    /// Who is about to write which key.
    locks: BTreeMap<i64, u64>,
}

impl Store {
    fn at(&self, key: i64, moment: usize) -> Versions {
        let versions = self.keys.get(&key).map_or(&[][..], Vec::as_slice);
        let upto = versions.partition_point(|(when, _)| *when <= moment);
        upto.checked_sub(1).map_or_else(Versions::default, |at| versions[at].1.clone())
    }

    fn write(&mut self, key: i64, added: &[i64], keep: bool) {
        let mut next: Vec<i64> = Vec::clone(&self.at(key, usize::MAX));
        next.extend_from_slice(added);
        let versions = self.keys.entry(key).or_default();
        if !keep {
            versions.clear(); // Nobody asks for older ones.
        }
        versions.push((self.clock, Rc::new(next)));
    }

    fn changed_since(&self, key: i64, moment: usize) -> bool {
        self.keys.get(&key).and_then(|v| v.last()).is_some_and(|(when, _)| *when > moment)
    }
}

struct Simulation {
    load: Load,
    rng: ChaCha8Rng,
    builder: Builder,
    store: Store,
    active: Vec<(i64, usize)>,
    next_key: i64,
    next_value: BTreeMap<i64, i64>,
    name: Name,
    time: u64,
}

/// The history of a load.
pub(crate) fn simulate(load: Load) -> History {
    let mut simulation = Simulation {
        load,
        rng: ChaCha8Rng::seed_from_u64(load.seed),
        builder: Builder::default(),
        store: Store::default(),
        active: (0..load.keys).map(|key| (key.cast_signed() as i64, 0)).collect(),
        next_key: load.keys.cast_signed() as i64,
        next_value: BTreeMap::new(),
        name: "txn".into(),
        time: 0,
    };
    simulation.run();
    simulation.builder.finish()
}

impl Simulation {
    fn run(&mut self) {
        let mut processes: Vec<u64> = (0..self.load.clients as u64).collect();
        let mut running: Vec<Option<Running>> = (0..self.load.clients).map(|_| None).collect();
        let mut left = self.load.transactions;
        while left > 0 || running.iter().any(Option::is_some) {
            let client = self.rng.random_range(0..self.load.clients);
            let process = processes[client];
            match running[client].take() {
                None if left > 0 => {
                    left -= 1;
                    running[client] = Some(self.invoke(process));
                }
                None => {}
                Some(mut txn) if !txn.done => {
                    self.turn(&mut txn);
                    running[client] = Some(txn);
                }
                Some(txn) if self.complete(process, &txn) => {
                    processes[client] += self.load.clients as u64;
                }
                Some(_) => {}
            }
        }
    }

    fn pick_key(&mut self) -> usize {
        let mut at = 0;
        while at + 1 < self.active.len() && self.rng.random_range(0..3) > 0 {
            at += 1;
        }
        if at + 1 == self.active.len() { self.rng.random_range(0..self.active.len()) } else { at }
    }

    fn draw(&mut self) -> Vec<Op> {
        let count = self.rng.random_range(1..=self.load.ops_max);
        (0..count)
            .map(|_| {
                let at = self.pick_key();
                let key = self.active[at].0;
                if self.rng.random::<bool>() {
                    return Op::Read(key);
                }
                let value = self.next_value.entry(key).or_insert(0);
                *value += 1;
                let value = *value;
                self.active[at].1 += 1;
                if self.active[at].1 >= self.load.writes_per_key {
                    self.active[at] = (self.next_key, 0);
                    self.next_key += 1;
                }
                Op::Write(key, value)
            })
            .collect()
    }

    fn invoke(&mut self, process: u64) -> Running {
        let ops = self.draw();
        let value = self.value(&ops, &[]);
        self.event(process, EventType::Invoke, value);
        let seen = vec![None; ops.len()];
        let fails = self.rng.random_range(0..1000) < self.load.fail;
        let id = u64::from(self.builder.next_index().0);
        Running { id, ops, seen, next: 0, snapshot: None, own: BTreeMap::new(), done: false, fails }
    }

    fn turn(&mut self, txn: &mut Running) {
        match self.load.isolation {
            Isolation::StrictSerializable | Isolation::Serializable => self.run_at_once(txn),
            _ if txn.next < txn.ops.len() => self.run_one(txn),
            _ => self.commit(txn),
        }
    }

    fn run_at_once(&mut self, txn: &mut Running) {
        txn.done = true;
        if txn.fails {
            return;
        }
        let only_reads = txn.ops.iter().all(|op| matches!(op, Op::Read(_)));
        let stale = self.load.isolation == Isolation::Serializable && only_reads;
        let moment = if stale { self.rng.random_range(0..=self.store.clock) } else { usize::MAX };
        self.store.clock += 1;
        let keep = self.load.isolation == Isolation::Serializable;
        for at in 0..txn.ops.len() {
            match txn.ops[at] {
                Op::Read(key) => txn.seen[at] = Some(self.store.at(key, moment)),
                Op::Write(key, value) => self.store.write(key, &[value], keep),
            }
        }
    }

    fn run_one(&mut self, txn: &mut Running) {
        let moment = match self.load.isolation {
            Isolation::Snapshot => *txn.snapshot.get_or_insert(self.store.clock),
            _ => usize::MAX,
        };
        let at = txn.next;
        txn.next += 1;
        match txn.ops[at] {
            Op::Read(key) => {
                let mut seen = self.store.at(key, moment);
                if let Some(own) = txn.own.get(&key) {
                    Rc::make_mut(&mut seen).extend_from_slice(own);
                }
                txn.seen[at] = Some(seen);
            }
            Op::Write(key, value) if self.load.isolation == Isolation::ReadUncommitted => {
                self.store.clock += 1;
                self.store.write(key, &[value], false);
            }
            Op::Write(key, value) => {
                let locks = self.load.isolation == Isolation::ReadCommitted;
                if locks && *self.store.locks.entry(key).or_insert(txn.id) != txn.id {
                    txn.fails = true;
                    txn.next = txn.ops.len();
                }
                txn.own.entry(key).or_default().push(value);
            }
        }
    }

    fn commit(&mut self, txn: &mut Running) {
        txn.done = true;
        let snapshot = txn.snapshot.unwrap_or(self.store.clock);
        let beaten = self.load.isolation == Isolation::Snapshot
            && txn.own.keys().any(|key| self.store.changed_since(*key, snapshot));
        txn.fails |= beaten;
        self.store.locks.retain(|_, owner| *owner != txn.id);
        if !txn.fails {
            self.store.clock += 1;
            let keep = self.load.isolation == Isolation::Snapshot;
            for (key, added) in std::mem::take(&mut txn.own) {
                self.store.write(key, &added, keep);
            }
        }
    }

    /// Whether the process must go.
    fn complete(&mut self, process: u64, txn: &Running) -> bool {
        let silent = self.rng.random_range(0..1000) < self.load.info;
        let (kind, seen) = match (txn.fails, silent) {
            (_, true) => (EventType::Info, &[][..]),
            (true, false) => (EventType::Fail, &[][..]),
            (false, false) => (EventType::Ok, &txn.seen[..]),
        };
        let value = self.value(&txn.ops, seen);
        self.event(process, kind, value);
        kind == EventType::Info
    }

    fn value(&self, ops: &[Op], seen: &[Option<Versions>]) -> Value {
        let lists = self.load.workload == Workload::Append;
        let item = |(at, op): (usize, &Op)| match *op {
            Op::Read(key) => {
                let seen = seen.get(at).and_then(Option::as_ref);
                let read = match seen {
                    Some(list) if lists && !list.is_empty() => {
                        Value::List(list.iter().map(|n| Value::Int(*n)).collect())
                    }
                    Some(list) if !lists => list.last().map_or(Value::Null, |n| Value::Int(*n)),
                    _ => Value::Null,
                };
                Value::list([Value::str("r"), Value::Int(key), read])
            }
            Op::Write(key, value) => {
                let name = if lists { "append" } else { "w" };
                Value::list([Value::str(name), Value::Int(key), Value::Int(value)])
            }
        };
        Value::List(ops.iter().enumerate().map(item).collect())
    }

    fn event(&mut self, process: u64, kind: EventType, value: Value) {
        self.time += 1000;
        let event = Event {
            index: OpIndex(self.builder.next_index().0),
            time: Nanos(self.time),
            process: Process::Client(process),
            kind,
            f: self.name.clone(),
            key: None,
            value,
            error: None,
            node: None,
            extra: None,
        };
        self.builder.push(event).expect("the simulation is well-formed");
    }
}
