//! The commands of a scene, on one cluster or on two side by side.
//!
//! Timers fire by command only, so that nothing happens but what the script says and what
//! follows from it. After each command the cluster runs until nothing moves.

use super::words;
use goldenscript::{Command, Context, Runner};
use quorate_targets::api::orders::{Order, Request};
use quorate_targets::bugs;
use quorate_targets::node::{Input, NodeId};
use quorate_targets::saga::{NODES, SHIPPING, SagaOrders, Timer};
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
    stages: Vec<(String, Stage)>,
}

/// One cluster.
struct Stage {
    world: World<SagaOrders, Listener>,
    heard: Rc<RefCell<String>>,
    /// What was asked and is not answered.
    asked: BTreeMap<Token, String>,
}

/// Writes down what is delivered.
struct Listener(Rc<RefCell<String>>);

impl Observer<SagaOrders> for Listener {
    fn before(&mut self, _: &View<'_, SagaOrders>, node: NodeId, input: &Input<SagaOrders>) {
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
        for (label, stage) in &mut self.stages {
            outputs.push((label.clone(), stage.perform(command)?));
        }
        match &outputs[..] {
            [] => Err("there is no cluster".into()),
            [(_, output)] => Ok(output.clone()),
            [(_, one), (_, other), ..] if one == other => Ok(one.clone()),
            _ => {
                let shown = outputs.iter().map(|(label, output)| {
                    let output = if output.is_empty() { "nothing\n" } else { output };
                    format!("[{label}]\n{output}")
                });
                Ok(shown.collect())
            }
        }
    }
}

impl Theatre {
    /// `cluster [beside=BUG] [OPTION=VALUE ...]`
    fn build(&mut self, command: &Command) -> Result<String> {
        let mut args = command.consume_args();
        let mut setup = Setup { timers: false, ..Setup::scene(NODES) };
        let beside = args.take_key("beside");
        while let Some((key, value)) = args.next_key() {
            setup = setup.with_option(key, value);
        }
        args.reject_next()?;
        self.stages = vec![("correct".to_owned(), Stage::new(setup.clone())?)];
        if let Some(name) = beside {
            let entry = bugs::find(name).ok_or("there is no such bug")?;
            self.stages.push((name.to_owned(), Stage::new(setup.with_bug(entry.bug))?));
        }
        Ok(String::new())
    }
}

impl Stage {
    fn new(setup: Setup) -> Result<Stage> {
        let heard = Rc::new(RefCell::new(String::new()));
        let world = World::observed(Seed(0), setup, Listener(Rc::clone(&heard)))?;
        let mut stage = Stage { world, heard, asked: BTreeMap::new() };
        // Both ask for the lease when they start; n1 is the first.
        stage.settle()?;
        Ok(stage)
    }

    fn perform(&mut self, command: &Command) -> Result<String> {
        let mut args = command.consume_args();
        let words: Vec<&str> = std::iter::from_fn(|| args.next_pos()).collect();
        args.reject_next()?;
        let named = |name: &str| name.to_owned();
        match (command.name.as_str(), &words[..]) {
            ("status", []) => return Ok(self.status()),
            ("acquire", [node]) => self.world.fire(id(node)?, Timer::Acquire),
            ("resend", [node]) => self.world.fire(id(node)?, Timer::Resend),
            ("retry", [node, order]) => self.world.fire(id(node)?, Timer::Retry(named(order))),
            ("patience", [node, order]) => {
                self.world.fire(id(node)?, Timer::Patience(named(order)));
            }
            ("expire", []) => self.world.fire(SHIPPING, Timer::Expired),
            ("relay", [node]) => self.world.fire(id(node)?, Timer::Relay),
            ("take", [node, order]) => self.world.fire(id(node)?, Timer::Take(named(order))),
            ("place", [node, details @ ..]) => self.ask(node, Request::Place(order(details)?))?,
            ("cancel", [node, order]) => self.ask(node, Request::Cancel { order: named(order) })?,
            ("read", [node, order]) => self.ask(node, Request::Read { order: named(order) })?,
            ("balance", [customer]) => {
                self.ask("n2", Request::Balance { customer: named(customer) })?;
            }
            ("stock", [item]) => self.ask("n3", Request::Stock { item: named(item) })?,
            ("cut", [from, to]) => self.gate(from, to, Gate::Cut)?,
            ("hold", [from, to]) => self.gate(from, to, Gate::Held)?,
            ("release", [from, to]) => self.gate(from, to, Gate::Open)?,
            ("heal", []) => self.inject(&Fault::OpenAll),
            ("power-off", [node]) => self.inject(&Fault::PowerOff { node: id(node)? }),
            ("start", [node]) => self.inject(&Fault::Start { node: id(node)? }),
            ("pause", [node]) => self.inject(&Fault::Pause { node: id(node)? }),
            ("resume", [node]) => self.inject(&Fault::Resume { node: id(node)? }),
            _ => return Err(format!("no such command: {} {words:?}", command.name).into()),
        }
        self.settle()
    }

    fn ask(&mut self, node: &str, request: Request) -> Result<()> {
        let what = format!("{node} {}", words::request(&request));
        let token = self.world.submit(id(node)?, request);
        self.asked.insert(token, what);
        Ok(())
    }

    fn gate(&mut self, from: &str, to: &str, gate: Gate) -> Result<()> {
        self.inject(&Fault::Gate { from: id(from)?, to: id(to)?, gate });
        Ok(())
    }

    fn inject(&mut self, fault: &Fault) {
        self.world.inject(fault);
    }

    /// Runs until nothing moves; returns what was heard.
    fn settle(&mut self) -> Result<String> {
        while let Some(observed) = self.world.poll(Nanos::NEVER)? {
            let (token, how) = match observed {
                Observed::Response { token, response, .. } => (token, words::response(&response)),
                Observed::Refused { token, .. } => (token, "refused".to_owned()),
                Observed::Lost { token, .. } => (token, "connection lost".to_owned()),
                Observed::Stopped { node, why } => return Err(format!("{node}: {why}").into()),
                Observed::Wake(_) => continue,
            };
            let what = self.asked.remove(&token).unwrap_or_default();
            writeln!(self.heard.borrow_mut(), "{what} => {how}")?;
        }
        Ok(self.heard.take())
    }

    fn status(&self) -> String {
        let line = |id| match self.world.node(id) {
            None => format!("{id} down\n"),
            Some(node) => format!("{id} {}\n", words::node(node)),
        };
        let nodes: String = self.world.members().map(line).collect();
        let open = self.asked.values().map(|what| format!("open: {what}\n"));
        nodes + &open.collect::<String>()
    }
}

fn id(name: &str) -> Result<NodeId> {
    let number = name.strip_prefix('n').ok_or("a node is called n1, n2, ...")?;
    Ok(NodeId(number.parse()?))
}

/// `ORDER CUSTOMER ITEM QUANTITY AMOUNT [ADDRESS]`
fn order(words: &[&str]) -> Result<Order> {
    let [id, customer, item, quantity, amount, address @ ..] = words else {
        return Err("place NODE ORDER CUSTOMER ITEM QUANTITY AMOUNT [ADDRESS]".into());
    };
    Ok(Order {
        id: (*id).to_owned(),
        customer: (*customer).to_owned(),
        item: (*item).to_owned(),
        quantity: quantity.parse()?,
        amount: amount.parse()?,
        address: address.first().copied().unwrap_or("here").to_owned(),
    })
}
