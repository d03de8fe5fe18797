//! Operations written down, in place of those that a workload would draw: what is left of a
//! failing run when all that does not matter is taken away.
//!
//! Each operation has its time and its thread; one whose thread is still busy then follows as
//! soon as it is free. So a script that is recorded from a run repeats it, and one from which
//! operations are taken out stays as near to it as it can.

use crate::nemesis::names::list as node_names;
use quorate_checkers::history::{Event, EventType, History, Nanos, Process};
use quorate_checkers::value::Value;
use quorate_targets::node::NodeId;
use quorate_workloads::generator::sequence::chain;
use quorate_workloads::generator::settle::settle;
use quorate_workloads::generator::until_each_ok::until_each_ok;
use quorate_workloads::generator::{Combine, Context, Generator, Invocation, Next};
use quorate_workloads::orders::DRAIN_TRIES;
use quorate_workloads::register::FINAL_TRIES;
use quorate_workloads::replicas::PATIENCE;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// All operations of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Of the main phase, by time.
    pub main: Vec<Scripted>,
    /// Of the final phase: each is tried until it works or is given up.
    pub last: Vec<Asked>,
}

/// An operation with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scripted {
    /// Nanoseconds since the main phase began.
    pub at_ns: u64,
    /// Which client thread.
    pub thread: usize,
    /// What it asks.
    #[serde(flatten)]
    pub asked: Asked,
}

/// What is asked of whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The operation's name.
    pub f: String,
    /// Which object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<serde_json::Value>,
    /// The argument.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub value: serde_json::Value,
    /// Who is asked: one node.
    #[serde(with = "node_names")]
    pub at: Vec<NodeId>,
}

impl Asked {
    fn of(event: &Event) -> Asked {
        let node = event.node.as_deref().and_then(|name| name.strip_prefix('n')?.parse().ok());
        Asked {
            f: event.f.to_string(),
            key: event.key.as_ref().map(serde_json::Value::from),
            value: serde_json::Value::from(&event.value),
            at: node.map(NodeId).into_iter().collect(),
        }
    }

    fn invocation(&self) -> Invocation {
        Invocation {
            f: self.f.as_str().into(),
            key: self.key.clone().map(Value::from),
            value: Value::from(self.value.clone()),
            node: self.at.first().copied(),
        }
    }
}

impl Script {
    /// What was asked in a run whose main phase began at `begin` and whose final phase (if it
    /// came to one) began at `finale`.
    pub fn record(
        history: &History,
        begin: Nanos,
        finale: Option<Nanos>,
        concurrency: usize,
    ) -> Script {
        let mut script = Script::default();
        for event in history.events().iter().filter(|event| event.kind == EventType::Invoke) {
            let Process::Client(process) = event.process else { continue };
            let asked = Asked::of(event);
            if finale.is_some_and(|finale| event.time >= finale) {
                if !script.last.contains(&asked) {
                    script.last.push(asked);
                }
                continue;
            }
            let at_ns = event.time.0.saturating_sub(begin.0);
            let thread = (process % concurrency.max(1) as u64) as usize;
            script.main.push(Scripted { at_ns, thread, asked });
        }
        script
    }

    /// The generator of the main phase; it lasts for `length` even if nothing is left to ask.
    pub fn main_phase(&self, length: Duration) -> impl Generator + use<> {
        Recital { rest: self.main.clone().into(), length, begin: None }
    }

    /// The generator of the final phase; with `settles`, replicas are given time to agree.
    /// Otherwise operations of one name have all ended before those of the next begin.
    pub fn final_phase(&self, settles: bool) -> Box<dyn Generator> {
        if settles {
            return settle(self.last.iter().map(Asked::invocation).collect(), PATIENCE).boxed();
        }
        let groups = self.last.chunk_by(|one, next| one.f == next.f);
        let ask = |group: &[Asked]| {
            let invocations = group.iter().map(Asked::invocation).collect();
            let drains = group.iter().any(|asked| asked.f == "drain");
            until_each_ok(invocations, if drains { DRAIN_TRIES } else { FINAL_TRIES }).boxed()
        };
        chain(groups.map(ask).collect()).boxed()
    }
}

/// The operations that have not been asked yet, by time.
struct Recital {
    rest: VecDeque<Scripted>,
    length: Duration,
    begin: Option<Nanos>,
}

impl Generator for Recital {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        let begin = *self.begin.get_or_insert(context.time);
        let passed = context.time.0 - begin.0;
        let end = self.length.as_nanos() as u64;
        if passed >= end || (self.rest.is_empty() && end == 0) {
            return Next::Done;
        }
        let place = self
            .rest
            .iter()
            .position(|next| next.at_ns > passed || allowed.binary_search(&next.thread).is_ok());
        match place.map(|place| (place, self.rest[place].at_ns)) {
            Some((place, at_ns)) if at_ns <= passed => match self.rest.remove(place) {
                Some(Scripted { thread, asked, .. }) => {
                    Next::Op { thread, invocation: asked.invocation() }
                }
                None => Next::Done,
            },
            Some((_, at_ns)) => Next::Pending(Some(Nanos(begin.0 + at_ns.min(end)))),
            None => Next::Pending(Some(Nanos(begin.0 + end))),
        }
    }

    fn update(&mut self, _: &Context<'_>, _: usize, _: &Event) {}
}
