//! The commands of a scene, on one cluster or on two side by side.
//!
//! Timers fire by command only, so that nothing happens but what the script says and what
//! follows from it. After each command the cluster runs until nothing moves.

use super::words;
use goldenscript::{Command, Context, Runner};
use quorate_targets::api::kv::Session;
use quorate_targets::api::store::{Op, Request, Response, SetKind};
use quorate_targets::bugs;
use quorate_targets::eventual::{Eventual, Timer};
use quorate_targets::node::{Input, NodeId};
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
    world: World<Eventual, Listener>,
    heard: Rc<RefCell<String>>,
    /// What was asked and is not answered: by whom, and what.
    asked: BTreeMap<Token, (Option<u64>, String)>,
    /// By client, the context of its latest read and its session token.
    contexts: BTreeMap<u64, String>,
    tokens: BTreeMap<u64, String>,
}

/// Writes down what is delivered.
struct Listener(Rc<RefCell<String>>);

impl Observer<Eventual> for Listener {
    fn before(&mut self, _: &View<'_, Eventual>, node: NodeId, input: &Input<Eventual>) {
        if let Input::Message { from, message } = input
            && let Some(words) = words::message(message)
        {
            let mut heard = self.0.borrow_mut();
            *heard += &[&from.to_string(), "->", &node.to_string(), " ", &words, "\n"].concat();
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
        let mut stage = Stage {
            label: label.into(),
            world,
            heard,
            asked: BTreeMap::new(),
            contexts: BTreeMap::new(),
            tokens: BTreeMap::new(),
        };
        stage.settle()?;
        Ok(stage)
    }

    fn perform(&mut self, command: &Command) -> Result<String> {
        let mut args = command.consume_args();
        let client: Option<u64> = args.take_key("client").map(str::parse).transpose()?;
        let seq: Option<u64> = args.take_key("seq").map(str::parse).transpose()?;
        let times: u32 = args.take_key("times").unwrap_or("1").parse()?;
        let words: Vec<&str> = std::iter::from_fn(|| args.next_pos()).collect();
        args.reject_next()?;
        match (command.name.as_str(), &words[..]) {
            ("stored", [node]) => return self.stored(id(node)?),
            ("cut", [a, b]) => self.both_ways(id(a)?, id(b)?, Gate::Cut),
            ("open", [a, b]) => self.both_ways(id(a)?, id(b)?, Gate::Open),
            ("heal", []) => self.inject(&Fault::OpenAll),
            ("power-off", [node]) => self.inject(&Fault::PowerOff { node: id(node)? }),
            ("start", [node]) => self.inject(&Fault::Start { node: id(node)? }),
            ("jump", [node, ms]) => {
                let by_ns = ms.parse::<i64>()? * 1_000_000;
                self.inject(&Fault::ClockJump { node: id(node)?, by_ns });
            }
            ("gossip" | "handoff" | "anti-entropy" | "sweep" | "impatient" | "deadline", nodes) => {
                return self.timers(&command.name, nodes, times);
            }
            (name, [node, rest @ ..]) => {
                let op = self.op(name, rest, client)?;
                self.ask(id(node)?, op, client, seq);
            }
            _ => return Err(format!("no such command: {} {words:?}", command.name).into()),
        }
        self.settle()
    }

    fn timers(&mut self, name: &str, nodes: &[&str], times: u32) -> Result<String> {
        let mut output = String::new();
        for _ in 0..times {
            for node in nodes {
                self.fire(name, id(node)?);
                output.push_str(&self.settle()?);
            }
        }
        Ok(output)
    }

    fn fire(&mut self, name: &str, node: NodeId) {
        let fits = |timer: &&Timer| match timer {
            Timer::Impatient(_) => name == "impatient",
            Timer::Deadline(_) => name == "deadline",
            Timer::Gossip => name == "gossip",
            Timer::Handoff => name == "handoff",
            Timer::AntiEntropy => name == "anti-entropy",
            Timer::Sweep => name == "sweep",
        };
        let timers: Vec<Timer> = self.world.armed(node).filter(fits).copied().collect();
        for timer in timers {
            self.world.fire(node, timer);
        }
    }

    fn op(&self, name: &str, words: &[&str], client: Option<u64>) -> Result<Op> {
        let json = |text: &str| serde_json::from_str(text);
        let context = client.and_then(|client| self.contexts.get(&client).cloned());
        let set = SetKind::OrSet;
        Ok(match (name, words) {
            ("read", [key]) => Op::Read { key: (*key).into() },
            ("write", [key, value]) => {
                Op::Write { key: (*key).into(), value: json(value)?, context }
            }
            ("delete", [key]) => Op::Delete { key: (*key).into(), context },
            ("add", [key, element]) => Op::Add { key: (*key).into(), set, element: json(element)? },
            ("remove", [key, element]) => {
                Op::Remove { key: (*key).into(), set, element: json(element)? }
            }
            ("elements", [key]) => Op::Elements { key: (*key).into(), set },
            ("increment", [key, by]) => Op::Increment { key: (*key).into(), by: by.parse()? },
            ("count", [key]) => Op::Count { key: (*key).into() },
            _ => return Err(format!("no such operation: {name} {words:?}").into()),
        })
    }

    fn ask(&mut self, node: NodeId, op: Op, client: Option<u64>, seq: Option<u64>) {
        let what = format!("{node} {}", words::op(&op));
        let session = client.zip(seq).map(|(client, seq)| Session { client, seq });
        let token = client.map(|client| self.tokens.get(&client).cloned().unwrap_or_default());
        let request = Request { op, session, token, read_quorum: None, write_quorum: None };
        let token = self.world.submit(node, request);
        self.asked.insert(token, (client, what));
    }

    fn both_ways(&mut self, a: NodeId, b: NodeId, gate: Gate) {
        for (from, to) in [(a, b), (b, a)] {
            self.inject(&Fault::Gate { from, to, gate });
        }
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
        if let Some((Some(client), _)) = self.asked.get(&token) {
            let (context, token) = match response {
                Response::Value { context, token, .. } => (context.clone(), token.clone()),
                Response::Done { token } => (None, token.clone()),
                _ => (None, None),
            };
            if let Some(context) = context {
                self.contexts.insert(*client, context);
            }
            if let Some(token) = token {
                self.tokens.insert(*client, token);
            }
        }
        self.end(token, &words::response(response))
    }

    fn end(&mut self, token: Token, how: &str) -> String {
        let what = self.asked.remove(&token).map_or_else(String::new, |(_, what)| what);
        format!("{what} => {how}")
    }

    /// What a node has.
    fn stored(&self, node: NodeId) -> Result<String> {
        let node = self.world.node(node).ok_or("it is down")?;
        let mut text = String::new();
        for (key, cell) in node.cells() {
            writeln!(text, "{} {}", key.name, words::show(cell))?;
        }
        if node.hints() > 0 {
            writeln!(text, "and {} for others", node.hints())?;
        }
        Ok(text)
    }
}

fn id(text: &str) -> Result<NodeId> {
    let number = text.strip_prefix('n').ok_or("a node is called n1, n2, ...")?;
    Ok(NodeId(number.parse()?))
}
