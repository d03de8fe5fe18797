//! The commands of a scene, on one cluster or on two side by side.
//!
//! Timers fire by command only, so that nothing happens but what the script says and what
//! follows from it. After each command the cluster runs until nothing moves.

use super::words;
use goldenscript::{Command, Context, Runner};
use quorate_targets::api::kv::{Op, Request, Session};
use quorate_targets::api::txn;
use quorate_targets::bugs;
use quorate_targets::node::{Input, NodeId};
use quorate_targets::raft::{self, RaftKv, Response, Timer};
use quorate_targets::seed::Seed;
use quorate_targets::sim::{Fault, Gate, Nanos, Observed, Observer, Setup, Token, View, World};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::rc::Rc;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Plays a script.
#[derive(Default)]
pub(crate) struct Theatre {
    stages: Vec<Stage>,
}

/// One cluster.
struct Stage {
    label: String,
    world: World<RaftKv, Listener>,
    heard: Rc<RefCell<String>>,
    /// What was asked and is not answered.
    asked: BTreeMap<Token, String>,
}

/// Writes down what is delivered.
struct Listener(Rc<RefCell<String>>);

impl Observer<RaftKv> for Listener {
    fn before(&mut self, _: &View<'_, RaftKv>, node: NodeId, input: &Input<RaftKv>) {
        if let Input::Message { from, message } = input {
            let line = format!("{from}->{node} {}\n", words::message(message));
            self.0.borrow_mut().push_str(&line);
        }
    }
}

impl Runner for Theatre {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> Result<String> {
        if command.name == "cluster" {
            return self.build(command);
        }
        let mut outputs = Vec::new();
        for stage in &mut self.stages {
            outputs.push((stage.label.clone(), stage.perform(command)?));
        }
        let Some((_, first)) = outputs.first() else { return Err("there is no cluster".into()) };
        if outputs.iter().all(|(_, output)| output == first) {
            return Ok(first.clone());
        }
        let mut both = String::new();
        for (label, output) in &outputs {
            writeln!(both, "[{label}]")?;
            both.push_str(if output.is_empty() { "nothing\n" } else { output });
        }
        Ok(both)
    }
}

impl Theatre {
    /// `cluster nodes=3 [beside=BUG] [OPTION=VALUE ...]`
    fn build(&mut self, command: &Command) -> Result<String> {
        let mut args = command.consume_args();
        let nodes = args.take_key("nodes").unwrap_or("3").parse()?;
        let mut setup = Setup { timers: false, ..Setup::scene(nodes) };
        let beside = args.take_key("beside");
        while let Some((key, value)) = args.next_key() {
            setup = setup.with_option(key, value);
        }
        args.reject_next()?;
        self.stages = vec![Stage::new("correct", setup.clone())?];
        if let Some(name) = beside {
            let entry = bugs::find(name).ok_or("there is no such bug")?;
            self.stages.push(Stage::new(name, setup.with_bug(entry.bug))?);
        }
        Ok(String::new())
    }
}

impl Stage {
    fn new(label: &str, setup: Setup) -> Result<Stage> {
        let heard = Rc::new(RefCell::new(String::new()));
        let world = World::observed(Seed(0), setup, Listener(Rc::clone(&heard)))?;
        let mut stage = Stage { label: label.into(), world, heard, asked: BTreeMap::new() };
        stage.settle()?;
        Ok(stage)
    }

    fn perform(&mut self, command: &Command) -> Result<String> {
        let mut args = command.consume_args();
        let session = match (args.take_key("client"), args.take_key("seq")) {
            (Some(client), Some(seq)) => {
                Some(Session { client: client.parse()?, seq: seq.parse()? })
            }
            _ => None,
        };
        let words: Vec<&str> = std::iter::from_fn(|| args.next_pos()).collect();
        args.reject_next()?;
        let value = |text: &str| serde_json::from_str(text);
        match (command.name.as_str(), &words[..]) {
            ("status", []) => return self.status(),
            ("silence", nodes) => self.fire(nodes, Timer::Silence)?,
            ("campaign", nodes) => self.fire(nodes, Timer::Campaign)?,
            ("heartbeat", nodes) => self.fire(nodes, Timer::Heartbeat)?,
            ("check-quorum", nodes) => self.fire(nodes, Timer::CheckQuorum)?,
            ("read", [node, key]) => self.ask(node, Op::Read { key: (*key).into() }, session)?,
            ("write", [node, key, new]) => {
                self.ask(node, Op::Write { key: (*key).into(), value: value(new)? }, session)?;
            }
            ("cas", [node, key, old, new]) => {
                let op = Op::Cas { key: (*key).into(), old: value(old)?, new: value(new)? };
                self.ask(node, op, session)?;
            }
            ("txn", [node, ops]) => {
                let op = txn::Op::Txn { ops: serde_json::from_str(ops)? };
                self.transact(node, &format!("txn {ops}"), op, session)?;
            }
            ("begin", [node]) => self.transact(node, "begin", txn::Op::Begin, None)?,
            ("step", [node, name, number, step]) => {
                let (txn, number) = (txn_id(name)?, number.parse()?);
                let op = txn::Op::Step { txn, number, step: serde_json::from_str(step)? };
                self.transact(node, &format!("{name} {step}"), op, None)?;
            }
            ("commit", [node, name]) => {
                let op = txn::Op::Commit { txn: txn_id(name)? };
                self.transact(node, &format!("{name} commit"), op, session)?;
            }
            ("rollback", [node, name]) => {
                let op = txn::Op::Rollback { txn: txn_id(name)? };
                self.transact(node, &format!("{name} rollback"), op, None)?;
            }
            ("sweep", nodes) => self.fire(nodes, Timer::Sweep)?,
            ("isolate", [node]) => self.isolate(id(node)?),
            ("cut", [a, b]) => self.both_ways(id(a)?, id(b)?, Gate::Cut),
            ("open", [a, b]) => self.both_ways(id(a)?, id(b)?, Gate::Open),
            ("block", [from, to]) => self.gate(id(from)?, id(to)?, Gate::Cut),
            ("hold", [from, to]) => self.gate(id(from)?, id(to)?, Gate::Held),
            ("release", [from, to]) => self.gate(id(from)?, id(to)?, Gate::Open),
            ("heal", []) => self.inject(&Fault::OpenAll),
            ("power-off", nodes) => self.each(nodes, |node| Fault::PowerOff { node })?,
            ("start", nodes) => self.each(nodes, |node| Fault::Start { node })?,
            _ => return Err(format!("no such command: {} {words:?}", command.name).into()),
        }
        self.settle()
    }

    fn fire(&mut self, nodes: &[&str], timer: Timer) -> Result<()> {
        for node in nodes {
            self.world.fire(id(node)?, timer);
        }
        Ok(())
    }

    fn each(&mut self, nodes: &[&str], fault: fn(NodeId) -> Fault) -> Result<()> {
        for node in nodes {
            let node = id(node)?;
            self.inject(&fault(node));
        }
        Ok(())
    }

    fn ask(&mut self, node: &str, op: Op, session: Option<Session>) -> Result<()> {
        let what = format!("{node} {}", words::op(&op));
        self.submit(node, what, raft::Request::Kv(Request { op, session }))
    }

    /// Asks in the transactional api.
    fn transact(
        &mut self,
        node: &str,
        what: &str,
        op: txn::Op,
        session: Option<Session>,
    ) -> Result<()> {
        let request = raft::Request::Txn(txn::Request { op, session });
        self.submit(node, format!("{node} {what}"), request)
    }

    fn submit(&mut self, node: &str, what: String, request: raft::Request) -> Result<()> {
        let token = self.world.submit(id(node)?, request);
        self.asked.insert(token, what);
        Ok(())
    }

    fn isolate(&mut self, node: NodeId) {
        let others: Vec<NodeId> = self.world.members().filter(|other| *other != node).collect();
        for other in others {
            self.both_ways(node, other, Gate::Cut);
        }
    }

    fn both_ways(&mut self, a: NodeId, b: NodeId, gate: Gate) {
        self.gate(a, b, gate);
        self.gate(b, a, gate);
    }

    fn gate(&mut self, from: NodeId, to: NodeId, gate: Gate) {
        self.inject(&Fault::Gate { from, to, gate });
    }

    fn inject(&mut self, fault: &Fault) {
        self.world.inject(fault);
    }

    /// Runs until nothing moves; returns what was heard.
    fn settle(&mut self) -> Result<String> {
        while let Some(observed) = self.world.poll(Nanos::NEVER)? {
            let line = match observed {
                Observed::Response { token, response, .. } => self.answer(token, &response),
                Observed::Refused { token, .. } => self.end(token, "refused"),
                Observed::Lost { token, .. } => self.end(token, "connection lost"),
                Observed::Stopped { node, why } => format!("{node} stopped: {why}"),
                Observed::Wake(_) => continue,
            };
            writeln!(self.heard.borrow_mut(), "{line}")?;
        }
        Ok(self.heard.take())
    }

    fn answer(&mut self, token: Token, response: &Response) -> String {
        self.end(token, &words::response(response))
    }

    fn end(&mut self, token: Token, how: &str) -> String {
        format!("{} => {how}", self.asked.remove(&token).unwrap_or_default())
    }

    fn status(&self) -> Result<String> {
        let mut text = String::new();
        for id in self.world.members() {
            match self.world.node(id) {
                None => writeln!(text, "{id} down")?,
                Some(node) => writeln!(text, "{id} {}", words::node(node))?,
            }
        }
        for what in self.asked.values() {
            writeln!(text, "open: {what}")?;
        }
        Ok(text)
    }
}

/// A transaction by its boot and number: `1.3`.
fn txn_id(name: &str) -> Result<txn::TxnId> {
    let (boot, number) = name.split_once('.').ok_or("a transaction is called 1.1, 1.2, ...")?;
    Ok(txn::TxnId { boot: boot.parse()?, number: number.parse()? })
}

fn id(name: &str) -> Result<NodeId> {
    let number = name.strip_prefix('n').ok_or("a node is called n1, n2, ...")?;
    Ok(NodeId(number.parse()?))
}
